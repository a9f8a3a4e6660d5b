/*
 * cohort_body: the bodies of the requests that keep a cohort's members (docs/spec/braze-rest-api.md
 * §4.17). A parcel of such items belongs to one cohort of one name.
 *
 *     {KEYS,"name":"...","cohort_id":"...","created_at":"..."}            makes or renames it
 *     {KEYS,"cohort_id":"...","cohort_changes":[{"user_ids":[...],...}]}   changes its members
 *
 * Both describe the parcel's current range in its manifest, as parcel_write does. Braze's answers
 * name no object of them. Courier's thread only.
 */
#ifndef SPELTER_DELIVERY_COHORT_BODY_H
#define SPELTER_DELIVERY_COHORT_BODY_H

#include "parcel.h"

/* The range's objects wait for it, so they share its fate when Braze refuses. */
void cohort_body_make(struct parcel *b, struct buf *out, struct str keys);

void cohort_body_change(struct parcel *b, struct buf *out, struct str keys);

#endif
