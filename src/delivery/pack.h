/*
 * pack: items that may leave, gathered into parcels.
 *
 *     item --pack_place--> open parcel of its route --(full)--> closed --pack_next_closed-->
 * courier
 *                                        \---(old enough and there is a slot)--pack_take_due-->
 * courier
 *
 * A route is an endpoint (combined: attributes, events and purchases share one), or an
 * endpoint, an array and a subscription (per_action, as the hosted product parcels); the members
 * of each cohort have one of their own. A parcel that is not full stays open until the moment it
 * is sent, so under load requests are as full as they can be. Courier's thread only.
 */
#ifndef SPELTER_DELIVERY_PACK_H
#define SPELTER_DELIVERY_PACK_H

#include "parcel.h"

enum batching {
    BATCHING_COMBINED,
    BATCHING_PER_ACTION,
};

struct pack_options {
    enum batching mode;
    unsigned objects_max; /* of one /users/track, all arrays together, or of one change of a cohort;
                             1..PARCEL_ITEMS_MAX */
    unsigned age_max_ms;  /* how long the oldest item waits for company */
    size_t body_bytes_max; /* of one request */
};

enum {
    PARCELS_MAX = 1024,   /* open, closed and in flight together: 2 MiB with 75 objects each, 13 MiB
                           with   1,000 */
    PACK_ROUTES_MAX = 64, /* open parcels; one more closes the oldest */
    BODY_FRAME_BYTES_MAX = 512, /* {"attributes":[],"events":[],"purchases":[]}, or cohort_changes
                                   with an element for each family */
};

struct pack;

int pack_open(struct pack **out, struct stock *stock, const struct pack_options *options)
    __attribute__((warn_unused_result));
void pack_close(struct pack *p); /* NULL is fine; every parcel was given back */

/* Sees to it that another item can be placed. False: too many
 * parcels, or no memory for one more. */
bool pack_reserve(struct pack *p);

/* Where `item` goes: `hold` as lanes_next gave it. The caller takes its lanes for
 * parcel->hold and calls pack_add. NULL: it cannot join the request that holds its
 * lanes. Each call after its own pack_reserve. */
struct parcel *pack_place(struct pack *p, const struct item *item, const struct hold *hold,
                          int64_t now_ms);

void pack_add(struct pack *p, struct parcel *parcel, struct item *item);

/* The next parcel that is full. NULL: none. */
struct parcel *pack_next_closed(struct pack *p);

/* Which open parcels are asked for: those whose family `wants` says yes to. */
struct pack_filter {
    bool (*wants)(const void *self, enum request_family family);
    const void *self;
};

/* The oldest open parcel that is asked for and has waited long enough (or
 * `at_once`); it is closed then. NULL: none. */
struct parcel *pack_take_due(struct pack *p, int64_t now_ms, bool at_once,
                             struct pack_filter filter);

/* When pack_take_due gives something next; INT64_MAX: not without a new item. */
int64_t pack_due_ms(const struct pack *p, struct pack_filter filter);

void pack_give_back(struct pack *p, struct parcel *parcel); /* all its items are gone */

/* An open parcel, for the end: its items go back to their owner with parcel_remove. */
struct parcel *pack_abandon(struct pack *p);

unsigned pack_parcels(const struct pack *p); /* all that exist */

#endif
