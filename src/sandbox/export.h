/* export: profiles as POST /users/export/ids prints them (docs/spec/braze-rest-api.md §4.8). */
#ifndef SPELTER_SANDBOX_EXPORT_H
#define SPELTER_SANDBOX_EXPORT_H

#include "call.h"

void answer_export_ids(struct call *c);

/* One profile; fields: an array of names, or undefined for all. */
struct jv export_profile(struct call *c, struct profile *p, struct jv fields);

#endif
