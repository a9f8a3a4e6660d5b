/*
 * letters: dead letters, sent again or thrown away, a portion at a time.
 *
 *     ids --> letters read --> one transaction: events at the journal's end, letters gone
 *
 * An event that is sent again is addressed to its letters' destination alone (envelope.h). It is
 * mapped anew when it is read there, and what is given up again makes new letters. Nothing here
 * looks for repeats or counts an event as received. A crash leaves either the letters or the event.
 *
 * Whoever owns the data folder, one portion after the other; not on the committer thread.
 */
#ifndef SPELTER_SERVER_LETTERS_H
#define SPELTER_SERVER_LETTERS_H

#include "clock.h"
#include "config.h"
#include "dead.h"
#include "journal.h"

enum {
    LETTERS_PORTION_MAX = 4096, /* of one call: bounds how long a reload waits for it */
    /* Of the events in one transaction, but for the last one: half of what a group of jobs may
     * write, so that ingest does not wait for long. */
    LETTERS_COMMIT_BYTES = STORE_GROUP_BYTES_MAX / 2,
};

enum letters_deed { LETTERS_RETRY, LETTERS_DROP };

struct letters_request {
    enum letters_deed deed;
    struct str destination; /* LETTERS_RETRY: whose letters all of these are */
    const uint64_t *ids;    /* LETTERS_RETRY: those of one event stand together */
    size_t count;           /* 1 to LETTERS_PORTION_MAX */
};

struct letters_result {
    uint64_t events;  /* that are in the journal again */
    uint64_t letters; /* that are gone */
    uint64_t absent;  /* that were not there */
};

struct letters_options {
    struct store *store;
    struct journal *journal;
    struct dead *dead;
    const struct config *config;
    struct clock clock;
};

/* What one letter says of itself. */
struct letter_view {
    struct str destination; /* empty: it was refused on arrival */
    uint64_t position;      /* of its event in the journal when it was given up */
    struct str source;
    struct jv event; /* an object, or undefined: none was kept that can be sent again */
};

/* Lives in `a`, which also holds a copy of the text. False: this is no letter. */
bool letter_view_read(struct letter_view *out, struct arena *a, struct str text);

/* *result counts what became durable, also before a failure. -EINVAL: the destination is not in the
 * config, has no place in the journal, or a letter is not its own or has no event; -ENOSPC: there
 * is no room; -EIO and the like. */
int letters_apply(const struct letters_options *options, const struct letters_request *request,
                  struct letters_result *result, struct err *err)
    __attribute__((warn_unused_result));

#endif
