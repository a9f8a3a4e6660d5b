#include "track.h"

#include "attributes.h"
#include "errors.h"
#include "events.h"
#include "identifiers.h"

#include "hash.h"

enum {
    OBJECTS_MAX = 75,
    BULK_OBJECTS_MAX = 1000,
    BULK_OBJECTS_OF_ONE_USER_MAX = 100,
    BULK_BODY_BYTES_MAX = 2 * 1024 * 1024,
};

static struct str take_attributes(struct call *c, struct jv object)
{
    return object_error_text(c, attributes_take(c, object));
}

struct track_array {
    struct str key;
    struct str processed_key;
    struct str (*take)(struct call *c, struct jv object); /* the error, or empty */
};

/* In the order Braze works them off. */
static const struct track_array arrays[] = {
    {STR_INIT("attributes"), STR_INIT("attributes_processed"), take_attributes},
    {STR_INIT("events"), STR_INIT("events_processed"), events_take},
    {STR_INIT("purchases"), STR_INIT("purchases_processed"), purchases_take},
};
enum { ARRAYS = countof(arrays) };

struct track {
    struct call *call;
    struct jv lists[ARRAYS]; /* undefined: not in the request */
    uint64_t accepted[ARRAYS];
    struct jv *errors;
    uint32_t error_count;
};

static bool read_lists(struct track *t)
{
    for (size_t i = 0; i < ARRAYS; i++) {
        t->lists[i] = jv_get(t->call->body, arrays[i].key);
        if (t->lists[i].type == JV_NULL)
            t->lists[i] = jv_undefined();
        if (t->lists[i].type != JV_ARRAY && t->lists[i].type != JV_UNDEFINED)
            return false;
    }
    return true;
}

static size_t count_objects(const struct track *t)
{
    size_t count = 0;
    for (size_t i = 0; i < ARRAYS; i++)
        count += t->lists[i].type == JV_ARRAY ? t->lists[i].len : 0;
    return count;
}

static bool has_too_many(const struct track *t)
{
    if (call_choice(t->call, CHOICE_OBJECT_LIMIT) == OBJECTS_COMBINED)
        return count_objects(t) > OBJECTS_MAX;
    for (size_t i = 0; i < ARRAYS; i++)
        if (t->lists[i].type == JV_ARRAY && t->lists[i].len > OBJECTS_MAX)
            return true;
    return false;
}

static void add_error(struct track *t, size_t array, uint32_t index, struct str text)
{
    struct jv_builder b;
    jv_object_begin(&b, t->call->arena, 3);
    jv_object_put(&b, STR("type"), jv_string(text));
    jv_object_put(&b, STR("input_array"), jv_string(arrays[array].key));
    jv_object_put(&b, STR("index"), jv_number(index));
    t->errors[t->error_count++] = jv_object_end(&b);
}

static void take_objects(struct track *t)
{
    struct call *c = t->call;
    for (size_t i = 0; i < ARRAYS; i++) {
        c->array = arrays[i].key.ptr;
        for (uint32_t n = 0; t->lists[i].type == JV_ARRAY && n < t->lists[i].len; n++) {
            c->index = n;
            struct str error = arrays[i].take(c, t->lists[i].items[n]);
            if (error.len == 0) {
                t->accepted[i]++;
                continue;
            }
            call_note(c, NOTE_REJECTED, STR(""), "%.*s", STR_ARG(error));
            add_error(t, i, n, error);
        }
    }
    c->array = NULL;
    if (c->is_rehearsal)
        return;
    struct sandbox_counts *counts = &c->sandbox->counts;
    counts->attributes += t->accepted[0];
    counts->events += t->accepted[1];
    counts->purchases += t->accepted[2];
    counts->objects_rejected += t->error_count;
}

static void put_errors(const struct track *t, struct jv_builder *b)
{
    if (t->error_count > 0)
        jv_object_put(b, STR("errors"),
                      (struct jv){.type = JV_ARRAY, .len = t->error_count, .items = t->errors});
}

static void reply_nothing_valid(const struct track *t)
{
    struct jv_builder b;
    jv_object_begin(&b, t->call->arena, 2);
    jv_object_put(&b, STR("message"), text_value(VALID_DATA_MESSAGE));
    put_errors(t, &b);
    call_reply(t->call, 400, jv_object_end(&b));
}

static void reply(const struct track *t)
{
    struct jv_builder b;
    if (t->accepted[0] + t->accepted[1] + t->accepted[2] == 0) {
        reply_nothing_valid(t);
        return;
    }
    jv_object_begin(&b, t->call->arena, ARRAYS + 2);
    for (size_t i = 0; i < ARRAYS; i++)
        if (t->lists[i].type == JV_ARRAY)
            jv_object_put(&b, arrays[i].processed_key, jv_number((double)t->accepted[i]));
    jv_object_put(&b, STR("message"), text_value("success"));
    put_errors(t, &b);
    call_reply(t->call, 201, jv_object_end(&b));
}

/* False: answered already. */
static bool begin(struct track *t, struct call *c)
{
    *t = (struct track){.call = c};
    if (c->body.type != JV_OBJECT || !read_lists(t)) {
        reply_nothing_valid(t);
        return false;
    }
    t->errors = arena_array(c->arena, count_objects(t), sizeof(*t->errors));
    if (t->errors == NULL) {
        call_message(c, 500, "Internal Server Error");
        return false;
    }
    return true;
}

void answer_track(struct call *c)
{
    struct track t;
    if (!begin(&t, c))
        return;
    if (has_too_many(&t)) {
        call_message(c, 400, "Max Input Length Exceeded");
        return;
    }
    take_objects(&t);
    reply(&t);
}

void answer_track_sync(struct call *c)
{
    struct track t;
    struct jv_builder result;
    if (!begin(&t, c))
        return;
    if (count_objects(&t) > 1) {
        call_message(c, 400, "Max Input Length Exceeded");
        return;
    }
    jv_object_begin(&result, c->arena, 2);
    c->results = &result;
    take_objects(&t);
    c->results = NULL;
    if (t.accepted[0] + t.accepted[1] + t.accepted[2] == 0) {
        reply_nothing_valid(&t);
        return;
    }
    struct jv user = jv_object_end(&result);
    struct jv_builder b;
    jv_object_begin(&b, c->arena, 2);
    jv_object_put(&b, STR("users"),
                  (struct jv){.type = JV_ARRAY, .len = user.len > 0, .items = &user});
    call_success(c, 201, &b);
}

/* Does one identifier occur more often than a bulk call allows? Open addressing over the hashes of
 * the identifiers. */
static bool has_crowded_user(struct track *t)
{
    enum { SLOTS = 4096 };
    static_assert(SLOTS > 2 * BULK_OBJECTS_MAX, "the table never fills");
    struct call *c = t->call;
    struct slot {
        uint64_t hash;
        unsigned count;
    } *slots = arena_array(c->arena, SLOTS, sizeof(*slots));
    if (slots == NULL)
        return false;
    memset(slots, 0, SLOTS * sizeof(*slots));
    for (size_t i = 0; i < ARRAYS; i++) {
        for (uint32_t n = 0; t->lists[i].type == JV_ARRAY && n < t->lists[i].len; n++) {
            struct who who;
            if (who_read(c, t->lists[i].items[n], i == 0, &who) != ERROR_NONE ||
                who.kind == WHO_TOKENS)
                continue;
            uint64_t hash = hash_str_seed(who.key, (uint64_t)who.kind) | 1;
            size_t at = hash % SLOTS;
            while (slots[at].hash != 0 && slots[at].hash != hash)
                at = (at + 1) % SLOTS;
            slots[at].hash = hash;
            if (++slots[at].count > BULK_OBJECTS_OF_ONE_USER_MAX)
                return true;
        }
    }
    return false;
}

void answer_track_bulk(struct call *c)
{
    struct track t;
    if (c->request->body.len > BULK_BODY_BYTES_MAX) {
        call_message(c, 413, "Request Entity Too Large");
        return;
    }
    if (!begin(&t, c))
        return;
    if (count_objects(&t) > BULK_OBJECTS_MAX || has_crowded_user(&t)) {
        call_message(c, 400, "Max Input Length Exceeded");
        return;
    }
    take_objects(&t);
    reply(&t);
}
