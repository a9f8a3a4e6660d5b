/* times: the date formats Braze accepts (docs/spec/braze-rest-api.md §2.10). */
#ifndef SPELTER_SANDBOX_TIMES_H
#define SPELTER_SANDBOX_TIMES_H

#include "arena.h"
#include "str.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    TIME_YEAR_MIN = 0,
    TIME_YEAR_MAX = 3000, /* outside these years a date stays a plain string */
};

enum time_form {
    TIME_NONE,         /* no date */
    TIME_OUT_OF_RANGE, /* a date of a year below TIME_YEAR_MIN or above TIME_YEAR_MAX */
    TIME_DATE,         /* a day without a time: midnight UTC */
    TIME_INSTANT,
};

/* Fills *ms (since 1970-01-01 UTC) for TIME_DATE and TIME_INSTANT. A missing or malformed offset
 * means UTC. */
enum time_form time_parse(struct str text, int64_t *ms);

/* A date or an instant, in range. */
bool time_is(struct str text, int64_t *ms);

/* "2024-11-10T18:00:00.123Z", as exports and the synchronous answer print it. */
struct str time_text(struct arena *a, int64_t ms);

#endif
