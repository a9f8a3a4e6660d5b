#include "harness.h"

/* docs/spec/braze-rest-api.md §4.1 to §4.8, §7.4, §7.5 */
#define ALIAS_ONLY(json)                                                                           \
    ATTRIBUTES("{\"user_alias\":{\"alias_name\":\"n\",\"alias_label\":\"l\"},\"_update_existing_"  \
               "only\":false" json "}")
#define USER(id, json) ATTRIBUTES("{\"external_id\":\"" id "\"" json "}")
#define IDENTIFY_ALIAS                                                                             \
    "POST /users/identify "                                                                        \
    "{\"aliases_to_identify\":[{\"external_id\":\"u\",\"user_alias\":{\"alias_name\":\"n\","       \
    "\"alias_label\":\"l\"}}]}"
#define IDENTIFY_EMAIL(order)                                                                      \
    "POST /users/identify "                                                                        \
    "{\"emails_to_identify\":[{\"external_id\":\"u\",\"email\":\"a@b.co\",\"prioritization\":"     \
    "[" order "]}]}"
#define ONE_ALIAS "{\"aliases_processed\":1,\"message\":\"success\"}"
#define MERGE(from, into)                                                                          \
    "POST /users/merge {\"merge_updates\":[{\"identifier_to_merge\":" from                         \
    ",\"identifier_to_keep\":" into "}]}"
#define ID(id)  "{\"external_id\":\"" id "\"}"
#define SUCCESS "{\"message\":\"success\"}"

static void identifying_gives_or_joins_an_external_id(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct row rows[] = {
        {.rule = "§4.1 an alias-only profile gets the id", .before = {ALIAS_ONLY(",\"a\":1")}, .request = IDENTIFY_ALIAS, .status = 201, .answer = ONE_ALIAS,
         .who = "u", .profile = "{\"external_id\":\"u\",\"user_aliases\":[{\"alias_name\":\"n\",\"alias_label\":\"l\"}]}", .custom = "{\"a\":1}"},
        {.rule = "§4.1 the profile of the id swallows it", .before = {ALIAS_ONLY(",\"a\":1,\"b\":1"), USER("u", ",\"b\":2")}, .request = IDENTIFY_ALIAS, .status = 201, .answer = ONE_ALIAS,
         .who = "u", .profile = "{\"user_aliases\":[{\"alias_name\":\"n\",\"alias_label\":\"l\"}]}", .custom = "{\"a\":1,\"b\":2}"},
        {.rule = "§4.1 not when both have the label", .before = {ALIAS_ONLY(",\"a\":1"), USER("u", ""), "POST /users/alias/new {\"user_aliases\":[{\"external_id\":\"u\",\"alias_name\":\"m\",\"alias_label\":\"l\"}]}"},
         .request = IDENTIFY_ALIAS, .status = 201, .answer = ONE_ALIAS, .who = "u", .profile = "{\"custom_attributes\":null}", .note = "no-effect"},
        {.rule = "§4.1 an unknown alias", .request = IDENTIFY_ALIAS, .status = 201, .answer = ONE_ALIAS, .who = "u", .note = "not-found"},
        {.rule = "§4.1 an alias of another case", .before = {ATTRIBUTES("{\"user_alias\":{\"alias_name\":\"N\",\"alias_label\":\"l\"},\"_update_existing_only\":false}")}, .request = IDENTIFY_ALIAS, .status = 201, .answer = ONE_ALIAS, .who = "u"},
        {.rule = "§4.1 merge_behavior is ignored", .before = {ALIAS_ONLY(",\"a\":1"), USER("u", "")},
         .request = "POST /users/identify {\"merge_behavior\":\"none\",\"aliases_to_identify\":[{\"external_id\":\"u\",\"user_alias\":{\"alias_name\":\"n\",\"alias_label\":\"l\"}}]}", .status = 201, .who = "u", .custom = "{\"a\":1}"},
        {.rule = "§4.1 by email", .before = {ATTRIBUTES("{\"email\":\"a@b.co\",\"a\":1}")}, .request = IDENTIFY_EMAIL("\"unidentified\""), .status = 201, .answer = "{\"emails_processed\":1,\"message\":\"success\"}", .who = "u", .custom = "{\"a\":1}"},
        {.rule = "§7.5 an email of two profiles", .before = {ATTRIBUTES("{\"push_token_import\":true,\"email\":\"a@b.co\",\"push_tokens\":[{\"app_id\":\"a\",\"token\":\"1\"},{\"app_id\":\"a\",\"token\":\"2\"}]}")},
         .request = IDENTIFY_EMAIL("\"unidentified\""), .status = 201, .who = "u", .note = "not-found"},
        {.rule = "§4.1 the newest of two", .before = {ATTRIBUTES("{\"push_token_import\":true,\"email\":\"a@b.co\",\"push_tokens\":[{\"app_id\":\"a\",\"token\":\"1\"},{\"app_id\":\"a\",\"token\":\"2\"}]}")},
         .request = IDENTIFY_EMAIL("\"unidentified\",\"most_recently_updated\""), .status = 201, .who = "u", .profile = "{\"email\":\"a@b.co\"}"},
        {.rule = "§4.1 one of the candidates has the id already", .before = {ATTRIBUTES("{\"email\":\"a@b.co\",\"a\":1}"), USER("u", ",\"email\":\"a@b.co\"")}, .request = IDENTIFY_EMAIL("\"unidentified\""), .status = 201, .who = "u", .profile = "{\"custom_attributes\":null}"},
        {.rule = "§4.1 by phone", .before = {ATTRIBUTES("{\"phone\":\"+15551234567\",\"a\":1}")},
         .request = "POST /users/identify {\"phone_numbers_to_identify\":[{\"external_id\":\"u\",\"phone\":\"5551234567\",\"prioritization\":[\"unidentified\"]}]}", .status = 201, .answer = "{\"phone_numbers_processed\":1,\"message\":\"success\"}", .who = "u", .custom = "{\"a\":1}"},
        {.rule = "§4.1 email without prioritization", .request = "POST /users/identify {\"emails_to_identify\":[{\"external_id\":\"u\",\"email\":\"a@b.co\"}]}", .status = 400},
        {.rule = "§4.1 identified and unidentified together", .request = IDENTIFY_EMAIL("\"identified\",\"unidentified\""), .status = 400},
        {.rule = "§8.3-49 no array", .request = "POST /users/identify {}", .status = 400, .answer = "{\"message\":\"'aliases_to_identify' must be an array of objects\"}"},
        {.rule = "§8.3-49 an object instead", .request = "POST /users/identify {\"emails_to_identify\":{}}", .status = 400, .answer = "{\"message\":\"'emails_to_identify' must be an array of objects\"}"},
    };
    /* clang-format on */
    harness_rows(rows, countof(rows), (struct sandbox_options){0});
}

static void aliases_are_made_and_renamed(void **state)
{
    (void)state;
#define NEW(json) "POST /users/alias/new {\"user_aliases\":[" json "]}"
#define N_L       "\"alias_name\":\"n\",\"alias_label\":\"l\""
#define UPDATE                                                                                     \
    "POST /users/alias/update "                                                                    \
    "{\"alias_updates\":[{\"alias_label\":\"l\",\"old_alias_name\":\"n\",\"new_alias_name\":"      \
    "\"m\"}]}"
    /* clang-format off */
    static const struct row rows[] = {
        {.rule = "§4.2 without an id: alias-only", .request = NEW("{" N_L "}"), .status = 201, .answer = ONE_ALIAS, .who = "l:n", .profile = "{\"external_id\":null}"},
        {.rule = "§4.2 with a known id", .before = {USER("u", "")}, .request = NEW("{\"external_id\":\"u\"," N_L "}"), .status = 201, .answer = ONE_ALIAS, .who = "l:n", .profile = "{\"external_id\":\"u\"}"},
        {.rule = "§4.2 with an unknown id", .request = NEW("{\"external_id\":\"u\"," N_L "}"), .status = 201, .answer = ONE_ALIAS, .who = "l:n", .note = "not-found"},
        {.rule = "§4.2 a used pair", .before = {ALIAS_ONLY(""), USER("u", "")}, .request = NEW("{\"external_id\":\"u\"," N_L "}"), .status = 201, .answer = ONE_ALIAS, .who = "u", .profile = "{\"user_aliases\":[]}", .note = "no-effect"},
        {.rule = "§4.2 one name a label", .before = {USER("u", ""), NEW("{\"external_id\":\"u\",\"alias_name\":\"m\",\"alias_label\":\"l\"}")}, .request = NEW("{\"external_id\":\"u\"," N_L "}"), .status = 201, .who = "u", .profile = "{\"user_aliases\":[{\"alias_name\":\"m\",\"alias_label\":\"l\"}]}", .note = "no-effect"},
        {.rule = "§8.3-49 no array", .request = "POST /users/alias/new {}", .status = 400, .answer = "{\"message\":\"'user_aliases' must be an array of objects\"}"},
        {.rule = "§4.3 a new name", .before = {ALIAS_ONLY(",\"a\":1")}, .request = UPDATE, .status = 201, .answer = ONE_ALIAS, .who = "l:m", .custom = "{\"a\":1}"},
        {.rule = "§4.3 the old name is gone", .before = {ALIAS_ONLY(",\"a\":1")}, .request = UPDATE, .status = 201, .who = "l:n"},
        {.rule = "§4.3 an unknown name", .request = UPDATE, .status = 201, .answer = ONE_ALIAS, .who = "l:m", .note = "not-found"},
        {.rule = "§4.3 a taken name", .before = {ALIAS_ONLY(",\"a\":1"), NEW("{\"alias_name\":\"m\",\"alias_label\":\"l\"}")}, .request = UPDATE, .status = 201, .who = "l:n", .custom = "{\"a\":1}", .note = "no-effect"},
    };
    /* clang-format on */
    harness_rows(rows, countof(rows), (struct sandbox_options){0});
}

static void external_ids_are_renamed_and_removed(void **state)
{
    (void)state;
#define RENAME(a, b)                                                                               \
    "POST /users/external_ids/rename {\"external_id_renames\":[{\"current_external_id\":\"" a      \
    "\",\"new_external_id\":\"" b "\"}]}"
#define REMOVE(id) "POST /users/external_ids/remove {\"external_ids\":[\"" id "\"]}"
#define RENAME_ERROR(text)                                                                         \
    "{\"rename_errors\":[[0,\"" text "\"]],\"external_ids\":[],\"message\":\"success\"}"
    /* clang-format off */
    static const struct row rows[] = {
        {.rule = "§4.4 renamed", .before = {USER("a", ",\"x\":1")}, .request = RENAME("a", "b"), .status = 201,
         .answer = "{\"rename_errors\":[],\"external_ids\":[{\"current_external_id\":\"a\",\"new_external_id\":\"b\"}],\"message\":\"success\"}",
         .who = "b", .profile = "{\"external_id\":\"b\",\"deprecated_external_ids\":{\"a\":true}}", .custom = "{\"x\":1}"},
        {.rule = "§4.4 the old id still resolves", .before = {USER("a", ""), RENAME("a", "b")}, .request = USER("a", ",\"x\":1"), .status = 201, .who = "b", .custom = "{\"x\":1}"},
        {.rule = "§8.3-53 unknown", .request = RENAME("a", "b"), .status = 201, .answer = RENAME_ERROR("current_external_id not found")},
        {.rule = "§4.4 a deprecated id is no current one", .before = {USER("a", ""), RENAME("a", "b")}, .request = RENAME("a", "c"), .status = 201, .answer = RENAME_ERROR("current_external_id not found")},
        {.rule = "§8.3-53 in use", .before = {USER("a", ""), USER("b", "")}, .request = RENAME("a", "b"), .status = 201, .answer = RENAME_ERROR("new_external_id is already in use")},
        {.rule = "§4.4 in use as a deprecated id", .before = {USER("a", ""), RENAME("a", "b"), USER("c", "")}, .request = RENAME("c", "a"), .status = 201, .answer = RENAME_ERROR("new_external_id is already in use")},
        {.rule = "§8.3-53 equal", .before = {USER("a", "")}, .request = RENAME("a", "a"), .status = 201, .answer = RENAME_ERROR("current_external_id and new_external_id must be different")},
        {.rule = "§4.4 an empty array", .request = "POST /users/external_ids/rename {\"external_id_renames\":[]}", .status = 400},
        {.rule = "§4.5 removed", .before = {USER("a", ""), RENAME("a", "b")}, .request = REMOVE("a"), .status = 201, .answer = "{\"removed_ids\":[\"a\"],\"removal_errors\":[],\"message\":\"success\"}", .who = "a"},
        {.rule = "§4.5 a primary id stays", .before = {USER("a", "")}, .request = REMOVE("a"), .status = 201, .answer = "{\"removed_ids\":[],\"removal_errors\":[[0,\"external_id is not a deprecated id\"]],\"message\":\"success\"}", .who = "a", .profile = "{}"},
    };
    /* clang-format on */
    harness_rows(rows, countof(rows), (struct sandbox_options){0});
}

static void profiles_are_deleted(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct row rows[] = {
        {.rule = "§4.6 counts what was asked, not what was found", .before = {USER("u", "")}, .request = "POST /users/delete {\"external_ids\":[\"u\",\"x\",3]}", .status = 201, .answer = "{\"deleted\":3,\"message\":\"success\"}", .who = "u", .note = "not-found"},
        {.rule = "§4.6 by alias", .before = {ALIAS_ONLY("")}, .request = "POST /users/delete {\"user_aliases\":[{\"alias_name\":\"n\",\"alias_label\":\"l\"}]}", .status = 201, .who = "l:n"},
        {.rule = "§4.6 by a deprecated id", .before = {USER("a", ""), RENAME("a", "b")}, .request = "POST /users/delete {\"external_ids\":[\"a\"]}", .status = 201, .who = "b"},
        {.rule = "§4.6 by email, one candidate", .before = {ATTRIBUTES("{\"email\":\"a@b.co\"}")}, .request = "POST /users/delete {\"email_addresses\":[{\"email\":\"A@b.co\",\"prioritization\":[\"unidentified\"]}]}", .status = 201, .who = "a@b.co"},
        {.rule = "§4.6 not exactly one candidate", .before = {USER("u", ",\"email\":\"a@b.co\""), USER("v", ",\"email\":\"a@b.co\"")}, .request = "POST /users/delete {\"email_addresses\":[{\"email\":\"a@b.co\",\"prioritization\":[\"identified\"]}]}", .status = 201, .who = "u", .profile = "{}"},
        {.rule = "§8.3-50 several keys", .request = "POST /users/delete {\"external_ids\":[\"u\"],\"braze_ids\":[\"b\"]}", .status = 400, .answer = "{\"message\":\"Only one of 'external_ids', 'user_aliases', 'braze_ids', 'email_addresses' or 'phone_numbers' may be provided\"}"},
        {.rule = "§4.6 a later write makes a new profile", .before = {USER("u", ",\"a\":1"), "POST /users/delete {\"external_ids\":[\"u\"]}"}, .request = USER("u", ",\"b\":1"), .status = 201, .who = "u", .custom = "{\"a\":null,\"b\":1}"},
        {.rule = "§4.6 the export names it as invalid", .before = {USER("u", ""), "POST /users/delete {\"external_ids\":[\"u\"]}"}, .request = "POST /users/export/ids {\"external_ids\":[\"u\"]}", .status = 201, .answer = "{\"users\":[],\"message\":\"success\",\"invalid_user_ids\":[\"u\"]}"},
    };
    /* clang-format on */
    harness_rows(rows, countof(rows), (struct sandbox_options){0});
}

static void merging_follows_the_field_rules(void **state)
{
    (void)state;
#define EV(id, name, at)                                                                           \
    EVENTS("{\"external_id\":\"" id "\",\"name\":\"" name "\",\"time\":\"" at "\"}")
#define PU(id, price)                                                                              \
    PURCHASES("{\"external_id\":\"" id                                                             \
              "\",\"product_id\":\"p\",\"currency\":\"USD\",\"price\":" price "," T "}")
    /* clang-format off */
    static const struct row rows[] = {
        {.rule = "§7.4 the target's fields stay, empty ones are filled", .before = {USER("a", ",\"first_name\":\"A\",\"gender\":\"F\""), USER("b", ",\"first_name\":\"B\"")}, .request = MERGE(ID("a"), ID("b")), .status = 202, .answer = SUCCESS, .who = "b", .profile = "{\"first_name\":\"B\",\"gender\":\"F\"}"},
        {.rule = "§7.4 the source is gone", .before = {USER("a", ""), USER("b", "")}, .request = MERGE(ID("a"), ID("b")), .status = 202, .who = "a"},
        {.rule = "§7.4 custom attributes are whole values", .before = {USER("a", ",\"o\":{\"x\":1},\"l\":[1],\"n\":1"), USER("b", ",\"o\":{\"y\":2},\"l\":[2]")}, .request = MERGE(ID("a"), ID("b")), .status = 202, .who = "b", .custom = "{\"o\":{\"y\":2},\"l\":[2],\"n\":1}"},
        {.rule = "§7.4 event counters", .before = {EV("a", "e", "2025-12-01"), EV("b", "e", "2025-12-05"), EV("b", "e", "2025-12-06")}, .request = MERGE(ID("a"), ID("b")), .status = 202, .who = "b",
         .profile = "{\"custom_events\":[{\"name\":\"e\",\"first\":\"2025-12-01T00:00:00.000Z\",\"last\":\"2025-12-06T00:00:00.000Z\",\"count\":3}]}"},
        {.rule = "§7.4 revenue", .before = {PU("a", "2"), PU("b", "3")}, .request = MERGE(ID("a"), ID("b")), .status = 202, .who = "b", .profile = "{\"total_revenue\":5}"},
        {.rule = "§7.4 session dates", .before = {USER("a", ",\"date_of_first_session\":\"2020-01-01\",\"date_of_last_session\":\"2020-02-01\""), USER("b", ",\"date_of_first_session\":\"2021-01-01\",\"date_of_last_session\":\"2021-02-01\"")}, .request = MERGE(ID("a"), ID("b")), .status = 202, .who = "b",
         .profile = "{\"standard_attributes\":{\"date_of_first_session\":\"2020-01-01T00:00:00.000Z\",\"date_of_last_session\":\"2021-02-01T00:00:00.000Z\"}}"},
        {.rule = "§7.4 aliases move, the target's label wins", .before = {USER("a", ""), USER("b", ""), NEW("{\"external_id\":\"a\",\"alias_name\":\"1\",\"alias_label\":\"x\"},{\"external_id\":\"a\",\"alias_name\":\"2\",\"alias_label\":\"y\"},{\"external_id\":\"b\",\"alias_name\":\"3\",\"alias_label\":\"y\"}")},
         .request = MERGE(ID("a"), ID("b")), .status = 202, .who = "x:1", .profile = "{\"external_id\":\"b\",\"user_aliases\":[{\"alias_name\":\"3\",\"alias_label\":\"y\"},{\"alias_name\":\"1\",\"alias_label\":\"x\"}]}"},
        {.rule = "§4.7 by alias and email", .before = {ALIAS_ONLY(",\"a\":1"), USER("b", ",\"email\":\"a@b.co\"")}, .request = MERGE("{\"user_alias\":{\"alias_name\":\"n\",\"alias_label\":\"l\"}}", "{\"email\":\"a@b.co\",\"prioritization\":[\"identified\"]}"), .status = 202, .who = "b", .custom = "{\"a\":1}"},
        {.rule = "§8.3-54 one and the same profile", .before = {USER("a", "")}, .request = MERGE(ID("a"), ID("a")), .status = 202, .who = "a", .profile = "{}", .note = "no-effect"},
        {.rule = "§4.7 an unknown side", .before = {USER("b", "")}, .request = MERGE(ID("a"), ID("b")), .status = 202, .answer = SUCCESS, .note = "not-found"},
        {.rule = "§4.7 no array", .request = "POST /users/merge {}", .status = 400, .answer = "{\"message\":\"'merge_updates' must be an array of objects\"}"},
        {.rule = "§4.7 another key", .request = "POST /users/merge {\"merge_updates\":[{\"identifier_to_merge\":" ID("a") ",\"identifier_to_keep\":" ID("b") ",\"x\":1}]}", .status = 400, .answer = "{\"message\":\"'merge_updates' must only have 'identifier_to_merge' and 'identifier_to_keep'\"}"},
        {.rule = "§4.7 an identifier of another type", .request = MERGE("{\"external_id\":5}", ID("b")), .status = 400,
         .answer = "{\"message\":\"identifiers must be objects with an 'external_id' property that is a string, 'user_alias' property that is an object, 'email' property that is a string, or 'phone' property that is a string\"}"},
    };
    /* clang-format on */
    harness_rows(rows, countof(rows), (struct sandbox_options){0});
}

static void a_merge_joins_what_was_received(void **state)
{
    struct harness h;
    (void)state;
    harness_open(&h, (struct sandbox_options){0});
    assert_int_equal(harness_call(&h, STR(EV("a", "first", "2025-12-01"))), 201);
    assert_int_equal(harness_call(&h, STR(EV("b", "second", "2025-12-01"))), 201);
    assert_int_equal(harness_call(&h, STR(EV("a", "third", "2025-12-01"))), 201);
    assert_int_equal(harness_call(&h, STR(MERGE(ID("a"), ID("b")))), 202);
    assert_int_equal(harness_call(&h, STR("GET /sandbox/profiles/b")), 200);
    struct jv events =
        jv_get(harness_parse(&h.arena, buf_str(&h.answer.body)), STR("received_events"));
    static const char *const order[] = {"third", "second", "first"};
    assert_int_equal(events.len, countof(order));
    for (uint32_t i = 0; i < events.len; i++)
        assert_true(str_eq(jv_str(jv_get(events.items[i], STR("name"))), str_from(order[i])));
    harness_close(&h);
}

static void exports_show_profiles(void **state)
{
    (void)state;
#define EXPORT(json) "POST /users/export/ids {" json "}"
    /* clang-format off */
    static const struct row rows[] = {
        {.rule = "§4.8 only the fields asked for", .before = {USER("u", ",\"first_name\":\"Ada\",\"a\":1")}, .request = EXPORT("\"external_ids\":[\"u\"],\"fields_to_export\":[\"first_name\",\"custom_attributes\"]"), .status = 201, .answer = "{\"users\":[{\"first_name\":\"Ada\",\"custom_attributes\":{\"a\":1}}],\"message\":\"success\"}"},
        {.rule = "§4.8 what has no value is left out", .before = {USER("u", "")}, .request = EXPORT("\"external_ids\":[\"u\"],\"fields_to_export\":[\"email\",\"external_id\",\"apps\"]"), .status = 201, .answer = "{\"users\":[{\"external_id\":\"u\"}],\"message\":\"success\"}"},
        {.rule = "§4.8 states default to subscribed", .before = {USER("u", "")}, .request = EXPORT("\"external_ids\":[\"u\"],\"fields_to_export\":[\"email_subscribe\",\"push_subscribe\",\"total_revenue\",\"user_aliases\"]"), .status = 201, .answer = "{\"users\":[{\"user_aliases\":[],\"total_revenue\":0,\"push_subscribe\":\"subscribed\",\"email_subscribe\":\"subscribed\"}],\"message\":\"success\"}"},
        {.rule = "§4.8 by email: every profile with it", .before = {USER("u", ",\"email\":\"a@b.co\""), USER("v", ",\"email\":\"A@b.co\"")}, .request = EXPORT("\"email_address\":\"a@B.co\",\"fields_to_export\":[\"external_id\"]"), .status = 201, .answer = "{\"users\":[{\"external_id\":\"v\"},{\"external_id\":\"u\"}],\"message\":\"success\"}"},
        {.rule = "§4.8 a profile once", .before = {USER("u", ",\"email\":\"a@b.co\"")}, .request = EXPORT("\"external_ids\":[\"u\",\"u\"],\"email_address\":\"a@b.co\",\"fields_to_export\":[\"external_id\"]"), .status = 201, .answer = "{\"users\":[{\"external_id\":\"u\"}],\"message\":\"success\"}"},
        {.rule = "§4.8 by alias", .before = {ALIAS_ONLY("")}, .request = EXPORT("\"user_aliases\":[{\"alias_name\":\"n\",\"alias_label\":\"l\"}],\"fields_to_export\":[\"user_aliases\"]"), .status = 201, .answer = "{\"users\":[{\"user_aliases\":[{\"alias_name\":\"n\",\"alias_label\":\"l\"}]}],\"message\":\"success\"}"},
        {.rule = "§4.8 two single identifiers", .request = EXPORT("\"email_address\":\"a@b.co\",\"phone\":\"+15551234567\""), .status = 400},
        {.rule = "§4.8 nobody", .request = EXPORT(""), .status = 400, .answer = "{\"message\":\"No Recipients\"}"},
        {.rule = "§4.8 an unknown field", .request = EXPORT("\"external_ids\":[\"u\"],\"fields_to_export\":[\"shoe_size\"]"), .status = 400},
        {.rule = "§4.8 fields required when chosen", .choice = "export-fields=required", .request = EXPORT("\"external_ids\":[\"u\"]"), .status = 400},
        {.rule = "§8.1-12 200 when chosen", .choice = "export-status=200", .request = EXPORT("\"external_ids\":[\"u\"]"), .status = 200},
        {.rule = "§4.8 events of more than 90 days ago", .before = {EV("u", "old", "2025-09-01"), EV("u", "new", "2025-12-01")}, .request = EXPORT("\"external_ids\":[\"u\"],\"fields_to_export\":[\"custom_events\"]"), .status = 201, .answer = "{\"users\":[{\"custom_events\":[{\"name\":\"new\",\"first\":\"2025-12-01T00:00:00.000Z\",\"last\":\"2025-12-01T00:00:00.000Z\",\"count\":1}]}],\"message\":\"success\"}"},
    };
    /* clang-format on */
    harness_rows(rows, countof(rows), (struct sandbox_options){0});
}

static void fifty_entries_are_the_limit(void **state)
{
    static const struct {
        const char *head;
        const char *entry;
        unsigned success;
        const char *refusal;
    } rows[] = {
        {"POST /users/identify {\"aliases_to_identify\":[",
         "{\"external_id\":\"u\",\"user_alias\":{\"alias_name\":\"n\",\"alias_label\":\"l\"}}", 201,
         "The max number of external_ids and aliases per request was exceeded"},
        {"POST /users/alias/new {\"user_aliases\":[",
         "{\"alias_name\":\"n\",\"alias_label\":\"l\"}", 201,
         "The max number of external_ids and aliases per request was exceeded"},
        {"POST /users/delete {\"external_ids\":[", "\"u\"", 201,
         "The max number of ids per request was exceeded"},
        {"POST /users/export/ids {\"external_ids\":[", "\"u\"", 201,
         "The max number of external_ids and aliases per request was exceeded"},
        {"POST /users/external_ids/remove {\"external_ids\":[", "\"u\"", 201,
         "The max number of ids per request was exceeded"},
        {"POST /users/merge {\"merge_updates\":[",
         "{\"identifier_to_merge\":{\"external_id\":\"a\"},\"identifier_to_keep\":{\"external_id\":"
         "\"b\"}}",
         202, "a single request may not contain more than 50 merge updates"},
    };
    (void)state;
    for (size_t i = 0; i < countof(rows); i++) {
        for (unsigned count = 50; count <= 51; count++) {
            struct harness h;
            struct buf line;
            char refusal[160];
            harness_open(&h, (struct sandbox_options){0});
            buf_init(&line, 1 << 20);
            buf_append(&line, str_from(rows[i].head));
            for (unsigned n = 0; n < count; n++)
                buf_printf(&line, "%s%s", n == 0 ? "" : ",", rows[i].entry);
            buf_append(&line, STR("]}"));
            assert_int_equal(harness_call(&h, buf_str(&line)), count == 50 ? rows[i].success : 400);
            snprintf(refusal, sizeof(refusal), "{\"message\":\"%s\"}", rows[i].refusal);
            if (count == 51)
                assert_true(str_eq(buf_str(&h.answer.body), str_from(refusal)));
            buf_fini(&line);
            harness_close(&h);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identifying_gives_or_joins_an_external_id),
        cmocka_unit_test(aliases_are_made_and_renamed),
        cmocka_unit_test(external_ids_are_renamed_and_removed),
        cmocka_unit_test(profiles_are_deleted),
        cmocka_unit_test(merging_follows_the_field_rules),
        cmocka_unit_test(a_merge_joins_what_was_received),
        cmocka_unit_test(exports_show_profiles),
        cmocka_unit_test(fifty_entries_are_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
