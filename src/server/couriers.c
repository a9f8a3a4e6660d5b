#include "couriers.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "assemble.h"
#include "log.h"
#include "places.h"

enum { FINISH_MS_MAX = 40000 /* longer than a request's own time limit */ };

static_assert((int)BATCHING_COMBINED == 0 && (int)BATCHING_PER_ACTION == 1,
              "the config's choices are in this order");

struct route {
    struct route *next;
    char id[72];
    struct destination *destination;
    struct courier *courier;
    bool is_running;
};

struct couriers {
    struct couriers_options options;
    pthread_mutex_t mutex; /* guards the list; whoever changes it works on routes outside of it */
    struct route *routes;
};

static void route_free(struct route *route)
{
    if (route == NULL)
        return;
    courier_close(route->courier);
    destination_free(route->destination);
    free(route);
}

static void fill_options(struct courier_options *o, const struct couriers *c,
                         const struct destination_section *section, const struct str *names,
                         size_t name_count)
{
    courier_options_init(o);
    o->id = section->id;
    o->store = c->options.store;
    o->journal = c->options.journal;
    o->dead = c->options.dead;
    o->from = section->from;
    o->from_count = section->from_count;
    o->names = names;
    o->name_count = name_count;
    /* A journal that was just made has nothing old in it; a destination added
     * later starts with what comes from then on. */
    o->start = COURIER_FROM_NEXT;
    o->ca_certificates = section->settings.ca_certificates;
    o->pack.mode = (enum batching)section->batching;
    o->pack.objects_max = (unsigned)section->batch_objects;
    o->pack.age_max_ms = (unsigned)section->batch_wait_ms;
    o->retry.give_up_after_ms = section->give_up_after_ms;
    o->requests_max = (unsigned)section->connections;
    o->timeout_ms = (unsigned)section->timeout_ms;
    enum limit_bucket bucket =
        section->kind == DESTINATION_BRAZE_COHORTS ? BUCKET_COHORTS : BUCKET_TRACK;
    if (section->rate_count > 0)
        o->limits[bucket] =
            (struct limit){(unsigned)section->rate_count, (unsigned)section->rate_per_ms};
}

/* Compiled and opened, not yet started. */
static int route_open(struct route **out, const struct couriers *c, const struct config *config,
                      const struct destination_section *section, struct err *err)
{
    struct str names[ASSEMBLE_NAMES_MAX];
    struct courier_options options;
    struct route *route = calloc(1, sizeof(*route));
    *out = NULL;
    if (route == NULL)
        return err_set(err, -ENOMEM, 0, "out of memory");
    snprintf(route->id, sizeof(route->id), "%.*s", STR_ARG(section->id));
    int rc = assemble_destination(&route->destination, config, section, err);
    if (rc == 0) {
        fill_options(&options, c, section, names, assemble_names(section, names));
        options.destination = route->destination;
        rc = courier_open(&route->courier, &options, err);
    }
    if (rc != 0) {
        route_free(route);
        return rc;
    }
    *out = route;
    return 0;
}

static int route_start(struct route *route)
{
    int rc = courier_start(route->courier);
    route->is_running = rc == 0;
    return rc;
}

static void route_stop(struct route *route, int deadline_ms)
{
    if (!route->is_running)
        return;
    int rc = courier_stop(route->courier, COURIER_FINISH, deadline_ms);
    if (rc != 0)
        log_warn("%s: the last answers of Braze are not on the disk (%s); those objects will be "
                 "sent again",
                 route->id, strerror(-rc));
    route->is_running = false;
}

static void insert(struct couriers *c, struct route *route)
{
    pthread_mutex_lock(&c->mutex);
    route->next = c->routes;
    c->routes = route;
    pthread_mutex_unlock(&c->mutex);
}

static void take_out(struct couriers *c, const struct route *route)
{
    pthread_mutex_lock(&c->mutex);
    struct route **at = &c->routes;
    while (*at != route)
        at = &(*at)->next;
    *at = route->next;
    pthread_mutex_unlock(&c->mutex);
}

/* NULL: none is open. For the thread that changes the list. */
static struct route *find_route(const struct couriers *c, struct str id)
{
    struct route *route = c->routes;
    while (route != NULL && !str_eq(str_from(route->id), id))
        route = route->next;
    return route;
}

static int open_section(struct couriers *c, const struct config *config,
                        const struct destination_section *section, struct err *err)
{
    struct route *route;
    int rc = route_open(&route, c, config, section, err);
    if (rc != 0)
        return rc;
    rc = route_start(route);
    if (rc != 0) {
        route_free(route);
        return err_set(err, rc, 0, "%.*s: no thread for its courier", STR_ARG(section->id));
    }
    insert(c, route);
    return 0;
}

/* Every destination is compiled before anything starts or stops: a
 * bad mapping must change nothing. */
static int compile_all(const struct config *config, struct err *err)
{
    const struct config_values *values = config_values(config);
    for (size_t i = 0; i < values->destination_count; i++) {
        struct destination *destination;
        int rc = assemble_destination(&destination, config, &values->destinations[i], err);
        if (rc != 0)
            return rc;
        destination_free(destination);
    }
    return 0;
}

static size_t memory_of_each(size_t routes)
{
    size_t bytes = COURIERS_MEMORY_BYTES / (routes == 0 ? 1 : routes);
    if (bytes > COURIERS_MEMORY_EACH_MAX)
        return COURIERS_MEMORY_EACH_MAX;
    return bytes < COURIER_MEMORY_BYTES_MIN ? COURIER_MEMORY_BYTES_MIN : bytes;
}

/* For the thread that changes the list. */
static void divide_memory(struct couriers *c)
{
    size_t count = 0;
    for (const struct route *route = c->routes; route != NULL; route = route->next)
        count++;
    for (struct route *route = c->routes; route != NULL; route = route->next)
        courier_limit_memory(route->courier, memory_of_each(count));
}

int couriers_open(struct couriers **out, const struct couriers_options *options,
                  const struct config *config, struct err *err)
{
    const struct config_values *values = config_values(config);
    *out = NULL;
    int rc = compile_all(config, err);
    if (rc != 0)
        return rc;
    struct couriers *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return err_set(err, -ENOMEM, 0, "out of memory");
    c->options = *options;
    pthread_mutex_init(&c->mutex, NULL);
    for (size_t i = 0; rc == 0 && i < values->destination_count; i++)
        if (values->destinations[i].enabled)
            rc = open_section(c, config, &values->destinations[i], err);
    if (rc != 0) {
        couriers_stop(c, FINISH_MS_MAX);
        couriers_close(c);
        return rc;
    }
    divide_memory(c);
    *out = c;
    return 0;
}

/* The text may be the same and a secret or a mapping file it names another. */
static bool is_same(const struct destination_section *a, const struct destination_section *b)
{
    return jv_equal(a->whole, b->whole) && jv_equal(a->subscriptions, b->subscriptions) &&
           str_eq(a->settings.api_key, b->settings.api_key) &&
           str_eq(a->settings.app_id, b->settings.app_id) &&
           str_eq(a->settings.endpoint, b->settings.endpoint) &&
           str_eq(a->settings.client_secret, b->settings.client_secret) &&
           str_eq(a->settings.partner_api_key, b->settings.partner_api_key) &&
           str_eq(a->settings.ca_certificates, b->settings.ca_certificates);
}

static void stop_changed(struct couriers *c, const struct config *old, const struct config *new)
{
    const struct config_values *values = config_values(old);
    for (size_t i = 0; i < values->destination_count; i++) {
        const struct destination_section *before = &values->destinations[i];
        const struct destination_section *after = places_find(new, before->id);
        if (after != NULL && is_same(before, after))
            continue;
        struct route *route = find_route(c, before->id);
        if (route == NULL)
            continue;
        route_stop(route, FINISH_MS_MAX); /* takes as long as Braze's answers: it still counts */
        take_out(c, route);
        route_free(route);
    }
}

int couriers_reload(struct couriers *c, const struct config *old, const struct config *new,
                    struct err *err)
{
    const struct config_values *values = config_values(new);
    int rc = compile_all(new, err);
    if (rc != 0)
        return rc;
    stop_changed(c, old, new);
    for (size_t i = 0; i < values->destination_count; i++) {
        const struct destination_section *after = &values->destinations[i];
        if (!after->enabled ||
            find_route(c, after->id) != NULL) /* what changed was stopped above */
            continue;
        struct err why = {0};
        if (open_section(c, new, after, &why) != 0) /* memory or the disk: the mappings were fine */
            log_error("%.*s does not deliver: %s; reload again when this is mended",
                      STR_ARG(after->id), why.msg);
    }
    divide_memory(c);
    return 0;
}

void couriers_count_retried(struct couriers *c, struct str id, uint64_t letters)
{
    struct route *route = find_route(c, id);
    if (route != NULL)
        courier_count_retried(route->courier, letters);
}

void couriers_stop(struct couriers *c, int deadline_ms)
{
    for (struct route *route = c->routes; route != NULL; route = route->next)
        if (route->is_running)
            courier_ask_stop(route->courier, COURIER_FINISH, deadline_ms);
    for (struct route *route = c->routes; route != NULL; route = route->next)
        route_stop(route, deadline_ms);
}

void couriers_close(struct couriers *c)
{
    if (c == NULL)
        return;
    while (c->routes != NULL) {
        struct route *next = c->routes->next;
        route_free(c->routes);
        c->routes = next;
    }
    pthread_mutex_destroy(&c->mutex);
    free(c);
}

uint64_t courier_row_backlog(const struct courier_row *row, struct journal *journal)
{
    /* First: it never passes the next position. */
    uint64_t floor = (uint64_t)gauge_get(&row->metrics->floor);
    return journal_next(journal) - floor;
}

size_t couriers_hold(struct couriers *c, struct courier_row *rows, size_t rows_max)
{
    size_t count = 0;
    pthread_mutex_lock(&c->mutex);
    for (struct route *route = c->routes; route != NULL && count < rows_max; route = route->next)
        rows[count++] = (struct courier_row){str_from(route->id), courier_metrics(route->courier)};
    return count;
}

void couriers_release(struct couriers *c)
{
    pthread_mutex_unlock(&c->mutex);
}
