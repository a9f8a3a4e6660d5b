/* Many clients, slow ones, broken ones; the connection's life around the requests. */
#include "fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define GET(path) "GET " path " HTTP/1.1\r\n" HOST "\r\n"

static void assert_served(const struct fixture *f)
{
    struct client_reply reply;
    exchange(f, STR(GET("/facts")), &reply);
    assert_int_equal(reply.status, 200);
}

static void one_connection_carries_many_requests(void **state)
{
    (void)state;
    struct fixture f;
    struct client_reply reply;
    start(&f, default_options());
    int fd = client_open(&f);
    for (int i = 0; i < 100; i++) {
        char request[100];
        char body[10];
        snprintf(body, sizeof(body), "%d", i);
        snprintf(request, sizeof(request),
                 "POST %s HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n\r\n%s",
                 i % 2 == 0 ? "/echo" : "/later", strlen(body), body);
        client_send(fd, str_from(request));
        client_read(fd, &reply);
        assert_string_equal(reply.body, body);
        assert_false(reply.is_last);
    }
    close(fd);
    stop(&f);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    (void)state;
    struct fixture f;
    struct client_reply reply;
    start(&f, default_options());
    int fd = client_open(&f);
    client_send(fd, STR("POST /later HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\none"
                        "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\ntwo"
                        "POST /later HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nthree"));
    static const char *const bodies[] = {"one", "two", "three"};
    for (size_t i = 0; i < countof(bodies); i++) {
        client_read(fd, &reply);
        assert_string_equal(reply.body, bodies[i]);
    }
    close(fd);
    stop(&f);
}

/* libmicrohttpd's own epoll thread waits for ever when exactly 128 of its
 * events are ready: our loop must not. */
static void so_many_clients_at_once_are_all_answered(void **state)
{
    (void)state;
    static const unsigned counts[] = {127, 128, 129, 256};
    for (size_t c = 0; c < countof(counts); c++) {
        struct fixture f;
        struct client_reply reply;
        int fds[256];
        start(&f, default_options());
        for (unsigned i = 0; i < counts[c]; i++)
            fds[i] = client_open(&f);
        for (int round = 1; round <= 3; round++) {
            for (unsigned i = 0; i < counts[c]; i++)
                client_send(fds[i], STR(GET("/hold")));
            wait_for_requests(&f, counts[c] * (unsigned)round);
            release(&f, counts[c]); /* all become ready in one turn of the loop */
            for (unsigned i = 0; i < counts[c]; i++) {
                client_read(fds[i], &reply);
                assert_int_equal(reply.status, 200);
            }
        }
        for (unsigned i = 0; i < counts[c]; i++)
            close(fds[i]);
        stop(&f);
    }
}

static void clients_that_hang_up_half_way_reach_no_handler(void **state)
{
    (void)state;
    static const struct str halves[] = {
        STR_INIT(""),
        STR_INIT("POST"),
        STR_INIT("POST / HTTP/1.1\r\nHost"),
        STR_INIT("POST / HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\n"),
        STR_INIT("POST / HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\nhello"),
        STR_INIT("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n5\r\nhel"),
    };
    struct fixture f;
    start(&f, default_options());
    for (size_t i = 0; i < countof(halves); i++) {
        int fd = client_open(&f);
        client_send(fd, halves[i]);
        close(fd);
    }
    assert_served(&f);
    assert_int_equal(f.requests, 1);
    stop(&f);
}

static void a_client_that_hangs_up_before_its_answer_harms_nobody(void **state)
{
    (void)state;
    struct fixture f;
    start(&f, default_options());
    for (unsigned i = 0; i < 10; i++) {
        int fd = client_open(&f);
        client_send(fd, STR(GET("/hold")));
        wait_for_requests(&f, i + 1);
        close(fd);
    }
    release(&f, 10);
    assert_served(&f);
    stop(&f);
}

static void a_client_that_resets_before_its_answer_is_reported_or_harms_nobody(void **state)
{
    (void)state;
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    struct fixture f;
    struct client_reply reply;
    start(&f, default_options());
    for (unsigned i = 0; i < 100; i++) {
        int fd = client_open(&f);
        client_send(fd, STR(GET("/facts")));
        client_read(fd, &reply);
        client_send(fd, STR(GET("/hold")));
        wait_for_requests(&f, 2 * (i + 1));
        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
        close(fd);
    }
    release(&f, 100);
    assert_served(&f);
    stop_thread(&f);
    assert_true(f.gone > 0);
    assert_int_equal(f.held_first, 100);
    while (http_pending(f.server) > 0)
        http_poll(f.server, CLIENT_TIMEOUT_MS);
    http_close(f.server);
}

/* Sends one byte after the other until the server hangs up; the bytes that were sent. */
static unsigned trickle(int fd, struct str bytes)
{
    struct pollfd hang_up = {.fd = fd, .events = POLLIN};
    char c;
    for (unsigned sent = 0;; sent++) {
        assert_true(sent < bytes.len);
        if (send(fd, bytes.ptr + sent, 1, MSG_NOSIGNAL) != 1)
            return sent;
        if (poll(&hang_up, 1, 50) == 1 && recv(fd, &c, 1, 0) <= 0)
            return sent;
    }
}

static void slow_senders_are_cut_off(void **state)
{
    (void)state;
    static const struct str heads[] = {
        STR_INIT(""),
        STR_INIT("POST / HTTP/1.1\r\n" HOST "X: "),
        STR_INIT("POST / HTTP/1.1\r\n" HOST "Content-Length: 1000\r\n\r\n"),
    };
    char bytes[1000];
    memset(bytes, 'x', sizeof(bytes));
    struct fixture f;
    struct http_options options = default_options();
    options.idle_timeout_s = 1;
    start(&f, options);
    for (size_t i = 0; i < countof(heads); i++) {
        int fd = client_open(&f);
        client_send(fd, heads[i]);
        assert_true(trickle(fd, (struct str){bytes, sizeof(bytes)}) > 0);
        close(fd);
        assert_served(&f);
    }
    assert_int_equal(f.requests, countof(heads));
    stop(&f);
}

static void a_request_at_the_handler_is_not_cut_off(void **state)
{
    (void)state;
    struct fixture f;
    struct client_reply reply;
    struct http_options options = default_options();
    options.idle_timeout_s = 1;
    start(&f, options);
    int held = client_open(&f);
    int idle = client_open(&f);
    char c;
    client_send(held, STR(GET("/hold")));
    wait_for_requests(&f, 1);
    assert_int_equal(client_recv(idle, &c, 1), 0); /* its time is over: so would be the other's */
    release(&f, 1);
    client_read(held, &reply);
    assert_int_equal(reply.status, 200);
    close(idle);
    close(held);
    stop(&f);
}

#define SIXTY    "0123456789abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMN"
#define BODY_360 SIXTY SIXTY SIXTY SIXTY SIXTY SIXTY

static void slowly_read_bodies_arrive_whole_and_others_do_not_wait_for_them(void **state)
{
    (void)state;
    static const struct str requests[] = {
        STR_INIT("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 360\r\n\r\n" BODY_360),
        STR_INIT("POST /echo HTTP/1.1\r\n" HOST
                 "Transfer-Encoding: chunked\r\n\r\n78\r\n" SIXTY SIXTY "\r\n3c\r\n" SIXTY
                 "\r\n78\r\n" SIXTY SIXTY "\r\n3c\r\n" SIXTY "\r\n0\r\n\r\n"),
    };
    struct fixture f;
    struct client_reply reply;
    struct http_options options = default_options();
    options.idle_timeout_s = 1; /* shorter than a body takes */
    start_slow(&f, options, 200);
    for (unsigned i = 0; i < countof(requests); i++) {
        int fd = client_open(&f);
        client_send(fd, requests[i]);
        assert_served(&f);
        assert_int_equal(f.requests, 2 * i + 1); /* the other one's only */
        client_read(fd, &reply);
        assert_int_equal(reply.status, 200);
        assert_string_equal(reply.body, BODY_360);
        close(fd);
    }
    stop(&f);
}

/* Sends zeros until the socket takes no more for a while, or so many; the bytes that were sent. */
static size_t send_until_blocked(int fd, size_t bytes)
{
    static const char zeros[64 * 1024];
    struct pollfd writable = {.fd = fd, .events = POLLOUT};
    size_t sent = 0;
    while (sent < bytes && poll(&writable, 1, 300) == 1) {
        ssize_t step = send(fd, zeros, sizeof(zeros), MSG_NOSIGNAL | MSG_DONTWAIT);
        assert_true(step > 0 || errno == EAGAIN);
        sent += step > 0 ? (size_t)step : 0;
    }
    return sent;
}

static void a_slow_readers_clients_block_until_closing_ends_them(void **state)
{
    (void)state;
    enum { LENGTH = 16 << 20 }; /* more than both ends' sockets hold */
    const int send_room = 64 * 1024;
    struct fixture f;
    struct client_reply reply;
    struct http_options options = default_options();
    char head[200];
    options.body_bytes_max = LENGTH;
    options.memory_bytes_max = LENGTH;
    start_slow(&f, options, 10);
    snprintf(head, sizeof(head), "POST / HTTP/1.1\r\n" HOST "Content-Length: %d\r\n\r\n", LENGTH);
    int fd = client_open(&f);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_room, sizeof(send_room)), 0);
    client_send(fd, str_from(head));
    assert_true(send_until_blocked(fd, LENGTH) < LENGTH);
    stop_thread(&f);
    assert_int_equal(http_pending(f.server), 0);
    http_close(f.server);
    client_read(fd, &reply);
    assert_int_equal(reply.status, 0);
    assert_int_equal(f.requests, 0);
    close(fd);
}

static void connections_over_the_limit_are_closed_and_hurt_nobody(void **state)
{
    (void)state;
    enum { LIMIT = 8 };
    struct fixture f;
    struct client_reply reply;
    struct http_options options = default_options();
    int fds[LIMIT];
    char c;
    options.connections_max = LIMIT;
    start(&f, options);
    for (int i = 0; i < LIMIT; i++) {
        fds[i] = client_open(&f);
        client_send(fds[i], STR(GET("/facts")));
        client_read(fds[i], &reply);
        assert_int_equal(reply.status, 200);
    }
    for (int i = 0; i < 100; i++) {
        int fd = client_open(&f);
        assert_true(client_recv(fd, &c, 1) <= 0);
        close(fd);
    }
    for (int i = 0; i < LIMIT; i++) {
        client_send(fds[i], STR(GET("/facts")));
        client_read(fds[i], &reply);
        assert_int_equal(reply.status, 200);
        close(fds[i]);
    }
    stop(&f);
}

static void ten_thousand_idle_connections_hold_and_others_are_served(void **state)
{
    (void)state;
    struct rlimit files;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
    files.rlim_cur = files.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
    /* Both ends of each connection are ours. */
    size_t count = files.rlim_cur > 20200 ? 10000 : (size_t)(files.rlim_cur - 200) / 2;
    struct fixture f;
    struct client_reply reply;
    int *fds = calloc(count, sizeof(*fds));
    assert_non_null(fds);
    start(&f, default_options());
    for (size_t i = 0; i < count; i++)
        fds[i] = client_open(&f);
    for (int i = 0; i < 20; i++)
        assert_served(&f);
    for (size_t i = 0; i < count; i += count / 50) {
        client_send(fds[i], STR(GET("/facts")));
        client_read(fds[i], &reply);
        assert_int_equal(reply.status, 200);
    }
    for (size_t i = 0; i < count; i++)
        close(fds[i]);
    free(fds);
    stop(&f);
}

static void a_broken_answer_ends_after_its_bytes_with_a_reset(void **state)
{
    (void)state;
    static const struct {
        struct str request;
        int status;
        const char *body;
    } cases[] = {
        {STR_INIT(GET("/break?bytes=0")), 0, ""},
        {STR_INIT(GET("/break?bytes=5")), 500, "{\"mes"},
        {STR_INIT(GET("/break?bytes=24")), 500, "{\"message\":\"0123456789\"}"},
    };
    struct fixture f;
    struct client_reply reply;
    char c;
    start(&f, default_options());
    for (size_t i = 0; i < countof(cases); i++) {
        int fd = client_open(&f);
        client_send(fd, cases[i].request);
        client_read(fd, &reply);
        assert_int_equal(reply.status, cases[i].status);
        assert_string_equal(reply.body, cases[i].body);
        assert_true(reply.was_reset || client_recv(fd, &c, 1) == -1);
        close(fd);
    }
    stop(&f);
}

static void check_closing_after(int polls)
{
    struct fixture f;
    struct client_reply reply;
    int fds[3];
    start(&f, default_options());
    for (unsigned i = 0; i < countof(fds); i++) {
        fds[i] = client_open(&f);
        client_send(fds[i], STR(GET("/hold") GET("/facts")));
    }
    wait_for_requests(&f, countof(fds));
    stop_thread(&f);
    for (int i = 0; i < polls; i++)
        http_poll(f.server, 1);
    assert_int_equal(http_pending(f.server), countof(fds));
    http_close(f.server);
    assert_int_equal(f.gone, countof(fds));
    assert_int_equal(f.requests, countof(fds));
    for (unsigned i = 0; i < countof(fds); i++) {
        client_read(fds[i], &reply);
        assert_int_equal(reply.status, 0);
        close(fds[i]);
    }
}

static void closing_cuts_off_what_has_no_answer(void **state)
{
    (void)state;
    check_closing_after(0);   /* a moment after the handler had them */
    check_closing_after(100); /* when their connections are suspended */
}

static void after_it_stops_listening_open_connections_go_on(void **state)
{
    (void)state;
    struct fixture f;
    struct client_reply reply;
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in late = address;
    start(&f, default_options());
    int fd = client_open(&f);
    client_send(fd, STR(GET("/hold")));
    wait_for_requests(&f, 1);
    stop_thread(&f);
    http_stop_listening(f.server);

    late.sin_port = htons(f.port);
    int refused = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(refused, (const struct sockaddr *)&late, sizeof(late)), -1);
    assert_int_equal(errno, ECONNREFUSED);
    close(refused);
    http_answer(f.held[0], 200, NULL, 0, STR("late"));
    while (http_pending(f.server) > 0)
        http_poll(f.server, CLIENT_TIMEOUT_MS);
    client_read(fd, &reply);
    assert_string_equal(reply.body, "late");
    close(fd);
    http_close(f.server);
}

static void a_wake_ends_the_wait(void **state)
{
    (void)state;
    struct http_options options = default_options();
    struct http_server *server;
    assert_int_equal(http_open(&server, &options, NULL), 0);
    http_wake(server);
    http_poll(server, -1); /* a hanging test is the failure */
    http_close(server);
}

static void addresses_are_understood_or_refused_in_words(void **state)
{
    (void)state;
    static const struct {
        struct str listen;
        int rc;
        const char *text; /* how the address in use begins, or words of the refusal */
    } cases[] = {
        {STR_INIT("127.0.0.1:0"), 0, "127.0.0.1:"},
        {STR_INIT("localhost:0"), 0, ""},
        {STR_INIT("127.0.0.1"), -EINVAL, "expected HOST:PORT"},
        {STR_INIT("127.0.0.1:"), -EINVAL, "expected HOST:PORT"},
        {STR_INIT("127.0.0.1:http"), -EINVAL, "expected HOST:PORT"},
        {STR_INIT("127.0.0.1:65536"), -EINVAL, "expected HOST:PORT"},
        {STR_INIT("::1:80"), -EINVAL, "in brackets, [::1]:80"},
        {STR_INIT("no.such.host.invalid:80"), -EINVAL, "no.such.host.invalid"},
        {STR_INIT(""), -EINVAL, "expected HOST:PORT"},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        struct http_options options = default_options();
        struct http_server *server;
        struct err err = {0};
        options.listen = cases[i].listen;
        assert_int_equal(http_open(&server, &options, &err), cases[i].rc);
        const char *text = cases[i].rc == 0 ? http_address(server) : err.msg;
        if (strstr(text, cases[i].text) == NULL)
            fail_msg("row %zu: %s", i, text);
        http_close(server);
    }
}

static void a_port_in_use_is_refused(void **state)
{
    (void)state;
    struct fixture f;
    struct err err = {0};
    struct http_server *second;
    struct http_options options = default_options();
    start(&f, options);
    options.listen = str_from(http_address(f.server));
    assert_int_equal(http_open(&second, &options, &err), -EADDRINUSE);
    assert_non_null(strstr(err.msg, http_address(f.server)));
    assert_null(second);
    stop(&f);
}

static void ipv6_clients_are_served(void **state)
{
    (void)state;
    static const struct str listens[] = {STR_INIT("[::1]:0"), STR_INIT(":0")};
    int probe = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    bool has_ipv6 = probe >= 0 && bind(probe, (const struct sockaddr *)&any, sizeof(any)) == 0;
    if (probe >= 0)
        close(probe);
    if (!has_ipv6)
        skip();
    for (size_t i = 0; i < countof(listens); i++) {
        struct fixture f;
        struct client_reply reply;
        struct http_options options = default_options();
        struct sockaddr_in6 address = any;
        options.listen = listens[i];
        start(&f, options);
        address.sin6_port = htons(f.port);
        int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
        client_send(fd, STR(GET("/facts")));
        client_read(fd, &reply);
        assert_non_null(strstr(reply.body, "ip=::1 "));
        close(fd);
        stop(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_connection_carries_many_requests),
        cmocka_unit_test(pipelined_requests_are_answered_in_order),
        cmocka_unit_test(so_many_clients_at_once_are_all_answered),
        cmocka_unit_test(clients_that_hang_up_half_way_reach_no_handler),
        cmocka_unit_test(a_client_that_hangs_up_before_its_answer_harms_nobody),
        cmocka_unit_test(a_client_that_resets_before_its_answer_is_reported_or_harms_nobody),
        cmocka_unit_test(slow_senders_are_cut_off),
        cmocka_unit_test(a_request_at_the_handler_is_not_cut_off),
        cmocka_unit_test(slowly_read_bodies_arrive_whole_and_others_do_not_wait_for_them),
        cmocka_unit_test(a_slow_readers_clients_block_until_closing_ends_them),
        cmocka_unit_test(connections_over_the_limit_are_closed_and_hurt_nobody),
        cmocka_unit_test(ten_thousand_idle_connections_hold_and_others_are_served),
        cmocka_unit_test(a_broken_answer_ends_after_its_bytes_with_a_reset),
        cmocka_unit_test(closing_cuts_off_what_has_no_answer),
        cmocka_unit_test(after_it_stops_listening_open_connections_go_on),
        cmocka_unit_test(a_wake_ends_the_wait),
        cmocka_unit_test(addresses_are_understood_or_refused_in_words),
        cmocka_unit_test(a_port_in_use_is_refused),
        cmocka_unit_test(ipv6_clients_are_served),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
