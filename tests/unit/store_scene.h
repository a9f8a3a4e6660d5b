/* store_scene: a store in a scratch directory, new for each test. Include after cmocka.h. */
#ifndef SPELTER_TESTS_STORE_SCENE_H
#define SPELTER_TESTS_STORE_SCENE_H

#include "store.h"

#include "scratch.h"

static struct scratch scratch;
static struct store *store;

static inline void open_store(void)
{
    struct err err = {0};
    struct store_options options = {.dir = scratch.path, .bytes_max = 64 << 20};
    if (store_open(&store, &options, &err) != 0)
        fail_msg("%s", err.msg);
}

static inline void close_store(void)
{
    store_close(store);
    store = NULL;
}

static inline int setup(void **state)
{
    (void)state;
    scratch_init(&scratch);
    if (scratch.path[0] == '\0')
        return 1;
    open_store();
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    close_store();
    scratch_fini(&scratch);
    return 0;
}

static inline size_t records_of(const char *table)
{
    MDB_txn *txn;
    MDB_dbi dbi;
    MDB_stat stat;
    assert_int_equal(store_table_find(store, table, &dbi), 0);
    assert_int_equal(store_read_begin(store, &txn), 0);
    assert_int_equal(mdb_stat(txn, dbi, &stat), 0);
    store_read_end(txn);
    return stat.ms_entries;
}

/* Numbers that look random and are the same in every run. */
static inline uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

#endif
