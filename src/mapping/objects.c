#include "objects.h"

#include <stdio.h>

#include "text.h"

/* The decimal text of an index, in the arena. */
static struct str index_key(struct arena *a, uint32_t index)
{
    char digits[12];
    int len = snprintf(digits, sizeof(digits), "%u", index);
    return arena_copy(a, (struct str){digits, (size_t)len});
}

static bool is_clean(struct jv v)
{
    if (v.clean)
        return true;
    if (v.type == JV_ARRAY) {
        for (uint32_t i = 0; i < v.len; i++)
            if (v.items[i].type >= JV_ARRAY && !is_clean(v.items[i]))
                return false;
        return true;
    }
    if (v.type != JV_OBJECT || v.len == 0)
        return true;
    const struct jv_member *end = v.members + v.len;
    for (const struct jv_member *member = v.members; member < end; member++) {
        if (jv_is_proto(member->key) || member->value.type == JV_UNDEFINED)
            return false;
        if (member->value.type >= JV_ARRAY && !member->value.clean && !is_clean(member->value))
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
            if (v.members[i].value.type == JV_UNDEFINED || jv_is_proto(v.members[i].key))
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
        for (uint32_t i = 0; i < v.len && !f->out.failed; i++) {
            struct jv value = v.members[i].value;
            struct str key = join(f, prefix, v.members[i].key);
            if (value.type >= JV_ARRAY)
                flatten(f, value, key);
            else
                jv_object_put(&f->out, key, value);
        }
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

static void put_indexed(struct jv_builder *b, struct arena *a, uint32_t index, struct jv value)
{
    struct str key = index_key(a, index);
    b->failed = b->failed || key.ptr == NULL;
    jv_object_put(b, key, value);
}

/* A member for each UTF-16 unit; half of a pair is U+FFFD, as in a path. */
static void assign_text(struct jv_builder *b, struct arena *a, struct str text)
{
    uint32_t unit = 0;
    for (size_t at = 0; at < text.len && !b->failed;) {
        size_t from = at;
        bool is_pair = text_next_point(text, &at) > 0xFFFF;
        struct str character = is_pair ? STR("\xEF\xBF\xBD") : str_slice(text, from, at);
        put_indexed(b, a, unit++, jv_string(character));
        if (is_pair)
            put_indexed(b, a, unit++, jv_string(character));
    }
}

static void assign_members(struct jv_builder *b, struct jv object)
{
    const struct jv_member *end = object.members + object.len;
    for (const struct jv_member *member = object.members; member < end; member++)
        if (!jv_is_proto(member->key))
            jv_object_put(b, member->key, member->value);
}

static void assign(struct jv_builder *b, struct arena *a, struct jv v)
{
    if (v.type == JV_STRING)
        assign_text(b, a, jv_str(v));
    for (uint32_t i = 0; v.type == JV_ARRAY && i < v.len && !b->failed; i++)
        put_indexed(b, a, i, v.items[i]);
    if (v.type == JV_OBJECT && v.len > 0)
        assign_members(b, v);
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
        if (jv_is_proto(v.members[i].key))
            continue;
        if (value.type == JV_NULL)
            value = jv_undefined();
        else if (value.type == JV_OBJECT)
            value = objects_exclude_nulls(a, value);
        members[count++] = (struct jv_member){v.members[i].key, value};
    }
    return (struct jv){.type = JV_OBJECT, .len = count, .members = members};
}
