/*
 * Any method, path, query and body, one after the other on one sandbox: always an answer in JSON
 * (or the page), never a crash, and what is stored can still be shown.
 *
 * The input: lines of "METHOD /path?query body", separated by NUL bytes.
 */
#include <assert.h>
#include <stdint.h>

#include "jv.h"
#include "sandbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { REQUESTS_MAX = 16, ARENA_BYTES = 512 << 20 };

static int64_t fixed_now(void *self)
{
    (void)self;
    return INT64_C(1767607203000);
}

static void check_json(struct str text)
{
    struct arena arena;
    struct jv value;
    struct err err = {0};
    arena_init(&arena, ARENA_BYTES);
    assert(jv_parse(&value, &arena, text, JV_EXACT, &err) == 0);
    assert(value.type == JV_OBJECT);
    arena_fini(&arena);
}

static void call(struct sandbox *sandbox, struct str line)
{
    struct arena arena;
    struct sandbox_answer answer = {0};
    size_t space = str_find(line, ' ');
    struct str rest = str_slice(line, space + 1, line.len);
    size_t end = str_find(rest, ' ');
    struct str target = str_slice(rest, 0, end);
    size_t mark = str_find(target, '?');
    struct sandbox_request request = {
        .method = str_slice(line, 0, space),
        .path = str_slice(target, 0, mark),
        .query = str_slice(target, mark + 1, target.len),
        .body = str_slice(rest, end + 1, rest.len),
        .authorization = STR("Bearer " SANDBOX_API_KEY_DEFAULT),
        .content_type = STR("application/json"),
    };
    arena_init(&arena, ARENA_BYTES);
    buf_init(&answer.body, SANDBOX_ANSWER_BYTES_MAX);
    sandbox_handle(sandbox, &request, &arena, &answer);
    assert(answer.status >= 200 && answer.status < 600);
    /* Faults may cut a body or answer with another one on purpose. */
    bool page = buf_str(&answer.body).len > 0 && answer.body.ptr[0] == '<';
    if (!page && !str_starts(request.path, STR("/sandbox/faults")))
        check_json(buf_str(&answer.body));
    buf_fini(&answer.body);
    arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sandbox *sandbox = NULL;
    struct err err = {0};
    struct str rest = {(const char *)data, size};
    const struct sandbox_options options = {
        .clock = {fixed_now, NULL}, .seed = 1, .no_limits = true};
    assert(sandbox_open(&sandbox, &options, &err) == 0);
    for (int i = 0; i < REQUESTS_MAX && rest.len > 0; i++) {
        size_t end = str_find(rest, '\0');
        struct str line = str_slice(rest, 0, end);
        rest = str_slice(rest, end + 1, rest.len);
        /* A rule that somebody posts would break the promise on purpose. */
        if (!str_starts(line, STR("POST /sandbox/faults")))
            call(sandbox, line);
    }
    call(sandbox, STR("GET /sandbox/profiles?limit=1000"));
    call(sandbox, STR("GET /sandbox/requests"));
    call(sandbox, STR("GET /sandbox/log"));
    call(sandbox, STR("GET /sandbox/data-points"));
    sandbox_close(sandbox);
    return 0;
}
