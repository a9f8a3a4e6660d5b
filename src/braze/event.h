/* event: trackEvent and trackEvent2, one events object a payload
 * (docs/spec/segment-actions.md §2.3, §2.4). */
#ifndef SPELTER_BRAZE_EVENT_H
#define SPELTER_BRAZE_EVENT_H

#include "action.h"

enum {
    EVENT_EXTERNAL_ID,
    EVENT_USER_ALIAS,
    EVENT_EMAIL,
    EVENT_BRAZE_ID,
    EVENT_NAME,
    EVENT_TIME,
    EVENT_PROPERTIES,
    EVENT_UPDATE_EXISTING_ONLY,
    EVENT_ENABLE_BATCHING,
    EVENT_BATCH_SIZE,
    EVENT_ROWS,
};

extern const struct field event_fields[EVENT_ROWS];

action_build event_build;

#endif
