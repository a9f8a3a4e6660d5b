/*
 * dedupe: has this message been accepted before? By (source, messageId), over a bounded window.
 *
 * In memory a hash table of 128-bit fingerprints of the newest accepted messages; on disk one small
 * record a commit with that commit's fingerprints, written in the same transaction as the events,
 * so the window survives a crash. Fingerprints are 128 bits, so that two different messages never
 * share one in practice (docs/spec/sources.md §1.14).
 *
 * "Seen" is not "durable": a duplicate may arrive while the first one's commit is still under way,
 * and that commit may fail. Whoever acknowledges a duplicate waits for the commits before it.
 *
 * Owned by one thread (ingest's), except dedupe_apply, which runs on the committer.
 */
#ifndef SPELTER_STATE_DEDUPE_H
#define SPELTER_STATE_DEDUPE_H

#include "hash.h"
#include "store.h"

struct dedupe;

enum { DEDUPE_WINDOW_MS = 24 * 60 * 60 * 1000 };

/* Loads what the store remembers, the newest messages_max at most. messages_max (at
 * least 1, at most 1 << 30) bounds memory: 32 bytes a message, touched as they come.
 * Borrows the store. -EINVAL, -ENOMEM, -EBADMSG. */
int dedupe_open(struct dedupe **out, struct store *store, uint32_t messages_max, int64_t now_ms,
                struct err *err) __attribute__((warn_unused_result));
void dedupe_close(struct dedupe *d);

struct hash128 dedupe_fingerprint(struct str source, struct str message_id);

/* True, and remembered from now on, when it is new. False: seen within the window. Never fails:
 * when messages_max are remembered, the oldest is forgotten. */
bool dedupe_admit(struct dedupe *d, struct hash128 fingerprint, int64_t now_ms);

/* Takes an admission back: the commit failed and the client was told
 * so. An unknown fingerprint is fine. */
void dedupe_retract(struct dedupe *d, struct hash128 fingerprint);

/* Writes the fingerprints of one commit and drops those that left the window. Committer thread,
 * inside a transaction; touches only the store. */
int dedupe_apply(struct dedupe *d, MDB_txn *txn, const struct hash128 *fingerprints, size_t count,
                 int64_t now_ms) __attribute__((warn_unused_result));

#endif
