#include "server.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "bounds.h"
#include "clock.h"
#include "control.h"
#include "couriers.h"
#include "group.h"
#include "letters.h"
#include "log.h"
#include "places.h"
#include "routes.h"
#include "trim.h"

enum {
    TOTALS_COURIERS_MAX = 64,
    CANDIDATE_BODY_BYTES_MIN =
        64 * 1024, /* a gzip body may be as long as what it holds, and a little more */
};

struct server {
    struct server_options options;
    struct config *config; /* the reloader's, once it runs */
    struct store *store;
    struct journal *journal;
    struct dead *dead;
    struct dedupe *dedupe;
    struct http_server *http;
    struct groups *groups;
    struct couriers *couriers;
    struct routes *routes;
    struct trimmer *trimmer;
    struct control *control; /* the reloader's; NULL when there can be none */

    pthread_t reloader;
    bool has_reloader;
    int reload_fd; /* an eventfd: counts reloads asked for */
    _Atomic bool is_stopping;
};

static void on_request(void *self, struct http_request *request)
{
    struct server *s = self;
    routes_on_request(s->routes, request);
}

static void on_refusal(void *self, enum http_refusal why, const char *text, struct arena *a,
                       unsigned *status, struct str *body)
{
    struct server *s = self;
    routes_on_refusal(s->routes, why, text, a, status, body);
}

static void on_gone(void *self, struct http_request *request)
{
    struct server *s = self;
    group_forget(s->groups, request);
}

static int make_sources(struct sources **out, const struct config_values *values)
{
    struct source *list = calloc(values->source_count + 1, sizeof(*list));
    if (list == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < values->source_count; i++)
        list[i] = (struct source){values->sources[i].id, values->sources[i].write_key,
                                  values->sources[i].enabled};
    int rc = sources_new(out, list, values->source_count);
    free(list);
    return rc;
}

static int open_data(struct server *s, struct err *err)
{
    const struct config_values *values = config_values(s->config);
    char dir[4096];
    snprintf(dir, sizeof(dir), "%.*s", STR_ARG(values->data));
    const struct store_options options = {.dir = dir,
                                          .bytes_max = (uint64_t)values->journal.size_bytes};
    int rc = store_open(&s->store, &options, err);
    if (rc == 0)
        rc = journal_open(&s->journal, s->store, err);
    if (rc == 0)
        rc = dead_open(&s->dead, s->store, err);
    if (rc == 0 && values->limits.dedupe_messages > 0)
        rc = dedupe_open(&s->dedupe, s->store, (uint32_t)values->limits.dedupe_messages,
                         clock_now_ms(clock_real()), err);
    if (rc == 0 && trimmer_open(&s->trimmer, s->store, s->journal, values->journal.keep_ms) != 0)
        rc = err_set(err, -ENOMEM, 0, "out of memory");
    return rc;
}

/* A server without it delivers as well as one with it. */
static void open_control(struct server *s)
{
    char dir[4096];
    struct err err = {0};
    snprintf(dir, sizeof(dir), "%.*s", STR_ARG(config_values(s->config)->data));
    if (control_open(&s->control, dir, &err) != 0)
        log_warn("'spelter destination forget', 'dead retry' and 'dead drop' work only while this "
                 "server is stopped: %s",
                 err.msg);
}

static int open_listener(struct server *s, struct err *err)
{
    const struct config_values *values = config_values(s->config);
    const struct http_options options = {
        .listen = values->listen,
        .body_bytes_max = (size_t)values->limits.batch_bytes + CANDIDATE_BODY_BYTES_MIN,
        .inflated_bytes_max = (size_t)values->limits.batch_bytes,
        .memory_bytes_max = (size_t)values->limits.request_memory_bytes,
        .connections_max = (unsigned)values->limits.connections,
        .idle_timeout_s = (unsigned)(values->limits.idle_timeout_ms / 1000),
        .on_request = on_request,
        .on_refusal = on_refusal,
        .on_gone = on_gone,
        .self = s,
    };
    return http_open(&s->http, &options, err);
}

static int open_routes(struct server *s, struct err *err)
{
    const struct config_values *values = config_values(s->config);
    const struct groups_options groups = {
        .store = s->store,
        .journal = s->journal,
        .dead = s->dead,
        .dedupe = s->dedupe,
        .http = s->http,
        .clock = clock_real(),
    };
    struct sources *sources;
    int rc = groups_open(&s->groups, &groups);
    if (rc == 0)
        rc = make_sources(&sources, values);
    if (rc == 0) {
        const struct routes_options routes = {
            .groups = s->groups,
            .dedupe = s->dedupe,
            .couriers = s->couriers,
            .store = s->store,
            .journal = s->journal,
            .clock = clock_real(),
            .segment = {.event_bytes_max = (size_t)values->limits.event_bytes,
                        .batch_bytes_max = (size_t)values->limits.batch_bytes,
                        .accept_unknown_keys = values->accept_unknown_keys},
        };
        rc = routes_open(&s->routes, &routes, sources);
    }
    return rc == 0 ? 0 : err_set(err, rc, 0, "out of memory");
}

/* The address first: a port in use is the likeliest trouble, and nothing has been started then. */
static int open_parts(struct server *s, struct err *err)
{
    int rc = open_listener(s, err);
    if (rc == 0)
        rc = open_data(s, err);
    if (rc != 0)
        return rc;
    const struct couriers_options options = {s->store, s->journal, s->dead};
    rc = couriers_open(&s->couriers, &options, s->config, err);
    if (rc == 0)
        rc = open_routes(s, err);
    if (rc != 0)
        return rc;
    open_control(s);
    places_warn(s->store, s->journal, s->config);
    return 0;
}

int server_open(struct server **out, const struct server_options *options, struct err *err)
{
    *out = NULL;
    struct server *s = calloc(1, sizeof(*s));
    if (s == NULL) {
        config_free(options->config);
        return err_set(err, -ENOMEM, 0, "out of memory");
    }
    s->options = *options;
    s->config = options->config;
    s->reload_fd = eventfd(0, EFD_CLOEXEC);
    int rc = s->reload_fd < 0
                 ? err_set(err, -errno, 0, "cannot open an event descriptor: %s", strerror(errno))
                 : open_parts(s, err);
    if (rc != 0) {
        server_close(s);
        return rc;
    }
    *out = s;
    return 0;
}

void server_close(struct server *s)
{
    if (s == NULL)
        return;
    if (s->couriers != NULL)
        couriers_stop(s->couriers, 0);
    groups_close(s->groups);
    http_close(s->http);
    routes_close(s->routes);
    couriers_close(s->couriers);
    control_close(s->control);
    trimmer_close(s->trimmer);
    dedupe_close(s->dedupe);
    dead_close(s->dead);
    journal_close(s->journal);
    store_close(s->store);
    config_free(s->config);
    if (s->reload_fd >= 0)
        close(s->reload_fd);
    free(s);
}

static void warn_restart(const struct config_values *old, const struct config_values *new)
{
    if (!str_eq(old->listen, new->listen) || !str_eq(old->data, new->data) ||
        old->journal.size_bytes != new->journal.size_bytes ||
        old->journal.keep_ms != new->journal.keep_ms ||
        memcmp(&old->limits, &new->limits, sizeof(old->limits)) != 0 ||
        old->accept_unknown_keys != new->accept_unknown_keys)
        log_warn("reload: listen, data, journal, limits and unknown_key_accept change only with a "
                 "restart");
}

static void reload(struct server *s)
{
    struct config *next = NULL;
    struct sources *sources = NULL;
    struct err err = {0};
    int rc = config_read(&next, s->options.config_path, &err);
    if (rc == 0) {
        rc = make_sources(&sources, config_values(next));
        if (rc != 0)
            err_set(&err, rc, 0, "out of memory");
    }
    if (rc == 0)
        rc = couriers_reload(s->couriers, s->config, next, &err);
    if (rc != 0) {
        log_error("reload refused, the old config stays: %s", err.msg);
        sources_free(sources);
        config_free(next);
        return;
    }
    for (size_t i = 0; i < config_warning_count(next); i++)
        log_warn("%s", config_warning(next, i));
    warn_restart(config_values(s->config), config_values(next));
    routes_set_sources(s->routes, sources);
    http_wake(s->http);
    config_free(s->config);
    s->config = next;
    log_info("reload: %s is in use now", s->options.config_path);
    places_warn(s->store, s->journal, s->config);
}

static int forget(void *self, struct str id, struct err *err)
{
    struct server *s = self;
    int rc = places_forget(s->store, s->config, id, err);
    if (rc == 0)
        log_info("%.*s: forgotten, as asked; its place holds no events any more", STR_ARG(id));
    return rc;
}

static int apply_letters(void *self, const struct letters_request *request,
                         struct letters_result *result, struct err *err)
{
    struct server *s = self;
    const struct letters_options options = {
        .store = s->store,
        .journal = s->journal,
        .dead = s->dead,
        .config = s->config,
        .clock = clock_real(),
    };
    int rc = letters_apply(&options, request, result, err);
    if (request->deed == LETTERS_DROP && result->letters > 0)
        log_info("%llu dead letter%s dropped, as asked", (unsigned long long)result->letters,
                 result->letters == 1 ? "" : "s");
    if (request->deed == LETTERS_RETRY && result->letters > 0) {
        couriers_count_retried(s->couriers, request->destination, result->letters);
        log_info("%.*s: %llu event%s sent again, as asked; %llu dead letter%s gone",
                 STR_ARG(request->destination), (unsigned long long)result->events,
                 result->events == 1 ? " is" : "s are", (unsigned long long)result->letters,
                 result->letters == 1 ? " is" : "s are");
    }
    return rc;
}

/* Reading a config, compiling it and waiting for couriers takes time that the listener does not
 * have. Commands over the control socket are heard here as well, so the config is the one in
 * use, and one comes after the other. */
static void *reloader_main(void *self)
{
    struct server *s = self;
    struct pollfd asked[] = {
        {.fd = s->reload_fd, .events = POLLIN},
        {.fd = s->control == NULL ? -1 : control_fd(s->control), .events = POLLIN},
    };
    const struct control_handlers handlers = {
        .forget = forget, .letters = apply_letters, .self = s};
    uint64_t count;
    pthread_setname_np(pthread_self(), "reloader");
    while (poll(asked, countof(asked), -1) > 0 || errno == EINTR) {
        bool wants_reload = asked[0].revents != 0 && read(s->reload_fd, &count, sizeof(count)) > 0;
        if (atomic_load(&s->is_stopping))
            break;
        if (wants_reload && s->options.config_path != NULL)
            reload(s);
        if (asked[1].revents != 0)
            control_serve(s->control, &handlers);
    }
    return NULL;
}

void server_wake_reload(struct server *s)
{
    const uint64_t one = 1;
    (void)!write(s->reload_fd, &one, sizeof(one)); /* full means that one is waiting already */
}

static void server_loop(struct server *s)
{
    while (!atomic_load(&s->is_stopping)) {
        const int64_t now_ms = clock_now_ms(clock_real());
        /* Requests join the open group, which goes to the committer; groups that are on disk get
         * their 200s: never before. */
        http_poll(s->http, trimmer_tick(s->trimmer, now_ms));
        groups_submit(s->groups);
        groups_answer(s->groups);
    }
}

/* Requests that are being answered get their answer; clients that are
 * still sending see the connection close. */
static void drain_listener(struct server *s, int64_t deadline_us)
{
    http_stop_listening(s->http);
    while (monotonic_us() < deadline_us && (!groups_idle(s->groups) || http_pending(s->http) > 0)) {
        groups_submit(s->groups);
        http_poll(s->http, 10);
        groups_answer(s->groups);
    }
}

void server_run(struct server *s)
{
    pthread_setname_np(pthread_self(), "listener");
    s->has_reloader = pthread_create(&s->reloader, NULL, reloader_main, s) == 0;
    if (!s->has_reloader)
        log_warn("no thread for reloads: SIGHUP does nothing");
    server_loop(s);
    int64_t deadline_us = monotonic_us() + s->options.drain_ms_max * 1000;
    drain_listener(s, deadline_us);
    if (s->has_reloader) {
        server_wake_reload(s);
        pthread_join(s->reloader, NULL);
    }
    int64_t left_ms = (deadline_us - monotonic_us()) / 1000;
    couriers_stop(s->couriers, left_ms > 0 ? (int)left_ms : 0);
}

void server_stop(struct server *s)
{
    atomic_store(&s->is_stopping, true);
    http_wake(s->http);
}

const char *server_address(const struct server *s)
{
    return http_address(s->http);
}

struct server_totals server_totals(struct server *s)
{
    struct courier_row rows[TOTALS_COURIERS_MAX];
    struct server_totals totals = {.accepted = counter_get(&groups_metrics(s->groups)->records)};
    totals.settled = UINT64_MAX;
    size_t count = couriers_hold(s->couriers, rows, TOTALS_COURIERS_MAX);
    for (size_t i = 0; i < count; i++) {
        const struct courier_metrics *m = rows[i].metrics;
        uint64_t floor = (uint64_t)gauge_get(&m->floor);
        totals.settled = floor < totals.settled ? floor : totals.settled;
        totals.delivered += counter_get(&m->delivered_intents);
        totals.dead += counter_get(&m->dead);
        totals.delivery_p50_us = histogram_quantile_us(&m->delivery_latency, 0.5);
        totals.delivery_p99_us = histogram_quantile_us(&m->delivery_latency, 0.99);
    }
    couriers_release(s->couriers);
    return totals;
}
