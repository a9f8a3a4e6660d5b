#include "harness.h"

/* docs/spec/braze-rest-api.md §2.2, §2.3, §7.1, §7.5 */
#define NOBODY  "'external_id', 'braze_id', 'user_alias', 'email' or 'phone' is required"
#define SEVERAL "only one of 'external_id', 'braze_id' or 'user_alias' is allowed"
#define ALIAS   "\"user_alias\":{\"alias_name\":\"n\",\"alias_label\":\"l\"}"

static void an_object_is_whom_its_identifier_says(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct row rows[] = {
        {.rule = "§2.2 no identifier", .request = ATTRIBUTES("{\"a\":1}"), .status = 400, .answer = REFUSED(NOBODY, "attributes")},
        {.rule = "§2.2 two primary identifiers", .request = ATTRIBUTES("{\"external_id\":\"u\"," ALIAS "}"), .status = 400, .answer = REFUSED(SEVERAL, "attributes")},
        {.rule = "§2.2 external_id and braze_id", .request = EVENTS("{\"external_id\":\"u\",\"braze_id\":\"b\",\"name\":\"e\"," T "}"), .status = 400, .answer = REFUSED(SEVERAL, "events")},
        {.rule = "§2.2 alias and braze_id", .request = ATTRIBUTES("{\"braze_id\":\"u\"," ALIAS "}"), .status = 400, .answer = REFUSED(SEVERAL, "attributes")},
        {.rule = "§8.2-26 an empty text is no identifier", .request = ATTRIBUTES("{\"external_id\":\"\",\"email\":\"\"}"), .status = 400, .answer = REFUSED(NOBODY, "attributes")},
        {.rule = "§8.2-26 an empty id beside an email", .request = ATTRIBUTES("{\"external_id\":\"\",\"email\":\"a@b.co\",\"a\":1}"), .status = 201, .who = "a@b.co", .custom = "{\"a\":1}"},
        {.rule = "§2.2 null is no identifier", .request = ATTRIBUTES("{\"external_id\":null}"), .status = 400, .answer = REFUSED(NOBODY, "attributes")},
        {.rule = "§8.2-37 a whole number is an id as text", .request = ATTRIBUTES("{\"external_id\":12345678901234567890,\"a\":1}"), .status = 400, .answer = REFUSED(NOBODY, "attributes")},
        {.rule = "§8.2-37 a whole number beyond a double", .request = ATTRIBUTES("{\"external_id\":9007199254740993,\"a\":1}"), .status = 201, .who = "9007199254740993", .custom = "{\"a\":1}"},
        {.rule = "§2.2 external ids differ by case", .before = {ATTRIBUTES("{\"external_id\":\"U\",\"a\":1}")}, .request = ATTRIBUTES("{\"external_id\":\"u\",\"a\":2}"), .status = 201, .who = "U", .custom = "{\"a\":1}"},
        {.rule = "§2.2 an alias must be an object", .request = ATTRIBUTES("{\"user_alias\":\"n\"}"), .status = 400},
        {.rule = "§2.2 an alias without a label", .request = ATTRIBUTES("{\"user_alias\":{\"alias_name\":\"n\"}}"), .status = 400},
        {.rule = "§2.2 an alias with an empty name", .request = ATTRIBUTES("{\"user_alias\":{\"alias_name\":\"\",\"alias_label\":\"l\"}}"), .status = 400},
        {.rule = "§2.2 alias names differ by case", .before = {ATTRIBUTES("{" ALIAS ",\"_update_existing_only\":false,\"a\":1}")},
         .request = ATTRIBUTES("{\"user_alias\":{\"alias_name\":\"N\",\"alias_label\":\"l\"},\"a\":2}"), .status = 201, .who = "l:n", .custom = "{\"a\":1}"},
        {.rule = "§2.2 with a primary identifier email and phone are attributes", .request = ATTRIBUTES("{\"external_id\":\"u\",\"email\":\"A@b.co\",\"phone\":\"(555) 123-4567\"}"), .status = 201,
         .who = "u", .profile = "{\"email\":\"A@b.co\",\"phone\":\"+15551234567\"}"},
        {.rule = "§2.2 of email and phone the email identifies", .request = ATTRIBUTES("{\"email\":\"a@b.co\",\"phone\":\"+4915112345678\"}"), .status = 201,
         .who = "a@b.co", .profile = "{\"email\":\"a@b.co\",\"phone\":\"+4915112345678\",\"external_id\":null,\"user_aliases\":[]}"},
        {.rule = "§2.2 an invalid phone identifies nobody", .request = ATTRIBUTES("{\"phone\":\"12\",\"a\":1}"), .status = 400},
        {.rule = "§2.2 an invalid phone as attribute is kept", .request = ATTRIBUTES("{\"external_id\":\"u\",\"phone\":\"12\"}"), .status = 201, .who = "u", .profile = "{\"phone\":\"12\"}", .note = "warning"},
        {.rule = "§2.2 in events email carries no meaning beside an id", .request = EVENTS("{\"external_id\":\"u\",\"email\":\"bad\",\"name\":\"e\"," T "}"), .status = 201, .who = "u", .profile = "{\"email\":null}"},
        {.rule = "§2.2 a bad email as identifier", .request = EVENTS("{\"email\":\"bad\",\"name\":\"e\"," T "}"), .status = 400, .answer = REFUSED("The value provided for the 'email' field is not a valid email.", "events")},
        {.rule = "§8.2-17 a bad email ignored when chosen", .choice = "invalid-email=ignore", .request = ATTRIBUTES("{\"external_id\":\"u\",\"email\":\"bad\",\"a\":1}"), .status = 201, .who = "u", .profile = "{\"email\":null}", .custom = "{\"a\":1}", .note = "ignored"},
        {.rule = "§7.1 emails compare without case", .before = {ATTRIBUTES("{\"email\":\"Ada@B.co\",\"a\":1}")}, .request = ATTRIBUTES("{\"email\":\"ada@b.CO\",\"b\":2}"), .status = 201, .who = "ada@b.co", .custom = "{\"a\":1,\"b\":2}"},
        {.rule = "§2.2 an unknown braze_id stores nothing", .request = ATTRIBUTES("{\"braze_id\":\"0123456789abcdef01234567\",\"a\":1}"), .status = 201, .answer = ONE_ATTRIBUTE, .who = "0123456789abcdef01234567", .note = "not-found"},
        {.rule = "§2.2 a blocked id", .request = ATTRIBUTES("{\"external_id\":\"blocked\"}"), .status = 400, .answer = REFUSED("provided external_id is blacklisted and disallowed", "attributes")},
    };
    /* clang-format on */
    struct sandbox_options options = {
        .api_key = STR(SANDBOX_API_KEY_DEFAULT),
        .workspace = STR("{\"blocklist\":{\"external_ids\":[\"blocked\"]}}"),
    };
    harness_rows(rows, countof(rows), options);
}

static void update_only_follows_the_identifier(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct row rows[] = {
        {.rule = "§2.3 external_id creates", .request = ATTRIBUTES("{\"external_id\":\"u\",\"a\":1}"), .status = 201, .who = "u", .custom = "{\"a\":1}"},
        {.rule = "§2.3 external_id, true: nothing", .request = ATTRIBUTES("{\"external_id\":\"u\",\"_update_existing_only\":true,\"a\":1}"), .status = 201, .answer = ONE_ATTRIBUTE, .who = "u", .note = "not-found"},
        {.rule = "§2.3 external_id, true, known", .before = {ATTRIBUTES("{\"external_id\":\"u\"}")}, .request = ATTRIBUTES("{\"external_id\":\"u\",\"_update_existing_only\":true,\"a\":1}"), .status = 201, .who = "u", .custom = "{\"a\":1}"},
        {.rule = "§2.3 alias, absent: nothing", .request = ATTRIBUTES("{" ALIAS ",\"a\":1}"), .status = 201, .answer = ONE_ATTRIBUTE, .who = "l:n", .note = "not-found"},
        {.rule = "§2.3 alias, false: an alias-only profile", .request = ATTRIBUTES("{" ALIAS ",\"_update_existing_only\":false,\"a\":1}"), .status = 201, .who = "l:n", .profile = "{\"user_aliases\":[{\"alias_name\":\"n\",\"alias_label\":\"l\"}],\"external_id\":null}", .custom = "{\"a\":1}"},
        {.rule = "§8.2-24 alias in an event, false: honoured", .request = EVENTS("{" ALIAS ",\"_update_existing_only\":false,\"name\":\"e\"," T "}"), .status = 201, .who = "l:n", .profile = "{}"},
        {.rule = "§2.3 alias in an event, false, when update-only is chosen", .choice = "event-alias=update-only", .request = EVENTS("{" ALIAS ",\"_update_existing_only\":false,\"name\":\"e\"," T "}"), .status = 201, .answer = ONE_EVENT, .who = "l:n"},
        {.rule = "§2.3 alias in a purchase, absent: nothing", .request = PURCHASES("{" ALIAS ",\"product_id\":\"p\",\"currency\":\"USD\",\"price\":1," T "}"), .status = 201, .answer = ONE_PURCHASE, .who = "l:n"},
        {.rule = "§2.3 email creates", .request = EVENTS("{\"email\":\"a@b.co\",\"name\":\"e\"," T "}"), .status = 201, .who = "a@b.co", .profile = "{\"email\":\"a@b.co\"}"},
        {.rule = "§2.3 email, true: nothing", .request = EVENTS("{\"email\":\"a@b.co\",\"_update_existing_only\":true,\"name\":\"e\"," T "}"), .status = 201, .who = "a@b.co"},
        {.rule = "§2.3 the flag itself is no attribute", .request = ATTRIBUTES("{\"external_id\":\"u\",\"_update_existing_only\":false,\"a\":1}"), .status = 201, .who = "u", .custom = "{\"_update_existing_only\":null,\"a\":1}"},
    };
    /* clang-format on */
    harness_rows(rows, countof(rows), (struct sandbox_options){0});
}

static void an_address_of_several_profiles_means_the_newest_identified_one(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct row rows[] = {
        {.rule = "§2.2 the most recently updated with an external_id", .status = 201,
         .before = {ATTRIBUTES("{\"external_id\":\"old\",\"email\":\"a@b.co\"}"), ATTRIBUTES("{\"external_id\":\"new\",\"email\":\"a@b.co\"}"),
                    ATTRIBUTES("{\"external_id\":\"old\",\"x\":1}")},
         .request = ATTRIBUTES("{\"email\":\"a@b.co\",\"hit\":1}"), .who = "old", .custom = "{\"hit\":1}"},
        {.rule = "§7.5 an email-only profile and a new external_id are two profiles", .status = 201,
         .before = {ATTRIBUTES("{\"email\":\"a@b.co\",\"a\":1}")},
         .request = ATTRIBUTES("{\"external_id\":\"u\",\"email\":\"a@b.co\"}"), .who = "u", .custom = "{\"a\":null}", .profile = "{\"email\":\"a@b.co\",\"custom_attributes\":null}"},
        {.rule = "§7.5 later writes by that email reach the identified one", .status = 201,
         .before = {ATTRIBUTES("{\"email\":\"a@b.co\",\"a\":1}"), ATTRIBUTES("{\"external_id\":\"u\",\"email\":\"a@b.co\"}")},
         .request = ATTRIBUTES("{\"email\":\"a@b.co\",\"hit\":1}"), .who = "u", .custom = "{\"hit\":1}"},
        {.rule = "§7.5 two users, one email in one request: one profile", .status = 201,
         .request = ATTRIBUTES("{\"email\":\"a@b.co\",\"a\":1},{\"email\":\"a@b.co\",\"b\":2}"), .who = "a@b.co", .custom = "{\"a\":1,\"b\":2}"},
        {.rule = "§2.2 a changed email no longer leads to the profile", .status = 201,
         .before = {ATTRIBUTES("{\"external_id\":\"u\",\"email\":\"a@b.co\"}"), ATTRIBUTES("{\"external_id\":\"u\",\"email\":\"c@d.co\"}")},
         .request = ATTRIBUTES("{\"email\":\"a@b.co\",\"hit\":1}"), .who = "u", .profile = "{\"email\":\"c@d.co\",\"custom_attributes\":null}"},
        {.rule = "§2.2 phone works as email does", .status = 201,
         .before = {ATTRIBUTES("{\"external_id\":\"u\",\"phone\":\"+15551234567\"}")},
         .request = ATTRIBUTES("{\"phone\":\"555-123-4567\",\"hit\":1}"), .who = "u", .custom = "{\"hit\":1}"},
        {.rule = "§2.2 a renamed id leads to the profile that carries the new one", .status = 201,
         .before = {ATTRIBUTES("{\"external_id\":\"a\"}"), "POST /users/external_ids/rename {\"external_id_renames\":[{\"current_external_id\":\"a\",\"new_external_id\":\"b\"}]}"},
         .request = ATTRIBUTES("{\"external_id\":\"a\",\"hit\":1}"), .who = "b", .custom = "{\"hit\":1}", .profile = "{\"external_id\":\"b\"}"},
    };
    /* clang-format on */
    harness_rows(rows, countof(rows), (struct sandbox_options){0});
}

static void identifiers_have_their_lengths(void **state)
{
    static const struct {
        const char *before;
        unsigned bytes;
        const char *after;
        unsigned status;
    } rows[] = {
        {"{\"external_id\":\"", 987, "\"}", 201},
        {"{\"external_id\":\"", 988, "\"}", 400},
        {"{\"user_alias\":{\"alias_label\":\"l\",\"alias_name\":\"", 236, "\"}}", 201},
        {"{\"user_alias\":{\"alias_label\":\"l\",\"alias_name\":\"", 237, "\"}}", 400},
        {"{\"user_alias\":{\"alias_name\":\"n\",\"alias_label\":\"", 236, "\"}}", 201},
        {"{\"user_alias\":{\"alias_name\":\"n\",\"alias_label\":\"", 237, "\"}}", 400},
    };
    (void)state;
    for (size_t i = 0; i < countof(rows); i++) {
        struct harness h;
        struct buf line;
        harness_open(&h, (struct sandbox_options){0});
        buf_init(&line, 1 << 16);
        buf_printf(&line, "POST /users/track {\"attributes\":[%s", rows[i].before);
        for (unsigned n = 0; n < rows[i].bytes; n++)
            buf_putc(&line, 'x');
        buf_printf(&line, "%s]}", rows[i].after);
        assert_int_equal(harness_call(&h, buf_str(&line)), rows[i].status);
        buf_fini(&line);
        harness_close(&h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_object_is_whom_its_identifier_says),
        cmocka_unit_test(update_only_follows_the_identifier),
        cmocka_unit_test(an_address_of_several_profiles_means_the_newest_identified_one),
        cmocka_unit_test(identifiers_have_their_lengths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
