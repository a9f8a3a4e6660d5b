#include "fql.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "../json_scene.h"

#define NOTHING "Cannot read properties of undefined (reading 'type')"

/* Short forms for the trees below. */
#define AND(children) "{\"type\":\"group\",\"operator\":\"and\",\"children\":[" children "]}"
#define OR(children)  "{\"type\":\"group\",\"operator\":\"or\",\"children\":[" children "]}"
#define TYPE(op, v)   "{\"type\":\"event-type\",\"operator\":\"" op "\",\"value\":\"" v "\"}"
#define EVENT(op, v)  "{\"type\":\"event\",\"operator\":\"" op "\",\"value\":\"" v "\"}"
#define PROP(n, op, v)                                                                             \
    "{\"type\":\"event-property\",\"name\":\"" n "\",\"operator\":\"" op "\",\"value\":" v "}"

static void texts_parse_to_the_reference_s_trees(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *tree;
    } rows[] = {
        {"type = \"track\" and event != \"Order Completed\"",
         AND(TYPE("=", "track") "," EVENT("!=", "Order Completed"))},
        {"type = 'track'", AND(TYPE("=", "'track'"))},
        {"type = track", AND(TYPE("=", "track"))},
        {"type = \"track\" and event = \"A\" or event = \"B\"",
         OR(TYPE("=", "track") "," EVENT("=", "A") "," EVENT("=", "B"))},
        {"type = \"track\" or event = \"A\" and event = \"B\"",
         AND(TYPE("=", "track") "," EVENT("=", "A") "," EVENT("=", "B"))},
        {"type = \"track\" and (event = \"A\" or event = \"B\")",
         AND(TYPE("=", "track") "," OR(EVENT("=", "A") "," EVENT("=", "B")))},
        {"type = \"a\" OR type = \"b\"", AND(TYPE("=", "a") "," TYPE("=", "b"))},
        {"event = \"x\", type = \"track\"", AND(EVENT("=", "x") "," TYPE("=", "track"))},
        {"foo = \"bar\" and type = \"track\"", AND(TYPE("=", "track"))},
        {"type =", AND(TYPE("=", "eos"))},
        {"type == \"track\"", AND(TYPE("=", "="))},
        {"type.foo = \"track\"", AND(TYPE("=", "track"))},
        {"event in [\"a\",\"b\"]", AND(EVENT("in", "["))},
        {"not contains(event,\"x\")", AND(EVENT("contains", "x"))},
        {"!type = \"track\"", AND(TYPE("=", "track"))},
        {"!contains(event, \"x\")", AND(EVENT("not_contains", "x"))},
        {"match(event,\"x\")", AND(EVENT("ends_with", ""))},
        {"match(event,\"a*b\")", AND(EVENT("ends_with", "*b"))},
        {"match(event,\"*x*\")", AND(EVENT("starts_with", "*x"))},
        {"!match(event,\"x*\")", AND(EVENT("not_starts_with", "x"))},
        {"properties.a=5", AND(PROP("a", "number_equals", "5"))},
        {"properties.a >5", AND(PROP("a", ">", "5"))},
        {"properties.a >=5", AND(PROP("a", ">", "\"=\""))},
        {"properties.a = 1e3", AND(PROP("a", "number_equals", "1"))},
        {"properties.a = 0x1", AND(PROP("a", "number_equals", "0"))},
        {"properties.a = .5", AND(PROP("a", "=", "\".\""))},
        {"properties.a = -", AND(PROP("a", "number_equals", "null"))},
        {"properties.a != true", AND(PROP("a", "!=", "true"))},
        {"properties.a != null",
         AND("{\"type\":\"event-property\",\"name\":\"a\",\"operator\":\"exists\"}")},
        {"userId = true", AND("{\"type\":\"userId\",\"operator\":\"is_true\"}")},
        {"event = null", AND(EVENT("=", "null"))},
        {"event = 007", AND(EVENT("=", "7"))},
        {"event = no", AND(EVENT("=", "n"))},
        {"event = an", AND(EVENT("=", "a"))},
        {"properties.product\\ 1.price = \"x\"", AND(PROP("product 1.price", "=", "\"x\""))},
        {"properties.a\\.b = \"x\"", AND(PROP("a.b", "=", "\"x\""))},
        {"event = \"a\\\"b\"", AND(EVENT("=", "a\\\\"))},
        {"event = \"x\" and ()", AND(EVENT("=", "x") ",null")},
        {"properties.a = \"x\" or(event = \"y\")",
         AND(PROP("a", "=", "\"x\"") "," EVENT("=", "y"))},
        {"type = \"track\"\r\nand event=\"x\"", AND(TYPE("=", "track"))},
        {"event=\"x\"and type=\"t\"", AND(EVENT("=", "x"))},
        {"constructor = \"x\" and type = \"t\"", AND(TYPE("=", "t"))},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct fql *fql;
        struct err err = {0};
        buf_reset(&out);
        if (fql_compile(&fql, str_from(rows[i].text), &err) != 0)
            fail_msg("%s: %s", rows[i].text, err.msg);
        jv_write(&out, fql_ast(fql, &arena));
        if (!str_eq(buf_str(&out), str_from(rows[i].tree)))
            fail_msg("%s: got %.*s, expected %s", rows[i].text, STR_ARG(buf_str(&out)),
                     rows[i].tree);
        fql_free(fql);
    }
}

static void faulty_texts_are_refused_with_the_reference_s_words(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *message;
        size_t at;
    } rows[] = {
        {"((type = \"track\"))", NOTHING, 1},
        {"foo = \"bar\"", NOTHING, 11},
        {"anonymousId != null", NOTHING, 19},
        {"TYPE = \"track\"", NOTHING, 14},
        {"", NOTHING, 0},
        {"()", NOTHING, 2},
        {"and", NOTHING, 3},
        {"true", NOTHING, 4},
        {"type", "Value token is missing", 4},
        {"properties.a", "Value token is missing", 12},
        {"lowercase(event) = \"x\"", "Value token is missing", 15},
        {"event !=\"x\"", NOTHING, 7},
        {"properties.a>5 ", NOTHING, 12},
        {"properties.a!=5", NOTHING, 13},
        {"event = \"x", NOTHING, 9},
        {"traits.n\xE2\x89\xA0", "Value token is missing", 11}, /* lost in a look-ahead of units */
        {"event = 5.", NOTHING, 10},
        {"event = ~", NOTHING, 9},
        {"contains(", "contains() is missing a 2nd argument", 9},
        {"match", "match() is missing a 1st argument", 5},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct fql *fql = NULL;
        struct err err = {0};
        int rc = fql_compile(&fql, str_from(rows[i].text), &err);
        if (rc != -EINVAL)
            fail_msg("%s: %d", rows[i].text, rc);
        assert_null(fql);
        assert_string_equal(err.msg, rows[i].message);
        if (err.at != rows[i].at)
            fail_msg("%s: at %zu, expected %zu", rows[i].text, err.at, rows[i].at);
    }
}

static void a_text_no_person_writes_is_refused_by_name(void **state)
{
    (void)state;
    struct fql *fql;
    struct err err = {0};
    char *text = arena_alloc(&arena, FQL_BYTES_MAX + 1);
    memset(text, 'a', FQL_BYTES_MAX + 1);
    assert_int_equal(fql_compile(&fql, (struct str){text, FQL_BYTES_MAX + 1}, &err), -E2BIG);
    assert_string_equal(err.msg, "a subscription of 65537 bytes, expected at most 65536");
}

static void events_match_as_in_the_reference(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *event;
        bool expected;
    } rows[] = {
        {"properties.a = 5", "{\"properties\":{\"a\":5}}", true},
        {"properties.a = 5", "{\"properties\":{\"a\":\"5\"}}", false},
        {"properties.a = 5", "{}", false},
        {"properties.a != 5", "{\"properties\":{\"a\":6}}", true},
        {"properties.a != 5", "{\"properties\":{\"a\":\"5\"}}", false},
        {"properties.a != 5", "{\"properties\":{}}", false},
        {"properties.a = \"5\"", "{\"properties\":{\"a\":5}}", false},
        {"properties.a = \"5\"", "{\"properties\":{\"a\":\"5\"}}", true},
        {"properties.a != \"5\"", "{\"properties\":{\"a\":5}}", true},
        {"properties.a != \"5\"", "{\"properties\":{}}", true},
        {"properties.a != \"5\"", "{\"properties\":{\"a\":null}}", true},
        {"properties.a < \"6\"", "{\"properties\":{\"a\":5}}", true},
        {"properties.a = true", "{\"properties\":{\"a\":true}}", true},
        {"properties.a = true", "{\"properties\":{\"a\":\"true\"}}", false},
        {"properties.a = true", "{\"properties\":{\"a\":1}}", false},
        {"properties.a != true", "{\"properties\":{\"a\":true}}", true},
        {"properties.a = null", "{}", true},
        {"properties.a = null", "{\"properties\":{\"a\":null}}", true},
        {"properties.a = null", "{\"properties\":{\"a\":0}}", false},
        {"!contains(properties.a,\"x\")", "{}", false},
        {"!contains(properties.a,\"x\")", "{\"properties\":{\"a\":\"y\"}}", true},
        {"properties != null", "{\"properties\":{\"a\":1}}", false},
        {"properties.length > 0", "{\"properties\":\"abc\"}", true},
        {"type = \"track\" and event != \"Order Completed\"",
         "{\"type\":\"track\",\"event\":\"x\"}", true},
        {"type = \"track\" and event != \"Order Completed\"",
         "{\"type\":\"track\",\"event\":\"Order Completed\"}", false},
        {"match(event, \"Order*\")", "{\"event\":\"Order Completed\"}", true},
        {"match(event, \"*leted\")", "{\"event\":\"Order Completed\"}", true},
        {"event = \"x\" or name contains \"b\"", "{\"name\":\"abc\"}", true},
        {"event in [\"a\"]", "{\"event\":\"a\"}", false},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct fql *fql;
        struct jv event;
        assert_int_equal(fql_compile(&fql, str_from(rows[i].text), NULL), 0);
        assert_int_equal(jv_parse(&event, &arena, str_from(rows[i].event), JV_JAVASCRIPT, NULL), 0);
        if (fql_match(fql, event) != rows[i].expected)
            fail_msg("%s with %s", rows[i].text, rows[i].event);
        fql_free(fql);
    }
}

static void what_throws_in_the_reference_says_so_when_it_is_reached(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *event;
        const char *why;
    } rows[] = {
        {"event = \"x\" and ()", "{\"event\":\"x\"}", NOTHING},
        {"event = \"x\" and ()", "{\"event\":\"y\"}", NULL},
        {"properties.\\. = 1", "{}", "Cannot read properties of null (reading 'reduce')"},
        {"traits.a = 1", "null", "Cannot read properties of null (reading 'traits')"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct fql *fql;
        struct jv event;
        const char *why;
        assert_int_equal(fql_compile(&fql, str_from(rows[i].text), NULL), 0);
        assert_int_equal(jv_parse(&event, &arena, str_from(rows[i].event), JV_JAVASCRIPT, NULL), 0);
        assert_false(fql_match_or_throw(fql, event, &why));
        assert_int_equal(why == NULL, rows[i].why == NULL);
        if (why != NULL)
            assert_string_equal(why, rows[i].why);
        fql_free(fql);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_parse_to_the_reference_s_trees),
        cmocka_unit_test(faulty_texts_are_refused_with_the_reference_s_words),
        cmocka_unit_test(a_text_no_person_writes_is_refused_by_name),
        cmocka_unit_test(events_match_as_in_the_reference),
        cmocka_unit_test(what_throws_in_the_reference_says_so_when_it_is_reached),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
