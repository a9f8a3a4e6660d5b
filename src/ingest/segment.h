/*
 * segment: Segment's HTTP tracking API (docs/spec/sources.md §1). Bytes in; canonical events and an
 * answer out. It knows neither sockets nor destinations.
 *
 * One `struct segment` belongs to one thread; what a call returns lives until the next call or in
 * the request's arena.
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
    struct str key_in_query;  /* ?writeKey= */
    struct str data_in_query; /* ?data=, the pixel's event */
    struct str body;          /* inflated */
    struct str client_ip;
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

struct segment_result {
    unsigned status;
    const char *content_type; /* NULL: JSON */
    struct str body;
    const struct source *source; /* NULL when it never became clear */
    const char *refusal; /* why a request as a whole was refused, for metrics; NULL: it was not */
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
struct str segment_refusal(const char *text, struct arena *a);

#endif
