#include "intake.h"

#include <errno.h>
#include <stdlib.h>

#include "integrations.h"
#include "letter.h"

struct intake {
    struct intake_options options;
    char *texts; /* what the options' views point into */
    struct str *views;
    uint64_t position;
    struct parked parked;
    uint64_t again;   /* the second reading's position, while parked_is_going */
    bool again_moved; /* since it began, something was taken, or time passed in which lanes drained
                       */
    unsigned again_left;  /* records that the second reading may still look at in this call */
    int rc;               /* of the read under way */
    struct item *waiting; /* read, but there was no memory for their lanes yet; in order */
    struct arena arena;   /* one event */
    struct arena letter_arena;
    struct buf object;
    struct buf letter;
};

/* id, from[] and names[] in one piece of memory. */
static bool copy_texts(struct intake *in, const struct intake_options *options)
{
    size_t bytes = options->id.len + 1;
    for (size_t i = 0; i < options->from_count; i++)
        bytes += options->from[i].len;
    for (size_t i = 0; i < options->name_count; i++)
        bytes += options->names[i].len;
    in->texts = malloc(bytes);
    in->views = calloc(options->from_count + options->name_count + 1, sizeof(*in->views));
    if (in->texts == NULL || in->views == NULL)
        return false;
    char *at = in->texts;
    struct str *names = in->views + options->from_count;
    in->options.id = str_place(&at, options->id);
    for (size_t i = 0; i < options->from_count; i++)
        in->views[i] = str_place(&at, options->from[i]);
    for (size_t i = 0; i < options->name_count; i++)
        names[i] = str_place(&at, options->names[i]);
    in->options.from = in->views;
    in->options.names = names;
    return true;
}

int intake_open(struct intake **out, const struct intake_options *options)
{
    struct intake *in = calloc(1, sizeof(*in));
    if (in == NULL)
        return -ENOMEM;
    in->options = *options;
    arena_init(&in->arena, INTAKE_ARENA_BYTES_MAX);
    arena_init(&in->letter_arena, INTAKE_ARENA_BYTES_MAX);
    buf_init(&in->object, options->object_bytes_max);
    buf_init(&in->letter, LETTER_BYTES_MAX);
    if (!copy_texts(in, options)) {
        intake_close(in);
        return -ENOMEM;
    }
    in->position = ledger_floor(options->ledger);
    *out = in;
    return 0;
}

static void free_items(struct intake *in, struct item *items)
{
    while (items != NULL) {
        struct item *next = items->next;
        stock_give(in->options.stock, items);
        items = next;
    }
}

void intake_close(struct intake *in)
{
    if (in == NULL)
        return;
    free_items(in, in->waiting);
    arena_fini(&in->arena);
    arena_fini(&in->letter_arena);
    buf_fini(&in->object);
    buf_fini(&in->letter);
    free(in->texts);
    free(in->views);
    free(in);
}

void intake_limit_memory(struct intake *in, size_t memory_bytes_max)
{
    in->options.memory_bytes_max = memory_bytes_max;
}

static int write_letter(struct intake *in, uint64_t position, const struct envelope *envelope,
                        const struct burial *burial)
{
    struct letter letter = {
        .at_ms = clock_now_ms(in->options.clock),
        .destination = in->options.id,
        .stage = burial->stage,
        .code = burial->code,
        .reason = burial->reason,
        .source = envelope->source,
        .position = position,
        .status = burial->status,
        .method = burial->method,
        .path = burial->path,
        .object = burial->object,
        .event = envelope->json,
    };
    if (burial->subscription != NULL)
        letter.subscription =
            destination_subscription_name(in->options.destination, *burial->subscription);
    buf_reset(&in->letter);
    arena_reset(&in->letter_arena);
    letter_write(&in->letter, &letter, &in->letter_arena);
    if (in->letter.failed)
        return -ENOMEM;
    int rc = ledger_bury(in->options.ledger, buf_str(&in->letter));
    if (rc == 0)
        counter_add(&in->options.metrics->dead, 1);
    return rc;
}

struct burying {
    struct intake *in;
    const struct burial *burial;
    uint64_t position;
    int rc;
    bool is_found;
};

static bool bury_record(void *self, uint64_t position, struct str record)
{
    struct burying *burying = self;
    struct envelope envelope = {0};
    if (position != burying->position)
        return false;
    burying->is_found = true;
    if (envelope_read(&envelope, record) != 0)
        envelope = (struct envelope){0};
    burying->rc = write_letter(burying->in, position, &envelope, burying->burial);
    return false;
}

int intake_bury(struct intake *in, uint64_t position, const struct burial *burial)
{
    struct burying burying = {.in = in, .burial = burial, .position = position};
    uint64_t next;
    int rc = journal_read(in->options.journal, position, 1, bury_record, &burying, &next);
    if (rc != 0)
        return rc;
    if (!burying.is_found) { /* trimmed meanwhile: the letter has the object at least */
        struct envelope nothing = {0};
        return write_letter(in, position, &nothing, burial);
    }
    return burying.rc;
}

static void skip(struct intake *in, uint64_t position, enum skip_reason reason)
{
    counter_add(&in->options.metrics->skipped[reason], 1);
    ledger_skip(in->options.ledger, position);
}

static bool is_from_source(const struct intake *in, struct str source)
{
    if (in->options.from_count == 0)
        return true;
    for (size_t i = 0; i < in->options.from_count; i++)
        if (str_eq(in->options.from[i], source))
            return true;
    return false;
}

/* Who is named alone is served whatever its `from` says today: somebody asked for it by name. */
static bool is_for_us(const struct intake *in, const struct envelope *envelope,
                      enum skip_reason *why)
{
    *why = SKIP_DESTINATION;
    if (envelope->destination.len > 0)
        return str_eq(envelope->destination, in->options.id);
    *why = SKIP_SOURCE;
    return is_from_source(in, envelope->source);
}

/* The whole event is a dead letter. */
static int bury_event(struct intake *in, uint64_t position, const struct envelope *envelope,
                      const char *stage, const char *code, struct str reason)
{
    struct burial burial = {.stage = stage, .code = code, .reason = reason};
    int rc = write_letter(in, position, envelope, &burial);
    if (rc == 0)
        ledger_skip(in->options.ledger, position);
    return rc;
}

static int bury_outcomes(struct intake *in, uint64_t position, const struct envelope *envelope,
                         const struct mapped *mapped, bool *has_letter)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < mapped->outcome_count; i++) {
        const struct outcome *outcome = &mapped->outcomes[i];
        if (outcome->kind != OUTCOME_INVALID)
            continue;
        struct burial burial = {
            .stage = "map",
            .code = outcome->code,
            .reason = outcome->text,
            .subscription = &outcome->subscription,
        };
        rc = write_letter(in, position, envelope, &burial);
        *has_letter = true;
    }
    return rc;
}

/* An intent that fits into no request. */
static int bury_intent(struct intake *in, uint64_t position, const struct envelope *envelope,
                       const struct intent *intent, struct str reason)
{
    struct burial burial = {
        .stage = "map",
        .code = "TOO_LARGE",
        .reason = reason,
        .subscription = &intent->subscription,
    };
    return write_letter(in, position, envelope, &burial);
}

/* Why no request can carry the intent, whose object was written; empty: one can. */
static struct str why_unfit(const struct intake *in, const struct intent *intent)
{
    if (in->object.failed)
        return STR("the object is larger than a whole request may be");
    if (intent->path.len > ITEM_PATH_BYTES_MAX)
        return STR("the object's path is longer than a request's may be");
    if (intent->cohort != NULL && (intent->cohort->id.len > ITEM_COHORT_BYTES_MAX ||
                                   intent->cohort->body.len > ITEM_COHORT_BYTES_MAX))
        return STR("the cohort's id and name are longer than a request's may be");
    return STR("");
}

/* A list of new items, in order. */
static int make_items(struct intake *in, const struct envelope *envelope,
                      const struct mapped *mapped, struct origin *origin, struct item **out)
{
    int64_t now_ms = monotonic_us() / 1000;
    struct item *first = NULL;
    struct item **link = &first;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < mapped->intent_count; i++) {
        const struct intent *intent = &mapped->intents[i];
        buf_reset(&in->object);
        jv_write(&in->object, intent->object);
        struct str reason = why_unfit(in, intent);
        if (reason.len > 0) {
            rc = bury_intent(in, origin->position, envelope, intent, reason);
            origin->has_letter = true;
            continue;
        }
        *link = item_new(in->options.stock, intent, buf_str(&in->object), origin, now_ms);
        if (*link == NULL) {
            rc = -ENOMEM;
            continue;
        }
        link = &(*link)->next;
        origin->shares++;
    }
    *out = first;
    return rc;
}

/* From the front of `waiting` into the lanes. */
static int push_waiting(struct intake *in)
{
    while (in->waiting != NULL) {
        struct item *item = in->waiting;
        struct item *next = item->next;
        int rc = lanes_push(in->options.lanes, item);
        if (rc != 0)
            return rc;
        in->waiting = next;
    }
    return 0;
}

static enum skip_reason why_nothing(const struct mapped *mapped)
{
    for (size_t i = 0; i < mapped->outcome_count; i++)
        if (mapped->outcomes[i].kind == OUTCOME_NOTHING_TO_DO)
            return SKIP_NOTHING_TO_DO;
    return SKIP_NOT_SUBSCRIBED;
}

static int take_mapped(struct intake *in, uint64_t position, const struct envelope *envelope,
                       const struct mapped *mapped)
{
    struct item *items = NULL;
    struct origin *origin = ledger_begin(in->options.ledger, position, envelope->received_at_ms);
    if (origin == NULL)
        return -ENOMEM;
    int rc = make_items(in, envelope, mapped, origin, &items);
    if (rc == 0)
        rc = bury_outcomes(in, position, envelope, mapped, &origin->has_letter);
    if (rc != 0) {
        free_items(in, items);
        ledger_withdraw(in->options.ledger, origin);
        return rc;
    }
    counter_add(&in->options.metrics->mapped, 1);
    counter_add(&in->options.metrics->intents, mapped->intent_count);
    if (items == NULL && !origin->has_letter)
        counter_add(&in->options.metrics->skipped[why_nothing(mapped)], 1);
    in->waiting = items;
    ledger_settle(in->options.ledger, origin); /* the reader's own share */
    return 0;
}

/* Everybody whom its intents concern. */
static int list_users(struct intake *in, const struct mapped *mapped, struct users *out)
{
    *out = (struct users){0};
    if (mapped->intent_count == 0)
        return 0;
    out->keys =
        arena_array(&in->arena, mapped->intent_count * INTENT_USER_KEYS_MAX, sizeof(*out->keys));
    if (out->keys == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < mapped->intent_count; i++)
        for (size_t k = 0; k < mapped->intents[i].user_count; k++)
            out->keys[out->count++] = mapped->intents[i].users[k];
    return 0;
}

static bool has_lane_above(const struct intake *in, const struct users *users, size_t items)
{
    for (size_t i = 0; i < users->count; i++)
        if (lanes_waiting(in->options.lanes, users->keys[i]) > items)
            return true;
    return false;
}

/* While memory is plenty nobody is in anybody's way. */
static bool is_crowded(const struct intake *in, const struct users *users)
{
    return in->options.stock->lent_bytes > in->options.memory_bytes_max / 2 &&
           has_lane_above(in, users, in->options.lane_items_max);
}

static int take_or_keep(struct intake *in, uint64_t position, const struct envelope *envelope,
                        const struct mapped *mapped)
{
    struct users users;
    int rc = list_users(in, mapped, &users);
    if (rc != 0)
        return rc;
    bool stays = parked_stays(&in->parked, &users, position);
    if ((stays || is_crowded(in, &users)) && parked_keep(&in->parked, &users, position))
        return 0;
    return stays ? -ENOBUFS : take_mapped(in, position, envelope, mapped);
}

static int take_again(struct intake *in, uint64_t position, const struct envelope *envelope,
                      const struct mapped *mapped)
{
    struct users users;
    int rc = list_users(in, mapped, &users);
    if (rc != 0 || !parked_stays(&in->parked, &users, position))
        return rc; /* 0: it was taken the first time and is on its way */
    if (parked_may_go(&in->parked, &users) &&
        !has_lane_above(in, &users, in->options.lane_items_max)) {
        rc = take_mapped(in, position, envelope, mapped);
        if (rc != 0)
            return rc;
        parked_advance(&in->parked, &users, position);
        in->again_moved = true;
        return 0;
    }
    parked_block(&in->parked, &users, position);
    return 0;
}

static int take_record(struct intake *in, uint64_t position, struct str record)
{
    struct envelope envelope = {0};
    struct jv event;
    struct mapped mapped;
    struct err err;
    arena_reset(&in->arena);
    if (envelope_read(&envelope, record) != 0)
        return bury_event(in, position, &envelope, "read", "BAD_RECORD",
                          STR("the journal's record is not an event this version knows"));
    enum skip_reason why;
    if (!is_for_us(in, &envelope, &why)) {
        skip(in, position, why);
        return 0;
    }
    int rc = jv_parse(&event, &in->arena, envelope.json, JV_EXACT, &err);
    if (rc != 0)
        return bury_event(in, position, &envelope, "read", "BAD_EVENT", str_from(err.msg));
    switch (integrations_ask(event, in->options.names, in->options.name_count)) {
    case INTEGRATIONS_YES:
        break;
    case INTEGRATIONS_NO:
        skip(in, position, SKIP_INTEGRATIONS);
        return 0;
    case INTEGRATIONS_SENT_ALREADY:
        skip(in, position, SKIP_SENT_ALREADY);
        return 0;
    }
    if (destination_map(in->options.destination, event, &in->arena, &mapped) != 0)
        return bury_event(in, position, &envelope, "map", "TOO_LARGE",
                          STR("mapping this event needs more memory than one event may use"));
    return position < in->position ? take_again(in, position, &envelope, &mapped)
                                   : take_or_keep(in, position, &envelope, &mapped);
}

static bool has_memory(const struct intake *in)
{
    const struct intake_options *o = &in->options;
    return o->stock->lent_bytes < o->memory_bytes_max && ledger_has_space(o->ledger);
}

static bool has_room(const struct intake *in)
{
    return has_memory(in) && parked_has_room(&in->parked) &&
           ledger_has_room(in->options.ledger, in->position);
}

static bool on_record(void *self, uint64_t position, struct str record)
{
    struct intake *in = self;
    for (; in->position < position && ledger_has_room(in->options.ledger, in->position);
         in->position++)
        ledger_skip(in->options.ledger,
                    in->position); /* trimmed away: nothing is left to deliver */
    if (in->position < position || !ledger_has_room(in->options.ledger, position))
        return false;
    if (!ledger_is_settled(in->options.ledger, position)) /* before a restart, it may be */
        in->rc = take_record(in, position, record);
    if (in->rc == 0)
        in->position++;
    if (in->rc == 0)
        in->rc = push_waiting(in);
    return in->rc == 0 && has_room(in);
}

/* Half: a second reading shall be worth its while. */
static bool is_lane_low(void *self, struct user_key user)
{
    const struct intake *in = self;
    return lanes_waiting(in->options.lanes, user) <= in->options.lane_items_max / 2;
}

static bool on_record_again(void *self, uint64_t position, struct str record)
{
    struct intake *in = self;
    in->again = position;
    if (position >= in->position || ledger_is_settled(in->options.ledger, position))
        return false;
    in->rc = take_record(in, position, record);
    if (in->rc == 0)
        in->again = position + 1;
    if (in->rc == 0)
        in->rc = push_waiting(in);
    in->again_left--;
    return in->rc == 0 && in->again_left > 0 && parked_is_going(&in->parked) && has_memory(in);
}

/* What parked users left behind, as far as it may go now. Long stretches of settled events are
 * skipped unread. */
static int read_again(struct intake *in)
{
    in->again_moved = parked_is_going(&in->parked);
    if (!in->again_moved)
        in->again = parked_begin(&in->parked, is_lane_low, in);
    in->again_left = INTAKE_READ_RECORDS_MAX;
    in->rc = 0;
    while (in->rc == 0 && in->again_left > 0 && parked_is_going(&in->parked) && has_memory(in)) {
        uint64_t open = ledger_next_open(in->options.ledger, in->again);
        uint64_t next;
        in->again = in->position; /* if nothing is there any more */
        int rc = open >= in->position ? 0
                                      : journal_read(in->options.journal, open, in->again_left,
                                                     on_record_again, in, &next);
        if (rc != 0) {
            in->again = open;
            return rc;
        }
        if (in->again >= in->position) {
            parked_end(&in->parked);
            in->again_moved = true;
        }
    }
    return in->rc;
}

size_t intake_parked(const struct intake *in)
{
    return in->parked.count;
}

static bool read_on(struct intake *in, int *rc)
{
    if (!has_room(in) || in->position >= journal_next(in->options.journal))
        return false;
    uint64_t next;
    in->rc = 0;
    *rc = journal_read(in->options.journal, in->position, INTAKE_READ_RECORDS_MAX, on_record, in,
                       &next);
    if (*rc == 0)
        *rc = in->rc;
    return *rc == 0 && has_room(in) && in->position < journal_next(in->options.journal);
}

bool intake_read(struct intake *in, int *rc)
{
    *rc = push_waiting(in);
    if (*rc == 0 && in->parked.count > 0)
        *rc = read_again(in); /* first: these hold the cursor back */
    if (*rc != 0)
        return false;
    /* A reading that moved nothing waits for lanes that are full: what leaves them brings us back
     * here. After any other one, somebody else may go, and nothing on its way would tell. */
    bool may_go_on = in->parked.count > 0 && (in->again_moved || parked_is_going(&in->parked));
    bool has_more = read_on(in, rc);
    return *rc == 0 && (has_more || (may_go_on && has_memory(in)));
}
