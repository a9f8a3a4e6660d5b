/*
 * Events a second from a full journal through a courier into a server that
 * answers 201 to everything, with the default presets, against mapping the same
 * events alone. `bench_delivery [EVENTS]`
 */
#include "courier.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "envelope.h"

enum { USERS = 10000, GROUP = 1000, CONNECTIONS_MAX = 256, IN_BYTES = 256 * 1024 };

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "bench_delivery: %s\n", what);
    exit(2);
}

struct client {
    int fd;
    size_t len;
    char in[IN_BYTES];
};

struct sink {
    int listener;
    int epoll;
    char endpoint[64];
    int64_t cpu_us;
    _Atomic bool stop;
    _Atomic uint64_t requests;
    _Atomic uint64_t bytes;
    struct client *clients[CONNECTIONS_MAX];
    unsigned client_count;
};

/* Answers each whole request in the client's buffer. */
static void answer(struct sink *sink, struct client *client)
{
    static const char text[] = "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n"
                               "Content-Length: 21\r\n\r\n{\"message\":\"success\"}";
    for (;;) {
        const char *end = memmem(client->in, client->len, "\r\n\r\n", 4);
        const char *length =
            end == NULL ? NULL
                        : memmem(client->in, (size_t)(end - client->in), "Content-Length: ", 16);
        if (length == NULL)
            return;
        size_t bytes = (size_t)(end - client->in) + 4 + strtoul(length + 16, NULL, 10);
        must(bytes <= IN_BYTES, "a request is larger than the sink's buffer");
        if (client->len < bytes)
            return;
        sink->requests++;
        sink->bytes += bytes;
        memmove(client->in, client->in + bytes, client->len - bytes);
        client->len -= bytes;
        must(write(client->fd, text, sizeof(text) - 1) == (ssize_t)sizeof(text) - 1, "write");
    }
}

static void accept_client(struct sink *sink)
{
    must(sink->client_count < CONNECTIONS_MAX, "too many connections");
    struct client *client = calloc(1, sizeof(*client));
    must(client != NULL, "no memory");
    client->fd = accept(sink->listener, NULL, NULL);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    must(epoll_ctl(sink->epoll, EPOLL_CTL_ADD, client->fd, &event) == 0, "epoll_ctl");
    sink->clients[sink->client_count++] = client;
}

static int64_t thread_cpu_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void *serve(void *self)
{
    struct sink *sink = self;
    while (!sink->stop) {
        struct epoll_event events[64];
        int count = epoll_wait(sink->epoll, events, countof(events), 50);
        for (int i = 0; i < count; i++) {
            struct client *client = events[i].data.ptr;
            if (client == NULL) {
                accept_client(sink);
                continue;
            }
            ssize_t bytes = read(client->fd, client->in + client->len, IN_BYTES - client->len);
            if (bytes <= 0) {
                epoll_ctl(sink->epoll, EPOLL_CTL_DEL, client->fd, NULL);
                continue;
            }
            client->len += (size_t)bytes;
            answer(sink, client);
        }
    }
    sink->cpu_us = thread_cpu_us();
    return NULL;
}

static void sink_open(struct sink *sink)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    sink->listener = socket(AF_INET, SOCK_STREAM, 0);
    must(bind(sink->listener, (struct sockaddr *)&address, len) == 0, "bind");
    must(listen(sink->listener, 128) == 0, "listen");
    must(getsockname(sink->listener, (struct sockaddr *)&address, &len) == 0, "getsockname");
    snprintf(sink->endpoint, sizeof(sink->endpoint), "http://127.0.0.1:%d",
             ntohs(address.sin_port));
    sink->epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    must(epoll_ctl(sink->epoll, EPOLL_CTL_ADD, sink->listener, &event) == 0, "epoll_ctl");
}

static void sink_close(struct sink *sink)
{
    for (unsigned i = 0; i < sink->client_count; i++) {
        close(sink->clients[i]->fd);
        free(sink->clients[i]);
    }
    close(sink->listener);
    close(sink->epoll);
}

static void write_event(struct buf *out, unsigned number)
{
    static const char *const names[] = {"Article Read", "Signed Up", "Button Clicked"};
    char json[1024];
    unsigned user = (number * 2654435761U) % USERS;
    if (number % 8 == 0)
        snprintf(json, sizeof(json),
                 "{\"type\":\"identify\",\"messageId\":\"msg-%u\",\"userId\":\"user-%u\","
                 "\"timestamp\":\"2026-01-05T10:00:00.000Z\","
                 "\"receivedAt\":\"2026-01-05T10:00:01.000Z\","
                 "\"context\":{\"library\":{\"name\":\"analytics-node\",\"version\":\"2.1.0\"},"
                 "\"ip\":\"203.0.113.7\",\"locale\":\"en-US\"},\"traits\":{\"firstName\":\"Ada\","
                 "\"lastName\":\"Lovelace\",\"email\":\"u%u@example.com\",\"plan\":\"pro\","
                 "\"logins\":%u,\"address\":{\"city\":\"London\",\"country\":\"UK\"},"
                 "\"avatar\":\"https://example.com/a.png\",\"beta\":true}}",
                 number, user, user, number % 50);
    else
        snprintf(json, sizeof(json),
                 "{\"type\":\"track\",\"event\":\"%s\",\"messageId\":\"msg-%u\","
                 "\"userId\":\"user-%u\",\"timestamp\":\"2026-01-05T10:00:00.000Z\","
                 "\"receivedAt\":\"2026-01-05T10:00:01.000Z\","
                 "\"context\":{\"library\":{\"name\":\"analytics-node\",\"version\":\"2.1.0\"},"
                 "\"ip\":\"203.0.113.7\",\"locale\":\"en-US\",\"page\":{\"path\":\"/shop/%u\"}},"
                 "\"properties\":{\"product_id\":\"sku-%u\",\"price\":%u.99,\"currency\":\"EUR\","
                 "\"quantity\":%u,\"category\":\"Shoes\",\"coupon\":\"SPRING\",\"list\":[1,2,3]}}",
                 names[number % countof(names)], number, user, number % 100, number % 500,
                 number % 90, number % 5 + 1);
    struct envelope envelope = {
        .source = STR("web"), .received_at_ms = 1767607200000, .json = str_from(json)};
    envelope_write(out, &envelope);
}

struct append {
    struct store_job job;
    struct journal *journal;
    struct str records[GROUP];
    size_t count;
};

static int apply_append(struct store_job *job, MDB_txn *txn)
{
    struct append *append = (struct append *)job;
    uint64_t first;
    return journal_append(append->journal, txn, append->records, append->count, &first);
}

static void publish_append(struct store_job *job, int rc)
{
    must(rc == 0, "the journal is full");
    journal_publish(((struct append *)job)->journal);
}

/* Returns the bytes of all events. */
static uint64_t fill_journal(struct store *store, struct journal *journal, unsigned events)
{
    static struct append append = {.job = {.apply = apply_append, .done = publish_append}};
    struct buf text;
    size_t ends[GROUP];
    uint64_t bytes = 0;
    buf_init(&text, 4 << 20);
    append.journal = journal;
    for (unsigned number = 0; number < events;) {
        buf_reset(&text);
        for (append.count = 0; append.count < GROUP && number < events; append.count++) {
            write_event(&text, number++);
            ends[append.count] = text.len;
        }
        for (size_t i = 0; i < append.count; i++)
            append.records[i] = str_slice(buf_str(&text), i == 0 ? 0 : ends[i - 1], ends[i]);
        must(store_commit(store, &append.job) == 0, "append");
        bytes += text.len;
    }
    buf_fini(&text);
    return bytes;
}

struct mapping_alone {
    const struct destination *destination;
    struct arena arena;
    struct buf out;
};

static bool map_record(void *self, uint64_t position, struct str record)
{
    struct mapping_alone *m = self;
    struct envelope envelope;
    struct mapped mapped;
    struct jv event;
    struct err err;
    (void)position;
    arena_reset(&m->arena);
    buf_reset(&m->out);
    must(envelope_read(&envelope, record) == 0, "envelope");
    must(jv_parse(&event, &m->arena, envelope.json, JV_EXACT, &err) == 0, "event");
    must(destination_map(m->destination, event, &m->arena, &mapped) == 0, "map");
    for (size_t i = 0; i < mapped.intent_count; i++)
        jv_write(&m->out, mapped.intents[i].object);
    return true;
}

static double map_alone(struct journal *journal, const struct destination *destination,
                        unsigned events)
{
    struct mapping_alone m = {.destination = destination};
    arena_init(&m.arena, 16 << 20);
    buf_init(&m.out, 4 << 20);
    int64_t from_us = monotonic_us();
    uint64_t next = 0;
    while (next < events)
        must(journal_read(journal, next, 1000, map_record, &m, &next) == 0, "read");
    double seconds = (double)(monotonic_us() - from_us) / 1e6;
    buf_fini(&m.out);
    arena_fini(&m.arena);
    return events / seconds;
}

static struct destination *compile(const char *endpoint)
{
    struct jv_member settings[] = {
        {STR("endpoint"), jv_string(str_from(endpoint))},
        {STR("api_key"), jv_string(STR("bench"))},
        {STR("app_id"), jv_string(STR("app"))},
    };
    struct destination_config config = {
        .settings = {.type = JV_OBJECT, .len = countof(settings), .members = settings},
    };
    struct destination *destination;
    struct err err;
    if (destination_compile(&destination, &config, &err) != 0)
        must(false, err.msg);
    return destination;
}

static int64_t process_cpu_us(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (int64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
           usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

/* The journal's pages are mapped files and come on top; the
 * kernel takes them back when it wants. */
static long anonymous_kib(void)
{
    char line[128];
    long kib = 0;
    FILE *status = fopen("/proc/self/status", "r");
    must(status != NULL, "/proc/self/status");
    while (fgets(line, sizeof(line), status) != NULL)
        if (strncmp(line, "RssAnon:", 8) == 0)
            kib = strtol(line + 8, NULL, 10);
    fclose(status);
    return kib;
}

int main(int argc, char **argv)
{
    static struct sink sink;
    unsigned events = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 200000;
    char dir[] = "/tmp/bench-delivery-XXXXXX";
    struct store *store;
    struct journal *journal;
    struct dead *dead;
    struct courier *courier;
    struct err err;
    pthread_t server;

    must(mkdtemp(dir) != NULL, "mkdtemp");
    struct store_options store_options = {.dir = dir, .bytes_max = 4ULL << 30};
    must(store_open(&store, &store_options, &err) == 0, "store");
    must(journal_open(&journal, store, &err) == 0, "journal");
    must(dead_open(&dead, store, &err) == 0, "dead");
    sink_open(&sink);
    struct destination *destination = compile(sink.endpoint);
    uint64_t bytes = fill_journal(store, journal, events);
    double alone = map_alone(journal, destination, events);

    struct courier_options options;
    courier_options_init(&options);
    options.id = STR("bench");
    options.destination = destination;
    options.store = store;
    options.journal = journal;
    options.dead = dead;
    options.limits[BUCKET_TRACK] = (struct limit){1000000, 1000};
    must(courier_open(&courier, &options, &err) == 0, "courier");
    must(pthread_create(&server, NULL, serve, &sink) == 0, "thread");
    int64_t cpu_us = process_cpu_us();
    int64_t from_us = monotonic_us();
    must(courier_start(courier) == 0, "start");
    must(courier_wait_idle(courier, 600 * 1000), "not idle after ten minutes");
    double seconds = (double)(monotonic_us() - from_us) / 1e6;
    cpu_us = process_cpu_us() - cpu_us;
    long heap_kib = anonymous_kib();
    const struct courier_metrics *m = courier_metrics(courier);
    sink.stop = true;
    pthread_join(server, NULL);
    must(counter_get(&m->delivered_events) == events, "some events did not arrive");

    printf("{\"bench\":\"delivery\",\"events\":%u,\"event_bytes\":%llu,\"events_per_s\":%.0f,"
           "\"map_alone_per_s\":%.0f,\"ratio\":%.3f,\"requests\":%llu,\"objects_per_request\":%.1f,"
           "\"request_p50_us\":%lld,\"commits\":%llu,\"cpu_us_per_event\":%.2f,"
           "\"sink_cpu_us_per_event\":%.2f,\"heap_mib\":%ld}\n",
           events, (unsigned long long)(bytes / events), events / seconds, alone,
           events / seconds / alone, (unsigned long long)sink.requests,
           (double)counter_get(&m->delivered_intents) / (double)sink.requests,
           (long long)histogram_quantile_us(&m->request_latency, 0.5),
           (unsigned long long)counter_get(&store_metrics(store)->commits), (double)cpu_us / events,
           (double)sink.cpu_us / events, heap_kib / 1024);

    must(courier_stop(courier, COURIER_FINISH, 1000) == 0, "stop");
    courier_close(courier);
    destination_free(destination);
    sink_close(&sink);
    dead_close(dead);
    journal_close(journal);
    store_close(store);
    return 0;
}
