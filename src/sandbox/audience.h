/* audience: the connected audience object of a trigger (docs/spec/braze-rest-api.md §4.16):
 * checked, never evaluated. */
#ifndef SPELTER_SANDBOX_AUDIENCE_H
#define SPELTER_SANDBOX_AUDIENCE_H

#include "jv.h"

/* NULL: well-formed; else what is wrong. */
const char *audience_check(struct jv audience);

#endif
