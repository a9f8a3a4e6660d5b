#include "admin.h"

#include "identifiers.h"
#include "locales.h"
#include "merge.h"
#include "text.h"

bool admin_array(struct call *c, const char *key, const char *what, const char *too_many,
                 struct jv *out)
{
    *out = jv_get(c->body, str_from(key));
    if (out->type != JV_ARRAY || out->len == 0) {
        call_message_str(c, 400, text_format(c->arena, "'%s' must be an array of %s", key, what));
        return false;
    }
    if (out->len > ADMIN_ENTRIES_MAX) {
        call_message(c, 400, too_many);
        return false;
    }
    return true;
}

static void reply_aliases(struct call *c, uint32_t count)
{
    struct jv_builder b;
    jv_object_begin(&b, c->arena, 2);
    jv_object_put(&b, STR("aliases_processed"), jv_number(count));
    call_success(c, 201, &b);
}

struct identify_array {
    const char *key;
    struct str count_key;
    enum who_kind kind;
};

static const struct identify_array identify_arrays[] = {
    {"aliases_to_identify", STR_INIT("aliases_processed"), WHO_ALIAS},
    {"emails_to_identify", STR_INIT("emails_processed"), WHO_EMAIL},
    {"phone_numbers_to_identify", STR_INIT("phone_numbers_processed"), WHO_PHONE},
};

static void give_external_id(struct call *c, struct profile *p, struct str id)
{
    struct profile *target = find_external_id(c, id);
    if (target == p)
        call_note(c, NOTE_NO_EFFECT, STR(""), "the profile has this external_id already");
    else if (p->external_id.len > 0)
        call_note(c, NOTE_NO_EFFECT, STR(""), "the profile is identified already, as '%.*s'",
                  STR_ARG(p->external_id));
    else if (target == NULL) {
        profile_set_external_id(p, id);
        profile_touch(p);
    } else if (merge_shares_label(p, target))
        call_note(c, NOTE_NO_EFFECT, STR(""), "both have an alias of the same label: not combined");
    else
        merge_profiles(c, p, target);
}

/* The profile an address and its prioritization single out; none when one of the candidates has the
 * id already. */
static struct profile *pick_address(struct call *c, enum key_kind kind, struct str key,
                                    struct jv entry, struct str external_id)
{
    struct profiles *ps = c->sandbox->profiles;
    struct profile *target = find_external_id(c, external_id);
    uint32_t number;
    for (struct keys_walk walk = profiles_walk(ps, kind, key);
         target != NULL && keys_next(&walk, &number);)
        if (number == target->number)
            return NULL;
    return profiles_get(ps, address_prioritize(c, kind, key, jv_get(entry, STR("prioritization"))));
}

static enum object_error identify_one(struct call *c, enum who_kind kind, struct jv entry)
{
    struct str id = id_text(c, jv_get(entry, STR("external_id")));
    struct profile *p = NULL;
    struct str label;
    struct str name;
    if (id.len == 0)
        return ERROR_NO_IDENTIFIER;
    if (id.len > EXTERNAL_ID_BYTES_MAX)
        return ERROR_EXTERNAL_ID_LONG;
    if (kind == WHO_ALIAS) {
        enum object_error error = alias_read(jv_get(entry, STR("user_alias")), &label, &name);
        if (error != ERROR_NONE)
            return error;
        p = find_alias(c, label, name);
    } else {
        bool by_email = kind == WHO_EMAIL;
        struct str text = id_text(c, jv_get(entry, by_email ? STR("email") : STR("phone")));
        struct str key = by_email ? text_lower_ascii(c->arena, text) : phone_normal(c->arena, text);
        if (by_email && !email_is(text))
            return ERROR_EMAIL;
        if (key.len == 0)
            return ERROR_PHONE;
        if (!prioritization_is(jv_get(entry, STR("prioritization"))))
            return ERROR_PRIORITIZATION;
        p = pick_address(c, by_email ? KEY_EMAIL : KEY_PHONE, key, entry, id);
    }
    if (p == NULL)
        call_note(c, NOTE_NOT_FOUND, STR(""),
                  "nobody, or not exactly one profile, to identify as '%.*s'", STR_ARG(id));
    else
        give_external_id(c, p, id);
    return ERROR_NONE;
}

/* The arrays of the request; false: answered with 400. */
static bool read_identify(struct call *c, struct jv *lists)
{
    size_t total = 0;
    bool any = false;
    for (size_t i = 0; i < countof(identify_arrays); i++) {
        lists[i] = jv_get(c->body, str_from(identify_arrays[i].key));
        if (jv_is_nullish(lists[i]))
            continue;
        if (lists[i].type != JV_ARRAY)
            return admin_array(c, identify_arrays[i].key, "objects", TOO_MANY_IDS_AND_ALIASES,
                               &lists[i]);
        any = true;
        total += lists[i].len;
    }
    if (!any || total == 0)
        return admin_array(c, identify_arrays[0].key, "objects", TOO_MANY_IDS_AND_ALIASES,
                           &lists[0]);
    if (total > ADMIN_ENTRIES_MAX)
        call_message(c, 400, TOO_MANY_IDS_AND_ALIASES);
    return total <= ADMIN_ENTRIES_MAX;
}

static struct jv error_object(struct call *c, enum object_error error, const char *array,
                              uint32_t index)
{
    struct jv_builder b;
    jv_object_begin(&b, c->arena, 3);
    jv_object_put(&b, STR("type"), jv_string(object_error_text(c, error)));
    jv_object_put(&b, STR("input_array"), text_value(array));
    jv_object_put(&b, STR("index"), jv_number(index));
    return jv_object_end(&b);
}

void answer_identify(struct call *c)
{
    struct jv lists[countof(identify_arrays)];
    struct jv *errors;
    struct jv_builder b;
    if (!read_identify(c, lists))
        return;
    struct jv error_list = jv_array(c->arena, &errors, ADMIN_ENTRIES_MAX);
    error_list.len = 0;
    jv_object_begin(&b, c->arena, 5);
    uint32_t accepted = 0;
    for (size_t i = 0; i < countof(identify_arrays); i++) {
        uint32_t count = 0;
        c->array = identify_arrays[i].key;
        for (uint32_t n = 0; lists[i].type == JV_ARRAY && n < lists[i].len; n++) {
            c->index = n;
            enum object_error error = identify_one(c, identify_arrays[i].kind, lists[i].items[n]);
            if (error == ERROR_NONE)
                count++;
            else
                errors[error_list.len++] = error_object(c, error, c->array, n);
        }
        accepted += count;
        bool printed = i == 0 || call_choice(c, CHOICE_IDENTIFY_COUNTS) == COUNT_PER_ARRAY;
        if (lists[i].type == JV_ARRAY && printed)
            jv_object_put(&b, identify_arrays[i].count_key, jv_number(count));
    }
    c->array = NULL;
    if (error_list.len > 0)
        jv_object_put(&b, STR("errors"), error_list);
    if (accepted > 0) {
        call_success(c, 201, &b);
        return;
    }
    jv_object_put(&b, STR("message"), text_value("Bad Request"));
    call_reply(c, 400, jv_object_end(&b));
}

static void add_alias(struct call *c, struct jv entry, struct str label, struct str name)
{
    struct str id = id_text(c, jv_get(entry, STR("external_id")));
    if (find_alias(c, label, name) != NULL) {
        call_note(c, NOTE_NO_EFFECT, STR(""), "the alias is somebody's already");
        return;
    }
    struct profile *p =
        id.len > 0 ? find_external_id(c, id) : profiles_create(c->sandbox->profiles);
    if (p == NULL) {
        call_note(c, NOTE_NOT_FOUND, STR(""),
                  "nobody has the external_id '%.*s': the alias is nobody's", STR_ARG(id));
        return;
    }
    if (profile_get(p, SECTION_ALIASES, label).type != JV_UNDEFINED) {
        call_note(c, NOTE_NO_EFFECT, STR(""), "the profile has another name for the label '%.*s'",
                  STR_ARG(label));
        return;
    }
    profile_put(p, SECTION_ALIASES, label, jv_string(name));
    profile_touch(p);
}

void answer_alias_new(struct call *c)
{
    struct jv list;
    if (!admin_array(c, "user_aliases", "objects", TOO_MANY_IDS_AND_ALIASES, &list))
        return;
    uint32_t accepted = 0;
    c->array = "user_aliases";
    for (uint32_t i = 0; i < list.len; i++) {
        struct str label;
        struct str name;
        c->index = i;
        if (alias_read(list.items[i], &label, &name) != ERROR_NONE) {
            call_note(c, NOTE_REJECTED, STR(""),
                      "alias_name and alias_label must be texts of 1 to 236 bytes");
            continue;
        }
        accepted++;
        add_alias(c, list.items[i], label, name);
    }
    c->array = NULL;
    if (accepted == 0)
        call_message(c, 400, "'user_aliases' must be an array of objects");
    else
        reply_aliases(c, accepted);
}

static bool update_alias(struct call *c, struct jv entry)
{
    struct str label = jv_str(jv_get(entry, STR("alias_label")));
    struct str from = jv_str(jv_get(entry, STR("old_alias_name")));
    struct str to = jv_str(jv_get(entry, STR("new_alias_name")));
    if (label.len == 0 || from.len == 0 || to.len == 0 || label.len > ALIAS_BYTES_MAX ||
        to.len > ALIAS_BYTES_MAX)
        return false;
    struct profile *p = find_alias(c, label, from);
    if (p == NULL)
        call_note(c, NOTE_NOT_FOUND, STR(""), "nobody has the alias '%.*s'", STR_ARG(from));
    else if (find_alias(c, label, to) != NULL)
        call_note(c, NOTE_NO_EFFECT, STR(""), "the new name is somebody's already");
    else {
        profile_put(p, SECTION_ALIASES, label, jv_string(to));
        profile_touch(p);
    }
    return true;
}

void answer_alias_update(struct call *c)
{
    struct jv list;
    if (!admin_array(c, "alias_updates", "objects", TOO_MANY_IDS_AND_ALIASES, &list))
        return;
    uint32_t accepted = 0;
    c->array = "alias_updates";
    for (uint32_t i = 0; i < list.len; i++) {
        c->index = i;
        if (update_alias(c, list.items[i]))
            accepted++;
        else
            call_note(c, NOTE_REJECTED, STR(""),
                      "alias_label, old_alias_name and new_alias_name must be texts");
    }
    c->array = NULL;
    if (accepted == 0)
        call_message(c, 400, "'alias_updates' must be an array of objects");
    else
        reply_aliases(c, accepted);
}

static struct jv index_and_text(struct call *c, uint32_t index, const char *text)
{
    struct jv *items;
    struct jv pair = jv_array(c->arena, &items, 2);
    if (pair.type != JV_ARRAY)
        return pair;
    items[0] = jv_number(index);
    items[1] = text_value(text);
    return pair;
}

/* NULL: renamed. */
static const char *rename_one(struct call *c, struct jv entry)
{
    struct profiles *ps = c->sandbox->profiles;
    struct str from = id_text(c, jv_get(entry, STR("current_external_id")));
    struct str to = id_text(c, jv_get(entry, STR("new_external_id")));
    struct profile *p = profiles_find(ps, KEY_EXTERNAL_ID, from);
    if (str_eq(from, to))
        return "current_external_id and new_external_id must be different";
    if (from.len == 0 || p == NULL)
        return "current_external_id not found";
    if (to.len == 0 || to.len > EXTERNAL_ID_BYTES_MAX)
        return "new_external_id must be a string of fewer than 988 bytes";
    if (find_external_id(c, to) != NULL)
        return "new_external_id is already in use";
    profile_set_external_id(p, to);
    profile_put(p, SECTION_DEPRECATED, from, jv_bool(true));
    return NULL;
}

void answer_rename(struct call *c)
{
    struct jv list;
    struct jv *errors;
    struct jv *renamed;
    if (!admin_array(c, "external_id_renames", "objects", TOO_MANY_IDS, &list))
        return;
    struct jv error_list = jv_array(c->arena, &errors, list.len);
    struct jv renamed_list = jv_array(c->arena, &renamed, list.len);
    error_list.len = 0;
    renamed_list.len = 0;
    for (uint32_t i = 0; i < list.len; i++) {
        const char *why = rename_one(c, list.items[i]);
        if (why == NULL)
            renamed[renamed_list.len++] = list.items[i];
        else
            errors[error_list.len++] = index_and_text(c, i, why);
    }
    struct jv_builder b;
    jv_object_begin(&b, c->arena, 3);
    jv_object_put(&b, STR("rename_errors"), error_list);
    jv_object_put(&b, STR("external_ids"), renamed_list);
    call_success(c, 201, &b);
}

void answer_remove(struct call *c)
{
    struct jv list;
    struct jv *errors;
    struct jv *removed;
    if (!admin_array(c, "external_ids", "strings", TOO_MANY_IDS, &list))
        return;
    struct jv error_list = jv_array(c->arena, &errors, list.len);
    struct jv removed_list = jv_array(c->arena, &removed, list.len);
    error_list.len = 0;
    removed_list.len = 0;
    for (uint32_t i = 0; i < list.len; i++) {
        struct str id = id_text(c, list.items[i]);
        struct profile *p = profiles_find(c->sandbox->profiles, KEY_DEPRECATED_ID, id);
        if (p == NULL) {
            errors[error_list.len++] = index_and_text(c, i, "external_id is not a deprecated id");
            continue;
        }
        profile_drop(p, SECTION_DEPRECATED, id);
        removed[removed_list.len++] = jv_string(id);
    }
    struct jv_builder b;
    jv_object_begin(&b, c->arena, 3);
    jv_object_put(&b, STR("removed_ids"), removed_list);
    jv_object_put(&b, STR("removal_errors"), error_list);
    call_success(c, 201, &b);
}
