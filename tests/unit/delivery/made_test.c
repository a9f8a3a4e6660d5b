#include "unit.h"

#include "made.h"

static struct made made;

static struct cohort cohort_of(uint64_t key, uint64_t name)
{
    return (struct cohort){.key = {key}, .name = name};
}

static bool has(uint64_t key, uint64_t name)
{
    struct cohort cohort = cohort_of(key, name);
    return made_has(&made, &cohort);
}

static void put(uint64_t key, uint64_t name)
{
    struct cohort cohort = cohort_of(key, name);
    made_put(&made, &cohort);
}

static void a_cohort_is_known_by_its_last_name_only(void **state)
{
    (void)state;
    made = (struct made){0};
    assert_false(has(1, 10));
    put(1, 10);
    put(2, 10);
    assert_true(has(1, 10));
    assert_false(has(1, 11));
    put(1, 11);
    assert_true(has(1, 11));
    assert_false(has(1, 10));
    assert_true(has(2, 10));
    assert_int_equal(made.count, 2);
}

static void the_oldest_is_forgotten_when_there_are_too_many(void **state)
{
    (void)state;
    made = (struct made){0};
    for (uint64_t key = 0; key < MADE_COHORTS_MAX + 2; key++)
        put(key, key);
    assert_false(has(0, 0));
    assert_false(has(1, 1));
    for (uint64_t key = 2; key < MADE_COHORTS_MAX + 2; key++)
        assert_true(has(key, key));
    assert_int_equal(made.count, MADE_COHORTS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cohort_is_known_by_its_last_name_only),
        cmocka_unit_test(the_oldest_is_forgotten_when_there_are_too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
