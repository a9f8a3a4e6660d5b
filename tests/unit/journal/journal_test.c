#include "journal.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>

#include <cmocka.h>

#include "../store_scene.h"

enum { FOREVER_MS = 60000 };

static struct journal *journal;

static void open_journal(void)
{
    struct err err = {0};
    if (journal_open(&journal, store, &err) != 0)
        fail_msg("%s", err.msg);
}

static void close_journal(void)
{
    journal_close(journal);
    journal = NULL;
}

static int setup_journal(void **state)
{
    if (setup(state) != 0)
        return 1;
    open_journal();
    return 0;
}

static int teardown_journal(void **state)
{
    close_journal();
    return teardown(state);
}

/* Appends `count` records "a record of SEED" or, when count is 0,
 * trims up to `trim_max` below `before`. */
struct work {
    struct store_job job;
    size_t count;
    unsigned seed;
    uint64_t before;
    size_t trim_max;
    int failure; /* returned after the work, to have it rolled back */
    uint64_t first;
    size_t deleted;
};

enum { APPEND_MAX = 64 };

static int apply_work(struct store_job *job, MDB_txn *txn)
{
    struct work *w = (struct work *)job;
    char text[32];
    struct str records[APPEND_MAX];
    int len = snprintf(text, sizeof(text), "a record of %u", w->seed);
    for (size_t i = 0; i < w->count; i++)
        records[i] = (struct str){text, (size_t)len};
    int rc = w->count > 0 ? journal_append(journal, txn, records, w->count, &w->first)
                          : journal_trim(journal, txn, w->before, w->trim_max, &w->deleted);
    return rc != 0 ? rc : w->failure;
}

static void publish(struct store_job *job, int rc)
{
    (void)job;
    (void)rc;
    journal_publish(journal);
}

static uint64_t append(size_t count, unsigned seed)
{
    struct work w = {.job = {.apply = apply_work, .done = publish}, .count = count, .seed = seed};
    assert_int_equal(store_commit(store, &w.job), 0);
    return w.first;
}

static size_t trim(uint64_t before, size_t count_max)
{
    struct work w = {.job = {.apply = apply_work, .done = publish, .kind = STORE_FREES_ROOM},
                     .before = before,
                     .trim_max = count_max};
    assert_int_equal(store_commit(store, &w.job), 0);
    return w.deleted;
}

struct seen {
    uint64_t first;
    size_t count;
    size_t stop_at;
    uint64_t expected; /* position */
    bool is_broken;
    char last[32];
};

static bool see(void *self, uint64_t position, struct str record)
{
    struct seen *seen = self;
    if (seen->count == 0)
        seen->first = position;
    else if (position != seen->expected)
        seen->is_broken = true;
    seen->expected = position + 1;
    snprintf(seen->last, sizeof(seen->last), "%.*s", STR_ARG(record));
    return ++seen->count != seen->stop_at;
}

static void assert_bounds(uint64_t first, uint64_t next)
{
    assert_int_equal(journal_first(journal), first);
    assert_int_equal(journal_next(journal), next);
}

static void positions_grow_by_one_from_zero(void **state)
{
    (void)state;
    assert_bounds(0, 0);
    assert_int_equal(append(1, 1), 0);
    assert_int_equal(append(10, 2), 1);
    assert_int_equal(append(1, 3), 11);
    assert_bounds(0, 12);
    struct seen seen = {0};
    uint64_t next;
    assert_int_equal(journal_read(journal, 11, 10, see, &seen, &next), 0);
    assert_string_equal(seen.last, "a record of 3");
}

static void reading_starts_at_the_first_that_exists_and_ends_when_told(void **state)
{
    (void)state;
    static const struct {
        uint64_t from;
        size_t count;
        size_t stop_at;
        uint64_t first;
        size_t seen;
        uint64_t next;
    } rows[] = {
        {0, 100, 0, 20, 40, 60}, {20, 5, 0, 20, 5, 25},    {59, 5, 0, 59, 1, 60},
        {60, 5, 0, 0, 0, 60},    {1000, 5, 0, 0, 0, 1000}, {30, 100, 3, 30, 3, 33},
        {30, 0, 0, 0, 0, 30},
    };
    append(60, 1);
    assert_int_equal(trim(20, 100), 20);
    for (size_t i = 0; i < countof(rows); i++) {
        struct seen seen = {.stop_at = rows[i].stop_at};
        uint64_t next;
        assert_int_equal(journal_read(journal, rows[i].from, rows[i].count, see, &seen, &next), 0);
        assert_false(seen.is_broken);
        assert_int_equal(seen.count, rows[i].seen);
        assert_int_equal(seen.first, rows[i].first);
        assert_int_equal(next, rows[i].next);
    }
}

static void a_position_is_never_used_twice_not_even_after_trimming_everything(void **state)
{
    (void)state;
    for (uint64_t turn = 0; turn < 3; turn++) {
        assert_int_equal(append(7, 1), turn * 7);
        assert_int_equal(trim(UINT64_MAX, turn == 1 ? 7 : 100),
                         7); /* ends with or without looking further */
        assert_bounds(turn * 7 + 7, turn * 7 + 7);
        close_journal();
        close_store();
        open_store();
        open_journal();
        assert_bounds(turn * 7 + 7, turn * 7 + 7);
    }
}

static void a_trim_takes_a_slice_a_call(void **state)
{
    (void)state;
    append(50, 1);
    assert_int_equal(trim(30, 20), 20);
    assert_bounds(20, 50);
    assert_int_equal(trim(30, 20), 10);
    assert_int_equal(trim(30, 20), 0);
    assert_int_equal(trim(5, 20), 0);
    assert_bounds(30, 50);
}

static void what_is_rolled_back_leaves_no_hole(void **state)
{
    (void)state;
    struct work lost = {
        .job = {.apply = apply_work, .done = publish}, .count = 5, .seed = 1, .failure = -EDOM};
    append(3, 1);
    assert_int_equal(store_commit(store, &lost.job), -EDOM);
    assert_bounds(0, 3);
    assert_int_equal(append(1, 1), 3);
}

struct waiter {
    pthread_t thread;
    uint64_t position;
    bool got;
};

static void *wait_main(void *self)
{
    struct waiter *w = self;
    w->got = journal_wait(journal, w->position, FOREVER_MS);
    return NULL;
}

static void count_notice(void *self)
{
    atomic_fetch_add((atomic_int *)self, 1);
}

static void waiters_and_listeners_hear_of_what_became_durable(void **state)
{
    (void)state;
    struct waiter waiters[4];
    atomic_int heard = 0;
    atomic_int deaf = 0;
    assert_int_equal(journal_listen(journal, count_notice, &heard), 0);
    assert_int_equal(journal_listen(journal, count_notice, &deaf), 0);
    journal_unlisten(journal, &deaf);
    assert_false(journal_wait(journal, 0, 0));
    for (size_t i = 0; i < countof(waiters); i++) {
        waiters[i].position = i;
        assert_int_equal(pthread_create(&waiters[i].thread, NULL, wait_main, &waiters[i]), 0);
    }
    append(2, 1);
    append(2, 1);
    for (size_t i = 0; i < countof(waiters); i++) {
        pthread_join(waiters[i].thread, NULL);
        assert_true(waiters[i].got);
    }
    trim(4, 4); /* nothing new to read */
    assert_int_equal(heard, 2);
    assert_int_equal(deaf, 0);
    journal_unlisten(journal, &heard);
    append(1, 1);
    assert_int_equal(heard, 2);
}

static void an_interrupt_ends_waiting_for_good(void **state)
{
    (void)state;
    struct waiter waiter = {.position = 5};
    assert_int_equal(pthread_create(&waiter.thread, NULL, wait_main, &waiter), 0);
    journal_interrupt(journal);
    pthread_join(waiter.thread, NULL);
    assert_false(waiter.got);
    assert_false(journal_wait(journal, 5, FOREVER_MS));
}

static void only_so_many_may_listen(void **state)
{
    (void)state;
    atomic_int heard[JOURNAL_LISTENERS_MAX + 1];
    for (int i = 0; i < JOURNAL_LISTENERS_MAX; i++)
        assert_int_equal(journal_listen(journal, count_notice, &heard[i]), 0);
    assert_int_equal(journal_listen(journal, count_notice, &heard[JOURNAL_LISTENERS_MAX]), -ENOSPC);
    for (int i = 0; i < JOURNAL_LISTENERS_MAX; i++)
        journal_unlisten(journal, &heard[i]);
}

static int apply_format(struct store_job *job, MDB_txn *txn)
{
    (void)job;
    MDB_dbi meta;
    uint64_t zero = 0;
    uint64_t record[2] = {2, 0};
    MDB_val key = {sizeof(zero), &zero};
    MDB_val value = {sizeof(record), record};
    int rc = store_table_find(store, "journal_meta", &meta);
    return rc != 0 ? rc : mdb_put(txn, meta, &key, &value, 0);
}

static void a_newer_format_is_refused(void **state)
{
    (void)state;
    struct store_job job = {.apply = apply_format};
    struct err err = {0};
    assert_int_equal(store_commit(store, &job), 0);
    journal_close(journal);
    assert_int_equal(journal_open(&journal, store, &err), -EBADMSG);
    assert_non_null(strstr(err.msg, "newer"));
    assert_null(journal);
}

/* Several threads append, several read behind them, one trims: every record
 * is read once, in order, before it goes. */
enum { WRITERS = 3, READERS = 2, APPENDS = 300, EACH = 4 };

struct reader {
    pthread_t thread;
    _Atomic uint64_t next;
    size_t count;
    bool is_broken;
};

static struct reader readers[READERS];

static void *write_main(void *self)
{
    const unsigned *seed = self;
    for (int i = 0; i < APPENDS; i++)
        append(EACH, *seed);
    return NULL;
}

static void *read_main(void *self)
{
    struct reader *r = self;
    const uint64_t end = WRITERS * APPENDS * EACH;
    while (r->next < end && journal_wait(journal, r->next, FOREVER_MS)) {
        struct seen seen = {0};
        uint64_t next;
        if (journal_read(journal, r->next, 100, see, &seen, &next) != 0 || seen.is_broken ||
            (seen.count > 0 && seen.first != r->next))
            r->is_broken = true;
        r->count += seen.count;
        r->next = next;
    }
    return NULL;
}

static void *trim_main(void *self)
{
    (void)self;
    const uint64_t end = WRITERS * APPENDS * EACH;
    while (journal_first(journal) < end) {
        uint64_t before = end;
        for (size_t i = 0; i < READERS; i++)
            before = readers[i].next < before ? readers[i].next : before;
        trim(before, 50);
    }
    return NULL;
}

static void threads_append_read_and_trim_side_by_side(void **state)
{
    (void)state;
    pthread_t writers[WRITERS];
    pthread_t trimmer;
    static unsigned seeds[WRITERS];
    for (unsigned i = 0; i < WRITERS; i++) {
        seeds[i] = i;
        assert_int_equal(pthread_create(&writers[i], NULL, write_main, &seeds[i]), 0);
    }
    for (size_t i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&readers[i].thread, NULL, read_main, &readers[i]), 0);
    assert_int_equal(pthread_create(&trimmer, NULL, trim_main, NULL), 0);
    for (size_t i = 0; i < WRITERS; i++)
        pthread_join(writers[i], NULL);
    for (size_t i = 0; i < READERS; i++) {
        pthread_join(readers[i].thread, NULL);
        assert_false(readers[i].is_broken);
        assert_int_equal(readers[i].count, WRITERS * APPENDS * EACH);
    }
    pthread_join(trimmer, NULL);
    assert_bounds(WRITERS * APPENDS * EACH, WRITERS * APPENDS * EACH);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_journal, teardown_journal)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(positions_grow_by_one_from_zero),
        TEST(reading_starts_at_the_first_that_exists_and_ends_when_told),
        TEST(a_position_is_never_used_twice_not_even_after_trimming_everything),
        TEST(a_trim_takes_a_slice_a_call),
        TEST(what_is_rolled_back_leaves_no_hole),
        TEST(waiters_and_listeners_hear_of_what_became_durable),
        TEST(an_interrupt_ends_waiting_for_good),
        TEST(only_so_many_may_listen),
        TEST(a_newer_format_is_refused),
        TEST(threads_append_read_and_trim_side_by_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
