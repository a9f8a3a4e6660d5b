/*
 * Requests a second of the HTTP room against bare libmicrohttpd on the same loop: 64 keep-alive
 * connections, one POST of 500 bytes in flight on each, a static answer. `bench_http [REQUESTS]`
 */
#include "http.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <microhttpd.h>

#include "load.h"

enum { CONNECTIONS = 64, BODY_BYTES = 500, LATER_MAX = 4096 };

static const char answer_text[] = "{\"success\": true}";
static atomic_bool stop;

/* ------------------------------------------------------------------------------------ bare library
 */

static enum MHD_Result bare_access(void *self, struct MHD_Connection *connection, const char *url,
                                   const char *method, const char *version, const char *piece,
                                   size_t *piece_bytes, void **context)
{
    static int seen;
    (void)url;
    (void)method;
    (void)version;
    (void)piece;
    if (*context == NULL) {
        *context = &seen;
        return MHD_YES;
    }
    if (*piece_bytes > 0) {
        *piece_bytes = 0;
        return MHD_YES;
    }
    return MHD_queue_response(connection, 200, self);
}

static void *bare_serve(void *self)
{
    struct MHD_Daemon *daemon = self;
    int fd = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    int outer = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN};
    if (epoll_ctl(outer, EPOLL_CTL_ADD, fd, &event) != 0)
        abort();
    while (!stop) {
        MHD_UNSIGNED_LONG_LONG daemon_ms;
        int wait_ms = MHD_get_timeout(daemon, &daemon_ms) == MHD_YES && daemon_ms < 100
                          ? (int)daemon_ms
                          : 100;
        epoll_wait(outer, &event, 1, wait_ms);
        MHD_run(daemon);
    }
    close(outer);
    return NULL;
}

/* -------------------------------------------------------------------------------------- our room
 */

struct room {
    struct http_server *server;
    bool answers_later;
    struct http_request *later[LATER_MAX];
    size_t later_count;
};

static void room_request(void *self, struct http_request *request)
{
    struct room *room = self;
    if (room->answers_later)
        room->later[room->later_count++ % LATER_MAX] = request;
    else
        http_answer(request, 200, NULL, 0, str_from(answer_text));
}

static void room_gone(void *self, struct http_request *request)
{
    struct room *room = self;
    for (size_t i = 0; i < room->later_count; i++)
        if (room->later[i] == request)
            room->later[i] = NULL;
}

static void *room_serve(void *self)
{
    struct room *room = self;
    while (!stop) {
        http_poll(room->server, 100);
        for (size_t i = 0; i < room->later_count; i++)
            if (room->later[i] != NULL)
                http_answer(room->later[i], 200, NULL, 0, str_from(answer_text));
        room->later_count = 0;
    }
    return NULL;
}

/* ----------------------------------------------------------------------------------------- cases
 */

static void write_body(void *self, uint64_t number, struct buf *out)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
    (void)self;
    for (size_t i = 0; i < BODY_BYTES; i++)
        buf_putc(out, letters[(number + i) % 26]);
}

/* Loads the server that `serve` runs; answers a second. */
static double measure(const char *name, const char *address, void *(*serve)(void *), void *self,
                      uint64_t requests, double yardstick)
{
    struct load_options options = {.address = address,
                                   .path = "/v1/track",
                                   .headers = "Content-Type: application/json\r\n"
                                              "User-Agent: analytics-node-next/latest\r\n"
                                              "Authorization: Basic V0tfVEVTVDo=\r\n",
                                   .connections = CONNECTIONS,
                                   .requests = requests,
                                   .body = write_body};
    struct load_result result;
    struct err err;
    pthread_t thread;
    stop = false;
    if (pthread_create(&thread, NULL, serve, self) != 0)
        abort();
    if (load_run(&result, &options, &err) != 0) {
        fprintf(stderr, "%s\n", err.msg);
        exit(2);
    }
    stop = true;
    pthread_join(thread, NULL);
    double rate = load_rate(&result);
    printf("{\"bench\":\"http\",\"case\":\"%s\",\"connections\":%d,\"requests_per_s\":%.0f,"
           "\"p50_us\":%lld,\"p99_us\":%lld,\"not_2xx\":%llu,\"ratio_to_bare\":%.3f}\n",
           name, CONNECTIONS, rate, (long long)histogram_quantile_us(&result.latency, 0.5),
           (long long)histogram_quantile_us(&result.latency, 0.99),
           (unsigned long long)(requests - result.by_class[2]),
           yardstick == 0 ? 1 : rate / yardstick);
    fflush(stdout);
    return rate;
}

static double bench_bare(uint64_t requests)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        sizeof(answer_text) - 1, (void *)(uintptr_t)answer_text, MHD_RESPMEM_PERSISTENT);
    struct MHD_Daemon *daemon =
        response == NULL
            ? NULL
            : MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, bare_access, response, MHD_OPTION_END);
    if (daemon == NULL ||
        MHD_add_response_header(response, "Content-Type", "application/json") != MHD_YES) {
        fprintf(stderr, "libmicrohttpd does not start\n");
        exit(2);
    }
    char address[32];
    snprintf(address, sizeof(address), "127.0.0.1:%u",
             MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    double rate = measure("bare", address, bare_serve, daemon, requests, 0);
    MHD_stop_daemon(daemon);
    MHD_destroy_response(response);
    return rate;
}

static void bench_room(const char *name, bool answers_later, uint64_t requests, double yardstick)
{
    struct room room = {.answers_later = answers_later};
    struct http_options options = {.listen = STR("127.0.0.1:0"),
                                   .body_bytes_max = 500 * 1024,
                                   .inflated_bytes_max = 500 * 1024,
                                   .memory_bytes_max = 64 << 20,
                                   .connections_max = 10000,
                                   .idle_timeout_s = 60,
                                   .on_request = room_request,
                                   .on_gone = room_gone,
                                   .self = &room};
    struct err err;
    if (http_open(&room.server, &options, &err) != 0) {
        fprintf(stderr, "%s\n", err.msg);
        exit(2);
    }
    measure(name, http_address(room.server), room_serve, &room, requests, yardstick);
    http_close(room.server);
}

int main(int argc, char **argv)
{
    uint64_t requests = argc > 1 ? strtoull(argv[1], NULL, 10) : 200000;
    double bare = bench_bare(requests);
    bench_room("room", false, requests, bare);
    bench_room("room, answered later", true, requests, bare);
    return 0;
}
