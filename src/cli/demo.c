/*
 * demo: a local Braze, a server and a shop's day, all in this process; then what arrived. Events
 * travel the real way: over HTTP into the server, through the journal, over HTTP to the sandbox.
 */
#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <yyjson.h>

#include "clock.h"
#include "commands.h"
#include "demo_events.h"
#include "jv.h"
#include "log.h"
#include "sandbox_server.h"
#include "server.h"

enum {
    DEMO_EVENTS_DEFAULT = 2000,
    DEMO_EVENTS_MAX = 10000000,
    DEMO_FIRST_EVENTS = 10, /* one visitor, sent alone so that a whole request fits on the screen */
    DEMO_WAIT_MS_MAX = 60000,
    DEMO_BODY_BYTES_MAX = 64 * 1024 * 1024,
    DEMO_POLL_MS = 20,
    DEMO_PROFILES_SHOWN = 5,
};

struct demo {
    const struct demo_args *args;
    uint64_t events;
    char dir[256];
    bool is_own_dir;
    struct sandbox_server *sandbox;
    struct server *server;
    pthread_t sandbox_thread;
    pthread_t server_thread;
    bool has_sandbox_thread;
    bool has_server_thread;
    CURL *curl;
    struct buf body;
    struct buf answer;
    uint64_t sent[DEMO_TYPES];
    uint64_t acknowledged;
    uint64_t settled_before; /* of an earlier demo with the same --data */
    int64_t started_us;
    int64_t finished_us;
};

static _Atomic bool is_interrupted;

static void on_interrupt(int number)
{
    (void)number;
    is_interrupted = true;
}

static void *run_sandbox(void *self)
{
    (void)!sandbox_server_run(self);
    return NULL;
}

static void *run_server(void *self)
{
    server_run(self);
    return NULL;
}

static int make_dir(struct demo *d, struct err *err)
{
    if (d->args->data != NULL) {
        snprintf(d->dir, sizeof(d->dir), "%s", d->args->data);
        return 0;
    }
    const char *base = getenv("TMPDIR");
    snprintf(d->dir, sizeof(d->dir), "%s/spelter-demo-XXXXXX", base == NULL ? "/tmp" : base);
    d->is_own_dir = mkdtemp(d->dir) != NULL;
    return d->is_own_dir ? 0 : err_set(err, -errno, 0, "%s: %s", d->dir, strerror(errno));
}

static void remove_dir(const struct demo *d)
{
    static const char *const files[] = {"data.mdb", "lock.mdb", "writer.lock", "spelter.lock"};
    if (!d->is_own_dir)
        return;
    for (size_t i = 0; i < countof(files); i++) {
        char path[512];
        snprintf(path, sizeof(path), "%s/%s", d->dir, files[i]);
        (void)unlink(path);
    }
    if (rmdir(d->dir) != 0)
        log_warn("demo: %s is left behind: %s", d->dir, strerror(errno));
}

static int start_sandbox(struct demo *d, struct err *err)
{
    const struct sandbox_options options = {.clock = clock_real(), .seed = 1};
    int rc = sandbox_server_open(&d->sandbox, STR("127.0.0.1:0"), &options, err);
    if (rc != 0)
        return rc;
    d->has_sandbox_thread = pthread_create(&d->sandbox_thread, NULL, run_sandbox, d->sandbox) == 0;
    return d->has_sandbox_thread ? 0 : err_set(err, -EAGAIN, 0, "no thread for the sandbox");
}

static int start_server(struct demo *d, struct err *err)
{
    struct server_options options = {.drain_ms_max = 5000};
    char text[1024];
    snprintf(text, sizeof(text),
             "listen: 127.0.0.1:0\ndata: \"%s\"\n"
             "sources:\n  - {id: shop, write_key: demo-write-key}\n"
             "destinations:\n  - id: braze\n    batch_wait: 100ms\n"
             "    settings: {api_key: " SANDBOX_API_KEY_DEFAULT
             ", app_id: demo-app, endpoint: \"http://%s\"}\n",
             d->dir, sandbox_server_address(d->sandbox));
    int rc = config_parse(&options.config, "demo", str_from(text), err);
    if (rc == 0)
        rc = server_open(&d->server, &options, err);
    if (rc != 0)
        return rc;
    d->settled_before = server_totals(d->server).settled;
    d->has_server_thread = pthread_create(&d->server_thread, NULL, run_server, d->server) == 0;
    return d->has_server_thread ? 0 : err_set(err, -EAGAIN, 0, "no thread for the server");
}

static void stop(struct demo *d)
{
    if (d->has_server_thread) {
        server_stop(d->server);
        pthread_join(d->server_thread, NULL);
    }
    server_close(d->server);
    if (d->has_sandbox_thread) {
        sandbox_server_stop(d->sandbox);
        pthread_join(d->sandbox_thread, NULL);
    }
    sandbox_server_close(d->sandbox);
    curl_easy_cleanup(d->curl);
    buf_fini(&d->body);
    buf_fini(&d->answer);
    remove_dir(d);
}

static size_t take_answer(char *bytes, size_t size, size_t count, void *self)
{
    struct buf *answer = self;
    buf_append(answer, (struct str){bytes, size * count});
    return answer->failed ? 0 : size * count;
}

/* GET, or POST when there is a body. The answer is in d->answer. */
static int call(struct demo *d, const char *address, const char *path, bool has_body,
                struct err *err)
{
    char url[512];
    long status = 0;
    snprintf(url, sizeof(url), "http://%s%s", address, path);
    curl_easy_reset(d->curl);
    curl_easy_setopt(d->curl, CURLOPT_URL, url);
    curl_easy_setopt(d->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(d->curl, CURLOPT_PROXY, "");
    curl_easy_setopt(d->curl, CURLOPT_WRITEFUNCTION, take_answer);
    curl_easy_setopt(d->curl, CURLOPT_WRITEDATA, &d->answer);
    curl_easy_setopt(d->curl, CURLOPT_USERPWD, "demo-write-key:");
    if (has_body) {
        curl_easy_setopt(d->curl, CURLOPT_POSTFIELDS, d->body.ptr);
        curl_easy_setopt(d->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)d->body.len);
    }
    buf_reset(&d->answer);
    CURLcode code = curl_easy_perform(d->curl);
    curl_easy_getinfo(d->curl, CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK)
        return err_set(err, -EIO, 0, "%s: %s", url, curl_easy_strerror(code));
    if (status != 200)
        return err_set(err, -EIO, 0, "%s answered %ld: %.*s", url, status,
                       (int)(d->answer.len < 100 ? d->answer.len : 100), d->answer.ptr);
    return 0;
}

static int send_batch(struct demo *d, uint64_t from, uint64_t count, struct err *err)
{
    int64_t now_ms = clock_now_ms(clock_real());
    buf_reset(&d->body);
    buf_append(&d->body, STR("{\"batch\":["));
    for (uint64_t i = from; i < from + count; i++) {
        if (i > from)
            buf_putc(&d->body, ',');
        d->sent[demo_event(&d->body, i, now_ms)]++;
    }
    char sent_at[ISO_TIME_BYTES];
    iso_time(sent_at, now_ms);
    buf_printf(&d->body, "],\"sentAt\":\"%.*s\"}", ISO_TIME_BYTES, sent_at);
    if (d->body.failed)
        return err_set(err, -ENOMEM, 0, "out of memory");
    int rc = call(d, server_address(d->server), "/v1/batch", true, err);
    d->acknowledged += rc == 0 ? count : 0;
    return rc;
}

static int wait_settled(struct demo *d, const char *what, struct err *err)
{
    int64_t deadline_us = monotonic_us() + DEMO_WAIT_MS_MAX * INT64_C(1000);
    uint64_t settled = server_totals(d->server).settled - d->settled_before;
    while (settled < d->acknowledged) {
        if (is_interrupted)
            return err_set(err, -EINTR, 0, "interrupted");
        if (monotonic_us() > deadline_us)
            return err_set(err, -ETIMEDOUT, 0, "%llu of %llu events were settled in %d s",
                           (unsigned long long)settled, (unsigned long long)d->acknowledged,
                           DEMO_WAIT_MS_MAX / 1000);
        if (what != NULL)
            show_progress(what, settled, d->acknowledged);
        usleep(DEMO_POLL_MS * 1000);
        settled = server_totals(d->server).settled - d->settled_before;
    }
    if (what != NULL)
        show_progress(what, settled, d->acknowledged);
    return 0;
}

/* The first visitor alone, so that there is one request that fits
 * on a screen; then everybody else. */
static int stream(struct demo *d, struct buf *first_request, struct err *err)
{
    uint64_t first = d->events < DEMO_FIRST_EVENTS ? d->events : DEMO_FIRST_EVENTS;
    int rc = send_batch(d, 0, first, err);
    if (rc == 0)
        rc = wait_settled(d, NULL, err);
    if (rc == 0)
        rc = call(d, sandbox_server_address(d->sandbox), "/sandbox/requests", false, err);
    buf_append(first_request, buf_str(&d->answer));
    d->started_us = monotonic_us();
    for (uint64_t from = first; rc == 0 && from < d->events; from += DEMO_BATCH_EVENTS) {
        uint64_t left = d->events - from;
        rc = is_interrupted
                 ? err_set(err, -EINTR, 0, "interrupted")
                 : send_batch(d, from, left < DEMO_BATCH_EVENTS ? left : DEMO_BATCH_EVENTS, err);
        if (from % (DEMO_BATCH_EVENTS * 16) == first % (DEMO_BATCH_EVENTS * 16))
            show_progress("sending", from, d->events);
    }
    if (rc == 0) {
        show_progress("sending", d->events, d->events);
        rc = wait_settled(d, "delivering", err);
    }
    d->finished_us = monotonic_us();
    return rc;
}

static void print_sent(const struct demo *d)
{
    static const char *const fates[DEMO_TYPES] = {
        [DEMO_IDENTIFY] = "profile attributes",     [DEMO_TRACK] = "custom and e-commerce events",
        [DEMO_ORDER] = "ecommerce.order_placed",    [DEMO_PAGE] = "kept; no preset sends it",
        [DEMO_SCREEN] = "kept; no preset sends it", [DEMO_GROUP] = "kept; no preset sends it",
        [DEMO_ALIAS] = "kept; no preset sends it",
    };
    printf("What came in\n");
    for (int i = 0; i < DEMO_TYPES; i++)
        printf("  %-16s %8llu  -> %s\n", demo_type_names[i], (unsigned long long)d->sent[i],
               fates[i]);
    printf("  %-16s %8llu  acknowledged after they were on disk\n\n", "all",
           (unsigned long long)d->acknowledged);
}

/* The first request's body, printed for people. */
static void print_request(const struct buf *answer)
{
    struct str text = buf_str(answer);
    yyjson_doc *doc = yyjson_read(text.ptr, text.len, 0);
    yyjson_val *requests = yyjson_obj_get(yyjson_doc_get_root(doc), "requests");
    yyjson_val *request = yyjson_arr_get_last(requests); /* newest first */
    yyjson_val *body = yyjson_obj_get(request, "body");
    if (yyjson_is_str(body)) {
        yyjson_doc *inner = yyjson_read(yyjson_get_str(body), yyjson_get_len(body), 0);
        char *pretty = yyjson_write(inner, YYJSON_WRITE_PRETTY_TWO_SPACES, NULL);
        printf("One of them in full: %s %s\n%s\n=> %lld %s\n\n",
               yyjson_get_str(yyjson_obj_get(request, "method")),
               yyjson_get_str(yyjson_obj_get(request, "path")), pretty == NULL ? "" : pretty,
               (long long)yyjson_get_sint(yyjson_obj_get(request, "status")),
               yyjson_get_str(yyjson_obj_get(request, "answer")));
        free(pretty);
        yyjson_doc_free(inner);
    }
    yyjson_doc_free(doc);
}

static long long number_of(yyjson_val *object, const char *key)
{
    return (long long)yyjson_get_num(yyjson_obj_get(object, key));
}

static const char *text_of(yyjson_val *object, const char *key)
{
    const char *text = yyjson_get_str(yyjson_obj_get(object, key));
    return text == NULL ? "" : text;
}

static void print_profiles(const struct demo *d, long long total)
{
    struct str text = buf_str(&d->answer);
    yyjson_doc *doc = yyjson_read(text.ptr, text.len, 0);
    yyjson_val *profiles = yyjson_obj_get(yyjson_doc_get_root(doc), "profiles");
    size_t i;
    size_t count;
    yyjson_val *profile;
    printf("Profiles in the sandbox: %lld, for instance\n", total);
    yyjson_arr_foreach(profiles, i, count, profile)
    {
        if (i == DEMO_PROFILES_SHOWN)
            break;
        yyjson_val *events = yyjson_obj_get(profile, "custom_events");
        printf(
            "  %-10s %-8s %-11s %-24s %-11s plan %-5s %zu kinds of events\n",
            text_of(profile, "external_id"), text_of(profile, "first_name"),
            text_of(profile, "last_name"), text_of(profile, "email"), text_of(profile, "home_city"),
            text_of(yyjson_obj_get(profile, "custom_attributes"), "plan"), yyjson_arr_size(events));
    }
    printf("\n");
    yyjson_doc_free(doc);
}

/* What the sandbox says it holds. */
struct arrived {
    long long requests;
    long long profiles;
    long long attributes;
    long long events;
    long long rejected;
};

static int ask_sandbox(struct demo *d, struct arrived *arrived, struct err *err)
{
    int rc = call(d, sandbox_server_address(d->sandbox), "/sandbox/stats", false, err);
    if (rc != 0)
        return rc;
    yyjson_doc *doc = yyjson_read(d->answer.ptr, d->answer.len, 0);
    yyjson_val *stats = yyjson_doc_get_root(doc);
    *arrived = (struct arrived){
        .requests = number_of(stats, "requests"),
        .profiles = number_of(stats, "profiles"),
        .attributes = number_of(stats, "attributes"),
        .events = number_of(stats, "events"),
        .rejected = number_of(stats, "objects_rejected"),
    };
    yyjson_doc_free(doc);
    return 0;
}

/* Every identify is one profile object, every track call one event:
 * the sandbox must hold exactly these. */
static int print_verdict(const struct demo *d, const struct arrived *arrived, struct err *err)
{
    long long attributes = (long long)d->sent[DEMO_IDENTIFY];
    long long events = (long long)(d->sent[DEMO_TRACK] + d->sent[DEMO_ORDER]);
    if (arrived->attributes != attributes || arrived->events != events)
        return err_set(
            err, -EIO, 0,
            "expected %lld profile objects and %lld events in the sandbox, found %lld and %lld",
            attributes, events, arrived->attributes, arrived->events);
    printf(
        "Expected %lld profile objects and %lld events in the sandbox, found each exactly once.\n",
        attributes, events);
    return 0;
}

static int print_summary(struct demo *d, const struct buf *first_request, struct err *err)
{
    struct server_totals totals = server_totals(d->server);
    double seconds = (double)(d->finished_us - d->started_us) / 1e6;
    print_sent(d);
    struct arrived arrived;
    int rc = ask_sandbox(d, &arrived, err);
    if (rc != 0)
        return rc;
    printf("What went out\n  %lld requests to /users/track with %lld profile objects and %lld "
           "events; %lld objects "
           "refused, %llu dead letters\n\n",
           arrived.requests, arrived.attributes, arrived.events, arrived.rejected,
           (unsigned long long)totals.dead);
    print_request(first_request);
    rc = call(d, sandbox_server_address(d->sandbox), "/sandbox/profiles", false, err);
    if (rc != 0)
        return rc;
    print_profiles(d, arrived.profiles);
    printf("%llu events in %.2f s. From arrival to delivery: half within %.0f ms, 99 %% within "
           "%.0f ms (a batch waits up "
           "to 100 ms to fill).\n",
           (unsigned long long)d->acknowledged, seconds, (double)totals.delivery_p50_us / 1e3,
           (double)totals.delivery_p99_us / 1e3);
    return print_verdict(d, &arrived, err);
}

static void stay(const struct demo *d)
{
    printf("\nThe server listens on http://%s (write key demo-write-key), the sandbox on "
           "http://%s/sandbox.\n"
           "Ctrl-C ends both.\n",
           server_address(d->server), sandbox_server_address(d->sandbox));
    fflush(stdout);
    while (!is_interrupted)
        pause();
}

static int run_all(struct demo *d, struct err *err)
{
    struct buf first_request;
    buf_init(&first_request, DEMO_BODY_BYTES_MAX);
    int rc = make_dir(d, err);
    if (rc == 0)
        rc = start_sandbox(d, err);
    if (rc == 0)
        rc = start_server(d, err);
    if (rc == 0) {
        printf("spelter demo: a server on http://%s delivers to a sandbox on http://%s\n\n",
               server_address(d->server), sandbox_server_address(d->sandbox));
        fflush(stdout);
        rc = stream(d, &first_request, err);
    }
    if (rc == 0)
        rc = print_summary(d, &first_request, err);
    if (rc == 0 && d->args->keep)
        stay(d);
    buf_fini(&first_request);
    return rc;
}

int demo_run(const void *arguments, int operand_count, char **operands)
{
    struct demo d = {.args = arguments};
    struct err err = {0};
    const struct sigaction interrupt = {.sa_handler = on_interrupt};
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    (void)operand_count;
    (void)operands;
    d.events = d.args->events > 0 ? (uint64_t)d.args->events : DEMO_EVENTS_DEFAULT;
    if (d.events > DEMO_EVENTS_MAX)
        return complain(EXIT_USER, "demo: --events is at most %d", DEMO_EVENTS_MAX);
    sigaction(SIGINT, &interrupt, NULL);
    sigaction(SIGTERM, &interrupt, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
    buf_init(&d.body, DEMO_BODY_BYTES_MAX);
    buf_init(&d.answer, DEMO_BODY_BYTES_MAX);
    d.curl = curl_easy_init();
    int rc = d.curl == NULL ? err_set(&err, -ENOMEM, 0, "curl does not start") : run_all(&d, &err);
    stop(&d);
    return rc == 0 ? EXIT_DONE : complain(EXIT_ENVIRONMENT, "demo: %s", err.msg);
}
