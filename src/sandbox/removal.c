#include "admin.h"

#include "identifiers.h"
#include "locales.h"
#include "merge.h"
#include "states.h"
#include "text.h"

enum delete_kind {
    DELETE_EXTERNAL_IDS,
    DELETE_ALIASES,
    DELETE_BRAZE_IDS,
    DELETE_EMAILS,
    DELETE_PHONES,
    DELETE_KINDS
};

static const struct {
    const char *key;
    const char *what;
} delete_arrays[DELETE_KINDS] = {
    [DELETE_EXTERNAL_IDS] = {"external_ids", "strings"},
    [DELETE_ALIASES] = {"user_aliases", "objects"},
    [DELETE_BRAZE_IDS] = {"braze_ids", "strings"},
    [DELETE_EMAILS] = {"email_addresses", "objects"},
    [DELETE_PHONES] = {"phone_numbers", "objects"},
};

static struct profile *find_to_delete(struct call *c, enum delete_kind kind, struct jv entry)
{
    struct profiles *ps = c->sandbox->profiles;
    struct str label;
    struct str name;
    switch (kind) {
    case DELETE_EXTERNAL_IDS:
        return find_external_id(c, id_text(c, entry));
    case DELETE_ALIASES:
        return alias_read(entry, &label, &name) == ERROR_NONE ? find_alias(c, label, name) : NULL;
    case DELETE_BRAZE_IDS:
        return profiles_find(ps, KEY_BRAZE_ID, jv_str(entry));
    case DELETE_EMAILS:
        return profiles_get(
            ps, address_prioritize(c, KEY_EMAIL,
                                   text_lower_ascii(c->arena, jv_str(jv_get(entry, STR("email")))),
                                   jv_get(entry, STR("prioritization"))));
    case DELETE_PHONES:
        return profiles_get(
            ps, address_prioritize(c, KEY_PHONE,
                                   phone_normal(c->arena, id_text(c, jv_get(entry, STR("phone")))),
                                   jv_get(entry, STR("prioritization"))));
    case DELETE_KINDS:
        break;
    }
    return NULL;
}

/* DELETE_KINDS: none of the keys, or several. */
static enum delete_kind read_kind(struct call *c, const char **why)
{
    enum delete_kind found = DELETE_KINDS;
    *why = "'external_ids' must be an array of strings";
    for (int i = 0; i < DELETE_KINDS; i++) {
        if (jv_is_nullish(jv_get(c->body, str_from(delete_arrays[i].key))))
            continue;
        if (found != DELETE_KINDS) {
            *why = "Only one of 'external_ids', 'user_aliases', 'braze_ids', 'email_addresses' or "
                   "'phone_numbers' may be provided";
            return DELETE_KINDS;
        }
        found = (enum delete_kind)i;
    }
    return found;
}

void answer_delete(struct call *c)
{
    const char *why;
    struct jv list;
    enum delete_kind kind = read_kind(c, &why);
    if (kind == DELETE_KINDS) {
        call_message(c, 400, why);
        return;
    }
    if (!admin_array(c, delete_arrays[kind].key, delete_arrays[kind].what, TOO_MANY_IDS, &list))
        return;
    c->array = delete_arrays[kind].key;
    for (uint32_t i = 0; i < list.len; i++) {
        c->index = i;
        struct profile *p = find_to_delete(c, kind, list.items[i]);
        if (p == NULL)
            call_note(c, NOTE_NOT_FOUND, STR(""), "nobody, or not exactly one profile, to delete");
        else
            profile_remove(p);
    }
    c->array = NULL;
    struct jv_builder b;
    jv_object_begin(&b, c->arena, 2);
    jv_object_put(&b, STR("deleted"), jv_number(list.len));
    call_success(c, 201, &b);
}

#define BAD_IDENTIFIER                                                                             \
    "identifiers must be objects with an 'external_id' property that is a string, 'user_alias' "   \
    "property "                                                                                    \
    "that is an object, 'email' property that is a string, or 'phone' property that is a string"

static bool identifier_is_good(struct jv identifier)
{
    return jv_get(identifier, STR("external_id")).type == JV_STRING ||
           jv_get(identifier, STR("user_alias")).type == JV_OBJECT ||
           jv_get(identifier, STR("email")).type == JV_STRING ||
           jv_get(identifier, STR("phone")).type == JV_STRING;
}

static struct profile *find_to_merge(struct call *c, struct jv identifier)
{
    struct jv id = jv_get(identifier, STR("external_id"));
    struct jv alias = jv_get(identifier, STR("user_alias"));
    struct jv email = jv_get(identifier, STR("email"));
    struct jv order = jv_get(identifier, STR("prioritization"));
    struct profiles *ps = c->sandbox->profiles;
    struct str label;
    struct str name;
    if (id.type == JV_STRING)
        return find_external_id(c, jv_str(id));
    if (alias.type == JV_OBJECT)
        return alias_read(alias, &label, &name) == ERROR_NONE ? find_alias(c, label, name) : NULL;
    if (!prioritization_is(order))
        return NULL;
    if (email.type == JV_STRING)
        return profiles_get(
            ps, address_prioritize(c, KEY_EMAIL, text_lower_ascii(c->arena, jv_str(email)), order));
    struct str phone = phone_normal(c->arena, jv_str(jv_get(identifier, STR("phone"))));
    return profiles_get(ps, address_prioritize(c, KEY_PHONE, phone, order));
}

/* NULL: well-formed. */
static const char *check_merges(struct jv list)
{
    if (list.type != JV_ARRAY || list.len == 0)
        return "'merge_updates' must be an array of objects";
    if (list.len > ADMIN_ENTRIES_MAX)
        return "a single request may not contain more than 50 merge updates";
    for (uint32_t i = 0; i < list.len; i++) {
        struct jv entry = list.items[i];
        if (entry.type != JV_OBJECT)
            return "'merge_updates' must be an array of objects";
        struct jv from = jv_get(entry, STR("identifier_to_merge"));
        struct jv into = jv_get(entry, STR("identifier_to_keep"));
        if (entry.len != 2 || from.type == JV_UNDEFINED || into.type == JV_UNDEFINED)
            return "'merge_updates' must only have 'identifier_to_merge' and 'identifier_to_keep'";
        if (!identifier_is_good(from) || !identifier_is_good(into))
            return BAD_IDENTIFIER;
    }
    return NULL;
}

void answer_merge(struct call *c)
{
    struct jv list = jv_get(c->body, STR("merge_updates"));
    const char *why = check_merges(list);
    if (why != NULL) {
        call_message(c, 400, why);
        return;
    }
    c->array = "merge_updates";
    for (uint32_t i = 0; i < list.len; i++) {
        c->index = i;
        struct profile *from = find_to_merge(c, jv_get(list.items[i], STR("identifier_to_merge")));
        struct profile *into = find_to_merge(c, jv_get(list.items[i], STR("identifier_to_keep")));
        if (from == NULL || into == NULL)
            call_note(c, NOTE_NOT_FOUND, STR(""),
                      "one of the two is nobody, or not exactly one profile");
        else if (from == into)
            call_note(c, NOTE_NO_EFFECT, STR(""), "both identifiers are one profile's");
        else
            merge_profiles(c, from, into);
    }
    c->array = NULL;
    call_message(c, 202, "success");
}
