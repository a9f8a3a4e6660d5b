#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lmdb.h>

#include "buf.h"

enum {
    DISK_VERSION = 1,
    PATH_BYTES_MAX = 4096,
    KEY_BYTES_MAX = 511, /* LMDB's; longer keys are refused by the callers' own limits */
};

/* The most the file may grow to. Only used pages take room. */
static const size_t map_bytes_max = (size_t)64 << 30;

static const char *const table_names[DISK_TABLES] = {
    [DISK_PROFILES] = "profiles", [DISK_HISTORY] = "history", [DISK_NAMES] = "names",
    [DISK_CATALOGS] = "catalogs", [DISK_ITEMS] = "items",     [DISK_STATES] = "states",
};

struct disk {
    MDB_env *env;
    MDB_dbi tables[DISK_TABLES];
    MDB_txn *txn; /* open from the first change to the commit */
    int rc;       /* the first trouble since the last commit */
    int lock;     /* the file that keeps a second sandbox out */
};

static int errno_from_mdb(int rc)
{
    switch (rc) {
    case MDB_SUCCESS:
        return 0;
    case MDB_MAP_FULL:
    case ENOSPC:
        return -ENOSPC;
    case MDB_NOTFOUND:
        return -ENOENT;
    case MDB_CORRUPTED:
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
    case MDB_PAGE_NOTFOUND:
    case MDB_PANIC:
        return -EBADMSG;
    default:
        return rc > 0 ? -rc : -EIO;
    }
}

static int lock_dir(struct disk *d, const char *dir, struct err *err)
{
    struct buf path;
    buf_init(&path, PATH_BYTES_MAX);
    buf_printf(&path, "%s/lock", dir);
    int rc = 0;
    if (mkdir(dir, 0755) != 0 && errno != EEXIST)
        rc = err_set(err, -errno, 0, "cannot create the folder %s: %s", dir, strerror(errno));
    const char *name = buf_cstr(&path);
    if (name == NULL)
        rc = err_set(err, -ENAMETOOLONG, 0, "the folder's name is too long");
    else if (rc == 0 && (d->lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0644)) < 0)
        rc = err_set(err, -errno, 0, "cannot write to the folder %s: %s", dir, strerror(errno));
    if (rc == 0 && flock(d->lock, LOCK_EX | LOCK_NB) != 0)
        rc = err_set(err, -EBUSY, 0, "another sandbox keeps its profiles in %s", dir);
    buf_fini(&path);
    return rc;
}

static int check_version(struct disk *d, MDB_txn *txn, MDB_dbi meta, struct err *err)
{
    char version_name[] = "version";
    unsigned char version = DISK_VERSION;
    MDB_val key = {sizeof(version_name) - 1, version_name};
    MDB_val value;
    int rc = mdb_get(txn, meta, &key, &value);
    if (rc == MDB_NOTFOUND) {
        value = (MDB_val){sizeof(version), &version};
        return errno_from_mdb(mdb_put(txn, meta, &key, &value, 0));
    }
    if (rc != 0)
        return errno_from_mdb(rc);
    (void)d;
    if (value.mv_size != 1 || *(const unsigned char *)value.mv_data != DISK_VERSION)
        return err_set(err, -EBADMSG, 0, "the profiles were written by another version");
    return 0;
}

static int open_tables(struct disk *d, struct err *err)
{
    MDB_txn *txn = NULL;
    MDB_dbi meta;
    int rc = errno_from_mdb(mdb_txn_begin(d->env, NULL, 0, &txn));
    if (rc == 0)
        rc = errno_from_mdb(mdb_dbi_open(txn, "meta", MDB_CREATE, &meta));
    if (rc == 0)
        rc = check_version(d, txn, meta, err);
    for (int i = 0; rc == 0 && i < DISK_TABLES; i++)
        rc = errno_from_mdb(mdb_dbi_open(txn, table_names[i], MDB_CREATE, &d->tables[i]));
    if (rc == 0) {
        rc = errno_from_mdb(mdb_txn_commit(txn));
        txn = NULL; /* commit frees it, even when it fails */
    }
    mdb_txn_abort(txn);
    return rc;
}

int disk_open(struct disk **out, const char *dir, bool sync, struct err *err)
{
    struct disk *d = calloc(1, sizeof(*d));
    if (d == NULL)
        return err_set(err, -ENOMEM, 0, "no memory");
    d->lock = -1;
    int rc = lock_dir(d, dir, err);
    if (rc == 0)
        rc = errno_from_mdb(mdb_env_create(&d->env));
    if (rc == 0)
        rc = errno_from_mdb(mdb_env_set_maxdbs(d->env, DISK_TABLES + 1));
    if (rc == 0)
        rc = errno_from_mdb(mdb_env_set_mapsize(d->env, map_bytes_max));
    if (rc == 0)
        rc = errno_from_mdb(
            mdb_env_open(d->env, dir, MDB_NOTLS | MDB_NOLOCK | (sync ? 0 : MDB_NOSYNC), 0644));
    if (rc == 0)
        rc = open_tables(d, err);
    if (rc != 0) {
        if (err->msg[0] == '\0')
            err_set(err, rc, 0, "cannot open the profiles in %s: %s", dir, strerror(-rc));
        disk_close(d);
        return rc;
    }
    *out = d;
    return 0;
}

void disk_close(struct disk *d)
{
    if (d == NULL)
        return;
    mdb_txn_abort(d->txn);
    if (d->env != NULL)
        mdb_env_close(d->env);
    if (d->lock >= 0)
        close(d->lock);
    free(d);
}

/* False: no transaction to write in, and d->rc says why. */
static bool writing(struct disk *d)
{
    if (d->rc == 0 && d->txn == NULL)
        d->rc = errno_from_mdb(mdb_txn_begin(d->env, NULL, 0, &d->txn));
    return d->rc == 0;
}

static MDB_val val(struct str text)
{
    return (MDB_val){text.len, (void *)(uintptr_t)text.ptr};
}

void disk_put(struct disk *d, enum disk_table table, struct str key, struct str value)
{
    if (d == NULL || key.len == 0 || key.len > KEY_BYTES_MAX || !writing(d))
        return;
    MDB_val k = val(key);
    MDB_val v = val(value);
    d->rc = errno_from_mdb(mdb_put(d->txn, d->tables[table], &k, &v, 0));
}

void disk_delete(struct disk *d, enum disk_table table, struct str key)
{
    if (d == NULL || key.len == 0 || key.len > KEY_BYTES_MAX || !writing(d))
        return;
    MDB_val k = val(key);
    int rc = mdb_del(d->txn, d->tables[table], &k, NULL);
    if (rc != MDB_NOTFOUND)
        d->rc = errno_from_mdb(rc);
}

void disk_clear(struct disk *d)
{
    if (d == NULL)
        return;
    for (int i = 0; i < DISK_TABLES && writing(d); i++)
        d->rc = errno_from_mdb(mdb_drop(d->txn, d->tables[i], 0));
}

int disk_commit(struct disk *d)
{
    if (d == NULL)
        return 0;
    int rc = d->rc;
    if (d->txn != NULL && rc == 0)
        rc = errno_from_mdb(mdb_txn_commit(d->txn));
    else
        mdb_txn_abort(d->txn);
    d->txn = NULL;
    d->rc = 0;
    return rc;
}

int disk_each(struct disk *d, enum disk_table table,
              int (*row)(void *self, struct str key, struct str value), void *self)
{
    if (d == NULL)
        return 0;
    MDB_txn *txn = NULL;
    MDB_cursor *cursor = NULL;
    int rc = errno_from_mdb(mdb_txn_begin(d->env, NULL, MDB_RDONLY, &txn));
    if (rc == 0)
        rc = errno_from_mdb(mdb_cursor_open(txn, d->tables[table], &cursor));
    MDB_val key;
    MDB_val value;
    while (rc == 0) {
        rc = errno_from_mdb(mdb_cursor_get(cursor, &key, &value, MDB_NEXT));
        if (rc == 0)
            rc = row(self, (struct str){key.mv_data, key.mv_size},
                     (struct str){value.mv_data, value.mv_size});
        else if (rc == -ENOENT) {
            rc = 0;
            break;
        }
    }
    if (cursor != NULL)
        mdb_cursor_close(cursor);
    mdb_txn_abort(txn);
    return rc;
}

void disk_key(char out[DISK_KEY_BYTES], uint64_t number)
{
    for (int i = DISK_KEY_BYTES - 1; i >= 0; i--) {
        out[i] = (char)(number & 0xff);
        number >>= 8;
    }
}

uint64_t disk_key_number(struct str key)
{
    uint64_t number = 0;
    for (size_t i = 0; i < key.len && i < DISK_KEY_BYTES; i++)
        number = number << 8 | (unsigned char)key.ptr[i];
    return number;
}
