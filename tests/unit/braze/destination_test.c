#include "destination.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "../json_scene.h"

static struct jv parse_as(const char *text, enum jv_parse_flags flags)
{
    struct jv v;
    struct err err = {0};
    if (jv_parse(&v, &arena, str_from(text), flags, &err) != 0)
        fail_msg("%s: %s", text, err.msg);
    return v;
}

#define SETTINGS                                                                                   \
    "{\"api_key\":\"k\",\"app_id\":\"APP\",\"endpoint\":\"https://rest.iad-01.braze.com/\"}"

static int compile(struct destination **d, const char *subscriptions, enum parity parity,
                   struct err *err)
{
    struct destination_config config = {
        .settings = parse_as(SETTINGS, JV_JAVASCRIPT),
        .subscriptions =
            subscriptions == NULL ? jv_undefined() : parse_as(subscriptions, JV_JAVASCRIPT),
        .parity = parity,
    };
    return destination_compile(d, &config, err);
}

static struct destination *open_destination(const char *subscriptions, enum parity parity)
{
    struct destination *d;
    struct err err = {0};
    if (compile(&d, subscriptions, parity, &err) != 0)
        fail_msg("%s: %s", err.path, err.msg);
    return d;
}

static struct mapped map(const struct destination *d, const char *event)
{
    struct mapped mapped;
    assert_int_equal(destination_map(d, parse_as(event, JV_EXACT), &arena, &mapped), 0);
    return mapped;
}

static void assert_object(const struct intent *intent, const char *expected)
{
    buf_reset(&out);
    jv_write(&out, intent->object);
    if (!str_eq(buf_str(&out), str_from(expected)))
        fail_msg("got %.*s, expected %s", STR_ARG(buf_str(&out)), expected);
}

static void presets_turn_a_track_call_into_one_event(void **state)
{
    (void)state;
    struct destination *d = open_destination(NULL, PARITY_SAFE);
    struct mapped mapped = map(d, "{\"type\":\"track\",\"event\":\"E\",\"userId\":\"u\","
                                  "\"receivedAt\":\"2024-01-02T03:04:05Z\","
                                  "\"properties\":{\"big\":9007199254740993}}");
    assert_int_equal(destination_subscription_count(d), 9);
    assert_int_equal(mapped.outcome_count, 9);
    assert_int_equal(mapped.outcomes[0].kind, OUTCOME_SENT);
    for (size_t i = 1; i < mapped.outcome_count; i++)
        assert_int_equal(mapped.outcomes[i].kind, OUTCOME_NOT_SUBSCRIBED);
    assert_int_equal(mapped.intent_count, 1);
    assert_int_equal(mapped.intents[0].family, FAMILY_TRACK_EVENTS);
    assert_int_equal(mapped.intents[0].user_count, 1);
    assert_object(&mapped.intents[0],
                  "{\"external_id\":\"u\",\"app_id\":\"APP\",\"name\":\"E\",\"time\":\"2024-01-"
                  "02T03:04:05.000Z\","
                  "\"properties\":{\"big\":9007199254740993},\"_update_existing_only\":false}");
    assert_true(str_eq(destination_endpoint(d), STR("https://rest.iad-01.braze.com")));
    assert_true(str_eq(destination_subscription_name(d, 8), STR("Identify Calls")));
    assert_true(str_eq(destination_subscription_action(d, 8), STR("updateUserProfile")));
    destination_free(d);
}

static void strict_parity_rounds_numbers_as_javascript_does(void **state)
{
    (void)state;
    struct destination *d = open_destination(NULL, PARITY_STRICT);
    struct mapped mapped = map(d, "{\"type\":\"identify\",\"userId\":\"u\",\"traits\":{\"big\":"
                                  "12345678901234567890,\"l\":[9007199254740993]}}");
    assert_int_equal(mapped.intent_count, 1);
    assert_object(&mapped.intents[0], "{\"big\":12345678901234567000,\"l\":[9007199254740992],"
                                      "\"external_id\":\"u\",\"_update_existing_only\":false}");
    destination_free(d);
}

static void products_added_become_cart_updates(void **state)
{
    (void)state;
    struct destination *d = open_destination(NULL, PARITY_SAFE);
    struct mapped mapped =
        map(d, "{\"type\":\"track\",\"event\":\"Product "
               "Added\",\"userId\":\"u\",\"timestamp\":\"2024-01-02T03:04:05Z\",\"properties\":"
               "{\"cart_id\":\"c\",\"currency\":\"EUR\",\"source\":\"web\",\"product_id\":\"p\","
               "\"name\":\"n\",\"variant\":\"v\",\"quantity\":1,"
               "\"price\":2}}");
    assert_int_equal(mapped.intent_count, 1);
    assert_object(&mapped.intents[0],
                  "{\"external_id\":\"u\",\"app_id\":\"APP\",\"name\":\"ecommerce.cart_updated\","
                  "\"time\":\"2024-01-02T03:04:05.000Z\","
                  "\"properties\":{\"currency\":\"EUR\",\"source\":\"web\",\"products\":[{"
                  "\"quantity\":1,\"product_id\":\"p\","
                  "\"product_name\":\"n\",\"variant_id\":\"v\",\"price\":2}],\"cart_id\":\"c\","
                  "\"action\":\"add\"}}");
    destination_free(d);
}

static void the_same_user_has_the_same_key_whatever_the_object(void **state)
{
    (void)state;
    /* clang-format off */
    static const char lines[] =
        "[{\"subscribe\":\"type = \\\"a\\\"\",\"partnerAction\":\"createAlias\",\"mapping\":{\"external_id\":{\"@path\":\"$.userId\"},"
        "\"alias_name\":\"n\",\"alias_label\":\"l\"}},"
        "{\"subscribe\":\"type = \\\"a\\\"\",\"partnerAction\":\"trackEvent\",\"mapping\":{\"external_id\":{\"@path\":\"$.userId\"},"
        "\"name\":\"x\",\"time\":0}},"
        "{\"subscribe\":\"type = \\\"a\\\"\",\"partnerAction\":\"trackEvent\",\"mapping\":{\"user_alias\":{\"alias_name\":\"n\","
        "\"alias_label\":\"l\"},\"name\":\"x\",\"time\":0}},"
        "{\"enabled\":false,\"partnerAction\":\"trackEvent\"}]";
    /* clang-format on */
    struct destination *d = open_destination(lines, PARITY_SAFE);
    struct mapped mapped = map(d, "{\"type\":\"a\",\"userId\":\"u\"}");
    assert_int_equal(mapped.outcome_count, 3);
    assert_int_equal(mapped.intent_count, 3);
    assert_int_equal(mapped.intents[0].user_count, 2);
    assert_true(mapped.intents[0].users[0].hash == mapped.intents[1].users[0].hash);
    assert_true(mapped.intents[0].users[1].hash == mapped.intents[2].users[0].hash);
    assert_true(mapped.intents[1].users[0].hash != mapped.intents[2].users[0].hash);
    destination_free(d);
}

static void refusals_are_outcomes_with_the_reference_s_sentence(void **state)
{
    (void)state;
    /* clang-format off */
    static const char lines[] =
        "[{\"subscribe\":\"type = \\\"a\\\"\",\"partnerAction\":\"trackEvent\",\"mapping\":{\"name\":\"x\"}},"
        "{\"subscribe\":\"type = \\\"a\\\"\",\"partnerAction\":\"trackPurchase\",\"mapping\":{\"external_id\":\"u\",\"time\":0,\"products\":[]}},"
        "{\"subscribe\":\"type = \\\"a\\\"\",\"partnerAction\":\"trackEvent\",\"mapping\":{\"name\":{\"@case\":{\"operator\":\"x\",\"value\":\"y\"}}}}]";
    /* clang-format on */
    struct destination *d = open_destination(lines, PARITY_SAFE);
    struct mapped mapped = map(d, "{\"type\":\"a\"}");
    assert_int_equal(mapped.intent_count, 0);
    assert_int_equal(mapped.outcomes[0].kind, OUTCOME_INVALID);
    assert_true(str_eq(mapped.outcomes[0].text,
                       STR("The root value is missing the required field 'time'.")));
    assert_int_equal(mapped.outcomes[1].kind, OUTCOME_NOTHING_TO_DO);
    assert_int_equal(mapped.outcomes[2].kind, OUTCOME_INVALID);
    assert_string_equal(mapped.outcomes[2].code, "MAPPING_FAILED");
    destination_free(d);
}

static void refuses_configurations_with_the_place(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct {
        const char *subscriptions;
        const char *path;
    } rows[] = {
        {"{}", "/subscriptions"},
        {"[5]", "/subscriptions/0"},
        {"[{\"enabled\":false,\"partnerAction\":\"trackEvent\"},{\"partnerAction\":\"trackEvnt\"}]",
         "/subscriptions/1/partnerAction"},
        {"[{\"partnerAction\":\"trackEvent\",\"subscribe\":\"type =\\\"\",\"mapping\":{}}]", "/subscriptions/0/subscribe"},
        {"[{\"partnerAction\":\"trackEvent\",\"subscribe\":\"type = \\\"a\\\"\"}]", "/subscriptions/0/mapping"},
        {"[{\"partnerAction\":\"trackEvent\",\"subscribe\":\"type = \\\"a\\\"\",\"mapping\":{\"name\":{\"@nope\":1}}}]",
         "/subscriptions/0/mapping/name"},
    };
    /* clang-format on */
    for (size_t i = 0; i < countof(rows); i++) {
        struct destination *d;
        struct err err = {0};
        assert_int_equal(compile(&d, rows[i].subscriptions, PARITY_SAFE, &err), -EINVAL);
        assert_null(d);
        if (strcmp(err.path, rows[i].path) != 0)
            fail_msg("got %s (%s), expected %s", err.path, err.msg, rows[i].path);
        assert_true(err.msg[0] != '\0');
    }
}

static void deletions_name_the_user(void **state)
{
    (void)state;
    struct mapped mapped;
    struct destination *safe = open_destination(NULL, PARITY_SAFE);
    struct destination *strict = open_destination(NULL, PARITY_STRICT);
    assert_int_equal(
        destination_map_delete(safe, parse_as("{\"userId\":\"u\"}", JV_EXACT), &arena, &mapped), 0);
    assert_int_equal(mapped.intents[0].family, FAMILY_DELETE);
    assert_object(&mapped.intents[0], "\"u\"");
    assert_int_equal(mapped.intents[0].user_count, 1);
    assert_int_equal(destination_map_delete(safe, parse_as("{}", JV_EXACT), &arena, &mapped), 0);
    assert_int_equal(mapped.intent_count, 0);
    assert_int_equal(mapped.outcomes[0].kind, OUTCOME_INVALID);
    assert_int_equal(destination_map_delete(strict, parse_as("{}", JV_EXACT), &arena, &mapped), 0);
    assert_object(&mapped.intents[0], "null");
    destination_free(safe);
    destination_free(strict);
}

static void a_preview_shows_whole_requests(void **state)
{
    (void)state;
    struct jv preview;
    /* clang-format off */
    static const char lines[] =
        "[{\"name\":\"one\",\"subscribe\":\"type = \\\"a\\\"\",\"partnerAction\":\"createAlias\",\"mapping\":{\"alias_name\":\"n\",\"alias_label\":\"l\"}},"
        "{\"name\":\"two\",\"subscribe\":\"type = \\\"b\\\"\",\"partnerAction\":\"createAlias\",\"mapping\":{}},"
        "{\"name\":\"three\",\"subscribe\":\"type = \\\"a\\\"\",\"partnerAction\":\"createAlias\",\"mapping\":{\"alias_name\":\"n\"}}]";
    /* clang-format on */
    struct destination *d = open_destination(lines, PARITY_SAFE);
    assert_int_equal(
        destination_preview(d, parse_as("{\"type\":\"a\"}", JV_EXACT), &arena, &preview), 0);
    struct intent shown = {.object = preview};
    assert_object(
        &shown,
        "{\"requests\":[{\"method\":\"POST\",\"url\":\"https://rest.iad-01.braze.com/users/alias/"
        "new\",\"headers\":{"
        "\"authorization\":\"Bearer "
        "k\",\"content-type\":\"application/json\",\"user-agent\":\"Segment (Actions)\"},\"json\":{"
        "\"user_aliases\":[{\"alias_name\":\"n\",\"alias_label\":\"l\"}]}}],\"skipped\":[{"
        "\"subscription\":\"two\",\"action\":"
        "\"createAlias\",\"reason\":\"not "
        "subscribed\"}],\"errors\":[{\"subscription\":\"three\",\"action\":\"createAlias\","
        "\"code\":\"PAYLOAD_VALIDATION_FAILED\",\"message\":\"The root value is missing the "
        "required field 'alias_label'.\"}]}");
    destination_free(d);
}

static void a_full_arena_is_an_error_and_no_crash(void **state)
{
    (void)state;
    struct destination *d = open_destination(NULL, PARITY_STRICT);
    struct jv event = parse_as("{\"type\":\"identify\",\"userId\":\"u\",\"traits\":{\"email\":\"a@"
                               "b.c\",\"plan\":\"p\",\"gender\":\"f\"}}",
                               JV_JAVASCRIPT);
    bool worked = false;
    for (size_t bytes = 16; bytes < 64 * 1024 && !worked; bytes += 48) {
        struct arena small;
        struct mapped mapped;
        arena_init(&small, bytes);
        int rc = destination_map(d, event, &small, &mapped);
        assert_true(rc == 0 || rc == -ENOMEM);
        worked = rc == 0 && mapped.intent_count == 1;
        assert_true(rc == -ENOMEM || worked);
        arena_fini(&small);
    }
    assert_true(worked);
    destination_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(presets_turn_a_track_call_into_one_event),
        cmocka_unit_test(strict_parity_rounds_numbers_as_javascript_does),
        cmocka_unit_test(products_added_become_cart_updates),
        cmocka_unit_test(the_same_user_has_the_same_key_whatever_the_object),
        cmocka_unit_test(refusals_are_outcomes_with_the_reference_s_sentence),
        cmocka_unit_test(refuses_configurations_with_the_place),
        cmocka_unit_test(deletions_name_the_user),
        cmocka_unit_test(a_preview_shows_whole_requests),
        cmocka_unit_test(a_full_arena_is_an_error_and_no_crash),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
