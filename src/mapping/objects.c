#include "objects.h"

#include <stdio.h>

#include "path.h"
#include "text.h"

static bool is_proto(struct str key)
{
    return key.len == 9 && key.ptr[0] == '_' && memcmp(key.ptr, "__proto__", 9) == 0;
}

/* The decimal text of an index, in the arena. */
static struct str index_key(struct arena *a, uint32_t index)
{
    char digits[12];
    int len = snprintf(digits, sizeof(digits), "%u", index);
    return arena_copy(a, (struct str){digits, (size_t)len});
}

static bool is_clean(struct jv v)
{
    if (v.type == JV_OBJECT) {
        for (uint32_t i = 0; i < v.len; i++) {
            const struct jv_member *member = &v.members[i];
            if (member->value.type == JV_UNDEFINED || is_proto(member->key))
                return false;
            if (member->value.type >= JV_ARRAY && !is_clean(member->value))
                return false;
        }
    } else if (v.type == JV_ARRAY) {
        for (uint32_t i = 0; i < v.len; i++)
            if (v.items[i].type >= JV_ARRAY && !is_clean(v.items[i]))
                return false;
    }
    return true;
}

/* A copy without what is not clean. *failed: the arena is full. */
static struct jv clean_copy(struct arena *a, struct jv v, bool *failed)
{
    struct jv copy = v;
    if (v.type == JV_ARRAY) {
        struct jv *items;
        copy = jv_array(a, &items, v.len);
        for (uint32_t i = 0; copy.type == JV_ARRAY && i < v.len; i++)
            items[i] = clean_copy(a, v.items[i], failed);
    } else if (v.type == JV_OBJECT) {
        struct jv_member *members = arena_array(a, v.len, sizeof(*members));
        uint32_t count = 0;
        for (uint32_t i = 0; members != NULL && i < v.len; i++) {
            if (v.members[i].value.type == JV_UNDEFINED || is_proto(v.members[i].key))
                continue;
            members[count].key = v.members[i].key;
            members[count++].value = clean_copy(a, v.members[i].value, failed);
        }
        copy = members == NULL ? jv_undefined()
                               : (struct jv){.type = JV_OBJECT, .len = count, .members = members};
    }
    *failed = *failed || copy.type != v.type;
    return copy;
}

struct jv objects_clean(struct arena *a, struct jv v)
{
    bool failed = false;
    if (is_clean(v))
        return v;
    struct jv copy = clean_copy(a, v, &failed);
    return failed ? jv_undefined() : copy;
}

struct flattening {
    struct jv_builder out;
    struct arena *arena;
    struct str separator;
    bool omits_arrays;
};

static struct str join(struct flattening *f, struct str prefix, struct str key)
{
    if (prefix.len == 0)
        return key;
    size_t len = prefix.len + f->separator.len + key.len;
    char *joined = arena_alloc(f->arena, len);
    if (joined == NULL) {
        f->out.failed = true;
        return key;
    }
    memcpy(joined, prefix.ptr, prefix.len);
    memcpy(joined + prefix.len, f->separator.ptr, f->separator.len);
    if (key.len > 0)
        memcpy(joined + prefix.len + f->separator.len, key.ptr, key.len);
    return (struct str){joined, len};
}

static void flatten(struct flattening *f, struct jv v, struct str prefix)
{
    if (v.type == JV_OBJECT) {
        for (uint32_t i = 0; i < v.len && !f->out.failed; i++)
            flatten(f, v.members[i].value, join(f, prefix, v.members[i].key));
    } else if (v.type == JV_ARRAY && !f->omits_arrays) {
        for (uint32_t i = 0; i < v.len && !f->out.failed; i++) {
            struct str key = index_key(f->arena, i);
            f->out.failed = f->out.failed || key.ptr == NULL;
            flatten(f, v.items[i], join(f, prefix, key));
        }
    } else {
        jv_object_put(&f->out, prefix, v);
    }
}

struct jv objects_flatten(struct arena *a, struct jv v, struct str separator, bool omits_arrays)
{
    struct flattening f = {.arena = a, .separator = separator, .omits_arrays = omits_arrays};
    jv_object_begin(&f.out, a, 16);
    flatten(&f, v, STR(""));
    return jv_object_end(&f.out);
}

static void assign(struct jv_builder *b, struct arena *a, struct jv v)
{
    if (v.type == JV_OBJECT) {
        for (uint32_t i = 0; i < v.len; i++)
            if (!is_proto(v.members[i].key))
                jv_object_put(b, v.members[i].key, v.members[i].value);
        return;
    }
    if (v.type != JV_ARRAY && v.type != JV_STRING)
        return;
    uint32_t count = v.type == JV_ARRAY ? v.len : (uint32_t)text_units(jv_str(v));
    for (uint32_t i = 0; i < count && !b->failed; i++) {
        struct str key = index_key(a, i);
        b->failed = b->failed || key.ptr == NULL;
        jv_object_put(b, key, path_step(v, key));
    }
}

struct jv objects_merge(struct arena *a, struct jv objects, bool from_right)
{
    struct jv_builder b;
    uint32_t members = 0;
    for (uint32_t i = 0; i < objects.len; i++)
        members += objects.items[i].type == JV_OBJECT ? objects.items[i].len : 0;
    jv_object_begin(&b, a, members);
    for (uint32_t i = 0; i < objects.len; i++)
        assign(&b, a, objects.items[from_right ? objects.len - 1 - i : i]);
    return jv_object_end(&b);
}

struct jv objects_exclude_nulls(struct arena *a, struct jv v)
{
    if (v.type != JV_OBJECT)
        return v;
    struct jv_member *members = arena_array(a, v.len, sizeof(*members));
    if (members == NULL)
        return jv_undefined();
    uint32_t count = 0;
    for (uint32_t i = 0; i < v.len; i++) {
        struct jv value = v.members[i].value;
        if (is_proto(v.members[i].key))
            continue;
        if (value.type == JV_NULL)
            value = jv_undefined();
        else if (value.type == JV_OBJECT)
            value = objects_exclude_nulls(a, value);
        members[count++] = (struct jv_member){v.members[i].key, value};
    }
    return (struct jv){.type = JV_OBJECT, .len = count, .members = members};
}
