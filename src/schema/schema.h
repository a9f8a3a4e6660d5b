/*
 * schema: a field table made into a validator (docs/spec/segment-actions.md §6).
 *
 *     mapped payload --schema_check--> record: one value a field row, coerced     or the error
 * sentences
 *
 * The common payload (nothing to clean or coerce) costs one look-up and one type test a member, and
 * nothing is copied. A schema is immutable: any thread may check with it, each with its own arena.
 */
#ifndef SPELTER_SCHEMA_SCHEMA_H
#define SPELTER_SCHEMA_SCHEMA_H

#include "arena.h"
#include "field.h"
#include "jv.h"

struct schema;

enum { SCHEMA_FIELDS_MAX = 64 };

/* Borrows the table for its whole life. Rows whose bit is set in `absent` do not exist for this
 * schema: actions that share a table keep their row numbers. NULL when there is no memory. */
struct schema *schema_new(const struct field *fields, size_t count, uint64_t absent);
void schema_free(struct schema *s); /* NULL is fine */

/* Row of a key, or -1. */
int schema_find(const struct schema *s, struct str key);

/* What is done to empty values before validation (§6.2). */
enum schema_clean {
    CLEAN_NOTHING, /* settings and hook inputs */
    CLEAN_BATCH,   /* null goes, and "" where no text is expected */
    CLEAN_SINGLE,  /* the same, and every "" at the root */
};

/* values[row] of each field, undefined when absent; shares
 * memory with the payload and the arena. */
struct record {
    const struct jv *values;
    struct jv payload; /* as it was given */
    struct jv exempt;  /* the member that survives the removal of unknown keys, see schema_object */
};

/* -EINVAL: *why has the reference's sentences, joined by a space, in
 * the arena. -ENOMEM: the arena is full. */
int schema_check(const struct schema *s, struct jv payload, enum schema_clean clean,
                 struct arena *a, struct record *out, struct str *why)
    __attribute__((warn_unused_result));

/* The validated payload as one object, members in the order of the
 * mapping. undefined when the arena is full. */
struct jv schema_object(const struct schema *s, const struct record *r, struct arena *a);

#endif
