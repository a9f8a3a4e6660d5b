#include "metrics.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

static int64_t bucket_edge_us(size_t bucket)
{
    return (int64_t)HISTOGRAM_FIRST_US << bucket;
}

void histogram_observe_us(struct histogram *h, int64_t us)
{
    us = us < 0 ? 0 : us;
    size_t bucket = 0;
    while (bucket < HISTOGRAM_BUCKETS - 1 && us > bucket_edge_us(bucket))
        bucket++;
    atomic_fetch_add_explicit(&h->buckets[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&h->sum_us, (uint64_t)us, memory_order_relaxed);
}

int64_t histogram_quantile_us(const struct histogram *h, double fraction)
{
    uint64_t total = 0;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        total += atomic_load_explicit(&h->buckets[i], memory_order_relaxed);
    if (total == 0)
        return 0;
    uint64_t below = 0;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        below += atomic_load_explicit(&h->buckets[i], memory_order_relaxed);
        if ((double)below >= fraction * (double)total)
            return bucket_edge_us(i);
    }
    return bucket_edge_us(HISTOGRAM_BUCKETS - 1);
}

void metrics_head(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_name(struct buf *out, const char *name, const char *labels)
{
    if (labels[0] == '\0')
        buf_printf(out, "%s ", name);
    else
        buf_printf(out, "%s{%s} ", name, labels);
}

void metrics_sample_u64(struct buf *out, const char *name, const char *labels, uint64_t value)
{
    put_name(out, name, labels);
    buf_printf(out, "%" PRIu64 "\n", value);
}

void metrics_sample_i64(struct buf *out, const char *name, const char *labels, int64_t value)
{
    put_name(out, name, labels);
    buf_printf(out, "%" PRId64 "\n", value);
}

void metrics_histogram(struct buf *out, const char *name, const char *labels,
                       const struct histogram *h)
{
    const char *comma = labels[0] == '\0' ? "" : ",";
    uint64_t total = 0;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        total += atomic_load_explicit(&h->buckets[i], memory_order_relaxed);
        if (i < HISTOGRAM_BUCKETS - 1)
            buf_printf(out, "%s_bucket{%s%sle=\"%.6f\"} %" PRIu64 "\n", name, labels, comma,
                       (double)bucket_edge_us(i) / 1e6, total);
        else
            buf_printf(out, "%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", name, labels, comma, total);
    }
    char series[96];
    snprintf(series, sizeof(series), "%s_sum", name);
    put_name(out, series, labels);
    buf_printf(out, "%.6f\n", (double)atomic_load_explicit(&h->sum_us, memory_order_relaxed) / 1e6);
    snprintf(series, sizeof(series), "%s_count", name);
    metrics_sample_u64(out, series, labels, total);
}

static bool is_label_special(char c)
{
    return c == '\\' || c == '"' || c == '\n';
}

void metrics_label(char *out, size_t out_bytes, const char *name, struct str value)
{
    size_t len = (size_t)snprintf(out, out_bytes, "%s=\"", name);
    assert(len + 2 <= out_bytes);
    size_t room = out_bytes - len - 2; /* for the value: a quote and the NUL follow it */
    size_t fits = 0;
    for (size_t used = 0; fits < value.len; fits++) {
        used += is_label_special(value.ptr[fits]) ? 2 : 1;
        if (used > room)
            break;
    }
    fits = str_utf8_cut(value, fits); /* half a character would spoil the whole page */
    for (size_t i = 0; i < fits; i++) {
        char c = value.ptr[i];
        if (is_label_special(c))
            out[len++] = '\\';
        out[len++] = c == '\n' ? 'n' : c;
    }
    out[len++] = '"';
    out[len] = '\0';
}
