/* For each line of JSON on stdin, the line that jv_write makes of what
 * jv_parse read; "refused: why" where it did not. */
#include <stdio.h>
#include <stdlib.h>

#include "jv.h"

int main(void)
{
    struct arena arena;
    struct buf out;
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;
    arena_init(&arena, 64 << 20);
    buf_init(&out, 16 << 20);
    while ((len = getline(&line, &cap, stdin)) > 0) {
        struct str text = str_trim((struct str){line, (size_t)len});
        struct jv v;
        struct err err = {0};
        buf_reset(&out);
        if (jv_parse(&v, &arena, text, JV_JAVASCRIPT, &err) == 0)
            jv_write(&out, v);
        else
            buf_printf(&out, "refused: %s", err.msg);
        buf_putc(&out, '\n');
        fwrite(out.ptr, 1, out.len, stdout);
        arena_reset(&arena);
    }
    free(line);
    buf_fini(&out);
    arena_fini(&arena);
    return 0;
}
