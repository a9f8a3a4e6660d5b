/*
 * Whatever a client sends, it gets an answer; what is kept is a readable envelope around a complete
 * canonical event, and there are never more records than events. The input's first line picks the
 * request's form: "POST /v1/batch" and the like; the rest is the body, or the pixel's data.
 */
#include "segment.h"

#include <assert.h>

#include "bounds.h"
#include "call.h"
#include "envelope.h"
#include "jv.h"

enum { ARENA_BYTES = 64 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t events_in(struct str text, struct arena *a)
{
    struct jv body;
    if (jv_parse(&body, a, text, JV_EXACT, NULL) != 0)
        return 0;
    struct jv batch = jv_get(body, STR("batch"));
    return batch.type == JV_ARRAY ? batch.len : 1;
}

static void check_text(struct jv event, struct str member)
{
    struct jv v = jv_get(event, member);
    assert(v.type == JV_STRING);
    assert(v.len > 0);
}

static void check_record(const struct segment_record *record, int64_t now_ms, struct arena *a)
{
    struct envelope envelope;
    struct jv event;
    struct err err = {0};
    assert(envelope_read(&envelope, record->envelope) == 0);
    assert(str_eq(envelope.source, STR("web")));
    assert(envelope.destination.len == 0);
    assert(envelope.received_at_ms == now_ms);
    assert(envelope.json.len <= EVENT_BYTES_MAX);
    assert(jv_parse(&event, a, envelope.json, JV_EXACT, &err) == 0);
    assert(call_from_type(jv_get(event, STR("type"))) != CALL_NONE);
    check_text(event, STR("messageId"));
    check_text(event, STR("timestamp"));
    check_text(event, STR("receivedAt"));
    assert(str_eq(jv_str(jv_get(event, STR("messageId"))), record->message_id));
    bool has_user = jv_str(jv_get(event, STR("userId"))).len > 0;
    bool has_anonymous = jv_str(jv_get(event, STR("anonymousId"))).len > 0;
    assert(has_user || has_anonymous);
}

static void check_answer(const struct segment_result *result, struct arena *a)
{
    struct jv answer;
    struct err err = {0};
    assert(result->status == 200 || result->status == 400 || result->status == 503);
    assert(result->body.len > 0);
    if (result->content_type != NULL) /* the pixel's picture */
        return;
    assert(jv_parse(&answer, a, result->body, JV_EXACT, &err) == 0);
    if (result->status != 200) {
        assert(result->refusal != SEGMENT_TAKEN);
        assert(result->record_count == 0);
        check_text(answer, STR("message"));
        check_text(answer, STR("code"));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct source source_list[] = {{STR_INIT("web"), STR_INIT("WK"), true}};
    static const struct segment_options options = {.event_bytes_max = EVENT_BYTES_MAX,
                                                   .batch_bytes_max = BATCH_BYTES_MAX};
    const int64_t now_ms = INT64_C(1795315716110);
    struct segment *segment;
    struct sources *sources;
    struct segment_result result;
    struct arena arena;
    struct arena own;
    arena_init(&arena, ARENA_BYTES);
    arena_init(&own, ARENA_BYTES);
    assert(segment_open(&segment, &options) == 0);
    assert(sources_new(&sources, source_list, countof(source_list)) == 0);

    struct str input = {(const char *)data, size};
    struct str line = str_slice(input, 0, str_find(input, '\n'));
    struct str body = str_slice(input, line.len + 1, input.len);
    size_t space = str_find(line, ' ');
    bool is_pixel = str_eq(str_slice(line, 0, space), STR("GET"));
    const struct segment_request request = {
        .method = str_slice(line, 0, space),
        .path = str_slice(line, space + 1, line.len),
        .authorization = size % 2 == 0 ? STR("Basic V0s6") : STR(""),
        .query = is_pixel        ? body
                 : size % 3 == 0 ? STR("writeKey=WK")
                                 : STR(""),
        .user_agent = line,
        .body = is_pixel ? STR("") : body,
        .client_ip = STR("192.0.2.7"),
        .now_ms = now_ms,
    };
    segment_ingest(segment, sources, &request, &arena, &result);

    assert(result.record_count + result.discard_count <= (is_pixel ? 1 : events_in(body, &own)));
    check_answer(&result, &own);
    for (size_t i = 0; i < result.record_count; i++)
        check_record(&result.records[i], now_ms, &own);
    for (size_t i = 0; i < result.discard_count; i++) {
        assert(result.discards[i].code != NULL);
        assert(result.discards[i].reason.len > 0);
    }

    sources_free(sources);
    segment_close(segment);
    arena_fini(&own);
    arena_fini(&arena);
    return 0;
}
