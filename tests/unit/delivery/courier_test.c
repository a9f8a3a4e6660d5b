#include "unit.h"

#include "courier_world.h"

static struct world w;

static int setup(void **state)
{
    (void)state;
    world_open(&w);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    world_close(&w);
    return 0;
}

#define SUCCESS "{\"message\":\"success\"}"

static const struct courier_metrics *metrics(void)
{
    return courier_metrics(w.courier);
}

static void every_event_arrives_once_and_in_its_users_order(void **state)
{
    (void)state;
    world_append_many(&w, 3000, 40);
    world_start(&w);
    world_append_many(&w, 3000, 40);
    world_append_many(&w, 500, 1);
    world_wait_idle(&w);
    world_check(&w);
    assert_int_equal(w.letter_count, 0);
    assert_int_equal(w.objects_max, 75);
    assert_int_equal(counter_get(&metrics()->delivered_events), w.numbers);
    assert_int_equal(gauge_get(&metrics()->floor), w.numbers);
}

static const struct trouble {
    const char *name;
    struct scripted_answer answer;
    unsigned timeout_ms;   /* 0: the usual one */
    unsigned requests_max; /* so many requests meet it, those that take long */
} troubles[] = {
    {"500", {500, NULL, "{\"message\":\"oops\"}", MANNER_ANSWER}, 0, 12},
    {"502 in HTML", {502, NULL, "<html>", MANNER_ANSWER}, 0, 12},
    {"408", {408, NULL, "", MANNER_ANSWER}, 0, 12},
    {"429", {429, NULL, "{\"message\":\"Rate limited\"}", MANNER_ANSWER}, 0, 12},
    {"429 with a wait", {429, "X-Ratelimit-Retry-After: 1\r\n", "", MANNER_ANSWER}, 0, 2},
    {"503 with a wait", {503, "Retry-After: 1\r\n", "", MANNER_ANSWER}, 0, 2},
    {"reset", {0, NULL, "", MANNER_RESET}, 0, 12},
    {"hang", {0, NULL, "", MANNER_HANG}, 300, 3},
    {"500 that breaks off", {500, NULL, "{\"message\":\"oops\"}", MANNER_CUT_BODY}, 0, 12},
    {"201 that breaks off", {201, NULL, "{\"message\":\"success\"}", MANNER_CUT_BODY}, 0, 12},
    {"201 without a body", {201, NULL, "", MANNER_ANSWER}, 0, 12},
};

static struct scripted_answer trouble_now_and_then(struct world *world,
                                                   const struct world_request *request)
{
    const struct trouble *trouble = &troubles[(size_t)world->body[0]];
    /* The first ones, then one in four. */
    unsigned turn = request->ordinal < 3 ? request->ordinal : 3 + request->ordinal / 4;
    bool is_meant = request->ordinal < 3 || request->ordinal % 4 == 1;
    if (is_meant && turn < trouble->requests_max)
        return trouble->answer;
    return (struct scripted_answer){201, NULL, SUCCESS, MANNER_ANSWER};
}

static void trouble_that_passes_costs_nothing(void **state)
{
    for (size_t i = 0; i < countof(troubles); i++) {
        if (i > 0)
            setup(state);
        w.script = trouble_now_and_then;
        w.body[0] = (char)i;
        w.options.requests_max = 4;
        if (troubles[i].timeout_ms > 0)
            w.options.timeout_ms = troubles[i].timeout_ms;
        world_append_many(&w, 1500, 30);
        world_start(&w);
        world_wait_idle(&w);
        world_check(&w);
        if (w.letter_count > 0)
            fail_msg("%s: %u letters, such as %s", troubles[i].name, w.letter_count, w.letter);
        if (i + 1 < countof(troubles))
            teardown(state);
    }
}

static bool is_poison(unsigned number)
{
    return number % 97 == 13;
}

/* Names the poison, as Braze does: 201 when something is good, else 400. */
static struct scripted_answer name_poison(struct world *world, const struct world_request *r)
{
    size_t len =
        (size_t)snprintf(world->body, sizeof(world->body), "{\"message\":\"success\",\"errors\":[");
    unsigned named = 0;
    for (unsigned i = 0; i < r->object_count; i++) {
        const struct world_object *o = &r->objects[i];
        if (!is_poison(o->number))
            continue;
        world->refused[o->number] = true;
        len += (size_t)snprintf(world->body + len, sizeof(world->body) - len,
                                "%s{\"type\":\"bad\",\"input_array\":\"%.*s\",\"index\":%u}",
                                named++ == 0 ? "" : ",", STR_ARG(o->array), o->index);
    }
    snprintf(world->body + len, sizeof(world->body) - len, "]}");
    int status = named == r->object_count ? 400 : 201;
    return (struct scripted_answer){status, NULL, world->body, MANNER_ANSWER};
}

static struct scripted_answer refuse_and_name_poison(struct world *world,
                                                     const struct world_request *r)
{
    struct scripted_answer answer = name_poison(world, r);
    for (unsigned i = 0; i < r->object_count; i++)
        if (is_poison(r->objects[i].number))
            answer.status = 400;
    return answer;
}

static struct scripted_answer refuse_poison_silently(struct world *world,
                                                     const struct world_request *r)
{
    (void)world;
    for (unsigned i = 0; i < r->object_count; i++)
        if (is_poison(r->objects[i].number))
            return (struct scripted_answer){400, NULL, "{\"message\":\"Bad Request\"}",
                                            MANNER_ANSWER};
    return (struct scripted_answer){201, NULL, SUCCESS, MANNER_ANSWER};
}

static struct scripted_answer refuse_what_is_large(struct world *world,
                                                   const struct world_request *r)
{
    (void)world;
    if (r->object_count > 10)
        return (struct scripted_answer){413, NULL, "", MANNER_ANSWER};
    return (struct scripted_answer){201, NULL, SUCCESS, MANNER_ANSWER};
}

static void expect_poison_in_letters(unsigned count)
{
    world_check(&w);
    assert_int_equal(w.letter_count, count);
    for (unsigned i = 0; i < w.numbers; i++)
        assert_int_equal(w.letters[i], is_poison(i));
    assert_non_null(strstr(w.letter, "\"stage\":\"send\""));
    assert_non_null(strstr(w.letter, "\"destination\":\"fake\""));
    assert_non_null(strstr(w.letter, "\"source\":\"web\""));
    assert_non_null(strstr(w.letter, "\"message_id\":\"m"));
    assert_non_null(strstr(w.letter, "\"path\":\"/users/track\""));
}

static void an_object_that_braze_names_is_a_letter_and_the_others_arrive(void **state)
{
    static struct scripted_answer (*const scripts[])(
        struct world *, const struct world_request *) = {name_poison, refuse_and_name_poison,
                                                         refuse_poison_silently};
    for (size_t i = 0; i < countof(scripts); i++) {
        if (i > 0)
            setup(state);
        w.script = scripts[i];
        world_append_many(&w, 970, 20);
        world_start(&w);
        world_wait_idle(&w);
        expect_poison_in_letters(10);
        assert_int_equal(counter_get(&metrics()->dead), 10);
        assert_int_equal(counter_get(&metrics()->delivered_events), 960);
        if (i + 1 < countof(scripts))
            teardown(state);
    }
}

static void a_request_that_is_too_large_is_halved(void **state)
{
    (void)state;
    w.script = refuse_what_is_large;
    world_append_many(&w, 600, 7);
    world_start(&w);
    world_wait_idle(&w);
    world_check(&w);
    assert_int_equal(w.letter_count, 0);
    assert_true(counter_get(&metrics()->splits) > 0);
}

/* A server error for the company of one object, success for everybody else. */
static struct scripted_answer choke_on_object_five(struct world *world,
                                                   const struct world_request *r)
{
    for (unsigned i = 0; i < r->object_count; i++)
        if (r->objects[i].number == 5 && !world->is_fixed)
            return (struct scripted_answer){500, NULL, "", MANNER_ANSWER};
    return (struct scripted_answer){201, NULL, SUCCESS, MANNER_ANSWER};
}

static void one_object_that_breaks_braze_does_not_hold_up_its_company(void **state)
{
    (void)state;
    w.script = choke_on_object_five;
    for (unsigned user = 0; user < 300; user++)
        world_append(&w, user, FAMILY_TRACK_EVENTS);
    world_start(&w);
    while (counter_get(&metrics()->delivered_events) < 299) {
        world_append(&w, 300, FAMILY_TRACK_EVENTS); /* shows that Braze is well otherwise */
        courier_wait_idle(w.courier, 5);
    }
    assert_int_equal(w.accepted[5], 0);
    w.is_fixed = true;
    world_wait_idle(&w);
    world_check(&w);
    assert_int_equal(w.letter_count, 0);
}

static struct scripted_answer always_500(struct world *world, const struct world_request *r)
{
    (void)world;
    (void)r;
    return (struct scripted_answer){500, NULL, "{\"message\":\"oops\"}", MANNER_ANSWER};
}

static void endless_trouble_becomes_letters_in_the_end(void **state)
{
    (void)state;
    w.script = always_500;
    w.options.retry.give_up_after_ms = 30;
    world_append_many(&w, 100, 10);
    world_start(&w);
    world_wait_idle(&w);
    world_check(&w);
    assert_int_equal(w.letter_count, 100);
    assert_non_null(strstr(w.letter, "\"code\":\"GAVE_UP\""));
    assert_non_null(strstr(w.letter, "\"reason\":\"Braze answered 500: oops\""));
    assert_non_null(strstr(w.letter, "\"status\":500"));
}

static struct scripted_answer unauthorised_until_fixed(struct world *world,
                                                       const struct world_request *r)
{
    (void)r;
    if (!world->is_fixed)
        return (struct scripted_answer){401, NULL, "{\"message\":\"Invalid API key\"}",
                                        MANNER_ANSWER};
    return (struct scripted_answer){201, NULL, SUCCESS, MANNER_ANSWER};
}

static void a_wrong_key_pauses_and_drops_nothing(void **state)
{
    (void)state;
    w.script = unauthorised_until_fixed;
    w.options.requests_max = 4;
    w.options.retry.give_up_after_ms = 1;
    world_append_many(&w, 2000, 500);
    world_start(&w);
    while (w.requests < 20) /* the four that were under way, and probes */
        assert_false(courier_wait_idle(w.courier, 5));
    assert_int_equal(gauge_get(&metrics()->paused), 1);
    w.is_fixed = true;
    world_wait_idle(&w);
    world_check(&w);
    assert_int_equal(w.letter_count, 0);
    assert_int_equal(gauge_get(&metrics()->paused), 0);
}

static void an_identify_is_confirmed_before_its_users_next_object(void **state)
{
    (void)state;
    static const enum request_family families[] = {
        FAMILY_TRACK_EVENTS, FAMILY_IDENTIFY,        FAMILY_TRACK_EVENTS, FAMILY_TRACK_ATTRIBUTES,
        FAMILY_ALIAS_NEW,    FAMILY_TRACK_PURCHASES, FAMILY_DELETE,       FAMILY_TRACK_EVENTS};
    for (unsigned round = 0; round < 10; round++)
        for (size_t i = 0; i < countof(families); i++)
            for (unsigned user = 0; user < 20; user++)
                world_append(&w, user, families[i]);
    world_start(&w);
    world_wait_idle(&w);
    world_check(&w); /* numbers grow from request to request, whatever the endpoint */
    assert_int_equal(w.letter_count, 0);
}

static struct scripted_answer stuck_user_zero(struct world *world, const struct world_request *r)
{
    if (r->objects[0].user == 0 && !world->is_fixed)
        return (struct scripted_answer){500, NULL, "", MANNER_ANSWER};
    return (struct scripted_answer){201, NULL, SUCCESS, MANNER_ANSWER};
}

static void a_stuck_user_holds_up_nobody_else(void **state)
{
    (void)state;
    w.script = stuck_user_zero;
    world_append(&w, 0, FAMILY_IDENTIFY);
    world_append(&w, 0, FAMILY_TRACK_EVENTS);
    for (unsigned i = 0; i < 300; i++)
        world_append(&w, 1 + i % 7, FAMILY_TRACK_EVENTS);
    world_start(&w);
    while (counter_get(&metrics()->delivered_events) < 300)
        assert_false(courier_wait_idle(w.courier, 5));
    assert_int_equal(w.accepted[0] + w.accepted[1], 0);
    w.is_fixed = true;
    world_wait_idle(&w);
    world_check(&w);
}

static void a_stuck_user_with_more_than_memory_holds_stays_in_the_journal(void **state)
{
    (void)state;
    enum { OTHERS = 1000, ROUNDS = 6 };
    w.script = stuck_user_zero;
    w.options.memory_bytes_max = 512 * 1024;
    world_append(&w, 0, FAMILY_IDENTIFY);
    for (unsigned round = 0; round < ROUNDS; round++) {
        w.first_user = 0;
        world_append_many(&w, OTHERS, 1); /* as many of the stuck one: twice what fits */
        w.first_user = 1;
        world_append_many(&w, OTHERS, OTHERS);
    }
    world_start(&w);
    while (counter_get(&metrics()->delivered_events) < ROUNDS * OTHERS)
        assert_false(courier_wait_idle(w.courier, 5));
    assert_int_equal(w.accepted[0] + w.accepted[1], 0);
    assert_int_equal(gauge_get(&metrics()->parked_users), 1);
    w.is_fixed = true;
    world_wait_idle(&w);
    world_check(&w);
    assert_int_equal(w.letter_count, 0);
    assert_int_equal(counter_get(&metrics()->delivered_events), w.numbers);
    assert_int_equal(gauge_get(&metrics()->parked_users), 0);
}

static void a_restart_with_parked_users_loses_and_repeats_nothing(void **state)
{
    (void)state;
    w.script = stuck_user_zero;
    w.options.memory_bytes_max = 256 * 1024;
    world_append(&w, 0, FAMILY_IDENTIFY);
    world_append_many(&w, 4000, 1);
    world_append_many(&w, 2000, 3);
    world_start(&w);
    while (gauge_get(&metrics()->parked_users) == 0)
        assert_false(courier_wait_idle(w.courier, 5));
    world_stop(&w, COURIER_FINISH);
    world_start(&w);
    w.is_fixed = true;
    world_wait_idle(&w);
    world_check(&w);
}

static _Atomic int64_t most_parked;
static unsigned identifies[3];

/* An identify of the first users is refused for a while, and what they have done since waits for
 * it. */
static struct scripted_answer stuck_for_a_while(struct world *world, const struct world_request *r)
{
    unsigned user = r->objects[0].user;
    int64_t parked = gauge_get(&courier_metrics(world->courier)->parked_users);
    most_parked = parked > most_parked ? parked : most_parked;
    if (!str_eq(r->http->path, STR("/users/identify")) || user >= countof(identifies))
        return (struct scripted_answer){201, NULL, SUCCESS, MANNER_ANSWER};
    if (++identifies[user] % (20 + 10 * user) != 0)
        return (struct scripted_answer){500, NULL, "", MANNER_ANSWER};
    return (struct scripted_answer){201, NULL, SUCCESS, MANNER_ANSWER};
}

static void events_of_two_users_keep_the_order_of_both_when_some_are_parked(void **state)
{
    (void)state;
    enum { STUCK = countof(identifies), OTHERS = 20 };
    most_parked = 0;
    w.script = stuck_for_a_while;
    w.options.memory_bytes_max = 256 * 1024;
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned user = 0; user < STUCK; user++)
            world_append(&w, user, FAMILY_IDENTIFY);
        for (unsigned i = 0; i < 5; i++) {
            world_append_many(&w, 200, STUCK);
            world_append_many(&w, 100, OTHERS);
            world_append_pairs(&w, 10 * i, OTHERS);
            world_append_many(&w, 200, 1 + i);
        }
    }
    world_start(&w);
    world_append_pairs(&w, 2000, OTHERS * 10);
    world_wait_idle(&w);
    world_check(&w);
    assert_int_equal(w.letter_count, 0);
    assert_true(most_parked >= STUCK);
    assert_int_equal(gauge_get(&metrics()->parked_users), 0);
}

static bool has_line(const struct world_request *r, const char *line)
{
    return memmem(r->http->head.ptr, r->http->head.len, line, strlen(line)) != NULL;
}

static struct scripted_answer check_headers(struct world *world, const struct world_request *r)
{
    (void)world;
    bool is_right = has_line(r, "\r\nX-Braze-Batch: true\r\n") == (r->object_count > 1) &&
                    has_line(r, "\r\nAuthorization: Bearer the-key\r\n") &&
                    has_line(r, "\r\nContent-Type: application/json\r\n") &&
                    has_line(r, "\r\nUser-Agent: Spelter/" SPELTER_VERSION "\r\n");
    for (unsigned i = 1; i < r->object_count; i++)
        is_right = is_right && str_eq(r->objects[i].array, r->objects[0].array);
    if (!is_right)
        return (struct scripted_answer){400, NULL, "", MANNER_ANSWER};
    return (struct scripted_answer){201, NULL, SUCCESS, MANNER_ANSWER};
}

static void per_action_sends_one_array_with_the_hosted_products_header(void **state)
{
    (void)state;
    w.script = check_headers;
    w.options.pack.mode = BATCHING_PER_ACTION;
    for (unsigned i = 0; i < 300; i++)
        world_append(&w, i % 50, (enum request_family)(i % 3));
    world_start(&w);
    world_wait_idle(&w);
    world_check(&w);
    assert_int_equal(w.letter_count, 0);
}

static void what_is_not_for_braze_is_settled_and_counted(void **state)
{
    (void)state;
    static const struct str from[] = {STR_INIT("web")};
    static const struct str names[] = {STR_INIT("fake"), STR_INIT("Braze")};
    w.options.from = from;
    w.options.from_count = countof(from);
    w.options.names = names;
    w.options.name_count = countof(names);
    world_append_json(&w, "ios", "{\"intents\":[]}");
    world_append_for(&w, "web", "other", "{\"intents\":[]}");
    world_append_for(&w, "ios", "fake", "{\"intents\":[]}"); /* by name: whatever its source */
    world_append_json(&w, "web", "{\"integrations\":{\"All\":false},\"intents\":[]}");
    world_append_json(&w, "web", "{\"intents\":[]}");
    world_append_json(&w, "web", "{\"intents\":[],\"invalid\":\"no name\",\"event\":\"E\"}");
    world_append_json(&w, "web", "{");
    world_start(&w);
    world_wait_idle(&w);
    world_read_letters(&w);
    assert_int_equal(w.requests, 0);
    assert_int_equal(counter_get(&metrics()->skipped[SKIP_SOURCE]), 1);
    assert_int_equal(counter_get(&metrics()->skipped[SKIP_DESTINATION]), 1);
    assert_int_equal(counter_get(&metrics()->skipped[SKIP_INTEGRATIONS]), 1);
    assert_int_equal(counter_get(&metrics()->skipped[SKIP_NOT_SUBSCRIBED]), 2);
    assert_int_equal(w.letter_count, 2);
    assert_non_null(strstr(w.letter, "\"code\":\"BAD_EVENT\""));
}

static void a_restart_goes_on_where_the_verdicts_ended(void **state)
{
    (void)state;
    world_append_many(&w, 8000, 100);
    for (unsigned stop = 1; stop <= 4; stop++) {
        world_start(&w);
        while (w.requests < stop * 12)
            if (courier_wait_idle(w.courier, 1))
                break;
        world_stop(&w, COURIER_FINISH);
    }
    world_start(&w);
    world_wait_idle(&w);
    world_check(&w); /* exactly once, since what was in flight got its verdict */
}

static void a_drain_sends_what_is_packed_at_once(void **state)
{
    (void)state;
    w.options.pack.age_max_ms = 60 * 1000;
    world_start(&w);
    world_append_many(&w, 30, 5);
    while (counter_get(&metrics()->mapped) < 30)
        assert_false(courier_wait_idle(w.courier, 1));
    assert_int_equal(w.requests, 0);
    world_stop(&w, COURIER_DRAIN);
    world_check(&w);
}

static struct scripted_answer hang_until_fixed(struct world *world, const struct world_request *r)
{
    (void)r;
    if (!world->is_fixed)
        return (struct scripted_answer){0, NULL, "", MANNER_HANG};
    return (struct scripted_answer){201, NULL, SUCCESS, MANNER_ANSWER};
}

static void a_deadline_cuts_off_what_hangs_and_the_next_start_sends_it(void **state)
{
    (void)state;
    w.script = hang_until_fixed;
    world_append_many(&w, 200, 5);
    world_start(&w);
    while (w.requests == 0)
        assert_false(courier_wait_idle(w.courier, 1));
    assert_int_equal(courier_stop(w.courier, COURIER_DRAIN, 10), 0);
    courier_close(w.courier);
    w.is_fixed = true;
    world_start(&w);
    world_wait_idle(&w);
    world_check(&w);
}

static struct scripted_answer note_memory(struct world *world, const struct world_request *r)
{
    (void)r;
    int64_t bytes = gauge_get(&courier_metrics(world->courier)->memory_bytes);
    int64_t most = 0;
    memcpy(&most, world->body, sizeof(most));
    most = bytes > most ? bytes : most;
    memcpy(world->body, &most, sizeof(most));
    return (struct scripted_answer){201, NULL, SUCCESS, MANNER_ANSWER};
}

static void memory_is_bounded_whatever_the_backlog(void **state)
{
    (void)state;
    enum { MEMORY_BYTES = 128 * 1024 };
    w.script = note_memory;
    w.options.memory_bytes_max = MEMORY_BYTES;
    world_append_many(&w, 10000, 300);
    world_start(&w);
    world_wait_idle(&w);
    world_check(&w);
    int64_t most;
    memcpy(&most, w.body, sizeof(most));
    assert_in_range(most, 1, MEMORY_BYTES + 32 * 1024); /* one read's last event and the parcels */
}

static void less_memory_from_now_on_costs_nothing(void **state)
{
    (void)state;
    w.options.memory_bytes_max = 4 * 1024 * 1024;
    world_append_many(&w, 10000, 300);
    world_start(&w);
    while (counter_get(&metrics()->delivered_events) < 100)
        assert_false(courier_wait_idle(w.courier, 1));
    courier_limit_memory(w.courier, COURIER_MEMORY_BYTES_MIN);
    world_wait_idle(&w);
    world_check(&w);
    assert_int_equal(gauge_get(&metrics()->memory_limit_bytes), COURIER_MEMORY_BYTES_MIN);
}

#define with_world(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_world(every_event_arrives_once_and_in_its_users_order),
        with_world(trouble_that_passes_costs_nothing),
        with_world(an_object_that_braze_names_is_a_letter_and_the_others_arrive),
        with_world(a_request_that_is_too_large_is_halved),
        with_world(one_object_that_breaks_braze_does_not_hold_up_its_company),
        with_world(endless_trouble_becomes_letters_in_the_end),
        with_world(a_wrong_key_pauses_and_drops_nothing),
        with_world(an_identify_is_confirmed_before_its_users_next_object),
        with_world(a_stuck_user_holds_up_nobody_else),
        with_world(a_stuck_user_with_more_than_memory_holds_stays_in_the_journal),
        with_world(a_restart_with_parked_users_loses_and_repeats_nothing),
        with_world(events_of_two_users_keep_the_order_of_both_when_some_are_parked),
        with_world(per_action_sends_one_array_with_the_hosted_products_header),
        with_world(what_is_not_for_braze_is_settled_and_counted),
        with_world(a_restart_goes_on_where_the_verdicts_ended),
        with_world(a_drain_sends_what_is_packed_at_once),
        with_world(a_deadline_cuts_off_what_hangs_and_the_next_start_sends_it),
        with_world(memory_is_bounded_whatever_the_backlog),
        with_world(less_memory_from_now_on_costs_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
