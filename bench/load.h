/*
 * load: an HTTP client that keeps a server busy: many keep-alive connections, one
 * request in flight on each, latencies and statuses counted. Runs on the caller's
 * thread until every request has its answer.
 */
#ifndef SPELTER_BENCH_LOAD_H
#define SPELTER_BENCH_LOAD_H

#include "buf.h"
#include "err.h"
#include "metrics.h"

#include <stdint.h>

enum { LOAD_CONNECTIONS_MAX = 4096, LOAD_BODY_BYTES_MAX = 1 << 20 };

struct load_options {
    const char *address; /* "127.0.0.1:8080" */
    const char *path;    /* "/v1/track" */
    const char *headers; /* further header lines, each with its CRLF; "" for none */
    unsigned connections;
    uint64_t requests; /* in all */

    /* Appends the body of request `number`, 0 to requests - 1. */
    void (*body)(void *self, uint64_t number, struct buf *out);

    /* Called with each status before the next request leaves; may be NULL. */
    void (*on_answer)(void *self, uint64_t number, unsigned status);
    void *self;
};

struct load_result {
    uint64_t answered;
    uint64_t by_class[6]; /* [2]: how many 2xx */
    uint64_t broken;      /* requests whose connection ended before their answer; not sent again */
    uint64_t sent_bytes;  /* of bodies */
    int64_t took_us;
    struct histogram latency;
};

/* -ECONNREFUSED and the like when the first connection fails; err says which. */
int load_run(struct load_result *out, const struct load_options *options, struct err *err)
    __attribute__((warn_unused_result));

static inline double load_rate(const struct load_result *result) /* answers a second */
{
    return result->took_us == 0 ? 0 : (double)result->answered * 1e6 / (double)result->took_us;
}

#endif
