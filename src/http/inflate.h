/*
 * inflate: a gzip body into plain bytes, never holding more than the output's limit. One inflater
 * serves one thread and one body after the other; zlib's state (about 40 KB) is allocated once.
 */
#ifndef SPELTER_HTTP_INFLATE_H
#define SPELTER_HTTP_INFLATE_H

#include "buf.h"
#include "err.h"

#include <zlib.h>

struct inflater {
    z_stream stream;
    bool is_ready;
};

/* Zeroed memory is a fresh inflater. */
void inflater_fini(struct inflater *inflater);

/* Appends the plain bytes to `out`, whose limit is the cap. Several gzip members
 * one after the other are one body. -EBADMSG (no gzip, damaged or cut short),
 * -E2BIG (over the cap), -ENOMEM; err says which. */
int inflate_gzip(struct inflater *inflater, struct buf *out, struct str compressed, struct err *err)
    __attribute__((warn_unused_result));

static inline bool inflate_is_gzip(struct str bytes)
{
    return str_starts(bytes, STR("\x1f\x8b"));
}

#endif
