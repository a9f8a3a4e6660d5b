/*
 * incoming: one request between its first header and its answer, and the
 * checks it must pass. Inside the room only.
 */
#ifndef SPELTER_HTTP_INCOMING_H
#define SPELTER_HTTP_INCOMING_H

#include "answer.h"
#include "arena.h"
#include "buf.h"
#include "connection.h"
#include "http.h"
#include "inflate.h"

#include <microhttpd.h>

enum request_state {
    REQUEST_NEW,      /* its request line is here */
    REQUEST_ARRIVING, /* its headers are fine, its body comes */
    REQUEST_REFUSED,  /* the rest of its body is dropped, then the refusal is its answer */
    REQUEST_HANDED,   /* with the handler */
    REQUEST_ANSWERED, /* its answer is ready or on its way */
    REQUEST_BROKEN,   /* to be closed without an answer */
};

/* Bytes of bodies held by all open requests. */
struct body_budget {
    size_t bytes;
    size_t bytes_max;
};

struct http_request {
    struct http_server *server;
    struct MHD_Connection *mhd;
    struct connection *connection;
    struct http_request
        *prev; /* among the requests without an answer; `next` also in the freelist */
    struct http_request *next;
    enum request_state state;
    bool is_in_handler; /* on_request runs */
    bool is_suspended;  /* libmicrohttpd does not look at its connection */
    int64_t handed_at_us;
    bool is_counted; /* in the server's pending */
    bool must_close; /* its framing cannot be trusted: no further request on this connection */

    const char *method; /* libmicrohttpd's, until the request is completed */
    const char *path;
    struct str query_text;
    int64_t received_us;
    void *user;
    struct arena arena;

    struct body_budget *budget;
    size_t charged_bytes; /* our share of it */
    uint64_t drained_bytes;
    uint64_t announced_bytes; /* Content-Length, 0 without one */
    struct str encoding;      /* Content-Encoding */
    struct buf body;
    struct buf inflated;
    bool is_inflated; /* `inflated` is the body */

    enum http_refusal refusal;
    char refusal_text[200];

    unsigned status;
    struct answer *answer;
};

struct http_request *request_new(size_t body_bytes_max, size_t inflated_bytes_max);
void request_free(struct http_request *request); /* NULL is fine */

/* Makes a used request as good as new, keeping what memory is worth keeping. */
void request_recycle(struct http_request *request);

/* Checks the header section and learns from it how the body comes. A refusal shows in `state`. */
void request_check_headers(struct http_request *request, const char *version);

/* All announced bytes are here; false for chunks, whose number nobody announces. */
bool request_is_whole(const struct http_request *request);

/* Takes or drops a piece of the body. A refusal shows in `state`. */
void request_take_body(struct http_request *request, struct str bytes);

/* The body is complete: inflates it when it is gzip. A refusal shows in `state`. */
void request_finish_body(struct http_request *request, struct inflater *inflater);

void request_refuse(struct http_request *request, enum http_refusal why, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
