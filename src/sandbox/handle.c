#include "sandbox.h"

#include <errno.h>
#include <stdio.h>

#include "call.h"
#include "later.h"
#include "routes.h"
#include "text.h"
#include "triggers.h"

enum { SETTLE_ARENA_BYTES = 1 << 30 };

/* The key of "Bearer KEY", in any casing of the word; empty when there is none. */
static struct str bearer_key(struct call *c)
{
    struct str header = str_trim(c->request->authorization);
    size_t space = str_find(header, ' ');
    if (str_eq_nocase(str_slice(header, 0, space), STR("Bearer")))
        return str_trim(str_slice(header, space, header.len));
    if (header.len > 0 || call_choice(c, CHOICE_LEGACY_API_KEY) == LEGACY_REFUSED)
        return STR("");
    struct str key = jv_str(jv_get(c->body, STR("api_key")));
    return key.len > 0 ? key : query_get(&c->query, STR("api_key"));
}

/* False: answered with 401 or 403. Keys of another kind travel in the body: their routes check
 * them. */
static bool authorize(struct call *c)
{
    if (c->route->permission == NULL)
        return true;
    struct str sent = bearer_key(c);
    int key = sent.len == 0 ? -1 : workspace_key_find(c->sandbox->workspace, sent);
    if (key < 0) {
        call_header(c, STR("X-RateLimit-Limit"), STR(""));
        call_header(c, STR("X-RateLimit-Remaining"), STR(""));
        call_header(c, STR("X-RateLimit-Reset"), STR(""));
        struct str text = STR("Invalid API key");
        if (call_choice(c, CHOICE_UNAUTHORIZED_BODY) == UNAUTHORIZED_ECHO)
            text = text_format(c->arena, "Invalid API key: %.*s", STR_ARG(text_cut(sent, 256)));
        struct jv_builder b;
        jv_object_begin(&b, c->arena, 1);
        jv_object_put(&b, STR("message"), jv_string(text));
        call_reply(c, 401, jv_object_end(&b));
        return false;
    }
    if (!workspace_key_may(c->sandbox->workspace, key, str_from(c->route->permission))) {
        call_note(c, NOTE_WARNING, STR(""), "the key lacks the permission %s",
                  c->route->permission);
        call_message(c, 403, "Access Denied");
        return false;
    }
    return true;
}

static bool is_json_type(struct str content_type)
{
    struct str type = str_trim(str_slice(content_type, 0, str_find(content_type, ';')));
    return str_eq_nocase(type, STR("application/json"));
}

/* -EINVAL: no JSON. Bytes that are no UTF-8 are removed, as Braze does. */
static int parse_body(struct call *c)
{
    struct err err = {0};
    if (str_trim(c->request->body).len == 0)
        return 0;
    int rc = jv_parse(&c->body, c->arena, c->request->body, JV_EXACT, &err);
    c->body_is_utf8 = rc == 0;
    if (rc != -EINVAL)
        return rc;
    size_t removed;
    struct str valid = text_drop_invalid_utf8(c->arena, c->request->body, &removed);
    if (removed == 0)
        return rc;
    rc = jv_parse(&c->body, c->arena, valid, JV_EXACT, &err);
    if (rc == 0)
        call_note(c, NOTE_CHANGED, STR(""), "%zu bytes that are no UTF-8 were removed", removed);
    return rc;
}

/* Sends to single users and exports that ask for few fields have other buckets than their route's
 * (§3.1). */
static enum rate_bucket bucket_of(struct call *c)
{
    if (c->route->bucket == RATE_BROADCAST && !trigger_is_broadcast(c->body))
        return RATE_DEFAULT;
    if (c->route->bucket != RATE_EXPORT_IDS)
        return c->route->bucket;
    struct jv fields = jv_get(c->body, STR("fields_to_export"));
    if (fields.type != JV_ARRAY || fields.len == 0)
        return RATE_EXPORT_IDS;
    for (uint32_t i = 0; i < fields.len; i++)
        if (str_eq(jv_str(fields.items[i]), STR("canvases_received")) ||
            str_eq(jv_str(fields.items[i]), STR("campaigns_received")))
            return RATE_EXPORT_IDS;
    return RATE_EXPORT_IDS_FIELDS;
}

static struct str decimal(struct call *c, uint64_t number)
{
    return text_format(c->arena, "%llu", (unsigned long long)number);
}

static uint64_t seconds_up(int64_t ms)
{
    return ms <= 0 ? 0 : (uint64_t)((ms + 999) / 1000);
}

/* False: answered with 429. */
static bool admit(struct call *c, enum rate_bucket bucket)
{
    struct rates *rates = &c->sandbox->rates;
    bool mau = call_choice(c, CHOICE_CONTRACT) == CONTRACT_MAU;
    if (c->sandbox->no_limits) /* no headers either: a client that believed them would wait */
        return true;
    struct rate_state state = rates_admit(rates, bucket, c->now_ms);
    if (mau && bucket == RATE_TRACK && state.admitted) {
        struct rate_state burst = rates_admit(rates, RATE_TRACK_BURST, c->now_ms);
        if (!burst.admitted)
            state = burst;
    }
    if (bucket == RATE_BROADCAST && state.admitted) {
        struct rate_state audience =
            rates_admit_audience(rates, trigger_audience_hash(c), c->now_ms);
        if (!audience.admitted)
            state = audience;
    }
    uint64_t wait_s = seconds_up(state.reset_ms - c->now_ms);
    if (!state.admitted && mau) {
        call_header(c, STR("X-Ratelimit-Retry-After"), decimal(c, wait_s));
    } else {
        call_header(c, STR("X-RateLimit-Limit"), decimal(c, state.limit));
        call_header(c, STR("X-RateLimit-Remaining"), decimal(c, state.remaining));
        call_header(c, STR("X-RateLimit-Reset"),
                    decimal(c, mau ? wait_s : (uint64_t)state.reset_ms / 1000));
    }
    if (!state.admitted)
        call_message(c, 429, "Rate limited");
    return state.admitted;
}

/* False: answered with 400, 413 or 415. */
static bool body_is_good(struct call *c, int parse_rc)
{
    bool has_body = c->request->body.len > 0;
    if (has_body && call_choice(c, CHOICE_CONTENT_TYPE) == CONTENT_TYPE_ENFORCED &&
        !is_json_type(c->request->content_type))
        call_message(c, 415, "Unsupported Media Type");
    else if (parse_rc == -ENOMEM)
        call_message(c, 413, "Request Entity Too Large");
    else if (parse_rc != 0)
        call_message(c, 400, "Bad Request");
    else
        return true;
    return false;
}

static void carry_out(struct call *c)
{
    struct sandbox *s = c->sandbox;
    profiles_begin(s->profiles, c->arena, c->now_ms);
    c->route->answer(c);
    if (profiles_end(s->profiles) != 0)
        call_message(c, 500, "Internal Server Error");
}

/* With delayed consistency a write is checked now and carried out later. */
static void check_now_apply_later(struct call *c)
{
    struct sandbox *s = c->sandbox;
    c->is_rehearsal = true;
    profiles_hide(s->profiles, true);
    carry_out(c);
    profiles_hide(s->profiles, false);
    c->is_rehearsal = false;
    if (c->answer->status / 100 == 2 &&
        !later_add(s->later, c->request, c->number,
                   c->now_ms + call_choice(c, CHOICE_CONSISTENCY_MS)))
        call_message(c, 503, "Service Unavailable");
}

static void process(struct call *c)
{
    c->route = route_find(c);
    if (c->route == NULL) {
        call_message(c, 404, "Not Found");
        return;
    }
    int parse_rc = parse_body(c);
    if (!authorize(c))
        return;
    enum rate_bucket bucket = bucket_of(c);
    if (!admit(c, bucket))
        return;
    bool good = body_is_good(c, parse_rc);
    if (good && c->route->may_be_late && call_choice(c, CHOICE_CONSISTENCY_MS) > 0)
        check_now_apply_later(c);
    else if (good)
        carry_out(c);
    if (c->answer->status == 400 && call_choice(c, CHOICE_COUNT_REJECTED) == REJECTED_FREE)
        rates_give_back(&c->sandbox->rates, bucket);
}

static void process_own(struct call *c)
{
    c->route = sandbox_route_find(c);
    if (c->route == NULL) {
        call_message(c, 404, "Not Found");
        return;
    }
    if (parse_body(c) != 0) {
        call_message(c, 400, "the body is not JSON");
        return;
    }
    carry_out(c);
}

static const char *reason(unsigned status)
{
    static const struct {
        unsigned status;
        const char *text;
    } reasons[] = {
        {202, "queued"},
        {400, "Bad Request"},
        {401, "Invalid API key"},
        {403, "Access Denied"},
        {404, "Not Found"},
        {408, "Request Timeout"},
        {413, "Request Entity Too Large"},
        {415, "Unsupported Media Type"},
        {429, "Rate limited"},
        {500, "Internal Server Error"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
    };
    for (size_t i = 0; i < countof(reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].text;
    return "fault on demand";
}

static void answer_fault_status(struct call *c, const struct fault *fault)
{
    struct sandbox_answer *answer = c->answer;
    call_message(c, fault->status, reason(fault->status));
    if (fault->body.len > 0) {
        buf_reset(&answer->body);
        buf_append(&answer->body, fault->body);
        if (fault->body.ptr[0] == '<')
            call_header(c, STR("Content-Type"), STR("text/html"));
    }
}

static void act(struct call *c, const struct fault *fault)
{
    static const struct str page = STR_INIT("<html><head><title>502 Bad Gateway</title></head>"
                                            "<body><h1>502 Bad Gateway</h1></body></html>\n");
    struct sandbox_answer *answer = c->answer;
    size_t half = answer->body.len / 2;
    switch (fault->kind) {
    case FAULT_STATUS:
        answer_fault_status(c, fault);
        break;
    case FAULT_HANG:
        answer->fate = FATE_HANG;
        break;
    case FAULT_RESET:
        if (!fault->apply)
            answer_fault_status(c, fault);
        answer->fate = FATE_BREAK;
        answer->break_bytes = fault->bytes == SIZE_MAX ? 0 : fault->bytes;
        break;
    case FAULT_DROP:
        answer->fate = FATE_BREAK;
        answer->break_bytes = fault->bytes == SIZE_MAX ? 0 : fault->bytes;
        break;
    case FAULT_TRUNCATE:
        if (fault->bytes < answer->body.len || fault->bytes == SIZE_MAX)
            answer->body.len = fault->bytes == SIZE_MAX ? half : fault->bytes;
        break;
    case FAULT_GARBAGE:
        buf_reset(&answer->body);
        buf_append(&answer->body, page);
        call_header(c, STR("Content-Type"), STR("text/html"));
        break;
    case FAULT_LATENCY:
    case FAULT_SLOW_READ:
    case FAULT_KIND_COUNT:
        break;
    }
    if (fault->retry_after_s >= 0)
        call_header(c, STR("Retry-After"), decimal(c, (uint64_t)fault->retry_after_s));
    call_note(c, NOTE_FAULT, STR(""), "%.*s%s", STR_ARG(fault_kind_name(fault->kind)),
              fault->apply ? ", after carrying the request out" : "");
}

static void add_usual_headers(struct call *c, int64_t started_us)
{
    unsigned status = c->answer->status;
    bool fresh = status == 200 || status == 201;
    call_header(c, STR("Cache-Control"),
                fresh ? STR("max-age=0, private, must-revalidate") : STR("no-cache"));
    struct str hex = call_random_hex(c);
    if (hex.len == 32)
        call_header(c, STR("X-Request-Id"),
                    text_format(c->arena, "%.8s-%.4s-%.4s-%.4s-%.12s", hex.ptr, hex.ptr + 8,
                                hex.ptr + 12, hex.ptr + 16, hex.ptr + 20));
    int64_t us = monotonic_us() - started_us;
    call_header(
        c, STR("X-Runtime"),
        text_format(c->arena, "%lld.%06lld", (long long)(us / 1000000), (long long)(us % 1000000)));
}

static void remember(struct call *c, const struct fault *fault)
{
    struct str body = str_slice(c->request->body, 0, RECENT_BODY_BYTES);
    size_t removed;
    if (!c->body_is_utf8)
        body = text_drop_invalid_utf8(c->arena, body, &removed);
    struct recent_request request = {
        .number = c->number,
        .at_ms = c->now_ms,
        .method = c->request->method,
        .path = c->request->path,
        .body = body,
        .body_bytes = c->request->body.len,
        .status = c->answer->status,
        .answer = buf_str(&c->answer->body),
        .fault = fault->active         ? fault_kind_name(fault->kind)
                 : fault->delay_ms > 0 ? fault_kind_name(FAULT_LATENCY)
                                       : STR(""),
        .points = c->points,
    };
    recent_add(c->sandbox->recent, &request);
}

static void handle_braze(struct call *c, int64_t started_us)
{
    struct sandbox *s = c->sandbox;
    c->number = ++s->counts.requests;
    struct fault fault = faults_pick(s->faults, c->request->path);
    if (!fault.active || fault.apply)
        process(c);
    if (fault.active)
        act(c, &fault);
    c->answer->delay_ms = fault.delay_ms;
    add_usual_headers(c, started_us);
    remember(c, &fault);
}

/* Carries out what was held back until now, as if it came at this moment; its answers went out long
 * ago. */
void sandbox_settle(struct sandbox *s, bool all)
{
    struct sandbox_answer answer = {0};
    struct arena arena;
    struct sandbox_request request;
    uint64_t number;
    int64_t now_ms = clock_now_ms(s->clock);
    if (!later_is_due(s->later, now_ms, all))
        return;
    arena_init(&arena, SETTLE_ARENA_BYTES);
    buf_init(&answer.body, SANDBOX_ANSWER_BYTES_MAX);
    while (later_is_due(s->later, now_ms, all)) {
        arena_reset(&arena);
        later_take(s->later, &arena, &request, &number);
        struct call c = {.sandbox = s,
                         .request = &request,
                         .arena = &arena,
                         .answer = &answer,
                         .number = number,
                         .now_ms = now_ms};
        c.route = route_find(&c);
        if (c.route != NULL && parse_body(&c) == 0)
            carry_out(&c);
    }
    buf_fini(&answer.body);
    arena_fini(&arena);
}

void sandbox_handle(struct sandbox *s, const struct sandbox_request *request, struct arena *arena,
                    struct sandbox_answer *answer)
{
    int64_t started_us = monotonic_us();
    struct sandbox_request clean = *request;
    size_t removed;
    /* What is printed again must be UTF-8: answers are JSON. */
    clean.path = text_drop_invalid_utf8(arena, request->path, &removed);
    clean.method = text_drop_invalid_utf8(arena, request->method, &removed);
    clean.authorization = text_drop_invalid_utf8(arena, request->authorization, &removed);
    struct call c = {.sandbox = s,
                     .request = &clean,
                     .arena = arena,
                     .answer = answer,
                     .now_ms = clock_now_ms(s->clock),
                     .query = query_parse(request->query, arena)};
    answer->status = 500;
    answer->header_count = 0;
    answer->fate = FATE_SEND;
    answer->break_bytes = 0;
    answer->delay_ms = 0;
    buf_reset(&answer->body);
    sandbox_settle(s, false);
    if (str_eq(clean.path, STR("/sandbox")) || str_starts(clean.path, STR("/sandbox/")))
        process_own(&c);
    else
        handle_braze(&c, started_us);
    if (answer->body.failed) {
        answer->header_count = 0;
        call_message(&c, 500, "Internal Server Error");
    }
}

void sandbox_refuse(struct sandbox *s, unsigned status, struct sandbox_answer *answer)
{
    struct call c = {.sandbox = s, .answer = answer};
    answer->header_count = 0;
    answer->fate = FATE_SEND;
    answer->delay_ms = 0;
    call_message(&c, status, reason(status));
    s->counts.requests++;
}
