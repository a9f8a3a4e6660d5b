/* routes: every endpoint, one row each (docs/spec/braze-rest-api.md §1.5, §3.1, §4). */
#ifndef SPELTER_SANDBOX_ROUTES_H
#define SPELTER_SANDBOX_ROUTES_H

#include "call.h"

struct route {
    const char *method;
    const char *path;       /* {name} stands for one part, which becomes a parameter of the call */
    const char *permission; /* NULL: keys travel in the body */
    void (*answer)(struct call *c);
    enum rate_bucket bucket;
    bool may_be_late; /* an asynchronous write, which consistency-ms holds back */
};

/* A route of Braze's API, or NULL; fills the call's parameters. */
const struct route *route_find(struct call *c);

/* A route of the sandbox's own, below /sandbox: no key, no limits, no faults. */
const struct route *sandbox_route_find(struct call *c);

#endif
