/* catalog: upsertCatalogItem (docs/spec/segment-actions.md §2.11). */
#ifndef SPELTER_BRAZE_CATALOG_H
#define SPELTER_BRAZE_CATALOG_H

#include "action.h"

enum {
    CATALOG_ITEM,
    CATALOG_ITEM_ID,
    CATALOG_ENABLE_BATCHING,
    CATALOG_BATCH_SIZE,
    CATALOG_ROWS,
};

extern const struct field catalog_fields[CATALOG_ROWS];

action_build catalog_build;

int catalog_settle(const struct call *call, struct exchange *x);
int catalog_batch_request(struct batch *b);
int catalog_batch_settle(struct batch *b);

/* The item with its id: an `id` of its own is overwritten in place.
 * undefined when the arena is full. */
struct jv catalog_item_with_id(const struct jv *values, struct arena *a);

#endif
