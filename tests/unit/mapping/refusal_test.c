#include "mapping.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "../json_scene.h"

#include "bounds.h"

/* clang-format off */
static void faulty_mappings_are_refused_with_the_reference_s_words(void **state)
{
    (void)state;
    static const struct {
        const char *source;
        const char *path;
        const char *message;
    } rows[] = {
        {"{\"k\":{\"@replace\":{\"pattern\":\"a\",\"value\":\"b\",\"replacement\":null}}}", "/k/@replace/replacement", "/k/@replace/replacement should be a string but it is a null."},
        {"{\"k\":{\"@path\":5}}", "/k/@path", "/k/@path should be a string or a mapping directive but it is a number."},
        {"{\"k\":{\"@path\":[]}}", "/k/@path", "/k/@path should be a string or a mapping directive but it is an array."},
        {"{\"k\":{\"@path\":\"a\",\"@if\":1}}", "/k", "/k should only have one @-prefixed key but it has 2 keys."},
        {"{\"k\":{\"@path\":\"a\",\"b\":1,\"_metadata\":1}}", "/k", "/k should only have one @-prefixed key but it has 3 keys."},
        {"{\"k\":{\"@nope\":1}}", "/k", "/k has an invalid directive: @nope."},
        {"{\"k\":{\"@if\":{\"then\":{\"deep\":{\"@path\":1}}}}}", "/k/@if/then/deep/@path", "/k/@if/then/deep/@path should be a string or a mapping directive but it is a number."},
        {"{\"k\":{\"@if\":5}}", "/k/@if", "/k/@if should be an object but it is a number."},
        {"{\"k\":{\"@case\":{\"operator\":{\"@path\":\"a\"}}}}", "/k/@case/operator", "/k/@case/operator should be a string but it is a directive."},
        {"{\"k\":{\"@replace\":{\"pattern\":\"\",\"value\":\"b\"}}}", "/k/@replace/pattern", "/k/@replace/pattern should be a string of length 1 or greater."},
        {"{\"k\":{\"@replace\":{\"pattern\":\"01234567890\",\"value\":\"b\"}}}", "/k/@replace/pattern", "/k/@replace/pattern should be a string of length 10 or less."},
        {"{\"k\":{\"@replace\":{\"pattern\":\"a\"}}}", "/k/@replace", "/k/@replace should have field \"value\" but it doesn't."},
        {"{\"k\":{\"@replace\":{\"pattern\":\"a\",\"value\":\"b\",\"global\":1}}}", "/k/@replace/global", "/k/@replace/global should be a boolean but it is a number."},
        {"{\"k\":{\"@arrayPath\":{}}}", "/k/@arrayPath", "/k/@arrayPath should be an array but it is an object."},
        {"{\"k\":{\"@arrayPath\":[\"a\",{\"z\":{\"@path\":1}}]}}", "/k/@arrayPath/z/@path", "/k/@arrayPath/z/@path should be a string or a mapping directive but it is a number."},
        {"{\"k\":{\"@json\":{\"value\":1,\"mode\":\"x\"}}}", "/k/@json/mode", "/k/@json/mode should be one of encode, decode but it is \"x\"."},
        {"{\"k\":{\"@flatten\":{\"value\":1,\"separator\":{\"@path\":\"a\"}}}}", "/k/@flatten/separator", "/k/@flatten/separator should be a string but it is a directive."},
        {"{\"k\":{\"@merge\":{\"direction\":\"left\",\"objects\":[5]}}}", "/", "/ should be a object or a mapping directive but it is a number."},
        {"{\"k\":{\"@transform\":{\"apply\":1,\"mapping\":{}}}}", "/k/@transform/apply", "/k/@transform/apply should be a object or a mapping directive but it is a number."},
        {"{\"__segment_internal_directive\":{\"@path\":\"a\"}}", "", "The root directive must be an object"},
        {"{\"__segment_internal_directive\":{\"@if\":{},\"b\":1}}", "", "The root mapping must only have a single directive object"},
        {"null", "", "Cannot convert undefined or null to object"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct mapping *mapping;
        struct err err = {0};
        assert_int_equal(mapping_compile(&mapping, parse(rows[i].source), &err), -EINVAL);
        assert_null(mapping);
        assert_string_equal(err.msg, rows[i].message);
        assert_string_equal(err.path, rows[i].path);
    }
}

static void all_faults_below_an_object_are_collected(void **state)
{
    (void)state;
    struct mapping *mapping;
    struct thrown thrown;
    struct jv source = parse("{\"a\":{\"@path\":5},\"b\":[{\"@path\":5}],\"c\":{\"@if\":{\"x\":{\"@y\":1},\"then\":{\"@z\":1}}}}");
    assert_int_equal(mapping_compile_or_throw(&mapping, source, &arena, &thrown, NULL), -EINVAL);
    assert_true(str_eq(thrown.name, STR("AggregateError")));
    struct str expected = STR("\n    ValidationError: /a/@path should be a string or a mapping directive but it is a number."
                              "\n    ValidationError: /c/@if/x has an invalid directive: @y."
                              "\n    ValidationError: /c/@if/then has an invalid directive: @z.");
    if (!str_eq(thrown.message, expected))
        fail_msg("got %.*s", STR_ARG(thrown.message));
}
/* clang-format on */

static void a_fault_at_the_root_stands_alone(void **state)
{
    (void)state;
    struct mapping *mapping;
    struct thrown thrown;
    struct jv source = parse("{\"@path\":5}");
    assert_int_equal(mapping_compile_or_throw(&mapping, source, &arena, &thrown, NULL), -EINVAL);
    assert_true(str_eq(thrown.name, STR("ValidationError")));
}

static struct jv nested(unsigned levels)
{
    struct jv v = jv_number(1);
    for (unsigned i = 0; i < levels; i++) {
        struct jv *items;
        struct jv array = jv_array(&arena, &items, 1);
        items[0] = v;
        v = array;
    }
    struct jv_builder b;
    jv_object_begin(&b, &arena, 1);
    jv_object_put(&b, STR("k"), v);
    return jv_object_end(&b);
}

static struct jv wide(uint32_t count)
{
    struct jv *items;
    struct jv array = jv_array(&arena, &items, count);
    for (uint32_t i = 0; i < count; i++)
        items[i] = jv_number(i);
    return array;
}

static struct jv long_template(void)
{
    struct jv_builder b;
    char *text = arena_alloc(&arena, 1 << 20);
    memset(text, '{', 1 << 20);
    jv_object_begin(&b, &arena, 1);
    jv_object_put(&b, STR("@template"), jv_string((struct str){text, 1 << 20}));
    return jv_object_end(&b);
}

static void adversarial_mappings_are_refused_by_name(void **state)
{
    (void)state;
    const struct {
        struct jv source;
        const char *message;
    } rows[] = {
        {nested(1000), "a mapping nested deeper than 64 levels"},
        {wide(MAPPING_NODES_MAX + 1), "a mapping of more than 32768 values"},
        {long_template(), "a text of 1048576 bytes in a mapping, expected at most 65536"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct mapping *mapping;
        struct err err = {0};
        assert_int_equal(mapping_compile(&mapping, rows[i].source, &err), -E2BIG);
        assert_string_equal(err.msg, rows[i].message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faulty_mappings_are_refused_with_the_reference_s_words),
        cmocka_unit_test(all_faults_below_an_object_are_collected),
        cmocka_unit_test(a_fault_at_the_root_stands_alone),
        cmocka_unit_test(adversarial_mappings_are_refused_by_name),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
