#include "report.h"

#include <stddef.h>
#include <stdio.h>

#include "routes.h"

enum { COURIERS_SHOWN_MAX = 256, LABELS_BYTES = 256 };

/* A destination's metrics, gathered so that each metric's samples
 * stand together, as the format wants. */
struct shown {
    struct courier_row row;
    char label[160];
};

struct gathered {
    struct shown rows[COURIERS_SHOWN_MAX];
    size_t count;
};

static const char *const skip_names[SKIP_REASONS] = {
    [SKIP_SOURCE] = "source",
    [SKIP_DESTINATION] = "destination",
    [SKIP_INTEGRATIONS] = "integrations",
    [SKIP_SENT_ALREADY] = "sent_already",
    [SKIP_NOT_SUBSCRIBED] = "not_subscribed",
    [SKIP_NOTHING_TO_DO] = "nothing_to_do",
};

static const char *const class_names[STATUS_CLASSES] = {
    [STATUS_NONE] = "none", [STATUS_2XX] = "2xx", [STATUS_3XX] = "3xx",
    [STATUS_4XX] = "4xx",   [STATUS_429] = "429", [STATUS_5XX] = "5xx",
};

static void put_listener(struct buf *out, const struct report_parts *parts)
{
    const struct routes_metrics *r = parts->routes;
    const struct groups_metrics *g = parts->groups;
    char labels[LABELS_BYTES];
    metrics_head(out, "spelter_requests_total", "counter", "Requests that brought events.");
    metrics_sample_u64(out, "spelter_requests_total", "", counter_get(&r->requests));
    metrics_head(out, "spelter_events_received_total", "counter",
                 "Events that arrived in readable requests.");
    metrics_sample_u64(out, "spelter_events_received_total", "", counter_get(&r->received));
    metrics_head(out, "spelter_events_stored_total", "counter", "Events durable in the journal.");
    metrics_sample_u64(out, "spelter_events_stored_total", "", counter_get(&g->records));
    metrics_head(out, "spelter_events_discarded_total", "counter",
                 "Events that are no events; they are dead letters.");
    metrics_sample_u64(out, "spelter_events_discarded_total", "", counter_get(&r->discarded));
    metrics_head(out, "spelter_events_duplicate_total", "counter",
                 "Events left out because their messageId was kept before.");
    metrics_sample_u64(out, "spelter_events_duplicate_total", "", counter_get(&r->duplicates));
    metrics_head(out, "spelter_requests_refused_total", "counter",
                 "Requests refused as a whole, by reason.");
    for (int i = SEGMENT_TAKEN + 1; i < SEGMENT_REFUSALS; i++) {
        metrics_label(labels, sizeof(labels), "reason",
                      str_from(segment_refusal_name((enum segment_refusal)i)));
        metrics_sample_u64(out, "spelter_requests_refused_total", labels,
                           counter_get(&r->refused[i]));
    }
    metrics_sample_u64(out, "spelter_requests_refused_total", "reason=\"journal_full\"",
                       counter_get(&g->refused_full));
    metrics_head(out, "spelter_requests_waiting", "gauge",
                 "Requests waiting for their events to be durable.");
    metrics_sample_i64(out, "spelter_requests_waiting", "", gauge_get(&g->waiting));
    metrics_head(out, "spelter_ack_seconds", "histogram",
                 "From a request's arrival to its answer after the commit.");
    metrics_histogram(out, "spelter_ack_seconds", "", &g->ack_latency);
}

static void put_store(struct buf *out, const struct report_parts *parts)
{
    const struct store_metrics *s = store_metrics(parts->store);
    uint64_t used;
    uint64_t max;
    store_usage(parts->store, &used, &max);
    metrics_head(out, "spelter_journal_first", "gauge", "Position of the oldest event kept.");
    metrics_sample_u64(out, "spelter_journal_first", "", journal_first(parts->journal));
    metrics_head(out, "spelter_journal_next", "gauge", "Position of the next event.");
    metrics_sample_u64(out, "spelter_journal_next", "", journal_next(parts->journal));
    metrics_head(out, "spelter_store_used_bytes", "gauge",
                 "Bytes of the data file that hold data.");
    metrics_sample_u64(out, "spelter_store_used_bytes", "", used);
    metrics_head(out, "spelter_store_max_bytes", "gauge", "What the data file may grow to.");
    metrics_sample_u64(out, "spelter_store_max_bytes", "", max);
    metrics_head(out, "spelter_commits_total", "counter", "Commits, each with its fsync.");
    metrics_sample_u64(out, "spelter_commits_total", "", counter_get(&s->commits));
    metrics_head(out, "spelter_commits_failed_total", "counter", "Commits that failed.");
    metrics_sample_u64(out, "spelter_commits_failed_total", "", counter_get(&s->commits_failed));
    metrics_head(out, "spelter_commit_seconds", "histogram",
                 "From the begin of a transaction until it is durable.");
    metrics_histogram(out, "spelter_commit_seconds", "", &s->commit_latency);
}

/* Metrics with one value a destination, as a table. */
struct plain_row {
    const char *name;
    const char *help;
    bool is_gauge;
    size_t offset; /* in struct courier_metrics */
};

#define COUNTER_ROW(name, field, help)                                                             \
    {                                                                                              \
        name, help, false, offsetof(struct courier_metrics, field)                                 \
    }
#define GAUGE_ROW(name, field, help)                                                               \
    {                                                                                              \
        name, help, true, offsetof(struct courier_metrics, field)                                  \
    }

/* clang-format off */
static const struct plain_row plain_rows[] = {
    COUNTER_ROW("spelter_events_mapped_total",     mapped,            "Events that went through the mapping."),
    COUNTER_ROW("spelter_objects_mapped_total",    intents,           "Objects for Braze that came out of it."),
    COUNTER_ROW("spelter_objects_delivered_total", delivered_intents, "Objects that Braze took."),
    COUNTER_ROW("spelter_events_delivered_total",  delivered_events,  "Events of which Braze took every object."),
    COUNTER_ROW("spelter_dead_letters_total",      dead,              "Dead letters written."),
    COUNTER_ROW("spelter_dead_letters_retried_total", dead_retried,   "Dead letters whose events went into the journal again."),
    COUNTER_ROW("spelter_requests_retried_total",  retried,           "Requests to be sent again after a wait."),
    COUNTER_ROW("spelter_requests_split_total",    splits,            "Requests halved to find a bad object."),
    GAUGE_ROW("spelter_destination_paused",        paused,            "1 while Braze refuses our key or address."),
    GAUGE_ROW("spelter_requests_in_flight",        inflight,          "Requests without an answer."),
    GAUGE_ROW("spelter_parked_users",              parked_users,      "Users with so much on its way that their next events wait in the journal."),
    GAUGE_ROW("spelter_delivery_memory_bytes",     memory_bytes,      "Objects in memory on their way to Braze."),
    GAUGE_ROW("spelter_delivery_memory_limit_bytes", memory_limit_bytes, "How much of that there may be before reading waits."),
};
/* clang-format on */

static void put_plain(struct buf *out, const struct gathered *g)
{
    for (size_t i = 0; i < countof(plain_rows); i++) {
        const struct plain_row *row = &plain_rows[i];
        metrics_head(out, row->name, row->is_gauge ? "gauge" : "counter", row->help);
        for (size_t d = 0; d < g->count; d++) {
            const char *field = (const char *)g->rows[d].row.metrics + row->offset;
            if (row->is_gauge)
                metrics_sample_i64(out, row->name, g->rows[d].label,
                                   gauge_get((const struct gauge *)(const void *)field));
            else
                metrics_sample_u64(out, row->name, g->rows[d].label,
                                   counter_get((const struct counter *)(const void *)field));
        }
    }
}

static void put_labelled(struct buf *out, const struct gathered *g, const char *name,
                         const char *label, const char *const *values, size_t value_count,
                         size_t offset)
{
    for (size_t d = 0; d < g->count; d++) {
        const struct counter *counters =
            (const struct counter *)(const void *)((const char *)g->rows[d].row.metrics + offset);
        for (size_t i = 0; i < value_count; i++) {
            char labels[LABELS_BYTES];
            snprintf(labels, sizeof(labels), "%s,%s=\"%s\"", g->rows[d].label, label, values[i]);
            metrics_sample_u64(out, name, labels, counter_get(&counters[i]));
        }
    }
}

static void put_histograms(struct buf *out, const struct gathered *g, const char *name,
                           size_t offset)
{
    for (size_t d = 0; d < g->count; d++)
        metrics_histogram(
            out, name, g->rows[d].label,
            (const struct histogram *)(const void *)((const char *)g->rows[d].row.metrics +
                                                     offset));
}

static int64_t oldest_age_ms(const struct courier_metrics *metrics, int64_t now_ms)
{
    int64_t received_ms = gauge_get(&metrics->oldest_received_ms);
    return received_ms == 0 || received_ms > now_ms ? 0 : now_ms - received_ms;
}

static void put_couriers(struct buf *out, const struct gathered *g,
                         const struct report_parts *parts)
{
    put_plain(out, g);
    metrics_head(out, "spelter_backlog_events", "gauge", "Events not settled yet.");
    for (size_t d = 0; d < g->count; d++)
        metrics_sample_u64(out, "spelter_backlog_events", g->rows[d].label,
                           courier_row_backlog(&g->rows[d].row, parts->journal));
    metrics_head(out, "spelter_oldest_undelivered_seconds", "gauge",
                 "Age of the oldest event not settled yet.");
    for (size_t d = 0; d < g->count; d++)
        metrics_sample_i64(out, "spelter_oldest_undelivered_seconds", g->rows[d].label,
                           oldest_age_ms(g->rows[d].row.metrics, parts->now_ms) / 1000);
    metrics_head(out, "spelter_events_skipped_total", "counter",
                 "Events with nothing for this destination, by reason.");
    put_labelled(out, g, "spelter_events_skipped_total", "reason", skip_names, SKIP_REASONS,
                 offsetof(struct courier_metrics, skipped));
    metrics_head(out, "spelter_braze_requests_total", "counter",
                 "Requests to Braze by the class of their answer.");
    put_labelled(out, g, "spelter_braze_requests_total", "status", class_names, STATUS_CLASSES,
                 offsetof(struct courier_metrics, requests));
    metrics_head(out, "spelter_braze_request_seconds", "histogram",
                 "From a request's start to its answer.");
    put_histograms(out, g, "spelter_braze_request_seconds",
                   offsetof(struct courier_metrics, request_latency));
    metrics_head(out, "spelter_delivery_seconds", "histogram",
                 "From an event's arrival to its delivery.");
    put_histograms(out, g, "spelter_delivery_seconds",
                   offsetof(struct courier_metrics, delivery_latency));
}

static void hold(struct gathered *g, struct couriers *couriers)
{
    struct courier_row rows[COURIERS_SHOWN_MAX];
    g->count = couriers_hold(couriers, rows, COURIERS_SHOWN_MAX);
    for (size_t d = 0; d < g->count; d++) {
        g->rows[d].row = rows[d];
        metrics_label(g->rows[d].label, sizeof(g->rows[d].label), "destination", rows[d].id);
    }
}

void report_metrics(struct buf *out, const struct report_parts *parts)
{
    struct gathered g;
    put_listener(out, parts);
    put_store(out, parts);
    hold(&g, parts->couriers);
    put_couriers(out, &g, parts);
    couriers_release(parts->couriers);
}

unsigned report_health(struct buf *out, const struct report_parts *parts)
{
    struct gathered g;
    bool is_keeping = gauge_get(&parts->groups->full) == 0;
    hold(&g, parts->couriers);
    buf_printf(out, "{\"status\":\"%s\",\"version\":\"%s\",\"destinations\":[",
               is_keeping ? "ok" : "journal full", SPELTER_VERSION);
    for (size_t d = 0; d < g.count; d++) {
        const struct courier_metrics *m = g.rows[d].row.metrics;
        buf_printf(
            out,
            "%s{\"id\":\"%.*s\",\"paused\":%s,\"backlog\":%lld,\"oldest_undelivered_ms\":%lld}",
            d == 0 ? "" : ",", STR_ARG(g.rows[d].row.id),
            gauge_get(&m->paused) != 0 ? "true" : "false",
            (long long)courier_row_backlog(&g.rows[d].row, parts->journal),
            (long long)oldest_age_ms(m, parts->now_ms));
    }
    couriers_release(parts->couriers);
    buf_append(out, STR("]}\n"));
    return is_keeping ? 200 : 503;
}
