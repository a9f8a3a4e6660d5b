/* merge: one profile into another, field by field (docs/spec/braze-rest-api.md §7.4). */
#ifndef SPELTER_SANDBOX_MERGE_H
#define SPELTER_SANDBOX_MERGE_H

#include "call.h"

/* Do both have an alias of one label? Identifying refuses to combine them then. */
bool merge_shares_label(const struct profile *a, const struct profile *b);

/* Fills `into` from `from` and removes `from`. */
void merge_profiles(struct call *c, struct profile *from, struct profile *into);

#endif
