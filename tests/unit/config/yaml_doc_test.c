#include "yaml_doc.h"

#include <errno.h>

#include "unit.h"

static void parses_to(const char *text, const char *json)
{
    struct arena arena;
    struct buf out;
    struct yaml_doc *yaml;
    struct err err = {0};
    arena_init(&arena, 1 << 20);
    buf_init(&out, 1 << 20);
    if (yaml_doc_parse(&yaml, &arena, str_from(text), &err) != 0)
        fail_msg("%s: line %zu: %s", text, err.at, err.msg);
    jv_write(&out, yaml_doc_root(yaml));
    assert_string_equal(buf_cstr(&out), json);
    yaml_doc_free(yaml);
    buf_fini(&out);
    arena_fini(&arena);
}

static void scalars_follow_the_json_core_rules(void **state)
{
    (void)state;
    parses_to(
        "a: 1\nb: yes\nc: true\nd: 12:30\ne: '5'\nf:\ng: ~\nh: 1e3\ni: 0x10\nj: -2.5\nk: 007\n",
        "{\"a\":1,\"b\":\"yes\",\"c\":true,\"d\":\"12:30\",\"e\":\"5\",\"f\":null,\"g\":null,"
        "\"h\":1000,\"i\":\"0x10\",\"j\":-2.5,\"k\":\"007\"}");
    parses_to("{\"a\":[1,2,{\"@path\":\"$.userId\"}],\"n\":12345678901234567890}",
              "{\"a\":[1,2,{\"@path\":\"$.userId\"}],\"n\":12345678901234567890}");
    parses_to("x: &x {a: 1}\ny: *x\n", "{\"x\":{\"a\":1},\"y\":{\"a\":1}}");
}

static void refusals_name_the_line(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int code;
        size_t line;
    } rows[] = {
        {"", -EINVAL, 1},
        {NULL, -EINVAL, 1}, /* an empty file */
        {"a: 1\nb: [1, 2\n", -EINVAL, 3},
        {"a: 1\nb: 2\na: 3\n", -EINVAL, 3},
        {"a: 1\n? [x]\n: 2\n", -EINVAL, 2},
        {"a: &a [*a]\n", -E2BIG, 1},
        {"a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
         "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
         "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n",
         -E2BIG, 1},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct arena arena;
        struct yaml_doc *yaml;
        struct err err = {0};
        arena_init(&arena, 64 << 20);
        assert_int_equal(yaml_doc_parse(&yaml, &arena, str_from(rows[i].text), &err), rows[i].code);
        assert_int_equal(err.at, rows[i].line);
        assert_true(err.msg[0] != '\0');
        arena_fini(&arena);
    }
}

static void paths_lead_to_lines(void **state)
{
    (void)state;
    struct arena arena;
    struct yaml_doc *yaml;
    arena_init(&arena, 1 << 20);
    assert_int_equal(
        yaml_doc_parse(&yaml, &arena, STR("a:\n  - b: 1\n    c:\n      d: 2\n  - b: 3\n"), NULL),
        0);
    assert_int_equal(yaml_doc_line(yaml, ""), 1);
    assert_int_equal(yaml_doc_line(yaml, "/a/0/c/d"), 4);
    assert_int_equal(yaml_doc_line(yaml, "/a/1"), 5);
    assert_int_equal(yaml_doc_line(yaml, "/a/0/c/nothing/there"), 3);
    assert_int_equal(yaml_doc_line(yaml, "/a/99999999999999999999999"), 1);
    yaml_doc_free(yaml);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars_follow_the_json_core_rules),
        cmocka_unit_test(refusals_name_the_line),
        cmocka_unit_test(paths_lead_to_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
