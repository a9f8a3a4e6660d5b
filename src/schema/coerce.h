/*
 * coerce: what a value becomes when its field wants another type
 * (docs/spec/segment-actions.md §6.5).
 */
#ifndef SPELTER_SCHEMA_COERCE_H
#define SPELTER_SCHEMA_COERCE_H

#include "arena.h"
#include "jv.h"

/* Types of a JSON schema; a field's list is tried in this order. */
enum json_type {
    TYPE_STRING = 1,
    TYPE_NUMBER = 2,
    TYPE_INTEGER = 4,
    TYPE_BOOLEAN = 8,
    TYPE_OBJECT = 16,
    TYPE_ARRAY = 32,
    TYPE_NULL = 64,
};

/* Is `v` of one of the types? `types` is a set of enum json_type. */
bool coerce_fits(unsigned types, struct jv v);

/* For a value that does not fit. Gives what it becomes, or false: *v is then the element of a
 * one-element array, which is what the validator goes on with. -0, hexadecimal and friends as in
 * JavaScript's Number(). A full arena is false with *full set. */
bool coerce_to(unsigned types, struct jv *v, struct arena *a, bool *full);

#endif
