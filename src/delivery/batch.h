/*
 * batch: items that travel to Braze together, and what became of each.
 *
 *     add ... add, close { write a range as a body, hear the answer, settle or split } until
 * nothing is left
 *
 * A batch holds the lanes of its items until each is settled. It is sent again as often as needed:
 * whole, without the items that are settled by then, or in halves, when Braze does not say which
 * item it dislikes. Halves go one after the other, so one user's items stay in order. Courier's
 * thread only.
 */
#ifndef SPELTER_DELIVERY_BATCH_H
#define SPELTER_DELIVERY_BATCH_H

#include "lane.h"
#include "limits.h"
#include "manifest.h"

enum {
    BATCH_ITEMS_MAX = MANIFEST_OBJECTS_MAX,
    BATCH_RANGES_MAX = 9, /* halving BATCH_ITEMS_MAX items leaves at most one open half a level */
};
static_assert(BATCH_ITEMS_MAX <= 1 << (BATCH_RANGES_MAX - 1), "halving must end within the stack");

struct range {
    unsigned from;
    unsigned to;
};

struct batch {
    struct hold hold;
    struct batch *next; /* in one list of its owner */

    struct item *items[BATCH_ITEMS_MAX]; /* NULL once settled */
    unsigned count;
    size_t text_bytes;
    int64_t opened_ms; /* monotonic */
    int64_t oldest_ms; /* arrival of the oldest item */

    struct range ranges[BATCH_RANGES_MAX]; /* a stack; the last one is being sent */
    unsigned range_count;
    unsigned
        sent[BATCH_ITEMS_MAX]; /* index in items of each object of the last body, in its order */
    struct manifest manifest;  /* of the last body */

    unsigned failures; /* of the range at hand, in a row */
    int64_t tried_ms;  /* sending it and waiting to send it again */
    int64_t due_ms;    /* not to be sent before */
    int64_t launched_us;
};

struct batch *batch_new(struct stock *stock); /* uninitialised; NULL: no memory */
void batch_init(struct batch *b, int64_t now_ms);

void batch_add(struct batch *b, struct item *item);

/* No more items: groups them by array, each array in the order of arrival. */
void batch_close(struct batch *b);

/* Appends the body of the current range and describes it in b->manifest and b->sent. A failed `out`
 * is the caller's to see. */
void batch_write(struct batch *b, struct buf *out);

/* Item `index` is settled and leaves the batch; the caller frees it. */
struct item *batch_remove(struct batch *b, unsigned index);

/* The current range as two. It has at least two unsettled items. */
void batch_split(struct batch *b);

/* Moves on to the next range with unsettled items. False: nothing is left. */
bool batch_advance(struct batch *b);

/* One of the unsettled items of the current range. */
const struct item *batch_any(const struct batch *b);

#endif
