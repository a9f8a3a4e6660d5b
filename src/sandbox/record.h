/*
 * record: a profile as one compact text, the form it has at rest in memory and on disk.
 *
 *     ["braze_id","external_id",created,updated,update number,random bucket, section, ... section]
 *
 * A section without entries is 0.
 */
#ifndef SPELTER_SANDBOX_RECORD_H
#define SPELTER_SANDBOX_RECORD_H

#include "profiles.h"

/* Replaces what is in `out`. */
void record_pack(struct buf *out, const struct profile *p, uint64_t updated);

/* Fills the fields and sections of *p; texts live in the arena. -EBADMSG: no record, -ENOMEM. */
int record_unpack(struct profile *p, struct arena *a, struct str record, uint64_t *updated)
    __attribute__((warn_unused_result));

#endif
