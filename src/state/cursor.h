/*
 * cursor: how far a destination has come, in a way that survives a crash.
 *
 *     everything below `floor` is settled; above it, a bit a position says which ones are, too
 *
 * The bits are stored in chunks of CURSOR_CHUNK_POSITIONS, so a commit writes only the
 * chunks that changed, and one stuck user holds the floor back without making a
 * restart send everybody else's events again.
 *
 * Owned by one thread (the courier); cursor_snapshot_apply runs on the
 * committer, inside a job that the owner submitted.
 */
#ifndef SPELTER_STATE_CURSOR_H
#define SPELTER_STATE_CURSOR_H

#include "store.h"

struct cursor;

enum {
    CURSOR_CHUNK_POSITIONS = 4096, /* 512 bytes a chunk */

    /* The furthest that reading may run ahead of the floor: 2 MiB of bits. At 1,000 events a second
     * that is four and a half hours: one event that Braze does not take is given up before it stops
     * all others. */
    CURSOR_WINDOW_POSITIONS = 1 << 24,

    CURSOR_NAME_BYTES_MAX = 255,
};

/* Loads the cursor of `destination`, or starts one at `start` and makes that durable. Borrows the
 * store. Any thread but the committer. -EINVAL: an empty or overlong name, or one with a NUL;
 * -EBADMSG: what is stored makes no sense. */
int cursor_open(struct cursor **out, struct store *store, struct str destination, uint64_t start,
                struct err *err) __attribute__((warn_unused_result));
void cursor_close(struct cursor *c);

uint64_t cursor_floor(const struct cursor *c);
bool cursor_is_settled(const struct cursor *c, uint64_t position);
bool cursor_has_room(const struct cursor *c, uint64_t position); /* within the window */

/* The first position at `position` or above it that is not settled. */
uint64_t cursor_next_open(const struct cursor *c, uint64_t position);

/* Marks in memory; durable once a cursor_snapshot taken afterwards is. Settling twice is fine. The
 * position must be within the window (cursor_has_room), which is so when reading asked first. */
void cursor_settle(struct cursor *c, uint64_t position);

/* What changed since the last snapshot, as a self-contained value that a job can write on the
 * committer thread. NULL when nothing changed or (*rc = -ENOMEM) memory ran out. */
struct cursor_snapshot;
struct cursor_snapshot *cursor_snapshot(struct cursor *c, int *rc);

/* Writes it; apply them in the order they were taken. A snapshot that is never applied can only
 * make events be sent again: the state on disk stays one in which everything marked is settled. */
int cursor_snapshot_apply(struct cursor_snapshot *snapshot, MDB_txn *txn)
    __attribute__((warn_unused_result));

/* The commit of `snapshot` failed: what it held counts as changed again, so the
 * next snapshot carries it. Owner's thread. */
void cursor_snapshot_lost(struct cursor *c, const struct cursor_snapshot *snapshot);
void cursor_snapshot_free(struct cursor_snapshot *snapshot); /* NULL is fine */

/* The smallest floor of all cursors in the store (UINT64_MAX when there is
 * none): below it records may be trimmed. */
int cursor_min_floor(struct store *store, MDB_txn *txn, uint64_t *floor)
    __attribute__((warn_unused_result));

/* How far one destination has come, as the disk has it. */
struct cursor_place {
    struct str destination; /* valid during the call */
    uint64_t floor;
    uint64_t settled_above; /* positions at the floor or above it that are settled */
};

/* Calls on_place for every destination the store knows, by name, until it returns false. Any
 * thread; a read_only store will do. */
int cursor_each(struct store *store, bool (*on_place)(void *self, const struct cursor_place *place),
                void *self) __attribute__((warn_unused_result));

/* Forgets a destination that the config no longer names, so that it holds no records back. Its
 * cursor must be closed. Not on the committer thread. 0 when there was none. */
int cursor_forget(struct store *store, struct str destination) __attribute__((warn_unused_result));

#endif
