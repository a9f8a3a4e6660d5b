#include "dispatch.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "log.h"
#include "sender.h"

static_assert((int)ITEM_PATH_BYTES_MAX <= (int)SENDER_PATH_BYTES_MAX,
              "every item's path can be sent");

enum {
    NO_MEMORY_WAIT_MS = 1000,
    VERDICT_ARENA_BYTES_MAX = 16 * 1024 * 1024, /* an answer of REPLY_BODY_BYTES_MAX as values */
};

struct queue {
    struct batch *first;
    struct batch *last;
};

struct dispatch {
    struct dispatch_options options;
    struct pack *pack;
    struct sender *sender;
    struct limiter limiter;
    struct arena arena; /* one verdict */
    uint64_t random;

    struct queue ready[LIMIT_BUCKETS];     /* closed batches that may go now */
    int64_t bucket_wait_ms[LIMIT_BUCKETS]; /* what the limiter said in the last launch; 0: go */
    struct batch *waiting;                 /* for their due_ms */
    struct batch *inflight;
    struct batch *probe; /* not NULL: Braze refuses us, and only this one is tried */
};

int dispatch_open(struct dispatch **out, const struct dispatch_options *options, struct err *err)
{
    struct dispatch *d = calloc(1, sizeof(*d));
    if (d == NULL)
        return err_set(err, -ENOMEM, 0, "no memory for a destination");
    d->options = *options;
    arena_init(&d->arena, VERDICT_ARENA_BYTES_MAX);
    limiter_init(&d->limiter, options->limits);
    if (getrandom(&d->random, sizeof(d->random), GRND_NONBLOCK) != (ssize_t)sizeof(d->random))
        d->random = (uint64_t)monotonic_us();
    struct sender_options sender = {
        .endpoint = options->endpoint,
        .api_key = options->api_key,
        .requests_max = options->requests_max,
        .connect_timeout_ms = options->connect_timeout_ms,
        .timeout_ms = options->timeout_ms,
        .body_bytes_max = options->pack.body_bytes_max,
        .clock = options->clock,
    };
    int rc = sender_open(&d->sender, &sender, err);
    if (rc == 0 && pack_open(&d->pack, options->stock, &options->pack) != 0)
        rc = err_set(err, -ENOMEM, 0, "no memory for a destination");
    if (rc != 0) {
        dispatch_close(d);
        return rc;
    }
    *out = d;
    return 0;
}

/* Items that are still here were not delivered and stay unsettled: the next courier reads them
 * again. */
static void forget_batch(struct dispatch *d, struct batch *batch)
{
    for (unsigned i = 0; i < batch->count; i++) {
        if (batch->items[i] == NULL)
            continue;
        struct item *item = batch_remove(batch, i);
        lanes_release(d->options.lanes, item);
        stock_give(d->options.stock, item);
    }
    pack_give_back(d->pack, batch);
}

static void forget_list(struct dispatch *d, struct batch *list)
{
    while (list != NULL) {
        struct batch *next = list->next;
        forget_batch(d, list);
        list = next;
    }
}

void dispatch_close(struct dispatch *d)
{
    if (d == NULL)
        return;
    struct batch *batch;
    struct item *item;
    for (size_t i = 0; i < LIMIT_BUCKETS; i++)
        forget_list(d, d->ready[i].first);
    forget_list(d, d->waiting);
    forget_list(d, d->inflight);
    while (d->pack != NULL && (batch = pack_abandon(d->pack)) != NULL)
        forget_batch(d, batch);
    while ((item = lanes_abandon(d->options.lanes)) != NULL)
        stock_give(d->options.stock, item);
    sender_close(d->sender);
    pack_close(d->pack);
    arena_fini(&d->arena);
    free(d);
}

/* splitmix64: jitter needs nothing better. */
static uint64_t next_random(struct dispatch *d)
{
    uint64_t z = d->random += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
}

static void queue_push(struct queue *queue, struct batch *batch)
{
    batch->next = NULL;
    if (queue->first == NULL)
        queue->first = batch;
    else
        queue->last->next = batch;
    queue->last = batch;
}

static void queue_push_front(struct queue *queue, struct batch *batch)
{
    batch->next = queue->first;
    queue->first = batch;
    if (batch->next == NULL)
        queue->last = batch;
}

static struct batch *queue_pop(struct queue *queue)
{
    struct batch *batch = queue->first;
    if (batch != NULL)
        queue->first = batch->next;
    return batch;
}

static void unlink_batch(struct batch **list, const struct batch *batch)
{
    while (*list != batch)
        list = &(*list)->next;
    *list = batch->next;
}

static void wait_until(struct dispatch *d, struct batch *batch, int64_t due_ms)
{
    batch->due_ms = due_ms;
    batch->next = d->waiting;
    d->waiting = batch;
}

static enum limit_bucket bucket_of(const struct batch *batch)
{
    return limit_bucket_of(batch_any(batch)->family);
}

/* One item is delivered or dead: its lanes are free for the next, its event may be settled. */
static void settle_item(struct dispatch *d, struct item *item, bool is_delivered)
{
    struct origin *origin = item->origin;
    bool has_letter = origin->has_letter || !is_delivered;
    int64_t received_at_ms = origin->received_at_ms;
    origin->has_letter = has_letter;
    if (is_delivered)
        counter_add(&d->options.metrics->delivered_intents, 1);
    if (ledger_settle(d->options.ledger, origin) && !has_letter) {
        int64_t age_ms = clock_now_ms(d->options.clock) - received_at_ms;
        counter_add(&d->options.metrics->delivered_events, 1);
        histogram_observe_us(&d->options.metrics->delivery_latency, age_ms * 1000);
    }
    lanes_release(d->options.lanes, item);
    stock_give(d->options.stock, item);
}

static int bury_item(struct dispatch *d, struct batch *batch, unsigned index, int status,
                     const char *code, struct str reason)
{
    struct item *item = batch->items[index];
    const struct family_row *row = family_row(item->family);
    struct burial burial = {
        .stage = "send",
        .code = code,
        .reason = reason,
        .status = status,
        .method = row->method,
        .path = row->path != NULL ? str_from(row->path) : item->path,
        .object = item->text,
        .subscription = &item->subscription,
    };
    int rc = intake_bury(d->options.intake, item->origin->position, &burial);
    if (rc == 0)
        settle_item(d, batch_remove(batch, index), false);
    return rc;
}

/* Everything of the last body that has no verdict yet. */
static int bury_rest(struct dispatch *d, struct batch *batch, int status, const char *code,
                     struct str reason)
{
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < batch->manifest.object_count; i++)
        if (batch->items[batch->sent[i]] != NULL)
            rc = bury_item(d, batch, batch->sent[i], status, code, reason);
    return rc;
}

static void deliver(struct dispatch *d, struct batch *batch, const struct verdict *verdict)
{
    bool is_refused[MANIFEST_OBJECTS_MAX] = {false};
    for (unsigned i = 0; i < verdict->refusal_count; i++)
        is_refused[verdict->refusals[i].object] = true;
    for (unsigned i = 0; i < batch->manifest.object_count; i++)
        if (!is_refused[i])
            settle_item(d, batch_remove(batch, batch->sent[i]), true);
}

/* On to the batch's next range, at once; or it is done. */
static void advance(struct dispatch *d, struct batch *batch)
{
    if (batch_advance(batch))
        queue_push_front(&d->ready[bucket_of(batch)], batch);
    else
        pack_give_back(d->pack, batch);
}

static void pause_delivery(struct dispatch *d, struct batch *batch, const struct verdict *verdict,
                           int64_t now_ms)
{
    if (d->probe == NULL) {
        log_error("%s: delivery pauses, nothing is dropped: %.*s", d->options.id,
                  STR_ARG(verdict->reason));
        gauge_set(&d->options.metrics->paused, 1);
        d->probe = batch;
    }
    if (d->probe != batch) {
        queue_push_front(&d->ready[bucket_of(batch)], batch);
        return;
    }
    batch->failures++;
    wait_until(d, batch, now_ms + verdict->wait_ms);
}

static void resume_delivery(struct dispatch *d)
{
    log_info("%s: delivery goes on", d->options.id);
    gauge_set(&d->options.metrics->paused, 0);
    d->probe = NULL;
}

static void retry(struct dispatch *d, struct batch *batch, const struct reply *reply,
                  const struct verdict *verdict, int64_t now_ms)
{
    counter_add(&d->options.metrics->retried, 1);
    batch->failures++;
    if (verdict->is_rate_limit) {
        limiter_block(&d->limiter, bucket_of(batch), clock_now_ms(d->options.clock),
                      verdict->wait_ms);
    } else {
        batch->tried_ms += reply->latency_us / 1000 + verdict->wait_ms;
        log_debug("%s: trying again in %lld ms: %.*s", d->options.id, (long long)verdict->wait_ms,
                  STR_ARG(verdict->reason));
    }
    wait_until(d, batch, now_ms + verdict->wait_ms);
}

/* What the verdict says of the objects that it does not name. -ENOMEM: what is left of the batch
 * needs a new one. */
static int apply_verdict(struct dispatch *d, struct batch *batch, const struct reply *reply,
                         const struct verdict *verdict, int64_t now_ms)
{
    int rc = 0;
    switch (verdict->kind) {
    case VERDICT_DONE:
    case VERDICT_RESEND:
        break;
    case VERDICT_SPLIT:
        counter_add(&d->options.metrics->splits, 1);
        batch_split(batch);
        break;
    case VERDICT_DEAD:
        rc = bury_rest(d, batch, reply->status, verdict->code, verdict->reason);
        break;
    case VERDICT_RETRY:
        retry(d, batch, reply, verdict, now_ms);
        return 0;
    case VERDICT_PAUSE:
        pause_delivery(d, batch, verdict, now_ms);
        return 0;
    }
    if (rc != 0)
        return rc;
    batch->failures = 0;
    advance(d, batch);
    return 0;
}

static int judge(struct dispatch *d, struct batch *batch, const struct reply *reply, int64_t now_ms)
{
    struct attempts attempts = {
        .failures = batch->failures,
        .tried_ms = batch->tried_ms,
        .now_ms = clock_now_ms(d->options.clock),
        .random = next_random(d),
    };
    struct verdict verdict;
    arena_reset(&d->arena);
    int rc =
        verdict_reach(&verdict, reply, &batch->manifest, &attempts, &d->options.retry, &d->arena);
    if (rc != 0)
        return rc;
    limiter_learn(&d->limiter, bucket_of(batch), reply, attempts.now_ms);
    if (verdict.oddity != NULL)
        log_warn("%s: Braze answered %d: %s", d->options.id, reply->status, verdict.oddity);
    if (d->probe == batch && verdict.kind != VERDICT_PAUSE && verdict.kind != VERDICT_RETRY)
        resume_delivery(d);
    if (verdict.kind == VERDICT_DONE) /* before anything can fail: these must not go out again */
        deliver(d, batch, &verdict);
    for (unsigned i = 0; rc == 0 && i < verdict.refusal_count; i++)
        rc = bury_item(d, batch, batch->sent[verdict.refusals[i].object], reply->status,
                       CODE_OBJECT_REFUSED, verdict.refusals[i].reason);
    return rc != 0 ? rc : apply_verdict(d, batch, reply, &verdict, now_ms);
}

void dispatch_judge(struct dispatch *d, int64_t now_ms)
{
    struct reply reply;
    struct batch *batch;
    while (ledger_has_space(d->options.ledger) &&
           (batch = sender_next(d->sender, &reply)) != NULL) {
        unlink_batch(&d->inflight, batch);
        counts_request(d->options.metrics, reply.status, batch->manifest.object_count,
                       reply.latency_us);
        if (judge(d, batch, &reply, now_ms) != 0) {
            /* No memory for the letters. What has none yet is sent again and refused again. */
            if (batch_advance(batch))
                wait_until(d, batch, now_ms + NO_MEMORY_WAIT_MS);
            else
                pack_give_back(d->pack, batch);
        }
    }
}

void dispatch_form(struct dispatch *d, int64_t now_ms)
{
    struct hold *hold;
    struct item *item;
    while (pack_reserve(d->pack) && (item = lanes_next(d->options.lanes, &hold)) != NULL) {
        struct batch *batch = pack_place(d->pack, item, hold, now_ms);
        if (batch == NULL) {
            lanes_pass(d->options.lanes, item);
            continue;
        }
        lanes_take(d->options.lanes, item, &batch->hold);
        pack_add(d->pack, batch, item);
    }
    struct batch *batch;
    while ((batch = pack_next_closed(d->pack)) != NULL)
        queue_push(&d->ready[bucket_of(batch)], batch);
}

static void send_batch(struct dispatch *d, struct batch *batch, int64_t now_ms)
{
    const struct item *any = batch_any(batch);
    const struct family_row *row = family_row(any->family);
    struct str path = row->path != NULL ? str_from(row->path) : any->path;
    batch_write(batch, sender_body(d->sender));
    bool is_batch = d->options.pack.mode == BATCHING_PER_ACTION && batch->manifest.object_count > 1;
    int rc = sender_send(d->sender, row->method, path, is_batch, batch);
    if (rc == 0) {
        batch->next = d->inflight;
        d->inflight = batch;
        return;
    }
    wait_until(d, batch, now_ms + NO_MEMORY_WAIT_MS);
}

/* Waiting batches whose time has come go first: they are the oldest. */
static void wake_waiting(struct dispatch *d, int64_t now_ms)
{
    struct batch **link = &d->waiting;
    while (*link != NULL) {
        struct batch *batch = *link;
        if (batch->due_ms > now_ms) {
            link = &batch->next;
            continue;
        }
        *link = batch->next;
        queue_push_front(&d->ready[bucket_of(batch)], batch);
    }
}

static bool is_admitted(struct dispatch *d, enum limit_bucket bucket)
{
    int64_t now_ms = clock_now_ms(d->options.clock);
    d->bucket_wait_ms[bucket] = limiter_admit(&d->limiter, bucket, now_ms);
    return d->bucket_wait_ms[bucket] == 0;
}

/* Whether an open batch may be closed for this bucket: not while an older one waits. */
static bool is_bucket_free(const void *self, enum request_family family)
{
    const struct dispatch *d = self;
    enum limit_bucket bucket = limit_bucket_of(family);
    return d->bucket_wait_ms[bucket] == 0 && d->ready[bucket].first == NULL;
}

static void launch_probe(struct dispatch *d, int64_t now_ms)
{
    struct batch *probe = d->probe;
    for (struct batch *batch = d->waiting; batch != NULL; batch = batch->next) {
        if (batch != probe || probe->due_ms > now_ms)
            continue;
        unlink_batch(&d->waiting, probe);
        send_batch(d, probe, now_ms);
        return;
    }
}

void dispatch_launch(struct dispatch *d, int64_t now_ms, bool at_once)
{
    if (d->probe != NULL) {
        if (sender_has_slot(d->sender))
            launch_probe(d, now_ms);
        return;
    }
    wake_waiting(d, now_ms);
    for (unsigned bucket = 0; bucket < LIMIT_BUCKETS; bucket++) {
        d->bucket_wait_ms[bucket] = 0;
        while (d->ready[bucket].first != NULL && sender_has_slot(d->sender) &&
               is_admitted(d, bucket))
            send_batch(d, queue_pop(&d->ready[bucket]), now_ms);
    }
    struct pack_filter free_buckets = {is_bucket_free, d};
    struct batch *batch;
    while (sender_has_slot(d->sender) &&
           (batch = pack_take_due(d->pack, now_ms, at_once, free_buckets)) != NULL) {
        enum limit_bucket bucket = bucket_of(batch);
        if (is_admitted(d, bucket))
            send_batch(d, batch, now_ms);
        else
            queue_push(&d->ready[bucket], batch);
    }
}

int64_t dispatch_due_ms(const struct dispatch *d, int64_t now_ms)
{
    int64_t due = INT64_MAX;
    if (!sender_has_slot(d->sender))
        return due; /* an answer has to come first */
    for (const struct batch *batch = d->waiting; batch != NULL; batch = batch->next)
        if ((d->probe == NULL || d->probe == batch) && batch->due_ms < due)
            due = batch->due_ms;
    if (d->probe != NULL)
        return due;
    for (size_t i = 0; i < LIMIT_BUCKETS; i++)
        if (d->bucket_wait_ms[i] > 0 && now_ms + d->bucket_wait_ms[i] < due)
            due = now_ms + d->bucket_wait_ms[i];
    int64_t pack_due = pack_due_ms(d->pack, (struct pack_filter){is_bucket_free, d});
    return pack_due < due ? pack_due : due;
}

unsigned dispatch_inflight(const struct dispatch *d)
{
    return sender_inflight(d->sender);
}

bool dispatch_is_empty(const struct dispatch *d)
{
    return pack_batches(d->pack) == 0 && lanes_count(d->options.lanes) == 0;
}

void dispatch_wait(struct dispatch *d, int timeout_ms)
{
    sender_wait(d->sender, timeout_ms);
}

void dispatch_wake(struct dispatch *d)
{
    sender_wake(d->sender);
}
