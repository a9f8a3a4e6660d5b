#include "limiter.h"

#include "verdict.h"

/* clang-format off */
static const struct limit documented[LIMIT_BUCKETS] = {
    [BUCKET_TRACK]         = {.requests = 3000,   .window_ms = 3000},
    [BUCKET_USER_ADMIN]    = {.requests = 20000,  .window_ms = 60 * 1000},
    [BUCKET_CATALOG_ITEMS] = {.requests = 16000,  .window_ms = 60 * 1000},
    [BUCKET_COHORTS]       = {.requests = 250000, .window_ms = 60 * 60 * 1000},
    [BUCKET_OTHER]         = {.requests = 250000, .window_ms = 60 * 60 * 1000},
};
/* clang-format on */

enum limit_bucket limit_bucket_of(enum request_family family)
{
    switch (family) {
    case FAMILY_TRACK_ATTRIBUTES:
    case FAMILY_TRACK_EVENTS:
    case FAMILY_TRACK_PURCHASES:
        return BUCKET_TRACK;
    case FAMILY_ALIAS_NEW:
    case FAMILY_IDENTIFY:
    case FAMILY_DELETE:
        return BUCKET_USER_ADMIN;
    case FAMILY_CATALOG_ITEM:
    case FAMILY_CATALOG_DELETE:
        return BUCKET_CATALOG_ITEMS;
    case FAMILY_CAMPAIGN_TRIGGER:
    case FAMILY_CANVAS_TRIGGER:
        return BUCKET_OTHER;
    case FAMILY_COHORT:
    case FAMILY_COHORT_ADD_USER:
    case FAMILY_COHORT_ADD_DEVICE:
    case FAMILY_COHORT_ADD_ALIAS:
    case FAMILY_COHORT_REMOVE_USER:
    case FAMILY_COHORT_REMOVE_DEVICE:
    case FAMILY_COHORT_REMOVE_ALIAS:
        return BUCKET_COHORTS;
    }
    __builtin_unreachable();
}

void limiter_init(struct limiter *l, const struct limit *limits)
{
    *l = (struct limiter){0};
    for (size_t i = 0; i < LIMIT_BUCKETS; i++) {
        bool is_set = limits != NULL && limits[i].requests > 0 && limits[i].window_ms > 0;
        l->buckets[i].limit = is_set ? limits[i] : documented[i];
        l->buckets[i].remaining = -1;
    }
}

/* A deadline of the wall clock, which may have been set back since: no
 * wait is longer than the longest window. */
static int64_t wait_until(int64_t *deadline_ms, int64_t now_ms)
{
    int64_t wait_ms = *deadline_ms - now_ms;
    if (wait_ms > RATE_LIMIT_WAIT_MS_MAX)
        *deadline_ms = 0;
    return wait_ms > 0 && wait_ms <= RATE_LIMIT_WAIT_MS_MAX ? wait_ms : 0;
}

int64_t limiter_admit(struct limiter *l, enum limit_bucket bucket, int64_t now_ms)
{
    int64_t wait_ms = wait_until(&l->buckets[bucket].blocked_until_ms, now_ms);
    if (wait_ms > 0)
        return wait_ms;

    wait_ms = wait_until(&l->buckets[bucket].reset_ms, now_ms);
    if (wait_ms == 0)
        l->buckets[bucket].remaining = -1;
    if (l->buckets[bucket].remaining == 0)
        return wait_ms;

    struct limit limit = l->buckets[bucket].limit;
    int64_t window = now_ms / limit.window_ms;
    if (window != l->buckets[bucket].window) {
        l->buckets[bucket].window = window;
        l->buckets[bucket].used = 0;
    }
    if (l->buckets[bucket].used >= limit.requests)
        return (window + 1) * limit.window_ms - now_ms;

    l->buckets[bucket].used++;
    if (l->buckets[bucket].remaining > 0)
        l->buckets[bucket].remaining--;
    return 0;
}

void limiter_learn(struct limiter *l, enum limit_bucket bucket, const struct reply *reply,
                   int64_t now_ms)
{
    int64_t reset_in_ms = reply_reset_ms(reply, now_ms);
    if (reply->ratelimit_remaining < 0 || reset_in_ms <= 0 || reset_in_ms > RATE_LIMIT_WAIT_MS_MAX)
        return;
    int64_t reset_ms = now_ms + reset_in_ms;
    bool is_same_window = l->buckets[bucket].remaining >= 0 &&
                          reset_ms < l->buckets[bucket].reset_ms + 1000; /* header counts seconds */
    /* Requests that left after this answer was made are counted here but not
     * in the header: the smaller is right. */
    if (is_same_window && reply->ratelimit_remaining >= l->buckets[bucket].remaining)
        return;
    l->buckets[bucket].remaining = reply->ratelimit_remaining;
    if (!is_same_window || reset_ms > l->buckets[bucket].reset_ms)
        l->buckets[bucket].reset_ms = reset_ms;
}

void limiter_block(struct limiter *l, enum limit_bucket bucket, int64_t now_ms, int64_t wait_ms)
{
    int64_t until_ms = now_ms + wait_ms;
    if (until_ms > l->buckets[bucket].blocked_until_ms)
        l->buckets[bucket].blocked_until_ms = until_ms;
}
