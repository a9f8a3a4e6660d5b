#include "store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "committer.h"
#include "datafile.h"
#include "resident.h"
#include "room.h"

#define LOCK_NAME "writer.lock"

enum {
    /* Of everything in the data directory; a change that older programs cannot read raises it. */
    STORE_FORMAT = 1,
    FILE_MODE = 0600, /* events are personal data */
    DIR_MODE = 0700,
};

struct table {
    char name[STORE_TABLE_NAME_BYTES_MAX + 1];
    MDB_dbi dbi;
};

struct store {
    MDB_env *env;
    bool read_only;
    int lock_fd; /* holds the flock while we may write; -1 when read_only */
    struct room room;
    struct resident resident;
    struct committer *committer; /* NULL when read_only */
    struct store_metrics metrics;

    pthread_mutex_t tables_mutex; /* guards tables, table_count */
    struct table tables[STORE_TABLES_MAX];
    size_t table_count;

    /* Only when read_only, where the writing process may enlarge the
     * map under us. Guards readers_open. */
    pthread_mutex_t readers_mutex;
    size_t readers_open;
};

int store_errno(int mdb_rc)
{
    switch (mdb_rc) {
    case MDB_NOTFOUND:
        return -ENOENT;
    case MDB_KEYEXIST:
        return -EEXIST;
    case MDB_MAP_FULL:
    case MDB_TXN_FULL:
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return -ENOSPC;
    case MDB_PAGE_NOTFOUND:
    case MDB_CORRUPTED:
    case MDB_VERSION_MISMATCH:
    case MDB_INVALID:
    case MDB_INCOMPATIBLE:
        return -EBADMSG;
    case MDB_READERS_FULL:
    case MDB_MAP_RESIZED:
        return -EAGAIN;
    case MDB_DBS_FULL:
        return -ENFILE;
    case MDB_BAD_RSLOT: /* ours: an environment used after fork */
    case MDB_BAD_DBI:
    case MDB_BAD_VALSIZE:
        return -EINVAL;
    case MDB_PANIC:
    case MDB_BAD_TXN:
    case MDB_CURSOR_FULL:
    case MDB_PAGE_FULL:
    case MDB_TLS_FULL:
        return -EIO;
    default:
        return mdb_rc > 0 ? -mdb_rc : mdb_rc;
    }
}

static int fsync_path(const char *dir, const char *below)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", dir, below);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int rc = fsync(fd) == 0 ? 0 : -errno;
    close(fd);
    return rc;
}

/* Two writers would each keep their own idea of what is settled; LMDB alone would let them. */
static int lock_directory(struct store *s, const char *dir, struct err *err)
{
    char path[PATH_MAX];
    if (mkdir(dir, DIR_MODE) != 0 && errno != EEXIST)
        return err_set(err, -errno, 0, "cannot create the directory %s: %s", dir, strerror(errno));
    if (snprintf(path, sizeof(path), "%s/%s", dir, LOCK_NAME) >= (int)sizeof(path))
        return err_set(err, -ENAMETOOLONG, 0, "the path %s is too long", dir);
    s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE);
    if (s->lock_fd < 0)
        return err_set(err, -errno, 0, "cannot open %s: %s", path, strerror(errno));
    if (flock(s->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    if (errno == EWOULDBLOCK)
        return err_set(
            err, -EBUSY, 0,
            "another spelter writes to %s (it holds %s): stop it, or use another directory", dir,
            path);
    return err_set(err, -errno, 0, "cannot lock %s: %s", path, strerror(errno));
}

static int open_environment(struct store *s, const struct store_options *options, struct err *err)
{
    unsigned flags = MDB_NOTLS | (s->read_only ? MDB_RDONLY : 0);
    int rc = mdb_env_create(&s->env);
    if (rc == 0)
        rc = mdb_env_set_maxreaders(s->env, STORE_READERS_MAX);
    if (rc == 0)
        rc = mdb_env_set_maxdbs(s->env, STORE_TABLES_MAX);
    if (rc == 0 && !s->read_only)
        rc = mdb_env_set_mapsize(s->env, options->bytes_max & ~(uint64_t)65535);
    if (rc == 0)
        rc = mdb_env_set_userctx(s->env, s);
    if (rc == 0)
        rc = mdb_env_open(s->env, options->dir, flags, FILE_MODE);
    if (rc == 0) {
        int dead;
        rc = mdb_reader_check(s->env, &dead);
    }
    if (rc != 0)
        return err_set(err, store_errno(rc), 0, "cannot open the data in %s: %s", options->dir,
                       mdb_strerror(rc));
    return 0;
}

/* Two threads may open the same table: LMDB gives both the same
 * handle, and listing it twice does no harm. */
static int remember_table(struct store *s, struct str name, MDB_dbi dbi)
{
    struct table table = {.dbi = dbi};
    if (name.len > STORE_TABLE_NAME_BYTES_MAX)
        return -EINVAL;
    memcpy(table.name, name.ptr, name.len);
    int rc = 0;
    pthread_mutex_lock(&s->tables_mutex);
    if (s->table_count < STORE_TABLES_MAX)
        s->tables[s->table_count++] = table;
    else
        rc = -ENFILE;
    pthread_mutex_unlock(&s->tables_mutex);
    return rc;
}

/* Opens what exists, so that finding a table never needs a transaction of its own. */
static int open_tables(struct store *s, MDB_txn *txn)
{
    MDB_dbi names;
    MDB_cursor *cursor = NULL;
    MDB_val key;
    MDB_val value;
    int rc = mdb_dbi_open(txn, NULL, 0, &names);
    if (rc == 0)
        rc = mdb_cursor_open(txn, names, &cursor);
    while (rc == 0 && (rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
        MDB_dbi dbi;
        char name[STORE_TABLE_NAME_BYTES_MAX + 1] = "";
        if (key.mv_size >= sizeof(name))
            rc = MDB_INCOMPATIBLE;
        else
            memcpy(name, key.mv_data, key.mv_size);
        if (rc == 0)
            rc = mdb_dbi_open(txn, name, 0, &dbi);
        if (rc == 0)
            rc = remember_table(s, str_from(name), dbi);
    }
    if (cursor != NULL)
        mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Reads the format's number; on new data it is written. */
static int check_format(struct store *s, MDB_txn *txn, bool is_new, const char *dir,
                        struct err *err)
{
    MDB_dbi dbi;
    uint64_t format = STORE_FORMAT;
    char name[] = "format";
    MDB_val key = {sizeof(name) - 1, name};
    MDB_val value = {sizeof(format), &format};
    int rc = mdb_dbi_open(txn, "store", s->read_only ? 0 : MDB_CREATE, &dbi);
    if (rc == 0 && is_new)
        rc = mdb_put(txn, dbi, &key, &value, 0);
    if (rc == 0)
        rc = mdb_get(txn, dbi, &key, &value);
    if (rc == MDB_NOTFOUND || (rc == 0 && value.mv_size != sizeof(format)))
        return err_set(err, -EBADMSG, 0, "the data in %s was not written by this program", dir);
    if (rc != 0)
        return err_set(err, store_errno(rc), 0, "cannot read the data in %s: %s", dir,
                       mdb_strerror(rc));
    memcpy(&format, value.mv_data, sizeof(format));
    if (format > STORE_FORMAT)
        return err_set(err, -EBADMSG, 0,
                       "the data in %s has format %" PRIu64
                       ", this version knows formats up to %d: use a newer spelter",
                       dir, format, STORE_FORMAT);
    return 0;
}

static int prepare(struct store *s, const char *dir, struct err *err)
{
    MDB_txn *txn = NULL;
    MDB_stat stat;
    int rc = mdb_txn_begin(s->env, NULL, s->read_only ? MDB_RDONLY : 0, &txn);
    if (rc == 0)
        rc = mdb_env_stat(s->env, &stat);
    if (rc != 0) {
        mdb_txn_abort(txn);
        return err_set(err, store_errno(rc), 0, "cannot read the data in %s: %s", dir,
                       mdb_strerror(rc));
    }
    const bool is_new = stat.ms_entries == 0 && !s->read_only;
    rc = check_format(s, txn, is_new, dir, err);
    if (rc == 0) {
        rc = store_errno(open_tables(s, txn));
        if (rc == 0 && !s->read_only)
            rc = room_init(&s->room, s->env, txn);
        if (rc != 0)
            err_set(err, rc, 0, "cannot read the tables in %s: %s", dir, strerror(-rc));
    }
    if (rc != 0) {
        mdb_txn_abort(txn);
        return rc;
    }
    rc = store_errno(mdb_txn_commit(txn));
    if (rc == 0 && is_new && (rc = fsync_path(dir, ".")) == 0)
        rc = fsync_path(dir, "..");
    if (rc != 0)
        return err_set(err, rc, 0, "cannot write to %s: %s", dir, strerror(-rc));
    return 0;
}

/* What a read transaction sees lies in the map itself, so its address tells where that is: the name
 * of any table, say. */
static int find_map(struct store *s, const char *dir, struct err *err)
{
    MDB_txn *txn = NULL;
    MDB_cursor *cursor = NULL;
    MDB_dbi names;
    MDB_val key;
    MDB_val value;
    int rc = mdb_txn_begin(s->env, NULL, MDB_RDONLY, &txn);
    if (rc == 0)
        rc = mdb_dbi_open(txn, NULL, 0, &names);
    if (rc == 0)
        rc = mdb_cursor_open(txn, names, &cursor);
    if (rc == 0)
        rc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    if (rc == 0)
        resident_init(&s->resident, key.mv_data);
    if (cursor != NULL)
        mdb_cursor_close(cursor);
    mdb_txn_abort(txn);
    if (rc != 0)
        return err_set(err, store_errno(rc), 0, "cannot read the tables in %s: %s", dir,
                       mdb_strerror(rc));
    return 0;
}

int store_open(struct store **out, const struct store_options *options, struct err *err)
{
    bool exists;
    *out = NULL;
    if (!options->read_only && options->bytes_max < STORE_BYTES_MIN)
        return err_set(err, -EINVAL, 0, "a store of %" PRIu64 " bytes is too small, it needs %d",
                       options->bytes_max, STORE_BYTES_MIN);
    struct store *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return err_set(err, -ENOMEM, 0, "no memory for the store");
    s->read_only = options->read_only;
    s->lock_fd = -1;
    pthread_mutex_init(&s->tables_mutex, NULL);
    pthread_mutex_init(&s->readers_mutex, NULL);

    int rc = s->read_only ? 0 : lock_directory(s, options->dir, err);
    if (rc == 0)
        rc = datafile_check(options->dir, s->read_only, &exists, err);
    if (rc == 0 && s->read_only && !exists)
        rc = err_set(err, -ENOENT, 0,
                     "there is no data in %s (no server has run with this folder yet)",
                     options->dir);
    if (rc == 0)
        rc = open_environment(s, options, err);
    if (rc == 0)
        rc = prepare(s, options->dir, err);
    if (rc == 0 && !s->read_only)
        rc = find_map(s, options->dir, err);
    if (rc == 0 && !s->read_only &&
        (rc = committer_start(&s->committer, s->env, &s->room, &s->resident, &s->metrics)) != 0)
        err_set(err, rc, 0, "cannot start the committer thread: %s", strerror(-rc));
    if (rc != 0) {
        store_close(s);
        return rc;
    }
    *out = s;
    return 0;
}

void store_close(struct store *s)
{
    if (s == NULL)
        return;
    committer_stop(s->committer);
    resident_fini(&s->resident);
    if (s->env != NULL)
        mdb_env_close(s->env);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    pthread_mutex_destroy(&s->readers_mutex);
    pthread_mutex_destroy(&s->tables_mutex);
    free(s);
}

int store_table_find(struct store *s, const char *name, MDB_dbi *out)
{
    int rc = -ENOENT;
    pthread_mutex_lock(&s->tables_mutex);
    for (size_t i = 0; i < s->table_count; i++)
        if (strcmp(s->tables[i].name, name) == 0) {
            *out = s->tables[i].dbi;
            rc = 0;
        }
    pthread_mutex_unlock(&s->tables_mutex);
    return rc;
}

struct table_job {
    struct store_job job;
    const char *name;
    unsigned flags;
    MDB_dbi dbi;
};

static int apply_table(struct store_job *job, MDB_txn *txn)
{
    struct table_job *t = (struct table_job *)job;
    return mdb_dbi_open(txn, t->name, t->flags, &t->dbi);
}

int store_table(struct store *s, const char *name, unsigned flags, MDB_dbi *out)
{
    if (store_table_find(s, name, out) == 0)
        return 0;
    if (s->read_only)
        return -ENOENT;
    if (strlen(name) > STORE_TABLE_NAME_BYTES_MAX)
        return -EINVAL;
    struct table_job t = {
        .job = {.apply = apply_table, .kind = STORE_NEEDS_ROOM},
        .name = name,
        .flags = flags | MDB_CREATE,
    };
    int rc = store_commit(s, &t.job);
    if (rc == 0)
        rc = remember_table(s, str_from(name), t.dbi);
    *out = t.dbi;
    return rc;
}

/* The writing process was restarted with a larger map: follow it, as soon as
 * no reader of ours stands on the old one. */
static int begin_read_only(struct store *s, MDB_txn **txn)
{
    pthread_mutex_lock(&s->readers_mutex);
    int rc = mdb_txn_begin(s->env, NULL, MDB_RDONLY, txn);
    if (rc == MDB_MAP_RESIZED && s->readers_open == 0) {
        rc = mdb_env_set_mapsize(s->env, 0);
        if (rc == 0)
            rc = mdb_txn_begin(s->env, NULL, MDB_RDONLY, txn);
    }
    if (rc == 0)
        s->readers_open++;
    pthread_mutex_unlock(&s->readers_mutex);
    return rc;
}

int store_read_begin(struct store *s, MDB_txn **txn)
{
    int rc = MDB_READERS_FULL;
    int dead;
    *txn = NULL;
    for (int try = 0; try < 2 && rc == MDB_READERS_FULL; try++) {
        if (try > 0 && (rc = mdb_reader_check(s->env, &dead)) != 0)
            break;
        rc = s->read_only ? begin_read_only(s, txn) : mdb_txn_begin(s->env, NULL, MDB_RDONLY, txn);
    }
    return store_errno(rc);
}

void store_read_end(MDB_txn *txn)
{
    if (txn == NULL)
        return;
    struct store *s = mdb_env_get_userctx(mdb_txn_env(txn));
    mdb_txn_abort(txn);
    if (!s->read_only) {
        resident_bound(&s->resident);
        return;
    }
    pthread_mutex_lock(&s->readers_mutex);
    assert(s->readers_open > 0);
    s->readers_open--;
    pthread_mutex_unlock(&s->readers_mutex);
}

void store_read_ease(MDB_txn *txn)
{
    struct store *s = mdb_env_get_userctx(mdb_txn_env(txn));
    resident_bound(&s->resident);
}

int store_submit(struct store *s, struct store_job *job)
{
    assert(job->apply != NULL);
    assert(job->done != NULL);
    return s->read_only ? -EROFS : committer_submit(s->committer, job);
}

/* A job that somebody waits for, around the job that does the work. */
struct waiting_job {
    struct store_job job;
    struct store_job *inner;
    pthread_mutex_t mutex; /* guards is_done */
    pthread_cond_t done;
    bool is_done;
    int rc;
};

static int apply_inner(struct store_job *job, MDB_txn *txn)
{
    struct store_job *inner = ((struct waiting_job *)job)->inner;
    return inner->apply(inner, txn);
}

static void finish_inner(struct store_job *job, int rc)
{
    struct waiting_job *w = (struct waiting_job *)job;
    if (w->inner->done != NULL)
        w->inner->done(w->inner, rc);
    pthread_mutex_lock(&w->mutex);
    w->is_done = true;
    w->rc = rc;
    pthread_cond_signal(&w->done);
    pthread_mutex_unlock(&w->mutex);
}

int store_commit(struct store *s, struct store_job *job)
{
    struct waiting_job w = {
        .job = {.apply = apply_inner, .done = finish_inner, .kind = job->kind, .bytes = job->bytes},
        .inner = job,
    };
    pthread_mutex_init(&w.mutex, NULL);
    pthread_cond_init(&w.done, NULL);
    int rc = store_submit(s, &w.job);
    if (rc == 0) {
        pthread_mutex_lock(&w.mutex);
        while (!w.is_done)
            pthread_cond_wait(&w.done, &w.mutex);
        rc = w.rc;
        pthread_mutex_unlock(&w.mutex);
    }
    pthread_cond_destroy(&w.done);
    pthread_mutex_destroy(&w.mutex);
    return rc;
}

const struct store_metrics *store_metrics(const struct store *s)
{
    return &s->metrics;
}

uint64_t store_version(struct store *s)
{
    MDB_envinfo info;
    int rc = mdb_env_info(s->env, &info);
    assert(rc == 0);
    return info.me_last_txnid;
}

void store_usage(struct store *s, uint64_t *used, uint64_t *max)
{
    MDB_envinfo info;
    MDB_stat stat;
    MDB_txn *txn = NULL;
    int rc = mdb_env_info(s->env, &info);
    if (rc == 0)
        rc = mdb_env_stat(s->env, &stat);
    assert(rc == 0);
    *max = info.me_mapsize;
    *used = (info.me_last_pgno + 1) *
            stat.ms_psize; /* what is known without a reader: an upper bound */
    if (store_read_begin(s, &txn) == 0)
        *used = room_live_pages(txn) * stat.ms_psize;
    store_read_end(txn);
}
