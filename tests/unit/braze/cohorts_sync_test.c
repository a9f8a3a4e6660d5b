#include "cohorts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "../json_scene.h"

/* What the sync of these payloads asks Braze for, one request a line. */
static struct str sync_of(const char *payloads)
{
    struct cohorts_sync sync;
    struct cohorts_config config = {.client_secret = jv_string(STR("s"))};
    struct record records[8];
    struct str why;
    arena_reset(&arena);
    buf_reset(&out);
    struct schema *schema = schema_new(cohorts_fields, COHORTS_ROWS, 0);
    struct jv list = parse(payloads);
    for (uint32_t i = 0; i < list.len; i++)
        assert_int_equal(
            schema_check(schema, list.items[i], CLEAN_BATCH, &arena, &records[i], &why), 0);
    assert_int_equal(cohorts_sync(&sync, &config, records, list.len, &arena), 0);
    buf_append(&out, sync.failure.message);
    for (size_t i = 0; i < sync.request_count; i++) {
        jv_write(&out, sync.requests[i].body);
        buf_append(&out, STR("\n"));
    }
    schema_free(schema);
    return buf_str(&out);
}

static void the_newest_word_about_a_member_counts(void **state)
{
    (void)state;
#define MADE(time)                                                                                 \
    "{\"client_secret\":\"s\",\"name\":\"k\",\"cohort_id\":\"c\",\"created_at\":\"" time "\"}\n"
#define PAYLOAD(user, time, is_in)                                                                 \
    "{\"external_id\":\"" user "\",\"cohort_id\":\"c\",\"cohort_name\":\"k\",\"time\":\"" time     \
    "\",\"personas_audience_key\":\"k\",\"event_properties\":{\"k\":" is_in "}}"
#define IN(users) "{\"user_ids\":[" users "],\"device_ids\":[],\"aliases\":[]}"
#define OUT(users)                                                                                 \
    "{\"user_ids\":[" users "],\"device_ids\":[],\"aliases\":[],\"should_remove\":true}"
#define CHANGED(changes)                                                                           \
    "{\"client_secret\":\"s\",\"cohort_id\":\"c\",\"cohort_changes\":[" changes "]}\n"
    /* clang-format off */
    static const struct {
        const char *payloads;
        const char *expected;
    } rows[] = {
        {"[" PAYLOAD("a", "2024-01-01", "true") "]", MADE("2024-01-01") CHANGED(IN("\"a\""))},
        {"[" PAYLOAD("a", "2024-01-01", "true") "," PAYLOAD("b", "2024-01-02", "false") ","
         PAYLOAD("a", "2024-01-03", "0") "," PAYLOAD("c", "2024-01-01", "\"false\"") "]",
         MADE("2024-01-01") CHANGED(IN("\"c\"") "," OUT("\"a\",\"b\""))},
        /* a time that is none ends a run and stays between the others */
        {"[" PAYLOAD("a", "2024-01-01", "1") "," PAYLOAD("b", "none", "1") "," PAYLOAD("c", "2024-01-03", "1") ","
         PAYLOAD("d", "2024-01-02", "1") "]",
         MADE("2024-01-01") CHANGED(IN("\"a\",\"b\",\"c\",\"d\""))},
        {"[" PAYLOAD("a", "2024-01-01", "1") "," PAYLOAD("b", "2024-01-02", "1") "," PAYLOAD("c", "none", "1") ","
         PAYLOAD("d", "2024-01-03", "1") "]",
         MADE("2024-01-01") CHANGED(IN("\"d\",\"b\",\"a\",\"c\""))},
    };
    /* clang-format on */
    for (size_t i = 0; i < countof(rows); i++) {
        struct str got = sync_of(rows[i].payloads);
        if (!str_eq(got, str_from(rows[i].expected)))
            fail_msg("%s:\n got      %.*s\n expected %s", rows[i].payloads, STR_ARG(got),
                     rows[i].expected);
    }
}

static void aliases_that_print_alike_are_one(void **state)
{
    (void)state;
#define ALIAS(name, label)                                                                         \
    "{\"user_alias\":{\"alias_name\":\"" name "\",\"alias_label\":\"" label "\"},"                 \
    "\"cohort_id\":\"c\",\"cohort_name\":\"k\",\"time\":\"2024-01-01\","                           \
    "\"personas_audience_key\":\"k\",\"event_properties\":{\"k\":true}}"
    struct str got = sync_of("[" ALIAS("a:b", "c") "," ALIAS("a", "b:c") "," ALIAS("a", "b") "]");
    struct str expected =
        STR(MADE("2024-01-01") "{\"client_secret\":\"s\",\"cohort_id\":\"c\",\"cohort_changes\":["
                               "{\"user_ids\":[],\"device_ids\":[],\"aliases\":["
                               "{\"alias_name\":\"a:b\",\"alias_label\":\"c\"},"
                               "{\"alias_name\":\"a\",\"alias_label\":\"b\"}]}]}\n");
    if (!str_eq(got, expected))
        fail_msg("got %.*s", STR_ARG(got));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_word_about_a_member_counts),
        cmocka_unit_test(aliases_that_print_alike_are_one),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
