/*
 * fql: Segment's subscription language, compiled to a predicate (docs/spec/segment-actions.md §7).
 *
 * Immutable once compiled: any thread may match with it.
 */
#ifndef SPELTER_FQL_FQL_H
#define SPELTER_FQL_FQL_H

#include "err.h"
#include "jv.h"

struct fql;

/* err->msg is the reference's text, err->at the byte where it went wrong. -EINVAL, -ENOMEM. */
int fql_compile(struct fql **out, struct str text, struct err *err)
    __attribute__((warn_unused_result));
void fql_free(struct fql *f); /* NULL is fine */

/* Does the event match? */
bool fql_match(const struct fql *f, struct jv event);

#endif
