/* admin: the calls that move identifiers and profiles (docs/spec/braze-rest-api.md §4.1 to §4.7).
 */
#ifndef SPELTER_SANDBOX_ADMIN_H
#define SPELTER_SANDBOX_ADMIN_H

#include "call.h"

#define TOO_MANY_IDS_AND_ALIASES                                                                   \
    "The max number of external_ids and aliases per request was exceeded"
#define TOO_MANY_IDS "The max number of ids per request was exceeded"

/* The array of objects (or of texts) under `key`, 1 to ADMIN_ENTRIES_MAX entries. False: answered
 * with 400. */
bool admin_array(struct call *c, const char *key, const char *what, const char *too_many,
                 struct jv *out);

void answer_identify(struct call *c);
void answer_alias_new(struct call *c);
void answer_alias_update(struct call *c);
void answer_rename(struct call *c);
void answer_remove(struct call *c);
void answer_delete(struct call *c);
void answer_merge(struct call *c);

#endif
