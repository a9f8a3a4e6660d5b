/*
 * cursor: how far a destination has come, in a way that survives a crash.
 *
 *     everything below `floor` is settled; above it, a bit a position says which events are settled
 * out of order
 *
 * The bits are stored in chunks of CURSOR_CHUNK_POSITIONS, so a commit writes only the chunks that
 * changed, and one stuck user holds the floor back without making a restart send everybody else's
 * events again.
 *
 * Owned by one thread (the courier); cursor_apply runs on the committer inside a job the owner
 * submitted.
 */
#ifndef SPELTER_STATE_CURSOR_H
#define SPELTER_STATE_CURSOR_H

#include "store.h"

struct cursor;

enum {
    CURSOR_CHUNK_POSITIONS = 4096,     /* 512 bytes a chunk */
    CURSOR_WINDOW_POSITIONS = 1 << 20, /* the furthest that reading may run ahead of the floor */
};

/* Loads the cursor of `destination` ("" names are invalid), or starts one at `start` and makes that
 * durable. */
int cursor_open(struct cursor **out, struct store *store, struct str destination, uint64_t start,
                struct err *err) __attribute__((warn_unused_result));
void cursor_close(struct cursor *c);

uint64_t cursor_floor(const struct cursor *c);
bool cursor_is_settled(const struct cursor *c, uint64_t position);
bool cursor_has_room(const struct cursor *c, uint64_t position); /* within the window */

/* Marks in memory; durable once a cursor_snapshot taken afterwards is. Settling twice is fine. */
void cursor_settle(struct cursor *c, uint64_t position);

/* What changed since the last snapshot, as a self-contained value that a job can write on the
 * committer thread. NULL when nothing changed or (*rc = -ENOMEM) memory ran out. */
struct cursor_snapshot;
struct cursor_snapshot *cursor_snapshot(struct cursor *c, int *rc);
int cursor_snapshot_apply(struct cursor_snapshot *snapshot, MDB_txn *txn)
    __attribute__((warn_unused_result));
void cursor_snapshot_free(struct cursor_snapshot *snapshot);

/* The smallest floor of all cursors in the store (UINT64_MAX when there is none): below it records
 * may be trimmed. */
int cursor_min_floor(struct store *store, MDB_txn *txn, uint64_t *floor)
    __attribute__((warn_unused_result));

/* Forgets a destination that the config no longer names, so that it holds no records back. */
int cursor_forget(struct store *store, struct str destination) __attribute__((warn_unused_result));

#endif
