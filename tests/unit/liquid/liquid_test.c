#include "liquid.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

static struct arena arena;

static int setup(void **state)
{
    (void)state;
    setenv("TZ", "UTC", 1);
    tzset();
    arena_init(&arena, 64 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static const char values_json[] =
    "{\"s\":\"Str\",\"n\":5,\"t\":true,\"f\":false,\"z\":null,\"e\":\"\",\"o\":{\"a\":1,\"b c\":2},"
    "\"l\":[1,[2,3],\"x\"],\"p\":[{\"k\":1,\"v\":\"a\"},{\"k\":2,\"v\":\"b\"}]}";

struct row {
    const char *text;
    const char *expected; /* or "!Name: message" */
};

static void assert_rows(const struct row *rows, size_t count)
{
    struct jv values;
    assert_int_equal(jv_parse(&values, &arena, str_from(values_json), JV_JAVASCRIPT, NULL), 0);
    for (size_t i = 0; i < count; i++) {
        const struct liquid *liquid;
        struct liquid_error error;
        struct buf out;
        buf_init_arena(&out, &arena, 1 << 20);
        int rc = liquid_compile(&liquid, &arena, str_from(rows[i].text), &error);
        if (rc == 0)
            rc = liquid_render(liquid, &arena, values, &out, &error);
        if (rc == -EINVAL) {
            out.len = 0;
            buf_printf(&out, "!%.*s: %.*s", STR_ARG(error.name), STR_ARG(error.message));
        } else {
            assert_int_equal(rc, 0);
        }
        if (!str_eq(buf_str(&out), str_from(rows[i].expected)))
            fail_msg("%s: got %.*s, expected %s", rows[i].text, STR_ARG(buf_str(&out)),
                     rows[i].expected);
    }
}

/* clang-format off */
static void values_print_as_in_the_reference(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"Hi {{ s }}", "Hi Str"},
        {"{{ missing }}{{ z }}{{ e }}", ""},
        {"{{ o }}", "[object Object]"},
        {"{{ l }}", "123x"},
        {"{{ t }} {{ f }} {{ n }}", "true false 5"},
        {"{{ o['b c'] }} {{ o.size }} {{ l.first }} {{ l[-1] }} {{ s.size }} {{ l.last }}", "2 2 1 x 3 x"},
        {"{{ (1..3) }}", "123"},
        {"{{ 'a\\n\\u00e9\\101' }}", "a\n\xC3\xA9" "A"},
        {"{{ nil | json }} {{ (1..2) | json: 1 }}", "{} [\n 1,\n 2\n]"},
        {"a {{- s -}} b", "aStrb"},
    };
    assert_rows(rows, countof(rows));
}

static void tags_decide_and_remember(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"{% if n > 4 and s contains 'tr' %}yes{% else %}no{% endif %}", "yes"},
        {"{% if false or n == 5 and false %}1{% elsif e == empty %}2{% endif %}", "2"},
        {"{% unless f %}u{% else %}e{% endunless %}", "u"},
        {"{% if l == l and o == o and o != p[0] %}1{% endif %}", "1"},
        {"{% if z == nil and e == blank and ' ' == blank and n != empty %}1{% endif %}", "1"},
        {"{% assign a = 'x,y' | split: ',' %}{{ a[1] }}{% capture b %}<{{ a }}>{% endcapture %}{{ b }}", "y<xy>"},
        {"{% increment c %}{% increment c %}{{ c }}{% decrement d %}{% increment n %}{{ n }}", "012-156"},
        {"{% cycle 'a','b' %}{% cycle 'a','b' %}{% cycle 'c','d' %}{% cycle 1: 'c','d' %}", "abcc"},
        {"a{% break %}b", "a"},
        {"{% raw %}{{ x }}{% endraw %}{% comment %}x{% endcomment %}{% # note %}", "{{ x }}"},
        {"{% liquid\n assign q = 2\n if q == 2\n  echo 'two'\n endif %}", "two"},
        {"{% block b %}{{ block }}{% endblock %}{{ block }}", "[object Object]"},
    };
    assert_rows(rows, countof(rows));
}

static void filters_compute_as_in_the_reference(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"{{ 'a b' | upcase | append: '!' | prepend: '<' }}", "<A B!"},
        {"{{ 4.6 | round }} {{ 1.005 | round: 2 }} {{ -7 | modulo: 3 }} {{ 7 | divided_by: 2 }} {{ 7 | divided_by: 2, true }}", "5 1.01 2 3.5 3"},
        {"{{ 3 | divided_by: -0 }}", "Infinity"},
        {"{{ 'x' | plus: 1 }} {{ 1 | plus }} {{ 3 | at_most: 2 }} {{ '5' | to_integer }}", "1 NaN 2 5"},
        {"{{ 'one two three' | truncatewords: 2 }} {{ 'abcdef' | truncate: 5 }}", "one two... ab..."},
        {"{{ 'abcdef' | truncate: 5, nil.x }} {{ empty.size }}", "ab... "},
        {"{{ size }}{{ [nil] }}", "0"},
        {"{{ ' a ' | strip }}|{{ 'xxaxx' | strip: 'x' }}|{{ 'Hello wORLD' | capitalize }}", "a|a|Hello world"},
        {"{{ '<a>&' | escape }} {{ '&lt;<' | escape_once }} {{ '<b>x</b>' | strip_html }}", "&lt;a&gt;&amp; &lt;&lt; x"},
        {"{{ 'a b&c' | url_encode }} {{ 'a+b%20' | url_decode }} {{ '\xC3\x89lan vital!' | slugify: 'latin' }}", "a+b%26c a b  \xC3\xA9lan-vital"},
        {"{{ 'ab' | base64_encode }} {{ 'YWI=' | base64_decode }}", "YWI= ab"},
        {"{{ '' | sha256 }}", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"{{ 'a' | hmac_sha256: 'k' }}", "78da91511e675587f5b9df78bedebaf5560da2abb88162ee875dcdf744951d9e"},
        {"{{ p | where: 'k', 2 | json }} {{ p | sum: 'k' }} {{ l | compact | size }} {{ l | join }}", "[{\"k\":2,\"v\":\"b\"}] 3 3 1 2,3 x"},
        {"{{ f | default: 'd' }} {{ f | default: 'd', allow_false: true }} {{ e | default: 'd' }}", "d false d"},
        {"{{ f | default: 'd', o, allow_false: z, allow_false: nil }}", "false"},
        {"{{ l | where: 'size' | size }} {{ l | where: 'first' | size }} {{ 'abc' | where: 'length', 3 }}", "3 0 abc"},
        {"{{ '4Yv/8J+Y' | base64_decode | url_encode }}", "%EF%BF%BD%EF%BF%BD%EF%BF%BD"},
        {"{{ l | json: '\\u0000x' }}", "[\n1,\n[\n2,\n3\n],\n\"x\"\n]"},
        {"{{ 'abc' | slice: -2, 2 }} {{ l | slice: 1 }} {{ 'aXbX' | remove_last: 'X' }}", "bc 23 aXb"},
        {"{{ s | nosuch: 1 }}", "Str"},
    };
    assert_rows(rows, countof(rows));
}

static void dates_are_formatted_as_strftime_does(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"{{ '2024-01-02T03:04:05Z' | date: '%Y-%m-%d %H:%M:%S %z %A %b %j %U %-d %e %p' }}", "2024-01-02 03:04:05 +0000 Tuesday Jan 002 00 2  2 AM"},
        {"{{ '0000-11-27T00:00:00Z' | date: '%j %U' }} {{ '0005-10-26T00:00:00Z' | date: '%U' }}", "331 47 42"},
        {"{{ '-000001-05-06T00:00:00Z' | date: '%x %Y' }}", "5/6/2 -1"},
        {"{{ 0 | date: '%c %x %X' }}", "1/1/1970, 12:00:00 AM 1/1/1970 12:00:00 AM"},
        {"{{ '1700000000' | date: '%s %L %3N %q %^a %_5d %010Y' }}", "1700000000 000 000 th TUE    14 0000002023"},
        {"{{ '2024-01-02' | date: '%H%:z', -330 }}", "05+05:30"},
        {"{{ '2024-01-02' | date: '%H:%M:%S %z', 0.5 }} {{ '2024-01-02' | date: '%Z %z', nil }}", "23:59:30 -000.5 +0000 +0000"},
        {"{{ '2024-01-02' | date_to_string: 'ordinal', 'US' }} {{ '2024-01-02' | date_to_xmlschema }}", "Jan 2nd, 2024 2024-01-02T00:00:00+00:00"},
        {"{{ 'nonsense' | date: '%Y' }} {{ '2024-01-02' | date: '%Q%' }}", "nonsense %Q%"},
    };
    assert_rows(rows, countof(rows));
}

static void what_is_wrong_is_said_with_its_place(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"{{ x | map }}", "!RenderError: filter \"map\" is disabled, line:1, col:1"},
        {"a\n {% for x in y %}", "!ParseError: tag \"for\" is disabled, line:2, col:2"},
        {"{% nosuch %}", "!ParseError: tag \"nosuch\" not found, line:1, col:1"},
        {"\xF0\x9F\x91\x8D{% if a %}", "!ParseError: tag {% if a %} not closed, line:1, col:3"},
        {"{{ a", "!TokenizationError: output \"{{ a\" not closed, line:1, col:1"},
        {"{{ }}", "!TokenizationError: invalid value expression: \"\", line:1, col:4"},
        {"{% %}", "!TokenizationError: illegal tag syntax, tag name expected, line:1, col:4"},
        {"{{ a | append }}", "!RenderError: append expect 2 arguments, line:1, col:1"},
        {"{{ (1..1000000000) }}", "!RenderError: memory alloc limit exceeded, line:1, col:1"},
        {"{{ f | default: 'd', 5, allow_false: true }}", "!RenderError: Iterator value 5 is not an entry object, line:1, col:1"},
        {"{{ 0 | date: '%Y', '\xC3\xA9' }}", "!RenderError: Invalid time zone specified: \xC3\x83\xC2\xA9, line:1, col:1"},
        {"{% if a %}{% else x %}{% endif %}", "!ParseError: unexpected \"x\", line:1, col:1"},
    };
    assert_rows(rows, countof(rows));
}
/* clang-format on */

static void a_long_range_is_refused(void **state)
{
    (void)state;
    const struct liquid *liquid;
    struct liquid_error error;
    struct buf out;
    buf_init_arena(&out, &arena, 1 << 20);
    assert_int_equal(liquid_compile(&liquid, &arena, STR("{{ (1..65537) }}"), &error), 0);
    assert_int_equal(liquid_render(liquid, &arena, jv_null(), &out, &error), -E2BIG);
}

static void a_full_arena_is_reported(void **state)
{
    (void)state;
    static const char text[] =
        "{% assign a = s | append: 'x' | split: '' %}{% if a[0] == 'S' %}{{ a "
        "| join: '-' | upcase }}{% endif %}{% capture c %}{{ o | json }}{% "
        "endcapture %}{{ c | url_encode | slice: 0, 3 }}";
    struct jv values;
    assert_int_equal(jv_parse(&values, &arena, str_from(values_json), JV_JAVASCRIPT, NULL), 0);
    int rc = -ENOMEM;
    for (size_t bytes = 0; rc != 0; bytes += 16) { /* every allocation is the first to fail once */
        struct arena small;
        const struct liquid *liquid;
        struct liquid_error error;
        struct buf out;
        assert_true(bytes < 1 << 20);
        arena_init(&small, bytes);
        buf_init(&out, 65536);
        rc = liquid_compile(&liquid, &small, str_from(text), &error);
        if (rc == 0)
            rc = liquid_render(liquid, &small, values, &out, &error);
        if (rc != 0)
            assert_int_equal(rc, -ENOMEM);
        buf_fini(&out);
        arena_fini(&small);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_print_as_in_the_reference),
        cmocka_unit_test(tags_decide_and_remember),
        cmocka_unit_test(filters_compute_as_in_the_reference),
        cmocka_unit_test(dates_are_formatted_as_strftime_does),
        cmocka_unit_test(what_is_wrong_is_said_with_its_place),
        cmocka_unit_test(a_long_range_is_refused),
        cmocka_unit_test(a_full_arena_is_reported),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
