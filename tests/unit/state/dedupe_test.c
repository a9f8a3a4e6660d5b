#include "dedupe.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "../store_scene.h"

enum { NOW_MS = 1700000000 };
static const int64_t START_MS = (int64_t)NOW_MS * 1000;

static struct dedupe *must_open(uint32_t messages_max, int64_t now_ms)
{
    struct dedupe *d;
    struct err err = {0};
    if (dedupe_open(&d, store, messages_max, now_ms, &err) != 0)
        fail_msg("%s", err.msg);
    return d;
}

static struct hash128 print_of(uint64_t number)
{
    return dedupe_fingerprint(STR("web"), (struct str){(const char *)&number, sizeof(number)});
}

struct write {
    struct store_job job;
    struct dedupe *dedupe;
    const struct hash128 *fingerprints;
    size_t count;
    int64_t now_ms;
};

static int apply_write(struct store_job *job, MDB_txn *txn)
{
    struct write *w = (struct write *)job;
    return dedupe_apply(w->dedupe, txn, w->fingerprints, w->count, w->now_ms);
}

static void write_prints(struct dedupe *d, const struct hash128 *prints, size_t count,
                         int64_t now_ms)
{
    struct write w = {{.apply = apply_write, .kind = STORE_NEEDS_ROOM}, d, prints, count, now_ms};
    assert_int_equal(store_commit(store, &w.job), 0);
}

static void a_message_is_new_once_a_source(void **state)
{
    (void)state;
    struct dedupe *d = must_open(100, START_MS);
    const struct hash128 web = dedupe_fingerprint(STR("web"), STR("m-1"));
    assert_true(dedupe_admit(d, web, START_MS));
    assert_false(dedupe_admit(d, web, START_MS + 1));
    assert_true(dedupe_admit(d, dedupe_fingerprint(STR("app"), STR("m-1")), START_MS));
    assert_true(dedupe_admit(d, dedupe_fingerprint(STR("we"), STR("bm-1")), START_MS));
    dedupe_retract(d, web);
    dedupe_retract(d, web);
    assert_true(dedupe_admit(d, web, START_MS + 2));
    dedupe_close(d);
}

static void the_window_ends_after_a_day_and_not_before(void **state)
{
    (void)state;
    struct dedupe *d = must_open(100, START_MS);
    assert_true(dedupe_admit(d, print_of(1), START_MS));
    assert_false(dedupe_admit(d, print_of(1), START_MS + DEDUPE_WINDOW_MS));
    assert_false(dedupe_admit(d, print_of(1), START_MS - 5000)); /* the clock was set back */
    assert_true(dedupe_admit(d, print_of(1), START_MS + DEDUPE_WINDOW_MS + 1000));
    dedupe_close(d);
}

static void the_stored_window_ages_and_stays_within_its_bound(void **state)
{
    (void)state;
    enum { MESSAGES_MAX = 50, EACH = 10 };
    struct hash128 prints[EACH];
    struct dedupe *d = must_open(MESSAGES_MAX, START_MS);
    for (uint64_t i = 0; i < 100; i++) {
        for (uint64_t k = 0; k < EACH; k++)
            prints[k] = print_of(i * EACH + k);
        write_prints(d, prints, EACH, START_MS);
    }
    assert_int_equal(records_of("dedupe"), MESSAGES_MAX / EACH + 1);
    write_prints(d, prints, 1, START_MS + DEDUPE_WINDOW_MS + 2000);
    assert_int_equal(records_of("dedupe"), 2);
    write_prints(d, NULL, 0, START_MS + 2 * (int64_t)DEDUPE_WINDOW_MS + 4000);
    assert_int_equal(records_of("dedupe"), 1);
    dedupe_close(d);
}

static void opening_loads_the_newest_messages(void **state)
{
    (void)state;
    static const struct {
        uint32_t messages_max;
        int64_t later_ms;
        uint64_t known_from; /* of 0..299, three hours apart by hundreds */
    } rows[] = {
        {1000, 0, 0},
        {300, 0, 0},
        {250, 0, 50},
        {7, 0, 293},
        {1, 0, 299},
        {1000, DEDUPE_WINDOW_MS - 3600 * 1000, 0},
        {1000, DEDUPE_WINDOW_MS + 3600 * 1000, 100},
        {1000, DEDUPE_WINDOW_MS + 4 * 3600 * 1000, 200},
        {1000, 2 * (int64_t)DEDUPE_WINDOW_MS, 300},
    };
    struct dedupe *d = must_open(1000, START_MS);
    for (uint64_t i = 0; i < 300; i += 2) {
        const struct hash128 prints[] = {print_of(i), print_of(i + 1)};
        write_prints(d, prints, 2, START_MS + (int64_t)(i / 100) * 3 * 3600 * 1000);
    }
    dedupe_close(d);
    for (size_t r = 0; r < countof(rows); r++) {
        close_store();
        open_store();
        const int64_t now_ms = START_MS + rows[r].later_ms;
        d = must_open(rows[r].messages_max, now_ms);
        for (uint64_t i = 300; i-- > rows[r].known_from;)
            assert_false(dedupe_admit(d, print_of(i), now_ms));
        for (uint64_t i = 0; i < rows[r].known_from; i++)
            assert_true(dedupe_admit(d, print_of(i), now_ms));
        dedupe_close(d);
    }
}

/* The window as a plain list, searched from end to end. */
enum { MODEL_MAX = 300 };

struct model {
    struct {
        uint64_t number;
        int64_t at_ms;
        bool is_retracted;
    } list[MODEL_MAX];
    size_t count;
};

static void model_shift(struct model *m)
{
    m->count--;
    memmove(&m->list[0], &m->list[1], m->count * sizeof(m->list[0]));
}

static bool model_admit(struct model *m, uint64_t number, int64_t now_ms)
{
    while (m->count > 0 && now_ms / 1000 - m->list[0].at_ms / 1000 > DEDUPE_WINDOW_MS / 1000)
        model_shift(m);
    for (size_t i = 0; i < m->count; i++)
        if (m->list[i].number == number && !m->list[i].is_retracted)
            return false;
    if (m->count == MODEL_MAX)
        model_shift(m);
    m->list[m->count].number = number;
    m->list[m->count].at_ms = now_ms;
    m->list[m->count++].is_retracted = false;
    return true;
}

static void model_retract(struct model *m, uint64_t number)
{
    for (size_t i = 0; i < m->count; i++)
        if (m->list[i].number == number)
            m->list[i].is_retracted = true;
}

static void the_table_answers_as_a_list_would(void **state)
{
    (void)state;
    static struct model model;
    uint64_t seed = 362436069362436069;
    int64_t now_ms = START_MS;
    struct dedupe *d = must_open(MODEL_MAX, now_ms);
    size_t new_ones = 0;
    for (int step = 0; step < 200000; step++) {
        const uint64_t number = next_random(&seed) % 600;
        now_ms += (int64_t)(next_random(&seed) % 600000);
        if (next_random(&seed) % 1000 == 0)
            now_ms += DEDUPE_WINDOW_MS / 2;
        if (next_random(&seed) % 8 == 0) {
            dedupe_retract(d, print_of(number));
            model_retract(&model, number);
            continue;
        }
        const bool expected = model_admit(&model, number, now_ms);
        new_ones += expected;
        if (dedupe_admit(d, print_of(number), now_ms) != expected)
            fail_msg("step %d: %d expected", step, expected);
    }
    assert_true(new_ones > 1000);
    dedupe_close(d);
}

static void a_damaged_record_is_refused(void **state)
{
    (void)state;
    struct dedupe *d = must_open(10, START_MS);
    struct err err = {0};
    write_prints(d, NULL, 0, START_MS);
    dedupe_close(d);
    MDB_dbi log;
    assert_int_equal(store_table_find(store, "dedupe", &log), 0);
    close_store();

    MDB_env *env;
    MDB_txn *txn;
    uint64_t one = 1;
    MDB_val key = {sizeof(one), &one};
    MDB_val value = {sizeof(one), &one};
    char odd[13] = "";
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 8), 0);
    assert_int_equal(mdb_env_open(env, scratch.path, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, "dedupe", 0, &log), 0);
    value = (MDB_val){sizeof(odd), odd};
    assert_int_equal(mdb_put(txn, log, &key, &value, 0), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);

    open_store();
    assert_int_equal(dedupe_open(&d, store, 10, START_MS, &err), -EBADMSG);
    assert_true(err.msg[0] != '\0');
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_message_is_new_once_a_source),
        TEST(the_window_ends_after_a_day_and_not_before),
        TEST(the_stored_window_ages_and_stays_within_its_bound),
        TEST(opening_loads_the_newest_messages),
        TEST(the_table_answers_as_a_list_would),
        TEST(a_damaged_record_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
