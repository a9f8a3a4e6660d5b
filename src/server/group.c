#include "group.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "clock.h"
#include "log.h"

enum {
    GROUPS_IN_FLIGHT_MAX = 4,            /* more would only queue before the one writer */
    GROUP_BYTES_MAX = 256 * 1024 * 1024, /* far above what GROUP_FULL_BYTES lets come together */

    /* A group of this size goes on its way whatever the number of others: it gains nothing from
     * more company, and LMDB keeps the memory of its largest transaction for ever. */
    GROUP_FULL_BYTES = 4 * 1024 * 1024,

    /* A group with more memory than this is not used again, so that a burst leaves nothing behind.
     */
    GROUP_KEPT_BYTES_MAX = 2 * 1024 * 1024,
    ANSWER_HEADERS_MAX = 8,
};

struct waiter { /* in its request's arena */
    struct http_request *request;
    struct waiter *next;
    struct waiter *previous;
    struct group *group;
    struct str body;
    uint64_t since; /* the oldest group that was unsettled when this request came */
    bool has_duplicates;
    unsigned status;
    size_t header_count;
    struct http_header headers[ANSWER_HEADERS_MAX];
};

struct texts { /* many small texts in one buffer */
    struct buf bytes;
    size_t *ends;
    struct str *views; /* made when the group is closed: growing moves the bytes */
    size_t count;
    size_t cap;
};

struct group {
    struct store_job job;
    struct groups *owner;
    struct group *next; /* in the free or the done list */
    struct texts records;
    struct texts letters;
    struct hash128 *fingerprints; /* one a record */
    size_t fingerprint_cap;
    struct waiter *waiters;
    uint64_t number; /* in order of submission, from 1 */
    int64_t now_ms;
    int rc;
};

struct groups {
    struct groups_options options;
    struct groups_metrics metrics;
    struct group *open; /* never NULL */
    struct group *free;
    unsigned in_flight;
    uint64_t submitted; /* number of the newest group handed over */
    uint64_t settled;   /* ... and of the newest whose outcome is known; outcomes come in order */
    uint64_t failed;    /* the newest that failed; 0: none */
    bool is_full;       /* said in the log once, until there is room again */

    pthread_mutex_t mutex; /* guards done */
    struct group *done;    /* oldest first */
};

static bool texts_add(struct texts *t, struct str text)
{
    if (t->count == t->cap) {
        size_t cap = t->cap == 0 ? 64 : t->cap * 2;
        size_t *ends = realloc(t->ends, cap * sizeof(*ends));
        t->ends = ends == NULL ? t->ends : ends;
        struct str *views = realloc(t->views, cap * sizeof(*views));
        t->views = views == NULL ? t->views : views;
        if (ends == NULL || views == NULL)
            return false;
        t->cap = cap;
    }
    buf_append(&t->bytes, text);
    if (t->bytes.failed)
        return false;
    t->ends[t->count++] = t->bytes.len;
    return true;
}

static void texts_truncate(struct texts *t, size_t count)
{
    t->count = count;
    t->bytes.len = count == 0 ? 0 : t->ends[count - 1];
    t->bytes.failed = false;
}

static void texts_close(struct texts *t)
{
    size_t from = 0;
    for (size_t i = 0; i < t->count; i++) {
        t->views[i] = (struct str){t->bytes.ptr + from, t->ends[i] - from};
        from = t->ends[i];
    }
}

static void texts_free(struct texts *t)
{
    buf_fini(&t->bytes);
    free(t->ends);
    free(t->views);
}

static int apply(struct store_job *job, MDB_txn *txn)
{
    struct group *group = (struct group *)job;
    const struct groups_options *o = &group->owner->options;
    uint64_t first;
    int rc = 0;
    if (group->records.count > 0)
        rc = journal_append(o->journal, txn, group->records.views, group->records.count, &first);
    if (rc == 0 && group->records.count > 0 && o->dedupe != NULL)
        rc = dedupe_apply(o->dedupe, txn, group->fingerprints, group->records.count, group->now_ms);
    for (size_t i = 0; rc == 0 && i < group->letters.count; i++) {
        uint64_t id;
        rc = dead_put(o->dead, txn, group->letters.views[i], &id);
    }
    return rc;
}

static void done(struct store_job *job, int rc)
{
    struct group *group = (struct group *)job;
    struct groups *g = group->owner;
    if (rc == 0)
        journal_publish(g->options.journal);
    group->rc = rc;
    group->next = NULL;
    pthread_mutex_lock(&g->mutex);
    struct group **end = &g->done;
    while (*end != NULL)
        end = &(*end)->next;
    *end = group;
    /* Under the lock: once it is free, the listener may close the groups and the HTTP server. */
    http_wake(g->options.http);
    pthread_mutex_unlock(&g->mutex);
}

static struct group *group_new(struct groups *g)
{
    struct group *group = g->free;
    if (group != NULL) {
        g->free = group->next;
        group->next = NULL;
        return group;
    }
    group = calloc(1, sizeof(*group));
    if (group == NULL)
        return NULL;
    group->owner = g;
    group->job = (struct store_job){.apply = apply, .done = done, .kind = STORE_NEEDS_ROOM};
    buf_init(&group->records.bytes, GROUP_BYTES_MAX);
    buf_init(&group->letters.bytes, GROUP_BYTES_MAX);
    return group;
}

static void group_free(struct group *group)
{
    if (group == NULL)
        return;
    texts_free(&group->records);
    texts_free(&group->letters);
    free(group->fingerprints);
    free(group);
}

static size_t texts_memory(const struct texts *t)
{
    return t->bytes.cap + t->cap * (sizeof(*t->ends) + sizeof(*t->views));
}

static void recycle(struct groups *g, struct group *group)
{
    if (texts_memory(&group->records) + texts_memory(&group->letters) +
            group->fingerprint_cap * sizeof(*group->fingerprints) >
        GROUP_KEPT_BYTES_MAX) {
        group_free(group);
        return;
    }
    texts_truncate(&group->records, 0);
    texts_truncate(&group->letters, 0);
    group->waiters = NULL;
    group->next = g->free;
    g->free = group;
}

int groups_open(struct groups **out, const struct groups_options *options)
{
    struct groups *g = calloc(1, sizeof(*g));
    *out = NULL;
    if (g == NULL)
        return -ENOMEM;
    g->options = *options;
    pthread_mutex_init(&g->mutex, NULL);
    g->open = group_new(g);
    if (g->open == NULL) {
        groups_close(g);
        return -ENOMEM;
    }
    *out = g;
    return 0;
}

/* The requests outlive their group: group_forget finds nothing in them any more. */
static void forget_waiters(struct group *group)
{
    for (struct waiter *waiter = group->waiters; waiter != NULL; waiter = waiter->next)
        http_set_user(waiter->request, NULL);
}

void groups_close(struct groups *g)
{
    if (g == NULL)
        return;
    while (g->in_flight > 0) {
        pthread_mutex_lock(&g->mutex);
        struct group *group = g->done;
        g->done = group == NULL ? NULL : group->next;
        pthread_mutex_unlock(&g->mutex);
        if (group == NULL) {
            http_poll(g->options.http, -1); /* done() wakes it */
            continue;
        }
        forget_waiters(group);
        recycle(g, group);
        g->in_flight--;
    }
    if (g->open != NULL)
        forget_waiters(g->open);
    group_free(g->open);
    while (g->free != NULL) {
        struct group *next = g->free->next;
        group_free(g->free);
        g->free = next;
    }
    pthread_mutex_destroy(&g->mutex);
    free(g);
}

static size_t text_bytes(const struct group *group)
{
    return group->records.bytes.len + group->letters.bytes.len;
}

static bool add_fingerprints(struct group *group, const struct group_item *item)
{
    size_t need = group->records.count + item->record_count;
    if (need > group->fingerprint_cap) {
        size_t cap = need * 2;
        struct hash128 *grown = realloc(group->fingerprints, cap * sizeof(*grown));
        if (grown == NULL)
            return false;
        group->fingerprints = grown;
        group->fingerprint_cap = cap;
    }
    if (item->record_count > 0)
        memcpy(group->fingerprints + group->records.count, item->fingerprints,
               item->record_count * sizeof(*item->fingerprints));
    return true;
}

static bool add_texts(struct group *group, const struct group_item *item)
{
    size_t records = group->records.count;
    size_t letters = group->letters.count;
    bool ok = true;
    for (size_t i = 0; ok && i < item->record_count; i++)
        ok = texts_add(&group->records, item->records[i]);
    for (size_t i = 0; ok && i < item->letter_count; i++)
        ok = texts_add(&group->letters, item->letters[i]);
    if (!ok) {
        texts_truncate(&group->records, records);
        texts_truncate(&group->letters, letters);
    }
    return ok;
}

int group_add(struct groups *g, struct http_request *request, const struct group_item *item,
              unsigned status, const struct http_header *headers, size_t header_count,
              struct str body)
{
    struct group *group = g->open;
    struct waiter *waiter = arena_alloc(http_arena(request), sizeof(*waiter));
    assert(header_count <= ANSWER_HEADERS_MAX);
    if (waiter == NULL || !add_fingerprints(group, item) || !add_texts(group, item))
        return -ENOMEM;
    *waiter = (struct waiter){.request = request,
                              .next = group->waiters,
                              .group = group,
                              .since = g->settled + 1,
                              .has_duplicates = item->has_duplicates,
                              .body = body,
                              .status = status,
                              .header_count = header_count};
    memcpy(waiter->headers, headers, header_count * sizeof(*headers));
    if (group->waiters != NULL)
        group->waiters->previous = waiter;
    group->waiters = waiter;
    http_set_user(request, waiter);
    gauge_set(&g->metrics.waiting, gauge_get(&g->metrics.waiting) + 1);
    if (text_bytes(group) >= GROUP_FULL_BYTES)
        groups_submit(g);
    return 0;
}

void group_forget(struct groups *g, struct http_request *request)
{
    struct waiter *waiter = http_user(request);
    if (waiter == NULL)
        return;
    if (waiter->previous != NULL)
        waiter->previous->next = waiter->next;
    else
        waiter->group->waiters = waiter->next;
    if (waiter->next != NULL)
        waiter->next->previous = waiter->previous;
    http_set_user(request, NULL);
    gauge_set(&g->metrics.waiting, gauge_get(&g->metrics.waiting) - 1);
}

static bool is_empty(const struct group *group)
{
    return group->waiters == NULL && group->records.count == 0 && group->letters.count == 0;
}

void groups_submit(struct groups *g)
{
    struct group *group = g->open;
    if (is_empty(group) ||
        (g->in_flight >= GROUPS_IN_FLIGHT_MAX && text_bytes(group) < GROUP_FULL_BYTES))
        return;
    struct group *next = group_new(g);
    if (next == NULL)
        return; /* the open one goes on filling, and is handed over with the next call */
    texts_close(&group->records);
    texts_close(&group->letters);
    group->now_ms = clock_now_ms(g->options.clock);
    group->job.bytes = text_bytes(group);
    group->number = ++g->submitted;
    g->open = next;
    g->in_flight++;
    int rc = store_submit(g->options.store, &group->job);
    if (rc != 0)
        done(&group->job, rc);
}

static void answer_waiter(struct groups *g, struct waiter *waiter, int rc)
{
    static const struct http_header retry = {"Retry-After", "5"};
    struct http_request *request = waiter->request;
    histogram_observe_us(&g->metrics.ack_latency, monotonic_us() - http_received_us(request));
    http_set_user(request, NULL);
    if (rc == 0) {
        http_answer(request, waiter->status, waiter->headers, waiter->header_count, waiter->body);
        return;
    }
    counter_add(&g->metrics.refused_full, 1);
    struct http_header headers[ANSWER_HEADERS_MAX + 1];
    memcpy(headers, waiter->headers, waiter->header_count * sizeof(*headers));
    headers[waiter->header_count] = retry;
    http_answer(
        request, 503, headers, waiter->header_count + 1,
        rc == -ENOSPC
            ? STR("{\"success\":false,\"message\":\"The journal is full, nothing of this "
                  "request was kept. Please send it again later.\",\"code\":\"no_room\"}")
            : STR("{\"success\":false,\"message\":\"The journal cannot be written, nothing of "
                  "this request was kept. Please send it again later.\",\"code\":\"journal\"}"));
}

/* Says once that there is no room, and once that there is again. */
static void note_outcome(struct groups *g, int rc)
{
    bool was_full = gauge_get(&g->metrics.full) != 0;
    if (rc != 0 && !was_full)
        log_error("journal: cannot keep events (%s); clients get 503 until this is mended",
                  strerror(-rc));
    if (rc == 0 && was_full)
        log_info("journal: keeping events again");
    gauge_set(&g->metrics.full, rc != 0);
}

static void finish(struct groups *g, struct group *group)
{
    note_outcome(g, group->rc);
    if (group->rc == 0)
        counter_add(&g->metrics.records, group->records.count);
    else if (g->options.dedupe != NULL)
        for (size_t i = 0; i < group->records.count; i++)
            dedupe_retract(g->options.dedupe, group->fingerprints[i]);
    g->settled = group->number;
    if (group->rc != 0)
        g->failed = group->number;
    unsigned answered = 0;
    for (struct waiter *waiter = group->waiters; waiter != NULL; answered++) {
        struct waiter *next = waiter->next; /* the waiter dies with its request */
        /* A duplicate was left out because of a first copy that was then not kept: it was not kept
         * either. */
        bool lost_first_copy = waiter->has_duplicates && g->failed >= waiter->since;
        answer_waiter(g, waiter, group->rc == 0 && lost_first_copy ? -EAGAIN : group->rc);
        waiter = next;
    }
    gauge_set(&g->metrics.waiting, gauge_get(&g->metrics.waiting) - answered);
    recycle(g, group);
    g->in_flight--;
}

void groups_answer(struct groups *g)
{
    pthread_mutex_lock(&g->mutex);
    struct group *group = g->done;
    g->done = NULL;
    pthread_mutex_unlock(&g->mutex);
    while (group != NULL) {
        struct group *next = group->next;
        finish(g, group);
        group = next;
    }
}

bool groups_idle(const struct groups *g)
{
    return g->in_flight == 0 && is_empty(g->open);
}

const struct groups_metrics *groups_metrics(const struct groups *g)
{
    return &g->metrics;
}
