/*
 * catalogs: named tables of items, and their endpoints (docs/spec/braze-rest-api.md §4.13).
 *
 * catalogs.c keeps them, catalog_calls.c answers about whole catalogs, item_calls.c about items,
 * catalog_values.c knows the types of fields.
 */
#ifndef SPELTER_SANDBOX_CATALOGS_H
#define SPELTER_SANDBOX_CATALOGS_H

#include "call.h"

enum {
    CATALOG_NAME_CHARACTERS_MAX = 250,
    CATALOG_DESCRIPTION_CHARACTERS_MAX = 250,
    CATALOG_FIELDS_MAX = 500,
    CATALOG_ITEMS_PER_CALL_MAX = 50,
    CATALOG_VALUE_CHARACTERS_MAX = 5000,
    CATALOG_ARRAY_MAX = 100,
    CATALOG_BYTES_MAX = 500 << 20, /* of all catalogs: the free tier's */
    CATALOGS_MAX = 1000,
};

struct item {
    uint32_t id_bytes;
    uint32_t record_bytes;
    char bytes[]; /* id, then the item as JSON text */
};

struct catalog {
    struct str name; /* owned */
    struct str
        definition; /* owned JSON text: {"description", "fields":[{"name","type","token"}]} */
    int64_t updated_ms;
    struct item **items; /* owned, in the order of their ids */
    size_t count;
    size_t cap;
    size_t bytes; /* of ids and records */
};

int catalogs_open(struct catalogs **out, struct disk *disk, int64_t now_ms, struct err *err)
    __attribute__((warn_unused_result));
void catalogs_close(struct catalogs *cs); /* NULL is fine */
void catalogs_clear(struct catalogs *cs);

struct catalog *catalogs_find(struct catalogs *cs, struct str name);
size_t catalogs_count(const struct catalogs *cs);
struct catalog *catalogs_at(struct catalogs *cs, size_t index); /* in the order of their creation */
size_t catalogs_bytes(const struct catalogs *cs);

/* NULL: no memory, or CATALOGS_MAX reached. */
struct catalog *catalogs_create(struct catalogs *cs, struct str name, struct str definition,
                                int64_t now_ms);
void catalogs_delete(struct catalogs *cs, struct catalog *catalog);

const struct item *catalog_item(const struct catalog *catalog, struct str id); /* NULL: none */
bool catalog_put(struct catalogs *cs, struct catalog *catalog, struct str id, struct str record,
                 int64_t now_ms);
void catalog_drop(struct catalogs *cs, struct catalog *catalog, struct str id, int64_t now_ms);

static inline struct str item_id(const struct item *item)
{
    return (struct str){item->bytes, item->id_bytes};
}
static inline struct str item_record(const struct item *item)
{
    return (struct str){item->bytes + item->id_bytes, item->record_bytes};
}

/* {"errors":[{"id","message","parameters","parameter_values"}],"message":"Invalid Request"} */
void catalog_refuse(struct call *c, unsigned status, const char *id, const char *text,
                    const char *parameter, struct str value);

/* The catalog named in the path; NULL: answered with 404. */
struct catalog *catalog_of_path(struct call *c);

/* Letters, digits, - and _; 1 to 250 of them. */
bool catalog_name_is(struct str text);

bool catalog_type_is(struct str type); /* "string", "number", ... */

/* One item's fields against the catalog's. `before`: the stored item of a PATCH, or undefined. The
 * item as it is stored, or undefined with *error, one of the documented error ids. */
struct jv catalog_clean_item(struct call *c, struct jv fields, struct str id, struct jv sent,
                             struct jv before, const char **error);

void answer_catalogs_list(struct call *c);
void answer_catalogs_create(struct call *c);
void answer_catalogs_delete(struct call *c);
void answer_items_list(struct call *c);
void answer_items_create(struct call *c);
void answer_items_replace(struct call *c);
void answer_items_update(struct call *c);
void answer_items_delete(struct call *c);
void answer_item_get(struct call *c);
void answer_item_create(struct call *c);
void answer_item_replace(struct call *c);
void answer_item_update(struct call *c);
void answer_item_delete(struct call *c);

#endif
