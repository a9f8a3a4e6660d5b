/* shared_fields: sub-tables that several actions use. */
#ifndef SPELTER_BRAZE_SHARED_FIELDS_H
#define SPELTER_BRAZE_SHARED_FIELDS_H

#include "field.h"

extern const struct field optional_alias_fields[2]; /* of user_alias */
extern const struct field required_alias_fields[2];

#endif
