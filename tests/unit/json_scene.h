/* json_scene: an arena to parse into and a buffer to write to, new for each test.
 * Include after cmocka.h. */
#ifndef SPELTER_TESTS_JSON_SCENE_H
#define SPELTER_TESTS_JSON_SCENE_H

#include "buf.h"
#include "jv.h"

static struct arena arena;
static struct buf out;

static inline int setup(void **state)
{
    (void)state;
    arena_init(&arena, 64 << 20);
    buf_init(&out, 1 << 20);
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    arena_fini(&arena);
    buf_fini(&out);
    return 0;
}

static inline struct jv parse(const char *text)
{
    struct jv v;
    struct err err = {0};
    if (jv_parse(&v, &arena, str_from(text), JV_JAVASCRIPT, &err) != 0)
        fail_msg("%s: %s", text, err.msg);
    return v;
}

#endif
