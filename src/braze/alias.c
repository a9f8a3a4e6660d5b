#include "alias.h"

#include <errno.h>

#include "identity.h"

/* clang-format off */
const struct field alias_fields[ALIAS_ROWS] = {
    [ALIAS_EXTERNAL_ID] = {FIELD("external_id", "External ID", FIELD_STRING), .allow_null = true},
    [ALIAS_NAME] = {FIELD("alias_name", "Alias Name", FIELD_STRING), .required = true},
    [ALIAS_LABEL] = {FIELD("alias_label", "Alias Label", FIELD_STRING), .required = true},
};
/* clang-format on */

int alias_build(const struct call *call, const struct record *r, struct arena *a, struct built *out)
{
    (void)call;
    const struct jv *v = r->values;
    struct jv *objects = arena_array(a, 1, sizeof(*objects));
    if (objects == NULL)
        return -ENOMEM;
    struct jv_builder b;
    jv_object_begin(&b, a, 3);
    if (v[ALIAS_EXTERNAL_ID].type != JV_NULL)
        put(&b, STR("external_id"), v[ALIAS_EXTERNAL_ID]);
    put(&b, STR("alias_name"), v[ALIAS_NAME]);
    put(&b, STR("alias_label"), v[ALIAS_LABEL]);
    objects[0] = jv_object_end(&b);
    out->objects = objects;
    out->count = 1;
    out->users[0] =
        (struct identity){.external_id = v[ALIAS_EXTERNAL_ID], .user_alias = objects[0]};
    out->user_count = 1;
    return objects[0].type == JV_OBJECT ? 0 : -ENOMEM;
}
