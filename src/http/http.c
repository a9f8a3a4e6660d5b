#include "http.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>

#include "answer.h"
#include "clock.h"
#include "incoming.h"
#include "inflate.h"
#include "listener.h"

enum {
    /* Kept for reuse; a busy server has about that many in flight. */
    FREE_REQUESTS_MAX = 256,

    /* libmicrohttpd accepts this many beyond connections_max, to close them at once. */
    SPARE_CONNECTIONS = 64,

    /* A request that waits for its answer stays in libmicrohttpd's ready list for this long, which
     * costs a look at it in each run; then its connection is suspended, which costs three system
     * calls. Commits are quicker than this, faults of the sandbox are not. */
    PARKED_US_MAX = 20 * 1000,

    /* While requests are parked libmicrohttpd always says that it has work. It is asked again after
     * this time, and at once where we know that it does. */
    PARKED_POLL_MS = 1,

    /* Of one step and its pause while bodies are read slowly. */
    READ_STEPS_A_SECOND = 10,
};

struct http_server {
    struct http_options options;
    char address[LISTENER_ADDRESS_BYTES];
    struct MHD_Daemon *daemon;
    int epoll_fd; /* ours: holds libmicrohttpd's epoll and wake_fd */
    int wake_fd;
    bool must_run; /* libmicrohttpd has work that no descriptor shows */
    bool is_closing;
    int64_t now_us; /* read once a poll */

    unsigned connections;
    struct connection_queue owing;
    struct connection_queue paused;
    size_t read_step_bytes; /* 0: bodies are read as fast as they come */

    struct http_request *handed; /* without an answer */
    unsigned parked;             /* of them: not suspended */
    struct http_request *free_requests;
    unsigned free_request_count;
    unsigned pending;
    struct body_budget budget;
    struct answers answers;
    struct inflater inflater;
};

static enum MHD_Result on_accept(void *self, const struct sockaddr *address, socklen_t bytes)
{
    struct http_server *server = self;
    (void)address;
    (void)bytes;
    return server->connections < server->options.connections_max ? MHD_YES : MHD_NO;
}

static void on_connection(void *self, struct MHD_Connection *mhd, void **context,
                          enum MHD_ConnectionNotificationCode what)
{
    struct http_server *server = self;
    struct connection *connection = *context;
    switch (what) {
    case MHD_CONNECTION_NOTIFY_STARTED:
        connection = connection_new(mhd);
        if (connection == NULL) /* its requests find no connection and close it */
            return;
        server->connections++;
        connection_wait(&server->owing, connection, server->now_us);
        *context = connection;
        return;
    case MHD_CONNECTION_NOTIFY_CLOSED:
        if (connection == NULL)
            return;
        connection_wait_end(&server->owing, connection);
        server->connections--;
        connection_free(connection);
        *context = NULL;
        return;
    }
}

static struct http_request *take_request(struct http_server *server)
{
    struct http_request *request = server->free_requests;
    if (request == NULL)
        return request_new(server->options.body_bytes_max, server->options.inflated_bytes_max);
    server->free_requests = request->next;
    server->free_request_count--;
    request->next = NULL;
    return request;
}

static void give_back(struct http_server *server, struct http_request *request)
{
    server->budget.bytes -= request->charged_bytes;
    request->charged_bytes = 0;
    answer_release(request->answer);
    request->answer = NULL;
    if (server->free_request_count >= FREE_REQUESTS_MAX) {
        request_free(request);
        return;
    }
    request_recycle(request);
    request->next = server->free_requests;
    server->free_requests = request;
    server->free_request_count++;
}

static void hand_out(struct http_server *server, struct http_request *request)
{
    request->state = REQUEST_HANDED;
    request->handed_at_us = server->now_us;
    request->is_counted = true;
    server->pending++;
    server->parked++;
    request->prev = NULL;
    request->next = server->handed;
    if (server->handed != NULL)
        server->handed->prev = request;
    server->handed = request;
}

static void take_back(struct http_server *server, struct http_request *request)
{
    assert(request->state == REQUEST_HANDED);
    if (request->prev != NULL)
        request->prev->next = request->next;
    else
        server->handed = request->next;
    if (request->next != NULL)
        request->next->prev = request->prev;
    if (!request->is_suspended)
        server->parked--;
}

/* Called with the request line, before libmicrohttpd decodes it; what
 * it returns is the request's context. */
static void *on_request_line(void *self, const char *uri, struct MHD_Connection *mhd)
{
    struct http_server *server = self;
    struct connection *connection = connection_of(mhd);
    struct http_request *request = connection == NULL ? NULL : take_request(server);
    if (request == NULL)
        return NULL;
    request->server = server;
    request->mhd = mhd;
    request->connection = connection;
    request->budget = &server->budget;
    connection_wait(&server->owing, connection,
                    server->now_us); /* the time for this request begins */

    struct str text = str_from(uri);
    size_t mark = str_find(text, '?');
    request->query_text = (struct str){"", 0};
    if (mark < text.len)
        request->query_text = arena_copy(&request->arena, str_slice(text, mark + 1, text.len));
    if (str_find(text, ' ') < text.len || strstr(text.len == 0 ? "" : uri, "%00") != NULL)
        request_refuse(request, HTTP_REFUSED_MALFORMED,
                       "the request line's path holds a space or a NUL byte");
    return request;
}

static enum MHD_Result queue_answer(struct http_server *server, struct http_request *request)
{
    connection_wait(&server->owing, request->connection, server->now_us);
    if (server->parked > 0)
        server->must_run = true; /* to write it: libmicrohttpd's own word is no help now */
    return MHD_queue_response(request->mhd, request->status, request->answer->response);
}

static enum MHD_Result queue_refusal(struct http_server *server, struct http_request *request)
{
    static const unsigned statuses[] = {
        [HTTP_REFUSED_MALFORMED] = MHD_HTTP_BAD_REQUEST,
        [HTTP_REFUSED_TOO_LARGE] = MHD_HTTP_CONTENT_TOO_LARGE,
        [HTTP_REFUSED_HEADERS] = MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE,
        [HTTP_REFUSED_BUSY] = MHD_HTTP_SERVICE_UNAVAILABLE,
    };
    struct http_header headers[2];
    size_t header_count = 0;
    char message[sizeof(request->refusal_text) + 32];
    struct str body;
    request->status = statuses[request->refusal];
    if (server->options.on_refusal != NULL) {
        server->options.on_refusal(server->options.self, request->refusal, request->refusal_text,
                                   &request->arena, &request->status, &body);
    } else {
        snprintf(message, sizeof(message), "{\"message\":\"%s\"}", request->refusal_text);
        body = str_from(message);
    }
    if (request->must_close)
        headers[header_count++] = (struct http_header){MHD_HTTP_HEADER_CONNECTION, "close"};
    if (request->refusal == HTTP_REFUSED_BUSY)
        headers[header_count++] = (struct http_header){MHD_HTTP_HEADER_RETRY_AFTER, "1"};
    request->answer = answers_get(&server->answers, headers, header_count, body);
    request->state = REQUEST_ANSWERED;
    return request->answer == NULL ? MHD_NO : queue_answer(server, request);
}

static enum MHD_Result check_headers(struct http_server *server, struct http_request *request,
                                     const char *version)
{
    request->received_us = server->now_us;
    if (request->state == REQUEST_NEW)
        request->state = REQUEST_ARRIVING;
    request_check_headers(request, version);
    if (request->state != REQUEST_REFUSED)
        return MHD_YES;
    /* Answered before its body is read, a request takes its connection with it: right
     * where nobody knows where the body ends, where the client waits to be asked for it,
     * and where there is too much of it to drop. */
    bool waits = str_eq_nocase(http_header(request, MHD_HTTP_HEADER_EXPECT), STR("100-continue"));
    if (request->must_close || waits || request->announced_bytes > HTTP_DRAIN_BYTES_MAX)
        return queue_refusal(server, request);
    return MHD_YES;
}

static enum MHD_Result hand_to_handler(struct http_server *server, struct http_request *request)
{
    if (server->is_closing)
        return MHD_NO;
    request_finish_body(request, &server->inflater);
    if (request->state == REQUEST_REFUSED)
        return queue_refusal(server, request);
    connection_wait_end(&server->owing, request->connection);
    hand_out(server, request);
    request->is_in_handler = true;
    server->options.on_request(server->options.self, request);
    request->is_in_handler = false;
    if (request->state == REQUEST_ANSWERED)
        return queue_answer(server, request);
    assert(request->state == REQUEST_BROKEN || server->options.on_gone != NULL);
    return request->state == REQUEST_BROKEN ? MHD_NO : MHD_YES;
}

static enum MHD_Result keep_parked(struct http_server *server, struct http_request *request)
{
    if (server->now_us - request->handed_at_us < PARKED_US_MAX)
        return MHD_YES;
    server->parked--;
    request->is_suspended = true;
    MHD_suspend_connection(request->mhd);
    return MHD_YES;
}

static enum MHD_Result take_piece(struct http_server *server, struct http_request *request,
                                  struct str piece)
{
    request_take_body(request, piece);
    /* The piece may have been all that fitted into libmicrohttpd's
     * buffer: more may be readable now. */
    server->must_run = server->must_run || !request_is_whole(request);
    return request->drained_bytes > HTTP_DRAIN_BYTES_MAX ? MHD_NO : MHD_YES;
}

/* The same at the server's read rate: what it leaves of the piece comes again after the pause. */
static enum MHD_Result take_slowly(struct http_server *server, struct http_request *request,
                                   struct str piece, size_t *left_bytes)
{
    struct connection *connection = request->connection;
    *left_bytes = piece.len;
    if (connection->is_paused) /* libmicrohttpd has one more chunk at hand */
        return MHD_YES;
    if (connection->step_bytes_left == 0)
        connection->step_bytes_left = server->read_step_bytes;
    struct str step = str_slice(piece, 0, connection->step_bytes_left);
    connection->step_bytes_left -= step.len;
    *left_bytes = piece.len - step.len;
    enum MHD_Result result = take_piece(server, request, step);
    if (result == MHD_YES && connection->step_bytes_left == 0 && !request_is_whole(request)) {
        connection->is_paused = true;
        connection_wait_end(&server->owing, connection);
        connection_wait(&server->paused, connection, server->now_us);
        MHD_suspend_connection(connection->mhd);
    }
    return result;
}

static void resume_paused(struct http_server *server, int64_t now_us)
{
    while (server->paused.first != NULL && server->paused.first->deadline_us <= now_us) {
        struct connection *connection = server->paused.first;
        connection_wait_end(&server->paused, connection);
        connection_wait(&server->owing, connection, server->now_us);
        connection->is_paused = false;
        MHD_resume_connection(connection->mhd);
    }
}

void http_set_read_rate(struct http_server *server, size_t bytes_per_s)
{
    server->read_step_bytes =
        bytes_per_s / READ_STEPS_A_SECOND + (bytes_per_s % READ_STEPS_A_SECOND > 0);
}

/* libmicrohttpd calls this with the headers, then with each piece of the body, then once the body
 * is whole, and from then on in each run until the request has its answer. */
static enum MHD_Result on_access(void *self, struct MHD_Connection *mhd, const char *path,
                                 const char *method, const char *version, const char *piece,
                                 size_t *piece_bytes, void **context)
{
    struct http_server *server = self;
    struct http_request *request = *context;
    size_t bytes = *piece_bytes;
    (void)mhd;
    if (request == NULL)
        return MHD_NO;
    if (request->method == NULL) {
        request->method = method;
        request->path = path;
        return check_headers(server, request, version);
    }
    *piece_bytes = 0;
    if (bytes > 0 && server->read_step_bytes > 0 &&
        (request->state == REQUEST_ARRIVING || request->state == REQUEST_REFUSED))
        return take_slowly(server, request, (struct str){piece, bytes}, piece_bytes);
    switch (request->state) {
    case REQUEST_ARRIVING:
        return bytes > 0 ? take_piece(server, request, (struct str){piece, bytes})
                         : hand_to_handler(server, request);
    case REQUEST_REFUSED:
        return bytes > 0 ? take_piece(server, request, (struct str){piece, bytes})
                         : queue_refusal(server, request);
    case REQUEST_HANDED:
        return keep_parked(server, request);
    case REQUEST_ANSWERED:
        return queue_answer(server, request);
    case REQUEST_NEW:
    case REQUEST_BROKEN:
        return MHD_NO;
    }
    return MHD_NO;
}

static void on_completed(void *self, struct MHD_Connection *mhd, void **context,
                         enum MHD_RequestTerminationCode why)
{
    struct http_server *server = self;
    struct http_request *request = *context;
    (void)mhd;
    (void)why;
    if (request == NULL)
        return;
    if (request->state == REQUEST_HANDED) {
        take_back(server, request);
        server->options.on_gone(server->options.self, request);
    }
    if (request->is_counted)
        server->pending--;
    connection_wait(&server->owing, request->connection, server->now_us);
    give_back(server, request);
    *context = NULL;
}

/* The request's end is decided. Inside on_access the caller acts on it; else
 * libmicrohttpd is told, or asks in its next run. */
static void settle(struct http_request *request, enum request_state state)
{
    struct http_server *server = request->server;
    take_back(server, request);
    request->state = state;
    if (request->is_in_handler)
        return;
    server->must_run = true;
    if (request->is_suspended)
        MHD_resume_connection(request->mhd);
    else if (state == REQUEST_ANSWERED)
        (void)queue_answer(server,
                           request); /* a refusal means that the connection is about to end */
}

void http_answer(struct http_request *request, unsigned status, const struct http_header *headers,
                 size_t header_count, struct str body)
{
    assert(status >= 200 && status <= 999);
    request->status = status;
    request->answer = answers_get(&request->server->answers, headers, header_count, body);
    settle(request, request->answer == NULL ? REQUEST_BROKEN : REQUEST_ANSWERED);
}

void http_break(struct http_request *request, unsigned status, struct str body, size_t bytes)
{
    char head[160] = "";
    if (bytes > 0)
        snprintf(head, sizeof(head),
                 "HTTP/1.1 %u Broken\r\nContent-Type: application/json\r\n"
                 "Content-Length: %zu\r\n\r\n",
                 status, body.len);
    connection_break(request->connection, str_from(head), str_slice(body, 0, bytes));
    settle(request, REQUEST_BROKEN);
}

static int add_to_epoll(int epoll_fd, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : -errno;
}

static int start_daemon(struct http_server *server, int listen_fd)
{
    const struct http_options *options = &server->options;
    server->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO, 0, on_accept, server, on_access,
        server, MHD_OPTION_LISTEN_SOCKET, listen_fd, MHD_OPTION_CONNECTION_LIMIT,
        options->connections_max + SPARE_CONNECTIONS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)HTTP_CONNECTION_BYTES, MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, server, MHD_OPTION_URI_LOG_CALLBACK,
        on_request_line, server, MHD_OPTION_END);
    return server->daemon == NULL ? -ENOMEM : 0;
}

int http_open(struct http_server **out, const struct http_options *options, struct err *err)
{
    int listen_fd = -1;
    int rc = 0;
    assert(options->on_request != NULL);
    assert(options->body_bytes_max > 0 && options->body_bytes_max < INT32_MAX);
    assert(options->inflated_bytes_max > 0 && options->inflated_bytes_max < INT32_MAX);
    struct http_server *server = calloc(1, sizeof(*server));
    if (server == NULL)
        return err_set(err, -ENOMEM, 0, "no memory for an HTTP server");
    server->options = *options;
    server->budget.bytes_max = options->memory_bytes_max;
    server->now_us = monotonic_us();
    server->owing.patience_us = (int64_t)options->idle_timeout_s * 1000 * 1000;
    server->paused.patience_us = 1000 * 1000 / READ_STEPS_A_SECOND;
    answers_init(&server->answers);
    server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    server->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (server->epoll_fd < 0 || server->wake_fd < 0) {
        rc = err_set(err, -errno, 0, "cannot open an epoll or event descriptor: %s",
                     strerror(errno));
        goto out;
    }
    rc = listener_open(&listen_fd, server->address, options->listen, err);
    if (rc != 0)
        goto out;
    rc = start_daemon(server, listen_fd);
    if (rc != 0) {
        close(listen_fd);
        err_set(err, rc, 0, "libmicrohttpd does not start on %s", server->address);
        goto out;
    }
    rc = add_to_epoll(server->epoll_fd, server->wake_fd);
    if (rc == 0)
        rc = add_to_epoll(server->epoll_fd,
                          MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd);
    if (rc != 0)
        err_set(err, rc, 0, "cannot watch the listening socket: %s", strerror(-rc));
out:
    if (rc != 0) {
        http_close(server);
        server = NULL;
    }
    *out = server;
    return rc;
}

const char *http_address(const struct http_server *server)
{
    return server->address;
}

static int64_t sooner(int64_t wait_ms, const struct connection_queue *queue)
{
    if (queue->first == NULL)
        return wait_ms;
    int64_t left_us = queue->first->deadline_us - monotonic_us();
    int64_t left_ms = left_us <= 0 ? 0 : left_us / 1000 + 1;
    return left_ms < wait_ms ? left_ms : wait_ms;
}

/* Until the owner's timeout, until libmicrohttpd has work, or until someone's time is over. */
static int ms_to_wait(struct http_server *server, int timeout_ms)
{
    MHD_UNSIGNED_LONG_LONG daemon_ms = 0;
    int64_t wait_ms = timeout_ms < 0 ? INT32_MAX : timeout_ms;
    if (MHD_get_timeout(server->daemon, &daemon_ms) == MHD_YES) {
        int64_t work_ms = server->parked > 0 ? PARKED_POLL_MS : (int64_t)daemon_ms;
        wait_ms = work_ms < wait_ms ? work_ms : wait_ms;
    }
    wait_ms = sooner(wait_ms, &server->owing);
    wait_ms = sooner(wait_ms, &server->paused);
    return wait_ms == INT32_MAX ? -1 : (int)wait_ms;
}

static void wait_for_events(struct http_server *server, int timeout_ms)
{
    struct epoll_event events[2];
    uint64_t wakes;
    int count = epoll_wait(server->epoll_fd, events, 2, ms_to_wait(server, timeout_ms));
    for (int i = 0; i < count; i++)
        if (events[i].data.fd == server->wake_fd)
            (void)!read(server->wake_fd, &wakes, sizeof(wakes)); /* only to make it quiet */
}

void http_poll(struct http_server *server, int timeout_ms)
{
    if (!server->must_run)
        wait_for_events(server, timeout_ms);
    server->must_run = false;
    server->now_us = monotonic_us();
    resume_paused(server, server->now_us);
    (void)MHD_run(server->daemon);
    connection_cut_late(&server->owing, server->now_us);
}

void http_wake(struct http_server *server)
{
    const uint64_t one = 1;
    (void)!write(server->wake_fd, &one, sizeof(one)); /* full means it is awake already */
}

void http_stop_listening(struct http_server *server)
{
    int fd = MHD_quiesce_daemon(server->daemon);
    if (fd != MHD_INVALID_SOCKET)
        close(fd);
}

unsigned http_pending(const struct http_server *server)
{
    return server->pending;
}

void http_close(struct http_server *server)
{
    if (server == NULL)
        return;
    server->is_closing = true;
    while (server->handed != NULL) {
        struct http_request *request = server->handed;
        if (server->options.on_gone != NULL)
            server->options.on_gone(server->options.self, request);
        settle(request, REQUEST_BROKEN);
    }
    server->read_step_bytes = 0; /* none is paused again */
    resume_paused(server, INT64_MAX);
    if (server->daemon != NULL) {
        /* Takes the resumed connections back: none may be suspended at its end. */
        (void)MHD_run(server->daemon);
        MHD_stop_daemon(server->daemon);
    }
    while (server->free_requests != NULL) {
        struct http_request *next = server->free_requests->next;
        request_free(server->free_requests);
        server->free_requests = next;
    }
    answers_fini(&server->answers);
    inflater_fini(&server->inflater);
    if (server->wake_fd >= 0)
        close(server->wake_fd);
    if (server->epoll_fd >= 0)
        close(server->epoll_fd);
    free(server);
}
