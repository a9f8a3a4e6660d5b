#include "catalog.h"

#include <errno.h>

#include "bounds.h"
#include "exchange.h"
#include "identity.h"

/* clang-format off */
static const struct condition when_upsert[] = {
    {.key = STR_INIT("__segment_internal_sync_mode"), .value = CONDITION_TEXT, .text = STR_INIT("upsert")},
};

const struct field catalog_fields[CATALOG_ROWS] = {
    [CATALOG_ITEM] = {FIELD("item", "Catalog item to upsert", FIELD_OBJECT),
        .required_if = FIELD_REQUIRED_WHEN_ALL(when_upsert)},
    [CATALOG_ITEM_ID] = {FIELD("item_id", "Item ID", FIELD_STRING), .required = true, .min = 1, .max = 250},
    [CATALOG_ENABLE_BATCHING] = {FIELD("enable_batching", "Batch Data to Braze?", FIELD_BOOLEAN), .preset = "true"},
    [CATALOG_BATCH_SIZE] = {FIELD("batch_size", "Batch Size", FIELD_NUMBER), .min = 1, .max = 50, .preset = "50"},
};
/* clang-format on */

static int refuse(struct built *out, struct str message)
{
    out->failure = (struct failure){
        .name = "IntegrationError",
        .code = jv_string(STR("PAYLOAD_VALIDATION_FAILED")),
        .status = 400,
        .message = message,
    };
    return 0;
}

static bool is_id_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

static bool is_item_id(struct str id)
{
    for (size_t i = 0; i < id.len; i++)
        if (!is_id_byte(id.ptr[i]))
            return false;
    return id.len > 0;
}

struct jv catalog_item_with_id(const struct jv *values, struct arena *a)
{
    struct jv_builder b;
    struct jv item = values[CATALOG_ITEM];
    jv_object_begin(&b, a, (item.type == JV_OBJECT ? item.len : 0) + 1);
    jv_object_put_all(&b, item);
    jv_object_put(&b, STR("id"), values[CATALOG_ITEM_ID]);
    return jv_object_end(&b);
}

/* A name may hold anything a mapping says; what has a meaning in a URL is escaped. */
static void append_escaped(struct buf *path, struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.ptr[i];
        if (is_id_byte(name.ptr[i]) || (c != '\0' && strchr(".~!$&'()*+,;=:@%", c) != NULL))
            buf_putc(path, name.ptr[i]);
        else
            buf_printf(path, "%%%02X", c);
    }
}

/* /catalogs/NAME/items/ and, for a request of its own, the item's id.
 * ptr is NULL when there is no memory. */
static struct str make_path(const struct call *call, struct jv item_id, struct arena *a)
{
    struct buf path;
    buf_init(&path, RECORD_BYTES_MAX);
    buf_append(&path, STR("/catalogs/"));
    append_escaped(&path, text_of(a, call->catalog_name));
    buf_append(&path, STR("/items/"));
    if (item_id.type != JV_UNDEFINED)
        append_escaped(&path, jv_str(item_id));
    struct str kept = path.failed ? (struct str){NULL, 0} : arena_copy(a, buf_str(&path));
    buf_fini(&path);
    return kept;
}

static bool is_acceptable(const struct call *call, const struct jv *v, struct built *out)
{
    bool is_safe = call->parity == PARITY_SAFE;
    bool is_upsert = call->sync_mode == SYNC_UPSERT;
    if (is_safe && !is_upsert && call->sync_mode != SYNC_DELETE)
        refuse(out, STR("syncMode must be \"upsert\" or \"delete\""));
    else if (is_safe && jv_is_nullish(call->catalog_name))
        refuse(out,
               STR("The mapping names no catalog: expected onMappingSave.outputs.catalog_name"));
    else if (!is_item_id(jv_str(v[CATALOG_ITEM_ID])))
        refuse(out, STR("Invalid ID Format"));
    else if (is_upsert && v[CATALOG_ITEM].len == 0)
        refuse(out, STR("Item is required"));
    return out->failure.name == NULL;
}

int catalog_build(const struct call *call, const struct record *r, struct arena *a,
                  struct built *out)
{
    const struct jv *v = r->values;
    bool is_upsert = call->sync_mode == SYNC_UPSERT;
    bool is_alone = call->form == FORM_SINGLE;
    if (!is_acceptable(call, v, out))
        return 0;

    struct jv_builder b;
    struct jv *objects = arena_array(a, 1, sizeof(*objects));
    if (objects == NULL)
        return -ENOMEM;
    jv_object_begin(&b, a, 1);
    if (!is_alone)
        jv_object_put(&b, STR("id"), v[CATALOG_ITEM_ID]);
    struct jv bare = jv_object_end(&b);
    if (!is_alone && is_upsert)
        objects[0] = catalog_item_with_id(v, a);
    else
        objects[0] = is_alone && v[CATALOG_ITEM].type == JV_OBJECT ? v[CATALOG_ITEM] : bare;
    out->objects = objects;
    out->count = 1;
    out->family = is_upsert ? FAMILY_CATALOG_ITEM : FAMILY_CATALOG_DELETE;
    out->path = make_path(call, is_alone ? v[CATALOG_ITEM_ID] : jv_undefined(), a);
    if (call->form == FORM_INTENT) {
        /* Writes of one item stay in order as those of one user do. */
        struct str item = make_path(call, v[CATALOG_ITEM_ID], a);
        out->users[out->user_count++] = (struct identity){.external_id = jv_string(item)};
    }
    return objects[0].type == JV_OBJECT && out->path.ptr != NULL ? 0 : -ENOMEM;
}

int catalog_settle(const struct call *call, struct exchange *x)
{
    if (exchange_ok(x))
        return 0;
    struct jv errors = jv_get(x->response.body, STR("errors"));
    struct jv first = errors.type == JV_ARRAY && errors.len > 0 ? errors.items[0] : jv_undefined();
    struct jv id = jv_get(first, STR("id"));
    if (call->sync_mode == SYNC_DELETE && id.type == JV_STRING &&
        str_eq(jv_str(id), STR("item-not-found"))) {
        struct jv_builder b;
        jv_object_begin(&b, x->arena, 2);
        jv_object_put(&b, STR("status"), jv_number(200));
        jv_object_put(&b, STR("message"), jv_string(STR("Could not find item")));
        x->data = jv_object_end(&b);
        return x->data.type == JV_OBJECT ? 0 : -ENOMEM;
    }
    char text[64];
    struct buf code = {.ptr = text,
                       .cap = sizeof(text),
                       .max = sizeof(text)}; /* full from the start: never grows */
    buf_append(&code, STR("Error "));
    buf_append(&code, sync_mode_name(call->sync_mode));
    buf_append(&code, STR("ing item"));
    x->failure = (struct failure){
        .name = "IntegrationError",
        .code = jv_string(arena_copy(x->arena, buf_str(&code))),
        .status = x->response.status == 0 ? 500 : x->response.status,
        .message = text_of(x->arena, jv_get(first, STR("message"))),
    };
    return x->failure.message.ptr == NULL || x->failure.code.ptr == NULL ? -ENOMEM : 0;
}
