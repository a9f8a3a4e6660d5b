/*
 * rates: Braze's rate limits (docs/spec/braze-rest-api.md §3): fixed windows that begin at full
 * minutes, hours, days, or multiples of three seconds. One thread.
 */
#ifndef SPELTER_SANDBOX_RATES_H
#define SPELTER_SANDBOX_RATES_H

#include "choices.h"
#include "err.h"
#include "str.h"

#include <stdint.h>

enum rate_bucket {
    RATE_TRACK,
    RATE_TRACK_BURST, /* contract=mau only: beside the hourly one */
    RATE_TRACK_SYNC,
    RATE_TRACK_BULK,
    RATE_USER_ADMIN,
    RATE_RENAME,
    RATE_REMOVE,
    RATE_EXPORT_IDS,
    RATE_EXPORT_IDS_FIELDS,
    RATE_METADATA,
    RATE_CAMPAIGN_ANALYTICS,
    RATE_BROADCAST,
    RATE_SEND_IDS,
    RATE_SUBSCRIPTION,
    RATE_CATALOGS,
    RATE_CATALOG_ITEMS_ASYNC,
    RATE_CATALOG_ITEMS_SYNC,
    RATE_COHORTS,
    RATE_DEFAULT,
    RATE_COUNT,
};

enum { AUDIENCES_MAX = 512, AUDIENCE_LIMIT = 10 /* broadcasts a minute to one audience */ };

struct rates {
    struct rate {
        uint64_t limit;
        int64_t window_ms;
        int64_t window_start_ms;
        uint64_t used;
    } buckets[RATE_COUNT];
    int64_t audience_minute; /* the minute the counts below are of */
    struct audience_count {
        uint64_t hash; /* 0: free */
        unsigned used;
    } audiences[AUDIENCES_MAX];
};

void rates_init(struct rates *r, const struct choices *choices);

/* "track=100/60": requests and seconds of one bucket. -EINVAL: err says what was expected. */
int rates_set(struct rates *r, struct str text, struct err *err)
    __attribute__((warn_unused_result));

struct rate_state {
    bool admitted;
    uint64_t limit;
    uint64_t remaining;
    int64_t reset_ms; /* the instant the window ends */
};

/* Counts one request, unless the window is full already. */
struct rate_state rates_admit(struct rates *r, enum rate_bucket bucket, int64_t now_ms);
/* The same for one audience, by its hash: AUDIENCE_LIMIT a minute. */
struct rate_state rates_admit_audience(struct rates *r, uint64_t hash, int64_t now_ms);

struct rate_state rates_look(struct rates *r, enum rate_bucket bucket, int64_t now_ms);
void rates_reset(struct rates *r);                              /* all windows empty */
void rates_give_back(struct rates *r, enum rate_bucket bucket); /* that request did not count */

struct str rate_name(enum rate_bucket bucket);

#endif
