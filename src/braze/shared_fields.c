#include "shared_fields.h"

/* clang-format off */
const struct field optional_alias_fields[2] = {
    {FIELD("alias_name", "Alias Name", FIELD_STRING)},
    {FIELD("alias_label", "Alias Label", FIELD_STRING)},
};

const struct field required_alias_fields[2] = {
    {FIELD("alias_name", "Alias Name", FIELD_STRING), .required = true},
    {FIELD("alias_label", "Alias Label", FIELD_STRING), .required = true},
};
/* clang-format on */
