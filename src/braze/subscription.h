/*
 * subscription: one line of a destination: which events, which action,
 * which mapping. Compiled once; immutable.
 */
#ifndef SPELTER_BRAZE_SUBSCRIPTION_H
#define SPELTER_BRAZE_SUBSCRIPTION_H

#include "action.h"
#include "fql.h"
#include "mapping.h"

struct subscription {
    struct str name; /* borrowed from the source */
    bool enabled;
    struct fql *fql;
    struct mapping *mapping;
    struct schema *schema;
    struct call call;
};

/* Compiles one element of Segment's own form:
 * {"name","enabled","subscribe","partnerAction","mapping"}. Borrows from `source` and `settings`. A
 * disabled one is not looked into. err->path starts at the element. -EINVAL, -ENOMEM. */
int subscription_open(struct subscription *s, enum braze_kind kind, struct jv source,
                      struct jv settings, enum parity parity, enum form form, struct err *err)
    __attribute__((warn_unused_result));
void subscription_close(
    struct subscription *s); /* also of one that failed to open, or is all zeros */

/* The call for an action with a raw mapping: sync mode, catalog, app
 * id. Its schema is the caller's to add. */
struct call subscription_call(const struct action *action, struct jv mapping, struct jv settings,
                              enum parity parity, enum form form);

#endif
