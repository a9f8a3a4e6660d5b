#include "room.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    RESERVE_PAGES_MIN = 128, /* an eighth of it must still carry room_turn: about eight pages */
    RESERVE_PAGES_MAX = 1024,
    RESERVE_SHARE = 8, /* of a small map */

    /* Farther from the end of the map than any transaction goes (LMDB holds 131,072 changed pages
     * at most, and groups are bounded far below that): nothing to check. */
    FAR_PAGES = 65536,

    PAGE_HEADER_BYTES = 16, /* LMDB's, at the start of a run of overflow pages */
    META_PAGES = 2,
};

size_t room_live_pages(MDB_txn *txn)
{
    size_t pages = META_PAGES;
    MDB_stat stat;
    /* Handle 0 is LMDB's list of free pages, 1 the table of tables, then
     * ours in the order they were opened. */
    for (MDB_dbi dbi = 0; mdb_stat(txn, dbi, &stat) == 0; dbi++)
        pages += stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages;
    return pages;
}

int room_init(struct room *r, MDB_env *env, MDB_txn *txn)
{
    *r = (struct room){.env = env};
    MDB_envinfo info;
    MDB_stat stat;
    struct stat file;
    int rc = mdb_env_info(env, &info);
    if (rc == 0)
        rc = mdb_env_stat(env, &stat);
    if (rc == 0)
        rc = mdb_env_get_fd(env, &r->fd);
    if (rc == 0)
        rc = mdb_dbi_open(txn, "room", MDB_CREATE | MDB_INTEGERKEY, &r->table);
    if (rc == 0 && fstat(r->fd, &file) != 0)
        rc = errno;
    if (rc != 0)
        return store_errno(rc);

    r->page_bytes = stat.ms_psize;
    r->map_pages = info.me_mapsize / r->page_bytes;
    r->file_pages = (size_t)file.st_size / r->page_bytes;
    r->reserve = r->map_pages / RESERVE_SHARE;
    if (r->reserve < RESERVE_PAGES_MIN)
        r->reserve = RESERVE_PAGES_MIN;
    if (r->reserve > RESERVE_PAGES_MAX)
        r->reserve = RESERVE_PAGES_MAX;
    return 0;
}

/* Makes the file own its pages up to `ahead` beyond the last used one, or to the end of the map. */
static int own_pages(struct room *r, size_t ahead)
{
    size_t pages = r->used_pages + ahead;
    pages = pages > r->map_pages ? r->map_pages : pages;
    if (pages <= r->file_pages)
        return 0;
    off_t from = (off_t)(r->file_pages * r->page_bytes);
    off_t bytes = (off_t)((pages - r->file_pages) * r->page_bytes);
    int rc = fallocate(r->fd, 0, from, bytes) == 0 ? 0 : errno;
    /* Not every file system can promise space; there the file is only made longer, which tells a
     * truncated file apart when it is opened, and a full disk shows when the commit writes. */
    if (rc == EOPNOTSUPP)
        rc = ftruncate(r->fd, from + bytes) == 0 ? 0 : errno;
    if (rc == 0)
        r->file_pages = pages;
    return store_errno(rc);
}

/* Pages that a transaction allocated and gave back are counted but never written. At the very end
 * of the file they would make it look truncated when it is opened next. */
static int cover_used_pages(struct room *r)
{
    struct stat file;
    const off_t bytes = (off_t)(r->used_pages * r->page_bytes);
    int rc = fstat(r->fd, &file) == 0 ? 0 : errno;
    if (rc == 0 && file.st_size < bytes && ftruncate(r->fd, bytes) != 0)
        rc = errno;
    return store_errno(rc);
}

/* The disk has less than wanted: takes what it gives. What the
 * file owns then may be mostly free. */
static int stay_within_disk(struct room *r, MDB_txn *txn, enum store_class kind, size_t ahead)
{
    int rc = -ENOSPC;
    for (; rc == -ENOSPC && ahead >= r->reserve; ahead /= 2)
        rc = own_pages(r, ahead);
    if (rc == -ENOSPC)
        rc = r->file_pages < r->used_pages ? cover_used_pages(r) : 0;
    if (rc != 0 || kind == STORE_FREES_ROOM)
        return rc;
    const size_t end = r->file_pages > r->used_pages ? r->file_pages : r->used_pages;
    const size_t live = room_live_pages(txn);
    return end >= live + 2 * r->reserve ? 0 : -ENOSPC;
}

int room_begin(struct room *r, MDB_txn *txn, enum store_class kind)
{
    MDB_envinfo info;
    int rc = mdb_env_info(r->env, &info);
    if (rc != 0)
        return store_errno(rc);
    r->used_pages = info.me_last_pgno + 1;
    r->is_near = r->map_pages < r->used_pages + r->reserve + FAR_PAGES;
    if (r->is_near)
        r->live_pages = room_live_pages(txn);

    /* In steps of the double, so that most transactions find enough. */
    const size_t ahead = 2 * r->reserve + STORE_GROUP_BYTES_MAX / r->page_bytes;
    if (r->file_pages >= r->used_pages + ahead || r->file_pages >= r->map_pages)
        return 0;
    rc = own_pages(r, 2 * ahead);
    return rc == -ENOSPC ? stay_within_disk(r, txn, kind, ahead) : rc;
}

/* Allocates `runs` runs of `pages` pages inside `txn`. */
static int allocate(struct room *r, MDB_txn *txn, size_t runs, size_t pages)
{
    int rc = 0;
    for (size_t i = 1; rc == 0 && i <= runs; i++) {
        MDB_val key = {sizeof(i), &i};
        MDB_val value = {pages * r->page_bytes - PAGE_HEADER_BYTES, NULL};
        rc = mdb_put(txn, r->table, &key, &value, MDB_RESERVE | MDB_APPEND);
    }
    return rc;
}

/* Whether `pages` pages can be allocated after what `txn` has done. One run is quick to find when
 * there is plenty; single pages are the truth when free space lies in pieces. */
static int probe(struct room *r, MDB_txn *txn, size_t pages)
{
    const size_t runs[] = {1, pages};
    int rc = MDB_MAP_FULL;
    for (size_t i = 0; rc == MDB_MAP_FULL && i < countof(runs); i++) {
        MDB_txn *child = NULL;
        rc = mdb_txn_begin(r->env, txn, 0, &child);
        if (rc != 0)
            return store_errno(rc);
        rc = allocate(r, child, runs[i], pages / runs[i]);
        mdb_txn_abort(child);
    }
    return store_errno(rc);
}

int room_check(struct room *r, MDB_txn *txn, enum store_class kind)
{
    if (!r->is_near)
        return 0;
    size_t pages = r->reserve;
    if (kind == STORE_FREES_ROOM)
        pages = room_live_pages(txn) < r->live_pages ? r->reserve / 8 : r->reserve / 2;
    return probe(r, txn, pages);
}

int room_turn(struct room *r)
{
    MDB_txn *txn = NULL;
    int rc = mdb_txn_begin(r->env, NULL, 0, &txn);
    if (rc != 0)
        return store_errno(rc);
    size_t zero = 0;
    size_t number = mdb_txn_id(txn);
    MDB_val key = {sizeof(zero), &zero};
    MDB_val value = {sizeof(number), &number};
    rc = mdb_put(txn, r->table, &key, &value, 0);
    if (rc != 0)
        mdb_txn_abort(txn);
    else
        rc = mdb_txn_commit(txn);
    return store_errno(rc);
}
