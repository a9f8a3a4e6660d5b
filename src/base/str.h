/*
 * str: text as a view, two words passed by value. Borrowed, not NUL-terminated, any bytes.
 */
#ifndef SPELTER_BASE_STR_H
#define SPELTER_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *ptr; /* may be NULL only when len is 0 */
    size_t len;
};

/* For string literals: STR() as an expression, STR_INIT() in static tables. */
#define STR_INIT(literal)                                                                          \
    {                                                                                              \
        .ptr = "" literal, .len = sizeof(literal) - 1                                              \
    }
#define STR(literal) ((struct str)STR_INIT(literal))

/* printf("%.*s", STR_ARG(s)) */
#define STR_ARG(s) (int)(s).len, (s).ptr

#define countof(array) (sizeof(array) / sizeof((array)[0]))

static inline struct str str_from(const char *text)
{
    return (struct str){text, text == NULL ? 0 : strlen(text)};
}

static inline uint64_t str_load8(const char *text)
{
    uint64_t word;
    memcpy(&word, text, sizeof(word));
    return word;
}

static inline uint32_t str_load4(const char *text)
{
    uint32_t word;
    memcpy(&word, text, sizeof(word));
    return word;
}

/* Most texts compared are keys of a few bytes, for which a call of memcmp costs more than the work:
 * up to 16 bytes are two words that may overlap. */
static inline bool str_eq(struct str a, struct str b)
{
    if (a.len != b.len)
        return false;
    size_t len = b.len;
    if (len > 16)
        return memcmp(a.ptr, b.ptr, len) == 0;
    if (len >= 8)
        return ((str_load8(a.ptr) ^ str_load8(b.ptr)) |
                (str_load8(a.ptr + len - 8) ^ str_load8(b.ptr + len - 8))) == 0;
    if (len >= 4)
        return ((str_load4(a.ptr) ^ str_load4(b.ptr)) |
                (str_load4(a.ptr + len - 4) ^ str_load4(b.ptr + len - 4))) == 0;
    for (size_t i = 0; i < len; i++)
        if (a.ptr[i] != b.ptr[i])
            return false;
    return true;
}

static inline bool str_starts(struct str text, struct str prefix)
{
    return text.len >= prefix.len && str_eq((struct str){text.ptr, prefix.len}, prefix);
}

/* text[from..to), clamped to the text. */
static inline struct str str_slice(struct str text, size_t from, size_t to)
{
    to = to > text.len ? text.len : to;
    from = from > to ? to : from;
    return (struct str){text.len == 0 ? text.ptr : text.ptr + from, to - from};
}

static inline bool str_ends(struct str text, struct str suffix)
{
    return text.len >= suffix.len &&
           str_eq(str_slice(text, text.len - suffix.len, text.len), suffix);
}

/* 0 to 15, or -1 for what is no hexadecimal digit. */
static inline int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Offset of the first such byte, or text.len. */
static inline size_t str_find(struct str text, char byte)
{
    const char *at = text.len == 0 ? NULL : memchr(text.ptr, byte, text.len);
    return at == NULL ? text.len : (size_t)(at - text.ptr);
}

static inline bool str_is_one_of(struct str text, const struct str *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(text, names[i]))
            return true;
    return false;
}

/* ASCII case-insensitive equality, for HTTP header names and the like. */
bool str_eq_nocase(struct str a, struct str b);

/* Byte order, as memcmp; a prefix sorts first. */
int str_cmp(struct str a, struct str b);

/* Without ASCII white space at both ends. */
struct str str_trim(struct str text);

/* Bytes of the longest start of a UTF-8 text that has at most bytes_max
 * and does not end inside a character. */
size_t str_utf8_cut(struct str text, size_t bytes_max);

/* Copies the text to *at, where there is room for it, and moves *at behind the copy. */
struct str str_place(char **at, struct str text);

/* The nearest of `count` names by edit distance, or an empty str
 * when none is near: "did you mean". */
struct str str_nearest(struct str text, const struct str *names, size_t count);

#endif
