#include "harness.h"

/* docs/spec/braze-rest-api.md §2.1, §2.14, §2.16, §10: the envelope and its answers. */
#define NOBODY "'external_id', 'braze_id', 'user_alias', 'email' or 'phone' is required"
#define VALID_DATA                                                                                 \
    "{\"message\":\"Valid data must be provided in the 'attributes', 'events', or 'purchases' "    \
    "fields.\"}"

static void the_envelope_is_answered_as_the_wire_does(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct row rows[] = {
        {.rule = "§10.2 attributes and events in one request", .status = 201,
         .request = TRACK("{\"attributes\":[{\"external_id\":\"u1\",\"first_name\":\"Ada\",\"plan\":\"pro\",\"tags\":{\"add\":[\"x\"]}}],"
                          "\"events\":[{\"external_id\":\"u1\",\"name\":\"signup\",\"time\":\"2026-01-05T10:00:00.000Z\",\"properties\":{\"ref\":\"ad\"}}]}"),
         .answer = "{\"attributes_processed\":1,\"events_processed\":1,\"message\":\"success\"}",
         .who = "u1", .profile = "{\"first_name\":\"Ada\"}", .custom = "{\"plan\":\"pro\",\"tags\":[\"x\"]}"},
        {.rule = "§10.3 partial errors name the array and the index", .status = 201,
         .request = EVENTS("{\"name\":\"a\"," T "},{\"external_id\":\"u1\",\"name\":\"b\"," T "}"),
         .answer = "{\"events_processed\":1,\"message\":\"success\",\"errors\":[{\"type\":\"" NOBODY "\",\"input_array\":\"events\",\"index\":0}]}"},
        {.rule = "§10.4 only bad objects: 400", .status = 400,
         .request = ATTRIBUTES("{\"external_id\":\"u1\",\"email\":\"not-an-email\"}"),
         .answer = REFUSED("The value provided for the 'email' field is not a valid email.", "attributes"),
         .who = "u1"},
        {.rule = "§2.14 one of each", .status = 201,
         .request = TRACK("{\"attributes\":[{\"external_id\":\"u1\"}],\"events\":[{\"external_id\":\"u1\",\"name\":\"e\"," T "}],"
                          "\"purchases\":[{\"external_id\":\"u1\",\"product_id\":\"p\",\"currency\":\"USD\",\"price\":1," T "}]}"),
         .answer = "{\"attributes_processed\":1,\"events_processed\":1,\"purchases_processed\":1,\"message\":\"success\"}"},
        {.rule = "§2.14 an array counts when it is in the request", .status = 201,
         .request = TRACK("{\"attributes\":[],\"events\":[{\"external_id\":\"u1\",\"name\":\"e\"," T "}]}"),
         .answer = "{\"attributes_processed\":0,\"events_processed\":1,\"message\":\"success\"}"},
        {.rule = "§8.2-28 an empty array alone", .status = 400, .request = TRACK("{\"attributes\":[]}"), .answer = VALID_DATA},
        {.rule = "§8.2-27 an object instead of an array", .status = 400, .request = TRACK("{\"attributes\":{\"external_id\":\"u\"}}"), .answer = VALID_DATA},
        {.rule = "§8.2-27 an element that is no object", .status = 400, .request = TRACK("{\"attributes\":[5]}"), .answer = REFUSED(NOBODY, "attributes")},
        {.rule = "§2.1 nothing at all", .status = 400, .request = TRACK("{}"), .answer = VALID_DATA},
        {.rule = "§2.1 an array at the top", .status = 400, .request = TRACK("[]"), .answer = VALID_DATA},
        {.rule = "§2.1 no body", .status = 400, .request = "POST /users/track", .answer = VALID_DATA},
        {.rule = "§2.1 unknown keys at the top are ignored", .status = 201,
         .request = TRACK("{\"partner\":\"x\",\"api_key\":\"k\",\"attributes\":[{\"external_id\":\"u1\"}]}"), .answer = ONE_ATTRIBUTE},
        {.rule = "§8.2-29 an identifier only creates the profile", .status = 201, .request = ATTRIBUTES("{\"external_id\":\"u1\"}"),
         .answer = ONE_ATTRIBUTE, .who = "u1", .profile = "{\"external_id\":\"u1\"}"},
        {.rule = "§8.2-30 several errors in one object: the first", .status = 400,
         .request = EVENTS("{\"properties\":5}"), .answer = REFUSED(NOBODY, "events")},
        {.rule = "§8.2-36 a duplicate key: the last wins", .status = 201,
         .request = ATTRIBUTES("{\"external_id\":\"u1\",\"a\":1,\"a\":2}"), .who = "u1", .custom = "{\"a\":2}"},
        {.rule = "§2.1 attributes come before events within a request", .status = 201,
         .request = TRACK("{\"events\":[{\"user_alias\":{\"alias_name\":\"n\",\"alias_label\":\"l\"},\"name\":\"e\"," T "}],"
                          "\"attributes\":[{\"user_alias\":{\"alias_name\":\"n\",\"alias_label\":\"l\"},\"_update_existing_only\":false}]}"),
         .who = "l:n", .profile = "{\"custom_events\":[{\"name\":\"e\",\"first\":\"2026-01-05T10:00:00.000Z\",\"last\":\"2026-01-05T10:00:00.000Z\",\"count\":1}]}"},
        {.rule = "§2.1 no deduplication", .status = 201,
         .request = EVENTS("{\"external_id\":\"u1\",\"name\":\"e\"," T "},{\"external_id\":\"u1\",\"name\":\"e\"," T "}"),
         .who = "u1", .profile = "{\"custom_events\":[{\"name\":\"e\",\"first\":\"2026-01-05T10:00:00.000Z\",\"last\":\"2026-01-05T10:00:00.000Z\",\"count\":2}]}"},
        {.rule = "§8.2-16 enumerations when chosen", .choice = "error-type=enumeration", .status = 400,
         .request = ATTRIBUTES("{\"external_id\":\"u1\",\"email\":\"x\"}"), .answer = REFUSED("EMAIL_BAD_FORMAT", "attributes")},
    };
    /* clang-format on */
    harness_rows(rows, countof(rows), (struct sandbox_options){0});
}

static void put_objects(struct buf *out, const char *key, unsigned count, bool last)
{
    buf_printf(out, "\"%s\":[", key);
    for (unsigned i = 0; i < count; i++)
        buf_printf(out,
                   "%s{\"external_id\":\"u%u\",\"name\":\"e\",\"product_id\":\"p\",\"currency\":"
                   "\"USD\",\"price\":1,%s}",
                   i == 0 ? "" : ",", i % 10, T);
    buf_append(out, last ? STR("]") : STR("],"));
}

static unsigned post_objects(struct harness *h, const char *path, unsigned attributes,
                             unsigned events, unsigned purchases)
{
    struct buf line;
    buf_init(&line, 1 << 22);
    buf_printf(&line, "POST %s {", path);
    put_objects(&line, "attributes", attributes, false);
    put_objects(&line, "events", events, false);
    put_objects(&line, "purchases", purchases, true);
    buf_putc(&line, '}');
    unsigned status = harness_call(h, buf_str(&line));
    buf_fini(&line);
    return status;
}

static void seventy_five_objects_are_the_limit(void **state)
{
    static const struct {
        const char *path;
        unsigned counts[3];
        const char *choice;
        unsigned status;
    } rows[] = {
        {"/users/track", {25, 25, 25}, "object-limit=combined", 201},
        {"/users/track", {25, 25, 26}, "object-limit=combined", 400},
        {"/users/track", {75, 75, 75}, "object-limit=per-array", 201},
        {"/users/track", {1, 76, 1}, "object-limit=per-array", 400},
        {"/users/track/sync", {1, 0, 0}, "object-limit=combined", 201},
        {"/users/track/sync", {1, 1, 0}, "object-limit=combined", 400},
        {"/users/track/bulk", {300, 300, 400}, "object-limit=combined", 201},
        {"/users/track/bulk", {300, 300, 401}, "object-limit=combined", 400},
    };
    (void)state;
    for (size_t i = 0; i < countof(rows); i++) {
        struct harness h;
        harness_open(&h, (struct sandbox_options){.choices = &rows[i].choice, .choice_count = 1});
        unsigned status =
            post_objects(&h, rows[i].path, rows[i].counts[0], rows[i].counts[1], rows[i].counts[2]);
        assert_int_equal(status, rows[i].status);
        if (status == 400) {
            assert_true(str_eq(buf_str(&h.answer.body),
                               STR("{\"message\":\"Max Input Length Exceeded\"}")));
            assert_int_equal(sandbox_counts(h.sandbox).profiles, 0);
        }
        harness_close(&h);
    }
}

static void a_bulk_call_takes_a_hundred_objects_of_one_user(void **state)
{
    struct harness h;
    struct buf line;
    (void)state;
    harness_open(&h, (struct sandbox_options){0});
    for (unsigned count = 100; count <= 101; count++) {
        buf_init(&line, 1 << 20);
        buf_append(&line, STR("POST /users/track/bulk {\"events\":["));
        for (unsigned i = 0; i < count; i++)
            buf_printf(&line, "%s{\"external_id\":\"u\",\"name\":\"e\",%s}", i == 0 ? "" : ",", T);
        buf_append(&line, STR("]}"));
        assert_int_equal(harness_call(&h, buf_str(&line)), count == 100 ? 201 : 400);
        buf_fini(&line);
    }
    harness_close(&h);
}

static void the_synchronous_call_shows_what_became_of_the_object(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct row rows[] = {
        {.rule = "§2.17 attributes", .status = 201,
         .before = {ATTRIBUTES("{\"external_id\":\"u1\",\"visits\":4,\"other\":1}")},
         .request = "POST /users/track/sync {\"attributes\":[{\"external_id\":\"u1\",\"visits\":{\"inc\":2},\"first_name\":\"Ada\"}]}",
         .answer = "{\"users\":[{\"external_id\":\"u1\",\"custom_attributes\":{\"visits\":6}}],\"message\":\"success\"}"},
        {.rule = "§2.17 an event", .status = 201,
         .request = "POST /users/track/sync {\"events\":[{\"user_alias\":{\"alias_name\":\"n\",\"alias_label\":\"l\"},\"_update_existing_only\":false,\"name\":\"e\"," T "}]}",
         .answer = "{\"users\":[{\"user_alias\":{\"alias_name\":\"n\",\"alias_label\":\"l\"},\"custom_events\":[{\"name\":\"e\",\"first\":\"2026-01-05T10:00:00.000Z\",\"last\":\"2026-01-05T10:00:00.000Z\",\"count\":1}]}],\"message\":\"success\"}"},
        {.rule = "§2.17 a purchase", .status = 201,
         .request = "POST /users/track/sync {\"purchases\":[{\"email\":\"a@b.co\",\"product_id\":\"p\",\"currency\":\"USD\",\"price\":1,\"quantity\":3," T "}]}",
         .answer = "{\"users\":[{\"email\":\"a@b.co\",\"purchase_events\":[{\"product_id\":\"p\",\"first\":\"2026-01-05T10:00:00.000Z\",\"last\":\"2026-01-05T10:00:00.000Z\",\"count\":3}]}],\"message\":\"success\"}"},
        {.rule = "§2.17 update-only that found nobody", .status = 201,
         .request = "POST /users/track/sync {\"attributes\":[{\"external_id\":\"u1\",\"_update_existing_only\":true,\"a\":1}]}",
         .answer = "{\"users\":[],\"message\":\"success\"}", .who = "u1"},
        {.rule = "§2.17 a bad object", .status = 400, .request = "POST /users/track/sync {\"events\":[{\"external_id\":\"u1\"," T "}]}",
         .answer = REFUSED("'name' is required", "events")},
    };
    /* clang-format on */
    harness_rows(rows, countof(rows), (struct sandbox_options){0});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_envelope_is_answered_as_the_wire_does),
        cmocka_unit_test(seventy_five_objects_are_the_limit),
        cmocka_unit_test(a_bulk_call_takes_a_hundred_objects_of_one_user),
        cmocka_unit_test(the_synchronous_call_shows_what_became_of_the_object),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
