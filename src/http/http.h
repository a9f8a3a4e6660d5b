/*
 * http: an HTTP/1.1 server on libmicrohttpd, driven by its owner's loop.
 * Used by the server and by the sandbox.
 *
 *     http_open ... while (running) { http_poll(server, timeout); answer what became ready; }
 *     ... http_close
 *
 * A request reaches the handler once, whole: headers checked, body complete, inflated if it came as
 * gzip, within the limits. The handler answers at once or keeps the pointer and answers later;
 * http_answer ends the request's life.
 *
 * Refused here, before any handler, with a JSON body (http_refusal below): what request smuggling
 * lives on (both Content-Length and Transfer-Encoding, differing Content-Lengths, white space
 * before a header's colon, no Host in HTTP/1.1), bodies and headers over their limits, gzip that
 * inflates past its limit, broken gzip. Slow senders are cut off after idle_timeout_s; connections
 * over connections_max are closed at accept.
 *
 * What libmicrohttpd itself finds unreadable never gets here: it closes the connection (a request
 * line without a space, a header without a colon) or answers with its own page (chunks that are
 * none, a header section beyond HTTP_CONNECTION_BYTES).
 *
 * Threads: everything on one thread, the owner's, except http_wake.
 */
#ifndef SPELTER_HTTP_HTTP_H
#define SPELTER_HTTP_HTTP_H

#include "arena.h"
#include "err.h"
#include "str.h"

#include <stdint.h>

struct http_server;
struct http_request;

enum {
    /* Request line and headers; browsers' cookies come near half of it. */
    HTTP_HEADER_BYTES_MAX = 16 * 1024,

    /* libmicrohttpd's memory for one connection: its default. */
    HTTP_CONNECTION_BYTES = 32 * 1024,

    /* This much of a refused body is read and dropped, so that the client sees
     * the answer instead of a reset connection. */
    HTTP_DRAIN_BYTES_MAX = 16 * 1024 * 1024,
};

/* What a refusal or an error answer is made of: the caller's
 * products differ in their JSON shapes. */
enum http_refusal {
    HTTP_REFUSED_MALFORMED, /* smuggling, bad framing, broken gzip */
    HTTP_REFUSED_TOO_LARGE, /* body or inflated body over the limit */
    HTTP_REFUSED_HEADERS,   /* header section over its limit */
    HTTP_REFUSED_BUSY,      /* memory_bytes_max is in use; goes out with Retry-After */
};

struct http_options {
    struct str listen;         /* "127.0.0.1:8080", "[::1]:0", ":8080"; port 0 picks a free one */
    size_t body_bytes_max;     /* as sent */
    size_t inflated_bytes_max; /* after gzip */
    size_t memory_bytes_max;   /* bodies of all open requests; over it: 503 with Retry-After */
    unsigned connections_max;
    unsigned idle_timeout_s; /* for a request to arrive, for an answer to go; 0: no bound */

    /* A whole request. Answer now or later with http_answer. */
    void (*on_request)(void *self, struct http_request *request);

    /* Turns a refusal into this product's answer: fill *body (static or in `a`)
     * and, to change it, *status, which comes as 400, 413, 431 or 503. `text` needs
     * no JSON escapes. NULL: {"message":...}. */
    void (*on_refusal)(void *self, enum http_refusal why, const char *text, struct arena *a,
                       unsigned *status, struct str *body);

    /* The client reset its connection before its answer, or http_close ends it: the request
     * is dead after this returns. A handler that answers later needs it: NULL only when
     * every request is answered inside on_request. */
    void (*on_gone)(void *self, struct http_request *request);
    void *self;
};

/* -EADDRINUSE, -EACCES, -EINVAL (listen text), -ENOMEM; err says which. */
int http_open(struct http_server **out, const struct http_options *options, struct err *err)
    __attribute__((warn_unused_result));

/* The address in use, "127.0.0.1:41234". Lives as long as the server. */
const char *http_address(const struct http_server *server);

/* Waits up to timeout_ms (-1: until something happens) and serves
 * what is ready. Handlers run inside. */
void http_poll(struct http_server *server, int timeout_ms);

/* Makes a running or the next http_poll return. Any thread, also a signal handler. */
void http_wake(struct http_server *server);

/* Reads bodies slowly, so that clients' sends block: about so many bytes a second of each
 * connection, in steps of a tenth of a second (10 at least). 0, the default: as fast as they come.
 * For pieces that arrive from now on. A slow reader cuts nobody off: the time for a request to
 * arrive begins again after each step. */
void http_set_read_rate(struct http_server *server, size_t bytes_per_s);

/* Accepts no new connections; open ones go on. */
void http_stop_listening(struct http_server *server);

/* Requests that reached the handler and have no answer yet, plus answers not yet written out. */
unsigned http_pending(const struct http_server *server);

void http_close(struct http_server *server); /* NULL is fine; unanswered requests are cut off */

/* Reading a request. All text lives until the request is answered. */
struct str http_method(const struct http_request *request); /* "POST" */
struct str http_path(const struct http_request *request);   /* percent-decoded, without the query */
struct str http_header(const struct http_request *request,
                       const char *name); /* empty when absent */
struct str http_query(const struct http_request *request,
                      const char *name);                        /* decoded; empty when absent */
struct str http_query_text(const struct http_request *request); /* all after the '?', as sent */
struct str http_body(const struct http_request *request);       /* inflated */
struct str http_client_ip(const struct http_request *request);
int64_t http_received_us(
    const struct http_request *request); /* monotonic, when the header section arrived */
struct arena *http_arena(struct http_request *request); /* dies with the request */
void http_set_user(struct http_request *request,
                   void *user); /* the handler's own word for this request */
void *http_user(const struct http_request *request);

struct http_header {
    const char *name;
    const char *value; /* copied by http_answer */
};

/* Answers and ends the request. Content-Type is application/json unless a
 * header names another. Copies everything. */
void http_answer(struct http_request *request, unsigned status, const struct http_header *headers,
                 size_t header_count, struct str body);

/* Faults on demand, for the sandbox: ends the request by sending `bytes` bytes of that answer's
 * body (0: none, not even the status line) and then resetting the connection. */
void http_break(struct http_request *request, unsigned status, struct str body, size_t bytes);

#endif
