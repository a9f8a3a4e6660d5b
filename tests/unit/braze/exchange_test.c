#include "exchange.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "subscription.h"

#include "../json_scene.h"

/* Opens an exchange of a mapped payload; the schema lives until the next one. */
static struct schema *schema;
static struct call call;

static struct exchange open_exchange(const char *action_key, const char *mapping,
                                     const char *payload, enum parity parity)
{
    struct exchange x;
    const struct action *action = action_find(str_from(action_key));
    assert_non_null(action);
    schema_free(schema);
    schema = schema_new(action->fields, action->field_count, action->absent);
    assert_non_null(schema);
    call = subscription_call(action, parse(mapping), parse("{\"app_id\":\"APP\"}"), parity,
                             FORM_SINGLE);
    call.schema = schema;
    assert_int_equal(exchange_open(&x, &call, parse(payload), parse("{}"), &arena), 0);
    return x;
}

/* The body of the request, "nothing", or "Name (code, status): message". */
static struct str outcome_of(const struct exchange *x)
{
    buf_reset(&out);
    if (x->failure.name != NULL) {
        buf_printf(&out, "%s (%.*s, %d): ", x->failure.name, STR_ARG(jv_str(x->failure.code)),
                   x->failure.status);
        buf_append(&out, x->failure.message);
    } else if (x->has_request) {
        jv_write(&out, x->request.body);
    } else {
        buf_append(&out, STR("nothing"));
    }
    return buf_str(&out);
}

struct row {
    const char *action;
    const char *payload;
    const char *expected;
};

static void check_rows(const struct row *rows, size_t count, const char *mapping,
                       enum parity parity)
{
    for (size_t i = 0; i < count; i++) {
        struct exchange x = open_exchange(rows[i].action, mapping, rows[i].payload, parity);
        struct str got = outcome_of(&x);
        if (!str_eq(got, str_from(rows[i].expected)))
            fail_msg("%s %s:\n got      %.*s\n expected %s", rows[i].action, rows[i].payload,
                     STR_ARG(got), rows[i].expected);
    }
    schema_free(schema);
    schema = NULL;
}

#define NOBODY                                                                                     \
    "IntegrationError (Missing required fields, 400): One of \"external_id\" or \"user_alias\" "   \
    "or "                                                                                          \
    "\"braze_id\" or \"email\" is required."
#define TIME "\"time\":\"2024-01-02T03:04:05Z\""
#define ISO  "\"time\":\"2024-01-02T03:04:05.000Z\""

static void events_have_the_reference_s_members_in_its_order(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct row rows[] = {
        {"trackEvent",
         "{\"name\":\"E\"," TIME ",\"external_id\":\"u1\",\"email\":\"p@x.com\",\"properties\":{\"a\":1,"
         "\"n\":null},\"_update_existing_only\":false}",
         "{\"events\":[{\"external_id\":\"u1\",\"email\":\"p@x.com\",\"app_id\":\"APP\",\"name\":\"E\"," ISO
         ",\"properties\":{\"a\":1,\"n\":null},\"_update_existing_only\":false}]}"},
        {"trackEvent", "{\"name\":\"E\",\"time\":1700000000,\"braze_id\":null,\"external_id\":5}",
         "{\"events\":[{\"braze_id\":null,\"external_id\":\"5\",\"app_id\":\"APP\",\"name\":\"E\",\"time\":"
         "\"1970-01-20T16:13:20.000Z\"}]}"},
        {"trackEvent", "{\"name\":\"E\",\"time\":\"13\",\"external_id\":\"u\"}",
         "{\"events\":[{\"external_id\":\"u\",\"app_id\":\"APP\",\"name\":\"E\"}]}"},
        {"trackEvent",
         "{\"name\":\"E\"," TIME ",\"user_alias\":{\"alias_name\":\"n\",\"alias_label\":\"l\",\"z\":1}}",
         "{\"events\":[{\"user_alias\":{\"alias_label\":\"l\",\"alias_name\":\"n\"},\"app_id\":\"APP\",\"name\":"
         "\"E\"," ISO "}]}"},
        {"trackEvent", "{\"name\":\"E\"," TIME ",\"user_alias\":{\"alias_name\":\"n\"}}", NOBODY},
        {"trackEvent", "{\"external_id\":\"u\"}",
         "AggregateAjvError (, 0): The root value is missing the required field 'name'. The root value is "
         "missing the required field 'time'."},
        {"trackEvent2", "{\"name\":\"E\"," TIME ",\"external_id\":\"u\"}",
         "IntegrationError (Invalid syncMode, 400): syncMode must be \"add\" or \"update\""},
        {"createAlias2", "{\"alias_name\":\"n\",\"alias_label\":\"l\"}",
         "IntegrationError (Invalid syncMode, 400): syncMode must be \"add\""},
        {"updateUserProfile2", "{\"external_id\":\"u\"}",
         "IntegrationError (Invalid syncMode, 400): Sync mode undefined is not supported"},
    };
    /* clang-format on */
    check_rows(rows, countof(rows), "{}", PARITY_STRICT);
}

static void sync_modes_decide_whether_only_existing_users_change(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct row update[] = {
        {"trackEvent2", "{\"name\":\"E\",\"time\":0,\"external_id\":\"u\",\"_update_existing_only\":false}",
         "{\"events\":[{\"external_id\":\"u\",\"app_id\":\"APP\",\"name\":\"E\",\"time\":\"1970-01-01T00:00:00.000Z\","
         "\"_update_existing_only\":true}]}"},
        {"updateUserProfile2", "{\"external_id\":\"u\"}",
         "{\"attributes\":[{\"external_id\":\"u\",\"_update_existing_only\":true}]}"},
    };
    /* clang-format on */
    /* clang-format off */
    static const struct row nonsense[] = {
        {"updateUserProfile2", "{\"external_id\":\"u\"}",
         "IntegrationError (Invalid syncMode, 400): Sync mode mirror is not supported"},
        {"trackEvent", "{\"name\":\"E\",\"time\":0,\"external_id\":\"u\"}", /* has no mode to look at */
         "{\"events\":[{\"external_id\":\"u\",\"app_id\":\"APP\",\"name\":\"E\",\"time\":\"1970-01-01T00:00:00.000Z\"}]}"},
    };
    /* clang-format on */
    check_rows(update, countof(update), "{\"__segment_internal_sync_mode\":\"update\"}",
               PARITY_STRICT);
    check_rows(nonsense, countof(nonsense), "{\"__segment_internal_sync_mode\":\"mirror\"}",
               PARITY_STRICT);
}

#define TRAITS                                                                                     \
    "\"custom_attributes\":{\"10\":\"int\",\"language\":\"de\",\"country\":\"x\",\"time\":1,"      \
    "\"products\":2,"                                                                              \
    "\"properties\":3,\"firstName\":\"a\",\"plan\":\"pro\",\"nul\":null,\"emp\":\"\","             \
    "\"subscription_groups\":7,"                                                                   \
    "\"external_id\":\"other\",\"batch_size\":1}"

static void attributes_named_like_fields_are_lost_strictly_and_kept_safely(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct row strict[] = {
        {"updateUserProfile", "{\"external_id\":\"u1\",\"country\":\"US\",\"gender\":\"Woman\",\"current_location\":{}," TRAITS "}",
         "{\"attributes\":[{\"10\":\"int\",\"country\":\"US\",\"plan\":\"pro\",\"nul\":null,\"emp\":\"\","
         "\"subscription_groups\":7,\"external_id\":\"u1\",\"gender\":\"F\"}]}"},
    };
    /* clang-format on */
    /* clang-format off */
    static const struct row safe[] = {
        {"updateUserProfile", "{\"external_id\":\"u1\",\"country\":\"US\"," TRAITS "}",
         "{\"attributes\":[{\"10\":\"int\",\"language\":\"de\",\"country\":\"US\",\"time\":1,\"products\":2,\"properties\":3,"
         "\"plan\":\"pro\",\"nul\":null,\"emp\":\"\",\"subscription_groups\":7,\"external_id\":\"u1\"}]}"},
    };
    /* clang-format on */
    check_rows(strict, countof(strict), "{}", PARITY_STRICT);
    check_rows(safe, countof(safe), "{}", PARITY_SAFE);
}

static void safe_objects_name_one_user_and_read_unix_seconds(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct row rows[] = {
        {"trackEvent",
         "{\"name\":\"E\",\"time\":1700000000,\"external_id\":\"u\",\"braze_id\":\"b\",\"email\":\"a@b.c\","
         "\"user_alias\":{\"alias_name\":\"n\",\"alias_label\":\"l\"}}",
         "{\"events\":[{\"external_id\":\"u\",\"app_id\":\"APP\",\"name\":\"E\",\"time\":\"2023-11-14T22:13:20.000Z\"}]}"},
        {"trackEvent", "{\"name\":\"E\",\"time\":\"1700000000\",\"braze_id\":null,\"email\":\"a@b.c\"}",
         "{\"events\":[{\"email\":\"a@b.c\",\"app_id\":\"APP\",\"name\":\"E\",\"time\":\"2023-11-14T22:13:20.000Z\"}]}"},
        {"updateUserProfile", "{\"external_id\":\"u\",\"braze_id\":\"b\",\"email\":\"a@b.c\",\"dob\":\"1990-05-06\"}",
         "{\"attributes\":[{\"external_id\":\"u\",\"dob\":\"1990-05-06\",\"email\":\"a@b.c\"}]}"},
        {"trackEvent2", "{\"name\":\"E\"," TIME ",\"external_id\":\"u\"}",
         "{\"events\":[{\"external_id\":\"u\",\"app_id\":\"APP\",\"name\":\"E\"," ISO ",\"_update_existing_only\":false}]}"},
    };
    /* clang-format on */
    check_rows(rows, countof(rows), "{}", PARITY_SAFE);
}

static void purchases_merge_product_and_event_properties(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct row rows[] = {
        {"trackPurchase",
         "{\"external_id\":\"u1\",\"braze_id\":\"b1\"," TIME ",\"_update_existing_only\":false,\"properties\":{\"order_id\":"
         "\"o1\",\"currency\":\"EUR\",\"sku\":\"t\",\"products\":[]},\"products\":[{\"product_id\":\"p1\",\"price\":1.5,\"quantity\":2,"
         "\"name\":\"N1\",\"currency\":\"GBP\",\"sku\":\"s\"},{\"product_id\":null,\"price\":null}]}",
         "{\"purchases\":[{\"braze_id\":\"b1\",\"external_id\":\"u1\",\"app_id\":\"APP\"," ISO ",\"_update_existing_only\":false,"
         "\"product_id\":\"p1\",\"currency\":\"GBP\",\"price\":1.5,\"quantity\":2,\"properties\":{\"name\":\"N1\",\"sku\":\"t\","
         "\"order_id\":\"o1\",\"currency\":\"EUR\"}},{\"braze_id\":\"b1\",\"external_id\":\"u1\",\"app_id\":\"APP\"," ISO ","
         "\"_update_existing_only\":false,\"product_id\":\"\",\"currency\":\"USD\",\"price\":0,\"properties\":{\"order_id\":\"o1\","
         "\"currency\":\"EUR\",\"sku\":\"t\"}}]}"},
        {"trackPurchase", "{\"external_id\":\"u1\"," TIME ",\"products\":[]}", "nothing"},
        {"trackPurchase", "{" TIME ",\"products\":[]}", NOBODY},
        {"trackPurchase", "{\"external_id\":\"u1\"," TIME ",\"products\":\"x\"}",
         "AggregateAjvError (, 0): The value at /products/0 must be an object but it was a string."},
    };
    /* clang-format on */
    check_rows(rows, countof(rows), "{}", PARITY_STRICT);
}

static void identifies_place_merge_behavior_as_each_version_does(void **state)
{
    (void)state;
#define ALIAS "\"user_alias\":{\"alias_name\":\"n\",\"alias_label\":\"l\"}"
#define THEN  " The root value must match \"then\" schema."
    /* clang-format off */
    static const struct row rows[] = {
        {"createAlias", "{\"alias_name\":\"n\",\"alias_label\":\"l\",\"external_id\":null}",
         "{\"user_aliases\":[{\"alias_name\":\"n\",\"alias_label\":\"l\"}]}"},
        {"identifyUser", "{\"external_id\":\"e\"," ALIAS ",\"merge_behavior\":\"merge\"}",
         "{\"aliases_to_identify\":[{\"external_id\":\"e\"," ALIAS "}],\"merge_behavior\":\"merge\"}"},
        {"identifyUser2",
         "{\"external_id\":\"e\"," ALIAS ",\"email_to_identify\":\"a@b.c\",\"prioritization\":{\"first_priority\":\"unidentified\","
         "\"second_priority\":\"most_recently_updated\"},\"merge_behavior\":\"merge\"}",
         "{\"merge_behavior\":\"merge\",\"aliases_to_identify\":[{\"external_id\":\"e\"," ALIAS "}],\"emails_to_identify\":["
         "{\"external_id\":\"e\",\"email\":\"a@b.c\",\"prioritization\":[\"unidentified\",\"most_recently_updated\"]}]}"},
        {"identifyUser2", "{\"external_id\":\"e\",\"email_to_identify\":\"a\",\"prioritization\":{}}",
         "{\"emails_to_identify\":[{\"external_id\":\"e\",\"email\":\"a\",\"prioritization\":[null]}]}"},
        {"identifyUser2", "{\"external_id\":\"e\"," ALIAS ",\"email_to_identify\":false}",
         "{\"aliases_to_identify\":[{\"external_id\":\"e\"," ALIAS "}]}"},
        {"identifyUser2", "{\"external_id\":\"e\"}",
         "AggregateAjvError (, 0): The root value is missing the required field 'user_alias'." THEN
         " The root value is missing the required field 'email_to_identify'." THEN},
        {"identifyUser2", "{\"external_id\":\"e\",\"user_alias\":false,\"email_to_identify\":\"a\",\"prioritization\":{}}",
         "AggregateAjvError (, 0): User Alias Object must be an object but it was null."},
    };
    /* clang-format on */
#undef ALIAS
#undef THEN
    check_rows(rows, countof(rows), "{\"__segment_internal_sync_mode\":\"add\"}", PARITY_STRICT);
}

static void triggers_send_the_payload_in_its_own_order(void **state)
{
    (void)state;
#define REFUSED "PayloadValidationError (PAYLOAD_VALIDATION_FAILED, 400): "
    /* clang-format off */
    static const struct row rows[] = {
        {"triggerCampaign", "{\"trigger_properties\":{\"a\":1},\"campaign_id\":\"c1\",\"broadcast\":true,\"x\":1,\"dynamicAuthSettings\":{}}",
         "{\"trigger_properties\":{\"a\":1},\"campaign_id\":\"c1\",\"broadcast\":true,\"dynamicAuthSettings\":{}}"},
        {"triggerCampaign",
         "{\"campaign_id\":\"c1\",\"prioritization\":{\"first_priority\":\"identified\"},\"recipients\":{\"external_user_id\":null,\"z\":1}}",
         "{\"campaign_id\":\"c1\",\"recipients\":[{\"external_user_id\":\"\",\"prioritization\":[\"identified\"]}]}"},
        {"triggerCampaign", "{\"campaign_id\":\"c1\",\"audience\":{}}",
         REFUSED "Either \"broadcast\" must be true or \"recipients\" list must be provided."},
        {"triggerCampaign", "{\"campaign_id\":\"c1\",\"broadcast\":true,\"recipients\":[{}]}",
         REFUSED "When \"broadcast\" is true, \"recipients\" list cannot be included."},
        {"triggerCanvas", "{\"canvas_id\":\"c\",\"broadcast\":\"true\"}",
         "AggregateAjvError (, 0): The root value is missing the required field 'recipients'. The root value must match "
         "\"then\" schema."},
        {"triggerCanvas", "{\"canvas_id\":\"c\",\"broadcast\":true,\"recipients\":[],\"prioritization\":{\"first_priority\":\"identified\"}}",
         "{\"canvas_id\":\"c\",\"broadcast\":true,\"recipients\":[],\"prioritization\":{\"first_priority\":\"identified\"}}"},
    };
    /* clang-format on */
    check_rows(rows, countof(rows), "{}", PARITY_STRICT);
}

#define SALE                                                                                       \
    TIME ",\"currency\":\"USD\",\"source\":\"web\",\"enable_batching\":true,\"batch_size\":75"
#define SALE_ITEM                                                                                  \
    "{\"product_id\":\"p1\",\"product_name\":\"N\",\"variant_id\":\"v\",\"quantity\":2,\"price\":" \
    "5,\"color\":\"red\"}"

static void ecommerce_events_have_their_own_properties_each(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct row rows[] = {
        {"ecommerce",
         "{\"name\":\"ecommerce.order_placed\",\"external_id\":\"u1\"," SALE ",\"total_value\":10,\"order_id\":\"o\",\"cart_id\":\"c\","
         "\"tax\":0,\"total_discounts\":2,\"discounts\":[{\"code\":\"C\",\"amount\":1}],\"products\":[" SALE_ITEM "]}",
         "{\"events\":[{\"external_id\":\"u1\",\"app_id\":\"APP\",\"name\":\"ecommerce.order_placed\"," ISO ",\"properties\":{"
         "\"currency\":\"USD\",\"source\":\"web\",\"products\":[{\"quantity\":2,\"product_id\":\"p1\",\"product_name\":\"N\",\"variant_id\":"
         "\"v\",\"price\":5,\"metadata\":{\"color\":\"red\"}}],\"total_value\":10,\"order_id\":\"o\",\"cart_id\":\"c\",\"tax\":0,"
         "\"total_discounts\":2,\"discounts\":[{\"code\":\"C\",\"amount\":1}]}}]}"},
        {"ecommerce",
         "{\"name\":\"ecommerce.cart_updated\",\"phone\":\"+1\"," SALE ",\"cart_id\":\"c\",\"action\":\"add\",\"products\":[]}",
         "{\"events\":[{\"phone\":\"+1\",\"app_id\":\"APP\",\"name\":\"ecommerce.cart_updated\"," ISO ",\"properties\":{\"currency\":"
         "\"USD\",\"source\":\"web\",\"products\":[],\"cart_id\":\"c\",\"action\":\"add\"}}]}"},
        {"ecommerce", "{\"name\":\"ecommerce.cart_updated\",\"phone\":\"+1\"," SALE ",\"cart_id\":\"c\",\"products\":[]}",
         REFUSED "total_value is required for cart_updated events unless action is \"add\" or \"remove\"."},
        {"ecommerce", "{\"name\":\"ecommerce.cart_updated\"," SALE ",\"cart_id\":\"c\",\"products\":[]}",
         REFUSED "One of \"external_id\" or \"user_alias\" or \"braze_id\" or \"email\" or \"phone\" is required."},
        {"ecommerceSingleProduct",
         "{\"name\":\"ecommerce.product_viewed\",\"user_alias\":{\"alias_name\":\"n\",\"alias_label\":\"l\"}," SALE
         ",\"catalog_type\":\"price_drop\",\"product\":{\"variant_id\":\"v\",\"product_id\":\"p\",\"product_name\":\"N\",\"price\":1,\"z\":1}}",
         "{\"events\":[{\"user_alias\":{\"alias_name\":\"n\",\"alias_label\":\"l\"},\"app_id\":\"APP\",\"name\":\"ecommerce.product_viewed\"," ISO
         ",\"properties\":{\"currency\":\"USD\",\"source\":\"web\",\"variant_id\":\"v\",\"product_id\":\"p\",\"product_name\":\"N\",\"price\":1,"
         "\"type\":[\"price_drop\"]},\"_update_existing_only\":true}]}"},
        {"ecommerceSingleProduct",
         "{\"name\":\"ecommerce.order_placed\",\"external_id\":\"u\"," SALE
         ",\"total_value\":1,\"order_id\":\"o\",\"product\":{\"variant_id\":\"v\",\"product_id\":\"p\",\"product_name\":\"N\",\"price\":1}}",
         "TypeError (, 0): Cannot read properties of undefined (reading 'map')"},
        {"ecommerce",
         "{\"name\":\"ecommerce.product_viewed\",\"external_id\":\"u\",\"time\":\"2024-01-02T23:59:60Z\",\"currency\":\"USD\",\"source\":\"w\","
         "\"enable_batching\":true,\"batch_size\":2,\"products\":[]}",
         "RangeError (, 0): Invalid time value"},
    };
    /* clang-format on */
    check_rows(rows, countof(rows), "{}", PARITY_STRICT);
}

static void catalog_items_need_an_id_and_content(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct row rows[] = {
        {"upsertCatalogItem", "{\"item_id\":\"a-1\",\"item\":{\"id\":\"x\",\"n\":1}}", "{\"items\":[{\"id\":\"x\",\"n\":1}]}"},
        {"upsertCatalogItem", "{\"item_id\":\"a b\",\"item\":{\"n\":1}}",
         "IntegrationError (PAYLOAD_VALIDATION_FAILED, 400): Invalid ID Format"},
        {"upsertCatalogItem", "{\"item_id\":\"a\",\"item\":{}}",
         "IntegrationError (PAYLOAD_VALIDATION_FAILED, 400): Item is required"},
        {"upsertCatalogItem", "{\"item_id\":\"\",\"item\":{\"n\":1}}",
         "AggregateAjvError (, 0): The root value is missing the required field 'item_id'."},
        {"upsertCatalogItem", "{\"item_id\":\"a\",\"__segment_internal_sync_mode\":\"upsert\"}",
         "AggregateAjvError (, 0): The root value is missing the required field 'item'. The root value must match \"then\" "
         "schema."},
    };
    /* clang-format on */
    static const char mapping[] =
        "{\"__segment_internal_sync_mode\":\"upsert\",\"onMappingSave\":{\"outputs\":"
        "{\"catalog_name\":\"my cat/\xc3\xa9\"}}}";
    check_rows(rows, countof(rows), mapping, PARITY_STRICT);

    struct exchange x = open_exchange(rows[0].action, mapping, rows[0].payload, PARITY_STRICT);
    assert_string_equal(x.request.method, "PUT");
    assert_true(str_eq(x.request.path, STR("/catalogs/my%20cat%2F%C3%A9/items/a-1")));
    x = open_exchange(rows[0].action, "{}", rows[0].payload, PARITY_STRICT);
    assert_string_equal(x.request.method, "DELETE");
    assert_true(str_eq(x.request.path, STR("/catalogs/undefined/items/a-1")));
    x = open_exchange(rows[0].action, "{}", rows[0].payload, PARITY_SAFE);
    assert_non_null(x.failure.name);
}

static void answers_become_the_failures_the_reference_throws(void **state)
{
    (void)state;
    static const char alias[] =
        "{\"external_id\":\"e\",\"user_alias\":{\"alias_name\":\"n\",\"alias_label\":\"l\"}}";
    static const char upsert[] = "{\"__segment_internal_sync_mode\":\"upsert\"}";
    static const char erase[] = "{\"__segment_internal_sync_mode\":\"delete\"}";
    /* clang-format off */
    static const struct {
        const char *action;
        const char *mapping;
        const char *payload;
        int status;
        const char *body;
        const char *expected; /* the data of a success */
    } rows[] = {
        {"identifyUser", "{}", alias, 201, "{\"errors\":[{\"type\":\"t\"}]}", "{\"errors\":[{\"type\":\"t\"}]}"},
        {"identifyUser2", upsert, alias, 201, "{\"errors\":[{\"type\":\"t\"}]}", "APIError (400, 400): t"},
        {"identifyUser2", upsert, alias, 201, "{\"errors\":[\"t\"]}", "APIError (400, 400): "},
        {"identifyUser2", upsert, alias, 201, "{\"errors\":[null]}",
         "TypeError (, 0): Cannot read properties of null (reading 'type')"},
        {"identifyUser2", upsert, alias, 201, "null",
         "TypeError (, 0): Cannot read properties of null (reading 'errors')"},
        {"identifyUser2", upsert, alias, 500, "{\"message\":\"no\"}", "APIError (500, 500): no"},
        {"identifyUser", "{}", alias, 400, "{\"message\":\"no\"}", "HTTPError (, 400): Bad Request"},
        {"upsertCatalogItem", erase, "{\"item_id\":\"a\"}", 404, "{\"errors\":[{\"id\":\"item-not-found\"}]}",
         "{\"status\":200,\"message\":\"Could not find item\"}"},
        {"upsertCatalogItem", upsert, "{\"item_id\":\"a\",\"item\":{\"n\":1}}", 404,
         "{\"errors\":[{\"id\":\"item-not-found\",\"message\":\"gone\"}]}",
         "IntegrationError (Error upserting item, 404): gone"},
        {"upsertCatalogItem", erase, "{\"item_id\":\"a\"}", 0, "{}",
         "IntegrationError (Error deleteing item, 500): undefined"},
        {"triggerCanvas", "{}", "{\"canvas_id\":\"c\",\"broadcast\":true}", 429, "{}",
         "HTTPError (, 429): Too Many Requests"},
    };
    /* clang-format on */
    for (size_t i = 0; i < countof(rows); i++) {
        struct exchange x =
            open_exchange(rows[i].action, rows[i].mapping, rows[i].payload, PARITY_STRICT);
        assert_true(x.has_request);
        x.response = (struct response){rows[i].status, parse(rows[i].body), STR("text")};
        assert_int_equal(exchange_settle(&x, &call), 0);
        if (x.failure.name == NULL)
            x.request.body = x.data;
        struct str got = outcome_of(&x);
        if (!str_eq(got, str_from(rows[i].expected)))
            fail_msg("%s: got %.*s, expected %s", rows[i].body, STR_ARG(got), rows[i].expected);
    }
}

static void null_contexts_stumble_only_strictly(void **state)
{
    (void)state;
    static const char payload[] = "{\"name\":\"E\",\"time\":0,\"external_id\":\"u\"}";
    for (int safe = 0; safe <= 1; safe++) {
        struct exchange x = open_exchange("trackEvent", "{}", payload, PARITY_STRICT);
        call.parity = safe ? PARITY_SAFE : PARITY_STRICT;
        assert_int_equal(
            exchange_open(&x, &call, parse(payload), parse("{\"context\":null}"), &arena), 0);
        assert_int_equal(x.has_request, safe);
    }
    struct failure failure = {0};
    assert_true(exchange_stumbles(parse("{\"context\":{\"personas\":null}}"), &failure));
    assert_false(exchange_stumbles(parse("{\"context\":{\"personas\":{}}}"), &failure));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_have_the_reference_s_members_in_its_order),
        cmocka_unit_test(sync_modes_decide_whether_only_existing_users_change),
        cmocka_unit_test(attributes_named_like_fields_are_lost_strictly_and_kept_safely),
        cmocka_unit_test(safe_objects_name_one_user_and_read_unix_seconds),
        cmocka_unit_test(purchases_merge_product_and_event_properties),
        cmocka_unit_test(identifies_place_merge_behavior_as_each_version_does),
        cmocka_unit_test(triggers_send_the_payload_in_its_own_order),
        cmocka_unit_test(ecommerce_events_have_their_own_properties_each),
        cmocka_unit_test(catalog_items_need_an_id_and_content),
        cmocka_unit_test(answers_become_the_failures_the_reference_throws),
        cmocka_unit_test(null_contexts_stumble_only_strictly),
    };
    int failed = cmocka_run_group_tests(tests, setup, teardown);
    schema_free(schema);
    return failed;
}
