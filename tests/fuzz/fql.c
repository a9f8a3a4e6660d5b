/* A refusal says where and why; what compiles has a tree, and matching
 * it with any event ends in an answer. */
#include "fql.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fql *fql = NULL;
    struct err err = {0};
    struct arena arena;
    struct jv event = jv_undefined();
    const char *why;
    arena_init(&arena, 64 << 20);
    struct str text = {(const char *)data, size};
    size_t cut = str_find(text, '\0'); /* an event may follow a NUL */
    if (cut + 1 < size)
        (void)!jv_parse(&event, &arena, str_slice(text, cut + 1, size), JV_JAVASCRIPT, NULL);
    if (fql_compile(&fql, str_slice(text, 0, cut), &err) != 0) {
        assert(err.at <= cut);
        assert(err.msg[0] != '\0');
    } else {
        assert(fql_ast(fql, &arena).type == JV_OBJECT);
        bool is_match = fql_match_or_throw(fql, event, &why);
        assert(why == NULL || !is_match);
    }
    fql_free(fql);
    arena_fini(&arena);
    return 0;
}
