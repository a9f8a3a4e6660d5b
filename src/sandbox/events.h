/* events, purchases: one object of either array, checked and counted (docs/spec/braze-rest-api.md
 * §2.7, §2.8, §7.3). */
#ifndef SPELTER_SANDBOX_EVENTS_H
#define SPELTER_SANDBOX_EVENTS_H

#include "call.h"

/* The error that refuses the object, or an empty text. */
struct str events_take(struct call *c, struct jv object);
struct str purchases_take(struct call *c, struct jv object);

/* Counts one more occurrence at `ms` in SECTION_EVENTS or SECTION_PRODUCTS. */
void count_occurrence(struct call *c, struct profile *p, enum section section, struct str name,
                      int64_t ms, int64_t times);

/* Adds to a number in SECTION_COMMERCE. */
void add_commerce(struct profile *p, struct str name, double amount);

/* An amount in US dollars; a rate that is not known is noted. */
double in_dollars(struct call *c, struct jv amount, struct str currency);

/* [{"name": ..., "first": ..., "last": ..., "count": ...}] of what happened since `from_ms`. */
struct jv write_occurrences(struct call *c, const struct profile *p, enum section section,
                            struct str name_key, int64_t from_ms, struct str only);

#endif
