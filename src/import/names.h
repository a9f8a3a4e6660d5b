/* names: the ids and environment variables that the config uses for what Segment knows by ids of
 * its own; and the settings of each destination. */
#ifndef SPELTER_IMPORT_NAMES_H
#define SPELTER_IMPORT_NAMES_H

#include "plan.h"

/* Fills in the sources, and the names and settings of the destinations. -EINVAL, -ENOMEM. */
int names_give(struct plan *plan, struct err *err) __attribute__((warn_unused_result));

#endif
