#include "jv.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <yyjson.h>

enum { DOUBLE_DIGITS_MAX = 24 /* 17 tell any double apart; yyjson may print zeros up to 10^21 */ };

/* 0: as it is; 'u': \u00xx; else the letter after the backslash. */
static const char escapes[256] = {
    ['"'] = '"',  ['\\'] = '\\', [0] = 'u',  [1] = 'u',    [2] = 'u',    [3] = 'u',    [4] = 'u',
    [5] = 'u',    [6] = 'u',     [7] = 'u',  ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', [11] = 'u',
    ['\f'] = 'f', ['\r'] = 'r',  [14] = 'u', [15] = 'u',   [16] = 'u',   [17] = 'u',   [18] = 'u',
    [19] = 'u',   [20] = 'u',    [21] = 'u', [22] = 'u',   [23] = 'u',   [24] = 'u',   [25] = 'u',
    [26] = 'u',   [27] = 'u',    [28] = 'u', [29] = 'u',   [30] = 'u',   [31] = 'u',
};

/* Does none of the eight bytes need an escape? A borrow only starts at a byte that does; a byte with
 * its top bit set never does. */
static inline bool is_plain_word(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t highs = UINT64_C(0x8080808080808080);
    uint64_t low = word - ones * 0x20;
    uint64_t quote = (word ^ (ones * '"')) - ones;
    uint64_t slash = (word ^ (ones * '\\')) - ones;
    return ((low | quote | slash) & ~word & highs) == 0;
}

/* Copies a text none of whose bytes needs an escape; false: one may, and what is at `to` means
 * nothing. Writes no byte behind text.len. */
__attribute__((always_inline)) static inline bool copy_plain(char *to, struct str text)
{
    uint64_t word;
    if (text.len >= 8) {
        size_t last = text.len - 8;
        for (size_t i = 0; i < last; i += 8) {
            word = str_load8(text.ptr + i);
            memcpy(to + i, &word, 8);
            if (!is_plain_word(word))
                return false;
        }
        word = str_load8(text.ptr + last);
        memcpy(to + last, &word, 8);
        return is_plain_word(word);
    }
    if (text.len >= 4) {
        uint32_t head = str_load4(text.ptr);
        uint32_t tail = str_load4(text.ptr + text.len - 4);
        memcpy(to, &head, 4);
        memcpy(to + text.len - 4, &tail, 4);
        return is_plain_word(head | (uint64_t)tail << 32);
    }
    for (size_t i = 0; i < text.len; i++) {
        to[i] = text.ptr[i];
        if (escapes[(unsigned char)text.ptr[i]] != 0)
            return false;
    }
    return true;
}

/* Without the quotes. */
static void write_escaped(struct buf *out, struct str text)
{
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (!buf_reserve(out, 6))
            return;
        char *to = out->ptr + out->len;
        if (escapes[c] == 0) {
            to[0] = (char)c;
            out->len += 1;
        } else if (escapes[c] != 'u') {
            to[0] = '\\';
            to[1] = escapes[c];
            out->len += 2;
        } else {
            const char code[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
            memcpy(to, code, 6);
            out->len += 6;
        }
    }
}

void jv_write_string(struct buf *out, struct str text)
{
    if (!buf_reserve(out, text.len + 2))
        return;
    char *to = out->ptr + out->len;
    if (copy_plain(to + 1, text)) {
        to[0] = '"';
        to[text.len + 1] = '"';
        out->len += text.len + 2;
        return;
    }
    buf_putc(out, '"');
    write_escaped(out, text);
    buf_putc(out, '"');
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

/* ECMAScript Number::toString for a finite number that is no small integer. */
static void write_real(struct buf *out, double number)
{
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
        buf_printf(out, "e%c%d", n - 1 < 0 ? '-' : '+', abs(n - 1));
    }
}

/* A price and the like: up to six decimals. A decimal of at most 15 digits that reads back as the
 * same double is its shortest form when none with fewer decimals does. */
static bool write_decimal(struct buf *out, double number)
{
    static const double powers[] = {1e1, 1e2, 1e3, 1e4, 1e5, 1e6};
    double size = fabs(number);
    if (!(size < 1e9) || size < 1e-6)
        return false;
    for (size_t i = 0; i < countof(powers); i++) {
        uint64_t digits = (uint64_t)(size * powers[i] + 0.5);
        if ((double)digits / powers[i] != size)
            continue;
        /* From the back: decimals, point, whole part with at least one digit. */
        char text[24];
        size_t at = sizeof(text);
        for (size_t left = i + 1; left > 0; left--, digits /= 10)
            text[--at] = (char)('0' + digits % 10);
        text[--at] = '.';
        do {
            text[--at] = (char)('0' + digits % 10);
            digits /= 10;
        } while (digits > 0);
        if (number < 0)
            text[--at] = '-';
        buf_append(out, (struct str){text + at, sizeof(text) - at});
        return true;
    }
    return false;
}

void jv_write_number(struct buf *out, double number)
{
    bool is_small = number >= -JV_INTEGER_MAX && number <= JV_INTEGER_MAX;
    if (is_small && number == (double)(int64_t)number) {
        if (number < 0)
            buf_putc(out, '-');
        buf_put_u64(out, (uint64_t)fabs(number));
        return;
    }
    if (isnan(number))
        buf_append(out, STR("NaN"));
    else if (isinf(number))
        buf_append(out, number < 0 ? STR("-Infinity") : STR("Infinity"));
    else if (!write_decimal(out, number))
        write_real(out, number);
}

/* `before` is the '{' or ',' in front of the key. */
static void write_key(struct buf *out, char before, struct str key)
{
    if (!buf_reserve(out, key.len + 4))
        return;
    char *to = out->ptr + out->len;
    if (copy_plain(to + 2, key)) {
        to[0] = before;
        to[1] = '"';
        to[key.len + 2] = '"';
        to[key.len + 3] = ':';
        out->len += key.len + 4;
        return;
    }
    buf_putc(out, before);
    jv_write_string(out, key);
    buf_putc(out, ':');
}

static void write_object(struct buf *out, struct jv v)
{
    char before = '{';
    for (uint32_t i = 0; i < v.len; i++) {
        const struct jv_member *member = &v.members[i];
        if (member->value.type == JV_UNDEFINED)
            continue;
        write_key(out, before, member->key);
        before = ',';
        jv_write(out, member->value);
    }
    buf_append(out, before == '{' ? STR("{}") : STR("}"));
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
