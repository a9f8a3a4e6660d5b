#include "unit.h"

#include "letter.h"

static void expect(const struct letter *letter, const char *expected)
{
    struct arena arena;
    struct buf out;
    arena_init(&arena, 1 << 16);
    buf_init(&out, 1 << 16);
    letter_write(&out, letter, &arena);
    assert_string_equal(buf_cstr(&out), expected);
    buf_fini(&out);
    arena_fini(&arena);
}

static void a_letter_says_what_happened_to_what(void **state)
{
    (void)state;
    struct letter letter = {
        .at_ms = 1767607200123,
        .destination = STR("braze-eu"),
        .stage = "send",
        .code = "OBJECT_REFUSED",
        .reason = STR("Braze said \"no\""),
        .source = STR("web"),
        .subscription = STR("Track Calls"),
        .position = 7,
        .status = 201,
        .method = "POST",
        .path = STR("/users/track"),
        .object = STR("{\"name\":\"a\"}"),
        .event = STR("{\"type\":\"track\",\"event\":\"Signup\",\"messageId\":\"m1\"}"),
    };
    expect(
        &letter,
        "{\"at\":\"2026-01-05T10:00:00.123Z\",\"destination\":\"braze-eu\",\"stage\":\"send\","
        "\"code\":\"OBJECT_REFUSED\",\"reason\":\"Braze said \\\"no\\\"\",\"source\":\"web\","
        "\"subscription\":\"Track Calls\",\"position\":7,\"status\":201,"
        "\"request\":{\"method\":\"POST\",\"path\":\"/users/track\"},\"object\":{\"name\":\"a\"},"
        "\"message_id\":\"m1\",\"type\":\"track\",\"event_name\":\"Signup\","
        "\"event\":{\"type\":\"track\",\"event\":\"Signup\",\"messageId\":\"m1\"}}");
}

static void what_is_not_known_is_left_out(void **state)
{
    (void)state;
    struct letter letter = {
        .destination = STR("d"), .stage = "read", .code = "BAD", .event = STR("{\"event\":5}")};
    expect(&letter, "{\"at\":\"1970-01-01T00:00:00.000Z\",\"destination\":\"d\",\"stage\":\"read\","
                    "\"code\":\"BAD\",\"position\":0,\"event\":{\"event\":5}}");
}

static void an_event_that_is_no_json_is_kept_as_text(void **state)
{
    (void)state;
    struct letter letter = {.stage = "read", .code = "BAD", .event = STR("{\"a\":")};
    expect(&letter, "{\"at\":\"1970-01-01T00:00:00.000Z\",\"stage\":\"read\",\"code\":\"BAD\","
                    "\"position\":0,\"event\":\"{\\\"a\\\":\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_letter_says_what_happened_to_what),
        cmocka_unit_test(what_is_not_known_is_left_out),
        cmocka_unit_test(an_event_that_is_no_json_is_kept_as_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
