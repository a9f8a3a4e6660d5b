#include "arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#ifdef ARENA_POISONED
#include <sanitizer/asan_interface.h>
#endif

static void pieces_are_aligned_and_do_not_overlap(void **state)
{
    (void)state;
    struct arena a;
    unsigned char *pieces[2000];
    arena_init(&a, 8 << 20);
    for (size_t i = 0; i < countof(pieces); i++) {
        pieces[i] = arena_alloc(&a, i);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % 16, 0);
        memset(pieces[i], (int)(i & 255), i);
    }
    for (size_t i = 0; i < countof(pieces); i++)
        for (size_t j = 0; j < i; j++)
            assert_int_equal(pieces[i][j], i & 255);
    arena_fini(&a);
}

static void nothing_is_a_piece_too(void **state)
{
    (void)state;
    struct arena fresh;
    arena_init(&fresh, 0);
    assert_non_null(arena_alloc(&fresh, 0));
    assert_non_null(arena_array(&fresh, 0, 8));
    assert_non_null(arena_copy(&fresh, (struct str){NULL, 0}).ptr);
    assert_null(arena_alloc(&fresh, 1));
    arena_fini(&fresh);
}

static void the_limit_holds_for_every_size(void **state)
{
    (void)state;
    static const struct {
        size_t bytes_max;
        size_t bytes;
        bool fits;
    } rows[] = {
        {16, 16, true},
        {16, 1, true},
        {16, 17, false},
        {15, 1, false}, /* a piece takes 16 bytes at least */
        {1 << 20, 1 << 20, true},
        {1 << 20, (1 << 20) + 1, false},
        {1 << 20, SIZE_MAX, false},
        {1 << 20, SIZE_MAX - 15, false},
        {SIZE_MAX, SIZE_MAX - 7, false},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct arena a;
        arena_init(&a, rows[i].bytes_max);
        assert_int_equal(arena_alloc(&a, rows[i].bytes) != NULL, rows[i].fits);
        assert_true(a.bytes <= rows[i].bytes_max);
        arena_fini(&a);
    }
}

static void a_full_arena_says_no_and_works_again_after_a_reset(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 100000);
    for (int round = 0; round < 3; round++) {
        size_t got = 0;
        while (arena_alloc(&a, 160) != NULL)
            got += 160;
        assert_true(got > 40000);
        assert_true(got <= 100000);
        assert_true(a.bytes <= 100000);
        arena_reset(&a);
        assert_true(a.bytes <= 100000);
    }
    arena_fini(&a);
}

static void a_small_piece_still_fits_where_a_large_one_did_not(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1024);
    assert_null(arena_alloc(&a, 2048));
    assert_non_null(arena_alloc(&a, 1024));
    assert_null(arena_alloc(&a, 1));
    arena_fini(&a);
}

static void reset_keeps_the_largest_chunk_so_rounds_stop_allocating(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 16 << 20);
    for (int i = 0; i < 1000; i++)
        assert_non_null(arena_alloc(&a, 1000));
    arena_reset(&a);
    size_t kept = a.bytes;
    const char *first = arena_alloc(&a, 1);
    for (int round = 0; round < 10; round++) {
        arena_reset(&a);
        assert_ptr_equal(arena_alloc(&a, 1), first);
        for (int i = 0; i < 100; i++)
            assert_non_null(arena_alloc(&a, 1000));
        assert_int_equal(a.bytes, kept);
    }
    arena_fini(&a);
}

static void what_was_handed_out_is_counted_over_chunks(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 8 << 20);
    assert_int_equal(arena_used(&a), 0);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 1; i <= 5000; i++) {
            assert_non_null(arena_alloc(&a, 100));
            assert_int_equal(arena_used(&a), i * 112);
        }
        arena_reset(&a);
        assert_int_equal(arena_used(&a), 0);
    }
    arena_fini(&a);
}

static void a_reset_of_an_unused_arena_is_fine(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1000);
    arena_reset(&a);
    assert_non_null(arena_alloc(&a, 1));
    arena_fini(&a);
    arena_fini(&a);
}

static void array_sizes_are_checked_for_overflow(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1 << 20);
    assert_null(arena_array(&a, SIZE_MAX / 2, 3));
    assert_null(arena_array(&a, (SIZE_MAX >> 4) + 2, 16));
    assert_non_null(arena_array(&a, 1000, 16));
    arena_fini(&a);
}

static void copies_are_the_arenas_own(void **state)
{
    (void)state;
    struct arena a;
    char text[] = "copied";
    arena_init(&a, 64);
    struct str copy = arena_copy(&a, str_from(text));
    memset(text, 'x', sizeof(text));
    assert_true(str_eq(copy, STR("copied")));
    assert_null(
        arena_copy(&a, STR("this text is longer than what the arena has left of its 64")).ptr);
    arena_fini(&a);
}

#ifdef ARENA_POISONED
static void unused_memory_is_poisoned_under_asan(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1 << 20);
    char *piece = arena_alloc(&a, 10);
    assert_false(__asan_address_is_poisoned(piece + 9));
    assert_true(__asan_address_is_poisoned(piece + 10));
    arena_reset(&a);
    assert_true(__asan_address_is_poisoned(piece));
    arena_fini(&a);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_aligned_and_do_not_overlap),
        cmocka_unit_test(nothing_is_a_piece_too),
        cmocka_unit_test(the_limit_holds_for_every_size),
        cmocka_unit_test(a_full_arena_says_no_and_works_again_after_a_reset),
        cmocka_unit_test(what_was_handed_out_is_counted_over_chunks),
        cmocka_unit_test(a_small_piece_still_fits_where_a_large_one_did_not),
        cmocka_unit_test(reset_keeps_the_largest_chunk_so_rounds_stop_allocating),
        cmocka_unit_test(a_reset_of_an_unused_arena_is_fine),
        cmocka_unit_test(array_sizes_are_checked_for_overflow),
        cmocka_unit_test(copies_are_the_arenas_own),
#ifdef ARENA_POISONED
        cmocka_unit_test(unused_memory_is_poisoned_under_asan),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
