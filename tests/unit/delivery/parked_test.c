#include "parked.h"

#include <stdlib.h>

#include "unit.h"

enum { A = 1, B = 2, C = 1 + PARKED_SLOTS /* the same slot as A */ };

#define USERS(...)                                                                                 \
    (&(struct users){(struct user_key[]){__VA_ARGS__},                                             \
                     sizeof((struct user_key[]){__VA_ARGS__}) / sizeof(struct user_key)})

static uint64_t may_go_hash;

static bool is_chosen(void *self, struct user_key user)
{
    (void)self;
    return may_go_hash == 0 || user.hash == may_go_hash;
}

static uint64_t begin(struct parked *p, uint64_t hash)
{
    may_go_hash = hash;
    return parked_begin(p, is_chosen, NULL);
}

static struct parked *empty(void)
{
    struct parked *p = calloc(1, sizeof(*p));
    assert_non_null(p);
    return p;
}

static void an_event_stays_when_one_of_its_users_does_and_takes_the_others_with_it(void **state)
{
    (void)state;
    struct parked *p = empty();
    assert_false(parked_stays(p, USERS({A}), 10));
    assert_true(parked_keep(p, USERS({A}), 10));
    assert_false(parked_stays(p, USERS({A}), 9)); /* taken before */
    assert_true(parked_stays(p, USERS({A}), 10));
    assert_false(parked_stays(p, USERS({B}), 20));
    assert_true(parked_stays(p, USERS({B}, {A}), 20));
    assert_true(parked_keep(p, USERS({B}, {A}), 20));
    assert_false(parked_stays(p, USERS({B}), 19));
    assert_true(parked_stays(p, USERS({B}), 20));
    assert_false(parked_stays(p, USERS({C}), 30));
    assert_true(parked_keep(p, USERS({C}, {C}), 30));
    assert_int_equal(p->count, 3);
    free(p);
}

static void a_second_reading_takes_what_may_go_up_to_what_may_not(void **state)
{
    (void)state;
    struct parked *p = empty();
    assert_true(parked_keep(p, USERS({A}), 10));
    assert_true(parked_keep(p, USERS({A}, {B}), 12));
    assert_int_equal(begin(p, B), 12);
    assert_true(parked_is_going(p));
    assert_false(parked_may_go(p, USERS({A}, {B})));
    parked_block(p, USERS({A}, {B}), 12);
    assert_false(parked_is_going(p));

    assert_int_equal(begin(p, A), 10);
    assert_true(parked_may_go(p, USERS({A})));
    parked_advance(p, USERS({A}), 10);
    assert_false(parked_stays(p, USERS({A}), 10));
    assert_true(parked_stays(p, USERS({A}), 11));
    parked_block(p, USERS({A}, {B}), 12);
    assert_false(parked_is_going(p));

    assert_int_equal(begin(p, 0), 12);
    assert_true(parked_may_go(p, USERS({A}, {B})));
    parked_advance(p, USERS({A}, {B}), 12);
    assert_true(parked_is_going(p));
    parked_end(p);
    assert_int_equal(p->count, 0);
    assert_false(parked_stays(p, USERS({A}, {B}), 13));
    free(p);
}

static void the_end_of_a_reading_keeps_those_who_may_not_go(void **state)
{
    (void)state;
    struct parked *p = empty();
    assert_true(parked_keep(p, USERS({A}), 10)); /* A and C meet in one slot */
    assert_true(parked_keep(p, USERS({C}), 11));
    assert_true(parked_keep(p, USERS({B}), 12));
    assert_int_equal(begin(p, A), 10);
    parked_end(p);
    assert_int_equal(p->count, 2);
    assert_false(parked_stays(p, USERS({A}), 50));
    assert_true(parked_stays(p, USERS({C}), 50));
    assert_true(parked_stays(p, USERS({B}), 50));
    free(p);
}

static void a_full_table_takes_nobody_in_part(void **state)
{
    (void)state;
    struct parked *p = empty();
    for (uint64_t hash = 1; hash < PARKED_USERS_MAX; hash++) {
        assert_int_equal(parked_has_room(p), hash - 1 <= PARKED_USERS_MAX - PARKED_EVENT_USERS);
        assert_true(parked_keep(p, USERS({hash * 7}), hash));
    }
    assert_false(parked_keep(p, USERS({3}, {4}), 5000));
    assert_false(parked_stays(p, USERS({3}, {4}), 5000));
    assert_true(parked_keep(p, USERS({3}), 5000));
    assert_false(parked_keep(p, USERS({4}), 5001));
    free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_stays_when_one_of_its_users_does_and_takes_the_others_with_it),
        cmocka_unit_test(a_second_reading_takes_what_may_go_up_to_what_may_not),
        cmocka_unit_test(the_end_of_a_reading_keeps_those_who_may_not_go),
        cmocka_unit_test(a_full_table_takes_nobody_in_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
