/*
 * lane: the order of one user's items. A lane is the queue of what shares one user key.
 *
 *     lanes_push --> [ waiting ... waiting ] --lanes_next--> candidate --lanes_take--> held
 * --lanes_release--> gone
 *
 * A lane is lent to one hold (one request) at a time. An item may leave only when it is the
 * first that waits in all its lanes and none of them is lent to somebody else; so whatever has
 * to be confirmed first (an alias, an identify, a delete) is, and other users never wait for
 * it. Items that entered first leave first, in every lane: since an item enters all its lanes
 * at once, no two items can wait for each other.
 *
 * Knows neither sockets nor time. Lanes exist only while they are in use; their
 * memory comes from the stock. One thread.
 */
#ifndef SPELTER_DELIVERY_LANE_H
#define SPELTER_DELIVERY_LANE_H

#include "item.h"

/* Whoever lanes are lent to; embedded in a parcel. */
struct hold {
    bool is_waited_for; /* somebody's next item cannot leave before this hold is released */
};

struct lanes;

/* lanes_expected sizes the table; more are fine. -ENOMEM. */
int lanes_open(struct lanes **out, struct stock *stock, size_t lanes_expected)
    __attribute__((warn_unused_result));
void lanes_close(struct lanes *l); /* NULL is fine; nothing waits any more */

/* The item waits from now on. -ENOMEM: it does not. */
int lanes_push(struct lanes *l, struct item *item) __attribute__((warn_unused_result));

/* The next item that may leave: with *hold NULL in any request, else only in the request that
 * holds its lanes already. The caller takes it or passes it before asking again. NULL:
 * nothing may leave until something is released. */
struct item *lanes_next(struct lanes *l, struct hold **hold);

/* The item leaves in `hold`. */
void lanes_take(struct lanes *l, struct item *item, struct hold *hold);

/* The item stays: the request that holds its lanes is full or another kind.
 * It comes back when they are released. */
void lanes_pass(struct lanes *l, struct item *item);

/* A taken item is settled: a lane without any more taken items is free for the next hold. */
void lanes_release(struct lanes *l, struct item *item);

/* One that still waits, for the end: it leaves its lanes and is its owner's.
 * NULL: none. Everything taken was released. */
struct item *lanes_abandon(struct lanes *l);

size_t lanes_waiting(const struct lanes *l, struct user_key user); /* items, without those taken */
size_t lanes_count(const struct lanes *l);                         /* in use */

#endif
