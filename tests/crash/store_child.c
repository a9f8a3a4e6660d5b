#include "store_child.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cursor.h"
#include "dead.h"
#include "dedupe.h"
#include "journal.h"
#include "store.h"

enum {
    APPENDERS = 2,
    APPEND_RECORDS_MAX = 24,
    SETTLE_MAX = 48,
    TRIM_MAX = 64,
    SERIALS_A_THREAD = 1 << 20,
};

struct child {
    int report_fd;
    atomic_bool is_slow;
    uint64_t first_serial;
    struct store *store;
    struct journal *journal;
    struct cursor *cursor;
    struct dead *dead;
    struct dedupe *dedupe; /* only dedupe_apply, which runs on the committer */
};

static struct child child;

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

struct str child_record(char *out, uint64_t serial)
{
    uint64_t seed = serial * 0x9e3779b97f4a7c15 + 1;
    size_t bytes = sizeof(serial) + next_random(&seed) % (CHILD_RECORD_BYTES_MAX - sizeof(serial));
    memcpy(out, &serial, sizeof(serial));
    for (size_t i = sizeof(serial); i < bytes; i++)
        out[i] = (char)next_random(&seed);
    return (struct str){out, bytes};
}

struct hash128 child_fingerprint(uint64_t serial)
{
    return hash128_str_seed((struct str){(const char *)&serial, sizeof(serial)}, 1);
}

static void report(enum report_kind kind, uint64_t number, uint64_t serial)
{
    const struct report r = {kind, number, serial};
    if (write(child.report_fd, &r, sizeof(r)) != (ssize_t)sizeof(r))
        _exit(1); /* the parent is gone */
}

struct append_job {
    struct store_job job;
    uint64_t serial;
    size_t count;
    struct str records[APPEND_RECORDS_MAX];
    uint64_t first;
};

static int apply_append(struct store_job *job, MDB_txn *txn)
{
    struct append_job *a = (struct append_job *)job;
    struct hash128 prints[APPEND_RECORDS_MAX];
    for (size_t i = 0; i < a->count; i++)
        prints[i] = child_fingerprint(a->serial + i);
    int rc = journal_append(child.journal, txn, a->records, a->count, &a->first);
    return rc != 0 ? rc : dedupe_apply(child.dedupe, txn, prints, a->count, 0);
}

static void done_append(struct store_job *job, int rc)
{
    struct append_job *a = (struct append_job *)job;
    journal_publish(child.journal);
    for (size_t i = 0; rc == 0 && i < a->count; i++)
        report(REPORT_APPENDED, a->first + i, a->serial + i);
}

static void *append_main(void *self)
{
    static char text[APPENDERS][APPEND_RECORDS_MAX][CHILD_RECORD_BYTES_MAX];
    const size_t thread = (size_t)(uintptr_t)self;
    uint64_t serial = child.first_serial + thread * SERIALS_A_THREAD;
    uint64_t seed = serial + 1;
    for (;;) {
        struct append_job a = {.job = {.apply = apply_append, .done = done_append},
                               .serial = serial,
                               .count = 1 + next_random(&seed) % APPEND_RECORDS_MAX};
        for (size_t i = 0; i < a.count; i++)
            a.records[i] = child_record(text[thread][i], serial + i);
        int rc = store_commit(child.store, &a.job);
        if (rc == -ENOSPC) {
            report(REPORT_REFUSED, 0, 0);
            child.is_slow = false;
        } else if (rc != 0) {
            fprintf(stderr, "append: %s\n", strerror(-rc));
            _exit(1);
        }
        serial += a.count;
    }
    return NULL;
}

struct settle_job {
    struct store_job job;
    struct cursor_snapshot *snapshot;
    uint64_t settled[SETTLE_MAX];
    size_t count;
    uint64_t floor;
    bool is_dead;
    uint64_t dead_id;
};

static int apply_settle(struct store_job *job, MDB_txn *txn)
{
    struct settle_job *s = (struct settle_job *)job;
    uint64_t floor;
    size_t deleted;
    int rc = s->snapshot == NULL ? 0 : cursor_snapshot_apply(s->snapshot, txn);
    if (rc == 0)
        rc = cursor_min_floor(child.store, txn, &floor);
    if (rc == 0)
        rc = journal_trim(child.journal, txn, floor, TRIM_MAX, &deleted);
    if (rc == 0 && s->is_dead)
        rc = dead_put(child.dead, txn, STR("{\"reason\":\"tired\"}"), &s->dead_id);
    return rc;
}

static void done_settle(struct store_job *job, int rc)
{
    struct settle_job *s = (struct settle_job *)job;
    journal_publish(child.journal);
    if (rc != 0)
        return;
    for (size_t i = 0; i < s->count; i++)
        report(REPORT_SETTLED, s->settled[i], 0);
    report(REPORT_FLOOR, s->floor, 0);
    if (s->is_dead)
        report(REPORT_DEAD, s->dead_id, 0);
}

/* Settles what was appended, mostly in order, some far ahead. Runs
 * on the thread that owns the cursor. */
static int settle_for_ever(uint64_t seed)
{
    for (;;) {
        struct settle_job s = {
            .job = {.apply = apply_settle, .done = done_settle, .kind = STORE_FREES_ROOM},
            .is_dead = next_random(&seed) % 32 == 0};
        int rc;
        journal_wait(child.journal, cursor_floor(child.cursor), 1000);
        const uint64_t next = journal_next(child.journal);
        const size_t settle_max = child.is_slow ? 1 : SETTLE_MAX;
        for (size_t i = 0; i < settle_max; i++) {
            const uint64_t floor = cursor_floor(child.cursor);
            const uint64_t ahead = next_random(&seed) % (i % 4 == 0 ? 2000 : 4);
            if (floor + ahead < next) {
                cursor_settle(child.cursor, floor + ahead);
                s.settled[s.count++] = floor + ahead;
            }
        }
        s.floor = cursor_floor(child.cursor);
        s.snapshot = cursor_snapshot(child.cursor, &rc);
        if (rc == 0)
            rc = store_commit(child.store, &s.job);
        if (rc == -ENOSPC && s.snapshot != NULL)
            cursor_snapshot_lost(child.cursor, s.snapshot);
        else if (rc != 0) {
            fprintf(stderr, "settle: %s\n", strerror(-rc));
            return 1;
        }
        cursor_snapshot_free(s.snapshot);
    }
}

int child_main(const char *dir, int report_fd, uint64_t first_serial, bool is_slow)
{
    const struct store_options options = {.dir = dir, .bytes_max = CHILD_MAP_BYTES};
    struct err err = {0};
    child.report_fd = report_fd;
    child.is_slow = is_slow;
    child.first_serial = first_serial;
    if (store_open(&child.store, &options, &err) != 0 ||
        journal_open(&child.journal, child.store, &err) != 0 ||
        cursor_open(&child.cursor, child.store, STR("braze"), 0, &err) != 0 ||
        dead_open(&child.dead, child.store, &err) != 0 ||
        dedupe_open(&child.dedupe, child.store, CHILD_KNOWN_MESSAGES, 0, &err) != 0) {
        fprintf(stderr, "child: %s\n", err.msg);
        return 1;
    }
    pthread_t threads[APPENDERS];
    for (size_t i = 0; i < APPENDERS; i++)
        if (pthread_create(&threads[i], NULL, append_main, (void *)(uintptr_t)i) != 0)
            return 1;
    return settle_for_ever(first_serial + 77);
}
