/*
 * dead: dead letters, what was given up on, with a reason a person understands, kept until someone
 * retries or drops it.
 *
 * A letter is one JSON object:
 * {"id","at","destination","stage","code","reason","message_id","source","type","event_name",
 * "position","status","request":{method,path},"object":{...},"event":{...}}; keys without a value
 * are left out.
 */
#ifndef SPELTER_STATE_DEAD_H
#define SPELTER_STATE_DEAD_H

#include "store.h"

struct dead;

int dead_open(struct dead **out, struct store *store, struct err *err)
    __attribute__((warn_unused_result));
void dead_close(struct dead *d);

/* Inside a committer transaction. `letter` is the JSON object's text without "id". *id is its
 * number, growing by one. */
int dead_put(struct dead *d, MDB_txn *txn, struct str letter, uint64_t *id)
    __attribute__((warn_unused_result));

/* Newest or oldest first; any thread. on_letter returns false to stop; the text is valid during the
 * call. */
int dead_each(struct dead *d, uint64_t from_id, bool newest_first,
              bool (*on_letter)(void *self, uint64_t id, struct str letter), void *self)
    __attribute__((warn_unused_result));

int dead_remove(struct dead *d, MDB_txn *txn, uint64_t id)
    __attribute__((warn_unused_result)); /* -ENOENT */
int dead_count(struct dead *d, uint64_t *count) __attribute__((warn_unused_result));

#endif
