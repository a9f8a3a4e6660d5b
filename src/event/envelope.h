/*
 * envelope: a canonical event as the journal keeps it: a small binary
 * head, then the event as JSON text.
 *
 *     | version 1 | flags 1 | source_len 2 | reserved 4 | received_at_ms 8 | source id | JSON |
 *
 * Numbers are little-endian. The JSON is Segment-spec, stamped: type, messageId, timestamp,
 * originalTimestamp, receivedAt and userId or anonymousId are there (docs/spec/sources.md §1.9).
 */
#ifndef SPELTER_EVENT_ENVELOPE_H
#define SPELTER_EVENT_ENVELOPE_H

#include "buf.h"
#include "str.h"

#include <stdint.h>

enum { ENVELOPE_VERSION = 1, ENVELOPE_HEAD_BYTES = 16, SOURCE_ID_BYTES_MAX = 64 };

struct envelope {
    struct str source;      /* the configured source's id */
    int64_t received_at_ms; /* server clock */
    struct str json;        /* one event */
};

void envelope_write(struct buf *out, const struct envelope *e);

/* Only what stands before the JSON text, for a writer that appends the text itself. */
void envelope_write_head(struct buf *out, struct str source, int64_t received_at_ms);

/* Borrows from `record`. -EBADMSG when it is not an envelope of a version this program knows. */
int envelope_read(struct envelope *out, struct str record) __attribute__((warn_unused_result));

#endif
