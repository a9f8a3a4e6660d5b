/* A template without braces is its own text, and rendering ends
 * within its bound whatever the template. */
#include "mapping.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct jv_member payload_members[] = {
        {STR_INIT("a"), {.type = JV_STRING, .len = 7, .ptr = "{{a}}{{"}},
        {STR_INIT("b"), {.type = JV_STRING, .len = 5, .ptr = "}}{{{"}},
    };
    struct jv payload = {.type = JV_OBJECT, .len = 2, .members = payload_members};
    struct jv_member directive = {STR("@template"),
                                  jv_string((struct str){(const char *)data, size})};
    struct jv source = {.type = JV_OBJECT, .len = 1, .members = &directive};
    struct mapping *mapping = NULL;
    struct arena arena;
    struct jv text;
    struct err err = {0};
    arena_init(&arena, 64 << 20);
    int rc = mapping_compile(&mapping, source, &err);
    assert(rc == 0 || size > MAPPING_TEXT_BYTES_MAX);
    if (rc == 0 && mapping_run(mapping, payload, &arena, &text, &err) == 0) {
        assert(text.type == JV_STRING);
        assert(text.len <= MAPPING_OUTPUT_BYTES_MAX);
        if (size == 0 || memchr(data, '{', size) == NULL)
            assert(str_eq(jv_str(text), jv_str(directive.value)));
    }
    mapping_free(mapping);
    arena_fini(&arena);
    return 0;
}
