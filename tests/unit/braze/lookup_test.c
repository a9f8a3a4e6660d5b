#include "lookup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "../json_scene.h"

static void assert_json(struct jv v, const char *expected)
{
    buf_reset(&out);
    jv_write(&out, v);
    if (!str_eq(buf_str(&out), str_from(expected)))
        fail_msg("got %.*s, expected %s", STR_ARG(buf_str(&out)), expected);
}

/* Answers each request with the next body; all of them are asked for. */
static void check(enum lookup_kind kind, const char *about, const char *const *paths,
                  const char *const *bodies, size_t count, int status, const char *expected)
{
    struct lookup l;
    struct str why;
    assert_int_equal(lookup_open(&l, kind, parse(about), &arena, &why), 0);
    for (size_t i = 0; i < count; i++) {
        assert_true(l.has_request);
        assert_true(str_eq(l.request.path, str_from(paths[i])));
        struct response response = {.status = status, .body = parse(bodies[i])};
        assert_int_equal(lookup_take(&l, &response), 0);
    }
    assert_false(l.has_request);
    assert_json(l.result, expected);
}

static void catalogs_offer_their_names_and_fields(void **state)
{
    (void)state;
    static const char *const path[] = {"/catalogs"};
    static const char *const body[] = {"{\"catalogs\":[{\"name\":\"c\",\"description\":\"d\","
                                       "\"fields\":[{\"name\":\"id\"},{\"name\":\"n\"}]}]}"};
    static const char *const none[] = {"{}"};
    check(LOOKUP_CATALOGS, "null", path, body, 1, 200,
          "{\"choices\":[{\"label\":\"c\",\"value\":\"c\",\"type\":\"string\",\"description\":"
          "\"d\"}]}");
    check(LOOKUP_CATALOGS, "null", path, none, 1, 200,
          "{\"choices\":[],\"error\":{\"message\":\"No catalogs found. Please create a catalog "
          "first.\",\"code\":\"404\"}}");
    check(LOOKUP_CATALOGS, "null", path, none, 1, 500,
          "{\"choices\":[],\"error\":{\"message\":\"Unknown error. Please try again "
          "later\",\"code\":\"500\"}}");
    check(LOOKUP_CATALOG_KEYS, "\"c\"", path, body, 1, 200,
          "{\"choices\":[{\"label\":\"n\",\"value\":\"n\"}]}");
    check(LOOKUP_CATALOG_KEYS, "\"x\"", path, body, 1, 200,
          "{\"choices\":[],\"error\":{\"message\":\"Catalog \\\"x\\\" not found or has no "
          "fields.\",\"code\":\"404\"}}");
}

static void lists_are_read_to_their_last_page(void **state)
{
    (void)state;
    static const char *const campaign_paths[] = {"/campaigns/list?page=0",
                                                 "/campaigns/list?page=1"};
    static const char *const campaigns[] = {
        "{\"campaigns\":[{\"id\":\"2\",\"name\":\"b\"},{\"id\":\"1\",\"name\":\"a\"}]}",
        "{\"campaigns\":[]}"};
    static const char *const canvas_paths[] = {"/canvas/list?page=0", "/canvas/list?page=1"};
    static const char *const canvases[] = {
        "{\"canvases\":[{\"id\":\"2\",\"name\":\"b\"},{\"id\":\"1\",\"name\":\"a\"}]}", "{}"};
    check(LOOKUP_CAMPAIGNS, "null", campaign_paths, campaigns, 2, 200,
          "{\"choices\":[{\"label\":\"b\",\"value\":\"2\"},{\"label\":\"a\",\"value\":\"1\"}]}");
    check(LOOKUP_CANVASES, "null", canvas_paths, canvases, 2, 200,
          "{\"choices\":[{\"label\":\"a\",\"value\":\"1\"},{\"label\":\"b\",\"value\":\"2\"}]}");
    check(LOOKUP_CAMPAIGNS, "null", campaign_paths, canvases, 1, 200,
          "{\"choices\":[],\"error\":{\"message\":\"No campaigns found in your Braze "
          "account\",\"code\":\"404\"}}");
    check(LOOKUP_CAMPAIGNS, "null", campaign_paths, canvases, 1, 401,
          "{\"choices\":[],\"error\":{\"message\":\"Unauthorized\",\"code\":\"401\"}}");
}

static void saving_a_mapping_selects_or_creates_its_catalog(void **state)
{
    (void)state;
    static const char *const path[] = {"/catalogs"};
    static const char *const body[] = {"{\"errors\":[{\"message\":\"taken\"}]}"};
    static const char create[] = "{\"operation\":\"create\",\"created_catalog_name\":\"c\","
                                 "\"columns\":[{\"name\":\"id\",\"type\":\"number\"},"
                                 "{\"name\":\"n\",\"type\":\"time\",\"z\":1}]}";
    struct lookup l;
    struct str why;
    check(LOOKUP_CATALOG_SAVED, "{\"operation\":\"select\",\"selected_catalog_name\":\"c\"}", NULL,
          NULL, 0, 200,
          "{\"successMessage\":\"Catalog selected "
          "successfully\",\"savedData\":{\"catalog_name\":\"c\"}}");
    check(LOOKUP_CATALOG_SAVED, create, path, body, 1, 201,
          "{\"successMessage\":\"Catalog created "
          "successfully\",\"savedData\":{\"catalog_name\":\"c\"}}");
    check(LOOKUP_CATALOG_SAVED, create, path, body, 1, 400,
          "{\"error\":{\"message\":\"taken\",\"code\":\"ERROR\"}}");
    assert_int_equal(lookup_open(&l, LOOKUP_CATALOG_SAVED, parse(create), &arena, &why), 0);
    assert_json(l.request.body, "{\"catalogs\":[{\"name\":\"c\",\"description\":\"\",\"fields\":[{"
                                "\"name\":\"id\",\"type\":\"string\"},"
                                "{\"name\":\"n\",\"type\":\"time\"}]}]}");
    assert_int_equal(
        lookup_open(&l, LOOKUP_CATALOG_SAVED, parse("{\"operation\":\"select\"}"), &arena, &why),
        -EINVAL);
    assert_true(str_eq(why, STR("The root value is missing the required field "
                                "'selected_catalog_name'. The root value must "
                                "match \"then\" schema.")));
}

static void fields_without_a_look_up_say_so(void **state)
{
    (void)state;
    assert_int_equal(lookup_of(STR("triggerCanvas"), STR("canvas_id")), LOOKUP_CANVASES);
    assert_int_equal(lookup_of(STR("trackEvent"), STR("name")), LOOKUP_UNKNOWN);
    check(LOOKUP_UNKNOWN, "\"name\"", NULL, NULL, 0, 200,
          "{\"choices\":[],\"nextPage\":\"\",\"error\":{\"message\":\"No dynamic field named name "
          "found.\",\"code\":\"404\"}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(catalogs_offer_their_names_and_fields),
        cmocka_unit_test(lists_are_read_to_their_last_page),
        cmocka_unit_test(saving_a_mapping_selects_or_creates_its_catalog),
        cmocka_unit_test(fields_without_a_look_up_say_so),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
