/* settings: the destination's own settings as the reference knows and checks them
 * (docs/spec/segment-actions.md §1). */
#ifndef SPELTER_BRAZE_SETTINGS_H
#define SPELTER_BRAZE_SETTINGS_H

#include "schema.h"

enum { SETTINGS_API_KEY, SETTINGS_APP_ID, SETTINGS_ENDPOINT, SETTINGS_ROWS };

extern const struct field settings_fields[SETTINGS_ROWS];

#endif
