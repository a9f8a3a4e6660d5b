#include "query.h"

#include "text.h"

static struct str decode(struct arena *a, struct str text)
{
    char *out = arena_alloc(a, text.len);
    size_t len = 0;
    if (out == NULL)
        return STR("");
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        int high = c == '%' && i + 2 < text.len ? hex_digit(text.ptr[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(text.ptr[i + 2]) : -1;
        if (low >= 0) {
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+') {
            c = ' ';
        }
        out[len++] = c;
    }
    size_t removed;
    return text_drop_invalid_utf8(a, (struct str){out, len}, &removed);
}

struct query query_parse(struct str text, struct arena *a)
{
    struct query q = {0};
    struct query_parameter *parameters =
        text.len == 0 ? NULL : arena_array(a, QUERY_PARAMETERS_MAX, sizeof(*parameters));
    while (parameters != NULL && text.len > 0 && q.count < QUERY_PARAMETERS_MAX) {
        size_t end = str_find(text, '&');
        struct str part = str_slice(text, 0, end);
        text = str_slice(text, end + 1, text.len);
        size_t equals = str_find(part, '=');
        if (part.len == 0)
            continue;
        parameters[q.count].name = decode(a, str_slice(part, 0, equals));
        parameters[q.count].value = decode(a, str_slice(part, equals + 1, part.len));
        q.count++;
    }
    q.parameters = parameters;
    return q;
}

struct str query_get(const struct query *q, struct str name)
{
    for (size_t i = 0; i < q->count; i++)
        if (str_eq(q->parameters[i].name, name))
            return q->parameters[i].value;
    return STR("");
}

bool query_has(const struct query *q, struct str name)
{
    for (size_t i = 0; i < q->count; i++)
        if (str_eq(q->parameters[i].name, name))
            return true;
    return false;
}

uint64_t query_number(const struct query *q, struct str name, uint64_t missing, uint64_t max,
                      bool *ok)
{
    struct str text = query_get(q, name);
    int64_t number;
    *ok = true;
    if (text.len == 0)
        return missing;
    *ok = text_to_i64(text, &number) && number >= 0 && (uint64_t)number <= max;
    return *ok ? (uint64_t)number : missing;
}
