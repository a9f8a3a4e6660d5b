/*
 * disk: what the sandbox keeps over a restart, in one LMDB environment.
 *
 *     disk_put, disk_delete ... disk_commit (one transaction, one fsync) --> answers may leave
 *
 * A NULL disk is a sandbox in memory: writing to it does nothing. A failed write makes the next
 * disk_commit fail, and everything since the last commit is gone from the disk, not from memory.
 * One thread.
 */
#ifndef SPELTER_SANDBOX_DISK_H
#define SPELTER_SANDBOX_DISK_H

#include "err.h"
#include "str.h"

#include <stdint.h>

struct disk;

enum disk_table {
    DISK_PROFILES, /* number -> record */
    DISK_HISTORY,  /* sequence -> what a profile received */
    DISK_NAMES,    /* kind and name -> counts and data points */
    DISK_CATALOGS, /* name -> catalog */
    DISK_ITEMS,    /* catalog and id -> item */
    DISK_STATES,   /* address -> subscription states without a profile */
    DISK_TABLES,
};

/* Opens or creates it in `dir` (created when missing). sync false: commits survive a killed
 * process, but not a power cut. -EACCES, -ENOSPC, -EBUSY (another sandbox has it), -EBADMSG
 * (damaged, or of another version). */
int disk_open(struct disk **out, const char *dir, bool sync, struct err *err)
    __attribute__((warn_unused_result));
void disk_close(struct disk *d); /* commits nothing; NULL is fine */

void disk_put(struct disk *d, enum disk_table table, struct str key, struct str value);
void disk_delete(struct disk *d, enum disk_table table, struct str key);
void disk_clear(struct disk *d); /* all tables */

/* Makes everything since the last commit durable. Nothing to commit: 0 at once. -ENOSPC, -EIO. */
int disk_commit(struct disk *d) __attribute__((warn_unused_result));

/* All rows in the order of their keys; stops at the first answer that is not 0 and returns it. */
int disk_each(struct disk *d, enum disk_table table,
              int (*row)(void *self, struct str key, struct str value), void *self)
    __attribute__((warn_unused_result));

/* Numbers as keys that sort by value. */
enum { DISK_KEY_BYTES = 8 };
void disk_key(char out[DISK_KEY_BYTES], uint64_t number);
uint64_t disk_key_number(struct str key);

#endif
