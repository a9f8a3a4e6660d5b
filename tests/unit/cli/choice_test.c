#include "choice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "../store_scene.h"

static struct dead *dead;
static struct choice choice;

static int setup_choice(void **state)
{
    struct err err;
    return setup(state) != 0 || dead_open(&dead, store, &err) != 0;
}

static int teardown_choice(void **state)
{
    choice_fini(&choice);
    dead_close(dead);
    return teardown(state);
}

struct put {
    struct store_job job;
    struct str text;
};

static int apply_put(struct store_job *job, MDB_txn *txn)
{
    uint64_t id;
    return dead_put(dead, txn, ((struct put *)job)->text, &id);
}

static void put(const char *text)
{
    struct put p = {{.apply = apply_put, .kind = STORE_NEEDS_ROOM}, str_from(text)};
    assert_int_equal(store_commit(store, &p.job), 0);
}

static void put_some(void)
{
    put("{\"destination\":\"b\",\"position\":9,\"source\":\"web\",\"event\":{}}"); /* 1 */
    put("{\"source\":\"web\",\"position\":0,\"event\":{}}");
    put("{\"destination\":\"a\",\"position\":9,\"source\":\"web\",\"event\":{}}"); /* 3 */
    put("{\"destination\":\"b\",\"position\":7,\"source\":\"web\",\"event\":\"{\"}");
    put("{\"destination\":\"b\",\"position\":9,\"source\":\"web\"}"); /* 5 */
    put("garbage");
    put("{\"destination\":\"b\",\"position\":9,\"source\":\"web\",\"event\":{}}"); /* 7 */
    put("{\"source\":\"web\",\"position\":0,\"event\":{}}");
    assert_int_equal(choice_read(&choice, dead), 0);
}

static void assert_ids(const uint64_t *ids, size_t count)
{
    assert_int_equal(choice.count, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(choice.letters[i].id, ids[i]);
}

static void letters_are_found_by_their_number(void **state)
{
    (void)state;
    put_some();
    for (uint64_t id = 1; id <= 8; id++)
        assert_int_equal(choice_find(&choice, id)->id, id);
    assert_null(choice_find(&choice, 0));
    assert_null(choice_find(&choice, 9));
    assert_true(str_eq(choice.owners[choice_find(&choice, 3)->owner], STR("a")));
    assert_int_equal(choice_find(&choice, 6)->owner, CHOICE_ON_ARRIVAL);
    assert_true(choice_find(&choice, 1)->has_event);
    assert_false(choice_find(&choice, 4)->has_event);
    assert_false(choice_find(&choice, 5)->has_event);
    assert_false(choice_find(&choice, 6)->has_event);
}

static void all_letters_of_a_chosen_event_are_chosen_and_stand_together(void **state)
{
    (void)state;
    static const uint64_t expected[] = {1, 5, 7};
    put_some();
    choice_find(&choice, 5)->is_chosen = true;
    choice_group(&choice);
    choice_compact(&choice);
    assert_ids(expected, countof(expected));
    assert_int_equal(choice_event_end(&choice, 0), 3);
}

static void events_go_in_the_order_in_which_they_came(void **state)
{
    (void)state;
    static const uint64_t expected[] = {2, 6, 8, 4, 1, 5, 7, 3};
    put_some();
    for (size_t i = 0; i < choice.count; i++)
        choice.letters[i].is_chosen = true;
    choice_group(&choice);
    choice_compact(&choice);
    assert_ids(expected, countof(expected));
    assert_int_equal(choice_event_end(&choice, 3), 4);
    assert_int_equal(choice_event_end(&choice, 4), 7);
}

static void what_was_refused_on_arrival_is_each_its_own(void **state)
{
    (void)state;
    static const uint64_t expected[] = {8};
    put_some();
    choice_find(&choice, 8)->is_chosen = true;
    choice_group(&choice);
    choice_compact(&choice);
    assert_ids(expected, countof(expected));
}

/* a: 1 letter. b: events of 1, 1, 5 and 2 letters. */
static void put_events(void)
{
    static const unsigned positions[] = {1, 2, 3, 3, 3, 3, 3, 4, 4};
    char text[100];
    put("{\"destination\":\"a\",\"position\":1,\"source\":\"web\",\"event\":{}}");
    for (size_t i = 0; i < countof(positions); i++) {
        snprintf(text, sizeof(text),
                 "{\"destination\":\"b\",\"position\":%u,\"source\":\"web\",\"event\":{}}",
                 positions[i]);
        put(text);
    }
    assert_int_equal(choice_read(&choice, dead), 0);
    choice_group(&choice);
}

static void portions_are_whole_events_of_one_destination(void **state)
{
    (void)state;
    static const struct {
        size_t letters;
        size_t letters_max;
        size_t ends[6];
        bool are_rests[6];
    } rows[] = {
        {100, 100, {1, 10}, {false}},
        {2, 100, {1, 3, 8, 10}, {false}},
        {7, 100, {1, 8, 10}, {false}},
        {1, 100, {1, 2, 3, 8, 10}, {false}},
        {2, 3, {1, 3, 6, 8, 10}, {false, false, false, true, false}},
        {3, 4, {1, 3, 7, 8, 10}, {false, false, false, true, false}},
    };
    put_events();
    for (size_t i = 0; i < countof(rows); i++) {
        size_t from = 0;
        for (size_t p = 0; from < choice.count; p++) {
            bool is_rest;
            from =
                choice_portion_end(&choice, from, rows[i].letters, rows[i].letters_max, &is_rest);
            assert_int_equal(from, rows[i].ends[p]);
            assert_int_equal(is_rest, rows[i].are_rests[p]);
        }
    }
}

static void an_empty_box_is_an_empty_choice(void **state)
{
    (void)state;
    assert_int_equal(choice_read(&choice, dead), 0);
    choice_group(&choice);
    choice_compact(&choice);
    assert_int_equal(choice.count, 0);
    assert_null(choice_find(&choice, 1));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_choice, teardown_choice)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(letters_are_found_by_their_number),
        TEST(all_letters_of_a_chosen_event_are_chosen_and_stand_together),
        TEST(events_go_in_the_order_in_which_they_came),
        TEST(what_was_refused_on_arrival_is_each_its_own),
        TEST(portions_are_whole_events_of_one_destination),
        TEST(an_empty_box_is_an_empty_choice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
