/*
 * Events a second that segment_ingest turns into envelopes, one core, nothing behind it: calls that
 * come alone, and batches of 100. The yardstick is yyjson's parse and write of the same bytes.
 * `bench_ingest [SECONDS]`, a case takes that long twice.
 */
#include "segment.h"

#include <stdio.h>
#include <stdlib.h>

#include <yyjson.h>

#include "bounds.h"

enum {
    BATCH_EVENTS = 100,
    ARENA_BYTES = 64 << 20,
    CALLS_A_LOOK = 64, /* calls between two looks at the clock */
    EVENTS_VARIED = 64 /* different events, so that branches are not learned by heart */
};

struct bench_case {
    const char *name;
    const char *path;
    unsigned events; /* in one request */
};

static const struct bench_case cases[] = {
    {"single", "/v1/track", 1},
    {"batch of 100", "/v1/batch", BATCH_EVENTS},
};

/* About 500 bytes, as SDKs send them. */
static void write_event(struct buf *out, unsigned number)
{
    buf_printf(out,
               "{\"type\":\"track\",\"event\":\"Product Viewed\",\"userId\":\"user-%u\","
               "\"anonymousId\":\"0d8b8fb5-7bc9-4d3c-8d8a-%012u\","
               "\"messageId\":\"node-next-1795315716110-%08x-6dd5-4c44\","
               "\"timestamp\":\"2026-11-22T02:48:%02u.110Z\","
               "\"properties\":{\"product_id\":\"sku-%u\",\"name\":\"Coffee grinder no. %u\","
               "\"price\":%u.95,\"currency\":\"EUR\",\"quantity\":%u,\"in_stock\":true,"
               "\"url\":\"https://shop.example/products/%u\"},"
               "\"context\":{\"library\":{\"name\":\"@segment/analytics-node\",\"version\":"
               "\"3.1.0\"},\"locale\":\"de-DE\"},\"integrations\":{},\"_metadata\":"
               "{\"nodeVersion\":\"20.0.0\",\"jsRuntime\":\"node\"}}",
               number, number, number * 2654435761U, number % 60, number, number, number % 90,
               1 + number % 4, number);
}

static void write_body(struct buf *out, const struct bench_case *c, unsigned number)
{
    buf_reset(out);
    if (c->events == 1) {
        write_event(out, number);
        return;
    }
    buf_append(out, STR("{\"batch\":["));
    for (unsigned i = 0; i < c->events; i++) {
        if (i > 0)
            buf_putc(out, ',');
        write_event(out, number * c->events + i);
    }
    buf_append(out, STR("],\"sentAt\":\"2026-11-22T02:48:59.500Z\",\"writeKey\":\"WK\"}"));
}

struct subject {
    struct segment *segment;
    struct sources *sources;
    struct arena arena;
    const struct bench_case *bench;
    struct buf bodies[EVENTS_VARIED];
};

static size_t ingest_one(struct subject *s, struct str body)
{
    const struct segment_request request = {
        .method = STR("POST"),
        .path = str_from(s->bench->path),
        .authorization = STR("Basic V0s6"),
        .body = body,
        .client_ip = STR("192.0.2.7"),
        .now_ms = INT64_C(1795315716110),
    };
    struct segment_result result;
    arena_reset(&s->arena);
    segment_ingest(s->segment, s->sources, &request, &s->arena, &result);
    return result.record_count;
}

static size_t parse_and_write(struct subject *s, struct str body)
{
    yyjson_doc *doc = yyjson_read(body.ptr, body.len, 0);
    size_t bytes = 0;
    char *text = yyjson_write(doc, 0, &bytes);
    free(text);
    yyjson_doc_free(doc);
    return bytes > 0 ? s->bench->events : 0;
}

/* Events a second; every call must give all of its events. */
static double measure(struct subject *s, size_t (*work)(struct subject *, struct str),
                      double seconds)
{
    uint64_t calls = 0;
    int64_t started_us = monotonic_us();
    int64_t took_us;
    do {
        for (unsigned i = 0; i < CALLS_A_LOOK; i++, calls++) {
            if (work(s, buf_str(&s->bodies[calls % EVENTS_VARIED])) != s->bench->events) {
                fprintf(stderr, "%s: events are missing\n", s->bench->name);
                exit(2);
            }
        }
        took_us = monotonic_us() - started_us;
    } while ((double)took_us < seconds * 1e6);
    return (double)(calls * s->bench->events) * 1e6 / (double)took_us;
}

static void run_case(struct subject *s, const struct bench_case *c, double seconds)
{
    size_t bytes = 0;
    s->bench = c;
    for (unsigned i = 0; i < EVENTS_VARIED; i++) {
        write_body(&s->bodies[i], c, i);
        bytes += s->bodies[i].len;
    }
    double yardstick = measure(s, parse_and_write, seconds);
    double rate = measure(s, ingest_one, seconds);
    printf("{\"bench\":\"ingest\",\"case\":\"%s\",\"bytes_an_event\":%zu,\"events_per_s\":%.0f,"
           "\"yyjson_events_per_s\":%.0f,\"ratio_to_yyjson\":%.3f}\n",
           c->name, bytes / EVENTS_VARIED / c->events, rate, yardstick, rate / yardstick);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static const struct source source_list[] = {{STR_INIT("web"), STR_INIT("WK"), true}};
    static const struct segment_options options = {.event_bytes_max = EVENT_BYTES_MAX,
                                                   .batch_bytes_max = BATCH_BYTES_MAX};
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 2;
    struct subject s = {0};
    arena_init(&s.arena, ARENA_BYTES);
    if (segment_open(&s.segment, &options) != 0 ||
        sources_new(&s.sources, source_list, countof(source_list)) != 0)
        return 2;
    for (unsigned i = 0; i < EVENTS_VARIED; i++)
        buf_init(&s.bodies[i], BATCH_BYTES_MAX);
    for (size_t i = 0; i < countof(cases); i++)
        run_case(&s, &cases[i], seconds);
    for (unsigned i = 0; i < EVENTS_VARIED; i++)
        buf_fini(&s.bodies[i]);
    sources_free(s.sources);
    segment_close(s.segment);
    arena_fini(&s.arena);
    return 0;
}
