/* errors: what /users/track says about a single object (docs/spec/braze-rest-api.md §2.15). */
#ifndef SPELTER_SANDBOX_ERRORS_H
#define SPELTER_SANDBOX_ERRORS_H

#include "call.h"

enum object_error {
    ERROR_NONE,
    ERROR_NO_IDENTIFIER,
    ERROR_SEVERAL_IDENTIFIERS,
    ERROR_EXTERNAL_ID_LONG,
    ERROR_BLOCKED,
    ERROR_ALIAS_FORM,
    ERROR_ALIAS_LONG,
    ERROR_PHONE,
    ERROR_EMAIL,
    ERROR_EMAIL_STATE,
    ERROR_PUSH_STATE,
    ERROR_LOCATION,
    ERROR_TOKEN_VALUE,
    ERROR_TOKEN_STRING,
    ERROR_TOKEN_APP,
    ERROR_TOKEN_IMPORT,
    ERROR_DEVICE_ID,
    ERROR_GROUP_ARRAY,
    ERROR_GROUP_HASH,
    ERROR_GROUP_ID,
    ERROR_GROUP_STATE,
    ERROR_EMAIL_INFO,
    ERROR_NAME_REQUIRED,
    ERROR_NAME_DOLLAR,
    ERROR_TIME_REQUIRED,
    ERROR_TIME_INVALID,
    ERROR_PRODUCT_REQUIRED,
    ERROR_CURRENCY,
    ERROR_QUANTITY,
    ERROR_PRICE,
    ERROR_PROPERTIES,
    ERROR_PRIORITIZATION,
    ERROR_COUNT,
};

/* The sentence, or the documented name where there is one and the choice says so. Empty for
 * ERROR_NONE. */
struct str object_error_text(const struct call *c, enum object_error error);

#endif
