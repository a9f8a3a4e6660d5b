#include "subscription.h"

#include "identifiers.h"
#include "locales.h"
#include "standard.h"
#include "states.h"
#include "text.h"

#define BOTH_ADDRESSES "Either an email address or a phone number should be provided, but not both."

/* A text or an array of texts under either of two names; an array value with len 0 when absent. */
static struct jv texts(struct call *c, struct jv object, struct str one, struct str many)
{
    struct jv value = jv_get(object, one);
    if (jv_is_nullish(value))
        value = jv_get(object, many);
    if (value.type == JV_ARRAY)
        return value;
    struct jv *items;
    struct jv list = jv_array(c->arena, &items, jv_is_nullish(value) ? 0 : 1);
    if (list.type == JV_ARRAY && list.len == 1)
        items[0] = value;
    return list;
}

struct group_update {
    struct str group;
    struct str state;
    struct jv ids;
    struct jv emails;
    struct jv phones;
};

/* NULL: well-formed. */
static const char *read_update(struct call *c, struct jv object, struct group_update *out)
{
    struct jv state = jv_get(object, STR("subscription_state"));
    out->group = jv_str(jv_get(object, STR("subscription_group_id")));
    out->state = jv_str(state);
    out->ids = texts(c, object, STR("external_id"), STR("external_ids"));
    out->emails = texts(c, object, STR("email"), STR("emails"));
    out->phones = texts(c, object, STR("phone"), STR("phones"));
    if (!workspace_has_group(c->sandbox->workspace, out->group))
        return "Invalid subscription group ID";
    if (!is_state(state, false))
        return "Invalid subscription state";
    if (out->emails.len > 0 && out->phones.len > 0)
        return BOTH_ADDRESSES;
    if (out->ids.len + out->emails.len + out->phones.len == 0)
        return "No Recipients";
    if (out->ids.len > ADMIN_ENTRIES_MAX || out->emails.len > ADMIN_ENTRIES_MAX ||
        out->phones.len > ADMIN_ENTRIES_MAX)
        return "The max number of ids per request was exceeded";
    return NULL;
}

/* Every profile with the address; without one the state waits for a profile. */
static void set_by_address(struct call *c, enum key_kind kind, struct str key,
                           const struct group_update *update)
{
    struct keys_walk walk = profiles_walk(c->sandbox->profiles, kind, key);
    uint32_t number;
    bool found = false;
    while (keys_next(&walk, &number)) {
        struct profile *p = profiles_get(c->sandbox->profiles, number);
        if (p == NULL)
            continue;
        profile_put(p, SECTION_GROUPS, update->group, jv_string(update->state));
        found = true;
    }
    if (!found)
        states_keep(c, key, update->group, update->state);
}

static void apply_update(struct call *c, const struct group_update *update)
{
    for (uint32_t i = 0; i < update->ids.len; i++) {
        struct str id = id_text(c, update->ids.items[i]);
        struct profile *p = find_external_id(c, id);
        if (p == NULL)
            call_note(c, NOTE_NOT_FOUND, STR("external_id"), "nobody is '%.*s'", STR_ARG(id));
        else
            set_group_state(c, p, update->group, update->state);
    }
    for (uint32_t i = 0; i < update->emails.len; i++) {
        struct str email = str_trim(jv_str(update->emails.items[i]));
        if (email_is(email))
            set_by_address(c, KEY_EMAIL, text_lower_ascii(c->arena, email), update);
        else
            call_note(c, NOTE_FIELD_IGNORED, STR("email"), "'%.*s' is no address", STR_ARG(email));
    }
    for (uint32_t i = 0; i < update->phones.len; i++) {
        struct str phone = phone_normal(c->arena, id_text(c, update->phones.items[i]));
        if (phone.len > 0)
            set_by_address(c, KEY_PHONE, phone, update);
        else
            call_note(c, NOTE_FIELD_IGNORED, STR("phone"), "no valid number");
    }
}

void answer_subscription_set(struct call *c)
{
    struct group_update update;
    const char *why = read_update(c, c->body, &update);
    if (why != NULL) {
        call_message(c, 400, why);
        return;
    }
    apply_update(c, &update);
    call_message(c, 201, "success");
}

void answer_subscription_set_v2(struct call *c)
{
    struct jv list = jv_get(c->body, STR("subscription_groups"));
    struct group_update update;
    bool emails = false;
    bool phones = false;
    const char *why = list.type == JV_ARRAY && list.len > 0
                          ? NULL
                          : "'subscription_groups' must be an array of objects";
    for (uint32_t i = 0; why == NULL && i < list.len; i++) {
        why = read_update(c, list.items[i], &update);
        emails = emails || update.emails.len > 0;
        phones = phones || update.phones.len > 0;
        if (why == NULL && emails && phones)
            why = BOTH_ADDRESSES;
    }
    if (why != NULL) {
        call_message(c, 400, why);
        return;
    }
    c->array = "subscription_groups";
    for (uint32_t i = 0; i < list.len; i++) {
        c->index = i;
        if (read_update(c, list.items[i], &update) == NULL)
            apply_update(c, &update);
    }
    c->array = NULL;
    call_message(c, 201, "success");
}

void answer_email_status(struct call *c)
{
    struct jv emails = texts(c, c->body, STR("email"), STR("emails"));
    struct jv state = jv_get(c->body, STR("subscription_state"));
    const char *why = emails.len == 0 ? "No Recipients"
                      : emails.len > ADMIN_ENTRIES_MAX
                          ? "The max number of ids per request was exceeded"
                      : !is_state(state, true) ? "Invalid subscription state"
                                               : NULL;
    if (why != NULL) {
        call_message(c, 400, why);
        return;
    }
    for (uint32_t i = 0; i < emails.len; i++) {
        struct str key = text_lower_ascii(c->arena, str_trim(jv_str(emails.items[i])));
        struct keys_walk walk = profiles_walk(c->sandbox->profiles, KEY_EMAIL, key);
        uint32_t number;
        struct profile *p =
            keys_next(&walk, &number) ? profiles_get(c->sandbox->profiles, number) : NULL;
        if (p != NULL)
            set_subscription_state(c, p, STR("email_subscribe"), jv_str(state));
        else if (email_is(key))
            states_keep(c, key, STR(""), jv_str(state));
    }
    call_message(c, 201, "success");
}

/* The values of `name` and `name[]`, at most ADMIN_ENTRIES_MAX; more: *too_many. */
struct values {
    struct str items[ADMIN_ENTRIES_MAX];
    size_t count;
};

static bool read_values(struct call *c, const char *name, struct values *out)
{
    struct str one = str_from(name);
    out->count = 0;
    for (size_t i = 0; i < c->query.count; i++) {
        struct str key = c->query.parameters[i].name;
        bool many = key.len == one.len + 2 && str_starts(key, one) && str_ends(key, STR("[]"));
        if (!many && !str_eq(key, one))
            continue;
        if (out->count == ADMIN_ENTRIES_MAX)
            return false;
        if (c->query.parameters[i].value.len > 0)
            out->items[out->count++] = c->query.parameters[i].value;
    }
    return true;
}

struct readers {
    struct values ids;
    struct values emails;
    struct values phones;
};

static bool read_readers(struct call *c, struct readers *out)
{
    return read_values(c, "external_id", &out->ids) && read_values(c, "email", &out->emails) &&
           read_values(c, "phone", &out->phones);
}

static struct jv status_word(struct jv state)
{
    if (state.type != JV_STRING)
        return text_value("Unknown");
    return text_value(str_eq(jv_str(state), STR("subscribed")) ? "Subscribed" : "Unsubscribed");
}

/* In a phone number of a query a plus that was not escaped has become a space. */
static struct str query_phone(struct call *c, struct str text)
{
    return phone_normal(c->arena,
                        str_starts(text, STR(" "))
                            ? text_format(c->arena, "+%.*s", (int)text.len - 1, text.ptr + 1)
                            : text);
}

static struct profile *by_email(struct call *c, struct str email)
{
    return profiles_get(c->sandbox->profiles,
                        address_pick(c, KEY_EMAIL, text_lower_ascii(c->arena, email)));
}

static struct profile *by_phone(struct call *c, struct str phone)
{
    return profiles_get(c->sandbox->profiles, address_pick(c, KEY_PHONE, query_phone(c, phone)));
}

void answer_subscription_get(struct call *c)
{
    struct readers who;
    struct str group = query_get(&c->query, STR("subscription_group_id"));
    const char *why = NULL;
    if (!read_readers(c, &who))
        why = "The max number of ids per request was exceeded";
    else if (!workspace_has_group(c->sandbox->workspace, group))
        why = "Invalid subscription group ID";
    else if (who.ids.count == 0 && who.emails.count > 0 && who.phones.count > 0)
        why = BOTH_ADDRESSES;
    else if (who.ids.count + who.emails.count + who.phones.count == 0)
        why = "No Recipients";
    if (why != NULL) {
        call_message(c, 400, why);
        return;
    }
    const struct values *values = who.ids.count > 0      ? &who.ids
                                  : who.emails.count > 0 ? &who.emails
                                                         : &who.phones;
    struct jv_builder status;
    jv_object_begin(&status, c->arena, (uint32_t)values->count);
    for (size_t i = 0; i < values->count; i++) {
        struct str id = values->items[i];
        struct profile *p = values == &who.ids      ? find_external_id(c, id)
                            : values == &who.emails ? by_email(c, id)
                                                    : by_phone(c, id);
        jv_object_put(
            &status, id,
            status_word(p == NULL ? jv_undefined() : profile_get(p, SECTION_GROUPS, group)));
    }
    struct jv_builder b;
    jv_object_begin(&b, c->arena, 2);
    jv_object_put(&b, STR("status"), jv_object_end(&status));
    call_success(c, 200, &b);
}

static struct jv text_or_null(struct jv value)
{
    return value.type == JV_STRING && value.len > 0 ? value : jv_null();
}

static struct jv user_object(struct call *c, struct profile *p)
{
    struct jv groups = profile_section(p, SECTION_GROUPS);
    struct jv *items;
    struct jv list = jv_array(c->arena, &items, groups.len);
    for (uint32_t i = 0; list.type == JV_ARRAY && i < groups.len; i++) {
        struct str id = groups.members[i].key;
        struct jv row = workspace_find(c->sandbox->workspace, LIST_SUBSCRIPTION_GROUPS, id);
        struct jv name = jv_get(row, STR("name"));
        struct jv channel = jv_get(row, STR("channel"));
        struct jv_builder b;
        jv_object_begin(&b, c->arena, 4);
        jv_object_put(&b, STR("id"), jv_string(id));
        jv_object_put(&b, STR("name"), name.type == JV_STRING ? name : jv_string(id));
        jv_object_put(&b, STR("channel"),
                      channel.type == JV_STRING ? channel : text_value("email"));
        jv_object_put(&b, STR("status"), status_word(groups.members[i].value));
        items[i] = jv_object_end(&b);
    }
    struct jv_builder b;
    jv_object_begin(&b, c->arena, 4);
    jv_object_put(&b, STR("email"), text_or_null(profile_get(p, SECTION_STANDARD, STR("email"))));
    jv_object_put(&b, STR("phone"), text_or_null(profile_get(p, SECTION_STANDARD, STR("phone"))));
    jv_object_put(&b, STR("external_id"), text_or_null(jv_string(p->external_id)));
    jv_object_put(&b, STR("subscription_groups"), list);
    return jv_object_end(&b);
}

enum { USERS_PAGE_MAX = 100 };

struct user_list {
    uint64_t offset;
    uint64_t limit;
    uint64_t total;
    uint32_t count;
    struct jv *items;
};

static void add_user(struct call *c, struct user_list *list, struct profile *p)
{
    if (p == NULL)
        return;
    if (list->total >= list->offset && list->count < list->limit)
        list->items[list->count++] = user_object(c, p);
    list->total++;
}

void answer_subscription_user(struct call *c)
{
    struct readers who;
    bool limit_ok;
    bool offset_ok;
    struct user_list list = {0};
    list.limit = query_number(&c->query, STR("limit"), USERS_PAGE_MAX, USERS_PAGE_MAX, &limit_ok);
    list.offset = query_number(&c->query, STR("offset"), 0, INT32_MAX, &offset_ok);
    list.items = arena_array(c->arena, USERS_PAGE_MAX, sizeof(*list.items));
    const char *why = NULL;
    if (!limit_ok || !offset_ok)
        why = "'limit' must be at most 100 and 'offset' a whole number";
    else if (!read_readers(c, &who))
        why = "The max number of ids per request was exceeded";
    else if (who.ids.count + who.emails.count + who.phones.count == 0)
        why = "No Recipients";
    if (why != NULL || list.items == NULL) {
        call_message(c, why != NULL ? 400 : 500, why != NULL ? why : "Internal Server Error");
        return;
    }
    for (size_t i = 0; i < who.ids.count; i++)
        add_user(c, &list, find_external_id(c, who.ids.items[i]));
    for (size_t i = 0; i < who.emails.count; i++)
        add_user(c, &list, by_email(c, who.emails.items[i]));
    for (size_t i = 0; i < who.phones.count; i++)
        add_user(c, &list, by_phone(c, who.phones.items[i]));
    struct jv_builder b;
    jv_object_begin(&b, c->arena, 3);
    jv_object_put(&b, STR("users"),
                  (struct jv){.type = JV_ARRAY, .len = list.count, .items = list.items});
    jv_object_put(&b, STR("total_count"), jv_number((double)list.total));
    call_success(c, 200, &b);
}
