/*
 * courier: everything between the journal and one Braze destination. What is in the journal gets
 * delivered or becomes a dead letter; the cursor moves past an event only when that is on the disk.
 *
 *     journal --intake--> lanes --pack--> parcels --sender--> Braze
 *                           ^                                   |
 *                           +--- retry, split <--- verdict <----+---> settled, dead letters
 * --ledger--> store
 *
 * A courier is one thread. A restart sends again at most what had no verdict on the disk yet. How
 * long a request has been tried is not kept over a restart.
 */
#ifndef SPELTER_DELIVERY_COURIER_H
#define SPELTER_DELIVERY_COURIER_H

#include "clock.h"
#include "counts.h"
#include "dead.h"
#include "destination.h"
#include "journal.h"
#include "limiter.h"
#include "pack.h"
#include "verdict.h"

struct courier;

enum { COURIER_MEMORY_BYTES_MIN = 64 * 1024 }; /* one event must always fit */

/* Where a destination begins that this store has never seen. */
enum courier_start {
    COURIER_FROM_FIRST, /* everything the journal still holds */
    COURIER_FROM_NEXT,  /* what comes from now on */
};

struct courier_options {
    struct str id; /* the destination's, names its cursor and its letters; copied */
    const struct destination *destination;
    struct store *store;
    struct journal *journal;
    struct dead *dead;
    struct clock clock;

    const struct str *from; /* ids of the sources to take, copied; none: all */
    size_t from_count;
    const struct str *names; /* as integrations_ask takes them, copied */
    size_t name_count;
    enum courier_start start;
    struct str ca_certificates; /* PEM, trusted instead of the system's; empty: those. Copied */

    struct pack_options pack;
    struct limit limits[LIMIT_BUCKETS]; /* 0: Braze's documented ones */
    struct retry_policy retry;
    unsigned requests_max; /* at a time */
    unsigned connect_timeout_ms;
    unsigned timeout_ms;     /* of a whole request */
    size_t memory_bytes_max; /* of items, lanes, parcels; bodies in flight may take as much again.
                              * courier_limit_memory changes it */
};

/* The defaults of everything that has one: the rest is zero and the caller's to fill. */
void courier_options_init(struct courier_options *options);

/* Borrows destination, store, journal and dead until courier_close. -EINVAL, -ENOMEM, and what the
 * store answers; err says what is wrong. */
int courier_open(struct courier **out, const struct courier_options *options, struct err *err)
    __attribute__((warn_unused_result));

/* -EAGAIN, -ENOMEM: no thread. */
int courier_start(struct courier *c) __attribute__((warn_unused_result));

/* memory_bytes_max from now on, COURIER_MEMORY_BYTES_MIN at least: what is above it
 * is delivered before anything more is read. Any thread. */
void courier_limit_memory(struct courier *c, size_t memory_bytes_max);

/* So many of its dead letters went into the journal again. Any thread. */
void courier_count_retried(struct courier *c, uint64_t letters);

enum courier_stop {
    COURIER_FINISH, /* requests in flight get their verdicts; nothing new leaves */
    COURIER_DRAIN,  /* what has been read is delivered too; nothing new is read */
};

/* Ends the thread, at most deadline_ms from now, and makes its verdicts durable. What is
 * cut off then is sent again by the next courier of this id. -errno: the last verdicts
 * are not on the disk, so they will be repeated. */
int courier_stop(struct courier *c, enum courier_stop how, int deadline_ms);

/* Only says so, to end several at once: courier_stop then waits for it, and its own `how` and
 * deadline count no more. */
void courier_ask_stop(struct courier *c, enum courier_stop how, int deadline_ms);

void courier_close(struct courier *c); /* stopped, or never started; NULL is fine */

/* Waits until everything that was in the journal when it was called is settled and
 * durable. False: timeout_ms passed. Any thread. */
bool courier_wait_idle(struct courier *c, int timeout_ms);

const struct courier_metrics *courier_metrics(const struct courier *c); /* any thread */

#endif
