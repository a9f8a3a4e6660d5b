#include "mapping.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "../json_scene.h"

#include "bounds.h"

struct row {
    const char *directive; /* stands under "k" */
    const char *payload;
    const char *expected; /* the whole result; or "!Name: message" when it throws */
};

static void assert_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct mapping *mapping = NULL;
        struct thrown thrown;
        struct err err = {0};
        struct jv value;
        struct buf source;
        buf_reset(&out);
        buf_init_arena(&source, &arena, 1 << 20);
        buf_printf(&source, "{\"k\":%s}", rows[i].directive);
        int rc = mapping_compile(&mapping, parse(buf_cstr(&source)), &err);
        if (rc != 0)
            fail_msg("%s: %s", rows[i].directive, err.msg);
        rc = mapping_run_or_throw(mapping, parse(rows[i].payload), &arena, &value, &thrown, &err);
        if (rc == 0)
            jv_write(&out, value);
        else
            buf_printf(&out, "!%.*s: %.*s", STR_ARG(thrown.name), STR_ARG(thrown.message));
        if (!str_eq(buf_str(&out), str_from(rows[i].expected)))
            fail_msg("%s with %s: got %.*s, expected %s", rows[i].directive, rows[i].payload,
                     STR_ARG(buf_str(&out)), rows[i].expected);
        mapping_free(mapping);
    }
}

/* clang-format off */
static void templates_fill_in_values(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"{\"@template\":\"Hi {{s}}\"}", "{\"s\":\"Str\"}", "{\"k\":\"Hi Str\"}"},
        {"{\"@template\":\"{{ s }}!\"}", "{\"s\":\"Str\"}", "{\"k\":\"Str!\"}"},
        {"{\"@template\":\"{{{s}}}\"}", "{\"s\":\"Str\"}", "{\"k\":\"Str\"}"},
        {"{\"@template\":\"{{missing}}{{n}}{{$.s}}\"}", "{\"n\":null,\"s\":1}", "{\"k\":\"\"}"},
        {"{\"@template\":\"{{f}} {{z}} {{e}}\"}", "{\"f\":false,\"z\":0,\"e\":\"\"}", "{\"k\":\"false 0 \"}"},
        {"{\"@template\":\"{{o}}{{ }}{{.}}\"}", "{\"o\":{}}", "{\"k\":\"[object Object][object Object][object Object]\"}"},
        {"{\"@template\":\"{{b}}\"}", "{\"b\":[1,[2,3],null,{\"a\":1}]}", "{\"k\":\"1,2,3,,[object Object]\"}"},
        {"{\"@template\":\"{{}}\"}", "{}", "{\"k\":\"{{}}\"}"},
        {"{\"@template\":\"{s}\"}", "{\"s\":1}", "{\"k\":\"{s}\"}"},
        {"{\"@template\":\"{{s}\"}", "{\"s\":1}", "{\"k\":\"{{s}\"}"},
        {"{\"@template\":\"{{{{s}}}}\"}", "{\"s\":1}", "{\"k\":\"}\"}"},
        {"{\"@template\":\"{{{s}}\"}", "{\"s\":1}", "{\"k\":\"\"}"},
        {"{\"@template\":\"{{s}}}\"}", "{\"s\":\"Str\"}", "{\"k\":\"Str}\"}"},
        {"{\"@template\":\"{{v}}\"}", "{\"v\":\"{{s}}\",\"s\":1}", "{\"k\":\"{{s}}\"}"},
        {"{\"@template\":\"{{{v}}}\"}", "{\"v\":\"{{s}}\",\"s\":\"X\"}", "{\"k\":\"X\"}"},
        {"{\"@template\":\"{{v}}.\"}", "{\"v\":\"$& $1 $$\"}", "{\"k\":\"$& $1 $$.\"}"},
        {"{\"@template\":\"{{x.y}}\"}", "{\"x\":0}", "{\"k\":\"0\"}"},
        {"{\"@template\":\"plain\"}", "{}", "{\"k\":\"plain\"}"},
        {"{\"@template\":\"\"}", "{}", "{\"k\":\"\"}"},
        {"{\"@template\":{\"@path\":\"$.t\"}}", "{\"t\":\"<{{s}}>\",\"s\":1}", "{\"k\":\"<1>\"}"},
        {"{\"@template\":{\"@path\":\"$.t\"}}", "{}", "!Error: @template: expected string, got undefined"},
        {"{\"@template\":\"x{{o}}\"}", "{\"o\":{\"toString\":1}}", "!TypeError: Cannot convert object to primitive value"},
    };
    assert_rows(rows, countof(rows));
}

static void paths_and_literals_resolve(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"{\"@path\":\"$.a.b\"}", "{\"a\":{\"b\":1}}", "{\"k\":1}"},
        {"{\"@path\":\"$.missing\"}", "{}", "{}"},
        {"{\"@path\":\"$.\"}", "{\"a\":1}", "{\"k\":{\"a\":1}}"},
        {"{\"@path\":{\"@template\":\"$.{{p}}\"}}", "{\"p\":\"a\",\"a\":1}", "{\"k\":1}"},
        {"{\"@path\":{\"@path\":\"$.p\"}}", "{}", "!Error: @path: expected string, got undefined"},
        {"[{\"@path\":5}]", "{}", "!Error: @path: expected string, got number"},
        {"[{\"@nope\":5}]", "{}", "!Error: @nope is not a valid directive, got undefined"},
        {"[{\"@path\":\"$.a\",\"z\":1}]", "{\"a\":2}", "{\"k\":[{\"@path\":\"$.a\",\"z\":1}]}"},
        {"[{\"@path\":\"$.a\",\"_metadata\":{}},{\"@path\":\"$.b\"}]", "{\"a\":2}", "{\"k\":[2,null]}"},
        {"{\"@literal\":{\"a\":{\"@path\":\"$.a\"},\"b\":\"{{a}}\"}}", "{\"a\":2}", "{\"k\":{\"a\":2,\"b\":\"{{a}}\"}}"},
        {"{\"2\":1,\"b\":{\"__proto__\":1,\"a\":2},\"1\":0}", "{}", "{\"k\":{\"1\":0,\"2\":1,\"b\":{\"a\":2}}}"},
        {"{\"@path\":\"$.o\"}", "{\"o\":[{\"__proto__\":{\"a\":1},\"b\":2}]}", "{\"k\":[{\"b\":2}]}"},
    };
    assert_rows(rows, countof(rows));
}

static void conditions_decide_as_in_the_reference(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"{\"@if\":{\"exists\":{\"@path\":\"$.v\"},\"then\":1,\"else\":2}}", "{\"v\":\"\"}", "{\"k\":1}"},
        {"{\"@if\":{\"exists\":{\"@path\":\"$.v\"},\"then\":1,\"else\":2}}", "{\"v\":null}", "{\"k\":2}"},
        {"{\"@if\":{\"exists\":{\"@path\":\"$.v\"},\"then\":0}}", "{\"v\":false}", "{\"k\":0}"},
        {"{\"@if\":{\"exists\":{\"@path\":\"$.v\"},\"else\":\"\"}}", "{}", "{}"},
        {"{\"@if\":{\"exists\":false,\"blank\":1,\"then\":1}}", "{}", "{\"k\":1}"},
        {"{\"@if\":{\"blank\":{\"@path\":\"$.v\"},\"then\":1,\"else\":2}}", "{\"v\":0}", "{\"k\":2}"},
        {"{\"@if\":{\"blank\":{\"@path\":\"$.v\"},\"then\":1,\"else\":2}}", "{\"v\":[[]]}", "{\"k\":2}"},
        {"{\"@if\":{\"blank\":{\"@path\":\"$.v\"},\"then\":1,\"else\":2}}", "{\"v\":\" \"}", "{\"k\":1}"},
        {"{\"@if\":{\"blank\":{\"@path\":\"$.v\"},\"then\":1,\"else\":2}}", "{\"v\":{}}", "{\"k\":1}"},
        {"{\"@if\":{\"exists\":\"\",\"then\":1}}", "{}", "!Error: @if requires an \"exists\" key or a \"blank\" key"},
        {"[{\"@if\":1}]", "{}", "!Error: @if requires an object with an \"exists\" key"},
    };
    assert_rows(rows, countof(rows));
}

static void texts_change_case_and_parts(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"{\"@case\":{\"operator\":\"upper\",\"value\":\"stra\xC3\x9F" "e\"}}", "{}", "{\"k\":\"STRASSE\"}"},
        {"{\"@case\":{\"operator\":\"lower\",\"value\":{\"@path\":\"$.v\"}}}", "{\"v\":5}", "{\"k\":5}"},
        {"{\"@case\":{\"operator\":\"LOWER\",\"value\":\"x\"}}", "{}", "!Error: operator key should have a value of \"lower\" or \"upper\""},
        {"{\"@case\":{\"value\":\"x\"}}", "{}", "!Error: @case requires a \"operator\" key"},
        {"{\"@case\":{\"operator\":\"lower\",\"value\":\"\"}}", "{}", "{}"},
        {"{\"@replace\":{\"pattern\":\"a\",\"replacement\":\"<$&$$$1>\",\"value\":\"banana\"}}", "{}", "{\"k\":\"b<a$$1>n<a$$1>n<a$$1>\"}"},
        {"{\"@replace\":{\"pattern\":\"n\",\"replacement\":\"[$`|$']\",\"value\":\"ana\"}}", "{}", "{\"k\":\"a[a|a]a\"}"},
        {"{\"@replace\":{\"pattern\":\"A\",\"value\":\"banana\",\"ignorecase\":true,\"global\":false}}", "{}", "{\"k\":\"bnana\"}"},
        {"{\"@replace\":{\"pattern\":\".\",\"replacement\":\"-\",\"value\":\"a.b\"}}", "{}", "{\"k\":\"a-b\"}"},
        {"{\"@replace\":{\"pattern\":\"1\",\"replacement\":\"2\",\"value\":{\"@path\":\"$.n\"}}}", "{\"n\":101}", "{\"k\":\"202\"}"},
        {"{\"@replace\":{\"pattern\":\"1\",\"value\":{\"@path\":\"$.n\"}}}", "{\"n\":null}", "{\"k\":\"\"}"},
        {"{\"@replace\":{\"pattern\":\"a\",\"pattern2\":\"b\",\"replacement2\":\"c\",\"value\":\"aabb\"}}", "{}", "{\"k\":\"cc\"}"},
        {"{\"@replace\":{\"pattern\":\"a\",\"pattern2\":\"01234567890\",\"value\":\"a\"}}", "{}", "!Error: @replace requires a \"pattern\" less than 10 characters"},
    };
    assert_rows(rows, countof(rows));
}

static void arrays_are_shaped_item_by_item(void **state)
{
    (void)state;
    static const char arr[] = "{\"arr\":[{\"x\":1,\"y\":\"p\"},{\"x\":2}],\"o\":{\"b\":\"x\"},\"prims\":[1,\"two\",null,0,\"\"]}";
    static const struct row rows[] = {
        {"{\"@arrayPath\":[\"$.arr\",{\"z\":{\"@path\":\"$.x\"}}]}", arr, "{\"k\":[{\"z\":1},{\"z\":2}]}"},
        {"{\"@arrayPath\":[\"$.arr\",{\"z\":{\"@path\":\"$.missing\"}}]}", arr, "{\"k\":[{},{}]}"},
        {"{\"@arrayPath\":[\"$.o\",{\"z\":{\"@path\":\"$.b\"}}]}", arr, "{\"k\":[{\"z\":\"x\"}]}"},
        {"{\"@arrayPath\":[\"$.prims\",{\"z\":{\"@path\":\"$.x\"}}]}", arr, "{\"k\":[{},{},{\"z\":null},{\"z\":0},{\"z\":\"\"}]}"},
        {"{\"@arrayPath\":[\"$.arr\",{\"@template\":\"{{x}}-{{y}}\"}]}", arr, "{\"k\":[\"1-p\",\"2-\"]}"},
        {"{\"@arrayPath\":[\"$.o\",{\"z\":{\"@path\":\"$.\"}}]}", arr, "{\"k\":[{\"z\":{\"b\":\"x\"}}]}"},
        {"{\"@arrayPath\":[{\"@template\":\"$.arr\"},{\"z\":1}]}", arr, "{\"k\":\"$.arr\"}"},
        {"{\"@arrayPath\":[\"$.prims\",{}]}", arr, "{\"k\":[1,\"two\",null,0,\"\"]}"},
        {"{\"@arrayPath\":[\"$.missing\",{\"z\":1}]}", arr, "{}"},
        {"[{\"@arrayPath\":5}]", "{}", "!Error: @arrayPath expected array, got number"},
    };
    assert_rows(rows, countof(rows));
}

static void objects_are_encoded_flattened_and_merged(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"{\"@json\":{\"mode\":\"encode\",\"value\":{\"@path\":\"$.o\"}}}", "{\"o\":{\"b\":[1,null]}}", "{\"k\":\"{\\\"b\\\":[1,null]}\"}"},
        {"{\"@json\":{\"mode\":\"encode\",\"value\":{\"@path\":\"$.o\"}}}", "{}", "{}"},
        {"{\"@json\":{\"mode\":\"decode\",\"value\":{\"@path\":\"$.o\"}}}", "{\"o\":\"{\\\"a\\\":1}\"}", "{\"k\":{\"a\":1}}"},
        {"{\"@json\":{\"mode\":\"decode\",\"value\":{\"@path\":\"$.o\"}}}", "{\"o\":\"{a\"}", "{\"k\":\"{a\"}"},
        {"{\"@json\":{\"mode\":\"ENCODE\",\"value\":1}}", "{}", "{}"},
        {"{\"@flatten\":{\"separator\":\".\",\"value\":{\"@path\":\"$.o\"}}}", "{\"o\":{\"a\":{\"b\":1,\"c\":[2,{\"d\":3}]},\"e\":{},\"f\":[]}}", "{\"k\":{\"a.b\":1,\"a.c.0\":2,\"a.c.1.d\":3}}"},
        {"{\"@flatten\":{\"separator\":\".\",\"omitArrays\":\"false\",\"value\":{\"@path\":\"$.o\"}}}", "{\"o\":{\"a\":[1]}}", "{\"k\":{\"a\":[1]}}"},
        {"{\"@flatten\":{\"separator\":\".\",\"value\":{\"@path\":\"$.o\"}}}", "{\"o\":5}", "{\"k\":{\"\":5}}"},
        {"{\"@flatten\":{\"separator\":\".\",\"value\":{\"@path\":\"$.o\"}}}", "{}", "{\"k\":{}}"},
        {"{\"@flatten\":{\"separator\":\".\",\"value\":{\"@path\":\"$.o\"}}}", "{\"o\":{\"\":{\"a\":1},\"b\":{\"\":2}}}", "{\"k\":{\"a\":1,\"b.\":2}}"},
        {"{\"@merge\":{\"direction\":\"right\",\"objects\":[{\"a\":1,\"b\":1},{\"b\":2,\"c\":2}]}}", "{}", "{\"k\":{\"a\":1,\"b\":2,\"c\":2}}"},
        {"{\"@merge\":{\"direction\":\"left\",\"objects\":[{\"a\":1,\"b\":1},{\"b\":2,\"c\":2}]}}", "{}", "{\"k\":{\"b\":1,\"c\":2,\"a\":1}}"},
        {"{\"@merge\":{\"direction\":\"right\",\"objects\":[{\"a\":1},{\"a\":{\"@path\":\"$.x\"}}]}}", "{}", "{\"k\":{}}"},
        {"{\"@merge\":{\"direction\":\"right\",\"objects\":[{\"@path\":\"$.s\"},{\"@path\":\"$.l\"},{\"@path\":\"$.n\"}]}}", "{\"s\":\"ab\",\"l\":[5],\"n\":1}", "{\"k\":{\"0\":5,\"1\":\"b\"}}"},
        {"{\"@merge\":{\"direction\":\"right\",\"objects\":[{\"@path\":\"$.s\"}]}}", "{\"s\":\"a\xF0\x9F\x91\x8D\xC3\xA9\"}", "{\"k\":{\"0\":\"a\",\"1\":\"\xEF\xBF\xBD\",\"2\":\"\xEF\xBF\xBD\",\"3\":\"\xC3\xA9\"}}"},
        {"{\"@transform\":{\"apply\":{\"x\":{\"@path\":\"$.a\"}},\"mapping\":{\"y\":{\"@path\":\"$.x\"},\"z\":{\"@path\":\"$.a\"}}}}", "{\"a\":1}", "{\"k\":{\"y\":1}}"},
        {"{\"@transform\":{\"apply\":{\"x\":1,\"__segment_internal_directive\":7},\"mapping\":{\"y\":{\"@path\":\"$.x\"}}}}", "{\"a\":1}", "!Error: The root directive must be an object"},
        {"{\"@arrayPath\":[\"$.l\",{\"@transform\":{\"apply\":{\"q\":{\"@path\":\"$.p\"}},\"mapping\":{\"r\":{\"@path\":\"$.q\"},\"s\":{\"@template\":\"{{p}}{{q}}\"}}}}]}", "{\"l\":[{\"p\":1},{\"p\":2}],\"p\":3}", "{\"k\":[{\"r\":1,\"s\":\"1\"},{\"r\":2,\"s\":\"2\"}]}"},
        {"{\"@arrayPath\":[\"$.l\",{\"@transform\":{\"apply\":{},\"mapping\":{}}}]}", "{\"l\":[null]}", "!Error: data must be an object, got null"},
        {"{\"@excludeWhenNull\":{\"@path\":\"$.v\"}}", "{\"v\":null}", "{}"},
        {"{\"@excludeWhenNull\":{\"@path\":\"$.v\"}}", "{\"v\":{\"a\":null,\"b\":{\"c\":null},\"d\":[null]}}", "{\"k\":{\"b\":{},\"d\":[null]}}"},
    };
    assert_rows(rows, countof(rows));
}
/* clang-format on */

static void the_root_form_feeds_everything_else_to_one_directive(void **state)
{
    (void)state;
    struct mapping *mapping;
    struct jv value;
    struct jv source = parse(
        "{\"a\":{\"@path\":\"$.x\"},\"__segment_internal_directive\":{\"@transform\":{\"apply\":"
        "{\"x\":{\"@path\":\"$.y\"}}}}}");
    assert_int_equal(mapping_compile(&mapping, source, NULL), 0);
    assert_int_equal(mapping_run(mapping, parse("{\"y\":7}"), &arena, &value, NULL), 0);
    assert_true(jv_equal(value, parse("{\"a\":7}")));
    mapping_free(mapping);
}

static void a_payload_must_be_an_object(void **state)
{
    (void)state;
    struct mapping *mapping;
    struct jv value;
    struct err err = {0};
    assert_int_equal(mapping_compile(&mapping, parse("{\"a\":1}"), NULL), 0);
    assert_int_equal(mapping_run(mapping, jv_null(), &arena, &value, &err), -EINVAL);
    assert_string_equal(err.msg, "data must be an object, got null");
    assert_int_equal(mapping_run(mapping, jv_undefined(), &arena, &value, &err), 0);
    mapping_free(mapping);
}

static void assert_too_much(struct buf *source, const char *payload, const char *why)
{
    struct mapping *mapping;
    struct jv value;
    struct err err = {0};
    struct arena wide;
    arena_init(&wide, 256 << 20);
    assert_int_equal(mapping_compile(&mapping, parse(buf_cstr(source)), &err), 0);
    assert_int_equal(mapping_run(mapping, parse(payload), &wide, &value, &err), -E2BIG);
    assert_string_equal(err.msg, why);
    arena_fini(&wide);
    mapping_free(mapping);
}

#define TOO_MANY_VALUES "the mapping makes more values for one event than 1000000"

static void work_for_one_event_is_bounded(void **state)
{
    (void)state;
    struct buf source;
    buf_init(&source, 4 << 20);
    for (int level = 0; level < 12; level++)
        buf_append(&source, STR("{\"@arrayPath\":[{\"@literal\":[1,2,3,4,5,6,7,8]},{\"z\":"));
    buf_append(&source, STR("{\"@path\":\"$.\"}"));
    for (int level = 0; level < 12; level++)
        buf_append(&source, STR("}]}"));
    assert_too_much(&source, "{}", TOO_MANY_VALUES);

    buf_reset(&source);
    buf_append(&source, STR("{\"@merge\":{\"direction\":\"left\",\"objects\":[{}"));
    for (int object = 0; object < 20; object++) {
        buf_append(&source, STR(",{\"@template\":\""));
        for (int i = 0; i < 60 * 1000; i++)
            buf_putc(&source, 'x');
        buf_append(&source, STR("\"}"));
    }
    buf_append(&source, STR("]}}"));
    assert_too_much(&source, "{}", TOO_MANY_VALUES);
    buf_fini(&source);
}

/* 300 texts of half a mebibyte: each is fine alone. */
static void what_is_made_for_one_event_is_bounded(void **state)
{
    static const char *const directives[] = {
        "{\"@case\":{\"operator\":\"upper\",\"value\":{\"@path\":\"$.t\"}}}",
        "{\"@replace\":{\"pattern\":\"z\",\"replacement\":\"y\",\"value\":{\"@path\":\"$.t\"}}}",
        "{\"@template\":\"{{t}} more\"}",
        "{\"@liquid\":\"{{ t | upcase }}\"}",
    };
    (void)state;
    struct buf source;
    struct buf payload;
    buf_init(&source, 4 << 20);
    buf_init(&payload, 1 << 20);
    buf_append(&payload, STR("{\"t\":\""));
    for (size_t i = 0; i < 512 << 10; i++)
        buf_putc(&payload, 'a');
    buf_append(&payload, STR("\"}"));
    for (size_t row = 0; row < countof(directives); row++) {
        buf_reset(&source);
        for (unsigned i = 0; i < 300; i++)
            buf_printf(&source, "%c\"f%u\":%s", i == 0 ? '{' : ',', i, directives[row]);
        buf_putc(&source, '}');
        assert_too_much(&source, buf_cstr(&payload),
                        "the mapping makes more bytes for one event than 67108864");
    }
    buf_fini(&source);
    buf_fini(&payload);
}

static void a_full_arena_is_reported(void **state)
{
    (void)state;
    struct mapping *mapping;
    struct jv payload = parse("{\"s\":\"0123456789\",\"o\":{\"a\":[1,2,{\"b\":null}]}}");
    assert_int_equal(
        mapping_compile(
            &mapping,
            parse(
                "{\"t\":{\"@template\":\"{{s}}{{s}} and more of it\"},\"u\":{\"@case\":"
                "{\"operator\":\"upper\",\"value\":{\"@path\":\"$.s\"}}},\"f\":{\"@flatten\":"
                "{\"separator\":\".\",\"value\":{\"@path\":\"$.o\"}}},\"p\":{\"@excludeWhenNull\":"
                "{\"@path\":\"$.o\"}},\"q\":{\"@json\":{\"mode\":\"encode\",\"value\":{\"@path\":"
                "\"$.o\"}}}}"),
            NULL),
        0);
    int rc = -ENOMEM;
    for (size_t bytes = 0; rc != 0; bytes += 16) { /* every allocation is the first to fail once */
        struct arena small;
        struct jv value;
        struct err err = {0};
        assert_true(bytes < 65536);
        arena_init(&small, bytes);
        rc = mapping_run(mapping, payload, &small, &value, &err);
        if (rc != 0)
            assert_int_equal(rc, -ENOMEM);
        arena_fini(&small);
    }
    mapping_free(mapping);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(templates_fill_in_values),
        cmocka_unit_test(paths_and_literals_resolve),
        cmocka_unit_test(conditions_decide_as_in_the_reference),
        cmocka_unit_test(texts_change_case_and_parts),
        cmocka_unit_test(arrays_are_shaped_item_by_item),
        cmocka_unit_test(objects_are_encoded_flattened_and_merged),
        cmocka_unit_test(the_root_form_feeds_everything_else_to_one_directive),
        cmocka_unit_test(a_payload_must_be_an_object),
        cmocka_unit_test(work_for_one_event_is_bounded),
        cmocka_unit_test(what_is_made_for_one_event_is_bounded),
        cmocka_unit_test(a_full_arena_is_reported),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
