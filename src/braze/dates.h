/*
 * dates: a mapped date as Braze gets it (docs/spec/segment-actions.md §2.0.4).
 *
 * null stays null; what is no date becomes undefined, so that its member vanishes. PARITY_SAFE
 * reads numbers that can only be Unix seconds as such (docs/parity.md).
 */
#ifndef SPELTER_BRAZE_DATES_H
#define SPELTER_BRAZE_DATES_H

#include "destination.h"

/* UTC, "2024-01-02T03:04:05.000Z". -ENOMEM. */
int dates_iso(struct arena *a, enum parity parity, struct jv v, struct jv *out);

/* Local time, "2024-01-02". -ENOMEM. */
int dates_day(struct arena *a, enum parity parity, struct jv v, struct jv *out);

#endif
