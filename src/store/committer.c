#include "committer.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "clock.h"
#include "log.h"

enum {
    /* When this many jobs found no room each on its own, the rest of their kind is not tried this
     * time: a full store must answer quickly. */
    ALONE_FAILURES_MAX = 8,

    /* How often slots of readers that died are swept: they would keep
     * freed pages from being reused for ever. */
    READER_CHECK_COMMITS = 1024,
};

struct committer {
    MDB_env *env;
    struct room *room;
    struct resident *resident;
    struct store_metrics *metrics;
    pthread_t thread;

    pthread_mutex_t mutex; /* guards head, tail, stopping */
    pthread_cond_t wake;
    struct store_job *head;
    struct store_job *tail;
    bool stopping;

    /* The thread's own. */
    struct store_job *group[STORE_GROUP_JOBS_MAX];  /* in submission order */
    struct store_job *sorted[STORE_GROUP_JOBS_MAX]; /* the same, one kind after the other */
    unsigned alone_failures;                        /* of this group, and of this kind of job */
    int alone_rc;
    uint64_t commits_to_reader_check;
};

/* Blocks until there are jobs; 0 when there are none and there will be none. */
static size_t take_group(struct committer *c)
{
    size_t count = 0;
    size_t bytes = 0;
    pthread_mutex_lock(&c->mutex);
    while (c->head == NULL && !c->stopping)
        pthread_cond_wait(&c->wake, &c->mutex);
    while (c->head != NULL && count < STORE_GROUP_JOBS_MAX &&
           (count == 0 || bytes + c->head->bytes <= STORE_GROUP_BYTES_MAX)) {
        struct store_job *job = c->head;
        c->head = job->next;
        bytes += job->bytes;
        c->group[count++] = job;
    }
    if (c->head == NULL)
        c->tail = NULL;
    pthread_mutex_unlock(&c->mutex);
    return count;
}

static enum store_class strictest(struct store_job *const *jobs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (jobs[i]->kind == STORE_NEEDS_ROOM)
            return STORE_NEEDS_ROOM;
    return STORE_FREES_ROOM;
}

/* All of `jobs` in one durable transaction, or none. On failure *guilty is the job whose apply()
 * said so, or `count` when it was nobody's fault in particular. */
static int try_commit(struct committer *c, struct store_job *const *jobs, size_t count,
                      size_t *guilty)
{
    const enum store_class kind = strictest(jobs, count);
    const int64_t begun_us = monotonic_us();
    MDB_txn *txn = NULL;
    *guilty = count;
    int rc = store_errno(mdb_txn_begin(c->env, NULL, 0, &txn));
    if (rc == 0)
        rc = room_begin(c->room, txn, kind);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        rc = store_errno(jobs[i]->apply(jobs[i], txn));
        if (rc != 0)
            *guilty = i;
    }
    if (rc == 0)
        rc = room_check(c->room, txn, kind);
    if (rc == 0) {
        rc = store_errno(mdb_txn_commit(txn));
        txn = NULL; /* commit frees it, even when it fails */
    }
    mdb_txn_abort(txn);

    if (rc == 0) {
        counter_add(&c->metrics->commits, 1);
        histogram_observe_us(&c->metrics->commit_latency, monotonic_us() - begun_us);
    } else {
        counter_add(&c->metrics->commits_failed, 1);
    }
    return rc;
}

static void set_outcome(struct store_job *const *jobs, size_t count, int rc)
{
    for (size_t i = 0; i < count; i++)
        jobs[i]->rc = rc;
}

/* Whether the same jobs in smaller company may fare better. */
static bool is_about_room(int rc)
{
    return rc == -ENOSPC || rc == -EIO; /* LMDB calls a write that a full disk cut short EIO */
}

/* Commits jobs[0..count) together when that works, else in ever smaller
 * company, until whoever fails stands alone. */
static void commit_range(struct committer *c, struct store_job *const *jobs, size_t count)
{
    while (count > 0) {
        size_t guilty;
        if (c->alone_failures >= ALONE_FAILURES_MAX) {
            set_outcome(jobs, count, c->alone_rc);
            return;
        }
        int rc = try_commit(c, jobs, count, &guilty);
        if (rc == 0 || (count == 1 && !is_about_room(rc))) {
            set_outcome(jobs, count, rc);
            return;
        }
        if (count == 1) {
            jobs[0]->rc = c->alone_rc = rc;
            c->alone_failures++;
            return;
        }
        if (guilty < count && !is_about_room(rc)) {
            commit_range(c, jobs, guilty);
            jobs[guilty]->rc = rc;
            jobs += guilty + 1;
            count -= guilty + 1;
        } else {
            commit_range(c, jobs, count / 2);
            jobs += count / 2;
            count -= count / 2;
        }
    }
}

static void sweep_readers(struct committer *c)
{
    int dead = 0;
    if (mdb_reader_check(c->env, &dead) == 0 && dead > 0)
        log_info("store: freed %d reader slots of processes that died", dead);
    c->commits_to_reader_check = READER_CHECK_COMMITS;
}

/* The group did not fit as a whole. What frees room goes first and by itself. */
static void commit_without_room(struct committer *c, size_t count)
{
    size_t sorted = 0;
    for (size_t i = 0; i < count; i++)
        if (c->group[i]->kind == STORE_FREES_ROOM)
            c->sorted[sorted++] = c->group[i];
    const size_t freeing = sorted;
    for (size_t i = 0; i < count; i++)
        if (c->group[i]->kind == STORE_NEEDS_ROOM)
            c->sorted[sorted++] = c->group[i];
    assert(sorted == count);

    sweep_readers(c);
    /* That it fails is no news: the jobs are about to find out for themselves. */
    int rc = room_turn(c->room);
    if (rc != 0)
        log_debug("store: no room for the smallest commit (%d)", rc);
    commit_range(c, c->sorted, freeing);
    c->alone_failures = 0;
    commit_range(c, c->sorted + freeing, count - freeing);
}

static void commit_group(struct committer *c, size_t count)
{
    size_t guilty;
    c->alone_failures = 0;
    int rc = try_commit(c, c->group, count, &guilty);
    if (rc == 0)
        set_outcome(c->group, count, 0);
    else if (is_about_room(rc))
        commit_without_room(c, count);
    else
        commit_range(c, c->group, count);
}

static void *committer_main(void *self)
{
    struct committer *c = self;
    size_t count;
    while ((count = take_group(c)) > 0) {
        commit_group(c, count);
        for (size_t i = 0; i < count; i++) {
            struct store_job *job = c->group[i];
            /* Durable or refused: only now. The job is not ours any more. */
            job->done(job, job->rc);
        }
        resident_bound(c->resident);
        if (--c->commits_to_reader_check == 0)
            sweep_readers(c);
    }
    return NULL;
}

int committer_start(struct committer **out, MDB_env *env, struct room *room,
                    struct resident *resident, struct store_metrics *metrics)
{
    *out = NULL;
    struct committer *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return -ENOMEM;
    c->env = env;
    c->room = room;
    c->resident = resident;
    c->metrics = metrics;
    c->commits_to_reader_check = READER_CHECK_COMMITS;
    pthread_mutex_init(&c->mutex, NULL);
    pthread_cond_init(&c->wake, NULL);
    int rc = pthread_create(&c->thread, NULL, committer_main, c);
    if (rc != 0) {
        pthread_cond_destroy(&c->wake);
        pthread_mutex_destroy(&c->mutex);
        free(c);
        return -rc;
    }
    pthread_setname_np(c->thread, "committer");
    *out = c;
    return 0;
}

int committer_submit(struct committer *c, struct store_job *job)
{
    job->next = NULL;
    pthread_mutex_lock(&c->mutex);
    const bool stopping = c->stopping;
    if (!stopping) {
        if (c->tail == NULL)
            c->head = job;
        else
            c->tail->next = job;
        c->tail = job;
        pthread_cond_signal(&c->wake);
    }
    pthread_mutex_unlock(&c->mutex);
    return stopping ? -ESHUTDOWN : 0;
}

void committer_stop(struct committer *c)
{
    if (c == NULL)
        return;
    pthread_mutex_lock(&c->mutex);
    c->stopping = true;
    pthread_cond_signal(&c->wake);
    pthread_mutex_unlock(&c->mutex);
    pthread_join(c->thread, NULL);
    pthread_cond_destroy(&c->wake);
    pthread_mutex_destroy(&c->mutex);
    free(c);
}
