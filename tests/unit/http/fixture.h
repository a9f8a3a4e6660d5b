/*
 * fixture: a real server on its own thread, and clients that send raw bytes over loopback sockets.
 *
 * The handler goes by path: /facts answers what it was told, /later answers after the
 * handler has returned, /hold when the test says so, /break?bytes=N cuts its answer
 * short; every other path sends the body back.
 */
#ifndef SPELTER_TEST_HTTP_FIXTURE_H
#define SPELTER_TEST_HTTP_FIXTURE_H

/* cmocka.h wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

enum {
    BODY_BYTES_MAX = 1000,
    INFLATED_BYTES_MAX = 64 * 1024,
    HELD_MAX = 512,
    CLIENT_TIMEOUT_MS = 20 * 1000, /* only a hanging test waits so long */
};

struct fixture {
    struct http_server *server;
    pthread_t thread;
    atomic_bool stop;
    pthread_mutex_t mutex; /* with `arrived`, for those who wait for a number of requests */
    pthread_cond_t arrived;
    atomic_uint requests; /* that reached the handler */
    atomic_uint gone;
    atomic_uint release; /* this many held requests may be answered */
    struct http_request *held[HELD_MAX];
    unsigned held_count;
    unsigned held_first;
    uint16_t port;
};

/* Limits as above, 30 seconds, a free port of 127.0.0.1. */
struct http_options default_options(void);

void start(struct fixture *f, struct http_options options);
void start_slow(struct fixture *f, struct http_options options, size_t read_bytes_per_s);
void stop_thread(struct fixture *f); /* ends the loop; the server is the caller's to close */
void stop(struct fixture *f);        /* the same, waits until nothing is pending and closes it */

/* Blocks until this many requests reached the handler in all. */
void wait_for_requests(struct fixture *f, unsigned count);

/* Lets the server answer this many held requests. */
void release(struct fixture *f, unsigned count);

#define HOST "Host: h\r\n"

int client_open(const struct fixture *f);
void client_send(int fd, struct str bytes);

/* Waits for bytes: their number, 0 at the connection's end, -1 when it was reset. */
ssize_t client_recv(int fd, char *into, size_t bytes);

struct client_reply {
    int status; /* 0: the connection ended without an answer */
    bool was_reset;
    bool is_last; /* the connection ended after it, or says that it will */
    char text[4096];
    size_t len;
    const char *body;
    size_t body_bytes;
};

/* Reads one answer and not a byte more, so that a pipelined next one stays in the socket. */
void client_read(int fd, struct client_reply *reply);

/* One request on a connection of its own. */
void exchange(const struct fixture *f, struct str bytes, struct client_reply *reply);

#endif
