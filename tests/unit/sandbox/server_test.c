#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "sandbox_server.h"

/* The sandbox behind a socket: one thread runs it, another one talks to it and stops it. */

#define BODY                                                                                       \
    "{\"events\":[{\"external_id\":\"u\",\"name\":\"e\",\"time\":\"2026-01-05T10:00:00Z\"}]}"

struct fixture {
    struct sandbox_server *server;
    pthread_t thread;
};

static void *run(void *self)
{
    return sandbox_server_run(self) == 0 ? NULL : self;
}

static void start(struct fixture *f, const char *const *faults, size_t fault_count)
{
    struct err err = {0};
    const struct sandbox_options options = {
        .clock = clock_real(), .faults = faults, .fault_count = fault_count};
    assert_int_equal(sandbox_server_open(&f->server, STR("127.0.0.1:0"), &options, &err), 0);
    assert_int_equal(pthread_create(&f->thread, NULL, run, f->server), 0);
}

static struct sandbox_counts stop(struct fixture *f)
{
    void *failed = f;
    sandbox_server_stop(f->server);
    assert_int_equal(pthread_join(f->thread, &failed), 0);
    assert_null(failed);
    struct sandbox_counts counts = sandbox_counts(sandbox_server_sandbox(f->server));
    sandbox_server_close(f->server);
    return counts;
}

static int connect_to(const struct fixture *f)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const char *colon = strrchr(sandbox_server_address(f->server), ':');
    address.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static void send_track(int fd)
{
    char request[512];
    int len = snprintf(request, sizeof(request),
                       "POST /users/track HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
                       "Content-Type: application/json\r\nAuthorization: Bearer sandbox-key\r\n"
                       "Content-Length: %zu\r\n\r\n%s",
                       sizeof(BODY) - 1, BODY);
    assert_int_equal(write(fd, request, (size_t)len), len);
}

/* All that comes until the connection ends; its errno, 0 for an orderly end. */
static int read_all(int fd, char *out, size_t room)
{
    size_t used = 0;
    ssize_t got;
    while ((got = read(fd, out + used, room - 1 - used)) > 0)
        used += (size_t)got;
    out[used] = '\0';
    return got == 0 ? 0 : errno;
}

/* Returns once the sandbox has seen so many requests; asking does not count as one. */
static void wait_for_requests(const struct fixture *f, unsigned count)
{
    static const char ask[] = "GET /sandbox/stats HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    char answer[4096];
    char expected[32];
    snprintf(expected, sizeof(expected), "{\"requests\":%u,", count);
    do {
        int fd = connect_to(f);
        assert_int_equal(write(fd, ask, sizeof(ask) - 1), sizeof(ask) - 1);
        assert_int_equal(read_all(fd, answer, sizeof(answer)), 0);
        close(fd);
    } while (strstr(answer, expected) == NULL);
}

static void a_request_is_answered_and_the_server_stops_when_told(void **state)
{
    struct fixture f;
    char answer[4096];
    (void)state;
    start(&f, NULL, 0);
    int fd = connect_to(&f);
    send_track(fd);
    assert_int_equal(read_all(fd, answer, sizeof(answer)), 0);
    assert_non_null(strstr(answer, "HTTP/1.1 201 Created\r\n"));
    assert_non_null(strstr(answer, "\r\n\r\n{\"events_processed\":1,\"message\":\"success\"}"));
    close(fd);
    assert_int_equal(stop(&f).events, 1);
}

static void a_dropped_answer_is_a_reset_after_the_write(void **state)
{
    static const char *const faults[] = {"drop,times=1"};
    struct fixture f;
    char answer[4096];
    (void)state;
    start(&f, faults, 1);
    int fd = connect_to(&f);
    send_track(fd);
    (void)read_all(fd, answer, sizeof(answer));
    assert_string_equal(answer, "");
    close(fd);
    assert_int_equal(stop(&f).events, 1);
}

static void late_answers_come_and_hanging_ones_end_with_the_server(void **state)
{
    static const char *const faults[] = {"latency=30", "hang,after=1,times=1"};
    struct fixture f;
    char answer[4096];
    (void)state;
    start(&f, faults, 2);
    int late = connect_to(&f);
    send_track(late);
    assert_int_equal(read_all(late, answer, sizeof(answer)), 0);
    assert_non_null(strstr(answer, "HTTP/1.1 201 "));
    int hanging = connect_to(&f);
    send_track(hanging);
    wait_for_requests(&f, 2);
    int third = connect_to(&f); /* served while the other one hangs */
    send_track(third);
    assert_int_equal(read_all(third, answer, sizeof(answer)), 0);
    assert_non_null(strstr(answer, "HTTP/1.1 201 "));
    assert_int_equal(stop(&f).events, 2);
    (void)read_all(hanging, answer, sizeof(answer));
    assert_string_equal(answer, "");
    close(hanging);
    close(third);
    close(late);
}

static void a_body_that_is_read_slowly_holds_up_nobody_and_ends_with_its_rule(void **state)
{
    static const char *const faults[] = {"read-bytes-per-s=10"};
    static const char end[] = "DELETE /sandbox/faults HTTP/1.1\r\nHost: h\r\n"
                              "Connection: close\r\n\r\n";
    struct fixture f;
    char answer[4096];
    (void)state;
    start(&f, faults, 1);
    int slow = connect_to(&f);
    send_track(slow);
    wait_for_requests(&f, 0); /* another client is answered, the slow request is not here yet */
    int other = connect_to(&f);
    assert_int_equal(write(other, end, sizeof(end) - 1), sizeof(end) - 1);
    assert_int_equal(read_all(other, answer, sizeof(answer)), 0);
    assert_non_null(strstr(answer, "HTTP/1.1 200 "));
    assert_int_equal(read_all(slow, answer, sizeof(answer)), 0);
    assert_non_null(strstr(answer, "HTTP/1.1 201 Created\r\n"));
    close(other);
    close(slow);
    assert_int_equal(stop(&f).events, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_answered_and_the_server_stops_when_told),
        cmocka_unit_test(a_dropped_answer_is_a_reset_after_the_write),
        cmocka_unit_test(late_answers_come_and_hanging_ones_end_with_the_server),
        cmocka_unit_test(a_body_that_is_read_slowly_holds_up_nobody_and_ends_with_its_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
