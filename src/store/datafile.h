/*
 * datafile: a look at LMDB's data file before LMDB maps it. Part of store.
 *
 * LMDB trusts its file: a page size of zero divides by zero, a page beyond the end of a
 * truncated file is a SIGBUS. What a damaged disk or a wrong file most likely looks like is
 * recognised here, from the two meta pages (layout: MDB_meta in LMDB 0.9's mdb.c, data format
 * version 1) and the two root pages they lead to.
 */
#ifndef SPELTER_STORE_DATAFILE_H
#define SPELTER_STORE_DATAFILE_H

#include "err.h"

#include <stdbool.h>

#define DATAFILE_NAME "data.mdb"

/* 0 when the file in `dir` looks sound; *exists is false when there is none, or an empty one.
 * -EBADMSG with a sentence, or what open and read say. With `is_live` another process may be
 * writing to it, so the root pages, which may have moved on, are not judged. */
int datafile_check(const char *dir, bool is_live, bool *exists, struct err *err)
    __attribute__((warn_unused_result));

#endif
