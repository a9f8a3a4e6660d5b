/* file: a whole file in memory. */
#ifndef SPELTER_BASE_FILE_H
#define SPELTER_BASE_FILE_H

#include "buf.h"
#include "err.h"

/* Appends all of the file to *out. On refusal err->msg is "PATH: why". -E2BIG (past the limit of
 * *out), -ENOMEM, and what open and read say: -ENOENT, -EACCES, -EISDIR, -EIO. */
int file_read(struct buf *out, const char *path, struct err *err)
    __attribute__((warn_unused_result));

#endif
