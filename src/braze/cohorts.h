/*
 * cohorts: the destination Braze Cohorts, which keeps members of an audience in step
 * (docs/spec/segment-actions.md §9).
 *
 *     validated payloads --cohorts_sync--> a request that makes the cohort, when it is new here,
 *                                          and one that changes it
 *     one of them --cohorts_action.build--> an id that enters or leaves its cohort, for delivery
 *                                           to pack with others
 *
 * Pure: whoever sends the requests sends the second only after the first succeeded, and keeps the
 * cohort's name for the next one. The partner key is the caller's to find (the reference reads it
 * from its environment).
 */
#ifndef SPELTER_BRAZE_COHORTS_H
#define SPELTER_BRAZE_COHORTS_H

#include "exchange.h"

enum {
    COHORTS_EXTERNAL_ID,
    COHORTS_USER_ALIAS,
    COHORTS_DEVICE_ID,
    COHORTS_ID,
    COHORTS_NAME,
    COHORTS_ENABLE_BATCHING,
    COHORTS_AUDIENCE_KEY,
    COHORTS_EVENT_PROPERTIES,
    COHORTS_TIME,
    COHORTS_BATCH_KEYS,
    COHORTS_ROWS,
};

extern const struct field cohorts_fields[COHORTS_ROWS];
extern const struct action cohorts_action;
#define COHORTS_SUBSCRIBE "event = \"Audience Entered\" or event = \"Audience Exited\""

struct cohorts_config {
    struct jv client_secret;
    struct jv partner_api_key; /* undefined members are left out of the bodies */
    struct jv known_name;      /* of the cohort made last; undefined: none */
    struct str partner;        /* whose integration it is at Braze; empty: the reference's */
};

/* The account's keys as every body begins with them, JSON members without braces. Empty when the
 * arena is full. */
struct str cohorts_body_keys(struct jv settings, struct arena *a);

/* "ENDPOINT/partners/NAME", which the families' paths follow. Empty when the arena is full. */
struct str cohorts_address(struct str endpoint, struct str partner, struct arena *a);

enum { COHORTS_REQUESTS_MAX = 2 };

struct cohorts_sync {
    struct request requests[COHORTS_REQUESTS_MAX];
    size_t request_count;
    bool makes_cohort; /* requests[0] does; its name is then the known one */
    size_t *order;     /* payload at each place: newest first, as the reference reports results */
    struct failure failure;
};

/* All payloads have passed the schema, in the order of their events; count is not 0. -ENOMEM. */
int cohorts_sync(struct cohorts_sync *out, const struct cohorts_config *config,
                 const struct record *records, size_t count, struct arena *a)
    __attribute__((warn_unused_result));

#endif
