#include "unit.h"

#include "reply.h"

enum { NOW_S = 1767607200 }; /* 2026-01-05T10:00:00Z */

static void headers_are_read_whatever_their_case(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        int64_t retry_after_s;
        int64_t ratelimit_retry_after_s;
        int64_t remaining;
        int64_t reset;
    } rows[] = {
        {"Retry-After: 7\r\n", 7, -1, -1, -1},
        {"retry-after:0", 0, -1, -1, -1},
        {"Retry-After: Mon, 05 Jan 2026 10:00:30 GMT\r\n", 30, -1, -1, -1},
        {"Retry-After: Mon, 05 Jan 2026 09:00:00 GMT\r\n", 0, -1, -1, -1},
        {"Retry-After: soon\r\n", -1, -1, -1, -1},
        {"Retry-After: -5\r\n", -1, -1, -1, -1},
        {"Retry-After:\r\n", -1, -1, -1, -1},
        {"Retry-After: 99999999999999999999\r\n", INT32_MAX, -1, -1, -1},
        {"X-Ratelimit-Retry-After: 3\r\n", -1, 3, -1, -1},
        {"X-RateLimit-Remaining: 2999\r\n", -1, -1, 2999, -1},
        {"x-ratelimit-reset: 1767607203\r\n", -1, -1, -1, 1767607203},
        {"X-RateLimit-Reset: \r\n", -1, -1, -1, -1}, /* as on a 401 */
        {"X-RateLimit-Remaining: 1e3\r\n", -1, -1, -1, -1},
        {"no colon at all", -1, -1, -1, -1},
        {":", -1, -1, -1, -1},
        {"", -1, -1, -1, -1},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct reply reply;
        reply_init(&reply);
        reply_header(&reply, str_from(rows[i].line), NOW_S);
        if (reply.retry_after_s != rows[i].retry_after_s ||
            reply.ratelimit_retry_after_s != rows[i].ratelimit_retry_after_s ||
            reply.ratelimit_remaining != rows[i].remaining ||
            reply.ratelimit_reset != rows[i].reset)
            fail_msg("\"%s\" is read wrongly", rows[i].line);
    }
}

static void a_reset_is_an_epoch_or_counts_seconds(void **state)
{
    (void)state;
    static const struct {
        int64_t reset;
        int64_t expected_ms;
    } rows[] = {
        {-1, -1}, {0, 0}, {3, 3000}, {NOW_S + 3, 3000}, {NOW_S, -1}, {NOW_S - 100, -1},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct reply reply;
        reply_init(&reply);
        reply.ratelimit_reset = rows[i].reset;
        assert_int_equal(reply_reset_ms(&reply, (int64_t)NOW_S * 1000), rows[i].expected_ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_are_read_whatever_their_case),
        cmocka_unit_test(a_reset_is_an_epoch_or_counts_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
