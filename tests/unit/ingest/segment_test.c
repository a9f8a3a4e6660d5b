#include "segment.h"

#include <stdlib.h>

#include "bounds.h"
#include "envelope.h"
#include "jv.h"

#include "unit.h"

#define NOW_MS   INT64_C(1795315716110) /* 2026-11-22T02:48:36.110Z */
#define NOW_TEXT "2026-11-22T02:48:36.110Z"
#define BASIC    "Basic V0s6" /* WK: */

struct fixture {
    struct segment *segment;
    struct sources *sources;
    struct arena arena;
    struct segment_result result;
};

static int setup(void **state)
{
    static const struct source sources[] = {
        {STR_INIT("web"), STR_INIT("WK"), true},
        {STR_INIT("old"), STR_INIT("OLD"), false},
    };
    const struct segment_options options = {.event_bytes_max = EVENT_BYTES_MAX,
                                            .batch_bytes_max = BATCH_BYTES_MAX};
    struct fixture *f = calloc(1, sizeof(*f));
    arena_init(&f->arena, 256 << 20);
    assert_int_equal(sources_new(&f->sources, sources, countof(sources)), 0);
    assert_int_equal(segment_open(&f->segment, &options), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    segment_close(f->segment);
    sources_free(f->sources);
    arena_fini(&f->arena);
    free(f);
    return 0;
}

static const struct segment_result *post(struct fixture *f, const char *path,
                                         const char *authorization, struct str body)
{
    const struct segment_request request = {
        .method = STR("POST"),
        .path = str_from(path),
        .authorization = str_from(authorization),
        .body = body,
        .client_ip = STR("192.0.2.7"),
        .now_ms = NOW_MS,
    };
    arena_reset(&f->arena);
    segment_ingest(f->segment, f->sources, &request, &f->arena, &f->result);
    return &f->result;
}

static void assert_record(const struct segment_result *result, size_t i, const char *expected)
{
    struct envelope envelope;
    assert_true(i < result->record_count);
    assert_int_equal(envelope_read(&envelope, result->records[i].envelope), 0);
    assert_true(str_eq(envelope.source, STR("web")));
    assert_int_equal(envelope.received_at_ms, NOW_MS);
    if (!str_eq(envelope.json, str_from(expected)))
        fail_msg("got      %.*s\nexpected %s", STR_ARG(envelope.json), expected);
}

static void every_route_takes_its_call_in_both_forms(void **state)
{
    static const struct {
        const char *path;
        const char *body;
        const char *type;
    } rows[] = {
        {"/v1/identify", "{\"userId\":\"u\"}", "identify"},
        {"/v1/i", "{\"userId\":\"u\"}", "identify"},
        {"/v1/track", "{\"userId\":\"u\",\"event\":\"E\"}", "track"},
        {"/v1/t/", "{\"userId\":\"u\",\"event\":\"E\",\"type\":\"page\"}", "track"},
        {"/v1/page", "{\"userId\":\"u\"}", "page"},
        {"/v1/p", "{\"userId\":\"u\",\"name\":null}", "page"},
        {"/v1/screen", "{\"userId\":\"u\"}", "screen"},
        {"/v1/s", "{\"userId\":\"u\"}", "screen"},
        {"/v1/group", "{\"userId\":\"u\",\"groupId\":\"g\"}", "group"},
        {"/v1/g", "{\"userId\":\"u\",\"groupId\":7}", "group"},
        {"/v1/alias", "{\"userId\":\"u\",\"previousId\":\"p\"}", "alias"},
        {"/v1/a", "{\"userId\":\"u\",\"previousId\":\"p\"}", "alias"},
        {"/some/prefix/t", "{\"userId\":\"u\",\"event\":\"E\"}", "track"},
        {"/v1/batch", "{\"userId\":\"u\",\"event\":\"E\",\"type\":\"track\"}", "track"},
        {"/v1/b", "{\"batch\":[{\"userId\":\"u\",\"type\":\"page\"}]}", "page"},
        {"/v1/import/", "{\"batch\":[{\"userId\":\"u\",\"type\":\"screen\"}]}", "screen"},
        {"/proxy", "{\"batch\":[{\"userId\":\"u\",\"type\":\"identify\"}]}", "identify"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < countof(rows); i++) {
        const struct segment_result *result = post(f, rows[i].path, BASIC, str_from(rows[i].body));
        assert_int_equal(result->status, 200);
        assert_true(str_eq(result->body, STR("{\"success\": true}")));
        if (result->record_count != 1)
            fail_msg("%s %s: %zu records", rows[i].path, rows[i].body, result->record_count);
        struct envelope envelope;
        struct jv event;
        assert_int_equal(envelope_read(&envelope, result->records[0].envelope), 0);
        assert_int_equal(jv_parse(&event, &f->arena, envelope.json, JV_EXACT, NULL), 0);
        assert_true(str_eq(jv_str(jv_get(event, STR("type"))), str_from(rows[i].type)));
    }
}

static void the_key_is_found_wherever_an_sdk_puts_it(void **state)
{
    static const struct {
        const char *authorization;
        const char *body;
        unsigned status;
    } rows[] = {
        {BASIC, "{\"userId\":\"u\",\"event\":\"E\"}", 200},
        {"basic V0s=", "{\"userId\":\"u\",\"event\":\"E\"}", 200},
        {"", "{\"userId\":\"u\",\"event\":\"E\",\"writeKey\":\"WK\"}", 200},
        {"Bearer abc", "{\"userId\":\"u\",\"event\":\"E\",\"writeKey\":\"WK\"}", 200},
        {"",
         "{\"batch\":[{\"type\":\"track\",\"userId\":\"u\",\"event\":\"E\",\"writeKey\":\"WK\"}]}",
         200},
        {BASIC, "{\"userId\":\"u\",\"event\":\"E\",\"writeKey\":\"WRONG\"}",
         200}, /* the header wins */
        {"", "{\"userId\":\"u\",\"event\":\"E\"}", 400},
        {"", "{\"userId\":\"u\",\"event\":\"E\",\"writeKey\":\"WRONG\"}", 400},
        {"", "{\"userId\":\"u\",\"event\":\"E\",\"writeKey\":\"OLD\"}", 400},
        {"Basic !!!", "{\"userId\":\"u\",\"event\":\"E\"}", 400},
        {"", "{\"userId\":\"u\",\"event\":\"E\",\"writeKey\":7}", 400},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        const struct segment_result *result =
            post(*state, "/v1/track", rows[i].authorization, str_from(rows[i].body));
        assert_int_equal(result->status, rows[i].status);
        assert_int_equal(result->record_count, rows[i].status == 200);
        if (rows[i].status == 400)
            assert_true(str_starts(result->body, STR("{\"success\":false,\"message\":\"")));
    }
}

static void an_event_is_stamped_in_its_own_order(void **state)
{
    const struct segment_result *result =
        post(*state, "/v1/track", BASIC,
             STR("{\"writeKey\":\"WK\",\"messageId\":\"m1\",\"userId\":42,\"event\":\"E\","
                 "\"properties\":{\"b\":1,\"a\":"
                 "12345678901234567890},\"timestamp\":\"2026-11-22T02:48:30.100Z\",\"sentAt\":"
                 "\"2026-11-22T02:48:36."
                 "000Z\",\"receivedAt\":\"forged\",\"context\":{\"library\":{\"name\":\"analytics."
                 "js\"}}}"));
    assert_true(str_eq(result->records[0].message_id, STR("m1")));
    assert_record(
        result, 0,
        "{\"messageId\":\"m1\",\"userId\":\"42\",\"event\":\"E\",\"properties\":{\"b\":1,\"a\":"
        "12345678901234567890},\"timestamp\":\"2026-11-22T02:48:30.210Z\",\"sentAt\":\"2026-11-"
        "22T02:48:36."
        "000Z\",\"receivedAt\":\"" NOW_TEXT
        "\",\"context\":{\"library\":{\"name\":\"analytics.js\"},\"ip\":"
        "\"192.0.2.7\"},\"type\":\"track\",\"originalTimestamp\":\"2026-11-22T02:48:30.100Z\","
        "\"channel\":"
        "\"browser\",\"version\":2}");
}

static void clocks_are_corrected_only_when_they_make_sense(void **state)
{
    static const struct {
        const char *times;
        const char *timestamp;
    } rows[] = {
        {"", NOW_TEXT},
        {",\"timestamp\":\"2020-01-02T03:04:05.678Z\"", "2020-01-02T03:04:05.678Z"},
        {",\"timestamp\":1577934245678", "2020-01-02T03:04:05.678Z"},
        {",\"timestamp\":\"soon\"", NOW_TEXT},
        {",\"timestamp\":\"2026-11-22T03:48:36.000+01:00\",\"sentAt\":\"2026-11-22T02:48:36.000Z\"",
         NOW_TEXT},
        {",\"timestamp\":\"2030-01-01T00:00:10.000Z\",\"sentAt\":\"2030-01-01T00:00:15.000Z\"",
         "2026-11-22T02:48:31.110Z"},
        {",\"timestamp\":\"2030-01-01T00:00:00.000Z\",\"sentAt\":\"2026-11-22T02:48:36.000Z\"",
         "2030-01-01T00:00:00.000Z"},
        {",\"timestamp\":\"2020-01-01T00:00:00.000Z\",\"sentAt\":\"never\"",
         "2020-01-01T00:00:00.000Z"},
        {",\"originalTimestamp\":\"2020-01-01T00:00:00Z\"", "2020-01-01T00:00:00.000Z"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < countof(rows); i++) {
        char body[512];
        snprintf(body, sizeof(body), "{\"userId\":\"u\",\"event\":\"E\"%s}", rows[i].times);
        const struct segment_result *result = post(f, "/v1/track", BASIC, str_from(body));
        struct envelope envelope;
        struct jv event;
        assert_int_equal(result->record_count, 1);
        assert_int_equal(envelope_read(&envelope, result->records[0].envelope), 0);
        assert_int_equal(jv_parse(&event, &f->arena, envelope.json, JV_EXACT, NULL), 0);
        struct str timestamp = jv_str(jv_get(event, STR("timestamp")));
        if (!str_eq(timestamp, str_from(rows[i].timestamp)))
            fail_msg("%s gave %.*s", rows[i].times, STR_ARG(timestamp));
    }
}

static void a_batch_hands_its_context_down(void **state)
{
    const struct segment_result *result =
        post(*state, "/v1/batch", BASIC,
             STR("{\"batch\":[{\"type\":\"identify\",\"userId\":\"u\",\"messageId\":\"a\","
                 "\"context\":{\"app\":{\"name\":"
                 "\"mine\"}},\"integrations\":{\"Braze\":true}}],\"context\":{\"app\":{\"name\":"
                 "\"theirs\",\"v\":1},"
                 "\"ip\":\"1.2.3.4\"},\"integrations\":{\"Braze\":false,\"All\":true}}"));
    assert_record(result, 0,
                  "{\"type\":\"identify\",\"userId\":\"u\",\"messageId\":\"a\",\"context\":{"
                  "\"app\":{\"name\":\"mine\",\"v\":1},"
                  "\"ip\":\"1.2.3.4\"},\"integrations\":{\"Braze\":true,\"All\":true},"
                  "\"timestamp\":\"" NOW_TEXT "\",\"originalTimestamp\":\"" NOW_TEXT
                  "\",\"receivedAt\":\"" NOW_TEXT "\",\"version\":2}");
}

static void an_event_without_a_message_id_gets_a_uuid(void **state)
{
    const struct segment_result *result =
        post(*state, "/v1/batch", BASIC,
             STR("{\"batch\":[{\"type\":\"page\",\"userId\":\"u\"},{\"type\":\"page\",\"userId\":"
                 "\"u\",\"messageId\":\"\"}]}"));
    assert_int_equal(result->record_count, 2);
    struct str first = result->records[0].message_id;
    assert_int_equal(first.len, 36);
    assert_int_equal(first.ptr[14], '4');
    assert_false(str_eq(first, result->records[1].message_id));
}

static void what_is_no_event_is_discarded_with_a_reason_and_the_rest_is_kept(void **state)
{
    static const struct {
        const char *item;
        const char *code;
        const char *reason;
    } rows[] = {
        {"5", "bad_request", "batch[1]: an event must be an object"},
        {"{\"userId\":\"u\"}", "unknown_type",
         "batch[1]: type must be identify, track, page, screen, group or alias"},
        {"{\"type\":\"t\",\"userId\":\"u\"}", "unknown_type",
         "batch[1]: type must be identify, track, page, screen, group or alias"},
        {"{\"type\":\"track\",\"event\":\"E\"}", "no_user_anon_id",
         "batch[1]: neither userId nor anonymousId is there"},
        {"{\"type\":\"track\",\"event\":\"E\",\"userId\":null,\"anonymousId\":null}",
         "no_user_anon_id", "batch[1]: neither userId nor anonymousId is there"},
        {"{\"type\":\"track\",\"event\":\"E\",\"userId\":\"\"}", "id_not_string",
         "batch[1]: userId is empty, expected a string that is not empty"},
        {"{\"type\":\"track\",\"event\":\"E\",\"userId\":{}}", "id_not_string",
         "batch[1]: userId is an object, expected a string that is not empty"},
        {"{\"type\":\"track\",\"userId\":\"u\"}", "event_not_defined",
         "batch[1]: event is missing, expected the event's name"},
        {"{\"type\":\"track\",\"userId\":\"u\",\"event\":\"\"}", "event_not_defined",
         "batch[1]: event is empty, expected the event's name"},
        {"{\"type\":\"track\",\"userId\":\"u\",\"event\":7}", "event_not_string",
         "batch[1]: event is a number, expected a string"},
        {"{\"type\":\"track\",\"userId\":\"u\",\"event\":\"E\",\"properties\":[]}",
         "properties_not_object", "batch[1]: properties is an array, expected an object"},
        {"{\"type\":\"identify\",\"userId\":\"u\",\"traits\":\"x\"}", "traits_not_object",
         "batch[1]: traits is a string, expected an object"},
        {"{\"type\":\"page\",\"userId\":\"u\",\"name\":true}", "name_not_string",
         "batch[1]: name is a boolean, expected a string"},
        {"{\"type\":\"screen\",\"userId\":\"u\",\"category\":1}", "category_not_string",
         "batch[1]: category is a number, expected a string"},
        {"{\"type\":\"group\",\"userId\":\"u\"}", "id_required",
         "batch[1]: groupId is missing, expected a string that is not empty"},
        {"{\"type\":\"alias\",\"userId\":\"u\",\"previousId\":null}", "id_required",
         "batch[1]: previousId is null, expected a string that is not empty"},
        {"{\"type\":\"alias\",\"anonymousId\":\"u\",\"previousId\":\"p\"}", "id_required",
         "batch[1]: userId is missing, expected a string that is not empty"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        char body[512];
        snprintf(body, sizeof(body),
                 "{\"batch\":[{\"type\":\"page\",\"userId\":\"a\"},%s,{\"type\":\"page\","
                 "\"userId\":\"b\"}]}",
                 rows[i].item);
        const struct segment_result *result = post(*state, "/v1/batch", BASIC, str_from(body));
        assert_int_equal(result->status, 200);
        assert_int_equal(result->record_count, 2);
        assert_int_equal(result->discard_count, 1);
        assert_string_equal(result->discards[0].code, rows[i].code);
        if (!str_eq(result->discards[0].reason, str_from(rows[i].reason)))
            fail_msg("got %.*s", STR_ARG(result->discards[0].reason));
    }
}

static void hopeless_requests_get_400_and_say_why(void **state)
{
    static const struct {
        const char *body;
        const char *answer;
    } rows[] = {
        {"", "{\"success\":false,\"message\":\"malformed JSON: empty text, expected "
             "JSON\",\"code\":\"invalid_request\"}"},
        {"[{}]", "{\"success\":false,\"message\":\"malformed JSON: the body must be an object, an "
                 "event or {\\\"batch\\\": [...]}\",\"code\":\"invalid_request\"}"},
        {"{\"userId\":\"u\"", "{\"success\":false,\"message\":\"malformed JSON at "
                              "byte 13: unexpected end of data\",\"code\":\"invalid_request\"}"},
        {"{\"batch\":{}}", "{\"success\":false,\"message\":\"batch must be an array of "
                           "events\",\"code\":\"invalid_request\"}"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        const struct segment_result *result =
            post(*state, "/v1/batch", BASIC, str_from(rows[i].body));
        assert_int_equal(result->status, 400);
        assert_int_equal(result->record_count, 0);
        if (!str_eq(result->body, str_from(rows[i].answer)))
            fail_msg("got %.*s", STR_ARG(result->body));
    }
}

static struct str event_of_bytes(char *body, size_t filling, bool in_batch)
{
    int head = sprintf(
        body, "%s{\"type\":\"track\",\"userId\":\"u\",\"event\":\"E\",\"properties\":{\"x\":\"",
        in_batch ? "{\"batch\":[" : "");
    memset(body + head, 'x', filling);
    int tail = sprintf(body + head + filling, "\"}}%s",
                       in_batch ? ",{\"type\":\"page\",\"userId\":\"u\"}]}" : "");
    return (struct str){body, (size_t)head + filling + (size_t)tail};
}

static void events_over_the_limit_are_refused_alone_and_discarded_in_a_batch(void **state)
{
    static char body[1 << 20];
    const struct segment_result *result =
        post(*state, "/v1/track", BASIC, event_of_bytes(body, 30000, false));
    assert_int_equal(result->status, 200);
    result = post(*state, "/v1/track", BASIC, event_of_bytes(body, EVENT_BYTES_MAX, false));
    assert_int_equal(result->status, 400);
    assert_true(
        str_starts(result->body,
                   STR("{\"success\":false,\"message\":\"Exceed payload limit: the event has 33")));
    result = post(*state, "/v1/batch", BASIC, event_of_bytes(body, EVENT_BYTES_MAX, true));
    assert_int_equal(result->status, 200);
    assert_int_equal(result->record_count, 1);
    assert_int_equal(result->discard_count, 1);
    assert_string_equal(result->discards[0].code, "too_large");
    result = post(*state, "/v1/batch", BASIC, event_of_bytes(body, BATCH_BYTES_MAX, true));
    assert_int_equal(result->status, 400);
}

static void a_batch_of_too_many_events_is_refused_whole(void **state)
{
    static char body[1 << 20];
    for (int extra = 0; extra < 2; extra++) {
        size_t len = (size_t)sprintf(body, "{\"batch\":[");
        for (int i = 0; i < BATCH_EVENTS_MAX + extra; i++)
            len += (size_t)sprintf(body + len, "%s{\"type\":\"page\",\"userId\":\"u\"}",
                                   i == 0 ? "" : ",");
        len += (size_t)sprintf(body + len, "]}");
        const struct segment_result *result =
            post(*state, "/v1/batch", BASIC, (struct str){body, len});
        assert_int_equal(result->status, extra == 0 ? 200 : 400);
        assert_int_equal(result->record_count, extra == 0 ? BATCH_EVENTS_MAX : 0);
    }
}

static void a_pixel_always_answers_with_its_picture(void **state)
{
    struct fixture *f = *state;
    struct segment_request request = {
        .method = STR("GET"),
        .path = STR("/v1/pixel/track"),
        .query = STR("data=eyJ1c2VySWQiOiJ1IiwiZXZlbnQiOiJPcGVuZWQiLCJ3cml0ZUtleSI6IldLIn0"),
        .client_ip = STR("192.0.2.7"),
        .user_agent = STR("Mail\xff/1"),
        .now_ms = NOW_MS,
    };
    arena_reset(&f->arena);
    segment_ingest(f->segment, f->sources, &request, &f->arena, &f->result);
    assert_int_equal(f->result.record_count, 1);
    assert_int_equal(f->result.status, 200);
    assert_string_equal(f->result.content_type, "image/gif");
    struct jv event;
    struct envelope envelope;
    assert_int_equal(envelope_read(&envelope, f->result.records[0].envelope), 0);
    assert_int_equal(jv_parse(&event, &f->arena, envelope.json, JV_EXACT, NULL), 0);
    struct jv context = jv_get(event, STR("context"));
    assert_true(str_eq(jv_str(jv_get(context, STR("ip"))), STR("192.0.2.7")));
    assert_true(str_eq(jv_str(jv_get(context, STR("userAgent"))), STR("Mail\xef\xbf\xbd/1")));
    request.query = STR("data=!");
    segment_ingest(f->segment, f->sources, &request, &f->arena, &f->result);
    assert_int_equal(f->result.record_count, 0);
    assert_int_equal(f->result.status, 200);
    assert_true(str_starts(f->result.body, STR("GIF89a")));
}

static void what_sdks_tell_about_themselves_is_taken_and_dropped(void **state)
{
    const struct segment_result *result = post(*state, "/v1/m", "", STR("{\"series\":[]}"));
    assert_int_equal(result->status, 200);
    assert_int_equal(result->record_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_route_takes_its_call_in_both_forms, setup, teardown),
        cmocka_unit_test_setup_teardown(the_key_is_found_wherever_an_sdk_puts_it, setup, teardown),
        cmocka_unit_test_setup_teardown(an_event_is_stamped_in_its_own_order, setup, teardown),
        cmocka_unit_test_setup_teardown(clocks_are_corrected_only_when_they_make_sense, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_batch_hands_its_context_down, setup, teardown),
        cmocka_unit_test_setup_teardown(an_event_without_a_message_id_gets_a_uuid, setup, teardown),
        cmocka_unit_test_setup_teardown(
            what_is_no_event_is_discarded_with_a_reason_and_the_rest_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(hopeless_requests_get_400_and_say_why, setup, teardown),
        cmocka_unit_test_setup_teardown(
            events_over_the_limit_are_refused_alone_and_discarded_in_a_batch, setup, teardown),
        cmocka_unit_test_setup_teardown(a_batch_of_too_many_events_is_refused_whole, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_pixel_always_answers_with_its_picture, setup, teardown),
        cmocka_unit_test_setup_teardown(what_sdks_tell_about_themselves_is_taken_and_dropped, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
