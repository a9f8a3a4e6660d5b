#include "harness.h"

#include <errno.h>

/* docs/spec/braze-rest-api.md §1, §3, §8.1, and the faults. */
#define ONE ATTRIBUTES("{\"external_id\":\"u\"}")

static void the_door_is_guarded(void **state)
{
    static const struct {
        const char *rule;
        const char *authorization;
        const char *content_type;
        const char *request;
        unsigned status;
        const char *answer;
    } rows[] = {
        {"§1.2 no key", "", "application/json", ONE, 401, "{\"message\":\"Invalid API key\"}"},
        {"§1.2 no Bearer", "all", "application/json", ONE, 401, NULL},
        {"§1.2 a quoted key", "Bearer \"all\"", "application/json", ONE, 401, NULL},
        {"§1.2 a wrong key", "Bearer none", "application/json", ONE, 401, NULL},
        {"§1.2 any casing of the word", "bEARER all", "application/json", ONE, 201, NULL},
        {"§1.2 the key itself is exact", "Bearer ALL", "application/json", ONE, 401, NULL},
        {"§1.5 a permission", "Bearer few", "application/json", ONE, 201, NULL},
        {"§1.5 a missing permission", "Bearer few", "application/json",
         "POST /users/delete {\"external_ids\":[\"u\"]}", 403, "{\"message\":\"Access Denied\"}"},
        {"§1.3 no content type", "Bearer all", "", ONE, 415,
         "{\"message\":\"Unsupported Media Type\"}"},
        {"§1.3 another content type", "Bearer all", "text/plain", ONE, 415, NULL},
        {"§1.3 a charset", "Bearer all", "application/json; charset=utf-8", ONE, 201, NULL},
        {"§1.3 no body, no content type", "Bearer all", "", "GET /events/list", 200, NULL},
        {"§1.3 a trailing comma", "Bearer all", "application/json", TRACK("{\"attributes\":[],}"),
         400, "{\"message\":\"Bad Request\"}"},
        {"§1.3 a comment", "Bearer all", "application/json", TRACK("{/* */}"), 400, NULL},
        {"§1.3 single quotes", "Bearer all", "application/json", TRACK("{'a':1}"), 400, NULL},
        {"§1.3 an extra brace", "Bearer all", "application/json", TRACK("{{}"), 400, NULL},
        {"§1.3 a trailing slash", "Bearer all", "application/json", "POST /users/track/ {}", 404,
         "{\"message\":\"Not Found\"}"},
        {"§8.1-4 another method", "Bearer all", "", "GET /users/track", 404, NULL},
        {"§8.1-3 another path", "Bearer all", "", "GET /nothing", 404,
         "{\"message\":\"Not Found\"}"},
        {"§2.5 bytes that are no UTF-8 are removed", "Bearer all", "application/json",
         ATTRIBUTES("{\"external_id\":\"u\",\"My \x80 Field\":1}"), 201, NULL},
        {"§1.3 deeper than any rule", "Bearer all", "application/json",
         "POST /users/track "
         "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]"
         "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
         400, NULL},
    };
    (void)state;
    for (size_t i = 0; i < countof(rows); i++) {
        struct harness h;
        harness_open(&h, (struct sandbox_options){
                             .workspace = STR("{\"api_keys\":[{\"key\":\"all\"},{\"key\":\"few\","
                                              "\"permissions\":[\"users.track\"]}]}")});
        h.authorization = str_from(rows[i].authorization);
        h.content_type = str_from(rows[i].content_type);
        unsigned status = harness_call(&h, str_from(rows[i].request));
        if (status != rows[i].status ||
            (rows[i].answer != NULL && !str_eq(buf_str(&h.answer.body), str_from(rows[i].answer))))
            fail_msg("%s: %u %.*s", rows[i].rule, status, STR_ARG(buf_str(&h.answer.body)));
        harness_close(&h);
    }
}

static void an_unauthorized_answer_has_empty_rate_headers(void **state)
{
    struct harness h;
    (void)state;
    harness_open(&h, (struct sandbox_options){0});
    h.authorization = STR("Bearer x");
    assert_int_equal(harness_call(&h, STR(ONE)), 401);
    assert_non_null(harness_header(&h, "X-RateLimit-Limit").ptr);
    assert_int_equal(harness_header(&h, "X-RateLimit-Limit").len, 0);
    assert_int_equal(harness_header(&h, "X-RateLimit-Reset").len, 0);
    assert_true(str_eq(harness_header(&h, "Cache-Control"), STR("no-cache")));
    harness_close(&h);
    const char *choices[] = {"unauthorized-body=echo", "legacy-api-key=accept"};
    harness_open(&h, (struct sandbox_options){.choices = choices, .choice_count = 2});
    h.authorization = STR("Bearer x");
    assert_int_equal(harness_call(&h, STR(ONE)), 401);
    assert_true(str_eq(buf_str(&h.answer.body), STR("{\"message\":\"Invalid API key: x\"}")));
    h.authorization = STR("");
    assert_int_equal(
        harness_call(&h,
                     STR("POST /users/track "
                         "{\"api_key\":\"sandbox-key\",\"attributes\":[{\"external_id\":\"u\"}]}")),
        201);
    assert_int_equal(harness_call(&h, STR("GET /events/list?api_key=sandbox-key")), 200);
    harness_close(&h);
}

static void windows_begin_at_the_clock(void **state)
{
    struct harness h;
    (void)state;
    const char *rates[] = {"track=2/3", "user-admin=1/60"};
    harness_open(&h, (struct sandbox_options){.rates = rates, .rate_count = 2});
    assert_int_equal(harness_call(&h, STR(ONE)), 201);
    assert_true(str_eq(harness_header(&h, "X-RateLimit-Limit"), STR("2")));
    assert_true(str_eq(harness_header(&h, "X-RateLimit-Remaining"), STR("1")));
    assert_true(str_eq(harness_header(&h, "X-RateLimit-Reset"), STR("1767607206")));
    assert_int_equal(harness_call(&h, STR(TRACK("{}"))), 400); /* §8.1-10: counts */
    h.now_ms += 2999;
    assert_int_equal(harness_call(&h, STR(ONE)), 429);
    assert_true(str_eq(buf_str(&h.answer.body), STR("{\"message\":\"Rate limited\"}")));
    assert_true(str_eq(harness_header(&h, "X-RateLimit-Remaining"), STR("0")));
    h.now_ms += 1;
    assert_int_equal(harness_call(&h, STR(ONE)), 201);
    /* one bucket for all admin calls, until the full minute */
    assert_int_equal(harness_call(&h, STR("POST /users/delete {\"external_ids\":[\"u\"]}")), 201);
    assert_int_equal(harness_call(&h, STR("POST /users/merge {}")), 429);
    assert_true(str_eq(harness_header(&h, "X-RateLimit-Reset"), STR("1767607260")));
    harness_close(&h);

    const char *free_choice = "count-rejected=no";
    harness_open(&h,
                 (struct sandbox_options){
                     .rates = rates, .rate_count = 1, .choices = &free_choice, .choice_count = 1});
    for (int i = 0; i < 5; i++)
        assert_int_equal(harness_call(&h, STR(TRACK("{}"))), 400);
    harness_close(&h);

    harness_open(&h, (struct sandbox_options){.rates = rates, .rate_count = 1, .no_limits = true});
    for (int i = 0; i < 5; i++)
        assert_int_equal(harness_call(&h, STR(ONE)), 201);
    assert_null(harness_header(&h, "X-RateLimit-Remaining").ptr);
    harness_close(&h);
}

static void every_bucket_has_its_documented_limit(void **state)
{
    static const struct {
        const char *request;
        const char *choice;
        const char *limit;
        const char *reset; /* seconds after HARNESS_NOW */
    } rows[] = {
        {ONE, "contract=data-points", "3000", "1767607206"},
        {ONE, "contract=per-minute", "50000", "1767607260"},
        {ONE, "contract=per-hour", "250000", "1767610800"},
        {ONE, "contract=mau", "250000", "3597"}, /* seconds left */
        {"POST /users/track/sync {}", "contract=data-points", "500", "1767607260"},
        {"POST /users/track/bulk {}", "contract=data-points", "50", "1767607204"},
        {"POST /users/identify {}", "contract=data-points", "20000", "1767607260"},
        {"POST /users/external_ids/rename {}", "contract=data-points", "1000", "1767607260"},
        {"POST /users/external_ids/remove {}", "contract=data-points", "1000", "1767607260"},
        {"POST /users/export/ids {\"external_ids\":[\"u\"]}", "contract=data-points", "250",
         "1767607260"},
        {"POST /users/export/ids {\"external_ids\":[\"u\"]}", "export-rate=2500", "2500",
         "1767607260"},
        {"POST /users/export/ids {\"external_ids\":[\"u\"],\"fields_to_export\":[\"email\"]}",
         "contract=data-points", "40", "1767607204"},
        {"POST /users/export/ids "
         "{\"external_ids\":[\"u\"],\"fields_to_export\":[\"canvases_received\"]}",
         "contract=data-points", "250", "1767607260"},
        {"GET /events/list", "contract=data-points", "1000", "1767610800"},
        {"POST /sends/id/create {}", "contract=data-points", "100", "1767657600"},
        {"POST /v2/subscription/status/set {}", "contract=data-points", "5000", "1767607260"},
        {"GET /catalogs", "contract=data-points", "50", "1767607260"},
        {"PATCH /catalogs/x/items {}", "contract=data-points", "16000", "1767607260"},
        {"GET /catalogs/x/items", "contract=data-points", "50", "1767607260"},
        {"POST /campaigns/trigger/send {\"broadcast\":true}", "contract=data-points", "250",
         "1767607260"},
        {"POST /campaigns/trigger/send {}", "contract=data-points", "250000", "1767610800"},
        {"POST /partners/p/cohorts {}", "contract=data-points", "250000", "1767610800"},
        {"GET /segments/list", "contract=data-points", "250000", "1767610800"},
    };
    (void)state;
    for (size_t i = 0; i < countof(rows); i++) {
        struct harness h;
        harness_open(&h, (struct sandbox_options){.choices = &rows[i].choice, .choice_count = 1});
        harness_call(&h, str_from(rows[i].request));
        if (!str_eq(harness_header(&h, "X-RateLimit-Limit"), str_from(rows[i].limit)) ||
            !str_eq(harness_header(&h, "X-RateLimit-Reset"), str_from(rows[i].reset)))
            fail_msg("%s: %.*s until %.*s", rows[i].request,
                     STR_ARG(harness_header(&h, "X-RateLimit-Limit")),
                     STR_ARG(harness_header(&h, "X-RateLimit-Reset")));
        harness_close(&h);
    }
}

static void mau_contracts_say_retry_after(void **state)
{
    struct harness h;
    (void)state;
    const char *choices[] = {"contract=mau", "mau-burst=1"};
    harness_open(&h, (struct sandbox_options){.choices = choices, .choice_count = 2});
    assert_int_equal(harness_call(&h, STR(ONE)), 201);
    assert_int_equal(harness_call(&h, STR(ONE)), 429);
    assert_true(str_eq(harness_header(&h, "X-Ratelimit-Retry-After"), STR("3")));
    assert_null(harness_header(&h, "X-RateLimit-Limit").ptr);
    harness_close(&h);
}

static void an_audience_gets_ten_broadcasts_a_minute(void **state)
{
    struct harness h;
    (void)state;
    harness_open(&h, (struct sandbox_options){0});
    for (int i = 0; i < 10; i++)
        assert_int_equal(
            harness_call(
                &h, STR("POST /campaigns/trigger/send {\"campaign_id\":\"a\",\"broadcast\":true}")),
            201);
    assert_int_equal(
        harness_call(
            &h, STR("POST /campaigns/trigger/send {\"campaign_id\":\"a\",\"broadcast\":true}")),
        429);
    assert_int_equal(
        harness_call(
            &h, STR("POST /campaigns/trigger/send {\"campaign_id\":\"b\",\"broadcast\":true}")),
        201);
    h.now_ms += 60000;
    assert_int_equal(
        harness_call(
            &h, STR("POST /campaigns/trigger/send {\"campaign_id\":\"a\",\"broadcast\":true}")),
        201);
    harness_close(&h);
}

static void faults_do_what_they_say(void **state)
{
    static const struct {
        const char *fault;
        unsigned status;
        enum sandbox_fate fate;
        size_t break_bytes;
        bool stored;
        const char *body; /* NULL: any */
    } rows[] = {
        {"status=503", 503, FATE_SEND, 0, false, "{\"message\":\"Service Unavailable\"}"},
        {"status=418", 418, FATE_SEND, 0, false, NULL},
        {"status=500,apply=true", 500, FATE_SEND, 0, true, NULL},
        {"status=202", 202, FATE_SEND, 0, false, "{\"message\":\"queued\"}"},
        {"status=502,body=<html>", 502, FATE_SEND, 0, false, "<html>"},
        {"hang", 500, FATE_HANG, 0, false, NULL},
        {"reset,bytes=7", 200, FATE_BREAK, 7, false, NULL},
        {"drop", 201, FATE_BREAK, 0, true, ONE_ATTRIBUTE},
        {"drop,bytes=5", 201, FATE_BREAK, 5, true, NULL},
        {"truncate,bytes=12", 201, FATE_SEND, 0, true, "{\"attributes"},
        {"garbage", 201, FATE_SEND, 0, true, NULL},
        {"status=503,path=/users/delete", 201, FATE_SEND, 0, true, ONE_ATTRIBUTE},
        {"status=503,after=1", 201, FATE_SEND, 0, true, ONE_ATTRIBUTE},
        {"status=503,times=0", 201, FATE_SEND, 0, true, ONE_ATTRIBUTE},
        {"status=503,probability=0", 201, FATE_SEND, 0, true, ONE_ATTRIBUTE},
    };
    (void)state;
    for (size_t i = 0; i < countof(rows); i++) {
        struct harness h;
        harness_open(&h, (struct sandbox_options){.faults = &rows[i].fault, .fault_count = 1});
        unsigned status = harness_call(&h, STR(ONE));
        bool stored = sandbox_counts(h.sandbox).attributes == 1;
        bool body = rows[i].body == NULL || str_eq(buf_str(&h.answer.body), str_from(rows[i].body));
        if (status != rows[i].status || h.answer.fate != rows[i].fate || stored != rows[i].stored ||
            !body || h.answer.break_bytes != rows[i].break_bytes)
            fail_msg("%s: %u, fate %d, %zu bytes, stored %d: %.*s", rows[i].fault, status,
                     (int)h.answer.fate, h.answer.break_bytes, stored,
                     STR_ARG(buf_str(&h.answer.body)));
        harness_close(&h);
    }
}

static void faults_come_and_go_over_the_api(void **state)
{
    struct harness h;
    (void)state;
    harness_open(&h, (struct sandbox_options){0});
    assert_int_equal(
        harness_call(&h,
                     STR("POST /sandbox/faults {\"status\":429,\"times\":2,\"retry-after\":7}")),
        201);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(harness_call(&h, STR(ONE)), 429);
        assert_true(str_eq(harness_header(&h, "Retry-After"), STR("7")));
    }
    assert_int_equal(harness_call(&h, STR(ONE)), 201);
    assert_int_equal(
        harness_call(
            &h,
            STR("POST /sandbox/faults "
                "{\"faults\":[{\"latency\":100},{\"kind\":\"latency\",\"latency\":\"20..20\"}]}")),
        201);
    assert_int_equal(harness_call(&h, STR(ONE)), 201);
    assert_int_equal(h.answer.delay_ms, 120);
    assert_int_equal(harness_call(&h, STR("DELETE /sandbox/faults")), 200);
    assert_int_equal(harness_call(&h, STR(ONE)), 201);
    assert_int_equal(h.answer.delay_ms, 0);
    assert_int_equal(harness_call(&h, STR("POST /sandbox/faults {\"kind\":\"hnag\"}")), 400);
    assert_true(
        str_eq(buf_str(&h.answer.body),
               STR("{\"message\":\"fault: no kind is called 'hnag'; did you mean hang\"}")));
    assert_int_equal(harness_call(&h, STR("POST /sandbox/faults "
                                          "{\"faults\":[{\"status\":503},{\"hang\":true}]}")),
                     400);
    assert_int_equal(harness_call(&h, STR("GET /sandbox/faults")), 200);
    assert_true(str_eq(buf_str(&h.answer.body), STR("{\"faults\":[],\"message\":\"success\"}")));
    assert_int_equal(harness_call(&h, STR("POST /sandbox/faults {\"status\"")), 400);
    assert_true(str_eq(buf_str(&h.answer.body), STR("{\"message\":\"the body is not JSON\"}")));
    harness_close(&h);
}

static void slow_reading_is_asked_for_while_its_rule_is_active(void **state)
{
    static const size_t rates[] = {0, 3000, 3000, 500, 0}; /* before each of the requests */
    static const char *const faults[] = {"read-bytes-per-s=3000,after=1,times=2",
                                         "read-bytes-per-s=500,after=2,times=2", "status=503"};
    struct harness h;
    (void)state;
    harness_open(&h, (struct sandbox_options){.faults = faults, .fault_count = countof(faults)});
    for (size_t i = 0; i < countof(rates); i++) {
        if (sandbox_read_rate(h.sandbox) != rates[i])
            fail_msg("request %zu: %zu", i, sandbox_read_rate(h.sandbox));
        assert_int_equal(harness_call(&h, STR(ONE)), 503);
    }
    harness_close(&h);
}

static void one_seed_makes_the_same_faults(void **state)
{
    unsigned hits[2] = {0, 0};
    unsigned pattern[2][100];
    const char *fault = "status=503,probability=0.3";
    (void)state;
    for (size_t run = 0; run < 2; run++) {
        struct harness h;
        harness_open(&h, (struct sandbox_options){.faults = &fault, .fault_count = 1, .seed = 42});
        for (size_t i = 0; i < 100; i++) {
            pattern[run][i] = harness_call(&h, STR(ONE));
            hits[run] += pattern[run][i] == 503;
        }
        harness_close(&h);
    }
    assert_memory_equal(pattern[0], pattern[1], sizeof(pattern[0]));
    assert_in_range(hits[0], 15, 45);
}

static void delayed_writes_stay_invisible_for_a_while(void **state)
{
    struct harness h;
    (void)state;
    const char *choice = "consistency-ms=100";
    harness_open(&h, (struct sandbox_options){.choices = &choice, .choice_count = 1});
    assert_int_equal(
        harness_call(&h, STR("POST /users/alias/new "
                             "{\"user_aliases\":[{\"alias_name\":\"n\",\"alias_label\":\"l\"}]}")),
        201);
    assert_int_equal(harness_call(&h, STR("GET /sandbox/profiles/l:n")), 404);
    assert_int_equal(harness_call(&h, STR(ATTRIBUTES("{\"email\":\"bad\"}"))),
                     400); /* checked at once */
    assert_int_equal(harness_call(&h, STR(ONE)), 201);
    assert_int_equal(sandbox_counts(h.sandbox).profiles, 0);
    h.now_ms += 100;
    assert_int_equal(harness_call(&h, STR("GET /sandbox/profiles/l:n")), 200);
    assert_int_equal(sandbox_counts(h.sandbox).profiles, 2);
    assert_int_equal(sandbox_counts(h.sandbox).attributes, 1);
    assert_int_equal(harness_call(&h, STR(ATTRIBUTES("{\"external_id\":\"v\"}"))), 201);
    sandbox_settle(h.sandbox, true);
    assert_int_equal(sandbox_counts(h.sandbox).profiles, 3);
    harness_close(&h);
}

static void a_reset_sandbox_is_as_new(void **state)
{
    struct harness h;
    (void)state;
    harness_open(&h, (struct sandbox_options){0});
    assert_int_equal(
        harness_call(&h, STR(ATTRIBUTES("{\"external_id\":\"u\",\"email\":\"a@b.co\",\"a\":1}"))),
        201);
    assert_int_equal(harness_call(&h, STR("POST /sandbox/reset")), 200);
    assert_int_equal(sandbox_counts(h.sandbox).profiles, 0);
    assert_int_equal(sandbox_counts(h.sandbox).data_points, 0);
    assert_int_equal(harness_call(&h, STR("GET /sandbox/profiles/a@b.co")), 404);
    assert_int_equal(harness_call(&h, STR("GET /custom_attributes")), 200);
    assert_true(
        str_eq(buf_str(&h.answer.body), STR("{\"attributes\":[],\"message\":\"success\"}")));
    harness_close(&h);
}

static void wrong_options_are_refused_by_name(void **state)
{
    static const struct {
        struct sandbox_options options;
        const char *choice;
        const char *rate;
        const char *fault;
        const char *message;
    } rows[] = {
        {.choice = "object-limits=combined",
         .message = "no choice is called 'object-limits'; did you mean 'object-limit'?"},
        {.choice = "object-limit=both",
         .message = "object-limit: 'both' is not one of combined, per-array"},
        {.choice = "array-max=501", .message = "array-max: '501' is no number from 0 to 500"},
        {.rate = "track=10",
         .message = "rate 'track=10': expected NAME=REQUESTS/SECONDS, as in track=100/60"},
        {.rate = "trakc=10/1", .message = "no rate limit is called 'trakc'; did you mean track"},
        {.fault = "status=99",
         .message = "fault: status is '99', expected a number from 200 to 599"},
        {.fault = "slow-read", .message = "fault: expected a rate, as in read-bytes-per-s=1000"},
        {.fault = "read-bytes-per-s=0",
         .message = "fault: read-bytes-per-s is '0', expected a number from 1 to 1073741824"},
        {.fault = "read-bytes-per-s=10,path=/users",
         .message = "fault: read-bytes-per-s is for all requests, without path or probability"},
        {.fault = "read-bytes-per-s=10,probability=0.5",
         .message = "fault: read-bytes-per-s is for all requests, without path or probability"},
        {.fault = "status=503,read-bytes-per-s=10",
         .message = "fault: read-bytes-per-s is a rule of its own, without another kind"},
        {.fault = "times=3", .message = "fault: expected a kind, as in status=503 or drop"},
        {.options = {.workspace = {"{\"api_kyes\":[]}", 15}},
         .message = "the workspace has no part 'api_kyes'; did you mean api_keys"},
        {.options = {.workspace = {"{\"apps\":[1]}", 12}}, .message = "apps: expected texts"},
    };
    (void)state;
    for (size_t i = 0; i < countof(rows); i++) {
        struct sandbox *sandbox = NULL;
        struct err err = {0};
        struct sandbox_options options = rows[i].options;
        options.clock = clock_real();
        options.choices = &rows[i].choice;
        options.choice_count = rows[i].choice != NULL;
        options.rates = &rows[i].rate;
        options.rate_count = rows[i].rate != NULL;
        options.faults = &rows[i].fault;
        options.fault_count = rows[i].fault != NULL;
        assert_int_equal(sandbox_open(&sandbox, &options, &err), -EINVAL);
        assert_string_equal(err.msg, rows[i].message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_door_is_guarded),
        cmocka_unit_test(an_unauthorized_answer_has_empty_rate_headers),
        cmocka_unit_test(windows_begin_at_the_clock),
        cmocka_unit_test(every_bucket_has_its_documented_limit),
        cmocka_unit_test(mau_contracts_say_retry_after),
        cmocka_unit_test(an_audience_gets_ten_broadcasts_a_minute),
        cmocka_unit_test(faults_do_what_they_say),
        cmocka_unit_test(faults_come_and_go_over_the_api),
        cmocka_unit_test(slow_reading_is_asked_for_while_its_rule_is_active),
        cmocka_unit_test(one_seed_makes_the_same_faults),
        cmocka_unit_test(delayed_writes_stay_invisible_for_a_while),
        cmocka_unit_test(a_reset_sandbox_is_as_new),
        cmocka_unit_test(wrong_options_are_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
