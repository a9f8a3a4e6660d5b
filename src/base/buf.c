#include "buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { BUF_CAP_MIN = 256 };

void buf_init(struct buf *b, size_t bytes_max)
{
    assert(bytes_max > 0);
    *b = (struct buf){.max = bytes_max};
}

void buf_init_arena(struct buf *b, struct arena *a, size_t bytes_max)
{
    buf_init(b, bytes_max);
    b->arena = a;
}

void buf_fini(struct buf *b)
{
    if (b->arena == NULL)
        free(b->ptr);
    *b = (struct buf){0};
}

void buf_reset(struct buf *b)
{
    b->len = 0;
    b->failed = false;
    b->too_long = false;
}

bool buf_reserve_slow(struct buf *b, size_t bytes)
{
    if (b->failed || bytes > b->max - b->len) {
        b->too_long = b->too_long || !b->failed;
        b->failed = true;
        return false;
    }
    size_t cap = b->cap < BUF_CAP_MIN ? BUF_CAP_MIN : b->cap;
    while (cap - b->len < bytes)
        cap *= 2; /* cannot overflow: len + bytes <= max, and max is far below SIZE_MAX / 2 */
    if (cap > b->max)
        cap = b->max;
    /* One byte more than the limit says: for the NUL of vsnprintf and buf_cstr. */
    char *ptr = b->arena == NULL ? realloc(b->ptr, cap + 1) : arena_alloc(b->arena, cap + 1);
    if (ptr == NULL) {
        b->failed = true;
        return false;
    }
    if (b->arena != NULL && b->len > 0)
        memcpy(ptr, b->ptr, b->len);
    b->ptr = ptr;
    b->cap = cap;
    return true;
}

void buf_printf(struct buf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int bytes = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (bytes < 0)
        b->failed = true;
    else if (bytes > 0 && buf_reserve(b, (size_t)bytes)) {
        vsnprintf(b->ptr + b->len, (size_t)bytes + 1, format, again);
        b->len += (size_t)bytes;
    }
    va_end(again);
}

void buf_put_u64(struct buf *b, uint64_t number)
{
    char digits[20];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    buf_append(b, (struct str){digits + at, sizeof(digits) - at});
}

const char *buf_cstr(struct buf *b)
{
    if (b->failed || (b->ptr == NULL && !buf_reserve_slow(b, 0)))
        return NULL;
    b->ptr[b->len] = '\0';
    return b->ptr;
}
