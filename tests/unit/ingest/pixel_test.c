#include "pixel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void a_query_becomes_an_event(void **state)
{
    (void)state;
    static const struct {
        struct str query;
        const char *json; /* NULL: no event */
    } cases[] = {
        {STR_INIT("userId=1&event=Opened&properties.subject=Hi&writeKey=WK"),
         "{\"userId\":\"1\",\"event\":\"Opened\",\"properties\":{\"subject\":\"Hi\"},\"writeKey\":"
         "\"WK\"}"},
        {STR_INIT("a.b.c=1&a.d=2&a.b.e=3"),
         "{\"a\":{\"b\":{\"c\":\"1\",\"e\":\"3\"},\"d\":\"2\"}}"},
        {STR_INIT("a=x+y%21%zz%4"), "{\"a\":\"x y!%zz%4\"}"},
        {STR_INIT("a&b=&=c&&"), "{\"a\":\"\",\"b\":\"\"}"},
        {STR_INIT("\x8c"
                  "a=%ff%41"),
         "{\"\xef\xbf\xbd"
         "a\":\"\xef\xbf\xbd"
         "A\"}"},
        {STR_INIT(""), "{}"},
        {STR_INIT("data=eyJhIjoxfQ"), "{\"a\":1}"},
        {STR_INIT("data=eyJhIjoxfQ%3D%3D"), "{\"a\":1}"},
        {STR_INIT("data=WzFd"), NULL}, /* an array */
        {STR_INIT("data=!!!"), NULL},
        {STR_INIT("data=eyJh"), NULL},
    };
    struct arena arena;
    struct buf text;
    arena_init(&arena, 1 << 20);
    buf_init(&text, 1 << 20);
    for (size_t i = 0; i < countof(cases); i++) {
        struct jv event = pixel_event(cases[i].query, &arena);
        assert_int_equal(event.type, cases[i].json == NULL ? JV_UNDEFINED : JV_OBJECT);
        if (cases[i].json == NULL)
            continue;
        buf_reset(&text);
        jv_write(&text, event);
        assert_string_equal(buf_cstr(&text), cases[i].json);
    }
    buf_fini(&text);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_query_becomes_an_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
