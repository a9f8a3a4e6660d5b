#include "event.h"

#include <errno.h>

#include "dates.h"
#include "identity.h"
#include "shared_fields.h"

/* clang-format off */
const struct field event_fields[EVENT_ROWS] = {
    [EVENT_EXTERNAL_ID] = {FIELD("external_id", "External User ID", FIELD_STRING),
     .preset = PATH("$.userId")},
    [EVENT_USER_ALIAS] = {FIELD("user_alias", "User Alias Object", FIELD_OBJECT), FIELD_PARTS(optional_alias_fields)},
    [EVENT_EMAIL] = {FIELD("email", "Email", FIELD_STRING),
     .preset = FIRST_OF("$.context.traits.email", "$.properties.email")},
    [EVENT_BRAZE_ID] = {FIELD("braze_id", "Braze User Identifier", FIELD_STRING), .allow_null = true,
     .preset = PATH("$.properties.braze_id")},
    [EVENT_NAME] = {FIELD("name", "Event Name", FIELD_STRING), .required = true,
     .preset = PATH("$.event")},
    [EVENT_TIME] = {FIELD("time", "Time", FIELD_DATETIME), .required = true,
     .preset = PATH("$.receivedAt")},
    [EVENT_PROPERTIES] = {FIELD("properties", "Event Properties", FIELD_OBJECT),
     .preset = PATH("$.properties")},
    [EVENT_UPDATE_EXISTING_ONLY] = {FIELD("_update_existing_only", "Update Existing Only", FIELD_BOOLEAN),
     .preset = "false"},
    [EVENT_ENABLE_BATCHING] = {FIELD("enable_batching", "Batch Data to Braze", FIELD_BOOLEAN),
     .preset = "true"},
    [EVENT_BATCH_SIZE] = {FIELD("batch_size", "Batch Size", FIELD_NUMBER),
     .preset = "75"},
};
/* clang-format on */

int event_build(const struct call *call, const struct record *r, struct arena *a, struct built *out)
{
    const struct jv *v = r->values;
    struct identity *id = &out->users[0];
    out->user_count = 1;
    *id = (struct identity){
        .external_id = v[EVENT_EXTERNAL_ID],
        .user_alias = identity_alias(a, v[EVENT_USER_ALIAS]),
        .braze_id = v[EVENT_BRAZE_ID],
        .email = v[EVENT_EMAIL],
    };
    if (!identity_known(id))
        return action_refuse_anonymous(out);
    if (call->parity == PARITY_SAFE)
        identity_single_out(id, false);

    struct jv time;
    struct jv *objects = arena_array(a, 1, sizeof(*objects));
    if (objects == NULL || dates_iso(a, call->parity, v[EVENT_TIME], &time) != 0)
        return -ENOMEM;
    struct jv_builder b;
    jv_object_begin(&b, a, 9);
    put(&b, STR("braze_id"), id->braze_id);
    put(&b, STR("external_id"), id->external_id);
    put(&b, STR("email"), id->email);
    put(&b, STR("user_alias"), id->user_alias);
    put(&b, STR("app_id"), call->app_id);
    put(&b, STR("name"), v[EVENT_NAME]);
    put(&b, STR("time"), time);
    put(&b, STR("properties"), v[EVENT_PROPERTIES]);
    put(&b, STR("_update_existing_only"), action_update_only(call, v[EVENT_UPDATE_EXISTING_ONLY]));
    objects[0] = jv_object_end(&b);
    out->objects = objects;
    out->count = 1;
    return objects[0].type == JV_OBJECT ? 0 : -ENOMEM;
}
