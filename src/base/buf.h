/*
 * buf: growing text, born with its limit.
 *
 * A buf that would pass its limit (or finds no memory) becomes *failed*: appends do nothing from
 * then on, so a writer checks once, at the end. Not thread-safe.
 */
#ifndef SPELTER_BASE_BUF_H
#define SPELTER_BASE_BUF_H

#include "arena.h"
#include "str.h"

#include <stdint.h>

struct buf {
    char *ptr; /* owned, or the arena's; not NUL-terminated */
    size_t len;
    size_t cap; /* bytes at ptr, not counting one more for a NUL */
    size_t max; /* bytes; len never passes it */
    bool failed;
    bool too_long;       /* failed at its limit, not for want of memory */
    struct arena *arena; /* where ptr lives; NULL: on the heap */
};

void buf_init(struct buf *b, size_t bytes_max);

/* The same with memory from an arena: the text lives as long as the
 * arena, and buf_fini does nothing. */
void buf_init_arena(struct buf *b, struct arena *a, size_t bytes_max);
void buf_fini(struct buf *b);
void buf_reset(struct buf *b); /* empty and not failed; keeps its memory */

/* Room for `bytes` more at ptr + len, or false (and failed). The caller writes and adds to len. */
bool buf_reserve_slow(struct buf *b, size_t bytes);
static inline bool buf_reserve(struct buf *b, size_t bytes)
{
    if (b->cap - b->len >= bytes && !b->failed)
        return true;
    return buf_reserve_slow(b, bytes);
}

static inline void buf_append(struct buf *b, struct str text)
{
    if (text.len == 0 || !buf_reserve(b, text.len))
        return;
    memcpy(b->ptr + b->len, text.ptr, text.len);
    b->len += text.len;
}

static inline void buf_putc(struct buf *b, char c)
{
    if (!buf_reserve(b, 1))
        return;
    b->ptr[b->len++] = c;
}

void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Decimal text of a number, without printf. */
void buf_put_u64(struct buf *b, uint64_t number);

static inline struct str buf_str(const struct buf *b)
{
    return (struct str){b->ptr, b->len};
}

/* NUL-terminated view for libraries that want one; NULL when
 * failed. Valid until the next append. */
const char *buf_cstr(struct buf *b);

#endif
