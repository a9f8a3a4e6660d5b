#include "jv.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <yyjson.h>

#include "limits.h"

/* 2^53: from here on not every integer is a double. */
#define EXACT_INTEGER_MAX 9007199254740992.0

enum { DOUBLE_DIGITS_MAX = 24 /* 17 tell any double apart; yyjson may print zeros up to 10^21 */ };

/* -------------------------------------------------------------------------------------- reading */

double jv_as_double(struct jv v)
{
    assert(v.type == JV_NUMBER);
    if (!v.exact)
        return v.number;
    char text[512]; /* longer text than this is only more digits of the same double */
    size_t len = v.len < sizeof(text) - 1 ? v.len : sizeof(text) - 1;
    memcpy(text, v.ptr, len);
    text[len] = '\0';
    return strtod(text, NULL);
}

bool jv_truthy(struct jv v)
{
    switch ((enum jv_type)v.type) {
    case JV_UNDEFINED:
    case JV_NULL:
        return false;
    case JV_BOOL:
        return v.boolean;
    case JV_NUMBER:
        return v.exact || (v.number != 0 && !isnan(v.number));
    case JV_STRING:
        return v.len > 0;
    case JV_ARRAY:
    case JV_OBJECT:
        return true;
    }
    return false;
}

struct jv jv_get(struct jv object, struct str key)
{
    if (object.type != JV_OBJECT)
        return jv_undefined();
    for (uint32_t i = 0; i < object.len; i++)
        if (str_eq(object.members[i].key, key))
            return object.members[i].value;
    return jv_undefined();
}

bool jv_equal(struct jv a, struct jv b)
{
    if (a.type != b.type)
        return false;
    switch ((enum jv_type)a.type) {
    case JV_UNDEFINED:
    case JV_NULL:
        return true;
    case JV_BOOL:
        return a.boolean == b.boolean;
    case JV_NUMBER:
        if (a.exact && b.exact)
            return str_eq(jv_str(a), jv_str(b));
        return jv_as_double(a) == jv_as_double(b);
    case JV_STRING:
        return str_eq(jv_str(a), jv_str(b));
    case JV_ARRAY:
        if (a.len != b.len)
            return false;
        for (uint32_t i = 0; i < a.len; i++)
            if (!jv_equal(a.items[i], b.items[i]))
                return false;
        return true;
    case JV_OBJECT:
        if (a.len != b.len)
            return false;
        for (uint32_t i = 0; i < a.len; i++)
            if (!jv_equal(a.members[i].value, jv_get(b, a.members[i].key)))
                return false;
        return true;
    }
    return false;
}

/* ------------------------------------------------------------------------------------- building */

/* A canonical array index, 0 to 4294967294 without leading zeros: JavaScript lists such keys first. */
static bool key_index(struct str key, uint32_t *index)
{
    if (key.len == 0 || key.len > 10 || key.ptr[0] < '0' || key.ptr[0] > '9')
        return false;
    if (key.len > 1 && key.ptr[0] == '0')
        return false;
    uint64_t number = 0;
    for (size_t i = 0; i < key.len; i++) {
        if (key.ptr[i] < '0' || key.ptr[i] > '9')
            return false;
        number = number * 10 + (uint64_t)(key.ptr[i] - '0');
    }
    if (number > 4294967294u)
        return false;
    *index = (uint32_t)number;
    return true;
}

static uint64_t key_bit(struct str key)
{
    size_t mix = key.len;
    if (key.len > 0)
        mix = mix * 31 + (unsigned char)key.ptr[0] * 7u + (unsigned char)key.ptr[key.len - 1] * 13u +
              (unsigned char)key.ptr[key.len / 2] * 3u;
    return UINT64_C(1) << (mix & 63);
}

void jv_object_begin(struct jv_builder *b, struct arena *a, uint32_t members_expected)
{
    *b = (struct jv_builder){.arena = a, .cap = members_expected};
    if (members_expected == 0)
        return;
    b->members = arena_array(a, members_expected, sizeof(struct jv_member));
    if (b->members == NULL) {
        b->cap = 0;
        b->failed = true;
    }
}

static bool grow_members(struct jv_builder *b)
{
    uint32_t cap = b->cap < 8 ? 8 : b->cap * 2;
    struct jv_member *members =
        cap <= b->cap ? NULL : arena_array(b->arena, cap, sizeof(*members));
    if (members == NULL) {
        b->failed = true;
        return false;
    }
    if (b->len > 0)
        memcpy(members, b->members, b->len * sizeof(*members));
    b->members = members;
    b->cap = cap;
    return true;
}

void jv_object_put(struct jv_builder *b, struct str key, struct jv value)
{
    if (b->failed)
        return;
    uint64_t bit = key_bit(key);
    if (b->seen & bit) {
        for (uint32_t i = 0; i < b->len; i++) {
            if (str_eq(b->members[i].key, key)) {
                b->members[i].value = value;
                return;
            }
        }
    }
    if (b->len == b->cap && !grow_members(b))
        return;
    b->seen |= bit;
    b->has_index = b->has_index || (key.len > 0 && key.ptr[0] >= '0' && key.ptr[0] <= '9');
    b->members[b->len++] = (struct jv_member){key, value};
}

void jv_object_put_all(struct jv_builder *b, struct jv object)
{
    if (object.type != JV_OBJECT)
        return;
    for (uint32_t i = 0; i < object.len; i++)
        jv_object_put(b, object.members[i].key, object.members[i].value);
}

void jv_object_remove(struct jv_builder *b, struct str key)
{
    for (uint32_t i = 0; i < b->len; i++) {
        if (!str_eq(b->members[i].key, key))
            continue;
        memmove(b->members + i, b->members + i + 1, (b->len - i - 1) * sizeof(*b->members));
        b->len--;
        return;
    }
}

static int by_index_then_place(const void *left, const void *right)
{
    const struct jv_member *a = left;
    const struct jv_member *b = right;
    uint32_t index_a = 0;
    uint32_t index_b = 0;
    (void)key_index(a->key, &index_a);
    (void)key_index(b->key, &index_b);
    return index_a < index_b ? -1 : index_a > index_b;
}

/* Array indexes to the front in ascending order, the rest after them as they were. */
static bool order_indexes(struct jv_builder *b)
{
    uint32_t indexes = 0;
    uint32_t index;
    for (uint32_t i = 0; i < b->len; i++)
        indexes += key_index(b->members[i].key, &index);
    if (indexes == 0)
        return true;
    struct jv_member *sorted = arena_array(b->arena, b->len, sizeof(*sorted));
    if (sorted == NULL)
        return false;
    uint32_t front = 0;
    uint32_t back = indexes;
    for (uint32_t i = 0; i < b->len; i++) {
        if (key_index(b->members[i].key, &index))
            sorted[front++] = b->members[i];
        else
            sorted[back++] = b->members[i];
    }
    qsort(sorted, indexes, sizeof(*sorted), by_index_then_place); /* keys are unique: stable */
    b->members = sorted;
    return true;
}

struct jv jv_object_end(struct jv_builder *b)
{
    if (b->failed || (b->has_index && !order_indexes(b)))
        return jv_undefined();
    return (struct jv){.type = JV_OBJECT, .len = b->len, .members = b->members};
}

struct jv jv_array(struct arena *a, struct jv **items, size_t count)
{
    *items = arena_array(a, count, sizeof(struct jv));
    if (*items == NULL || count > UINT32_MAX)
        return jv_undefined();
    return (struct jv){.type = JV_ARRAY, .len = (uint32_t)count, .items = *items};
}

struct jv jv_copy(struct arena *a, struct jv v)
{
    switch ((enum jv_type)v.type) {
    case JV_UNDEFINED:
    case JV_NULL:
    case JV_BOOL:
        return v;
    case JV_NUMBER:
    case JV_STRING: {
        if (v.type == JV_NUMBER && !v.exact)
            return v;
        struct str text = arena_copy(a, (struct str){v.ptr, v.len});
        v.ptr = text.ptr;
        return text.ptr == NULL ? jv_undefined() : v;
    }
    case JV_ARRAY: {
        struct jv *items;
        struct jv copy = jv_array(a, &items, v.len);
        for (uint32_t i = 0; copy.type == JV_ARRAY && i < v.len; i++)
            items[i] = jv_copy(a, v.items[i]);
        return copy;
    }
    case JV_OBJECT: {
        struct jv_member *members = arena_array(a, v.len, sizeof(*members));
        if (members == NULL)
            return jv_undefined();
        for (uint32_t i = 0; i < v.len; i++) {
            members[i].key = arena_copy(a, v.members[i].key);
            members[i].value = jv_copy(a, v.members[i].value);
            if (members[i].key.ptr == NULL)
                return jv_undefined();
        }
        return (struct jv){.type = JV_OBJECT, .len = v.len, .members = members};
    }
    }
    return jv_undefined();
}

/* -------------------------------------------------------------------------------------- parsing */

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

struct conversion {
    struct arena *arena;
    enum jv_parse_flags flags;
    int failure; /* -E2BIG or -ENOMEM */
};

static struct jv exact_text(struct conversion *c, struct str text)
{
    struct jv v = {.type = JV_NUMBER, .exact = 1, .len = (uint32_t)text.len};
    if ((c->flags & JV_EXACT) == 0) {
        v.ptr = text.ptr;
        return jv_number(jv_as_double(v));
    }
    struct str kept = arena_copy(c->arena, text);
    if (kept.ptr == NULL)
        c->failure = -ENOMEM;
    v.ptr = kept.ptr;
    return v;
}

static struct jv convert_number(struct conversion *c, yyjson_val *val)
{
    if (yyjson_is_real(val))
        return jv_number(yyjson_get_real(val));
    char text[24];
    if (yyjson_is_sint(val)) {
        int64_t number = yyjson_get_sint(val);
        if (number >= -(int64_t)EXACT_INTEGER_MAX)
            return jv_number((double)number);
        int len = snprintf(text, sizeof(text), "%" PRId64, number);
        return exact_text(c, (struct str){text, (size_t)len});
    }
    uint64_t number = yyjson_get_uint(val);
    if (number <= (uint64_t)EXACT_INTEGER_MAX)
        return jv_number((double)number);
    int len = snprintf(text, sizeof(text), "%" PRIu64, number);
    return exact_text(c, (struct str){text, (size_t)len});
}

static struct jv convert(struct conversion *c, yyjson_val *val, unsigned depth);

static struct jv convert_array(struct conversion *c, yyjson_val *val, unsigned depth)
{
    struct jv *items;
    struct jv array = jv_array(c->arena, &items, yyjson_arr_size(val));
    if (array.type != JV_ARRAY) {
        c->failure = -ENOMEM;
        return array;
    }
    size_t i;
    size_t count;
    yyjson_val *item;
    yyjson_arr_foreach(val, i, count, item)
    {
        items[i] = convert(c, item, depth);
    }
    return array;
}

static struct jv convert_object(struct conversion *c, yyjson_val *val, unsigned depth)
{
    struct jv_builder b;
    jv_object_begin(&b, c->arena, (uint32_t)yyjson_obj_size(val));
    size_t i;
    size_t count;
    yyjson_val *key;
    yyjson_val *value;
    yyjson_obj_foreach(val, i, count, key, value)
    {
        jv_object_put(&b, (struct str){unsafe_yyjson_get_str(key), unsafe_yyjson_get_len(key)},
                      convert(c, value, depth));
    }
    struct jv object = jv_object_end(&b);
    if (object.type != JV_OBJECT)
        c->failure = -ENOMEM;
    return object;
}

static struct jv convert(struct conversion *c, yyjson_val *val, unsigned depth)
{
    if (c->failure != 0)
        return jv_undefined();
    switch (yyjson_get_type(val)) {
    case YYJSON_TYPE_NULL:
        return jv_null();
    case YYJSON_TYPE_BOOL:
        return jv_bool(yyjson_get_bool(val));
    case YYJSON_TYPE_NUM:
        return convert_number(c, val);
    case YYJSON_TYPE_RAW: /* a number no machine type holds */
        return exact_text(c, (struct str){yyjson_get_raw(val), yyjson_get_len(val)});
    case YYJSON_TYPE_STR:
        return jv_string((struct str){unsafe_yyjson_get_str(val), unsafe_yyjson_get_len(val)});
    case YYJSON_TYPE_ARR:
    case YYJSON_TYPE_OBJ:
        if (depth >= JSON_DEPTH_MAX) {
            c->failure = -E2BIG;
            return jv_undefined();
        }
        return yyjson_is_arr(val) ? convert_array(c, val, depth + 1)
                                  : convert_object(c, val, depth + 1);
    default:
        assert(yyjson_is_null(val)); /* yyjson knows no other type */
        return jv_undefined();
    }
}

static int hex4(const char *text)
{
    int number = 0;
    for (int i = 0; i < 4; i++) {
        char c = text[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
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

    yyjson_doc *doc =
        yyjson_read_opts((char *)(uintptr_t)text.ptr, text.len, YYJSON_READ_BIGNUM_AS_RAW, &alc, &why);
    if (doc == NULL && why.code == YYJSON_READ_ERROR_INVALID_STRING) {
        struct str copy = arena_copy(a, text);
        if (copy.ptr != NULL && mend_surrogates((char *)(uintptr_t)copy.ptr, copy.len))
            doc = yyjson_read_opts((char *)(uintptr_t)copy.ptr, copy.len,
                                   YYJSON_READ_BIGNUM_AS_RAW, &alc, &why);
    }
    if (doc == NULL && why.code == YYJSON_READ_ERROR_MEMORY_ALLOCATION)
        return err_set(err, -ENOMEM, 0, "no memory for %zu bytes of JSON", text.len);
    if (doc == NULL)
        return err_set(err, -EINVAL, why.pos, "malformed JSON at byte %zu: %s", why.pos, why.msg);

    struct conversion c = {.arena = a, .flags = flags};
    *out = convert(&c, yyjson_doc_get_root(doc), 0);
    if (c.failure == -E2BIG)
        return err_set(err, -E2BIG, 0, "JSON nested deeper than %d levels", JSON_DEPTH_MAX);
    if (c.failure != 0)
        return err_set(err, -ENOMEM, 0, "no memory for %zu bytes of JSON", text.len);
    return 0;
}

/* -------------------------------------------------------------------------------------- writing */

/* 0: as it is; 'u': \u00xx; else the letter after the backslash. */
static const char escapes[256] = {
    ['"'] = '"', ['\\'] = '\\', [0] = 'u',    [1] = 'u',    [2] = 'u',  [3] = 'u',  [4] = 'u',
    [5] = 'u',   [6] = 'u',     [7] = 'u',    ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', [11] = 'u',
    ['\f'] = 'f', ['\r'] = 'r', [14] = 'u',   [15] = 'u',   [16] = 'u', [17] = 'u', [18] = 'u',
    [19] = 'u',  [20] = 'u',    [21] = 'u',   [22] = 'u',   [23] = 'u', [24] = 'u', [25] = 'u',
    [26] = 'u',  [27] = 'u',    [28] = 'u',   [29] = 'u',   [30] = 'u', [31] = 'u',
};

/* How many bytes from the start need no escape; eight at a time. */
static size_t plain_run(const char *text, size_t len)
{
    size_t i = 0;
    for (; i + 8 <= len; i += 8) {
        uint64_t word;
        memcpy(&word, text + i, 8);
        const uint64_t ones = UINT64_C(0x0101010101010101);
        const uint64_t highs = UINT64_C(0x8080808080808080);
        uint64_t quote = word ^ (ones * '"');
        uint64_t slash = word ^ (ones * '\\');
        uint64_t hit = ((word - ones * 0x20) | (quote - ones) | (slash - ones)) & ~word & highs;
        /* ~word clears bytes with the top bit set, which never need an escape; a borrow may flag a byte too many,
         * which the slow loop below then finds plain. */
        if (hit != 0 || ((quote - ones) & ~quote & highs) != 0 || ((slash - ones) & ~slash & highs) != 0)
            break;
    }
    while (i < len && escapes[(unsigned char)text[i]] == 0)
        i++;
    return i;
}

void jv_write_string(struct buf *out, struct str text)
{
    static const char hex[] = "0123456789abcdef";
    if (text.len == 0) { /* its pointer may be NULL */
        buf_append(out, STR("\"\""));
        return;
    }
    if (!buf_reserve(out, text.len + 2))
        return;
    out->ptr[out->len++] = '"';
    size_t from = 0;
    for (;;) {
        size_t run = plain_run(text.ptr + from, text.len - from);
        if (!buf_reserve(out, run + 7)) /* the run, one escape, the closing quote */
            return;
        if (run > 0)
            memcpy(out->ptr + out->len, text.ptr + from, run);
        out->len += run;
        from += run;
        if (from == text.len)
            break;
        unsigned char c = (unsigned char)text.ptr[from++];
        out->ptr[out->len++] = '\\';
        out->ptr[out->len++] = escapes[c];
        if (escapes[c] == 'u') {
            const char code[4] = {'0', '0', hex[c >> 4], hex[c & 15]};
            memcpy(out->ptr + out->len, code, 4);
            out->len += 4;
        }
    }
    out->ptr[out->len++] = '"';
}

/* Shortest digits that read back as the same double, and the power of ten of the first one's place. */
static size_t shortest_digits(double number, char digits[DOUBLE_DIGITS_MAX], int *exponent)
{
    char pool[512];
    char *text = NULL;
    size_t len = 0;
    yyjson_alc alc;
    yyjson_val val = {.tag = YYJSON_TYPE_NUM | YYJSON_SUBTYPE_REAL, .uni.f64 = number};
    if (yyjson_alc_pool_init(&alc, pool, sizeof(pool)))
        text = yyjson_val_write_opts(&val, 0, &alc, &len, NULL);
    char fallback[40];
    if (text == NULL) {
        len = (size_t)snprintf(fallback, sizeof(fallback), "%.17g", number);
        text = fallback;
    }

    /* Whatever notation that is: the value is 0.DIGITS x 10^(where the point stands - first digit's place + e). */
    size_t count = 0;
    int place = 0;      /* digits passed, leading zeros included */
    int first = 0;      /* place of the first digit that is not zero */
    int point_at = -1;
    size_t i = 0;
    for (; i < len && text[i] != 'e' && text[i] != 'E'; i++) {
        if (text[i] == '.')
            point_at = place;
        if (text[i] < '0' || text[i] > '9')
            continue;
        if (count == 0)
            first = place;
        if ((count > 0 || text[i] != '0') && count < DOUBLE_DIGITS_MAX)
            digits[count++] = text[i];
        place++;
    }
    int written = i < len ? (int)strtol(text + i + 1, NULL, 10) : 0;
    while (count > 1 && digits[count - 1] == '0')
        count--;
    *exponent = (point_at < 0 ? place : point_at) - first + written;
    return count;
}

/* ECMAScript Number::toString for a finite number that is no small integer. */
static void write_real(struct buf *out, double number)
{
    char digits[DOUBLE_DIGITS_MAX];
    int exponent; /* value = 0.DIGITS x 10^exponent */
    size_t count = shortest_digits(fabs(number), digits, &exponent);
    struct str all = {digits, count};
    int n = exponent;
    int k = (int)count;
    if (number < 0)
        buf_putc(out, '-');
    if (k <= n && n <= 21) {
        buf_append(out, all);
        for (int i = k; i < n; i++)
            buf_putc(out, '0');
    } else if (0 < n && n <= 21) {
        buf_append(out, str_slice(all, 0, (size_t)n));
        buf_putc(out, '.');
        buf_append(out, str_slice(all, (size_t)n, count));
    } else if (-6 < n && n <= 0) {
        buf_append(out, STR("0."));
        for (int i = n; i < 0; i++)
            buf_putc(out, '0');
        buf_append(out, all);
    } else {
        buf_putc(out, digits[0]);
        if (k > 1) {
            buf_putc(out, '.');
            buf_append(out, str_slice(all, 1, count));
        }
        buf_printf(out, "e%c%d", n - 1 < 0 ? '-' : '+', abs(n - 1));
    }
}

void jv_write_number(struct buf *out, double number)
{
    if (number >= -EXACT_INTEGER_MAX && number <= EXACT_INTEGER_MAX && number == trunc(number)) {
        if (number < 0)
            buf_putc(out, '-');
        buf_put_u64(out, (uint64_t)fabs(number));
        return;
    }
    if (isnan(number))
        buf_append(out, STR("NaN"));
    else if (isinf(number))
        buf_append(out, number < 0 ? STR("-Infinity") : STR("Infinity"));
    else
        write_real(out, number);
}

static void write_object(struct buf *out, struct jv v)
{
    bool first = true;
    buf_putc(out, '{');
    for (uint32_t i = 0; i < v.len; i++) {
        const struct jv_member *member = &v.members[i];
        if (member->value.type == JV_UNDEFINED)
            continue;
        if (!first)
            buf_putc(out, ',');
        first = false;
        jv_write_string(out, member->key);
        buf_putc(out, ':');
        jv_write(out, member->value);
    }
    buf_putc(out, '}');
}

void jv_write(struct buf *out, struct jv v)
{
    switch ((enum jv_type)v.type) {
    case JV_UNDEFINED:
    case JV_NULL:
        buf_append(out, STR("null"));
        return;
    case JV_BOOL:
        buf_append(out, v.boolean ? STR("true") : STR("false"));
        return;
    case JV_NUMBER:
        if (v.exact)
            buf_append(out, jv_str(v));
        else if (!isfinite(v.number))
            buf_append(out, STR("null"));
        else
            jv_write_number(out, v.number);
        return;
    case JV_STRING:
        jv_write_string(out, jv_str(v));
        return;
    case JV_ARRAY:
        buf_putc(out, '[');
        for (uint32_t i = 0; i < v.len; i++) {
            if (i > 0)
                buf_putc(out, ',');
            jv_write(out, v.items[i]);
        }
        buf_putc(out, ']');
        return;
    case JV_OBJECT:
        write_object(out, v);
        return;
    }
}
