/*
 * bounds: every limit of the program, once, with its reason. Facts of other
 * people's products name the spec page.
 */
#ifndef SPELTER_BASE_BOUNDS_H
#define SPELTER_BASE_BOUNDS_H

#include <assert.h>

enum {
    /* Segment's limits: docs/spec/sources.md §1.6, §10 */
    EVENT_BYTES_MAX = 32 * 1024,
    BATCH_BYTES_MAX = 500 * 1024, /* after decompression */
    BATCH_EVENTS_MAX = 2500,
    MESSAGE_ID_BYTES_MAX = 255, /* documented 100, not enforced by the hosted service */

    /* What a stored event may grow to: stamps, inherited context, re-escaped text. */
    RECORD_BYTES_MAX = 4 * EVENT_BYTES_MAX,

    /* Deeper JSON has no meaning for any product here, and recursion must end somewhere. */
    JSON_DEPTH_MAX = 64,

    /* Braze's limits: docs/spec/braze-rest-api.md §10.1 */
    TRACK_OBJECTS_MAX = 75,
    TRACK_BODY_BYTES_MAX = 4 * 1024 * 1024,
    ADMIN_IDS_MAX = 50,
    COHORT_IDS_MAX = 1000,
};

static_assert(EVENT_BYTES_MAX < BATCH_BYTES_MAX, "a batch must have room for an event");
static_assert(RECORD_BYTES_MAX < TRACK_BODY_BYTES_MAX, "one event must fit into one request");

#endif
