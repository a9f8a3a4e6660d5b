/* ecommerce: the six recommended events with a strict schema (docs/spec/braze-rest-api.md §6). */
#ifndef SPELTER_SANDBOX_ECOMMERCE_H
#define SPELTER_SANDBOX_ECOMMERCE_H

#include "call.h"

bool ecommerce_is(struct str event_name);

/* The first violation as the wire words it, or an empty text. */
struct str ecommerce_check(struct call *c, struct str name, struct jv properties);

/* Revenue, orders and carts of a valid event. */
void ecommerce_apply(struct call *c, struct profile *p, struct str name, struct jv properties,
                     int64_t ms);

#endif
