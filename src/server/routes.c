#include "routes.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "bounds.h"
#include "letter.h"
#include "report.h"

enum { HEADERS_MAX = 7, LETTERS_BYTES_MAX = 64 * 1024 * 1024 };

struct routes {
    struct routes_options options;
    struct routes_metrics metrics;
    struct segment *segment;
    struct sources *sources;
    _Atomic(struct sources *) next_sources; /* handed over by a reload */
    struct buf letters;                     /* scratch of one request */
};

struct headers {
    struct http_header rows[HEADERS_MAX];
    size_t count;
};

int routes_open(struct routes **out, const struct routes_options *options, struct sources *sources)
{
    struct routes *r = calloc(1, sizeof(*r));
    *out = NULL;
    if (r == NULL) {
        sources_free(sources);
        return -ENOMEM;
    }
    r->options = *options;
    r->sources = sources;
    buf_init(&r->letters, LETTERS_BYTES_MAX);
    int rc = segment_open(&r->segment, &options->segment);
    if (rc != 0) {
        routes_close(r);
        return rc;
    }
    *out = r;
    return 0;
}

void routes_close(struct routes *r)
{
    if (r == NULL)
        return;
    sources_free(r->sources);
    sources_free(atomic_load(&r->next_sources));
    segment_close(r->segment);
    buf_fini(&r->letters);
    free(r);
}

void routes_set_sources(struct routes *r, struct sources *sources)
{
    sources_free(atomic_exchange(&r->next_sources, sources));
}

const struct routes_metrics *routes_metrics(const struct routes *r)
{
    return &r->metrics;
}

static void add_header(struct headers *h, const char *name, const char *value)
{
    h->rows[h->count++] = (struct http_header){name, value};
}

static const char *header_text(struct http_request *request, const char *name)
{
    struct str value = http_header(request, name);
    char *text = arena_alloc(http_arena(request), value.len + 1);
    if (value.len == 0 || text == NULL)
        return NULL;
    memcpy(text, value.ptr, value.len);
    text[value.len] = '\0';
    return text;
}

/* Browsers: whoever asks may read every answer, also the refusals (docs/spec/sources.md
 * §1.5). The write key in it is public anyway. */
static struct headers cors_headers(struct http_request *request)
{
    struct headers h = {.count = 0};
    const char *origin = header_text(request, "Origin");
    if (origin == NULL)
        return h;
    add_header(&h, "Access-Control-Allow-Origin", origin);
    add_header(&h, "Vary", "Origin");
    add_header(&h, "Access-Control-Allow-Credentials", "true");
    add_header(&h, "Access-Control-Expose-Headers", "Retry-After");
    return h;
}

static void answer_preflight(struct http_request *request)
{
    struct headers h = cors_headers(request);
    const char *wanted = header_text(request, "Access-Control-Request-Headers");
    add_header(&h, "Access-Control-Allow-Methods", "GET, POST, OPTIONS");
    if (wanted != NULL)
        add_header(&h, "Access-Control-Allow-Headers", wanted);
    add_header(&h, "Access-Control-Max-Age", "7200");
    http_answer(request, 204, h.rows, h.count, STR(""));
}

struct keeping {
    struct routes *routes;
    struct http_request *request;
    const struct segment_result *result;
    struct group_item item;
    struct hash128 *fingerprints;
};

/* Records that are new, with their fingerprints. */
static bool choose_records(struct keeping *k)
{
    const struct segment_result *result = k->result;
    struct arena *a = http_arena(k->request);
    struct routes *r = k->routes;
    int64_t now_ms = clock_now_ms(r->options.clock);
    struct str *records = arena_array(a, result->record_count, sizeof(*records));
    k->fingerprints = arena_array(a, result->record_count, sizeof(*k->fingerprints));
    if (records == NULL || k->fingerprints == NULL)
        return false;
    size_t count = 0;
    for (size_t i = 0; i < result->record_count; i++) {
        struct hash128 fingerprint =
            dedupe_fingerprint(result->source->id, result->records[i].message_id);
        if (r->options.dedupe != NULL && !dedupe_admit(r->options.dedupe, fingerprint, now_ms))
            continue;
        k->fingerprints[count] = fingerprint;
        records[count++] = result->records[i].envelope;
    }
    k->item.records = records;
    k->item.fingerprints = k->fingerprints;
    k->item.record_count = count;
    k->item.has_duplicates = count < result->record_count;
    counter_add(&r->metrics.duplicates, result->record_count - count);
    return true;
}

/* Events that are no events, as dead letters. */
static bool write_letters(struct keeping *k)
{
    const struct segment_result *result = k->result;
    struct arena *a = http_arena(k->request);
    struct routes *r = k->routes;
    struct str *letters = arena_array(a, result->discard_count, sizeof(*letters));
    size_t *ends = arena_array(a, result->discard_count, sizeof(*ends));
    if (letters == NULL || ends == NULL)
        return false;
    buf_reset(&r->letters);
    for (size_t i = 0; i < result->discard_count; i++) {
        const struct segment_discard *discard = &result->discards[i];
        const struct letter letter = {
            .at_ms = clock_now_ms(r->options.clock),
            .stage = "ingest",
            .code = discard->code,
            .reason = discard->reason,
            .source = result->source->id,
            .event = discard->event,
        };
        letter_write(&r->letters, &letter, a);
        ends[i] = r->letters.len;
    }
    if (r->letters.failed)
        return false;
    for (size_t i = 0, from = 0; i < result->discard_count; from = ends[i++])
        letters[i] = (struct str){r->letters.ptr + from, ends[i] - from};
    k->item.letters = letters;
    k->item.letter_count = result->discard_count;
    return true;
}

static void answer_no_memory(struct http_request *request, struct headers *h)
{
    add_header(h, "Retry-After", "5");
    http_answer(
        request, 503, h->rows, h->count,
        segment_refusal_body("The server has no memory for this request now", http_arena(request)));
}

static void keep(struct routes *r, struct http_request *request,
                 const struct segment_result *result, struct headers *h)
{
    struct keeping k = {.routes = r, .request = request, .result = result};
    bool ok = choose_records(&k) && write_letters(&k) &&
              group_add(r->options.groups, request, &k.item, result->status, h->rows, h->count,
                        result->body) == 0;
    if (ok)
        return;
    for (size_t i = 0; r->options.dedupe != NULL && i < k.item.record_count; i++)
        dedupe_retract(r->options.dedupe, k.fingerprints[i]);
    answer_no_memory(request, h);
}

static void serve_events(struct routes *r, struct http_request *request)
{
    struct segment_result result;
    const struct segment_request in = {
        .method = http_method(request),
        .path = http_path(request),
        .authorization = http_header(request, "Authorization"),
        .query = http_query_text(request),
        .user_agent = http_header(request, "User-Agent"),
        .body = http_body(request),
        .client_ip = http_client_ip(request),
        .now_ms = clock_now_ms(r->options.clock),
    };
    segment_ingest(r->segment, r->sources, &in, http_arena(request), &result);
    counter_add(&r->metrics.requests, 1);
    counter_add(&r->metrics.received, result.record_count + result.discard_count);
    counter_add(&r->metrics.discarded, result.discard_count);
    if (result.refusal != SEGMENT_TAKEN)
        counter_add(&r->metrics.refused[result.refusal], 1);

    struct headers h = cors_headers(request);
    if (result.content_type != NULL)
        add_header(&h, "Content-Type", result.content_type);
    if (result.record_count + result.discard_count > 0)
        keep(r, request, &result, &h);
    else if (result.status == 503)
        answer_no_memory(request, &h);
    else
        http_answer(request, result.status, h.rows, h.count, result.body);
}

static void answer_text(struct http_request *request, unsigned status, const char *content_type,
                        struct buf *text)
{
    const struct http_header header = {"Content-Type", content_type};
    if (text->failed)
        http_answer(request, 500, NULL, 0, STR("{\"message\":\"out of memory\"}"));
    else
        http_answer(request, status, &header, 1, buf_str(text));
    buf_fini(text);
}

static void answer_report(struct routes *r, struct http_request *request, bool is_health)
{
    const struct report_parts parts = {
        .routes = &r->metrics,
        .groups = groups_metrics(r->options.groups),
        .couriers = r->options.couriers,
        .store = r->options.store,
        .journal = r->options.journal,
        .now_ms = clock_now_ms(r->options.clock),
    };
    struct buf text;
    buf_init(&text, REPORT_BYTES_MAX);
    if (is_health)
        answer_text(request, report_health(&text, &parts), "application/json", &text);
    else {
        report_metrics(&text, &parts);
        answer_text(request, 200, "text/plain; version=0.0.4; charset=utf-8", &text);
    }
}

void routes_on_request(struct routes *r, struct http_request *request)
{
    struct sources *next = atomic_exchange(&r->next_sources, NULL);
    if (next != NULL) {
        sources_free(r->sources);
        r->sources = next;
    }
    struct str path = http_path(request);
    bool is_get = str_eq(http_method(request), STR("GET"));
    if (str_eq(http_method(request), STR("OPTIONS")))
        answer_preflight(request);
    else if (is_get && str_eq(path, STR("/healthz")))
        answer_report(r, request, true);
    else if (is_get && str_eq(path, STR("/metrics")))
        answer_report(r, request, false);
    else
        serve_events(r, request);
}

void routes_on_refusal(struct routes *r, enum http_refusal why, const char *text, struct arena *a,
                       unsigned *status, struct str *body)
{
    counter_add(&r->metrics.requests, 1);
    counter_add(&r->metrics.refused[why == HTTP_REFUSED_TOO_LARGE ? SEGMENT_TOO_LARGE
                                    : why == HTTP_REFUSED_BUSY    ? SEGMENT_NO_MEMORY
                                                                  : SEGMENT_BAD_HTTP],
                1);
    /* 400 is what every SDK takes as "never send this again" (docs/spec/sources.md §1.8). */
    if (why != HTTP_REFUSED_BUSY)
        *status = 400;
    char message[256];
    snprintf(message, sizeof(message), "%s%s",
             why == HTTP_REFUSED_TOO_LARGE ? "Exceed payload limit: " : "", text);
    *body = segment_refusal_body(message, a);
}
