#include "triggers.h"

#include "attributes.h"
#include "audience.h"
#include "hash.h"
#include "identifiers.h"
#include "locales.h"
#include "nested.h"
#include "text.h"

enum { TRIGGER_PROPERTIES_BYTES_MAX = 51200 };

bool trigger_is_broadcast(struct jv body)
{
    struct jv broadcast = jv_get(body, STR("broadcast"));
    return (broadcast.type == JV_BOOL && broadcast.boolean) ||
           jv_get(body, STR("audience")).type == JV_OBJECT ||
           jv_get(body, STR("segment_id")).type == JV_STRING;
}

uint64_t trigger_audience_hash(struct call *c)
{
    static const struct str keys[] = {STR_INIT("campaign_id"), STR_INIT("canvas_id"),
                                      STR_INIT("segment_id"), STR_INIT("audience")};
    struct buf *text = &c->sandbox->scratch;
    buf_reset(text);
    for (size_t i = 0; i < countof(keys); i++)
        jv_write(text, jv_get(c->body, keys[i]));
    return hash_str(buf_str(text));
}

/* What differs between a campaign and a Canvas. */
struct trigger {
    struct str id_key;
    enum workspace_list list;
    struct str properties_key;
    struct str legacy_key; /* of the properties; empty: none */
    const char *unknown;
};

static const struct trigger campaign = {STR_INIT("campaign_id"), LIST_CAMPAIGNS,
                                        STR_INIT("trigger_properties"), STR_INIT(""),
                                        "Invalid Campaign ID"};
static const struct trigger canvas = {STR_INIT("canvas_id"), LIST_CANVASES, STR_INIT("context"),
                                      STR_INIT("canvas_entry_properties"), "Invalid Canvas ID"};

/* NULL: absent, or an object that is small enough. */
static const char *check_properties(struct call *c, const struct trigger *trigger, struct jv object)
{
    struct jv properties = jv_get(object, trigger->properties_key);
    if (properties.type == JV_UNDEFINED && trigger->legacy_key.len > 0)
        properties = jv_get(object, trigger->legacy_key);
    if (jv_is_nullish(properties))
        return NULL;
    if (properties.type != JV_OBJECT)
        return "properties must be an object";
    return json_is_longer(c, properties, TRIGGER_PROPERTIES_BYTES_MAX)
               ? "properties are larger than 50 KB"
               : NULL;
}

static const char *check_recipient(struct call *c, const struct trigger *trigger,
                                   struct jv recipient)
{
    struct jv id = jv_get(recipient, STR("external_user_id"));
    struct jv alias = jv_get(recipient, STR("user_alias"));
    struct jv email = jv_get(recipient, STR("email"));
    struct jv braze_id = jv_get(recipient, STR("braze_id"));
    struct jv attributes = jv_get(recipient, STR("attributes"));
    struct jv existing = jv_get(recipient, STR("send_to_existing_only"));
    bool creates = existing.type == JV_BOOL && !existing.boolean;
    int count = !jv_is_nullish(id) + !jv_is_nullish(alias) + !jv_is_nullish(email) +
                !jv_is_nullish(braze_id);
    if (recipient.type != JV_OBJECT || count != 1)
        return "each recipient needs exactly one of 'external_user_id', 'user_alias', 'email' or "
               "'braze_id'";
    if (!jv_is_nullish(email) && !prioritization_is(jv_get(recipient, STR("prioritization"))))
        return "'prioritization' is required with 'email'";
    if (creates && (attributes.type != JV_OBJECT || !jv_is_nullish(alias)))
        return "'send_to_existing_only' false needs 'attributes' and must not be used with "
               "'user_alias'";
    if (!jv_is_nullish(attributes) && attributes.type != JV_OBJECT)
        return "'attributes' must be an object";
    return check_properties(c, trigger, recipient);
}

static const char *check_send(struct call *c, const struct trigger *trigger)
{
    struct jv recipients = jv_get(c->body, STR("recipients"));
    struct jv broadcast = jv_get(c->body, STR("broadcast"));
    struct jv audience = jv_get(c->body, STR("audience"));
    bool wide = broadcast.type == JV_BOOL && broadcast.boolean;
    struct str id = jv_str(jv_get(c->body, trigger->id_key));
    bool listed = workspace_list(c->sandbox->workspace, trigger->list).len == 0 ||
                  workspace_find(c->sandbox->workspace, trigger->list, id).type == JV_OBJECT;
    if (id.len == 0 || !listed)
        return trigger->unknown;
    if (!jv_is_nullish(recipients) && recipients.type != JV_ARRAY)
        return "'recipients' must be an array of objects";
    bool has_recipients = recipients.type == JV_ARRAY && recipients.len > 0;
    if (wide && (has_recipients || !jv_is_nullish(jv_get(c->body, STR("attachments")))))
        return "'broadcast' cannot be combined with 'recipients' or 'attachments'";
    if (!wide && !has_recipients)
        return "No Recipients";
    if (has_recipients && recipients.len > ADMIN_ENTRIES_MAX)
        return "The max number of external_ids and aliases per request was exceeded";
    if (!jv_is_nullish(audience) && audience_check(audience) != NULL)
        return audience_check(audience);
    const char *why = check_properties(c, trigger, c->body);
    for (uint32_t i = 0; why == NULL && has_recipients && i < recipients.len; i++)
        why = check_recipient(c, trigger, recipients.items[i]);
    return why;
}

static struct profile *find_recipient(struct call *c, struct jv recipient)
{
    struct profiles *ps = c->sandbox->profiles;
    struct str id = id_text(c, jv_get(recipient, STR("external_user_id")));
    struct str email = jv_str(jv_get(recipient, STR("email")));
    struct str label;
    struct str name;
    if (id.len > 0)
        return find_external_id(c, id);
    if (email.len > 0)
        return profiles_get(ps, address_prioritize(c, KEY_EMAIL, text_lower_ascii(c->arena, email),
                                                   jv_get(recipient, STR("prioritization"))));
    if (alias_read(jv_get(recipient, STR("user_alias")), &label, &name) == ERROR_NONE)
        return find_alias(c, label, name);
    return profiles_find(ps, KEY_BRAZE_ID, jv_str(jv_get(recipient, STR("braze_id"))));
}

/* A recipient who need not exist yet comes into being with its attributes. */
static struct profile *create_recipient(struct call *c, struct jv recipient)
{
    struct str id = id_text(c, jv_get(recipient, STR("external_user_id")));
    struct str email = jv_str(jv_get(recipient, STR("email")));
    bool good = id.len > 0 ? id.len <= EXTERNAL_ID_BYTES_MAX : email_is(email);
    struct profile *p = good ? profiles_create(c->sandbox->profiles) : NULL;
    if (p != NULL && id.len > 0)
        profile_set_external_id(p, id);
    else if (p != NULL)
        profile_put(p, SECTION_STANDARD, STR("email"), jv_string(email));
    return p;
}

static void take_recipient(struct call *c, struct jv recipient, bool groups_apply)
{
    struct jv attributes = jv_get(recipient, STR("attributes"));
    struct jv existing = jv_get(recipient, STR("send_to_existing_only"));
    struct profile *p = find_recipient(c, recipient);
    if (p == NULL && existing.type == JV_BOOL && !existing.boolean)
        p = create_recipient(c, recipient);
    if (p == NULL) {
        call_note(c, NOTE_NOT_FOUND, STR(""),
                  "the recipient is nobody, or not exactly one profile: nothing is sent");
        return;
    }
    if (attributes.type != JV_OBJECT)
        return;
    enum object_error error = attributes_check(c, attributes);
    if (error != ERROR_NONE) {
        call_note(c, NOTE_REJECTED, STR("attributes"), "%.*s",
                  STR_ARG(object_error_text(c, error)));
        return;
    }
    if (!groups_apply && jv_get(attributes, STR("subscription_groups")).type != JV_UNDEFINED) {
        struct jv_builder rest;
        jv_object_begin(&rest, c->arena, attributes.len);
        jv_object_put_all(&rest, attributes);
        jv_object_remove(&rest, STR("subscription_groups"));
        attributes = jv_object_end(&rest);
        call_note(c, NOTE_FIELD_IGNORED, STR("subscription_groups"), "not applied by Canvas sends");
    }
    struct who who = {.kind = WHO_EXTERNAL_ID};
    profile_touch(p);
    attributes_apply(c, p, attributes, &who);
}

static void put_notice(struct call *c, const struct trigger *trigger, struct jv_builder *b)
{
    if (trigger->list != LIST_CANVASES)
        return;
    struct str id = jv_str(jv_get(c->body, trigger->id_key));
    struct str state =
        jv_str(jv_get(workspace_find(c->sandbox->workspace, LIST_CANVASES, id), STR("state")));
    if (str_eq(state, STR("paused")) || str_eq(state, STR("stopped")))
        jv_object_put(b, STR("notice"),
                      text_value("The Canvas is paused. Resume the Canvas to ensure trigger "
                                 "requests will take effect."));
    else if (str_eq(state, STR("archived")))
        jv_object_put(b, STR("notice"),
                      text_value("The Canvas is archived. Unarchive the Canvas to ensure trigger "
                                 "requests will take effect."));
}

static void send(struct call *c, const struct trigger *trigger)
{
    const char *why = check_send(c, trigger);
    struct jv recipients = jv_get(c->body, STR("recipients"));
    struct jv send_id = jv_get(c->body, STR("send_id"));
    if (why != NULL) {
        call_message(c, 400, why);
        return;
    }
    c->array = "recipients";
    for (uint32_t i = 0; recipients.type == JV_ARRAY && i < recipients.len; i++) {
        c->index = i;
        take_recipient(c, recipients.items[i], trigger == &campaign);
    }
    c->array = NULL;
    struct jv_builder b;
    jv_object_begin(&b, c->arena, 4);
    jv_object_put(&b, STR("dispatch_id"), jv_string(call_random_hex(c)));
    if (trigger == &campaign && trigger_is_broadcast(c->body) && send_id.type == JV_STRING)
        jv_object_put(&b, STR("send_id"), send_id);
    put_notice(c, trigger, &b);
    call_success(c, 201, &b);
}

void answer_campaign_send(struct call *c)
{
    send(c, &campaign);
}

void answer_canvas_send(struct call *c)
{
    send(c, &canvas);
}

void answer_message_send(struct call *c)
{
    static const struct str targets[] = {STR_INIT("external_user_ids"), STR_INIT("user_aliases"),
                                         STR_INIT("segment_id"), STR_INIT("audience")};
    struct jv ids = jv_get(c->body, targets[0]);
    struct jv messages = jv_get(c->body, STR("messages"));
    struct jv broadcast = jv_get(c->body, STR("broadcast"));
    bool aimed = broadcast.type == JV_BOOL && broadcast.boolean;
    for (size_t i = 0; i < countof(targets); i++)
        aimed = aimed || !jv_is_nullish(jv_get(c->body, targets[i]));
    if (!aimed)
        call_message(c, 400, "No Recipients");
    else if (ids.type == JV_ARRAY && ids.len > ADMIN_ENTRIES_MAX)
        call_message(c, 400, "The max number of external_ids and aliases per request was exceeded");
    else if (messages.type != JV_OBJECT || messages.len == 0)
        call_message(c, 400, "No message to send");
    else {
        struct jv_builder b;
        jv_object_begin(&b, c->arena, 2);
        jv_object_put(&b, STR("dispatch_id"), jv_string(call_random_hex(c)));
        call_success(c, 201, &b);
    }
}
