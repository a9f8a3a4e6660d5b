#include "choice.h"

#include <errno.h>
#include <stdlib.h>

#include "letters.h"

enum {
    NAMES_BYTES_MAX = 16 * 1024 * 1024,
    SCRATCH_BYTES_MAX = 64 * 1024 * 1024, /* as much as sending one again may take */
};

static bool grow(void **items, size_t count, size_t *cap, size_t item_bytes)
{
    if (count < *cap)
        return true;
    size_t wanted = *cap == 0 ? 64 : *cap * 2;
    void *grown = realloc(*items, wanted * item_bytes);
    if (grown == NULL)
        return false;
    *items = grown;
    *cap = wanted;
    return true;
}

static bool add_owner(struct choice *c, struct str name)
{
    char *copy = arena_alloc(&c->names, name.len + 1);
    if (copy == NULL ||
        !grow((void **)&c->owners, c->owner_count, &c->owner_cap, sizeof(*c->owners)))
        return false;
    c->owners[c->owner_count++] = str_place(&copy, name);
    return true;
}

/* UINT32_MAX: no memory. */
static uint32_t owner_of(struct choice *c, struct str name)
{
    for (size_t i = 0; i < c->owner_count; i++)
        if (str_eq(c->owners[i], name))
            return (uint32_t)i;
    return add_owner(c, name) ? (uint32_t)(c->owner_count - 1) : UINT32_MAX;
}

static bool note_letter(void *self, uint64_t id, struct str text)
{
    struct choice *c = self;
    struct letter_view view;
    arena_reset(&c->scratch);
    if (!letter_view_read(&view, &c->scratch, text))
        view = (struct letter_view){.destination = STR("")};
    const struct choice_letter letter = {
        .id = id,
        .position = view.position,
        .owner = owner_of(c, view.destination),
        .has_event = view.event.type != JV_UNDEFINED,
    };
    c->failed = letter.owner == UINT32_MAX ||
                !grow((void **)&c->letters, c->count, &c->letter_cap, sizeof(*c->letters));
    if (!c->failed)
        c->letters[c->count++] = letter;
    return !c->failed;
}

int choice_read(struct choice *c, struct dead *dead)
{
    *c = (struct choice){0};
    arena_init(&c->names, NAMES_BYTES_MAX);
    arena_init(&c->scratch, SCRATCH_BYTES_MAX);
    if (!add_owner(c, STR("")))
        return -ENOMEM;
    int rc = dead_each(dead, 0, false, note_letter, c);
    return rc == 0 && c->failed ? -ENOMEM : rc;
}

void choice_fini(struct choice *c)
{
    arena_fini(&c->names);
    arena_fini(&c->scratch);
    free(c->owners);
    free(c->letters);
}

struct choice_letter *choice_find(struct choice *c, uint64_t id)
{
    size_t low = 0;
    size_t high = c->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (c->letters[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < c->count && c->letters[low].id == id ? &c->letters[low] : NULL;
}

static int compare(const void *a, const void *b)
{
    const struct choice_letter *x = a;
    const struct choice_letter *y = b;
    if (x->owner != y->owner)
        return x->owner < y->owner ? -1 : 1;
    if (x->position != y->position)
        return x->position < y->position ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

size_t choice_event_end(const struct choice *c, size_t from)
{
    const struct choice_letter *first = &c->letters[from];
    size_t end = from + 1;
    /* What was refused on arrival never had a place in the journal. */
    while (end < c->count && first->owner != CHOICE_ON_ARRIVAL &&
           c->letters[end].owner == first->owner && c->letters[end].position == first->position)
        end++;
    return end;
}

void choice_group(struct choice *c)
{
    if (c->count > 0)
        qsort(c->letters, c->count, sizeof(*c->letters), compare);
    for (size_t from = 0, end; from < c->count; from = end) {
        bool is_chosen = false;
        end = choice_event_end(c, from);
        for (size_t i = from; i < end; i++)
            is_chosen |= c->letters[i].is_chosen;
        for (size_t i = from; i < end; i++)
            c->letters[i].is_chosen = is_chosen;
    }
}

size_t choice_portion_end(const struct choice *c, size_t from, size_t letters, size_t letters_max,
                          bool *is_rest)
{
    const uint32_t owner = c->letters[from].owner;
    size_t end = choice_event_end(c, from);
    *is_rest = from > 0 && choice_event_end(c, from - 1) > from;
    if (end - from > letters_max)
        return from + letters_max;
    while (!*is_rest && end < c->count && c->letters[end].owner == owner) {
        size_t next = choice_event_end(c, end);
        if (next - from > letters)
            break;
        end = next;
    }
    return end;
}

void choice_compact(struct choice *c)
{
    size_t kept = 0;
    for (size_t i = 0; i < c->count; i++)
        if (c->letters[i].is_chosen)
            c->letters[kept++] = c->letters[i];
    c->count = kept;
}
