/*
 * store: one LMDB environment, its named tables, and the one thread that writes to it.
 *
 *   any thread --store_submit(job)--> [ queue ] --committer thread--> one commit --> job->done
 *
 * LMDB has one writer; so that ingest, delivery and everything else share each commit
 * instead of queueing for it, a single committer takes whatever waits and commits it
 * together. It never waits for company: while one commit is on its way to the disk the next
 * group gathers by itself, so a lone job is durable as fast as the disk allows and a crowd
 * shares. Readers use short read transactions from any thread.
 *
 * Durable means: LMDB writes the changed pages to places that no earlier state uses, then
 * fdatasync()s the file, then writes one of its two meta pages through a descriptor opened with
 * O_DSYNC. Only then does done() run. A crash before the meta page leaves the state before the
 * commit, a crash after it the state after; there is no log to replay and no flag here that trades
 * this away. A new directory and its files are fsynced into their parents when they are created.
 *
 * Full means: appends (STORE_NEEDS_ROOM) must leave a reserve of pages behind, both of the map
 * (bytes_max) and of space that the file already owns on the disk, because with LMDB even a
 * deletion needs free pages. Verdicts and trims (STORE_FREES_ROOM) may use the reserve, so the
 * store always finds its way back (room.h says how).
 */
#ifndef SPELTER_STORE_STORE_H
#define SPELTER_STORE_STORE_H

#include "err.h"
#include "metrics.h"
#include "str.h"

#include <lmdb.h>
#include <stdint.h>

struct store;

enum {
    STORE_BYTES_MIN = 1 << 20, /* the smallest map that has room for a reserve */
    STORE_READERS_MAX = 512,   /* read transactions open at once, over all processes */
    STORE_TABLES_MAX = 64,
    STORE_TABLE_NAME_BYTES_MAX = 63,

    /* Jobs in one transaction: bounds the work that a failure repeats. */
    STORE_GROUP_JOBS_MAX = 4096,
    /* Sum of job->bytes in one transaction: bounds the time of a commit, and dirty memory, which
     * LMDB keeps for its next transactions. More would not make a commit cheaper by the byte. */
    STORE_GROUP_BYTES_MAX = 8 << 20,
};

struct store_options {
    const char *dir;    /* created when missing */
    uint64_t bytes_max; /* size of the map: the most the file may grow to. Ignored when read_only */
    bool read_only;     /* for commands that look into a running server's data; no committer */
};

struct store_metrics {
    struct counter commits;
    struct counter commits_failed;
    struct histogram commit_latency; /* begin to durable */
};

/* -EINVAL (bytes_max), -EACCES, -ENOSPC, -ENOENT (read_only and nothing there), -EBUSY
 * (another spelter writes here: err names the lock file), -EBADMSG (damaged, or written by a
 * newer version: err says). LMDB allows one environment on a file in a process: open a
 * directory once. The store does not survive fork(). */
int store_open(struct store **out, const struct store_options *options, struct err *err)
    __attribute__((warn_unused_result));

/* Commits what is queued, stops the committer. No reader may be open. NULL is fine. */
void store_close(struct store *s);

/* A named table, created when it does not exist; the handle lives as long as the store, and a
 * second call gives the same one. Any thread but the committer. flags: MDB_INTEGERKEY and the like,
 * always the same for a name. -ENOENT when read_only and it does not exist. */
int store_table(struct store *s, const char *name, unsigned flags, MDB_dbi *out)
    __attribute__((warn_unused_result));

/* A table that exists, or -ENOENT. Any thread, the committer too. */
int store_table_find(struct store *s, const char *name, MDB_dbi *out)
    __attribute__((warn_unused_result));

/* Read transactions; any thread. *txn must end with store_read_end, soon: an open reader keeps
 * pages from being reused. -EAGAIN when STORE_READERS_MAX are open. */
int store_read_begin(struct store *s, MDB_txn **txn) __attribute__((warn_unused_result));
void store_read_end(MDB_txn *txn);

/* To be called every few hundred records by who reads a lot in one transaction: gives mapped memory
 * back when it became much. What was read stays valid. */
void store_read_ease(MDB_txn *txn);

enum store_class {
    STORE_NEEDS_ROOM, /* appends: refused first when the map or the disk is full */
    STORE_FREES_ROOM, /* verdicts, trims: still tried when appends are refused */
};

/*
 * A change waiting to be durable. Intrusive: the submitter owns the memory
 * until done() ran, and so bounds the queue.
 *
 * apply() runs on the committer thread inside the shared transaction; it returns 0 or -errno. It
 * may run again: when the transaction fails, everything is rolled back and jobs are retried in
 * smaller company, so apply() must have no effect but on the transaction, and must leave no cursor
 * open. An error of one job fails that job alone.
 *
 * done() runs on the committer thread after the outcome is known, in submission order: 0
 * means durable. It must be short, and must not submit-and-wait. The job belongs to the
 * submitter again from the moment it is called.
 */
struct store_job {
    int (*apply)(struct store_job *job, MDB_txn *txn);
    void (*done)(struct store_job *job, int rc);
    enum store_class kind;
    size_t bytes;           /* about what apply() writes; 0 when small */
    struct store_job *next; /* the store's, as is rc */
    int rc;
};

/* Any thread. -ESHUTDOWN once closing, -EROFS when read_only; done() does not run then. */
int store_submit(struct store *s, struct store_job *job) __attribute__((warn_unused_result));

/* Submits and waits for the outcome; done() may be NULL. Not on the committer thread. -ENOSPC: no
 * room. -EIO: the disk failed; when that hits LMDB's meta page, every later job fails with it too,
 * and only opening the store again helps. */
int store_commit(struct store *s, struct store_job *job) __attribute__((warn_unused_result));

const struct store_metrics *store_metrics(const struct store *s);

/* A number that grows with every commit. Any thread. */
uint64_t store_version(struct store *s);

/* Bytes of the map that hold data, and its size: how full the store is. */
void store_usage(struct store *s, uint64_t *used, uint64_t *max);

/* LMDB's codes and errno values as -errno; what is negative errno already stays. MDB_MAP_FULL,
 * ENOSPC and their kin (quota, file size limit, a transaction too large) all become -ENOSPC. */
int store_errno(int mdb_rc);

#endif
