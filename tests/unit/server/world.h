/*
 * world: the parts of a server around the one under test, in a scratch directory: store, journal,
 * dead letters, dedupe, an HTTP server that the test itself polls, and a gate that holds the
 * committer.
 *
 * Everything runs on the test's thread but the committer, so a test decides what happens between
 * two steps.
 */
#ifndef SPELTER_TESTS_SERVER_WORLD_H
#define SPELTER_TESTS_SERVER_WORLD_H

#include "fixture.h"

#include <semaphore.h>

#include "group.h"

#include "../scratch.h"

struct world {
    struct scratch scratch;
    struct store *store;
    struct journal *journal;
    struct dead *dead;
    struct dedupe *dedupe;
    struct groups *groups;
    struct fixture http; /* only its server and its port are used */
    struct store_job gate;
    sem_t gate_entered;
    sem_t gate_opened;
    sem_t gate_left;
    void (*on_request)(void *handler, struct http_request *request);
    void *handler;
};

/* Store, journal, dead letters and dedupe; the store has this many bytes. */
void world_open(struct world *w, uint64_t store_bytes);

/* Appends `count` durable records that came at this time, each with `bytes` of JSON. */
void world_append(struct world *w, size_t count, size_t bytes, int64_t received_at_ms);

/* An HTTP server with this handler, and groups that answer for it. */
void world_open_http(struct world *w, void (*handle)(void *handler, struct http_request *request),
                     void *handler);
void world_close(struct world *w); /* all that is open */

/* Between the two the committer stands still; what is submitted meanwhile is one commit. */
void world_shut_gate(struct world *w);
void world_open_gate(struct world *w);

/* Serves until so many requests wait for their commit; nothing is submitted. */
void world_await_waiting(struct world *w, int64_t count);

/* Submits, answers and serves until every request has its answer on the wire. */
void world_settle(struct world *w);

/* A client whose request is on its way: a line such as "POST /v1/track", headers, a body. */
int world_send(struct world *w, const char *line, const char *headers, struct str body);
void world_exchange(struct world *w, const char *line, const char *headers, struct str body,
                    struct client_reply *reply);

bool has_answer(int fd); /* a byte of it has come */

#endif
