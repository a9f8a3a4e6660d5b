/*
 * metrics: counters, gauges and latency histograms, and their
 * Prometheus text (exposition format 0.0.4).
 *
 * A module owns its metrics as plain fields; the server room prints them. Updating
 * is one relaxed atomic operation; any thread.
 */
#ifndef SPELTER_BASE_METRICS_H
#define SPELTER_BASE_METRICS_H

#include "buf.h"

#include <stdatomic.h>
#include <stdint.h>

struct counter {
    _Atomic uint64_t value;
};

struct gauge {
    _Atomic int64_t value;
};

/* Buckets by powers of two from 64 us to about 67 s, then +Inf: enough to tell p50 from p99. */
enum { HISTOGRAM_BUCKETS = 22, HISTOGRAM_FIRST_US = 64 };

struct histogram {
    _Atomic uint64_t buckets[HISTOGRAM_BUCKETS]; /* not cumulative; the last one is +Inf */
    _Atomic uint64_t sum_us;
};

static inline void counter_add(struct counter *c, uint64_t n)
{
    atomic_fetch_add_explicit(&c->value, n, memory_order_relaxed);
}

static inline uint64_t counter_get(const struct counter *c)
{
    return atomic_load_explicit(&c->value, memory_order_relaxed);
}

static inline void gauge_set(struct gauge *g, int64_t value)
{
    atomic_store_explicit(&g->value, value, memory_order_relaxed);
}

static inline int64_t gauge_get(const struct gauge *g)
{
    return atomic_load_explicit(&g->value, memory_order_relaxed);
}

void histogram_observe_us(struct histogram *h, int64_t us);

/* The value below which `fraction` (0..1) of the observations lie, as its bucket's upper edge in
 * microseconds; 0 when there are none. The +Inf bucket stands for twice the edge before it. */
int64_t histogram_quantile_us(const struct histogram *h, double fraction);

/* The HELP and TYPE lines of one metric; `type` is "counter", "gauge" or "histogram". */
void metrics_head(struct buf *out, const char *name, const char *type, const char *help);

/* One sample. labels is "" or `a="b",c="d"` already escaped (metrics_label). */
void metrics_sample_u64(struct buf *out, const char *name, const char *labels, uint64_t value);
void metrics_sample_i64(struct buf *out, const char *name, const char *labels, int64_t value);
void metrics_histogram(struct buf *out, const char *name, const char *labels,
                       const struct histogram *h);

/* name="value" with the value (UTF-8) escaped as Prometheus wants and cut when it does not fit.
 * There is room for the name at least. */
void metrics_label(char *out, size_t out_bytes, const char *name, struct str value);

#endif
