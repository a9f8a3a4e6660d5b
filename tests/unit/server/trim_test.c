#include "world.h"

#include <sched.h>

#include "cursor.h"
#include "trim.h"

enum {
    STORE_BYTES = STORE_BYTES_MIN * 4,
    KEEP_MS = 60 * 1000,
    OLD_MS = 1000,
    NOW_MS = OLD_MS + 2 * KEEP_MS,
    RECORD_BYTES = 50,
};

static int setup(void **state)
{
    static struct world w;
    world_open(&w, STORE_BYTES);
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    world_close(*state);
    return 0;
}

/* One slice, from its start to its end. */
static void trim_once(struct world *w, int64_t now_ms)
{
    struct trimmer *t;
    assert_int_equal(trimmer_open(&t, w->store, w->journal, KEEP_MS), 0);
    assert_in_range(trimmer_tick(t, now_ms), 1, 1000);
    trimmer_close(t);
}

struct settle_job {
    struct store_job job;
    struct cursor_snapshot *snapshot;
};

static int apply_settle(struct store_job *job, MDB_txn *txn)
{
    return cursor_snapshot_apply(((struct settle_job *)job)->snapshot, txn);
}

/* A destination that has settled everything below `floor`. */
static void put_cursor(struct world *w, struct str destination, uint64_t floor)
{
    struct cursor *cursor;
    struct err err = {0};
    int rc = 0;
    assert_int_equal(cursor_open(&cursor, w->store, destination, 0, &err), 0);
    for (uint64_t position = 0; position < floor; position++)
        cursor_settle(cursor, position);
    struct settle_job settle = {{.apply = apply_settle}, cursor_snapshot(cursor, &rc)};
    assert_int_equal(rc, 0);
    if (settle.snapshot != NULL)
        assert_int_equal(store_commit(w->store, &settle.job), 0);
    cursor_snapshot_free(settle.snapshot);
    cursor_close(cursor);
}

static void what_is_older_than_the_time_to_keep_goes(void **state)
{
    struct world *w = *state;
    world_append(w, 10, RECORD_BYTES, OLD_MS);
    world_append(w, 5, RECORD_BYTES, NOW_MS - KEEP_MS);
    world_append(w, 5, RECORD_BYTES, NOW_MS);
    trim_once(w, OLD_MS + KEEP_MS);
    assert_int_equal(journal_first(w->journal), 0); /* just young enough */
    trim_once(w, NOW_MS);
    assert_int_equal(journal_first(w->journal), 10);
    trim_once(w, NOW_MS + 2 * KEEP_MS);
    assert_int_equal(journal_first(w->journal), 20);
    assert_int_equal(journal_next(w->journal), 20);
}

static void nothing_goes_that_a_destination_has_not_settled(void **state)
{
    struct world *w = *state;
    world_append(w, 20, RECORD_BYTES, OLD_MS);
    put_cursor(w, STR("fast"), 20);
    put_cursor(w, STR("slow"), 7);
    trim_once(w, NOW_MS);
    assert_int_equal(journal_first(w->journal), 7);
    trim_once(w, NOW_MS);
    assert_int_equal(journal_first(w->journal), 7);
    put_cursor(w, STR("slow"), 20);
    trim_once(w, NOW_MS);
    assert_int_equal(journal_first(w->journal), 20);
}

static void what_is_delivered_goes_early_when_room_is_short(void **state)
{
    struct world *w = *state;
    uint64_t used;
    uint64_t max;
    world_append(w, 10, RECORD_BYTES, NOW_MS);
    trim_once(w, NOW_MS);
    assert_int_equal(journal_first(w->journal), 0);
    put_cursor(w, STR("eu"), 4);
    do {
        world_append(w, 4, 16 * 1024, NOW_MS);
        store_usage(w->store, &used, &max);
    } while (used < max / 100 * 81);
    trim_once(w, NOW_MS);
    assert_int_equal(journal_first(w->journal), 4); /* delivered; the others are not */
}

static void many_records_go_slice_by_slice(void **state)
{
    struct world *w = *state;
    struct trimmer *t;
    int64_t now_ms = NOW_MS;
    world_append(w, 12001, RECORD_BYTES, OLD_MS);
    assert_int_equal(trimmer_open(&t, w->store, w->journal, KEEP_MS), 0);
    assert_in_range(trimmer_tick(t, now_ms), 1, 1000);
    while (journal_first(w->journal) == 0)
        sched_yield();
    assert_true(journal_first(w->journal) < 12001);
    while (journal_first(w->journal) < 12001) {
        now_ms += trimmer_tick(t, now_ms);
        sched_yield();
    }
    trimmer_close(t);
    assert_int_equal(journal_next(w->journal), 12001);
}

static void a_clock_that_is_set_back_stops_nothing(void **state)
{
    struct world *w = *state;
    struct trimmer *t;
    world_append(w, 10, RECORD_BYTES, OLD_MS);
    assert_int_equal(trimmer_open(&t, w->store, w->journal, KEEP_MS), 0);
    assert_in_range(trimmer_tick(t, INT64_MAX / 2 - KEEP_MS), 1, 1000);
    while (journal_first(w->journal) < 10)
        sched_yield();
    world_append(w, 10, RECORD_BYTES, OLD_MS);
    while (journal_first(w->journal) < 20) {
        assert_in_range(trimmer_tick(t, NOW_MS), 1, 1000);
        sched_yield();
    }
    trimmer_close(t);
}

int main(void)
{
#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        IN_WORLD(what_is_older_than_the_time_to_keep_goes),
        IN_WORLD(nothing_goes_that_a_destination_has_not_settled),
        IN_WORLD(what_is_delivered_goes_early_when_room_is_short),
        IN_WORLD(many_records_go_slice_by_slice),
        IN_WORLD(a_clock_that_is_set_back_stops_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
