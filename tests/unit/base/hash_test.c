#include "hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void hashes_are_xxh3_and_stay_so(void **state)
{
    (void)state;
    /* Hashes are kept on disk: another function would be another format.
     * Values of the xxHash library's XXH3. */
    assert_true(hash_str((struct str){NULL, 0}) == UINT64_C(0x2d06800538d394c2));
    assert_true(hash_str(STR("")) == UINT64_C(0x2d06800538d394c2));
    struct hash128 empty = hash128_str_seed(STR(""), 0);
    assert_true(empty.high == UINT64_C(0x99aa06d3014798d8));
    assert_true(empty.low == UINT64_C(0x6001c324468d497f));
}

static void the_seed_zero_is_no_seed(void **state)
{
    (void)state;
    assert_true(hash_str(STR("anna")) == hash_str_seed(STR("anna"), 0));
}

static void text_length_and_seed_all_count(void **state)
{
    (void)state;
    const uint64_t hashes[] = {
        hash_str_seed(STR("anna"), 0),         hash_str_seed(STR("anna"), 1),
        hash_str_seed(STR("anne"), 0),         hash_str_seed(STR("anna\0"), 0),
        hash128_str_seed(STR("anna"), 1).high, hash128_str_seed(STR("anna"), 2).high,
        hash128_str_seed(STR("anna"), 2).low,
    };
    for (size_t i = 0; i < countof(hashes); i++)
        for (size_t j = 0; j < i; j++)
            assert_true(hashes[i] != hashes[j]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_are_xxh3_and_stay_so),
        cmocka_unit_test(the_seed_zero_is_no_seed),
        cmocka_unit_test(text_length_and_seed_all_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
