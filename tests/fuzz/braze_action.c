/*
 * A mapped payload of any shape through any action: the request is JSON that parses
 * again, an error says something, every item of a batch gets a node, and an
 * intent's objects say nothing of an undefined.
 */
#include "batch.h"
#include "subscription.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void assert_json(struct jv v, struct arena *a)
{
    struct buf text;
    struct jv again;
    buf_init(&text, 64 << 20);
    jv_write(&text, v);
    assert(!text.failed);
    assert(jv_parse(&again, a, buf_str(&text), JV_EXACT, NULL) == 0);
    buf_fini(&text);
}

static void run_single(const struct call *call, struct jv payload, struct arena *a)
{
    struct exchange x;
    assert(exchange_open(&x, call, payload, payload, a) == 0);
    if (x.failure.name != NULL) {
        assert(!x.has_request);
        assert(x.failure.message.len > 0);
        return;
    }
    assert(x.has_request == (x.built.count > 0));
    if (!x.has_request)
        return;
    assert_json(x.request.body, a);
    static const int statuses[] = {0, 200, 400, 404, 500};
    for (size_t i = 0; i < countof(statuses); i++) {
        x.failure = (struct failure){0};
        x.response = (struct response){statuses[i], payload, STR("")};
        assert(exchange_settle(&x, call) == 0);
        assert(exchange_ok(&x) || x.failure.name != NULL || x.data.type != JV_UNDEFINED);
    }
}

static void run_batch(const struct call *call, struct jv payload, struct arena *a)
{
    struct batch b;
    const struct jv payloads[] = {payload, payload};
    assert(batch_open(&b, call, payloads, payloads, countof(payloads), a) == 0);
    b.response = (struct response){(int)(payload.len % 2 == 0 ? 200 : 400), payload, STR("")};
    assert(batch_settle(&b) == 0);
    for (size_t i = 0; b.failure.name == NULL && i < b.count; i++)
        assert(b.items[i].node.type == JV_OBJECT);
    assert_json(batch_nodes(&b), a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct jv payload;
    if (size < 2)
        return 0;
    arena_init(&arena, 256 << 20);
    const struct action *action = &actions[data[0] % action_count];
    enum parity parity = data[1] & 1 ? PARITY_STRICT : PARITY_SAFE;
    struct str text = {(const char *)data + 2, size - 2};
    struct schema *schema = schema_new(action->fields, action->field_count, action->absent);
    assert(schema != NULL);
    if (jv_parse(&payload, &arena, text, JV_EXACT, NULL) == 0) {
        struct jv mode = jv_string(sync_mode_name((enum sync_mode)(data[1] / 2 % 6)));
        struct jv_member member = {STR("__segment_internal_sync_mode"), mode};
        struct jv mapping = {.type = JV_OBJECT, .len = 1, .members = &member};
        struct call call = subscription_call(action, mapping, jv_undefined(), parity, FORM_SINGLE);
        call.schema = schema;
        run_single(&call, payload, &arena);
        call.form = FORM_BATCH;
        if (action->batch_request != NULL)
            run_batch(&call, payload, &arena);
    }
    schema_free(schema);
    arena_fini(&arena);
    return 0;
}
