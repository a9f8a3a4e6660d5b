#include "incoming.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "bounds.h"

enum {
    REQUEST_ARENA_BYTES_MAX = 64 * 1024 * 1024, /* a handler parses its body in here */
    KEPT_BYTES_MAX = 64 * 1024,                 /* of each buffer, for the next request */
};

struct http_request *request_new(size_t body_bytes_max, size_t inflated_bytes_max)
{
    struct http_request *request = calloc(1, sizeof(*request));
    if (request == NULL)
        return NULL;
    arena_init(&request->arena, REQUEST_ARENA_BYTES_MAX);
    buf_init(&request->body, body_bytes_max);
    buf_init(&request->inflated, inflated_bytes_max);
    return request;
}

void request_free(struct http_request *request)
{
    if (request == NULL)
        return;
    arena_fini(&request->arena);
    buf_fini(&request->body);
    buf_fini(&request->inflated);
    free(request);
}

static void keep_small(struct buf *b)
{
    size_t bytes_max = b->max;
    if (b->cap > KEPT_BYTES_MAX) {
        buf_fini(b);
        buf_init(b, bytes_max);
    }
    buf_reset(b);
}

void request_recycle(struct http_request *request)
{
    struct arena arena = request->arena;
    struct buf body = request->body;
    struct buf inflated = request->inflated;
    assert(request->answer == NULL);
    assert(request->charged_bytes == 0);

    arena_reset(&arena);
    if (arena.bytes > KEPT_BYTES_MAX) {
        arena_fini(&arena);
        arena_init(&arena, REQUEST_ARENA_BYTES_MAX);
    }
    keep_small(&body);
    keep_small(&inflated);
    *request = (struct http_request){.arena = arena, .body = body, .inflated = inflated};
}

void request_refuse(struct http_request *request, enum http_refusal why, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(request->refusal_text, sizeof(request->refusal_text), format, args);
    va_end(args);
    request->state = REQUEST_REFUSED;
    request->refusal = why;
    request->budget->bytes -= request->charged_bytes;
    request->charged_bytes = 0;
    buf_reset(&request->body);
    buf_reset(&request->inflated);
}

/* What a header section says about framing; strings are libmicrohttpd's. */
struct framing {
    struct str content_length;
    struct str transfer_encoding;
    struct str content_encoding;
    unsigned hosts;
    unsigned transfer_encodings;
    bool has_content_length;
    bool has_differing_lengths;
    bool has_bad_name;
    bool has_bad_value;
};

/* RFC 9110 §5.6.2: what a header's name is made of. White space before the
 * colon shows up as a part of the name. */
static bool is_token(struct str text)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool is_plain =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || (c >= '0' && c <= '9');
        if (!is_plain && (c == '\0' || strchr(marks, c) == NULL))
            return false;
    }
    return text.len > 0;
}

static bool has_line_break(struct str text)
{
    return str_find(text, '\r') < text.len || str_find(text, '\n') < text.len;
}

static enum MHD_Result note_header(void *self, enum MHD_ValueKind kind, const char *name,
                                   size_t name_bytes, const char *value, size_t value_bytes)
{
    struct framing *framing = self;
    struct str key = {name, name_bytes};
    struct str text = {value, value_bytes};
    (void)kind;
    framing->has_bad_name = framing->has_bad_name || !is_token(key);
    framing->has_bad_value = framing->has_bad_value || has_line_break(text);
    if (str_eq_nocase(key, STR(MHD_HTTP_HEADER_HOST))) {
        framing->hosts++;
    } else if (str_eq_nocase(key, STR(MHD_HTTP_HEADER_CONTENT_LENGTH))) {
        if (framing->has_content_length && !str_eq(framing->content_length, text))
            framing->has_differing_lengths = true;
        framing->has_content_length = true;
        framing->content_length = text;
    } else if (str_eq_nocase(key, STR(MHD_HTTP_HEADER_TRANSFER_ENCODING))) {
        framing->transfer_encodings++;
        framing->transfer_encoding = text;
    } else if (str_eq_nocase(key, STR(MHD_HTTP_HEADER_CONTENT_ENCODING))) {
        framing->content_encoding = text;
    }
    return MHD_YES;
}

/* Why this header section cannot be trusted to say where its body ends, or NULL. */
static const char *framing_fault(const struct framing *framing, bool is_http_1_0)
{
    if (framing->has_bad_name)
        return "a header's name holds a byte that no name may hold (white space before the colon?)";
    if (framing->has_bad_value)
        return "a header's value holds a line break";
    if (framing->transfer_encodings > 0 && framing->has_content_length)
        return "both Content-Length and Transfer-Encoding are given, expected one of them";
    if (framing->has_differing_lengths)
        return "two Content-Length headers differ, expected one";
    if (framing->transfer_encodings > 1 ||
        (framing->transfer_encodings == 1 &&
         !str_eq_nocase(framing->transfer_encoding, STR("chunked"))))
        return "Transfer-Encoding is something else than 'chunked'";
    if (framing->transfer_encodings > 0 && is_http_1_0)
        return "Transfer-Encoding in an HTTP/1.0 request";
    if (framing->hosts > 1)
        return "two Host headers, expected one";
    if (framing->hosts == 0 && !is_http_1_0)
        return "the Host header is missing";
    return NULL;
}

/* libmicrohttpd has checked that these are digits within 64 bits. */
static uint64_t parse_length(struct str digits)
{
    uint64_t number = 0;
    for (size_t i = 0; i < digits.len; i++)
        number = number * 10 + (uint64_t)(digits.ptr[i] - '0');
    return number;
}

static bool is_gzip_name(struct str encoding)
{
    return str_eq_nocase(encoding, STR("gzip")) || str_eq_nocase(encoding, STR("x-gzip"));
}

static size_t header_section_bytes(struct http_request *request)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return info == NULL ? 0 : info->header_size;
}

/* The limit that a refusal names. What is no gzip must fit both, so the lower one is what its
 * sender has to keep. */
static size_t nameable_limit(const struct http_request *request)
{
    bool is_lower = request->inflated.max < request->body.max && !is_gzip_name(request->encoding);
    return is_lower ? request->inflated.max : request->body.max;
}

void request_check_headers(struct http_request *request, const char *version)
{
    struct framing framing = {0};
    size_t header_bytes = header_section_bytes(request);
    if (header_bytes > HTTP_HEADER_BYTES_MAX) {
        request->must_close = true;
        request_refuse(request, HTTP_REFUSED_HEADERS,
                       "the header section has %zu bytes, more than the limit of %d", header_bytes,
                       HTTP_HEADER_BYTES_MAX);
        return;
    }
    (void)MHD_get_connection_values_n(request->mhd, MHD_HEADER_KIND, note_header, &framing);
    const char *fault = framing_fault(&framing, strcmp(version, MHD_HTTP_VERSION_1_0) == 0);
    if (fault != NULL) {
        request->must_close = true;
        request_refuse(request, HTTP_REFUSED_MALFORMED, "%s", fault);
        return;
    }
    request->encoding = framing.content_encoding;
    request->announced_bytes = parse_length(framing.content_length);
    if (request->state == REQUEST_REFUSED) /* for its request line */
        return;
    request->state = REQUEST_ARRIVING;
    if (request->announced_bytes > request->body.max)
        request_refuse(request, HTTP_REFUSED_TOO_LARGE,
                       "the body has %llu bytes, more than the limit of %zu",
                       (unsigned long long)request->announced_bytes, nameable_limit(request));
    else if (request->encoding.len > 0 && !is_gzip_name(request->encoding) &&
             !str_eq_nocase(request->encoding, STR("identity")))
        request_refuse(request, HTTP_REFUSED_MALFORMED,
                       "this Content-Encoding is not supported, expected gzip or none");
}

/* False, and refused, when all bodies together would pass their limit. */
static bool charge(struct http_request *request, size_t bytes)
{
    struct body_budget *budget = request->budget;
    if (bytes > budget->bytes_max - budget->bytes) {
        request_refuse(request, HTTP_REFUSED_BUSY,
                       "the server holds %zu bytes of unfinished requests, try again later",
                       budget->bytes);
        return false;
    }
    budget->bytes += bytes;
    request->charged_bytes += bytes;
    return true;
}

bool request_is_whole(const struct http_request *request)
{
    return request->announced_bytes > 0 &&
           request->body.len + request->drained_bytes >= request->announced_bytes;
}

void request_take_body(struct http_request *request, struct str bytes)
{
    if (request->state == REQUEST_REFUSED) {
        request->drained_bytes += bytes.len;
        return;
    }
    if (bytes.len > request->body.max - request->body.len) {
        request_refuse(request, HTTP_REFUSED_TOO_LARGE,
                       "the body has more bytes than the limit of %zu", nameable_limit(request));
        return;
    }
    if (!charge(request, bytes.len))
        return;
    buf_append(&request->body, bytes);
    if (request->body.failed)
        request_refuse(request, HTTP_REFUSED_BUSY, "no memory for the body, try again later");
}

void request_finish_body(struct http_request *request, struct inflater *inflater)
{
    struct err err = {0};
    struct str body = buf_str(&request->body);
    if (body.len == 0 || (!is_gzip_name(request->encoding) && !inflate_is_gzip(body)))
        return;
    int rc = inflate_gzip(inflater, &request->inflated, body, &err);
    if (rc == 0 && !charge(request, request->inflated.len))
        return;
    if (rc == -E2BIG)
        request_refuse(request, HTTP_REFUSED_TOO_LARGE, "%s", err.msg);
    else if (rc == -ENOMEM)
        request_refuse(request, HTTP_REFUSED_BUSY, "%s", err.msg);
    else if (rc != 0)
        request_refuse(request, HTTP_REFUSED_MALFORMED, "%s", err.msg);
    request->is_inflated = rc == 0;
}

struct str http_method(const struct http_request *request)
{
    return str_from(request->method);
}

struct str http_path(const struct http_request *request)
{
    return str_from(request->path);
}

static struct str lookup(const struct http_request *request, enum MHD_ValueKind kind,
                         const char *name)
{
    const char *value = NULL;
    size_t bytes = 0;
    if (MHD_lookup_connection_value_n(request->mhd, kind, name, strlen(name), &value, &bytes) !=
            MHD_YES ||
        value == NULL)
        return (struct str){"", 0};
    return (struct str){value, bytes};
}

struct str http_header(const struct http_request *request, const char *name)
{
    return lookup(request, MHD_HEADER_KIND, name);
}

struct str http_query(const struct http_request *request, const char *name)
{
    return lookup(request, MHD_GET_ARGUMENT_KIND, name);
}

struct str http_query_text(const struct http_request *request)
{
    return request->query_text;
}

struct str http_body(const struct http_request *request)
{
    return buf_str(request->is_inflated ? &request->inflated : &request->body);
}

struct str http_client_ip(const struct http_request *request)
{
    return str_from(request->connection->ip);
}

int64_t http_received_us(const struct http_request *request)
{
    return request->received_us;
}

struct arena *http_arena(struct http_request *request)
{
    return &request->arena;
}

void http_set_user(struct http_request *request, void *user)
{
    request->user = user;
}

void *http_user(const struct http_request *request)
{
    return request->user;
}
