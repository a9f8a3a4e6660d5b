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

/* Bounds of a mapping and of one run of it. Real mappings stay far below; what is above is refused
 * by name. */
enum {
    MAPPING_NODES_MAX = 32 * 1024,      /* values in one mapping */
    MAPPING_TEXT_BYTES_MAX = 64 * 1024, /* one template, path or other text of a mapping */
    MAPPING_STEPS_MAX =
        1000 * 1000, /* values computed for one event: @arrayPath in @arrayPath multiplies */
    MAPPING_OUTPUT_BYTES_MAX = 1 << 20, /* one text that a directive makes */
    MAPPING_WORK_BYTES_MAX = 64 << 20,  /* all that is made for one event on the way */
};

/* What the reference throws, whole: an aggregated refusal has several lines. Both texts live in
 * static memory or in the arena of the call. */
struct thrown {
    struct str name; /* the error's class: "Error", "TypeError", "ValidationError",
                        "AggregateError", ... */
    struct str message;
};

/* Refuses what the reference's validation refuses (§5.5), and what is over our limits, with
 * err->path at the faulty spot and err->msg the reference's own sentence ("/k/@replace/replacement
 * should be a string but it is a null."). Copies what it needs. -EINVAL, -E2BIG, -ENOMEM. */
int mapping_compile(struct mapping **out, struct jv source, struct err *err)
    __attribute__((warn_unused_result));

/* The same, and with -EINVAL all that the reference says, in `a`. */
int mapping_compile_or_throw(struct mapping **out, struct jv source, struct arena *a,
                             struct thrown *thrown, struct err *err)
    __attribute__((warn_unused_result));

void mapping_free(struct mapping *m); /* NULL is fine */

/* The reference's transform(mapping, payload). *out may share memory with the payload, the mapping
 * and the arena. -EINVAL: a directive failed at run time, err->msg is the reference's text; -E2BIG:
 * one of the bounds above; -ENOMEM: the arena is full. */
int mapping_run(const struct mapping *m, struct jv payload, struct arena *a, struct jv *out,
                struct err *err) __attribute__((warn_unused_result));

/* The same, and with -EINVAL all that the reference says, in `a`. */
int mapping_run_or_throw(const struct mapping *m, struct jv payload, struct arena *a,
                         struct jv *out, struct thrown *thrown, struct err *err)
    __attribute__((warn_unused_result));

/* One element of the reference's transformBatch: any payload will do, not only an object. */
int mapping_run_element(const struct mapping *m, struct jv payload, struct arena *a, struct jv *out,
                        struct thrown *thrown, struct err *err) __attribute__((warn_unused_result));

#endif
