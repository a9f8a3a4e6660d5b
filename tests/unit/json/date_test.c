#include "date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

static void use_zone(const char *zone)
{
    setenv("TZ", zone, 1);
    tzset();
}

/* The text as ISO, or "" when it is no date. */
static struct str iso_of(struct jv v, char out[DATE_ISO_BYTES])
{
    int64_t ms;
    return date_parse(v, &ms) ? (struct str){out, date_write_iso(ms, out)} : STR("");
}

static void assert_iso(struct jv v, const char *shown, const char *expected)
{
    char out[DATE_ISO_BYTES];
    struct str got = iso_of(v, out);
    if (!str_eq(got, str_from(expected)))
        fail_msg("%s: got %.*s, expected %s", shown, STR_ARG(got), expected);
}

static void texts_are_read_as_dayjs_and_v8_do(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        const char *expected;
    } rows[] = {
        {"2024-01-02", "2024-01-02T00:00:00.000Z"},
        {"2024-01-02 03:04:05", "2024-01-02T03:04:05.000Z"},
        {"2024-01-02T03:04:05+02:00", "2024-01-02T01:04:05.000Z"},
        {"2024-01-02T03:04:05.5", "2024-01-02T03:04:05.005Z"},
        {"2024-01-02T03:04:05.123456", "2024-01-02T03:04:05.123Z"},
        {"2024-01-02T03:04:05:678", "2024-01-02T03:04:05.678Z"},
        {"2024-01-02T24:00:00Z", "2024-01-03T00:00:00.000Z"},
        {"2024-01-02T25:61:61", "2024-01-03T02:02:01.000Z"},
        {"1990-13-45", "1991-02-14T00:00:00.000Z"},
        {"1990-02-30", "1990-03-02T00:00:00.000Z"},
        {"2024-00-10", "2023-12-10T00:00:00.000Z"},
        {"Jan 2, 2024", "2024-01-02T00:00:00.000Z"},
        {"5/6/1990", "1990-05-06T00:00:00.000Z"},
        {"May 6 1990", "1990-05-06T00:00:00.000Z"},
        {"1-2-3", "2003-01-02T00:00:00.000Z"},
        {"Tue, 02 Jan 2024 03:04:05 GMT", "2024-01-02T03:04:05.000Z"},
        {"2024-01-02 03:04:05 +0000", "2024-01-02T03:04:05.000Z"},
        {"20240102T030405", "2024-01-02T03:04:05.000Z"},
        {"2024-W01", ""},
        {"today", ""},
        {"12:30", ""},
        {"2024-01-01T00:00:00+05", ""},
        {"20240101T000000Z", ""},
        {"1700000000", "1699-11-30T00:00:00.000Z"},
        {"1700000000000", "1699-11-30T00:00:00.000Z"},
        {"641952000", "6423-03-31T00:00:00.000Z"},
        {"1990", "1990-01-01T00:00:00.000Z"},
        {"19900506", "1990-05-06T00:00:00.000Z"},
        {"0099-01-01", "1999-01-01T00:00:00.000Z"},
        {"12", "2001-12-01T00:00:00.000Z"},
        {"13", ""},
        {"32", "2032-01-01T00:00:00.000Z"},
        {"50", "1950-01-01T00:00:00.000Z"},
        {"100", "0100-01-01T00:00:00.000Z"},
        {"0", "2000-01-01T00:00:00.000Z"},
        {"1", "2001-01-01T00:00:00.000Z"},
        {"-5", "2001-05-01T00:00:00.000Z"},
        {"1.5", "2001-01-05T00:00:00.000Z"},
        {"99999999999999999999", "+010007-06-11T04:40:39.999Z"},
        {"Sat, 1 Jan 2000 00:00:00 EST", "2000-01-01T05:00:00.000Z"},
        {"Jan 2 2024 (not (this)) 3:04 pm PST", "2024-01-02T23:04:00.000Z"},
        {"3113\xE2\x80\xA8", "3113-01-01T00:00:00.000Z"},
        {"Jan 1\xE2\x80\xA8 2000", ""},
        {"584751501", "5851-04-19T01:00:00.000Z"},
        {"+300001-01-01T00:00:00Z", ""},
        {"+275760-09-13T00:00:00.001Z", ""},
        {"-271821-04-20T00:00:00Z", "-271821-04-20T00:00:00.000Z"},
        {"-000000-01-01T00:00:00Z", ""},
        {"", ""},
    };
    use_zone("UTC");
    for (size_t i = 0; i < countof(rows); i++)
        assert_iso(jv_string(str_from(rows[i].in)), rows[i].in, rows[i].expected);
}

static void numbers_are_milliseconds(void **state)
{
    (void)state;
    static const struct {
        double in;
        const char *expected;
    } rows[] = {
        {1700000000, "1970-01-20T16:13:20.000Z"},
        {1700000000000, "2023-11-14T22:13:20.000Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {1.5, "1970-01-01T00:00:00.001Z"},
        {12, "1970-01-01T00:00:00.012Z"},
        {8640000000000001, ""},
        {8640000000000000, "+275760-09-13T00:00:00.000Z"},
    };
    for (size_t i = 0; i < countof(rows); i++)
        assert_iso(jv_number(rows[i].in), "a number", rows[i].expected);
    assert_iso(jv_null(), "null", "");
    assert_iso(jv_bool(true), "true", "");
}

static void texts_without_zone_are_local(void **state)
{
    (void)state;
    static const struct {
        const char *zone;
        const char *in;
        const char *expected;
    } rows[] = {
        {"America/New_York", "1990-05-06", "1990-05-06T04:00:00.000Z"},
        {"America/New_York", "2024-03-10 02:30:00", "2024-03-10T07:30:00.000Z"}, /* skipped */
        {"America/New_York", "2024-11-03 01:30:00",
         "2024-11-03T05:30:00.000Z"}, /* twice: the first */
        {"America/New_York", "2024-11-03 03:30:00", "2024-11-03T08:30:00.000Z"},
        {"America/New_York", "2024-01-02T03:04:05Z", "2024-01-02T03:04:05.000Z"},
        {"Europe/Berlin", "2024-07-01T00:00:00", "2024-06-30T22:00:00.000Z"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        use_zone(rows[i].zone);
        assert_iso(jv_string(str_from(rows[i].in)), rows[i].in, rows[i].expected);
    }
    use_zone("UTC");
}

static void days_are_local_and_years_unpadded(void **state)
{
    (void)state;
    static const struct {
        const char *zone;
        int64_t ms;
        const char *expected;
    } rows[] = {
        {"America/New_York", 641952000000, "1990-05-05"},
        {"UTC", 641952000000, "1990-05-06"},
        {"UTC", -30641760000000, "999-01-01"},
        {"UTC", -1, "1969-12-31"},
        {"UTC", 951782400000, "2000-02-29"},
        {"UTC", -62198755200000, "-1-01-01"},
        {"UTC", -62154432000000, "+0000-05-28"},
        {"America/New_York", -62154432000000, "-0500-05-27"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        char out[DATE_DAY_BYTES];
        use_zone(rows[i].zone);
        struct str got = {out, date_write_day(rows[i].ms, out)};
        if (!str_eq(got, str_from(rows[i].expected)))
            fail_msg("got %.*s, expected %s", STR_ARG(got), rows[i].expected);
    }
    use_zone("UTC");
}

static void plain_numbers_are_like_unix_seconds(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        bool expected;
    } rows[] = {
        {"1700000000", true}, {"1700000000000", true}, {"13", true},  {"8640000000001", false},
        {"2024-W01", false},  {"today", false},        {"", false},   {"Infinity", false},
        {"2024-01-02", true}, {"NaN", false},          {"012", true}, {"1.5", true},
        {"12:30", false},     {"1e3", false},
    };
    for (size_t i = 0; i < countof(rows); i++)
        if (date_is_like(str_from(rows[i].in)) != rows[i].expected)
            fail_msg("%s: expected %d", rows[i].in, rows[i].expected);
}

static void every_day_of_eight_hundred_years_comes_back(void **state)
{
    (void)state;
    for (int64_t days = -200000; days < 100000; days++) {
        struct date_civil civil = date_civil(days);
        assert_int_equal(date_days(civil.year, civil.month - 1, civil.day), days);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_read_as_dayjs_and_v8_do),
        cmocka_unit_test(numbers_are_milliseconds),
        cmocka_unit_test(texts_without_zone_are_local),
        cmocka_unit_test(days_are_local_and_years_unpadded),
        cmocka_unit_test(plain_numbers_are_like_unix_seconds),
        cmocka_unit_test(every_day_of_eight_hundred_years_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
