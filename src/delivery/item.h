/*
 * item: one intent on its way to Braze, as delivery keeps it: its JSON
 * text, and its place in its user's lanes.
 *
 * Text, path, cohort and tickets lie in the item's own block of stock. The courier's thread only.
 */
#ifndef SPELTER_DELIVERY_ITEM_H
#define SPELTER_DELIVERY_ITEM_H

#include "destination.h"
#include "stock.h"

enum {
    ITEM_PATH_BYTES_MAX = 1024,        /* a catalog's name and an item's id, escaped */
    ITEM_COHORT_BYTES_MAX = 16 * 1024, /* a cohort's id, or that, its name and a time */
};

struct lane;
struct origin;

/* A place in one lane's queue. */
struct ticket {
    struct lane *lane;
    struct item *item;
    struct ticket *next;
};

struct item {
    struct item *next;           /* in the list of candidates (lane.h) */
    struct origin *origin;       /* the event it came from; the owner's, not touched by the lanes */
    struct str text;             /* the object, serialised once */
    struct str path;             /* families whose path depends on the object; else empty */
    const struct cohort *cohort; /* cohort families; else NULL */
    enum request_family family;
    uint32_t subscription;
    int64_t arrived_ms; /* monotonic */
    struct user_key users[INTENT_USER_KEYS_MAX];
    uint8_t user_count; /* each key once */
    bool is_candidate;
    struct ticket tickets[INTENT_USER_KEYS_MAX];
};

/* Copies everything; `text` is the intent's object as JSON. NULL when memory ran out. */
struct item *item_new(struct stock *stock, const struct intent *intent, struct str text,
                      struct origin *origin, int64_t now_ms);

#endif
