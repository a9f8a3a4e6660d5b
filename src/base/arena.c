#include "arena.h"

#include <stdio.h>
#include <stdlib.h>

#ifdef ARENA_POISONED
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(ptr, bytes)   ((void)(ptr), (void)(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(ptr, bytes) ((void)(ptr), (void)(bytes))
#endif

enum { CHUNK_BYTES_MIN = 16 * 1024 };

struct arena_chunk {
    struct arena_chunk *next;
    size_t bytes; /* usable, after this header */
};

_Static_assert(sizeof(struct arena_chunk) == 16, "data after the header stays aligned to 16");

static char *chunk_data(struct arena_chunk *chunk)
{
    return (char *)(chunk + 1);
}

static void use_chunk(struct arena *a, struct arena_chunk *chunk, size_t used)
{
    a->at = chunk_data(chunk);
    a->origin = (uintptr_t)a->at - used;
    a->end = a->at + chunk->bytes;
    ASAN_POISON_MEMORY_REGION(a->at, chunk->bytes);
}

static void free_chunk(struct arena_chunk *chunk)
{
    ASAN_UNPOISON_MEMORY_REGION(chunk_data(chunk), chunk->bytes);
    free(chunk);
}

void arena_init(struct arena *a, size_t bytes_max)
{
    /* An arena that holds nothing yet still has a place to point at when 0 bytes
     * are asked for: NULL would say "full". */
    static _Alignas(16) char nothing[16];
    *a = (struct arena){
        .at = nothing, .end = nothing, .origin = (uintptr_t)nothing, .bytes_max = bytes_max};
}

void arena_fini(struct arena *a)
{
    while (a->chunks != NULL) {
        struct arena_chunk *next = a->chunks->next;
        free_chunk(a->chunks);
        a->chunks = next;
    }
    *a = (struct arena){0};
}

void arena_reset(struct arena *a)
{
    struct arena_chunk *keep = a->chunks;
    if (keep == NULL)
        return;
    while (keep->next != NULL) {
        struct arena_chunk *next = keep->next->next;
        a->bytes -= keep->next->bytes;
        free_chunk(keep->next);
        keep->next = next;
    }
    use_chunk(a, keep, 0);
}

static bool add_chunk(struct arena *a, size_t bytes)
{
    size_t want = a->chunks == NULL ? CHUNK_BYTES_MIN : a->chunks->bytes * 2;
    if (want > a->bytes_max - a->bytes)
        want = a->bytes_max - a->bytes; /* what is left may still do */
    if (want < bytes)
        want = bytes;
    if (want > a->bytes_max - a->bytes)
        return false;
    struct arena_chunk *chunk = malloc(sizeof(*chunk) + want);
    if (chunk == NULL)
        return false;
    chunk->bytes = want;
    chunk->next = a->chunks;
    a->chunks = chunk;
    a->bytes += want;
    use_chunk(a, chunk, arena_used(a));
    return true;
}

void *arena_alloc_slow(struct arena *a, size_t bytes)
{
    size_t padded = (bytes + 15) & ~(size_t)15;
    if (padded < bytes)
        return NULL;
    bool is_full = a->at == NULL || padded > (size_t)(a->end - a->at);
    if (is_full && !add_chunk(a, padded))
        return NULL;
    char *p = a->at;
    a->at += padded;
    ASAN_UNPOISON_MEMORY_REGION(p, bytes);
    return p;
}

struct str arena_copy(struct arena *a, struct str text)
{
    char *p = arena_alloc(a, text.len);
    if (p == NULL)
        return (struct str){NULL, 0};
    if (text.len > 0)
        memcpy(p, text.ptr, text.len);
    return (struct str){p, text.len};
}

struct str arena_vprintf(struct arena *a, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int bytes = vsnprintf(NULL, 0, format, args);
    char *text = bytes < 0 ? NULL : arena_alloc(a, (size_t)bytes + 1);
    if (text != NULL)
        vsnprintf(text, (size_t)bytes + 1, format, again);
    va_end(again);
    return (struct str){text, text == NULL ? 0 : (size_t)bytes};
}
