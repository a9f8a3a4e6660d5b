#include "unit.h"

#include <string.h>

#include "stock.h"

static void blocks_of_every_size_hold_their_bytes_and_waste_a_fifth_at_most(void **state)
{
    (void)state;
    struct stock stock;
    stock_init(&stock, 0);
    for (size_t bytes = 1; bytes < 3000000; bytes += bytes / 7 + 1) {
        char *block = stock_take(&stock, bytes);
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % 16, 0);
        memset(block, 0x5a, bytes);
        assert_true(stock.lent_bytes >= bytes);
        assert_true(bytes <= STOCK_BYTES_MIN || stock.lent_bytes <= bytes + bytes / 4 + 16);
        stock_give(&stock, block);
    }
    assert_int_equal(stock.lent_bytes, 0);
    stock_fini(&stock);
}

static void what_is_given_back_is_kept_within_the_bound_only(void **state)
{
    (void)state;
    enum { BLOCKS = 100, BLOCK_BYTES = 1024, KEPT_BYTES = 10 * BLOCK_BYTES };
    void *blocks[BLOCKS];
    struct stock stock;
    stock_init(&stock, KEPT_BYTES);
    for (size_t i = 0; i < BLOCKS; i++)
        blocks[i] = stock_take(&stock, BLOCK_BYTES);
    assert_int_equal(stock.lent_bytes, BLOCKS * BLOCK_BYTES);
    for (size_t i = 0; i < BLOCKS; i++)
        stock_give(&stock, blocks[i]);
    assert_int_equal(stock.lent_bytes, 0);
    assert_true(stock.idle_bytes <= KEPT_BYTES);
    void *lent = stock_take(&stock, BLOCK_BYTES);
    stock_limit(&stock, 3 * BLOCK_BYTES); /* less from now on */
    assert_true(stock.lent_bytes + stock.idle_bytes <= 3 * BLOCK_BYTES);
    stock_limit(&stock, 0); /* less than is lent */
    assert_int_equal(stock.idle_bytes, 0);
    stock_give(&stock, lent);
    assert_int_equal(stock.idle_bytes, 0);
    stock_fini(&stock);
}

static void a_block_beyond_the_largest_class_is_refused(void **state)
{
    (void)state;
    struct stock stock;
    stock_init(&stock, 0);
    assert_null(stock_take(&stock, (size_t)64 << 20));
    assert_null(stock_take(&stock, SIZE_MAX));
    assert_int_equal(stock.lent_bytes, 0);
    stock_fini(&stock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_of_every_size_hold_their_bytes_and_waste_a_fifth_at_most),
        cmocka_unit_test(what_is_given_back_is_kept_within_the_bound_only),
        cmocka_unit_test(a_block_beyond_the_largest_class_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
