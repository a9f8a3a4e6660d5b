#include "unit.h"

#include <stdlib.h>

#include "lane.h"

static struct stock stock;
static struct lanes *lanes;

static int open_lanes(void **state)
{
    (void)state;
    stock_init(&stock, 1 << 20);
    return lanes_open(&lanes, &stock, 16);
}

static int close_lanes(void **state)
{
    (void)state;
    lanes_close(lanes);
    stock_fini(&stock);
    return 0;
}

/* `users` is a text of one-letter names. */
static struct item *push(const char *users)
{
    struct intent intent = {.family = FAMILY_TRACK_EVENTS};
    for (; *users != '\0'; users++)
        intent.users[intent.user_count++].hash = (uint64_t)*users;
    struct item *item = item_new(&stock, &intent, STR("{}"), NULL, 0);
    assert_non_null(item);
    assert_int_equal(lanes_push(lanes, item), 0);
    return item;
}

static struct item *next(void)
{
    struct hold *hold;
    struct item *item = lanes_next(lanes, &hold);
    if (item != NULL && hold != NULL) {
        lanes_pass(lanes, item);
        return next();
    }
    return item;
}

static void release(struct item *item)
{
    lanes_release(lanes, item);
    stock_give(&stock, item);
}

static void one_users_items_leave_one_after_the_other(void **state)
{
    (void)state;
    struct hold a = {0};
    struct hold b = {0};
    struct item *first = push("u");
    struct item *second = push("u");
    assert_ptr_equal(next(), first);
    lanes_take(lanes, first, &a);
    assert_null(next());
    assert_true(a.is_waited_for);
    release(first);
    assert_ptr_equal(next(), second);
    lanes_take(lanes, second, &b);
    assert_false(b.is_waited_for);
    release(second);
    assert_int_equal(lanes_count(lanes), 0);
}

static void one_users_items_may_leave_in_the_same_request(void **state)
{
    (void)state;
    struct hold a = {0};
    struct hold *hold;
    struct item *first = push("u");
    struct item *second = push("u");
    struct item *third = push("u");
    assert_ptr_equal(lanes_next(lanes, &hold), first);
    assert_null(hold);
    lanes_take(lanes, first, &a);
    assert_ptr_equal(lanes_next(lanes, &hold), second);
    assert_ptr_equal(hold, &a);
    lanes_take(lanes, second, &a);
    assert_ptr_equal(lanes_next(lanes, &hold), third);
    lanes_pass(lanes, third);
    release(first);
    assert_null(next()); /* the second is still under way */
    release(second);
    assert_ptr_equal(next(), third);
    lanes_take(lanes, third, &a);
    release(third);
}

static void other_users_do_not_wait(void **state)
{
    (void)state;
    struct hold a = {0};
    struct item *u = push("u");
    assert_ptr_equal(next(), u);
    lanes_take(lanes, u, &a);
    struct item *v = push("v");
    struct item *nobody = push("");
    assert_ptr_equal(next(), v);
    lanes_take(lanes, v, &a);
    assert_ptr_equal(next(), nobody);
    lanes_take(lanes, nobody, &a);
    release(nobody);
    release(v);
    release(u);
}

static void an_item_of_two_users_waits_for_both_and_both_wait_for_it(void **state)
{
    (void)state;
    struct hold a = {0};
    struct hold b = {0};
    struct hold c = {0};
    struct item *u = push("u");
    struct item *v = push("v");
    struct item *both = push("uv");
    struct item *later = push("v");
    assert_ptr_equal(next(), u);
    lanes_take(lanes, u, &a);
    assert_ptr_equal(next(), v);
    lanes_take(lanes, v, &b);
    assert_null(next());
    assert_true(a.is_waited_for);
    assert_true(b.is_waited_for);
    release(u);
    assert_null(next());
    release(v);
    assert_ptr_equal(next(), both);
    lanes_take(lanes, both, &c);
    assert_null(next());
    release(both);
    assert_ptr_equal(next(), later);
    lanes_take(lanes, later, &c);
    release(later);
}

static void a_key_named_twice_is_one_lane(void **state)
{
    (void)state;
    struct hold a = {0};
    struct item *item = push("uu");
    assert_int_equal(item->user_count, 1);
    assert_ptr_equal(next(), item);
    lanes_take(lanes, item, &a);
    release(item);
}

static void what_still_waits_at_the_end_comes_out_once_each(void **state)
{
    (void)state;
    static const char *const users[] = {"a", "ab", "", "bcd", "a", "d", "", "ca"};
    for (size_t i = 0; i < countof(users); i++)
        push(users[i]);
    struct item *item;
    size_t count = 0;
    for (; (item = lanes_abandon(lanes)) != NULL; count++)
        stock_give(&stock, item);
    assert_int_equal(count, countof(users));
    assert_int_equal(lanes_count(lanes), 0);
}

/*
 * Random users, random sizes of requests, random order of completion: every item leaves once, each
 * user's in order, and never two requests of one user at a time.
 */
enum { USERS = 12, ITEMS = 4000, HOLDS = 8, HOLD_ITEMS_MAX = 5 };

struct model {
    int64_t last[USERS]; /* number, which is its arrival, of the user's item that left last */
    struct hold *holder[USERS];
    unsigned held[USERS];
    struct hold holds[HOLDS];
    struct item *items[HOLDS][HOLD_ITEMS_MAX];
    unsigned counts[HOLDS];
    unsigned taken;
};

static void take(struct model *m, struct item *item, unsigned at)
{
    struct hold *hold = &m->holds[at];
    for (size_t i = 0; i < item->user_count; i++) {
        size_t user = item->users[i].hash;
        assert_true(item->arrived_ms > m->last[user]);
        assert_true(m->held[user] == 0 || m->holder[user] == hold);
        m->last[user] = item->arrived_ms;
        m->holder[user] = hold;
        m->held[user]++;
    }
    lanes_take(lanes, item, hold);
    m->items[at][m->counts[at]++] = item;
    m->taken++;
}

static void complete(struct model *m, unsigned at)
{
    while (m->counts[at] > 0) {
        struct item *item = m->items[at][--m->counts[at]];
        for (size_t i = 0; i < item->user_count; i++)
            m->held[item->users[i].hash]--;
        release(item);
    }
    m->holds[at].is_waited_for = false;
}

/* Takes what may leave into random holds, as far as they have room. */
static void take_what_may_leave(struct model *m)
{
    struct hold *hold;
    struct item *item;
    while ((item = lanes_next(lanes, &hold)) != NULL) {
        unsigned at = hold == NULL ? (unsigned)rand() % HOLDS : (unsigned)(hold - m->holds);
        while (hold == NULL && m->counts[at] == HOLD_ITEMS_MAX)
            complete(m, at);
        if (m->counts[at] == HOLD_ITEMS_MAX || (hold != NULL && rand() % 4 == 0)) {
            lanes_pass(lanes, item);
            assert_true(m->holds[at].is_waited_for);
            continue;
        }
        take(m, item, at);
    }
}

static void random_traffic_keeps_every_users_order_and_loses_nothing(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 20; seed++) {
        static struct model m;
        m = (struct model){0};
        for (size_t i = 0; i < USERS; i++)
            m.last[i] = -1;
        srand(seed);
        for (int64_t number = 0; number < ITEMS; number++) {
            struct intent intent = {.family = FAMILY_TRACK_EVENTS};
            for (int keys = rand() % 4; keys > 0; keys--)
                intent.users[intent.user_count++].hash = (uint64_t)(rand() % USERS);
            struct item *item = item_new(&stock, &intent, STR("{}"), NULL, number);
            assert_int_equal(lanes_push(lanes, item), 0);
            if (rand() % 3 == 0)
                take_what_may_leave(&m);
            if (rand() % 3 == 0)
                complete(&m, (unsigned)rand() % HOLDS);
        }
        for (int turn = 0; turn < ITEMS && m.taken < ITEMS; turn++) {
            take_what_may_leave(&m);
            for (unsigned at = 0; at < HOLDS; at++)
                complete(&m, at);
        }
        for (unsigned at = 0; at < HOLDS; at++)
            complete(&m, at);
        assert_int_equal(m.taken, ITEMS);
        assert_int_equal(lanes_count(lanes), 0);
    }
}

#define with_lanes(test) cmocka_unit_test_setup_teardown(test, open_lanes, close_lanes)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_lanes(one_users_items_leave_one_after_the_other),
        with_lanes(one_users_items_may_leave_in_the_same_request),
        with_lanes(other_users_do_not_wait),
        with_lanes(an_item_of_two_users_waits_for_both_and_both_wait_for_it),
        with_lanes(a_key_named_twice_is_one_lane),
        with_lanes(what_still_waits_at_the_end_comes_out_once_each),
        with_lanes(random_traffic_keeps_every_users_order_and_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
