#include "unit.h"

#include "../json_scene.h"
#include "verdict.h"

enum { NOW_S = 1767607200 };

static const struct retry_policy policy = {500, 60000, 2000, 15000, 4LL * 60 * 60 * 1000};

/* What was sent: how many attributes, events and purchases, one object as the whole body, or "c5":
 * five members of a cohort. */
static struct manifest manifest_of(const char *sent)
{
    struct manifest m = {0};
    static const struct str keys[] = {STR_INIT("attributes"), STR_INIT("events"),
                                      STR_INIT("purchases")};
    if (sent[0] == 'w' || sent[0] == 'p') { /* whole body; one with its own path */
        m.arrays[0].count = 1;
        m.array_count = 1;
        m.object_count = 1;
        m.has_own_path = sent[0] == 'p';
        return m;
    }
    if (sent[0] == 'c') {
        m.object_count = (unsigned)(sent[1] - '0');
        m.has_keys = true;
        return m;
    }
    for (size_t i = 0; i < countof(keys); i++) {
        unsigned count = (unsigned)(sent[i] - '0');
        if (count == 0)
            continue;
        m.arrays[m.array_count].key = keys[i];
        m.arrays[m.array_count++].count = count;
        m.object_count += count;
    }
    return m;
}

static const char *const kind_names[] = {"done", "resend", "retry", "split", "dead", "pause"};

/* "done 0 2": the kind, then the objects that are refused by name. */
static void describe(char *text, size_t bytes, const struct verdict *verdict)
{
    int len = snprintf(text, bytes, "%s", kind_names[verdict->kind]);
    for (unsigned i = 0; i < verdict->refusal_count; i++)
        len += snprintf(text + len, bytes - (size_t)len, " %u", verdict->refusals[i].object);
}

#define SUCCESS           "\"message\":\"success\""
#define ERR(array, index) "{\"type\":\"bad\",\"input_array\":\"" array "\",\"index\":" index "}"

static void every_answer_has_its_verdict(void **state)
{
    (void)state;
    static const struct {
        const char *sent;
        int status;
        const char *body;
        const char *expected;
    } rows[] = {
        /* accepted */
        {"110", 201, "{" SUCCESS "}", "done"},
        {"110", 200, "{" SUCCESS "}", "done"},
        {"110", 202, "{\"message\":\"queued\"}", "done"},
        {"110", 201, "{" SUCCESS ",\"errors\":[]}", "done"},
        {"110", 201, "{" SUCCESS ",\"errors\":null}", "done"},
        {"110", 201, "", "done"},
        {"110", 201, "<html>", "done"},
        {"110", 201, "[1]", "done"},
        {"110", 204, "", "done"},
        /* accepted but for the objects that are named */
        {"020", 201, "{" SUCCESS ",\"errors\":[" ERR("events", "0") "]}", "done 0"},
        {"212", 201, "{" SUCCESS ",\"errors\":[" ERR("events", "0") "]}", "done 2"},
        {"212", 201,
         "{" SUCCESS ",\"errors\":[" ERR("purchases", "1") "," ERR("attributes", "1") "]}",
         "done 4 1"},
        {"003", 201, "{" SUCCESS ",\"errors\":[{\"type\":\"x\",\"index\":2}]}", "done 2"},
        {"111", 201, "{" SUCCESS ",\"errors\":[{\"type\":\"x\",\"index\":0}]}", "done"},
        {"020", 201, "{" SUCCESS ",\"errors\":[" ERR("events", "2") "]}", "done"},
        {"020", 201, "{" SUCCESS ",\"errors\":[" ERR("events", "-1") "]}", "done"},
        {"020", 201, "{" SUCCESS ",\"errors\":[" ERR("events", "0.5") "]}", "done"},
        {"020", 201, "{" SUCCESS ",\"errors\":[" ERR("events", "1e99") "]}", "done"},
        {"020", 201, "{" SUCCESS ",\"errors\":[" ERR("events", "\"0\"") "]}", "done"},
        {"020", 201, "{" SUCCESS ",\"errors\":[" ERR("purchases", "0") "]}", "done"},
        {"020", 201, "{" SUCCESS ",\"errors\":[" ERR("events", "1") "," ERR("events", "1") "]}",
         "done 1"},
        {"020", 201, "{" SUCCESS ",\"errors\":[\"text\",7,null,{}]}", "done"},
        {"020", 201, "{" SUCCESS ",\"errors\":{\"index\":0}}", "done"},
        {"w", 201, "{" SUCCESS ",\"errors\":[" ERR("aliases_to_identify", "0") "]}", "done 0"},
        /* refused */
        {"020", 400, "{\"message\":\"m\",\"errors\":[" ERR("events", "1") "]}", "resend 1"},
        {"010", 400, "{\"message\":\"m\",\"errors\":[" ERR("events", "0") "]}", "resend 0"},
        {"020", 400, "{\"message\":\"m\",\"errors\":[" ERR("events", "9") "]}", "split"},
        {"020", 400, "{\"message\":\"Max Input Length Exceeded\"}", "split"},
        {"020", 400, "not json", "split"},
        {"010", 400, "{\"message\":\"m\"}", "dead"},
        {"010", 400, "", "dead"},
        {"020", 422, "", "split"},
        {"010", 402, "", "dead"},
        {"020", 413, "{\"message\":\"Request Entity Too Large\"}", "split"},
        {"010", 413, "", "dead"},
        /* the configuration is wrong */
        {"010", 401, "{\"message\":\"Invalid API key\"}", "pause"},
        {"010", 403, "", "pause"},
        {"010", 404, "", "pause"},
        {"010", 405, "", "pause"},
        {"010", 407, "", "pause"},
        {"010", 415, "", "pause"},
        {"010", 301, "", "pause"},
        {"w", 404, "", "pause"},
        {"p", 404, "", "dead"}, /* a catalog that does not exist */
        {"p", 401, "", "pause"},
        /* trouble */
        {"010", 0, "", "retry"},
        {"010", 100, "", "retry"},
        {"010", 408, "", "retry"},
        {"010", 425, "", "retry"},
        {"010", 429, "", "retry"},
        {"010", 500, "<html>", "retry"},
        {"010", 503, "", "retry"},
        {"010", 999, "", "retry"},
        /* cohorts: no answer names an object */
        {"c5", 201, "", "done"},
        {"c5", 201, "{" SUCCESS ",\"errors\":[" ERR("cohort_changes", "0") "]}", "done"},
        {"c5", 400, "{\"message\":\"m\",\"errors\":[" ERR("cohort_changes", "0") "]}", "split"},
        {"c1", 400, "{\"message\":\"cohort_id is not a valid string\"}", "dead"},
        {"c5", 401, "", "pause"},
        {"c5", 404, "", "pause"},
        {"c5", 423, "", "retry"},
        {"c1", 423, "", "retry"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct manifest manifest = manifest_of(rows[i].sent);
        struct attempts attempts = {.now_ms = (int64_t)NOW_S * 1000};
        struct reply reply;
        struct verdict verdict;
        char got[64];
        reply_init(&reply);
        reply.status = rows[i].status;
        reply.body = str_from(rows[i].body);
        arena_reset(&arena);
        assert_int_equal(verdict_reach(&verdict, &reply, &manifest, &attempts, &policy, &arena), 0);
        describe(got, sizeof(got), &verdict);
        if (strcmp(got, rows[i].expected) != 0)
            fail_msg("%d %s (sent %s): %s, expected %s", rows[i].status, rows[i].body, rows[i].sent,
                     got, rows[i].expected);
        if (verdict.kind == VERDICT_DEAD || verdict.kind == VERDICT_PAUSE)
            assert_true(verdict.reason.len > 0);
        if (verdict.kind == VERDICT_DEAD)
            assert_true(verdict.code[0] != '\0');
        if (verdict.kind == VERDICT_RETRY || verdict.kind == VERDICT_PAUSE)
            assert_true(verdict.wait_ms > 0);
    }
}

static struct verdict reach(const struct reply *reply, const struct attempts *attempts)
{
    struct manifest manifest = manifest_of("020");
    struct verdict verdict;
    arena_reset(&arena);
    assert_int_equal(verdict_reach(&verdict, reply, &manifest, attempts, &policy, &arena), 0);
    return verdict;
}

static void a_certificate_that_is_not_trusted_never_costs_an_event(void **state)
{
    (void)state;
    struct attempts attempts = {.failures = 99, .tried_ms = policy.give_up_after_ms * 2};
    struct reply reply;
    reply_init(&reply);
    reply.trouble = "certificate has expired";
    assert_int_equal(reach(&reply, &attempts).kind, VERDICT_DEAD); /* as other trouble would */
    reply.distrust = " (renew it)";
    struct verdict verdict = reach(&reply, &attempts);
    assert_int_equal(verdict.kind, VERDICT_PAUSE);
    assert_true(
        str_eq(verdict.reason, STR("no answer from Braze: certificate has expired (renew it)")));
}

static void a_rate_limit_waits_as_the_headers_say(void **state)
{
    (void)state;
    static const struct {
        int64_t ratelimit_retry_after_s;
        int64_t retry_after_s;
        int64_t reset;
        int64_t expected_ms; /* 0: some backoff */
    } rows[] = {
        {3, 9, 12, 3000},       {-1, 9, 12, 9000},
        {-1, -1, 12, 12000},    {-1, -1, NOW_S + 2, 2000},
        {-1, -1, NOW_S - 2, 0}, {-1, -1, -1, 0},
        {0, -1, -1, 0},         {INT32_MAX, -1, -1, RATE_LIMIT_WAIT_MS_MAX},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct attempts attempts = {.now_ms = (int64_t)NOW_S * 1000,
                                    .tried_ms = policy.give_up_after_ms * 2};
        struct reply reply;
        reply_init(&reply);
        reply.status = 429;
        reply.ratelimit_retry_after_s = rows[i].ratelimit_retry_after_s;
        reply.retry_after_s = rows[i].retry_after_s;
        reply.ratelimit_reset = rows[i].reset;
        struct verdict verdict = reach(&reply, &attempts);
        assert_int_equal(verdict.kind, VERDICT_RETRY); /* a rate limit is no reason to give up */
        assert_true(verdict.is_rate_limit);
        if (rows[i].expected_ms != 0)
            assert_int_equal(verdict.wait_ms, rows[i].expected_ms);
        else
            assert_in_range(verdict.wait_ms, policy.wait_min_ms, policy.wait_max_ms);
    }
}

static void waits_grow_with_jitter_and_stay_bounded(void **state)
{
    (void)state;
    int64_t longest = 0;
    for (unsigned failures = 0; failures < 100; failures++) {
        int64_t ceiling =
            failures < 6 ? (int64_t)policy.wait_min_ms << (failures + 1) : policy.wait_max_ms;
        for (uint64_t random = 0; random < 1000000; random += 77777) {
            struct attempts attempts = {.failures = failures, .random = random};
            struct reply reply;
            reply_init(&reply);
            reply.status = 500;
            struct verdict verdict = reach(&reply, &attempts);
            assert_int_equal(verdict.kind, VERDICT_RETRY);
            assert_in_range(verdict.wait_ms, policy.wait_min_ms, ceiling);
            longest = verdict.wait_ms > longest ? verdict.wait_ms : longest;
        }
    }
    assert_true(longest > policy.wait_max_ms / 2);
}

static void a_server_error_that_stays_with_one_request_is_halved(void **state)
{
    (void)state;
    static const struct {
        int status;
        unsigned failures;
        bool is_alone;
        enum verdict_kind expected;
    } rows[] = {
        {500, ALONE_FAILURES_MAX, true, VERDICT_SPLIT},
        {500, ALONE_FAILURES_MAX, false, VERDICT_RETRY}, /* Braze is down for everybody */
        {500, ALONE_FAILURES_MAX - 1, true, VERDICT_RETRY},
        {0, ALONE_FAILURES_MAX, true, VERDICT_RETRY},
        {408, ALONE_FAILURES_MAX, true, VERDICT_RETRY},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct attempts attempts = {.failures = rows[i].failures, .is_alone = rows[i].is_alone};
        struct reply reply;
        reply_init(&reply);
        reply.status = rows[i].status;
        assert_int_equal(reach(&reply, &attempts).kind, rows[i].expected);
    }
}

static void a_server_that_says_when_to_come_back_is_heard(void **state)
{
    (void)state;
    struct attempts attempts = {0};
    struct reply reply;
    reply_init(&reply);
    reply.status = 503;
    reply.retry_after_s = 120;
    assert_int_equal(reach(&reply, &attempts).wait_ms, 120000);
}

static void after_long_enough_trouble_becomes_a_letter(void **state)
{
    (void)state;
    struct attempts attempts = {.tried_ms = policy.give_up_after_ms - 1000};
    struct reply reply;
    reply_init(&reply);
    reply.status = 500;
    reply.body = STR("{\"message\":\"oops\"}");
    assert_int_equal(reach(&reply, &attempts).kind, VERDICT_RETRY);
    attempts.tried_ms += 1000;
    struct verdict verdict = reach(&reply, &attempts);
    assert_int_equal(verdict.kind, VERDICT_DEAD);
    assert_string_equal(verdict.code, CODE_GAVE_UP);
    assert_true(str_eq(verdict.reason, STR("Braze answered 500: oops")));
}

static void an_answer_that_broke_off_is_success_only_after_a_2xx(void **state)
{
    (void)state;
    static const struct {
        int status;
        enum verdict_kind expected;
    } rows[] = {{201, VERDICT_DONE},  {400, VERDICT_RETRY}, {413, VERDICT_SPLIT},
                {401, VERDICT_PAUSE}, {500, VERDICT_RETRY}, {0, VERDICT_RETRY}};
    for (size_t i = 0; i < countof(rows); i++) {
        struct attempts attempts = {0};
        struct reply reply;
        reply_init(&reply);
        reply.status = rows[i].status;
        reply.body = STR("{\"mess");
        reply.trouble = "connection reset";
        assert_int_equal(reach(&reply, &attempts).kind, rows[i].expected);
    }
}

static void a_refusal_is_told_in_brazes_words(void **state)
{
    (void)state;
    struct attempts attempts = {0};
    struct reply reply;
    reply_init(&reply);
    reply.status = 201;
    reply.body = STR("{" SUCCESS ",\"errors\":[{\"index\":1,\"type\":\"'name' is required\"}]}");
    struct verdict verdict = reach(&reply, &attempts);
    assert_int_equal(verdict.refusal_count, 1);
    assert_true(
        str_eq(verdict.refusals[0].reason, STR("Braze refused this object: 'name' is required")));
}

static void long_texts_are_cut_between_characters(void **state)
{
    (void)state;
    char body[4096] = "{\"message\":\"x";
    for (size_t len = strlen(body); len < 3000; len += 2)
        memcpy(body + len, "\xc3\xa9", 2);
    strcpy(body + strlen(body), "\"}");
    struct attempts attempts = {.tried_ms = policy.give_up_after_ms};
    struct reply reply;
    reply_init(&reply);
    reply.status = 500;
    reply.body = str_from(body);
    struct verdict verdict = reach(&reply, &attempts);
    assert_true(verdict.reason.len < 600);
    assert_int_equal((unsigned char)verdict.reason.ptr[verdict.reason.len - 1], 0xa9);
}

static void a_full_arena_is_an_error_and_not_a_verdict(void **state)
{
    (void)state;
    struct arena small;
    arena_init(&small, 64);
    struct manifest manifest = manifest_of("070");
    struct attempts attempts = {0};
    struct reply reply;
    struct verdict verdict;
    reply_init(&reply);
    reply.status = 500;
    reply.trouble = "a long story that does not fit into sixty-four bytes of memory at all";
    reply.status = 0;
    assert_int_not_equal(verdict_reach(&verdict, &reply, &manifest, &attempts, &policy, &small), 0);
    arena_fini(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_that_is_not_trusted_never_costs_an_event),
        cmocka_unit_test(every_answer_has_its_verdict),
        cmocka_unit_test(a_rate_limit_waits_as_the_headers_say),
        cmocka_unit_test(waits_grow_with_jitter_and_stay_bounded),
        cmocka_unit_test(a_server_error_that_stays_with_one_request_is_halved),
        cmocka_unit_test(a_server_that_says_when_to_come_back_is_heard),
        cmocka_unit_test(after_long_enough_trouble_becomes_a_letter),
        cmocka_unit_test(an_answer_that_broke_off_is_success_only_after_a_2xx),
        cmocka_unit_test(a_refusal_is_told_in_brazes_words),
        cmocka_unit_test(long_texts_are_cut_between_characters),
        cmocka_unit_test(a_full_arena_is_an_error_and_not_a_verdict),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
