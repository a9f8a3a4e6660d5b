/*
 * store: one LMDB environment, its named tables, and the one thread that writes to it.
 *
 *   any thread --store_submit(job)--> [ queue ] --committer thread--> one transaction, one fsync
 * --> job->done
 *
 * LMDB has one writer; so that ingest, delivery and everything else share each fsync instead of
 * queueing for it, a single committer takes whatever waits and commits it together. Readers use
 * short read transactions from any thread.
 */
#ifndef SPELTER_STORE_STORE_H
#define SPELTER_STORE_STORE_H

#include "err.h"
#include "metrics.h"
#include "str.h"

#include <lmdb.h>
#include <stdint.h>

struct store;

struct store_options {
    const char *dir;    /* created when missing */
    uint64_t bytes_max; /* size of the map: the most the file may grow to */
    bool read_only;     /* for commands that look into a running server's data; no committer */
};

struct store_metrics {
    struct counter commits;
    struct counter commits_failed;
    struct histogram commit_latency; /* begin to durable */
};

/* -EACCES, -ENOSPC, -EBUSY (another spelter writes here), -EBADMSG (damaged, or written by a newer
 * version: err says). */
int store_open(struct store **out, const struct store_options *options, struct err *err)
    __attribute__((warn_unused_result));

/* Commits what is queued, stops the committer. No reader may be open. NULL is fine. */
void store_close(struct store *s);

/* Opens (creating it unless read_only) a named table. Before threads start. flags: MDB_INTEGERKEY
 * and the like. -ENOENT when read_only and it does not exist. */
int store_table(struct store *s, const char *name, unsigned flags, MDB_dbi *out)
    __attribute__((warn_unused_result));

/* Read transactions; any thread. *txn must end with store_read_end on the same thread, soon: an
 * open reader keeps pages from being reused. */
int store_read_begin(struct store *s, MDB_txn **txn) __attribute__((warn_unused_result));
void store_read_end(MDB_txn *txn);

/*
 * A change waiting to be durable. Intrusive: the submitter owns the memory until done() ran.
 *
 * apply() runs on the committer thread inside the shared transaction; it returns 0 or -errno. It
 * may run again: when the transaction fails, everything is rolled back and jobs are retried in
 * smaller company, so apply() must have no effect but on the transaction. done() runs on the
 * committer thread after the outcome is known: 0 means durable. It must be short and must not
 * submit-and-wait.
 */
enum store_class {
    STORE_NEEDS_ROOM, /* appends: refused first when the map or the disk is full */
    STORE_FREES_ROOM, /* verdicts, trims: still tried when appends are refused */
};

struct store_job {
    int (*apply)(struct store_job *job, MDB_txn *txn);
    void (*done)(struct store_job *job, int rc);
    enum store_class kind;
    struct store_job *next; /* the queue's */
};

/* Any thread. -ESHUTDOWN once closing. */
int store_submit(struct store *s, struct store_job *job) __attribute__((warn_unused_result));

/* Submits and waits for the outcome. Not on the committer thread. */
int store_commit(struct store *s, struct store_job *job) __attribute__((warn_unused_result));

const struct store_metrics *store_metrics(const struct store *s);

/* Bytes of the map that hold data, and its size: how full the store is. */
void store_usage(struct store *s, uint64_t *used, uint64_t *max);

/* LMDB's codes and errno values as -errno. MDB_MAP_FULL and ENOSPC both become -ENOSPC. */
int store_errno(int mdb_rc);

#endif
