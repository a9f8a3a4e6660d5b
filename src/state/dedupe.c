#include "dedupe.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

enum {
    MESSAGES_MAX = 1 << 30,

    /* Old records dropped with each new one; each commit adds one, so two would do to keep up. */
    PRUNE_RECORDS_MAX = 8,

    EASE_RECORDS = 64, /* read between two looks at how much memory they take: about a megabyte */

    WINDOW_S = DEDUPE_WINDOW_MS / 1000,
};

/* Sets fingerprints apart from other hashes. What is stored depends on it: it never changes. */
static const uint64_t FINGERPRINT_SEED = 0x73706c7472646564;

/* Key 0 of the log holds `struct log_state`; records have keys from 1 on. A record is the time in
 * milliseconds (8 bytes) and the fingerprints (16 bytes each). */
static const uint64_t LOG_STATE = 0;

struct log_state {
    uint64_t next;     /* key of the next record */
    uint64_t messages; /* in all records */
};

struct log_record {
    int64_t at_ms;
    const char *fingerprints; /* not aligned */
    size_t count;
};

/*
 * In memory: a ring of fingerprints, oldest first, and an open-addressing table that
 * finds a fingerprint's place in the ring. A retracted one stays in the ring, unknown
 * to the table, until its turn to leave comes.
 */
struct dedupe {
    struct store *store;
    MDB_dbi log;
    uint32_t messages_max; /* places in the ring */

    uint32_t oldest; /* place */
    uint32_t count;
    struct hash128 *fingerprints;
    uint32_t *at_s; /* when each was admitted, seconds since 1970: lasts until 2106 */

    uint32_t *table; /* place + 1; 0 is free. Linear probing */
    uint32_t mask;
    struct hash128 secret; /* of this process */
};

/* Who knows the hash could choose ids that all fall on one place of the table and make every
 * look-up a long walk; without the secret nobody can. */
static uint32_t home_of(const struct dedupe *d, struct hash128 f)
{
    __extension__ typedef unsigned __int128 wide;
    const wide product = (wide)(f.low ^ d->secret.low) * (f.high ^ d->secret.high);
    return (uint32_t)(product ^ product >> 64) & d->mask;
}

static bool is_same(struct hash128 a, struct hash128 b)
{
    return a.low == b.low && a.high == b.high;
}

/* Where in the table the fingerprint is, or the free entry where it would be. */
static uint32_t entry_of(const struct dedupe *d, struct hash128 f)
{
    uint32_t at = home_of(d, f);
    while (d->table[at] != 0 && !is_same(d->fingerprints[d->table[at] - 1], f))
        at = (at + 1) & d->mask;
    return at;
}

/* Frees an entry and moves those after it back, so that no walk ends too early. */
static void remove_entry(struct dedupe *d, uint32_t hole)
{
    for (uint32_t at = (hole + 1) & d->mask; d->table[at] != 0; at = (at + 1) & d->mask) {
        const uint32_t home = home_of(d, d->fingerprints[d->table[at] - 1]);
        if (((at - home) & d->mask) >= ((at - hole) & d->mask)) {
            d->table[hole] = d->table[at];
            hole = at;
        }
    }
    d->table[hole] = 0;
}

static void forget_oldest(struct dedupe *d)
{
    const uint32_t at = entry_of(d, d->fingerprints[d->oldest]);
    if (d->table[at] == d->oldest + 1) /* else it was retracted, or came again later */
        remove_entry(d, at);
    d->oldest = d->oldest + 1 == d->messages_max ? 0 : d->oldest + 1;
    d->count--;
}

static uint32_t seconds(int64_t ms)
{
    return ms < 0 ? 0 : (uint32_t)(ms / 1000);
}

static bool has_left(uint32_t at_s, uint32_t now_s)
{
    return now_s > at_s && now_s - at_s > WINDOW_S;
}

bool dedupe_admit(struct dedupe *d, struct hash128 fingerprint, int64_t now_ms)
{
    const uint32_t now_s = seconds(now_ms);
    while (d->count > 0 && has_left(d->at_s[d->oldest], now_s))
        forget_oldest(d);
    if (d->table[entry_of(d, fingerprint)] != 0)
        return false;
    if (d->count == d->messages_max)
        forget_oldest(d);
    uint64_t place = (uint64_t)d->oldest + d->count;
    place = place >= d->messages_max ? place - d->messages_max : place;
    d->fingerprints[place] = fingerprint;
    d->at_s[place] = now_s;
    d->count++;
    d->table[entry_of(d, fingerprint)] = (uint32_t)place + 1;
    return true;
}

void dedupe_retract(struct dedupe *d, struct hash128 fingerprint)
{
    const uint32_t at = entry_of(d, fingerprint);
    if (d->table[at] != 0)
        remove_entry(d, at);
}

struct hash128 dedupe_fingerprint(struct str source, struct str message_id)
{
    /* The source's own hash as the seed: no pair of texts can be cut
     * at another place and give the same. */
    return hash128_str_seed(message_id, hash_str_seed(source, FINGERPRINT_SEED));
}

static int parse_record(MDB_val value, struct log_record *record)
{
    if (value.mv_size < sizeof(record->at_ms) ||
        (value.mv_size - sizeof(record->at_ms)) % sizeof(struct hash128) != 0)
        return -EBADMSG;
    memcpy(&record->at_ms, value.mv_data, sizeof(record->at_ms));
    record->fingerprints = (const char *)value.mv_data + sizeof(record->at_ms);
    record->count = (value.mv_size - sizeof(record->at_ms)) / sizeof(struct hash128);
    return 0;
}

/* The record under the cursor at `op`; -ENOENT when there is none or it is the state. */
static int record_at(MDB_cursor *cursor, MDB_cursor_op op, MDB_val *key, struct log_record *record)
{
    MDB_val value;
    int rc = store_errno(mdb_cursor_get(cursor, key, &value, op));
    if (rc != 0)
        return rc;
    if (key->mv_size != sizeof(LOG_STATE))
        return -EBADMSG;
    if (memcmp(key->mv_data, &LOG_STATE, sizeof(LOG_STATE)) == 0)
        return -ENOENT;
    return parse_record(value, record);
}

/* As record_at; the records lie far apart between the events, and each maps its neighbours. */
static int next_at(MDB_cursor *cursor, MDB_cursor_op op, MDB_val *key, struct log_record *record,
                   unsigned *count)
{
    if (++*count % EASE_RECORDS == 0)
        store_read_ease(mdb_cursor_txn(cursor));
    return record_at(cursor, op, key, record);
}

/* Walks back until there is enough, then forward. */
static int load_records(struct dedupe *d, MDB_cursor *cursor, int64_t now_ms)
{
    uint64_t first = LOG_STATE + 1;
    MDB_val key;
    struct log_record record;
    uint64_t messages = 0;
    unsigned count = 0;
    MDB_cursor_op op = MDB_LAST;
    int rc;
    while ((rc = next_at(cursor, op, &key, &record, &count)) == 0 && messages < d->messages_max &&
           !has_left(seconds(record.at_ms), seconds(now_ms))) {
        messages += record.count;
        op = MDB_PREV;
    }
    if (op == MDB_LAST) /* nothing to load */
        return rc == -ENOENT ? 0 : rc;
    op = MDB_GET_CURRENT;
    if (rc == -ENOENT) { /* the walk went through all of them, to the state */
        key = (MDB_val){sizeof(first), &first};
        op = MDB_SET_RANGE;
    }
    while (rc == 0 || rc == -ENOENT) {
        rc = next_at(cursor, op, &key, &record, &count);
        if (rc != 0)
            break;
        for (size_t i = 0; i < record.count; i++) {
            struct hash128 f;
            memcpy(&f, record.fingerprints + i * sizeof(f), sizeof(f));
            dedupe_admit(d, f, record.at_ms);
        }
        op = MDB_NEXT;
    }
    return rc == -ENOENT ? 0 : rc;
}

static int load(struct dedupe *d, int64_t now_ms)
{
    MDB_txn *txn = NULL;
    MDB_cursor *cursor = NULL;
    int rc = store_read_begin(d->store, &txn);
    if (rc == 0)
        rc = store_errno(mdb_cursor_open(txn, d->log, &cursor));
    if (rc == 0)
        rc = load_records(d, cursor, now_ms);
    if (cursor != NULL)
        mdb_cursor_close(cursor);
    store_read_end(txn);
    return rc;
}

static int allocate(struct dedupe *d, uint32_t messages_max)
{
    /* At most three quarters full: between 5.3 and 10.7 bytes a message, beside 20 in the ring. */
    uint64_t entries = 4;
    while (entries * 3 < (uint64_t)messages_max * 4)
        entries *= 2;
    d->messages_max = messages_max;
    d->mask = (uint32_t)(entries - 1);
    d->fingerprints = calloc(messages_max, sizeof(d->fingerprints[0]));
    d->at_s = calloc(messages_max, sizeof(d->at_s[0]));
    d->table = calloc(entries, sizeof(d->table[0]));
    if (d->fingerprints == NULL || d->at_s == NULL || d->table == NULL)
        return -ENOMEM;
    return getrandom(&d->secret, sizeof(d->secret), 0) == (ssize_t)sizeof(d->secret) ? 0 : -EIO;
}

int dedupe_open(struct dedupe **out, struct store *store, uint32_t messages_max, int64_t now_ms,
                struct err *err)
{
    *out = NULL;
    if (messages_max < 1 || messages_max > MESSAGES_MAX)
        return err_set(err, -EINVAL, 0, "a window of %u messages, expected 1 to %d", messages_max,
                       MESSAGES_MAX);
    struct dedupe *d = calloc(1, sizeof(*d));
    int rc = d == NULL ? -ENOMEM : allocate(d, messages_max);
    if (rc == 0) {
        d->store = store;
        rc = store_table(store, "dedupe", MDB_INTEGERKEY, &d->log);
    }
    if (rc == 0)
        rc = load(d, now_ms);
    if (rc != 0) {
        dedupe_close(d);
        return err_set(err, rc, 0, "cannot open the window of known messages: %s", strerror(-rc));
    }
    *out = d;
    return 0;
}

void dedupe_close(struct dedupe *d)
{
    if (d == NULL)
        return;
    free(d->table);
    free(d->at_s);
    free(d->fingerprints);
    free(d);
}

static int read_state(struct dedupe *d, MDB_txn *txn, struct log_state *state)
{
    uint64_t number = LOG_STATE;
    MDB_val key = {sizeof(number), &number};
    MDB_val value;
    *state = (struct log_state){.next = LOG_STATE + 1};
    int rc = store_errno(mdb_get(txn, d->log, &key, &value));
    if (rc == -ENOENT)
        return 0;
    if (rc == 0 && value.mv_size != sizeof(*state))
        rc = -EBADMSG;
    if (rc == 0)
        memcpy(state, value.mv_data, sizeof(*state));
    return rc;
}

static int write_record(struct dedupe *d, MDB_txn *txn, uint64_t number,
                        const struct hash128 *fingerprints, size_t count, int64_t now_ms)
{
    MDB_val key = {sizeof(number), &number};
    MDB_val value = {sizeof(now_ms) + count * sizeof(*fingerprints), NULL};
    int rc = store_errno(mdb_put(txn, d->log, &key, &value, MDB_RESERVE | MDB_APPEND));
    if (rc != 0)
        return rc;
    memcpy(value.mv_data, &now_ms, sizeof(now_ms));
    memcpy((char *)value.mv_data + sizeof(now_ms), fingerprints, count * sizeof(*fingerprints));
    return 0;
}

/* Drops the oldest records that are too old, or not needed for the newest messages_max. */
static int prune(struct dedupe *d, MDB_txn *txn, struct log_state *state, int64_t now_ms)
{
    MDB_cursor *cursor = NULL;
    int rc = store_errno(mdb_cursor_open(txn, d->log, &cursor));
    if (rc != 0)
        return rc;
    for (int i = 0; rc == 0 && i < PRUNE_RECORDS_MAX; i++) {
        uint64_t first = LOG_STATE + 1;
        MDB_val key = {sizeof(first), &first};
        struct log_record record;
        rc = record_at(cursor, MDB_SET_RANGE, &key, &record);
        if (rc != 0 || (!has_left(seconds(record.at_ms), seconds(now_ms)) &&
                        state->messages < (uint64_t)d->messages_max + record.count))
            break;
        const uint64_t count = record.count;
        rc = store_errno(mdb_cursor_del(cursor, 0));
        if (rc == 0)
            state->messages -= count < state->messages ? count : state->messages;
    }
    mdb_cursor_close(cursor);
    return rc == -ENOENT ? 0 : rc;
}

int dedupe_apply(struct dedupe *d, MDB_txn *txn, const struct hash128 *fingerprints, size_t count,
                 int64_t now_ms)
{
    struct log_state state;
    int rc = read_state(d, txn, &state);
    if (rc == 0 && count > 0) {
        rc = write_record(d, txn, state.next, fingerprints, count, now_ms);
        state.next++;
        state.messages += count;
    }
    if (rc == 0)
        rc = prune(d, txn, &state, now_ms);
    if (rc != 0)
        return rc;
    uint64_t number = LOG_STATE;
    MDB_val key = {sizeof(number), &number};
    MDB_val value = {sizeof(state), &state};
    return store_errno(mdb_put(txn, d->log, &key, &value, 0));
}
