#include "segment.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base64.h"
#include "bounds.h"
#include "call.h"
#include "envelope.h"
#include "pixel.h"
#include "utf8.h"

enum {
    UUID_BYTES = 36,
    RANDOM_POOL_BYTES = 4096, /* one system call for 256 ids */
    RECORDS_BYTES_MAX = 512 * 1024 * 1024,
};

struct segment {
    struct segment_options options;
    struct buf records; /* envelopes of the current request */
    unsigned char pool[RANDOM_POOL_BYTES];
    size_t pool_left;
};

/* What is gathered for one request. */
struct gathering {
    struct segment *segment;
    const struct segment_request *request;
    struct arena *arena;
    struct segment_result *out;
    struct call_stamp stamp;
    struct segment_record *records;
    size_t *ends; /* of each record in segment->records */
    struct segment_discard *discards;
};

int segment_open(struct segment **out, const struct segment_options *options)
{
    struct segment *s = calloc(1, sizeof(*s));
    *out = s;
    if (s == NULL)
        return -ENOMEM;
    s->options = *options;
    buf_init(&s->records, RECORDS_BYTES_MAX);
    return 0;
}

void segment_close(struct segment *s)
{
    if (s == NULL)
        return;
    buf_fini(&s->records);
    free(s);
}

const char *segment_refusal_name(enum segment_refusal refusal)
{
    static const char *const names[SEGMENT_REFUSALS] = {
        [SEGMENT_TAKEN] = "",
        [SEGMENT_NO_KEY] = "no_key",
        [SEGMENT_UNKNOWN_KEY] = "unknown_key",
        [SEGMENT_SOURCE_DISABLED] = "source_disabled",
        [SEGMENT_NOT_JSON] = "not_json",
        [SEGMENT_BAD_BATCH] = "bad_batch",
        [SEGMENT_TOO_LARGE] = "too_large",
        [SEGMENT_TOO_MANY_EVENTS] = "too_many_events",
        [SEGMENT_NO_MEMORY] = "no_memory",
        [SEGMENT_BAD_HTTP] = "bad_http",
    };
    return names[refusal];
}

static const struct str success = STR_INIT("{\"success\": true}");

static void refuse(struct segment_result *out, struct arena *a, enum segment_refusal refusal,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));

/* SDKs want status 400 for what can never succeed, and both
 * `message` and `code` in the body (§1.8). */
static void refuse(struct segment_result *out, struct arena *a, enum segment_refusal refusal,
                   const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    out->status = 400;
    out->refusal = refusal;
    out->body = segment_refusal_body(text, a);
    out->record_count = 0;
    out->discard_count = 0;
}

struct str segment_refusal_body(const char *text, struct arena *a)
{
    struct buf body;
    buf_init(&body, 4096);
    buf_append(&body, STR("{\"success\":false,\"message\":"));
    jv_write_string(&body, utf8_mend(a, str_from(text)));
    buf_append(&body, STR(",\"code\":\"invalid_request\"}"));
    struct str copy = arena_copy(a, buf_str(&body));
    buf_fini(&body);
    return copy.ptr != NULL
               ? copy
               : STR("{\"success\":false,\"message\":\"refused\",\"code\":\"invalid_request\"}");
}

/* "Basic base64(writeKey:)"; the colon may be missing (§1.2). */
static struct str key_in_header(struct str authorization, struct arena *a)
{
    struct str decoded;
    if (authorization.len < 6 || !str_eq_nocase(str_slice(authorization, 0, 6), STR("basic ")))
        return STR("");
    if (!base64_decode(str_trim(str_slice(authorization, 6, authorization.len)), a, &decoded))
        return STR("");
    return str_slice(decoded, 0, str_find(decoded, ':'));
}

static struct str find_key(const struct segment_request *request, struct jv body, struct arena *a)
{
    struct str key = key_in_header(request->authorization, a);
    if (key.len == 0)
        key = jv_str(jv_get(body, STR("writeKey")));
    struct jv batch = jv_get(body, STR("batch"));
    if (key.len == 0 && batch.type == JV_ARRAY && batch.len > 0)
        key = jv_str(jv_get(batch.items[0], STR("writeKey")));
    return key.len > 0 ? key : pixel_parameter(request->query, STR("writeKey"), a);
}

/* True when the request may go on; else *out has its answer. */
static bool admit(struct gathering *g, const struct sources *sources, struct jv body)
{
    struct segment_result *out = g->out;
    struct str key = find_key(g->request, body, g->arena);
    out->source = key.len == 0 ? NULL : sources_find(sources, key);
    if (key.len == 0) {
        refuse(out, g->arena, SEGMENT_NO_KEY,
               "An invalid write key was provided: there is none in the Authorization header, the "
               "body or the query");
        return false;
    }
    if (out->source == NULL && g->segment->options.accept_unknown_keys) {
        out->refusal = SEGMENT_UNKNOWN_KEY;
        return false;
    }
    if (out->source == NULL) {
        refuse(out, g->arena, SEGMENT_UNKNOWN_KEY,
               "An invalid write key was provided: no source has this one");
        return false;
    }
    if (!out->source->enabled) {
        refuse(out, g->arena, SEGMENT_SOURCE_DISABLED, "The source '%.*s' is disabled",
               STR_ARG(out->source->id));
        return false;
    }
    return true;
}

static struct str new_uuid(struct segment *s, struct arena *a)
{
    static const char hex[] = "0123456789abcdef";
    if (s->pool_left < 16) {
        if (getrandom(s->pool, sizeof(s->pool), 0) != (ssize_t)sizeof(s->pool))
            abort(); /* cannot happen for 4096 bytes once the system is up */
        s->pool_left = sizeof(s->pool);
    }
    unsigned char *bytes = s->pool + sizeof(s->pool) - s->pool_left;
    s->pool_left -= 16;
    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40); /* version 4 */
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80); /* RFC 9562's variant */
    char *text = arena_alloc(a, UUID_BYTES);
    if (text == NULL)
        return STR("");
    size_t at = 0;
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            text[at++] = '-';
        text[at++] = hex[bytes[i] >> 4];
        text[at++] = hex[bytes[i] & 15];
    }
    return (struct str){text, UUID_BYTES};
}

/* `item` is the event's place in its batch; -1: it came alone. */
static void discard(struct gathering *g, struct jv event, int item, const char *code,
                    const char *text)
{
    struct buf words;
    struct buf json;
    char place[32] = "";
    buf_init(&words, 512);
    buf_init(&json, RECORD_BYTES_MAX);
    if (item >= 0)
        snprintf(place, sizeof(place), "batch[%d]: ", item);
    buf_printf(&words, "%s%s", place, text);
    jv_write(&json, event);
    g->discards[g->out->discard_count++] = (struct segment_discard){
        .code = code,
        .reason = arena_copy(g->arena, buf_str(&words)),
        /* Too large to keep whole: the reason says how large. */
        .event = json.failed ? STR("") : arena_copy(g->arena, buf_str(&json)),
    };
    buf_fini(&json);
    buf_fini(&words);
}

static bool write_record(struct gathering *g, struct jv event, size_t *json_bytes)
{
    struct buf *records = &g->segment->records;
    envelope_write_head(records, g->out->source->id, g->request->now_ms);
    size_t from = records->len;
    jv_write(records, event);
    *json_bytes = records->len - from;
    return !records->failed;
}

enum kept { KEPT, DISCARDED, TOO_LARGE, NO_MEMORY };

static enum kept keep_event(struct gathering *g, struct jv event, enum call_type type, int item)
{
    struct call_fault fault;
    if (event.type != JV_OBJECT) {
        discard(g, event, item, "bad_request", "an event must be an object");
        return DISCARDED;
    }
    if (type == CALL_NONE)
        type = call_from_type(jv_get(event, STR("type")));
    if (type == CALL_NONE) {
        discard(g, event, item, "unknown_type",
                "type must be identify, track, page, screen, group or alias");
        return DISCARDED;
    }
    if (!call_check(event, type, &fault)) {
        discard(g, event, item, fault.code, fault.text);
        return DISCARDED;
    }

    struct segment_record *record = &g->records[g->out->record_count];
    size_t rewind = g->segment->records.len;
    size_t json_bytes;
    g->stamp.message_id =
        jv_str(jv_get(event, STR("messageId"))).len > 0 ? STR("") : new_uuid(g->segment, g->arena);
    struct jv canonical = call_stamp(event, type, &g->stamp, g->arena, &record->message_id);
    if (canonical.type != JV_OBJECT || !write_record(g, canonical, &json_bytes))
        return NO_MEMORY;
    if (json_bytes > g->segment->options.event_bytes_max) {
        char text[128];
        snprintf(text, sizeof(text),
                 "Exceed payload limit: the event has %zu bytes, at most %zu are allowed",
                 json_bytes, g->segment->options.event_bytes_max);
        g->segment->records.len = rewind;
        discard(g, event, item, "too_large", text);
        return TOO_LARGE;
    }
    g->ends[g->out->record_count++] = g->segment->records.len;
    return KEPT;
}

static bool prepare(struct gathering *g, size_t events)
{
    char *received = arena_alloc(g->arena, ISO_TIME_BYTES);
    g->records = arena_array(g->arena, events, sizeof(*g->records));
    g->ends = arena_array(g->arena, events, sizeof(*g->ends));
    g->discards = arena_array(g->arena, events, sizeof(*g->discards));
    if (received == NULL || g->records == NULL || g->ends == NULL || g->discards == NULL)
        return false;
    iso_time(received, g->request->now_ms);
    g->stamp.received_text = (struct str){received, ISO_TIME_BYTES};
    g->stamp.received_us = g->request->now_ms * 1000;
    g->stamp.client_ip = g->request->client_ip;
    return true;
}

/* The buffer has stopped moving: each record's text can be pointed at. */
static void finish(struct gathering *g)
{
    size_t from = 0;
    for (size_t i = 0; i < g->out->record_count; i++) {
        g->records[i].envelope = (struct str){g->segment->records.ptr + from, g->ends[i] - from};
        from = g->ends[i];
    }
    g->out->records = g->records;
    g->out->discards = g->discards;
}

static void no_memory(struct gathering *g)
{
    refuse(g->out, g->arena, SEGMENT_NO_MEMORY, "The server has no memory for this request now");
    g->out->status = 503;
}

static void ingest_batch(struct gathering *g, struct jv body, struct jv batch)
{
    if (batch.len > BATCH_EVENTS_MAX) {
        refuse(g->out, g->arena, SEGMENT_TOO_MANY_EVENTS,
               "Exceed payload limit: the batch has %u events, at most %d are allowed", batch.len,
               BATCH_EVENTS_MAX);
        return;
    }
    if (!prepare(g, batch.len)) {
        no_memory(g);
        return;
    }
    g->stamp.sent_at = jv_get(body, STR("sentAt"));
    g->stamp.context = jv_get(body, STR("context"));
    g->stamp.integrations = jv_get(body, STR("integrations"));
    for (uint32_t i = 0; i < batch.len; i++) {
        if (keep_event(g, batch.items[i], CALL_NONE, (int)i) == NO_MEMORY) {
            no_memory(g);
            return;
        }
    }
    finish(g);
}

static void ingest_one(struct gathering *g, struct jv event, enum call_type type)
{
    enum kept kept = NO_MEMORY;
    if (prepare(g, 1))
        kept = keep_event(g, event, type, -1);
    if (kept == NO_MEMORY) {
        no_memory(g);
        return;
    }
    if (kept == TOO_LARGE) {
        refuse(g->out, g->arena, SEGMENT_TOO_LARGE, "%.*s", STR_ARG(g->discards[0].reason));
        return;
    }
    finish(g);
}

static void ingest_body(struct gathering *g, const struct sources *sources, struct str text,
                        enum call_type type)
{
    struct segment_result *out = g->out;
    struct jv body;
    struct err err = {0};
    if (text.len > g->segment->options.batch_bytes_max) {
        refuse(out, g->arena, SEGMENT_TOO_LARGE,
               "Exceed payload limit: the body has %zu bytes, at most %zu are allowed", text.len,
               g->segment->options.batch_bytes_max);
        return;
    }
    int rc = jv_parse(&body, g->arena, text, JV_EXACT, &err);
    if (rc == -ENOMEM) {
        no_memory(g);
        return;
    }
    if (rc != 0) {
        /* SDKs and people look for these two words; most of the parser's sentences begin so. */
        refuse(out, g->arena, SEGMENT_NOT_JSON, "%s%s",
               str_starts(str_from(err.msg), STR("malformed JSON")) ? "" : "malformed JSON: ",
               err.msg);
        return;
    }
    if (body.type != JV_OBJECT) {
        refuse(out, g->arena, SEGMENT_NOT_JSON,
               "malformed JSON: the body must be an object, an event or {\"batch\": [...]}");
        return;
    }
    if (!admit(g, sources, body))
        return;
    struct jv batch = jv_get(body, STR("batch"));
    if (batch.type == JV_ARRAY)
        ingest_batch(g, body, batch);
    else if (type == CALL_NONE && batch.type != JV_UNDEFINED)
        refuse(out, g->arena, SEGMENT_BAD_BATCH, "batch must be an array of events");
    else
        ingest_one(g, body, type);
}

/* A picture of one transparent pixel (GIF89a). */
static const char pixel[] =
    "GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00"
    "\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00;";

/* Whoever fetches a pixel cannot say where it is and what it runs: the request tells. */
static struct jv with_reader(struct gathering *g, struct jv event)
{
    const struct segment_request *request = g->request;
    struct jv context = jv_get(event, STR("context"));
    struct jv_builder b;
    jv_object_begin(&b, g->arena, 4);
    if (request->client_ip.len > 0)
        jv_object_put(&b, STR("ip"), jv_string(request->client_ip));
    if (request->user_agent.len > 0)
        jv_object_put(&b, STR("userAgent"), jv_string(utf8_mend(g->arena, request->user_agent)));
    jv_object_put_all(&b, context);
    context = jv_object_end(&b);
    jv_object_begin(&b, g->arena, event.len + 1);
    jv_object_put_all(&b, event);
    jv_object_put(&b, STR("context"), context);
    return jv_object_end(&b);
}

/* E-mails and old pages: the answer is always the picture (§1.12). */
static void ingest_pixel(struct gathering *g, const struct sources *sources, enum call_type type)
{
    struct jv event = pixel_event(g->request->query, g->arena);
    if (event.type == JV_OBJECT && admit(g, sources, event))
        ingest_one(g, with_reader(g, event), type);
    g->out->status = g->out->status == 503 ? 503 : 200;
    g->out->content_type = "image/gif";
    g->out->body = (struct str){pixel, sizeof(pixel) - 1};
}

static struct str last_segment(struct str *path)
{
    if (str_ends(*path, STR("/")))
        path->len--;
    size_t from = path->len;
    while (from > 0 && path->ptr[from - 1] != '/')
        from--;
    struct str segment = str_slice(*path, from, path->len);
    path->len = from;
    return segment;
}

void segment_ingest(struct segment *s, const struct sources *sources,
                    const struct segment_request *request, struct arena *a,
                    struct segment_result *out)
{
    struct gathering g = {.segment = s, .request = request, .arena = a, .out = out};
    struct str path = request->path;
    struct str name = last_segment(&path);
    enum call_type type = call_from_name(name);
    *out = (struct segment_result){.status = 200, .body = success};
    buf_reset(&s->records);
    if (str_eq(request->method, STR("GET")) && str_eq(last_segment(&path), STR("pixel")))
        ingest_pixel(&g, sources, type);
    else if (!str_eq(request->method, STR("POST")))
        refuse(out, a, SEGMENT_NOT_JSON, "malformed JSON: events come with POST, or GET on /pixel");
    else if (!str_eq(name,
                     STR("m"))) /* what SDKs tell about themselves has no events in it (§1.13) */
        ingest_body(&g, sources, request->body, type);
}
