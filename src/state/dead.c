#include "dead.h"

#include <errno.h>
#include <stdlib.h>

enum {
    /* dead_each copies this much at a time, so that no reader stays open while letters are looked
       at. */
    PORTION_LETTERS_MAX = 64,
    PORTION_BYTES_MAX = 1 << 20,
};

/* Key 0 of the table holds the next letter's number; letters have numbers from 1 on. */
static const uint64_t COUNTER = 0;

struct dead {
    struct store *store;
    MDB_dbi letters;
};

int dead_open(struct dead **out, struct store *store, struct err *err)
{
    *out = NULL;
    struct dead *d = calloc(1, sizeof(*d));
    if (d == NULL)
        return err_set(err, -ENOMEM, 0, "no memory for the dead letters");
    d->store = store;
    int rc = store_table(store, "dead", MDB_INTEGERKEY, &d->letters);
    if (rc != 0) {
        dead_close(d);
        return err_set(err, rc, 0, "cannot open the dead letters: %s", strerror(-rc));
    }
    *out = d;
    return 0;
}

void dead_close(struct dead *d)
{
    free(d);
}

static int put(struct dead *d, MDB_txn *txn, uint64_t id, const void *ptr, size_t bytes)
{
    MDB_val key = {sizeof(id), &id};
    MDB_val value = {bytes, (void *)ptr}; /* LMDB only reads it */
    return store_errno(mdb_put(txn, d->letters, &key, &value, 0));
}

int dead_put(struct dead *d, MDB_txn *txn, struct str letter, uint64_t *id)
{
    uint64_t counter = COUNTER;
    uint64_t next = 1;
    MDB_val key = {sizeof(counter), &counter};
    MDB_val value;
    int rc = store_errno(mdb_get(txn, d->letters, &key, &value));
    if (rc == 0 && value.mv_size != sizeof(next))
        return -EBADMSG;
    if (rc == 0)
        memcpy(&next, value.mv_data, sizeof(next));
    else if (rc != -ENOENT)
        return rc;
    *id = next++;
    rc = put(d, txn, *id, letter.ptr, letter.len);
    return rc != 0 ? rc : put(d, txn, COUNTER, &next, sizeof(next));
}

/* Letters copied out of the store. */
struct portion {
    size_t count;
    uint64_t ids[PORTION_LETTERS_MAX];
    size_t ends[PORTION_LETTERS_MAX]; /* of each letter in text */
    struct buf text;
    bool is_last;
};

/* Puts the cursor on the first letter to be seen: the one at `from`
 * or the next one in reading order. */
static int seek(MDB_cursor *cursor, uint64_t from, bool newest_first, MDB_val *key, MDB_val *value)
{
    *key = (MDB_val){sizeof(from), &from};
    int rc = mdb_cursor_get(cursor, key, value, MDB_SET_RANGE);
    if (!newest_first)
        return rc;
    if (rc == MDB_NOTFOUND)
        return mdb_cursor_get(cursor, key, value, MDB_LAST);
    if (rc == 0 && memcmp(key->mv_data, &from, sizeof(from)) != 0)
        return mdb_cursor_get(cursor, key, value, MDB_PREV);
    return rc;
}

static int copy_letters(MDB_cursor *cursor, uint64_t from, bool newest_first, struct portion *p)
{
    const MDB_cursor_op step = newest_first ? MDB_PREV : MDB_NEXT;
    MDB_val key;
    MDB_val value;
    int rc = store_errno(seek(cursor, from, newest_first, &key, &value));
    while (rc == 0 && p->count < PORTION_LETTERS_MAX) {
        uint64_t id;
        if (key.mv_size != sizeof(id))
            return -EBADMSG;
        memcpy(&id, key.mv_data, sizeof(id));
        if (id == COUNTER) {
            rc = -ENOENT; /* newest first ends here; oldest first never meets it */
            break;
        }
        /* One letter always goes in, whatever its size. */
        if (p->count > 0 && p->text.len + value.mv_size > PORTION_BYTES_MAX)
            break;
        buf_append(&p->text, (struct str){value.mv_data, value.mv_size});
        if (p->text.failed)
            return -ENOMEM;
        p->ids[p->count] = id;
        p->ends[p->count++] = p->text.len;
        rc = store_errno(mdb_cursor_get(cursor, &key, &value, step));
    }
    p->is_last = rc == -ENOENT;
    return rc == -ENOENT ? 0 : rc;
}

static int read_portion(struct dead *d, uint64_t from, bool newest_first, struct portion *p)
{
    MDB_txn *txn = NULL;
    MDB_cursor *cursor = NULL;
    p->count = 0;
    buf_reset(&p->text);
    int rc = store_read_begin(d->store, &txn);
    if (rc == 0)
        rc = store_errno(mdb_cursor_open(txn, d->letters, &cursor));
    if (rc == 0)
        rc = copy_letters(cursor, from, newest_first, p);
    if (cursor != NULL)
        mdb_cursor_close(cursor);
    store_read_end(txn);
    return rc;
}

/* False when on_letter has seen enough. */
static bool show_portion(const struct portion *p, bool (*on_letter)(void *, uint64_t, struct str),
                         void *self)
{
    size_t begin = 0;
    for (size_t i = 0; i < p->count; i++) {
        if (!on_letter(self, p->ids[i], str_slice(buf_str(&p->text), begin, p->ends[i])))
            return false;
        begin = p->ends[i];
    }
    return true;
}

int dead_each(struct dead *d, uint64_t from_id, bool newest_first,
              bool (*on_letter)(void *self, uint64_t id, struct str letter), void *self)
{
    struct portion *p = calloc(1, sizeof(*p));
    if (p == NULL)
        return -ENOMEM;
    /* The longest value LMDB has; only a single letter may pass PORTION_BYTES_MAX. */
    buf_init(&p->text, UINT32_MAX);
    uint64_t from = from_id == COUNTER ? COUNTER + 1 : from_id;
    int rc = 0;
    while (rc == 0) {
        rc = read_portion(d, from, newest_first, p);
        if (rc != 0 || !show_portion(p, on_letter, self) || p->is_last || p->count == 0)
            break;
        from = newest_first ? p->ids[p->count - 1] - 1 : p->ids[p->count - 1] + 1;
        if (from == COUNTER)
            break;
    }
    buf_fini(&p->text);
    free(p);
    return rc;
}

int dead_get(struct dead *d, uint64_t id, struct buf *out)
{
    MDB_txn *txn = NULL;
    MDB_val key = {sizeof(id), &id};
    MDB_val value;
    if (id == COUNTER)
        return -ENOENT;
    int rc = store_read_begin(d->store, &txn);
    if (rc == 0)
        rc = store_errno(mdb_get(txn, d->letters, &key, &value));
    if (rc == 0)
        buf_append(out, (struct str){value.mv_data, value.mv_size});
    store_read_end(txn);
    return rc == 0 && out->failed ? -ENOMEM : rc;
}

int dead_remove(struct dead *d, MDB_txn *txn, uint64_t id)
{
    MDB_val key = {sizeof(id), &id};
    return id == COUNTER ? -ENOENT : store_errno(mdb_del(txn, d->letters, &key, NULL));
}

int dead_count(struct dead *d, uint64_t *count)
{
    MDB_txn *txn = NULL;
    MDB_stat stat;
    int rc = store_read_begin(d->store, &txn);
    if (rc == 0)
        rc = store_errno(mdb_stat(txn, d->letters, &stat));
    if (rc == 0) /* the counter is there from the first letter on */
        *count = stat.ms_entries == 0 ? 0 : stat.ms_entries - 1;
    store_read_end(txn);
    return rc;
}
