/*
 * couriers: one courier for each enabled destination of the config, and what a reload does to them.
 *
 * couriers_open and couriers_reload on one thread at a time; the readers from any.
 */
#ifndef SPELTER_SERVER_COURIERS_H
#define SPELTER_SERVER_COURIERS_H

#include "config.h"
#include "courier.h"

struct couriers;

enum {
    /* Of all destinations together, in equal parts: with the bodies on their way, the listener and
     * LMDB's pages the process stays below 128 MiB. */
    COURIERS_MEMORY_BYTES = 64 * 1024 * 1024,
    COURIERS_MEMORY_EACH_MAX = 32 * 1024 * 1024, /* more makes none faster */
};

struct couriers_options {
    struct store *store;
    struct journal *journal;
    struct dead *dead;
};

/* Compiles and starts every enabled destination. -EINVAL: err->msg is the line for the user. */
int couriers_open(struct couriers **out, const struct couriers_options *options,
                  const struct config *config, struct err *err) __attribute__((warn_unused_result));

/* Destinations that did not change go on undisturbed; changed ones finish what is
 * in flight and start anew from their place; removed ones stop, and their place
 * is kept. On failure nothing has changed. */
int couriers_reload(struct couriers *c, const struct config *old, const struct config *new,
                    struct err *err) __attribute__((warn_unused_result));

/* For the thread that reloads: so many dead letters of this destination went into the journal
 * again. One that has no courier counts nothing. */
void couriers_count_retried(struct couriers *c, struct str id, uint64_t letters);

/* All of them at once; each has until the deadline. */
void couriers_stop(struct couriers *c, int deadline_ms);
void couriers_close(struct couriers *c); /* stopped; NULL is fine */

/* What the running couriers count. Between hold and release none of them goes away, so be short. */
struct courier_row {
    struct str id;
    const struct courier_metrics *metrics;
};

/* Events that this courier has not settled, as of now. */
uint64_t courier_row_backlog(const struct courier_row *row, struct journal *journal);

size_t couriers_hold(struct couriers *c, struct courier_row *rows, size_t rows_max);
void couriers_release(struct couriers *c);

#endif
