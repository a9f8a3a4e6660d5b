/* What parses prints, and what was printed parses to the same
 * text: one more round changes nothing. */
#include "jv.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct buf once;
    struct buf twice;
    struct jv v;
    struct err err = {0};
    arena_init(&arena, 64 << 20);
    buf_init(&once, 16 << 20);
    buf_init(&twice, 16 << 20);
    enum jv_parse_flags flags = size > 0 && (data[size - 1] & 1) ? JV_EXACT : JV_JAVASCRIPT;
    if (jv_parse(&v, &arena, (struct str){(const char *)data, size}, flags, &err) != 0) {
        assert(err.msg[0] != '\0');
        assert(err.at <= size);
    } else {
        jv_write(&once, v);
        assert(jv_parse(&v, &arena, buf_str(&once), flags, &err) == 0);
        jv_write(&twice, v);
        assert(str_eq(buf_str(&once), buf_str(&twice)));
    }
    buf_fini(&twice);
    buf_fini(&once);
    arena_fini(&arena);
    return 0;
}
