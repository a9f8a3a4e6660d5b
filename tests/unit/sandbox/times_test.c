#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "times.h"

/* docs/spec/braze-rest-api.md §2.10 */
static void every_accepted_form_is_read(void **state)
{
    static const struct {
        const char *text;
        enum time_form form;
        int64_t ms;
    } rows[] = {
        {"2022-12-06T19:20:45+01:00", TIME_INSTANT, 1670350845000},
        {"2017-05-12T18:47:12Z", TIME_INSTANT, 1494614832000},
        {"2024-11-10T18:00:00.123Z", TIME_INSTANT, 1731261600123},
        {"2024-11-10T18:00:00.123456Z", TIME_INSTANT, 1731261600123},
        {"2024-11-10T18:00:00:123+0000", TIME_INSTANT, 1731261600123},
        {"2024-11-10T18:00:00.123+0000", TIME_INSTANT, 1731261600123},
        {"2024-11-10T18:00:00", TIME_INSTANT, 1731261600000},
        {"2024-11-10T18:00", TIME_INSTANT, 1731261600000},
        {"2024-11-10 18:00:00", TIME_INSTANT, 1731261600000},
        {"2024-11-10 18:00:00 UTC", TIME_INSTANT, 1731261600000},
        {"2019-02-15 00:00:00 -0500", TIME_INSTANT, 1550206800000},
        {"2024-11-10", TIME_DATE, 1731196800000},
        {"11/10/2024", TIME_DATE, 1731196800000},
        {"12/1/2021", TIME_DATE, 1638316800000},
        {"1/2/2024", TIME_DATE, 1704153600000},
        {"Sun 11 10 18:00:00.+0000 2024", TIME_INSTANT, 1731261600000},
        {"2024-11-10T18:00:00+99:99", TIME_INSTANT, 1731261600000}, /* a malformed offset is UTC */
        {"2024-11-10T18:00:00+x", TIME_INSTANT, 1731261600000},
        {"2024-02-29", TIME_DATE, 1709164800000},
        {"0000-01-01", TIME_DATE, -62167219200000},
        {"0000-01-01T00:00:00+01:00", TIME_OUT_OF_RANGE, 0},
        {"-0001-01-01", TIME_OUT_OF_RANGE, 0},
        {"3000-12-31", TIME_DATE, 32535129600000},
        {"3001-01-01", TIME_OUT_OF_RANGE, 0},
        {"12345-01-01", TIME_OUT_OF_RANGE, 0},
        {"2023-02-29", TIME_NONE, 0},
        {"2024-13-01", TIME_NONE, 0},
        {"2024-11-10T25:00:00Z", TIME_NONE, 0},
        {"2024-11-10T18:00:00 nonsense", TIME_NONE, 0},
        {"2024-11-10x", TIME_NONE, 0},
        {"2024-1-1", TIME_NONE, 0},
        {"20241110", TIME_NONE, 0},
        {"1731261600", TIME_NONE, 0},
        {"Sunday morning", TIME_NONE, 0},
        {"", TIME_NONE, 0},
        {"now", TIME_NONE, 0},
    };
    (void)state;
    for (size_t i = 0; i < countof(rows); i++) {
        int64_t ms = 0;
        enum time_form form = time_parse(str_from(rows[i].text), &ms);
        if (form != rows[i].form ||
            ((form == TIME_DATE || form == TIME_INSTANT) && ms != rows[i].ms))
            fail_msg("%s: %d, %lld", rows[i].text, (int)form, (long long)ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_accepted_form_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
