#include "jv.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <yyjson.h>

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

/* Does none of the eight bytes need an escape? A borrow only starts at a byte that does; a byte
 * with its top bit set never does. */
static inline bool is_plain_word(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t highs = UINT64_C(0x8080808080808080);
    uint64_t low = word - ones * 0x20;
    uint64_t quote = (word ^ (ones * '"')) - ones;
    uint64_t slash = (word ^ (ones * '\\')) - ones;
    return ((low | quote | slash) & ~word & highs) == 0;
}

/* The compiler's portable vectors: a few instructions with SSE2 or NEON. */
typedef uint8_t octets __attribute__((vector_size(16)));
typedef uint64_t words __attribute__((vector_size(16)));

static inline bool is_plain_vector(octets bytes)
{
    words hit = (words)((bytes < 0x20) | (bytes == '"') | (bytes == '\\'));
    return (hit[0] | hit[1]) == 0;
}

static inline bool copy_plain_16(char *to, const char *from)
{
    octets bytes;
    memcpy(&bytes, from, 16);
    memcpy(to, &bytes, 16);
    return is_plain_vector(bytes);
}

/* Copies a text none of whose bytes needs an escape; false: one does, and what is at `to` means
 * nothing. Writes no byte behind text.len: the last step overlaps the one before. */
__attribute__((always_inline)) static inline bool copy_plain(char *to, struct str text)
{
    size_t len = text.len;
    if (len >= 16) {
        for (size_t i = 0; i < len - 16; i += 16)
            if (!copy_plain_16(to + i, text.ptr + i))
                return false;
        return copy_plain_16(to + len - 16, text.ptr + len - 16);
    }
    if (len >= 8) {
        words both = {str_load8(text.ptr), str_load8(text.ptr + len - 8)};
        memcpy(to, &both, 8);
        memcpy(to + len - 8, (const char *)&both + 8, 8);
        return is_plain_vector((octets)both);
    }
    if (len >= 4) {
        uint32_t head = str_load4(text.ptr);
        uint32_t tail = str_load4(text.ptr + len - 4);
        memcpy(to, &head, 4);
        memcpy(to + len - 4, &tail, 4);
        return is_plain_word(head | (uint64_t)tail << 32);
    }
    for (size_t i = 0; i < len; i++) {
        to[i] = text.ptr[i];
        if (escapes[(unsigned char)text.ptr[i]] != 0)
            return false;
    }
    return true;
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

static size_t integer_text(uint64_t number, bool is_negative, char text[JV_NUMBER_BYTES])
{
    size_t len = is_negative ? 2 : 1;
    for (uint64_t rest = number; rest >= 10; rest /= 10)
        len++;
    text[0] = '-';
    for (size_t at = len; at > is_negative; at--, number /= 10)
        text[at - 1] = (char)('0' + number % 10);
    return len;
}

/* ECMAScript Number::toString for a finite number that is no small integer. */
static size_t real_text(double number, char text[JV_NUMBER_BYTES])
{
    struct buf local = {.ptr = text, .cap = JV_NUMBER_BYTES, .max = JV_NUMBER_BYTES};
    struct buf *out = &local;
    char digits[DOUBLE_DIGITS_MAX];
    int exponent; /* value = 0.DIGITS x 10^exponent */
    size_t count = shortest_digits(fabs(number), digits, &exponent);
    assert(count > 0);
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
        buf_append(out, n - 1 < 0 ? STR("e-") : STR("e+"));
        buf_put_u64(out, (uint64_t)abs(n - 1));
    }
    return local.len;
}

/* A price and the like: up to six decimals. A decimal of at most 15 digits that reads back as the
 * same double is its shortest form when none with fewer decimals does. 0: it is none. */
static size_t decimal_text(double number, char text[JV_NUMBER_BYTES])
{
    static const double powers[] = {1e1, 1e2, 1e3, 1e4, 1e5, 1e6};
    double size = fabs(number);
    if (!(size < 1e9) || size < 1e-6)
        return 0;
    for (size_t i = 0; i < countof(powers); i++) {
        uint64_t digits = (uint64_t)(size * powers[i] + 0.5);
        if ((double)digits / powers[i] != size)
            continue;
        char decimals[countof(powers)];
        for (size_t at = i + 1; at > 0; at--, digits /= 10)
            decimals[at - 1] = (char)('0' + digits % 10);
        size_t len = integer_text(digits, number < 0, text);
        text[len++] = '.';
        memcpy(text + len, decimals, sizeof(decimals)); /* a constant size is one move */
        return len + i + 1;
    }
    return 0;
}

static size_t finite_text(double number, char text[JV_NUMBER_BYTES])
{
    bool is_small = number >= -JV_INTEGER_MAX && number <= JV_INTEGER_MAX;
    if (is_small && number == (double)(int64_t)number)
        return integer_text((uint64_t)fabs(number), number < 0, text);
    size_t len = decimal_text(number, text);
    return len > 0 ? len : real_text(number, text);
}

size_t jv_number_text(double number, char text[JV_NUMBER_BYTES])
{
    if (isfinite(number))
        return finite_text(number, text);
    struct str name = isnan(number) ? STR("NaN") : number < 0 ? STR("-Infinity") : STR("Infinity");
    memcpy(text, name.ptr, name.len);
    return name.len;
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

/* `at` with room behind it; it moves when the buffer does. */
static inline char *room(struct writer *w, char *at, size_t bytes)
{
    return (size_t)(w->end - at) >= bytes ? at : grow(w, at, bytes);
}

static inline char *put_text(struct writer *w, char *at, struct str text)
{
    at = room(w, at, text.len);
    if (at == NULL)
        return NULL;
    memcpy(at, text.ptr, text.len);
    return at + text.len;
}

static inline char *put_char(struct writer *w, char *at, char c)
{
    at = room(w, at, 1);
    if (at == NULL)
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

static inline char *put_string(struct writer *w, char *at, struct str text)
{
    at = room(w, at, text.len + 2);
    if (at == NULL)
        return NULL;
    if (!copy_plain(at + 1, text))
        return put_escaped(w, at, text);
    at[0] = '"';
    at[text.len + 1] = '"';
    return at + text.len + 2;
}

/* `before` is the '{' or ',' in front of the key. */
static inline char *put_key(struct writer *w, char *at, char before, struct str key)
{
    at = room(w, at, key.len + 4);
    if (at == NULL)
        return NULL;
    at[0] = before;
    if (copy_plain(at + 2, key)) {
        at[1] = '"';
        at[key.len + 2] = '"';
        at[key.len + 3] = ':';
        return at + key.len + 4;
    }
    at = put_escaped(w, at + 1, key);
    return at == NULL ? NULL : put_char(w, at, ':');
}

static char *put_number(struct writer *w, char *at, struct jv v)
{
    char text[JV_NUMBER_BYTES];
    if (v.exact)
        return put_text(w, at, jv_str(v));
    if (!isfinite(v.number))
        return put_text(w, at, STR("null"));
    return put_text(w, at, (struct str){text, finite_text(v.number, text)});
}

static char *put_container(struct writer *w, char *at, struct jv v);

static inline char *put_value(struct writer *w, char *at, struct jv v)
{
    switch ((enum jv_type)v.type) {
    case JV_STRING:
        return put_string(w, at, jv_str(v));
    case JV_NUMBER:
        return put_number(w, at, v);
    case JV_ARRAY:
    case JV_OBJECT:
        return put_container(w, at, v);
    case JV_BOOL:
        return put_text(w, at, v.boolean ? STR("true") : STR("false"));
    case JV_UNDEFINED:
    case JV_NULL:
        break;
    }
    return put_text(w, at, STR("null"));
}

static char *put_container(struct writer *w, char *at, struct jv v)
{
    bool is_object = v.type == JV_OBJECT;
    char before = is_object ? '{' : '[';
    bool is_empty = true;
    for (uint32_t i = 0; i < v.len; i++) {
        struct jv value = is_object ? v.members[i].value : v.items[i];
        if (is_object && value.type == JV_UNDEFINED)
            continue;
        at = is_object ? put_key(w, at, before, v.members[i].key) : put_char(w, at, before);
        at = at == NULL ? NULL : put_value(w, at, value);
        if (at == NULL)
            return NULL;
        before = ',';
        is_empty = false;
    }
    if (is_empty)
        return put_text(w, at, is_object ? STR("{}") : STR("[]"));
    return put_char(w, at, is_object ? '}' : ']');
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
