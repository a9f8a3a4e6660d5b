/*
 * limiter: Braze's rate limits as data, so that a 429 is rare.
 * Facts: docs/spec/braze-rest-api.md §3.
 *
 * Windows are fixed and aligned to the clock. What Braze's own headers say counts more
 * than the table when it is less: contracts differ, and other programs use the same
 * workspace. The clock is handed in. One thread.
 */
#ifndef SPELTER_DELIVERY_LIMITER_H
#define SPELTER_DELIVERY_LIMITER_H

#include "destination.h"
#include "reply.h"

/* Requests that share a limit. */
enum limit_bucket {
    BUCKET_TRACK,
    BUCKET_USER_ADMIN,
    BUCKET_CATALOG_ITEMS,
    BUCKET_COHORTS,
    BUCKET_OTHER,
};
enum { LIMIT_BUCKETS = 5 };

enum limit_bucket limit_bucket_of(enum request_family family);

struct limit {
    unsigned requests; /* 0: the table's */
    unsigned window_ms;
};

struct limiter {
    struct {
        struct limit limit;
        int64_t window; /* number of the window since 1970 */
        unsigned used;
        int64_t remaining; /* what Braze last said is left; -1: nothing known */
        int64_t reset_ms;  /* until when that holds */
        int64_t blocked_until_ms;
    } buckets[LIMIT_BUCKETS];
};

/* `limits` has LIMIT_BUCKETS rows, or is NULL: the table. */
void limiter_init(struct limiter *l, const struct limit *limits);

/* 0: go, and the request is counted. Else the milliseconds to wait before asking again. */
int64_t limiter_admit(struct limiter *l, enum limit_bucket bucket, int64_t now_ms);

/* The headers of an answer. */
void limiter_learn(struct limiter *l, enum limit_bucket bucket, const struct reply *reply,
                   int64_t now_ms);

/* A 429: nothing of this bucket leaves for wait_ms. */
void limiter_block(struct limiter *l, enum limit_bucket bucket, int64_t now_ms, int64_t wait_ms);

#endif
