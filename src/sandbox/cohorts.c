#include "cohorts.h"

#include "identifiers.h"
#include "times.h"

enum { COHORT_IDS_MAX = 1000 };

/* False: answered with 401. Without a list of partners every non-empty pair of keys is right. */
static bool partner_is_right(struct call *c)
{
    struct jv list = workspace_list(c->sandbox->workspace, LIST_PARTNERS);
    struct str key = jv_str(jv_get(c->body, STR("partner_api_key")));
    struct str secret = jv_str(jv_get(c->body, STR("client_secret")));
    bool known = list.len == 0;
    for (uint32_t i = 0; i < list.len && !known; i++)
        known = str_eq(jv_str(jv_get(list.items[i], STR("name"))), c->parameters[0]) &&
                str_eq(jv_str(jv_get(list.items[i], STR("partner_api_key"))), key) &&
                str_eq(jv_str(jv_get(list.items[i], STR("client_secret"))), secret);
    if (!known || key.len == 0 || secret.len == 0) {
        call_message(c, 401, key.len == 0 ? "Invalid partner key" : "Invalid client secret");
        return false;
    }
    return true;
}

void answer_cohort_create(struct call *c)
{
    int64_t ms;
    if (!partner_is_right(c))
        return;
    if (jv_str(jv_get(c->body, STR("cohort_id"))).len == 0)
        call_message(c, 400, "cohort_id is not a valid string");
    else if (jv_str(jv_get(c->body, STR("name"))).len == 0)
        call_message(c, 400, "name must not be empty");
    else if (!time_is(jv_str(jv_get(c->body, STR("created_at"))), &ms))
        call_message(c, 400, "created_at is not ISO 8601");
    else
        call_message(c, 201, "success");
}

static bool is_text_array(struct jv value)
{
    if (jv_is_nullish(value))
        return true;
    for (uint32_t i = 0; value.type == JV_ARRAY && i < value.len; i++)
        if (value.items[i].type != JV_STRING)
            return false;
    return value.type == JV_ARRAY;
}

static uint32_t length(struct jv value)
{
    return value.type == JV_ARRAY ? value.len : 0;
}

/* NULL: well-formed. */
static const char *check_changes(struct call *c, struct jv changes)
{
    static const char form[] =
        "cohort_changes must be an array of objects with user_ids or device_ids arrays of "
        "strings, or aliases";
    size_t ids = 0;
    if (jv_str(jv_get(c->body, STR("cohort_id"))).len == 0)
        return "cohort_id is not a valid string";
    if (changes.type != JV_ARRAY)
        return form;
    for (uint32_t i = 0; i < changes.len; i++) {
        struct jv users = jv_get(changes.items[i], STR("user_ids"));
        struct jv devices = jv_get(changes.items[i], STR("device_ids"));
        struct jv aliases = jv_get(changes.items[i], STR("aliases"));
        if (changes.items[i].type != JV_OBJECT || !is_text_array(users) ||
            !is_text_array(devices) || (!jv_is_nullish(aliases) && aliases.type != JV_ARRAY))
            return form;
        ids += (size_t)length(users) + length(devices) + length(aliases);
    }
    return ids > COHORT_IDS_MAX ? "more than 1000 ids in one request" : NULL;
}

static void change_one(struct call *c, struct profile *p, struct str cohort, bool remove)
{
    if (p == NULL) {
        call_note(c, NOTE_NOT_FOUND, STR(""), "a cohort's user who does not exist is left out");
        return;
    }
    if (remove)
        profile_drop(p, SECTION_COHORTS, cohort);
    else
        profile_put(p, SECTION_COHORTS, cohort, jv_bool(true));
    c->points++;
    names_count(c->sandbox->names, NAME_COHORT, cohort, 1, c->now_ms);
}

static void apply_change(struct call *c, struct jv change, struct str cohort)
{
    struct jv users = jv_get(change, STR("user_ids"));
    struct jv devices = jv_get(change, STR("device_ids"));
    struct jv aliases = jv_get(change, STR("aliases"));
    struct jv should_remove = jv_get(change, STR("should_remove"));
    bool remove = should_remove.type == JV_BOOL && should_remove.boolean;
    for (uint32_t i = 0; i < length(users); i++)
        change_one(c, find_external_id(c, jv_str(users.items[i])), cohort, remove);
    for (uint32_t i = 0; i < length(devices); i++) {
        struct profile *p =
            profiles_find(c->sandbox->profiles, KEY_DEVICE, jv_str(devices.items[i]));
        change_one(c, p != NULL && p->external_id.len == 0 ? p : NULL, cohort, remove);
    }
    for (uint32_t i = 0; i < length(aliases); i++) {
        struct str label;
        struct str name;
        bool good = alias_read(aliases.items[i], &label, &name) == ERROR_NONE;
        change_one(c, good ? find_alias(c, label, name) : NULL, cohort, remove);
    }
}

void answer_cohort_users(struct call *c)
{
    struct jv changes = jv_get(c->body, STR("cohort_changes"));
    if (!partner_is_right(c))
        return;
    const char *why = check_changes(c, changes);
    if (why != NULL) {
        call_message(c, 400, why);
        return;
    }
    c->array = "cohort_changes";
    for (uint32_t i = 0; i < changes.len; i++) {
        c->index = i;
        apply_change(c, changes.items[i], jv_str(jv_get(c->body, STR("cohort_id"))));
    }
    c->array = NULL;
    call_message(c, 201, "success");
}
