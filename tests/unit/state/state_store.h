/* state_store: a store in a scratch directory, for the tests of
 * this room. Include after cmocka.h. */
#ifndef SPELTER_TESTS_STATE_STORE_H
#define SPELTER_TESTS_STATE_STORE_H

#include "store.h"

#include "../scratch.h"

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

/* Numbers that look random and are the same in every run. */
static inline uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

#endif
