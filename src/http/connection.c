#include "connection.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "listener.h"

struct connection *connection_new(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *socket =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct connection *connection = calloc(1, sizeof(*connection));
    if (connection == NULL || socket == NULL) {
        free(connection);
        return NULL;
    }
    connection->mhd = mhd;
    connection->fd = socket->connect_fd;
    const union MHD_ConnectionInfo *peer =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (peer != NULL)
        listener_host_text(connection->ip, peer->client_addr);
    return connection;
}

void connection_free(struct connection *connection)
{
    free(connection);
}

struct connection *connection_of(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info == NULL ? NULL : info->socket_context;
}

void connection_wait_end(struct connection_queue *queue, struct connection *connection)
{
    if (!connection->is_waited_for)
        return;
    if (connection->prev != NULL)
        connection->prev->next = connection->next;
    else
        queue->first = connection->next;
    if (connection->next != NULL)
        connection->next->prev = connection->prev;
    else
        queue->last = connection->prev;
    connection->is_waited_for = false;
}

void connection_wait(struct connection_queue *queue, struct connection *connection, int64_t now_us)
{
    connection_wait_end(queue, connection);
    if (queue->patience_us == 0)
        return;
    connection->deadline_us = now_us + queue->patience_us;
    connection->prev = queue->last;
    connection->next = NULL;
    if (queue->last != NULL)
        queue->last->next = connection;
    else
        queue->first = connection;
    queue->last = connection;
    connection->is_waited_for = true;
}

void connection_cut_late(struct connection_queue *queue, int64_t now_us)
{
    while (queue->first != NULL && queue->first->deadline_us <= now_us) {
        struct connection *connection = queue->first;
        connection_wait_end(queue, connection);
        (void)shutdown(connection->fd, SHUT_RDWR);
    }
}

static void send_some(int fd, struct str bytes)
{
    while (bytes.len > 0) {
        ssize_t sent = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent <= 0)
            return;
        bytes = str_slice(bytes, (size_t)sent, bytes.len);
    }
}

void connection_break(struct connection *connection, struct str head, struct str body)
{
    /* Connecting a TCP socket to nowhere resets its connection at once (connect(2), Linux). */
    const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    send_some(connection->fd, head);
    send_some(connection->fd, body);
    (void)connect(connection->fd, &nowhere, sizeof(nowhere));
}
