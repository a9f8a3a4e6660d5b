#include "format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct row {
    struct str text;
    bool is_match;
};

#define YES(text)                                                                                  \
    {                                                                                              \
        STR_INIT(text), true                                                                       \
    }
#define NO(text)                                                                                   \
    {                                                                                              \
        STR_INIT(text), false                                                                      \
    }

static void check(enum format format, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (format_match(format, rows[i].text) != rows[i].is_match)
            fail_msg("'%.*s' should %smatch", STR_ARG(rows[i].text),
                     rows[i].is_match ? "" : "not ");
}

static void emails_need_a_dot_in_the_domain_and_ascii(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct row rows[] = {
        YES("a@b.co"), YES("a.b+c@d-e.f"), YES("A@B.CO"), YES("a@1.2.3.4"), YES("o'x@y.z"),
        NO("a@b"), NO("@b.co"), NO("a@@b.co"), NO("a..b@c.de"), NO(".a@b.co"), NO("a.@b.co"),
        NO("a@-b.co"), NO("a@b-.co"), NO("\xc3\xa9@b.co"), NO("a@b.co\n"), NO(""), NO("a@b..co"),
        NO("a\0b@c.de"),
    };
    /* clang-format on */
    check(FORMAT_EMAIL, rows, countof(rows));
}

static void uris_need_a_scheme_and_legal_bytes(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct row rows[] = {
        YES("a:b"), YES("urn:isbn:1"), YES("mailto:x@y"), YES("HTTP://A"), YES("http://[::1]/"),
        YES("http://a:99999/"), YES("https://a.b/c.png?q=/?#f/?"), YES("http:/a"), YES("x:///"),
        YES("http://[1:2:3:4:5:6:7:8]"), YES("http://[1:2:3:4:5:6:1.2.3.4]"), YES("http://[v1.a:b]"),
        YES("http://u:p@h:1/p"), YES("http://a/%41"), YES("a:/"), YES("http://[::255.0.01.1]"),
        NO("a:"), NO("http:"), NO("//a.b"), NO("/x"), NO("http://a b"), NO("http://\xc3\xa9"),
        NO("http://a/%zz"), NO("http://{"), NO("a:|"), NO("http://a\n"), NO("1a:b"), NO(":b"),
        NO("http://[1::2:3:4:5:6:7:8]"), NO("http://[::1"), NO("http://[::256.1.1.1]"),
        NO("http://[1:2:3]"), NO("http://[v.a]"), NO("http://[::1]x"), NO("a:b#c#d"), NO(""),
        NO("http://a/%4"), NO("http://[:::]"),
    };
    /* clang-format on */
    check(FORMAT_URI, rows, countof(rows));
}

static void date_times_may_lack_a_zone_but_no_seconds(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct row rows[] = {
        YES("2024-01-02T03:04:05Z"), YES("2024-01-02 03:04:05"), YES("2024-01-02t03:04:05.1z"),
        YES("2024-01-02\xc2\xa0" "03:04:05"), YES("2024-01-02T23:59:60Z"), YES("2024-02-29T00:00:00Z"),
        YES("2024-01-02T03:04:05+05"), YES("2024-01-02T03:04:05-9999"), YES("2024-01-02T03:04:05-99:99"),
        NO("2024-01-02T03:04Z"), NO("2024-01-02"), NO("2024-01-02T03:04:05Z "), NO("2023-02-29T00:00:00Z"),
        NO("1900-02-29T00:00:00Z"), NO("2024-01-02T24:00:00Z"), NO("2024-13-02T00:00:00Z"),
        NO("2024-01-02T03:04:05."), NO("2024-01-02T03:04:05+5"), NO("2024-01-02TT03:04:05Z"), NO(""),
        NO("2024-01-02T03:04:05+05:0"), NO("2024-01-00T03:04:05Z"),
    };
    /* clang-format on */
    check(FORMAT_DATE_TIME, rows, countof(rows));
}

static void date_like_texts_are_seconds_or_what_dayjs_reads(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct row rows[] = {
        YES("2024-01-02"), YES("2024-01-02T03:04:05.678Z"), YES("1700000000"), YES("13"), YES("May 6 1990"),
        NO("today"), NO("2024-W01"), NO("12:30"), NO("2024-01-01T00:00:00+05"), NO("NaN"), NO("Infinity"),
    };
    /* clang-format on */
    check(FORMAT_DATE_LIKE, rows, countof(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(emails_need_a_dot_in_the_domain_and_ascii),
        cmocka_unit_test(uris_need_a_scheme_and_legal_bytes),
        cmocka_unit_test(date_times_may_lack_a_zone_but_no_seconds),
        cmocka_unit_test(date_like_texts_are_seconds_or_what_dayjs_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
