#include "harness.h"

/* docs/spec/braze-rest-api.md §2.4, §2.5, §2.6, §2.13 */
#define U     "\"external_id\":\"u\","
#define GROUP "12345678-1234-1234-1234-123456789abc"

static void standard_fields_are_normalised_or_left_alone(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct row rows[] = {
        {.rule = "§2.4 names are case-sensitive", .request = ATTRIBUTES("{" U "\"First_Name\":\"Ada\"}"), .status = 201, .who = "u", .profile = "{\"first_name\":null}", .custom = "{\"First_Name\":\"Ada\"}"},
        {.rule = "§2.4 texts", .request = ATTRIBUTES("{" U "\"first_name\":\"Ada\",\"last_name\":\"L\",\"home_city\":\"London\"}"), .status = 201, .who = "u", .profile = "{\"first_name\":\"Ada\",\"last_name\":\"L\",\"home_city\":\"London\",\"custom_attributes\":null}"},
        {.rule = "§2.4 a text field of another type", .request = ATTRIBUTES("{" U "\"first_name\":5}"), .status = 201, .who = "u", .profile = "{\"first_name\":null}", .note = "ignored"},
        {.rule = "§2.4 null removes a standard field", .before = {ATTRIBUTES("{" U "\"first_name\":\"Ada\",\"email\":\"a@b.co\"}")}, .request = ATTRIBUTES("{" U "\"first_name\":null,\"email\":null}"), .status = 201, .who = "u", .profile = "{\"first_name\":null,\"email\":null}"},
        {.rule = "§2.4 an absent key is unchanged", .before = {ATTRIBUTES("{" U "\"first_name\":\"Ada\"}")}, .request = ATTRIBUTES("{" U "\"last_name\":\"L\"}"), .status = 201, .who = "u", .profile = "{\"first_name\":\"Ada\",\"last_name\":\"L\"}"},
        {.rule = "§2.4 dob", .request = ATTRIBUTES("{" U "\"dob\":\"1990-02-28\"}"), .status = 201, .who = "u", .profile = "{\"dob\":\"1990-02-28\"}"},
        {.rule = "§8.2-47 a bad dob is ignored", .before = {ATTRIBUTES("{" U "\"dob\":\"1990-02-28\"}")}, .request = ATTRIBUTES("{" U "\"dob\":\"1990-02-30\"}"), .status = 201, .who = "u", .profile = "{\"dob\":\"1990-02-28\"}", .note = "ignored"},
        {.rule = "§2.4 gender", .request = ATTRIBUTES("{" U "\"gender\":\"P\"}"), .status = 201, .who = "u", .profile = "{\"gender\":\"P\"}"},
        {.rule = "§8.2-47 a bad gender is ignored", .request = ATTRIBUTES("{" U "\"gender\":\"female\"}"), .status = 201, .who = "u", .profile = "{\"gender\":null}", .note = "ignored"},
        {.rule = "§2.4 gender null is unknown", .before = {ATTRIBUTES("{" U "\"gender\":\"F\"}")}, .request = ATTRIBUTES("{" U "\"gender\":null}"), .status = 201, .who = "u", .profile = "{\"gender\":null}"},
        {.rule = "§2.4 country by name", .request = ATTRIBUTES("{" U "\"country\":\"Australia\"}"), .status = 201, .who = "u", .profile = "{\"country\":\"AU\"}", .note = "changed"},
        {.rule = "§9.3 country by alpha-3, any case", .request = ATTRIBUTES("{" U "\"country\":\"deu\"}"), .status = 201, .who = "u", .profile = "{\"country\":\"DE\"}"},
        {.rule = "§8.2-47 no country: stored as null", .before = {ATTRIBUTES("{" U "\"country\":\"DE\"}")}, .request = ATTRIBUTES("{" U "\"country\":\"Atlantis\"}"), .status = 201, .who = "u", .profile = "{\"country\":null}", .note = "changed"},
        {.rule = "§9.2 language with a region", .request = ATTRIBUTES("{" U "\"language\":\"EN-us\"}"), .status = 201, .who = "u", .profile = "{\"language\":\"en\"}"},
        {.rule = "§8.2-47 no is no language", .request = ATTRIBUTES("{" U "\"language\":\"no\"}"), .status = 201, .who = "u", .profile = "{\"language\":null}", .note = "ignored"},
        {.rule = "§2.4 an IANA time zone", .request = ATTRIBUTES("{" U "\"time_zone\":\"America/New_York\"}"), .status = 201, .who = "u", .profile = "{\"time_zone\":\"America/New_York\"}"},
        {.rule = "§9.4 a Rails time zone", .request = ATTRIBUTES("{" U "\"time_zone\":\"Eastern Time (US & Canada)\"}"), .status = 201, .who = "u", .profile = "{\"time_zone\":\"Eastern Time (US & Canada)\"}"},
        {.rule = "§2.4 an invalid time zone is not set", .request = ATTRIBUTES("{" U "\"time_zone\":\"Mars/Base\"}"), .status = 201, .who = "u", .profile = "{\"time_zone\":null}", .note = "ignored"},
        {.rule = "§2.4 location", .request = ATTRIBUTES("{" U "\"current_location\":{\"longitude\":13.4,\"latitude\":52.5}}"), .status = 201, .who = "u", .profile = "{\"last_coordinates\":[13.4,52.5]}"},
        {.rule = "§2.4 a location without latitude", .request = ATTRIBUTES("{" U "\"current_location\":{\"longitude\":13.4}}"), .status = 400, .answer = REFUSED("'current_location' must be an object with 'longitude' and 'latitude'", "attributes")},
        {.rule = "§2.4 session dates", .request = ATTRIBUTES("{" U "\"date_of_first_session\":\"11/10/2024\"}"), .status = 201, .who = "u", .profile = "{\"standard_attributes\":{\"date_of_first_session\":\"2024-11-10T00:00:00.000Z\"}}"},
        {.rule = "§8.2-46 an unparsable date is ignored", .request = ATTRIBUTES("{" U "\"date_of_last_session\":\"soon\"}"), .status = 201, .who = "u", .profile = "{\"standard_attributes\":null}", .note = "ignored"},
        {.rule = "§2.4 email_subscribe", .request = ATTRIBUTES("{" U "\"email_subscribe\":\"opted_in\"}"), .status = 201, .who = "u", .profile = "{\"email_subscribe\":\"opted_in\",\"email_opted_in_at\":\"2026-01-05T10:00:03.010Z\"}"},
        {.rule = "§2.15 a bad email_subscribe", .request = ATTRIBUTES("{" U "\"email_subscribe\":\"yes\"}"), .status = 400, .answer = REFUSED("'email_subscribe' must be subscribed, unsubscribed, or opted_in", "attributes")},
        {.rule = "§2.15 a bad push_subscribe", .request = ATTRIBUTES("{" U "\"push_subscribe\":1}"), .status = 400, .answer = REFUSED("'push_subscribe' must be subscribed, unsubscribed, or opted_in", "attributes")},
        {.rule = "§2.4 email_subscription_info is not allowed", .request = ATTRIBUTES("{" U "\"email_subscription_info\":{}}"), .status = 400, .answer = REFUSED("INVALID_ATTRIBUTE_EMAIL_SUBSCRIPTION_INFO", "attributes")},
        {.rule = "§2.4 facebook keeps its keys", .request = ATTRIBUTES("{" U "\"facebook\":{\"id\":\"f\",\"likes\":[\"a\"],\"num_friends\":3,\"other\":1}}"), .status = 201, .who = "u", .profile = "{\"standard_attributes\":{\"facebook\":{\"id\":\"f\",\"likes\":[\"a\"],\"num_friends\":3}}}"},
        {.rule = "§2.4 twitter keeps its keys and types", .request = ATTRIBUTES("{" U "\"twitter\":{\"id\":7,\"screen_name\":\"x\",\"followers_count\":\"many\"}}"), .status = 201, .who = "u", .profile = "{\"standard_attributes\":{\"twitter\":{\"id\":7,\"screen_name\":\"x\"}}}", .note = "ignored"},
        {.rule = "§2.4 tracking flags", .request = ATTRIBUTES("{" U "\"email_open_tracking_disabled\":true,\"email_click_tracking_disabled\":\"no\"}"), .status = 201, .who = "u", .profile = "{\"standard_attributes\":{\"email_open_tracking_disabled\":true}}", .note = "ignored"},
        {.rule = "§2.4 a loose alias_name means nothing", .request = ATTRIBUTES("{" U "\"alias_name\":\"n\"}"), .status = 201, .who = "u", .profile = "{\"user_aliases\":[],\"custom_attributes\":null}", .note = "ignored"},
        {.rule = "§7.2 a new email starts as subscribed", .before = {ATTRIBUTES("{" U "\"email\":\"a@b.co\",\"email_subscribe\":\"unsubscribed\"}")}, .request = ATTRIBUTES("{" U "\"email\":\"c@d.co\"}"), .status = 201, .who = "u", .profile = "{\"email_subscribe\":\"subscribed\"}"},
        {.rule = "§7.2 a new email takes over the state it has", .before = {ATTRIBUTES("{\"external_id\":\"v\",\"email\":\"a@b.co\",\"email_subscribe\":\"unsubscribed\"}")}, .request = ATTRIBUTES("{" U "\"email\":\"A@b.co\"}"), .status = 201, .who = "u", .profile = "{\"email_subscribe\":\"unsubscribed\"}"},
        {.rule = "§7.2 always subscribed when chosen", .choice = "email-change=resubscribe", .before = {ATTRIBUTES("{\"external_id\":\"v\",\"email\":\"a@b.co\",\"email_subscribe\":\"unsubscribed\"}")}, .request = ATTRIBUTES("{" U "\"email\":\"a@b.co\"}"), .status = 201, .who = "u", .profile = "{\"email_subscribe\":\"subscribed\"}"},
        {.rule = "§7.2 a state reaches the others with the address", .before = {ATTRIBUTES("{\"external_id\":\"v\",\"email\":\"a@b.co\"}"), ATTRIBUTES("{" U "\"email\":\"a@b.co\"}")}, .request = ATTRIBUTES("{" U "\"email_subscribe\":\"unsubscribed\"}"), .status = 201, .who = "v", .profile = "{\"email_subscribe\":\"unsubscribed\"}"},
    };
    /* clang-format on */
    harness_rows(rows, countof(rows), (struct sandbox_options){0});
}

static void subscription_groups_and_push_tokens_are_checked(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct row rows[] = {
        {.rule = "§2.12 a group", .request = ATTRIBUTES("{" U "\"subscription_groups\":[{\"subscription_group_id\":\"" GROUP "\",\"subscription_state\":\"subscribed\"}]}"), .status = 201, .who = "u", .profile = "{\"subscription_groups\":{\"" GROUP "\":\"subscribed\"}}"},
        {.rule = "§2.12 no array", .request = ATTRIBUTES("{" U "\"subscription_groups\":null}"), .status = 400, .answer = REFUSED("BAD_SUBSCRIPTION_GROUP_ARRAY", "attributes")},
        {.rule = "§2.12 an item without a state", .request = ATTRIBUTES("{" U "\"subscription_groups\":[{\"subscription_group_id\":\"" GROUP "\"}]}"), .status = 400, .answer = REFUSED("BAD_SUBSCRIPTION_GROUP_HASH", "attributes")},
        {.rule = "§2.12 an item that is no object", .request = ATTRIBUTES("{" U "\"subscription_groups\":[1]}"), .status = 400, .answer = REFUSED("BAD_SUBSCRIPTION_GROUP_HASH", "attributes")},
        {.rule = "§2.12 no UUID", .request = ATTRIBUTES("{" U "\"subscription_groups\":[{\"subscription_group_id\":\"news\",\"subscription_state\":\"subscribed\"}]}"), .status = 400, .answer = REFUSED("BAD_SUBSCRIPTION_GROUP_ID", "attributes")},
        {.rule = "§2.12 opted_in is no group state", .request = ATTRIBUTES("{" U "\"subscription_groups\":[{\"subscription_group_id\":\"" GROUP "\",\"subscription_state\":\"opted_in\"}]}"), .status = 400, .answer = REFUSED("BAD_SUBSCRIPTION_GROUP_STATE", "attributes")},
        {.rule = "§2.12 the state reaches profiles with the same email", .before = {ATTRIBUTES("{\"external_id\":\"v\",\"email\":\"a@b.co\"}"), ATTRIBUTES("{" U "\"email\":\"a@b.co\"}")},
         .request = ATTRIBUTES("{" U "\"subscription_groups\":[{\"subscription_group_id\":\"" GROUP "\",\"subscription_state\":\"unsubscribed\"}]}"), .status = 201, .who = "v", .profile = "{\"subscription_groups\":{\"" GROUP "\":\"unsubscribed\"}}"},
        {.rule = "§2.11 tokens", .request = ATTRIBUTES("{" U "\"push_tokens\":[{\"app_id\":\"app\",\"token\":\"t\",\"device_id\":\"device-1\"}]}"), .status = 201, .who = "u", .profile = "{\"push_tokens\":[{\"app\":\"app\",\"token\":\"t\",\"device_id\":\"device-1\",\"notifications_enabled\":true}]}"},
        {.rule = "§2.11 tokens that are no array", .request = ATTRIBUTES("{" U "\"push_tokens\":{}}"), .status = 400, .answer = REFUSED("BAD_PUSH_TOKEN_VALUE", "attributes")},
        {.rule = "§2.11 a token that is no text", .request = ATTRIBUTES("{" U "\"push_tokens\":[{\"app_id\":\"app\",\"token\":5}]}"), .status = 400, .answer = REFUSED("BAD_PUSH_TOKEN_STRING", "attributes")},
        {.rule = "§2.11 a token without an app", .request = ATTRIBUTES("{" U "\"push_tokens\":[{\"token\":\"t\"}]}"), .status = 400, .answer = REFUSED("BAD_PUSH_TOKEN_APP_ID", "attributes")},
        {.rule = "§2.11 a short device id", .request = ATTRIBUTES("{" U "\"push_tokens\":[{\"app_id\":\"app\",\"token\":\"t\",\"device_id\":\"1234567\"}]}"), .status = 400, .answer = REFUSED("BAD_DEVICE_ID", "attributes")},
        {.rule = "§2.11 an import with an external_id", .request = ATTRIBUTES("{" U "\"push_token_import\":true,\"push_tokens\":[{\"app_id\":\"app\",\"token\":\"t\"}]}"), .status = 400, .answer = REFUSED("BAD_PUSH_TOKEN_IMPORT", "attributes")},
        {.rule = "§2.11 an import without a token", .request = ATTRIBUTES("{\"push_token_import\":true}"), .status = 400, .answer = REFUSED("BAD_PUSH_TOKEN_IMPORT", "attributes")},
        {.rule = "§2.11 an import makes an anonymous profile", .request = ATTRIBUTES("{\"push_token_import\":true,\"email\":\"a@b.co\",\"push_tokens\":[{\"app_id\":\"app\",\"token\":\"t\"}]}"), .status = 201, .who = "a@b.co", .profile = "{\"external_id\":null,\"email\":\"a@b.co\"}"},
        {.rule = "§2.11 a known token is ignored", .before = {ATTRIBUTES("{" U "\"push_tokens\":[{\"app_id\":\"app\",\"token\":\"t\"}]}")}, .request = ATTRIBUTES("{\"push_token_import\":true,\"email\":\"a@b.co\",\"push_tokens\":[{\"app_id\":\"app\",\"token\":\"t\"}]}"), .status = 201, .who = "a@b.co", .note = "no-effect"},
    };
    /* clang-format on */
    harness_rows(rows, countof(rows), (struct sandbox_options){0});
}

static void custom_attributes_keep_their_types(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct row rows[] = {
        {.rule = "§2.5 scalars", .request = ATTRIBUTES("{" U "\"a\":true,\"b\":5,\"c\":2.5,\"d\":\"x\"}"), .status = 201, .who = "u", .custom = "{\"a\":true,\"b\":5,\"c\":2.5,\"d\":\"x\"}"},
        {.rule = "§2.5 64-bit integers stay exact", .request = ATTRIBUTES("{" U "\"a\":9223372036854775807}"), .status = 201, .who = "u", .custom = "{\"a\":9223372036854775807}"},
        {.rule = "§8.2-38 beyond 64 bits: a double", .request = ATTRIBUTES("{" U "\"a\":18446744073709551616}"), .status = 201, .who = "u", .custom = "{\"a\":18446744073709552000}"},
        {.rule = "§2.5 floats have 15 digits", .request = ATTRIBUTES("{" U "\"a\":0.30000000000000004}"), .status = 201, .who = "u", .custom = "{\"a\":0.3}"},
        {.rule = "§2.5 a time is recognised", .request = ATTRIBUTES("{" U "\"a\":\"2024-11-10 18:00:00\",\"b\":\"2022-12-06T19:20:45+01:00\"}"), .status = 201, .who = "u", .custom = "{\"a\":\"2024-11-10T18:00:00.000Z\",\"b\":\"2022-12-06T18:20:45.000Z\"}"},
        {.rule = "§2.5 a year above 3000 is a plain string", .request = ATTRIBUTES("{" U "\"a\":\"3001-01-01\"}"), .status = 201, .who = "u", .custom = "{\"a\":\"3001-01-01\"}"},
        {.rule = "§2.4 an empty string is kept", .request = ATTRIBUTES("{" U "\"a\":\"\"}"), .status = 201, .who = "u", .custom = "{\"a\":\"\"}"},
        {.rule = "§2.4 null removes", .before = {ATTRIBUTES("{" U "\"a\":1,\"b\":2}")}, .request = ATTRIBUTES("{" U "\"a\":null}"), .status = 201, .who = "u", .custom = "{\"a\":null,\"b\":2}"},
        {.rule = "§2.5 names are trimmed and lose newlines", .request = ATTRIBUTES("{" U "\"  My \\nField \":1}"), .status = 201, .who = "u", .custom = "{\"My Field\":1}"},
        {.rule = "§8.2-41 a name with a dot", .request = ATTRIBUTES("{" U "\"a.b\":1}"), .status = 201, .who = "u", .custom = "{\"a.b\":1}"},
        {.rule = "§8.2-41 a name that starts with $", .request = ATTRIBUTES("{" U "\"$a\":1}"), .status = 201, .who = "u", .profile = "{\"custom_attributes\":null}", .note = "ignored"},
        {.rule = "§2.5 inc on nothing starts from 0", .request = ATTRIBUTES("{" U "\"a\":{\"inc\":5}}"), .status = 201, .who = "u", .custom = "{\"a\":5}"},
        {.rule = "§2.5 inc adds, also negative", .before = {ATTRIBUTES("{" U "\"a\":5}")}, .request = ATTRIBUTES("{" U "\"a\":{\"inc\":-7}}"), .status = 201, .who = "u", .custom = "{\"a\":-2}"},
        {.rule = "§2.5 inc stays exact at 64 bits", .before = {ATTRIBUTES("{" U "\"a\":9007199254740992}")}, .request = ATTRIBUTES("{" U "\"a\":{\"inc\":1}}"), .status = 201, .who = "u", .custom = "{\"a\":9007199254740993}"},
        {.rule = "§8.2-44 inc by a fraction is ignored", .before = {ATTRIBUTES("{" U "\"a\":5}")}, .request = ATTRIBUTES("{" U "\"a\":{\"inc\":1.5}}"), .status = 201, .who = "u", .custom = "{\"a\":5}", .note = "ignored"},
        {.rule = "§2.5 inc on a text is ignored", .before = {ATTRIBUTES("{" U "\"a\":\"x\"}")}, .request = ATTRIBUTES("{" U "\"a\":{\"inc\":1}}"), .status = 201, .who = "u", .custom = "{\"a\":\"x\"}", .note = "ignored"},
        {.rule = "§8.2-46c another type is stored with a warning", .before = {ATTRIBUTES("{" U "\"a\":5}")}, .request = ATTRIBUTES("{" U "\"a\":\"x\"}"), .status = 201, .who = "u", .custom = "{\"a\":\"x\"}", .note = "warning"},
        {.rule = "§2.5 array elements are unique, in the order of their first", .request = ATTRIBUTES("{" U "\"a\":[\"hotdog\",\"hotdog\",\"hotdog\",\"pizza\"]}"), .status = 201, .who = "u", .custom = "{\"a\":[\"hotdog\",\"pizza\"]}", .note = "changed"},
        {.rule = "§2.5 add appends", .before = {ATTRIBUTES("{" U "\"a\":[1,2]}")}, .request = ATTRIBUTES("{" U "\"a\":{\"add\":[3]}}"), .status = 201, .who = "u", .custom = "{\"a\":[1,2,3]}"},
        {.rule = "§2.5 adding what is there moves it to the end", .before = {ATTRIBUTES("{" U "\"a\":[1,2,3]}")}, .request = ATTRIBUTES("{" U "\"a\":{\"add\":[1]}}"), .status = 201, .who = "u", .custom = "{\"a\":[2,3,1]}"},
        {.rule = "§2.5 add on nothing", .request = ATTRIBUTES("{" U "\"a\":{\"add\":[\"x\",\"x\"]}}"), .status = 201, .who = "u", .custom = "{\"a\":[\"x\"]}"},
        {.rule = "§2.5 remove", .before = {ATTRIBUTES("{" U "\"a\":[1,2,3]}")}, .request = ATTRIBUTES("{" U "\"a\":{\"remove\":[2,9]}}"), .status = 201, .who = "u", .custom = "{\"a\":[1,3]}"},
        {.rule = "§8.2-46a add, then remove", .before = {ATTRIBUTES("{" U "\"a\":[1]}")}, .request = ATTRIBUTES("{" U "\"a\":{\"remove\":[2],\"add\":[2,3]}}"), .status = 201, .who = "u", .custom = "{\"a\":[1,3]}"},
        {.rule = "§8.2-45 add beside another key is an object", .request = ATTRIBUTES("{" U "\"a\":{\"add\":[1],\"other\":2}}"), .status = 201, .who = "u", .custom = "{\"a\":{\"add\":[1],\"other\":2}}"},
        {.rule = "§2.5 add on a text is ignored", .before = {ATTRIBUTES("{" U "\"a\":\"x\"}")}, .request = ATTRIBUTES("{" U "\"a\":{\"add\":[1]}}"), .status = 201, .who = "u", .custom = "{\"a\":\"x\"}", .note = "ignored"},
        {.rule = "§8.2-40 an array inside an array", .before = {ATTRIBUTES("{" U "\"a\":[1]}")}, .request = ATTRIBUTES("{" U "\"a\":[1,[2]]}"), .status = 201, .who = "u", .custom = "{\"a\":[1]}", .note = "dropped"},
        {.rule = "§8.2-39 an object behind a scalar", .request = ATTRIBUTES("{" U "\"a\":[1,{\"b\":2}]}"), .status = 201, .who = "u", .profile = "{\"custom_attributes\":null}", .note = "dropped"},
        {.rule = "§8.2-39 a scalar behind an object", .request = ATTRIBUTES("{" U "\"a\":[{\"b\":2},1]}"), .status = 201, .who = "u", .custom = "{\"a\":[{\"b\":2},1]}"},
        {.rule = "§2.5 the first elements drop out beyond the maximum", .choice = "array-max=3", .request = ATTRIBUTES("{" U "\"a\":[1,2,3,4,5]}"), .status = 201, .who = "u", .custom = "{\"a\":[3,4,5]}", .note = "changed"},
        {.rule = "§8.2-46b or the last ones, when chosen", .choice = "array-keeps=first", .request = ATTRIBUTES("{" U "\"a\":[1,2]}"), .status = 201, .who = "u", .custom = "{\"a\":[1,2]}"},
        {.rule = "§2.5 adding to a full array", .choice = "array-max=2", .before = {ATTRIBUTES("{" U "\"a\":[1,2]}")}, .request = ATTRIBUTES("{" U "\"a\":{\"add\":[3]}}"), .status = 201, .who = "u", .custom = "{\"a\":[2,3]}"},
        {.rule = "§7.2 a bad value does not reject the object", .request = ATTRIBUTES("{" U "\"a\":{\"b\":null},\"c\":1}"), .status = 201, .answer = ONE_ATTRIBUTE, .who = "u", .custom = "{\"a\":null,\"c\":1}", .note = "dropped"},
    };
    /* clang-format on */
    harness_rows(rows, countof(rows), (struct sandbox_options){0});
}

static void forced_types_convert_or_ignore(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct row rows[] = {
        {.rule = "§2.5 forced boolean from texts", .request = ATTRIBUTES("{" U "\"flag\":\"T\"}"), .status = 201, .who = "u", .custom = "{\"flag\":true}"},
        {.rule = "§2.5 forced boolean from a number", .request = ATTRIBUTES("{" U "\"flag\":0}"), .status = 201, .who = "u", .custom = "{\"flag\":false}"},
        {.rule = "§2.5 forced boolean from anything else", .request = ATTRIBUTES("{" U "\"flag\":\"yes\"}"), .status = 201, .who = "u", .profile = "{\"custom_attributes\":null}", .note = "ignored"},
        {.rule = "§2.5 forced number from text", .request = ATTRIBUTES("{" U "\"age\":\"42.5\"}"), .status = 201, .who = "u", .custom = "{\"age\":42.5}"},
        {.rule = "§2.4 an empty text does not clear a forced number", .before = {ATTRIBUTES("{" U "\"age\":4}")}, .request = ATTRIBUTES("{" U "\"age\":\"\"}"), .status = 201, .who = "u", .custom = "{\"age\":4}", .note = "ignored"},
        {.rule = "§2.5 inc on a forced number", .before = {ATTRIBUTES("{" U "\"age\":4}")}, .request = ATTRIBUTES("{" U "\"age\":{\"inc\":1}}"), .status = 201, .who = "u", .custom = "{\"age\":5}"},
        {.rule = "§2.5 forced string", .request = ATTRIBUTES("{" U "\"code\":17}"), .status = 201, .who = "u", .custom = "{\"code\":\"17\"}"},
        {.rule = "§2.5 a forced string is no time", .request = ATTRIBUTES("{" U "\"code\":\"2024-11-10\"}"), .status = 201, .who = "u", .custom = "{\"code\":\"2024-11-10\"}"},
        {.rule = "§2.5 forced time", .request = ATTRIBUTES("{" U "\"when\":\"12/1/2021\"}"), .status = 201, .who = "u", .custom = "{\"when\":\"2021-12-01T00:00:00.000Z\"}"},
        {.rule = "§2.5 forced time from another text", .request = ATTRIBUTES("{" U "\"when\":\"soon\"}"), .status = 201, .who = "u", .profile = "{\"custom_attributes\":null}", .note = "ignored"},
        {.rule = "§2.5 forced array from a scalar", .request = ATTRIBUTES("{" U "\"tags\":\"x\"}"), .status = 201, .who = "u", .profile = "{\"custom_attributes\":null}", .note = "ignored"},
        {.rule = "§2.5 null removes a forced attribute", .before = {ATTRIBUTES("{" U "\"age\":4}")}, .request = ATTRIBUTES("{" U "\"age\":null}"), .status = 201, .who = "u", .profile = "{\"custom_attributes\":null}"},
        {.rule = "§2.5 a blocked attribute is dropped", .request = ATTRIBUTES("{" U "\"secret\":1,\"a\":1}"), .status = 201, .who = "u", .custom = "{\"secret\":null,\"a\":1}", .note = "blocked"},
    };
    /* clang-format on */
    struct sandbox_options options = {
        .api_key = STR(SANDBOX_API_KEY_DEFAULT),
        .workspace = STR("{\"attribute_types\":{\"flag\":\"boolean\",\"age\":\"number\",\"code\":"
                         "\"string\",\"when\":\"time\","
                         "\"tags\":\"array\"},\"blocklist\":{\"attributes\":[\"secret\"]}}"),
    };
    harness_rows(rows, countof(rows), options);
}

static void nested_attributes_are_replaced_merged_or_dropped_whole(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct row rows[] = {
        {.rule = "§2.6 an object replaces the one before", .before = {ATTRIBUTES("{" U "\"a\":{\"x\":1,\"y\":2}}")}, .request = ATTRIBUTES("{" U "\"a\":{\"x\":3}}"), .status = 201, .who = "u", .custom = "{\"a\":{\"x\":3}}"},
        {.rule = "§2.6 _merge_objects merges at every level", .before = {ATTRIBUTES("{" U "\"a\":{\"x\":1,\"in\":{\"p\":1,\"q\":2}}}")}, .request = ATTRIBUTES("{" U "\"_merge_objects\":true,\"a\":{\"y\":2,\"in\":{\"q\":3}}}"), .status = 201, .who = "u", .custom = "{\"a\":{\"x\":1,\"in\":{\"p\":1,\"q\":3},\"y\":2},\"_merge_objects\":null}"},
        {.rule = "§2.6 null deletes the whole", .before = {ATTRIBUTES("{" U "\"a\":{\"x\":1},\"b\":1}")}, .request = ATTRIBUTES("{" U "\"a\":null}"), .status = 201, .who = "u", .custom = "{\"a\":null,\"b\":1}"},
        {.rule = "§2.6 a null inside drops the update", .before = {ATTRIBUTES("{" U "\"a\":{\"x\":1}}")}, .request = ATTRIBUTES("{" U "\"_merge_objects\":true,\"a\":{\"y\":2,\"x\":null}}"), .status = 201, .answer = ONE_ATTRIBUTE, .who = "u", .custom = "{\"a\":{\"x\":1}}", .note = "dropped"},
        {.rule = "§2.6 dates are $time", .request = ATTRIBUTES("{" U "\"a\":{\"at\":{\"$time\":\"2024-11-10\"}}}"), .status = 201, .who = "u", .custom = "{\"a\":{\"at\":\"2024-11-10T00:00:00.000Z\"}}"},
        {.rule = "§2.6 a badly formed $time drops the update", .request = ATTRIBUTES("{" U "\"a\":{\"at\":{\"$time\":\"soon\"},\"x\":1}}"), .status = 201, .who = "u", .profile = "{\"custom_attributes\":null}", .note = "dropped"},
        {.rule = "§2.6 a year above 3000 is not stored", .request = ATTRIBUTES("{" U "\"a\":{\"at\":{\"$time\":\"3001-01-01\"},\"x\":1}}"), .status = 201, .who = "u", .custom = "{\"a\":{\"x\":1}}"},
        {.rule = "§2.6 a date text inside stays a text", .request = ATTRIBUTES("{" U "\"a\":{\"at\":\"2024-11-10\"}}"), .status = 201, .who = "u", .custom = "{\"a\":{\"at\":\"2024-11-10\"}}"},
        {.rule = "§2.6 a key with a dot", .request = ATTRIBUTES("{" U "\"a\":{\"x.y\":1}}"), .status = 201, .who = "u", .profile = "{\"custom_attributes\":null}", .note = "dropped"},
        {.rule = "§2.6 a key with a $", .request = ATTRIBUTES("{" U "\"a\":{\"$x\":1,\"y\":2}}"), .status = 201, .who = "u", .profile = "{\"custom_attributes\":null}", .note = "dropped"},
        {.rule = "§2.6 a key with a space", .request = ATTRIBUTES("{" U "\"a\":{\"x y\":1}}"), .status = 201, .who = "u", .profile = "{\"custom_attributes\":null}", .note = "dropped"},
        {.rule = "§2.6 an array of objects", .request = ATTRIBUTES("{" U "\"a\":[{\"id\":1},{\"id\":1}]}"), .status = 201, .who = "u", .custom = "{\"a\":[{\"id\":1},{\"id\":1}]}"},
        {.rule = "§2.6 $add appends without uniqueness", .before = {ATTRIBUTES("{" U "\"a\":[{\"id\":1}]}")}, .request = ATTRIBUTES("{" U "\"a\":{\"$add\":[{\"id\":1},{\"id\":2}]}}"), .status = 201, .who = "u", .custom = "{\"a\":[{\"id\":1},{\"id\":1},{\"id\":2}]}"},
        {.rule = "§2.6 $add on nothing", .request = ATTRIBUTES("{" U "\"a\":{\"$add\":[{\"id\":1}]}}"), .status = 201, .who = "u", .custom = "{\"a\":[{\"id\":1}]}"},
        {.rule = "§2.6 $remove takes every match", .before = {ATTRIBUTES("{" U "\"a\":[{\"id\":4},{\"id\":5},{\"id\":4}]}")}, .request = ATTRIBUTES("{" U "\"a\":{\"$remove\":[{\"$identifier_key\":\"id\",\"$identifier_value\":4}]}}"), .status = 201, .who = "u", .custom = "{\"a\":[{\"id\":5}]}"},
        {.rule = "§2.6 $update replaces", .before = {ATTRIBUTES("{" U "\"a\":[{\"id\":4,\"x\":1}]}")}, .request = ATTRIBUTES("{" U "\"a\":{\"$update\":[{\"$identifier_key\":\"id\",\"$identifier_value\":4,\"$new_object\":{\"id\":4,\"y\":2}}]}}"), .status = 201, .who = "u", .custom = "{\"a\":[{\"id\":4,\"y\":2}]}"},
        {.rule = "§2.6 $update merges with _merge_objects", .before = {ATTRIBUTES("{" U "\"a\":[{\"id\":4,\"x\":1}]}")}, .request = ATTRIBUTES("{" U "\"_merge_objects\":true,\"a\":{\"$update\":[{\"$identifier_key\":\"id\",\"$identifier_value\":4,\"$new_object\":{\"y\":2}}]}}"), .status = 201, .who = "u", .custom = "{\"a\":[{\"id\":4,\"x\":1,\"y\":2}]}"},
        {.rule = "§2.6 the order is add, remove, update: no upsert", .before = {ATTRIBUTES("{" U "\"a\":[{\"id\":4,\"x\":1}]}")}, .request = ATTRIBUTES("{" U "\"a\":{\"$remove\":[{\"$identifier_key\":\"id\",\"$identifier_value\":4}],\"$add\":[{\"id\":4,\"x\":2}]}}"), .status = 201, .who = "u", .custom = "{\"a\":[]}"},
        {.rule = "§2.6 no match is no change", .before = {ATTRIBUTES("{" U "\"a\":[{\"id\":4}]}")}, .request = ATTRIBUTES("{" U "\"a\":{\"$update\":[{\"$identifier_key\":\"id\",\"$identifier_value\":5,\"$new_object\":{\"id\":5}}]}}"), .status = 201, .who = "u", .custom = "{\"a\":[{\"id\":4}]}"},
        {.rule = "§2.6 a selector without a key drops the update", .before = {ATTRIBUTES("{" U "\"a\":[{\"id\":4}]}")}, .request = ATTRIBUTES("{" U "\"a\":{\"$add\":[{\"id\":5}],\"$remove\":[{\"$identifier_value\":4}]}}"), .status = 201, .who = "u", .custom = "{\"a\":[{\"id\":4}]}", .note = "dropped"},
        {.rule = "§2.6 a null in $new_object drops the update", .before = {ATTRIBUTES("{" U "\"a\":[{\"id\":4}]}")}, .request = ATTRIBUTES("{" U "\"a\":{\"$update\":[{\"$identifier_key\":\"id\",\"$identifier_value\":4,\"$new_object\":{\"x\":null}}]}}"), .status = 201, .who = "u", .custom = "{\"a\":[{\"id\":4}]}", .note = "dropped"},
    };
    /* clang-format on */
    harness_rows(rows, countof(rows), (struct sandbox_options){0});
}

static void put_many(struct buf *out, const char *text, unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        buf_append(out, str_from(text));
}

/* The custom attributes of u after one request made of `before`, `text` repeated, `after`. */
static struct jv attributes_after(struct harness *h, const char *before, const char *text,
                                  unsigned times, const char *after)
{
    struct buf line;
    buf_init(&line, 1 << 22);
    buf_append(&line, STR("POST /users/track {\"attributes\":[{\"external_id\":\"u\","));
    buf_append(&line, str_from(before));
    put_many(&line, text, times);
    buf_append(&line, str_from(after));
    buf_append(&line, STR("}]}"));
    assert_int_equal(harness_call(h, buf_str(&line)), 201);
    buf_fini(&line);
    assert_int_equal(harness_call(h, STR("GET /sandbox/profiles/u")), 200);
    return harness_at(harness_parse(&h->arena, buf_str(&h->answer.body)),
                      "profile.custom_attributes");
}

static void what_is_too_long_is_cut_or_dropped(void **state)
{
    struct harness h;
    (void)state;
    harness_open(&h, (struct sandbox_options){0});
    /* §2.13: 479 bytes, and no character is cut in two: 239 of two bytes are 478 */
    assert_int_equal(jv_get(attributes_after(&h, "\"a\":\"", "x", 600, "\""), STR("a")).len, 479);
    assert_int_equal(jv_get(attributes_after(&h, "\"b\":\"", "\xc3\xa9", 600, "\""), STR("b")).len,
                     478);
    struct jv named = attributes_after(&h, "\"", "n", 500, "\":1");
    assert_int_equal(named.members[named.len - 1].key.len, 479);
    /* §2.13: 255 characters inside objects, else the update is dropped */
    assert_int_equal(jv_get(attributes_after(&h, "\"c\":{\"k\":\"", "x", 255, "\"}"), STR("c")).len,
                     1);
    assert_int_equal(
        jv_get(attributes_after(&h, "\"d\":{\"k\":\"", "x", 256, "\"}"), STR("d")).type,
        JV_UNDEFINED);
    /* §2.6: 100 KB */
    assert_int_equal(
        jv_get(attributes_after(&h, "\"e\":[{\"k\":1}", ",{\"k\":1}", 12000, "]"), STR("e")).len,
        12001);
    assert_int_equal(
        jv_get(attributes_after(&h, "\"f\":[{\"k\":1}", ",{\"k\":1}", 13000, "]"), STR("f")).type,
        JV_UNDEFINED);
    /* §8.2-35: 50 levels */
    assert_int_equal(
        jv_get(attributes_after(&h, "\"g\":{\"k\":", "[", 60,
                                "1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}"),
               STR("g"))
            .type,
        JV_UNDEFINED);
    harness_close(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(standard_fields_are_normalised_or_left_alone),
        cmocka_unit_test(subscription_groups_and_push_tokens_are_checked),
        cmocka_unit_test(custom_attributes_keep_their_types),
        cmocka_unit_test(forced_types_convert_or_ignore),
        cmocka_unit_test(nested_attributes_are_replaced_merged_or_dropped_whole),
        cmocka_unit_test(what_is_too_long_is_cut_or_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
