#include "courier_world.h"

#include "envelope.h"
#include "unit.h"

enum { STORE_BYTES = 256 << 20, IDLE_MS_MAX = 60 * 1000, RECORDS_MAX = 512 };

static void add_object(struct world_request *r, struct jv object, struct str array, unsigned index)
{
    assert_true(r->object_count < WORLD_REQUEST_OBJECTS_MAX);
    struct jv other = jv_get(object, STR("v"));
    unsigned user = (unsigned)jv_as_double(jv_get(object, STR("u")));
    r->objects[r->object_count++] = (struct world_object){
        .user = user,
        .other = other.type == JV_NUMBER ? (unsigned)jv_as_double(other) : user,
        .number = (unsigned)jv_as_double(jv_get(object, STR("n"))),
        .array = array,
        .index = index,
    };
}

static void read_objects(struct world_request *r, struct jv body)
{
    if (jv_get(body, STR("n")).type == JV_NUMBER)
        add_object(r, body, STR(""), 0);
    for (uint32_t i = 0; i < body.len; i++) {
        struct jv array = body.members[i].value;
        if (str_eq(body.members[i].key, STR("cohort_changes")))
            continue; /* ids without numbers: their test reads the body itself */
        for (uint32_t j = 0; array.type == JV_ARRAY && j < array.len; j++)
            add_object(r, array.items[j], body.members[i].key, j);
    }
}

static bool share_user(const struct world_object *a, const struct world_object *b)
{
    return a->user == b->user || a->user == b->other || a->other == b->user || a->other == b->other;
}

static void note_newest(int64_t *newest, unsigned number)
{
    if (number > *newest)
        *newest = number;
}

static void note_accepted(struct world *w, const struct world_request *r)
{
    int64_t newest[WORLD_USERS_MAX];
    for (size_t i = 0; i < WORLD_USERS_MAX; i++)
        newest[i] = -1;
    for (unsigned i = 0; i < r->object_count; i++) {
        const struct world_object *o = &r->objects[i];
        if (w->refused[o->number])
            continue;
        w->accepted[o->number]++;
        w->disorders += o->number <= w->last[o->user] || o->number <= w->last[o->other];
        note_newest(&newest[o->user], o->number);
        note_newest(&newest[o->other], o->number);
        for (unsigned j = 0; j < i; j++)
            w->disorders += share_user(&r->objects[j], o) && r->objects[j].number > o->number &&
                            str_eq(r->objects[j].array, o->array);
    }
    for (size_t i = 0; i < WORLD_USERS_MAX; i++)
        w->last[i] = newest[i] > w->last[i] ? newest[i] : w->last[i];
}

static struct scripted_answer on_request(void *self, const struct scripted_request *http)
{
    struct world *w = self;
    static const struct scripted_answer success = {201, NULL, "{\"message\":\"success\"}",
                                                   MANNER_ANSWER};
    struct world_request request = {.http = http, .ordinal = w->requests++};
    struct arena arena;
    struct jv body;
    struct err err;
    arena_init(&arena, 64 << 20);
    assert_int_equal(jv_parse(&body, &arena, http->body, JV_JAVASCRIPT, &err), 0);
    read_objects(&request, body);
    if (request.object_count > w->objects_max)
        w->objects_max = request.object_count;
    struct scripted_answer answer = w->script == NULL ? success : w->script(w, &request);
    if (answer.status / 100 == 2 &&
        (answer.manner == MANNER_ANSWER || answer.manner == MANNER_CUT_BODY))
        note_accepted(w, &request);
    arena_fini(&arena);
    return answer;
}

void world_open(struct world *w)
{
    struct err err;
    *w = (struct world){0};
    unsetenv("http_proxy");
    for (size_t i = 0; i < WORLD_USERS_MAX; i++)
        w->last[i] = -1;
    scratch_init(&w->scratch);
    struct store_options store = {.dir = w->scratch.path, .bytes_max = STORE_BYTES};
    assert_int_equal(store_open(&w->store, &store, &err), 0);
    assert_int_equal(journal_open(&w->journal, w->store, &err), 0);
    assert_int_equal(dead_open(&w->dead, w->store, &err), 0);
    w->server = scripted_open(on_request, w);

    struct jv_member settings[] = {
        {STR("endpoint"), jv_string(str_from(scripted_endpoint(w->server)))},
        {STR("api_key"), jv_string(STR("the-key"))},
    };
    struct destination_config config = {
        .settings = {.type = JV_OBJECT, .len = countof(settings), .members = settings},
    };
    assert_int_equal(destination_compile(&w->destination, &config, &err), 0);
    courier_options_init(&w->options);
    w->options.id = STR("fake");
    w->options.destination = w->destination;
    w->options.store = w->store;
    w->options.journal = w->journal;
    w->options.dead = w->dead;
    w->options.pack.age_max_ms = 20;
    w->options.retry.wait_min_ms = 1;
    w->options.retry.wait_max_ms = 20;
    w->options.retry.probe_min_ms = 5;
    w->options.retry.probe_max_ms = 20;
    w->options.timeout_ms = 10000;
}

void world_start(struct world *w)
{
    struct err err;
    assert_int_equal(courier_open(&w->courier, &w->options, &err), 0);
    assert_int_equal(courier_start(w->courier), 0);
}

void world_stop(struct world *w, enum courier_stop how)
{
    assert_int_equal(courier_stop(w->courier, how, IDLE_MS_MAX), 0);
    courier_close(w->courier);
    w->courier = NULL;
}

void world_close(struct world *w)
{
    if (w->courier != NULL)
        world_stop(w, COURIER_FINISH);
    scripted_close(w->server);
    destination_free(w->destination);
    dead_close(w->dead);
    journal_close(w->journal);
    store_close(w->store);
    scratch_fini(&w->scratch);
}

struct append {
    struct store_job job;
    struct journal *journal;
    struct str records[RECORDS_MAX];
    size_t count;
};

static int apply_append(struct store_job *job, MDB_txn *txn)
{
    struct append *append = (struct append *)job;
    uint64_t first;
    return journal_append(append->journal, txn, append->records, append->count, &first);
}

static void publish_append(struct store_job *job, int rc)
{
    if (rc == 0)
        journal_publish(((struct append *)job)->journal);
}

static void append_records(struct world *w, struct append *append)
{
    append->job = (struct store_job){.apply = apply_append, .done = publish_append};
    append->journal = w->journal;
    assert_int_equal(store_commit(w->store, &append->job), 0);
}

void world_append_for(struct world *w, const char *source, const char *destination,
                      const char *json)
{
    static struct append append;
    struct envelope envelope = {
        .source = str_from(source),
        .destination = str_from(destination),
        .received_at_ms = 1767607200000,
        .json = str_from(json),
    };
    struct buf record;
    buf_init(&record, 1 << 20);
    envelope_write(&record, &envelope);
    append.records[0] = buf_str(&record);
    append.count = 1;
    append_records(w, &append);
    buf_fini(&record);
}

void world_append_json(struct world *w, const char *source, const char *json)
{
    world_append_for(w, source, "", json);
}

static void write_event(struct world *w, struct buf *out, unsigned user, enum request_family family)
{
    char json[256];
    unsigned number = w->numbers++;
    assert_true(number < WORLD_OBJECTS_MAX);
    snprintf(json, sizeof(json),
             "{\"messageId\":\"m%u\",\"intents\":[{\"family\":%u,\"users\":[\"u%u\"],"
             "\"path\":\"/catalogs/c/items\",\"object\":{\"u\":%u,\"n\":%u}}]}",
             number, (unsigned)family, user, user, number);
    struct envelope envelope = {
        .source = STR("web"), .received_at_ms = 1767607200000, .json = str_from(json)};
    envelope_write(out, &envelope);
}

void world_append(struct world *w, unsigned user, enum request_family family)
{
    static struct append append;
    struct buf record;
    buf_init(&record, 4096);
    write_event(w, &record, user, family);
    append.records[0] = buf_str(&record);
    append.count = 1;
    append_records(w, &append);
    buf_fini(&record);
}

static void write_track(struct world *w, struct buf *out, unsigned users)
{
    write_event(w, out, w->first_user + (unsigned)rand() % users, FAMILY_TRACK_EVENTS);
}

static void write_pair(struct world *w, struct buf *out, unsigned users)
{
    char json[256];
    unsigned number = w->numbers++;
    unsigned user = (unsigned)rand() % users;
    unsigned other = (unsigned)rand() % users;
    assert_true(number < WORLD_OBJECTS_MAX);
    snprintf(json, sizeof(json),
             "{\"messageId\":\"m%u\",\"intents\":[{\"family\":%u,\"users\":[\"u%u\",\"u%u\"],"
             "\"object\":{\"u\":%u,\"v\":%u,\"n\":%u}}]}",
             number, (unsigned)FAMILY_TRACK_EVENTS, user, other, user, other, number);
    struct envelope envelope = {
        .source = STR("web"), .received_at_ms = 1767607200000, .json = str_from(json)};
    envelope_write(out, &envelope);
}

static void append_random(struct world *w, unsigned events, unsigned users,
                          void (*write)(struct world *w, struct buf *out, unsigned users))
{
    static struct append append;
    struct buf text;
    size_t ends[RECORDS_MAX];
    buf_init(&text, 1 << 20);
    while (events > 0) {
        buf_reset(&text);
        append.count = 0;
        for (; events > 0 && append.count < RECORDS_MAX; events--) {
            write(w, &text, users);
            ends[append.count++] = text.len;
        }
        for (size_t i = 0; i < append.count; i++)
            append.records[i] = str_slice(buf_str(&text), i == 0 ? 0 : ends[i - 1], ends[i]);
        append_records(w, &append);
    }
    buf_fini(&text);
}

void world_append_many(struct world *w, unsigned events, unsigned users)
{
    append_random(w, events, users, write_track);
}

void world_append_pairs(struct world *w, unsigned events, unsigned users)
{
    append_random(w, events, users, write_pair);
}

void world_wait_idle(struct world *w)
{
    assert_true(courier_wait_idle(w->courier, IDLE_MS_MAX));
}

static bool read_letter(void *self, uint64_t id, struct str letter)
{
    (void)id;
    struct world *w = self;
    struct arena arena;
    struct jv json;
    struct err err;
    arena_init(&arena, 1 << 20);
    assert_int_equal(jv_parse(&json, &arena, letter, JV_JAVASCRIPT, &err), 0);
    struct jv number = jv_get(jv_get(json, STR("object")), STR("n"));
    if (number.type == JV_NUMBER)
        w->letters[(unsigned)jv_as_double(number)]++;
    w->letter_count++;
    snprintf(w->letter, sizeof(w->letter), "%.*s", STR_ARG(letter));
    arena_fini(&arena);
    return true;
}

void world_read_letters(struct world *w)
{
    w->letter_count = 0;
    memset(w->letters, 0, sizeof(w->letters));
    assert_int_equal(dead_each(w->dead, 0, false, read_letter, w), 0);
}

void world_check(struct world *w)
{
    world_read_letters(w);
    for (unsigned i = 0; i < w->numbers; i++)
        if (w->accepted[i] + w->letters[i] != 1)
            fail_msg("object %u of %u: accepted %u times, in %u letters", i, w->numbers,
                     w->accepted[i], w->letters[i]);
    assert_int_equal(w->disorders, 0);
}
