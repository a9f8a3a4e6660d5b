#include "text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <unicase.h>
#include <unictype.h>
#include <unistr.h>

#define OBJECT_TEXT STR("[object Object]")
#define TO_STRING   STR("toString")

bool text_append_value(struct buf *out, struct jv v)
{
    switch ((enum jv_type)v.type) {
    case JV_UNDEFINED:
        buf_append(out, STR("undefined"));
        return true;
    case JV_NULL:
        buf_append(out, STR("null"));
        return true;
    case JV_BOOL:
        buf_append(out, v.boolean ? STR("true") : STR("false"));
        return true;
    case JV_NUMBER:
        if (v.exact)
            buf_append(out, jv_str(v));
        else
            jv_write_number(out, v.number);
        return true;
    case JV_STRING:
        buf_append(out, jv_str(v));
        return true;
    case JV_ARRAY:
        for (uint32_t i = 0; i < v.len; i++) {
            if (i > 0)
                buf_putc(out, ',');
            if (!jv_is_nullish(v.items[i]) && !text_append_value(out, v.items[i]))
                return false;
        }
        return true;
    case JV_OBJECT:
        for (uint32_t i = 0; i < v.len; i++)
            if (str_eq(v.members[i].key, TO_STRING))
                return false;
        buf_append(out, OBJECT_TEXT);
        return true;
    }
    return true;
}

/* Is String(v) empty? Inside an array, null and undefined print nothing. */
static bool prints_nothing(struct jv v, bool *throws)
{
    if (v.type == JV_ARRAY && v.len == 1)
        return jv_is_nullish(v.items[0]) || prints_nothing(v.items[0], throws);
    if (v.type == JV_ARRAY && v.len > 1) { /* has a comma, but every item is still converted */
        for (uint32_t i = 0; i < v.len; i++)
            (void)prints_nothing(v.items[i], throws);
        return false;
    }
    for (uint32_t i = 0; v.type == JV_OBJECT && i < v.len; i++)
        if (str_eq(v.members[i].key, TO_STRING))
            *throws = true;
    return (v.type == JV_ARRAY || v.type == JV_STRING) && v.len == 0;
}

bool text_is_loosely_empty(struct jv v, bool *throws)
{
    *throws = false;
    if (v.type == JV_BOOL || v.type == JV_NUMBER)
        return !jv_truthy(v) && !(v.type == JV_NUMBER && isnan(jv_as_double(v)));
    return !jv_is_nullish(v) && prints_nothing(v, throws);
}

uint32_t text_next_point(struct str text, size_t *at)
{
    unsigned char first = (unsigned char)text.ptr[*at];
    if (first < 0x80) {
        *at += 1;
        return first;
    }
    ucs4_t point;
    int bytes = u8_mbtoucr(&point, (const uint8_t *)text.ptr + *at, text.len - *at);
    if (bytes <= 0) {
        *at += 1;
        return 0xDC00u + first;
    }
    *at += (size_t)bytes;
    return point;
}

size_t text_points(struct str text)
{
    size_t points = 0;
    for (size_t at = 0; at < text.len; points++)
        (void)text_next_point(text, &at);
    return points;
}

size_t text_units(struct str text)
{
    size_t units = 0;
    for (size_t at = 0; at < text.len; units++)
        units += text_next_point(text, &at) > 0xFFFF;
    return units;
}

struct str text_slice_units(struct arena *a, struct str text, size_t from, size_t to)
{
    static const struct str replacement = STR_INIT("\xEF\xBF\xBD");
    struct buf out;
    buf_init_arena(&out, a, text.len + 2 * replacement.len + 1);
    size_t unit = 0;
    for (size_t at = 0; at < text.len && unit < to;) {
        size_t begin = at;
        size_t units = text_next_point(text, &at) > 0xFFFF ? 2 : 1;
        bool is_whole = unit >= from && unit + units <= to;
        bool is_cut = !is_whole && unit + units > from;
        unit += units;
        if (is_whole)
            buf_append(&out, str_slice(text, begin, at));
        else if (is_cut)
            buf_append(&out, replacement);
    }
    if (out.failed)
        return (struct str){NULL, 0};
    return out.len == 0 ? STR("") : buf_str(&out);
}

/* JavaScript's WhiteSpace and LineTerminator. */
static bool is_space(uint32_t point)
{
    if (point < 0x80)
        return point == ' ' || (point >= '\t' && point <= '\r');
    return point == 0xA0 || point == 0x1680 || (point >= 0x2000 && point <= 0x200A) ||
           point == 0x2028 || point == 0x2029 || point == 0x202F || point == 0x205F ||
           point == 0x3000 || point == 0xFEFF;
}

size_t text_space_bytes(struct str text, size_t at)
{
    size_t next = at;
    return at < text.len && is_space(text_next_point(text, &next)) ? next - at : 0;
}

struct str text_trim(struct str text)
{
    size_t from = 0;
    for (size_t bytes; (bytes = text_space_bytes(text, from)) > 0;)
        from += bytes;
    size_t to = text.len;
    while (to > from) {
        size_t begin = to - 1;
        while (begin > from && ((unsigned char)text.ptr[begin] & 0xC0) == 0x80)
            begin--;
        if (text_space_bytes(text, begin) != to - begin)
            break;
        to = begin;
    }
    return str_slice(text, from, to);
}

static bool is_ascii(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] >= 0x80)
            return false;
    return true;
}

typedef uint8_t *case_map(const uint8_t *, size_t, const char *, uninorm_t, uint8_t *, size_t *);

/* No special-cased character grows beyond three times its bytes, so the library never needs memory
 * of its own. */
static struct str map_case(struct arena *a, struct str text, case_map *map, char first)
{
    size_t len = is_ascii(text) ? text.len : text.len * 3;
    char *out = arena_alloc(a, len);
    if (out == NULL)
        return (struct str){NULL, 0};
    if (len == text.len) {
        for (size_t i = 0; i < len; i++) {
            bool is_letter = (unsigned char)(text.ptr[i] - first) < 26;
            out[i] = (char)(text.ptr[i] ^ is_letter << 5);
        }
        return (struct str){out, len};
    }
    uint8_t *mapped = map((const uint8_t *)text.ptr, text.len, "", NULL, (uint8_t *)out, &len);
    if (mapped == NULL) /* not UTF-8: as it is */
        return text;
    if ((char *)mapped != out) { /* it found our buffer too small after all */
        struct str copy = arena_copy(a, (struct str){(char *)mapped, len});
        free(mapped);
        return copy;
    }
    return (struct str){out, len};
}

enum { CAPITAL_SIGMA = 0x3A3, FINAL_SIGMA = 0x3C2, SMALL_SIGMA = 0x3C3 };

/* The second byte of each small one in UTF-8; the first is 0xCF. */
static const char final_byte = (char)0x82;
static const char small_byte = (char)0x83;

/* The second byte of the next small sigma, either form; NULL: none is left. */
static char *find_sigma(char *from, const char *end)
{
    while ((from = memchr(from, 0xCF, (size_t)(end - from))) != NULL && end - from > 1)
        if (*++from == final_byte || *from == small_byte)
            return from;
    return NULL;
}

/* Σ ends a word when a letter is before it and none behind it, over all that Unicode calls case
 * ignorable. The library has an opinion of its own about apostrophes and modifier letters. */
static void settle_sigmas(struct str text, char *lower, size_t len)
{
    bool is_after_letter = false;
    char *open = NULL;
    char *next = lower;
    for (size_t i = 0; i < text.len;) {
        uint32_t point = text_next_point(text, &i);
        if (uc_is_property_case_ignorable(point))
            continue;
        bool is_letter = uc_is_property_cased(point);
        if (open != NULL)
            *open = is_letter ? small_byte : final_byte;
        open = NULL;
        if (point == CAPITAL_SIGMA || point == FINAL_SIGMA || point == SMALL_SIGMA) {
            char *sigma = find_sigma(next, lower + len);
            if (sigma == NULL)
                return;
            next = sigma + 1;
            if (point == CAPITAL_SIGMA)
                *sigma = small_byte;
            if (point == CAPITAL_SIGMA && is_after_letter)
                open = sigma;
        }
        is_after_letter = is_letter;
    }
    if (open != NULL)
        *open = final_byte;
}

struct str text_lower(struct arena *a, struct str text)
{
    struct str lower = map_case(a, text, u8_tolower, 'A');
    if (text.len > 0 && lower.ptr != NULL && lower.ptr != text.ptr &&
        memmem(text.ptr, text.len, "\xCE\xA3", 2) != NULL)
        settle_sigmas(text, (char *)lower.ptr, lower.len);
    return lower;
}

struct str text_upper(struct arena *a, struct str text)
{
    return map_case(a, text, u8_toupper, 'a');
}

uint32_t text_canonical_unit(uint32_t unit)
{
    if (unit < 0x80)
        return unit >= 'a' && unit <= 'z' ? unit - 0x20 : unit;
    if (unit > 0xFFFF || (unit >= 0xD800 && unit <= 0xDFFF))
        return unit;
    uint16_t in = (uint16_t)unit;
    uint16_t out[8];
    size_t len = sizeof(out) / sizeof(out[0]);
    uint16_t *mapped = u16_toupper(&in, 1, "", NULL, out, &len);
    uint32_t upper = mapped == out && len == 1 ? out[0] : unit;
    if (mapped != out)
        free(mapped);
    return upper < 0x80 ? unit : upper; /* the rule keeps ASCII apart from the rest */
}

enum {
    DIGITS_KEPT =
        780, /* no double's midpoint has more significant digits; the rest only says "a bit more" */
};

/* Digits of a base that is a power of two, rounded once at the end. */
static double parse_radix(struct str digits, unsigned bits)
{
    uint64_t mantissa = 0;
    int exponent = 0;
    bool sticky = false;
    if (digits.len == 0)
        return NAN;
    for (size_t i = 0; i < digits.len; i++) {
        char c = digits.ptr[i];
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
                         : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A' + 10)
                                                : 99;
        if (digit >= 1u << bits)
            return NAN;
        if (mantissa >> 60 == 0) {
            mantissa = mantissa << bits | digit;
        } else {
            exponent += exponent < 100000 ? (int)bits : 0; /* far beyond infinity already */
            sticky = sticky || digit != 0;
        }
    }
    return ldexp((double)(mantissa | sticky), exponent);
}

/* The decimal number at the start of `text`; *used is its bytes, 0 when there is none. */
static double parse_decimal(struct str text, size_t *used)
{
    char digits[DIGITS_KEPT + 32];
    size_t len = 0;
    int64_t exponent = 0;
    bool any = false;
    bool fraction = false;
    size_t at = 0;
    *used = 0;
    bool negative = at < text.len && text.ptr[at] == '-';
    if (at < text.len && (text.ptr[at] == '-' || text.ptr[at] == '+'))
        at++;
    if (str_starts(str_slice(text, at, text.len), STR("Infinity"))) {
        *used = at + 8;
        return negative ? -INFINITY : INFINITY;
    }
    for (; at < text.len; at++) {
        char c = text.ptr[at];
        if (c == '.' && !fraction) {
            fraction = true;
            continue;
        }
        if (c < '0' || c > '9')
            break;
        any = true;
        if (len < DIGITS_KEPT && (len > 0 || c != '0'))
            digits[len++] = c;
        else if (len > 0) {
            digits[DIGITS_KEPT - 1] = c == '0' ? digits[DIGITS_KEPT - 1] : '1';
            exponent++;
        }
        exponent -= fraction;
    }
    if (!any)
        return NAN;
    *used = at;
    if (at < text.len && (text.ptr[at] == 'e' || text.ptr[at] == 'E')) {
        size_t mark = at + 1;
        bool down = mark < text.len && text.ptr[mark] == '-';
        if (mark < text.len && (text.ptr[mark] == '-' || text.ptr[mark] == '+'))
            mark++;
        int64_t written = 0;
        size_t first = mark;
        for (; mark < text.len && text.ptr[mark] >= '0' && text.ptr[mark] <= '9'; mark++)
            written = written < 1000000000 ? written * 10 + (text.ptr[mark] - '0') : written;
        if (mark > first) {
            exponent += down ? -written : written;
            *used = mark;
        }
    }
    if (len == 0)
        return negative ? -0.0 : 0.0;
    snprintf(digits + len, sizeof(digits) - len, "e%lld", (long long)exponent);
    double number = strtod(digits, NULL);
    return negative ? -number : number;
}

double text_to_number(struct str text)
{
    text = text_trim(text);
    if (text.len == 0)
        return 0;
    if (text.len > 1 && text.ptr[0] == '0') {
        struct str digits = str_slice(text, 2, text.len);
        switch (text.ptr[1] | 0x20) {
        case 'x':
            return parse_radix(digits, 4);
        case 'o':
            return parse_radix(digits, 3);
        case 'b':
            return parse_radix(digits, 1);
        default:
            break;
        }
    }
    size_t used;
    double number = parse_decimal(text, &used);
    return used == text.len ? number : NAN;
}
