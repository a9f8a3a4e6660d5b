/* A full store refuses appends, keeps what it acknowledged, and can always be emptied again. */
#include "store.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
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

/* Every record from first to next is there, with its content. */
static void assert_records(uint64_t first, uint64_t next, size_t bytes)
{
    MDB_txn *txn;
    MDB_stat stat;
    assert_int_equal(store_read_begin(store, &txn), 0);
    for (uint64_t i = first; i < next; i++) {
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
            assert_records(first, next, sizes[s]);
            /* All, half, or little by little. */
            const uint64_t keep = turn % 3 == 1 ? (next - first) / 2 : 0;
            const size_t slice = turn % 3 == 2 ? 1 + (next - first) / 20 : 100000;
            while (next - first > keep)
                first += drop_some(slice < next - first - keep ? slice : next - first - keep);
            assert_records(first, next, sizes[s]);
        }
        assert_true(file_bytes() <= MAP_BYTES);
        while (drop_some(1000) > 0)
            ;
        store_close(store);
        store = NULL;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_full_store_takes_records_again_after_a_trim_turn_after_turn, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
