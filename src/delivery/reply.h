/*
 * reply: what came back for one request: a whole answer, a part of one, or none.
 */
#ifndef SPELTER_DELIVERY_REPLY_H
#define SPELTER_DELIVERY_REPLY_H

#include "str.h"

#include <stdint.h>

enum { REPLY_BODY_BYTES_MAX = 256 * 1024 }; /* 225 errors of a kilobyte fit; the rest is not read */

struct reply {
    int status;           /* of the status line; 0: none came */
    const char *trouble;  /* what broke on the way, for people; NULL when the answer is whole */
    const char *distrust; /* what to do about the server's certificate, which is not trusted; NULL:
                             the trouble is another */
    struct str body;      /* at most REPLY_BODY_BYTES_MAX of it */
    int64_t latency_us;

    /* Headers as numbers; -1 when absent, empty or no number (docs/spec/braze-rest-api.md §3.2). */
    int64_t retry_after_s;           /* Retry-After, a date turned into seconds */
    int64_t ratelimit_retry_after_s; /* X-Ratelimit-Retry-After */
    int64_t ratelimit_remaining;     /* X-RateLimit-Remaining */
    int64_t ratelimit_reset;         /* X-RateLimit-Reset: an epoch, or seconds from now */
};

void reply_init(struct reply *r);

/* One header line as it came, any bytes, line end included or not. now_s is
 * the epoch that a date is compared with. */
void reply_header(struct reply *r, struct str line, int64_t now_s);

/* When the window of X-RateLimit-Reset ends, in milliseconds from
 * now; -1: not known, or over already. */
int64_t reply_reset_ms(const struct reply *r, int64_t now_ms);

#endif
