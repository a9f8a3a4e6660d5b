#include "base64.h"

#include "unit.h"

static void both_alphabets_decode_with_or_without_padding(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *decoded; /* NULL: refused */
    } rows[] = {
        {"", ""},
        {"V0tfVEVTVDo=", "WK_TEST:"},
        {"V0tfVEVTVDo", "WK_TEST:"},
        {"YQ==", "a"},
        {"YWI=", "ab"},
        {"YWJj", "abc"},
        {"Pz8_", "???"},
        {"Pz8/", "???"},
        {"Pn5-", ">~~"},
        {"Pn5+", ">~~"},
        {"Y", NULL},
        {"YW J", NULL},
        {"Y=Jj", NULL},
        {"YWJj!", NULL},
    };
    struct arena arena;
    arena_init(&arena, 1 << 16);
    for (size_t i = 0; i < countof(rows); i++) {
        struct str out;
        bool ok = base64_decode(str_from(rows[i].text), &arena, &out);
        assert_int_equal(ok, rows[i].decoded != NULL);
        if (ok && !str_eq(out, str_from(rows[i].decoded)))
            fail_msg("%s: wrong bytes", rows[i].text);
    }
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_alphabets_decode_with_or_without_padding)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
