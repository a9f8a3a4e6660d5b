#include "pack.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

struct pack {
    struct stock *stock;
    struct pack_options options;
    unsigned items_max; /* of any parcel */
    struct parcel *open[PACK_ROUTES_MAX];
    unsigned open_count;
    struct parcel *closed; /* oldest first */
    struct parcel *closed_last;
    struct parcel *spare; /* for the next pack_place */
    unsigned parcels;
};

int pack_open(struct pack **out, struct stock *stock, const struct pack_options *options)
{
    assert(options->objects_max >= 1);
    assert(options->objects_max <= PARCEL_ITEMS_MAX);
    struct pack *p = malloc(sizeof(*p));
    if (p == NULL)
        return -ENOMEM;
    *p = (struct pack){.stock = stock, .options = *options};
    p->items_max = options->objects_max > ADMIN_IDS_MAX ? options->objects_max : ADMIN_IDS_MAX;
    *out = p;
    return 0;
}

void pack_close(struct pack *p)
{
    if (p == NULL)
        return;
    assert(p->parcels == 0);
    stock_give(p->stock, p->spare);
    free(p);
}

bool pack_reserve(struct pack *p)
{
    if (p->parcels >= PARCELS_MAX)
        return false;
    if (p->spare == NULL)
        p->spare = parcel_new(p->stock, p->items_max);
    return p->spare != NULL;
}

static bool is_track(enum request_family family)
{
    return family <= FAMILY_TRACK_PURCHASES;
}

/* Of one cohort, by one name: a change of another one waits until Braze has heard that name. */
static bool is_same_cohort(const struct cohort *a, const struct cohort *b)
{
    return a->key.hash == b->key.hash && a->name == b->name && str_eq(a->id, b->id);
}

static bool is_same_route(const struct pack *p, const struct item *a, const struct item *b)
{
    if (p->options.mode == BATCHING_COMBINED && is_track(a->family))
        return is_track(b->family);
    if (p->options.mode == BATCHING_PER_ACTION && a->subscription != b->subscription)
        return false;
    if (a->cohort != NULL && b->cohort != NULL)
        return is_same_cohort(a->cohort, b->cohort);
    return a->family == b->family && str_eq(a->path, b->path);
}

static unsigned objects_of(const struct parcel *b, enum request_family family)
{
    unsigned objects = 0;
    for (unsigned i = 0; i < b->count; i++)
        objects += b->items[i]->family == family;
    return objects;
}

static bool is_full(const struct pack *p, const struct parcel *b)
{
    const struct family_row *row = family_row(b->items[0]->family);
    unsigned objects_max =
        row->company == COMPANY_NEVER ? row->objects_max : p->options.objects_max;
    return b->count >= objects_max || b->count >= b->items_max;
}

static bool has_room_for(const struct pack *p, const struct parcel *b, const struct item *item)
{
    unsigned array_max = family_row(item->family)->objects_max;
    if (b->count >= array_max && objects_of(b, item->family) >= array_max)
        return false;
    size_t body_bytes = BODY_FRAME_BYTES_MAX + b->text_bytes + b->count + item->text.len;
    return body_bytes <= p->options.body_bytes_max;
}

static bool has_text(const struct parcel *b, struct str text)
{
    for (unsigned i = 0; i < b->count; i++)
        if (str_eq(b->items[i]->text, text))
            return true;
    return false;
}

/* Whether the item may travel with those that hold its lanes. */
static bool may_join(const struct parcel *b, const struct item *item)
{
    switch (family_row(item->family)->company) {
    case COMPANY_NEVER:
        return false;
    case COMPANY_ORDERED:
        return true;
    case COMPANY_ONCE:
        return !has_text(b, item->text);
    }
    __builtin_unreachable();
}

static void close_open(struct pack *p, unsigned at)
{
    struct parcel *parcel = p->open[at];
    p->open[at] = p->open[--p->open_count];
    parcel_close(parcel);
    parcel->next = NULL;
    if (p->closed == NULL)
        p->closed = parcel;
    else
        p->closed_last->next = parcel;
    p->closed_last = parcel;
}

static unsigned find_open(const struct pack *p, const struct item *item)
{
    unsigned at = 0;
    while (at < p->open_count && !is_same_route(p, p->open[at]->items[0], item))
        at++;
    return at;
}

static unsigned oldest_open(const struct pack *p)
{
    unsigned oldest = 0;
    for (unsigned i = 1; i < p->open_count; i++)
        if (p->open[i]->oldest_ms < p->open[oldest]->oldest_ms)
            oldest = i;
    return oldest;
}

struct parcel *pack_place(struct pack *p, const struct item *item, const struct hold *hold,
                          int64_t now_ms)
{
    unsigned at = find_open(p, item);
    if (hold != NULL) {
        if (at == p->open_count || &p->open[at]->hold != hold || !may_join(p->open[at], item))
            return NULL;
        if (has_room_for(p, p->open[at], item))
            return p->open[at];
        close_open(p, at);
        return NULL;
    }
    if (at < p->open_count && has_room_for(p, p->open[at], item))
        return p->open[at];

    assert(p->spare != NULL);
    struct parcel *parcel = p->spare;
    p->spare = NULL;
    parcel_init(parcel, now_ms);
    p->parcels++;
    if (at < p->open_count)
        close_open(p, at);
    else if (p->open_count == PACK_ROUTES_MAX)
        close_open(p, oldest_open(p));
    p->open[p->open_count++] = parcel;
    return parcel;
}

void pack_add(struct pack *p, struct parcel *parcel, struct item *item)
{
    parcel_add(parcel, item);
    if (!is_full(p, parcel))
        return;
    unsigned at = 0;
    while (p->open[at] != parcel)
        at++;
    close_open(p, at);
}

struct parcel *pack_next_closed(struct pack *p)
{
    struct parcel *parcel = p->closed;
    if (parcel != NULL)
        p->closed = parcel->next;
    return parcel;
}

/* Somebody's next item waits for this parcel: it lingers only for a moment, or such a
 * user would move at the pace of age_max_ms. */
static int64_t due_ms(const struct pack *p, const struct parcel *b)
{
    int64_t due = b->oldest_ms + p->options.age_max_ms;
    int64_t soon = b->opened_ms + p->options.age_max_ms / 16;
    return b->hold.is_waited_for && soon < due ? soon : due;
}

struct parcel *pack_take_due(struct pack *p, int64_t now_ms, bool at_once,
                             struct pack_filter filter)
{
    unsigned best = p->open_count;
    for (unsigned i = 0; i < p->open_count; i++) {
        const struct parcel *b = p->open[i];
        if ((!at_once && due_ms(p, b) > now_ms) || !filter.wants(filter.self, b->items[0]->family))
            continue;
        if (best == p->open_count || b->oldest_ms < p->open[best]->oldest_ms)
            best = i;
    }
    if (best == p->open_count)
        return NULL;
    struct parcel *parcel = p->open[best];
    p->open[best] = p->open[--p->open_count];
    parcel_close(parcel);
    return parcel;
}

int64_t pack_due_ms(const struct pack *p, struct pack_filter filter)
{
    int64_t due = INT64_MAX;
    for (unsigned i = 0; i < p->open_count; i++) {
        if (!filter.wants(filter.self, p->open[i]->items[0]->family))
            continue;
        int64_t open_due = due_ms(p, p->open[i]);
        due = open_due < due ? open_due : due;
    }
    return due;
}

void pack_give_back(struct pack *p, struct parcel *parcel)
{
    assert(p->parcels > 0);
    p->parcels--;
    stock_give(p->stock, parcel);
}

struct parcel *pack_abandon(struct pack *p)
{
    return p->open_count == 0 ? NULL : p->open[--p->open_count];
}

unsigned pack_parcels(const struct pack *p)
{
    return p->parcels;
}
