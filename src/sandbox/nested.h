/* nested: objects and arrays of objects as attribute values (docs/spec/braze-rest-api.md §2.6), and
 * their data points. */
#ifndef SPELTER_SANDBOX_NESTED_H
#define SPELTER_SANDBOX_NESTED_H

#include "call.h"

enum { NESTED_BYTES_MAX = 100 * 1024 };

/* Is this the operation object of an array of objects: any of $add, $remove, $update. */
bool nested_is_operation(struct jv value);

/* {"$time": "..."} */
bool nested_is_time(struct jv value);

/* The value as it is stored, or undefined when something in it is invalid: *why then says what. */
struct jv nested_clean(struct call *c, struct jv value, const char **why);

/* `patch` over `base`, at every level when deep. */
struct jv nested_merge(struct call *c, struct jv base, struct jv patch);

/* The array after $add, $remove, $update. undefined: invalid, see *why. */
struct jv nested_operate(struct call *c, struct jv array, struct jv operation, bool merge,
                         const char **why);

/* Compact JSON longer than bytes_max? */
bool json_is_longer(struct call *c, struct jv value, size_t bytes_max);

unsigned json_depth(struct jv value); /* 0 for a scalar */

/* What setting this value costs (§5.3). */
uint64_t value_points(const struct call *c, struct jv value);

#endif
