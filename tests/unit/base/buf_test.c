#include "buf.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void assert_text(const struct buf *b, const char *expected)
{
    assert_false(b->failed);
    if (!str_eq(buf_str(b), str_from(expected)))
        fail_msg("got \"%.*s\", expected \"%s\"", STR_ARG(buf_str(b)), expected);
}

static void pieces_follow_each_other(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1000);
    buf_append(&b, STR("abc"));
    buf_append(&b, (struct str){NULL, 0});
    buf_putc(&b, '-');
    buf_printf(&b, "%s:%d", "n", 42);
    buf_printf(&b, "%s", "");
    buf_putc(&b, ' ');
    buf_put_u64(&b, 0);
    assert_text(&b, "abc-n:42 0");
    buf_fini(&b);
}

static void numbers_print_in_full(void **state)
{
    (void)state;
    static const uint64_t rows[] = {0, 9, 10, 99, 100, 9007199254740993u, UINT64_MAX};
    struct buf b;
    buf_init(&b, 100);
    for (size_t i = 0; i < countof(rows); i++) {
        char expected[32];
        snprintf(expected, sizeof(expected), "%" PRIu64, rows[i]);
        buf_reset(&b);
        buf_put_u64(&b, rows[i]);
        assert_text(&b, expected);
    }
    buf_fini(&b);
}

/* Each way to add text fills the last byte of the limit, and not one more. */
static void add_append(struct buf *b, const char *text)
{
    buf_append(b, str_from(text));
}

static void add_putc(struct buf *b, const char *text)
{
    for (; *text != '\0'; text++)
        buf_putc(b, *text);
}

static void add_printf(struct buf *b, const char *text)
{
    buf_printf(b, "%s", text);
}

static void add_u64(struct buf *b, const char *text)
{
    buf_put_u64(b, strtoull(text, NULL, 10));
}

static void the_limit_can_be_reached_and_not_passed(void **state)
{
    (void)state;
    static void (*const ways[])(struct buf *, const char *) = {add_append, add_putc, add_printf,
                                                               add_u64};
    for (size_t i = 0; i < countof(ways); i++) {
        struct buf b;
        buf_init(&b, 8);
        ways[i](&b, "12345678");
        assert_text(&b, "12345678");
        assert_string_equal(buf_cstr(&b), "12345678");
        ways[i](&b, "9");
        assert_true(b.failed);
        assert_int_equal(b.len, 8);
        buf_fini(&b);
    }
}

static void a_failed_buf_takes_nothing_until_it_is_reset(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 4);
    buf_append(&b, STR("12"));
    buf_append(&b, STR("345"));
    assert_true(b.failed);
    buf_append(&b, STR("3"));
    buf_putc(&b, '3');
    buf_printf(&b, "%d", 3);
    assert_true(b.failed);
    assert_int_equal(b.len, 2);
    assert_null(buf_cstr(&b));
    buf_reset(&b);
    buf_append(&b, STR("1234"));
    assert_text(&b, "1234");
    buf_fini(&b);
}

static void growth_keeps_what_is_there(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 100000);
    for (int i = 0; i < 20000; i++)
        buf_printf(&b, "%04d|", i % 10000);
    assert_false(b.failed);
    assert_int_equal(b.len, 100000);
    assert_true(str_starts(str_slice(buf_str(&b), 5 * 1234, b.len), STR("1234|1235|")));
    assert_true(str_ends(buf_str(&b), STR("|9999|")));
    buf_putc(&b, '.');
    assert_true(b.failed);
    buf_fini(&b);
}

static void reserved_room_is_the_callers_to_fill(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1000);
    assert_true(buf_reserve(&b, 1000));
    memset(b.ptr, 'x', 1000);
    b.len = 1000;
    assert_true(buf_reserve(&b, 0));
    assert_false(buf_reserve(&b, 1));
    assert_false(buf_reserve(&b, SIZE_MAX));
    assert_true(b.failed);
    buf_fini(&b);
}

static void an_empty_buf_is_an_empty_c_string(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1);
    assert_string_equal(buf_cstr(&b), "");
    assert_int_equal(b.len, 0);
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_follow_each_other),
        cmocka_unit_test(numbers_print_in_full),
        cmocka_unit_test(the_limit_can_be_reached_and_not_passed),
        cmocka_unit_test(a_failed_buf_takes_nothing_until_it_is_reset),
        cmocka_unit_test(growth_keeps_what_is_there),
        cmocka_unit_test(reserved_room_is_the_callers_to_fill),
        cmocka_unit_test(an_empty_buf_is_an_empty_c_string),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
