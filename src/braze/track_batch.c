#include "batch.h"

#include <errno.h>

#include "bounds.h"
#include "http_status.h"
#include "purchase.h"

static int refuse_mode(struct batch *b, struct batch_item *item)
{
    struct node_parts parts = {
        .status = 400,
        .error_type = STR("PAYLOAD_VALIDATION_FAILED"),
        .error_message = jv_string(STR("Invalid syncMode, must be set to \"add\" or \"update\"")),
    };
    return batch_set_node(b, item, &parts, NODE_TYPE_FIRST);
}

static int refuse_failure(struct batch *b, struct batch_item *item)
{
    struct node_parts parts = {
        .status = 400,
        .error_type = STR("PAYLOAD_VALIDATION_FAILED"),
        .error_message = jv_string(item->exchange.failure.message),
    };
    return batch_set_node(b, item, &parts, NODE_TYPE_FIRST);
}

static struct jv whole_payload(struct batch *b, const struct batch_item *item)
{
    return schema_object(b->call->schema, &item->exchange.record, b->arena);
}

static struct str with_number(struct arena *a, struct str before, uint32_t number, struct str after)
{
    char text[256];
    struct buf b = {.ptr = text,
                    .cap = sizeof(text),
                    .max = sizeof(text)}; /* full from the start: never grows */
    buf_append(&b, before);
    buf_put_u64(&b, number);
    buf_append(&b, after);
    return arena_copy(a, buf_str(&b));
}

static int refuse_with_body(struct batch *b, struct batch_item *item, int status, struct str type,
                            struct str message)
{
    struct node_parts parts = {
        .status = status,
        .error_type = type,
        .error_message = jv_string(message),
        .body = whole_payload(b, item),
    };
    if (message.ptr == NULL || parts.body.type != JV_OBJECT)
        return -ENOMEM;
    return batch_set_node(b, item, &parts, NODE_BODY_SECOND);
}

/* The reference counts products in the order of the batch and never takes any back,
 * so that one payload too many refuses all after it (§2.5). Safe parity counts only
 * what is sent. True: the item has its node. */
static bool refuse_too_many(struct batch *b, struct batch_item *item, uint32_t *counted, int *rc)
{
    uint32_t products = item->exchange.record.values[PURCHASE_PRODUCTS].len;
    if (products > TRACK_OBJECTS_MAX) {
        *rc = refuse_with_body(
            b, item, 413, STR("PAYLOAD_TOO_LARGE"),
            with_number(b->arena, STR("Max batch size exceeded. This payload contains "), products,
                        STR(" products, which is more than Braze's maximum batch size of 75 "
                            "objects per batch.")));
        return true;
    }
    if (b->call->parity == PARITY_SAFE && item->exchange.built.count == 0)
        return false;
    *counted += products;
    if (*counted <= TRACK_OBJECTS_MAX)
        return false;
    if (b->call->parity == PARITY_SAFE)
        *counted -= products;
    *rc = refuse_with_body(
        b, item, 429, STR("RETRYABLE_ERROR"),
        STR("Max batch size exceeded. This event was included in a batch which then exceeded "
            "Braze's maximum batch size of 75 objects per batch. This payload will be retried in "
            "another batch."));
    return true;
}

static int accept(struct batch *b, struct batch_item *item, bool is_purchase)
{
    struct node_parts parts = {
        .status = 200,
        .sent = is_purchase ? whole_payload(b, item) : item->exchange.built.objects[0],
        .body = jv_string(STR("success")),
    };
    return parts.sent.type == JV_OBJECT ? batch_set_node(b, item, &parts, NODE_TYPE_FIRST)
                                        : -ENOMEM;
}

int track_batch_request(struct batch *b)
{
    bool is_purchase = b->call->action->family == FAMILY_TRACK_PURCHASES;
    uint32_t counted = 0;
    struct failure mode = {0};
    int rc = action_check_sync(b->call, b->arena, &mode);
    for (size_t i = 0; rc == 0 && i < b->count; i++) {
        struct batch_item *item = &b->items[i];
        if (item->is_error)
            continue;
        if (mode.name != NULL)
            rc = refuse_mode(b, item);
        else if (is_purchase && refuse_too_many(b, item, &counted, &rc))
            continue;
        else if (item->exchange.failure.name != NULL)
            rc = refuse_failure(b, item);
        else if (item->exchange.built.count == 0)
            rc = refuse_with_body(b, item, 400, STR("PAYLOAD_VALIDATION_FAILED"),
                                  STR("This event was not sent to Braze because it did not contain "
                                      "any products."));
        else
            rc = accept(b, item, is_purchase);
    }
    b->header = BATCH_HEADER_FOR_MANY;
    b->sends_empty = !is_purchase && mode.name == NULL && b->call->parity == PARITY_STRICT;
    return rc;
}

/* What an error node says was sent: the object, or all purchases of the payload. */
static struct jv sent_form(const struct batch *b, const struct batch_item *item)
{
    const struct built *built = &item->exchange.built;
    if (b->call->action->family != FAMILY_TRACK_PURCHASES)
        return built->objects[0];
    return (struct jv){.type = JV_ARRAY, .len = built->count, .items = built->objects};
}

/* A 2xx may still name items that Braze refused; the first error of an item counts. */
static int settle_accepted(struct batch *b, struct jv errors)
{
    for (uint32_t i = 0; errors.type == JV_ARRAY && i < errors.len; i++) {
        struct batch_item *item = batch_item_of(b, jv_get(errors.items[i], STR("index")));
        if (errors.items[i].type == JV_NULL) {
            b->failure = exchange_type_failure(errors.items[i], STR("index"), b->arena);
            return 0;
        }
        if (item == NULL || item->is_error)
            continue;
        struct node_parts parts = {
            .status = 400,
            .error_type = STR("BAD_REQUEST"),
            .error_message = jv_get(errors.items[i], STR("type")),
            .sent = sent_form(b, item),
            .body = jv_get(errors.items[i], STR("type")),
        };
        int rc = batch_set_node(b, item, &parts, NODE_TYPE_FIRST);
        if (rc != 0)
            return rc;
    }
    return 0;
}

/* As in a JavaScript Set, where no object is another. */
static bool is_listed(const struct jv *list, uint32_t count, struct jv v)
{
    if (v.type == JV_OBJECT || v.type == JV_ARRAY)
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (jv_equal(list[i], v))
            return true;
    return false;
}

/* The distinct types of the errors joined with ", ": the reference shares one set between all
 * items. Undefined when there are none; b->failure when an index points nowhere. */
static int join_types(struct batch *b, struct jv errors, struct jv *out)
{
    struct jv *types;
    struct jv list = jv_array(b->arena, &types, errors.type == JV_ARRAY ? errors.len : 0);
    *out = jv_undefined();
    if (list.type != JV_ARRAY)
        return -ENOMEM;
    list.len = 0;
    for (uint32_t i = 0; errors.type == JV_ARRAY && i < errors.len; i++) {
        struct jv type = jv_get(errors.items[i], STR("type"));
        if (errors.items[i].type == JV_NULL) {
            b->failure = exchange_type_failure(errors.items[i], STR("index"), b->arena);
            return 0;
        }
        if (batch_item_of(b, jv_get(errors.items[i], STR("index"))) == NULL) {
            if (b->call->parity == PARITY_SAFE)
                continue;
            b->failure = exchange_type_failure(jv_undefined(), STR("add"), b->arena);
            return 0;
        }
        if (!is_listed(types, list.len, type))
            types[list.len++] = type;
    }
    if (list.len == 0)
        return 0;
    struct buf text;
    buf_init(&text, TRACK_BODY_BYTES_MAX);
    for (uint32_t i = 0; i < list.len; i++) {
        if (i > 0)
            buf_append(&text, STR(", "));
        if (!jv_is_nullish(types[i]))
            buf_append(&text, text_of(b->arena, types[i]));
    }
    *out = jv_string(arena_copy(b->arena, buf_str(&text)));
    bool lost = text.failed || out->ptr == NULL;
    buf_fini(&text);
    return lost ? -ENOMEM : 0;
}

static int settle_refused(struct batch *b)
{
    struct jv body = b->response.body;
    struct jv message = jv_get(body, STR("message"));
    struct jv types;
    int rc = join_types(b, jv_get(body, STR("errors")), &types);
    if (rc != 0 || b->failure.name != NULL)
        return rc;
    struct failure http = exchange_http_failure(b->response.status, b->arena);
    for (size_t i = 0; rc == 0 && i < b->count; i++) {
        struct batch_item *item = &b->items[i];
        if (item->is_error)
            continue;
        struct node_parts parts = {
            .status = b->response.status,
            .error_message = jv_is_nullish(message) ? jv_string(http.message) : message,
            .sent = sent_form(b, item),
            .body = types,
            .error_type = http_error_type(b->response.status),
        };
        rc = batch_set_node(b, item, &parts, NODE_MESSAGE_FIRST);
    }
    return rc;
}

int track_batch_settle(struct batch *b)
{
    struct jv body = b->response.body;
    if (jv_is_nullish(body)) {
        b->failure = exchange_type_failure(body, STR("errors"), b->arena);
        return 0;
    }
    if (b->response.status >= 200 && b->response.status <= 299)
        return settle_accepted(b, jv_get(body, STR("errors")));
    return settle_refused(b);
}
