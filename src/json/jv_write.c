#include "jv.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <yyjson.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define CENTS_BELOW 1e7 /* as hundredths they are 32 bits */

enum {
    DOUBLE_DIGITS_MAX = 24, /* 17 tell any double apart; yyjson may print zeros up to 10^21 */
    ESCAPE_BYTES = 6,       /* \u001f */
};

/* 0: as it is; 'u': \u00xx; else the letter after the backslash. */
static const char escapes[256] = {
    ['"'] = '"',  ['\\'] = '\\', [0] = 'u',  [1] = 'u',    [2] = 'u',    [3] = 'u',    [4] = 'u',
    [5] = 'u',    [6] = 'u',     [7] = 'u',  ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', [11] = 'u',
    ['\f'] = 'f', ['\r'] = 'r',  [14] = 'u', [15] = 'u',   [16] = 'u',   [17] = 'u',   [18] = 'u',
    [19] = 'u',   [20] = 'u',    [21] = 'u', [22] = 'u',   [23] = 'u',   [24] = 'u',   [25] = 'u',
    [26] = 'u',   [27] = 'u',    [28] = 'u', [29] = 'u',   [30] = 'u',   [31] = 'u',
};

/* The compiler's portable vectors: a few instructions with SSE2 or NEON. */
typedef uint8_t octets __attribute__((vector_size(16)));
typedef uint64_t words __attribute__((vector_size(16)));

/* 0 when no byte needs an escape. */
static inline uint64_t odd_bytes(octets bytes)
{
    /* With this bit flipped, '"' is what comes behind the control characters. */
    octets hit = (octets)(((bytes ^ 2) <= ('"' ^ 2)) | (bytes == '\\'));
#ifdef __SSE2__
    return (unsigned)_mm_movemask_epi8((__m128i)hit);
#else
    words both = (words)hit;
    return both[0] | both[1];
#endif
}

static inline uint64_t copy_16(char *to, const char *from)
{
    octets bytes;
    memcpy(&bytes, from, 16);
    memcpy(to, &bytes, 16);
    return odd_bytes(bytes);
}

/* Copies a text and says 0 when no byte of it needs an escape; else what is at `to` means nothing.
 * Writes no byte behind text.len: the last step overlaps the one before. */
__attribute__((always_inline)) static inline uint64_t copy_plain(char *to, struct str text)
{
    size_t len = text.len;
    if (len >= 16) {
        for (size_t i = 0; i < len - 16; i += 16)
            if (copy_16(to + i, text.ptr + i) != 0)
                return 1;
        return copy_16(to + len - 16, text.ptr + len - 16);
    }
    if (len >= 8) {
        uint64_t head = str_load8(text.ptr);
        uint64_t tail = str_load8(text.ptr + len - 8);
        memcpy(to, &head, 8);
        memcpy(to + len - 8, &tail, 8);
        return odd_bytes((octets)(words){head, tail});
    }
    if (len >= 4) {
        uint32_t head = str_load4(text.ptr);
        uint32_t tail = str_load4(text.ptr + len - 4);
        memcpy(to, &head, 4);
        memcpy(to + len - 4, &tail, 4);
        uint64_t both = head | (uint64_t)tail << 32;
        return odd_bytes((octets)(words){both, both});
    }
    for (size_t i = 0; i < len; i++) {
        to[i] = text.ptr[i];
        if (escapes[(unsigned char)text.ptr[i]] != 0)
            return 1;
    }
    return 0;
}

/* Shortest digits that read back as the same double, and the power
 * of ten of the first one's place. */
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

    /* Whatever notation that is: the value is 0.DIGITS x 10^(where the
     * point stands - first digit's place + e). */
    size_t count = 0;
    int place = 0; /* digits passed, leading zeros included */
    int first = 0; /* place of the first digit that is not zero */
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

/* The digits of the numbers below 100, two by two. */
static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                            "25262728293031323334353637383940414243444546474849"
                            "50515253545556575859606162636465666768697071727374"
                            "75767778798081828384858687888990919293949596979899";

static inline void two_digits(char *to, uint32_t number)
{
    memcpy(to, pairs + (size_t)number * 2, 2);
}

/* Of three digits and more. */
__attribute__((noinline)) static size_t long_integer_text(uint64_t number, char *text)
{
    size_t len = 2;
    for (uint64_t rest = number; rest >= 100; rest /= 10)
        len++;
    size_t at = len - 2;
    for (; number >= 1000; number /= 100, at -= 2)
        two_digits(text + at, (uint32_t)(number % 100));
    if (number >= 100) {
        text[at + 1] = (char)('0' + number % 10);
        number /= 10;
        at--;
    }
    two_digits(text + at, (uint32_t)number);
    return len;
}

static inline size_t integer_text(uint64_t number, char *text)
{
    if (number >= 100)
        return long_integer_text(number, text);
    if (number < 10) {
        text[0] = (char)('0' + number);
        return 1;
    }
    two_digits(text, (uint32_t)number);
    return 2;
}

/* ECMAScript Number::toString for a positive number that is no small integer. */
static size_t real_text(double number, char *text)
{
    struct buf local = {.ptr = text, .cap = JV_NUMBER_BYTES, .max = JV_NUMBER_BYTES};
    struct buf *out = &local;
    char digits[DOUBLE_DIGITS_MAX];
    int exponent; /* value = 0.DIGITS x 10^exponent */
    size_t count = shortest_digits(number, digits, &exponent);
    assert(count > 0);
    struct str all = {digits, count};
    int n = exponent;
    int k = (int)count;
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
        buf_append(out, n - 1 < 0 ? STR("e-") : STR("e+"));
        buf_put_u64(out, (uint64_t)abs(n - 1));
    }
    return local.len;
}

/* A decimal of up to six places; 0: it is none. A decimal of at most 15 digits that reads back as
 * the same double is its shortest form when none with fewer places does. */
static size_t decimal_text(double size, char *text)
{
    static const double powers[] = {1e1, 1e2, 1e3, 1e4, 1e5, 1e6};
    if (!(size < 1e9) || size < 1e-6)
        return 0;
    for (size_t i = 0; i < countof(powers); i++) {
        uint64_t digits = (uint64_t)(size * powers[i] + 0.5);
        if ((double)digits / powers[i] != size)
            continue;
        char places[countof(powers)];
        for (size_t at = i + 1; at > 0; at--, digits /= 10)
            places[at - 1] = (char)('0' + digits % 10);
        size_t len = integer_text(digits, text);
        text[len++] = '.';
        memcpy(text + len, places, sizeof(places)); /* a constant size is one move */
        return len + i + 1;
    }
    return 0;
}

__attribute__((noinline)) static size_t positive_text(double size, char *text)
{
    if (isinf(size))
        return (size_t)(stpcpy(text, "Infinity") - text);
    if (size <= JV_INTEGER_MAX && size == (double)(int64_t)size)
        return integer_text((uint64_t)size, text);
    size_t len = decimal_text(size, text);
    return len > 0 ? len : real_text(size, text);
}

/* Nearly all numbers are small integers and prices, which are an integer of hundredths. */
static inline size_t unsigned_text(double size, char *text)
{
    int64_t cents = size < CENTS_BELOW ? (int64_t)(size * 100 + 0.5) : -1;
    if ((double)cents / 100 != size)
        return positive_text(size, text);
    uint32_t rest = (uint32_t)cents % 100;
    size_t len = integer_text((uint32_t)cents / 100, text);
    if (rest == 0)
        return len;
    text[len] = '.';
    two_digits(text + len + 1, rest);
    return len + 2 + (text[len + 2] != '0');
}

size_t jv_number_text(double number, char text[JV_NUMBER_BYTES])
{
    if (number >= 0)
        return unsigned_text(number, text);
    if (isnan(number))
        return (size_t)(stpcpy(text, "NaN") - text);
    text[0] = '-';
    return 1 + unsigned_text(-number, text + 1);
}

void jv_write_number(struct buf *out, double number)
{
    char text[JV_NUMBER_BYTES];
    buf_append(out, (struct str){text, jv_number_text(number, text)});
}

/*
 * A writer hands on `at`, where the next byte goes, instead of storing a length after every token.
 * NULL: the buffer is full.
 */
struct writer {
    struct buf *out;
    const char *end; /* of what the buffer has room for */
};

static char *grow(struct writer *w, const char *at, size_t bytes)
{
    w->out->len = (size_t)(at - w->out->ptr);
    if (!buf_reserve(w->out, bytes))
        return NULL;
    w->end = w->out->ptr + w->out->cap;
    return w->out->ptr + w->out->len;
}

/* Makes room behind *at, which moves when the buffer does; false: the buffer is full. */
static inline bool has_room(struct writer *w, char **at, size_t bytes)
{
    if ((size_t)(w->end - *at) >= bytes)
        return true;
    *at = grow(w, *at, bytes);
    return *at != NULL;
}

static inline char *put_text(struct writer *w, char *at, struct str text)
{
    if (!has_room(w, &at, text.len))
        return NULL;
    memcpy(at, text.ptr, text.len);
    return at + text.len;
}

static inline char *put_char(struct writer *w, char *at, char c)
{
    if (!has_room(w, &at, 1))
        return NULL;
    *at = c;
    return at + 1;
}

static char *put_escaped(struct writer *w, char *at, struct str text)
{
    static const char hex[] = "0123456789abcdef";
    at = put_char(w, at, '"');
    for (size_t i = 0; at != NULL && i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        const char code[ESCAPE_BYTES] = {'\\', escapes[c], '0', '0', hex[c >> 4], hex[c & 15]};
        if (escapes[c] == 0)
            at = put_char(w, at, (char)c);
        else
            at = put_text(w, at, (struct str){code, escapes[c] == 'u' ? ESCAPE_BYTES : 2});
    }
    return at == NULL ? NULL : put_char(w, at, '"');
}

static char *put_escaped_key(struct writer *w, char *at, struct str key)
{
    at = put_escaped(w, at, key);
    return at == NULL ? NULL : put_char(w, at, ':');
}

/* The text in its quotes where there is room for it; NULL when a byte of it needs an escape. */
__attribute__((always_inline)) static inline char *quote(char *at, struct str text)
{
    if (copy_plain(at + 1, text) != 0)
        return NULL;
    at[0] = '"';
    at[text.len + 1] = '"';
    return at + text.len + 2;
}

__attribute__((always_inline)) static inline char *put_string(struct writer *w, char *at,
                                                              struct str text)
{
    if (!has_room(w, &at, text.len + 2))
        return NULL;
    char *behind = quote(at, text);
    return behind != NULL ? behind : put_escaped(w, at, text);
}

/* `before` is the '{' or ',' in front of the key. */
__attribute__((always_inline)) static inline char *put_key(struct writer *w, char *at, char before,
                                                           struct str key)
{
    if (!has_room(w, &at, key.len + 4))
        return NULL;
    *at = before;
    char *behind = quote(at + 1, key);
    if (behind == NULL)
        return put_escaped_key(w, at + 1, key);
    *behind = ':';
    return behind + 1;
}

__attribute__((noinline)) static char *put_odd_number(struct writer *w, char *at, struct jv v)
{
    char text[JV_NUMBER_BYTES];
    if (v.exact)
        return put_text(w, at, jv_str(v));
    if (!isfinite(v.number))
        return put_text(w, at, STR("null"));
    return put_text(w, at, (struct str){text, jv_number_text(v.number, text)});
}

static inline char *put_number(struct writer *w, char *at, struct jv v)
{
    if (v.exact || !isfinite(v.number) || w->end - at < JV_NUMBER_BYTES)
        return put_odd_number(w, at, v);
    return at + jv_number_text(v.number, at);
}

static char *put_members(struct writer *w, char *at, struct jv object);
static char *put_items(struct writer *w, char *at, struct jv array);

__attribute__((always_inline)) static inline char *put_value(struct writer *w, char *at,
                                                             struct jv v)
{
    if (v.type == JV_STRING)
        return put_string(w, at, (struct str){v.ptr, v.len});
    switch ((enum jv_type)v.type) {
    case JV_NUMBER:
        return put_number(w, at, v);
    case JV_ARRAY:
        return put_items(w, at, v);
    case JV_OBJECT:
        return put_members(w, at, v);
    case JV_BOOL:
        return put_text(w, at, v.boolean ? STR("true") : STR("false"));
    case JV_STRING:
    case JV_UNDEFINED:
    case JV_NULL:
        break;
    }
    return put_text(w, at, STR("null"));
}

static char *put_members(struct writer *w, char *at, struct jv object)
{
    if (object.len == 0)
        return put_text(w, at, STR("{}"));
    const struct jv_member *end = object.members + object.len;
    char before = '{';
    for (const struct jv_member *member = object.members; member < end; member++) {
        if (member->value.type == JV_UNDEFINED)
            continue;
        at = put_key(w, at, before, member->key);
        at = at == NULL ? NULL : put_value(w, at, member->value);
        if (at == NULL)
            return NULL;
        before = ',';
    }
    return before == '{' ? put_text(w, at, STR("{}")) : put_char(w, at, '}');
}

static char *put_items(struct writer *w, char *at, struct jv array)
{
    at = put_char(w, at, '[');
    for (uint32_t i = 0; i < array.len && at != NULL; i++) {
        at = i == 0 ? at : put_char(w, at, ',');
        at = at == NULL ? NULL : put_value(w, at, array.items[i]);
    }
    return at == NULL ? NULL : put_char(w, at, ']');
}

/* A writer at the buffer's end, or NULL. */
static char *writer_open(struct writer *w, struct buf *out, size_t bytes)
{
    *w = (struct writer){.out = out};
    if (!buf_reserve(out, bytes))
        return NULL;
    w->end = out->ptr + out->cap;
    return out->ptr + out->len;
}

static void writer_close(const struct writer *w, const char *at)
{
    if (at != NULL)
        w->out->len = (size_t)(at - w->out->ptr);
}

void jv_write(struct buf *out, struct jv v)
{
    struct writer w;
    char *at = writer_open(&w, out, 1);
    writer_close(&w, at == NULL ? NULL : put_value(&w, at, v));
}

void jv_write_string(struct buf *out, struct str text)
{
    struct writer w;
    char *at = writer_open(&w, out, text.len + 2);
    writer_close(&w, at == NULL ? NULL : put_string(&w, at, text));
}
