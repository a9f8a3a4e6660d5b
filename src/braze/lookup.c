#include "lookup.h"

#include <errno.h>
#include <stdlib.h>

enum {
    CANVAS_PAGES_MAX = 100,    /* the reference throws the page after this away and stops */
    CAMPAIGN_PAGES_MAX = 1000, /* the reference has no bound; no account comes near */
};

/* clang-format off */
static const struct str operations[] = {STR_INIT("create"), STR_INIT("select")};
static const struct str column_types[] = {
    STR_INIT("string"), STR_INIT("number"), STR_INIT("time"), STR_INIT("boolean"), STR_INIT("object"), STR_INIT("array"),
};
static const struct condition when_select[] = {
    {.key = STR_INIT("operation"), .value = CONDITION_TEXT, .text = STR_INIT("select")},
};
static const struct condition when_create[] = {
    {.key = STR_INIT("operation"), .value = CONDITION_TEXT, .text = STR_INIT("create")},
};
static const struct field column_fields[] = {
    {FIELD("name", "Field Name", FIELD_STRING), .required = true},
    {FIELD("type", "Field Type", FIELD_STRING), .required = true, FIELD_CHOICES(column_types)},
};

enum { HOOK_OPERATION, HOOK_SELECTED, HOOK_CREATED, HOOK_DESCRIPTION, HOOK_COLUMNS, HOOK_ROWS };
static const struct field hook_fields[HOOK_ROWS] = {
    [HOOK_OPERATION] = {FIELD("operation", "Operation", FIELD_STRING), .required = true, FIELD_CHOICES(operations)},
    [HOOK_SELECTED] = {FIELD("selected_catalog_name", "Catalog Name", FIELD_STRING),
        .required_if = FIELD_REQUIRED_WHEN_ALL(when_select)},
    [HOOK_CREATED] = {FIELD("created_catalog_name", "Catalog Name", FIELD_STRING),
        .required_if = FIELD_REQUIRED_WHEN_ALL(when_create)},
    [HOOK_DESCRIPTION] = {FIELD("description", "Catalog Description", FIELD_STRING)},
    [HOOK_COLUMNS] = {FIELD("columns", "Catalog Fields", FIELD_OBJECT), .multiple = true, .additional = true,
        .required_if = FIELD_REQUIRED_WHEN_ALL(when_create), FIELD_PARTS(column_fields)},
};

static const struct {
    struct str action;
    struct str field;
    enum lookup_kind kind;
} lookups[] = {
    {STR_INIT("upsertCatalogItem"), STR_INIT("item.__keys__"),         LOOKUP_CATALOG_KEYS},
    {STR_INIT("upsertCatalogItem"), STR_INIT("selected_catalog_name"), LOOKUP_CATALOGS},
    {STR_INIT("triggerCampaign"),   STR_INIT("campaign_id"),           LOOKUP_CAMPAIGNS},
    {STR_INIT("triggerCanvas"),     STR_INIT("canvas_id"),             LOOKUP_CANVASES},
};
/* clang-format on */

enum lookup_kind lookup_of(struct str action, struct str field)
{
    for (size_t i = 0; i < countof(lookups); i++)
        if (str_eq(lookups[i].action, action) && str_eq(lookups[i].field, field))
            return lookups[i].kind;
    return LOOKUP_UNKNOWN;
}

static int finish(struct lookup *l, struct jv_builder *b)
{
    l->has_request = false;
    l->result = jv_object_end(b);
    return l->result.type == JV_OBJECT ? 0 : -ENOMEM;
}

static int finish_choices(struct lookup *l, struct jv message, struct str code)
{
    struct jv_builder error;
    struct jv_builder b;
    jv_object_begin(&b, l->arena, 2);
    jv_object_put(&b, STR("choices"),
                  (struct jv){.type = JV_ARRAY, .len = l->choice_count, .items = l->choices});
    if (message.type != JV_UNDEFINED) {
        jv_object_begin(&error, l->arena, 2);
        jv_object_put(&error, STR("message"), message);
        jv_object_put(&error, STR("code"), jv_string(code));
        jv_object_put(&b, STR("error"), jv_object_end(&error));
    }
    return finish(l, &b);
}

static struct jv sentence(struct arena *a, struct str before, struct str middle, struct str after)
{
    char *text = arena_alloc(a, before.len + middle.len + after.len);
    if (text == NULL)
        return jv_undefined();
    memcpy(text, before.ptr, before.len);
    if (middle.len > 0)
        memcpy(text + before.len, middle.ptr, middle.len);
    memcpy(text + before.len + middle.len, after.ptr, after.len);
    return jv_string((struct str){text, before.len + middle.len + after.len});
}

static int add_choice(struct lookup *l, struct jv label, struct jv value)
{
    if (l->choice_count == l->choice_cap) {
        uint32_t cap = l->choice_cap * 2 + 16;
        struct jv *grown = arena_array(l->arena, cap, sizeof(*grown));
        if (grown == NULL)
            return -ENOMEM;
        if (l->choice_count > 0)
            memcpy(grown, l->choices, l->choice_count * sizeof(*grown));
        l->choices = grown;
        l->choice_cap = cap;
    }
    struct jv_builder b;
    jv_object_begin(&b, l->arena, 4);
    put(&b, STR("label"), label);
    put(&b, STR("value"), value);
    l->choices[l->choice_count] = jv_object_end(&b);
    return l->choices[l->choice_count++].type == JV_OBJECT ? 0 : -ENOMEM;
}

static int ask(struct lookup *l, struct str path)
{
    l->has_request = true;
    l->request = (struct request){.method = "GET", .path = path};
    return path.ptr == NULL ? -ENOMEM : 0;
}

static int ask_page(struct lookup *l)
{
    char text[64];
    struct buf path = {.ptr = text,
                       .cap = sizeof(text),
                       .max = sizeof(text)}; /* full from the start: never grows */
    buf_append(&path, l->kind == LOOKUP_CAMPAIGNS ? STR("/campaigns/list?page=")
                                                  : STR("/canvas/list?page="));
    buf_put_u64(&path, l->page);
    return ask(l, arena_copy(l->arena, buf_str(&path)));
}

/* {"catalogs":[{"name","description","fields":[id and the columns]}]} */
static int ask_for_catalog(struct lookup *l, const struct jv *v)
{
    struct jv *fields;
    struct jv *catalogs;
    struct jv columns = v[HOOK_COLUMNS];
    struct jv list = jv_array(l->arena, &fields, columns.len + (size_t)1);
    struct jv catalog_list = jv_array(l->arena, &catalogs, 1);
    if (list.type != JV_ARRAY || catalog_list.type != JV_ARRAY)
        return -ENOMEM;
    list.len = 0;
    for (uint32_t i = 0; i <= columns.len; i++) {
        struct jv name = i == 0 ? jv_string(STR("id")) : jv_get(columns.items[i - 1], STR("name"));
        struct jv type =
            i == 0 ? jv_string(STR("string")) : jv_get(columns.items[i - 1], STR("type"));
        struct jv_builder field;
        if (i > 0 && str_eq(jv_str(name), STR("id")))
            continue;
        jv_object_begin(&field, l->arena, 2);
        put(&field, STR("name"), name);
        put(&field, STR("type"), type);
        fields[list.len++] = jv_object_end(&field);
    }
    struct jv_builder catalog;
    struct jv_builder body;
    jv_object_begin(&catalog, l->arena, 3);
    jv_object_put(&catalog, STR("name"), jv_string(jv_str(v[HOOK_CREATED])));
    jv_object_put(&catalog, STR("description"), jv_string(jv_str(v[HOOK_DESCRIPTION])));
    jv_object_put(&catalog, STR("fields"), list);
    catalogs[0] = jv_object_end(&catalog);
    jv_object_begin(&body, l->arena, 1);
    jv_object_put(&body, STR("catalogs"), catalog_list);
    l->about = v[HOOK_CREATED];
    l->has_request = true;
    l->request =
        (struct request){.method = "POST", .path = STR("/catalogs"), .body = jv_object_end(&body)};
    return l->request.body.type == JV_OBJECT ? 0 : -ENOMEM;
}

static int finish_saved(struct lookup *l, struct str message, struct jv name)
{
    struct jv_builder saved;
    struct jv_builder b;
    jv_object_begin(&saved, l->arena, 1);
    jv_object_put(&saved, STR("catalog_name"), jv_string(jv_str(name)));
    jv_object_begin(&b, l->arena, 2);
    jv_object_put(&b, STR("successMessage"), jv_string(message));
    jv_object_put(&b, STR("savedData"), jv_object_end(&saved));
    return finish(l, &b);
}

static int open_hook(struct lookup *l, struct jv inputs, struct str *why)
{
    struct record record;
    struct schema *schema = schema_new(hook_fields, HOOK_ROWS, 0);
    if (schema == NULL)
        return -ENOMEM;
    int rc = schema_check(schema, inputs, CLEAN_NOTHING, l->arena, &record, why);
    schema_free(schema);
    if (rc != 0)
        return rc;
    if (str_eq(jv_str(record.values[HOOK_OPERATION]), STR("select")))
        return finish_saved(l, STR("Catalog selected successfully"), record.values[HOOK_SELECTED]);
    return ask_for_catalog(l, record.values);
}

static int finish_unknown(struct lookup *l, struct jv field)
{
    struct jv_builder error;
    struct jv_builder b;
    struct jv message =
        sentence(l->arena, STR("No dynamic field named "), jv_str(field), STR(" found."));
    jv_object_begin(&error, l->arena, 2);
    jv_object_put(&error, STR("message"), message);
    jv_object_put(&error, STR("code"), jv_string(STR("404")));
    jv_object_begin(&b, l->arena, 3);
    jv_object_put(&b, STR("choices"), (struct jv){.type = JV_ARRAY});
    jv_object_put(&b, STR("nextPage"), jv_string(STR("")));
    jv_object_put(&b, STR("error"), jv_object_end(&error));
    return finish(l, &b);
}

int lookup_open(struct lookup *l, enum lookup_kind kind, struct jv about, struct arena *a,
                struct str *why)
{
    *l = (struct lookup){.kind = kind, .arena = a, .about = about};
    switch (kind) {
    case LOOKUP_CATALOGS:
    case LOOKUP_CATALOG_KEYS:
        return ask(l, STR("/catalogs"));
    case LOOKUP_CAMPAIGNS:
    case LOOKUP_CANVASES:
        return ask_page(l);
    case LOOKUP_CATALOG_SAVED:
        return open_hook(l, about, why);
    case LOOKUP_UNKNOWN:
        return finish_unknown(l, about);
    }
    return -EINVAL;
}

static const struct str no_catalogs = STR_INIT("No catalogs found. Please create a catalog first.");

static int take_catalogs(struct lookup *l, struct jv catalogs)
{
    if (catalogs.len == 0)
        return finish_choices(l, jv_string(no_catalogs), STR("404"));
    for (uint32_t i = 0; i < catalogs.len; i++) {
        struct jv name = jv_get(catalogs.items[i], STR("name"));
        struct jv_builder b;
        if (add_choice(l, name, name) != 0)
            return -ENOMEM;
        jv_object_begin(&b, l->arena, 4);
        jv_object_put_all(&b, l->choices[i]);
        jv_object_put(&b, STR("type"), jv_string(STR("string")));
        put(&b, STR("description"), jv_get(catalogs.items[i], STR("description")));
        l->choices[i] = jv_object_end(&b);
    }
    return finish_choices(l, jv_undefined(), STR(""));
}

static int take_catalog_keys(struct lookup *l, struct jv catalogs)
{
    if (catalogs.len == 0)
        return finish_choices(l, jv_string(no_catalogs), STR("404"));
    struct jv fields = jv_undefined();
    for (uint32_t i = 0; i < catalogs.len && fields.type != JV_ARRAY; i++)
        if (jv_equal(jv_get(catalogs.items[i], STR("name")), l->about))
            fields = jv_get(catalogs.items[i], STR("fields"));
    if (fields.type != JV_ARRAY)
        return finish_choices(l,
                              sentence(l->arena, STR("Catalog \""), jv_str(l->about),
                                       STR("\" not found or has no fields.")),
                              STR("404"));
    for (uint32_t i = 0; i < fields.len; i++) {
        struct jv name = jv_get(fields.items[i], STR("name"));
        if (!str_eq(jv_str(name), STR("id")) && add_choice(l, name, name) != 0)
            return -ENOMEM;
    }
    return finish_choices(l, jv_undefined(), STR(""));
}

static int by_label(const void *left, const void *right)
{
    const struct jv *a = left;
    const struct jv *b = right;
    return str_cmp(jv_str(jv_get(*a, STR("label"))), jv_str(jv_get(*b, STR("label"))));
}

static int take_page(struct lookup *l, struct jv items)
{
    bool is_campaigns = l->kind == LOOKUP_CAMPAIGNS;
    bool is_last = items.len == 0 || (!is_campaigns && l->page >= CANVAS_PAGES_MAX) ||
                   l->page >= CAMPAIGN_PAGES_MAX;
    if (!is_last) {
        for (uint32_t i = 0; i < items.len; i++)
            if (add_choice(l, jv_get(items.items[i], STR("name")),
                           jv_get(items.items[i], STR("id"))) != 0)
                return -ENOMEM;
        l->page++;
        return ask_page(l);
    }
    if (is_campaigns && l->choice_count == 0)
        return finish_choices(l, jv_string(STR("No campaigns found in your Braze account")),
                              STR("404"));
    if (!is_campaigns && l->choice_count > 0)
        qsort(l->choices, l->choice_count, sizeof(*l->choices), by_label);
    return finish_choices(l, jv_undefined(), STR(""));
}

static int take_saved(struct lookup *l, const struct response *response)
{
    if (response->status >= 200 && response->status <= 299)
        return finish_saved(l, STR("Catalog created successfully"), l->about);
    struct jv errors = jv_get(response->body, STR("errors"));
    struct jv first = errors.type == JV_ARRAY && errors.len > 0 ? errors.items[0] : jv_undefined();
    struct jv message = jv_get(first, STR("message"));
    struct jv_builder error;
    struct jv_builder b;
    jv_object_begin(&error, l->arena, 2);
    jv_object_put(&error, STR("message"),
                  jv_is_nullish(message) ? jv_string(STR("Unknown Error")) : message);
    jv_object_put(&error, STR("code"), jv_string(STR("ERROR")));
    jv_object_begin(&b, l->arena, 1);
    jv_object_put(&b, STR("error"), jv_object_end(&error));
    return finish(l, &b);
}

static int take_failure(struct lookup *l, const struct response *response)
{
    struct failure http = exchange_http_failure(response->status, l->arena);
    struct str code =
        response->status == 0 ? STR("500") : text_of(l->arena, jv_number(response->status));
    l->choice_count = 0;
    if (l->kind == LOOKUP_CATALOGS)
        return finish_choices(l, jv_string(STR("Unknown error. Please try again later")),
                              STR("500"));
    if (l->kind == LOOKUP_CANVASES)
        return finish_choices(
            l, sentence(l->arena, STR("Failed to fetch canvas list: "), http.message, STR("")),
            STR("400"));
    if (l->kind == LOOKUP_CATALOG_KEYS)
        code = STR("500");
    return finish_choices(l, jv_string(http.message), code);
}

int lookup_take(struct lookup *l, const struct response *response)
{
    assert(l->has_request);
    if (l->kind == LOOKUP_CATALOG_SAVED)
        return take_saved(l, response);
    if (response->status < 200 || response->status > 299)
        return take_failure(l, response);
    static const struct str list_keys[] = {
        [LOOKUP_CATALOGS] = STR_INIT("catalogs"),
        [LOOKUP_CATALOG_KEYS] = STR_INIT("catalogs"),
        [LOOKUP_CAMPAIGNS] = STR_INIT("campaigns"),
        [LOOKUP_CANVASES] = STR_INIT("canvases"),
    };
    assert(l->kind < countof(list_keys));
    struct jv list = jv_get(response->body, list_keys[l->kind]);
    if (list.type != JV_ARRAY)
        list = (struct jv){.type = JV_ARRAY};
    if (l->kind == LOOKUP_CATALOGS)
        return take_catalogs(l, list);
    if (l->kind == LOOKUP_CATALOG_KEYS)
        return take_catalog_keys(l, list);
    return take_page(l, list);
}
