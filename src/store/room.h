/*
 * room: keeps pages back, so that a full store can still be emptied.
 * Part of store; committer thread only.
 *
 * LMDB copies every page it changes and may reuse what a transaction freed only two
 * commits later, so a deletion needs free pages too, and a store filled to the last page
 * could never commit again. So each transaction must leave pages behind that the next one
 * can allocate, more of them the less it helps:
 *
 *     appends             leave `reserve`
 *     verdicts            leave half of it
 *     whatever shrinks    leaves an eighth: enough for room_turn, which makes freed pages usable
 *
 * Whether they are there is not estimated: a child transaction allocates them and is rolled back,
 * which sees what LMDB sees, pages that readers hold included.
 *
 * Space on the disk is kept the same way: the file is allocated ahead of its last page, and when
 * the disk gives no more, appends are refused while verdicts and trims go on in what the file owns.
 */
#ifndef SPELTER_STORE_ROOM_H
#define SPELTER_STORE_ROOM_H

#include "store.h"

struct room {
    MDB_env *env;
    MDB_dbi table; /* its own; holds one number */
    int fd;        /* of LMDB's data file; borrowed */
    size_t page_bytes;
    size_t map_pages;
    size_t file_pages; /* that the file owns on the disk */
    size_t reserve;    /* pages */
    /* Of the state that the open transaction started from: */
    size_t used_pages; /* up to its last page */
    bool is_near;      /* the end of the map: the reserve must be looked after */
    size_t live_pages; /* that hold data; known when is_near */
};

/* Takes the sizes from the open environment, inside its first write transaction. */
int room_init(struct room *r, MDB_env *env, MDB_txn *txn) __attribute__((warn_unused_result));

/* At the start of a write transaction. -ENOSPC when the disk has no room for appends. */
int room_begin(struct room *r, MDB_txn *txn, enum store_class kind)
    __attribute__((warn_unused_result));

/* At the end of one, before its commit. -ENOSPC when it would leave too little. */
int room_check(struct room *r, MDB_txn *txn, enum store_class kind)
    __attribute__((warn_unused_result));

/* A smallest possible commit, after which the pages that the last transaction freed can be used. */
int room_turn(struct room *r) __attribute__((warn_unused_result));

/* Pages that hold data in the state that `txn` sees. */
size_t room_live_pages(MDB_txn *txn);

#endif
