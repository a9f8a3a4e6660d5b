#include "metrics.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void assert_text(const struct buf *b, const char *expected)
{
    assert_false(b->failed);
    if (!str_eq(buf_str(b), str_from(expected)))
        fail_msg("got:\n%.*s\nexpected:\n%s", STR_ARG(buf_str(b)), expected);
}

static void observations_fall_into_the_bucket_whose_edge_holds_them(void **state)
{
    (void)state;
    static const struct {
        int64_t us;
        size_t bucket;
    } rows[] = {
        {-5, 0},
        {0, 0},
        {1, 0},
        {64, 0},
        {65, 1},
        {128, 1},
        {129, 2},
        {1000, 4},
        {67108864, 20},
        {67108865, 21},
        {INT64_C(1000000000000), 21},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct histogram h = {0};
        histogram_observe_us(&h, rows[i].us);
        for (size_t bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++)
            assert_int_equal(h.buckets[bucket], bucket == rows[i].bucket);
        assert_int_equal(h.sum_us, rows[i].us < 0 ? 0 : rows[i].us);
    }
}

static void quantiles_are_upper_edges(void **state)
{
    (void)state;
    static const struct {
        unsigned quick; /* observations of 100 us */
        unsigned slow;  /* of 10 ms */
        unsigned lost;  /* of 100 s, beyond the last edge */
        double fraction;
        int64_t expected_us;
    } rows[] = {
        {0, 0, 0, 0.5, 0},     {1, 0, 0, 0.0001, 128},       {1, 0, 0, 1.0, 128},
        {99, 1, 0, 0.5, 128},  {99, 1, 0, 0.99, 128},        {99, 1, 0, 0.995, 16384},
        {50, 50, 0, 0.5, 128}, {50, 50, 0, 0.51, 16384},     {0, 0, 1, 0.5, 134217728},
        {90, 0, 10, 0.9, 128}, {90, 0, 10, 0.99, 134217728},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct histogram h = {0};
        for (unsigned n = 0; n < rows[i].quick; n++)
            histogram_observe_us(&h, 100);
        for (unsigned n = 0; n < rows[i].slow; n++)
            histogram_observe_us(&h, 10000);
        for (unsigned n = 0; n < rows[i].lost; n++)
            histogram_observe_us(&h, 100000000);
        assert_int_equal(histogram_quantile_us(&h, rows[i].fraction), rows[i].expected_us);
    }
}

static void samples_print_as_the_exposition_format_wants(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 10000);
    metrics_head(&b, "spelter_received_total", "counter", "Events received.");
    metrics_sample_u64(&b, "spelter_received_total", "", UINT64_MAX);
    metrics_sample_u64(&b, "spelter_received_total", "source=\"web\"", 0);
    metrics_sample_i64(&b, "spelter_backlog", "a=\"1\",b=\"2\"", INT64_MIN);
    assert_text(&b, "# HELP spelter_received_total Events received.\n"
                    "# TYPE spelter_received_total counter\n"
                    "spelter_received_total 18446744073709551615\n"
                    "spelter_received_total{source=\"web\"} 0\n"
                    "spelter_backlog{a=\"1\",b=\"2\"} -9223372036854775808\n");
    buf_fini(&b);
}

static void histogram_text_is_cumulative_in_seconds_and_complete(void **state)
{
    (void)state;
    struct histogram h = {0};
    struct buf b;
    unsigned line = 0;
    histogram_observe_us(&h, 64);
    histogram_observe_us(&h, 65);
    histogram_observe_us(&h, 100000000);
    buf_init(&b, 10000);
    metrics_histogram(&b, "spelter_wait_seconds", "source=\"web\"", &h);
    struct str text = buf_str(&b);
    static const struct {
        unsigned line;
        const char *expected;
    } rows[] = {
        {0, "spelter_wait_seconds_bucket{source=\"web\",le=\"0.000064\"} 1"},
        {1, "spelter_wait_seconds_bucket{source=\"web\",le=\"0.000128\"} 2"},
        {20, "spelter_wait_seconds_bucket{source=\"web\",le=\"67.108864\"} 2"},
        {21, "spelter_wait_seconds_bucket{source=\"web\",le=\"+Inf\"} 3"},
        {22, "spelter_wait_seconds_sum{source=\"web\"} 100.000129"},
        {23, "spelter_wait_seconds_count{source=\"web\"} 3"},
    };
    for (size_t i = 0; text.len > 0; line++) {
        struct str got = str_slice(text, 0, str_find(text, '\n'));
        if (i < countof(rows) && rows[i].line == line && !str_eq(got, str_from(rows[i++].expected)))
            fail_msg("line %u is %.*s", line, STR_ARG(got));
        text = str_slice(text, got.len + 1, text.len);
    }
    assert_int_equal(line, HISTOGRAM_BUCKETS + 2);

    buf_reset(&b);
    metrics_histogram(&b, "h", "", &h);
    assert_true(str_starts(buf_str(&b), STR("h_bucket{le=\"0.000064\"} 1\n")));
    assert_true(str_ends(buf_str(&b), STR("h_sum 100.000129\nh_count 3\n")));
    buf_fini(&b);
}

static void label_values_are_escaped_and_cut_between_characters(void **state)
{
    (void)state;
    static const struct {
        size_t out_bytes;
        struct str value;
        const char *expected;
    } rows[] = {
        {64, STR_INIT("web"), "a=\"web\""},
        {64, {NULL, 0}, "a=\"\""},
        {64, STR_INIT("q\"b\\n\nx"), "a=\"q\\\"b\\\\n\\nx\""},
        {5, STR_INIT("web"), "a=\"\""},
        {6, STR_INIT("web"), "a=\"w\""},
        {8, STR_INIT("web"), "a=\"web\""},
        {7, STR_INIT("w\"b"), "a=\"w\""}, /* an escape is never halved */
        {8, STR_INIT("w\"b"), "a=\"w\\\"\""},
        {7, STR_INIT("w\xc3\xa9"), "a=\"w\""}, /* nor a character */
        {8, STR_INIT("w\xc3\xa9"), "a=\"w\xc3\xa9\""},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        char out[64];
        memset(out, '#', sizeof(out));
        metrics_label(out, rows[i].out_bytes, "a", rows[i].value);
        assert_string_equal(out, rows[i].expected);
        for (size_t j = rows[i].out_bytes; j < sizeof(out); j++)
            assert_int_equal(out[j], '#');
    }
}

enum { THREADS = 4, UPDATES = 10000 };

struct shared {
    struct counter counter;
    struct gauge gauge;
    struct histogram histogram;
};

static void *update(void *arg)
{
    struct shared *shared = arg;
    for (int i = 0; i < UPDATES; i++) {
        counter_add(&shared->counter, 2);
        gauge_set(&shared->gauge, 7);
        histogram_observe_us(&shared->histogram, 3);
    }
    return NULL;
}

static void updates_of_several_threads_are_all_counted(void **state)
{
    (void)state;
    struct shared shared = {0};
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, update, &shared), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(counter_get(&shared.counter), 2 * THREADS * UPDATES);
    assert_int_equal(gauge_get(&shared.gauge), 7);
    assert_int_equal(shared.histogram.buckets[0], THREADS * UPDATES);
    assert_int_equal(shared.histogram.sum_us, 3 * THREADS * UPDATES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(observations_fall_into_the_bucket_whose_edge_holds_them),
        cmocka_unit_test(quantiles_are_upper_edges),
        cmocka_unit_test(samples_print_as_the_exposition_format_wants),
        cmocka_unit_test(histogram_text_is_cumulative_in_seconds_and_complete),
        cmocka_unit_test(label_values_are_escaped_and_cut_between_characters),
        cmocka_unit_test(updates_of_several_threads_are_all_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
