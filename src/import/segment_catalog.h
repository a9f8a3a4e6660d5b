/*
 * segment_catalog: Segment's names for Braze's destinations and their actions
 * (docs/spec/sources.md §7.4). Constant tables: any thread.
 */
#ifndef SPELTER_IMPORT_SEGMENT_CATALOG_H
#define SPELTER_IMPORT_SEGMENT_CATALOG_H

#include "config.h"

struct segment_kind {
    struct str id; /* metadata.id */
    struct str slug;
    struct str name;
    const char *needs; /* why it is left out, and what it would need; NULL: it can be imported */
    enum destination_kind kind; /* when it can */
};

/* By whichever of the three is known (the others empty), NULL when it is no destination of Braze.
 */
const struct segment_kind *segment_kind_find(struct str id, struct str slug, struct str name);

struct segment_action {
    struct str id; /* actionId; empty: not in Segment's catalog */
    struct str slug;
    const char *left_out; /* why it has no meaning on a server; NULL: it is imported */
};

/* An action of destinations of this kind; NULL when there is none. */
const struct segment_action *segment_action_by_slug(enum destination_kind kind, struct str slug);
const struct segment_action *segment_action_by_id(enum destination_kind kind, struct str id);

/* The nearest slug, or an empty text. */
struct str segment_action_nearest(enum destination_kind kind, struct str slug);

#endif
