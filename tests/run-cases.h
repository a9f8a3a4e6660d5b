/*
 * run-cases: what the frame (run-cases.c) and the actions (run-cases-actions.c) agree on.
 */
#ifndef SPELTER_TESTS_RUN_CASES_H
#define SPELTER_TESTS_RUN_CASES_H

#include "arena.h"
#include "buf.h"
#include "jv.h"

/* What a runner keeps between rounds of one case, so that a bench pays for compiling
 * once, as a server does. The frame frees it. */
struct case_slot {
    void *kept;
    void (*free)(void *kept);
    struct buf *outgoing; /* a bench: bodies go here, and nobody reads the result; else NULL */
};

/* Runs a case of the ops action, batch, event or defaults with its event or events in `input`; the
 * result lives in `a` and is printed as it is. In a bench the same case comes again with its input
 * parsed anew. */
struct jv run_action_case(struct case_slot *slot, struct jv test, struct jv input, struct arena *a);

/* {"requests":[...],"error":{"name","code","status","message"}};
 * undefined members are not printed. */
struct jv case_error(struct arena *a, struct jv requests, struct str name, struct jv code,
                     struct jv status, struct str message);

/* {"refused":"..."}: over a limit of ours, which the reference does not have. */
struct jv case_refused(struct arena *a, const char *why);

#endif
