#include "lookups.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "../json_scene.h"

static struct path path_of(const char *text)
{
    struct path path;
    assert_int_equal(path_compile(&path, &arena, str_from(text), PATH_MAPPING), 0);
    return path;
}

static uint32_t add(struct lookups *l, const char *text)
{
    uint32_t slot;
    assert_int_equal(lookups_add(l, &arena, path_of(text), &slot), 0);
    return slot;
}

static void what_is_found_is_what_each_path_gives_alone(void **state)
{
    (void)state;
    static const char *const paths[] = {
        "userId",
        "properties.name",
        "properties.list",
        "properties.list[1].sku",
        "properties.list.length",
        "properties.name.length",
        "properties.name[0]",
        "properties",
        "properties.off.deeper.still",
        "properties.none.deeper",
        "properties.missing.deeper",
        "properties.emu", /* falls into the bucket of `name` */
        "context.traits['email']",
        "context",
        "0",
        "length",
    };
    static const char *const payloads[] = {
        ("{\"userId\":7,\"properties\":{\"name\":\"h\xC3\xA9\",\"list\":[1,{\"sku\":\"a\"}],"
         "\"off\":false,\"none\":null,\"emu\":1},\"context\":{\"traits\":{\"email\":\"e\"}}}"),
        "{\"properties\":\"text\",\"context\":{\"traits\":[]},\"0\":[2]}",
        "{\"properties\":[{\"name\":1}],\"context\":null,\"userId\":{\"userId\":1}}",
        "{\"properties\":{},\"context\":0}",
        "{}",
        "[[3],{}]",
        "\"text\"",
        "\"\"",
        "null",
        "false",
    };
    struct lookups lookups;
    uint32_t slots[countof(paths)];
    struct jv found[countof(paths)];
    lookups_init(&lookups);
    for (size_t i = 0; i < countof(paths); i++)
        slots[i] = add(&lookups, paths[i]);
    assert_int_equal(lookups.count, countof(paths));
    for (size_t p = 0; p < countof(payloads); p++) {
        struct jv payload;
        struct str text = str_from(payloads[p]);
        assert_int_equal(jv_parse(&payload, &arena, text, JV_JAVASCRIPT, NULL), 0);
        memset(found, 0xff, sizeof(found)); /* of the payload before */
        lookups_find(&lookups, payload, found);
        for (size_t i = 0; i < countof(paths); i++)
            if (!jv_equal(found[slots[i]], path_get(path_of(paths[i]), payload)))
                fail_msg("%s of %s", paths[i], payloads[p]);
    }
}

static void the_same_path_shares_its_slot(void **state)
{
    (void)state;
    struct lookups lookups;
    lookups_init(&lookups);
    uint32_t slot = add(&lookups, "a.b");
    assert_int_not_equal(add(&lookups, "a"), slot);
    assert_int_equal(add(&lookups, "a['b']"), slot);
    assert_int_equal(lookups.count, 2);
}

static void the_payload_itself_and_very_long_paths_are_not_taken_in(void **state)
{
    (void)state;
    char text[2 * (LOOKUP_KEYS_MAX + 1)]; /* "a.a.a" and so on */
    struct lookups lookups;
    lookups_init(&lookups);
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = i % 2 == 0 ? 'a' : '.';
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(path_of(text).count, LOOKUP_KEYS_MAX + 1);
    assert_int_equal(add(&lookups, text), LOOKUP_NONE);
    assert_int_equal(add(&lookups, ""), LOOKUP_NONE);
    assert_int_not_equal(add(&lookups, text + 2), LOOKUP_NONE);
    assert_int_equal(lookups.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_found_is_what_each_path_gives_alone, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_same_path_shares_its_slot, setup, teardown),
        cmocka_unit_test_setup_teardown(the_payload_itself_and_very_long_paths_are_not_taken_in,
                                        setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
