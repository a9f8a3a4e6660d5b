/*
 * manifest: which objects a request body carries, in the order of the body; enough to read an
 * answer that names one by array and index.
 */
#ifndef SPELTER_DELIVERY_MANIFEST_H
#define SPELTER_DELIVERY_MANIFEST_H

#include "bounds.h"
#include "str.h"

enum {
    MANIFEST_ARRAYS_MAX = 3, /* attributes, events, purchases */
    MANIFEST_OBJECTS_MAX =
        MANIFEST_ARRAYS_MAX * TRACK_OBJECTS_MAX, /* legacy contracts: 75 an array */
};

struct manifest {
    struct {
        struct str key; /* empty: the one object is the whole body */
        unsigned count;
    } arrays[MANIFEST_ARRAYS_MAX];
    unsigned array_count;
    unsigned object_count; /* of all arrays */
    bool has_own_path;     /* it names the object: a 404 is about that, not about the endpoint */
};

#endif
