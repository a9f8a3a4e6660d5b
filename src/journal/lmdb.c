#include "journal.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "log.h"

enum { JOURNAL_FORMAT = 1 };

/* The one record of the table "journal_meta". It is only written when the journal is new and when a
 * trim leaves no record behind whose position would tell the next one. */
struct meta {
    uint64_t format;
    uint64_t next; /* no position below is free; records may lie at and above it */
};

struct listener {
    void (*notify)(void *self);
    void *self;
};

struct bounds {
    uint64_t first;
    uint64_t next;
};

struct journal {
    struct store *store;
    MDB_dbi records; /* position to record */
    MDB_dbi meta;

    pthread_mutex_t mutex; /* guards bounds, published_version, is_interrupted */
    pthread_cond_t grown;
    struct bounds bounds;
    uint64_t published_version;
    bool is_interrupted;

    pthread_mutex_t
        listeners_mutex; /* guards listeners, listener_count; held while they are notified */
    struct listener listeners[JOURNAL_LISTENERS_MAX];
    size_t listener_count;
};

static int read_meta(struct journal *j, MDB_txn *txn, struct meta *meta)
{
    size_t zero = 0;
    MDB_val key = {sizeof(zero), &zero};
    MDB_val value;
    int rc = mdb_get(txn, j->meta, &key, &value);
    if (rc != 0)
        return store_errno(rc);
    if (value.mv_size != sizeof(*meta))
        return -EBADMSG;
    memcpy(meta, value.mv_data, sizeof(*meta));
    return 0;
}

static int write_meta(struct journal *j, MDB_txn *txn, uint64_t next)
{
    struct meta meta = {JOURNAL_FORMAT, next};
    size_t zero = 0;
    MDB_val key = {sizeof(zero), &zero};
    MDB_val value = {sizeof(meta), &meta};
    return store_errno(mdb_put(txn, j->meta, &key, &value, 0));
}

/* The position under the cursor at `op`; -ENOENT when the table is empty. */
static int position_at(MDB_cursor *cursor, MDB_cursor_op op, uint64_t *position)
{
    MDB_val key;
    MDB_val value;
    int rc = mdb_cursor_get(cursor, &key, &value, op);
    if (rc != 0)
        return store_errno(rc);
    if (key.mv_size != sizeof(*position))
        return -EBADMSG;
    memcpy(position, key.mv_data, sizeof(*position));
    return 0;
}

static int next_position(struct journal *j, MDB_txn *txn, MDB_cursor *cursor, uint64_t *next)
{
    struct meta meta;
    int rc = position_at(cursor, MDB_LAST, next);
    if (rc == 0) {
        ++*next;
        return 0;
    }
    if (rc == -ENOENT && (rc = read_meta(j, txn, &meta)) == 0)
        *next = meta.next;
    return rc;
}

static int read_bounds(struct journal *j, struct bounds *bounds)
{
    MDB_txn *txn = NULL;
    MDB_cursor *cursor = NULL;
    int rc = store_read_begin(j->store, &txn);
    if (rc == 0)
        rc = store_errno(mdb_cursor_open(txn, j->records, &cursor));
    if (rc == 0)
        rc = next_position(j, txn, cursor, &bounds->next);
    if (rc == 0 && (rc = position_at(cursor, MDB_FIRST, &bounds->first)) == -ENOENT) {
        bounds->first = bounds->next;
        rc = 0;
    }
    if (cursor != NULL)
        mdb_cursor_close(cursor);
    store_read_end(txn);
    return rc;
}

struct create_job {
    struct store_job job;
    struct journal *journal;
};

static int apply_create(struct store_job *job, MDB_txn *txn)
{
    return write_meta(((struct create_job *)job)->journal, txn, 0);
}

static int check_format(struct journal *j, struct err *err)
{
    struct meta meta;
    MDB_txn *txn = NULL;
    int rc = store_read_begin(j->store, &txn);
    if (rc == 0)
        rc = read_meta(j, txn, &meta);
    store_read_end(txn);
    if (rc == -ENOENT) {
        struct create_job create = {{.apply = apply_create, .kind = STORE_NEEDS_ROOM}, j};
        return store_commit(j->store, &create.job);
    }
    if (rc == 0 && meta.format > JOURNAL_FORMAT)
        return err_set(err, -EBADMSG, 0,
                       "the journal has format %" PRIu64
                       ", this version knows formats up to %d: use a newer spelter",
                       meta.format, JOURNAL_FORMAT);
    return rc;
}

int journal_open(struct journal **out, struct store *store, struct err *err)
{
    *out = NULL;
    struct journal *j = calloc(1, sizeof(*j));
    if (j == NULL)
        return err_set(err, -ENOMEM, 0, "no memory for the journal");
    j->store = store;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&j->grown, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&j->mutex, NULL);
    pthread_mutex_init(&j->listeners_mutex, NULL);

    struct err cause = {0};
    int rc = store_table(store, "journal", MDB_INTEGERKEY, &j->records);
    if (rc == 0)
        rc = store_table(store, "journal_meta", MDB_INTEGERKEY, &j->meta);
    if (rc == 0)
        rc = check_format(j, &cause);
    if (rc == 0)
        rc = read_bounds(j, &j->bounds);
    if (rc != 0) {
        journal_close(j);
        return err_set(err, rc, 0, "%s%s", cause.code == 0 ? "cannot open the journal: " : "",
                       cause.code == 0 ? strerror(-rc) : cause.msg);
    }
    *out = j;
    return 0;
}

void journal_close(struct journal *j)
{
    if (j == NULL)
        return;
    pthread_mutex_destroy(&j->listeners_mutex);
    pthread_mutex_destroy(&j->mutex);
    pthread_cond_destroy(&j->grown);
    free(j);
}

int journal_append(struct journal *j, MDB_txn *txn, const struct str *records, size_t count,
                   uint64_t *first)
{
    MDB_cursor *cursor = NULL;
    int rc = store_errno(mdb_cursor_open(txn, j->records, &cursor));
    if (rc != 0)
        return rc;
    rc = next_position(j, txn, cursor, first);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        uint64_t position = *first + i;
        MDB_val key = {sizeof(position), &position};
        MDB_val value = {records[i].len, (void *)records[i].ptr}; /* LMDB only reads it */
        rc = store_errno(mdb_cursor_put(cursor, &key, &value, MDB_APPEND));
    }
    mdb_cursor_close(cursor);
    return rc;
}

static struct bounds published(struct journal *j)
{
    pthread_mutex_lock(&j->mutex);
    struct bounds bounds = j->bounds;
    pthread_mutex_unlock(&j->mutex);
    return bounds;
}

uint64_t journal_first(struct journal *j)
{
    return published(j).first;
}

uint64_t journal_next(struct journal *j)
{
    return published(j).next;
}

int journal_read(struct journal *j, uint64_t from, size_t count,
                 bool (*on_record)(void *self, uint64_t position, struct str record), void *self,
                 uint64_t *next)
{
    MDB_txn *txn = NULL;
    MDB_cursor *cursor = NULL;
    MDB_val key = {sizeof(from), &from};
    MDB_val value;
    *next = from;
    int rc = store_read_begin(j->store, &txn);
    if (rc == 0)
        rc = store_errno(mdb_cursor_open(txn, j->records, &cursor));

    MDB_cursor_op op = MDB_SET_RANGE;
    bool is_wanted = true;
    for (size_t i = 0; rc == 0 && is_wanted && i < count; i++) {
        uint64_t position;
        rc = store_errno(mdb_cursor_get(cursor, &key, &value, op));
        if (rc == 0 && key.mv_size != sizeof(position))
            rc = -EBADMSG;
        if (rc != 0)
            break;
        memcpy(&position, key.mv_data, sizeof(position));
        *next = position + 1;
        is_wanted = on_record(self, position, (struct str){value.mv_data, value.mv_size});
        op = MDB_NEXT;
    }
    if (cursor != NULL)
        mdb_cursor_close(cursor);
    store_read_end(txn);
    return rc == -ENOENT ? 0 : rc;
}

int journal_trim(struct journal *j, MDB_txn *txn, uint64_t before, size_t count_max,
                 size_t *deleted)
{
    MDB_cursor *cursor = NULL;
    uint64_t last = 0;
    *deleted = 0;
    int rc = store_errno(mdb_cursor_open(txn, j->records, &cursor));
    if (rc != 0)
        return rc;
    while (*deleted < count_max) {
        uint64_t position = 0;
        rc = position_at(cursor, MDB_FIRST, &position);
        if (rc != 0 || position >= before)
            break;
        rc = store_errno(mdb_cursor_del(cursor, 0));
        if (rc != 0)
            break;
        last = position;
        ++*deleted;
    }
    mdb_cursor_close(cursor);
    /* The newest record tells the next position; when it goes, the position is
     * noted, so that it is never used twice. */
    MDB_stat stat;
    if (rc == -ENOENT)
        rc = 0;
    if (rc == 0 && *deleted > 0 && (rc = store_errno(mdb_stat(txn, j->records, &stat))) == 0 &&
        stat.ms_entries == 0)
        rc = write_meta(j, txn, last + 1);
    return rc;
}

void journal_publish(struct journal *j)
{
    /* All jobs of one commit publish the same state: the first one does it. */
    const uint64_t version = store_version(j->store);
    struct bounds bounds;
    pthread_mutex_lock(&j->mutex);
    const bool is_known = version == j->published_version;
    const uint64_t known_next = j->bounds.next;
    pthread_mutex_unlock(&j->mutex);
    if (is_known)
        return;
    int rc = read_bounds(j, &bounds);
    if (rc != 0) { /* the records are safe; the next commit shows them */
        log_error("journal: cannot look at what was committed: %s", strerror(-rc));
        return;
    }

    pthread_mutex_lock(&j->mutex);
    j->bounds = bounds;
    j->published_version = version;
    pthread_cond_broadcast(&j->grown);
    pthread_mutex_unlock(&j->mutex);
    if (bounds.next == known_next)
        return;
    pthread_mutex_lock(&j->listeners_mutex);
    for (size_t i = 0; i < j->listener_count; i++)
        j->listeners[i].notify(j->listeners[i].self);
    pthread_mutex_unlock(&j->listeners_mutex);
}

static struct timespec deadline_in(int timeout_ms)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += timeout_ms / 1000;
    at.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_nsec -= 1000000000;
        at.tv_sec++;
    }
    return at;
}

bool journal_wait(struct journal *j, uint64_t position, int timeout_ms)
{
    const struct timespec deadline = deadline_in(timeout_ms);
    int rc = 0;
    pthread_mutex_lock(&j->mutex);
    while (j->bounds.next <= position && !j->is_interrupted && rc == 0)
        rc = pthread_cond_timedwait(&j->grown, &j->mutex, &deadline);
    const bool is_there = j->bounds.next > position;
    pthread_mutex_unlock(&j->mutex);
    return is_there;
}

void journal_interrupt(struct journal *j)
{
    pthread_mutex_lock(&j->mutex);
    j->is_interrupted = true;
    pthread_cond_broadcast(&j->grown);
    pthread_mutex_unlock(&j->mutex);
}

int journal_listen(struct journal *j, void (*notify)(void *self), void *self)
{
    int rc = 0;
    pthread_mutex_lock(&j->listeners_mutex);
    if (j->listener_count < JOURNAL_LISTENERS_MAX)
        j->listeners[j->listener_count++] = (struct listener){notify, self};
    else
        rc = -ENOSPC;
    pthread_mutex_unlock(&j->listeners_mutex);
    return rc;
}

void journal_unlisten(struct journal *j, void *self)
{
    size_t kept = 0;
    pthread_mutex_lock(&j->listeners_mutex);
    for (size_t i = 0; i < j->listener_count; i++)
        if (j->listeners[i].self != self)
            j->listeners[kept++] = j->listeners[i];
    j->listener_count = kept;
    pthread_mutex_unlock(&j->listeners_mutex);
}
