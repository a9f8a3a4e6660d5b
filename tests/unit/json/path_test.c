#include "path.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "../json_scene.h"

struct row {
    const char *path;
    const char *data;
    const char *expected; /* JSON; "" for undefined */
};

static void assert_row(const struct row *row, enum path_dialect dialect)
{
    struct path path;
    struct jv data;
    buf_reset(&out);
    assert_int_equal(jv_parse(&data, &arena, str_from(row->data), JV_JAVASCRIPT, NULL), 0);
    struct str text = str_from(row->path);
    if (dialect == PATH_MAPPING)
        text = path_strip_root(&arena, text);
    assert_int_equal(path_compile(&path, &arena, text, dialect), 0);
    struct jv value = path_get(path, data);
    if (value.type != JV_UNDEFINED)
        jv_write(&out, value);
    if (!str_eq(buf_str(&out), str_from(row->expected)))
        fail_msg("%s: got %.*s, expected %s", row->path, STR_ARG(buf_str(&out)), row->expected);
}

static void mapping_paths_walk_as_the_reference_does(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"$.o.b", "{\"o\":{\"b\":\"x\"}}", "\"x\""},
        {"o.b", "{\"o\":{\"b\":\"x\"}}", "\"x\""},
        {"$..o.b", "{\"o\":{\"b\":\"x\"}}", "\"x\""},
        {"$.o..b", "{\"o\":{\"b\":\"x\"}}", "\"x\""},
        {"o.$.b", "{\"o\":{\"b\":\"x\"}}", "\"x\""},
        {"$.missing", "{}", ""},
        {"$.o.missing.deeper", "{\"o\":{}}", ""},
        {"$.n.x", "{\"n\":null}", "null"},
        {"$.n.x", "{\"n\":0}", "0"},
        {"$.n.x", "{\"n\":false}", "false"},
        {"$.n.x", "{\"n\":\"\"}", "\"\""},
        {"$.s.length", "{\"s\":\"a\xF0\x9F\x91\x8D\"}", "3"},
        {"$.arr.length", "{\"arr\":[1,2]}", "2"},
        {"$.s[0]", "{\"s\":\"Str\"}", "\"S\""},
        {"$.s[1]", "{\"s\":\"a\xF0\x9F\x91\x8D\"}", "\"\xEF\xBF\xBD\""},
        {"$.s[3]", "{\"s\":\"a\xF0\x9F\x91\x8D\"}", ""},
        {"$.arr[0].x", "{\"arr\":[{\"x\":1}]}", "1"},
        {"$.arr.0.x", "{\"arr\":[{\"x\":1}]}", "1"},
        {"$.arr.00.x", "{\"arr\":[{\"x\":1}]}", ""},
        {"$.nested[0][1]", "{\"nested\":[[1,2]]}", "2"},
        {"$.x[\"0\"]", "{\"x\":[5]}", "5"},
        {"$.arr[9].x", "{\"arr\":[1]}", ""},
        {"$.arr[-1].x", "{\"arr\":[1]}", ""},
        {"$.o['b']", "{\"o\":{\"b\":1}}", "1"},
        {"$.props['first name']", "{\"props\":{\"first name\":1}}", "1"},
        {"$.sp ace", "{\"sp ace\":1}", "1"},
        {"$['o']['b']", "{\"o\":{\"b\":1}}", ""},
        {"$.deep['k-e.y']", "{\"deep\":{\"k-e.y\":1}}", ""},
        {"$.a\\.b", "{\"a.b\":1,\"a\":{\"b\":2}}", ""},
        {"$.arr[x]", "{\"arr\":{\"x\":1}}", ""},
        {"$.a.b[c].d", "{\"a\":{\"b[c]\":{\"d\":4}}}", "4"},
        {"$.x['a']b", "{\"x\":{\"a\":{\"b\":1}}}", "1"},
        {"$.x[0", "{\"x\":[5]}", "5"},
        {"$.deep.quo'te", "{\"deep\":{\"quo'te\":1}}", ""},
        {" $.o.b ", "{\"o\":{\"b\":1}}", ""},
        {"$$.o.b", "{\"o\":{\"b\":1}}", ""},
        {"$.O.b", "{\"o\":{\"b\":1}}", ""},
        {"$.", "{\"a\":1}", "{\"a\":1}"},
        {".", "{\"a\":1}", "{\"a\":1}"},
        {"", "{\"a\":1}", "{\"a\":1}"},
        {"$", "{\"$\":1}", "1"},
        {"$.__proto__", "{\"__proto__\":1}", "1"},
        {"$.a.toFixed", "{\"a\":1}", ""},
    };
    for (size_t i = 0; i < countof(rows); i++)
        assert_row(&rows[i], PATH_MAPPING);
}

static void subscription_paths_have_no_quotes(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"a.b", "{\"a\":{\"b\":1}}", "1"},
        {"a[0]", "{\"a\":[7]}", "7"},
        {"a['b']", "{\"a\":{\"'b'\":1}}", "1"},
        {"[a", "{\"a\":1}", "1"},
        {"a.b", "{\"a\":0}", "0"},
    };
    for (size_t i = 0; i < countof(rows); i++)
        assert_row(&rows[i], PATH_FQL);
}

static void a_subscription_path_without_a_key_is_refused(void **state)
{
    (void)state;
    struct path path;
    assert_int_equal(path_compile(&path, &arena, STR(".[]."), PATH_FQL), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mapping_paths_walk_as_the_reference_does),
        cmocka_unit_test(subscription_paths_have_no_quotes),
        cmocka_unit_test(a_subscription_path_without_a_key_is_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
