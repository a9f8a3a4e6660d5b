/*
 * routes: what a request is for. Events go through ingest and wait in a group for their commit;
 * /healthz and /metrics are answered at once. Listener thread only, except routes_set_sources.
 */
#ifndef SPELTER_SERVER_ROUTES_H
#define SPELTER_SERVER_ROUTES_H

#include "couriers.h"
#include "group.h"
#include "segment.h"

struct routes;

struct routes_metrics {
    struct counter requests;  /* for events */
    struct counter received;  /* events that arrived in them */
    struct counter discarded; /* events that are no events: dead letters */
    struct counter duplicates;
    struct counter refused[SEGMENT_REFUSALS]; /* requests */
};

struct routes_options {
    struct groups *groups;
    struct dedupe *dedupe; /* NULL: repeats are not looked for */
    struct couriers *couriers;
    struct store *store;
    struct journal *journal;
    struct clock clock;
    struct segment_options segment;
};

/* Takes the sources. */
int routes_open(struct routes **out, const struct routes_options *options, struct sources *sources)
    __attribute__((warn_unused_result));
void routes_close(struct routes *r); /* NULL is fine */

/* For http_options. */
void routes_on_request(struct routes *r, struct http_request *request);
void routes_on_refusal(struct routes *r, enum http_refusal why, const char *text, struct arena *a,
                       unsigned *status, struct str *body);

/* Requests from now on are checked against these. Takes them. Any thread. */
void routes_set_sources(struct routes *r, struct sources *sources);

const struct routes_metrics *routes_metrics(const struct routes *r);

#endif
