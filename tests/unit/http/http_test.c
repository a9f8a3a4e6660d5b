/* A real server on its own thread, and clients that send raw bytes over loopback sockets. */
#include "http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "buf.h"

enum {
    BODY_BYTES_MAX = 1000,
    INFLATED_BYTES_MAX = 64 * 1024,
    HELD_MAX = 512,
    CLIENT_TIMEOUT_MS = 20 * 1000, /* only a hanging test waits so long */
};

/* ------------------------------------------------------------------------------------ the server
 */

struct fixture {
    struct http_server *server;
    pthread_t thread;
    atomic_bool stop;
    atomic_uint requests; /* that reached the handler */
    atomic_uint gone;
    atomic_uint release; /* this many held requests may be answered */
    struct http_request *held[HELD_MAX];
    unsigned held_count;
    unsigned held_first;
    uint16_t port;
};

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

static void on_request(void *self, struct http_request *request)
{
    struct fixture *f = self;
    struct str path = http_path(request);
    f->requests++;
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
}

static void on_gone(void *self, struct http_request *request)
{
    struct fixture *f = self;
    assert_non_null(request);
    f->gone++;
}

static void *serve(void *self)
{
    struct fixture *f = self;
    while (!f->stop) {
        http_poll(f->server, -1);
        for (; f->held_first < f->held_count && f->release > 0; f->release--) {
            struct http_request *request = f->held[f->held_first++ % HELD_MAX];
            http_answer(request, 200, NULL, 0, http_body(request));
        }
    }
    return NULL;
}

static struct http_options default_options(void)
{
    return (struct http_options){
        .listen = STR("127.0.0.1:0"),
        .body_bytes_max = BODY_BYTES_MAX,
        .inflated_bytes_max = INFLATED_BYTES_MAX,
        .memory_bytes_max = 64 * BODY_BYTES_MAX,
        .connections_max = 12000,
        .idle_timeout_s = 30,
        .on_request = on_request,
        .on_gone = on_gone,
    };
}

static void start(struct fixture *f, struct http_options options)
{
    struct err err = {0};
    *f = (struct fixture){0};
    options.self = f;
    if (http_open(&f->server, &options, &err) != 0)
        fail_msg("%s", err.msg);
    f->port = (uint16_t)atoi(strrchr(http_address(f->server), ':') + 1);
    assert_int_not_equal(f->port, 0);
    assert_int_equal(pthread_create(&f->thread, NULL, serve, f), 0);
}

static void stop_thread(struct fixture *f)
{
    f->stop = true;
    http_wake(f->server);
    pthread_join(f->thread, NULL);
}

static void stop(struct fixture *f)
{
    stop_thread(f);
    assert_int_equal(http_pending(f->server), 0);
    http_close(f->server);
}

/* ----------------------------------------------------------------------------------- the clients
 */

static int client_open(const struct fixture *f)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons(f->port),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static void client_send(int fd, struct str bytes)
{
    while (bytes.len > 0) {
        ssize_t sent = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        assert_true(sent > 0);
        bytes = str_slice(bytes, (size_t)sent, bytes.len);
    }
}

/* Waits for bytes: their number, 0 at the connection's end, -1 when it was reset. */
static ssize_t client_recv(int fd, char *into, size_t bytes)
{
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    if (poll(&readable, 1, CLIENT_TIMEOUT_MS) != 1)
        fail_msg("no answer");
    return recv(fd, into, bytes, 0);
}

struct reply {
    int status; /* 0: the connection ended without an answer */
    bool was_reset;
    bool is_last; /* the connection ended after it, or says that it will */
    char text[4096];
    size_t len;
    const char *body;
    size_t body_bytes;
};

/* Reads one answer; bytes beyond it are put back by never reading them. */
static void client_read(int fd, struct reply *reply)
{
    *reply = (struct reply){0};
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

static struct reply exchange(const struct fixture *f, struct str bytes)
{
    struct reply reply;
    int fd = client_open(f);
    client_send(fd, bytes);
    client_read(fd, &reply);
    close(fd);
    return reply;
}

/* -------------------------------------------------------------------------------------- requests
 */

#define HOST "Host: h\r\n"

struct raw_case {
    const char *what;
    struct str request;
    int status; /* 0: closed without an answer */
    const char *body;
};

static void check_raw_cases(const struct fixture *f, const struct raw_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct reply reply = exchange(f, cases[i].request);
        if (reply.status != cases[i].status)
            fail_msg("%s: got %d %s, expected %d", cases[i].what, reply.status, reply.body,
                     cases[i].status);
        if (strstr(reply.body, cases[i].body) == NULL)
            fail_msg("%s: got %s, expected %s", cases[i].what, reply.body, cases[i].body);
    }
}

static void a_whole_request_reaches_the_handler(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct raw_case cases[] = {
        {"GET", STR_INIT("GET /facts HTTP/1.1\r\n" HOST "\r\n"), 200, "GET /facts a= q= x= ip=127.0.0.1 body=0"},
        {"query", STR_INIT("GET /facts?a=%41+b&c=d%20 HTTP/1.1\r\n" HOST "\r\n"), 200, "a=A b q=a=%41+b&c=d%20 "},
        {"escaped path", STR_INIT("GET /facts/%7Bx%7d HTTP/1.1\r\n" HOST "\r\n"), 200, "GET /facts/{x} "},
        {"header", STR_INIT("GET /facts HTTP/1.1\r\n" HOST "X-FACT: yes \r\n\r\n"), 200, " x=yes"},
        {"OPTIONS", STR_INIT("OPTIONS /facts HTTP/1.1\r\n" HOST "\r\n"), 200, "OPTIONS /facts"},
        {"unknown method", STR_INIT("BREW /facts HTTP/1.1\r\n" HOST "\r\n"), 200, "BREW /facts"},
        {"HTTP/1.0 without Host", STR_INIT("GET /facts HTTP/1.0\r\n\r\n"), 200, "GET /facts"},
        {"body", STR_INIT("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello"), 200, "hello"},
        {"equal lengths", STR_INIT("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi"), 200, "hi"},
        {"empty body", STR_INIT("POST /facts HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n"), 200, "body=0"},
        {"chunks", STR_INIT("POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\n\r\n"), 200, "abcdefg"},
        {"chunks with a trailer", STR_INIT("POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n"), 200, "abc"},
        {"answered later", STR_INIT("POST /later HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nlater"), 200, "later"},
    };
    /* clang-format on */
    struct fixture f;
    start(&f, default_options());
    check_raw_cases(&f, cases, countof(cases));
    stop(&f);
}

static void what_smuggling_lives_on_is_refused_before_the_handler(void **state)
{
    (void)state;
#define LENGTH(n) "Content-Length: " n "\r\n"
#define CHUNKED   "Transfer-Encoding: chunked\r\n"
    /* clang-format off */
    static const struct raw_case cases[] = {
        {"both", STR_INIT("POST / HTTP/1.1\r\n" HOST LENGTH("5") CHUNKED "\r\n0\r\n\r\n"), 400, "{\"message\":\"both Content-Length and Transfer-Encoding"},
        {"both, swapped", STR_INIT("POST / HTTP/1.1\r\n" HOST CHUNKED LENGTH("5") "\r\n0\r\n\r\n"), 400, "both Content-Length and"},
        {"differing lengths", STR_INIT("POST / HTTP/1.1\r\n" HOST LENGTH("5") LENGTH("6") "\r\nhello!"), 400, "Content-Length headers differ"},
        {"lengths that look different", STR_INIT("POST / HTTP/1.1\r\n" HOST LENGTH("5") LENGTH("05") "\r\nhello"), 400, "Content-Length headers differ"},
        {"space before the colon", STR_INIT("POST / HTTP/1.1\r\n" HOST "Content-Length : 5\r\n\r\nhello"), 400, "header's name"},
        {"tab before the colon", STR_INIT("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n"), 400, "header's name"},
        {"space in a name", STR_INIT("GET / HTTP/1.1\r\n" HOST "X Y: 5\r\n\r\n"), 400, "header's name"},
        {"carriage return in a value", STR_INIT("GET / HTTP/1.1\r\n" HOST "X: a\rTransfer-Encoding: chunked\r\n\r\n"), 400, "line break"},
        {"no Host", STR_INIT("GET / HTTP/1.1\r\n\r\n"), 400, "Host header is missing"},
        {"two Hosts", STR_INIT("GET / HTTP/1.1\r\n" HOST HOST "\r\n"), 400, "two Host headers"},
        {"other coding", STR_INIT("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), 400, "Transfer-Encoding"},
        {"coding with a prefix", STR_INIT("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"), 400, "Transfer-Encoding"},
        {"two codings", STR_INIT("POST / HTTP/1.1\r\n" HOST CHUNKED "Transfer-Encoding: identity\r\n\r\n0\r\n\r\n"), 400, "Transfer-Encoding"},
        {"chunks in HTTP/1.0", STR_INIT("POST / HTTP/1.0\r\n" CHUNKED "\r\n0\r\n\r\n"), 400, "HTTP/1.0"},
        {"space in the path", STR_INIT("GET /a b HTTP/1.1\r\n" HOST "\r\n"), 400, "space or a NUL"},
        {"NUL in the path", STR_INIT("GET /a%00b HTTP/1.1\r\n" HOST "\r\n"), 400, "space or a NUL"},
        {"other encoding", STR_INIT("POST / HTTP/1.1\r\n" HOST LENGTH("2") "Content-Encoding: br\r\n\r\n{}"), 400, "Content-Encoding"},
        /* libmicrohttpd's own refusals */
        {"negative length", STR_INIT("POST / HTTP/1.1\r\n" HOST LENGTH("-5") "\r\n"), 400, ""},
        {"signed length", STR_INIT("POST / HTTP/1.1\r\n" HOST LENGTH("+5") "\r\nhello"), 400, ""},
        {"list of lengths", STR_INIT("POST / HTTP/1.1\r\n" HOST LENGTH("5, 5") "\r\nhello"), 400, ""},
        {"length beyond 64 bits", STR_INIT("POST / HTTP/1.1\r\n" HOST LENGTH("99999999999999999999") "\r\n"), 413, ""},
        {"chunk that is none", STR_INIT("POST / HTTP/1.1\r\n" HOST CHUNKED "\r\nzz\r\nabc\r\n0\r\n\r\n"), 400, ""},
        {"line without a colon", STR_INIT("GET / HTTP/1.1\r\n" HOST "nonsense\r\n\r\n"), 400, ""},
        {"no request line", STR_INIT("hello\r\n\r\n"), 0, ""},
    };
    /* clang-format on */
    struct fixture f;
    start(&f, default_options());
    check_raw_cases(&f, cases, countof(cases));
    assert_int_equal(f.requests, 0);
    stop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_request_reaches_the_handler),
        cmocka_unit_test(what_smuggling_lives_on_is_refused_before_the_handler),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
