/*
 * exchange: one payload, its request, and what the answer makes of it, as the
 * reference's perform (docs/spec/segment-actions.md §2, §8.1). Knows nothing of
 * sockets: whoever holds one fills in the response.
 *
 *     exchange_open(payload) --> request or failure or neither --response--> exchange_settle -->
 * data or failure
 */
#ifndef SPELTER_BRAZE_EXCHANGE_H
#define SPELTER_BRAZE_EXCHANGE_H

#include "request.h"

struct response {
    int status;      /* 0: the request never reached anyone */
    struct jv body;  /* parsed JSON; undefined when it is none */
    struct str text; /* as it came */
};

struct exchange {
    struct arena *arena;
    struct record record;
    struct built built;
    bool has_request;
    struct request request;
    struct response response;
    struct jv data; /* what the action returns; undefined: nothing */
    struct failure failure;
};

/* Validates the mapped payload (in the form's way) and makes its objects.
 * Every refusal is in x->failure. -ENOMEM. */
int exchange_build(struct exchange *x, const struct call *call, struct jv payload, struct arena *a)
    __attribute__((warn_unused_result));

/* The same for one event that travels alone, and its request. `event` is for what the reference
 * does with events whose context is null. -ENOMEM. */
int exchange_open(struct exchange *x, const struct call *call, struct jv payload, struct jv event,
                  struct arena *a) __attribute__((warn_unused_result));

/* Reads x->response. -ENOMEM. */
int exchange_settle(struct exchange *x, const struct call *call)
    __attribute__((warn_unused_result));

/* For the actions' own settling. */
bool exchange_ok(const struct exchange *x); /* a 2xx */
struct failure exchange_http_failure(int status, struct arena *a);
int exchange_fail_api(struct exchange *x, struct jv message, int status);
void exchange_fail_with_message(struct exchange *x); /* the body's message when it has one */

/* The reference looks for an audience in every event and stumbles over a null
 * context. True: *out is what it throws. */
bool exchange_stumbles(struct jv event, struct failure *out);

/* What settling code throws when it looks for `key` in a body that is null or undefined. */
struct failure exchange_type_failure(struct jv body, struct str key, struct arena *a);

#endif
