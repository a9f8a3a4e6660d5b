#include "replace.h"

#include "text.h"

/* Are these the same character to a regular expression with the flag `i`? Without the flag `u`,
 * characters beyond the BMP are two units that have no case. */
static bool is_same(uint32_t a, uint32_t b)
{
    return a == b || text_canonical_unit(a) == text_canonical_unit(b);
}

/* Bytes of the match at text[at], 0 when there is none. */
static size_t match_folded(struct str text, size_t at, struct str pattern)
{
    size_t end = at;
    for (size_t i = 0; i < pattern.len;) {
        if (end >= text.len || !is_same(text_next_point(text, &end), text_next_point(pattern, &i)))
            return 0;
    }
    return end - at;
}

/* The next match at or after `from`; its bytes in *len, 0 when there is none. */
static size_t find(struct str text, size_t from, struct str pattern, bool ignores_case, size_t *len)
{
    *len = 0;
    if (!ignores_case) {
        const char *at = from >= text.len
                             ? NULL
                             : memmem(text.ptr + from, text.len - from, pattern.ptr, pattern.len);
        *len = at == NULL ? 0 : pattern.len;
        return at == NULL ? text.len : (size_t)(at - text.ptr);
    }
    for (size_t at = from; at < text.len;) {
        *len = match_folded(text, at, pattern);
        if (*len > 0)
            return at;
        (void)text_next_point(text, &at);
    }
    return text.len;
}

static void append_replacement(struct buf *out, struct str replacement, struct str text, size_t at,
                               size_t len)
{
    for (size_t i = 0; i < replacement.len; i++) {
        char next = i + 1 < replacement.len ? replacement.ptr[i + 1] : '\0';
        bool is_special = next == '$' || next == '&' || next == '`' || next == '\'';
        if (replacement.ptr[i] != '$' || !is_special) {
            buf_putc(out, replacement.ptr[i]);
            continue;
        }
        i++;
        if (next == '$')
            buf_putc(out, '$');
        else if (next == '&')
            buf_append(out, str_slice(text, at, at + len));
        else if (next == '`')
            buf_append(out, str_slice(text, 0, at));
        else
            buf_append(out, str_slice(text, at + len, text.len));
    }
}

void replace_append(struct buf *out, struct str text, struct str pattern, struct str replacement,
                    struct replace_options options)
{
    size_t from = 0;
    do {
        size_t len;
        size_t at = find(text, from, pattern, options.ignores_case, &len);
        if (len == 0)
            break;
        buf_append(out, str_slice(text, from, at));
        append_replacement(out, replacement, text, at, len);
        from = at + len;
    } while (options.is_global && !out->failed);
    buf_append(out, str_slice(text, from, text.len));
}
