#include "text.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "buf.h"

/* 2^53: up to here every integer is a double of its own. */
#define DOUBLE_INTEGER_MAX 9007199254740992.0

enum { FORMATTED_BYTES_MAX = 2048, NUMBER_BYTES_MAX = 512 };

struct str text_lower_ascii(struct arena *a, struct str text)
{
    struct str lower = arena_copy(a, text);
    char *out = (char *)lower.ptr;
    for (size_t i = 0; out != NULL && i < lower.len; i++)
        if (out[i] >= 'A' && out[i] <= 'Z')
            out[i] = (char)(out[i] + ('a' - 'A'));
    return lower;
}

static bool is_continuation(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

struct str text_cut(struct str text, size_t bytes_max)
{
    if (text.len <= bytes_max)
        return text;
    while (bytes_max > 0 && is_continuation(text.ptr[bytes_max]))
        bytes_max--;
    return str_slice(text, 0, bytes_max);
}

size_t text_chars(struct str text)
{
    size_t chars = 0;
    for (size_t i = 0; i < text.len; i++)
        chars += !is_continuation(text.ptr[i]);
    return chars;
}

struct str text_clean_name(struct arena *a, struct str text)
{
    text = str_trim(text);
    if (str_find(text, '\n') == text.len && str_find(text, '\r') == text.len)
        return text;
    char *out = arena_alloc(a, text.len);
    size_t len = 0;
    for (size_t i = 0; out != NULL && i < text.len; i++)
        if (text.ptr[i] != '\n' && text.ptr[i] != '\r')
            out[len++] = text.ptr[i];
    return (struct str){out, len};
}

/* Bytes of the valid character that starts here, or 0. */
static size_t character_bytes(struct str text, size_t at)
{
    const unsigned char *s = (const unsigned char *)text.ptr + at;
    size_t left = text.len - at;
    if (s[0] < 0x80)
        return 1;
    size_t need = s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : 2;
    if (s[0] < 0xC2 || s[0] > 0xF4 || left < need)
        return 0;
    for (size_t i = 1; i < need; i++)
        if ((s[i] & 0xC0) != 0x80)
            return 0;
    /* overlong forms, surrogates, beyond U+10FFFF */
    if ((s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F) ||
        (s[0] == 0xF0 && s[1] < 0x90) || (s[0] == 0xF4 && s[1] > 0x8F))
        return 0;
    return need;
}

struct str text_drop_invalid_utf8(struct arena *a, struct str text, size_t *removed)
{
    *removed = 0;
    char *out = arena_alloc(a, text.len);
    if (out == NULL)
        return (struct str){NULL, 0};
    size_t len = 0;
    for (size_t i = 0; i < text.len;) {
        size_t bytes = character_bytes(text, i);
        if (bytes == 0) {
            (*removed)++;
            i++;
            continue;
        }
        memcpy(out + len, text.ptr + i, bytes);
        len += bytes;
        i += bytes;
    }
    return (struct str){out, len};
}

struct str text_format(struct arena *a, const char *format, ...)
{
    char text[FORMATTED_BYTES_MAX];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (len < 0)
        return (struct str){NULL, 0};
    size_t kept = (size_t)len < sizeof(text) ? (size_t)len : sizeof(text) - 1;
    return arena_copy(a, text_cut((struct str){text, kept}, kept));
}

struct str text_pair(struct arena *a, struct str first, struct str second)
{
    char *out = arena_alloc(a, first.len + 1 + second.len);
    if (out == NULL)
        return (struct str){NULL, 0};
    if (first.len > 0)
        memcpy(out, first.ptr, first.len);
    out[first.len] = '\x1f'; /* JSON text may hold it, but only escaped on purpose */
    if (second.len > 0)
        memcpy(out + first.len + 1, second.ptr, second.len);
    return (struct str){out, first.len + 1 + second.len};
}

struct str text_of_number(struct arena *a, struct jv number)
{
    struct buf text;
    buf_init(&text, NUMBER_BYTES_MAX);
    jv_write(&text, number);
    struct str kept = arena_copy(a, buf_str(&text));
    buf_fini(&text);
    return kept;
}

bool text_to_i64(struct str text, int64_t *out)
{
    char digits[24];
    if (text.len == 0 || text.len >= sizeof(digits))
        return false;
    for (size_t i = 0; i < text.len; i++)
        if ((text.ptr[i] < '0' || text.ptr[i] > '9') && !(i == 0 && text.ptr[i] == '-'))
            return false;
    memcpy(digits, text.ptr, text.len);
    digits[text.len] = '\0';
    char *end;
    errno = 0;
    long long number = strtoll(digits, &end, 10);
    if (errno != 0 || *end != '\0' || end == digits)
        return false;
    *out = number;
    return true;
}

bool number_is_i64(struct jv number, int64_t *out)
{
    if (number.type != JV_NUMBER)
        return false;
    if (number.exact)
        return text_to_i64(jv_str(number), out);
    if (!isfinite(number.number) || number.number != trunc(number.number) ||
        fabs(number.number) > DOUBLE_INTEGER_MAX)
        return false;
    *out = (int64_t)number.number;
    return true;
}

struct jv number_from_i64(struct arena *a, int64_t number)
{
    if (number >= -(int64_t)DOUBLE_INTEGER_MAX && number <= (int64_t)DOUBLE_INTEGER_MAX)
        return jv_number((double)number);
    struct str text = text_format(a, "%" PRId64, number);
    return (struct jv){.type = JV_NUMBER, .exact = 1, .len = (uint32_t)text.len, .ptr = text.ptr};
}
