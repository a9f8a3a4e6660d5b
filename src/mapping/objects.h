/*
 * objects: what directives do to whole objects (docs/spec/segment-actions.md §5.3, §5.4). Private
 * to this room.
 *
 * All return undefined when the arena is full.
 */
#ifndef SPELTER_MAPPING_OBJECTS_H
#define SPELTER_MAPPING_OBJECTS_H

#include "arena.h"
#include "jv.h"

/* The reference's removeUndefined: objects lose undefined members, and members named __proto__,
 * which its copying turns into prototypes. The value itself when there is nothing to remove. */
struct jv objects_clean(struct arena *a, struct jv v);

/* @flatten: one object whose keys are the ways to the values, joined by the separator. */
struct jv objects_flatten(struct arena *a, struct jv v, struct str separator, bool omits_arrays);

/* @merge: Object.assign({}, ...objects), from the last to the first when `from_right`. */
struct jv objects_merge(struct arena *a, struct jv objects, bool from_right);

/* @excludeWhenNull: null members of nested objects become undefined; arrays are not entered. */
struct jv objects_exclude_nulls(struct arena *a, struct jv v);

#endif
