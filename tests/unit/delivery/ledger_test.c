/* The store, the cursor and the dead letters are stand-ins here: a
 * commit ends when and how the test says. */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>

#include "ledger.h"

enum { POSITIONS_MAX = 64, LETTERS_MAX = 64 };

struct cursor {
    bool settled[POSITIONS_MAX];
    bool is_changed;
};

struct cursor_snapshot {
    bool settled[POSITIONS_MAX];
};

static struct cursor cursor;
static struct store_job *queued;
static struct cursor_snapshot durable;
static char letters[LETTERS_MAX][64];
static unsigned letter_count;
static unsigned wakes;
static int submit_rc; /* 0: the job waits for end_commit; else it is refused */
static bool is_immediate;
static int immediate_rc;

int cursor_open(struct cursor **out, struct store *store, struct str destination, uint64_t start,
                struct err *err)
{
    (void)store;
    (void)destination;
    (void)start;
    (void)err;
    cursor = (struct cursor){0};
    *out = &cursor;
    return 0;
}

void cursor_close(struct cursor *c)
{
    (void)c;
}

uint64_t cursor_floor(const struct cursor *c)
{
    uint64_t floor = 0;
    while (floor < POSITIONS_MAX && c->settled[floor])
        floor++;
    return floor;
}

bool cursor_is_settled(const struct cursor *c, uint64_t position)
{
    return c->settled[position];
}

bool cursor_has_room(const struct cursor *c, uint64_t position)
{
    (void)c;
    return position < POSITIONS_MAX;
}

uint64_t cursor_next_open(const struct cursor *c, uint64_t position)
{
    while (c->settled[position])
        position++;
    return position;
}

void cursor_settle(struct cursor *c, uint64_t position)
{
    c->settled[position] = true;
    c->is_changed = true;
}

struct cursor_snapshot *cursor_snapshot(struct cursor *c, int *rc)
{
    *rc = 0;
    if (!c->is_changed)
        return NULL;
    struct cursor_snapshot *snapshot = malloc(sizeof(*snapshot));
    assert_non_null(snapshot);
    memcpy(snapshot->settled, c->settled, sizeof(c->settled));
    c->is_changed = false;
    return snapshot;
}

int cursor_snapshot_apply(struct cursor_snapshot *snapshot, MDB_txn *txn)
{
    (void)txn;
    durable = *snapshot;
    return 0;
}

void cursor_snapshot_free(struct cursor_snapshot *snapshot)
{
    free(snapshot);
}

int dead_put(struct dead *d, MDB_txn *txn, struct str letter, uint64_t *id)
{
    (void)d;
    (void)txn;
    assert_true(letter_count < LETTERS_MAX);
    *id = letter_count;
    snprintf(letters[letter_count++], sizeof(letters[0]), "%.*s", STR_ARG(letter));
    return 0;
}

/* The job's outcome. When it fails nothing of it is kept, as in a real transaction. */
static void end_commit(int rc)
{
    struct store_job *job = queued;
    assert_non_null(job);
    queued = NULL;
    if (rc == 0)
        assert_int_equal(job->apply(job, NULL), 0);
    job->done(job, rc);
}

int store_submit(struct store *s, struct store_job *job)
{
    (void)s;
    assert_null(queued); /* one at a time */
    if (submit_rc != 0)
        return submit_rc;
    queued = job;
    if (is_immediate)
        end_commit(immediate_rc);
    return 0;
}

static void count_wake(void *self)
{
    (void)self;
    wakes++;
}

static struct stock stock;
static struct ledger *ledger;

static int setup(void **state)
{
    (void)state;
    struct err err;
    struct ledger_options options = {
        .stock = &stock, .destination = STR("test"), .wake = count_wake};
    stock_init(&stock, 1 << 20);
    durable = (struct cursor_snapshot){0};
    letter_count = 0;
    wakes = 0;
    submit_rc = 0;
    is_immediate = false;
    immediate_rc = 0;
    return ledger_open(&ledger, &options, &err);
}

static int teardown(void **state)
{
    (void)state;
    ledger_close(ledger);
    stock_fini(&stock);
    return 0;
}

static void an_event_is_settled_with_its_last_share(void **state)
{
    (void)state;
    struct origin *origin = ledger_begin(ledger, 0, 123);
    origin->shares += 2;
    assert_false(ledger_settle(ledger, origin));
    assert_false(ledger_settle(ledger, origin));
    ledger_commit(ledger, 0);
    assert_null(queued);
    assert_ptr_equal(ledger_oldest(ledger), origin);
    assert_true(ledger_settle(ledger, origin));
    assert_null(ledger_oldest(ledger));
    ledger_commit(ledger, 0);
    end_commit(0);
    assert_true(durable.settled[0]);
    assert_int_equal(wakes, 1);
}

static void the_oldest_open_event_is_known_whatever_the_order(void **state)
{
    (void)state;
    struct origin *origins[4];
    for (uint64_t i = 0; i < countof(origins); i++)
        origins[i] = ledger_begin(ledger, i, 0);
    ledger_settle(ledger, origins[1]);
    assert_ptr_equal(ledger_oldest(ledger), origins[0]);
    ledger_settle(ledger, origins[0]);
    assert_ptr_equal(ledger_oldest(ledger), origins[2]);
    ledger_settle(ledger, origins[3]);
    ledger_withdraw(ledger, origins[2]);
    assert_null(ledger_oldest(ledger));
    assert_false(ledger_is_settled(ledger, 2));
    assert_int_equal(ledger_floor(ledger), 2);
}

/* Late ones begin anywhere, also after the one before them is gone. */
static void the_order_of_positions_holds_when_events_begin_late(void **state)
{
    (void)state;
    static const struct {
        uint64_t begin;
        uint64_t settle; /* after it; 0: nothing */
    } steps[] = {{10, 0}, {20, 0},  {30, 0},  {12, 0},  {14, 14}, {16, 10}, {5, 5},   {15, 12},
                 {11, 0}, {25, 30}, {24, 11}, {26, 20}, {13, 15}, {27, 13}, {18, 26}, {17, 0}};
    struct origin *open[32] = {0};
    for (size_t i = 0; i < countof(steps); i++) {
        open[steps[i].begin] = ledger_begin(ledger, steps[i].begin, 0);
        assert_non_null(open[steps[i].begin]);
        if (steps[i].settle != 0)
            assert_true(ledger_settle(ledger, open[steps[i].settle]));
        open[steps[i].settle] = NULL;
        const struct origin *origin = ledger_oldest(ledger);
        for (uint64_t at = 0; at < countof(open); at++) {
            if (open[at] == NULL)
                continue;
            assert_ptr_equal(origin, open[at]);
            assert_int_equal(origin->position, at);
            origin = origin->newer;
        }
        assert_null(origin);
    }
    for (size_t at = 0; at < countof(open); at++)
        if (open[at] != NULL)
            assert_true(ledger_settle(ledger, open[at]));
}

/* A walk over the backlog for each late one would take ten minutes, which no test is given. */
static void events_that_begin_late_do_not_walk_over_the_backlog(void **state)
{
    (void)state;
    enum { BACKLOG = 1000000 };
    static struct origin *open[BACKLOG];
    for (uint64_t i = 0; i < BACKLOG; i += 2)
        open[i] = ledger_begin(ledger, i, 0);
    for (uint64_t i = 1; i < BACKLOG; i += 2)
        open[i] = ledger_begin(ledger, i, 0);
    const struct origin *origin = ledger_oldest(ledger);
    for (uint64_t i = 0; i < BACKLOG; i++, origin = origin->newer)
        assert_ptr_equal(origin, open[i]);
    assert_null(origin);
    for (uint64_t i = 0; i < BACKLOG; i++)
        ledger_withdraw(ledger, open[i]);
}

static void a_job_takes_what_came_while_the_last_one_was_under_way(void **state)
{
    (void)state;
    ledger_skip(ledger, 0);
    ledger_commit(ledger, 0);
    ledger_skip(ledger, 1);
    assert_int_equal(ledger_bury(ledger, STR("one")), 0);
    ledger_commit(ledger, 0); /* still under way */
    end_commit(0);
    assert_true(durable.settled[0]);
    assert_false(durable.settled[1]);
    ledger_commit(ledger, 0);
    assert_int_equal(ledger_durable_floor(ledger), 1);
    end_commit(0);
    assert_true(durable.settled[1]);
    assert_int_equal(letter_count, 1);
    ledger_commit(ledger, 0);
    assert_int_equal(ledger_durable_floor(ledger), 2);
    assert_null(queued);
}

static void a_full_store_delays_but_loses_nothing(void **state)
{
    (void)state;
    assert_int_equal(ledger_bury(ledger, STR("first")), 0);
    ledger_skip(ledger, 0);
    ledger_commit(ledger, 1000);
    end_commit(-ENOSPC);
    ledger_commit(ledger, 1000);
    assert_null(queued); /* it waits */
    assert_int_equal(ledger_due_ms(ledger), 1000 + LEDGER_RETRY_MS);
    assert_int_equal(ledger_bury(ledger, STR("second")), 0);
    ledger_skip(ledger, 1);
    ledger_commit(ledger, 1000 + LEDGER_RETRY_MS - 1);
    assert_null(queued);
    ledger_commit(ledger, 1000 + LEDGER_RETRY_MS);
    end_commit(0);
    assert_int_equal(letter_count, 1); /* the second comes with its own settling */
    assert_true(durable.settled[0]);
    assert_false(durable.settled[1]);
    ledger_commit(ledger, 3000);
    end_commit(0);
    assert_int_equal(letter_count, 2);
    assert_string_equal(letters[0], "first");
    assert_string_equal(letters[1], "second");
    assert_true(durable.settled[1]);
}

static void a_store_that_refuses_the_job_is_asked_again(void **state)
{
    (void)state;
    submit_rc = -ESHUTDOWN;
    ledger_skip(ledger, 0);
    ledger_commit(ledger, 0);
    assert_int_equal(ledger_due_ms(ledger), LEDGER_RETRY_MS);
    submit_rc = 0;
    ledger_commit(ledger, LEDGER_RETRY_MS);
    end_commit(0);
    assert_true(durable.settled[0]);
}

static void too_many_letters_ask_for_a_pause(void **state)
{
    (void)state;
    static char text[1 << 20];
    memset(text, ' ', sizeof(text));
    for (int i = 0; i < 8; i++) {
        assert_true(ledger_has_space(ledger));
        assert_int_equal(ledger_bury(ledger, (struct str){text, sizeof(text)}), 0);
    }
    assert_false(ledger_has_space(ledger));
    ledger_commit(ledger, 0);
    end_commit(0);
    ledger_commit(ledger, 0);
    assert_true(ledger_has_space(ledger));
    assert_int_equal(letter_count, 8);
}

static void a_flush_makes_everything_durable(void **state)
{
    (void)state;
    is_immediate = true;
    assert_int_equal(ledger_bury(ledger, STR("last words")), 0);
    ledger_skip(ledger, 0);
    assert_int_equal(ledger_flush(ledger), 0);
    assert_int_equal(letter_count, 1);
    assert_true(durable.settled[0]);
}

static void a_flush_tells_when_it_cannot(void **state)
{
    (void)state;
    is_immediate = true;
    immediate_rc = -ENOSPC;
    ledger_skip(ledger, 0);
    assert_int_equal(ledger_flush(ledger), -ENOSPC);
    assert_false(durable.settled[0]);
}

#define with_ledger(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_ledger(an_event_is_settled_with_its_last_share),
        with_ledger(the_oldest_open_event_is_known_whatever_the_order),
        with_ledger(the_order_of_positions_holds_when_events_begin_late),
        with_ledger(events_that_begin_late_do_not_walk_over_the_backlog),
        with_ledger(a_job_takes_what_came_while_the_last_one_was_under_way),
        with_ledger(a_full_store_delays_but_loses_nothing),
        with_ledger(a_store_that_refuses_the_job_is_asked_again),
        with_ledger(too_many_letters_ask_for_a_pause),
        with_ledger(a_flush_makes_everything_durable),
        with_ledger(a_flush_tells_when_it_cannot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
