#include "coerce.h"

#include <math.h>

#include "text.h"

static bool fits_one(enum json_type type, struct jv v)
{
    switch (type) {
    case TYPE_STRING:
        return v.type == JV_STRING;
    case TYPE_NUMBER:
        return v.type == JV_NUMBER && (v.exact || isfinite(v.number));
    case TYPE_INTEGER:
        return v.type == JV_NUMBER && isfinite(jv_as_double(v)) && fmod(jv_as_double(v), 1) == 0;
    case TYPE_BOOLEAN:
        return v.type == JV_BOOL;
    case TYPE_OBJECT:
        return v.type == JV_OBJECT;
    case TYPE_ARRAY:
        return v.type == JV_ARRAY;
    case TYPE_NULL:
        return v.type == JV_NULL;
    }
    return false;
}

bool coerce_fits(unsigned types, struct jv v)
{
    for (unsigned type = TYPE_STRING; type <= TYPE_NULL; type <<= 1)
        if ((types & type) != 0 && fits_one((enum json_type)type, v))
            return true;
    return false;
}

static bool to_string(struct jv *v, struct arena *a, bool *full)
{
    char text[40];
    struct buf b = {.ptr = text,
                    .cap = sizeof(text),
                    .max = sizeof(text)}; /* full from the start: never grows */
    if (v->type == JV_NULL) {
        *v = jv_string(STR(""));
        return true;
    }
    if (v->type == JV_BOOL) {
        *v = jv_string(v->boolean ? STR("true") : STR("false"));
        return true;
    }
    if (v->type != JV_NUMBER)
        return false;
    if (v->exact) {
        *v = jv_string(jv_str(*v));
        return true;
    }
    jv_write_number(&b, v->number);
    struct str kept = arena_copy(a, buf_str(&b));
    if (kept.ptr == NULL) {
        *full = true;
        return false;
    }
    *v = jv_string(kept);
    return true;
}

static bool to_number(struct jv *v, bool integer)
{
    if (v->type == JV_NULL || v->type == JV_BOOL) {
        *v = jv_number(v->type == JV_BOOL && v->boolean ? 1 : 0);
        return true;
    }
    if (v->type != JV_STRING || v->len == 0)
        return false;
    double number = text_to_number(jv_str(*v));
    if (isnan(number))
        return false;
    double rest = fmod(number, 1);
    if (integer && rest != 0 && !isnan(rest)) /* Infinity % 1 is NaN, which counts as nothing */
        return false;
    *v = jv_number(number);
    return true;
}

static bool to_boolean(struct jv *v)
{
    struct jv from = *v;
    bool zero = from.type == JV_NUMBER && !from.exact && from.number == 0;
    bool one = from.type == JV_NUMBER && !from.exact && from.number == 1;
    if (from.type == JV_NULL || zero ||
        (from.type == JV_STRING && str_eq(jv_str(from), STR("false"))))
        *v = jv_bool(false);
    else if (one || (from.type == JV_STRING && str_eq(jv_str(from), STR("true"))))
        *v = jv_bool(true);
    else
        return false;
    return true;
}

static bool to_null(struct jv *v)
{
    bool empty = (v->type == JV_STRING && v->len == 0) || (v->type == JV_BOOL && !v->boolean) ||
                 (v->type == JV_NUMBER && !v->exact && v->number == 0);
    if (empty)
        *v = jv_null();
    return empty;
}

static bool to_array(struct jv *v, struct arena *a, bool *full)
{
    if (v->type != JV_STRING && v->type != JV_NUMBER && v->type != JV_BOOL && v->type != JV_NULL)
        return false;
    struct jv *items;
    struct jv array = jv_array(a, &items, 1);
    if (array.type != JV_ARRAY) {
        *full = true;
        return false;
    }
    items[0] = *v;
    *v = array;
    return true;
}

bool coerce_to(unsigned types, struct jv *v, struct arena *a, bool *full)
{
    if ((types & ~(unsigned)TYPE_OBJECT) == 0)
        return false;
    if (v->type == JV_ARRAY && v->len == 1) {
        *v = v->items[0];
        /* With several types the reference asks for all of them at once, which no value is. */
        bool single = (types & (types - 1)) == 0;
        if (single && coerce_fits(types, *v))
            return true;
    }
    return ((types & TYPE_STRING) && to_string(v, a, full)) ||
           ((types & TYPE_NUMBER) && to_number(v, false)) ||
           ((types & TYPE_INTEGER) && to_number(v, true)) ||
           ((types & TYPE_BOOLEAN) && to_boolean(v)) ||
           ((types & TYPE_ARRAY) && to_array(v, a, full)) || ((types & TYPE_NULL) && to_null(v));
}
