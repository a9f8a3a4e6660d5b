#include "jv.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "../json_scene.h"

static void assert_text(struct str expected)
{
    assert_false(out.failed);
    if (!str_eq(buf_str(&out), expected))
        fail_msg("got %.*s, expected %.*s", STR_ARG(buf_str(&out)), STR_ARG(expected));
}

static void round_trips_print_as_json_stringify_does(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        const char *expected;
    } rows[] = {
        {"{\"a\":1,\"b\":[true,false,null]}", "{\"a\":1,\"b\":[true,false,null]}"},
        {" [ 1 , 2 ] ", "[1,2]"},
        {"{\"b\":1,\"2\":2,\"a\":3,\"1\":4,\"01\":5}",
         "{\"1\":4,\"2\":2,\"b\":1,\"a\":3,\"01\":5}"},
        {"{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":3,\"b\":2}"},
        {"\"\\u0001\\b\\t\\n\\f\\r\\\"\\\\\\/\\u007f\\u00e9\\u001F\"",
         "\"\\u0001\\b\\t\\n\\f\\r\\\"\\\\/\x7f\xc3\xa9\\u001f\""},
        {"\"abcdefgh\\\"ijklmnop\\u0000q\"", "\"abcdefgh\\\"ijklmnop\\u0000q\""},
        {"\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\"",
         "\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\""},
        {"\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\""},
        {"\"cut \\ud83d\"", "\"cut \xef\xbf\xbd\""},
        {"\"\\\\ud83d \\udc00x\"", "\"\\\\ud83d \xef\xbf\xbdx\""},
        {"12345678901234567890", "12345678901234567000"},
        {"-12345678901234567890", "-12345678901234567000"},
        {"123456789012345678901234567890", "1.2345678901234568e+29"},
        {"1e400", "null"},
        {"1e21", "1e+21"},
        {"1e20", "100000000000000000000"},
        {"0.000001", "0.000001"},
        {"0.0000001", "1e-7"},
        {"1.5e-10", "1.5e-10"},
        {"-0", "0"},
        {"-0.0", "0"},
        {"9.95", "9.95"},
        {"0.1", "0.1"},
        {"100.25", "100.25"},
        {"5e-324", "5e-324"},
        {"1.7976931348623157e308", "1.7976931348623157e+308"},
        {"123456789.123", "123456789.123"},
        {"-7", "-7"},
        {"-99.5", "-99.5"},
        {"99999.99", "99999.99"},
        {"9999999.99", "9999999.99"},
        {"10000000.5", "10000000.5"},
        {"-44883796.87", "-44883796.87"},
        {"759939328.02", "759939328.02"},
        {"1234567890.5", "1234567890.5"},
        {"0.995", "0.995"},
        {"0.005", "0.005"},
        {"9007199254740991", "9007199254740991"},
        {"-1000000", "-1000000"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct jv v;
        struct err err = {0};
        buf_reset(&out);
        if (jv_parse(&v, &arena, str_from(rows[i].in), JV_JAVASCRIPT, &err) != 0)
            fail_msg("%s: %s", rows[i].in, err.msg);
        jv_write(&out, v);
        assert_text(str_from(rows[i].expected));
    }
}

static void overlong_numbers_overflow_as_in_javascript(void **state)
{
    (void)state;
    /* 0.000...0001e900, with the exponent behind more zeros than any fixed buffer holds. */
    char text[1000];
    struct jv v;
    size_t len = (size_t)snprintf(text, sizeof(text), "-0.%0700d1e900", 0);
    assert_int_equal(jv_parse(&v, &arena, (struct str){text, len}, JV_JAVASCRIPT, NULL), 0);
    assert_int_equal(v.type, JV_NUMBER);
    assert_true(v.number < 0 && isfinite(v.number)); /* 1e-701 x 1e900 is 1e199 */
    memcpy(text + len - 3, "999", 3);
    text[len++] = '9';
    assert_int_equal(jv_parse(&v, &arena, (struct str){text, len}, JV_JAVASCRIPT, NULL), 0);
    assert_true(isinf(v.number) && v.number < 0);
    assert_int_equal(jv_parse(&v, &arena, (struct str){text, len}, JV_EXACT, NULL), 0);
    assert_true(isinf(jv_as_double(v)));
}

static void exact_keeps_digits_that_a_double_would_lose(void **state)
{
    (void)state;
    const struct str text = STR("[12345678901234567890,9007199254740993,1e400,1.5]");
    struct jv v;
    assert_int_equal(jv_parse(&v, &arena, text, JV_EXACT, NULL), 0);
    buf_reset(&out);
    jv_write(&out, v);
    assert_text(text);
}

static void every_refusal_says_what_and_where(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        int code;
    } rows[] = {
        {"", -EINVAL},    {"{", -EINVAL},        {"{\"a\":}", -EINVAL}, {"[1,]", -EINVAL},
        {"nul", -EINVAL}, {"\"\x80\"", -EINVAL}, {"'a'", -EINVAL},      {"NaN", -EINVAL},
        {"1 2", -EINVAL}, {"\"\\x\"", -EINVAL},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct jv v;
        struct err err = {0};
        assert_int_equal(jv_parse(&v, &arena, str_from(rows[i].in), JV_JAVASCRIPT, &err),
                         rows[i].code);
        assert_true(err.msg[0] != '\0');
        assert_true(err.at <= strlen(rows[i].in));
    }
}

static void depth_is_bounded(void **state)
{
    (void)state;
    char deep[20000];
    struct jv v;
    memset(deep, '[', 10000);
    memset(deep + 10000, ']', 10000);
    assert_int_equal(jv_parse(&v, &arena, (struct str){deep, 20000}, JV_JAVASCRIPT, NULL), -E2BIG);
    assert_int_equal(jv_parse(&v, &arena, (struct str){deep + 9936, 128}, JV_JAVASCRIPT, NULL), 0);
    assert_int_equal(jv_parse(&v, &arena, (struct str){deep + 9935, 130}, JV_JAVASCRIPT, NULL),
                     -E2BIG);
}

/* A repeated key, then a member that is refused: those behind it are never made. */
static void a_refused_member_leaves_nothing_half_made(void **state)
{
    (void)state;
    enum { LEVELS = 80, DIRTY_BYTES = 8192 };
    static const char head[] = "{\"a\":1,\"a\":";
    static const char tail[] = ",\"b\":1,\"c\":2,\"d\":3}";
    char text[sizeof(head) + 2 * LEVELS + sizeof(tail)];
    struct arena dirty;
    struct jv v;
    int bytes = snprintf(text, sizeof(text), "%s%*s%*s%s", head, LEVELS, "", LEVELS, "", tail);
    memset(text + sizeof(head) - 1, '[', LEVELS);
    memset(text + sizeof(head) - 1 + LEVELS, ']', LEVELS);
    arena_init(&dirty, 1 << 20);
    memset(arena_alloc(&dirty, DIRTY_BYTES), 0xff, DIRTY_BYTES);
    arena_reset(&dirty);
    assert_int_equal(jv_parse(&v, &dirty, (struct str){text, (size_t)bytes}, JV_JAVASCRIPT, NULL),
                     -E2BIG);
    assert_int_equal(v.type, JV_UNDEFINED);
    arena_fini(&dirty);
}

static void a_full_arena_is_an_error_and_not_a_crash(void **state)
{
    (void)state;
    for (size_t bytes = 16; bytes < 4096; bytes += 16) {
        struct arena small;
        struct jv v;
        arena_init(&small, bytes);
        int rc = jv_parse(&v, &small, STR("{\"a\":[1,2,{\"b\":\"c\"}],\"1\":2}"), JV_EXACT, NULL);
        assert_true(rc == 0 || rc == -ENOMEM);
        arena_fini(&small);
    }
}

static void building_follows_javascript_assignment(void **state)
{
    (void)state;
    struct jv_builder b;
    jv_object_begin(&b, &arena, 0);
    jv_object_put(&b, STR("z"), jv_number(1));
    jv_object_put(&b, STR("10"), jv_number(2));
    jv_object_put(&b, STR("a"), jv_undefined());
    jv_object_put(&b, STR("z"), jv_string(STR("again")));
    jv_object_put(&b, STR("9"), jv_number(NAN));
    jv_object_put(&b, STR("gone"), jv_null());
    jv_object_remove(&b, STR("gone"));
    assert_int_equal(jv_object_peek(&b, STR("gone")).type, JV_UNDEFINED);
    assert_true(str_eq(jv_str(jv_object_peek(&b, STR("z"))), STR("again")));
    buf_reset(&out);
    jv_write(&out, jv_object_end(&b));
    assert_text(STR("{\"9\":null,\"10\":2,\"z\":\"again\"}"));
}

static void large_objects_keep_javascripts_order_and_last_values(void **state)
{
    (void)state;
    enum { KEYS = 5000 };
    static char keys[KEYS][8];
    struct jv_builder b;
    struct arena large;
    arena_init(&large, 16 << 20);
    jv_object_begin(&b, &large, 0);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < KEYS; i++) {
            snprintf(keys[i], sizeof(keys[i]), "k%d", i);
            jv_object_put(&b, str_from(keys[i]), jv_number(i + round));
        }
    }
    for (int i = 0; i < KEYS; i += 1000) {
        jv_object_remove(&b, str_from(keys[i]));
        jv_object_put(&b, str_from(keys[i + 1]), jv_null());
        jv_object_put(&b, str_from(keys[i]), jv_bool(true)); /* comes back as the last */
    }
    struct jv object = jv_object_end(&b);
    assert_int_equal(object.type, JV_OBJECT);
    assert_int_equal(object.len, KEYS);
    assert_true(str_eq(object.members[0].key, STR("k1")));
    assert_int_equal(object.members[0].value.type, JV_NULL);
    assert_true(str_eq(object.members[1].key, STR("k2")));
    assert_true(object.members[1].value.number == 3);
    for (int i = 0; i < 5; i++) {
        const struct jv_member *member = &object.members[KEYS - 5 + i];
        assert_true(str_eq(member->key, str_from(keys[i * 1000])));
        assert_int_equal(member->value.type, JV_BOOL);
    }
    arena_fini(&large);
}

/* Texts are checked in steps of four, eight and sixteen bytes that overlap. */
static void every_byte_is_escaped_or_kept_at_every_place_of_every_length(void **state)
{
    (void)state;
    enum { LENGTH_MAX = 40 };
    for (size_t len = 1; len <= LENGTH_MAX; len++)
        for (size_t at = 0; at < len; at++)
            for (unsigned byte = 0; byte < 256; byte++) {
                char text[LENGTH_MAX];
                char expected[LENGTH_MAX + 16];
                char escaped[8] = {(char)byte};
                memset(text, 'x', len);
                text[at] = (char)byte;
                if (byte == '"' || byte == '\\')
                    snprintf(escaped, sizeof(escaped), "\\%c", (int)byte);
                else if (byte < 0x20 && strchr("\b\t\n\f\r", (int)byte) != NULL && byte != 0)
                    snprintf(escaped, sizeof(escaped), "\\%c", "btn?fr"[byte - '\b']);
                else if (byte < 0x20)
                    snprintf(escaped, sizeof(escaped), "\\u%04x", byte);
                snprintf(expected, sizeof(expected), "\"%.*s%s%.*s\"", (int)at, text, escaped,
                         (int)(len - at - 1), text + at + 1);
                buf_reset(&out);
                jv_write_string(&out, (struct str){text, len});
                assert_text(str_from(expected));
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trips_print_as_json_stringify_does),
        cmocka_unit_test(every_byte_is_escaped_or_kept_at_every_place_of_every_length),
        cmocka_unit_test(overlong_numbers_overflow_as_in_javascript),
        cmocka_unit_test(exact_keeps_digits_that_a_double_would_lose),
        cmocka_unit_test(every_refusal_says_what_and_where),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(a_refused_member_leaves_nothing_half_made),
        cmocka_unit_test(a_full_arena_is_an_error_and_not_a_crash),
        cmocka_unit_test(building_follows_javascript_assignment),
        cmocka_unit_test(large_objects_keep_javascripts_order_and_last_values),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
