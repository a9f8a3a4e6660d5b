#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "history.h"
#include "keys.h"

enum { MANY = 5000 };

static struct str numbered(char room[24], unsigned number)
{
    int len = snprintf(room, 24, "key-%u", number);
    return (struct str){room, (size_t)len};
}

static void keys_lead_to_their_profiles_through_any_order_of_changes(void **state)
{
    (void)state;
    char room[24];
    struct keys *keys = keys_new();
    assert_non_null(keys);
    for (unsigned i = 0; i < MANY; i++)
        assert_true(keys_add(keys, KEY_EXTERNAL_ID, numbered(room, i), i));
    for (unsigned i = 0; i < MANY; i += 2)
        keys_remove(keys, KEY_EXTERNAL_ID, numbered(room, i), i);
    for (unsigned i = 0; i < MANY; i += 4)
        assert_true(keys_add(keys, KEY_EXTERNAL_ID, numbered(room, i), i + MANY));
    for (unsigned i = 0; i < MANY; i++) {
        uint32_t expected = i % 4 == 0 ? i + MANY : i % 2 == 0 ? PROFILE_NONE : i;
        assert_int_equal(keys_find(keys, KEY_EXTERNAL_ID, numbered(room, i)), expected);
        assert_int_equal(keys_find(keys, KEY_BRAZE_ID, numbered(room, i)), PROFILE_NONE);
    }
    keys_free(keys);
}

static void a_shared_key_lists_its_profiles_newest_first(void **state)
{
    (void)state;
    static const uint32_t left[] = {4, 2, 0};
    struct keys *keys = keys_new();
    assert_non_null(keys);
    for (uint32_t i = 0; i < 6; i++)
        assert_true(keys_add(keys, KEY_EMAIL, STR("a@b.co"), i));
    for (uint32_t i = 1; i < 6; i += 2)
        keys_remove(keys, KEY_EMAIL, STR("a@b.co"), i);
    keys_remove(keys, KEY_EMAIL, STR("a@b.co"), 77); /* nobody's */
    struct keys_walk walk = keys_walk(keys, KEY_EMAIL, STR("a@b.co"));
    uint32_t profile;
    for (size_t i = 0; i < countof(left); i++) {
        assert_true(keys_next(&walk, &profile));
        assert_int_equal(profile, left[i]);
    }
    assert_false(keys_next(&walk, &profile));
    keys_free(keys);
}

static void a_full_history_forgets_the_oldest_and_never_mixes_chains(void **state)
{
    (void)state;
    enum { RING = 16 * 1024, CHAINS = 3, ROUNDS = 2000 };
    struct history *history = history_new(RING);
    uint64_t newest[CHAINS] = {HISTORY_NONE};
    char text[64];
    assert_non_null(history);
    for (unsigned i = 0; i < ROUNDS; i++) {
        int len = snprintf(text, sizeof(text), "chain %u number %u %.*s", i % CHAINS, i,
                           (int)(i % 17), "xxxxxxxxxxxxxxxxx");
        newest[i % CHAINS] = history_add(history, newest[i % CHAINS], HISTORY_EVENT,
                                         (struct str){text, (size_t)len});
    }
    for (unsigned chain = 0; chain < CHAINS; chain++) {
        uint64_t entry = newest[chain];
        enum history_kind kind;
        struct str read;
        unsigned expected = ROUNDS - 1 - (ROUNDS - 1 - chain) % CHAINS;
        unsigned count = 0;
        while (history_read(history, entry, &kind, &read, &entry)) {
            int len = snprintf(text, sizeof(text), "chain %u number %u %.*s", chain, expected,
                               (int)(expected % 17), "xxxxxxxxxxxxxxxxx");
            assert_true(str_eq(read, (struct str){text, (size_t)len}));
            expected -= CHAINS;
            count++;
        }
        assert_in_range(count, 30, RING / 32 / CHAINS + 1);
    }
    history_free(history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_lead_to_their_profiles_through_any_order_of_changes),
        cmocka_unit_test(a_shared_key_lists_its_profiles_newest_first),
        cmocka_unit_test(a_full_history_forgets_the_oldest_and_never_mixes_chains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
