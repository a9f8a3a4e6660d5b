/*
 * timestamp: the texts and numbers that SDKs write for an instant
 * (docs/spec/sources.md §1.9), as microseconds.
 */
#ifndef SPELTER_EVENT_TIMESTAMP_H
#define SPELTER_EVENT_TIMESTAMP_H

#include "jv.h"

#include <stdint.h>

/* ISO 8601 with up to nine fraction digits, any offset, or a date alone (midnight UTC); without an
 * offset: UTC. A number above 10^11 is milliseconds, else seconds. *us counts from 1970-01-01 UTC;
 * years 0 to 9999. False when it is none of these. */
bool timestamp_parse(struct jv v, int64_t *us);

/* Within those years, so that it prints as ISO 8601. */
bool timestamp_is_printable(int64_t us);

#endif
