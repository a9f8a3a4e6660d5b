#include <errno.h>

#include "batch.h"
#include "ecommerce.h"

static int refuse(struct batch *b, struct batch_item *item)
{
    struct node_parts parts = {
        .status = 400,
        .error_type = STR("BAD_REQUEST"),
        .error_message = jv_string(item->exchange.failure.message),
    };
    return batch_set_node(b, item, &parts, NODE_MESSAGE_FIRST);
}

int ecommerce_batch_request(struct batch *b)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < b->count; i++) {
        struct batch_item *item = &b->items[i];
        const struct failure *failure = &item->exchange.failure;
        if (item->is_error || failure->name == NULL)
            continue;
        if (failure->status == 0 && b->call->parity == PARITY_STRICT) {
            b->failure = *failure; /* not a refusal but a crash: it takes the whole batch along */
            return 0;
        }
        rc = refuse(b, item);
    }
    b->header = BATCH_HEADER_ALWAYS;
    b->sends_empty = b->call->parity == PARITY_STRICT;
    return rc;
}

static struct jv success_body(struct arena *a)
{
    struct jv_builder body;
    jv_object_begin(&body, a, 1);
    jv_object_put(&body, STR("success"), jv_bool(true));
    return jv_object_end(&body);
}

/* The first error of the response about this object, or undefined; the reference stumbles over a
 * null on its way. */
static struct jv error_of(struct batch *b, const struct batch_item *item)
{
    struct jv errors = jv_get(b->response.body, STR("errors"));
    for (uint32_t i = 0; errors.type == JV_ARRAY && i < errors.len; i++) {
        if (jv_equal(jv_get(errors.items[i], STR("index")), jv_number(item->first)))
            return errors.items[i];
        if (errors.items[i].type == JV_NULL && b->call->parity == PARITY_STRICT) {
            b->failure = exchange_type_failure(errors.items[i], STR("index"), b->arena);
            break;
        }
    }
    return jv_undefined();
}

int ecommerce_batch_settle(struct batch *b)
{
    if (b->response.status < 200 || b->response.status > 299) {
        b->failure = exchange_http_failure(b->response.status, b->arena);
        return 0;
    }
    int rc = 0;
    struct jv success = success_body(b->arena);
    for (size_t i = 0; rc == 0 && i < b->count; i++) {
        struct batch_item *item = &b->items[i];
        if (item->is_error)
            continue;
        struct jv error = error_of(b, item);
        if (b->failure.name != NULL)
            return 0;
        struct node_parts parts = {
            .status = 200, .sent = item->exchange.built.objects[0], .body = success};
        if (error.type != JV_UNDEFINED) {
            parts.status = 400;
            parts.error_type = STR("BAD_REQUEST");
            parts.error_message = jv_get(error, STR("type"));
            parts.body = parts.error_message;
        }
        rc = batch_set_node(b, item, &parts, NODE_TYPE_FIRST);
    }
    return rc;
}
