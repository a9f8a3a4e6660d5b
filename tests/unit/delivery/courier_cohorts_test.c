#include "unit.h"

#include "courier_world.h"

#define KEYS "\"client_secret\":\"S\""

static struct world w;
static struct buf heard; /* "PATH BODY\n" of every request that Braze carried out */

static void use_keys_in_the_body(void)
{
    struct err err;
    struct jv_member settings[] = {
        {STR("endpoint"), jv_string(str_from(scripted_endpoint(w.server)))},
        {STR("body_keys"), jv_string(STR(KEYS))},
    };
    struct destination_config config = {
        .kind = BRAZE_COHORTS,
        .settings = {.type = JV_OBJECT, .len = countof(settings), .members = settings},
    };
    destination_free(w.destination);
    assert_int_equal(destination_compile(&w.destination, &config, &err), 0);
    w.options.destination = w.destination;
    w.options.pack.objects_max = COHORT_IDS_MAX;
    w.options.requests_max = 1; /* so that requests of different cohorts have an order too */
}

static bool contains(struct str text, const char *word)
{
    return memmem(text.ptr, text.len, word, strlen(word)) != NULL;
}

static struct scripted_answer carry_out(const struct world_request *r)
{
    buf_append(&heard, r->http->path);
    buf_putc(&heard, ' ');
    buf_append(&heard, r->http->body);
    buf_putc(&heard, '\n');
    bool has_header =
        contains(r->http->head, "Authorization") || contains(r->http->head, "X-Braze-Batch");
    return (struct scripted_answer){has_header ? 400 : 201, NULL, "", MANNER_ANSWER};
}

static struct scripted_answer take_all(struct world *world, const struct world_request *r)
{
    (void)world;
    return carry_out(r);
}

static int set_up(void **state)
{
    (void)state;
    buf_init(&heard, 1 << 20);
    world_open(&w);
    use_keys_in_the_body();
    w.script = take_all;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_close(&w);
    buf_fini(&heard);
    return 0;
}

static void append(enum request_family family, const char *user, const char *id, const char *name)
{
    char json[512];
    snprintf(json, sizeof(json),
             "{\"intents\":[{\"family\":%u,\"object\":\"%s\","
             "\"cohort\":{\"id\":\"%s\",\"name\":\"%s\"}}]}",
             (unsigned)family, user, id, name);
    world_append_json(&w, "web", json);
}

static void enter(const char *user, const char *id, const char *name)
{
    append(FAMILY_COHORT_ADD_USER, user, id, name);
}

static void leave(const char *user, const char *id, const char *name)
{
    append(FAMILY_COHORT_REMOVE_USER, user, id, name);
}

static void expect_heard(const char *expected)
{
    world_wait_idle(&w);
    assert_string_equal(buf_cstr(&heard), expected);
}

#define MAKE(name) "/cohorts {" KEYS ",\"name\":\"" name "\"}\n"
#define CHANGE(id, changes)                                                                        \
    "/cohorts/users {" KEYS ",\"cohort_id\":\"" id "\",\"cohort_changes\":[" changes "]}\n"
#define IDS(ids)  "{\"user_ids\":[" ids "],\"device_ids\":[],\"aliases\":[]"
#define ADD(ids)  IDS(ids) "}"
#define DROP(ids) IDS(ids) ",\"should_remove\":true}"

static void a_cohort_is_made_once_and_before_its_members_change(void **state)
{
    (void)state;
    enter("u1", "a", "n");
    enter("u2", "a", "n");
    leave("u3", "a", "n");
    world_start(&w);
    expect_heard(MAKE("n") CHANGE("a", ADD("\"u1\",\"u2\"") "," DROP("\"u3\"")));
    buf_reset(&heard);
    leave("u1", "a", "n");
    expect_heard(CHANGE("a", DROP("\"u1\"")));
    assert_int_equal(counter_get(&courier_metrics(w.courier)->delivered_intents), 4);
}

static void one_users_changes_leave_one_after_the_other(void **state)
{
    (void)state;
    enter("u1", "a", "n");
    leave("u1", "a", "n");
    enter("u2", "a", "n");
    enter("u1", "a", "n");
    world_start(&w);
    expect_heard(MAKE("n") CHANGE("a", ADD("\"u1\"")) CHANGE("a", ADD("\"u2\"") "," DROP("\"u1\""))
                     CHANGE("a", ADD("\"u1\"")));
}

static void a_new_name_is_told_before_the_next_change(void **state)
{
    (void)state;
    enter("u1", "a", "old");
    enter("u2", "a", "new");
    enter("u3", "a", "new");
    world_start(&w);
    expect_heard(MAKE("old") CHANGE("a", ADD("\"u1\"")) MAKE("new")
                     CHANGE("a", ADD("\"u2\",\"u3\"")));
}

static void cohorts_have_requests_of_their_own(void **state)
{
    (void)state;
    enter("u1", "a", "n");
    enter("u1", "b", "m");
    enter("u2", "a", "n");
    w.options.pack.mode = BATCHING_PER_ACTION; /* a header says so for other endpoints */
    world_start(&w);
    world_wait_idle(&w);
    assert_true(contains(buf_str(&heard), CHANGE("a", ADD("\"u1\",\"u2\""))));
    assert_true(contains(buf_str(&heard), CHANGE("b", ADD("\"u1\""))));
    assert_int_equal(w.requests, 4);
}

static void a_restart_makes_the_cohort_again(void **state)
{
    (void)state;
    enter("u1", "a", "n");
    world_start(&w);
    expect_heard(MAKE("n") CHANGE("a", ADD("\"u1\"")));
    world_stop(&w, COURIER_FINISH);
    enter("u2", "a", "n");
    buf_reset(&heard);
    world_start(&w);
    expect_heard(MAKE("n") CHANGE("a", ADD("\"u2\"")));
}

static const int troubles[] = {500, 423, 429, 401, 0};

/* Each trouble once for each of the two requests. */
static struct scripted_answer have_trouble(struct world *world, const struct world_request *r)
{
    (void)world;
    if (r->ordinal % (countof(troubles) + 1) == countof(troubles))
        return carry_out(r);
    int status = troubles[r->ordinal % (countof(troubles) + 1)];
    return (struct scripted_answer){status, status == 429 ? "X-Ratelimit-Retry-After: 0\r\n" : NULL,
                                    "", status == 0 ? MANNER_RESET : MANNER_ANSWER};
}

static void trouble_with_either_request_passes_and_nothing_overtakes(void **state)
{
    (void)state;
    w.script = have_trouble;
    enter("u1", "a", "n");
    leave("u2", "a", "n");
    world_start(&w);
    expect_heard(MAKE("n") CHANGE("a", ADD("\"u1\"") "," DROP("\"u2\"")));
    world_read_letters(&w);
    assert_int_equal(w.letter_count, 0);
}

static struct scripted_answer refuse_bad_names(struct world *world, const struct world_request *r)
{
    (void)world;
    if (contains(r->http->body, "\"name\":\"bad\""))
        return (struct scripted_answer){400, NULL, "{\"message\":\"no such name\"}", MANNER_ANSWER};
    return carry_out(r);
}

static void a_cohort_that_cannot_be_made_changes_nobody(void **state)
{
    (void)state;
    w.script = refuse_bad_names;
    enter("u1", "a", "bad");
    enter("u2", "a", "bad");
    enter("u3", "a", "good");
    world_start(&w);
    expect_heard(MAKE("good") CHANGE("a", ADD("\"u3\"")));
    world_read_letters(&w);
    assert_int_equal(w.letter_count, 2);
    assert_non_null(strstr(w.letter, "\"reason\":\"Braze answered 400: no such name\""));
    assert_non_null(strstr(w.letter, "\"request\":{\"method\":\"POST\",\"path\":\"/cohorts\"}"));
    assert_non_null(strstr(w.letter, "\"object\":{\"name\":\"bad\"}"));
    assert_null(strstr(w.letter, "client_secret"));
}

static struct scripted_answer refuse_bad_users(struct world *world, const struct world_request *r)
{
    (void)world;
    if (contains(r->http->body, "\"bad\""))
        return (struct scripted_answer){400, NULL, "", MANNER_ANSWER};
    return carry_out(r);
}

static void one_bad_id_is_found_and_the_others_arrive_once(void **state)
{
    (void)state;
    w.script = refuse_bad_users;
    for (unsigned i = 0; i < 100; i++) {
        char user[16];
        snprintf(user, sizeof(user), "u%02u", i);
        enter(i == 37 ? "bad" : user, "a", "n");
    }
    world_start(&w);
    world_wait_idle(&w);
    for (unsigned i = 0; i < 100; i++) {
        char user[16];
        snprintf(user, sizeof(user), "\"u%02u\"", i);
        char *first = strstr(buf_cstr(&heard), user);
        assert_int_equal(first != NULL, i != 37);
        assert_true(first == NULL || strstr(first + 1, user) == NULL);
    }
    world_read_letters(&w);
    assert_int_equal(w.letter_count, 1);
    assert_non_null(strstr(w.letter, "\"object\":\"bad\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_cohort_is_made_once_and_before_its_members_change, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(one_users_changes_leave_one_after_the_other, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_new_name_is_told_before_the_next_change, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(cohorts_have_requests_of_their_own, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_restart_makes_the_cohort_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(trouble_with_either_request_passes_and_nothing_overtakes,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_cohort_that_cannot_be_made_changes_nobody, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(one_bad_id_is_found_and_the_others_arrive_once, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
