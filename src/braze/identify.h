/* identify: identifyUser and identifyUser2, one request a payload
 * (docs/spec/segment-actions.md §2.9, §2.10). */
#ifndef SPELTER_BRAZE_IDENTIFY_H
#define SPELTER_BRAZE_IDENTIFY_H

#include "action.h"

enum { IDENTIFY_EXTERNAL_ID, IDENTIFY_USER_ALIAS, IDENTIFY_MERGE_BEHAVIOR, IDENTIFY_ROWS };

enum {
    IDENTIFY2_EXTERNAL_ID,
    IDENTIFY2_USER_ALIAS,
    IDENTIFY2_EMAIL,
    IDENTIFY2_PRIORITIZATION,
    IDENTIFY2_MERGE_BEHAVIOR,
    IDENTIFY2_ROWS,
};

extern const struct field identify_fields[IDENTIFY_ROWS];
extern const struct field identify2_fields[IDENTIFY2_ROWS];

action_build identify_build;
action_build identify2_build;

/* The second version looks for errors in a 2xx answer. */
int identify2_settle(const struct call *call, struct exchange *x);

#endif
