#include "exact.h"

static bool has_exact(struct jv v)
{
    if (v.type == JV_NUMBER)
        return v.exact;
    for (uint32_t i = 0; v.type == JV_ARRAY && i < v.len; i++)
        if (has_exact(v.items[i]))
            return true;
    for (uint32_t i = 0; v.type == JV_OBJECT && i < v.len; i++)
        if (has_exact(v.members[i].value))
            return true;
    return false;
}

static struct jv round_array(struct arena *a, struct jv v)
{
    struct jv *items;
    struct jv array = jv_array(a, &items, v.len);
    for (uint32_t i = 0; array.type == JV_ARRAY && i < v.len; i++) {
        items[i] = exact_round(a, v.items[i]);
        if (items[i].type == JV_UNDEFINED && v.items[i].type != JV_UNDEFINED)
            return jv_undefined();
    }
    return array;
}

static struct jv round_object(struct arena *a, struct jv v)
{
    struct jv_member *members = arena_array(a, v.len, sizeof(*members));
    if (members == NULL)
        return jv_undefined();
    for (uint32_t i = 0; i < v.len; i++) {
        members[i] = (struct jv_member){v.members[i].key, exact_round(a, v.members[i].value)};
        if (members[i].value.type == JV_UNDEFINED && v.members[i].value.type != JV_UNDEFINED)
            return jv_undefined();
    }
    return (struct jv){.type = JV_OBJECT, .len = v.len, .members = members};
}

struct jv exact_round(struct arena *a, struct jv v)
{
    if (!has_exact(v))
        return v;
    if (v.type == JV_NUMBER)
        return jv_number(jv_as_double(v));
    return v.type == JV_ARRAY ? round_array(a, v) : round_object(a, v);
}
