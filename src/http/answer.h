/*
 * answer: libmicrohttpd's response objects for our answers, shared while they are the same bytes.
 *
 * Most answers of this program are equal ({"success":true} with the same headers):
 * building the object anew for each costs eight allocations, so the last few small ones
 * are kept. The status is no part of the object.
 */
#ifndef SPELTER_HTTP_ANSWER_H
#define SPELTER_HTTP_ANSWER_H

#include "buf.h"
#include "http.h"

#include <microhttpd.h>

enum { ANSWER_CACHE_SLOTS = 32, ANSWER_CACHED_BYTES_MAX = 2048 };

struct answer {
    struct MHD_Response *response;
    unsigned uses; /* the cache's is one of them */
    size_t key_bytes;
    char key[]; /* headers and body as bytes */
};

struct answers {
    struct answer *slots[ANSWER_CACHE_SLOTS];
    struct buf key; /* of the answer being looked up */
};

void answers_init(struct answers *answers);
void answers_fini(struct answers *answers); /* answers still in use live until they are released */

/* The answer with these headers and this body; the caller releases it. NULL: no memory. Headers
 * that HTTP cannot carry (line breaks inside) are left out. */
struct answer *answers_get(struct answers *answers, const struct http_header *headers,
                           size_t header_count, struct str body);

void answer_release(struct answer *answer); /* NULL is fine */

#endif
