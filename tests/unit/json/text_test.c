#include "text.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "../json_scene.h"

static void assert_str(struct str got, const char *expected)
{
    if (!str_eq(got, str_from(expected)))
        fail_msg("got %.*s, expected %s", STR_ARG(got), expected);
}

static void case_folding_knows_the_special_cases(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        const char *lower;
        const char *upper;
    } rows[] = {
        {"aBc1", "abc1", "ABC1"},
        {"\xC3\x9F", "\xC3\x9F", "SS"},                               /* sharp s */
        {"\xEF\xAC\x81", "\xEF\xAC\x81", "FI"},                       /* the ligature fi */
        {"\xC4\xB0", "i\xCC\x87", "\xC4\xB0"},                        /* I with a dot */
        {"\xCE\x91\xCE\xA3", "\xCE\xB1\xCF\x82", "\xCE\x91\xCE\xA3"}, /* final sigma */
        {"\xCE\x91\xCE\xA3\xCE\x92", "\xCE\xB1\xCF\x83\xCE\xB2", "\xCE\x91\xCE\xA3\xCE\x92"},
        {"\xCE\x91\xCE\xA3'\xCE\x92", "\xCE\xB1\xCF\x83'\xCE\xB2", "\xCE\x91\xCE\xA3'\xCE\x92"},
        {"\xCE\x91\xCE\xA3\xCA\xB0", "\xCE\xB1\xCF\x82\xCA\xB0", "\xCE\x91\xCE\xA3\xCA\xB0"},
        {"\xCF\x82 '\xCE\xA3", "\xCF\x82 '\xCF\x83", "\xCE\xA3 '\xCE\xA3"},
        {"\xCE\x90", "\xCE\x90", "\xCE\x99\xCC\x88\xCC\x81"},         /* grows threefold */
        {"\xF0\x90\x90\x80", "\xF0\x90\x90\xA8", "\xF0\x90\x90\x80"}, /* beyond the BMP */
        {"", "", ""},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        assert_str(text_lower(&arena, str_from(rows[i].in)), rows[i].lower);
        assert_str(text_upper(&arena, str_from(rows[i].in)), rows[i].upper);
    }
}

static void numbers_follow_the_grammar_of_javascript(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        double expected;
    } rows[] = {
        {"", 0},
        {" ", 0},
        {"5", 5},
        {" 7 ", 7},
        {"\t5\n", 5},
        {".5", .5},
        {"5.", 5},
        {"1e3", 1000},
        {"-0x10", NAN},
        {"0x10", 16},
        {"0b101", 5},
        {"0o17", 15},
        {"0x", NAN},
        {"0b2", NAN},
        {"00012", 12},
        {"Infinity", INFINITY},
        {"-Infinity", -INFINITY},
        {"1e400", INFINITY},
        {"NaN", NAN},
        {"1_000", NAN},
        {"1,000", NAN},
        {"--5", NAN},
        {"5e", NAN},
        {".", NAN},
        {"+5", 5},
        {"infinity", NAN},
        {"9007199254740993", 9007199254740992},
        {"0x20000000000001", 9007199254740992},
        {"0x20000000000003", 9007199254740996},
        {"1e-400", 0},
        {"\xEF\xBC\x95", NAN},
        {"\xC2\xA0"
         "5\xEF\xBB\xBF",
         5},
        {"1e99999999999999999999", INFINITY},
        {"0e99999999999999999999", 0},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        double got = text_to_number(str_from(rows[i].in));
        if (isnan(rows[i].expected) ? !isnan(got) : got != rows[i].expected)
            fail_msg("%s: got %g, expected %g", rows[i].in, got, rows[i].expected);
    }
}

static void many_digits_round_once(void **state)
{
    (void)state;
    char digits[2000];
    memset(digits, '0', sizeof(digits));
    memcpy(digits, "9007199254740993.", 17); /* halfway between two doubles, until the last digit */
    assert_true(text_to_number((struct str){digits, sizeof(digits)}) == 9007199254740992.0);
    digits[sizeof(digits) - 1] = '1';
    assert_true(text_to_number((struct str){digits, sizeof(digits)}) == 9007199254740994.0);
}

static void values_become_text_as_string_does(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        const char *expected; /* NULL: throws */
    } rows[] = {
        {"null", "null"},
        {"true", "true"},
        {"-0", "0"},
        {"1e21", "1e+21"},
        {"[1,[2,3],null,{\"a\":1}]", "1,2,3,,[object Object]"},
        {"[]", ""},
        {"[null,null]", ","},
        {"{}", "[object Object]"},
        {"{\"toString\":1}", NULL},
        {"[{\"toString\":1}]", NULL},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct jv v;
        buf_reset(&out);
        assert_int_equal(jv_parse(&v, &arena, str_from(rows[i].in), JV_JAVASCRIPT, NULL), 0);
        assert_int_equal(text_append_value(&out, v), rows[i].expected != NULL);
        if (rows[i].expected != NULL)
            assert_str(buf_str(&out), rows[i].expected);
    }
}

static void loose_emptiness_is_that_of_javascript(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        bool expected;
        bool throws;
    } rows[] = {
        {"false", true, false},
        {"0", true, false},
        {"\"\"", true, false},
        {"[]", true, false},
        {"[[]]", true, false},
        {"[null]", true, false},
        {"[\"\"]", true, false},
        {"\" \"", false, false},
        {"{}", false, false},
        {"[0]", false, false},
        {"[[],[]]", false, false},
        {"true", false, false},
        {"null", false, false},
        {"1", false, false},
        {"{\"toString\":0}", false, true},
        {"[[{\"toString\":0}]]", false, true},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct jv v;
        bool throws;
        assert_int_equal(jv_parse(&v, &arena, str_from(rows[i].in), JV_JAVASCRIPT, NULL), 0);
        if (text_is_loosely_empty(v, &throws) != rows[i].expected || throws != rows[i].throws)
            fail_msg("%s", rows[i].in);
    }
}

static void trimming_takes_unicode_space(void **state)
{
    (void)state;
    assert_str(text_trim(STR("\xEF\xBB\xBF \xC2\xA0 a b\xE2\x80\xA8\n")), "a b");
    assert_str(text_trim(STR(" \t ")), "");
    assert_str(text_trim(STR("\xC3\xA9")), "\xC3\xA9");
}

static void lengths_and_slices_count_utf16_units(void **state)
{
    (void)state;
    struct str text = STR("a\xF0\x9F\x91\x8D\xC3\xA9");
    assert_int_equal(text_units(text), 4);
    assert_int_equal(text_points(text), 3);
    assert_str(text_slice_units(&arena, text, 0, 3), "a\xF0\x9F\x91\x8D");
    assert_str(text_slice_units(&arena, text, 2, 4), "\xEF\xBF\xBD\xC3\xA9");
    assert_str(text_slice_units(&arena, text, 0, 2), "a\xEF\xBF\xBD");
    assert_str(text_slice_units(&arena, text, 4, 9), "");
}

static void regular_expressions_fold_units_apart_from_ascii(void **state)
{
    (void)state;
    assert_int_equal(text_canonical_unit('k'), 'K');
    assert_int_equal(text_canonical_unit(0x212A), 0x212A); /* Kelvin is no K */
    assert_int_equal(text_canonical_unit(0x17F), 0x17F);   /* long s is no S */
    assert_int_equal(text_canonical_unit(0xDF), 0xDF);     /* sharp s has no single upper case */
    assert_int_equal(text_canonical_unit(0x3C2), 0x3A3);   /* final sigma */
    assert_int_equal(text_canonical_unit(0x10428), 0x10428);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(case_folding_knows_the_special_cases),
        cmocka_unit_test(numbers_follow_the_grammar_of_javascript),
        cmocka_unit_test(many_digits_round_once),
        cmocka_unit_test(values_become_text_as_string_does),
        cmocka_unit_test(loose_emptiness_is_that_of_javascript),
        cmocka_unit_test(trimming_takes_unicode_space),
        cmocka_unit_test(lengths_and_slices_count_utf16_units),
        cmocka_unit_test(regular_expressions_fold_units_apart_from_ascii),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
