/*
 * verdict: what an answer means for each object that was sent. A pure function of the answer, the
 * body's manifest and what was tried before.
 *
 *     2xx                        done, but for the objects that errors[] names: those are dead
 *     400 that names objects     those are dead, the rest goes again at once
 *     400 that names none, 413   halves, until the bad object stands alone and is dead
 *     401, 403, 3xx, 404, 405, 415  the configuration is wrong: pause, nothing is dropped
 *     an untrusted certificate   the same
 *     429                        wait as the headers say
 *     408, 423, 5xx, no answer   again with growing waits, dead after give_up_after_ms of trying;
 *                                halves, when a 5xx stays with this request while others succeed
 *
 * Facts: docs/spec/braze-rest-api.md §2.14 to §2.16, §3.2, §4.17.
 */
#ifndef SPELTER_DELIVERY_VERDICT_H
#define SPELTER_DELIVERY_VERDICT_H

#include "arena.h"
#include "manifest.h"
#include "reply.h"

enum verdict_kind {
    VERDICT_DONE,   /* delivered */
    VERDICT_RESEND, /* at once */
    VERDICT_RETRY,  /* after wait_ms */
    VERDICT_SPLIT,  /* in halves, at once; there are at least two objects */
    VERDICT_DEAD,   /* reason says why */
    VERDICT_PAUSE,  /* the whole destination waits; this request is the probe, after wait_ms */
};

/* An object that Braze refused by name. */
struct refusal {
    unsigned object;   /* counted through the arrays of the body */
    struct str reason; /* a sentence; lives in the arena */
};

struct verdict {
    enum verdict_kind kind;   /* of every object that refusals do not name */
    struct refusal *refusals; /* each object at most once */
    unsigned refusal_count;
    int64_t wait_ms;
    bool is_rate_limit; /* RETRY: everything that shares this limit waits */
    const char *code; /* of dead letters, RETRY's and PAUSE's too: what they would die of; static */
    struct str reason;  /* a sentence for letters and logs; lives in the arena */
    const char *oddity; /* worth a line in the log; NULL when all was as expected */
};

struct retry_policy {
    unsigned wait_min_ms;     /* default 500 */
    unsigned wait_max_ms;     /* default 60,000 */
    unsigned probe_min_ms;    /* while the destination is paused; default 2,000 */
    unsigned probe_max_ms;    /* default 15,000 */
    int64_t give_up_after_ms; /* of a request's own trying, default 4 h; 0: never */
};

struct attempts {
    unsigned failures; /* in a row, before this one */
    int64_t tried_ms;  /* sending and waiting, before this one */
    int64_t now_ms;    /* epoch, for dates in headers */
    uint64_t random;   /* for jitter */
    bool is_alone;     /* other requests succeeded since this one began to fail */
};

enum {
    ALONE_FAILURES_MAX = 4,                  /* then it is one of its objects, most likely */
    RATE_LIMIT_WAIT_MS_MAX = 60 * 60 * 1000, /* Braze's longest window is an hour */
};

/* Codes of dead letters. */
#define CODE_OBJECT_REFUSED "OBJECT_REFUSED" /* Braze named the object */
#define CODE_REQUEST_REFUSED                                                                       \
    "REQUEST_REFUSED" /* Braze refused the request with only this object in it */
#define CODE_TOO_LARGE "TOO_LARGE"
#define CODE_GAVE_UP   "GAVE_UP"

/* -ENOMEM: the arena is full. */
int verdict_reach(struct verdict *out, const struct reply *reply, const struct manifest *manifest,
                  const struct attempts *attempts, const struct retry_policy *policy,
                  struct arena *a) __attribute__((warn_unused_result));

#endif
