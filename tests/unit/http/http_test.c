/* What reaches the handler, what is refused before it, and with which words. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zlib.h>

#include "buf.h"

struct raw_case {
    const char *what;
    struct str request;
    int status; /* 0: closed without an answer */
    const char *body;
};

static void check_raw_cases(const struct fixture *f, const struct raw_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct client_reply reply;
        exchange(f, cases[i].request, &reply);
        if (reply.status != cases[i].status)
            fail_msg("%s: got %d %s, expected %d", cases[i].what, reply.status, reply.body,
                     cases[i].status);
        if (strstr(reply.body, cases[i].body) == NULL)
            fail_msg("%s: got %s, expected %s", cases[i].what, reply.body, cases[i].body);
    }
}

static void a_whole_request_reaches_the_handler(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct raw_case cases[] = {
        {"GET", STR_INIT("GET /facts HTTP/1.1\r\n" HOST "\r\n"), 200, "GET /facts a= q= x= ip=127.0.0.1 body=0"},
        {"query", STR_INIT("GET /facts?a=%41+b&c=d%20 HTTP/1.1\r\n" HOST "\r\n"), 200, "a=A b q=a=%41+b&c=d%20 "},
        {"escaped path", STR_INIT("GET /facts/%7Bx%7d HTTP/1.1\r\n" HOST "\r\n"), 200, "GET /facts/{x} "},
        {"header", STR_INIT("GET /facts HTTP/1.1\r\n" HOST "X-FACT: yes \r\n\r\n"), 200, " x=yes"},
        {"OPTIONS", STR_INIT("OPTIONS /facts HTTP/1.1\r\n" HOST "\r\n"), 200, "OPTIONS /facts"},
        {"unknown method", STR_INIT("BREW /facts HTTP/1.1\r\n" HOST "\r\n"), 200, "BREW /facts"},
        {"HTTP/1.0 without Host", STR_INIT("GET /facts HTTP/1.0\r\n\r\n"), 200, "GET /facts"},
        {"body", STR_INIT("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello"), 200, "hello"},
        {"equal lengths", STR_INIT("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi"), 200, "hi"},
        {"empty body", STR_INIT("POST /facts HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n"), 200, "body=0"},
        {"chunks", STR_INIT("POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\n\r\n"), 200, "abcdefg"},
        {"chunks with a trailer", STR_INIT("POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n"), 200, "abc"},
        {"answered later", STR_INIT("POST /later HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nlater"), 200, "later"},
    };
    /* clang-format on */
    struct fixture f;
    start(&f, default_options());
    check_raw_cases(&f, cases, countof(cases));
    stop(&f);
}

static void what_smuggling_lives_on_is_refused_before_the_handler(void **state)
{
    (void)state;
#define LENGTH(n) "Content-Length: " n "\r\n"
#define CHUNKED   "Transfer-Encoding: chunked\r\n"
    /* clang-format off */
    static const struct raw_case cases[] = {
        {"both", STR_INIT("POST / HTTP/1.1\r\n" HOST LENGTH("5") CHUNKED "\r\n0\r\n\r\n"), 400, "{\"message\":\"both Content-Length and Transfer-Encoding"},
        {"both, swapped", STR_INIT("POST / HTTP/1.1\r\n" HOST CHUNKED LENGTH("5") "\r\n0\r\n\r\n"), 400, "both Content-Length and"},
        {"differing lengths", STR_INIT("POST / HTTP/1.1\r\n" HOST LENGTH("5") LENGTH("6") "\r\nhello!"), 400, "Content-Length headers differ"},
        {"lengths that look different", STR_INIT("POST / HTTP/1.1\r\n" HOST LENGTH("5") LENGTH("05") "\r\nhello"), 400, "Content-Length headers differ"},
        {"space before the colon", STR_INIT("POST / HTTP/1.1\r\n" HOST "Content-Length : 5\r\n\r\nhello"), 400, "header's name"},
        {"tab before the colon", STR_INIT("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n"), 400, "header's name"},
        {"space in a name", STR_INIT("GET / HTTP/1.1\r\n" HOST "X Y: 5\r\n\r\n"), 400, "header's name"},
        {"carriage return in a value", STR_INIT("GET / HTTP/1.1\r\n" HOST "X: a\rTransfer-Encoding: chunked\r\n\r\n"), 400, "line break"},
        {"no Host", STR_INIT("GET / HTTP/1.1\r\n\r\n"), 400, "Host header is missing"},
        {"two Hosts", STR_INIT("GET / HTTP/1.1\r\n" HOST HOST "\r\n"), 400, "two Host headers"},
        {"other coding", STR_INIT("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), 400, "Transfer-Encoding"},
        {"coding with a prefix", STR_INIT("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"), 400, "Transfer-Encoding"},
        {"two codings", STR_INIT("POST / HTTP/1.1\r\n" HOST CHUNKED "Transfer-Encoding: identity\r\n\r\n0\r\n\r\n"), 400, "Transfer-Encoding"},
        {"chunks in HTTP/1.0", STR_INIT("POST / HTTP/1.0\r\n" CHUNKED "\r\n0\r\n\r\n"), 400, "HTTP/1.0"},
        {"space in the path", STR_INIT("GET /a b HTTP/1.1\r\n" HOST "\r\n"), 400, "space or a NUL"},
        {"NUL in the path", STR_INIT("GET /a%00b HTTP/1.1\r\n" HOST "\r\n"), 400, "space or a NUL"},
        {"other encoding", STR_INIT("POST / HTTP/1.1\r\n" HOST LENGTH("2") "Content-Encoding: br\r\n\r\n{}"), 400, "Content-Encoding"},
        /* libmicrohttpd's own refusals */
        {"negative length", STR_INIT("POST / HTTP/1.1\r\n" HOST LENGTH("-5") "\r\n"), 400, ""},
        {"signed length", STR_INIT("POST / HTTP/1.1\r\n" HOST LENGTH("+5") "\r\nhello"), 400, ""},
        {"list of lengths", STR_INIT("POST / HTTP/1.1\r\n" HOST LENGTH("5, 5") "\r\nhello"), 400, ""},
        {"length beyond 64 bits", STR_INIT("POST / HTTP/1.1\r\n" HOST LENGTH("99999999999999999999") "\r\n"), 413, ""},
        {"chunk that is none", STR_INIT("POST / HTTP/1.1\r\n" HOST CHUNKED "\r\nzz\r\nabc\r\n0\r\n\r\n"), 400, ""},
        {"line without a colon", STR_INIT("GET / HTTP/1.1\r\n" HOST "nonsense\r\n\r\n"), 400, ""},
        {"no request line", STR_INIT("hello\r\n\r\n"), 0, ""},
    };
    /* clang-format on */
    struct fixture f;
    start(&f, default_options());
    check_raw_cases(&f, cases, countof(cases));
    assert_int_equal(f.requests, 0);
    stop(&f);
}

/* A POST of these bytes with one more header, "Name: value\r\n" or "". */
static void post(const struct fixture *f, const char *header, struct str body,
                 struct client_reply *reply)
{
    struct buf request;
    buf_init(&request, 64 << 20);
    buf_printf(&request, "POST /facts HTTP/1.1\r\n" HOST "%sContent-Length: %zu\r\n\r\n", header,
               body.len);
    buf_append(&request, body);
    assert_false(request.failed);
    exchange(f, buf_str(&request), reply);
    buf_fini(&request);
}

/* Appends one gzip member that holds `count` times the byte. */
static void gzip_append(struct buf *out, char byte, size_t count)
{
    z_stream stream = {0};
    char step[4096];
    int verdict = Z_OK;
    memset(step, byte, sizeof(step));
    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY),
                     Z_OK);
    while (verdict != Z_STREAM_END) {
        stream.next_in = (Bytef *)step;
        stream.avail_in = (uInt)(count < sizeof(step) ? count : sizeof(step));
        count -= stream.avail_in;
        do {
            assert_true(buf_reserve(out, sizeof(step)));
            stream.next_out = (Bytef *)out->ptr + out->len;
            stream.avail_out = sizeof(step);
            verdict = deflate(&stream, count == 0 ? Z_FINISH : Z_NO_FLUSH);
            out->len += sizeof(step) - stream.avail_out;
        } while (stream.avail_out == 0);
    }
    deflateEnd(&stream);
}

static void gzip_bodies_are_inflated_by_header_or_by_magic(void **state)
{
    (void)state;
#define GZIP "Content-Encoding: gzip\r\n"
    static const struct {
        const char *header;
        size_t members[3]; /* plain bytes of each, 0: no further one */
        size_t cut;        /* bytes taken off the end */
        size_t damage_at;  /* this byte is changed, 0: none */
        int status;
        const char *body;
    } cases[] = {
        {GZIP, {5000}, 0, 0, 200, "body=5000"},
        {"Content-Encoding: X-GZip\r\n", {5000}, 0, 0, 200, "body=5000"},
        {"", {5000}, 0, 0, 200, "body=5000"},
        {"Content-Encoding: identity\r\n", {5000}, 0, 0, 200, "body=5000"},
        {GZIP, {100, 200, 300}, 0, 0, 200, "body=600"},
        {GZIP, {INFLATED_BYTES_MAX}, 0, 0, 200, "body=65536"},
        {GZIP, {INFLATED_BYTES_MAX + 1}, 0, 0, 413, "more than the limit of 65536 bytes"},
        {GZIP, {INFLATED_BYTES_MAX, 1}, 0, 0, 413, "more than the limit of 65536 bytes"},
        {GZIP, {5000}, 1, 0, 400, "cut short"},
        {GZIP, {5000}, 20, 0, 400, "cut short"},
        {"", {5000}, 20, 0, 400, "cut short"},
        {GZIP, {5000}, 0, 1, 400, "damaged"},
        {GZIP, {5000}, 0, 15, 400, "damaged"},
    };
    struct fixture f;
    struct client_reply reply;
    struct buf body;
    buf_init(&body, 1 << 20);
    start(&f, default_options());
    for (size_t i = 0; i < countof(cases); i++) {
        buf_reset(&body);
        for (size_t m = 0; m < 3 && cases[i].members[m] > 0; m++)
            gzip_append(&body, 'x', cases[i].members[m]);
        body.len -= cases[i].cut;
        if (cases[i].damage_at > 0)
            body.ptr[cases[i].damage_at] ^= 0x55;
        post(&f, cases[i].header, buf_str(&body), &reply);
        if (reply.status != cases[i].status || strstr(reply.body, cases[i].body) == NULL)
            fail_msg("row %zu: got %d %s", i, reply.status, reply.body);
    }
    stop(&f);
    buf_fini(&body);
}

static void an_empty_gzip_body_is_an_empty_body(void **state)
{
    (void)state;
    struct fixture f;
    struct client_reply reply;
    struct buf body;
    buf_init(&body, 1 << 20);
    gzip_append(&body, 'x', 0);
    start(&f, default_options());
    post(&f, GZIP, buf_str(&body), &reply);
    assert_non_null(strstr(reply.body, "body=0"));
    post(&f, GZIP, STR(""), &reply);
    assert_non_null(strstr(reply.body, "body=0"));
    stop(&f);
    buf_fini(&body);
}

static void a_gigabyte_in_a_megabyte_of_gzip_costs_no_more_than_the_limit(void **state)
{
    (void)state;
    struct fixture f;
    struct client_reply reply;
    struct rusage before;
    struct rusage after;
    struct buf bomb;
    struct http_options options = default_options();
    options.body_bytes_max = 2 << 20;
    options.memory_bytes_max = 16 << 20;
    buf_init(&bomb, 2 << 20);
    gzip_append(&bomb, '\0', (size_t)1 << 25);
    size_t member_bytes = bomb.len;
    for (int i = 1; i < 32; i++) { /* 32 members of 32 MB are packed faster than one of 1 GB */
        assert_true(buf_reserve(&bomb, member_bytes));
        buf_append(&bomb, str_slice(buf_str(&bomb), 0, member_bytes));
    }
    start(&f, options);
    assert_int_equal(getrusage(RUSAGE_SELF, &before), 0);
    post(&f, "", buf_str(&bomb), &reply);
    assert_int_equal(getrusage(RUSAGE_SELF, &after), 0);
    assert_int_equal(reply.status, 413);
    assert_true(after.ru_maxrss - before.ru_maxrss <
                64 * 1024); /* KB: far below 1 GB, room for the sanitizers */
    stop(&f);
    buf_fini(&bomb);
}

static void bodies_over_the_limit_are_refused_and_their_senders_see_the_answer(void **state)
{
    (void)state;
    /* One byte too many, more than the socket's buffers hold, more than is worth reading. */
    static const size_t sizes[] = {BODY_BYTES_MAX + 1, 4 << 20, HTTP_DRAIN_BYTES_MAX};
    struct fixture f;
    struct client_reply reply;
    struct buf body;
    buf_init(&body, 32 << 20);
    assert_true(buf_reserve(&body, HTTP_DRAIN_BYTES_MAX));
    memset(body.ptr, 'x', HTTP_DRAIN_BYTES_MAX);
    start(&f, default_options());
    post(&f, "", (struct str){body.ptr, BODY_BYTES_MAX}, &reply);
    assert_int_equal(reply.status, 200);
    for (size_t i = 0; i < countof(sizes); i++) {
        post(&f, "", (struct str){body.ptr, sizes[i]}, &reply);
        assert_int_equal(reply.status, 413);
        assert_non_null(strstr(reply.body, "limit of 1000"));
        assert_false(reply.is_last);
    }
    /* Who asks first is told before the body. */
    exchange(&f,
             STR("POST / HTTP/1.1\r\n" HOST
                 "Expect: 100-continue\r\nContent-Length: 999999999999\r\n\r\n"),
             &reply);
    assert_int_equal(reply.status, 413);
    assert_true(reply.is_last);
    assert_int_equal(f.requests, 1);
    stop(&f);
    buf_fini(&body);
}

static void chunks_over_the_limit_are_refused(void **state)
{
    (void)state;
    struct fixture f;
    struct client_reply reply;
    struct buf request;
    buf_init(&request, 1 << 20);
    buf_append(&request, STR("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"));
    for (int i = 0; i < 101; i++)
        buf_append(&request, STR("a\r\n0123456789\r\n"));
    buf_append(&request, STR("0\r\n\r\n"));
    start(&f, default_options());
    exchange(&f, buf_str(&request), &reply);
    assert_int_equal(reply.status, 413);
    assert_int_equal(f.requests, 0);
    stop(&f);
    buf_fini(&request);
}

static void header_sections_over_the_limit_are_refused(void **state)
{
    (void)state;
    static const struct {
        size_t bytes; /* of one header's value */
        int status;
    } cases[] = {{8000, 200}, {HTTP_HEADER_BYTES_MAX + 100, 431}, {HTTP_CONNECTION_BYTES * 4, 431}};
    struct fixture f;
    struct client_reply reply;
    struct buf request;
    buf_init(&request, 1 << 20);
    start(&f, default_options());
    for (size_t i = 0; i < countof(cases); i++) {
        buf_reset(&request);
        buf_append(&request, STR("GET /facts HTTP/1.1\r\n" HOST "X: "));
        for (size_t n = 0; n < cases[i].bytes; n++)
            buf_putc(&request, 'x');
        buf_append(&request, STR("\r\n\r\n"));
        exchange(&f, buf_str(&request), &reply);
        assert_int_equal(reply.status, cases[i].status);
    }
    stop(&f);
    buf_fini(&request);
}

static void all_bodies_together_stay_under_their_limit(void **state)
{
    (void)state;
    enum { CLIENTS = 3 };
    struct fixture f;
    struct client_reply reply;
    struct http_options options = default_options();
    char body[BODY_BYTES_MAX + 1] = {0};
    char request[BODY_BYTES_MAX + 200];
    int fds[CLIENTS];
    memset(body, 'x', BODY_BYTES_MAX);
    snprintf(request, sizeof(request),
             "POST /hold HTTP/1.1\r\n" HOST "Content-Length: %d\r\n\r\n%s", BODY_BYTES_MAX, body);
    options.memory_bytes_max = 2 * BODY_BYTES_MAX;
    start(&f, options);
    for (int i = 0; i < CLIENTS - 1; i++) {
        fds[i] = client_open(&f);
        client_send(fds[i], str_from(request));
    }
    wait_for_requests(&f, CLIENTS - 1);
    fds[CLIENTS - 1] = client_open(&f);
    client_send(fds[CLIENTS - 1], str_from(request));
    client_read(fds[CLIENTS - 1], &reply);
    assert_int_equal(reply.status, 503);
    assert_non_null(strcasestr(reply.text, "Retry-After: "));

    release(&f, CLIENTS - 1);
    for (int i = 0; i < CLIENTS - 1; i++) {
        client_read(fds[i], &reply);
        assert_int_equal(reply.status, 200);
    }
    /* The same connection, once there is room again. */
    client_send(fds[CLIENTS - 1], str_from(request));
    wait_for_requests(&f, CLIENTS);
    release(&f, 1);
    client_read(fds[CLIENTS - 1], &reply);
    assert_int_equal(reply.status, 200);
    for (int i = 0; i < CLIENTS; i++)
        close(fds[i]);
    stop(&f);
}

static void refuse_in_other_words(void *self, enum http_refusal why, const char *text,
                                  struct arena *a, unsigned *status, struct str *body)
{
    (void)self;
    assert_int_equal(why, HTTP_REFUSED_TOO_LARGE);
    assert_int_equal(*status, 413);
    *status = 400;
    *body = arena_copy(a, str_from(text));
}

static void the_owner_words_its_refusals(void **state)
{
    (void)state;
    struct fixture f;
    struct client_reply reply;
    struct http_options options = default_options();
    options.on_refusal = refuse_in_other_words;
    options.body_bytes_max = 1;
    start(&f, options);
    post(&f, "", STR("{}"), &reply);
    assert_int_equal(reply.status, 400);
    assert_string_equal(reply.body, "the body has 2 bytes, more than the limit of 1");
    stop(&f);
}

static void a_refusal_names_the_limit_that_its_sender_has_to_keep(void **state)
{
    (void)state;
    struct fixture f;
    struct client_reply reply;
    struct http_options options = default_options();
    options.body_bytes_max = 3;
    options.inflated_bytes_max = 2;
    start(&f, options);
    post(&f, "", STR("{  }"), &reply);
    assert_string_equal(reply.body,
                        "{\"message\":\"the body has 4 bytes, more than the limit of 2\"}");
    post(&f, "Content-Encoding: gzip\r\n", STR("{  }"), &reply);
    assert_string_equal(reply.body,
                        "{\"message\":\"the body has 4 bytes, more than the limit of 3\"}");
    stop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_request_reaches_the_handler),
        cmocka_unit_test(what_smuggling_lives_on_is_refused_before_the_handler),
        cmocka_unit_test(gzip_bodies_are_inflated_by_header_or_by_magic),
        cmocka_unit_test(an_empty_gzip_body_is_an_empty_body),
        cmocka_unit_test(a_gigabyte_in_a_megabyte_of_gzip_costs_no_more_than_the_limit),
        cmocka_unit_test(bodies_over_the_limit_are_refused_and_their_senders_see_the_answer),
        cmocka_unit_test(chunks_over_the_limit_are_refused),
        cmocka_unit_test(header_sections_over_the_limit_are_refused),
        cmocka_unit_test(all_bodies_together_stay_under_their_limit),
        cmocka_unit_test(the_owner_words_its_refusals),
        cmocka_unit_test(a_refusal_names_the_limit_that_its_sender_has_to_keep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
