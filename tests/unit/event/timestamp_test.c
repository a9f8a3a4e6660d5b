#include "timestamp.h"

#include "clock.h"

#include "unit.h"

static void texts_that_sdks_send_all_parse(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t us;
    } rows[] = {
        {"2026-11-22T02:48:36.102Z", INT64_C(1795315716102000)},
        {"2026-11-22T02:48:36.102+00:00", INT64_C(1795315716102000)},
        {"2026-11-22T02:48:36.102938+00:00", INT64_C(1795315716102938)},
        {"2026-11-22T02:48:36.102938475Z", INT64_C(1795315716102938)},
        {"2026-11-22T03:48:36.102+01:00", INT64_C(1795315716102000)},
        {"2026-11-22T02:48:36+00:00", INT64_C(1795315716000000)},
        {"2026-11-22T02:48:36.1029384Z", INT64_C(1795315716102938)},
        {"2026-11-21T20:48:36-0600", INT64_C(1795315716000000)},
        {"2026-11-22 02:48:36", INT64_C(1795315716000000)},
        {"2026-11-22T02:48Z", INT64_C(1795315680000000)},
        {"2026-11-22", INT64_C(1795305600000000)},
        {"1970-01-01T00:00:00Z", 0},
        {"2016-12-31T23:59:60Z", INT64_C(1483228800000000)},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        int64_t us = -1;
        if (!timestamp_parse(jv_string(str_from(rows[i].text)), &us))
            fail_msg("%s does not parse", rows[i].text);
        assert_int_equal(us, rows[i].us);
    }
}

static void numbers_are_seconds_or_milliseconds(void **state)
{
    (void)state;
    int64_t us;
    assert_true(timestamp_parse(jv_number(1795315716), &us));
    assert_int_equal(us, INT64_C(1795315716000000));
    assert_true(timestamp_parse(jv_number(1795315716102.0), &us));
    assert_int_equal(us, INT64_C(1795315716102000));
    assert_false(timestamp_parse(jv_number(1e300), &us));
    assert_false(timestamp_parse(jv_number(-1e12), &us));
    assert_false(timestamp_parse(jv_number(0.0 / 0.0), &us));
}

static void everything_else_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "now",
        "2026-13-01",
        "2026-02-30",
        "2026-11-22T25:00:00Z",
        "2026-11-22T02:48:36.Z",
        "2026-11-22T02:48:36.1234567890Z",
        "2026-11-22T02:48:36+25:00",
        "2026-11-22T02:48:36Zjunk",
        "2026-11-22T",
        "20261122",
        "+02026-11-22T02:48:36Z",
        "2026-11-22T02:48:36+1",
        "2026-11-22T0248",
    };
    int64_t us;
    for (size_t i = 0; i < countof(rows); i++)
        if (timestamp_parse(jv_string(str_from(rows[i])), &us))
            fail_msg("'%s' parses", rows[i]);
    assert_false(timestamp_parse(jv_null(), &us));
    assert_false(timestamp_parse(jv_bool(true), &us));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_that_sdks_send_all_parse),
        cmocka_unit_test(numbers_are_seconds_or_milliseconds),
        cmocka_unit_test(everything_else_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
