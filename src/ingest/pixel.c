#include "pixel.h"

#include "base64.h"
#include "bounds.h"
#include "utf8.h"

struct parameter {
    struct str name;
    struct str value;
    bool is_used; /* already in an object */
};

/* Always UTF-8. '+' is a space; a '%' without two digits stands for itself. */
static struct str decode(struct str text, struct arena *a)
{
    char *out = arena_alloc(a, text.len);
    size_t len = 0;
    if (out == NULL)
        return (struct str){"", 0};
    for (size_t i = 0; i < text.len; i++) {
        int high = i + 2 < text.len ? hex_digit(text.ptr[i + 1]) : -1;
        int low = i + 2 < text.len ? hex_digit(text.ptr[i + 2]) : -1;
        if (text.ptr[i] == '%' && high >= 0 && low >= 0) {
            out[len++] = (char)(high << 4 | low);
            i += 2;
        } else {
            out[len++] = text.ptr[i] == '+' ? ' ' : text.ptr[i];
        }
    }
    return utf8_mend(a, (struct str){out, len});
}

/* Takes the next `name=value` off the query; still encoded. */
static bool next_pair(struct str *query, struct str *name, struct str *value)
{
    if (query->len == 0)
        return false;
    size_t end = str_find(*query, '&');
    struct str pair = str_slice(*query, 0, end);
    size_t equals = str_find(pair, '=');
    *query = str_slice(*query, end + 1, query->len);
    *name = str_slice(pair, 0, equals);
    *value = str_slice(pair, equals + 1, pair.len);
    return true;
}

struct str pixel_parameter(struct str query, struct str name, struct arena *a)
{
    struct str key;
    struct str value;
    while (next_pair(&query, &key, &value))
        if (str_eq(key, name))
            return decode(value, a);
    return (struct str){"", 0};
}

/* The parameters whose names begin with `prefix` as one object; what
 * follows the next dot goes a level deeper. */
static struct jv nest(struct parameter *list, size_t count, struct str prefix, unsigned depth,
                      struct arena *a)
{
    struct jv_builder b;
    jv_object_begin(&b, a, 8);
    for (size_t i = 0; i < count; i++) {
        if (list[i].is_used || !str_starts(list[i].name, prefix))
            continue;
        struct str rest = str_slice(list[i].name, prefix.len, list[i].name.len);
        size_t dot = str_find(rest, '.');
        if (dot == rest.len || depth >= JSON_DEPTH_MAX) {
            list[i].is_used = true;
            jv_object_put(&b, rest, jv_string(list[i].value));
            continue;
        }
        struct str deeper = str_slice(list[i].name, 0, prefix.len + dot + 1);
        jv_object_put(&b, str_slice(rest, 0, dot), nest(list, count, deeper, depth + 1, a));
    }
    return jv_object_end(&b);
}

static struct jv event_of_data(struct str data, struct arena *a)
{
    struct str json;
    struct jv event;
    if (!base64_decode(data, a, &json) || jv_parse(&event, a, json, JV_EXACT, NULL) != 0)
        return jv_undefined();
    return event.type == JV_OBJECT ? event : jv_undefined();
}

struct jv pixel_event(struct str query, struct arena *a)
{
    struct parameter list[PIXEL_PARAMETERS_MAX];
    size_t count = 0;
    struct str name;
    struct str value;
    struct str data = pixel_parameter(query, STR("data"), a);
    if (data.len > 0)
        return event_of_data(data, a);
    while (count < PIXEL_PARAMETERS_MAX && next_pair(&query, &name, &value))
        if (name.len > 0)
            list[count++] = (struct parameter){.name = decode(name, a), .value = decode(value, a)};
    return nest(list, count, STR(""), 1, a);
}
