/*
 * notes: what happened without the answer saying so. The real service is silent about it; here a
 * person can look.
 *
 * The newest NOTES_MAX stay. One thread.
 */
#ifndef SPELTER_SANDBOX_NOTES_H
#define SPELTER_SANDBOX_NOTES_H

#include "buf.h"
#include "str.h"

#include <stdint.h>

enum { NOTES_MAX = 2000, NOTE_TEXT_BYTES = 232, NOTE_PLACE_BYTES = 64 };

/* kind, name on the wire */
#define NOTE_KINDS(X)                                                                              \
    X(NOTE_REJECTED, "rejected")      /* an object that the answer names in its errors */          \
    X(NOTE_NOT_FOUND, "not-found")    /* update-only or an admin call found nobody */              \
    X(NOTE_NO_EFFECT, "no-effect")    /* well-formed, answered as a success, does nothing */       \
    X(NOTE_FIELD_IGNORED, "ignored")  /* one field of an object was left out */                    \
    X(NOTE_UPDATE_DROPPED, "dropped") /* an attribute keeps its value from before */               \
    X(NOTE_CHANGED, "changed")        /* stored, but not as it was sent: cut, coerced */           \
    X(NOTE_BLOCKED, "blocked")        /* on the workspace's blocklist */                           \
    X(NOTE_WARNING, "warning")        /* stored as sent, but worth a look */                       \
    X(NOTE_FAULT, "fault")            /* a fault on demand took place */

enum note_kind {
#define X(kind, name) kind,
    NOTE_KINDS(X)
#undef X
        NOTE_KIND_COUNT
};

struct notes;

struct notes *notes_new(void); /* NULL: no memory */
void notes_free(struct notes *n);
void notes_clear(struct notes *n);

/* place: "events[3].time"; text: one sentence. Both are cut to their room. */
void notes_add(struct notes *n, int64_t now_ms, uint64_t request, enum note_kind kind,
               struct str place, struct str text);

uint64_t notes_count(const struct notes *n, enum note_kind kind); /* since the start */

/* Appends a JSON array, newest first: at most `limit` notes of `kind` (NOTE_KIND_COUNT: all)
 * numbered above `after`. */
void notes_write(const struct notes *n, struct buf *out, enum note_kind kind, uint64_t after,
                 size_t limit);

/* NOTE_KIND_COUNT when there is no such name. */
enum note_kind note_kind_find(struct str name);
struct str note_kind_name(enum note_kind kind);

#endif
