/* A template is refused with a place or renders within the memory it was given; rendering it again
 * gives the same. */
#include "liquid.h"

#include <assert.h>
#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char values_json[] =
        "{\"s\":\"Str\",\"n\":5,\"o\":{\"a\":1},\"l\":[1,[2,3],\"x\",null,{\"k\":2}]}";
    const struct liquid *liquid;
    struct liquid_error error = {STR(""), STR("")};
    struct arena arena;
    struct jv values;
    struct buf once;
    struct buf twice;
    arena_init(&arena, 64 << 20);
    buf_init(&once, 1 << 20);
    buf_init(&twice, 1 << 20);
    int rc = jv_parse(&values, &arena, str_from(values_json), JV_JAVASCRIPT, NULL);
    assert(rc == 0);
    struct str text = {(const char *)data, size > LIQUID_UNITS_MAX ? LIQUID_UNITS_MAX : size};
    rc = liquid_compile(&liquid, &arena, text, &error);
    if (rc == 0)
        rc = liquid_render(liquid, &arena, values, &once, &error);
    if (rc == -EINVAL)
        assert(error.name.len > 0 && error.message.len > 0);
    bool tells_time =
        memmem(data, size, "now", 3) != NULL || memmem(data, size, "today", 5) != NULL;
    if (rc == 0 && !tells_time && liquid_render(liquid, &arena, values, &twice, &error) == 0)
        assert(str_eq(buf_str(&once), buf_str(&twice)));
    buf_fini(&once);
    buf_fini(&twice);
    arena_fini(&arena);
    return 0;
}
