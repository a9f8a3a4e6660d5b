/*
 * connection: a client's connection and the queue of those that owe us something: a request, or the
 * room in their socket for its answer. Another queue is of those that we let wait. Inside the room
 * only.
 *
 * libmicrohttpd's own timer starts again with every byte, so a byte a second would hold a
 * connection for ever. Here a deadline stands for the whole of what is owed. All deadlines are
 * equally far away, so the queue is in their order.
 */
#ifndef SPELTER_HTTP_CONNECTION_H
#define SPELTER_HTTP_CONNECTION_H

#include "str.h"

#include <netinet/in.h>
#include <stdint.h>

#include <microhttpd.h>

struct connection {
    struct connection *prev;
    struct connection *next;
    int64_t deadline_us;
    bool is_waited_for;
    bool is_paused;         /* suspended in the middle of a body, see http_set_read_rate */
    size_t step_bytes_left; /* of a body, until the next pause */
    struct MHD_Connection *mhd;
    int fd; /* libmicrohttpd's */
    char ip[INET6_ADDRSTRLEN];
};

struct connection_queue {
    struct connection *first;
    struct connection *last;
    int64_t patience_us; /* 0: for ever */
};

/* NULL: no memory. */
struct connection *connection_new(struct MHD_Connection *mhd);
void connection_free(struct connection *connection); /* not in the queue; NULL is fine */

/* The connection of a request; NULL when connection_new failed for it. */
struct connection *connection_of(struct MHD_Connection *mhd);

/* From now on it is waited for; a wait that runs begins anew. */
void connection_wait(struct connection_queue *queue, struct connection *connection, int64_t now_us);
void connection_wait_end(struct connection_queue *queue, struct connection *connection);

/* Hangs up on those whose time is over. libmicrohttpd sees that in its next run. */
void connection_cut_late(struct connection_queue *queue, int64_t now_us);

/* Sends what the socket takes of these bytes and resets the connection. */
void connection_break(struct connection *connection, struct str head, struct str body);

#endif
