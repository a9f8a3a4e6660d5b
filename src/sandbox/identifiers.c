#include "identifiers.h"

#include "locales.h"
#include "text.h"

struct str id_text(struct call *c, struct jv value)
{
    int64_t number;
    if (value.type == JV_STRING)
        return jv_str(value);
    if (number_is_i64(value, &number))
        return text_of_number(c->arena, value);
    return STR("");
}

enum object_error alias_read(struct jv alias, struct str *label, struct str *name)
{
    *label = jv_str(jv_get(alias, STR("alias_label")));
    *name = jv_str(jv_get(alias, STR("alias_name")));
    bool texts = jv_get(alias, STR("alias_label")).type == JV_STRING &&
                 jv_get(alias, STR("alias_name")).type == JV_STRING;
    if (!texts || label->len == 0 || name->len == 0)
        return ERROR_ALIAS_FORM;
    return label->len > ALIAS_BYTES_MAX || name->len > ALIAS_BYTES_MAX ? ERROR_ALIAS_LONG
                                                                       : ERROR_NONE;
}

/* The last of a name counts, as duplicate keys do; one pass over the object. */
struct identifiers {
    struct jv external_id;
    struct jv user_alias;
    struct jv braze_id;
    struct jv email;
    struct jv phone;
    struct jv update_only;
    struct jv token_import;
    struct jv tokens;
};

static struct identifiers pick_identifiers(struct jv object)
{
    struct identifiers ids = {0};
    for (uint32_t i = 0; i < object.len; i++) {
        struct str key = object.members[i].key;
        struct jv value = object.members[i].value;
        switch (key.len) {
        case 5:
            if (str_eq(key, STR("email")))
                ids.email = value;
            else if (str_eq(key, STR("phone")))
                ids.phone = value;
            break;
        case 8:
            if (str_eq(key, STR("braze_id")))
                ids.braze_id = value;
            break;
        case 10:
            if (str_eq(key, STR("user_alias")))
                ids.user_alias = value;
            break;
        case 11:
            if (str_eq(key, STR("external_id")))
                ids.external_id = value;
            else if (str_eq(key, STR("push_tokens")))
                ids.tokens = value;
            break;
        case 17:
            if (str_eq(key, STR("push_token_import")))
                ids.token_import = value;
            break;
        case 21:
            if (str_eq(key, STR("_update_existing_only")))
                ids.update_only = value;
            break;
        default:
            break;
        }
    }
    return ids;
}

static enum object_error read_primary(struct call *c, const struct identifiers *ids,
                                      struct who *who)
{
    struct str external_id = id_text(c, ids->external_id);
    struct str braze_id = jv_str(ids->braze_id);
    bool has_alias = !jv_is_nullish(ids->user_alias) &&
                     !(ids->user_alias.type == JV_STRING && ids->user_alias.len == 0);
    if ((external_id.len > 0) + (braze_id.len > 0) + has_alias > 1)
        return ERROR_SEVERAL_IDENTIFIERS;
    if (external_id.len > 0) {
        *who = (struct who){.kind = WHO_EXTERNAL_ID, .text = external_id, .key = external_id};
        if (external_id.len > EXTERNAL_ID_BYTES_MAX)
            return ERROR_EXTERNAL_ID_LONG;
        return workspace_blocks(c->sandbox->workspace, BLOCK_EXTERNAL_IDS, external_id)
                   ? ERROR_BLOCKED
                   : ERROR_NONE;
    }
    if (braze_id.len > 0) {
        *who = (struct who){.kind = WHO_BRAZE_ID, .text = braze_id, .key = braze_id};
        return ERROR_NONE;
    }
    if (!has_alias)
        return ERROR_NO_IDENTIFIER;
    *who = (struct who){.kind = WHO_ALIAS};
    enum object_error error = alias_read(ids->user_alias, &who->label, &who->text);
    if (error == ERROR_NONE)
        who->key = text_pair(c->arena, who->label, who->text);
    return error;
}

static enum object_error read_secondary(struct call *c, const struct identifiers *ids,
                                        struct who *who)
{
    if (ids->email.type == JV_STRING && ids->email.len > 0) {
        struct str email = str_trim(jv_str(ids->email));
        *who = (struct who){
            .kind = WHO_EMAIL, .text = email, .key = text_lower_ascii(c->arena, email)};
        return email_is(email) ? ERROR_NONE : ERROR_EMAIL;
    }
    struct str phone = id_text(c, ids->phone);
    if (phone.len > 0) {
        *who = (struct who){.kind = WHO_PHONE, .text = phone, .key = phone_normal(c->arena, phone)};
        return who->key.len > 0 ? ERROR_NONE : ERROR_PHONE;
    }
    return ERROR_NO_IDENTIFIER;
}

/* §2.3: whether a missing profile is created. */
static bool creates(struct call *c, const struct who *who, struct jv update_only,
                    bool is_attributes)
{
    bool said_true = update_only.type == JV_BOOL && update_only.boolean;
    bool said_false = update_only.type == JV_BOOL && !update_only.boolean;
    switch (who->kind) {
    case WHO_EXTERNAL_ID:
    case WHO_EMAIL:
    case WHO_PHONE:
        return !said_true;
    case WHO_ALIAS:
        return said_false &&
               (is_attributes || call_choice(c, CHOICE_EVENT_ALIAS_CREATES) == ALIAS_CREATES);
    case WHO_BRAZE_ID:
        return false;
    case WHO_TOKENS:
        return true;
    }
    return false;
}

enum object_error who_read(struct call *c, struct jv object, bool is_attributes, struct who *who)
{
    *who = (struct who){0};
    if (object.type != JV_OBJECT)
        return ERROR_NO_IDENTIFIER;
    struct identifiers ids = pick_identifiers(object);
    bool import = is_attributes && ids.token_import.type == JV_BOOL && ids.token_import.boolean;
    if (import) {
        if (!jv_is_nullish(ids.external_id) || !jv_is_nullish(ids.braze_id) ||
            ids.tokens.type != JV_ARRAY || ids.tokens.len == 0)
            return ERROR_TOKEN_IMPORT;
        *who = (struct who){.kind = WHO_TOKENS, .creates = true};
        return ERROR_NONE;
    }
    enum object_error error = read_primary(c, &ids, who);
    if (error == ERROR_NO_IDENTIFIER)
        error = read_secondary(c, &ids, who);
    if (error == ERROR_NONE)
        who->creates = creates(c, who, ids.update_only, is_attributes);
    return error;
}

struct profile *find_external_id(struct call *c, struct str id)
{
    struct profile *p = profiles_find(c->sandbox->profiles, KEY_EXTERNAL_ID, id);
    return p != NULL ? p : profiles_find(c->sandbox->profiles, KEY_DEPRECATED_ID, id);
}

struct profile *find_alias(struct call *c, struct str label, struct str name)
{
    return profiles_find(c->sandbox->profiles, KEY_ALIAS, text_pair(c->arena, label, name));
}

uint32_t address_pick(struct call *c, enum key_kind kind, struct str key)
{
    struct profiles *ps = c->sandbox->profiles;
    uint32_t best = PROFILE_NONE;
    uint32_t number;
    for (struct keys_walk walk = profiles_walk(ps, kind, key); keys_next(&walk, &number);) {
        if (best == PROFILE_NONE) {
            best = number;
            continue;
        }
        bool a = profiles_is_identified(ps, number);
        bool b = profiles_is_identified(ps, best);
        if (a != b ? a : profiles_updated(ps, number) > profiles_updated(ps, best))
            best = number;
    }
    return best;
}

static struct profile *find(struct call *c, const struct who *who)
{
    struct profiles *ps = c->sandbox->profiles;
    switch (who->kind) {
    case WHO_EXTERNAL_ID:
        return find_external_id(c, who->key);
    case WHO_ALIAS:
        return profiles_find(ps, KEY_ALIAS, who->key);
    case WHO_BRAZE_ID:
        return profiles_find(ps, KEY_BRAZE_ID, who->key);
    case WHO_EMAIL:
        return profiles_get(ps, address_pick(c, KEY_EMAIL, who->key));
    case WHO_PHONE:
        return profiles_get(ps, address_pick(c, KEY_PHONE, who->key));
    case WHO_TOKENS:
        return NULL;
    }
    return NULL;
}

static struct profile *create(struct call *c, const struct who *who)
{
    struct profile *p = profiles_create(c->sandbox->profiles);
    if (p == NULL)
        return NULL;
    switch (who->kind) {
    case WHO_EXTERNAL_ID:
        profile_set_external_id(p, who->key);
        break;
    case WHO_ALIAS:
        profile_put(p, SECTION_ALIASES, who->label, jv_string(who->text));
        break;
    case WHO_EMAIL:
        profile_put(p, SECTION_STANDARD, STR("email"), jv_string(who->text));
        break;
    case WHO_PHONE:
        profile_put(p, SECTION_STANDARD, STR("phone"), jv_string(who->key));
        break;
    case WHO_BRAZE_ID:
    case WHO_TOKENS:
        break;
    }
    return p;
}

struct profile *who_resolve(struct call *c, const struct who *who, enum object_error *error)
{
    *error = ERROR_NONE;
    struct profile *p = find(c, who);
    if (p != NULL && (profile_section(p, SECTION_EVENTS).len > BLOCKED_NAMES_MAX ||
                      profile_section(p, SECTION_PRODUCTS).len > BLOCKED_NAMES_MAX)) {
        *error = ERROR_BLOCKED;
        return NULL;
    }
    if (p == NULL && who->creates)
        p = create(c, who);
    else if (p == NULL)
        call_note(c, NOTE_NOT_FOUND, STR(""),
                  "update-only: nobody is known as '%.*s', nothing is stored", STR_ARG(who->text));
    if (p != NULL)
        profile_touch(p);
    return p;
}

void who_write(struct call *c, const struct who *who, struct jv_builder *out)
{
    static const struct str keys[] = {
        [WHO_EXTERNAL_ID] = STR_INIT("external_id"),
        [WHO_ALIAS] = STR_INIT("user_alias"),
        [WHO_BRAZE_ID] = STR_INIT("braze_id"),
        [WHO_EMAIL] = STR_INIT("email"),
        [WHO_PHONE] = STR_INIT("phone"),
        [WHO_TOKENS] = STR_INIT("push_token_import"),
    };
    struct jv value = jv_string(who->text);
    if (who->kind == WHO_TOKENS)
        value = jv_bool(true);
    if (who->kind == WHO_ALIAS) {
        struct jv_builder alias;
        jv_object_begin(&alias, c->arena, 2);
        jv_object_put(&alias, STR("alias_name"), jv_string(who->text));
        jv_object_put(&alias, STR("alias_label"), jv_string(who->label));
        value = jv_object_end(&alias);
    }
    jv_object_put(out, keys[who->kind], value);
}

static const struct str order_words[] = {STR_INIT("identified"), STR_INIT("unidentified"),
                                         STR_INIT("most_recently_updated"),
                                         STR_INIT("least_recently_updated")};

bool prioritization_is(struct jv order)
{
    if (order.type != JV_ARRAY || order.len == 0)
        return false;
    int identities = 0;
    for (uint32_t i = 0; i < order.len; i++) {
        size_t w = 0;
        while (w < countof(order_words) && !str_eq(order_words[w], jv_str(order.items[i])))
            w++;
        if (w == countof(order_words))
            return false;
        identities += w < 2;
    }
    return identities <= 1;
}

static bool asks(struct jv order, struct str word)
{
    for (uint32_t i = 0; order.type == JV_ARRAY && i < order.len; i++)
        if (str_eq(jv_str(order.items[i]), word))
            return true;
    return false;
}

uint32_t address_prioritize(struct call *c, enum key_kind kind, struct str key, struct jv order)
{
    struct profiles *ps = c->sandbox->profiles;
    bool identified = asks(order, STR("identified"));
    bool unidentified = asks(order, STR("unidentified"));
    bool newest = asks(order, STR("most_recently_updated"));
    bool oldest = !newest && asks(order, STR("least_recently_updated"));
    uint32_t best = PROFILE_NONE;
    size_t candidates = 0;
    uint32_t number;
    for (struct keys_walk walk = profiles_walk(ps, kind, key); keys_next(&walk, &number);) {
        bool has_id = profiles_is_identified(ps, number);
        if ((identified && !has_id) || (unidentified && has_id))
            continue;
        candidates++;
        if (best == PROFILE_NONE ||
            (newest && profiles_updated(ps, number) > profiles_updated(ps, best)) ||
            (oldest && profiles_updated(ps, number) < profiles_updated(ps, best)))
            best = number;
    }
    return candidates <= 1 || newest || oldest ? best : PROFILE_NONE;
}
