#include "catalogs.h"

#include <errno.h>
#include <stdlib.h>

#include "text.h"

struct catalogs {
    struct catalog *rows[CATALOGS_MAX];
    size_t count;
    size_t bytes;
    struct disk *disk;
    int64_t opened_ms; /* stands for the last change of what the disk held */
};

enum { KEY_BYTES = 512 };

static struct str copy(struct str text)
{
    char *ptr = malloc(text.len + 1);
    if (ptr != NULL && text.len > 0)
        memcpy(ptr, text.ptr, text.len);
    return (struct str){ptr, text.len};
}

static void free_catalog(struct catalog *catalog)
{
    for (size_t i = 0; i < catalog->count; i++)
        free(catalog->items[i]);
    free(catalog->items);
    free((void *)(uintptr_t)catalog->name.ptr);
    free((void *)(uintptr_t)catalog->definition.ptr);
    free(catalog);
}

struct catalog *catalogs_find(struct catalogs *cs, struct str name)
{
    for (size_t i = 0; i < cs->count; i++)
        if (str_eq(cs->rows[i]->name, name))
            return cs->rows[i];
    return NULL;
}

size_t catalogs_count(const struct catalogs *cs)
{
    return cs->count;
}

struct catalog *catalogs_at(struct catalogs *cs, size_t index)
{
    return cs->rows[index];
}

size_t catalogs_bytes(const struct catalogs *cs)
{
    return cs->bytes;
}

/* Where the id is, or where it would go. */
static size_t find_place(const struct catalog *catalog, struct str id, bool *found)
{
    size_t low = 0;
    size_t high = catalog->count;
    *found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_cmp(item_id(catalog->items[middle]), id);
        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct item *catalog_item(const struct catalog *catalog, struct str id)
{
    bool found;
    size_t at = find_place(catalog, id, &found);
    return found ? catalog->items[at] : NULL;
}

static struct catalog *add_catalog(struct catalogs *cs, struct str name, struct str definition,
                                   int64_t now_ms)
{
    struct catalog *catalog = cs->count < CATALOGS_MAX ? calloc(1, sizeof(*catalog)) : NULL;
    if (catalog == NULL)
        return NULL;
    *catalog =
        (struct catalog){.name = copy(name), .definition = copy(definition), .updated_ms = now_ms};
    if (catalog->name.ptr == NULL || catalog->definition.ptr == NULL) {
        free_catalog(catalog);
        return NULL;
    }
    cs->rows[cs->count++] = catalog;
    return catalog;
}

static bool put_item(struct catalogs *cs, struct catalog *catalog, struct str id, struct str record)
{
    struct item *item = malloc(sizeof(*item) + id.len + record.len);
    if (item == NULL)
        return false;
    item->id_bytes = (uint32_t)id.len;
    item->record_bytes = (uint32_t)record.len;
    memcpy(item->bytes, id.ptr, id.len);
    memcpy(item->bytes + id.len, record.ptr, record.len);
    bool found;
    size_t at = find_place(catalog, id, &found);
    size_t bytes_before = found ? catalog->items[at]->record_bytes : 0;
    if (!found && catalog->count == catalog->cap) {
        size_t cap = catalog->cap == 0 ? 64 : catalog->cap * 2;
        struct item **items = realloc(catalog->items, cap * sizeof(struct item *));
        if (items == NULL) {
            free(item);
            return false;
        }
        catalog->items = items;
        catalog->cap = cap;
    }
    if (found) {
        free(catalog->items[at]);
    } else {
        memmove(catalog->items + at + 1, catalog->items + at,
                (catalog->count - at) * sizeof(struct item *));
        catalog->count++;
        catalog->bytes += id.len;
        cs->bytes += id.len;
    }
    catalog->items[at] = item;
    catalog->bytes += record.len - bytes_before;
    cs->bytes += record.len - bytes_before;
    return true;
}

static void keep_definition(struct catalogs *cs, const struct catalog *catalog)
{
    disk_put(cs->disk, DISK_CATALOGS, catalog->name, catalog->definition);
}

static struct str item_key(char room[KEY_BYTES], const struct catalog *catalog, struct str id)
{
    size_t len = catalog->name.len + 1 + id.len;
    assert(len <= KEY_BYTES);
    memcpy(room, catalog->name.ptr, catalog->name.len);
    room[catalog->name.len] = '\x1f';
    memcpy(room + catalog->name.len + 1, id.ptr, id.len);
    return (struct str){room, len};
}

static int load_catalog(void *self, struct str key, struct str value)
{
    struct catalogs *cs = self;
    return add_catalog(cs, key, value, cs->opened_ms) == NULL ? -ENOMEM : 0;
}

static int load_item(void *self, struct str key, struct str value)
{
    size_t split = str_find(key, '\x1f');
    struct catalog *catalog = catalogs_find(self, str_slice(key, 0, split));
    if (catalog == NULL || split == key.len)
        return 0; /* of a catalog that is gone */
    return put_item(self, catalog, str_slice(key, split + 1, key.len), value) ? 0 : -ENOMEM;
}

int catalogs_open(struct catalogs **out, struct disk *disk, int64_t now_ms, struct err *err)
{
    struct catalogs *cs = calloc(1, sizeof(*cs));
    if (cs == NULL)
        return err_set(err, -ENOMEM, 0, "no memory");
    cs->disk = disk;
    cs->opened_ms = now_ms;
    int rc = disk_each(disk, DISK_CATALOGS, load_catalog, cs);
    if (rc == 0)
        rc = disk_each(disk, DISK_ITEMS, load_item, cs);
    if (rc != 0) {
        catalogs_close(cs);
        return err_set(err, rc, 0, "cannot load the catalogs: %s", strerror(-rc));
    }
    *out = cs;
    return 0;
}

void catalogs_clear(struct catalogs *cs)
{
    while (cs->count > 0)
        free_catalog(cs->rows[--cs->count]);
    cs->bytes = 0;
}

void catalogs_close(struct catalogs *cs)
{
    if (cs == NULL)
        return;
    catalogs_clear(cs);
    free(cs);
}

struct catalog *catalogs_create(struct catalogs *cs, struct str name, struct str definition,
                                int64_t now_ms)
{
    struct catalog *catalog = add_catalog(cs, name, definition, now_ms);
    if (catalog != NULL)
        keep_definition(cs, catalog);
    return catalog;
}

void catalogs_delete(struct catalogs *cs, struct catalog *catalog)
{
    char room[KEY_BYTES];
    for (size_t i = 0; i < catalog->count; i++)
        disk_delete(cs->disk, DISK_ITEMS, item_key(room, catalog, item_id(catalog->items[i])));
    disk_delete(cs->disk, DISK_CATALOGS, catalog->name);
    size_t at = 0;
    while (cs->rows[at] != catalog)
        at++;
    memmove(cs->rows + at, cs->rows + at + 1, (cs->count - at - 1) * sizeof(struct catalog *));
    cs->count--;
    cs->bytes -= catalog->bytes;
    free_catalog(catalog);
}

bool catalog_put(struct catalogs *cs, struct catalog *catalog, struct str id, struct str record,
                 int64_t now_ms)
{
    char room[KEY_BYTES];
    if (!put_item(cs, catalog, id, record))
        return false;
    catalog->updated_ms = now_ms;
    disk_put(cs->disk, DISK_ITEMS, item_key(room, catalog, id), record);
    return true;
}

void catalog_drop(struct catalogs *cs, struct catalog *catalog, struct str id, int64_t now_ms)
{
    char room[KEY_BYTES];
    bool found;
    size_t at = find_place(catalog, id, &found);
    if (!found)
        return;
    disk_delete(cs->disk, DISK_ITEMS, item_key(room, catalog, id));
    struct item *item = catalog->items[at];
    catalog->bytes -= item->id_bytes + item->record_bytes;
    cs->bytes -= item->id_bytes + item->record_bytes;
    free(item);
    memmove(catalog->items + at, catalog->items + at + 1,
            (catalog->count - at - 1) * sizeof(struct item *));
    catalog->count--;
    catalog->updated_ms = now_ms;
}
