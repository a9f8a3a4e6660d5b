/*
 * mapping: Segment's mapping directives, compiled (docs/spec/segment-actions.md §5).
 *
 * A mapping is JSON with directives in it ({"@path":"$.userId"}). Compiled once at load into a
 * compact program, run on each event without touching the JSON again. Immutable once compiled: any
 * thread may run it, each with its own arena.
 */
#ifndef SPELTER_MAPPING_MAPPING_H
#define SPELTER_MAPPING_MAPPING_H

#include "arena.h"
#include "err.h"
#include "jv.h"

struct mapping;

/* Refuses what the reference's validation refuses (§5.5), and what is over our limits, with
 * err->path at the faulty spot and err->msg the reference's own sentence ("/k/@replace/replacement
 * should be a string but it is a null."). Copies what it needs. -EINVAL, -E2BIG, -ENOMEM. */
int mapping_compile(struct mapping **out, struct jv source, struct err *err)
    __attribute__((warn_unused_result));
void mapping_free(struct mapping *m); /* NULL is fine */

/* The reference's transform(mapping, payload). *out may share memory with the payload, the mapping
 * and the arena. -EINVAL: a directive failed at run time, err->msg is the reference's text;
 * -ENOMEM: the arena is full. */
int mapping_run(const struct mapping *m, struct jv payload, struct arena *a, struct jv *out,
                struct err *err) __attribute__((warn_unused_result));

#endif
