#include "dead.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "../store_scene.h"

static struct dead *dead;

static int setup_dead(void **state)
{
    struct err err;
    return setup(state) != 0 || dead_open(&dead, store, &err) != 0;
}

static int teardown_dead(void **state)
{
    dead_close(dead);
    return teardown(state);
}

/* Puts `count` letters "letter N" of at least `bytes`, then
 * removes the letter `remove` (0: none). */
struct work {
    struct store_job job;
    size_t count;
    size_t bytes;
    uint64_t remove;
    uint64_t first_id;
};

static int apply_work(struct store_job *job, MDB_txn *txn)
{
    struct work *w = (struct work *)job;
    int rc = 0;
    char *text = calloc(1, w->bytes + 32);
    for (size_t i = 0; rc == 0 && i < w->count; i++) {
        uint64_t id;
        int len = snprintf(text, 32, "letter %zu", i);
        size_t bytes = (size_t)len > w->bytes ? (size_t)len : w->bytes;
        rc = dead_put(dead, txn, (struct str){text, bytes}, &id);
        w->first_id = i == 0 ? id : w->first_id;
        if (id != w->first_id + i)
            rc = -EPROTO;
    }
    if (rc == 0 && w->remove != 0)
        rc = dead_remove(dead, txn, w->remove);
    free(text);
    return rc;
}

static int work(size_t count, size_t bytes, uint64_t remove, uint64_t *first_id)
{
    struct work w = {{.apply = apply_work, .kind = STORE_FREES_ROOM}, count, bytes, remove, 0};
    int rc = store_commit(store, &w.job);
    if (first_id != NULL)
        *first_id = w.first_id;
    return rc;
}

struct seen {
    uint64_t ids[1000];
    size_t count;
    size_t stop_at;
    size_t bytes;
};

static bool see(void *self, uint64_t id, struct str letter)
{
    struct seen *seen = self;
    if (!str_starts(letter, STR("letter ")))
        fail_msg("letter %llu has lost its text", (unsigned long long)id);
    seen->ids[seen->count++] = id;
    seen->bytes += letter.len;
    return seen->count != seen->stop_at;
}

static void assert_count(uint64_t expected)
{
    uint64_t count;
    assert_int_equal(dead_count(dead, &count), 0);
    assert_int_equal(count, expected);
}

static void walks_go_both_ways_from_anywhere(void **state)
{
    (void)state;
    static const struct {
        uint64_t from;
        bool newest_first;
        size_t stop_at;
        size_t count;
        uint64_t first;
        uint64_t last;
    } rows[] = {
        {0, false, 0, 199, 1, 200},
        {UINT64_MAX, true, 0, 199, 200, 1},
        {100, false, 0, 100, 101, 200},
        {100, true, 0, 99, 99, 1},
        {150, true, 5, 5, 150, 146},
        {150, false, 65, 51, 150, 200},
        {201, false, 0, 0, 0, 0},
        {0, true, 0, 1, 1, 1},
        {UINT64_MAX, true, 64, 64, 200, 137},
    };
    assert_int_equal(work(200, 0, 100, NULL), 0);
    for (size_t i = 0; i < countof(rows); i++) {
        struct seen seen = {.stop_at = rows[i].stop_at};
        assert_int_equal(dead_each(dead, rows[i].from, rows[i].newest_first, see, &seen), 0);
        assert_int_equal(seen.count, rows[i].count);
        if (seen.count == 0)
            continue;
        assert_int_equal(seen.ids[0], rows[i].first);
        assert_int_equal(seen.ids[seen.count - 1], rows[i].last);
    }
}

static void an_empty_box_is_no_error(void **state)
{
    (void)state;
    struct seen seen = {0};
    assert_count(0);
    assert_int_equal(dead_each(dead, 0, false, see, &seen), 0);
    assert_int_equal(dead_each(dead, UINT64_MAX, true, see, &seen), 0);
    assert_int_equal(work(1, 0, 1, NULL), 0);
    assert_int_equal(dead_each(dead, 0, false, see, &seen), 0);
    assert_int_equal(dead_each(dead, UINT64_MAX, true, see, &seen), 0);
    assert_int_equal(seen.count, 0);
    assert_count(0);
}

static void a_number_is_never_used_twice(void **state)
{
    (void)state;
    uint64_t id;
    struct err err;
    assert_int_equal(work(3, 0, 3, &id), 0);
    assert_int_equal(id, 1);
    assert_int_equal(work(0, 0, 3, NULL), -ENOENT);
    assert_int_equal(work(0, 0, 0, NULL), 0);
    dead_close(dead);
    close_store();
    open_store();
    assert_int_equal(dead_open(&dead, store, &err), 0);
    assert_int_equal(work(1, 0, 0, &id), 0);
    assert_int_equal(id, 4);
    assert_count(3);
}

static void large_letters_come_whole_and_in_order(void **state)
{
    (void)state;
    struct seen seen = {0};
    assert_int_equal(work(6, 700000, 0, NULL), 0);
    assert_int_equal(work(1, 3000000, 0, NULL), 0);
    assert_int_equal(dead_each(dead, 0, false, see, &seen), 0);
    assert_int_equal(seen.count, 7);
    assert_int_equal(seen.bytes, 6 * 700000 + 3000000);
    for (size_t i = 0; i < seen.count; i++)
        assert_int_equal(seen.ids[i], i + 1);
}

static void one_letter_is_found_by_its_number(void **state)
{
    (void)state;
    struct buf text;
    buf_init(&text, 1000);
    assert_int_equal(work(3, 0, 2, NULL), 0);
    assert_int_equal(dead_get(dead, 3, &text), 0);
    assert_true(str_eq(buf_str(&text), STR("letter 2")));
    static const uint64_t absent[] = {0, 2, 4, UINT64_MAX};
    for (size_t i = 0; i < countof(absent); i++)
        assert_int_equal(dead_get(dead, absent[i], &text), -ENOENT);
    assert_int_equal(text.len, 8);
    assert_int_equal(work(1, 2000, 0, NULL), 0);
    assert_int_equal(dead_get(dead, 4, &text), -ENOMEM);
    buf_fini(&text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_dead, teardown_dead)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(walks_go_both_ways_from_anywhere),      TEST(an_empty_box_is_no_error),
        TEST(a_number_is_never_used_twice),          TEST(one_letter_is_found_by_its_number),
        TEST(large_letters_come_whole_and_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
