#include "cursor.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum {
    WORD_POSITIONS = 64,
    CHUNK_WORDS = CURSOR_CHUNK_POSITIONS / WORD_POSITIONS,
    CHUNK_BYTES = CURSOR_CHUNK_POSITIONS / 8,
    /* A window that starts in the middle of a chunk touches one chunk more. */
    RING_CHUNKS = CURSOR_WINDOW_POSITIONS / CURSOR_CHUNK_POSITIONS + 1,
    KEY_BYTES_MAX = CURSOR_NAME_BYTES_MAX + 1 + 8,
};
static_assert(KEY_BYTES_MAX <= 511, "LMDB's longest key");

/*
 * Two tables: "cursor" from destination to floor, "cursor_bits" from destination, NUL, chunk number
 * (big-endian, so that chunks lie in order) to the chunk's bits. Numbers in values are
 * little-endian words, as LMDB files are anyway tied to the machine's byte order.
 */
struct tables {
    MDB_dbi floors;
    MDB_dbi bits;
};

struct chunk {
    uint64_t words[CHUNK_WORDS];
};

struct cursor {
    struct tables tables;
    char name[CURSOR_NAME_BYTES_MAX];
    size_t name_bytes;
    uint64_t floor;
    bool floor_changed;
    struct chunk ring[RING_CHUNKS]; /* chunk n is ring[n % RING_CHUNKS] */
    bool changed[RING_CHUNKS];      /* since the last snapshot */
};

struct saved_chunk {
    uint64_t number;
    struct chunk chunk;
};

struct cursor_snapshot {
    struct tables tables;
    char name[CURSOR_NAME_BYTES_MAX];
    size_t name_bytes;
    uint64_t floor;
    size_t count;
    struct saved_chunk chunks[];
};

static uint64_t chunk_of(uint64_t position)
{
    return position / CURSOR_CHUNK_POSITIONS;
}

static uint64_t *word_of(struct cursor *c, uint64_t position)
{
    struct chunk *chunk = &c->ring[chunk_of(position) % RING_CHUNKS];
    return &chunk->words[position % CURSOR_CHUNK_POSITIONS / WORD_POSITIONS];
}

static uint64_t bit_of(uint64_t position)
{
    return (uint64_t)1 << position % WORD_POSITIONS;
}

static MDB_val chunk_key(char out[KEY_BYTES_MAX], const char *name, size_t name_bytes,
                         uint64_t number)
{
    memcpy(out, name, name_bytes);
    out[name_bytes] = '\0';
    for (size_t i = 0; i < 8; i++)
        out[name_bytes + 1 + i] = (char)(number >> (56 - 8 * i));
    return (MDB_val){name_bytes + 9, out};
}

/* Whether `key` is a chunk of that name; *number is which. */
static bool is_chunk_key(MDB_val key, const char *name, size_t name_bytes, uint64_t *number)
{
    const unsigned char *bytes = key.mv_data;
    if (key.mv_size != name_bytes + 9 || memcmp(bytes, name, name_bytes) != 0 ||
        bytes[name_bytes] != '\0')
        return false;
    *number = 0;
    for (size_t i = 0; i < 8; i++)
        *number = *number << 8 | bytes[name_bytes + 1 + i];
    return true;
}

static int open_tables(struct store *store, struct tables *tables)
{
    int rc = store_table(store, "cursor", 0, &tables->floors);
    return rc != 0 ? rc : store_table(store, "cursor_bits", 0, &tables->bits);
}

static int read_floor(const struct tables *tables, MDB_txn *txn, struct str name, uint64_t *floor)
{
    MDB_val key = {name.len, (void *)name.ptr};
    MDB_val value;
    int rc = store_errno(mdb_get(txn, tables->floors, &key, &value));
    if (rc == 0 && value.mv_size != sizeof(*floor))
        rc = -EBADMSG;
    if (rc == 0)
        memcpy(floor, value.mv_data, sizeof(*floor));
    return rc;
}

static int write_floor(const struct tables *tables, MDB_txn *txn, struct str name, uint64_t floor)
{
    MDB_val key = {name.len, (void *)name.ptr};
    MDB_val value = {sizeof(floor), &floor};
    return store_errno(mdb_put(txn, tables->floors, &key, &value, 0));
}

/* Deletes the chunks of `name` whose number is below `before`. */
static int delete_chunks(const struct tables *tables, MDB_txn *txn, struct str name,
                         uint64_t before)
{
    char bytes[KEY_BYTES_MAX];
    MDB_cursor *cursor = NULL;
    int rc = store_errno(mdb_cursor_open(txn, tables->bits, &cursor));
    if (rc != 0)
        return rc;
    while (rc == 0) {
        MDB_val key = chunk_key(bytes, name.ptr, name.len, 0);
        MDB_val value;
        uint64_t number;
        rc = store_errno(mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE));
        if (rc != 0 || !is_chunk_key(key, name.ptr, name.len, &number) || number >= before)
            break;
        rc = store_errno(mdb_cursor_del(cursor, 0));
    }
    mdb_cursor_close(cursor);
    return rc == -ENOENT ? 0 : rc;
}

/* Moves the floor over what is settled and clears the chunks it leaves,
 * which frees their places in the ring. */
static void raise_floor(struct cursor *c)
{
    for (;;) {
        uint64_t *word = word_of(c, c->floor);
        const uint64_t open = ~*word >> c->floor % WORD_POSITIONS;
        const uint64_t in_word = WORD_POSITIONS - c->floor % WORD_POSITIONS;
        const uint64_t settled = open == 0 ? in_word : (uint64_t)__builtin_ctzll(open);
        if (settled == 0)
            return;
        const uint64_t left = chunk_of(c->floor);
        c->floor += settled;
        c->floor_changed = true;
        if (chunk_of(c->floor) != left) {
            c->ring[left % RING_CHUNKS] = (struct chunk){0};
            c->changed[left % RING_CHUNKS] = false;
        }
        if (settled < in_word)
            return;
    }
}

static int load_chunks(struct cursor *c, MDB_txn *txn)
{
    char bytes[KEY_BYTES_MAX];
    MDB_cursor *cursor = NULL;
    MDB_val key = chunk_key(bytes, c->name, c->name_bytes, chunk_of(c->floor));
    MDB_val value;
    uint64_t number;
    int rc = store_errno(mdb_cursor_open(txn, c->tables.bits, &cursor));
    if (rc != 0)
        return rc;
    rc = store_errno(mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE));
    while (rc == 0 && is_chunk_key(key, c->name, c->name_bytes, &number)) {
        if (value.mv_size != CHUNK_BYTES || number - chunk_of(c->floor) >= RING_CHUNKS) {
            rc = -EBADMSG;
            break;
        }
        memcpy(&c->ring[number % RING_CHUNKS], value.mv_data, CHUNK_BYTES);
        rc = store_errno(mdb_cursor_get(cursor, &key, &value, MDB_NEXT));
    }
    mdb_cursor_close(cursor);
    return rc == -ENOENT ? 0 : rc;
}

static int load(struct cursor *c, struct store *store)
{
    MDB_txn *txn = NULL;
    int rc = store_read_begin(store, &txn);
    if (rc == 0)
        rc = read_floor(&c->tables, txn, (struct str){c->name, c->name_bytes}, &c->floor);
    if (rc == 0)
        rc = load_chunks(c, txn);
    store_read_end(txn);
    return rc;
}

struct name_job {
    struct store_job job;
    struct tables tables;
    struct str name;
    uint64_t start;
};

static int apply_start(struct store_job *job, MDB_txn *txn)
{
    struct name_job *n = (struct name_job *)job;
    return write_floor(&n->tables, txn, n->name, n->start);
}

static bool is_name(struct str name)
{
    return name.len > 0 && name.len <= CURSOR_NAME_BYTES_MAX && str_find(name, '\0') == name.len;
}

int cursor_open(struct cursor **out, struct store *store, struct str destination, uint64_t start,
                struct err *err)
{
    *out = NULL;
    if (!is_name(destination))
        return err_set(err, -EINVAL, 0, "a destination's name has 1 to %d bytes and no NUL",
                       CURSOR_NAME_BYTES_MAX);
    struct cursor *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return err_set(err, -ENOMEM, 0, "no memory for the cursor of %.*s", STR_ARG(destination));
    memcpy(c->name, destination.ptr, destination.len);
    c->name_bytes = destination.len;

    int rc = open_tables(store, &c->tables);
    if (rc == 0)
        rc = load(c, store);
    if (rc == -ENOENT) {
        struct name_job begin = {
            {.apply = apply_start, .kind = STORE_NEEDS_ROOM}, c->tables, destination, start};
        c->floor = start;
        rc = store_commit(store, &begin.job);
    }
    if (rc != 0) {
        cursor_close(c);
        return err_set(err, rc, 0, "cannot open the cursor of %.*s: %s", STR_ARG(destination),
                       strerror(-rc));
    }
    raise_floor(c);
    *out = c;
    return 0;
}

void cursor_close(struct cursor *c)
{
    free(c);
}

uint64_t cursor_floor(const struct cursor *c)
{
    return c->floor;
}

bool cursor_has_room(const struct cursor *c, uint64_t position)
{
    return position < c->floor || position - c->floor < CURSOR_WINDOW_POSITIONS;
}

bool cursor_is_settled(const struct cursor *c, uint64_t position)
{
    if (position < c->floor)
        return true;
    if (!cursor_has_room(c, position))
        return false;
    const struct chunk *chunk = &c->ring[chunk_of(position) % RING_CHUNKS];
    return (chunk->words[position % CURSOR_CHUNK_POSITIONS / WORD_POSITIONS] & bit_of(position)) !=
           0;
}

uint64_t cursor_next_open(const struct cursor *c, uint64_t position)
{
    if (position < c->floor)
        position = c->floor;
    while (cursor_has_room(c, position)) {
        const struct chunk *chunk = &c->ring[chunk_of(position) % RING_CHUNKS];
        const uint64_t word = chunk->words[position % CURSOR_CHUNK_POSITIONS / WORD_POSITIONS];
        const uint64_t open = ~word >> position % WORD_POSITIONS;
        if (open != 0)
            return position + (uint64_t)__builtin_ctzll(open);
        position += WORD_POSITIONS - position % WORD_POSITIONS;
    }
    return position;
}

void cursor_settle(struct cursor *c, uint64_t position)
{
    assert(cursor_has_room(c, position));
    if (cursor_is_settled(c, position))
        return;
    *word_of(c, position) |= bit_of(position);
    c->changed[chunk_of(position) % RING_CHUNKS] = true;
    if (position == c->floor)
        raise_floor(c);
}

/* Whether the chunk says anything that the floor and the disk do not:
 * bits below the floor are old news. */
static bool must_save(const struct cursor *c, uint64_t number)
{
    if (!c->changed[number % RING_CHUNKS])
        return false;
    if (number != chunk_of(c->floor))
        return true;
    const uint64_t *words = c->ring[number % RING_CHUNKS].words;
    size_t at = c->floor % CURSOR_CHUNK_POSITIONS / WORD_POSITIONS;
    uint64_t settled = words[at] >> c->floor % WORD_POSITIONS;
    while (settled == 0 && ++at < CHUNK_WORDS)
        settled = words[at];
    return settled != 0;
}

struct cursor_snapshot *cursor_snapshot(struct cursor *c, int *rc)
{
    const uint64_t first = chunk_of(c->floor);
    size_t count = 0;
    *rc = 0;
    for (uint64_t number = first; number < first + RING_CHUNKS; number++)
        count += must_save(c, number);
    if (count == 0 && !c->floor_changed)
        return NULL;
    struct cursor_snapshot *s = calloc(1, sizeof(*s) + count * sizeof(s->chunks[0]));
    if (s == NULL) {
        *rc = -ENOMEM;
        return NULL;
    }
    s->tables = c->tables;
    memcpy(s->name, c->name, c->name_bytes);
    s->name_bytes = c->name_bytes;
    s->floor = c->floor;
    for (uint64_t number = first; number < first + RING_CHUNKS; number++) {
        if (must_save(c, number))
            s->chunks[s->count++] = (struct saved_chunk){number, c->ring[number % RING_CHUNKS]};
        c->changed[number % RING_CHUNKS] = false;
    }
    c->floor_changed = false;
    assert(s->count == count);
    return s;
}

int cursor_snapshot_apply(struct cursor_snapshot *snapshot, MDB_txn *txn)
{
    const struct str name = {snapshot->name, snapshot->name_bytes};
    int rc = write_floor(&snapshot->tables, txn, name, snapshot->floor);
    for (size_t i = 0; rc == 0 && i < snapshot->count; i++) {
        char bytes[KEY_BYTES_MAX];
        MDB_val key = chunk_key(bytes, name.ptr, name.len, snapshot->chunks[i].number);
        MDB_val value = {CHUNK_BYTES, &snapshot->chunks[i].chunk};
        rc = store_errno(mdb_put(txn, snapshot->tables.bits, &key, &value, 0));
    }
    if (rc == 0)
        rc = delete_chunks(&snapshot->tables, txn, name, chunk_of(snapshot->floor));
    return rc;
}

void cursor_snapshot_lost(struct cursor *c, const struct cursor_snapshot *snapshot)
{
    c->floor_changed = true;
    for (size_t i = 0; i < snapshot->count; i++)
        if (snapshot->chunks[i].number >= chunk_of(c->floor))
            c->changed[snapshot->chunks[i].number % RING_CHUNKS] = true;
}

void cursor_snapshot_free(struct cursor_snapshot *snapshot)
{
    free(snapshot);
}

int cursor_min_floor(struct store *store, MDB_txn *txn, uint64_t *floor)
{
    MDB_dbi floors;
    MDB_cursor *cursor = NULL;
    MDB_val key;
    MDB_val value;
    *floor = UINT64_MAX;
    if (store_table_find(store, "cursor", &floors) != 0)
        return 0; /* nobody ever opened a cursor */
    int rc = store_errno(mdb_cursor_open(txn, floors, &cursor));
    if (rc != 0)
        return rc;
    while ((rc = store_errno(mdb_cursor_get(cursor, &key, &value, MDB_NEXT))) == 0) {
        uint64_t each;
        if (value.mv_size != sizeof(each)) {
            rc = -EBADMSG;
            break;
        }
        memcpy(&each, value.mv_data, sizeof(each));
        *floor = each < *floor ? each : *floor;
    }
    mdb_cursor_close(cursor);
    return rc == -ENOENT ? 0 : rc;
}

static uint64_t count_settled(const struct chunk *chunk, uint64_t number, uint64_t floor)
{
    const uint64_t first = number * CURSOR_CHUNK_POSITIONS;
    uint64_t count = 0;
    for (uint64_t i = 0; i < CHUNK_WORDS; i++) {
        const uint64_t at = first + i * WORD_POSITIONS;
        uint64_t word = chunk->words[i];
        if (at + WORD_POSITIONS <= floor)
            continue;
        if (at < floor)
            word = word >> (floor - at);
        count += (uint64_t)__builtin_popcountll(word);
    }
    return count;
}

static int count_chunks(MDB_cursor *cursor, struct cursor_place *place)
{
    char bytes[KEY_BYTES_MAX];
    struct str name = place->destination;
    MDB_val key = chunk_key(bytes, name.ptr, name.len, chunk_of(place->floor));
    MDB_val value;
    uint64_t number;
    int rc = store_errno(mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE));
    while (rc == 0 && is_chunk_key(key, name.ptr, name.len, &number)) {
        struct chunk chunk;
        if (value.mv_size != CHUNK_BYTES)
            return -EBADMSG;
        memcpy(&chunk, value.mv_data, sizeof(chunk)); /* LMDB aligns to two bytes only */
        place->settled_above += count_settled(&chunk, number, place->floor);
        rc = store_errno(mdb_cursor_get(cursor, &key, &value, MDB_NEXT));
    }
    return rc == -ENOENT ? 0 : rc;
}

static int each_floor(MDB_cursor *floors, MDB_cursor *bits,
                      bool (*on_place)(void *self, const struct cursor_place *place), void *self)
{
    MDB_val key;
    MDB_val value;
    int rc;
    while ((rc = store_errno(mdb_cursor_get(floors, &key, &value, MDB_NEXT))) == 0) {
        struct cursor_place place = {.destination = {key.mv_data, key.mv_size}};
        if (value.mv_size != sizeof(place.floor) || key.mv_size > CURSOR_NAME_BYTES_MAX)
            return -EBADMSG;
        memcpy(&place.floor, value.mv_data, sizeof(place.floor));
        rc = count_chunks(bits, &place);
        if (rc != 0 || !on_place(self, &place))
            return rc;
    }
    return rc == -ENOENT ? 0 : rc;
}

int cursor_each(struct store *store, bool (*on_place)(void *self, const struct cursor_place *place),
                void *self)
{
    struct tables tables;
    MDB_txn *txn = NULL;
    MDB_cursor *floors = NULL;
    MDB_cursor *bits = NULL;
    int rc = open_tables(store, &tables);
    if (rc != 0)
        return rc == -ENOENT ? 0 : rc; /* nobody ever opened a cursor */
    rc = store_read_begin(store, &txn);
    if (rc == 0)
        rc = store_errno(mdb_cursor_open(txn, tables.floors, &floors));
    if (rc == 0)
        rc = store_errno(mdb_cursor_open(txn, tables.bits, &bits));
    if (rc == 0)
        rc = each_floor(floors, bits, on_place, self);
    mdb_cursor_close(bits);
    mdb_cursor_close(floors);
    store_read_end(txn);
    return rc;
}

static int apply_forget(struct store_job *job, MDB_txn *txn)
{
    struct name_job *n = (struct name_job *)job;
    MDB_val key = {n->name.len, (void *)n->name.ptr};
    int rc = store_errno(mdb_del(txn, n->tables.floors, &key, NULL));
    if (rc != 0 && rc != -ENOENT)
        return rc;
    return delete_chunks(&n->tables, txn, n->name, UINT64_MAX);
}

int cursor_forget(struct store *store, struct str destination)
{
    if (!is_name(destination))
        return -EINVAL;
    struct name_job forget = {
        .job = {.apply = apply_forget, .kind = STORE_FREES_ROOM},
        .name = destination,
    };
    int rc = open_tables(store, &forget.tables);
    return rc != 0 ? rc : store_commit(store, &forget.job);
}
