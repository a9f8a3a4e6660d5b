/*
 * journal: how near the journal comes to LMDB itself. Appends of 1 KB records, each
 * commit durable, through store_submit against bare LMDB doing the same, turn by turn in
 * the same run; then reading. One JSON line a case.
 */
#include "journal.h"

#include <lmdb.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "clock.h"

#include "../tests/unit/scratch.h"

enum {
    RECORD_BYTES = 1024,
    TURNS = 5,
    TURN_US = 300000,
    BATCH_MAX = 1000,
    IN_FLIGHT = 64, /* jobs, in the case where many clients wait at once */
    READ_RECORDS = 1000,
};

static const uint64_t MAP_BYTES = (uint64_t)16 << 30;

static char text[RECORD_BYTES];
static struct str records[BATCH_MAX];

struct bare {
    MDB_env *env;
    MDB_dbi dbi;
    uint64_t next;
};

struct ours {
    struct store *store;
    struct journal *journal;
};

static void must(int rc, const char *what)
{
    if (rc == 0)
        return;
    fprintf(stderr, "journal: %s: %s\n", what, mdb_strerror(rc < 0 && rc > -1000 ? -rc : rc));
    exit(2);
}

static void bare_open(struct bare *b, const char *dir)
{
    MDB_txn *txn;
    must(mkdir(dir, 0700), "mkdir");
    must(mdb_env_create(&b->env), "create");
    must(mdb_env_set_maxdbs(b->env, 4), "maxdbs");
    must(mdb_env_set_mapsize(b->env, MAP_BYTES), "mapsize");
    must(mdb_env_open(b->env, dir, MDB_NOTLS, 0600), "open");
    must(mdb_txn_begin(b->env, NULL, 0, &txn), "begin");
    must(mdb_dbi_open(txn, "journal", MDB_CREATE | MDB_INTEGERKEY, &b->dbi), "table");
    must(mdb_txn_commit(txn), "commit");
}

static void bare_append(struct bare *b, size_t count)
{
    MDB_txn *txn;
    must(mdb_txn_begin(b->env, NULL, 0, &txn), "begin");
    for (size_t i = 0; i < count; i++, b->next++) {
        MDB_val key = {sizeof(b->next), &b->next};
        MDB_val value = {RECORD_BYTES, text};
        must(mdb_put(txn, b->dbi, &key, &value, MDB_APPEND), "put");
    }
    must(mdb_txn_commit(txn), "commit");
}

struct append {
    struct store_job job;
    struct ours *ours;
    size_t count;
    uint64_t first;
    _Atomic bool *is_over; /* NULL: once; else submitted again until told */
    _Atomic uint64_t *appended;
};

static int apply_append(struct store_job *job, MDB_txn *txn)
{
    struct append *a = (struct append *)job;
    return journal_append(a->ours->journal, txn, records, a->count, &a->first);
}

static void done_append(struct store_job *job, int rc)
{
    struct append *a = (struct append *)job;
    must(rc, "append");
    journal_publish(a->ours->journal);
    if (a->is_over == NULL)
        return;
    *a->appended += a->count;
    if (!*a->is_over)
        must(store_submit(a->ours->store, &a->job), "submit");
}

static void ours_append(struct ours *o, size_t count)
{
    struct append a = {{.apply = apply_append, .done = done_append, .bytes = count * RECORD_BYTES},
                       .ours = o,
                       .count = count};
    must(store_commit(o->store, &a.job), "commit");
}

static void print_case(const char *name, size_t records_a_commit, double rate, double bare_rate)
{
    printf(
        "{\"bench\":\"%s\",\"records_a_commit\":%zu,\"per_second\":%.0f,\"lmdb_per_second\":%.0f,"
        "\"ratio\":%.3f}\n",
        name, records_a_commit, rate, bare_rate, rate / bare_rate);
    fflush(stdout);
}

/* Records a second, both sides in turn so that they meet the same disk. */
static void bench_append(struct ours *o, struct bare *b, size_t count)
{
    uint64_t appended[2] = {0};
    int64_t spent_us[2] = {0};
    for (int turn = 0; turn < 2 * TURNS; turn++) {
        const int side = turn % 2;
        const int64_t begun_us = monotonic_us();
        while (monotonic_us() - begun_us < TURN_US) {
            if (side == 0)
                ours_append(o, count);
            else
                bare_append(b, count);
            appended[side] += count;
        }
        spent_us[side] += monotonic_us() - begun_us;
    }
    print_case("journal_append", count, (double)appended[0] * 1e6 / (double)spent_us[0],
               (double)appended[1] * 1e6 / (double)spent_us[1]);
}

/* Many clients with one record each, who wait for the same commits; the
 * yardstick commits for each of them. */
static void bench_shared(struct ours *o, struct bare *b)
{
    static struct append jobs[IN_FLIGHT];
    static _Atomic bool is_over;
    static _Atomic uint64_t appended;
    uint64_t bare_appended = 0;
    const int64_t begun_us = monotonic_us();
    for (size_t i = 0; i < IN_FLIGHT; i++) {
        jobs[i] =
            (struct append){{.apply = apply_append, .done = done_append, .bytes = RECORD_BYTES},
                            .ours = o,
                            .count = 1,
                            .is_over = &is_over,
                            .appended = &appended};
        must(store_submit(o->store, &jobs[i].job), "submit");
    }
    uint64_t position = journal_next(o->journal);
    while (monotonic_us() - begun_us < TURNS * TURN_US)
        if (journal_wait(o->journal, position, 1000))
            position = journal_next(o->journal);
    const double rate = (double)appended * 1e6 / (double)(monotonic_us() - begun_us);
    is_over = true;
    /* A job that had not heard yet is queued again before the first of these is
     * done, and so is through with the second. */
    ours_append(o, 1);
    ours_append(o, 1);

    const int64_t bare_begun_us = monotonic_us();
    for (; monotonic_us() - bare_begun_us < TURNS * TURN_US; bare_appended++)
        bare_append(b, 1);
    print_case("journal_append_64_clients", 1, rate,
               (double)bare_appended * 1e6 / (double)(monotonic_us() - bare_begun_us));
}

static bool count_record(void *self, uint64_t position, struct str record)
{
    uint64_t *bytes = self;
    (void)position;
    *bytes += record.len + (uint64_t)(unsigned char)record.ptr[record.len - 1];
    return true;
}

static double read_ours(struct ours *o, uint64_t *sum)
{
    const int64_t begun_us = monotonic_us();
    const uint64_t end = journal_next(o->journal);
    uint64_t at = journal_first(o->journal);
    const uint64_t count = end - at;
    while (at < end)
        must(journal_read(o->journal, at, READ_RECORDS, count_record, sum, &at), "read");
    return (double)count * 1e6 / (double)(monotonic_us() - begun_us);
}

static double read_bare(struct bare *b, uint64_t *sum)
{
    const int64_t begun_us = monotonic_us();
    MDB_txn *txn;
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val value;
    must(mdb_txn_begin(b->env, NULL, MDB_RDONLY, &txn), "begin");
    must(mdb_cursor_open(txn, b->dbi, &cursor), "cursor");
    while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0)
        count_record(sum, 0, (struct str){value.mv_data, value.mv_size});
    mdb_cursor_close(cursor);
    mdb_txn_abort(txn);
    return (double)b->next * 1e6 / (double)(monotonic_us() - begun_us);
}

int main(void)
{
    struct scratch scratch;
    struct bare bare = {0};
    struct ours ours = {0};
    struct err err = {0};
    char bare_dir[300];
    char our_dir[300];
    scratch_init(&scratch);
    snprintf(bare_dir, sizeof(bare_dir), "%s/bare", scratch.path);
    snprintf(our_dir, sizeof(our_dir), "%s/ours", scratch.path);
    memset(text, 'e', sizeof(text));
    for (size_t i = 0; i < BATCH_MAX; i++)
        records[i] = (struct str){text, sizeof(text)};
    bare_open(&bare, bare_dir);
    const struct store_options options = {.dir = our_dir, .bytes_max = MAP_BYTES};
    if (store_open(&ours.store, &options, &err) != 0 ||
        journal_open(&ours.journal, ours.store, &err) != 0) {
        fprintf(stderr, "journal: %s\n", err.msg);
        scratch_fini(&scratch);
        return 2;
    }

    static const size_t counts[] = {1, 10, 100, 1000};
    uint64_t sum = 0;
    for (size_t i = 0; i < countof(counts); i++)
        bench_append(&ours, &bare, counts[i]);
    bench_shared(&ours, &bare);
    const double rate = read_ours(&ours, &sum);
    print_case("journal_read", READ_RECORDS, rate, read_bare(&bare, &sum));

    journal_close(ours.journal);
    store_close(ours.store);
    mdb_env_close(bare.env);
    scratch_fini(&scratch);
    return sum == 0;
}
