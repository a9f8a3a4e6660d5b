/* purchase: trackPurchase and trackPurchase2, one purchases object a product
 * (docs/spec/segment-actions.md §2.5, §2.6). */
#ifndef SPELTER_BRAZE_PURCHASE_H
#define SPELTER_BRAZE_PURCHASE_H

#include "action.h"

enum {
    PURCHASE_EXTERNAL_ID,
    PURCHASE_USER_ALIAS,
    PURCHASE_EMAIL,
    PURCHASE_BRAZE_ID,
    PURCHASE_TIME,
    PURCHASE_PRODUCTS,
    PURCHASE_PROPERTIES,
    PURCHASE_UPDATE_EXISTING_ONLY,
    PURCHASE_ENABLE_BATCHING,
    PURCHASE_BATCH_SIZE,
    PURCHASE_ROWS,
};

extern const struct field purchase_fields[PURCHASE_ROWS];

action_build purchase_build;

#endif
