/*
 * dispatch: what happens to items between their lanes and their verdicts: parcels out, answers in.
 *
 *     lanes --dispatch_form--> open parcels --dispatch_launch--> in flight --dispatch_judge-->
 * settled, dead, ^                                        ^------ to be sent again --------' or
 * again
 *       '---------------- released by what is settled -------------------------------------------'
 *
 * When Braze says that the configuration is wrong, everything stops but the request
 * that learned it: that one is tried every few seconds until it goes through. The
 * courier's thread only, except dispatch_wake.
 */
#ifndef SPELTER_DELIVERY_DISPATCH_H
#define SPELTER_DELIVERY_DISPATCH_H

#include "intake.h"
#include "limiter.h"
#include "pack.h"
#include "verdict.h"

struct dispatch;

struct dispatch_options {
    const char *id; /* borrowed, for the log */
    struct str endpoint;
    struct str api_key;
    struct str ca_certificates;
    struct str body_keys; /* borrowed; as destination_body_keys has them */
    struct pack_options pack;
    struct retry_policy retry;
    const struct limit *limits; /* LIMIT_BUCKETS, copied; NULL: Braze's documented ones */
    unsigned requests_max;
    unsigned connect_timeout_ms;
    unsigned timeout_ms;
    struct clock clock;

    struct stock *stock;
    struct lanes *lanes;
    struct ledger *ledger;
    struct intake *intake;
    struct courier_metrics *metrics;
};

/* -EINVAL (endpoint or key), -ENOMEM. */
int dispatch_open(struct dispatch **out, const struct dispatch_options *options, struct err *err)
    __attribute__((warn_unused_result));

/* Cuts off what is in flight and frees all items, also those in the
 * lanes; they stay unsettled. NULL is fine. */
void dispatch_close(struct dispatch *d);

/* Reads the answers that came and does what they say. now_ms is monotonic, here and below. */
void dispatch_judge(struct dispatch *d, int64_t now_ms);

/* Gathers items that may leave into open parcels. */
void dispatch_form(struct dispatch *d, int64_t now_ms);

/* Sends what is full or old enough (`at_once`: also what is neither), as
 * far as slots, limits and Braze allow. */
void dispatch_launch(struct dispatch *d, int64_t now_ms, bool at_once);

/* When dispatch_launch has something to do next, if nothing else happens; INT64_MAX: never. */
int64_t dispatch_due_ms(const struct dispatch *d, int64_t now_ms);

unsigned dispatch_inflight(const struct dispatch *d); /* requests without a verdict */
bool dispatch_is_empty(const struct dispatch *d);     /* no item is in a lane or a parcel */

/* Moves bytes until something happened, dispatch_wake was called or timeout_ms passed. */
void dispatch_wait(struct dispatch *d, int timeout_ms);
void dispatch_wake(struct dispatch *d); /* any thread */

#endif
