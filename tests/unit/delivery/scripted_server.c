#include "scripted_server.h"

#include <arpa/inet.h>
#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 256, REQUEST_BYTES_MAX = 8 << 20 };

struct scripted_server {
    struct scripted_answer (*on_request)(void *self, const struct scripted_request *request);
    void *self;
    int listener;
    int stop; /* readable once the server stops */
    char endpoint[64];
    pthread_mutex_t mutex; /* held while the handler runs */
    pthread_t acceptor;
    pthread_t connections[CONNECTIONS_MAX];
    unsigned connection_count;
};

struct connection {
    struct scripted_server *server;
    int fd;
    char *bytes;
    size_t len;
};

/* False: the server stops. */
static bool wait_readable(const struct scripted_server *s, int fd)
{
    struct pollfd fds[] = {{.fd = s->stop, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    poll(fds, fd < 0 ? 1 : 2, -1);
    return fds[0].revents == 0;
}

static bool read_more(struct connection *c)
{
    if (c->len == REQUEST_BYTES_MAX || !wait_readable(c->server, c->fd))
        return false;
    ssize_t n = recv(c->fd, c->bytes + c->len, REQUEST_BYTES_MAX - c->len, 0);
    if (n <= 0)
        return false;
    c->len += (size_t)n;
    return true;
}

/* Whole requests only; false: the connection ended. */
static bool read_request(struct connection *c, struct scripted_request *r, size_t *bytes)
{
    const char *end;
    while ((end = memmem(c->bytes, c->len, "\r\n\r\n", 4)) == NULL)
        if (!read_more(c))
            return false;
    r->head = (struct str){c->bytes, (size_t)(end - c->bytes) + 4};
    size_t space = str_find(r->head, ' ');
    r->method = str_slice(r->head, 0, space);
    r->path = str_slice(r->head, space + 1, r->head.len);
    r->path = str_slice(r->path, 0, str_find(r->path, ' '));
    size_t body_bytes = 0;
    const char *length = memmem(r->head.ptr, r->head.len, "Content-Length: ", 16);
    if (length != NULL)
        body_bytes = strtoul(length + 16, NULL, 10);
    while (c->len < r->head.len + body_bytes)
        if (!read_more(c))
            return false;
    r->body = (struct str){c->bytes + r->head.len, body_bytes};
    *bytes = r->head.len + body_bytes;
    return true;
}

static bool answer_request(struct connection *c, struct scripted_answer answer)
{
    static const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    struct str body = str_from(answer.body);
    char *text = malloc(body.len + 4096);
    assert(text != NULL);
    int head = snprintf(text, 4096,
                        "HTTP/1.1 %d X\r\nContent-Type: application/json\r\n%s"
                        "Content-Length: %zu\r\n\r\n",
                        answer.status, answer.headers == NULL ? "" : answer.headers, body.len);
    size_t len = (size_t)head;
    switch (answer.manner) {
    case MANNER_ANSWER:
    case MANNER_CUT_BODY:
        if (body.len > 0)
            memcpy(text + len, body.ptr, body.len);
        len += answer.manner == MANNER_CUT_BODY ? body.len / 2 : body.len;
        if (send(c->fd, text, len, MSG_NOSIGNAL) != (ssize_t)len)
            answer.manner = MANNER_RESET;
        break;
    case MANNER_RESET:
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        break;
    case MANNER_HANG:
        while (wait_readable(c->server, c->fd) && read_more(c))
            ;
        break;
    }
    free(text);
    return answer.manner == MANNER_ANSWER;
}

static void *serve(void *self)
{
    struct connection *c = self;
    struct scripted_server *s = c->server;
    struct scripted_request request;
    size_t bytes;
    bool is_open = true;
    while (is_open && read_request(c, &request, &bytes)) {
        pthread_mutex_lock(&s->mutex);
        struct scripted_answer answer = s->on_request(s->self, &request);
        pthread_mutex_unlock(&s->mutex);
        is_open = answer_request(c, answer);
        memmove(c->bytes, c->bytes + bytes, c->len - bytes);
        c->len -= bytes;
    }
    close(c->fd);
    free(c->bytes);
    free(c);
    return NULL;
}

static void *accept_all(void *self)
{
    struct scripted_server *s = self;
    while (wait_readable(s, s->listener)) {
        struct connection *c = calloc(1, sizeof(*c));
        assert(c != NULL && s->connection_count < CONNECTIONS_MAX);
        c->server = s;
        c->bytes = malloc(REQUEST_BYTES_MAX);
        c->fd = accept(s->listener, NULL, NULL);
        assert(c->bytes != NULL && c->fd >= 0);
        int rc = pthread_create(&s->connections[s->connection_count++], NULL, serve, c);
        assert(rc == 0);
    }
    return NULL;
}

struct scripted_server *scripted_open(
    struct scripted_answer (*on_request)(void *self, const struct scripted_request *request),
    void *self)
{
    struct scripted_server *s = calloc(1, sizeof(*s));
    assert(s != NULL);
    s->on_request = on_request;
    s->self = self;
    s->listener = socket(AF_INET, SOCK_STREAM, 0);
    s->stop = eventfd(0, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int rc = bind(s->listener, (struct sockaddr *)&address, len);
    rc |= listen(s->listener, 128);
    rc |= getsockname(s->listener, (struct sockaddr *)&address, &len);
    assert(rc == 0 && s->stop >= 0);
    snprintf(s->endpoint, sizeof(s->endpoint), "http://127.0.0.1:%d", ntohs(address.sin_port));
    pthread_mutex_init(&s->mutex, NULL);
    rc = pthread_create(&s->acceptor, NULL, accept_all, s);
    assert(rc == 0);
    return s;
}

const char *scripted_endpoint(const struct scripted_server *s)
{
    return s->endpoint;
}

void scripted_close(struct scripted_server *s)
{
    eventfd_write(s->stop, 1);
    pthread_join(s->acceptor, NULL);
    for (unsigned i = 0; i < s->connection_count; i++)
        pthread_join(s->connections[i], NULL);
    close(s->listener);
    close(s->stop);
    pthread_mutex_destroy(&s->mutex);
    free(s);
}
