#include "catalogs.h"

#include <stdio.h>

#include "paging.h"
#include "text.h"

enum item_mode {
    ITEM_CREATE,  /* POST: an item that exists stays as it is */
    ITEM_REPLACE, /* PUT */
    ITEM_UPDATE,  /* PATCH: only items that exist */
    ITEM_DELETE,
};

static struct jv parse_fields(struct call *c, const struct catalog *catalog)
{
    struct jv definition = jv_undefined();
    struct err err = {0};
    int rc = jv_parse(&definition, c->arena, catalog->definition, JV_EXACT, &err);
    (void)rc; /* our own text */
    return jv_get(definition, STR("fields"));
}

static struct jv parse_item(struct call *c, const struct item *item)
{
    struct jv value = jv_undefined();
    struct err err = {0};
    if (item == NULL || jv_parse(&value, c->arena, item_record(item), JV_EXACT, &err) != 0)
        return jv_undefined();
    return value;
}

static void store(struct call *c, struct catalog *catalog, struct str id, struct jv item)
{
    struct buf *record = &c->sandbox->scratch;
    buf_reset(record);
    jv_write(record, item);
    if (!record->failed)
        (void)catalog_put(c->sandbox->catalogs, catalog, id, buf_str(record), c->now_ms);
}

/* NULL: a good id. */
static const char *check_id(struct jv id)
{
    if (id.type == JV_UNDEFINED)
        return "items-missing-ids";
    if (id.type != JV_STRING)
        return "ids-not-strings";
    if (text_chars(jv_str(id)) > CATALOG_NAME_CHARACTERS_MAX)
        return "ids-too-large";
    return catalog_name_is(jv_str(id)) ? NULL : "invalid-ids";
}

/* Refuses what can be seen from the request alone. NULL: well-formed; *id is of the item at fault.
 */
static const char *check_items(struct call *c, struct jv list, struct str *id)
{
    *id = STR("");
    if (list.type != JV_ARRAY || list.len == 0)
        return "item-array-invalid";
    if (list.len > CATALOG_ITEMS_PER_CALL_MAX)
        return "request-includes-too-many-items";
    for (uint32_t i = 0; i < list.len; i++) {
        struct jv one = jv_get(list.items[i], STR("id"));
        const char *why = list.items[i].type != JV_OBJECT ? "item-array-invalid" : check_id(one);
        if (why != NULL)
            return why;
        *id = jv_str(one);
        for (uint32_t other = 0; other < i; other++)
            if (jv_equal(one, jv_get(list.items[other], STR("id"))))
                return "ids-not-unique";
    }
    return catalogs_bytes(c->sandbox->catalogs) > CATALOG_BYTES_MAX
               ? "company-size-limit-already-reached"
               : NULL;
}

static void change_items(struct call *c, enum item_mode mode)
{
    struct catalog *catalog = catalog_of_path(c);
    struct jv list = jv_get(c->body, STR("items"));
    struct jv *clean = arena_array(c->arena, CATALOG_ITEMS_PER_CALL_MAX, sizeof(*clean));
    struct str id = STR("");
    if (catalog == NULL)
        return;
    const char *why = clean == NULL ? "arbitrary-error" : check_items(c, list, &id);
    struct jv fields = parse_fields(c, catalog);
    for (uint32_t i = 0; why == NULL && mode != ITEM_DELETE && i < list.len; i++) {
        id = jv_str(jv_get(list.items[i], STR("id")));
        struct jv before =
            mode == ITEM_UPDATE ? parse_item(c, catalog_item(catalog, id)) : jv_undefined();
        clean[i] = catalog_clean_item(c, fields, id, list.items[i], before, &why);
    }
    if (why != NULL) {
        bool about_item = str_eq(str_from(why), STR("invalid-fields"));
        catalog_refuse(c, 400, why, NULL, about_item ? "id" : NULL, id);
        return;
    }
    c->array = "items";
    for (uint32_t i = 0; i < list.len; i++) {
        c->index = i;
        id = jv_str(jv_get(list.items[i], STR("id")));
        bool exists = catalog_item(catalog, id) != NULL;
        if (mode == ITEM_DELETE)
            catalog_drop(c->sandbox->catalogs, catalog, id, c->now_ms);
        else if (mode == ITEM_CREATE ? exists : mode == ITEM_UPDATE && !exists)
            call_note(c, NOTE_NO_EFFECT, STR("id"),
                      exists ? "the item exists: left as it is" : "no such item");
        else
            store(c, catalog, id, clean[i]);
    }
    c->array = NULL;
    call_message(c, 202, "success");
}

void answer_items_create(struct call *c)
{
    change_items(c, ITEM_CREATE);
}

void answer_items_replace(struct call *c)
{
    change_items(c, ITEM_REPLACE);
}

void answer_items_update(struct call *c)
{
    change_items(c, ITEM_UPDATE);
}

void answer_items_delete(struct call *c)
{
    change_items(c, ITEM_DELETE);
}

static void change_item(struct call *c, enum item_mode mode, unsigned success)
{
    struct catalog *catalog = catalog_of_path(c);
    struct str id = c->parameters[1];
    struct jv list = jv_get(c->body, STR("items"));
    if (catalog == NULL)
        return;
    const struct item *stored = catalog_item(catalog, id);
    const char *why = check_id(jv_string(id));
    if (why == NULL && (list.type != JV_ARRAY || list.len == 0 || list.items[0].type != JV_OBJECT))
        why = "item-array-invalid";
    else if (why == NULL && list.len > 1)
        why = "request-includes-too-many-items";
    else if (why == NULL && jv_get(list.items[0], STR("id")).type != JV_UNDEFINED)
        why = "id-in-body";
    else if (why == NULL && mode == ITEM_CREATE && stored != NULL)
        why = "item-already-exists";
    if (why == NULL && mode == ITEM_UPDATE && stored == NULL) {
        catalog_refuse(c, 404, "item-not-found", NULL, "item_id", id);
        return;
    }
    struct jv item = jv_undefined();
    if (why == NULL) {
        struct jv before = mode == ITEM_UPDATE ? parse_item(c, stored) : jv_undefined();
        item = catalog_clean_item(c, parse_fields(c, catalog), id, list.items[0], before, &why);
    }
    if (why != NULL) {
        bool about_item = str_eq(str_from(why), STR("invalid-fields"));
        catalog_refuse(c, 400, why, NULL, about_item ? "id" : "item_id", id);
        return;
    }
    store(c, catalog, id, item);
    call_message(c, success, "success");
}

void answer_item_create(struct call *c)
{
    change_item(c, ITEM_CREATE, 201);
}

void answer_item_replace(struct call *c)
{
    change_item(c, ITEM_REPLACE, 200);
}

void answer_item_update(struct call *c)
{
    change_item(c, ITEM_UPDATE, 200);
}

void answer_item_delete(struct call *c)
{
    struct catalog *catalog = catalog_of_path(c);
    if (catalog == NULL)
        return;
    if (catalog_item(catalog, c->parameters[1]) == NULL) {
        catalog_refuse(c, 400, "item-not-found", NULL, "item_id", c->parameters[1]);
        return;
    }
    catalog_drop(c->sandbox->catalogs, catalog, c->parameters[1], c->now_ms);
    call_message(c, 202, "success");
}

static void reply_items(struct call *c, struct jv items)
{
    struct jv_builder b;
    jv_object_begin(&b, c->arena, 2);
    jv_object_put(&b, STR("items"), items);
    call_success(c, 200, &b);
}

void answer_item_get(struct call *c)
{
    struct catalog *catalog = catalog_of_path(c);
    if (catalog == NULL)
        return;
    struct jv item = parse_item(c, catalog_item(catalog, c->parameters[1]));
    if (item.type == JV_UNDEFINED) {
        catalog_refuse(c, 404, "item-not-found", NULL, "item_id", c->parameters[1]);
        return;
    }
    reply_items(c, (struct jv){.type = JV_ARRAY, .len = 1, .items = &item});
}

void answer_items_list(struct call *c)
{
    struct catalog *catalog = catalog_of_path(c);
    size_t skip;
    if (catalog == NULL)
        return;
    if (!paging_read(c, &skip)) {
        catalog_refuse(c, 400, "invalid-cursor", NULL, "cursor",
                       query_get(&c->query, STR("cursor")));
        return;
    }
    struct jv *items;
    struct jv list = jv_array(c->arena, &items, PAGING_CURSOR_PAGE);
    uint32_t count = 0;
    for (size_t i = skip; list.type == JV_ARRAY && i < catalog->count && count < PAGING_CURSOR_PAGE;
         i++)
        items[count++] = parse_item(c, catalog->items[i]);
    list.len = count;
    paging_link(c, skip, catalog->count);
    reply_items(c, list);
}
