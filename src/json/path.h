/*
 * path: property look-up as JavaScript walks it, compiled from text once.
 *
 *     "$.context.traits['email']"  --path_compile-->  context, traits, email --path_get(payload)-->
 * value
 *
 * A step on an object reads an own member, on an array an index or `length`, on a string a
 * character or `length`. A falsy value met on the way is the answer
 * (docs/spec/segment-actions.md §5.4, §7.5). Members that every JavaScript object inherits
 * (`constructor`, `toString`) do not exist here: docs/parity.md.
 *
 * A compiled path is immutable and lives in the arena it was compiled into; its
 * keys borrow the text, or live there too.
 */
#ifndef SPELTER_JSON_PATH_H
#define SPELTER_JSON_PATH_H

#include "arena.h"
#include "jv.h"

struct path {
    const struct str *keys; /* borrowed or in the arena */
    uint32_t count;         /* 0: the root itself */
};

/* The two dialects: how text is cut into keys. */
enum path_dialect {
    /* §5.4: dots, brackets before quotes and digits; quotes dropped. The caller strips "$.". */
    PATH_MAPPING,
    /* §7.5: every dot and bracket separates; text without any key is refused with -EINVAL. */
    PATH_FQL,
};

/* -EINVAL (PATH_FQL only), -ENOMEM (arena full). */
int path_compile(struct path *out, struct arena *a, struct str text, enum path_dialect dialect)
    __attribute__((warn_unused_result));

/* The value at the path; undefined when there is none. Never fails; borrows from `root`. */
struct jv path_get(struct path path, struct jv root);

/* One step: v[key]. */
struct jv path_step(struct jv v, struct str key);

/* The text without its first "$.", wherever that stands, as @path reads it. Borrows when it can;
 * ptr is NULL when the arena is full. */
struct str path_strip_root(struct arena *a, struct str text);

#endif
