#include "jv.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include <yyjson.h>

#include "bounds.h"

/* yyjson allocates from the arena: nothing to free, and its bound is the arena's bound. */
static void *alc_malloc(void *ctx, size_t bytes)
{
    return arena_alloc(ctx, bytes);
}

static void *alc_realloc(void *ctx, void *ptr, size_t old_bytes, size_t bytes)
{
    if (bytes <= old_bytes)
        return ptr;
    void *moved = arena_alloc(ctx, bytes);
    if (moved != NULL && ptr != NULL)
        memcpy(moved, ptr, old_bytes);
    return moved;
}

static void alc_free(void *ctx, void *ptr)
{
    (void)ctx;
    (void)ptr;
}

enum {
    /* Larger objects, repeated keys and keys that may be array indexes go through a builder. */
    OBJECT_QUICK_MAX = 32,
};

struct conversion {
    struct arena *arena;
    enum jv_parse_flags flags;
};

static int exact_text(struct conversion *c, struct str text, struct jv *to)
{
    struct jv v = {
        .type = JV_NUMBER, .exact = 1, .clean = 1, .len = (uint32_t)text.len, .ptr = text.ptr};
    if ((c->flags & JV_EXACT) == 0) {
        *to = jv_number(jv_as_double(v));
        return 0;
    }
    v.ptr = arena_copy(c->arena, text).ptr;
    *to = v;
    return v.ptr == NULL ? -ENOMEM : 0;
}

static int convert_large_integer(struct conversion *c, yyjson_val *val, struct jv *to)
{
    char text[24];
    int len = unsafe_yyjson_is_sint(val)
                  ? snprintf(text, sizeof(text), "%" PRId64, unsafe_yyjson_get_sint(val))
                  : snprintf(text, sizeof(text), "%" PRIu64, unsafe_yyjson_get_uint(val));
    return exact_text(c, (struct str){text, (size_t)len}, to);
}

static inline int convert_number(struct conversion *c, yyjson_val *val, struct jv *to)
{
    int64_t integer = unsafe_yyjson_get_sint(val);
    if (unsafe_yyjson_is_real(val))
        *to = jv_number(unsafe_yyjson_get_real(val));
    else if (unsafe_yyjson_is_uint(val) ? (uint64_t)integer <= (uint64_t)JV_INTEGER_MAX
                                        : integer >= -(int64_t)JV_INTEGER_MAX)
        *to = jv_number((double)integer);
    else
        return convert_large_integer(c, val, to);
    return 0;
}

static inline struct jv text_of(yyjson_val *val)
{
    return jv_string((struct str){unsafe_yyjson_get_str(val), unsafe_yyjson_get_len(val)});
}

static int convert_container(struct conversion *c, yyjson_val *val, unsigned depth, struct jv *to);

/* Fills *to; -E2BIG or -ENOMEM. Most values are texts and numbers, which need no call. */
__attribute__((always_inline)) static inline int convert(struct conversion *c, yyjson_val *val,
                                                         unsigned depth, struct jv *to)
{
    switch (unsafe_yyjson_get_type(val)) {
    case YYJSON_TYPE_STR:
        *to = text_of(val);
        return 0;
    case YYJSON_TYPE_NUM:
        return convert_number(c, val, to);
    case YYJSON_TYPE_NULL:
        *to = jv_null();
        return 0;
    case YYJSON_TYPE_BOOL:
        *to = jv_bool(unsafe_yyjson_get_bool(val));
        return 0;
    case YYJSON_TYPE_RAW: /* a number no machine type holds */
        return exact_text(c, (struct str){yyjson_get_raw(val), yyjson_get_len(val)}, to);
    default:
        return convert_container(c, val, depth + 1, to);
    }
}

static int convert_array(struct conversion *c, yyjson_val *val, unsigned depth, struct jv *to)
{
    struct jv *items;
    size_t count = unsafe_yyjson_get_len(val);
    *to = jv_array(c->arena, &items, count);
    if (to->type != JV_ARRAY)
        return -ENOMEM;
    yyjson_val *item = unsafe_yyjson_get_first(val);
    uint8_t clean = 1;
    for (size_t i = 0; i < count; i++) {
        int rc = convert(c, item, depth, &items[i]);
        if (rc != 0)
            return rc;
        clean &= items[i].clean;
        item = unsafe_yyjson_get_next(item);
    }
    to->clean = clean;
    return 0;
}

static bool has_key(const struct jv_member *members, size_t count, struct str key)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(members[i].key, key))
            return true;
    return false;
}

static struct jv in_order(struct conversion *c, const struct jv_member *members, uint32_t count)
{
    struct jv_builder b;
    jv_object_begin(&b, c->arena, count);
    for (uint32_t i = 0; i < count; i++)
        jv_object_put(&b, members[i].key, members[i].value);
    return jv_object_end(&b);
}

static int convert_object(struct conversion *c, yyjson_val *val, unsigned depth, struct jv *to)
{
    uint32_t count = (uint32_t)unsafe_yyjson_get_len(val);
    struct jv_member *members = arena_array(c->arena, count, sizeof(*members));
    yyjson_val *key_val = unsafe_yyjson_get_first(val);
    uint64_t seen = 0;
    bool is_in_order = count <= OBJECT_QUICK_MAX;
    uint8_t clean = 1;
    if (members == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < count; i++) {
        struct str key = {unsafe_yyjson_get_str(key_val), unsafe_yyjson_get_len(key_val)};
        uint64_t bit = jv_key_bit(key);
        if (__builtin_expect((seen & bit) != 0 || jv_starts_as_index(key), 0))
            is_in_order = is_in_order && !jv_starts_as_index(key) && !has_key(members, i, key);
        if (jv_is_proto(key))
            clean = 0;
        seen |= bit;
        members[i].key = key;
        yyjson_val *value_val = key_val + 1;
        if (unsafe_yyjson_get_type(value_val) == YYJSON_TYPE_STR) { /* most are */
            members[i].value = text_of(value_val);
            key_val = value_val + 1;
            continue;
        }
        int rc = convert(c, value_val, depth, &members[i].value);
        if (rc != 0)
            return rc;
        clean &= members[i].value.clean;
        key_val = unsafe_yyjson_get_next(value_val);
    }
    *to = is_in_order
              ? (struct jv){.type = JV_OBJECT, .clean = clean, .len = count, .members = members}
              : in_order(c, members, count);
    return to->type == JV_UNDEFINED ? -ENOMEM : 0;
}

__attribute__((noinline)) static int convert_container(struct conversion *c, yyjson_val *val,
                                                       unsigned depth, struct jv *to)
{
    if (depth > JSON_DEPTH_MAX)
        return -E2BIG;
    return unsafe_yyjson_is_arr(val) ? convert_array(c, val, depth, to)
                                     : convert_object(c, val, depth, to);
}

static int hex4(const char *text)
{
    int number = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(text[i]);
        if (digit < 0)
            return -1;
        number = number * 16 + digit;
    }
    return number;
}

static bool is_between(int number, int low, int high)
{
    return number >= low && number <= high;
}

/* Replaces lone surrogate escapes by \ufffd, in place (same length). True when there was one. */
static bool mend_surrogates(char *text, size_t len)
{
    bool mended = false;
    for (size_t i = 0; i + 1 < len; i++) {
        if (text[i] != '\\')
            continue;
        if (text[i + 1] != 'u' || i + 6 > len) {
            i++; /* the escaped character */
            continue;
        }
        int unit = hex4(text + i + 2);
        bool has_low = i + 12 <= len && text[i + 6] == '\\' && text[i + 7] == 'u' &&
                       is_between(hex4(text + i + 8), 0xDC00, 0xDFFF);
        if (is_between(unit, 0xD800, 0xDBFF) && has_low) {
            i += 11;
            continue;
        }
        if (is_between(unit, 0xD800, 0xDFFF)) {
            memcpy(text + i + 2, "fffd", 4);
            mended = true;
        }
        i += 5;
    }
    return mended;
}

int jv_parse(struct jv *out, struct arena *a, struct str text, enum jv_parse_flags flags,
             struct err *err)
{
    const yyjson_alc alc = {alc_malloc, alc_realloc, alc_free, a};
    yyjson_read_err why;
    *out = jv_undefined();
    if (text.len == 0)
        return err_set(err, -EINVAL, 0, "empty text, expected JSON");
    if (text.len > UINT32_MAX / 2)
        return err_set(err, -E2BIG, 0, "JSON text of %zu bytes is too long", text.len);

    yyjson_doc *doc = yyjson_read_opts((char *)(uintptr_t)text.ptr, text.len,
                                       YYJSON_READ_BIGNUM_AS_RAW, &alc, &why);
    if (doc == NULL && why.code == YYJSON_READ_ERROR_INVALID_STRING) {
        struct str copy = arena_copy(a, text);
        if (copy.ptr != NULL && mend_surrogates((char *)(uintptr_t)copy.ptr, copy.len))
            doc = yyjson_read_opts((char *)(uintptr_t)copy.ptr, copy.len, YYJSON_READ_BIGNUM_AS_RAW,
                                   &alc, &why);
    }
    if (doc == NULL && why.code == YYJSON_READ_ERROR_MEMORY_ALLOCATION)
        return err_set(err, -ENOMEM, 0, "no memory for %zu bytes of JSON", text.len);
    if (doc == NULL)
        return err_set(err, -EINVAL, why.pos, "malformed JSON at byte %zu: %s", why.pos, why.msg);

    struct conversion c = {.arena = a, .flags = flags};
    struct jv v;
    switch (convert(&c, yyjson_doc_get_root(doc), 0, &v)) {
    case 0:
        *out = v;
        return 0;
    case -E2BIG:
        return err_set(err, -E2BIG, 0, "JSON nested deeper than %d levels", JSON_DEPTH_MAX);
    default:
        return err_set(err, -ENOMEM, 0, "no memory for %zu bytes of JSON", text.len);
    }
}
