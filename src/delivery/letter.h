/*
 * letter: a dead letter as JSON text; its keys are in dead.h. Numbers and
 * objects that are missing are left out.
 */
#ifndef SPELTER_DELIVERY_LETTER_H
#define SPELTER_DELIVERY_LETTER_H

#include "arena.h"
#include "buf.h"

#include <stdint.h>

enum { LETTER_BYTES_MAX = 8 * 1024 * 1024 }; /* an object of one body, and its event */

struct letter {
    int64_t at_ms; /* epoch */
    struct str destination;
    const char *stage; /* "read", "map", "send" */
    const char *code;
    struct str reason;
    struct str source;
    struct str subscription; /* its name; empty when none is to blame */
    uint64_t position;
    int status;         /* Braze's; 0: none */
    const char *method; /* NULL: no request */
    struct str path;
    struct str object; /* JSON text; empty: none */
    struct str event;  /* JSON text, read for message_id, type and name; empty: unreadable */
};

/* `a` is scratch memory for reading the event; an event that does not
 * fit or is no JSON is kept as a string. */
void letter_write(struct buf *out, const struct letter *letter, struct arena *a);

#endif
