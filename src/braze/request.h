/*
 * request: objects in, one HTTP request out. Pure; knows nothing of sockets
 * (docs/spec/segment-actions.md §1.1).
 */
#ifndef SPELTER_BRAZE_REQUEST_H
#define SPELTER_BRAZE_REQUEST_H

#include "action.h"

struct request {
    const char *method;
    struct str path; /* after the endpoint */
    struct jv body;  /* undefined: none */
    bool is_batch;   /* header X-Braze-Batch: true */
    bool is_open;    /* without an Authorization header */
};

/* The objects of one family under its array key, or the one object as the whole body. `path` counts
 * where the family has none of its own. -ENOMEM. */
int request_make(struct request *out, enum request_family family, struct str path,
                 const struct jv *objects, size_t count, struct arena *a);

/* {"method","url","headers","json"}, for people and for tests. `settings` are the
 * destination's own, undefined ones included: the reference prints whatever is
 * there. undefined when the arena is full. */
struct jv request_describe(const struct request *r, struct jv settings, struct arena *a);

#endif
