/* report: what /metrics and /healthz say. Any thread. */
#ifndef SPELTER_SERVER_REPORT_H
#define SPELTER_SERVER_REPORT_H

#include "couriers.h"
#include "group.h"

enum { REPORT_BYTES_MAX = 8 * 1024 * 1024 };

struct routes_metrics;

struct report_parts {
    const struct routes_metrics *routes;
    const struct groups_metrics *groups;
    struct couriers *couriers;
    struct store *store;
    struct journal *journal;
    int64_t now_ms;
};

/* Prometheus text. */
void report_metrics(struct buf *out, const struct report_parts *parts);

/* JSON, and the status it goes out with: 200, or 503 while nothing can be kept. */
unsigned report_health(struct buf *out, const struct report_parts *parts);

#endif
