#include "parcel.h"

#include <assert.h>

struct parcel *parcel_new(struct stock *stock, unsigned items_max)
{
    assert(items_max <= PARCEL_ITEMS_MAX);
    size_t items_bytes = items_max * sizeof(struct item *);
    struct parcel *b = stock_take(stock, sizeof(*b) + items_bytes + items_max * sizeof(b->sent[0]));
    if (b == NULL)
        return NULL;
    b->items_max = items_max;
    b->sent = (unsigned *)((char *)(b + 1) + items_bytes);
    return b;
}

void parcel_init(struct parcel *b, int64_t now_ms)
{
    *b = (struct parcel){
        .items_max = b->items_max, .sent = b->sent, .opened_ms = now_ms, .oldest_ms = now_ms};
}

void parcel_add(struct parcel *b, struct item *item)
{
    assert(b->count < b->items_max);
    assert(b->range_count == 0);
    b->items[b->count++] = item;
    b->text_bytes += item->text.len;
    if (item->arrived_ms < b->oldest_ms)
        b->oldest_ms = item->arrived_ms;
}

void parcel_close(struct parcel *b)
{
    assert(b->count > 0);
    assert(b->range_count == 0);
    struct item *sorted[PARCEL_ITEMS_MAX] = {NULL};
    unsigned n = 0;
    for (enum request_family family = 0; n < b->count; family++)
        for (unsigned i = 0; i < b->count; i++)
            if (b->items[i]->family == family)
                sorted[n++] = b->items[i];
    memcpy(b->items, sorted, n * sizeof(sorted[0]));
    b->ranges[b->range_count++] = (struct range){0, b->count};
}

static struct range current(const struct parcel *b)
{
    assert(b->range_count > 0);
    return b->ranges[b->range_count - 1];
}

const struct item *parcel_any(const struct parcel *b)
{
    struct range range = current(b);
    unsigned i = range.from;
    while (b->items[i] == NULL)
        i++;
    assert(i < range.to);
    return b->items[i];
}

static void open_array(struct parcel *b, struct buf *out, const char *key)
{
    struct manifest *m = &b->manifest;
    assert(m->array_count < MANIFEST_ARRAYS_MAX);
    m->arrays[m->array_count].key = str_from(key);
    m->arrays[m->array_count++].count = 0;
    if (key == NULL)
        return;
    buf_append(out, m->array_count == 1 ? STR("{\"") : STR("],\""));
    buf_append(out, str_from(key));
    buf_append(out, STR("\":["));
}

void parcel_write(struct parcel *b, struct buf *out)
{
    struct manifest *m = &b->manifest;
    *m = (struct manifest){.has_own_path = parcel_any(b)->path.len > 0};
    struct range range = current(b);
    const char *key = NULL;
    for (unsigned i = range.from; i < range.to; i++) {
        const struct item *item = b->items[i];
        if (item == NULL)
            continue;
        const char *item_key = family_row(item->family)->array_key;
        if (m->array_count == 0 || item_key != key)
            open_array(b, out, item_key);
        else
            buf_putc(out, ',');
        key = item_key;
        buf_append(out, item->text);
        m->arrays[m->array_count - 1].count++;
        b->sent[m->object_count++] = i;
    }
    assert(m->object_count > 0);
    if (key != NULL)
        buf_append(out, STR("]}"));
}

void parcel_describe(struct parcel *b)
{
    struct range range = current(b);
    b->manifest = (struct manifest){0};
    for (unsigned i = range.from; i < range.to; i++)
        if (b->items[i] != NULL)
            b->sent[b->manifest.object_count++] = i;
    assert(b->manifest.object_count > 0);
}

struct item *parcel_remove(struct parcel *b, unsigned index)
{
    struct item *item = b->items[index];
    assert(item != NULL);
    b->items[index] = NULL;
    return item;
}

void parcel_split(struct parcel *b)
{
    struct range range = current(b);
    unsigned live = 0;
    for (unsigned i = range.from; i < range.to; i++)
        live += b->items[i] != NULL;
    assert(live >= 2);
    assert(b->range_count < PARCEL_RANGES_MAX);
    unsigned middle = range.from;
    for (unsigned seen = 0; seen < live / 2; middle++)
        seen += b->items[middle] != NULL;
    b->ranges[b->range_count - 1] = (struct range){middle, range.to};
    b->ranges[b->range_count++] = (struct range){range.from, middle};
}

bool parcel_advance(struct parcel *b)
{
    while (b->range_count > 0) {
        struct range range = current(b);
        for (unsigned i = range.from; i < range.to; i++)
            if (b->items[i] != NULL)
                return true;
        b->range_count--;
    }
    return false;
}
