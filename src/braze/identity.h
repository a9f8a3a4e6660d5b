/*
 * identity: who an object is about (docs/spec/segment-actions.md §2.0.2, §2.0.3), and
 * the keys that keep one user's objects in order.
 */
#ifndef SPELTER_BRAZE_IDENTITY_H
#define SPELTER_BRAZE_IDENTITY_H

#include "action.h"

/* The alias as the track family sends it, alias_label first; undefined when one half is missing. */
struct jv identity_alias(struct arena *a, struct jv mapped);

/* Is anyone named at all? */
bool identity_known(const struct identity *id);

/* Leaves one primary identifier: external_id, else user_alias, else braze_id. Braze refuses objects
 * with several, and with none that count. Attributes keep email and phone beside it, as attributes;
 * other objects only where nothing else names the user. */
void identity_single_out(struct identity *id, bool is_attributes);

/* Appends the keys of the primary identifiers to the intent, at
 * most INTENT_USER_KEYS_MAX in all. */
void identity_keys(const struct identity *id, struct intent *intent);

#endif
