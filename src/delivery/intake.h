/*
 * intake: events out of the journal, as items in their lanes.
 *
 *     journal record --> source filter --> integrations --> destination_map --> items --> lanes
 *
 * A user with too much on its way is parked (parked.h): its next events stay in the journal, and
 * are read again from there when there is room, while others go on.
 *
 * What needs no delivery is settled here, what cannot be mapped becomes a dead letter here. Reading
 * stops while memory, the cursor's window or the letters are full. The courier's thread only.
 */
#ifndef SPELTER_DELIVERY_INTAKE_H
#define SPELTER_DELIVERY_INTAKE_H

#include "clock.h"
#include "counts.h"
#include "destination.h"
#include "envelope.h"
#include "journal.h"
#include "lane.h"
#include "ledger.h"
#include "parked.h"

struct intake;

enum {
    INTAKE_READ_RECORDS_MAX = 512, /* of one call, so that answers do not wait for long */
    INTAKE_ARENA_BYTES_MAX = 16 * 1024 * 1024, /* one event and all that its mapping makes of it */
};

struct intake_options {
    struct str id; /* the destination's */
    const struct destination *destination;
    struct journal *journal;
    const struct str *from; /* sources to take; none: all of them */
    size_t from_count;
    const struct str
        *names; /* that the integrations object may call it, as integrations_ask takes them */
    size_t name_count;
    size_t object_bytes_max; /* of one item's text */
    size_t memory_bytes_max; /* of what the stock has lent */
    /* A user (or cohort) with more items waiting is crowded: two requests' worth, so that the next
     * one can always be full. */
    unsigned lane_items_max;
    struct clock clock;

    struct ledger *ledger;
    struct lanes *lanes;
    struct stock *stock;
    struct courier_metrics *metrics;
};

/* Copies the options' texts; the rest is borrowed. -ENOMEM. */
int intake_open(struct intake **out, const struct intake_options *options)
    __attribute__((warn_unused_result));
/* Another bound from now on. */
void intake_limit_memory(struct intake *in, size_t memory_bytes_max);
void intake_close(struct intake *in); /* NULL is fine */

/* Takes what there is, as far as there is room. True: there is more to read right now. -ENOMEM,
 * -EIO in *rc: ask again in a while; nothing is lost. */
bool intake_read(struct intake *in, int *rc);

size_t intake_parked(const struct intake *in); /* users */

/* What a letter about this event says. */
struct burial {
    const char *stage;
    const char *code;
    struct str reason;
    int status;
    const char *method;
    struct str path;
    struct str object;
    const uint32_t *subscription; /* NULL: none is to blame */
};

/* A dead letter about the event at `position`, which is read from the journal again. -ENOMEM. */
int intake_bury(struct intake *in, uint64_t position, const struct burial *burial)
    __attribute__((warn_unused_result));

#endif
