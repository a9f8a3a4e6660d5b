/*
 * sender: requests to one Braze endpoint over libcurl: kept-alive connections,
 * HTTP/2 where the server speaks it over TLS, certificates verified, redirects not
 * followed, a bounded number of requests at a time.
 *
 *     while (sender_has_slot) { write sender_body; sender_send }  sender_wait  while (sender_next)
 * { ... }
 *
 * One thread, the courier's, except sender_wake. Proxies come from the environment, as for curl:
 * HTTPS_PROXY and NO_PROXY. A proxy for https sees the host's name only, never the key.
 */
#ifndef SPELTER_DELIVERY_SENDER_H
#define SPELTER_DELIVERY_SENDER_H

#include "buf.h"
#include "clock.h"
#include "err.h"
#include "reply.h"

struct sender;

enum { SENDER_ENDPOINT_BYTES_MAX = 1024, SENDER_PATH_BYTES_MAX = 1024 };

struct sender_options {
    struct str endpoint;        /* "https://rest.fra-01.braze.eu", without a trailing slash */
    struct str api_key;         /* empty: no Authorization header */
    struct str ca_certificates; /* PEM, trusted instead of the system's; empty: those */
    unsigned requests_max;      /* at a time */
    unsigned connect_timeout_ms;
    unsigned timeout_ms; /* of a whole request */
    size_t body_bytes_max;
    struct clock clock; /* for dates in headers */
};

/* Opens no connection yet. -EINVAL (an endpoint or key that
 * cannot be part of a request), -ENOMEM. */
int sender_open(struct sender **out, const struct sender_options *options, struct err *err)
    __attribute__((warn_unused_result));
void sender_close(struct sender *s); /* NULL is fine; requests in flight are cut off */

bool sender_has_slot(const struct sender *s);
unsigned sender_inflight(const struct sender *s);

/* The body of the next request, empty, to be filled before sender_send. There is a slot. */
struct buf *sender_body(struct sender *s);

/* Starts it. path has SENDER_PATH_BYTES_MAX at most. `is_batch` adds the header
 * that the hosted product sends with several objects. `user` comes back from
 * sender_next. -ENOMEM: the slot stays free. */
int sender_send(struct sender *s, const char *method, struct str path, bool is_batch, void *user)
    __attribute__((warn_unused_result));

/* The next request that came to an end; NULL: none. *reply is valid
 * until the next call of this module. */
void *sender_next(struct sender *s, struct reply *reply);

/* Works on what is in flight; returns when something happened,
 * sender_wake was called or timeout_ms passed. */
void sender_wait(struct sender *s, int timeout_ms);

/* Makes a running or the next sender_wait return. Any thread. */
void sender_wake(struct sender *s);

#endif
