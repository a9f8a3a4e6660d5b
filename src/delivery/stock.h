/*
 * stock: memory in many sizes that comes and goes all the time, without malloc in steady state.
 *
 *     stock_take --> block --stock_give--> shelf of its size class --stock_take--> ...
 *
 * Sizes are rounded up to a class, four classes a doubling, so at most a fifth of a
 * block is unused. What lies idle on the shelves counts against the same bound as what
 * is lent; above it blocks go back to the system. Under AddressSanitizer nothing is
 * kept, so that a use after give is seen. Not thread-safe.
 */
#ifndef SPELTER_DELIVERY_STOCK_H
#define SPELTER_DELIVERY_STOCK_H

#include <stddef.h>

enum {
    STOCK_BYTES_MIN = 64,
    STOCK_DOUBLINGS = 17, /* the largest class is 8 MiB: two of Braze's bodies */
    STOCK_CLASSES = STOCK_DOUBLINGS * 4 + 1,
};

struct stock_block;

struct stock {
    struct stock_block *shelves[STOCK_CLASSES];
    size_t kept_bytes_max; /* lent and idle together; more is lent when asked for, but not kept */
    size_t lent_bytes;
    size_t idle_bytes;
};

void stock_init(struct stock *s, size_t kept_bytes_max);
/* Another bound from now on; what lies idle above it goes back to the system. */
void stock_limit(struct stock *s, size_t kept_bytes_max);

void stock_fini(struct stock *s); /* everything lent has come back */

/* Uninitialised, aligned to 16 bytes. NULL: no memory, or larger than the largest class. */
void *stock_take(struct stock *s, size_t bytes);
void stock_give(struct stock *s, void *block); /* NULL is fine */

#endif
