#include "errors.h"

struct error_row {
    struct str text;        /* seen on the wire, or ours where nothing was seen */
    struct str enumeration; /* documented; empty: none */
};

#define S(text) STR_INIT(text)

/* clang-format off */
static const struct error_row rows[ERROR_COUNT] = {
    [ERROR_NO_IDENTIFIER] = {.text = S("'external_id', 'braze_id', 'user_alias', 'email' or 'phone' is required")},
    [ERROR_SEVERAL_IDENTIFIERS] = {.text = S("only one of 'external_id', 'braze_id' or 'user_alias' is allowed")},
    [ERROR_EXTERNAL_ID_LONG] = {S("'external_id' must be fewer than 988 bytes"), S("EXTERNAL_USER_ID_TOO_LARGE")},
    [ERROR_BLOCKED] = {S("provided external_id is blacklisted and disallowed"), S("BLACKLISTED_EXTERNAL_USER_ID")},
    [ERROR_ALIAS_FORM] = {.text = S("'user_alias' must be an object with non-empty 'alias_name' and 'alias_label' strings")},
    [ERROR_ALIAS_LONG] = {.text = S("'alias_name' and 'alias_label' must be fewer than 237 bytes")},
    [ERROR_PHONE] = {.text = S("The value provided for the 'phone' field is not a valid phone number.")},
    [ERROR_EMAIL] = {S("The value provided for the 'email' field is not a valid email."), S("EMAIL_BAD_FORMAT")},
    [ERROR_EMAIL_STATE] = {S("'email_subscribe' must be subscribed, unsubscribed, or opted_in"), S("BAD_EMAIL_SUBSCRIPTION_STATE")},
    [ERROR_PUSH_STATE] = {S("'push_subscribe' must be subscribed, unsubscribed, or opted_in"), S("BAD_PUSH_SUBSCRIPTION_STATE")},
    [ERROR_LOCATION] = {S("'current_location' must be an object with 'longitude' and 'latitude'"), S("BAD_LOCATION_UPDATE")},
    [ERROR_TOKEN_VALUE] = {S("BAD_PUSH_TOKEN_VALUE"), S("BAD_PUSH_TOKEN_VALUE")},
    [ERROR_TOKEN_STRING] = {S("BAD_PUSH_TOKEN_STRING"), S("BAD_PUSH_TOKEN_STRING")},
    [ERROR_TOKEN_APP] = {S("BAD_PUSH_TOKEN_APP_ID"), S("BAD_PUSH_TOKEN_APP_ID")},
    [ERROR_TOKEN_IMPORT] = {S("BAD_PUSH_TOKEN_IMPORT"), S("BAD_PUSH_TOKEN_IMPORT")},
    [ERROR_DEVICE_ID] = {S("BAD_DEVICE_ID"), S("BAD_DEVICE_ID")},
    [ERROR_GROUP_ARRAY] = {S("BAD_SUBSCRIPTION_GROUP_ARRAY"), S("BAD_SUBSCRIPTION_GROUP_ARRAY")},
    [ERROR_GROUP_HASH] = {S("BAD_SUBSCRIPTION_GROUP_HASH"), S("BAD_SUBSCRIPTION_GROUP_HASH")},
    [ERROR_GROUP_ID] = {S("BAD_SUBSCRIPTION_GROUP_ID"), S("BAD_SUBSCRIPTION_GROUP_ID")},
    [ERROR_GROUP_STATE] = {S("BAD_SUBSCRIPTION_GROUP_STATE"), S("BAD_SUBSCRIPTION_GROUP_STATE")},
    [ERROR_EMAIL_INFO] = {S("INVALID_ATTRIBUTE_EMAIL_SUBSCRIPTION_INFO"), S("INVALID_ATTRIBUTE_EMAIL_SUBSCRIPTION_INFO")},
    [ERROR_NAME_REQUIRED] = {.text = S("'name' is required")},
    [ERROR_NAME_DOLLAR] = {.text = S("'name' must not start with '$'")},
    [ERROR_TIME_REQUIRED] = {.text = S("'time' is required")},
    [ERROR_TIME_INVALID] = {.text = S("'time' is not valid")},
    [ERROR_PRODUCT_REQUIRED] = {.text = S("'product_id' is required")},
    [ERROR_CURRENCY] = {.text = S("'currency' must be an ISO 4217 currency")},
    [ERROR_QUANTITY] = {.text = S("'quantity' is not valid")},
    [ERROR_PRICE] = {.text = S("'price' is not valid")},
    [ERROR_PRIORITIZATION] = {.text = S("'prioritization' must be an array of 'identified' or 'unidentified', 'most_recently_updated' and 'least_recently_updated'")},
    [ERROR_PROPERTIES] = {.text = S("Invalid 'properties' field")},
};
/* clang-format on */

struct str object_error_text(const struct call *c, enum object_error error)
{
    const struct error_row *row = &rows[error];
    bool enumeration = call_choice(c, CHOICE_ERROR_TYPE) == ERROR_ENUMERATION;
    return enumeration && row->enumeration.len > 0 ? row->enumeration : row->text;
}
