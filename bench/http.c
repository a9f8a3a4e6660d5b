/*
 * Requests a second of the HTTP room against bare libmicrohttpd on the same loop: 64 keep-alive
 * connections, one POST of 500 bytes in flight on each, a static answer. `bench_http [REQUESTS]`
 */
#include "http.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "bare.h"
#include "load.h"

enum { CONNECTIONS = 64, BODY_BYTES = 500, LATER_MAX = 4096 };

static const char answer_text[] = "{\"success\": true}";
static atomic_bool stop;

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

static void write_body(void *self, uint64_t number, struct buf *out)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
    (void)self;
    for (size_t i = 0; i < BODY_BYTES; i++)
        buf_putc(out, letters[(number + i) % 26]);
}

/* Answers a second of whatever listens there. */
static double measure(const char *name, const char *address, uint64_t requests, double yardstick)
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
    if (load_run(&result, &options, &err) != 0) {
        fprintf(stderr, "%s\n", err.msg);
        exit(2);
    }
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
    struct bare *bare = bare_open();
    double rate = measure("bare", bare_address(bare), requests, 0);
    bare_close(bare);
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
    pthread_t thread;
    stop = false;
    if (pthread_create(&thread, NULL, room_serve, &room) != 0)
        abort();
    measure(name, http_address(room.server), requests, yardstick);
    stop = true;
    http_wake(room.server);
    pthread_join(thread, NULL);
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
