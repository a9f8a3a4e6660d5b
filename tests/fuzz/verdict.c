/* Whatever a server answers, every object of the request has exactly one verdict. */
#include "verdict.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct retry_policy policy = {500, 60000, 2000, 15000, 4000000};
    struct manifest manifest = {
        .arrays = {{STR("attributes"), 2}, {STR("events"), 3}},
        .array_count = 2,
        .object_count = 5,
    };
    struct str text = {(const char *)data, size};
    struct attempts attempts = {.now_ms = 1767607200000};
    struct verdict verdict;
    struct reply reply;
    struct arena arena;

    /* The first line is the status, header lines follow, then an empty line and the body. */
    reply_init(&reply);
    size_t end = str_find(text, '\n');
    for (size_t i = 0; i < end && i < 3; i++)
        reply.status = reply.status * 10 + (unsigned char)data[i] % 10;
    for (text = str_slice(text, end + 1, size); text.len > 0 && text.ptr[0] != '\n';
         text = str_slice(text, end + 1, text.len)) {
        end = str_find(text, '\n');
        reply_header(&reply, str_slice(text, 0, end), attempts.now_ms / 1000);
    }
    reply.body = str_slice(text, 1, text.len);

    arena_init(&arena, 16 << 20);
    if (verdict_reach(&verdict, &reply, &manifest, &attempts, &policy, &arena) == 0) {
        unsigned seen = 0;
        assert(verdict.refusal_count <= manifest.object_count);
        for (unsigned i = 0; i < verdict.refusal_count; i++) {
            assert(verdict.refusals[i].object < manifest.object_count);
            assert((seen >> verdict.refusals[i].object & 1) == 0);
            assert(verdict.refusals[i].reason.len > 0);
            seen |= 1U << verdict.refusals[i].object;
        }
        assert(verdict.kind == VERDICT_DONE || verdict.reason.len > 0);
        assert(verdict.wait_ms >= 0 && verdict.wait_ms <= RATE_LIMIT_WAIT_MS_MAX);
        assert((verdict.kind == VERDICT_DONE) == (reply.status / 100 == 2));
    }
    arena_fini(&arena);
    return 0;
}
