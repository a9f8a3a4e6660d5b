/* alias: createAlias and createAlias2 (docs/spec/segment-actions.md §2.7, §2.8). */
#ifndef SPELTER_BRAZE_ALIAS_H
#define SPELTER_BRAZE_ALIAS_H

#include "action.h"

enum { ALIAS_EXTERNAL_ID, ALIAS_NAME, ALIAS_LABEL, ALIAS_ROWS };

extern const struct field alias_fields[ALIAS_ROWS];

action_build alias_build;

#endif
