/*
 * segment_export: what answers of Segment's Public API say (docs/spec/sources.md §7), collected
 * from any number of files.
 *
 *     file --segment_export_add--> destinations, subscriptions, filters, sources, in order
 *
 * A file is an answer ({"data":{...}}), what is inside of one, a bare object, or an array of any of
 * these; pages too. One thread.
 */
#ifndef SPELTER_IMPORT_SEGMENT_EXPORT_H
#define SPELTER_IMPORT_SEGMENT_EXPORT_H

#include "err.h"
#include "jv.h"

enum segment_thing { SEGMENT_SUBSCRIPTION, SEGMENT_FILTER, SEGMENT_SOURCE, SEGMENT_DESTINATION };

enum {
    SEGMENT_THINGS = SEGMENT_DESTINATION + 1,
    SEGMENT_FILE_BYTES_MAX = 64 << 20, /* a page of 1,000 destinations, catalog entries included */
    SEGMENT_ITEMS_MAX = 20000,         /* of one kind: a workspace of 400 full destinations */
};

/* One object, and where it stands. Lives as long as the export. */
struct segment_item {
    struct jv value; /* an object */
    const char *file;
    const char *path; /* "/data/subscriptions/0" */
};

struct segment_export;

int segment_export_new(struct segment_export **out) __attribute__((warn_unused_result));
void segment_export_free(struct segment_export *e); /* NULL is fine */

/* Takes in the text of `file`, whose name is for messages. What an earlier file said already is
 * passed over; what contradicts it is refused. err->msg is "FILE:LINE: ..." for a text that is no
 * JSON, else "FILE: PLACE: ...". -EINVAL, -E2BIG, -ENOMEM. */
int segment_export_add(struct segment_export *e, const char *file, struct str text, struct err *err)
    __attribute__((warn_unused_result));

/* After the last file: does a page of this kind name a next page that no file has? NULL: no. */
const struct segment_item *segment_export_gap(const struct segment_export *e,
                                              enum segment_thing thing);

size_t segment_export_count(const struct segment_export *e, enum segment_thing thing);
const struct segment_item *segment_export_item(const struct segment_export *e,
                                               enum segment_thing thing, size_t i);

/* The object's text under `key`; empty when there is none. */
struct str segment_text(const struct segment_item *item, struct str key);

/* "FILE: PLACE: text". Always -EINVAL. */
int segment_refuse(const struct segment_item *item, const char *key, struct err *err,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
