#include "cursor.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "../store_scene.h"

static struct cursor *must_open(const char *name, uint64_t start)
{
    struct cursor *c;
    struct err err = {0};
    if (cursor_open(&c, store, str_from(name), start, &err) != 0)
        fail_msg("%s", err.msg);
    return c;
}

struct save {
    struct store_job job;
    struct cursor_snapshot *snapshot;
};

static int apply_save(struct store_job *job, MDB_txn *txn)
{
    return cursor_snapshot_apply(((struct save *)job)->snapshot, txn);
}

/* False when there was nothing to save. */
static bool save(struct cursor *c)
{
    int rc;
    struct save save = {{.apply = apply_save, .kind = STORE_FREES_ROOM}, cursor_snapshot(c, &rc)};
    assert_int_equal(rc, 0);
    if (save.snapshot == NULL)
        return false;
    assert_int_equal(store_commit(store, &save.job), 0);
    cursor_snapshot_free(save.snapshot);
    return true;
}

static void the_floor_rises_over_what_is_settled_without_a_gap(void **state)
{
    (void)state;
    struct cursor *c = must_open("braze", 1000);
    assert_int_equal(cursor_floor(c), 1000);
    cursor_settle(c, 1002);
    assert_int_equal(cursor_floor(c), 1000);
    assert_true(cursor_is_settled(c, 999));
    assert_false(cursor_is_settled(c, 1000));
    assert_true(cursor_is_settled(c, 1002));
    cursor_settle(c, 1000);
    assert_int_equal(cursor_floor(c), 1001);
    cursor_settle(c, 1001);
    assert_int_equal(cursor_floor(c), 1003);
    cursor_settle(c, 5);
    assert_int_equal(cursor_floor(c), 1003);
    cursor_close(c);
}

static void the_next_open_position_is_found_over_what_is_settled(void **state)
{
    (void)state;
    struct cursor *c = must_open("next-open", 100);
    assert_int_equal(cursor_next_open(c, 0), 100);
    assert_int_equal(cursor_next_open(c, 150), 150);
    for (uint64_t i = 101; i < 9000; i++)
        cursor_settle(c, i);
    assert_int_equal(cursor_next_open(c, 100), 100);
    assert_int_equal(cursor_next_open(c, 101), 9000);
    assert_int_equal(cursor_next_open(c, 8999), 9000);
    const uint64_t end = 100 + CURSOR_WINDOW_POSITIONS;
    for (uint64_t i = 9000; i < end; i++)
        cursor_settle(c, i);
    assert_true(cursor_next_open(c, 101) >= end); /* beyond the window nothing is settled */
    cursor_close(c);
}

static void one_stuck_event_holds_the_floor_and_nothing_else_up_to_the_window(void **state)
{
    (void)state;
    struct cursor *c = must_open("braze", 7);
    const uint64_t end = 7 + CURSOR_WINDOW_POSITIONS;
    for (uint64_t i = 8; i < end; i++)
        cursor_settle(c, i);
    assert_int_equal(cursor_floor(c), 7);
    assert_true(cursor_has_room(c, end - 1));
    assert_false(cursor_has_room(c, end));
    assert_false(cursor_has_room(c, UINT64_MAX));
    assert_false(cursor_is_settled(c, end));
    save(c);
    cursor_close(c);
    close_store();

    open_store();
    c = must_open("braze", 0);
    assert_int_equal(cursor_floor(c), 7);
    for (uint64_t i = 8; i < end; i++)
        if (!cursor_is_settled(c, i))
            fail_msg("%llu was settled", (unsigned long long)i);
    cursor_settle(c, 7);
    assert_int_equal(cursor_floor(c), end);
    save(c);
    assert_int_equal(records_of("cursor_bits"), 1); /* the one that the floor stands in */
    cursor_close(c);
}

static void a_snapshot_holds_what_changed_and_only_that(void **state)
{
    (void)state;
    struct cursor *c = must_open("braze", 0);
    assert_false(save(c));
    for (uint64_t i = 0; i < 10000; i++)
        cursor_settle(c, i);
    assert_true(save(c));
    assert_int_equal(records_of("cursor_bits"), 0); /* the floor says it all */
    assert_false(save(c));
    cursor_settle(c, 20000);
    cursor_settle(c, 20000);
    assert_true(save(c));
    assert_int_equal(records_of("cursor_bits"), 1);
    assert_false(save(c));
    cursor_settle(c, 9000);
    cursor_settle(c, 20000);
    assert_false(save(c));
    for (uint64_t i = 10000; i < 30000; i++)
        cursor_settle(c, i);
    assert_true(save(c));
    assert_int_equal(records_of("cursor_bits"), 0);
    cursor_close(c);
}

static void a_snapshot_whose_commit_failed_comes_again(void **state)
{
    (void)state;
    int rc;
    struct cursor *c = must_open("braze", 0);
    cursor_settle(c, 0);
    cursor_settle(c, 5000);
    struct cursor_snapshot *lost = cursor_snapshot(c, &rc);
    assert_non_null(lost);
    assert_false(save(c));
    cursor_snapshot_lost(c, lost);
    cursor_snapshot_free(lost);
    assert_true(save(c));
    cursor_close(c);
    c = must_open("braze", 0);
    assert_int_equal(cursor_floor(c), 1);
    assert_true(cursor_is_settled(c, 5000));
    cursor_close(c);
}

static uint64_t min_floor(void)
{
    MDB_txn *txn;
    uint64_t floor;
    assert_int_equal(store_read_begin(store, &txn), 0);
    assert_int_equal(cursor_min_floor(store, txn, &floor), 0);
    store_read_end(txn);
    return floor;
}

static void the_slowest_destination_holds_records_until_it_is_forgotten(void **state)
{
    (void)state;
    assert_true(min_floor() == UINT64_MAX);
    struct cursor *fast = must_open("fast", 0);
    struct cursor *slow = must_open("slow", 0);
    struct cursor *slower = must_open("slow\x01", 3); /* a neighbour in the table */
    cursor_settle(fast, 0);
    cursor_settle(fast, 9);
    cursor_settle(slower, 9);
    save(fast);
    save(slower);
    assert_int_equal(min_floor(), 0);
    cursor_close(slow);
    assert_int_equal(cursor_forget(store, STR("slow")), 0);
    assert_int_equal(min_floor(), 1);
    assert_int_equal(records_of("cursor_bits"), 2);
    cursor_close(fast);
    assert_int_equal(cursor_forget(store, STR("fast")), 0);
    assert_int_equal(cursor_forget(store, STR("never was")), 0);
    assert_int_equal(min_floor(), 3);
    cursor_close(slower);
    close_store();
    open_store(); /* what holds records back does so before anybody opens it */
    assert_int_equal(min_floor(), 3);
}

static void names_that_cannot_be_stored_are_refused(void **state)
{
    (void)state;
    static const char long_name[CURSOR_NAME_BYTES_MAX + 1] = "x";
    const struct str rows[] = {STR(""), {"a\0b", 3}, {long_name, sizeof(long_name)}};
    for (size_t i = 0; i < countof(rows); i++) {
        struct cursor *c;
        struct err err = {0};
        assert_int_equal(cursor_open(&c, store, rows[i], 0, &err), -EINVAL);
        assert_true(err.msg[0] != '\0');
        assert_null(c);
        assert_int_equal(cursor_forget(store, rows[i]), -EINVAL);
    }
}

/* What a cursor must answer: a byte a position. */
enum { MODEL_POSITIONS = 40000, MODEL_STEPS = 3000 };

struct model {
    bool settled[MODEL_POSITIONS];
    uint64_t floor;
};

static void model_settle(struct model *m, uint64_t position)
{
    m->settled[position] = true;
    while (m->floor < MODEL_POSITIONS && m->settled[m->floor])
        m->floor++;
}

static void assert_is_model(const struct cursor *c, const struct model *m, uint64_t step)
{
    if (cursor_floor(c) != m->floor)
        fail_msg("step %llu: floor %llu, expected %llu", (unsigned long long)step,
                 (unsigned long long)cursor_floor(c), (unsigned long long)m->floor);
    for (uint64_t i = 0; i < MODEL_POSITIONS; i++)
        if (cursor_is_settled(c, i) != m->settled[i])
            fail_msg("step %llu: position %llu is wrong", (unsigned long long)step,
                     (unsigned long long)i);
}

static void after_a_crash_the_last_saved_state_is_back(void **state)
{
    (void)state;
    static struct model now;
    static struct model saved;
    uint64_t seed = 88172645463325252;
    for (int round = 0; round < 4; round++) {
        char name[16];
        snprintf(name, sizeof(name), "round %d", round);
        now = saved = (struct model){0};
        struct cursor *c = must_open(name, 0);
        for (uint64_t step = 0; step < MODEL_STEPS; step++) {
            const uint64_t dice = next_random(&seed) % 100;
            const uint64_t ahead = next_random(&seed) % (round % 2 == 0 ? 200 : 12000);
            uint64_t position = now.floor + ahead;
            if (dice < 60)
                for (uint64_t n = next_random(&seed) % 64; n > 0 && position < MODEL_POSITIONS; n--)
                    cursor_settle(c, position), model_settle(&now, position++);
            else if (dice < 80 && now.floor < MODEL_POSITIONS)
                cursor_settle(c, now.floor), model_settle(&now, now.floor);
            else if (dice < 97) {
                save(c);
                saved = now;
            } else { /* a crash */
                cursor_close(c);
                c = must_open(name, 0);
                now = saved;
                assert_is_model(c, &now, step);
            }
        }
        assert_is_model(c, &now, MODEL_STEPS);
        cursor_close(c);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

struct seen {
    struct cursor_place places[4];
    char names[4][16];
    size_t count;
    size_t count_max;
};

static bool see(void *self, const struct cursor_place *place)
{
    struct seen *seen = self;
    memcpy(seen->names[seen->count], place->destination.ptr, place->destination.len);
    seen->places[seen->count++] = *place;
    return seen->count < seen->count_max;
}

static void every_place_is_seen_with_what_is_settled_in_it(void **state)
{
    (void)state;
    struct seen none = {.count_max = 4};
    assert_int_equal(cursor_each(store, see, &none), 0);
    size_t before = none.count;
    struct cursor *a = must_open("place-a", 70);
    struct cursor *b = must_open("place-b", 5000);
    cursor_settle(a, 70); /* the floor rises to 71, and its word has bits below it */
    static const uint64_t above[] = {72, 127, 128, 4095, 4096, 9000};
    for (size_t i = 0; i < countof(above); i++)
        cursor_settle(a, above[i]);
    assert_true(save(a));
    cursor_close(a);
    cursor_close(b);

    struct seen seen = {.count_max = 4};
    assert_int_equal(cursor_each(store, see, &seen), 0);
    assert_int_equal(seen.count, before + 2);
    const struct cursor_place *place = &seen.places[before];
    assert_string_equal(seen.names[before], "place-a");
    assert_int_equal(place[0].floor, 71);
    assert_int_equal(place[0].settled_above, countof(above));
    assert_string_equal(seen.names[before + 1], "place-b");
    assert_int_equal(place[1].floor, 5000);
    assert_int_equal(place[1].settled_above, 0);

    struct seen first = {.count_max = 1};
    assert_int_equal(cursor_each(store, see, &first), 0);
    assert_int_equal(first.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_floor_rises_over_what_is_settled_without_a_gap),
        TEST(the_next_open_position_is_found_over_what_is_settled),
        TEST(one_stuck_event_holds_the_floor_and_nothing_else_up_to_the_window),
        TEST(a_snapshot_holds_what_changed_and_only_that),
        TEST(a_snapshot_whose_commit_failed_comes_again),
        TEST(the_slowest_destination_holds_records_until_it_is_forgotten),
        TEST(every_place_is_seen_with_what_is_settled_in_it),
        TEST(names_that_cannot_be_stored_are_refused),
        TEST(after_a_crash_the_last_saved_state_is_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
