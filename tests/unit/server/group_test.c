#include "world.h"

#include <string.h>
#include <unistd.h>

enum {
    STORE_BYTES = STORE_BYTES_MIN * 4,
    TOO_LARGE_BYTES = STORE_BYTES_MIN * 8, /* no store of ours has room for it */
};

static char too_large[TOO_LARGE_BYTES];
static struct http_request *newest;

static struct hash128 fingerprint_of(struct str text)
{
    return dedupe_fingerprint(STR("web"), text);
}

/*
 * The body is the event. POST /large brings one that no store can hold besides; POST /letter makes
 * a dead letter of it. What dedupe knows is left out.
 */
static void keep(void *handler, struct http_request *request)
{
    struct world *w = handler;
    const struct http_header header = {"X-Kept", "yes"};
    struct str body = http_body(request);
    struct str records[] = {body, {too_large, sizeof(too_large)}};
    const struct hash128 fingerprints[] = {fingerprint_of(body), fingerprint_of(records[1])};
    bool is_letter = str_eq(http_path(request), STR("/letter"));
    bool is_new = is_letter || dedupe_admit(w->dedupe, fingerprints[0], 1000);
    struct group_item item = {.records = records, .fingerprints = fingerprints};
    if (is_letter) {
        item.letters = records;
        item.letter_count = 1;
    } else {
        item.record_count = !is_new ? 0 : str_eq(http_path(request), STR("/large")) ? 2 : 1;
        item.has_duplicates = !is_new;
    }
    int rc = group_add(w->groups, request, &item, 200, &header, 1, STR("{\"kept\":true}"));
    assert_int_equal(rc, 0);
    newest = request;
}

static int setup(void **state)
{
    static struct world w;
    world_open(&w, STORE_BYTES);
    world_open_http(&w, keep, &w);
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    world_close(*state);
    return 0;
}

static void read_and_close(int fd, struct client_reply *reply)
{
    client_read(fd, reply);
    close(fd);
}

static void a_request_is_answered_only_when_it_is_durable(void **state)
{
    struct world *w = *state;
    struct client_reply reply;
    world_shut_gate(w);
    int fd = world_send(w, "POST /", "", STR("one"));
    world_await_waiting(w, 1);
    groups_submit(w->groups);
    groups_answer(w->groups);
    http_poll(w->http.server, 0);
    assert_false(has_answer(fd));
    assert_int_equal(journal_next(w->journal), 0);
    assert_false(groups_idle(w->groups));

    world_open_gate(w);
    world_settle(w);
    read_and_close(fd, &reply);
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.body, "{\"kept\":true}");
    assert_non_null(strstr(reply.text, "X-Kept: yes\r\n"));
    assert_int_equal(journal_next(w->journal), 1);
    assert_int_equal(counter_get(&groups_metrics(w->groups)->records), 1);
    assert_int_equal(gauge_get(&groups_metrics(w->groups)->waiting), 0);
}

static void requests_that_come_together_share_one_commit(void **state)
{
    struct world *w = *state;
    struct client_reply reply;
    int fds[20];
    const uint64_t commits = counter_get(&store_metrics(w->store)->commits);
    for (size_t i = 0; i < countof(fds); i++) {
        char body[8];
        snprintf(body, sizeof(body), "%zu", i);
        fds[i] = world_send(w, "POST /", "", str_from(body));
    }
    world_await_waiting(w, countof(fds));
    world_settle(w);
    for (size_t i = 0; i < countof(fds); i++) {
        read_and_close(fds[i], &reply);
        assert_int_equal(reply.status, 200);
    }
    assert_int_equal(journal_next(w->journal), countof(fds));
    assert_int_equal(counter_get(&store_metrics(w->store)->commits), commits + 1);
}

static void a_commit_that_fails_answers_503_and_forgets_the_fingerprints(void **state)
{
    struct world *w = *state;
    struct client_reply reply;
    world_exchange(w, "POST /large", "", STR("one"), &reply);
    assert_int_equal(reply.status, 503);
    assert_non_null(strstr(reply.text, "Retry-After: "));
    assert_non_null(strstr(reply.text, "X-Kept: yes\r\n"));
    assert_non_null(strstr(reply.body, "\"code\":\"no_room\""));
    assert_int_equal(journal_next(w->journal), 0);
    assert_int_equal(gauge_get(&groups_metrics(w->groups)->full), 1);
    assert_int_equal(counter_get(&groups_metrics(w->groups)->refused_full), 1);

    world_exchange(w, "POST /", "", STR("one"), &reply); /* the client sends it again */
    assert_int_equal(reply.status, 200);
    assert_int_equal(journal_next(w->journal), 1);
    assert_int_equal(gauge_get(&groups_metrics(w->groups)->full), 0);
}

static void a_duplicate_waits_for_its_first_copy_and_shares_its_failure(void **state)
{
    struct world *w = *state;
    struct client_reply reply;
    int fds[3];
    world_shut_gate(w);
    fds[0] = world_send(w, "POST /large", "", STR("one"));
    world_await_waiting(w, 1);
    groups_submit(w->groups);
    fds[1] = world_send(w, "POST /", "", STR("one"));
    world_await_waiting(w, 2);
    fds[2] = world_send(w, "POST /", "", STR("two"));
    world_await_waiting(w, 3);
    groups_submit(w->groups);
    world_open_gate(w);
    world_settle(w);
    static const int expected[] = {503, 503, 200};
    for (size_t i = 0; i < countof(fds); i++) {
        read_and_close(fds[i], &reply);
        assert_int_equal(reply.status, expected[i]);
    }
    assert_int_equal(journal_next(w->journal), 1); /* "two" */

    world_exchange(w, "POST /", "", STR("one"), &reply);
    assert_int_equal(reply.status, 200);
    assert_int_equal(journal_next(w->journal), 2);
    world_exchange(w, "POST /", "", STR("one"), &reply); /* the first copy is durable now */
    assert_int_equal(reply.status, 200);
    assert_int_equal(journal_next(w->journal), 2);
}

static void a_request_without_events_still_keeps_its_dead_letters(void **state)
{
    struct world *w = *state;
    struct client_reply reply;
    uint64_t count;
    world_exchange(w, "POST /letter", "", STR("{\"stage\":\"ingest\"}"), &reply);
    assert_int_equal(reply.status, 200);
    assert_int_equal(dead_count(w->dead, &count), 0);
    assert_int_equal(count, 1);
    assert_int_equal(journal_next(w->journal), 0);
}

static void what_a_client_that_left_had_sent_is_kept(void **state)
{
    struct world *w = *state;
    struct client_reply reply;
    world_shut_gate(w);
    int leaves = world_send(w, "POST /", "", STR("one"));
    world_await_waiting(w, 1);
    struct http_request *left = newest;
    int stays = world_send(w, "POST /", "", STR("two"));
    world_await_waiting(w, 2);
    groups_submit(w->groups);
    group_forget(w->groups, left);
    assert_int_equal(gauge_get(&groups_metrics(w->groups)->waiting), 1);
    world_open_gate(w);
    while (!has_answer(stays)) {
        http_poll(w->http.server, CLIENT_TIMEOUT_MS);
        groups_answer(w->groups);
    }
    read_and_close(stays, &reply);
    assert_int_equal(reply.status, 200);
    assert_int_equal(journal_next(w->journal), 2);
    assert_int_equal(gauge_get(&groups_metrics(w->groups)->waiting), 0);
    assert_false(has_answer(leaves));
    close(leaves);
}

/* In the order of the server's end: the HTTP server tells of requests whose groups are gone. */
static void requests_left_over_at_the_end_are_cut_off(void **state)
{
    struct world *w = *state;
    struct client_reply reply;
    world_shut_gate(w);
    int under_way = world_send(w, "POST /", "", STR("one"));
    world_await_waiting(w, 1);
    groups_submit(w->groups);
    int unsent = world_send(w, "POST /", "", STR("two"));
    world_await_waiting(w, 2);
    world_open_gate(w);
    groups_close(w->groups);
    w->groups = NULL;
    http_close(w->http.server);
    w->http.server = NULL;
    read_and_close(under_way, &reply);
    assert_int_equal(reply.status, 0);
    read_and_close(unsent, &reply);
    assert_int_equal(reply.status, 0);
    assert_int_equal(journal_next(w->journal), 1);
}

int main(void)
{
#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        IN_WORLD(a_request_is_answered_only_when_it_is_durable),
        IN_WORLD(requests_that_come_together_share_one_commit),
        IN_WORLD(a_commit_that_fails_answers_503_and_forgets_the_fingerprints),
        IN_WORLD(a_duplicate_waits_for_its_first_copy_and_shares_its_failure),
        IN_WORLD(a_request_without_events_still_keeps_its_dead_letters),
        IN_WORLD(what_a_client_that_left_had_sent_is_kept),
        IN_WORLD(requests_left_over_at_the_end_are_cut_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
