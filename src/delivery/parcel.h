/*
 * parcel: items that travel to Braze together, and what became of each.
 *
 *     add ... add, close { write a range as a body, hear the answer, settle or split } until
 * nothing is left
 *
 * A parcel holds the lanes of its items until each is settled. It is sent again as often
 * as needed: whole, without the items that are settled by then, or in halves, when Braze
 * does not say which item it dislikes. Halves go one after the other, so one user's
 * items stay in order. Courier's thread only.
 */
#ifndef SPELTER_DELIVERY_PARCEL_H
#define SPELTER_DELIVERY_PARCEL_H

#include "bounds.h"
#include "lane.h"
#include "manifest.h"

enum {
    PARCEL_ITEMS_MAX = MANIFEST_OBJECTS_MAX,
    PARCEL_RANGES_MAX =
        11, /* halving PARCEL_ITEMS_MAX items leaves at most one open half a level */
};
static_assert(PARCEL_ITEMS_MAX <= 1 << (PARCEL_RANGES_MAX - 1),
              "halving must end within the stack");

struct range {
    unsigned from;
    unsigned to;
};

struct parcel {
    struct hold hold;
    struct parcel *next; /* in one list of its owner */

    unsigned count;
    unsigned items_max;
    size_t text_bytes;
    int64_t opened_ms; /* monotonic */
    int64_t oldest_ms; /* arrival of the oldest item */

    struct range ranges[PARCEL_RANGES_MAX]; /* a stack; the last one is being sent */
    unsigned range_count;
    unsigned *sent;           /* index in items of each object of the last body, in its order */
    struct manifest manifest; /* of the last body */
    bool makes_cohort;        /* the last body does, for the items: they have yet to be sent */

    unsigned failures; /* of the range at hand, in a row */
    int64_t failing_since_ms;
    int64_t tried_ms; /* sending it and waiting to send it again */
    int64_t due_ms;   /* not to be sent before */

    struct item *items[]; /* NULL once settled */
};

/* Has room for items_max, PARCEL_ITEMS_MAX at most. NULL: no memory. */
struct parcel *parcel_new(struct stock *stock, unsigned items_max);
void parcel_init(struct parcel *b, int64_t now_ms); /* empty again; before first use too */

void parcel_add(struct parcel *b, struct item *item);

/* No more items: groups them by array, each array in the order of arrival. */
void parcel_close(struct parcel *b);

/* Appends the body of the current range and describes it in b->manifest and
 * b->sent. A failed `out` is the caller's to see. */
void parcel_write(struct parcel *b, struct buf *out);

/* Describes the range for a body whose answer names no objects; whoever calls writes it. */
void parcel_describe(struct parcel *b);

/* Item `index` is settled and leaves the parcel; the caller frees it. */
struct item *parcel_remove(struct parcel *b, unsigned index);

/* The current range as two. It has at least two unsettled items. */
void parcel_split(struct parcel *b);

/* Moves on to the next range with unsettled items. False: nothing is left. */
bool parcel_advance(struct parcel *b);

/* One of the unsettled items of the current range. */
const struct item *parcel_any(const struct parcel *b);

#endif
