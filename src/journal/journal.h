/*
 * journal: an append-only log of records, durable before it answers.
 *
 *     committer --append--> [ first ... next ) --read--> readers (any thread)
 *                              ^ trim
 *
 * Positions grow by one a record and are never reused. Nothing here knows what a record means. The
 * embedded journal lives in a store (LMDB); brokers will stand behind the same functions.
 */
#ifndef SPELTER_JOURNAL_JOURNAL_H
#define SPELTER_JOURNAL_JOURNAL_H

#include "store.h"

struct journal;

/* Borrows the store, which must outlive it. -EBADMSG when the format on disk is newer than this
 * program; -ENOENT when the store is read_only and holds no journal yet. */
int journal_open(struct journal **out, struct store *store, struct err *err)
    __attribute__((warn_unused_result));
void journal_close(struct journal *j); /* NULL is fine; no reader may be open */

/* Appends inside a committer transaction (from a store_job's apply). *first is the position of
 * records[0]; positions are only real once the transaction is durable (apply() may run again and
 * get others): the caller publishes them in done(). -ENOSPC (full), -EIO. */
int journal_append(struct journal *j, MDB_txn *txn, const struct str *records, size_t count,
                   uint64_t *first) __attribute__((warn_unused_result));

/* Positions: [first, next). Any thread; the durable state that was published last. The first
 * position ever is 0; `next` survives the trimming of everything, also over a restart. A read_only
 * journal shows the state at its opening. */
uint64_t journal_first(struct journal *j);
uint64_t journal_next(struct journal *j);

/* Calls `on_record` for up to `count` records from `from` on, in order, until it returns false. A
 * position that was trimmed away is skipped: reading starts at the first that exists. *next is the
 * position after the last record that on_record was called with (or `from`). The record is only
 * valid during the call. One read transaction spans the whole call, so on_record must be quick: it
 * copies or parses, and waits for nothing. Any thread. */
int journal_read(struct journal *j, uint64_t from, size_t count,
                 bool (*on_record)(void *self, uint64_t position, struct str record), void *self,
                 uint64_t *next) __attribute__((warn_unused_result));

/* Deletes records below `before`, at most count_max of them a call (so a transaction stays short),
 * inside a committer transaction. *deleted tells how many. */
int journal_trim(struct journal *j, MDB_txn *txn, uint64_t before, size_t count_max,
                 size_t *deleted) __attribute__((warn_unused_result));

/* To be called from done() of a job that appended or trimmed: makes the
 * new bounds visible and wakes waiters. */
void journal_publish(struct journal *j);

/* Blocks until journal_next() > position, `timeout_ms` passed or
 * journal_interrupt. True when there is something to read. */
bool journal_wait(struct journal *j, uint64_t position, int timeout_ms);

/* Ends waiting for good: every journal_wait, running or to come, returns at once. Any thread. */
void journal_interrupt(struct journal *j);

/* Calls `notify(self)` from the committer thread whenever records became durable; for
 * owners of event loops. notify must be short and must not listen or unlisten. -ENOSPC
 * when there are JOURNAL_LISTENERS_MAX. After journal_unlisten returned `self` is not
 * called any more. Any thread but the committer. */
enum { JOURNAL_LISTENERS_MAX = 64 };
int journal_listen(struct journal *j, void (*notify)(void *self), void *self)
    __attribute__((warn_unused_result));
void journal_unlisten(struct journal *j, void *self);

#endif
