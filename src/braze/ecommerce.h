/*
 * ecommerce: ecommerce and ecommerceSingleProduct, one recommended event a payload
 * (docs/spec/segment-actions.md §2.14).
 */
#ifndef SPELTER_BRAZE_ECOMMERCE_H
#define SPELTER_BRAZE_ECOMMERCE_H

#include "action.h"

/* One table for both: each lacks the last rows of the other. */
enum {
    ECOMMERCE_NAME,
    ECOMMERCE_EXTERNAL_ID,
    ECOMMERCE_USER_ALIAS,
    ECOMMERCE_EMAIL,
    ECOMMERCE_PHONE,
    ECOMMERCE_BRAZE_ID,
    ECOMMERCE_CANCEL_REASON,
    ECOMMERCE_TIME,
    ECOMMERCE_CHECKOUT_ID,
    ECOMMERCE_ORDER_ID,
    ECOMMERCE_CART_ID,
    ECOMMERCE_TOTAL_VALUE,
    ECOMMERCE_ACTION,
    ECOMMERCE_SUBTOTAL_VALUE,
    ECOMMERCE_TAX,
    ECOMMERCE_SHIPPING,
    ECOMMERCE_TOTAL_DISCOUNTS,
    ECOMMERCE_DISCOUNTS,
    ECOMMERCE_CURRENCY,
    ECOMMERCE_SOURCE,
    ECOMMERCE_METADATA,
    ECOMMERCE_ENABLE_BATCHING,
    ECOMMERCE_BATCH_SIZE,
    ECOMMERCE_PRODUCTS,
    ECOMMERCE_CATALOG_TYPE,
    ECOMMERCE_PRODUCT,
    ECOMMERCE_ROWS,
};

extern const struct field ecommerce_fields[ECOMMERCE_ROWS];

action_build ecommerce_build;

int ecommerce_batch_request(struct batch *b);
int ecommerce_batch_settle(struct batch *b);

#endif
