#include "workspace.h"

#include <errno.h>
#include <stdlib.h>

#include "text.h"

enum { UUID_BYTES = 36, WORKSPACE_ARENA_BYTES = 64 << 20 };

struct workspace {
    struct arena arena;
    struct jv root;
    struct str extra_key;
};

static const struct str list_names[LIST_COUNT] = {
    [LIST_SUBSCRIPTION_GROUPS] = STR_INIT("subscription_groups"),
    [LIST_CAMPAIGNS] = STR_INIT("campaigns"),
    [LIST_CANVASES] = STR_INIT("canvases"),
    [LIST_SEGMENTS] = STR_INIT("segments"),
    [LIST_PARTNERS] = STR_INIT("partners"),
};

static const struct str block_names[BLOCK_COUNT] = {
    [BLOCK_ATTRIBUTES] = STR_INIT("attributes"),
    [BLOCK_EVENTS] = STR_INIT("events"),
    [BLOCK_EXTERNAL_IDS] = STR_INIT("external_ids"),
};

static int check_key(struct jv item, struct err *err)
{
    if (jv_get(item, STR("key")).type != JV_STRING || jv_get(item, STR("key")).len == 0)
        return err_set_path(err, -EINVAL, "/api_keys",
                            "expected objects with a 'key' that is a text");
    struct jv permissions = jv_get(item, STR("permissions"));
    if (permissions.type != JV_UNDEFINED && permissions.type != JV_ARRAY)
        return err_set_path(err, -EINVAL, "/api_keys", "'permissions' must be an array of texts");
    return 0;
}

static int check_ided(struct jv item, struct err *err)
{
    if (jv_get(item, STR("id")).type != JV_STRING)
        return err_set(err, -EINVAL, 0, "expected objects with an 'id' that is a text");
    return 0;
}

static int check_partner(struct jv item, struct err *err)
{
    static const struct str keys[] = {STR_INIT("name"), STR_INIT("partner_api_key"),
                                      STR_INIT("client_secret")};
    for (size_t i = 0; i < countof(keys); i++)
        if (jv_get(item, keys[i]).type != JV_STRING)
            return err_set(err, -EINVAL, 0, "partners need a '%.*s' that is a text",
                           STR_ARG(keys[i]));
    return 0;
}

static int check_text(struct jv item, struct err *err)
{
    return item.type == JV_STRING ? 0 : err_set(err, -EINVAL, 0, "expected texts");
}

static int check_rate(struct jv item, struct err *err)
{
    if (item.type != JV_NUMBER || !(jv_as_double(item) > 0))
        return err_set(err, -EINVAL, 0, "an exchange rate must be a number above 0");
    return 0;
}

static int check_type(struct jv item, struct err *err)
{
    if (data_type_find(jv_str(item)) == DATA_UNKNOWN)
        return err_set(err, -EINVAL, 0, "a type is one of boolean, number, string, time, array");
    return 0;
}

static int check_array(struct jv item, struct err *err)
{
    return item.type == JV_ARRAY ? 0 : err_set(err, -EINVAL, 0, "expected arrays of texts");
}

static int check_any(struct jv item, struct err *err)
{
    (void)item;
    (void)err;
    return 0;
}

struct part {
    struct str name;
    enum jv_type type; /* JV_ARRAY or JV_OBJECT */
    int (*check)(struct jv item, struct err *err);
};

static const struct part parts[] = {
    {STR_INIT("api_keys"), JV_ARRAY, check_key},
    {STR_INIT("apps"), JV_ARRAY, check_text},
    {STR_INIT("subscription_groups"), JV_ARRAY, check_ided},
    {STR_INIT("campaigns"), JV_ARRAY, check_ided},
    {STR_INIT("canvases"), JV_ARRAY, check_ided},
    {STR_INIT("segments"), JV_ARRAY, check_ided},
    {STR_INIT("partners"), JV_ARRAY, check_partner},
    {STR_INIT("blocklist"), JV_OBJECT, check_array},
    {STR_INIT("attribute_types"), JV_OBJECT, check_type},
    {STR_INIT("segmentable_properties"), JV_OBJECT, check_array},
    {STR_INIT("exchange_rates"), JV_OBJECT, check_rate},
    {STR_INIT("choices"), JV_OBJECT, check_any},
};

static int check_part(const struct part *part, struct jv value, struct err *err)
{
    char path[64] = "/";
    memcpy(path + 1, part->name.ptr, part->name.len);
    path[1 + part->name.len] = '\0';
    if (value.type != part->type)
        return err_set_path(err, -EINVAL, path, "'%.*s' must be %s", STR_ARG(part->name),
                            part->type == JV_ARRAY ? "an array" : "an object");
    for (uint32_t i = 0; i < value.len; i++) {
        struct jv item = value.type == JV_ARRAY ? value.items[i] : value.members[i].value;
        struct err why = {0};
        int rc = part->check(item, &why);
        if (rc != 0)
            return err_set_path(err, rc, path, "%.*s: %s", STR_ARG(part->name), why.msg);
    }
    return 0;
}

static int check_root(struct jv root, struct err *err)
{
    if (root.type != JV_OBJECT)
        return err_set(err, -EINVAL, 0, "the workspace must be one JSON object");
    struct str names[countof(parts)];
    for (size_t p = 0; p < countof(parts); p++)
        names[p] = parts[p].name;
    for (uint32_t i = 0; i < root.len; i++) {
        size_t p = 0;
        while (p < countof(parts) && !str_eq(parts[p].name, root.members[i].key))
            p++;
        if (p == countof(parts)) {
            struct str nearest = str_nearest(root.members[i].key, names, countof(names));
            return err_set(err, -EINVAL, 0, "the workspace has no part '%.*s'%s%.*s",
                           STR_ARG(root.members[i].key), nearest.len == 0 ? "" : "; did you mean ",
                           STR_ARG(nearest));
        }
        int rc = check_part(&parts[p], root.members[i].value, err);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int set_choices(struct workspace *w, struct choices *choices, struct err *err)
{
    struct jv object = jv_get(w->root, STR("choices"));
    for (uint32_t i = 0; object.type == JV_OBJECT && i < object.len; i++) {
        struct jv value = object.members[i].value;
        struct str text =
            value.type == JV_NUMBER ? text_of_number(&w->arena, value) : jv_str(value);
        int rc = choices_set(choices, object.members[i].key, text, err);
        if (rc != 0)
            return rc;
    }
    return 0;
}

int workspace_open(struct workspace **out, struct str text, struct str extra_key,
                   struct choices *choices, struct err *err)
{
    struct workspace *w = calloc(1, sizeof(*w));
    if (w == NULL)
        return err_set(err, -ENOMEM, 0, "no memory");
    arena_init(&w->arena, WORKSPACE_ARENA_BYTES);
    w->root = (struct jv){.type = JV_OBJECT};
    w->extra_key = arena_copy(&w->arena, extra_key);
    int rc = 0;
    if (text.len > 0)
        rc = jv_parse(&w->root, &w->arena, text, JV_EXACT, err);
    if (rc == 0)
        rc = check_root(w->root, err);
    if (rc == 0)
        rc = set_choices(w, choices, err);
    if (rc != 0) {
        workspace_close(w);
        return rc;
    }
    *out = w;
    return 0;
}

void workspace_close(struct workspace *w)
{
    if (w == NULL)
        return;
    arena_fini(&w->arena);
    free(w);
}

static struct jv array(const struct workspace *w, struct str name)
{
    struct jv list = jv_get(w->root, name);
    return list.type == JV_ARRAY ? list : (struct jv){.type = JV_ARRAY};
}

static bool has_text(struct jv list, struct str text)
{
    for (uint32_t i = 0; list.type == JV_ARRAY && i < list.len; i++)
        if (list.items[i].type == JV_STRING && str_eq(jv_str(list.items[i]), text))
            return true;
    return false;
}

enum { EXTRA_KEY = INT32_MAX };

int workspace_key_find(const struct workspace *w, struct str key)
{
    struct jv list = array(w, STR("api_keys"));
    for (uint32_t i = 0; i < list.len; i++)
        if (str_eq(jv_str(jv_get(list.items[i], STR("key"))), key))
            return (int)i;
    return w->extra_key.len > 0 && str_eq(w->extra_key, key) ? EXTRA_KEY : -1;
}

bool workspace_key_may(const struct workspace *w, int key, struct str permission)
{
    if (key == EXTRA_KEY)
        return true;
    struct jv permissions = jv_get(array(w, STR("api_keys")).items[key], STR("permissions"));
    return permissions.type == JV_UNDEFINED || has_text(permissions, permission);
}

struct str workspace_first_key(const struct workspace *w)
{
    struct jv list = array(w, STR("api_keys"));
    return w->extra_key.len > 0 || list.len == 0 ? w->extra_key
                                                 : jv_str(jv_get(list.items[0], STR("key")));
}

bool workspace_has_app(const struct workspace *w, struct str app_id)
{
    struct jv apps = array(w, STR("apps"));
    return apps.len == 0 || has_text(apps, app_id);
}

struct jv workspace_list(const struct workspace *w, enum workspace_list list)
{
    return array(w, list_names[list]);
}

struct jv workspace_find(const struct workspace *w, enum workspace_list list, struct str id)
{
    struct jv items = workspace_list(w, list);
    for (uint32_t i = 0; i < items.len; i++)
        if (str_eq(jv_str(jv_get(items.items[i], STR("id"))), id))
            return items.items[i];
    return jv_undefined();
}

static bool is_uuid(struct str text)
{
    if (text.len != UUID_BYTES)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (dash ? c != '-' : !hex)
            return false;
    }
    return true;
}

bool workspace_has_group(const struct workspace *w, struct str id)
{
    if (workspace_list(w, LIST_SUBSCRIPTION_GROUPS).len == 0)
        return is_uuid(id);
    return workspace_find(w, LIST_SUBSCRIPTION_GROUPS, id).type == JV_OBJECT;
}

bool workspace_blocks(const struct workspace *w, enum block list, struct str name)
{
    return has_text(jv_get(jv_get(w->root, STR("blocklist")), block_names[list]), name);
}

enum data_type workspace_forced_type(const struct workspace *w, struct str attribute)
{
    struct jv types = jv_get(w->root, STR("attribute_types"));
    return types.type == JV_OBJECT ? data_type_find(jv_str(jv_get(types, attribute)))
                                   : DATA_UNKNOWN;
}

size_t workspace_segmentable(const struct workspace *w, struct str event, struct jv properties)
{
    struct jv names = jv_get(jv_get(w->root, STR("segmentable_properties")), event);
    size_t count = 0;
    for (uint32_t i = 0; names.type == JV_ARRAY && i < names.len; i++)
        count += jv_get(properties, jv_str(names.items[i])).type != JV_UNDEFINED;
    return count;
}

double workspace_rate(const struct workspace *w, struct str currency, bool *known)
{
    *known = true;
    if (str_eq(currency, STR("USD")))
        return 1;
    struct jv rate = jv_get(jv_get(w->root, STR("exchange_rates")), currency);
    if (rate.type == JV_NUMBER)
        return jv_as_double(rate);
    *known = false;
    return 1;
}
