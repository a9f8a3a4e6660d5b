/*
 * The whole program, as a user runs it: `bench_end_to_end [PROGRAM]` starts
 * build/spelter processes and loads them.
 *
 *   ingest      durable requests a second, one event each, beside bare libmicrohttpd answering the
 * same requests batches     durable events a second in batches of 100, one event in flight for each
 * of 16 connections delivered   events a second from a client's batches into the sandbox, with the
 * server's peak memory
 */
#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bare.h"
#include "clock.h"
#include "jv.h"
#include "load.h"

enum {
    SINGLE_REQUESTS = 200000,
    SINGLE_CONNECTIONS = 64,
    BATCH_EVENTS = 100,
    BATCH_REQUESTS = 10000,
    BATCH_CONNECTIONS = 16,
    DRAIN_MS_MAX = 120000,
    USERS = 50000,
};

static const char *program = "build/spelter";
static char folder[] = "/tmp/spelter-bench-XXXXXX";

static void die(const char *what)
{
    fprintf(stderr, "bench_end_to_end: %s\n", what);
    exit(2);
}

struct process {
    pid_t pid;
    char address[64];
};

/* Reads the child's output until the address it listens on appears. */
static void wait_for_address(struct process *p, FILE *out, const char *mark)
{
    char line[1024];
    while (fgets(line, sizeof(line), out) != NULL) {
        const char *at = strstr(line, mark);
        if (at == NULL)
            continue;
        snprintf(p->address, sizeof(p->address), "%.*s", (int)strcspn(at + strlen(mark), "\" \n"),
                 at + strlen(mark));
        return;
    }
    die("a process ended before it listened");
}

static struct process start(char *const argv[], int output, const char *mark)
{
    struct process p = {0};
    int ends[2];
    if (pipe(ends) != 0)
        die("no pipe");
    p.pid = fork();
    if (p.pid == 0) {
        dup2(ends[1], output);
        close(ends[0]);
        execv(program, argv);
        _exit(127);
    }
    close(ends[1]);
    FILE *out = fdopen(ends[0], "r");
    wait_for_address(&p, out, mark); /* the pipe stays open for what the process says later */
    return p;
}

static void stop(struct process *p)
{
    kill(p->pid, SIGTERM);
    waitpid(p->pid, NULL, 0);
}

/* "VmHWM" and the like of /proc/PID/status, in KiB. */
static long status_kib(const struct process *p, const char *key)
{
    char path[64];
    char line[256];
    long kib = 0;
    snprintf(path, sizeof(path), "/proc/%d/status", p->pid);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL)
        if (strncmp(line, key, strlen(key)) == 0)
            kib = strtol(line + strlen(key) + 1, NULL, 10);
    if (file != NULL)
        fclose(file);
    return kib;
}

static struct process start_server(const char *name, const char *destinations)
{
    char config[256];
    snprintf(config, sizeof(config), "%s/%s.yaml", folder, name);
    FILE *file = fopen(config, "w");
    if (file == NULL)
        die("cannot write a config");
    fprintf(file, "listen: 127.0.0.1:0\ndata: \"%s/%s\"\nsources: [{id: web, write_key: WK}]\n%s",
            folder, name, destinations);
    fclose(file);
    char *const argv[] = {(char *)(uintptr_t)program, (char *)(uintptr_t) "run",
                          (char *)(uintptr_t) "-c", config, NULL};
    return start(argv, STDERR_FILENO, "listens on http://");
}

/* About 500 bytes, as a server SDK sends them. */
static void put_event(struct buf *out, uint64_t number)
{
    buf_printf(out,
               "{\"timestamp\":\"2026-11-22T02:48:36.102Z\",\"integrations\":{},\"event\":"
               "\"Product Clicked\",\"type\":\"track\","
               "\"properties\":{\"product_id\":\"sku-%llu\",\"name\":\"Spelter "
               "rod\",\"price\":19.95,\"quantity\":2,"
               "\"category\":\"welding\",\"position\":%llu,\"url\":\"https://forge.example/p/"
               "%llu\",\"in_stock\":true},"
               "\"context\":{\"library\":{\"name\":\"@segment/"
               "analytics-node\",\"version\":\"3.1.0\"},\"locale\":\"en-GB\"},"
               "\"userId\":\"user-%llu\",\"messageId\":\"node-next-1795315716102-%016llx\",\"_"
               "metadata\":{\"nodeVersion\":"
               "\"v20.20.2\"}}",
               (unsigned long long)(number % 1000), (unsigned long long)(number % 40),
               (unsigned long long)(number % 1000), (unsigned long long)(number % USERS),
               (unsigned long long)number);
}

static void single_body(void *self, uint64_t number, struct buf *out)
{
    (void)self;
    put_event(out, number);
}

static void batch_body(void *self, uint64_t number, struct buf *out)
{
    (void)self;
    buf_append(out, STR("{\"batch\":["));
    for (uint64_t i = 0; i < BATCH_EVENTS; i++) {
        if (i > 0)
            buf_putc(out, ',');
        put_event(out, number * BATCH_EVENTS + i);
    }
    buf_append(out, STR("],\"sentAt\":\"2026-11-22T02:48:36.110Z\"}"));
}

static struct load_result load(const char *address, bool in_batches)
{
    const struct load_options options = {
        .address = address,
        .path = in_batches ? "/v1/batch" : "/v1/track",
        .headers = "Content-Type: application/json\r\nAuthorization: Basic V0s6\r\n",
        .connections = in_batches ? BATCH_CONNECTIONS : SINGLE_CONNECTIONS,
        .requests = in_batches ? BATCH_REQUESTS : SINGLE_REQUESTS,
        .body = in_batches ? batch_body : single_body,
    };
    struct load_result result;
    struct err err = {0};
    if (load_run(&result, &options, &err) != 0)
        die(err.msg);
    if (result.by_class[2] != options.requests)
        die("not every request was answered with 200");
    return result;
}

static double report_ingest(const char *name, const struct load_result *result, unsigned events,
                            double yardstick)
{
    double rate = load_rate(result);
    printf("{\"bench\":\"end_to_end\",\"case\":\"%s\",\"requests_per_s\":%.0f,\"events_per_s\":%."
           "0f,\"p50_us\":%lld,"
           "\"p99_us\":%lld,\"ratio_to_bare\":%.3f}\n",
           name, rate, rate * events, (long long)histogram_quantile_us(&result->latency, 0.5),
           (long long)histogram_quantile_us(&result->latency, 0.99),
           yardstick == 0 ? 1 : rate / yardstick);
    fflush(stdout);
    return rate;
}

static void bench_ingest(bool in_batches)
{
    struct bare *bare = bare_open();
    struct load_result result = load(bare_address(bare), in_batches);
    unsigned events = in_batches ? BATCH_EVENTS : 1;
    double yardstick =
        report_ingest(in_batches ? "batches, bare" : "ingest, bare", &result, events, 0);
    bare_close(bare);
    struct process server = start_server(in_batches ? "batches" : "ingest", "destinations: []\n");
    result = load(server.address, in_batches);
    report_ingest(in_batches ? "batches, durable" : "ingest, durable", &result, events, yardstick);
    stop(&server);
}

/* One GET; the body's text lives in `out`. */
static void get(const char *address, const char *path, struct buf *out)
{
    char command[256];
    char block[4096];
    size_t got;
    snprintf(command, sizeof(command), "curl -s http://%s%s", address, path);
    FILE *pipe_ = popen(command, "r");
    buf_reset(out);
    while (pipe_ != NULL && (got = fread(block, 1, sizeof(block), pipe_)) > 0)
        buf_append(out, (struct str){block, got});
    if (pipe_ == NULL || pclose(pipe_) != 0)
        die("curl failed");
}

static uint64_t sandbox_events(const char *address, struct arena *a, struct buf *text)
{
    struct jv stats;
    get(address, "/sandbox/stats", text);
    arena_reset(a);
    if (jv_parse(&stats, a, buf_str(text), JV_EXACT, NULL) != 0)
        die("the sandbox's stats are no JSON");
    return (uint64_t)jv_as_double(jv_get(stats, STR("events")));
}

static void bench_delivered(void)
{
    char *const sandbox_argv[] = {(char *)(uintptr_t)program,
                                  (char *)(uintptr_t) "sandbox",
                                  (char *)(uintptr_t) "--listen",
                                  (char *)(uintptr_t) "127.0.0.1:0",
                                  (char *)(uintptr_t) "--no-limits",
                                  (char *)(uintptr_t) "--json",
                                  NULL};
    struct process sandbox = start(sandbox_argv, STDOUT_FILENO, "\"address\":\"");
    char destinations[512];
    snprintf(destinations, sizeof(destinations),
             "destinations:\n  - id: braze\n    rate_limit: 1000000/1s\n    settings: {api_key: "
             "sandbox-key, app_id: app, endpoint: "
             "\"http://%s\"}\n",
             sandbox.address);
    struct process server = start_server("delivered", destinations);
    const uint64_t expected = (uint64_t)BATCH_REQUESTS * BATCH_EVENTS;
    struct arena arena;
    struct buf text;
    arena_init(&arena, 1 << 24);
    buf_init(&text, 1 << 24);

    int64_t started_us = monotonic_us();
    struct load_result result = load(server.address, true);
    int64_t deadline_us = monotonic_us() + DRAIN_MS_MAX * INT64_C(1000);
    uint64_t arrived;
    while ((arrived = sandbox_events(sandbox.address, &arena, &text)) < expected) {
        if (monotonic_us() > deadline_us)
            die("not every event arrived in time");
        usleep(20000);
    }
    double seconds = (double)(monotonic_us() - started_us) / 1e6;
    printf("{\"bench\":\"end_to_end\",\"case\":\"delivered\",\"events\":%llu,\"arrived\":%llu,"
           "\"seconds\":%.2f,"
           "\"events_per_s\":%.0f,\"acknowledged_per_s\":%.0f,\"server_peak_kib\":%ld,\"server_"
           "anon_kib\":%ld}\n",
           (unsigned long long)expected, (unsigned long long)arrived, seconds,
           (double)expected / seconds, load_rate(&result) * BATCH_EVENTS,
           status_kib(&server, "VmHWM:"), status_kib(&server, "RssAnon:"));
    fflush(stdout);
    buf_fini(&text);
    arena_fini(&arena);
    stop(&server);
    stop(&sandbox);
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status;
    (void)kind;
    (void)where;
    return remove(path);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        program = argv[1];
    if (mkdtemp(folder) == NULL)
        die("no temporary folder");
    bench_ingest(false);
    bench_ingest(true);
    bench_delivered();
    nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    return 0;
}
