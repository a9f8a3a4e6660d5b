/*
 * lookups: the paths that a mapping reads from one payload, found together. Private to this room.
 *
 *     paths --lookups_add--> a tree of keys, a slot a path --lookups_find(payload)--> found[slot]
 *
 * A mapping asks for `properties` a dozen times and for its members once each, most of which are
 * not there. One walk over the members of each object on the way answers all of it: a member costs
 * one hash, whatever the number of paths. What is found is what path_get gives for each path alone.
 *
 * The tree lives in the arena of the mapping and is immutable once the mapping is compiled.
 */
#ifndef SPELTER_MAPPING_LOOKUPS_H
#define SPELTER_MAPPING_LOOKUPS_H

#include "arena.h"
#include "jv.h"
#include "path.h"

enum {
    LOOKUP_KEYS_MAX = 32, /* of a path; bounds the walk's recursion */
    LOOKUP_BUCKETS = 16,
};

#define LOOKUP_NONE UINT32_MAX

struct lookup {
    struct str key;
    struct lookup *next;      /* in the same bucket */
    struct lookup **children; /* LOOKUP_BUCKETS of them, or NULL */
    uint64_t child_keys;      /* jv_key_bit of each: most members of a payload are nobody's */
    uint32_t slot;            /* LOOKUP_NONE: only on the way to others */
};

struct lookups {
    struct lookup root; /* the payload itself */
    uint32_t count;     /* of slots */
};

void lookups_init(struct lookups *l);

/* The same path again has the same slot. *slot is LOOKUP_NONE for a path that is not taken in: the
 * payload itself, or one of more than LOOKUP_KEYS_MAX keys. Borrows the keys. -ENOMEM. */
int lookups_add(struct lookups *l, struct arena *a, struct path path, uint32_t *slot)
    __attribute__((warn_unused_result));

/* found[0..count) of a payload. */
void lookups_find(const struct lookups *l, struct jv payload, struct jv *found);

#endif
