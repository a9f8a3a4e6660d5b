/*
 * call: one Segment call (identify, track, page, screen, group, alias): is it one, and as a
 * canonical event (docs/spec/sources.md §1.7, §1.9, §1.10).
 */
#ifndef SPELTER_INGEST_CALL_H
#define SPELTER_INGEST_CALL_H

#include "jv.h"

enum call_type {
    CALL_IDENTIFY,
    CALL_TRACK,
    CALL_PAGE,
    CALL_SCREEN,
    CALL_GROUP,
    CALL_ALIAS,
    CALL_NONE, /* no such call */
};

struct str call_name(enum call_type type);      /* "identify" */
enum call_type call_from_name(struct str name); /* "identify" or "i"; CALL_NONE for anything else */
enum call_type call_from_type(struct jv type);  /* the event's own `type`: long form only */

/* Why an event cannot be kept. */
struct call_fault {
    const char *code; /* the product's word, §1.7; static */
    char text[200];   /* which field, and what was expected */
};

/* Does the event have what its type needs? False fills *fault. */
bool call_check(struct jv event, enum call_type type, struct call_fault *fault);

/* What the request adds to each of its events. */
struct call_stamp {
    int64_t received_us;
    struct str received_text; /* the same as ISO 8601 */
    struct jv sent_at;        /* the batch's, or undefined */
    struct jv context;        /* the batch's, or undefined */
    struct jv integrations;   /* the batch's, or undefined */
    struct str client_ip;     /* empty: unknown */
    struct str message_id;    /* for an event without one */
};

/* The canonical event: the client's members in their order, inherited and
 * stamped ones in their place or at the end, without writeKey. *message_id is
 * its id. undefined when the arena is full. */
struct jv call_stamp(struct jv event, enum call_type type, const struct call_stamp *stamp,
                     struct arena *a, struct str *message_id);

#endif
