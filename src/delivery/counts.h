/*
 * counts: the metrics of one courier. Written by its thread (memory_limit_bytes by
 * courier_limit_memory, dead_retried by courier_count_retried), read by any.
 */
#ifndef SPELTER_DELIVERY_COUNTS_H
#define SPELTER_DELIVERY_COUNTS_H

#include "metrics.h"

enum skip_reason {
    SKIP_SOURCE,         /* not in this destination's `from` */
    SKIP_DESTINATION,    /* a dead letter's event, sent again for another destination alone */
    SKIP_INTEGRATIONS,   /* the event's integrations object says no */
    SKIP_SENT_ALREADY,   /* the event's SDK delivered it itself */
    SKIP_NOT_SUBSCRIBED, /* no subscription wants it */
    SKIP_NOTHING_TO_DO,  /* a subscription wants it, but nothing in it is for Braze */
};
enum { SKIP_REASONS = 6 };

enum status_class {
    STATUS_NONE, /* no answer */
    STATUS_2XX,
    STATUS_3XX,
    STATUS_4XX,
    STATUS_429,
    STATUS_5XX,
};
enum { STATUS_CLASSES = 6 };

/* Upper edges of the buckets of requests_by_objects; the last one has none. */
enum { OBJECT_BUCKETS = 8 };
extern const unsigned object_bucket_edges[OBJECT_BUCKETS - 1];

struct courier_metrics {
    struct counter mapped; /* events that went through the mapping */
    struct counter skipped[SKIP_REASONS];
    struct counter intents; /* that came out of it */
    struct counter delivered_intents;
    struct counter delivered_events; /* with all their intents */
    struct counter dead;             /* letters */
    struct counter dead_retried;     /* letters whose events were put into the journal again */
    struct counter retried;          /* requests to be sent again after a wait */
    struct counter splits;
    struct counter requests[STATUS_CLASSES];
    struct counter requests_by_objects[OBJECT_BUCKETS]; /* not cumulative */

    struct gauge paused; /* 1: the destination refuses us */
    struct gauge floor;  /* position; everything below is settled, and that is on the disk */
    struct gauge oldest_received_ms; /* epoch, of the oldest undelivered event; 0: none */
    struct gauge inflight;           /* requests */
    struct gauge parked_users;       /* whose next events wait in the journal */
    struct gauge memory_bytes;       /* of items, lanes and parcels */
    struct gauge memory_limit_bytes; /* above it nothing more is read */

    struct histogram request_latency;
    struct histogram delivery_latency; /* from received to delivered */
};

void counts_request(struct courier_metrics *m, int status, unsigned objects, int64_t latency_us);

#endif
