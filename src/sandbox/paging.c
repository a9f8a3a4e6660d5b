#include "paging.h"

#include <stdio.h>

#include "text.h"

enum { CURSOR_BYTES = 48 };

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static struct str encode(struct arena *a, size_t skip)
{
    char plain[CURSOR_BYTES];
    char out[2 * CURSOR_BYTES];
    size_t len = (size_t)snprintf(plain, sizeof(plain), "skip:%zu", skip);
    size_t used = 0;
    for (size_t i = 0; i < len; i += 3) {
        unsigned bits = (unsigned)(unsigned char)plain[i] << 16;
        bits |= i + 1 < len ? (unsigned)(unsigned char)plain[i + 1] << 8 : 0;
        bits |= i + 2 < len ? (unsigned)(unsigned char)plain[i + 2] : 0;
        out[used++] = alphabet[bits >> 18 & 63];
        out[used++] = alphabet[bits >> 12 & 63];
        out[used++] = i + 1 < len ? alphabet[bits >> 6 & 63] : '=';
        out[used++] = i + 2 < len ? alphabet[bits & 63] : '=';
    }
    return arena_copy(a, (struct str){out, used});
}

static size_t decode(struct str text, char *out, size_t room)
{
    unsigned bits = 0;
    int held = 0;
    size_t len = 0;
    for (size_t i = 0; i < text.len && text.ptr[i] != '=' && len < room; i++) {
        const char *at = memchr(alphabet, text.ptr[i], sizeof(alphabet) - 1);
        if (at == NULL)
            return 0;
        bits = (bits << 6 | (unsigned)(at - alphabet)) & 0xFFFFFF;
        held += 6;
        if (held >= 8) {
            held -= 8;
            out[len++] = (char)(bits >> held & 0xFF);
        }
    }
    return len;
}

bool paging_read(struct call *c, size_t *skip)
{
    char plain[CURSOR_BYTES];
    struct str cursor = query_get(&c->query, STR("cursor"));
    int64_t number;
    *skip = 0;
    if (cursor.len == 0)
        return true;
    struct str text = {plain, decode(cursor, plain, sizeof(plain))};
    if (!str_starts(text, STR("skip:")) || !text_to_i64(str_slice(text, 5, text.len), &number) ||
        number < 0)
        return false;
    *skip = (size_t)number;
    return true;
}

static struct str link(struct call *c, size_t skip, const char *rel)
{
    return text_format(c->arena, "<%.*s?cursor=%.*s>; rel=\"%s\"", STR_ARG(c->request->path),
                       STR_ARG(encode(c->arena, skip)), rel);
}

void paging_link(struct call *c, size_t skip, size_t total)
{
    bool has_prev = query_has(&c->query, STR("cursor"));
    bool has_next = skip < total && total - skip > PAGING_CURSOR_PAGE;
    struct str prev =
        has_prev ? link(c, skip > PAGING_CURSOR_PAGE ? skip - PAGING_CURSOR_PAGE : 0, "prev")
                 : STR("");
    struct str next = has_next ? link(c, skip + PAGING_CURSOR_PAGE, "next") : STR("");
    if (total <= PAGING_CURSOR_PAGE || (!has_prev && !has_next))
        return;
    call_header(c, STR("Link"),
                text_format(c->arena, "%.*s%s%.*s", STR_ARG(prev), has_prev && has_next ? "," : "",
                            STR_ARG(next)));
}
