#include "harness.h"

#include <errno.h>
#include <ftw.h>
#include <unistd.h>

/* With data_dir everything that was committed is there after a restart. */

static int remove_entry(const char *path, const struct stat *info, int flag, struct FTW *walk)
{
    (void)info;
    (void)flag;
    (void)walk;
    return remove(path);
}

struct place {
    char dir[64];
};

static int make_place(void **state)
{
    static struct place place;
    snprintf(place.dir, sizeof(place.dir), "/tmp/spelter-sandbox-XXXXXX");
    *state = &place;
    return mkdtemp(place.dir) == NULL;
}

static int remove_place(void **state)
{
    struct place *place = *state;
    return nftw(place->dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void restart(struct harness *h, const char *dir)
{
    if (h->sandbox != NULL) {
        assert_int_equal(sandbox_commit(h->sandbox), 0);
        harness_close(h);
    }
    harness_open(h, (struct sandbox_options){.data_dir = dir});
}

static void body_of(struct harness *h, const char *request, char *out, size_t room)
{
    assert_int_equal(harness_call(h, str_from(request)), 200);
    assert_true(h->answer.body.len < room);
    memcpy(out, h->answer.body.ptr, h->answer.body.len);
    out[h->answer.body.len] = '\0';
}

static void profiles_and_all_that_belongs_to_them_survive(void **state)
{
    static const char *const writes[] = {
        ATTRIBUTES("{\"external_id\":\"u\",\"email\":\"a@b.co\",\"phone\":\"+15551234567\",\"n\":"
                   "9007199254740993,\"at\":\"2024-01-01\"}"),
        ATTRIBUTES("{\"user_alias\":{\"alias_name\":\"n\",\"alias_label\":\"l\"},\"_update_"
                   "existing_only\":false,\"a\":1}"),
        ATTRIBUTES("{\"external_id\":\"gone\"}"),
        EVENTS("{\"external_id\":\"u\",\"name\":\"e\"," T
               ",\"properties\":{\"k\":1}},{\"external_id\":\"v\",\"name\":\"f\"," T "}"),
        PURCHASES("{\"external_id\":\"u\",\"product_id\":\"p\",\"currency\":\"USD\",\"price\":2," T
                  "}"),
        "POST /users/external_ids/rename "
        "{\"external_id_renames\":[{\"current_external_id\":\"u\",\"new_external_id\":\"w\"}]}",
        "POST /users/merge "
        "{\"merge_updates\":[{\"identifier_to_merge\":{\"external_id\":\"v\"},\"identifier_to_"
        "keep\":{\"external_id\":\"w\"}}]}",
        "POST /users/delete {\"external_ids\":[\"gone\"]}",
        "POST /catalogs "
        "{\"catalogs\":[{\"name\":\"shop\",\"description\":\"d\",\"fields\":[{\"name\":\"id\","
        "\"type\":\"string\"},{\"name\":\"price\",\"type\":\"number\"}]}]}",
        "PUT /catalogs/shop/items/a {\"items\":[{\"price\":2}]}",
        "POST /email/status {\"email\":\"late@b.co\",\"subscription_state\":\"unsubscribed\"}",
    };
    static const char *const reads[] = {
        "GET /sandbox/profiles/w",   "GET /sandbox/profiles/u",  "GET /sandbox/profiles/a@b.co",
        "GET /sandbox/profiles/l:n", "GET /sandbox/data-points", "GET /catalogs/shop/items",
        "GET /events/list",          "GET /custom_attributes",
    };
    enum { BODY_BYTES = 8192 };
    static char bodies[countof(reads)][BODY_BYTES];
    struct place *place = *state;
    struct harness h = {0};
    restart(&h, place->dir);
    for (size_t i = 0; i < countof(writes); i++)
        if (harness_call(&h, str_from(writes[i])) / 100 != 2)
            fail_msg("%s: %.*s", writes[i], STR_ARG(buf_str(&h.answer.body)));
    for (size_t i = 0; i < countof(reads); i++)
        body_of(&h, reads[i], bodies[i], BODY_BYTES);
    restart(&h, place->dir);
    for (size_t i = 0; i < countof(reads); i++) {
        static char again[BODY_BYTES];
        body_of(&h, reads[i], again, BODY_BYTES);
        assert_string_equal(bodies[i], again);
    }
    assert_int_equal(harness_call(&h, STR("GET /sandbox/profiles/gone")), 404);
    assert_int_equal(harness_call(&h, STR("GET /sandbox/profiles/v")), 404);
    assert_int_equal(sandbox_counts(h.sandbox).profiles, 2);
    assert_int_equal(
        harness_call(&h, STR(ATTRIBUTES("{\"external_id\":\"x\",\"email\":\"late@b.co\"}"))), 201);
    assert_int_equal(harness_call(&h, STR("GET /sandbox/profiles/x")), 200);
    struct jv state_after =
        harness_at(harness_parse(&h.arena, buf_str(&h.answer.body)), "profile.email_subscribe");
    assert_true(str_eq(jv_str(state_after), STR("unsubscribed")));
    harness_close(&h);
}

static void what_was_not_committed_is_gone(void **state)
{
    struct place *place = *state;
    struct harness h = {0};
    restart(&h, place->dir);
    assert_int_equal(harness_call(&h, STR(ATTRIBUTES("{\"external_id\":\"kept\"}"))), 201);
    assert_int_equal(sandbox_commit(h.sandbox), 0);
    assert_int_equal(harness_call(&h, STR(ATTRIBUTES("{\"external_id\":\"lost\"}"))), 201);
    harness_close(&h); /* as a killed process */
    h = (struct harness){0};
    restart(&h, place->dir);
    assert_int_equal(harness_call(&h, STR("GET /sandbox/profiles/kept")), 200);
    assert_int_equal(harness_call(&h, STR("GET /sandbox/profiles/lost")), 404);
    harness_close(&h);
}

static void a_second_sandbox_is_kept_out(void **state)
{
    struct place *place = *state;
    struct harness h = {0};
    struct sandbox *second = NULL;
    struct err err = {0};
    restart(&h, place->dir);
    struct sandbox_options options = {.clock = clock_real(), .data_dir = place->dir};
    assert_int_equal(sandbox_open(&second, &options, &err), -EBUSY);
    assert_non_null(strstr(err.msg, "another sandbox"));
    harness_close(&h);
}

static void a_reset_reaches_the_disk(void **state)
{
    struct place *place = *state;
    struct harness h = {0};
    restart(&h, place->dir);
    assert_int_equal(harness_call(&h, STR(ATTRIBUTES("{\"external_id\":\"u\"}"))), 201);
    assert_int_equal(harness_call(&h, STR("POST /sandbox/reset")), 200);
    assert_int_equal(harness_call(&h, STR(ATTRIBUTES("{\"external_id\":\"v\"}"))), 201);
    restart(&h, place->dir);
    assert_int_equal(harness_call(&h, STR("GET /sandbox/profiles/u")), 404);
    assert_int_equal(harness_call(&h, STR("GET /sandbox/profiles/v")), 200);
    harness_close(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(profiles_and_all_that_belongs_to_them_survive, make_place,
                                        remove_place),
        cmocka_unit_test_setup_teardown(what_was_not_committed_is_gone, make_place, remove_place),
        cmocka_unit_test_setup_teardown(a_second_sandbox_is_kept_out, make_place, remove_place),
        cmocka_unit_test_setup_teardown(a_reset_reaches_the_disk, make_place, remove_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
