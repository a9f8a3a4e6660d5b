#include <errno.h>

#include "batch.h"
#include "bounds.h"
#include "catalog.h"

static struct jv item_id(const struct batch_item *item)
{
    return item->exchange.record.values[CATALOG_ITEM_ID];
}

/* The open item with this id, among the first `count`. */
static struct batch_item *find_open(struct batch *b, size_t count, struct jv id)
{
    for (size_t i = 0; i < count; i++)
        if (!b->items[i].is_error && jv_equal(item_id(&b->items[i]), id))
            return &b->items[i];
    return NULL;
}

static int refuse(struct batch *b, struct batch_item *item, struct str message)
{
    struct node_parts parts = {
        .status = 400,
        .error_type = STR("PAYLOAD_VALIDATION_FAILED"),
        .error_message = jv_string(message),
    };
    return batch_set_node(b, item, &parts, NODE_TYPE_FIRST);
}

int catalog_batch_request(struct batch *b)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < b->count; i++) {
        struct batch_item *item = &b->items[i];
        if (item->is_error)
            continue;
        if (find_open(b, i, item_id(item)) != NULL)
            rc = refuse(b, item, STR("Every item in the batch must have a unique item_id"));
        else if (item->exchange.failure.name != NULL)
            rc = refuse(b, item, item->exchange.failure.message);
    }
    b->header = BATCH_HEADER_NEVER;
    return rc;
}

static int set_node(struct batch *b, struct batch_item *item, struct node_parts parts)
{
    parts.sent = catalog_item_with_id(item->exchange.record.values, b->arena);
    return parts.sent.type == JV_OBJECT ? batch_set_node(b, item, &parts, NODE_TYPE_FIRST)
                                        : -ENOMEM;
}

/* The reference calls `what` for each element of anything. */
static bool is_no_list(struct batch *b, struct jv v, struct str what)
{
    if (b->call->parity == PARITY_SAFE || jv_is_nullish(v) || v.type == JV_ARRAY)
        return false;
    b->failure = (struct failure){.name = "TypeError", .message = what};
    return true;
}

/* The items that one error names, by their ids or by objects with an id. */
static int settle_named(struct batch *b, struct jv error)
{
    struct jv values = jv_get(error, STR("parameter_values"));
    if (error.type == JV_NULL && b->call->parity == PARITY_STRICT) {
        b->failure = exchange_type_failure(error, STR("parameter_values"), b->arena);
        return 0;
    }
    if (is_no_list(b, values, STR("error.parameter_values?.forEach is not a function")))
        return 0;
    struct jv parameters = jv_get(error, STR("parameters"));
    struct jv message = jv_get(error, STR("message"));
    bool are_objects = parameters.type == JV_ARRAY && parameters.len > 1;
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && values.type == JV_ARRAY && i < values.len; i++) {
        struct jv id = are_objects ? jv_get(values.items[i], STR("id")) : values.items[i];
        struct batch_item *item = find_open(b, b->count, id);
        if (item == NULL)
            continue;
        rc = set_node(
            b, item,
            (struct node_parts){
                .status = 400,
                .error_type = STR("PAYLOAD_VALIDATION_FAILED"),
                .error_message = jv_truthy(message) ? message : jv_string(STR("Unknown error")),
                .body = error,
            });
    }
    return rc;
}

static struct jv json_text(struct arena *a, struct jv v)
{
    struct buf text;
    buf_init(&text, TRACK_BODY_BYTES_MAX);
    jv_write(&text, v);
    struct str kept = text.failed ? (struct str){NULL, 0} : arena_copy(a, buf_str(&text));
    buf_fini(&text);
    return kept.ptr == NULL ? jv_undefined() : jv_string(kept);
}

static struct str no_reason(struct batch *b, const struct batch_item *item)
{
    char text[384]; /* an id has 250 characters at most, all of them ASCII */
    struct buf message = {
        .ptr = text, .cap = sizeof(text), .max = sizeof(text)}; /* full: never grows */
    buf_append(&message, STR("Item with ID "));
    buf_append(&message, jv_str(item_id(item)));
    buf_append(&message, STR(" could not be processed due to invalid catalog items in the batch "
                             "request."));
    return arena_copy(b->arena, buf_str(&message));
}

static int settle_failed(struct batch *b)
{
    struct jv errors = jv_get(b->response.body, STR("errors"));
    bool is_lost = false;
    int rc = 0;
    if (errors.type == JV_UNDEFINED)
        errors = (struct jv){.type = JV_ARRAY};
    if (is_no_list(b, errors, STR("errors?.forEach is not a function")))
        return 0;
    for (uint32_t i = 0; rc == 0 && errors.type == JV_ARRAY && i < errors.len; i++) {
        struct jv id = jv_get(errors.items[i], STR("id"));
        if (id.type == JV_STRING && str_eq(jv_str(id), STR("catalog-not-found")))
            is_lost = true;
        else
            rc = settle_named(b, errors.items[i]);
        if (b->failure.name != NULL)
            return rc;
    }
    struct jv text = json_text(b->arena, errors);
    if (text.type != JV_STRING)
        return -ENOMEM;
    for (size_t i = 0; rc == 0 && i < b->count; i++) {
        struct batch_item *item = &b->items[i];
        if (item->is_error)
            continue;
        struct node_parts parts = {.status = 404, .error_type = STR("NOT_FOUND"), .body = text};
        parts.error_message = jv_string(STR("Catalog not found. Please create a catalog first."));
        if (!is_lost) {
            parts.status = 500;
            parts.error_type = STR("RETRYABLE_ERROR");
            parts.error_message = jv_string(no_reason(b, item));
        }
        rc = set_node(b, item, parts);
    }
    return rc;
}

int catalog_batch_settle(struct batch *b)
{
    if (b->response.status < 200 || b->response.status > 299)
        return settle_failed(b);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < b->count; i++)
        if (!b->items[i].is_error)
            rc = set_node(b, &b->items[i],
                          (struct node_parts){.status = 200, .body = b->response.body});
    return rc;
}
