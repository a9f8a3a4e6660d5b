/*
 * envelope: a canonical event as the journal keeps it: a small binary
 * head, then the event as JSON text.
 *
 *     | version 1 | flags 1 | source_len 2 | destination_len 2 | reserved 2 | received_at_ms 8 |
 *     | source id | destination id | JSON |
 *
 * Version 1 is for every destination that takes the source, and has no destination id. Version 2 is
 * for the one that it names; a program that knows only version 1 makes it a dead letter instead of
 * giving it to all.
 *
 * Numbers are little-endian. The JSON is Segment-spec, stamped: type, messageId, timestamp,
 * originalTimestamp, receivedAt and userId or anonymousId are there (docs/spec/sources.md §1.9).
 */
#ifndef SPELTER_EVENT_ENVELOPE_H
#define SPELTER_EVENT_ENVELOPE_H

#include "buf.h"
#include "str.h"

#include <stdint.h>

enum {
    ENVELOPE_VERSION = 1,
    ENVELOPE_VERSION_ADDRESSED = 2,
    ENVELOPE_HEAD_BYTES = 16,
    SOURCE_ID_BYTES_MAX = 64,
    DESTINATION_ID_BYTES_MAX = 64,
};

struct envelope {
    struct str source;      /* the configured source's id */
    struct str destination; /* the only one that shall see it; empty: all that take the source */
    int64_t received_at_ms; /* server clock, when it came into the journal */
    struct str json;        /* one event */
};

void envelope_write(struct buf *out, const struct envelope *e);

/* Only what stands before the JSON text, for a writer that appends the text itself; for every
 * destination. */
void envelope_write_head(struct buf *out, struct str source, int64_t received_at_ms);

/* Borrows from `record`. -EBADMSG when it is not an envelope of a version this program knows. */
int envelope_read(struct envelope *out, struct str record) __attribute__((warn_unused_result));

#endif
