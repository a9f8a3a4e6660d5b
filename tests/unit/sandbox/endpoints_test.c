#include "harness.h"

/* docs/spec/braze-rest-api.md §4.9 to §4.18 */
#define GROUP          "12345678-1234-1234-1234-123456789abc"
#define SMS            "87654321-1234-1234-1234-123456789abc"
#define USER(id, json) ATTRIBUTES("{\"external_id\":\"" id "\"" json "}")
#define SUCCESS        "{\"message\":\"success\"}"
#define BAD_GROUP      "{\"message\":\"Invalid subscription group ID\"}"

static const char workspace[] =
    "{\"subscription_groups\":[{\"id\":\"" GROUP "\",\"name\":\"News\",\"channel\":\"email\"},"
    "{\"id\":\"" SMS "\",\"name\":\"Texts\",\"channel\":\"sms\"}],"
    "\"campaigns\":[{\"id\":\"c1\",\"name\":\"Welcome\"},{\"id\":\"c2\",\"name\":\"Old\","
    "\"archived\":true}],"
    "\"canvases\":[{\"id\":\"k1\",\"name\":\"Journey\",\"state\":\"paused\"}],"
    "\"segments\":[{\"id\":\"s1\",\"name\":\"All\"}],"
    "\"partners\":[{\"name\":\"amplitude\",\"partner_api_key\":\"pk\",\"client_secret\":\"cs\"}]}";

static struct sandbox_options options(void)
{
    return (struct sandbox_options){.api_key = STR(SANDBOX_API_KEY_DEFAULT),
                                    .workspace = str_from(workspace)};
}

static void subscription_states_are_set_and_read(void **state)
{
    (void)state;
#define SET(json)                                                                                  \
    "POST /subscription/status/set {\"subscription_group_id\":\"" GROUP                            \
    "\",\"subscription_state\":\"unsubscribed\"," json "}"
#define SET_V2(json)                                                                               \
    "POST /v2/subscription/status/set "                                                            \
    "{\"subscription_groups\":[{\"subscription_group_id\":\"" GROUP                                \
    "\",\"subscription_state\":\"subscribed\"," json "}]}"
    /* clang-format off */
    static const struct row rows[] = {
        {.rule = "§4.9 by external_id", .before = {USER("u", "")}, .request = SET("\"external_id\":\"u\""), .status = 201, .answer = SUCCESS, .who = "u", .profile = "{\"subscription_groups\":{\"" GROUP "\":\"unsubscribed\"}}"},
        {.rule = "§4.9 by email: all who share it", .before = {USER("u", ",\"email\":\"a@b.co\""), USER("v", ",\"email\":\"a@b.co\"")}, .request = SET("\"email\":[\"A@b.co\"]"), .status = 201, .who = "u", .profile = "{\"subscription_groups\":{\"" GROUP "\":\"unsubscribed\"}}"},
        {.rule = "§4.9 an unknown group", .request = "POST /subscription/status/set {\"subscription_group_id\":\"x\",\"subscription_state\":\"subscribed\",\"external_id\":\"u\"}", .status = 400, .answer = BAD_GROUP},
        {.rule = "§4.9 email and phone", .request = SET("\"email\":\"a@b.co\",\"phone\":\"+15551234567\""), .status = 400, .answer = "{\"message\":\"Either an email address or a phone number should be provided, but not both.\"}"},
        {.rule = "§8.3-57 nobody", .request = SET("\"x\":1"), .status = 400, .answer = "{\"message\":\"No Recipients\"}"},
        {.rule = "§8.3-58 another state", .request = "POST /subscription/status/set {\"subscription_group_id\":\"" GROUP "\",\"subscription_state\":\"on\",\"external_id\":\"u\"}", .status = 400, .answer = "{\"message\":\"Invalid subscription state\"}"},
        {.rule = "§4.10 a state waits for its address", .before = {SET_V2("\"emails\":[\"a@b.co\"]")}, .request = USER("u", ",\"email\":\"a@b.co\""), .status = 201, .who = "u", .profile = "{\"subscription_groups\":{\"" GROUP "\":\"subscribed\"}}"},
        {.rule = "§4.10 an unknown group", .request = "POST /v2/subscription/status/set {\"subscription_groups\":[{\"subscription_group_id\":\"x\",\"subscription_state\":\"subscribed\",\"external_ids\":[\"u\"]}]}", .status = 400, .answer = BAD_GROUP},
        {.rule = "§4.10 emails and phones in one request", .request = "POST /v2/subscription/status/set {\"subscription_groups\":[{\"subscription_group_id\":\"" GROUP "\",\"subscription_state\":\"subscribed\",\"emails\":[\"a@b.co\"]},{\"subscription_group_id\":\"" SMS "\",\"subscription_state\":\"subscribed\",\"phones\":[\"+15551234567\"]}]}", .status = 400},
        {.rule = "§4.11 the status of ids", .before = {USER("u", ""), SET("\"external_id\":\"u\"")}, .request = "GET /subscription/status/get?subscription_group_id=" GROUP "&external_id[]=u&external_id%5B%5D=v", .status = 200, .answer = "{\"status\":{\"u\":\"Unsubscribed\",\"v\":\"Unknown\"},\"message\":\"success\"}"},
        {.rule = "§4.11 an id wins over an email", .before = {USER("u", "")}, .request = "GET /subscription/status/get?subscription_group_id=" GROUP "&external_id=u&email=a@b.co", .status = 200, .answer = "{\"status\":{\"u\":\"Unknown\"},\"message\":\"success\"}"},
        {.rule = "§4.11 email and phone without an id", .request = "GET /subscription/status/get?subscription_group_id=" GROUP "&email=a@b.co&phone=%2B15551234567", .status = 400},
        {.rule = "§4.11 an unknown group", .request = "GET /subscription/status/get?subscription_group_id=x&external_id=u", .status = 400, .answer = BAD_GROUP},
        {.rule = "§4.11 a user's groups", .before = {USER("u", ",\"email\":\"a@b.co\""), SET("\"external_id\":\"u\"")}, .request = "GET /subscription/user/status?external_id=u", .status = 200,
         .answer = "{\"users\":[{\"email\":\"a@b.co\",\"phone\":null,\"external_id\":\"u\",\"subscription_groups\":[{\"id\":\"" GROUP "\",\"name\":\"News\",\"channel\":\"email\",\"status\":\"Unsubscribed\"}]}],\"total_count\":1,\"message\":\"success\"}"},
        {.rule = "§4.11 limit over 100", .request = "GET /subscription/user/status?external_id=u&limit=101", .status = 400},
        {.rule = "§4.12 email status", .before = {USER("u", ",\"email\":\"a@b.co\"")}, .request = "POST /email/status {\"email\":\"a@b.co\",\"subscription_state\":\"opted_in\"}", .status = 201, .answer = SUCCESS, .who = "u", .profile = "{\"email_subscribe\":\"opted_in\"}"},
        {.rule = "§4.12 of an address nobody has yet", .before = {"POST /email/status {\"email\":\"a@b.co\",\"subscription_state\":\"unsubscribed\"}"}, .request = USER("u", ",\"email\":\"a@b.co\""), .status = 201, .who = "u", .profile = "{\"email_subscribe\":\"unsubscribed\"}"},
    };
    /* clang-format on */
    harness_rows(rows, countof(rows), options());
}

#define CATALOG                                                                                    \
    "POST /catalogs "                                                                              \
    "{\"catalogs\":[{\"name\":\"shop\",\"description\":\"d\",\"fields\":[{\"name\":\"id\","        \
    "\"type\":\"string\"},{\"name\":\"price\",\"type\":\"number\"},{\"name\":\"tags\",\"type\":"   \
    "\"array\"},{\"name\":\"open\",\"type\":\"boolean\"},{\"name\":\"at\",\"type\":\"time\"},{"    \
    "\"name\":\"o\",\"type\":\"object\"},{\"name\":\"g\",\"type\":\"geo\"}]}]}"
#define PUT_ONE(json) "PUT /catalogs/shop/items/a {\"items\":[{" json "}]}"
#define GET_ONE       "GET /catalogs/shop/items/a"
#define ITEM_IS(json) "{\"items\":[{\"id\":\"a\"" json "}],\"message\":\"success\"}"
#define FAULT(id, text, parameters, values)                                                        \
    "{\"errors\":[{\"id\":\"" id "\",\"message\":\"" text "\",\"parameters\":[" parameters         \
    "],\"parameter_values\":[" values "]}],\"message\":\"Invalid Request\"}"

static void catalogs_hold_items(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct row rows[] = {
        {.rule = "§4.13 no catalogs", .request = "GET /catalogs", .status = 200, .answer = "{\"catalogs\":[],\"message\":\"success\"}"},
        {.rule = "§4.13 created", .request = CATALOG, .status = 201},
        {.rule = "§4.13 a taken name", .before = {CATALOG}, .request = CATALOG, .status = 400, .answer = FAULT("catalog-name-already-exists", "A catalog with that name already exists", "\"name\"", "\"shop\"")},
        {.rule = "§4.13 id must come first", .request = "POST /catalogs {\"catalogs\":[{\"name\":\"x\",\"fields\":[{\"name\":\"price\",\"type\":\"number\"}]}]}", .status = 400},
        {.rule = "§4.13 an unknown type", .request = "POST /catalogs {\"catalogs\":[{\"name\":\"x\",\"fields\":[{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"b\",\"type\":\"blob\"}]}]}", .status = 400},
        {.rule = "§4.13 two of a name", .request = "POST /catalogs {\"catalogs\":[{\"name\":\"x\",\"fields\":[{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"id\",\"type\":\"string\"}]}]}", .status = 400},
        {.rule = "§4.13 a bad name", .request = "POST /catalogs {\"catalogs\":[{\"name\":\"a b\",\"fields\":[{\"name\":\"id\",\"type\":\"string\"}]}]}", .status = 400},
        {.rule = "§4.13 two at a time", .request = "POST /catalogs {\"catalogs\":[{\"name\":\"x\"},{\"name\":\"y\"}]}", .status = 400},
        {.rule = "§4.13 deleted", .before = {CATALOG}, .request = "DELETE /catalogs/shop", .status = 200, .answer = SUCCESS},
        {.rule = "§4.13 unknown", .request = "DELETE /catalogs/shop", .status = 404, .answer = FAULT("catalog-not-found", "Could not find catalog", "\"catalog_name\"", "\"shop\"")},
        {.rule = "§4.13 PUT one creates", .before = {CATALOG, PUT_ONE("\"price\":2")}, .request = GET_ONE, .status = 200, .answer = ITEM_IS(",\"price\":2")},
        {.rule = "§4.13 PUT one replaces", .before = {CATALOG, PUT_ONE("\"price\":2"), PUT_ONE("\"open\":true")}, .request = GET_ONE, .status = 200, .answer = ITEM_IS(",\"open\":true")},
        {.rule = "§4.13 PATCH one keeps the rest", .before = {CATALOG, PUT_ONE("\"price\":2"), "PATCH /catalogs/shop/items/a {\"items\":[{\"open\":true}]}"}, .request = GET_ONE, .status = 200, .answer = ITEM_IS(",\"price\":2,\"open\":true")},
        {.rule = "§4.13 PATCH with $add and $remove", .before = {CATALOG, PUT_ONE("\"tags\":[\"x\",\"y\"]"), "PATCH /catalogs/shop/items/a {\"items\":[{\"tags\":{\"$add\":[\"z\"],\"$remove\":[\"x\"]}}]}"}, .request = GET_ONE, .status = 200, .answer = ITEM_IS(",\"tags\":[\"y\",\"z\"]")},
        {.rule = "§4.13 PATCH of a missing item", .before = {CATALOG}, .request = "PATCH /catalogs/shop/items/a {\"items\":[{\"price\":1}]}", .status = 404, .answer = FAULT("item-not-found", "Could not find item", "\"item_id\"", "\"a\"")},
        {.rule = "§4.13 POST one", .before = {CATALOG}, .request = "POST /catalogs/shop/items/a {\"items\":[{\"price\":1}]}", .status = 201, .answer = SUCCESS},
        {.rule = "§4.13 POST one that exists", .before = {CATALOG, PUT_ONE("\"price\":2")}, .request = "POST /catalogs/shop/items/a {\"items\":[{\"price\":1}]}", .status = 400},
        {.rule = "§4.13 an id in the body", .before = {CATALOG}, .request = PUT_ONE("\"id\":\"a\""), .status = 400},
        {.rule = "§4.13 an unknown field", .before = {CATALOG}, .request = PUT_ONE("\"shoe\":1"), .status = 400, .answer = FAULT("invalid-fields", "Some of the fields given do not exist in the catalog", "\"id\"", "\"a\"")},
        {.rule = "§8.3-62 a number from text", .before = {CATALOG, PUT_ONE("\"price\":\"2.5\",\"open\":\"TRUE\",\"at\":1767607203,\"g\":[1,2],\"o\":{\"k\":1}")}, .request = GET_ONE, .status = 200, .answer = ITEM_IS(",\"price\":2.5,\"open\":true,\"at\":\"2026-01-05T10:00:03.000Z\",\"g\":[1,2],\"o\":{\"k\":1}")},
        {.rule = "§8.3-62 a number from another text", .before = {CATALOG}, .request = PUT_ONE("\"price\":\"cheap\""), .status = 400},
        {.rule = "§4.13 keys with dots", .before = {CATALOG}, .request = PUT_ONE("\"o\":{\"a.b\":1}"), .status = 400},
        {.rule = "§4.13 arrays hold strings", .before = {CATALOG}, .request = PUT_ONE("\"tags\":[1]"), .status = 400},
        {.rule = "§4.13 DELETE one", .before = {CATALOG, PUT_ONE("\"price\":2")}, .request = "DELETE /catalogs/shop/items/a", .status = 202, .answer = SUCCESS},
        {.rule = "§4.13 DELETE a missing one", .before = {CATALOG}, .request = "DELETE /catalogs/shop/items/a", .status = 400, .answer = FAULT("item-not-found", "Could not find item", "\"item_id\"", "\"a\"")},
        {.rule = "§4.13 GET a missing one", .before = {CATALOG}, .request = GET_ONE, .status = 404, .answer = FAULT("item-not-found", "Could not find item", "\"item_id\"", "\"a\"")},
        {.rule = "§4.13 many", .before = {CATALOG, "POST /catalogs/shop/items {\"items\":[{\"id\":\"a\",\"price\":1},{\"id\":\"b\"}]}"}, .request = "GET /catalogs/shop/items", .status = 200, .answer = "{\"items\":[{\"id\":\"a\",\"price\":1},{\"id\":\"b\"}],\"message\":\"success\"}"},
        {.rule = "§8.3-60 POST many leaves what exists", .before = {CATALOG, PUT_ONE("\"price\":2"), "POST /catalogs/shop/items {\"items\":[{\"id\":\"a\",\"price\":1}]}"}, .request = GET_ONE, .status = 200, .answer = ITEM_IS(",\"price\":2")},
        {.rule = "§8.3-61 PATCH many ignores what is missing", .before = {CATALOG}, .request = "PATCH /catalogs/shop/items {\"items\":[{\"id\":\"a\",\"price\":1}]}", .status = 202, .answer = SUCCESS, .note = "no-effect"},
        {.rule = "§4.13 an item without an id", .before = {CATALOG}, .request = "POST /catalogs/shop/items {\"items\":[{\"price\":1}]}", .status = 400, .answer = FAULT("items-missing-ids", "There are 1 item(s) that do not have ids", "", "")},
        {.rule = "§4.13 an id that is no text", .before = {CATALOG}, .request = "POST /catalogs/shop/items {\"items\":[{\"id\":1}]}", .status = 400},
        {.rule = "§4.13 an id twice", .before = {CATALOG}, .request = "POST /catalogs/shop/items {\"items\":[{\"id\":\"a\"},{\"id\":\"a\"}]}", .status = 400},
        {.rule = "§4.13 DELETE many", .before = {CATALOG, PUT_ONE("\"price\":2"), "DELETE /catalogs/shop/items {\"items\":[{\"id\":\"a\"}]}"}, .request = "GET /catalogs/shop/items", .status = 200, .answer = "{\"items\":[],\"message\":\"success\"}"},
        {.rule = "§4.13 a bad cursor", .before = {CATALOG}, .request = "GET /catalogs/shop/items?cursor=x", .status = 400, .answer = FAULT("invalid-cursor", "'cursor' is not valid", "\"cursor\"", "\"x\"")},
    };
    /* clang-format on */
    harness_rows(rows, countof(rows), options());
}

static void long_lists_come_in_pages(void **state)
{
    struct harness h;
    (void)state;
    harness_open(&h, options());
    assert_int_equal(harness_call(&h, STR(CATALOG)), 201);
    for (unsigned i = 0; i < 120; i++) {
        char line[160];
        snprintf(line, sizeof(line), "PUT /catalogs/shop/items/i%03u {\"items\":[{\"price\":%u}]}",
                 i, i);
        h.now_ms += 2000; /* 50 a minute */
        assert_int_equal(harness_call(&h, str_from(line)), 200);
    }
    h.now_ms += 60000;
    assert_int_equal(harness_call(&h, STR("GET /catalogs/shop/items")), 200);
    assert_true(str_eq(harness_header(&h, "Link"),
                       STR("</catalogs/shop/items?cursor=c2tpcDo1MA==>; rel=\"next\"")));
    assert_int_equal(harness_call(&h, STR("GET /catalogs/shop/items?cursor=c2tpcDo1MA==")), 200);
    assert_true(str_eq(harness_header(&h, "Link"),
                       STR("</catalogs/shop/items?cursor=c2tpcDow>; rel=\"prev\","
                           "</catalogs/shop/items?cursor=c2tpcDoxMDA=>; rel=\"next\"")));
    assert_int_equal(harness_call(&h, STR("GET /catalogs/shop/items?cursor=c2tpcDoxMDA%3D")), 200);
    assert_true(str_eq(harness_header(&h, "Link"),
                       STR("</catalogs/shop/items?cursor=c2tpcDo1MA==>; rel=\"prev\"")));
    struct jv items = jv_get(harness_parse(&h.arena, buf_str(&h.answer.body)), STR("items"));
    assert_int_equal(items.len, 20);
    assert_true(str_eq(jv_str(jv_get(items.items[0], STR("id"))), STR("i100")));
    harness_close(&h);
}

static void triggers_check_their_recipients(void **state)
{
    (void)state;
#define SEND(json)   "POST /campaigns/trigger/send {\"campaign_id\":\"c1\"," json "}"
#define CANVAS(json) "POST /canvas/trigger/send {\"canvas_id\":\"k1\"," json "}"
    /* clang-format off */
    static const struct row rows[] = {
        {.rule = "§4.14 a recipient", .before = {USER("u", "")}, .request = SEND("\"recipients\":[{\"external_user_id\":\"u\"}]"), .status = 201},
        {.rule = "§8.3-55 an unknown recipient", .request = SEND("\"recipients\":[{\"external_user_id\":\"u\"}]"), .status = 201, .who = "u", .note = "not-found"},
        {.rule = "§4.14 attributes are written first", .before = {USER("u", "")}, .request = SEND("\"recipients\":[{\"external_user_id\":\"u\",\"attributes\":{\"a\":1}}]"), .status = 201, .who = "u", .custom = "{\"a\":1}"},
        {.rule = "§4.14 send_to_existing_only false creates", .request = SEND("\"recipients\":[{\"external_user_id\":\"u\",\"send_to_existing_only\":false,\"attributes\":{\"a\":1}}]"), .status = 201, .who = "u", .custom = "{\"a\":1}"},
        {.rule = "§4.14 ... but needs attributes", .request = SEND("\"recipients\":[{\"external_user_id\":\"u\",\"send_to_existing_only\":false}]"), .status = 400},
        {.rule = "§4.14 two identifiers", .request = SEND("\"recipients\":[{\"external_user_id\":\"u\",\"email\":\"a@b.co\"}]"), .status = 400},
        {.rule = "§4.14 email without prioritization", .request = SEND("\"recipients\":[{\"email\":\"a@b.co\"}]"), .status = 400},
        {.rule = "§4.14 an unknown campaign", .request = "POST /campaigns/trigger/send {\"campaign_id\":\"x\",\"broadcast\":true}", .status = 400, .answer = "{\"message\":\"Invalid Campaign ID\"}"},
        {.rule = "§8.3-56 neither recipients nor broadcast", .request = SEND("\"x\":1"), .status = 400, .answer = "{\"message\":\"No Recipients\"}"},
        {.rule = "§4.14 broadcast and recipients", .request = SEND("\"broadcast\":true,\"recipients\":[{\"external_user_id\":\"u\"}]"), .status = 400},
        {.rule = "§4.14 broadcast", .request = SEND("\"broadcast\":true"), .status = 201},
        {.rule = "§4.16 an audience", .request = SEND("\"broadcast\":true,\"audience\":{\"AND\":[{\"custom_attribute\":{\"custom_attribute_name\":\"a\",\"comparison\":\"equals\",\"value\":1}},{\"last_used_app\":{\"comparison\":\"after\",\"value\":\"2025-01-01T00:00:00Z\"}}]}"), .status = 201},
        {.rule = "§4.16 an unknown comparison", .request = SEND("\"broadcast\":true,\"audience\":{\"custom_attribute\":{\"custom_attribute_name\":\"a\",\"comparison\":\"like\",\"value\":1}}"), .status = 400},
        {.rule = "§4.16 exists needs no value", .request = SEND("\"broadcast\":true,\"audience\":{\"custom_attribute\":{\"custom_attribute_name\":\"a\",\"comparison\":\"exists\"}}"), .status = 201},
        {.rule = "§4.15 a paused Canvas ignores groups in attributes", .before = {USER("u", "")}, .request = CANVAS("\"recipients\":[{\"external_user_id\":\"u\",\"attributes\":{\"subscription_groups\":[{\"subscription_group_id\":\"" GROUP "\",\"subscription_state\":\"subscribed\"}]}}]"), .status = 201, .who = "u", .profile = "{\"subscription_groups\":null}", .note = "ignored"},
        {.rule = "§4.15 context must be an object", .request = CANVAS("\"broadcast\":true,\"context\":1"), .status = 400},
    };
    /* clang-format on */
    harness_rows(rows, countof(rows), options());
}

static void a_paused_canvas_says_so(void **state)
{
    struct harness h;
    (void)state;
    harness_open(&h, options());
    assert_int_equal(harness_call(&h, STR(CANVAS("\"broadcast\":true"))), 201);
    struct jv body = harness_parse(&h.arena, buf_str(&h.answer.body));
    assert_true(str_eq(jv_str(jv_get(body, STR("notice"))),
                       STR("The Canvas is paused. Resume the Canvas to ensure trigger requests "
                           "will take effect.")));
    assert_int_equal(jv_get(body, STR("dispatch_id")).len, 32);
    harness_close(&h);
}

static void cohorts_bring_their_own_keys(void **state)
{
    (void)state;
#define KEYS "\"partner_api_key\":\"pk\",\"client_secret\":\"cs\",\"cohort_id\":\"co\""
#define USERS(json)                                                                                \
    "POST /partners/amplitude/cohorts/users {" KEYS ",\"cohort_changes\":[" json "]}"
    /* clang-format off */
    static const struct row rows[] = {
        {.rule = "§4.17 created", .request = "POST /partners/amplitude/cohorts {" KEYS ",\"name\":\"C\",\"created_at\":\"2026-01-01T00:00:00Z\"}", .status = 201, .answer = SUCCESS},
        {.rule = "§4.17 a wrong secret", .request = "POST /partners/amplitude/cohorts {\"partner_api_key\":\"pk\",\"client_secret\":\"x\",\"cohort_id\":\"co\",\"name\":\"C\",\"created_at\":\"2026-01-01T00:00:00Z\"}", .status = 401},
        {.rule = "§4.17 another partner's keys", .request = "POST /partners/mixpanel/cohorts {" KEYS ",\"name\":\"C\",\"created_at\":\"2026-01-01T00:00:00Z\"}", .status = 401},
        {.rule = "§4.17 an empty name", .request = "POST /partners/amplitude/cohorts {" KEYS ",\"name\":\"\",\"created_at\":\"2026-01-01T00:00:00Z\"}", .status = 400},
        {.rule = "§4.17 a bad time", .request = "POST /partners/amplitude/cohorts {" KEYS ",\"name\":\"C\",\"created_at\":\"now\"}", .status = 400},
        {.rule = "§4.17 a user joins", .before = {USER("u", "")}, .request = USERS("{\"user_ids\":[\"u\"]}"), .status = 201, .answer = SUCCESS, .who = "u", .profile = "{\"cohorts\":{\"co\":true}}"},
        {.rule = "§4.17 a user leaves", .before = {USER("u", ""), USERS("{\"user_ids\":[\"u\"]}")}, .request = USERS("{\"user_ids\":[\"u\"],\"should_remove\":true}"), .status = 201, .who = "u", .profile = "{\"cohorts\":null}"},
        {.rule = "§4.17 an unknown user", .request = USERS("{\"user_ids\":[\"u\"]}"), .status = 201, .who = "u", .note = "not-found"},
        {.rule = "§4.17 changes that are no array", .request = "POST /partners/amplitude/cohorts/users {" KEYS ",\"cohort_changes\":{}}", .status = 400},
        {.rule = "§4.17 ids that are no texts", .request = USERS("{\"user_ids\":[1]}"), .status = 400},
    };
    /* clang-format on */
    harness_rows(rows, countof(rows), options());
}

static void metadata_lists_what_was_seen(void **state)
{
    (void)state;
#define EVENT(name) EVENTS("{\"external_id\":\"u\",\"name\":\"" name "\"," T "}")
    /* clang-format off */
    static const struct row rows[] = {
        {.rule = "§4.18 events in the order of the alphabet", .before = {EVENT("b"), EVENT("a")}, .request = "GET /events/list", .status = 200, .answer = "{\"events\":[\"a\",\"b\"],\"message\":\"success\"}"},
        {.rule = "§4.18 events as objects", .before = {EVENT("a")}, .request = "GET /events", .status = 200, .answer = "{\"events\":[{\"description\":\"\",\"name\":\"a\",\"included_in_analytics_report\":false,\"status\":\"Active\",\"tag_names\":[]}],\"message\":\"success\"}"},
        {.rule = "§4.18 attributes with their types, no standard fields", .before = {USER("u", ",\"first_name\":\"A\",\"n\":1,\"l\":[1]")}, .request = "GET /custom_attributes", .status = 200,
         .answer = "{\"attributes\":[{\"array_length\":500,\"data_type\":\"Array\",\"description\":\"\",\"name\":\"l\",\"status\":\"Active\",\"tag_names\":[]},{\"array_length\":null,\"data_type\":\"Number\",\"description\":\"\",\"name\":\"n\",\"status\":\"Active\",\"tag_names\":[]}],\"message\":\"success\"}"},
        {.rule = "§4.18 products", .before = {PURCHASES("{\"external_id\":\"u\",\"product_id\":\"p\",\"currency\":\"USD\",\"price\":1," T "}")}, .request = "GET /purchases/product_list", .status = 200, .answer = "{\"products\":[\"p\"],\"message\":\"success\"}"},
        {.rule = "§4.18 campaigns without the archived", .request = "GET /campaigns/list", .status = 200, .answer = "{\"campaigns\":[{\"id\":\"c1\",\"last_edited\":\"1970-01-01T00:00:00.000Z\",\"name\":\"Welcome\",\"is_api_campaign\":true,\"tags\":[]}],\"message\":\"success\"}"},
        {.rule = "§4.18 Canvas details of an unknown id", .request = "GET /canvas/details?canvas_id=x", .status = 400, .answer = "{\"message\":\"canvas_id must be a string of the Canvas api identifier\"}"},
        {.rule = "§4.18 Canvas details", .request = "GET /canvas/details?canvas_id=k1", .status = 200},
        {.rule = "§4.18 campaign details of an unknown id", .request = "GET /campaigns/details", .status = 400, .answer = "{\"message\":\"campaign_id must be a string of the campaign api identifier\"}"},
        {.rule = "§4.18 segments", .request = "GET /segments/list?page=0", .status = 200, .answer = "{\"segments\":[{\"id\":\"s1\",\"name\":\"All\",\"analytics_tracking_enabled\":false,\"tags\":[]}],\"message\":\"success\"}"},
        {.rule = "§4.18 a page behind the end", .request = "GET /segments/list?page=1", .status = 200, .answer = "{\"segments\":[],\"message\":\"success\"}"},
        {.rule = "§10.6 a message", .request = "POST /messages/send {\"external_user_ids\":[\"u\"],\"messages\":{\"email\":{}}}", .status = 201},
        {.rule = "§2.16 no message to send", .request = "POST /messages/send {\"external_user_ids\":[\"u\"]}", .status = 400, .answer = "{\"message\":\"No message to send\"}"},
    };
    /* clang-format on */
    harness_rows(rows, countof(rows), options());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(subscription_states_are_set_and_read),
        cmocka_unit_test(catalogs_hold_items),
        cmocka_unit_test(long_lists_come_in_pages),
        cmocka_unit_test(triggers_check_their_recipients),
        cmocka_unit_test(a_paused_canvas_says_so),
        cmocka_unit_test(cohorts_bring_their_own_keys),
        cmocka_unit_test(metadata_lists_what_was_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
