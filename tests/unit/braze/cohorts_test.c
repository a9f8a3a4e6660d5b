#include "destination.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "../json_scene.h"

#define SETTINGS(more)                                                                             \
    "{\"client_secret\":\"CS\",\"partner_api_key\":\"P\\\"K\",\"partner\":\"segment\","            \
    "\"endpoint\":\"https://rest.fra-01.braze.eu/\"" more "}"

#define EVENT(name, id, key, more)                                                                 \
    "{\"type\":\"track\",\"event\":\"" name "\",\"timestamp\":\"2026-01-02T03:04:05.000Z\","       \
    "\"context\":{\"personas\":{\"computation_id\":\"" id "\",\"computation_key\":\"" key          \
    "\"}}," more "}"

static int compile(struct destination **d, const char *settings, const char *subscriptions,
                   struct err *err)
{
    struct destination_config config = {
        .kind = BRAZE_COHORTS,
        .settings = parse(settings),
        .subscriptions = subscriptions == NULL ? jv_undefined() : parse(subscriptions),
    };
    return destination_compile(d, &config, err);
}

static struct destination *open_destination(const char *subscriptions)
{
    struct destination *d;
    struct err err = {0};
    if (compile(&d, SETTINGS(""), subscriptions, &err) != 0)
        fail_msg("%s: %s", err.path, err.msg);
    return d;
}

static struct mapped map(const struct destination *d, const char *event)
{
    struct mapped mapped;
    assert_int_equal(destination_map(d, parse(event), &arena, &mapped), 0);
    return mapped;
}

static void assert_text(struct str got, const char *expected)
{
    if (!str_eq(got, str_from(expected)))
        fail_msg("got %.*s, expected %s", STR_ARG(got), expected);
}

static void assert_json(struct jv got, const char *expected)
{
    buf_reset(&out);
    jv_write(&out, got);
    assert_text(buf_str(&out), expected);
}

static void an_audience_call_is_an_id_that_enters_or_leaves(void **state)
{
    (void)state;
    static const struct {
        const char *event;
        enum request_family family;
        const char *object;
    } rows[] = {
        {EVENT("Audience Entered", "aud_1", "vip",
               "\"userId\":\"u1\",\"properties\":{\"vip\":true}"),
         FAMILY_COHORT_ADD_USER, "\"u1\""},
        {EVENT("Audience Exited", "aud_1", "vip",
               "\"userId\":\"u1\",\"properties\":{\"vip\":false}"),
         FAMILY_COHORT_REMOVE_USER, "\"u1\""},
        {EVENT("Audience Exited", "aud_1", "vip", "\"userId\":\"u1\",\"properties\":{\"a\":1}"),
         FAMILY_COHORT_REMOVE_USER, "\"u1\""},
        {EVENT("Audience Entered", "aud_1", "vip",
               "\"userId\":\"u1\",\"properties\":{\"vip\":\"false\"}"),
         FAMILY_COHORT_ADD_USER, "\"u1\""},
        {EVENT("Audience Entered", "aud_1", "vip", "\"userId\":7,\"traits\":{\"vip\":true}"),
         FAMILY_COHORT_ADD_USER, "\"7\""},
    };
    struct destination *d = open_destination(NULL);
    for (size_t i = 0; i < countof(rows); i++) {
        struct mapped mapped = map(d, rows[i].event);
        assert_int_equal(mapped.intent_count, 1);
        const struct intent *intent = &mapped.intents[0];
        assert_int_equal(intent->family, rows[i].family);
        assert_json(intent->object, rows[i].object);
        assert_int_equal(intent->user_count, 1);
        assert_text(intent->cohort->id, "\"cohort_id\":\"aud_1\"");
        assert_text(intent->cohort->body, "{\"name\":\"vip\",\"cohort_id\":\"aud_1\","
                                          "\"created_at\":\"2026-01-02T03:04:05.000Z\"}");
    }
    destination_free(d);
}

#define SYNC(mapping)                                                                              \
    "[{\"name\":\"Sync\",\"subscribe\":\"type = \\\"track\\\"\",\"partnerAction\":"                \
    "\"syncAudiences\",\"mapping\":{\"cohort_id\":\"a\",\"cohort_name\":\"k\","                    \
    "\"personas_audience_key\":\"k\",\"event_properties\":{\"@path\":\"$.properties\"},"           \
    "\"time\":\"t\"" mapping "}}]"

static void the_first_id_that_is_there_counts(void **state)
{
    (void)state;
    static const struct {
        const char *mapping;
        enum request_family family;
        const char *object;
    } rows[] = {
        {",\"external_id\":\"u\",\"device_id\":\"d\"", FAMILY_COHORT_ADD_USER, "\"u\""},
        {",\"external_id\":\"\",\"device_id\":\"d\"", FAMILY_COHORT_ADD_DEVICE, "\"d\""},
        {",\"user_alias\":{\"alias_label\":\"l\",\"alias_name\":\"n\"}", FAMILY_COHORT_ADD_ALIAS,
         "{\"alias_name\":\"n\",\"alias_label\":\"l\"}"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        char subscriptions[1024];
        snprintf(subscriptions, sizeof(subscriptions), SYNC("%s"), rows[i].mapping);
        struct destination *d = open_destination(subscriptions);
        struct mapped mapped = map(d, "{\"type\":\"track\",\"properties\":{\"k\":true}}");
        assert_int_equal(mapped.intent_count, 1);
        assert_int_equal(mapped.intents[0].family, rows[i].family);
        assert_json(mapped.intents[0].object, rows[i].object);
        destination_free(d);
    }
}

static void what_names_nobody_or_another_audience_is_not_sent(void **state)
{
    (void)state;
    static const struct {
        const char *subscriptions;
        const char *event;
        enum outcome_kind kind;
        const char *text;
    } rows[] = {
        {NULL, EVENT("Bought", "a", "k", "\"userId\":\"u\",\"properties\":{}"),
         OUTCOME_NOT_SUBSCRIBED, ""},
        {NULL, EVENT("Audience Entered", "a", "k", "\"anonymousId\":\"x\",\"properties\":{}"),
         OUTCOME_NOTHING_TO_DO, ""},
        {SYNC(",\"external_id\":\"u\",\"cohort_name\":\"other\""),
         "{\"type\":\"track\",\"properties\":{}}", OUTCOME_INVALID,
         "The value of `personas computation key` and `personas_audience_key` must match."},
        {NULL,
         "{\"type\":\"track\",\"event\":\"Audience Entered\",\"userId\":\"u\",\"properties\":{},"
         "\"timestamp\":\"t\",\"context\":{\"personas\":{\"computation_id\":\"a\"}}}",
         OUTCOME_INVALID,
         "The root value is missing the required field 'cohort_name'. The root value is missing "
         "the required field 'personas_audience_key'."},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct destination *d = open_destination(rows[i].subscriptions);
        struct mapped mapped = map(d, rows[i].event);
        assert_int_equal(mapped.intent_count, 0);
        assert_int_equal(mapped.outcomes[0].kind, rows[i].kind);
        assert_text(mapped.outcomes[0].text, rows[i].text);
        destination_free(d);
    }
}

static void members_of_one_cohort_share_an_order_whatever_its_name(void **state)
{
    (void)state;
    struct destination *d = open_destination(NULL);
    struct intent a =
        map(d, EVENT("Audience Entered", "1", "k", "\"userId\":\"u\",\"traits\":{}")).intents[0];
    struct intent b =
        map(d, EVENT("Audience Entered", "1", "m", "\"userId\":\"v\",\"traits\":{}")).intents[0];
    struct intent c =
        map(d, EVENT("Audience Entered", "2", "k", "\"userId\":\"u\",\"traits\":{}")).intents[0];
    assert_true(a.users[0].hash == b.users[0].hash && a.users[0].hash == a.cohort->key.hash);
    assert_true(a.users[0].hash != c.users[0].hash);
    assert_true(a.cohort->name != b.cohort->name);
    assert_true(a.cohort->name == c.cohort->name);
    destination_free(d);
}

static void keys_travel_in_the_body_and_the_partner_in_the_path(void **state)
{
    (void)state;
    struct destination *d = open_destination(NULL);
    assert_text(destination_endpoint(d), "https://rest.fra-01.braze.eu/partners/segment");
    assert_int_equal(destination_api_key(d).len, 0);
    assert_text(destination_body_keys(d),
                "\"partner_api_key\":\"P\\\"K\",\"client_secret\":\"CS\"");
    destination_free(d);
}

static void the_preview_shows_both_requests(void **state)
{
    (void)state;
    struct destination *d = open_destination(NULL);
    struct jv preview;
    struct jv event = parse(
        EVENT("Audience Exited", "aud_1", "vip", "\"userId\":\"u1\",\"properties\":{\"vip\":0}"));
    assert_int_equal(destination_preview(d, event, &arena, &preview), 0);
#define HEADERS                                                                                    \
    "\"headers\":{\"content-type\":\"application/json\",\"user-agent\":\"Segment (Actions)\"}"
#define ACCOUNT "\"partner_api_key\":\"P\\\"K\",\"client_secret\":\"CS\","
#define URL     "\"url\":\"https://rest.fra-01.braze.eu/partners/segment/cohorts"
    assert_json(preview, "{\"requests\":[{\"method\":\"POST\"," URL "\"," HEADERS
                         ",\"json\":{" ACCOUNT "\"name\":\"vip\",\"cohort_id\":\"aud_1\","
                         "\"created_at\":\"2026-01-02T03:04:05.000Z\"}},"
                         "{\"method\":\"POST\"," URL "/users\"," HEADERS ",\"json\":{" ACCOUNT
                         "\"cohort_id\":\"aud_1\",\"cohort_changes\":[{\"user_ids\":[\"u1\"],"
                         "\"device_ids\":[],\"aliases\":[],\"should_remove\":true}]}}],"
                         "\"skipped\":[],\"errors\":[]}");
    destination_free(d);
}

static void a_refusal_names_the_place(void **state)
{
    (void)state;
    static const struct {
        const char *settings;
        const char *subscriptions;
        const char *path;
    } rows[] = {
        {SETTINGS(",\"client_secret\":\"\""), NULL, "/settings/client_secret"},
        {SETTINGS(",\"partner_api_key\":7"), NULL, "/settings/partner_api_key"},
        {SETTINGS(",\"partner\":\"a/b\""), NULL, "/settings/partner"},
        {SETTINGS(",\"partner\":\"\""), NULL, "/settings/partner"},
        {SETTINGS(",\"endpoint\":\"braze\""), NULL, "/settings/endpoint"},
        {SETTINGS(""), "[{\"partnerAction\":\"trackEvent\"}]", "/subscriptions/0/partnerAction"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct destination *d;
        struct err err = {0};
        assert_int_equal(compile(&d, rows[i].settings, rows[i].subscriptions, &err), -EINVAL);
        assert_null(d);
        assert_string_equal(err.path, rows[i].path);
    }
}

int main(void)
{
#define row(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        row(an_audience_call_is_an_id_that_enters_or_leaves),
        row(the_first_id_that_is_there_counts),
        row(what_names_nobody_or_another_audience_is_not_sent),
        row(members_of_one_cohort_share_an_order_whatever_its_name),
        row(keys_travel_in_the_body_and_the_partner_in_the_path),
        row(the_preview_shows_both_requests),
        row(a_refusal_names_the_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
