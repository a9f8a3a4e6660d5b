/*
 * fql: Segment's subscription language, compiled to a predicate (docs/spec/segment-actions.md §7).
 *
 * Immutable once compiled: any thread may match with it.
 */
#ifndef SPELTER_FQL_FQL_H
#define SPELTER_FQL_FQL_H

#include "arena.h"
#include "err.h"
#include "jv.h"

struct fql;

enum {
    FQL_BYTES_MAX = 64 * 1024, /* a text no person writes; bounds what compiling may cost */
};

/* err->msg is the reference's text, err->at the byte where it went wrong.
 * -EINVAL, -E2BIG (over FQL_BYTES_MAX), -ENOMEM. */
int fql_compile(struct fql **out, struct str text, struct err *err)
    __attribute__((warn_unused_result));
void fql_free(struct fql *f); /* NULL is fine */

/* Does the event match? What makes the reference throw does not match. */
bool fql_match(const struct fql *f, struct jv event);

/* The same, and whether the reference throws a TypeError: *why is then its sentence, else NULL. */
bool fql_match_or_throw(const struct fql *f, struct jv event, const char **why);

/* The syntax tree in the reference's JSON form; undefined when
 * the arena is full. Borrows from f. */
struct jv fql_ast(const struct fql *f, struct arena *a);

#endif
