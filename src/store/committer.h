/*
 * committer: the queue of jobs and the thread that commits them in groups. Part of store.
 */
#ifndef SPELTER_STORE_COMMITTER_H
#define SPELTER_STORE_COMMITTER_H

#include "resident.h"
#include "room.h"
#include "store.h"

struct committer;

/* Borrows everything. */
int committer_start(struct committer **out, MDB_env *env, struct room *room,
                    struct resident *resident, struct store_metrics *metrics)
    __attribute__((warn_unused_result));

/* Any thread. -ESHUTDOWN once committer_stop was called. */
int committer_submit(struct committer *c, struct store_job *job)
    __attribute__((warn_unused_result));

/* Commits what is queued, then ends the thread and frees it. NULL is fine. */
void committer_stop(struct committer *c);

#endif
