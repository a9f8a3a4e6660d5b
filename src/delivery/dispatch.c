#include "dispatch.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "cohort_body.h"
#include "log.h"
#include "made.h"
#include "sender.h"

static_assert((int)ITEM_PATH_BYTES_MAX <= (int)SENDER_PATH_BYTES_MAX,
              "every item's path can be sent");

enum {
    NO_MEMORY_WAIT_MS = 1000,
    TROUBLE_FAILURES = 3, /* of one request in a row; fewer are the network's daily life */
    VERDICT_ARENA_BYTES_MAX = 16 * 1024 * 1024, /* an answer of REPLY_BODY_BYTES_MAX as values */
};

struct queue {
    struct parcel *first;
    struct parcel *last;
};

struct dispatch {
    struct dispatch_options options;
    struct pack *pack;
    struct sender *sender;
    struct limiter limiter;
    struct made made;
    struct arena arena; /* one verdict */
    uint64_t random;

    struct queue ready[LIMIT_BUCKETS];     /* closed parcels that may go now */
    int64_t bucket_wait_ms[LIMIT_BUCKETS]; /* what the limiter said in the last launch; 0: go */
    struct parcel *waiting;                /* for their due_ms */
    struct parcel *inflight;
    int64_t succeeded_ms; /* when a request last did */
    bool is_in_trouble;   /* the log has said so */
    struct parcel *probe; /* not NULL: Braze refuses us, and only this one is tried */
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
        .ca_certificates = options->ca_certificates,
        .requests_max = options->requests_max,
        .connect_timeout_ms = options->connect_timeout_ms,
        .timeout_ms = options->timeout_ms,
        /* What the pack counts, and what it does not know of a cohort's body. */
        .body_bytes_max =
            options->pack.body_bytes_max + options->body_keys.len + ITEM_COHORT_BYTES_MAX,
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

/* Items that are still here were not delivered and stay unsettled:
 * the next courier reads them again. */
static void forget_parcel(struct dispatch *d, struct parcel *parcel)
{
    for (unsigned i = 0; i < parcel->count; i++) {
        if (parcel->items[i] == NULL)
            continue;
        struct item *item = parcel_remove(parcel, i);
        lanes_release(d->options.lanes, item);
        stock_give(d->options.stock, item);
    }
    pack_give_back(d->pack, parcel);
}

static void forget_list(struct dispatch *d, struct parcel *list)
{
    while (list != NULL) {
        struct parcel *next = list->next;
        forget_parcel(d, list);
        list = next;
    }
}

void dispatch_close(struct dispatch *d)
{
    if (d == NULL)
        return;
    struct parcel *parcel;
    struct item *item;
    for (size_t i = 0; i < LIMIT_BUCKETS; i++)
        forget_list(d, d->ready[i].first);
    forget_list(d, d->waiting);
    forget_list(d, d->inflight);
    while (d->pack != NULL && (parcel = pack_abandon(d->pack)) != NULL)
        forget_parcel(d, parcel);
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

static void queue_push(struct queue *queue, struct parcel *parcel)
{
    parcel->next = NULL;
    if (queue->first == NULL)
        queue->first = parcel;
    else
        queue->last->next = parcel;
    queue->last = parcel;
}

static void queue_push_front(struct queue *queue, struct parcel *parcel)
{
    parcel->next = queue->first;
    queue->first = parcel;
    if (parcel->next == NULL)
        queue->last = parcel;
}

static struct parcel *queue_pop(struct queue *queue)
{
    struct parcel *parcel = queue->first;
    if (parcel != NULL)
        queue->first = parcel->next;
    return parcel;
}

static void unlink_parcel(struct parcel **list, const struct parcel *parcel)
{
    while (*list != parcel)
        list = &(*list)->next;
    *list = parcel->next;
}

static void wait_until(struct dispatch *d, struct parcel *parcel, int64_t due_ms)
{
    parcel->due_ms = due_ms;
    parcel->next = d->waiting;
    d->waiting = parcel;
}

static enum limit_bucket bucket_of(const struct parcel *parcel)
{
    return limit_bucket_of(parcel_any(parcel)->family);
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

/* What the parcel's last request was, or would be, for this item. */
static const struct family_row *row_of(const struct parcel *parcel, const struct item *item)
{
    return family_row(parcel->makes_cohort ? FAMILY_COHORT : item->family);
}

static int bury_item(struct dispatch *d, struct parcel *parcel, unsigned index, int status,
                     const char *code, struct str reason)
{
    struct item *item = parcel->items[index];
    const struct family_row *row = row_of(parcel, item);
    struct burial burial = {
        .stage = "send",
        .code = code,
        .reason = reason,
        .status = status,
        .method = row->method,
        .path = row->path != NULL ? str_from(row->path) : item->path,
        .object = parcel->makes_cohort ? item->cohort->body : item->text,
        .subscription = &item->subscription,
    };
    int rc = intake_bury(d->options.intake, item->origin->position, &burial);
    if (rc == 0)
        settle_item(d, parcel_remove(parcel, index), false);
    return rc;
}

/* Everything of the last body that has no verdict yet. */
static int bury_rest(struct dispatch *d, struct parcel *parcel, int status, const char *code,
                     struct str reason)
{
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < parcel->manifest.object_count; i++)
        if (parcel->items[parcel->sent[i]] != NULL)
            rc = bury_item(d, parcel, parcel->sent[i], status, code, reason);
    return rc;
}

static void deliver(struct dispatch *d, struct parcel *parcel, const struct verdict *verdict)
{
    bool is_refused[MANIFEST_OBJECTS_MAX] = {false};
    for (unsigned i = 0; i < verdict->refusal_count; i++)
        is_refused[verdict->refusals[i].object] = true;
    for (unsigned i = 0; i < parcel->manifest.object_count; i++)
        if (!is_refused[i])
            settle_item(d, parcel_remove(parcel, parcel->sent[i]), true);
}

/* On to the parcel's next range, at once; or it is done. */
static void advance(struct dispatch *d, struct parcel *parcel)
{
    if (parcel_advance(parcel))
        queue_push_front(&d->ready[bucket_of(parcel)], parcel);
    else
        pack_give_back(d->pack, parcel);
}

static void pause_delivery(struct dispatch *d, struct parcel *parcel, const struct verdict *verdict,
                           int64_t now_ms)
{
    if (d->probe == NULL) {
        log_error("%s: delivery to %.*s pauses, nothing is dropped: %.*s", d->options.id,
                  STR_ARG(d->options.endpoint), STR_ARG(verdict->reason));
        gauge_set(&d->options.metrics->paused, 1);
        d->probe = parcel;
    }
    if (d->probe != parcel) {
        queue_push_front(&d->ready[bucket_of(parcel)], parcel);
        return;
    }
    parcel->failures++;
    wait_until(d, parcel, now_ms + verdict->wait_ms);
}

static void resume_delivery(struct dispatch *d)
{
    log_info("%s: delivery goes on", d->options.id);
    gauge_set(&d->options.metrics->paused, 0);
    d->probe = NULL;
}

static void complain(struct dispatch *d, const struct verdict *verdict)
{
    d->is_in_trouble = true;
    log_warn("%s: %.*s is in trouble, events wait and are tried again: %.*s", d->options.id,
             STR_ARG(d->options.endpoint), STR_ARG(verdict->reason));
}

static void note_success(struct dispatch *d, int64_t now_ms)
{
    d->succeeded_ms = now_ms;
    if (d->is_in_trouble)
        log_info("%s: %.*s takes requests again", d->options.id, STR_ARG(d->options.endpoint));
    d->is_in_trouble = false;
}

static void retry(struct dispatch *d, struct parcel *parcel, const struct reply *reply,
                  const struct verdict *verdict, int64_t now_ms)
{
    counter_add(&d->options.metrics->retried, 1);
    if (parcel->failures++ == 0)
        parcel->failing_since_ms = now_ms;
    if (verdict->is_rate_limit) {
        limiter_block(&d->limiter, bucket_of(parcel), clock_now_ms(d->options.clock),
                      verdict->wait_ms);
    } else {
        parcel->tried_ms += reply->latency_us / 1000 + verdict->wait_ms;
        log_debug("%s: trying again in %lld ms: %.*s", d->options.id, (long long)verdict->wait_ms,
                  STR_ARG(verdict->reason));
        bool is_alone = d->succeeded_ms > parcel->failing_since_ms; /* then it is its objects */
        if (parcel->failures >= TROUBLE_FAILURES && !is_alone && !d->is_in_trouble)
            complain(d, verdict);
    }
    wait_until(d, parcel, now_ms + verdict->wait_ms);
}

/* What the verdict says of the objects that it does not name. -ENOMEM: what
 * is left of the batch needs a new one. */
static int apply_verdict(struct dispatch *d, struct parcel *parcel, const struct reply *reply,
                         const struct verdict *verdict, int64_t now_ms)
{
    int rc = 0;
    switch (verdict->kind) {
    case VERDICT_DONE:
    case VERDICT_RESEND:
        break;
    case VERDICT_SPLIT:
        counter_add(&d->options.metrics->splits, 1);
        parcel_split(parcel);
        break;
    case VERDICT_DEAD:
        rc = bury_rest(d, parcel, reply->status, verdict->code, verdict->reason);
        break;
    case VERDICT_RETRY:
        retry(d, parcel, reply, verdict, now_ms);
        return 0;
    case VERDICT_PAUSE:
        pause_delivery(d, parcel, verdict, now_ms);
        return 0;
    }
    if (rc != 0)
        return rc;
    parcel->failures = 0;
    advance(d, parcel);
    return 0;
}

static int judge(struct dispatch *d, struct parcel *parcel, const struct reply *reply,
                 int64_t now_ms)
{
    struct attempts attempts = {
        .failures = parcel->failures,
        .tried_ms = parcel->tried_ms,
        .now_ms = clock_now_ms(d->options.clock),
        .random = next_random(d),
        .is_alone = parcel->failures > 0 && d->succeeded_ms > parcel->failing_since_ms,
    };
    struct verdict verdict;
    arena_reset(&d->arena);
    int rc =
        verdict_reach(&verdict, reply, &parcel->manifest, &attempts, &d->options.retry, &d->arena);
    if (rc != 0)
        return rc;
    limiter_learn(&d->limiter, bucket_of(parcel), reply, attempts.now_ms);
    if (verdict.oddity != NULL)
        log_warn("%s: Braze answered %d: %s", d->options.id, reply->status, verdict.oddity);
    bool is_in_doubt = verdict.kind == VERDICT_RETRY && !verdict.is_rate_limit;
    if (d->probe == parcel && verdict.kind != VERDICT_PAUSE && !is_in_doubt)
        resume_delivery(d);
    if (verdict.kind == VERDICT_DONE) { /* before anything can fail: these must not go out again */
        note_success(d, now_ms);
        if (parcel->makes_cohort)
            made_put(&d->made, parcel_any(parcel)->cohort);
        else
            deliver(d, parcel, &verdict);
    }
    for (unsigned i = 0; rc == 0 && i < verdict.refusal_count; i++)
        rc = bury_item(d, parcel, parcel->sent[verdict.refusals[i].object], reply->status,
                       CODE_OBJECT_REFUSED, verdict.refusals[i].reason);
    return rc != 0 ? rc : apply_verdict(d, parcel, reply, &verdict, now_ms);
}

void dispatch_judge(struct dispatch *d, int64_t now_ms)
{
    struct reply reply;
    struct parcel *parcel;
    while (ledger_has_space(d->options.ledger) &&
           (parcel = sender_next(d->sender, &reply)) != NULL) {
        unlink_parcel(&d->inflight, parcel);
        counts_request(d->options.metrics, reply.status,
                       parcel->makes_cohort ? 1 : parcel->manifest.object_count, reply.latency_us);
        if (judge(d, parcel, &reply, now_ms) != 0) {
            /* No memory for the letters. What has none yet is sent again and refused again. */
            if (parcel_advance(parcel))
                wait_until(d, parcel, now_ms + NO_MEMORY_WAIT_MS);
            else
                pack_give_back(d->pack, parcel);
        }
    }
}

void dispatch_form(struct dispatch *d, int64_t now_ms)
{
    struct hold *hold;
    struct item *item;
    while (pack_reserve(d->pack) && (item = lanes_next(d->options.lanes, &hold)) != NULL) {
        struct parcel *parcel = pack_place(d->pack, item, hold, now_ms);
        if (parcel == NULL) {
            lanes_pass(d->options.lanes, item);
            continue;
        }
        lanes_take(d->options.lanes, item, &parcel->hold);
        pack_add(d->pack, parcel, item);
    }
    struct parcel *parcel;
    while ((parcel = pack_next_closed(d->pack)) != NULL)
        queue_push(&d->ready[bucket_of(parcel)], parcel);
}

/* A cohort is made first, then the same parcel changes its members. */
static void write_body(struct dispatch *d, struct parcel *parcel, struct buf *out)
{
    const struct cohort *cohort = parcel_any(parcel)->cohort;
    parcel->makes_cohort = cohort != NULL && !made_has(&d->made, cohort);
    if (parcel->makes_cohort)
        cohort_body_make(parcel, out, d->options.body_keys);
    else if (cohort != NULL)
        cohort_body_change(parcel, out, d->options.body_keys);
    else
        parcel_write(parcel, out);
}

static void send_parcel(struct dispatch *d, struct parcel *parcel, int64_t now_ms)
{
    write_body(d, parcel, sender_body(d->sender));
    const struct item *any = parcel_any(parcel);
    const struct family_row *row = row_of(parcel, any);
    struct str path = row->path != NULL ? str_from(row->path) : any->path;
    bool is_batch = d->options.pack.mode == BATCHING_PER_ACTION &&
                    parcel->manifest.object_count > 1 && any->cohort == NULL;
    int rc = sender_send(d->sender, row->method, path, is_batch, parcel);
    if (rc == 0) {
        parcel->next = d->inflight;
        d->inflight = parcel;
        return;
    }
    wait_until(d, parcel, now_ms + NO_MEMORY_WAIT_MS);
}

/* Waiting parcels whose time has come go first: they are the oldest. */
static void wake_waiting(struct dispatch *d, int64_t now_ms)
{
    struct parcel **link = &d->waiting;
    while (*link != NULL) {
        struct parcel *parcel = *link;
        if (parcel->due_ms > now_ms) {
            link = &parcel->next;
            continue;
        }
        *link = parcel->next;
        queue_push_front(&d->ready[bucket_of(parcel)], parcel);
    }
}

static bool is_admitted(struct dispatch *d, enum limit_bucket bucket)
{
    int64_t now_ms = clock_now_ms(d->options.clock);
    d->bucket_wait_ms[bucket] = limiter_admit(&d->limiter, bucket, now_ms);
    return d->bucket_wait_ms[bucket] == 0;
}

/* Whether an open parcel may be closed for this bucket: not while an older one waits. */
static bool is_bucket_free(const void *self, enum request_family family)
{
    const struct dispatch *d = self;
    enum limit_bucket bucket = limit_bucket_of(family);
    return d->bucket_wait_ms[bucket] == 0 && d->ready[bucket].first == NULL;
}

static void launch_probe(struct dispatch *d, int64_t now_ms)
{
    struct parcel *probe = d->probe;
    for (struct parcel *parcel = d->waiting; parcel != NULL; parcel = parcel->next) {
        if (parcel != probe || probe->due_ms > now_ms)
            continue;
        unlink_parcel(&d->waiting, probe);
        send_parcel(d, probe, now_ms);
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
            send_parcel(d, queue_pop(&d->ready[bucket]), now_ms);
    }
    struct pack_filter free_buckets = {is_bucket_free, d};
    struct parcel *parcel;
    while (sender_has_slot(d->sender) &&
           (parcel = pack_take_due(d->pack, now_ms, at_once, free_buckets)) != NULL) {
        enum limit_bucket bucket = bucket_of(parcel);
        if (is_admitted(d, bucket))
            send_parcel(d, parcel, now_ms);
        else
            queue_push(&d->ready[bucket], parcel);
    }
}

int64_t dispatch_due_ms(const struct dispatch *d, int64_t now_ms)
{
    int64_t due = INT64_MAX;
    if (!sender_has_slot(d->sender))
        return due; /* an answer has to come first */
    for (const struct parcel *parcel = d->waiting; parcel != NULL; parcel = parcel->next)
        if ((d->probe == NULL || d->probe == parcel) && parcel->due_ms < due)
            due = parcel->due_ms;
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
    return pack_parcels(d->pack) == 0 && lanes_count(d->options.lanes) == 0;
}

void dispatch_wait(struct dispatch *d, int timeout_ms)
{
    sender_wait(d->sender, timeout_ms);
}

void dispatch_wake(struct dispatch *d)
{
    sender_wake(d->sender);
}
