/*
 * names: every attribute, event and product name the workspace has seen, with counts and the data
 * points they cost (docs/spec/braze-rest-api.md §4.18, §5). One thread.
 */
#ifndef SPELTER_SANDBOX_NAMES_H
#define SPELTER_SANDBOX_NAMES_H

#include "arena.h"
#include "buf.h"
#include "disk.h"
#include "str.h"

#include <stdint.h>

enum {
    NAMES_MAX =
        200000, /* bounds memory; further names are not listed, their points count in the total */
    NAME_DAYS_MAX = 400,
};

enum name_kind { NAME_ATTRIBUTE, NAME_STANDARD, NAME_EVENT, NAME_PRODUCT, NAME_COHORT, NAME_KINDS };

enum data_type {
    DATA_UNKNOWN,
    DATA_BOOLEAN,
    DATA_NUMBER,
    DATA_STRING,
    DATA_TIME,
    DATA_ARRAY,
    DATA_OBJECT,
    DATA_OBJECT_ARRAY,
    DATA_TYPES,
};
struct str data_type_name(enum data_type type); /* "Number" */
enum data_type data_type_find(struct str name); /* in any case; DATA_UNKNOWN: none */

struct day_points {
    int32_t day; /* since 1970-01-01 */
    uint64_t points;
};

struct name {
    struct str text;
    enum name_kind kind;
    enum data_type
        type; /* of an attribute: what its first value was, or what the workspace forces */
    uint64_t count;
    uint64_t points;
    struct day_points *days; /* oldest first */
    size_t day_count;

    /* the table's own */
    struct name *next_in_bucket;
    struct name *next_dirty;
    bool dirty;
};

struct names;

/* Loads what the disk (may be NULL) holds. */
int names_open(struct names **out, struct disk *disk, struct err *err)
    __attribute__((warn_unused_result));
void names_close(struct names *n);
void names_clear(struct names *n);

/* Counts the name and its points; makes it known. NULL when there is no room for another name. */
struct name *names_count(struct names *n, enum name_kind kind, struct str text, uint64_t points,
                         int64_t now_ms);

const struct name *names_find(const struct names *n, enum name_kind kind, struct str text);

/* All names of a kind in alphabetical order, in the arena. */
const struct name **names_sorted(const struct names *n, enum name_kind kind, struct arena *a,
                                 size_t *count);

uint64_t names_points(const struct names *n); /* of all names, since the start */
void names_flush(struct names *n);            /* hands what changed to the disk */

/* {"total":..., "days":[{"day":"2026-11-22","points":3}], "attributes":[{"name","count","points"}],
 * "events":...} */
void names_write_points(const struct names *n, struct buf *out, struct arena *a);

#endif
