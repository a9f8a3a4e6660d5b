#include "units.h"

#include "unit.h"

static void durations_and_sizes_have_units(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool ok;
        int64_t ms;
    } times[] = {
        {"500ms", true, 500},
        {"1s", true, 1000},
        {" 5 m ", true, 300000},
        {"4h", true, 14400000},
        {"7d", true, 604800000},
        {"0", true, 0},
        {"5", false, 0},
        {"", false, 0},
        {"s", false, 0},
        {"-1s", false, 0},
        {"1.5s", false, 0},
        {"99999999999999999999s", false, 0},
        {"9223372036854775807d", false, 0},
    };
    for (size_t i = 0; i < countof(times); i++) {
        int64_t ms = -1;
        assert_int_equal(units_duration_ms(str_from(times[i].text), &ms), times[i].ok);
        if (times[i].ok)
            assert_int_equal(ms, times[i].ms);
    }
    int64_t bytes;
    assert_true(units_bytes(STR("2GB"), &bytes));
    assert_int_equal(bytes, INT64_C(2) << 30);
    assert_true(units_bytes(STR("4096"), &bytes));
    assert_int_equal(bytes, 4096);
    assert_false(units_bytes(STR("4 parsecs"), &bytes));
}

static void rates_are_counts_per_duration(void **state)
{
    (void)state;
    int64_t count;
    int64_t per_ms;
    assert_true(units_rate(STR("3000/3s"), &count, &per_ms));
    assert_int_equal(count, 3000);
    assert_int_equal(per_ms, 3000);
    assert_false(units_rate(STR("3000"), &count, &per_ms));
    assert_false(units_rate(STR("0/1s"), &count, &per_ms));
    assert_false(units_rate(STR("10/0"), &count, &per_ms));
}

static void numbers_are_written_in_the_largest_unit_without_a_fraction(void **state)
{
    (void)state;
    static const struct {
        int64_t number;
        const char *duration;
        const char *bytes;
    } rows[] = {
        {0, "0", "0"},
        {999, "999ms", "999B"},
        {60000, "1m", "60000B"},
        {90000, "90s", "90000B"},
        {86400000, "1d", "84375KB"},
        {65536, "65536ms", "64KB"},
        {INT64_C(1) << 44, "17592186044416ms", "16TB"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        char text[UNITS_TEXT_BYTES];
        units_write_duration(text, rows[i].number);
        assert_string_equal(text, rows[i].duration);
        units_write_bytes(text, rows[i].number);
        assert_string_equal(text, rows[i].bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_and_sizes_have_units),
        cmocka_unit_test(rates_are_counts_per_duration),
        cmocka_unit_test(numbers_are_written_in_the_largest_unit_without_a_fraction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
