/* A full store refuses appends, keeps what it acknowledged, and can always be emptied again. */
#include "store.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "../scratch.h"

enum { MAP_BYTES = 4 << 20, TURNS = 20 };

static struct scratch scratch;
static struct store *store;
static MDB_dbi queue;

static void open_store(uint64_t bytes_max)
{
    struct err err = {0};
    struct store_options options = {.dir = scratch.path, .bytes_max = bytes_max};
    if (store_open(&store, &options, &err) != 0)
        fail_msg("%s", err.msg);
    assert_int_equal(store_table(store, "queue", MDB_INTEGERKEY, &queue), 0);
}

static int setup(void **state)
{
    (void)state;
    scratch_init(&scratch);
    return scratch.path[0] == '\0';
}

static int teardown(void **state)
{
    (void)state;
    store_close(store);
    store = NULL;
    scratch_fini(&scratch);
    return 0;
}

/* `count` records of `bytes` from `key` on, whose content follows from their key. */
struct put {
    struct store_job job;
    uint64_t key;
    size_t count;
    size_t bytes;
};

static int apply_put(struct store_job *job, MDB_txn *txn)
{
    struct put *put = (struct put *)job;
    int rc = 0;
    for (uint64_t i = put->key; rc == 0 && i < put->key + put->count; i++) {
        MDB_val key = {sizeof(i), &i};
        MDB_val value = {put->bytes, NULL};
        rc = mdb_put(txn, queue, &key, &value, MDB_RESERVE);
        if (rc == 0)
            memset(value.mv_data, (int)(i % 251), put->bytes);
    }
    return rc;
}

static int put_some(uint64_t key, size_t count, size_t bytes, enum store_class kind)
{
    struct put put = {{.apply = apply_put, .kind = kind}, key, count, bytes};
    return store_commit(store, &put.job);
}

/* Deletes the first `count` records. */
struct drop {
    struct store_job job;
    size_t count;
    size_t dropped;
};

static int apply_drop(struct store_job *job, MDB_txn *txn)
{
    struct drop *drop = (struct drop *)job;
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val value;
    int rc = mdb_cursor_open(txn, queue, &cursor);
    if (rc != 0)
        return rc;
    drop->dropped = 0;
    while (rc == 0 && drop->dropped < drop->count) {
        rc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
        if (rc == 0)
            rc = mdb_cursor_del(cursor, 0);
        if (rc == 0)
            drop->dropped++;
    }
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static size_t drop_some(size_t count)
{
    struct drop drop = {{.apply = apply_drop, .kind = STORE_FREES_ROOM}, count, 0};
    assert_int_equal(store_commit(store, &drop.job), 0);
    return drop.dropped;
}

/* Puts records until there is no room for one more; returns the next key. */
static uint64_t fill(uint64_t key, size_t bytes, enum store_class kind)
{
    size_t count = 1 + 256 * 1024 / bytes;
    while (count > 0) {
        int rc = put_some(key, count, bytes, kind);
        assert_true(rc == 0 || rc == -ENOSPC);
        if (rc == 0)
            key += count;
        else
            count /= 2;
    }
    return key;
}

/* As many records as from first to next are there; every `step`th is looked at. */
static void assert_records_by(uint64_t step, uint64_t first, uint64_t next, size_t bytes)
{
    MDB_txn *txn;
    MDB_stat stat;
    assert_int_equal(store_read_begin(store, &txn), 0);
    for (uint64_t i = first; i < next; i += step) {
        MDB_val key = {sizeof(i), &i};
        MDB_val value;
        assert_int_equal(mdb_get(txn, queue, &key, &value), 0);
        assert_int_equal(value.mv_size, bytes);
        assert_int_equal(((unsigned char *)value.mv_data)[bytes - 1], i % 251);
    }
    assert_int_equal(mdb_stat(txn, queue, &stat), 0);
    assert_int_equal(stat.ms_entries, next - first);
    store_read_end(txn);
}

static void assert_records(uint64_t first, uint64_t next, size_t bytes)
{
    assert_records_by(1, first, next, bytes);
}

static off_t file_bytes(void)
{
    char path[300];
    struct stat stat_;
    snprintf(path, sizeof(path), "%s/data.mdb", scratch.path);
    assert_int_equal(stat(path, &stat_), 0);
    return stat_.st_size;
}

static void a_full_store_takes_records_again_after_a_trim_turn_after_turn(void **state)
{
    (void)state;
    static const size_t sizes[] = {100, 1000, 5000, 60000};
    for (size_t s = 0; s < countof(sizes); s++) {
        open_store(MAP_BYTES);
        uint64_t first = 0;
        uint64_t next = 0;
        for (int turn = 0; turn < TURNS; turn++) {
            const uint64_t before = next;
            next = fill(next, sizes[s], STORE_NEEDS_ROOM);
            assert_true(next > before);
            assert_records_by(turn == 0 ? 1 : 97, first, next, sizes[s]);
            /* All, half, or little by little. */
            const uint64_t keep = turn % 3 == 1 ? (next - first) / 2 : 0;
            const size_t slice = turn % 3 == 2 ? 1 + (next - first) / 20 : 100000;
            while (next - first > keep)
                first += drop_some(slice < next - first - keep ? slice : next - first - keep);
            assert_records_by(97, first, next, sizes[s]);
        }
        assert_true(file_bytes() <= MAP_BYTES);
        while (drop_some(1000) > 0)
            ;
        store_close(store);
        store = NULL;
    }
}

/* Verdicts that only ever add (dead letters, say) must not eat the pages that a deletion needs. */
static void what_grows_stops_before_nothing_can_shrink_any_more(void **state)
{
    (void)state;
    open_store(MAP_BYTES);
    uint64_t next = fill(0, 1000, STORE_NEEDS_ROOM);
    const uint64_t appended = next;
    next = fill(next, 1000, STORE_FREES_ROOM);
    assert_true(next > appended); /* the reserve is for them */
    assert_records(0, next, 1000);
    for (int i = 0; i < 100; i++) /* refusals must not wear it down either */
        assert_int_equal(put_some(next, 1, 1000, STORE_FREES_ROOM), -ENOSPC);
    next = fill(next, 1, STORE_FREES_ROOM);
    uint64_t first = 0;
    while (first < next)
        first += drop_some(100);
    assert_true(fill(next, 1000, STORE_NEEDS_ROOM) > next + appended / 2);
}

/* A reader pins what is freed meanwhile; when it has gone, everything is as before. */
static void a_reader_that_stays_open_delays_but_breaks_nothing(void **state)
{
    (void)state;
    MDB_txn *reader;
    open_store(MAP_BYTES);
    uint64_t first = 0;
    uint64_t next = fill(0, 1000, STORE_NEEDS_ROOM);
    assert_int_equal(store_read_begin(store, &reader), 0);
    struct drop drop = {{.apply = apply_drop, .kind = STORE_FREES_ROOM}, 20, 0};
    int rc = 0;
    for (int i = 0; rc == 0 && i < 1000 && first < next; i++) {
        rc = store_commit(store, &drop.job);
        first += rc == 0 ? drop.dropped : 0;
        assert_int_not_equal(put_some(next, 1, 100000, STORE_NEEDS_ROOM), 0);
    }
    assert_true(rc == 0 || rc == -ENOSPC);
    store_read_end(reader);
    assert_records(first, next, 1000);
    while (first < next)
        first += drop_some(100);
    assert_true(fill(next, 1000, STORE_NEEDS_ROOM) > next + next / 2);
}

static void limit_file(off_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes == 0 ? limit.rlim_max : (rlim_t)bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A limit on the file's size stands in for a disk that is full:
 * writing beyond it fails in the same way. */
static void a_full_disk_refuses_appends_loses_nothing_and_recovers(void **state)
{
    (void)state;
    enum { LIMIT_PAGES = 20000, ODD = 1000, DISK_TURNS = 6 };
    signal(SIGXFSZ, SIG_IGN);
    open_store((uint64_t)1 << 30);
    limit_file((off_t)LIMIT_PAGES * 4096 + ODD);
    uint64_t first = 0;
    uint64_t next = fill(0, 5000, STORE_NEEDS_ROOM);
    const uint64_t full = next;
    assert_true(file_bytes() <= (off_t)LIMIT_PAGES * 4096 + ODD);
    for (int turn = 0; turn < DISK_TURNS; turn++) {
        while (first < next - full / 4) /* verdicts and trims go on */
            first += drop_some(200);
        const uint64_t before = next;
        next = fill(next, 5000, STORE_NEEDS_ROOM);
        assert_true(next > before + full / 2); /* in the room that they made */
        assert_records(first, next, 5000);
    }
    store_close(store);
    open_store((uint64_t)1 << 30);
    assert_records(first, next, 5000);
    limit_file(0);
    assert_int_equal(put_some(next, full, 5000, STORE_NEEDS_ROOM), 0);
    assert_records(first, next + full, 5000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_full_store_takes_records_again_after_a_trim_turn_after_turn),
        TEST(what_grows_stops_before_nothing_can_shrink_any_more),
        TEST(a_reader_that_stays_open_delays_but_breaks_nothing),
        TEST(a_full_disk_refuses_appends_loses_nothing_and_recovers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
