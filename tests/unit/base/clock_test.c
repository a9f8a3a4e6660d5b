#include "clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "str.h"

static void instants_print_as_iso_8601(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *expected;
    } rows[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {-86400000, "1969-12-31T00:00:00.000Z"},
        {1, "1970-01-01T00:00:00.001Z"},
        {951782399999, "2000-02-28T23:59:59.999Z"},
        {951782400000, "2000-02-29T00:00:00.000Z"}, /* 2000 is a leap year */
        {951868800000, "2000-03-01T00:00:00.000Z"},
        {-2203977600000, "1900-02-28T00:00:00.000Z"},
        {-2203891200000, "1900-03-01T00:00:00.000Z"}, /* 1900 is not */
        {1709164800000, "2024-02-29T00:00:00.000Z"},
        {2147483647999, "2038-01-19T03:14:07.999Z"},
        {2147483648000, "2038-01-19T03:14:08.000Z"},
        {253402300799999, "9999-12-31T23:59:59.999Z"},
        {-62135596800000, "0001-01-01T00:00:00.000Z"},
        {-62167219200000, "0000-01-01T00:00:00.000Z"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        char text[ISO_TIME_BYTES + 1] = {0};
        iso_time(text, rows[i].ms);
        assert_string_equal(text, rows[i].expected);
    }
}

static void known_dates_have_known_day_numbers(void **state)
{
    (void)state;
    static const struct {
        int64_t year;
        int month;
        int day;
        int64_t days;
    } rows[] = {
        {1970, 1, 1, 0},       {1969, 12, 31, -1},      {1970, 12, 31, 364}, {2000, 3, 1, 11017},
        {1600, 1, 1, -135140}, {9999, 12, 31, 2932896}, {0, 1, 1, -719528},  {0, 3, 1, -719468},
        {-1, 12, 31, -719529}, {-400, 3, 1, -865565},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        int64_t year;
        int month;
        int day;
        assert_int_equal(days_from_civil(rows[i].year, rows[i].month, rows[i].day), rows[i].days);
        civil_from_days(rows[i].days, &year, &month, &day);
        assert_int_equal(year, rows[i].year);
        assert_int_equal(month, rows[i].month);
        assert_int_equal(day, rows[i].day);
    }
}

static void every_day_of_a_thousand_years_comes_back(void **state)
{
    (void)state;
    int64_t last_year = 0;
    int last_month = 0;
    int last_day = 0;
    for (int64_t days = -250000; days < 150000; days++) {
        int64_t year;
        int month;
        int day;
        civil_from_days(days, &year, &month, &day);
        assert_true(month >= 1 && month <= 12);
        assert_true(day >= 1 && day <= 31);
        assert_int_equal(days_from_civil(year, month, day), days);
        if (days > -250000) { /* the next day, the first of the next month, or New Year */
            bool is_next_day = year == last_year && month == last_month && day == last_day + 1;
            bool is_next_month = year == last_year && month == last_month + 1 && day == 1;
            bool is_next_year = year == last_year + 1 && month == 1 && day == 1 && last_day == 31;
            assert_true(is_next_day || is_next_month || is_next_year);
        }
        last_year = year;
        last_month = month;
        last_day = day;
    }
}

static int64_t still_now_ms(void *self)
{
    return *(int64_t *)self;
}

static void a_test_can_hold_the_clock_still(void **state)
{
    (void)state;
    int64_t now_ms = 12345;
    struct clock clock = {still_now_ms, &now_ms};
    assert_int_equal(clock_now_ms(clock), 12345);
    now_ms = 12346;
    assert_int_equal(clock_now_ms(clock), 12346);
}

static void the_real_clocks_run_forwards(void **state)
{
    (void)state;
    int64_t earlier_us = monotonic_us();
    assert_true(clock_now_ms(clock_real()) > INT64_C(1700000000000)); /* November 2023 */
    assert_true(monotonic_us() >= earlier_us);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(instants_print_as_iso_8601),
        cmocka_unit_test(known_dates_have_known_day_numbers),
        cmocka_unit_test(every_day_of_a_thousand_years_comes_back),
        cmocka_unit_test(a_test_can_hold_the_clock_still),
        cmocka_unit_test(the_real_clocks_run_forwards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
