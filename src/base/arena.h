/*
 * arena: memory with one time of death. Bump allocation out of
 * chunks; nothing inside is freed alone.
 *
 *     arena_init ... { arena_alloc ... arena_alloc ... arena_reset } ... arena_fini
 *
 * A full arena returns NULL: backpressure for the caller, not a crash. Not thread-safe.
 */
#ifndef SPELTER_BASE_ARENA_H
#define SPELTER_BASE_ARENA_H

#include "str.h"

#include <stdarg.h>
#include <stdint.h>

struct arena_chunk;

struct arena {
    char *at;                   /* next free byte of the current chunk */
    char *end;                  /* its end */
    uintptr_t origin;           /* where at would have begun in one chunk of everything */
    struct arena_chunk *chunks; /* newest first; owned */
    size_t bytes;               /* held in chunks */
    size_t bytes_max;
};

/* Allocates nothing yet. */
void arena_init(struct arena *a, size_t bytes_max);
void arena_fini(struct arena *a);

/* Everything allocated so far is dead. Keeps the newest chunk for the next round. */
void arena_reset(struct arena *a);

/* Uninitialised memory aligned to 16 bytes, or NULL when bytes_max is
 * reached. bytes 0 gives a valid pointer. */
void *arena_alloc_slow(struct arena *a, size_t bytes);
#if defined(__SANITIZE_ADDRESS__)
#define ARENA_POISONED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISONED 1
#endif
#endif
static inline void *arena_alloc(struct arena *a, size_t bytes)
{
#ifndef ARENA_POISONED
    size_t padded = (bytes + 15) & ~(size_t)15;
    if (padded >= bytes && padded <= (size_t)(a->end - a->at)) {
        void *p = a->at;
        a->at += padded;
        return p;
    }
#endif
    return arena_alloc_slow(a, bytes);
}

/* count * size bytes, checked for overflow. */
static inline void *arena_array(struct arena *a, size_t count, size_t size)
{
    size_t bytes;
    return __builtin_mul_overflow(count, size, &bytes) ? NULL : arena_alloc(a, bytes);
}

/* Bytes handed out since the last reset, whatever the chunks they are in. */
static inline size_t arena_used(const struct arena *a)
{
    return (uintptr_t)a->at - a->origin;
}

/* A copy inside the arena; ptr is NULL when it is full. */
struct str arena_copy(struct arena *a, struct str text);

/* A text printed into the arena, with a NUL behind it; ptr is NULL when it is full. */
struct str arena_vprintf(struct arena *a, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

#endif
