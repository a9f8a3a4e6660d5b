#include "harness.h"

/* docs/spec/braze-rest-api.md §5.2, §8.4 */
#define A(json) ATTRIBUTES("{\"external_id\":\"u\"," json "}")

static void every_write_costs_its_data_points(void **state)
{
    static const struct {
        const char *rule;
        const char *request;
        unsigned points;
        const char *choice;
    } rows[] = {
        {"an event",
         EVENTS("{\"external_id\":\"u\",\"name\":\"e\"," T ",\"properties\":{\"a\":1}}"), 1, NULL},
        {"an event with segmentable properties",
         EVENTS("{\"external_id\":\"u\",\"name\":\"seg\"," T ",\"properties\":{\"a\":1,\"b\":1}}"),
         2, NULL},
        {"a purchase of 3",
         PURCHASES("{\"external_id\":\"u\",\"product_id\":\"p\",\"currency\":\"USD\",\"price\":1,"
                   "\"quantity\":3," T "}"),
         3, NULL},
        {"a purchase once",
         PURCHASES("{\"external_id\":\"u\",\"product_id\":\"p\",\"currency\":\"USD\",\"price\":1,"
                   "\"quantity\":3," T "}"),
         1, "purchase-points=once"},
        {"an e-commerce event",
         EVENTS("{\"external_id\":\"u\",\"name\":\"ecommerce.product_viewed\"," T
                ",\"properties\":{\"product_id\":\"p\",\"product_name\":\"P\",\"variant_id\":\"v\","
                "\"price\":1,\"currency\":\"USD\",\"source\":\"web\"}}"),
         0, NULL},
        {"scalars, a time, an inc, a null",
         A("\"a\":1,\"b\":\"x\",\"c\":\"2024-01-01\",\"d\":{\"inc\":1},\"e\":null"), 5, NULL},
        {"an array as a whole", A("\"a\":[1,2,3]"), 1, NULL},
        {"an array operation", A("\"a\":{\"add\":[1,2]}"), 1, NULL},
        {"add and remove", A("\"a\":{\"add\":[1],\"remove\":[2]}"), 1, NULL},
        {"add and remove, two when chosen", A("\"a\":{\"add\":[1],\"remove\":[2]}"), 2,
         "add-remove-points=2"},
        {"the docs' nested object: leaves",
         A("\"a\":{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"in\":{\"x\":1,\"y\":2}}"), 7, NULL},
        {"a $time is one leaf", A("\"a\":{\"at\":{\"$time\":\"2024-01-01\"}}"), 1, NULL},
        {"an empty object", A("\"a\":{}"), 1, NULL},
        {"an array of objects", A("\"a\":[{\"x\":1,\"y\":2},{\"x\":3}]"), 3, NULL},
        {"$add, $remove, $update",
         A("\"a\":{\"$add\":[{\"x\":1,\"y\":2}],\"$remove\":[{\"$identifier_key\":\"x\",\"$"
           "identifier_value\":1}],\"$update\":[{\"$identifier_key\":\"x\",\"$identifier_value\":1,"
           "\"$new_object\":{\"z\":1}}]}"),
         4, NULL},
        {"standard fields",
         A("\"first_name\":\"A\",\"last_name\":\"B\",\"email\":\"a@b.co\",\"gender\":\"F\",\"dob\":"
           "\"2000-01-01\",\"home_city\":\"X\",\"time_zone\":\"UTC\",\"phone\":\"+15551234567\","
           "\"bio\":\"x\",\"image_url\":\"x\""),
         10, NULL},
        {"country and language", A("\"country\":\"DE\",\"language\":\"de\""), 2, NULL},
        {"country and language, free when chosen", A("\"country\":\"DE\",\"language\":\"de\""), 0,
         "locale-points=free"},
        {"location and session dates",
         A("\"current_location\":{\"longitude\":1,\"latitude\":1},\"date_of_first_session\":\"2020-"
           "01-01\",\"date_of_last_session\":\"2020-01-01\""),
         3, NULL},
        {"what is free",
         A("\"email_subscribe\":\"opted_in\",\"push_subscribe\":\"opted_in\",\"email_open_tracking_"
           "disabled\":true,\"marked_email_as_spam_at\":\"2020-01-01\",\"_merge_objects\":true,\"_"
           "update_existing_only\":false,\"push_tokens\":[{\"app_id\":\"a\",\"token\":\"t\"}]"),
         0, NULL},
        {"facebook", A("\"facebook\":{\"id\":\"f\",\"num_friends\":1}"), 1, NULL},
        {"facebook likes", A("\"facebook\":{\"likes\":[\"a\"]}"), 0, NULL},
        {"twitter", A("\"twitter\":{\"screen_name\":\"x\",\"followers_count\":1}"), 1, NULL},
        {"an email that identifies", ATTRIBUTES("{\"email\":\"a@b.co\"}"), 0, NULL},
        {"nobody is written",
         ATTRIBUTES("{\"external_id\":\"u\",\"_update_existing_only\":true,\"a\":1}"), 0, NULL},
        {"a refused object",
         TRACK("{\"attributes\":[{\"external_id\":\"u\",\"email\":\"bad\",\"a\":1},{\"external_"
               "id\":\"v\"}]}"),
         0, NULL},
        {"a blocked attribute", A("\"secret\":1"), 0, NULL},
        {"an unchanged value counts",
         ATTRIBUTES("{\"external_id\":\"u\",\"a\":1},{\"external_id\":\"u\",\"a\":1}"), 2, NULL},
    };
    (void)state;
    for (size_t i = 0; i < countof(rows); i++) {
        struct harness h;
        harness_open(&h, (struct sandbox_options){
                             .api_key = STR(SANDBOX_API_KEY_DEFAULT),
                             .workspace = STR("{\"segmentable_properties\":{\"seg\":[\"a\",\"c\"]},"
                                              "\"blocklist\":{\"attributes\":[\"secret\"]}}"),
                             .choices = &rows[i].choice,
                             .choice_count = rows[i].choice != NULL});
        assert_int_equal(harness_call(&h, str_from(rows[i].request)), 201);
        if (sandbox_counts(h.sandbox).data_points != rows[i].points)
            fail_msg("%s: %llu points", rows[i].rule,
                     (unsigned long long)sandbox_counts(h.sandbox).data_points);
        harness_close(&h);
    }
}

static void the_meter_tells_names_and_days(void **state)
{
    struct harness h;
    (void)state;
    harness_open(&h, (struct sandbox_options){0});
    assert_int_equal(harness_call(&h, STR(A("\"a\":1,\"first_name\":\"A\""))), 201);
    h.now_ms += 86400000;
    assert_int_equal(harness_call(&h, STR(A("\"a\":2"))), 201);
    assert_int_equal(harness_call(&h, STR("GET /sandbox/data-points")), 200);
    assert_true(
        str_eq(buf_str(&h.answer.body),
               STR("{\"total\":3,\"days\":[{\"day\":\"2026-01-05\",\"points\":2},{\"day\":\"2026-"
                   "01-06\",\"points\":1}],"
                   "\"attributes\":[{\"name\":\"a\",\"count\":2,\"points\":2}],"
                   "\"standard_attributes\":[{\"name\":\"first_name\",\"count\":1,\"points\":1}],"
                   "\"events\":[],\"purchases\":[],\"cohorts\":[],\"message\":\"success\"}")));
    assert_int_equal(harness_call(&h, STR("GET /sandbox/requests?limit=1")), 200);
    struct jv requests = jv_get(harness_parse(&h.arena, buf_str(&h.answer.body)), STR("requests"));
    assert_int_equal(requests.len, 1);
    assert_int_equal((int)jv_as_double(jv_get(requests.items[0], STR("data_points"))), 1);
    harness_close(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_write_costs_its_data_points),
        cmocka_unit_test(the_meter_tells_names_and_days),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
