/*
 * ledger: which events are open, and what became of the others on its way to the disk.
 *
 *     ledger_begin --> origin (open until each of its shares is settled) --ledger_settle--> settled
 * in memory ledger_bury  --> dead letter in memory ledger_commit: both in one transaction, one job
 * at a time; the next job collects what came meanwhile
 *
 * A position counts as settled only in or after the transaction that holds its dead letters. When
 * the store is full the job is tried again until it succeeds: nothing is lost. The courier's thread
 * only, except what the committer calls inside.
 */
#ifndef SPELTER_DELIVERY_LEDGER_H
#define SPELTER_DELIVERY_LEDGER_H

#include "cursor.h"
#include "dead.h"
#include "stock.h"

struct ledger;

/* One open event. */
struct origin {
    struct origin *older;
    struct origin *newer;
    uint64_t position;
    int64_t received_at_ms; /* epoch */
    uint32_t shares;        /* intents not yet settled, and one for whoever still adds to it */
    bool has_letter;
};

enum {
    LEDGER_LETTERS_BYTES_SOFT = 8 * 1024 * 1024, /* above it ledger_has_space says no */
    LEDGER_LETTERS_BYTES_MAX =
        128 * 1024 * 1024, /* what one more answer may add: every object and event of a request */
    LEDGER_RETRY_MS = 1000,
};

struct ledger_options {
    struct store *store;
    struct dead *dead;
    struct stock *stock;
    struct str destination;
    uint64_t start; /* where a destination that has no cursor begins */

    void (*wake)(void *self); /* called from the committer thread when a job is done */
    void *self;
};

int ledger_open(struct ledger **out, const struct ledger_options *options, struct err *err)
    __attribute__((warn_unused_result));
void ledger_close(
    struct ledger *l); /* NULL is fine; waits for a job under way, forgets what is open */

uint64_t ledger_floor(const struct ledger *l);
uint64_t ledger_durable_floor(const struct ledger *l); /* what a restart would begin at */
bool ledger_is_settled(const struct ledger *l, uint64_t position);
uint64_t ledger_next_open(const struct ledger *l,
                          uint64_t position);                    /* not settled, at it or above */
bool ledger_has_room(const struct ledger *l, uint64_t position); /* within the cursor's window */
bool ledger_has_space(
    const struct ledger *l); /* false: dead letters wait for the disk; make no new ones */

/* NULL: no memory. Positions mostly come in ascending order; any other costs a walk over those that
 * are open between it and the last such one. It starts with one share, the caller's. */
struct origin *ledger_begin(struct ledger *l, uint64_t position, int64_t received_at_ms);

/* One share less; true when it was the last one, and *origin is gone then. */
bool ledger_settle(struct ledger *l, struct origin *origin);

/* As if it had not begun: it will come again. The caller has the only share. */
void ledger_withdraw(struct ledger *l, struct origin *origin);

/* An event with nothing to deliver. */
void ledger_skip(struct ledger *l, uint64_t position);

/* Copies the letter's text. Before the settle that it belongs to. -ENOMEM: nothing was kept. */
int ledger_bury(struct ledger *l, struct str letter) __attribute__((warn_unused_result));

/* Sends what is new to the committer when no job is under way, and
 * takes the result of the last one. */
void ledger_commit(struct ledger *l, int64_t now_ms);

/* Commits everything and waits for it, for as long as the store makes it. -errno: not durable. */
int ledger_flush(struct ledger *l) __attribute__((warn_unused_result));

int64_t
ledger_due_ms(const struct ledger *l); /* when a failed job is tried again; INT64_MAX: none */
const struct origin *ledger_oldest(const struct ledger *l); /* of the open ones; NULL: none */

#endif
