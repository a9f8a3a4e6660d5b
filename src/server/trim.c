#include "trim.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "cursor.h"
#include "envelope.h"
#include "log.h"

enum {
    TRIM_EVERY_MS = 1000,
    TRIM_AGAIN_MS = 10,        /* while there is more to delete, or a slice on its way */
    TRIM_SLICE_RECORDS = 5000, /* a few milliseconds of the committer's time */
    TRIM_EARLY_PERCENT = 80,   /* fuller than this: what is delivered goes whatever its age */
};

struct trimmer {
    struct store_job job;
    struct store *store;
    struct journal *journal;
    int64_t keep_ms;
    int64_t next_ms;
    uint64_t before;    /* the job's: records below this may go */
    bool is_slice_full; /* the job's: there may be more to delete */

    pthread_mutex_t mutex; /* guards the rest */
    pthread_cond_t idle;
    bool is_busy;
    bool has_more;
};

static int apply(struct store_job *job, MDB_txn *txn)
{
    struct trimmer *t = (struct trimmer *)job;
    uint64_t floor;
    size_t deleted;
    int rc = cursor_min_floor(t->store, txn, &floor);
    if (rc == 0)
        rc = journal_trim(t->journal, txn, floor < t->before ? floor : t->before,
                          TRIM_SLICE_RECORDS, &deleted);
    if (rc == 0)
        t->is_slice_full = deleted == TRIM_SLICE_RECORDS;
    return rc;
}

static void done(struct store_job *job, int rc)
{
    struct trimmer *t = (struct trimmer *)job;
    if (rc == 0)
        journal_publish(t->journal);
    else
        log_warn("journal: cannot trim: %s", strerror(-rc));
    pthread_mutex_lock(&t->mutex);
    t->is_busy = false;
    t->has_more = rc == 0 && t->is_slice_full;
    pthread_cond_signal(&t->idle);
    pthread_mutex_unlock(&t->mutex);
}

int trimmer_open(struct trimmer **out, struct store *store, struct journal *journal,
                 int64_t keep_ms)
{
    struct trimmer *t = calloc(1, sizeof(*t));
    *out = t;
    if (t == NULL)
        return -ENOMEM;
    *t = (struct trimmer){
        .job = {.apply = apply, .done = done, .kind = STORE_FREES_ROOM},
        .store = store,
        .journal = journal,
        .keep_ms = keep_ms,
    };
    pthread_mutex_init(&t->mutex, NULL);
    pthread_cond_init(&t->idle, NULL);
    return 0;
}

void trimmer_close(struct trimmer *t)
{
    if (t == NULL)
        return;
    pthread_mutex_lock(&t->mutex);
    while (t->is_busy)
        pthread_cond_wait(&t->idle, &t->mutex);
    pthread_mutex_unlock(&t->mutex);
    pthread_cond_destroy(&t->idle);
    pthread_mutex_destroy(&t->mutex);
    free(t);
}

struct age_question {
    int64_t received_at_ms;
    bool found;
};

static bool note_age(void *self, uint64_t position, struct str record)
{
    struct age_question *question = self;
    struct envelope envelope;
    (void)position;
    question->found = envelope_read(&envelope, record) == 0;
    question->received_at_ms = question->found ? envelope.received_at_ms : 0;
    return false;
}

static bool is_younger(struct trimmer *t, uint64_t position, int64_t than_ms)
{
    struct age_question question = {0};
    uint64_t next;
    return journal_read(t->journal, position, 1, note_age, &question, &next) == 0 &&
           question.found && question.received_at_ms >= than_ms;
}

/* The first position whose record came at `than_ms` or later; positions are in order of arrival. */
static uint64_t first_younger(struct trimmer *t, int64_t than_ms)
{
    uint64_t low = journal_first(t->journal);
    uint64_t high = journal_next(t->journal);
    if (low >= high || is_younger(t, low, than_ms))
        return low; /* the usual case: nothing is due */
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (is_younger(t, middle, than_ms))
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static void start_slice(struct trimmer *t)
{
    pthread_mutex_lock(&t->mutex);
    t->is_busy = true;
    pthread_mutex_unlock(&t->mutex);
    int rc = store_submit(t->store, &t->job);
    if (rc != 0)
        done(&t->job, rc);
}

int trimmer_tick(struct trimmer *t, int64_t now_ms)
{
    if (now_ms < t->next_ms && t->next_ms - now_ms <= TRIM_EVERY_MS)
        return (int)(t->next_ms - now_ms);
    pthread_mutex_lock(&t->mutex);
    bool is_busy = t->is_busy;
    bool has_more = t->has_more;
    pthread_mutex_unlock(&t->mutex);
    if (is_busy)
        return TRIM_AGAIN_MS;

    uint64_t used;
    uint64_t max;
    store_usage(t->store, &used, &max);
    bool is_short = used > max / 100 * TRIM_EARLY_PERCENT;
    t->before = is_short ? journal_next(t->journal) : first_younger(t, now_ms - t->keep_ms);
    has_more = has_more && t->before > journal_first(t->journal);
    if (t->before > journal_first(t->journal))
        start_slice(t);
    t->next_ms = now_ms + (has_more ? TRIM_AGAIN_MS : TRIM_EVERY_MS);
    return (int)(t->next_ms - now_ms);
}
