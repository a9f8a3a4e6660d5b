#include "courier.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "dispatch.h"
#include "log.h"

enum { READ_AGAIN_MS = 1000 }; /* after a read that failed */

struct courier {
    struct courier_options options;
    char *id;
    struct courier_metrics metrics;

    struct stock stock;
    struct lanes *lanes;
    struct ledger *ledger;
    struct intake *intake;
    struct dispatch *dispatch;
    int64_t now_ms; /* monotonic, of this turn of the loop */
    int64_t read_again_ms;
    bool has_more; /* the journal has records that there is room for */

    pthread_t thread;
    bool is_started;
    bool is_listening;
    _Atomic bool is_awake; /* a wake is on its way, another one is not needed */
    _Atomic bool is_stopping;
    enum courier_stop stop; /* set before is_stopping, as is deadline_ms */
    int64_t deadline_ms;

    pthread_mutex_t mutex; /* guards settled_below */
    pthread_cond_t settled;
    uint64_t settled_below; /* every position under it is settled and durable */
};

void courier_options_init(struct courier_options *options)
{
    *options = (struct courier_options){
        .clock = clock_real(),
        .pack = {BATCHING_COMBINED, TRACK_OBJECTS_MAX, 1000, TRACK_BODY_BYTES_MAX},
        .retry =
            {
                .wait_min_ms = 500,
                .wait_max_ms = 60 * 1000,
                .probe_min_ms = 2000,
                .probe_max_ms = 15 * 1000,
                .give_up_after_ms = 4LL * 60 * 60 * 1000, /* as long as the hosted product tries */
            },
        .requests_max = 32,
        .connect_timeout_ms = 10 * 1000,
        .timeout_ms = 30 * 1000,
        .memory_bytes_max = 32 * 1024 * 1024,
    };
}

static int64_t monotonic_ms(void)
{
    return monotonic_us() / 1000;
}

/* Called from the committer and from whoever stops us. */
static void wake(void *self)
{
    struct courier *c = self;
    if (!c->is_awake) {
        c->is_awake = true;
        dispatch_wake(c->dispatch);
    }
}

/* A limit that somebody else has set meanwhile. */
static void apply_memory_limit(struct courier *c)
{
    size_t bytes = (size_t)gauge_get(&c->metrics.memory_limit_bytes);
    if (bytes == c->options.memory_bytes_max)
        return;
    c->options.memory_bytes_max = bytes;
    stock_limit(&c->stock, bytes);
    intake_limit_memory(c->intake, bytes);
}

static void read_journal(struct courier *c)
{
    c->has_more = false;
    if (c->is_stopping || c->now_ms < c->read_again_ms)
        return;
    int rc;
    c->has_more = intake_read(c->intake, &rc);
    c->read_again_ms = 0;
    if (rc != 0) {
        log_warn("%s: reading waits a moment: %s", c->id, strerror(-rc));
        c->read_again_ms = c->now_ms + READ_AGAIN_MS;
    }
}

static void launch(struct courier *c)
{
    if (!c->is_stopping || c->stop == COURIER_DRAIN)
        dispatch_launch(c->dispatch, c->now_ms, c->is_stopping);
}

static void publish(struct courier *c)
{
    const struct origin *oldest = ledger_oldest(c->ledger);
    uint64_t floor = ledger_durable_floor(c->ledger);
    gauge_set(&c->metrics.floor, (int64_t)floor);
    gauge_set(&c->metrics.oldest_received_ms, oldest == NULL ? 0 : oldest->received_at_ms);
    gauge_set(&c->metrics.inflight, dispatch_inflight(c->dispatch));
    gauge_set(&c->metrics.parked_users, (int64_t)intake_parked(c->intake));
    gauge_set(&c->metrics.memory_bytes, (int64_t)c->stock.lent_bytes);
    pthread_mutex_lock(&c->mutex);
    c->settled_below = floor;
    pthread_cond_broadcast(&c->settled);
    pthread_mutex_unlock(&c->mutex);
}

/* How long nothing will happen by itself; INT32_MAX: ever. */
static int idle_ms(const struct courier *c)
{
    if (c->has_more)
        return 0;
    int64_t dues[] = {
        ledger_due_ms(c->ledger),
        c->read_again_ms != 0 ? c->read_again_ms : INT64_MAX,
        c->is_stopping ? c->deadline_ms : INT64_MAX,
        c->is_stopping && c->stop == COURIER_FINISH ? INT64_MAX
                                                    : dispatch_due_ms(c->dispatch, c->now_ms),
    };
    int64_t due = INT64_MAX;
    for (size_t i = 0; i < countof(dues); i++)
        due = dues[i] < due ? dues[i] : due;
    int64_t wait_ms = due == INT64_MAX ? INT32_MAX : due - monotonic_ms();
    if (wait_ms < 0)
        return 0;
    return wait_ms < INT32_MAX ? (int)wait_ms : INT32_MAX;
}

static bool is_finished(const struct courier *c)
{
    if (!c->is_stopping)
        return false;
    if (monotonic_ms() >= c->deadline_ms)
        return true;
    return dispatch_inflight(c->dispatch) == 0 &&
           (c->stop == COURIER_FINISH || dispatch_is_empty(c->dispatch));
}

static void *courier_loop(void *self)
{
    struct courier *c = self;
    while (!is_finished(c)) {
        c->is_awake = false;
        c->now_ms = monotonic_ms();
        apply_memory_limit(c);
        dispatch_judge(c->dispatch, c->now_ms); /* first: verdicts free lanes, memory and slots */
        read_journal(c);                        /* as far as memory and the cursor's window allow */
        dispatch_form(c->dispatch, c->now_ms);  /* what the lanes let go, each user's in order */
        launch(c); /* what is full or old enough, as far as slots, limits and Braze allow */
        /* The settled and their dead letters in one transaction: the
         * cursor never passes a letter. */
        ledger_commit(c->ledger, c->now_ms);
        publish(c);
        dispatch_wait(c->dispatch, idle_ms(c));
    }
    return NULL;
}

static int open_parts(struct courier *c, const struct courier_options *o, struct err *err)
{
    struct ledger_options ledger = {
        .store = o->store,
        .dead = o->dead,
        .stock = &c->stock,
        .destination = str_from(c->id),
        .start =
            o->start == COURIER_FROM_FIRST ? journal_first(o->journal) : journal_next(o->journal),
        .wake = wake,
        .self = c,
    };
    struct dispatch_options dispatch = {
        .id = c->id,
        .endpoint = destination_endpoint(o->destination),
        .api_key = destination_api_key(o->destination),
        .ca_certificates = o->ca_certificates,
        .body_keys = destination_body_keys(o->destination),
        .pack = o->pack,
        .retry = o->retry,
        .limits = o->limits,
        .requests_max = o->requests_max,
        .connect_timeout_ms = o->connect_timeout_ms,
        .timeout_ms = o->timeout_ms,
        .clock = o->clock,
        .stock = &c->stock,
        .metrics = &c->metrics,
    };
    struct intake_options intake = {
        .id = str_from(c->id),
        .destination = o->destination,
        .journal = o->journal,
        .from = o->from,
        .from_count = o->from_count,
        .names = o->names,
        .name_count = o->name_count,
        .object_bytes_max = o->pack.body_bytes_max - BODY_FRAME_BYTES_MAX - 1,
        .memory_bytes_max = o->memory_bytes_max,
        .lane_items_max = 2 * o->pack.objects_max,
        .clock = o->clock,
        .stock = &c->stock,
        .metrics = &c->metrics,
    };
    int rc = lanes_open(&c->lanes, &c->stock, o->memory_bytes_max / 512);
    if (rc != 0)
        return err_set(err, rc, 0, "no memory for a destination");
    rc = ledger_open(&c->ledger, &ledger, err);
    if (rc != 0)
        return rc;
    intake.lanes = c->lanes;
    intake.ledger = c->ledger;
    rc = intake_open(&c->intake, &intake);
    if (rc != 0)
        return err_set(err, rc, 0, "no memory for a destination");
    dispatch.lanes = c->lanes;
    dispatch.ledger = c->ledger;
    dispatch.intake = c->intake;
    rc = dispatch_open(&c->dispatch, &dispatch, err);
    if (rc != 0)
        return rc;
    c->settled_below = ledger_floor(c->ledger);
    gauge_set(&c->metrics.floor, (int64_t)c->settled_below);
    rc = journal_listen(o->journal, wake, c);
    c->is_listening = rc == 0;
    return rc == 0 ? 0 : err_set(err, rc, 0, "too many destinations listen to the journal");
}

int courier_open(struct courier **out, const struct courier_options *options, struct err *err)
{
    assert(options->pack.body_bytes_max > BODY_FRAME_BYTES_MAX + 1);
    assert(options->memory_bytes_max >= COURIER_MEMORY_BYTES_MIN);
    struct courier *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return err_set(err, -ENOMEM, 0, "no memory for a destination");
    c->options = *options;
    pthread_mutex_init(&c->mutex, NULL);
    pthread_cond_init(&c->settled, NULL);
    stock_init(&c->stock, options->memory_bytes_max);
    gauge_set(&c->metrics.memory_limit_bytes, (int64_t)options->memory_bytes_max);
    c->id = strndup(options->id.ptr, options->id.len);
    int rc = c->id == NULL ? err_set(err, -ENOMEM, 0, "no memory for a destination")
                           : open_parts(c, options, err);
    if (rc != 0) {
        courier_close(c);
        return rc;
    }
    *out = c;
    return 0;
}

void courier_limit_memory(struct courier *c, size_t memory_bytes_max)
{
    assert(memory_bytes_max >= COURIER_MEMORY_BYTES_MIN);
    gauge_set(&c->metrics.memory_limit_bytes, (int64_t)memory_bytes_max);
    wake(c);
}

void courier_count_retried(struct courier *c, uint64_t letters)
{
    counter_add(&c->metrics.dead_retried, letters);
}

int courier_start(struct courier *c)
{
    int rc = pthread_create(&c->thread, NULL, courier_loop, c);
    if (rc != 0)
        return -rc;
    c->is_started = true;
    pthread_setname_np(c->thread, "courier");
    return 0;
}

void courier_ask_stop(struct courier *c, enum courier_stop how, int deadline_ms)
{
    if (c->is_stopping)
        return;
    c->deadline_ms = monotonic_ms() + deadline_ms;
    c->stop = how;
    c->is_stopping = true;
    dispatch_wake(c->dispatch);
}

int courier_stop(struct courier *c, enum courier_stop how, int deadline_ms)
{
    if (!c->is_started)
        return 0;
    courier_ask_stop(c, how, deadline_ms);
    pthread_join(c->thread, NULL);
    c->is_started = false;
    return ledger_flush(c->ledger);
}

void courier_close(struct courier *c)
{
    if (c == NULL)
        return;
    assert(!c->is_started);
    if (c->is_listening)
        journal_unlisten(c->options.journal, c);
    dispatch_close(c->dispatch);
    intake_close(c->intake);
    lanes_close(c->lanes);
    ledger_close(c->ledger);
    stock_fini(&c->stock);
    pthread_cond_destroy(&c->settled);
    pthread_mutex_destroy(&c->mutex);
    free(c->id);
    free(c);
}

bool courier_wait_idle(struct courier *c, int timeout_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += timeout_ms % 1000 * 1000000L;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    uint64_t next = journal_next(c->options.journal);
    int rc = 0;
    pthread_mutex_lock(&c->mutex);
    while (rc == 0 && c->settled_below < next)
        rc = pthread_cond_timedwait(&c->settled, &c->mutex, &until);
    bool is_idle = c->settled_below >= next;
    pthread_mutex_unlock(&c->mutex);
    return is_idle;
}

const struct courier_metrics *courier_metrics(const struct courier *c)
{
    return &c->metrics;
}
