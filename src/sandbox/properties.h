/* properties: of events and purchases (docs/spec/braze-rest-api.md §2.9). */
#ifndef SPELTER_SANDBOX_PROPERTIES_H
#define SPELTER_SANDBOX_PROPERTIES_H

#include "call.h"

enum {
    PROPERTY_NAMES_MAX = 256,
    EVENT_PROPERTIES_BYTES_MAX = 102400,
    PURCHASE_PROPERTIES_BYTES_MAX = 51200
};

/* The properties as they are kept; false: the object is refused with "Invalid 'properties' field".
 * Absent and null properties are kept as undefined. */
bool properties_clean(struct call *c, struct jv properties, bool is_purchase, struct jv *out);

#endif
