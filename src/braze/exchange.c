#include "exchange.h"

#include <errno.h>

#include "http_status.h"

struct failure exchange_http_failure(int status, struct arena *a)
{
    struct str reason = http_reason(status);
    if (reason.len == 0)
        reason = text_of(a, jv_number(status));
    return (struct failure){.name = "HTTPError", .status = status, .message = reason};
}

int exchange_fail_api(struct exchange *x, struct jv message, int status)
{
    x->failure = (struct failure){
        .name = "APIError",
        .code = jv_string(text_of(x->arena, jv_number(status))),
        .status = status,
        .message = message.type == JV_UNDEFINED ? STR("") : text_of(x->arena, message),
    };
    return x->failure.message.ptr == NULL || x->failure.code.ptr == NULL ? -ENOMEM : 0;
}

void exchange_fail_with_message(struct exchange *x)
{
    struct jv message = jv_get(x->response.body, STR("message"));
    if (!jv_truthy(message) || exchange_fail_api(x, message, x->response.status) != 0)
        x->failure = exchange_http_failure(x->response.status, x->arena);
}

struct failure exchange_type_failure(struct jv body, struct str key, struct arena *a)
{
    char text[96];
    struct buf b = {.ptr = text,
                    .cap = sizeof(text),
                    .max = sizeof(text)}; /* full from the start: never grows */
    buf_append(&b, STR("Cannot read properties of "));
    buf_append(&b, body.type == JV_NULL ? STR("null") : STR("undefined"));
    buf_append(&b, STR(" (reading '"));
    buf_append(&b, key);
    buf_append(&b, STR("')"));
    return (struct failure){.name = "TypeError", .message = arena_copy(a, buf_str(&b))};
}

bool exchange_stumbles(struct jv event, struct failure *out)
{
    struct jv context = jv_get(event, STR("context"));
    if (context.type == JV_NULL) {
        *out = (struct failure){
            .name = "TypeError",
            .message = STR("Cannot destructure property 'personas' of '{}' as it is null."),
        };
        return true;
    }
    if (jv_get(context, STR("personas")).type == JV_NULL) {
        *out = (struct failure){
            .name = "TypeError",
            .message = STR("Cannot read properties of null (reading 'computation_class')"),
        };
        return true;
    }
    return false;
}

int exchange_build(struct exchange *x, const struct call *call, struct jv payload, struct arena *a)
{
    struct str why;
    *x = (struct exchange){.arena = a, .built.family = call->action->family};
    enum schema_clean clean = call->form == FORM_BATCH ? CLEAN_BATCH : CLEAN_SINGLE;
    int rc = schema_check(call->schema, payload, clean, a, &x->record, &why);
    if (rc == -EINVAL) {
        x->failure = (struct failure){.name = "AggregateAjvError", .message = why};
        return 0;
    }
    if (rc == 0)
        rc = action_check_sync(call, a, &x->failure);
    if (rc == 0 && x->failure.name == NULL)
        rc = call->action->build(call, &x->record, a, &x->built);
    if (x->built.failure.name != NULL)
        x->failure = x->built.failure;
    return rc;
}

int exchange_open(struct exchange *x, const struct call *call, struct jv payload, struct jv event,
                  struct arena *a)
{
    struct failure stumble = {0};
    int rc = exchange_build(x, call, payload, a);
    bool invalid = x->failure.name != NULL && strcmp(x->failure.name, "AggregateAjvError") == 0;
    if (rc != 0 || invalid)
        return rc;
    if (call->parity == PARITY_STRICT && exchange_stumbles(event, &stumble))
        x->failure = stumble;
    if (x->failure.name != NULL || x->built.count == 0)
        return 0;
    x->has_request = true;
    rc = request_make(&x->request, x->built.family, x->built.path, x->built.objects, x->built.count,
                      a);
    x->request.is_batch = x->built.count > 1;
    return rc;
}

bool exchange_ok(const struct exchange *x)
{
    return x->response.status >= 200 && x->response.status <= 299;
}

int exchange_settle(struct exchange *x, const struct call *call)
{
    if (exchange_ok(x))
        x->data = jv_is_nullish(x->response.body) ? jv_string(x->response.text) : x->response.body;
    if (call->action->settle != NULL)
        return call->action->settle(call, x);
    if (!exchange_ok(x))
        x->failure = exchange_http_failure(x->response.status, x->arena);
    return 0;
}
