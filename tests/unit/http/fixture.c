#include "fixture.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void answer_facts(struct http_request *request)
{
    char text[600];
    snprintf(text, sizeof(text), "%.*s %.*s a=%.*s q=%.*s x=%.*s ip=%.*s body=%zu",
             STR_ARG(http_method(request)), STR_ARG(http_path(request)),
             STR_ARG(http_query(request, "a")), STR_ARG(http_query_text(request)),
             STR_ARG(http_header(request, "x-fact")), STR_ARG(http_client_ip(request)),
             http_body(request).len);
    const struct http_header type = {"Content-Type", "text/plain"};
    http_answer(request, 200, &type, 1, str_from(text));
}

static void count_request(struct fixture *f)
{
    pthread_mutex_lock(&f->mutex);
    f->requests++;
    pthread_cond_broadcast(&f->arrived);
    pthread_mutex_unlock(&f->mutex);
}

void wait_for_requests(struct fixture *f, unsigned count)
{
    pthread_mutex_lock(&f->mutex);
    while (f->requests < count)
        pthread_cond_wait(&f->arrived, &f->mutex);
    pthread_mutex_unlock(&f->mutex);
}

void release(struct fixture *f, unsigned count)
{
    f->release += count;
    http_wake(f->server);
}

static void on_request(void *self, struct http_request *request)
{
    struct fixture *f = self;
    struct str path = http_path(request);
    if (str_eq(path, STR("/facts")) || str_starts(path, STR("/facts/"))) {
        answer_facts(request);
    } else if (str_eq(path, STR("/later"))) {
        http_set_user(request, f);
        f->held[f->held_count++ % HELD_MAX] = request;
        f->release++;
    } else if (str_eq(path, STR("/hold"))) {
        f->held[f->held_count++ % HELD_MAX] = request;
    } else if (str_eq(path, STR("/break"))) {
        size_t bytes = (size_t)atoi(http_query(request, "bytes").ptr);
        http_break(request, 500, STR("{\"message\":\"0123456789\"}"), bytes);
    } else {
        http_answer(request, 200, NULL, 0, http_body(request));
    }
    count_request(f);
}

static void on_gone(void *self, struct http_request *request)
{
    struct fixture *f = self;
    for (unsigned i = f->held_first; i < f->held_count; i++)
        if (f->held[i % HELD_MAX] == request)
            f->held[i % HELD_MAX] = NULL;
    f->gone++;
}

static void *serve(void *self)
{
    struct fixture *f = self;
    while (!f->stop) {
        http_poll(f->server, -1);
        for (; f->held_first < f->held_count && f->release > 0; f->release--) {
            struct http_request *request = f->held[f->held_first++ % HELD_MAX];
            if (request != NULL)
                http_answer(request, 200, NULL, 0, http_body(request));
        }
    }
    return NULL;
}

struct http_options default_options(void)
{
    return (struct http_options){
        .listen = STR("127.0.0.1:0"),
        .body_bytes_max = BODY_BYTES_MAX,
        .inflated_bytes_max = INFLATED_BYTES_MAX,
        .memory_bytes_max = 16 * INFLATED_BYTES_MAX,
        .connections_max = 12000,
        .idle_timeout_s = 30,
        .on_request = on_request,
        .on_gone = on_gone,
    };
}

void start_slow(struct fixture *f, struct http_options options, size_t read_bytes_per_s)
{
    struct err err = {0};
    *f = (struct fixture){.mutex = PTHREAD_MUTEX_INITIALIZER, .arrived = PTHREAD_COND_INITIALIZER};
    options.self = f;
    if (http_open(&f->server, &options, &err) != 0)
        fail_msg("%s", err.msg);
    f->port = (uint16_t)atoi(strrchr(http_address(f->server), ':') + 1);
    assert_int_not_equal(f->port, 0);
    http_set_read_rate(f->server, read_bytes_per_s);
    assert_int_equal(pthread_create(&f->thread, NULL, serve, f), 0);
}

void start(struct fixture *f, struct http_options options)
{
    start_slow(f, options, 0);
}

void stop_thread(struct fixture *f)
{
    f->stop = true;
    http_wake(f->server);
    pthread_join(f->thread, NULL);
}

void stop(struct fixture *f)
{
    stop_thread(f);
    while (http_pending(f->server) > 0) /* libmicrohttpd may notice an answer's end a turn later */
        http_poll(f->server, CLIENT_TIMEOUT_MS);
    http_close(f->server);
}

int client_open(const struct fixture *f)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons(f->port),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

void client_send(int fd, struct str bytes)
{
    while (bytes.len > 0) {
        ssize_t sent = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        assert_true(sent > 0);
        bytes = str_slice(bytes, (size_t)sent, bytes.len);
    }
}

ssize_t client_recv(int fd, char *into, size_t bytes)
{
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    if (poll(&readable, 1, CLIENT_TIMEOUT_MS) != 1)
        fail_msg("no answer");
    return recv(fd, into, bytes, 0);
}

void client_read(int fd, struct client_reply *reply)
{
    *reply = (struct client_reply){0};
    const char *end = NULL;
    size_t want = 1;
    while (end == NULL || reply->body_bytes < want) {
        /* One byte at a time up to the body: a pipelined next answer stays in the socket. */
        size_t bytes = end == NULL ? 1 : want - reply->body_bytes;
        assert_true(reply->len + bytes < sizeof(reply->text));
        ssize_t got = client_recv(fd, reply->text + reply->len, bytes);
        if (got <= 0) {
            reply->was_reset = got < 0;
            reply->is_last = true;
            break;
        }
        reply->len += (size_t)got;
        if (end != NULL) {
            reply->body_bytes += (size_t)got;
            continue;
        }
        end = strstr(reply->text, "\r\n\r\n");
        if (end != NULL) {
            const char *length = strcasestr(reply->text, "content-length: ");
            want = length == NULL ? 0 : strtoul(length + 16, NULL, 10);
        }
    }
    reply->body = end == NULL ? "" : end + 4;
    reply->is_last = reply->is_last || strcasestr(reply->text, "connection: close") != NULL;
    if (reply->len > 12)
        reply->status = atoi(reply->text + 9);
}

void exchange(const struct fixture *f, struct str bytes, struct client_reply *reply)
{
    int fd = client_open(f);
    client_send(fd, bytes);
    client_read(fd, reply);
    close(fd);
}
