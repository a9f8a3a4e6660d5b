#include "history.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>

struct entry {
    uint64_t older;
    uint32_t text_bytes;
    uint32_t kind;
};

struct history {
    char *ring;
    size_t ring_bytes;
    uint64_t next; /* where the next entry goes; never HISTORY_NONE */
};

enum { FIRST_ENTRY = sizeof(struct entry) };

struct history *history_new(size_t ring_bytes)
{
    assert(ring_bytes % sizeof(struct entry) == 0);
    struct history *h = calloc(1, sizeof(*h));
    if (h == NULL)
        return NULL;
    void *ring = mmap(NULL, ring_bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (ring == MAP_FAILED) {
        free(h);
        return NULL;
    }
    h->ring = ring;
    h->ring_bytes = ring_bytes;
    h->next = FIRST_ENTRY;
    return h;
}

void history_free(struct history *h)
{
    if (h == NULL)
        return;
    munmap(h->ring, h->ring_bytes);
    free(h);
}

void history_clear(struct history *h)
{
    madvise(h->ring, h->ring_bytes, MADV_DONTNEED);
    h->next = FIRST_ENTRY;
}

static size_t padded(size_t bytes)
{
    return (bytes + sizeof(struct entry) - 1) & ~(sizeof(struct entry) - 1);
}

static struct entry *entry_at(const struct history *h, uint64_t entry)
{
    return (struct entry *)(void *)(h->ring + entry % h->ring_bytes);
}

static bool is_there(const struct history *h, uint64_t entry)
{
    return entry != HISTORY_NONE && entry + h->ring_bytes >= h->next;
}

uint64_t history_add(struct history *h, uint64_t newest, enum history_kind kind, struct str text)
{
    size_t bytes = sizeof(struct entry) + padded(text.len);
    if (bytes > h->ring_bytes / 4)
        return newest;
    size_t offset = (size_t)(h->next % h->ring_bytes);
    if (offset + bytes >
        h->ring_bytes) /* entries are whole: the rest of the ring stays unused this round */
        h->next += h->ring_bytes - offset;
    uint64_t at = h->next;
    h->next += bytes;
    struct entry *entry = entry_at(h, at);
    *entry = (struct entry){newest, (uint32_t)text.len, (uint32_t)kind};
    if (text.len > 0)
        memcpy(entry + 1, text.ptr, text.len);
    return at;
}

bool history_read(const struct history *h, uint64_t entry, enum history_kind *kind,
                  struct str *text, uint64_t *older)
{
    if (!is_there(h, entry))
        return false;
    const struct entry *e = entry_at(h, entry);
    *kind = (enum history_kind)e->kind;
    *text = (struct str){(const char *)(e + 1), e->text_bytes};
    *older = e->older;
    return true;
}

uint64_t history_join(struct history *h, uint64_t a, uint64_t b, size_t entries_max)
{
    uint64_t newest = HISTORY_NONE;
    uint64_t *link = &newest;
    for (size_t i = 0; i < 2 * entries_max && (is_there(h, a) || is_there(h, b)); i++) {
        uint64_t *taken = !is_there(h, b) || (is_there(h, a) && a > b) ? &a : &b;
        *link = *taken;
        link = &entry_at(h, *taken)->older;
        *taken = *link;
    }
    *link = HISTORY_NONE;
    return newest;
}
