/*
 * liquid: the part of the Liquid template language that @liquid allows
 * (docs/spec/segment-actions.md §5.4), as liquidjs reads it.
 *
 *     text --liquid_compile--> struct liquid --liquid_render(values)--> text
 *
 * No loops: a template's work is bounded by its length and by the size of what it makes. A compiled
 * template is immutable and lives in its arena: any thread may render it, each with its own arena.
 */
#ifndef SPELTER_LIQUID_LIQUID_H
#define SPELTER_LIQUID_LIQUID_H

#include "arena.h"
#include "buf.h"
#include "jv.h"

struct liquid;

enum {
    LIQUID_UNITS_MAX =
        1000, /* UTF-16 units of a template: the reference's limit, for the caller to check */
    LIQUID_RANGE_MAX = 64 * 1024, /* elements of one (a..b) */
};

/* What the reference throws: texts are static or in the arena of the call. */
struct liquid_error {
    struct str name;    /* "ParseError", "RenderError", "TokenizationError" */
    struct str message; /* ends with ", line:L, col:C" */
};

/* Borrows the text. -EINVAL (*error says why), -ENOMEM (the arena is full). */
int liquid_compile(const struct liquid **out, struct arena *a, struct str text,
                   struct liquid_error *error) __attribute__((warn_unused_result));

/* Appends to `out`; memory comes from `a`. -EINVAL, -ENOMEM, -E2BIG
 * (LIQUID_RANGE_MAX). The caller checks out->failed. */
int liquid_render(const struct liquid *l, struct arena *a, struct jv values, struct buf *out,
                  struct liquid_error *error) __attribute__((warn_unused_result));

#endif
