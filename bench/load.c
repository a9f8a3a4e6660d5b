#include "load.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"

enum { REPLY_BYTES_MAX = 16 * 1024, EVENTS_AT_ONCE = 256 };

struct client {
    int fd;
    uint64_t number; /* of the request in flight */
    int64_t sent_at_us;
    struct buf request;
    size_t sent_bytes;
    char reply[REPLY_BYTES_MAX];
    size_t reply_bytes;
};

struct load {
    const struct load_options *options;
    struct load_result *result;
    struct sockaddr_in address;
    int epoll_fd;
    uint64_t next_number;
    struct buf body;
    struct client *clients;
};

static int parse_address(struct sockaddr_in *out, const char *text, struct err *err)
{
    char host[64];
    const char *colon = strrchr(text, ':');
    size_t host_bytes = colon == NULL ? sizeof(host) : (size_t)(colon - text);
    if (host_bytes >= sizeof(host))
        return err_set(err, -EINVAL, 0, "'%s' is no address, expected HOST:PORT", text);
    memcpy(host, text, host_bytes);
    host[host_bytes] = '\0';
    *out =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(colon + 1))};
    if (inet_pton(AF_INET, host, &out->sin_addr) != 1)
        return err_set(err, -EINVAL, 0, "'%s' is no IPv4 address", host);
    return 0;
}

static int client_connect(struct load *load, struct client *client)
{
    const int on = 1;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->fd < 0)
        return -errno;
    if (connect(client->fd, (const struct sockaddr *)&load->address, sizeof(load->address)) != 0 ||
        setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0 ||
        epoll_ctl(load->epoll_fd, EPOLL_CTL_ADD, client->fd, &event) != 0) {
        int rc = -errno;
        close(client->fd);
        client->fd = -1;
        return rc;
    }
    return 0;
}

static void client_close(struct client *client)
{
    if (client->fd >= 0)
        close(client->fd);
    client->fd = -1;
}

/* Sends what the socket takes; the rest when it is writable again.
 * False: the connection is broken. */
static bool client_push(struct load *load, struct client *client)
{
    while (client->sent_bytes < client->request.len) {
        ssize_t sent = send(client->fd, client->request.ptr + client->sent_bytes,
                            client->request.len - client->sent_bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno != EAGAIN)
            return false;
        if (sent < 0)
            break;
        client->sent_bytes += (size_t)sent;
    }
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    if (client->sent_bytes < client->request.len)
        event.events |= EPOLLOUT;
    else if (client->request.len < 64 * 1024)
        return true; /* small requests never waited for EPOLLOUT */
    return epoll_ctl(load->epoll_fd, EPOLL_CTL_MOD, client->fd, &event) == 0;
}

/* The next request on this connection; false when none is left
 * or the connection cannot carry it. */
static bool client_next(struct load *load, struct client *client)
{
    const struct load_options *options = load->options;
    if (load->next_number == options->requests)
        return false;
    client->number = load->next_number++;
    buf_reset(&load->body);
    buf_reset(&client->request);
    options->body(options->self, client->number, &load->body);
    buf_append(&client->request, STR("POST "));
    buf_append(&client->request, str_from(options->path));
    buf_append(&client->request, STR(" HTTP/1.1\r\nHost: bench\r\n"));
    buf_append(&client->request, str_from(options->headers));
    buf_append(&client->request, STR("Content-Length: "));
    buf_put_u64(&client->request, load->body.len);
    buf_append(&client->request, STR("\r\n\r\n"));
    buf_append(&client->request, buf_str(&load->body));
    assert(!client->request.failed);
    load->result->sent_bytes += load->body.len;
    client->sent_bytes = 0;
    client->reply_bytes = 0;
    client->sent_at_us = monotonic_us();
    return client_push(load, client);
}

/* The connection ended under a request: counts it and starts again with the next one. */
static bool client_restart(struct load *load, struct client *client)
{
    load->result->broken++;
    client_close(client);
    return client_connect(load, client) == 0 && client_next(load, client);
}

/* The whole answer's status, or 0 while bytes are missing. */
static unsigned reply_status(const struct client *client)
{
    struct str reply = {client->reply, client->reply_bytes};
    const char *head_end = memmem(reply.ptr, reply.len, "\r\n\r\n", 4);
    if (head_end == NULL || reply.len < 16)
        return 0;
    size_t head_bytes = (size_t)(head_end - reply.ptr) + 4;
    size_t body_bytes = 0;
    static const char name[] = "\r\nContent-Length: ";
    const char *length = memmem(reply.ptr, head_bytes, name, sizeof(name) - 1);
    if (length != NULL)
        body_bytes = strtoul(length + sizeof(name) - 1, NULL, 10);
    return reply.len < head_bytes + body_bytes ? 0 : (unsigned)strtoul(reply.ptr + 9, NULL, 10);
}

static bool client_pull(struct load *load, struct client *client)
{
    ssize_t got = recv(client->fd, client->reply + client->reply_bytes,
                       sizeof(client->reply) - 1 - client->reply_bytes, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN)
        return true;
    if (got <= 0)
        return client_restart(load, client);
    client->reply_bytes += (size_t)got;
    client->reply[client->reply_bytes] = '\0';
    unsigned status = reply_status(client);
    if (status == 0)
        return true;
    struct load_result *result = load->result;
    histogram_observe_us(&result->latency, monotonic_us() - client->sent_at_us);
    result->answered++;
    result->by_class[status / 100 < countof(result->by_class) ? status / 100 : 0]++;
    if (load->options->on_answer != NULL)
        load->options->on_answer(load->options->self, client->number, status);
    return client_next(load, client);
}

static unsigned serve_events(struct load *load)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    unsigned ended = 0;
    int count = epoll_wait(load->epoll_fd, events, EVENTS_AT_ONCE, -1);
    for (int i = 0; i < count; i++) {
        struct client *client = events[i].data.ptr;
        bool is_alive = true;
        if (events[i].events & EPOLLOUT)
            is_alive = client_push(load, client) || client_restart(load, client);
        if (is_alive && (events[i].events & ~(uint32_t)EPOLLOUT))
            is_alive = client_pull(load, client);
        if (!is_alive) {
            client_close(client);
            ended++;
        }
    }
    return ended;
}

int load_run(struct load_result *out, const struct load_options *options, struct err *err)
{
    struct load load = {.options = options, .result = out};
    unsigned open = 0;
    assert(options->connections > 0 && options->connections <= LOAD_CONNECTIONS_MAX);
    *out = (struct load_result){0};
    int rc = parse_address(&load.address, options->address, err);
    if (rc != 0)
        return rc;
    buf_init(&load.body, LOAD_BODY_BYTES_MAX);
    load.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    load.clients = calloc(options->connections, sizeof(*load.clients));
    if (load.epoll_fd < 0 || load.clients == NULL) {
        rc = err_set(err, -ENOMEM, 0, "no memory or descriptors for the load client");
        goto out;
    }
    for (unsigned i = 0; i < options->connections; i++) {
        buf_init(&load.clients[i].request, LOAD_BODY_BYTES_MAX + 4096);
        load.clients[i].fd = -1;
    }
    for (unsigned i = 0; rc == 0 && i < options->connections; i++)
        rc = client_connect(&load, &load.clients[i]);
    if (rc != 0) {
        err_set(err, rc, 0, "cannot connect to %s: %s", options->address, strerror(-rc));
        goto out;
    }
    int64_t started_us = monotonic_us();
    for (unsigned i = 0; i < options->connections; i++)
        open += client_next(&load, &load.clients[i]);
    while (open > 0)
        open -= serve_events(&load);
    out->took_us = monotonic_us() - started_us;
out:
    for (unsigned i = 0; load.clients != NULL && i < options->connections; i++) {
        client_close(&load.clients[i]);
        buf_fini(&load.clients[i].request);
    }
    free(load.clients);
    if (load.epoll_fd >= 0)
        close(load.epoll_fd);
    buf_fini(&load.body);
    return rc;
}
