#include "export.h"

#include "attributes.h"
#include "events.h"
#include "identifiers.h"
#include "locales.h"
#include "text.h"
#include "times.h"

enum {
    SUMMARY_DAYS = 90,
    DAY_MS = 86400000,
    USERS_MAX = 1000 /* one address may stand for many profiles */
};

/* One object of an export for one member of a profile's section. */
typedef void put_entry(struct jv_builder *b, const struct jv_member *member);

static void put_alias(struct jv_builder *b, const struct jv_member *alias)
{
    jv_object_put(b, STR("alias_name"), alias->value);
    jv_object_put(b, STR("alias_label"), jv_string(alias->key));
}

static void put_token(struct jv_builder *b, const struct jv_member *token)
{
    jv_object_put(b, STR("app"), jv_get(token->value, STR("app_id")));
    jv_object_put(b, STR("token"), jv_string(token->key));
    jv_object_put(b, STR("device_id"), jv_get(token->value, STR("device_id")));
    jv_object_put(b, STR("notifications_enabled"), jv_bool(true));
}

static void put_device(struct jv_builder *b, const struct jv_member *token)
{
    jv_object_put(b, STR("device_id"), jv_get(token->value, STR("device_id")));
}

static struct jv list_section(struct call *c, struct jv section, put_entry *put)
{
    struct jv *items;
    struct jv list = jv_array(c->arena, &items, section.len);
    for (uint32_t i = 0; list.type == JV_ARRAY && i < section.len; i++) {
        struct jv_builder b;
        jv_object_begin(&b, c->arena, 4);
        put(&b, &section.members[i]);
        items[i] = jv_object_end(&b);
    }
    return list;
}

static struct jv state_or_subscribed(const struct profile *p, struct str field)
{
    struct jv state = profile_get(p, SECTION_STANDARD, field);
    return state.type == JV_STRING ? state : text_value("subscribed");
}

/* The fields that are not simply a standard field of the same name. undefined: nothing to print. */
static struct jv special_field(struct call *c, struct profile *p, struct str name, bool *is_special)
{
    int64_t from = c->now_ms - (int64_t)SUMMARY_DAYS * DAY_MS;
    *is_special = true;
    if (str_eq(name, STR("created_at")))
        return jv_string(time_text(c->arena, p->created_ms));
    if (str_eq(name, STR("external_id")))
        return p->external_id.len > 0 ? jv_string(p->external_id) : jv_undefined();
    if (str_eq(name, STR("user_aliases")))
        return list_section(c, profile_section(p, SECTION_ALIASES), put_alias);
    if (str_eq(name, STR("braze_id")))
        return jv_string(p->braze_id);
    if (str_eq(name, STR("random_bucket")))
        return jv_number(p->random_bucket);
    if (str_eq(name, STR("last_coordinates")))
        return profile_get(p, SECTION_STANDARD, STR("current_location"));
    if (str_eq(name, STR("total_revenue"))) {
        struct jv revenue = profile_get(p, SECTION_COMMERCE, name);
        return revenue.type == JV_NUMBER ? revenue : jv_number(0);
    }
    if (str_eq(name, STR("push_subscribe")) || str_eq(name, STR("email_subscribe")))
        return state_or_subscribed(p, name);
    if (str_eq(name, STR("custom_attributes"))) {
        struct jv custom = profile_section(p, SECTION_CUSTOM);
        return custom.len > 0 ? stored_to_printed(c, custom) : jv_undefined();
    }
    if (str_eq(name, STR("custom_events")) || str_eq(name, STR("purchases"))) {
        enum section section = str_eq(name, STR("purchases")) ? SECTION_PRODUCTS : SECTION_EVENTS;
        struct jv list = write_occurrences(c, p, section, STR("name"), from, STR(""));
        return list.len > 0 ? list : jv_undefined();
    }
    if (str_eq(name, STR("push_tokens")))
        return profile_section(p, SECTION_TOKENS).len > 0
                   ? list_section(c, profile_section(p, SECTION_TOKENS), put_token)
                   : jv_undefined();
    if (str_eq(name, STR("devices")))
        return profile_section(p, SECTION_TOKENS).len > 0
                   ? list_section(c, profile_section(p, SECTION_TOKENS), put_device)
                   : jv_undefined();
    *is_special = false;
    return jv_undefined();
}

static const struct str field_names[] = {
    STR_INIT("created_at"),
    STR_INIT("external_id"),
    STR_INIT("user_aliases"),
    STR_INIT("braze_id"),
    STR_INIT("first_name"),
    STR_INIT("last_name"),
    STR_INIT("random_bucket"),
    STR_INIT("email"),
    STR_INIT("dob"),
    STR_INIT("home_city"),
    STR_INIT("country"),
    STR_INIT("phone"),
    STR_INIT("language"),
    STR_INIT("time_zone"),
    STR_INIT("gender"),
    STR_INIT("last_coordinates"),
    STR_INIT("custom_attributes"),
    STR_INIT("custom_events"),
    STR_INIT("purchases"),
    STR_INIT("devices"),
    STR_INIT("push_tokens"),
    STR_INIT("total_revenue"),
    STR_INIT("push_subscribe"),
    STR_INIT("push_opted_in_at"),
    STR_INIT("push_unsubscribed_at"),
    STR_INIT("email_subscribe"),
    STR_INIT("email_opted_in_at"),
    STR_INIT("email_unsubscribed_at"),
};

/* Valid in fields_to_export, but the sandbox sends no messages and has no SDK sessions to fill
 * them. */
static const struct str empty_names[] = {
    STR_INIT("apps"),
    STR_INIT("attributed_campaign"),
    STR_INIT("attributed_source"),
    STR_INIT("attributed_adgroup"),
    STR_INIT("attributed_ad"),
    STR_INIT("campaigns_received"),
    STR_INIT("canvases_received"),
    STR_INIT("cards_clicked"),
    STR_INIT("uninstalled_at"),
};

static bool is_asked(struct jv fields, struct str name)
{
    if (fields.type != JV_ARRAY)
        return true;
    for (uint32_t i = 0; i < fields.len; i++)
        if (str_eq(jv_str(fields.items[i]), name))
            return true;
    return false;
}

struct jv export_profile(struct call *c, struct profile *p, struct jv fields)
{
    struct jv_builder b;
    jv_object_begin(&b, c->arena, countof(field_names));
    for (size_t i = 0; i < countof(field_names); i++) {
        bool is_special;
        if (!is_asked(fields, field_names[i]))
            continue;
        struct jv value = special_field(c, p, field_names[i], &is_special);
        if (!is_special)
            value = profile_get(p, SECTION_STANDARD, field_names[i]);
        if (value.type != JV_UNDEFINED)
            jv_object_put(&b, field_names[i], value);
    }
    return jv_object_end(&b);
}

struct export
{
    struct call *call;
    struct jv fields;
    struct jv *users;
    uint32_t user_count;
    struct jv *invalid;
    uint32_t invalid_count;
    uint32_t numbers[USERS_MAX]; /* of the profiles in users: each is printed once */
};

static bool add_user(struct export *e, uint32_t number)
{
    struct profile *p = profiles_get(e->call->sandbox->profiles, number);
    if (p == NULL)
        return false;
    for (uint32_t i = 0; i < e->user_count; i++)
        if (e->numbers[i] == number)
            return true;
    if (e->user_count == USERS_MAX)
        return true;
    e->numbers[e->user_count] = number;
    e->users[e->user_count++] = export_profile(e->call, p, e->fields);
    return true;
}

static void add_profile(struct export *e, struct profile *p, struct str id)
{
    if (p == NULL || !add_user(e, p->number))
        e->invalid[e->invalid_count++] = jv_string(id);
}

static void add_by_key(struct export *e, enum key_kind kind, struct str key, struct str shown)
{
    struct keys_walk walk = profiles_walk(e->call->sandbox->profiles, kind, key);
    uint32_t number;
    bool found = false;
    while (keys_next(&walk, &number))
        found = add_user(e, number) || found;
    if (!found)
        e->invalid[e->invalid_count++] = jv_string(shown);
}

static bool fields_are_known(struct jv fields)
{
    for (uint32_t i = 0; fields.type == JV_ARRAY && i < fields.len; i++) {
        struct str name = jv_str(fields.items[i]);
        bool known = false;
        for (size_t n = 0; n < countof(field_names); n++)
            known = known || str_eq(field_names[n], name);
        for (size_t n = 0; n < countof(empty_names); n++)
            known = known || str_eq(empty_names[n], name);
        if (!known)
            return false;
    }
    return true;
}

/* NULL: the request is well-formed. */
static const char *refusal(struct call *c, struct jv ids, struct jv aliases, struct jv fields)
{
    size_t count =
        (ids.type == JV_ARRAY ? ids.len : 0) + (aliases.type == JV_ARRAY ? aliases.len : 0);
    int singles = (jv_get(c->body, STR("device_id")).type == JV_STRING) +
                  (jv_get(c->body, STR("email_address")).type == JV_STRING) +
                  (jv_get(c->body, STR("phone")).type == JV_STRING);
    if (c->body.type != JV_OBJECT)
        return "Bad Request";
    if (!jv_is_nullish(ids) && ids.type != JV_ARRAY)
        return "'external_ids' must be an array of strings";
    if (!jv_is_nullish(aliases) && aliases.type != JV_ARRAY)
        return "'user_aliases' must be an array of objects";
    if (count > ADMIN_ENTRIES_MAX)
        return "The max number of external_ids and aliases per request was exceeded";
    if (singles > 1)
        return "Only one of 'device_id', 'email_address' or 'phone' may be provided";
    if (count + (size_t)singles == 0 && jv_get(c->body, STR("braze_id")).type != JV_STRING)
        return "No Recipients";
    if (fields.type != JV_ARRAY && call_choice(c, CHOICE_EXPORT_FIELDS) == FIELDS_REQUIRED)
        return "'fields_to_export' is required";
    if (!jv_is_nullish(fields) && (fields.type != JV_ARRAY || !fields_are_known(fields)))
        return "'fields_to_export' contains an unknown field";
    return NULL;
}

static void add_singles(struct export *e)
{
    struct call *c = e->call;
    struct jv value = jv_get(c->body, STR("device_id"));
    if (value.type == JV_STRING)
        add_by_key(e, KEY_DEVICE, jv_str(value), jv_str(value));
    value = jv_get(c->body, STR("email_address"));
    if (value.type == JV_STRING)
        add_by_key(e, KEY_EMAIL, text_lower_ascii(c->arena, jv_str(value)), jv_str(value));
    value = jv_get(c->body, STR("phone"));
    if (value.type == JV_STRING)
        add_by_key(e, KEY_PHONE, phone_normal(c->arena, jv_str(value)), jv_str(value));
    value = jv_get(c->body, STR("braze_id"));
    if (value.type == JV_STRING)
        add_by_key(e, KEY_BRAZE_ID, jv_str(value), jv_str(value));
}

static void reply(struct export *e)
{
    struct jv_builder b;
    jv_object_begin(&b, e->call->arena, 3);
    jv_object_put(&b, STR("users"),
                  (struct jv){.type = JV_ARRAY, .len = e->user_count, .items = e->users});
    jv_object_put(&b, STR("message"), text_value("success"));
    if (e->invalid_count > 0)
        jv_object_put(&b, STR("invalid_user_ids"),
                      (struct jv){.type = JV_ARRAY, .len = e->invalid_count, .items = e->invalid});
    bool created = call_choice(e->call, CHOICE_EXPORT_STATUS) == EXPORT_201;
    call_reply(e->call, created ? 201 : 200, jv_object_end(&b));
}

void answer_export_ids(struct call *c)
{
    struct jv ids = jv_get(c->body, STR("external_ids"));
    struct jv aliases = jv_get(c->body, STR("user_aliases"));
    struct jv fields = jv_get(c->body, STR("fields_to_export"));
    const char *why = refusal(c, ids, aliases, fields);
    if (why != NULL) {
        call_message(c, 400, why);
        return;
    }
    struct export *e = arena_alloc(c->arena, sizeof(*e));
    struct jv *users = arena_array(c->arena, USERS_MAX, sizeof(*users));
    struct jv *invalid = arena_array(c->arena, ADMIN_ENTRIES_MAX + 4, sizeof(*invalid));
    if (e == NULL || users == NULL || invalid == NULL) {
        call_message(c, 500, "Internal Server Error");
        return;
    }
    *e = (struct export){.call = c, .fields = fields, .users = users, .invalid = invalid};
    for (uint32_t i = 0; ids.type == JV_ARRAY && i < ids.len; i++) {
        struct str id = id_text(c, ids.items[i]);
        add_profile(e, find_external_id(c, id), id);
    }
    for (uint32_t i = 0; aliases.type == JV_ARRAY && i < aliases.len; i++) {
        struct str label;
        struct str name;
        bool good = alias_read(aliases.items[i], &label, &name) == ERROR_NONE;
        add_profile(e, good ? find_alias(c, label, name) : NULL, name);
    }
    add_singles(e);
    reply(e);
}
