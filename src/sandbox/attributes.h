/* attributes: one object of the attributes array, checked and applied (docs/spec/braze-rest-api.md
 * §2.4 to §2.6, §7.2). */
#ifndef SPELTER_SANDBOX_ATTRIBUTES_H
#define SPELTER_SANDBOX_ATTRIBUTES_H

#include "call.h"
#include "errors.h"
#include "identifiers.h"

/* Checks the whole object, then applies it. The error that refuses it, or ERROR_NONE. */
enum object_error attributes_take(struct call *c, struct jv object);

/* The same for attributes that travel with another call (a trigger's recipient): the profile is
 * known already. */
enum object_error attributes_check(struct call *c, struct jv object);
void attributes_apply(struct call *c, struct profile *p, struct jv object, const struct who *who);

/* A value as answers print it: {"$time": "..."} becomes its text. */
struct jv stored_to_printed(struct call *c, struct jv value);

#endif
