/* demo_events: a small shop's day as Segment events, the same for the same number and time. */
#ifndef SPELTER_CLI_DEMO_EVENTS_H
#define SPELTER_CLI_DEMO_EVENTS_H

#include "buf.h"

#include <stdint.h>

enum { DEMO_BATCH_EVENTS = 20 };

/* What a stream holds, by event type: for the summary. */
enum demo_type {
    DEMO_IDENTIFY,
    DEMO_TRACK,
    DEMO_ORDER,
    DEMO_PAGE,
    DEMO_SCREEN,
    DEMO_GROUP,
    DEMO_ALIAS,
    DEMO_TYPES,
};
extern const char *const demo_type_names[DEMO_TYPES];

/* Appends event number `index` of the stream as JSON, with its own
 * messageId; `now_ms` becomes its timestamp and a part of that id, or a second demo with the same
 * data folder would be a repeat of the first. */
enum demo_type demo_event(struct buf *out, uint64_t index, int64_t now_ms);

#endif
