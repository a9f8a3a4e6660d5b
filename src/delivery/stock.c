#include "stock.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "arena.h"

struct stock_block {
    struct stock_block *next; /* while idle */
    size_t class;
};

static_assert(sizeof(struct stock_block) == 16, "data after the header stays aligned to 16");

/* 64, 80, 96, 112, 128, 160, ... */
static size_t class_bytes(size_t class)
{
    size_t doubled = (size_t)STOCK_BYTES_MIN << (class / 4);
    return doubled + doubled / 4 * (class % 4);
}

static size_t class_of(size_t bytes)
{
    if (bytes <= STOCK_BYTES_MIN)
        return 0;
    unsigned doublings = 63 - (unsigned)__builtin_clzll((bytes - 1) / STOCK_BYTES_MIN);
    size_t quarter = ((size_t)STOCK_BYTES_MIN << doublings) / 4;
    return doublings * 4 + (bytes + quarter - 1) / quarter - 4;
}

void stock_init(struct stock *s, size_t kept_bytes_max)
{
    *s = (struct stock){0};
    stock_limit(s, kept_bytes_max);
}

/* The largest first: few calls free much. */
static void free_idle(struct stock *s, size_t idle_bytes_max)
{
    for (size_t i = STOCK_CLASSES; i-- > 0;) {
        while (s->shelves[i] != NULL && s->idle_bytes > idle_bytes_max) {
            struct stock_block *next = s->shelves[i]->next;
            free(s->shelves[i]);
            s->shelves[i] = next;
            s->idle_bytes -= class_bytes(i);
        }
    }
}

void stock_limit(struct stock *s, size_t kept_bytes_max)
{
    s->kept_bytes_max = kept_bytes_max;
#ifdef ARENA_POISONED
    s->kept_bytes_max = 0;
#endif
    free_idle(s, s->kept_bytes_max > s->lent_bytes ? s->kept_bytes_max - s->lent_bytes : 0);
}

void stock_fini(struct stock *s)
{
    assert(s->lent_bytes == 0);
    free_idle(s, 0);
}

void *stock_take(struct stock *s, size_t bytes)
{
    size_t class = class_of(bytes);
    if (class >= STOCK_CLASSES)
        return NULL;
    struct stock_block *block = s->shelves[class];
    if (block != NULL) {
        s->shelves[class] = block->next;
        s->idle_bytes -= class_bytes(class);
    } else {
        block = malloc(sizeof(*block) + class_bytes(class));
        if (block == NULL)
            return NULL;
        block->class = class;
    }
    s->lent_bytes += class_bytes(class);
    return block + 1;
}

void stock_give(struct stock *s, void *data)
{
    if (data == NULL)
        return;
    struct stock_block *block = (struct stock_block *)data - 1;
    size_t bytes = class_bytes(block->class);
    assert(s->lent_bytes >= bytes);
    s->lent_bytes -= bytes;
    if (s->lent_bytes + s->idle_bytes + bytes > s->kept_bytes_max) {
        free(block);
        return;
    }
    block->next = s->shelves[block->class];
    s->shelves[block->class] = block;
    s->idle_bytes += bytes;
}
