/*
 * trim: deletes delivered events once they are older than the configured time, a slice at a time,
 * so that the journal's file stays the size it is. Undelivered events are never touched. When the
 * store runs short of room, delivered events go early.
 *
 * Listener thread only, except the store's callbacks.
 */
#ifndef SPELTER_SERVER_TRIM_H
#define SPELTER_SERVER_TRIM_H

#include "journal.h"

struct trimmer;

int trimmer_open(struct trimmer **out, struct store *store, struct journal *journal,
                 int64_t keep_ms) __attribute__((warn_unused_result));
void trimmer_close(struct trimmer *t); /* waits for the slice on its way */

/* To be called often; starts a slice when one is due. Returns the
 * milliseconds until it wants to be called again. */
int trimmer_tick(struct trimmer *t, int64_t now_ms);

#endif
