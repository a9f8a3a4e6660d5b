/*
 * run-cases-response: the answer that a case names in place of Braze's, with whatever the
 * reference's HTTP library makes of it.
 *
 * A status of a case may be any JSON value. HTTP has only numbers, and so have the actions: an odd
 * one travels as a number in its place and is put back into what comes out.
 */
#ifndef SPELTER_TESTS_RUN_CASES_RESPONSE_H
#define SPELTER_TESTS_RUN_CASES_RESPONSE_H

#include "exchange.h"

struct case_response {
    struct response response;
    struct jv status; /* as results show it */
    struct str text;  /* String(status) */
};

struct case_response case_response_of(struct jv test, struct arena *a);

/* The status of a failure, undefined when it has none; code and message are mended in place. */
struct jv case_failure_status(const struct case_response *r, struct failure *failure);

/* A node of a batch with the status that the case names. */
struct jv case_node(const struct case_response *r, struct jv node, struct arena *a);

#endif
