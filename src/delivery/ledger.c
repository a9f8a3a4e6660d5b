#include "ledger.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "buf.h"
#include "log.h"

/* Dead letters, one after the other. */
struct letters {
    struct buf text;
    size_t *ends;
    size_t count;
    size_t cap;
};

enum job_state {
    JOB_NONE,
    JOB_WAITING,   /* filled, not handed over: the store refused it before */
    JOB_UNDER_WAY, /* the committer's */
    JOB_ENDED,
};

struct ledger {
    struct ledger_options options;
    struct cursor *cursor;
    struct origin *oldest;
    struct origin *newest;
    struct origin *late; /* where the last one out of order began: the next is near it; or NULL */
    bool is_changed;     /* something was settled since the last snapshot */
    struct letters pending; /* for the next job */

    struct store_job job;
    struct letters writing;
    struct cursor_snapshot *snapshot;
    uint64_t snapshot_floor;
    uint64_t durable_floor;
    int64_t retry_ms;
    bool has_complained;

    pthread_mutex_t mutex; /* with `ended`: for waiting until the committer writes state */
    pthread_cond_t ended;
    _Atomic enum job_state
        state; /* the committer's to write while JOB_UNDER_WAY, and job_rc with it */
    int job_rc;
};

static void letters_init(struct letters *letters)
{
    *letters = (struct letters){0};
    buf_init(&letters->text, LEDGER_LETTERS_BYTES_MAX);
}

static void letters_fini(struct letters *letters)
{
    buf_fini(&letters->text);
    free(letters->ends);
}

static int letters_add(struct letters *letters, struct str text)
{
    if (letters->count == letters->cap) {
        size_t cap = letters->cap == 0 ? 64 : letters->cap * 2;
        size_t *ends = realloc(letters->ends, cap * sizeof(*ends));
        if (ends == NULL)
            return -ENOMEM;
        letters->ends = ends;
        letters->cap = cap;
    }
    buf_append(&letters->text, text);
    if (letters->text.failed) {
        letters->text.failed = false; /* what was in it is whole */
        return -ENOMEM;
    }
    letters->ends[letters->count++] = letters->text.len;
    return 0;
}

/* On the committer thread, inside its transaction; may run more than once. */
static int apply(struct store_job *job, MDB_txn *txn)
{
    struct ledger *l = (struct ledger *)((char *)job - offsetof(struct ledger, job));
    const struct letters *letters = &l->writing;
    size_t from = 0;
    for (size_t i = 0; i < letters->count; i++) {
        uint64_t id;
        struct str text = str_slice(buf_str(&letters->text), from, letters->ends[i]);
        int rc = dead_put(l->options.dead, txn, text, &id);
        if (rc != 0)
            return rc;
        from = letters->ends[i];
    }
    return l->snapshot == NULL ? 0 : cursor_snapshot_apply(l->snapshot, txn);
}

static void on_done(struct store_job *job, int rc)
{
    struct ledger *l = (struct ledger *)((char *)job - offsetof(struct ledger, job));
    void (*wake)(void *self) = l->options.wake;
    void *self = l->options.self;
    pthread_mutex_lock(&l->mutex);
    l->job_rc = rc;
    l->state = JOB_ENDED;
    pthread_cond_signal(&l->ended);
    /* Under the lock: once it is free, the owner may close the ledger and what wake reaches. */
    wake(self);
    pthread_mutex_unlock(&l->mutex);
}

int ledger_open(struct ledger **out, const struct ledger_options *options, struct err *err)
{
    struct ledger *l = calloc(1, sizeof(*l));
    if (l == NULL)
        return err_set(err, -ENOMEM, 0, "no memory for a destination");
    l->options = *options;
    int rc = cursor_open(&l->cursor, options->store, options->destination, options->start, err);
    if (rc != 0) {
        free(l);
        return rc;
    }
    l->durable_floor = cursor_floor(l->cursor);
    letters_init(&l->pending);
    letters_init(&l->writing);
    pthread_mutex_init(&l->mutex, NULL);
    pthread_cond_init(&l->ended, NULL);
    l->job = (struct store_job){.apply = apply, .done = on_done, .kind = STORE_FREES_ROOM};
    *out = l;
    return 0;
}

static void wait_for_job(struct ledger *l)
{
    pthread_mutex_lock(&l->mutex);
    while (l->state == JOB_UNDER_WAY)
        pthread_cond_wait(&l->ended, &l->mutex);
    pthread_mutex_unlock(&l->mutex);
}

void ledger_close(struct ledger *l)
{
    if (l == NULL)
        return;
    wait_for_job(l);
    while (l->oldest != NULL) {
        struct origin *newer = l->oldest->newer;
        stock_give(l->options.stock, l->oldest);
        l->oldest = newer;
    }
    cursor_snapshot_free(l->snapshot);
    cursor_close(l->cursor);
    letters_fini(&l->pending);
    letters_fini(&l->writing);
    pthread_cond_destroy(&l->ended);
    pthread_mutex_destroy(&l->mutex);
    free(l);
}

uint64_t ledger_floor(const struct ledger *l)
{
    return cursor_floor(l->cursor);
}

uint64_t ledger_durable_floor(const struct ledger *l)
{
    return l->durable_floor;
}

bool ledger_is_settled(const struct ledger *l, uint64_t position)
{
    return cursor_is_settled(l->cursor, position);
}

uint64_t ledger_next_open(const struct ledger *l, uint64_t position)
{
    return cursor_next_open(l->cursor, position);
}

bool ledger_has_room(const struct ledger *l, uint64_t position)
{
    return cursor_has_room(l->cursor, position);
}

bool ledger_has_space(const struct ledger *l)
{
    return l->pending.text.len < LEDGER_LETTERS_BYTES_SOFT;
}

/* Those that are read late come in ascending order too: a walk from the last one is short, from an
 * end it would pass all that is open, each time. There is one above: the newest. */
static struct origin *first_above(const struct ledger *l, uint64_t position)
{
    struct origin *origin = l->late == NULL ? l->oldest : l->late;
    while (origin->older != NULL && origin->older->position > position)
        origin = origin->older;
    while (origin->position < position)
        origin = origin->newer;
    return origin;
}

struct origin *ledger_begin(struct ledger *l, uint64_t position, int64_t received_at_ms)
{
    struct origin *origin = stock_take(l->options.stock, sizeof(*origin));
    if (origin == NULL)
        return NULL;
    struct origin *newer = NULL;
    if (l->newest != NULL && l->newest->position > position)
        newer = first_above(l, position);
    *origin = (struct origin){
        .older = newer == NULL ? l->newest : newer->older,
        .newer = newer,
        .position = position,
        .received_at_ms = received_at_ms,
        .shares = 1,
    };
    assert(origin->older == NULL || origin->older->position < position);
    *(origin->older == NULL ? &l->oldest : &origin->older->newer) = origin;
    *(newer == NULL ? &l->newest : &newer->older) = origin;
    if (newer != NULL)
        l->late = origin;
    return origin;
}

void ledger_withdraw(struct ledger *l, struct origin *origin)
{
    if (l->late == origin)
        l->late = origin->older;
    if (origin->older == NULL)
        l->oldest = origin->newer;
    else
        origin->older->newer = origin->newer;
    if (origin->newer == NULL)
        l->newest = origin->older;
    else
        origin->newer->older = origin->older;
    stock_give(l->options.stock, origin);
}

bool ledger_settle(struct ledger *l, struct origin *origin)
{
    assert(origin->shares > 0);
    if (--origin->shares > 0)
        return false;
    ledger_skip(l, origin->position);
    ledger_withdraw(l, origin);
    return true;
}

void ledger_skip(struct ledger *l, uint64_t position)
{
    cursor_settle(l->cursor, position);
    l->is_changed = true;
}

int ledger_bury(struct ledger *l, struct str letter)
{
    return letters_add(&l->pending, letter);
}

/* Moves what is new into the job. False: there is nothing, or no memory for the snapshot now. */
static bool fill_job(struct ledger *l)
{
    if (!l->is_changed && l->pending.count == 0)
        return false;
    int rc = 0;
    l->snapshot = cursor_snapshot(l->cursor, &rc);
    if (rc != 0)
        return false; /* what is changed stays so, and the next round tries again */
    l->snapshot_floor = cursor_floor(l->cursor);
    l->is_changed = false;
    struct letters empty = l->writing;
    l->writing = l->pending;
    l->pending = empty;
    if (l->snapshot == NULL && l->writing.count == 0)
        return false;
    l->state = JOB_WAITING;
    return true;
}

static void take_result(struct ledger *l, int64_t now_ms)
{
    if (l->job_rc != 0) {
        if (!l->has_complained)
            log_error("%.*s: what was delivered cannot be stored (%s); trying again until it can",
                      STR_ARG(l->options.destination), strerror(-l->job_rc));
        l->has_complained = true;
        l->retry_ms = now_ms + LEDGER_RETRY_MS;
        l->state = JOB_WAITING;
        return;
    }
    if (l->has_complained)
        log_info("%.*s: deliveries are stored again", STR_ARG(l->options.destination));
    l->has_complained = false;
    cursor_snapshot_free(l->snapshot);
    l->snapshot = NULL;
    letters_fini(&l->writing); /* may have been large once; most of the time there are none */
    letters_init(&l->writing);
    l->retry_ms = 0;
    l->durable_floor = l->snapshot_floor;
    l->state = JOB_NONE;
}

void ledger_commit(struct ledger *l, int64_t now_ms)
{
    if (l->state == JOB_UNDER_WAY)
        return;
    if (l->state == JOB_ENDED)
        take_result(l, now_ms);
    if (l->state == JOB_NONE && !fill_job(l))
        return;
    if (now_ms < l->retry_ms)
        return;
    l->job.bytes = l->writing.text.len;
    l->state = JOB_UNDER_WAY;
    int rc = store_submit(l->options.store, &l->job);
    if (rc != 0) {
        l->job_rc = rc;
        take_result(l, now_ms);
    }
}

static bool is_flushed(const struct ledger *l)
{
    return !l->is_changed && l->pending.count == 0 && l->state == JOB_NONE;
}

int ledger_flush(struct ledger *l)
{
    /* The job under way, what it failed to write, and what came meanwhile. */
    for (int round = 0; round < 3 && !is_flushed(l); round++) {
        l->retry_ms = 0;
        ledger_commit(l, 0);
        wait_for_job(l);
        if (l->state == JOB_ENDED)
            take_result(l, 0);
    }
    if (is_flushed(l))
        return 0;
    return l->job_rc != 0 ? l->job_rc : -ENOMEM;
}

int64_t ledger_due_ms(const struct ledger *l)
{
    return l->state == JOB_WAITING ? l->retry_ms : INT64_MAX;
}

const struct origin *ledger_oldest(const struct ledger *l)
{
    return l->oldest;
}
