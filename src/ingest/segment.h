/*
 * segment: Segment's HTTP tracking API (docs/spec/sources.md §1). Bytes in; canonical events and an
 * answer out. It knows neither sockets nor destinations.
 *
 * One `struct segment` belongs to one thread; what a call returns lives until
 * the next call or in the request's arena.
 */
#ifndef SPELTER_INGEST_SEGMENT_H
#define SPELTER_INGEST_SEGMENT_H

#include "arena.h"
#include "buf.h"
#include "clock.h"
#include "sources.h"

#include <stdint.h>

struct segment;

struct segment_options {
    size_t event_bytes_max; /* one event, as canonical JSON */
    size_t batch_bytes_max; /* one request's body */
    bool accept_unknown_keys;
};

int segment_open(struct segment **out, const struct segment_options *options)
    __attribute__((warn_unused_result));
void segment_close(struct segment *s); /* NULL is fine */

struct segment_request {
    struct str method;
    struct str path;
    struct str authorization; /* header; empty when absent */
    struct str query;         /* as sent, without the '?': ?writeKey=, and the pixel's event */
    struct str body;          /* inflated */
    struct str client_ip;
    struct str user_agent; /* header; empty when absent */
    int64_t now_ms;
};

struct segment_record {
    struct str envelope; /* for the journal */
    struct str message_id;
};

/* An event that was not kept, and why: becomes a dead letter. */
struct segment_discard {
    const char *code;
    struct str reason;
    struct str event; /* JSON text */
};

/* Why a request was refused as a whole. */
enum segment_refusal {
    SEGMENT_TAKEN, /* it was not */
    SEGMENT_NO_KEY,
    SEGMENT_UNKNOWN_KEY,
    SEGMENT_SOURCE_DISABLED,
    SEGMENT_NOT_JSON,
    SEGMENT_BAD_BATCH,
    SEGMENT_TOO_LARGE,
    SEGMENT_TOO_MANY_EVENTS,
    SEGMENT_NO_MEMORY,
    SEGMENT_BAD_HTTP, /* by http, before it was whole */
};
enum { SEGMENT_REFUSALS = 10 };
const char *segment_refusal_name(enum segment_refusal refusal); /* "unknown_key" */

struct segment_result {
    unsigned status;
    const char *content_type; /* NULL: JSON */
    struct str body;
    const struct source *source; /* NULL when it never became clear */
    enum segment_refusal refusal;
    const struct segment_record *records;
    size_t record_count;
    const struct segment_discard *discards;
    size_t discard_count;
};

/* Always fills *out with an answer. */
void segment_ingest(struct segment *s, const struct sources *sources,
                    const struct segment_request *request, struct arena *a,
                    struct segment_result *out);

/* The answer to a request that http refused before it was whole. */
struct str segment_refusal_body(const char *text, struct arena *a);

#endif
