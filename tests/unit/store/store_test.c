#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "../scratch.h"

enum { MAP_BYTES = 16 << 20, JOBS = 64 };

static struct scratch scratch;
static struct store *store;
static MDB_dbi table;

static int try_open(bool read_only, struct err *err)
{
    *err = (struct err){0};
    const struct store_options options = {scratch.path, MAP_BYTES, read_only};
    return store_open(&store, &options, err);
}

static void open_store(void)
{
    struct err err;
    if (try_open(false, &err) != 0)
        fail_msg("%s", err.msg);
    assert_int_equal(store_table(store, "table", MDB_INTEGERKEY, &table), 0);
}

static void close_store(void)
{
    store_close(store);
    store = NULL;
}

static int setup(void **state)
{
    (void)state;
    scratch_init(&scratch);
    if (scratch.path[0] == '\0')
        return 1;
    open_store();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    close_store();
    scratch_fini(&scratch);
    return 0;
}

/* Puts one record, or fails with `failure` after having put it. */
struct put {
    struct store_job job;
    uint64_t key;
    size_t bytes;
    int failure;
    int outcome;      /* 1: not known yet */
    unsigned done_at; /* how many were done before */
};

static unsigned done_count; /* the committer's; read when everything is done */

static int apply_put(struct store_job *job, MDB_txn *txn)
{
    struct put *put = (struct put *)job;
    MDB_val key = {sizeof(put->key), &put->key};
    MDB_val value = {put->bytes, NULL};
    int rc = mdb_put(txn, table, &key, &value, MDB_RESERVE);
    if (rc == 0)
        memset(value.mv_data, 'x', put->bytes);
    return rc != 0 ? rc : put->failure;
}

static void note_done(struct store_job *job, int rc)
{
    struct put *put = (struct put *)job;
    put->outcome = rc;
    put->done_at = done_count++;
}

static bool has(uint64_t number)
{
    MDB_txn *txn;
    MDB_val key = {sizeof(number), &number};
    MDB_val value;
    assert_int_equal(store_read_begin(store, &txn), 0);
    int rc = mdb_get(txn, table, &key, &value);
    store_read_end(txn);
    assert_true(rc == 0 || rc == MDB_NOTFOUND);
    return rc == 0;
}

/* Holds the committer in its apply() until told, so that the jobs behind it become one group. */
struct gate {
    struct store_job job;
    sem_t entered;
    sem_t leave;
};

static int apply_gate(struct store_job *job, MDB_txn *txn)
{
    struct gate *gate = (struct gate *)job;
    (void)txn;
    sem_post(&gate->entered);
    sem_wait(&gate->leave);
    return 0;
}

static void done_nothing(struct store_job *job, int rc)
{
    (void)job;
    (void)rc;
}

/* Commits the jobs as one group and waits for their outcomes. */
static void commit_group(struct put *puts, size_t count)
{
    struct gate gate = {.job = {.apply = apply_gate, .done = done_nothing}};
    struct put last = {{.apply = apply_put, .kind = STORE_FREES_ROOM}, 1 << 20, 1, 0, 1, 0};
    sem_init(&gate.entered, 0, 0);
    sem_init(&gate.leave, 0, 0);
    done_count = 0;
    assert_int_equal(store_submit(store, &gate.job), 0);
    sem_wait(&gate.entered);
    for (size_t i = 0; i < count; i++) {
        puts[i].job.apply = apply_put;
        puts[i].job.done = note_done;
        puts[i].outcome = 1;
        assert_int_equal(store_submit(store, &puts[i].job), 0);
    }
    sem_post(&gate.leave);
    assert_int_equal(store_commit(store, &last.job), 0);
    sem_destroy(&gate.entered);
    sem_destroy(&gate.leave);
}

static void what_waits_is_committed_together_and_told_in_order(void **state)
{
    (void)state;
    static struct put puts[JOBS];
    const uint64_t commits = counter_get(&store_metrics(store)->commits);
    for (uint64_t i = 0; i < JOBS; i++)
        puts[i] = (struct put){.key = i, .bytes = 100};
    commit_group(puts, JOBS);
    /* The gate, the group, and the job that waited for it, which may have joined the group. */
    assert_in_range(counter_get(&store_metrics(store)->commits) - commits, 2, 3);
    for (unsigned i = 0; i < JOBS; i++) {
        assert_int_equal(puts[i].outcome, 0);
        assert_int_equal(puts[i].done_at, i);
        assert_true(has(i));
    }
}

static void a_job_that_fails_fails_alone_and_leaves_no_trace(void **state)
{
    (void)state;
    static const struct {
        unsigned first;
        unsigned every; /* this one of so many fails */
    } rows[] = {{0, JOBS}, {JOBS - 1, JOBS}, {5, 7}, {0, 2}, {0, 1}};
    static struct put puts[JOBS];
    for (size_t r = 0; r < countof(rows); r++) {
        for (unsigned i = 0; i < JOBS; i++)
            puts[i] = (struct put){
                .key = r * JOBS + i,
                .bytes = 100,
                .failure = i % rows[r].every == rows[r].first ? -EDOM : 0,
            };
        commit_group(puts, JOBS);
        for (unsigned i = 0; i < JOBS; i++) {
            assert_int_equal(puts[i].outcome, puts[i].failure);
            assert_int_equal(puts[i].done_at, i);
            assert_int_equal(has(puts[i].key), puts[i].failure == 0);
        }
    }
}

static void a_job_too_large_for_the_map_does_not_fail_its_neighbours(void **state)
{
    (void)state;
    static struct put puts[JOBS];
    for (unsigned i = 0; i < JOBS; i++)
        puts[i] = (struct put){.key = i, .bytes = i == 20 || i == 21 ? 2 * MAP_BYTES : 100};
    commit_group(puts, JOBS);
    for (unsigned i = 0; i < JOBS; i++) {
        assert_int_equal(puts[i].outcome, i == 20 || i == 21 ? -ENOSPC : 0);
        assert_int_equal(puts[i].done_at, i);
    }
}

static void closing_commits_what_is_queued(void **state)
{
    (void)state;
    static struct put puts[JOBS];
    done_count = 0;
    for (uint64_t i = 0; i < JOBS; i++) {
        puts[i] = (struct put){{.apply = apply_put, .done = note_done}, i, 100, 0, 1, 0};
        assert_int_equal(store_submit(store, &puts[i].job), 0);
    }
    close_store();
    for (uint64_t i = 0; i < JOBS; i++)
        assert_int_equal(puts[i].outcome, 0);
    open_store();
    for (uint64_t i = 0; i < JOBS; i++)
        assert_true(has(i));
}

static void a_second_writer_is_refused_and_told_which_file_says_so(void **state)
{
    (void)state;
    struct store *first = store;
    struct err err;
    assert_int_equal(try_open(false, &err), -EBUSY);
    assert_non_null(strstr(err.msg, "writer.lock"));
    assert_null(store);
    store = first;
}

static void a_table_is_opened_once_and_known_after_a_restart(void **state)
{
    (void)state;
    MDB_dbi again;
    char long_name[STORE_TABLE_NAME_BYTES_MAX + 2];
    memset(long_name, 'x', sizeof(long_name));
    long_name[sizeof(long_name) - 1] = '\0';
    assert_int_equal(store_table(store, "table", MDB_INTEGERKEY, &again), 0);
    assert_int_equal(again, table);
    assert_int_equal(store_table_find(store, "other", &again), -ENOENT);
    assert_int_equal(store_table(store, long_name, 0, &again), -EINVAL);
    close_store();
    struct err err;
    assert_int_equal(try_open(false, &err), 0);
    assert_int_equal(store_table_find(store, "table", &again), 0);
}

/* In a process of its own, as LMDB wants it: opens the store read-only when
 * told, looks for record 1, and answers. */
static int look_from_outside(int wait_fd)
{
    char byte;
    struct err err;
    if (read(wait_fd, &byte, 1) != 1 || try_open(true, &err) != 0)
        return 2;
    MDB_txn *txn;
    uint64_t one = 1;
    MDB_val key = {sizeof(one), &one};
    MDB_val value;
    struct put put = {.job = {.apply = apply_put, .done = note_done}};
    if (store_table(store, "table", MDB_INTEGERKEY, &table) != 0 ||
        store_read_begin(store, &txn) != 0)
        return 3;
    int rc = mdb_get(txn, table, &key, &value);
    store_read_end(txn);
    if (rc != 0 || store_submit(store, &put.job) != -EROFS ||
        store_table(store, "missing", 0, &table) != -ENOENT)
        return 4;
    close_store();
    return 0;
}

static void another_process_reads_beside_the_writer(void **state)
{
    (void)state;
    int fds[2];
    int status;
    close_store();
    assert_int_equal(pipe(fds), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(look_from_outside(fds[0]));
    open_store();
    struct put put = {{.apply = apply_put}, 1, 100, 0, 1, 0};
    assert_int_equal(store_commit(store, &put.job), 0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    close(fds[0]);
    close(fds[1]);
}

static void reading_where_nothing_is_says_so(void **state)
{
    (void)state;
    struct err err;
    char missing[300];
    snprintf(missing, sizeof(missing), "%s/missing", scratch.path);
    const struct store_options nowhere = {missing, 0, true};
    const struct store_options small = {missing, STORE_BYTES_MIN - 1, false};
    struct store *none;
    assert_int_equal(store_open(&none, &nowhere, &err), -ENOENT);
    assert_non_null(strstr(err.msg, missing));
    assert_int_equal(store_open(&none, &small, &err), -EINVAL);
    assert_null(none);
}

static void overwrite(off_t at, const void *bytes, size_t count)
{
    char path[300];
    snprintf(path, sizeof(path), "%s/data.mdb", scratch.path);
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, count, at), (ssize_t)count);
    close(fd);
}

static void damaged_data_is_refused_with_a_sentence(void **state)
{
    (void)state;
    enum { CUT, ZERO, TEXT };
    static const struct {
        int how;
        off_t at; /* or the new size */
        size_t bytes;
        const char *expected;
    } rows[] = {
        {CUT, 100, 0, "start"},        {CUT, 4096, 0, "second page"},
        {CUT, 8192, 0, "ends at"},     {CUT, 5 * 4096, 0, "ends at"},
        {ZERO, 0, 4096, "start"},      {ZERO, 4096, 4096, "second page"},
        {ZERO, 8192, 1 << 18, "root"}, {TEXT, 0, 60, "start"},
        {ZERO, 40, 4, "start"}, /* the page size */
    };
    static char junk[1 << 18];
    struct put put = {{.apply = apply_put}, 0, 100, 0, 1, 0};
    for (put.key = 0; put.key < 20; put.key++)
        assert_int_equal(store_commit(store, &put.job), 0);
    for (size_t i = 0; i < countof(rows); i++) {
        char path[300];
        struct err err;
        snprintf(path, sizeof(path), "%s/data.mdb", scratch.path);
        close_store();
        memset(junk, rows[i].how == TEXT ? 'A' : 0, sizeof(junk));
        if (rows[i].how == CUT)
            assert_int_equal(truncate(path, rows[i].at), 0);
        else
            overwrite(rows[i].at, junk, rows[i].bytes);
        for (int read_only = 0; read_only < 2; read_only++) {
            if (read_only == 1 && strcmp(rows[i].expected, "root") == 0)
                continue;
            assert_int_equal(try_open(read_only == 1, &err), -EBADMSG);
            if (strstr(err.msg, rows[i].expected) == NULL || strstr(err.msg, path) == NULL)
                fail_msg("row %zu: %s", i, err.msg);
        }
        assert_int_equal(unlink(path), 0);
        open_store();
        put.key = i;
        assert_int_equal(store_commit(store, &put.job), 0);
    }
}

static void write_format(uint64_t format)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    char name[] = "format";
    MDB_val key = {sizeof(name) - 1, name};
    MDB_val value = {sizeof(format), &format};
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 8), 0);
    assert_int_equal(mdb_env_open(env, scratch.path, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, "store", 0, &dbi), 0);
    assert_int_equal(mdb_put(txn, dbi, &key, &value, 0), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static void data_of_a_newer_version_is_refused_and_left_alone(void **state)
{
    (void)state;
    struct err err;
    close_store();
    write_format(2);
    assert_int_equal(try_open(false, &err), -EBADMSG);
    assert_non_null(strstr(err.msg, "newer"));
    write_format(1);
    open_store();
}

/* A reader that died without a goodbye would keep every page freed since from being reused. */
static void a_reader_that_was_killed_holds_nothing_back(void **state)
{
    (void)state;
    int fds[2];
    int back[2];
    char byte;
    close_store();
    assert_int_equal(pipe(fds) | pipe(back), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct err err;
        MDB_txn *txn;
        if (read(fds[0], &byte, 1) == 1 && try_open(true, &err) == 0 &&
            store_read_begin(store, &txn) == 0 && write(back[1], "x", 1) == 1)
            pause();
        _exit(1);
    }
    open_store();
    assert_int_equal(write(fds[1], "x", 1), 1);
    assert_int_equal(read(back[0], &byte, 1), 1);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    /* Far more than the map holds, over and over the same keys. */
    struct put put = {{.apply = apply_put}, 0, 100000, 0, 1, 0};
    for (uint64_t i = 0; i < 4 * MAP_BYTES / put.bytes; i++) {
        put.key = i % 8;
        assert_int_equal(store_commit(store, &put.job), 0);
    }
    close(fds[0]), close(fds[1]), close(back[0]), close(back[1]);
}

static void usage_grows_with_what_is_stored(void **state)
{
    (void)state;
    uint64_t before;
    uint64_t after;
    uint64_t max;
    struct put put = {{.apply = apply_put}, 1, 1 << 20, 0, 1, 0};
    const uint64_t version = store_version(store);
    store_usage(store, &before, &max);
    assert_int_equal(max, MAP_BYTES);
    assert_int_equal(store_commit(store, &put.job), 0);
    store_usage(store, &after, &max);
    assert_in_range(after - before, 1 << 20, (1 << 20) + 32768);
    assert_true(store_version(store) > version);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_waits_is_committed_together_and_told_in_order),
        TEST(a_job_that_fails_fails_alone_and_leaves_no_trace),
        TEST(a_job_too_large_for_the_map_does_not_fail_its_neighbours),
        TEST(closing_commits_what_is_queued),
        TEST(a_second_writer_is_refused_and_told_which_file_says_so),
        TEST(a_table_is_opened_once_and_known_after_a_restart),
        TEST(another_process_reads_beside_the_writer),
        TEST(reading_where_nothing_is_says_so),
        TEST(damaged_data_is_refused_with_a_sentence),
        TEST(data_of_a_newer_version_is_refused_and_left_alone),
        TEST(a_reader_that_was_killed_holds_nothing_back),
        TEST(usage_grows_with_what_is_stored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
