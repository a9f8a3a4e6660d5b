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
        /* ~word clears bytes with the top bit set, which never need an escape; a borrow may flag a
         * byte too many, which the slow loop below then finds plain. */
        if (hit != 0 || ((quote - ones) & ~quote & highs) != 0 ||
            ((slash - ones) & ~slash & highs) != 0)
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
        double scaled = nearbyint(size * powers[i]);
        if (scaled / powers[i] != size)
            continue;
        uint64_t digits = (uint64_t)scaled;
        uint64_t power = (uint64_t)powers[i];
        char decimals[countof(powers)];
        uint64_t rest = digits % power;
        for (size_t at = i + 1; at > 0; at--, rest /= 10)
            decimals[at - 1] = (char)('0' + rest % 10);
        if (number < 0)
            buf_putc(out, '-');
        buf_put_u64(out, digits / power);
        buf_putc(out, '.');
        buf_append(out, (struct str){decimals, i + 1});
        return true;
    }
    return false;
}

void jv_write_number(struct buf *out, double number)
{
    if (number >= -JV_INTEGER_MAX && number <= JV_INTEGER_MAX && number == trunc(number)) {
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
