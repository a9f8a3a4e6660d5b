#include "batch.h"

#include <errno.h>

#include "http_status.h"

int batch_set_node(struct batch *b, struct batch_item *item, const struct node_parts *parts,
                   enum node_order order)
{
    bool is_error = parts->error_type.len > 0;
    struct jv type = is_error ? jv_string(parts->error_type) : jv_undefined();
    struct jv_builder node;
    jv_object_begin(&node, b->arena, 6);
    jv_object_put(&node, STR("status"), jv_number(parts->status));
    if (order != NODE_MESSAGE_FIRST)
        put(&node, STR("errortype"), type);
    if (order == NODE_BODY_SECOND)
        put(&node, STR("body"), parts->body);
    put(&node, STR("errormessage"), parts->error_message);
    put(&node, STR("sent"), parts->sent);
    if (order != NODE_BODY_SECOND)
        put(&node, STR("body"), parts->body);
    if (order == NODE_MESSAGE_FIRST)
        put(&node, STR("errortype"), type);
    if (is_error)
        jv_object_put(&node, STR("errorreporter"),
                      jv_truthy(parts->sent) || jv_truthy(parts->body)
                          ? jv_string(STR("DESTINATION"))
                          : jv_string(STR("INTEGRATIONS")));
    item->is_error = is_error;
    item->node = jv_object_end(&node);
    return item->node.type == JV_OBJECT ? 0 : -ENOMEM;
}

/* The place that a JavaScript array has under this key, or -1. */
static double place_of(struct jv index)
{
    if (index.type == JV_NUMBER)
        return jv_as_double(index);
    if (index.type == JV_ARRAY && index.len == 1)
        return place_of(index.items[0]);
    if (index.type != JV_STRING || index.len == 0 || index.len > 9 ||
        (index.ptr[0] == '0' && index.len > 1))
        return -1;
    double place = 0;
    for (uint32_t i = 0; i < index.len; i++) {
        if (index.ptr[i] < '0' || index.ptr[i] > '9')
            return -1;
        place = place * 10 + (index.ptr[i] - '0');
    }
    return place;
}

struct batch_item *batch_item_of(struct batch *b, struct jv index)
{
    double number = place_of(index);
    for (size_t i = 0; i < b->count; i++) {
        struct batch_item *item = &b->items[i];
        for (uint32_t j = 0; item->first != UINT32_MAX && j < item->exchange.built.count; j++)
            if ((double)(item->first + j) == number)
                return item;
    }
    return NULL;
}

static int refuse_by_schema(struct batch *b, struct batch_item *item)
{
    struct node_parts parts = {
        .status = 400,
        .error_type = STR("PAYLOAD_VALIDATION_FAILED"),
        .error_message = jv_string(item->exchange.failure.message),
    };
    return batch_set_node(b, item, &parts, NODE_TYPE_FIRST);
}

/* Lines up all objects of the items that have some and no error. */
static int gather_objects(struct batch *b)
{
    size_t total = 0;
    for (size_t i = 0; i < b->count; i++)
        total += b->items[i].is_error ? 0 : b->items[i].exchange.built.count;
    b->objects = arena_array(b->arena, total, sizeof(*b->objects));
    if (b->objects == NULL || total >= UINT32_MAX)
        return -ENOMEM;
    for (size_t i = 0; i < b->count; i++) {
        struct batch_item *item = &b->items[i];
        if (item->is_error || item->exchange.built.count == 0)
            continue;
        item->first = b->object_count;
        memcpy(b->objects + b->object_count, item->exchange.built.objects,
               item->exchange.built.count * sizeof(*b->objects));
        b->object_count += item->exchange.built.count;
    }
    return 0;
}

static int make_request(struct batch *b)
{
    b->has_request = b->object_count > 0 || b->sends_empty;
    if (!b->has_request)
        return 0;
    enum request_family family = b->call->action->family;
    struct str path = {0};
    for (size_t i = 0; i < b->count; i++) {
        if (b->items[i].first != 0)
            continue;
        family = b->items[i].exchange.built.family;
        path = b->items[i].exchange.built.path;
    }
    int rc = request_make(&b->request, family, path, b->objects, b->object_count, b->arena);
    b->request.is_batch = b->header == BATCH_HEADER_ALWAYS ||
                          (b->header == BATCH_HEADER_FOR_MANY && b->object_count > 1);
    return rc;
}

int batch_open(struct batch *b, const struct call *call, const struct jv *payloads,
               const struct jv *events, size_t count, struct arena *a)
{
    assert(call->form == FORM_BATCH && call->action->batch_request != NULL);
    *b = (struct batch){.call = call, .arena = a, .count = count};
    b->items = arena_array(a, count, sizeof(*b->items));
    if (b->items == NULL)
        return -ENOMEM;
    memset(b->items, 0, count * sizeof(*b->items));
    for (size_t i = 0; i < count; i++) {
        struct batch_item *item = &b->items[i];
        item->first = UINT32_MAX;
        int rc = exchange_build(&item->exchange, call, payloads[i], a);
        const struct failure *failure = &item->exchange.failure;
        bool invalid = failure->name != NULL && strcmp(failure->name, "AggregateAjvError") == 0;
        if (rc == 0 && invalid)
            rc = refuse_by_schema(b, item);
        b->valid_count += !invalid;
        if (rc != 0)
            return rc;
    }
    if (b->valid_count == 0)
        return 0;
    for (size_t i = 0; call->parity == PARITY_STRICT && i < count; i++)
        if (exchange_stumbles(events[i], &b->failure))
            return 0;
    int rc = call->action->batch_request(b);
    if (rc == 0 && b->failure.name == NULL)
        rc = gather_objects(b);
    if (rc == 0 && b->failure.name == NULL)
        rc = make_request(b);
    return rc;
}

int batch_settle(struct batch *b)
{
    if (!b->has_request || b->failure.name != NULL)
        return 0;
    return b->call->action->batch_settle(b);
}

struct jv batch_nodes(const struct batch *b)
{
    struct jv *items;
    struct jv nodes = jv_array(b->arena, &items, b->count);
    for (size_t i = 0; nodes.type == JV_ARRAY && i < b->count; i++)
        items[i] = b->items[i].node;
    return nodes;
}
