#include "run-cases-response.h"

#include <string.h>
#include <strings.h>

#include "http_status.h"
#include "text.h"

enum { STAND_IN = -987654321 }; /* no status, and no text of a case */
#define STAND_IN_TEXT STR("-987654321")

static struct str text_of_value(struct jv v, struct arena *a)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    (void)text_append_value(&text, v);
    struct str kept = arena_copy(a, buf_str(&text));
    buf_fini(&text);
    return kept;
}

/* A status as JavaScript compares it with 200 and 300. */
static double number_of(struct jv status, struct str text)
{
    if (status.type == JV_NUMBER)
        return jv_as_double(status);
    if (status.type == JV_BOOL)
        return status.boolean ? 1 : 0;
    return text_to_number(text);
}

/* The number that the reference's tables have under this text; 0: none. */
static int listed_status(struct str text)
{
    int number = 0;
    for (size_t i = 0; i < text.len; i++)
        number = number * 10 + (text.ptr[i] - '0');
    return number;
}

static bool is_plain(struct str text)
{
    bool is_number = text.len == 3 && text.ptr[0] != '0';
    for (size_t i = 0; is_number && i < text.len; i++)
        is_number = text.ptr[i] >= '0' && text.ptr[i] <= '9';
    return is_number;
}

static void read_status(struct case_response *r, struct jv given, struct arena *a)
{
    r->status = given.type == JV_UNDEFINED ? jv_number(201) : given;
    if (!jv_truthy(r->status))
        r->status = jv_number(200);
    r->text = text_of_value(r->status, a);
    double number = number_of(r->status, r->text);
    if (r->status.type == JV_NUMBER && is_plain(r->text))
        r->response.status = (int)number;
    else
        r->response.status = number >= 200 && number < 300 ? 200 : STAND_IN;
}

static bool says_json(struct jv type, struct arena *a)
{
    struct str text = text_of_value(type, a);
    return memmem(text.ptr, text.len, "application/json", 16) != NULL;
}

/* The header with exactly this name takes the usual one's place; others, in whatever case, add to
 * it. */
static bool is_json(struct jv response, struct arena *a)
{
    struct jv headers = jv_get(response, STR("headers"));
    struct jv type = jv_get(headers, STR("content-type"));
    bool found = type.type == JV_UNDEFINED || says_json(type, a);
    for (uint32_t i = 0; headers.type == JV_OBJECT && i < headers.len; i++)
        if (strncasecmp(headers.members[i].key.ptr, "content-type", 12) == 0 &&
            headers.members[i].key.len == 12)
            found = found || says_json(headers.members[i].value, a);
    return found;
}

struct case_response case_response_of(struct jv test, struct arena *a)
{
    struct jv given = jv_get(test, STR("response"));
    struct jv body = jv_get(given, STR("body"));
    struct case_response r = {0};
    read_status(&r, jv_get(given, STR("status")), a);
    if (body.type == JV_UNDEFINED) {
        struct jv_builder b;
        jv_object_begin(&b, a, 1);
        jv_object_put(&b, STR("message"), jv_string(STR("success")));
        body = jv_object_end(&b);
    }
    struct buf text;
    buf_init(&text, 1 << 28);
    jv_write(&text, body);
    r.response.text = arena_copy(a, buf_str(&text));
    buf_fini(&text);
    r.response.body = is_json(given, a) ? body : jv_string(r.response.text);
    return r;
}

static bool is_stand_in(struct jv status)
{
    return status.type == JV_NUMBER && jv_as_double(status) == STAND_IN;
}

/* A text that is the number's own, as the reference says it of the status. */
static struct str reworded(const struct case_response *r, struct str text)
{
    if (!str_eq(text, STAND_IN_TEXT))
        return text;
    struct str reason = is_plain(r->text) ? http_reason(listed_status(r->text)) : STR("");
    return reason.len == 0 ? r->text : reason;
}

struct jv case_failure_status(const struct case_response *r, struct failure *failure)
{
    if (failure->status != STAND_IN)
        return failure->status == 0 ? jv_undefined() : jv_number(failure->status);
    failure->message = reworded(r, failure->message);
    if (str_eq(jv_str(failure->code), STAND_IN_TEXT))
        failure->code = jv_string(r->text);
    return r->status;
}

struct jv case_node(const struct case_response *r, struct jv node, struct arena *a)
{
    struct jv_builder b;
    if (!is_stand_in(jv_get(node, STR("status"))))
        return node;
    jv_object_begin(&b, a, node.len);
    jv_object_put_all(&b, node);
    jv_object_put(&b, STR("status"), r->status);
    struct jv message = jv_get(node, STR("errormessage"));
    if (message.type == JV_STRING)
        jv_object_put(&b, STR("errormessage"), jv_string(reworded(r, jv_str(message))));
    if (is_plain(r->text))
        jv_object_put(&b, STR("errortype"), jv_string(http_error_type(listed_status(r->text))));
    return jv_object_end(&b);
}
