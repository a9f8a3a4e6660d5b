/*
 * dead: dead letters, what was given up on, with a reason a person understands,
 * kept until someone retries or drops it.
 *
 * A letter is one JSON object:
 * {"id","at","destination","stage","code","reason","message_id","source","type","event_name",
 * "position","status","request":{method,path},"object":{...},"event":{...}};
 * keys without a value are left out.
 */
#ifndef SPELTER_STATE_DEAD_H
#define SPELTER_STATE_DEAD_H

#include "buf.h"
#include "store.h"

struct dead;

/* Borrows the store. -ENOENT when it is read_only and holds no dead
 * letters yet. Any thread but the committer. */
int dead_open(struct dead **out, struct store *store, struct err *err)
    __attribute__((warn_unused_result));
void dead_close(struct dead *d);

/* Inside a committer transaction, as often as needed. `letter` is the JSON object's text without
 * "id". *id is its number, from 1 on, growing by one and never used twice, not even when its letter
 * was removed; as with journal_append it is only real once the transaction is durable. */
int dead_put(struct dead *d, MDB_txn *txn, struct str letter, uint64_t *id)
    __attribute__((warn_unused_result));

/* Newest or oldest first, from the letter `from_id` on (UINT64_MAX for the newest, 0 for the
 * oldest); any thread. on_letter returns false to stop; the text is valid during the call. It may
 * take its time: letters are copied in portions, so no reader is open meanwhile, and what is put or
 * removed during a long walk may or may not be seen. */
int dead_each(struct dead *d, uint64_t from_id, bool newest_first,
              bool (*on_letter)(void *self, uint64_t id, struct str letter), void *self)
    __attribute__((warn_unused_result));

/* Appends one letter's text to `out`. -ENOENT: there is none of this number. Any thread. */
int dead_get(struct dead *d, uint64_t id, struct buf *out) __attribute__((warn_unused_result));

int dead_remove(struct dead *d, MDB_txn *txn, uint64_t id)
    __attribute__((warn_unused_result)); /* -ENOENT */
int dead_count(struct dead *d, uint64_t *count) __attribute__((warn_unused_result));

#endif
