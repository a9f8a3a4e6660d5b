/* cohorts: partner cohort import, whose keys travel in the body (docs/spec/braze-rest-api.md
 * §4.17). */
#ifndef SPELTER_SANDBOX_COHORTS_H
#define SPELTER_SANDBOX_COHORTS_H

#include "call.h"

void answer_cohort_create(struct call *c);
void answer_cohort_users(struct call *c);

#endif
