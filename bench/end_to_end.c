/*
 * The whole program, as a user runs it: `bench_end_to_end [--case NAME] [--connections N]
 * [--backlog N] [PROGRAM]` starts build/spelter processes and loads them.
 *
 *   ingest     durable requests a second, one event each, beside bare libmicrohttpd answering the
 *              same requests, on --connections of them (64)
 *   batches    durable events a second in batches of 100, on 16 connections
 *   delivered  events a second from a client's batches into the sandbox, with the server's peak
 *              memory
 *   backlog    only with --backlog: N events are acknowledged while the sandbox is down, the server
 *              is started again with them, the sandbox comes up, and everything is delivered
 */
#include <errno.h>
#include <ftw.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
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
    STALLED_MS_MAX = 120000, /* nothing arrived for so long: it never will */
    MEMORY_EVERY_US = 20000,
    ARRIVED_EVERY_US = 100000, /* a look starts a curl, which takes its share of the two cores */
    USERS = 50000,
};

static const char *program = "build/spelter";
static char folder[256];
static unsigned single_connections = SINGLE_CONNECTIONS;

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

/* The kernel remembers the peak of all resident memory, but not of its parts. */
struct watch {
    const struct process *process;
    pthread_t thread;
    _Atomic bool is_over;
    long anon_kib;
    long file_kib;
};

static void *watch_loop(void *self)
{
    struct watch *w = self;
    while (!w->is_over) {
        const long anon_kib = status_kib(w->process, "RssAnon:");
        const long file_kib = status_kib(w->process, "RssFile:");
        w->anon_kib = anon_kib > w->anon_kib ? anon_kib : w->anon_kib;
        w->file_kib = file_kib > w->file_kib ? file_kib : w->file_kib;
        usleep(MEMORY_EVERY_US);
    }
    return NULL;
}

static void watch_start(struct watch *w, const struct process *p)
{
    *w = (struct watch){.process = p};
    if (pthread_create(&w->thread, NULL, watch_loop, w) != 0)
        die("no thread");
}

static void watch_stop(struct watch *w)
{
    w->is_over = true;
    pthread_join(w->thread, NULL);
}

static struct process start_server(const char *name, const char *destinations)
{
    char config[512];
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

static struct load_result load(const char *address, bool in_batches, uint64_t requests)
{
    const struct load_options options = {
        .address = address,
        .path = in_batches ? "/v1/batch" : "/v1/track",
        .headers = "Content-Type: application/json\r\nAuthorization: Basic V0s6\r\n",
        .connections = in_batches ? BATCH_CONNECTIONS : single_connections,
        .requests = requests,
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
    const uint64_t requests = in_batches ? BATCH_REQUESTS : SINGLE_REQUESTS;
    struct bare *bare = bare_open();
    struct load_result result = load(bare_address(bare), in_batches, requests);
    unsigned events = in_batches ? BATCH_EVENTS : 1;
    double yardstick =
        report_ingest(in_batches ? "batches, bare" : "ingest, bare", &result, events, 0);
    bare_close(bare);
    struct process server = start_server(in_batches ? "batches" : "ingest", "destinations: []\n");
    result = load(server.address, in_batches, requests);
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

/* `address` is NULL for any free port. */
static struct process start_sandbox(const char *address)
{
    char *const argv[] = {(char *)(uintptr_t)program,
                          (char *)(uintptr_t) "sandbox",
                          (char *)(uintptr_t) "--listen",
                          (char *)(uintptr_t)(address == NULL ? "127.0.0.1:0" : address),
                          (char *)(uintptr_t) "--no-limits",
                          (char *)(uintptr_t) "--json",
                          NULL};
    return start(argv, STDOUT_FILENO, "\"address\":\"");
}

static struct process start_delivering_server(const char *name, const char *sandbox_address)
{
    char destinations[512];
    snprintf(destinations, sizeof(destinations),
             "destinations:\n  - id: braze\n    rate_limit: 1000000/1s\n    settings: {api_key: "
             "sandbox-key, app_id: app, endpoint: \"http://%s\"}\n",
             sandbox_address);
    return start_server(name, destinations);
}

/* Returns how many arrived: `expected` or, after a crash, a few more. */
static uint64_t wait_for_events(const struct process *sandbox, uint64_t expected)
{
    struct arena arena;
    struct buf text;
    uint64_t arrived = 0;
    int64_t deadline_us = 0;
    arena_init(&arena, 1 << 24);
    buf_init(&text, 1 << 24);
    while (arrived < expected) {
        const uint64_t now = sandbox_events(sandbox->address, &arena, &text);
        if (now > arrived || deadline_us == 0)
            deadline_us = monotonic_us() + STALLED_MS_MAX * INT64_C(1000);
        if (monotonic_us() > deadline_us)
            die("not every event arrived in time");
        arrived = now;
        usleep(ARRIVED_EVERY_US);
    }
    buf_fini(&text);
    arena_fini(&arena);
    return arrived;
}

static void print_memory(const struct process *server, const struct watch *watch)
{
    printf("\"server_peak_kib\":%ld,\"server_peak_anon_kib\":%ld,\"server_peak_file_kib\":%ld}\n",
           status_kib(server, "VmHWM:"), watch->anon_kib, watch->file_kib);
    fflush(stdout);
}

static void bench_delivered(void)
{
    struct process sandbox = start_sandbox(NULL);
    struct process server = start_delivering_server("delivered", sandbox.address);
    struct watch watch;
    watch_start(&watch, &server);
    const uint64_t expected = (uint64_t)BATCH_REQUESTS * BATCH_EVENTS;
    const int64_t started_us = monotonic_us();
    struct load_result result = load(server.address, true, BATCH_REQUESTS);
    const uint64_t arrived = wait_for_events(&sandbox, expected);
    const double seconds = (double)(monotonic_us() - started_us) / 1e6;
    watch_stop(&watch);
    printf("{\"bench\":\"end_to_end\",\"case\":\"delivered\",\"events\":%" PRIu64
           ",\"arrived\":%" PRIu64 ",\"seconds\":%.2f,\"events_per_s\":%.0f,"
           "\"acknowledged_per_s\":%.0f,",
           expected, arrived, seconds, (double)expected / seconds,
           load_rate(&result) * BATCH_EVENTS);
    print_memory(&server, &watch);
    stop(&server);
    stop(&sandbox);
}

static double data_mib(const char *name)
{
    char path[512];
    struct stat status;
    snprintf(path, sizeof(path), "%s/%s/data.mdb", folder, name);
    return stat(path, &status) == 0 ? (double)status.st_size / (1 << 20) : 0;
}

static void bench_backlog(uint64_t events)
{
    const uint64_t requests = (events + BATCH_EVENTS - 1) / BATCH_EVENTS;
    struct watch watch;
    struct process sandbox = start_sandbox(NULL);
    stop(&sandbox); /* its port is free again, and nobody answers there */
    struct process server = start_delivering_server("backlog", sandbox.address);
    watch_start(&watch, &server);
    struct load_result result = load(server.address, true, requests);
    watch_stop(&watch);
    printf("{\"bench\":\"end_to_end\",\"case\":\"backlog, in\",\"events\":%" PRIu64
           ",\"acknowledged_per_s\":%.0f,\"file_mib\":%.0f,",
           requests * BATCH_EVENTS, load_rate(&result) * BATCH_EVENTS, data_mib("backlog"));
    print_memory(&server, &watch);
    stop(&server);

    const int64_t restarted_us = monotonic_us();
    server = start_delivering_server("backlog", sandbox.address);
    const int64_t listening_us = monotonic_us();
    watch_start(&watch, &server);
    sandbox = start_sandbox(sandbox.address);
    const int64_t started_us = monotonic_us();
    const uint64_t arrived = wait_for_events(&sandbox, requests * BATCH_EVENTS);
    const double seconds = (double)(monotonic_us() - started_us) / 1e6;
    watch_stop(&watch);
    printf("{\"bench\":\"end_to_end\",\"case\":\"backlog, out\",\"restart_ms\":%.0f,"
           "\"arrived\":%" PRIu64 ",\"seconds\":%.2f,\"events_per_s\":%.0f,\"file_mib\":%.0f,",
           (double)(listening_us - restarted_us) / 1e3, arrived, seconds, (double)arrived / seconds,
           data_mib("backlog"));
    print_memory(&server, &watch);
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

static bool is_wanted(const char *asked, const char *name)
{
    return asked == NULL || strcmp(asked, name) == 0;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"case", required_argument, NULL, 'c'},
        {"backlog", required_argument, NULL, 'b'},
        {"connections", required_argument, NULL, 'n'},
        {NULL, 0, NULL, 0},
    };
    const char *only = NULL;
    uint64_t backlog = 0;
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'c')
            only = optarg;
        else if (option == 'b')
            backlog = strtoull(optarg, NULL, 10);
        else if (option == 'n')
            single_connections = (unsigned)strtoul(optarg, NULL, 10);
        else
            die("usage: bench_end_to_end [--case NAME] [--connections N] [--backlog N] [PROGRAM]");
    }
    if (optind < argc)
        program = argv[optind];
    const char *base = getenv("TMPDIR");
    snprintf(folder, sizeof(folder), "%s/spelter-bench-XXXXXX", base == NULL ? "/tmp" : base);
    if (mkdtemp(folder) == NULL)
        die("no temporary folder");
    if (is_wanted(only, "ingest"))
        bench_ingest(false);
    if (is_wanted(only, "batches"))
        bench_ingest(true);
    if (is_wanted(only, "delivered"))
        bench_delivered();
    if (backlog > 0 && is_wanted(only, "backlog"))
        bench_backlog(backlog);
    nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    return 0;
}
