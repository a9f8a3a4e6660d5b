/* recent: the newest requests with their answers, to be looked at. One thread. */
#ifndef SPELTER_SANDBOX_RECENT_H
#define SPELTER_SANDBOX_RECENT_H

#include "buf.h"
#include "str.h"

#include <stdint.h>

enum {
    RECENT_MAX = 200,
    RECENT_BODY_BYTES = 64 * 1024, /* longer bodies are cut: 200 * (64 + 8) KiB at most */
    RECENT_ANSWER_BYTES = 8 * 1024,
};

struct recent;

struct recent *recent_new(void); /* NULL: no memory */
void recent_free(struct recent *r);
void recent_clear(struct recent *r);

struct recent_request {
    uint64_t number;
    int64_t at_ms;
    struct str method;
    struct str path;
    struct str body; /* the start of it is enough */
    size_t body_bytes;
    unsigned status;
    struct str answer;
    struct str fault; /* empty: none */
    uint64_t points;
};

/* Copies what it keeps. */
void recent_add(struct recent *r, const struct recent_request *request);

/* Appends a JSON array, newest first, of requests numbered above `after`. */
void recent_write(const struct recent *r, struct buf *out, uint64_t after, size_t limit);

#endif
