/* A mapping is refused with a sentence or runs; what it gives has no undefined
 * members, and running it again gives the same. */
#include "mapping.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void assert_clean(struct jv v)
{
    for (uint32_t i = 0; v.type == JV_ARRAY && i < v.len; i++)
        assert_clean(v.items[i]);
    for (uint32_t i = 0; v.type == JV_OBJECT && i < v.len; i++) {
        assert(v.members[i].value.type != JV_UNDEFINED);
        assert(!str_eq(v.members[i].key, STR("__proto__")));
        assert_clean(v.members[i].value);
    }
}

static void run(const struct mapping *mapping, struct jv payload, struct arena *a)
{
    struct jv first;
    struct jv second;
    struct thrown thrown;
    struct err err = {0};
    int rc = mapping_run_or_throw(mapping, payload, a, &first, &thrown, &err);
    if (rc != 0) {
        assert(err.msg[0] != '\0');
        return;
    }
    assert_clean(first);
    if (mapping_run_or_throw(mapping, payload, a, &second, &thrown, &err) == 0)
        assert(jv_equal(first, second));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mapping *mapping = NULL;
    struct arena arena;
    struct jv source;
    struct jv payload = {.type = JV_OBJECT};
    struct thrown thrown;
    struct err err = {0};
    arena_init(&arena, 64 << 20);
    struct str text = {(const char *)data, size};
    size_t cut = str_find(text, '\n'); /* the payload follows in the next line */
    if (cut + 1 < size)
        (void)!jv_parse(&payload, &arena, str_slice(text, cut + 1, size), JV_JAVASCRIPT, NULL);
    if (jv_parse(&source, &arena, str_slice(text, 0, cut), JV_JAVASCRIPT, NULL) == 0) {
        int rc = mapping_compile_or_throw(&mapping, source, &arena, &thrown, &err);
        if (rc == 0)
            run(mapping, payload, &arena);
        else
            assert(err.msg[0] != '\0');
    }
    mapping_free(mapping);
    arena_fini(&arena);
    return 0;
}
