/* places: destinations that left the config, but whose place in the journal is kept, and with it
 * every event from there on. Not on the committer thread. */
#ifndef SPELTER_SERVER_PLACES_H
#define SPELTER_SERVER_PLACES_H

#include "config.h"
#include "cursor.h"
#include "journal.h"

/* NULL: the config has no such destination. */
const struct destination_section *places_find(const struct config *config, struct str id);

/* Where the destination stands; out->destination is `id`. -ENOENT: it has no place. err is filled
 * when the places cannot be read. */
int places_look(struct store *store, struct str id, struct cursor_place *out, struct err *err)
    __attribute__((warn_unused_result));

/* Events that this destination has not settled, of those in the journal. */
uint64_t places_undelivered(const struct cursor_place *place, struct journal *journal);

/* A line in the log for each that is kept and not in the config. */
void places_warn(struct store *store, struct journal *journal, const struct config *config);

/* Gives one up. -EBUSY: it is in the config; 0 when there was none. */
int places_forget(struct store *store, const struct config *config, struct str id, struct err *err)
    __attribute__((warn_unused_result));

#endif
