#include "trigger.h"

#include <errno.h>

#include "exchange.h"

/* clang-format off */
static const struct str priorities[] = {
    STR_INIT("identified"), STR_INIT("unidentified"), STR_INIT("most_recently_updated"),
    STR_INIT("least_recently_updated"),
};
static const struct field prioritization_fields[] = {
    {FIELD("first_priority", "First Priority", FIELD_STRING), FIELD_CHOICES(priorities)},
    {FIELD("second_priority", "Second Priority", FIELD_STRING), FIELD_CHOICES(priorities)},
};
static const struct field attachment_fields[] = {
    {FIELD("file_name", "File Name", FIELD_STRING), .required = true},
    {FIELD("url", "URL", FIELD_STRING), .required = true},
};
static const struct field campaign_recipient_fields[] = {
    {FIELD("external_user_id", "External User ID", FIELD_STRING), .preset = PATH("$.userId")},
    {FIELD("user_alias", "User Alias", FIELD_OBJECT)},
    {FIELD("email", "Email", FIELD_STRING), .preset = PATH("$.traits.email")},
    {FIELD("trigger_properties", "User Trigger Properties", FIELD_OBJECT)},
    {FIELD("send_to_existing_only", "Send to Existing Only", FIELD_BOOLEAN)},
    {FIELD("attributes", "User Attributes", FIELD_OBJECT)},
};
static const struct field canvas_alias_fields[] = {
    {FIELD("alias_name", "Alias Name", FIELD_STRING), .preset = PATH("$.traits.braze_alias")},
    {FIELD("alias_label", "Alias Label", FIELD_STRING), .preset = PATH("$.traits.braze_alias_label")},
};
static const struct field canvas_recipient_fields[] = {
    {FIELD("external_user_id", "External User ID", FIELD_STRING), .preset = PATH("$.userId")},
    {FIELD("user_alias", "User Alias", FIELD_OBJECT), FIELD_PARTS(canvas_alias_fields)},
    {FIELD("email", "Email", FIELD_STRING), .preset = PATH("$.traits.email")},
    {FIELD("canvas_entry_properties", "Canvas Entry Properties", FIELD_OBJECT)},
    {FIELD("send_to_existing_only", "Send to Existing Only", FIELD_BOOLEAN)},
    {FIELD("attributes", "Attributes", FIELD_OBJECT)},
};

static const struct condition to_nobody[] = {
    {.key = STR_INIT("recipients")}, {.key = STR_INIT("audience")},
};
static const struct condition no_broadcast[] = {
    {.key = STR_INIT("broadcast"), .is_not = true, .value = CONDITION_TRUE},
};

const struct field campaign_fields[CAMPAIGN_ROWS] = {
    [CAMPAIGN_ID] = {FIELD("campaign_id", "Campaign ID", FIELD_STRING), .required = true},
    [CAMPAIGN_SEND_ID] = {FIELD("send_id", "Send ID", FIELD_STRING)},
    [CAMPAIGN_TRIGGER_PROPERTIES] = {FIELD("trigger_properties", "Trigger Properties", FIELD_OBJECT),
        .preset = PATH("$.properties")},
    [CAMPAIGN_BROADCAST] = {FIELD("broadcast", "Broadcast", FIELD_BOOLEAN),
        .required_if = FIELD_REQUIRED_WHEN_ALL(to_nobody)},
    [CAMPAIGN_ATTACHMENTS] = {FIELD("attachments", "Attachments", FIELD_OBJECT), .multiple = true,
        FIELD_PARTS(attachment_fields)},
    [CAMPAIGN_RECIPIENTS] = {FIELD("recipients", "Recipients", FIELD_OBJECT), .multiple = true,
        FIELD_PARTS(campaign_recipient_fields)},
    [CAMPAIGN_PRIORITIZATION] = {FIELD("prioritization", "Prioritization", FIELD_OBJECT),
        FIELD_PARTS(prioritization_fields)},
    [CAMPAIGN_AUDIENCE] = {FIELD("audience", "Audience", FIELD_OBJECT)},
};

const struct field canvas_fields[CANVAS_ROWS] = {
    [CANVAS_ID] = {FIELD("canvas_id", "Canvas ID", FIELD_STRING), .required = true},
    [CANVAS_ENTRY_PROPERTIES] = {FIELD("canvas_entry_properties", "Canvas Entry Properties", FIELD_OBJECT),
        .preset = PATH("$.properties")},
    [CANVAS_BROADCAST] = {FIELD("broadcast", "Broadcast", FIELD_BOOLEAN)},
    [CANVAS_RECIPIENTS] = {FIELD("recipients", "Recipients", FIELD_OBJECT), .multiple = true,
        .required_if = FIELD_REQUIRED_WHEN_ALL(no_broadcast), FIELD_PARTS(canvas_recipient_fields)},
    [CANVAS_PRIORITIZATION] = {FIELD("prioritization", "Prioritization", FIELD_OBJECT),
        FIELD_PARTS(prioritization_fields)},
    [CANVAS_AUDIENCE] = {FIELD("audience", "Audience", FIELD_OBJECT)},
};
/* clang-format on */

/* Where the rows that both actions share stand. */
struct trigger_rows {
    uint8_t broadcast;
    uint8_t recipients;
    uint8_t prioritization;
    uint8_t count;
};

static struct jv priority_list(struct arena *a, struct jv prioritization)
{
    struct jv first = jv_get(prioritization, STR("first_priority"));
    struct jv second = jv_get(prioritization, STR("second_priority"));
    struct jv *items;
    struct jv list = jv_array(a, &items, 2);
    if (list.type != JV_ARRAY)
        return list;
    list.len = 0;
    if (jv_truthy(first))
        items[list.len++] = first;
    if (jv_truthy(second))
        items[list.len++] = second;
    return list;
}

/* Every recipient with the list as its last member. undefined when the arena is full. */
static struct jv with_priorities(struct arena *a, struct jv recipients, struct jv list)
{
    struct jv *items;
    struct jv array = jv_array(a, &items, recipients.len);
    for (uint32_t i = 0; array.type == JV_ARRAY && i < recipients.len; i++) {
        struct jv_builder b;
        jv_object_begin(&b, a, recipients.items[i].len + 1);
        jv_object_put_all(&b, recipients.items[i]);
        jv_object_put(&b, STR("prioritization"), list);
        items[i] = jv_object_end(&b);
        if (items[i].type != JV_OBJECT)
            return jv_undefined();
    }
    return array;
}

static void refuse(struct built *out, struct str message)
{
    out->failure = (struct failure){
        .name = "PayloadValidationError",
        .code = jv_string(STR("PAYLOAD_VALIDATION_FAILED")),
        .status = 400,
        .message = message,
    };
}

static void note_recipients(struct built *out, struct jv recipients)
{
    for (uint32_t i = 0; i < recipients.len && out->user_count < INTENT_USER_KEYS_MAX; i++) {
        struct jv to = recipients.items[i];
        out->users[out->user_count++] = (struct identity){
            .external_id = jv_get(to, STR("external_user_id")),
            .user_alias = jv_get(to, STR("user_alias")),
            .email = jv_get(to, STR("email")),
        };
    }
}

static int build(const struct call *call, const struct record *r, struct arena *a,
                 struct trigger_rows rows, struct built *out)
{
    struct jv values[SCHEMA_FIELDS_MAX];
    memcpy(values, r->values, rows.count * sizeof(*values));
    struct jv recipients = values[rows.recipients];
    bool has_recipients = recipients.len > 0;
    bool broadcast = jv_truthy(values[rows.broadcast]);
    if (!broadcast && !has_recipients)
        refuse(out, STR("Either \"broadcast\" must be true or \"recipients\" list must be "
                        "provided."));
    else if (broadcast && has_recipients)
        refuse(out, STR("When \"broadcast\" is true, \"recipients\" list cannot be included."));
    if (out->failure.name != NULL)
        return 0;

    if (has_recipients && jv_truthy(values[rows.prioritization])) {
        struct jv list = priority_list(a, values[rows.prioritization]);
        if (list.len > 0)
            values[rows.recipients] = with_priorities(a, recipients, list);
        values[rows.prioritization] = jv_undefined();
        if (list.type != JV_ARRAY || values[rows.recipients].type != JV_ARRAY)
            return -ENOMEM;
    }
    struct record sent = *r;
    sent.values = values;
    struct jv *objects = arena_array(a, 1, sizeof(*objects));
    if (objects == NULL)
        return -ENOMEM;
    objects[0] = schema_object(call->schema, &sent, a);
    out->objects = objects;
    out->count = 1;
    note_recipients(out, recipients);
    return objects[0].type == JV_OBJECT ? 0 : -ENOMEM;
}

int campaign_build(const struct call *call, const struct record *r, struct arena *a,
                   struct built *out)
{
    return build(call, r, a,
                 (struct trigger_rows){CAMPAIGN_BROADCAST, CAMPAIGN_RECIPIENTS,
                                       CAMPAIGN_PRIORITIZATION, CAMPAIGN_ROWS},
                 out);
}

int canvas_build(const struct call *call, const struct record *r, struct arena *a,
                 struct built *out)
{
    return build(call, r, a,
                 (struct trigger_rows){CANVAS_BROADCAST, CANVAS_RECIPIENTS, CANVAS_PRIORITIZATION,
                                       CANVAS_ROWS},
                 out);
}

int trigger_settle(const struct call *call, struct exchange *x)
{
    (void)call;
    if (!exchange_ok(x))
        exchange_fail_with_message(x);
    return 0;
}
