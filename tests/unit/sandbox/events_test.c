#include "harness.h"

/* docs/spec/braze-rest-api.md §2.7 to §2.10, §7.3 */
#define E(json)            EVENTS("{\"external_id\":\"u\"," json "}")
#define P(json)            PURCHASES("{\"external_id\":\"u\"," json "}")
#define ITEM               "\"product_id\":\"p\",\"currency\":\"USD\",\"price\":2.5"
#define PROPERTIES_REFUSED REFUSED("Invalid 'properties' field", "events")
#define SUMMARY(name, first, last, count)                                                          \
    "[{\"name\":\"" name "\",\"first\":\"" first "\",\"last\":\"" last "\",\"count\":" count "}]"
#define AT_TEN "2026-01-05T10:00:00.000Z"

static void events_are_checked_and_counted(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct row rows[] = {
        {.rule = "§2.7 an event", .request = E("\"name\":\"e\"," T), .status = 201, .answer = ONE_EVENT, .who = "u", .profile = "{\"custom_events\":" SUMMARY("e", AT_TEN, AT_TEN, "1") "}"},
        {.rule = "§7.3 first, last and count", .before = {E("\"name\":\"e\"," T)}, .request = E("\"name\":\"e\",\"time\":\"2026-01-04\""), .status = 201, .who = "u", .profile = "{\"custom_events\":" SUMMARY("e", "2026-01-04T00:00:00.000Z", AT_TEN, "2") "}"},
        {.rule = "§2.7 the future becomes now", .request = E("\"name\":\"e\",\"time\":\"2036-01-01T00:00:00Z\""), .status = 201, .who = "u", .profile = "{\"custom_events\":" SUMMARY("e", "2026-01-05T10:00:03.010Z", "2026-01-05T10:00:03.010Z", "1") "}", .note = "changed"},
        {.rule = "§2.15 no name", .request = E(T), .status = 400, .answer = REFUSED("'name' is required", "events")},
        {.rule = "§2.15 an empty name", .request = E("\"name\":\" \"," T), .status = 400, .answer = REFUSED("'name' is required", "events")},
        {.rule = "§2.15 a name that is no text", .request = E("\"name\":5," T), .status = 400, .answer = REFUSED("'name' is required", "events")},
        {.rule = "§2.13 names are trimmed", .request = E("\"name\":\" e \"," T), .status = 201, .who = "u", .profile = "{\"custom_events\":" SUMMARY("e", AT_TEN, AT_TEN, "1") "}"},
        {.rule = "§8.2-42 a name with $ is accepted", .request = E("\"name\":\"$e\"," T), .status = 201, .note = "warning"},
        {.rule = "§8.2-42 or refused, when chosen", .choice = "event-dollar=reject", .request = E("\"name\":\"$e\"," T), .status = 400},
        {.rule = "§2.15 no time", .request = E("\"name\":\"e\""), .status = 400, .answer = REFUSED("'time' is required", "events")},
        {.rule = "§2.15 a time that is none", .request = E("\"name\":\"e\",\"time\":\"soon\""), .status = 400, .answer = REFUSED("'time' is not valid", "events")},
        {.rule = "§2.15 a time that is a number", .request = E("\"name\":\"e\",\"time\":1767607203"), .status = 400, .answer = REFUSED("'time' is not valid", "events")},
        {.rule = "§2.7 the recorded form with a space", .request = E("\"name\":\"e\",\"time\":\"2019-02-15 00:00:00 -0500\""), .status = 201, .answer = ONE_EVENT},
        {.rule = "§2.7 properties", .request = E("\"name\":\"e\"," T ",\"properties\":{\"a\":1,\"b\":\"x\",\"c\":[1],\"d\":{\"e\":true}}"), .status = 201, .answer = ONE_EVENT},
        {.rule = "§2.7 properties that are no object", .request = E("\"name\":\"e\"," T ",\"properties\":[1]"), .status = 400, .answer = PROPERTIES_REFUSED},
        {.rule = "§2.7 null properties", .request = E("\"name\":\"e\"," T ",\"properties\":null"), .status = 201, .answer = ONE_EVENT},
        {.rule = "§2.9 a reserved property", .request = E("\"name\":\"e\"," T ",\"properties\":{\"time\":1}"), .status = 400, .answer = PROPERTIES_REFUSED},
        {.rule = "§2.9 the other reserved property", .request = E("\"name\":\"e\"," T ",\"properties\":{\"event_name\":1}"), .status = 400, .answer = PROPERTIES_REFUSED},
        {.rule = "§2.9 price is reserved for purchases only", .request = E("\"name\":\"e\"," T ",\"properties\":{\"price\":1}"), .status = 201, .answer = ONE_EVENT},
        {.rule = "§2.9 or for all, when chosen", .choice = "event-reserved=six", .request = E("\"name\":\"e\"," T ",\"properties\":{\"price\":1}"), .status = 400, .answer = PROPERTIES_REFUSED},
        {.rule = "§2.9 a property with $", .request = E("\"name\":\"e\"," T ",\"properties\":{\"$a\":1}"), .status = 400, .answer = PROPERTIES_REFUSED},
        {.rule = "§2.9 an empty property name", .request = E("\"name\":\"e\"," T ",\"properties\":{\"\":1}"), .status = 400, .answer = PROPERTIES_REFUSED},
        {.rule = "§2.5 a blocked event is dropped", .request = E("\"name\":\"blocked\"," T), .status = 201, .answer = ONE_EVENT, .who = "u", .note = "blocked"},
        {.rule = "§8.2-37 an integer as user", .request = EVENTS("{\"external_id\":7,\"name\":\"e\"," T "}"), .status = 201, .who = "7", .profile = "{\"external_id\":\"7\"}"},
    };
    /* clang-format on */
    struct sandbox_options options = {.api_key = STR(SANDBOX_API_KEY_DEFAULT),
                                      .workspace =
                                          STR("{\"blocklist\":{\"events\":[\"blocked\"]}}")};
    harness_rows(rows, countof(rows), options);
}

static void purchases_are_checked_and_summed(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct row rows[] = {
        {.rule = "§2.8 a purchase", .request = P(ITEM "," T ",\"quantity\":2"), .status = 201, .answer = ONE_PURCHASE, .who = "u", .profile = "{\"purchases\":" SUMMARY("p", AT_TEN, AT_TEN, "2") ",\"total_revenue\":5}"},
        {.rule = "§2.8 quantity defaults to 1", .request = P(ITEM "," T), .status = 201, .who = "u", .profile = "{\"total_revenue\":2.5}"},
        {.rule = "§2.8 a negative price is a refund", .before = {P(ITEM "," T)}, .request = P("\"product_id\":\"p\",\"currency\":\"USD\",\"price\":-2.5," T), .status = 201, .who = "u", .profile = "{\"total_revenue\":0}"},
        {.rule = "§2.8 other currencies by their rate", .request = P("\"product_id\":\"p\",\"currency\":\"EUR\",\"price\":10," T), .status = 201, .who = "u", .profile = "{\"total_revenue\":15}"},
        {.rule = "§2.8 a currency without a rate", .request = P("\"product_id\":\"p\",\"currency\":\"JPY\",\"price\":10," T), .status = 201, .who = "u", .profile = "{\"total_revenue\":10}", .note = "warning"},
        {.rule = "§8.2-37 an integer as product", .request = P("\"product_id\":55,\"currency\":\"USD\",\"price\":1," T), .status = 201, .who = "u", .profile = "{\"purchases\":" SUMMARY("55", AT_TEN, AT_TEN, "1") "}"},
        {.rule = "§2.15 no product", .request = P("\"currency\":\"USD\",\"price\":1," T), .status = 400, .answer = REFUSED("'product_id' is required", "purchases")},
        {.rule = "§2.15 an empty product", .request = P("\"product_id\":\"\",\"currency\":\"USD\",\"price\":1," T), .status = 400, .answer = REFUSED("'product_id' is required", "purchases")},
        {.rule = "§2.15 no currency", .request = P("\"product_id\":\"p\",\"price\":1," T), .status = 400, .answer = REFUSED("'currency' must be an ISO 4217 currency", "purchases")},
        {.rule = "§2.15 an unknown currency", .request = P("\"product_id\":\"p\",\"currency\":\"XXZ\",\"price\":1," T), .status = 400, .answer = REFUSED("'currency' must be an ISO 4217 currency", "purchases")},
        {.rule = "§8.2-33 a lower-case currency", .request = P("\"product_id\":\"p\",\"currency\":\"usd\",\"price\":1," T), .status = 400, .answer = REFUSED("'currency' must be an ISO 4217 currency", "purchases")},
        {.rule = "§8.2-33 or read as upper case, when chosen", .choice = "currency-case=lenient", .request = P("\"product_id\":\"p\",\"currency\":\"usd\",\"price\":1," T), .status = 201, .answer = ONE_PURCHASE},
        {.rule = "§8.2-34 a currency newer than the list", .request = P("\"product_id\":\"p\",\"currency\":\"SLE\",\"price\":1," T), .status = 201, .note = "warning"},
        {.rule = "§2.15 no price", .request = P("\"product_id\":\"p\",\"currency\":\"USD\"," T), .status = 400, .answer = REFUSED("'price' is not valid", "purchases")},
        {.rule = "§8.2-31 a price as text", .request = P("\"product_id\":\"p\",\"currency\":\"USD\",\"price\":\"1\"," T), .status = 400, .answer = REFUSED("'price' is not valid", "purchases")},
        {.rule = "§8.2-31 a quantity as text", .request = P(ITEM "," T ",\"quantity\":\"1\""), .status = 400, .answer = REFUSED("'quantity' is not valid", "purchases")},
        {.rule = "§8.2-32 quantity 0", .request = P(ITEM "," T ",\"quantity\":0"), .status = 400, .answer = REFUSED("'quantity' is not valid", "purchases")},
        {.rule = "§8.2-32 quantity 101", .request = P(ITEM "," T ",\"quantity\":101"), .status = 400, .answer = REFUSED("'quantity' is not valid", "purchases")},
        {.rule = "§8.2-32 quantity 1.5", .request = P(ITEM "," T ",\"quantity\":1.5"), .status = 400, .answer = REFUSED("'quantity' is not valid", "purchases")},
        {.rule = "§2.8 quantity 100", .request = P(ITEM "," T ",\"quantity\":100"), .status = 201, .answer = ONE_PURCHASE},
        {.rule = "§2.15 no time", .request = P(ITEM), .status = 400, .answer = REFUSED("'time' is required", "purchases")},
        {.rule = "§2.9 each reserved property", .request = P(ITEM "," T ",\"properties\":{\"quantity\":1}"), .status = 400, .answer = REFUSED("Invalid 'properties' field", "purchases")},
        {.rule = "§8.2-21 an object in the properties", .request = P(ITEM "," T ",\"properties\":{\"a\":{\"b\":1}}"), .status = 201, .answer = ONE_PURCHASE, .note = "warning"},
    };
    /* clang-format on */
    struct sandbox_options options = {.api_key = STR(SANDBOX_API_KEY_DEFAULT),
                                      .workspace = STR("{\"exchange_rates\":{\"EUR\":1.5}}")};
    harness_rows(rows, countof(rows), options);
}

static unsigned post_properties(struct harness *h, const char *array, const char *before,
                                const char *text, unsigned times, const char *after)
{
    struct buf line;
    buf_init(&line, 1 << 22);
    buf_printf(
        &line,
        "POST /users/track {\"%s\":[{\"external_id\":\"u\",\"name\":\"e\",%s,%s,\"properties\":{%s",
        array, ITEM, T, before);
    for (unsigned i = 0; i < times; i++) {
        if (str_eq(str_from(text), STR("#")))
            buf_printf(&line, "%s\"k%u\":%u", i == 0 ? "" : ",", i, i);
        else
            buf_append(&line, str_from(text));
    }
    buf_printf(&line, "%s}}]}", after);
    unsigned status = harness_call(h, buf_str(&line));
    buf_fini(&line);
    return status;
}

static struct jv newest(struct harness *h, const char *list)
{
    assert_int_equal(harness_call(h, STR("GET /sandbox/profiles/u")), 200);
    struct jv events = jv_get(harness_parse(&h->arena, buf_str(&h->answer.body)), str_from(list));
    assert_true(events.type == JV_ARRAY && events.len > 0);
    return events.items[0];
}

static void properties_have_their_sizes(void **state)
{
    static const struct {
        const char *array;
        const char *choice;
        unsigned bytes; /* of the whole compact properties */
        unsigned status;
    } sizes[] = {
        {"events", "purchase-properties=50kb", 102400, 201},
        {"events", "purchase-properties=50kb", 102401, 400},
        {"purchases", "purchase-properties=50kb", 51200, 201},
        {"purchases", "purchase-properties=50kb", 51201, 400},
        {"purchases", "purchase-properties=100kb", 102400, 201},
    };
    struct harness h;
    (void)state;
    for (size_t i = 0; i < countof(sizes); i++) {
        harness_open(&h, (struct sandbox_options){.choices = &sizes[i].choice, .choice_count = 1});
        unsigned frame = sizeof("{\"k\":[\"\"]}") - 1;
        assert_int_equal(
            post_properties(&h, sizes[i].array, "\"k\":[\"", "x", sizes[i].bytes - frame, "\"]"),
            sizes[i].status);
        harness_close(&h);
    }
    harness_open(&h, (struct sandbox_options){0});
    /* §8.2-23: the first 256 names, without an error */
    assert_int_equal(post_properties(&h, "events", "", "#", 300, ""), 201);
    struct jv kept = jv_get(newest(&h, "received_events"), STR("properties"));
    assert_int_equal(kept.len, 256);
    assert_true(str_eq(kept.members[255].key, STR("k255")));
    /* §2.13: values are cut to 255 characters, names are not allowed to be longer */
    assert_int_equal(post_properties(&h, "events", "\"k\":\"", "\xc3\xa9", 300, "\""), 201);
    kept = jv_get(newest(&h, "received_events"), STR("properties"));
    assert_int_equal(jv_get(kept, STR("k")).len, 510);
    assert_int_equal(post_properties(&h, "events", "\"", "n", 255, "\":1"), 201);
    assert_int_equal(post_properties(&h, "events", "\"", "n", 256, "\":1"), 400);
    harness_close(&h);
}

static void a_profile_remembers_what_it_received(void **state)
{
    struct harness h;
    (void)state;
    harness_open(&h, (struct sandbox_options){0});
    for (unsigned i = 0; i < 1100; i++) {
        char line[256];
        snprintf(line, sizeof(line),
                 EVENTS("{\"external_id\":\"u\",\"name\":\"e\"," T ",\"properties\":{\"n\":%u}}"),
                 i);
        assert_int_equal(harness_call(&h, str_from(line)), 201);
    }
    assert_int_equal(harness_call(&h, STR("GET /sandbox/profiles/u")), 200);
    struct jv events =
        jv_get(harness_parse(&h.arena, buf_str(&h.answer.body)), STR("received_events"));
    assert_int_equal(events.len, 1000);
    for (uint32_t i = 0; i < events.len; i++)
        assert_int_equal((int)jv_as_double(harness_at(events.items[i], "properties.n")),
                         1099 - (int)i);
    harness_close(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_are_checked_and_counted),
        cmocka_unit_test(purchases_are_checked_and_summed),
        cmocka_unit_test(properties_have_their_sizes),
        cmocka_unit_test(a_profile_remembers_what_it_received),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
