#include "str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_str(struct str got, const char *expected)
{
    if (!str_eq(got, str_from(expected)))
        fail_msg("got \"%.*s\", expected \"%s\"", STR_ARG(got), expected);
}

static void equality_is_of_bytes_and_length(void **state)
{
    (void)state;
    static const struct {
        struct str a;
        struct str b;
        bool eq;
        bool eq_nocase;
    } rows[] = {
        {STR_INIT(""), {NULL, 0}, true, true},
        {STR_INIT("abc"), STR_INIT("abc"), true, true},
        {STR_INIT("abc"), STR_INIT("ABC"), false, true},
        {STR_INIT("abc"), STR_INIT("ab"), false, false},
        {STR_INIT("a\0b"), STR_INIT("a\0c"), false, false},
        {STR_INIT("Content-Type"), STR_INIT("content-type"), false, true},
        {STR_INIT("@["), STR_INIT("`{"), false,
         false}, /* neighbours of the letters are no letters */
        {STR_INIT("\xc3\x89"), STR_INIT("\xc3\xa9"), false, false}, /* ASCII only */
    };
    for (size_t i = 0; i < countof(rows); i++) {
        assert_int_equal(str_eq(rows[i].a, rows[i].b), rows[i].eq);
        assert_int_equal(str_eq(rows[i].b, rows[i].a), rows[i].eq);
        assert_int_equal(str_eq_nocase(rows[i].a, rows[i].b), rows[i].eq_nocase);
    }
}

static void order_is_of_unsigned_bytes_and_a_prefix_comes_first(void **state)
{
    (void)state;
    static const struct str sorted[] = {
        {NULL, 0},      STR_INIT("\0"), STR_INIT("a"),    STR_INIT("a\0"),      STR_INIT("a\0b"),
        STR_INIT("ab"), STR_INIT("b"),  STR_INIT("\x7f"), STR_INIT("\xc3\xa9"), STR_INIT("\xff"),
    };
    for (size_t i = 0; i < countof(sorted); i++) {
        for (size_t j = 0; j < countof(sorted); j++) {
            int order = str_cmp(sorted[i], sorted[j]);
            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
        }
    }
}

static void starts_and_ends_look_at_whole_affixes(void **state)
{
    (void)state;
    static const struct {
        struct str text;
        struct str affix;
        bool starts;
        bool ends;
    } rows[] = {
        {{NULL, 0}, {NULL, 0}, true, true},
        {{NULL, 0}, STR_INIT("a"), false, false},
        {STR_INIT("abc"), {NULL, 0}, true, true},
        {STR_INIT("abc"), STR_INIT("ab"), true, false},
        {STR_INIT("abc"), STR_INIT("bc"), false, true},
        {STR_INIT("abc"), STR_INIT("abc"), true, true},
        {STR_INIT("abc"), STR_INIT("abcd"), false, false},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        assert_int_equal(str_starts(rows[i].text, rows[i].affix), rows[i].starts);
        assert_int_equal(str_ends(rows[i].text, rows[i].affix), rows[i].ends);
    }
}

static void slices_are_clamped_to_the_text(void **state)
{
    (void)state;
    static const struct {
        size_t from;
        size_t to;
        const char *expected;
    } rows[] = {
        {0, 5, "hello"}, {1, 3, "el"}, {0, 99, "hello"}, {3, 1, ""},
        {5, 5, ""},      {9, 12, ""},  {0, 0, ""},       {4, SIZE_MAX, "o"},
    };
    for (size_t i = 0; i < countof(rows); i++)
        assert_str(str_slice(STR("hello"), rows[i].from, rows[i].to), rows[i].expected);
    assert_int_equal(str_slice((struct str){NULL, 0}, 2, 3).len, 0);
}

static void find_gives_the_first_place_or_the_length(void **state)
{
    (void)state;
    assert_int_equal(str_find(STR("a=b=c"), '='), 1);
    assert_int_equal(str_find(STR("abc"), '='), 3);
    assert_int_equal(str_find(STR("a\0b"), '\0'), 1);
    assert_int_equal(str_find((struct str){NULL, 0}, '='), 0);
}

static void trim_removes_ascii_space_at_both_ends_only(void **state)
{
    (void)state;
    static const struct {
        struct str in;
        const char *expected;
    } rows[] = {
        {{NULL, 0}, ""},
        {STR_INIT(" \t\r\n\v\f"), ""},
        {STR_INIT("  a b\n"), "a b"},
        {STR_INIT("a"), "a"},
        {STR_INIT("\x08 a"), "\x08 a"},
        {STR_INIT("\xc2\xa0"), "\xc2\xa0"}, /* no-break space */
    };
    for (size_t i = 0; i < countof(rows); i++)
        assert_str(str_trim(rows[i].in), rows[i].expected);
}

static void a_cut_never_splits_a_character(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        size_t bytes_max;
        size_t expected;
    } rows[] = {
        {"abc", 3, 3},
        {"abc", 99, 3},
        {"abc", 2, 2},
        {"abc", 0, 0},
        {"\xc3\xa9x", 1, 0},
        {"\xc3\xa9x", 2, 2},
        {"a\xf0\x9f\x98\x80", 4, 1},
        {"a\xf0\x9f\x98\x80", 5, 5},
        {"\x80\x80\x80", 2, 0}, /* not UTF-8: nothing is better than too much */
    };
    for (size_t i = 0; i < countof(rows); i++)
        assert_int_equal(str_utf8_cut(str_from(rows[i].in), rows[i].bytes_max), rows[i].expected);
}

static void the_nearest_name_is_a_likely_slip_or_nothing(void **state)
{
    (void)state;
    static const struct str names[] = {
        STR_INIT("listen"),       STR_INIT("data"),          STR_INIT("sources"),
        STR_INIT("destinations"), STR_INIT("subscriptions"), STR_INIT("id"),
    };
    static const struct {
        const char *text;
        const char *expected;
    } rows[] = {
        {"lisen", "listen"},
        {"Listen", "listen"},
        {"source", "sources"},
        {"destination", "destinations"},
        {"subscription", "subscriptions"},
        {"dta", "data"},
        {"idd", "id"},
        {"i", ""}, /* one letter says nothing */
        {"x", ""},
        {"", ""},
        {"zz", ""},
        {"completely-else", ""},
    };
    for (size_t i = 0; i < countof(rows); i++)
        assert_str(str_nearest(str_from(rows[i].text), names, countof(names)), rows[i].expected);
    assert_int_equal(str_nearest(STR("listen"), NULL, 0).len, 0);
}

static void overlong_names_are_left_out_of_the_search(void **state)
{
    (void)state;
    char text[80];
    memset(text, 'a', sizeof(text));
    const struct str names[] = {{text, sizeof(text)}, {text, 64}};
    assert_int_equal(str_nearest((struct str){text, 65}, names, 2).len, 0);
    assert_int_equal(str_nearest((struct str){text, 63}, names, 2).len, 64);
}

static void places_follow_each_other(void **state)
{
    (void)state;
    char bytes[8] = "........";
    char *at = bytes;
    struct str first = str_place(&at, STR("abc"));
    struct str none = str_place(&at, (struct str){NULL, 0});
    struct str last = str_place(&at, STR("de"));
    assert_true(str_eq(first, STR("abc")) && none.len == 0 && str_eq(last, STR("de")));
    assert_ptr_equal(at, bytes + 5);
    assert_memory_equal(bytes, "abcde...", 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equality_is_of_bytes_and_length),
        cmocka_unit_test(order_is_of_unsigned_bytes_and_a_prefix_comes_first),
        cmocka_unit_test(starts_and_ends_look_at_whole_affixes),
        cmocka_unit_test(slices_are_clamped_to_the_text),
        cmocka_unit_test(find_gives_the_first_place_or_the_length),
        cmocka_unit_test(trim_removes_ascii_space_at_both_ends_only),
        cmocka_unit_test(a_cut_never_splits_a_character),
        cmocka_unit_test(places_follow_each_other),
        cmocka_unit_test(the_nearest_name_is_a_likely_slip_or_nothing),
        cmocka_unit_test(overlong_names_are_left_out_of_the_search),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
