/*
 * What the sandbox takes: /users/track with 75 objects, straight into its core and over HTTP,
 * beside the yardstick of parsing the same bodies and nothing else.
 */
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "jv.h"
#include "load.h"
#include "sandbox.h"
#include "sandbox_server.h"

enum {
    OBJECTS = 75,
    BODIES = 64,
    ROUNDS = 40,
    USERS = 1000,
    BODY_BYTES = 256 * 1024,
    ARENA_BYTES = 256 << 20
};

static void put_object(struct buf *out, unsigned number)
{
    unsigned user = number % USERS;
    switch (number % 3) {
    case 0:
        buf_printf(
            out,
            "{\"external_id\":\"user-%u\",\"first_name\":\"Ada\",\"email\":\"user%u@example.com\","
            "\"country\":\"DE\",\"plan\":\"pro\",\"visits\":%u,\"tags\":[\"a\",\"b\"],"
            "\"signed_up\":\"2026-01-05T10:00:00Z\",\"_update_existing_only\":false}",
            user, user, number);
        return;
    case 1:
        buf_printf(out,
                   "{\"external_id\":\"user-%u\",\"name\":\"Product "
                   "Viewed\",\"time\":\"2026-01-05T10:00:00.%03uZ\","
                   "\"properties\":{\"sku\":\"A-%u\",\"price\":12.5,\"category\":\"shoes\","
                   "\"position\":%u}}",
                   user, number % 1000, number, number % 50);
        return;
    default:
        buf_printf(
            out,
            "{\"external_id\":\"user-%u\",\"product_id\":\"A-%u\",\"currency\":\"USD\",\"price\":"
            "12.5,"
            "\"quantity\":1,\"time\":\"2026-01-05T10:00:00Z\",\"properties\":{\"color\":\"red\"}}",
            user, number % 40);
    }
}

/* Attributes, events and purchases of 75 users in one request. */
static void put_body(struct buf *out, unsigned number)
{
    static const char *const keys[] = {"attributes", "events", "purchases"};
    for (unsigned k = 0; k < 3; k++) {
        buf_printf(out, "%s\"%s\":[", k == 0 ? "{" : "],", keys[k]);
        for (unsigned i = 0; i < OBJECTS / 3; i++) {
            if (i > 0)
                buf_putc(out, ',');
            put_object(out, (number * OBJECTS + i) * 3 + k);
        }
    }
    buf_append(out, STR("]}"));
}

static double rate(uint64_t objects, int64_t started_us)
{
    return (double)objects * 1e6 / (double)(monotonic_us() - started_us);
}

static double parse_only(struct buf *bodies)
{
    struct arena arena;
    struct err err = {0};
    struct jv v;
    arena_init(&arena, ARENA_BYTES);
    int64_t started = monotonic_us();
    for (unsigned i = 0; i < BODIES * ROUNDS; i++) {
        arena_reset(&arena);
        int rc = jv_parse(&v, &arena, buf_str(&bodies[i % BODIES]), JV_EXACT, &err);
        assert(rc == 0);
        (void)rc;
    }
    double result = rate((uint64_t)BODIES * ROUNDS * OBJECTS, started);
    arena_fini(&arena);
    return result;
}

static const struct sandbox_options bench_options = {.no_limits = true, .seed = 1};

static double core(struct buf *bodies)
{
    struct sandbox *sandbox = NULL;
    struct arena arena;
    struct err err = {0};
    struct sandbox_answer answer = {0};
    struct sandbox_options options = bench_options;
    options.clock = clock_real();
    arena_init(&arena, ARENA_BYTES);
    buf_init(&answer.body, SANDBOX_ANSWER_BYTES_MAX);
    if (sandbox_open(&sandbox, &options, &err) != 0)
        abort();
    int64_t started = monotonic_us();
    for (unsigned i = 0; i < BODIES * ROUNDS; i++) {
        struct sandbox_request request = {.method = STR("POST"),
                                          .path = STR("/users/track"),
                                          .body = buf_str(&bodies[i % BODIES]),
                                          .authorization = STR("Bearer " SANDBOX_API_KEY_DEFAULT),
                                          .content_type = STR("application/json")};
        arena_reset(&arena);
        sandbox_handle(sandbox, &request, &arena, &answer);
        assert(answer.status == 201);
    }
    double result = rate((uint64_t)BODIES * ROUNDS * OBJECTS, started);
    assert(sandbox_counts(sandbox).objects_rejected == 0);
    sandbox_close(sandbox);
    buf_fini(&answer.body);
    arena_fini(&arena);
    return result;
}

static void *run_server(void *server)
{
    return sandbox_server_run(server) == 0 ? NULL : server;
}

static void load_body(void *self, uint64_t number, struct buf *out)
{
    struct buf *bodies = self;
    buf_append(out, buf_str(&bodies[number % BODIES]));
}

static double over_http(struct buf *bodies)
{
    struct sandbox_server *server = NULL;
    struct err err = {0};
    struct load_result result;
    struct sandbox_options options = bench_options;
    pthread_t thread;
    options.clock = clock_real();
    if (sandbox_server_open(&server, STR("127.0.0.1:0"), &options, &err) != 0 ||
        pthread_create(&thread, NULL, run_server, server) != 0)
        abort();
    struct load_options load = {
        .address = sandbox_server_address(server),
        .path = "/users/track",
        .headers =
            "Content-Type: application/json\r\nAuthorization: Bearer " SANDBOX_API_KEY_DEFAULT
            "\r\n",
        .connections = 16,
        .requests = BODIES * ROUNDS,
        .body = load_body,
        .self = bodies,
    };
    if (load_run(&result, &load, &err) != 0 || result.by_class[2] != load.requests)
        abort();
    sandbox_server_stop(server);
    pthread_join(thread, NULL);
    sandbox_server_close(server);
    return load_rate(&result) * OBJECTS;
}

int main(void)
{
    static struct buf bodies[BODIES];
    size_t bytes = 0;
    for (unsigned i = 0; i < BODIES; i++) {
        buf_init(&bodies[i], BODY_BYTES);
        put_body(&bodies[i], i);
        bytes += bodies[i].len;
    }
    double parsing = parse_only(bodies);
    double in_core = core(bodies);
    double http = over_http(bodies);
    printf("{\"bench\":\"sandbox\",\"case\":\"core\",\"objects_per_s\":%.0f,\"body_bytes\":%zu,"
           "\"parse_only_objects_per_s\":%.0f,\"ratio\":%.3f}\n",
           in_core, bytes / BODIES, parsing, in_core / parsing);
    printf("{\"bench\":\"sandbox\",\"case\":\"http\",\"objects_per_s\":%.0f,\"ratio\":%.3f}\n",
           http, http / parsing);
    for (unsigned i = 0; i < BODIES; i++)
        buf_fini(&bodies[i]);
    return 0;
}
