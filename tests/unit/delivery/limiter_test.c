#include "unit.h"

#include "limiter.h"

static const int64_t window_start = 1767607200000; /* a multiple of 3 s and of 60 s */

static void the_documented_limit_holds_in_each_window_of_the_clock(void **state)
{
    (void)state;
    static const struct {
        enum request_family family;
        unsigned requests;
        unsigned window_ms;
    } rows[] = {
        {FAMILY_TRACK_EVENTS, 3000, 3000},         {FAMILY_IDENTIFY, 20000, 60000},
        {FAMILY_CATALOG_ITEM, 16000, 60000},       {FAMILY_CANVAS_TRIGGER, 250000, 3600000},
        {FAMILY_COHORT_ADD_USER, 250000, 3600000},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        enum limit_bucket bucket = limit_bucket_of(rows[i].family);
        int64_t start = window_start / rows[i].window_ms * rows[i].window_ms;
        int64_t late = start + rows[i].window_ms - 1;
        struct limiter limiter;
        limiter_init(&limiter, NULL);
        for (unsigned n = 0; n < rows[i].requests; n++)
            assert_int_equal(limiter_admit(&limiter, bucket, start), 0);
        assert_int_equal(limiter_admit(&limiter, bucket, start), rows[i].window_ms);
        assert_int_equal(limiter_admit(&limiter, bucket, late), 1);
        assert_int_equal(limiter_admit(&limiter, bucket, late + 1), 0);
    }
}

static void endpoints_that_share_a_limit_share_a_bucket(void **state)
{
    (void)state;
    assert_int_equal(limit_bucket_of(FAMILY_TRACK_ATTRIBUTES),
                     limit_bucket_of(FAMILY_TRACK_PURCHASES));
    assert_int_equal(limit_bucket_of(FAMILY_ALIAS_NEW), limit_bucket_of(FAMILY_DELETE));
    assert_int_equal(limit_bucket_of(FAMILY_COHORT), limit_bucket_of(FAMILY_COHORT_REMOVE_ALIAS));
    assert_int_not_equal(limit_bucket_of(FAMILY_COHORT), limit_bucket_of(FAMILY_CANVAS_TRIGGER));
    assert_int_not_equal(limit_bucket_of(FAMILY_ALIAS_NEW), limit_bucket_of(FAMILY_TRACK_EVENTS));
}

static void a_contracts_own_number_replaces_the_table(void **state)
{
    (void)state;
    const struct limit limits[LIMIT_BUCKETS] = {[BUCKET_TRACK] = {2, 1000}};
    struct limiter limiter;
    limiter_init(&limiter, limits);
    assert_int_equal(limiter_admit(&limiter, BUCKET_TRACK, window_start), 0);
    assert_int_equal(limiter_admit(&limiter, BUCKET_TRACK, window_start), 0);
    assert_int_equal(limiter_admit(&limiter, BUCKET_TRACK, window_start + 400), 600);
    assert_int_equal(limiter_admit(&limiter, BUCKET_USER_ADMIN, window_start), 0);
}

static struct reply reply_of(int64_t remaining, int64_t reset)
{
    struct reply reply;
    reply_init(&reply);
    reply.ratelimit_remaining = remaining;
    reply.ratelimit_reset = reset;
    return reply;
}

static void what_braze_says_is_left_counts_when_it_is_less(void **state)
{
    (void)state;
    struct reply two_left = reply_of(2, window_start / 1000 + 3);
    struct reply older_answer = reply_of(5, window_start / 1000 + 3);
    struct limiter limiter;
    limiter_init(&limiter, NULL);
    limiter_learn(&limiter, BUCKET_TRACK, &two_left, window_start);
    limiter_learn(&limiter, BUCKET_TRACK, &older_answer, window_start); /* came late */
    assert_int_equal(limiter_admit(&limiter, BUCKET_TRACK, window_start), 0);
    assert_int_equal(limiter_admit(&limiter, BUCKET_TRACK, window_start), 0);
    assert_int_equal(limiter_admit(&limiter, BUCKET_TRACK, window_start + 1), 2999);
    assert_int_equal(limiter_admit(&limiter, BUCKET_TRACK, window_start + 3000), 0);
}

static void a_reset_in_seconds_means_the_same(void **state)
{
    (void)state;
    struct reply none_left = reply_of(0, 3);
    struct limiter limiter;
    limiter_init(&limiter, NULL);
    limiter_learn(&limiter, BUCKET_TRACK, &none_left, window_start);
    assert_int_equal(limiter_admit(&limiter, BUCKET_TRACK, window_start + 1000), 2000);
}

static void headers_that_make_no_sense_block_nothing(void **state)
{
    (void)state;
    const struct reply senseless[] = {
        reply_of(0, -1),
        reply_of(-1, 3),
        reply_of(0, INT32_MAX / 2),
        reply_of(0, window_start / 1000 - 50),
        reply_of(0, window_start / 1000 + 100000),
    };
    struct limiter limiter;
    limiter_init(&limiter, NULL);
    for (size_t i = 0; i < countof(senseless); i++) {
        limiter_learn(&limiter, BUCKET_TRACK, &senseless[i], window_start);
        assert_int_equal(limiter_admit(&limiter, BUCKET_TRACK, window_start), 0);
    }
}

static void a_429_holds_its_bucket_and_no_other(void **state)
{
    (void)state;
    struct limiter limiter;
    limiter_init(&limiter, NULL);
    limiter_block(&limiter, BUCKET_TRACK, window_start, 5000);
    limiter_block(&limiter, BUCKET_TRACK, window_start, 1000);
    assert_int_equal(limiter_admit(&limiter, BUCKET_TRACK, window_start), 5000);
    assert_int_equal(limiter_admit(&limiter, BUCKET_TRACK, window_start + 4999), 1);
    assert_int_equal(limiter_admit(&limiter, BUCKET_TRACK, window_start + 5000), 0);
    assert_int_equal(limiter_admit(&limiter, BUCKET_OTHER, window_start), 0);
}

static void a_clock_that_is_set_back_does_not_block_for_long(void **state)
{
    (void)state;
    struct limiter limiter;
    limiter_init(&limiter, NULL);
    limiter_block(&limiter, BUCKET_TRACK, window_start, 5000);
    assert_int_equal(limiter_admit(&limiter, BUCKET_TRACK, window_start - 100LL * 3600 * 1000), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_documented_limit_holds_in_each_window_of_the_clock),
        cmocka_unit_test(endpoints_that_share_a_limit_share_a_bucket),
        cmocka_unit_test(a_contracts_own_number_replaces_the_table),
        cmocka_unit_test(what_braze_says_is_left_counts_when_it_is_less),
        cmocka_unit_test(a_reset_in_seconds_means_the_same),
        cmocka_unit_test(headers_that_make_no_sense_block_nothing),
        cmocka_unit_test(a_429_holds_its_bucket_and_no_other),
        cmocka_unit_test(a_clock_that_is_set_back_does_not_block_for_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
