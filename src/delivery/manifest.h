/*
 * manifest: which objects a request body carries, in the order of the body; enough to read an
 * answer that names one by array and index.
 */
#ifndef SPELTER_DELIVERY_MANIFEST_H
#define SPELTER_DELIVERY_MANIFEST_H

#include "bounds.h"
#include "str.h"

enum {
    MANIFEST_ARRAYS_MAX = 3,               /* attributes, events, purchases */
    MANIFEST_OBJECTS_MAX = COHORT_IDS_MAX, /* the largest request there is */
};
static_assert(MANIFEST_ARRAYS_MAX * TRACK_OBJECTS_MAX <= MANIFEST_OBJECTS_MAX,
              "legacy contracts allow 75 objects an array");

struct manifest {
    struct {
        struct str key; /* empty: the one object is the whole body */
        unsigned count;
    } arrays[MANIFEST_ARRAYS_MAX];
    unsigned array_count;  /* 0: no answer to this request names objects */
    unsigned object_count; /* of all arrays */
    bool has_own_path;     /* it names the object: a 404 is about that, not about the endpoint */
    bool has_keys;         /* the account's keys are in the body, not in a header */
};

#endif
