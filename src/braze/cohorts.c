#include "cohorts.h"

#include <errno.h>

#include "bounds.h"
#include "date.h"
#include "hash.h"
#include "shared_fields.h"

/* clang-format off */
const struct field cohorts_fields[COHORTS_ROWS] = {
    [COHORTS_EXTERNAL_ID] = {FIELD("external_id", "External User ID", FIELD_STRING), .preset = PATH("$.userId")},
    [COHORTS_USER_ALIAS] = {FIELD("user_alias", "User Alias Object", FIELD_OBJECT), FIELD_PARTS(required_alias_fields)},
    [COHORTS_DEVICE_ID] = {FIELD("device_id", "Device ID", FIELD_STRING)},
    [COHORTS_ID] = {FIELD("cohort_id", "Cohort ID", FIELD_STRING), .required = true,
        .preset = PATH("$.context.personas.computation_id")},
    [COHORTS_NAME] = {FIELD("cohort_name", "Cohort Name", FIELD_STRING), .required = true,
        .preset = PATH("$.context.personas.computation_key")},
    [COHORTS_ENABLE_BATCHING] = {FIELD("enable_batching", "Enable Batching", FIELD_BOOLEAN), .preset = "true"},
    [COHORTS_AUDIENCE_KEY] = {FIELD("personas_audience_key", "Segment Engage Audience Key", FIELD_STRING), .required = true},
    [COHORTS_EVENT_PROPERTIES] = {FIELD("event_properties", "Event Properties", FIELD_OBJECT), .required = true,
        .preset = FIRST_OF("$.properties", "$.traits")},
    [COHORTS_TIME] = {FIELD("time", "Time", FIELD_STRING), .required = true, .preset = PATH("$.timestamp")},
    [COHORTS_BATCH_KEYS] = {FIELD("batch_keys", "Batch Keys", FIELD_STRING), .multiple = true,
        .preset = "[\"cohort_name\",\"cohort_id\"]"},
};
/* clang-format on */

enum { PATH_BYTES_MAX = 256 }; /* a partner's name, and what stands around it */

/* Users of one change, in the order they are found. */
struct change {
    struct jv *user_ids;
    struct jv *device_ids;
    struct jv *aliases;
    struct jv *alias_names; /* "name:label" of each: what the reference knows it by */
    uint32_t user_count;
    uint32_t device_count;
    uint32_t alias_count;
};

struct changes {
    struct change add;
    struct change remove;
};

static bool is_in(const struct jv *list, uint32_t count, struct jv v)
{
    for (uint32_t i = 0; i < count; i++)
        if (jv_equal(list[i], v))
            return true;
    return false;
}

static bool is_member(const struct jv *v)
{
    return jv_truthy(jv_get(v[COHORTS_EVENT_PROPERTIES], jv_str(v[COHORTS_AUDIENCE_KEY])));
}

/* The reference looks at the first payload of a batch, delivery at each. */
static bool is_other_audience(const struct jv *v, struct failure *out)
{
    if (jv_equal(v[COHORTS_NAME], v[COHORTS_AUDIENCE_KEY]))
        return false;
    *out = (struct failure){
        .name = "PayloadValidationError",
        .code = jv_string(STR("PAYLOAD_VALIDATION_FAILED")),
        .status = 400,
        .message = STR("The value of `personas computation key` and `personas_audience_key` "
                       "must match."),
    };
    return true;
}

/* "name:label": two aliases that print alike are one to the reference. undefined when there is no
 * alias, or the arena is full. */
static struct jv alias_name(struct jv alias, struct arena *a)
{
    struct str name = jv_str(jv_get(alias, STR("alias_name")));
    struct str label = jv_str(jv_get(alias, STR("alias_label")));
    struct buf text;
    if (!jv_truthy(alias))
        return jv_undefined();
    buf_init_arena(&text, a, name.len + label.len + 1);
    buf_append(&text, name);
    buf_putc(&text, ':');
    buf_append(&text, label);
    return text.failed ? jv_undefined() : jv_string(buf_str(&text));
}

/* A user counts once, however often the batch names it: the newest event decides. */
static int sort_user(struct changes *c, const struct jv *v, struct arena *a)
{
    struct change *to = is_member(v) ? &c->add : &c->remove;
    struct jv user = v[COHORTS_EXTERNAL_ID];
    struct jv device = v[COHORTS_DEVICE_ID];
    struct jv alias = alias_name(v[COHORTS_USER_ALIAS], a);
    if (jv_truthy(v[COHORTS_USER_ALIAS]) && alias.type == JV_UNDEFINED)
        return -ENOMEM;
    if (jv_truthy(user) && !is_in(c->add.user_ids, c->add.user_count, user) &&
        !is_in(c->remove.user_ids, c->remove.user_count, user))
        to->user_ids[to->user_count++] = user;
    else if (jv_truthy(device) && !is_in(c->add.device_ids, c->add.device_count, device) &&
             !is_in(c->remove.device_ids, c->remove.device_count, device))
        to->device_ids[to->device_count++] = device;
    else if (jv_truthy(alias) && !is_in(c->add.alias_names, c->add.alias_count, alias) &&
             !is_in(c->remove.alias_names, c->remove.alias_count, alias)) {
        to->alias_names[to->alias_count] = alias;
        to->aliases[to->alias_count++] = v[COHORTS_USER_ALIAS];
    }
    return 0;
}

/* {"alias_name","alias_label"}, in this order. undefined when the arena is full. */
static struct jv ordered_alias(struct arena *a, struct jv alias)
{
    struct jv_builder b;
    jv_object_begin(&b, a, 2);
    put(&b, STR("alias_name"), jv_get(alias, STR("alias_name")));
    put(&b, STR("alias_label"), jv_get(alias, STR("alias_label")));
    return jv_object_end(&b);
}

static struct jv list_of(const struct jv *items, uint32_t count)
{
    return (struct jv){.type = JV_ARRAY, .len = count, .items = items};
}

static struct jv describe(struct arena *a, struct change *c, bool is_removal)
{
    for (uint32_t i = 0; i < c->alias_count; i++)
        c->aliases[i] = ordered_alias(a, c->aliases[i]);
    struct jv_builder b;
    jv_object_begin(&b, a, 4);
    jv_object_put(&b, STR("user_ids"), list_of(c->user_ids, c->user_count));
    jv_object_put(&b, STR("device_ids"), list_of(c->device_ids, c->device_count));
    jv_object_put(&b, STR("aliases"), list_of(c->aliases, c->alias_count));
    if (is_removal)
        jv_object_put(&b, STR("should_remove"), jv_bool(true));
    return jv_object_end(&b);
}

static bool is_empty(const struct change *c)
{
    return c->user_count + c->device_count + c->alias_count == 0;
}

static int init_change(struct change *c, size_t count, struct arena *a)
{
    *c = (struct change){
        .user_ids = arena_array(a, count, sizeof(struct jv)),
        .device_ids = arena_array(a, count, sizeof(struct jv)),
        .aliases = arena_array(a, count, sizeof(struct jv)),
        .alias_names = arena_array(a, count, sizeof(struct jv)),
    };
    return c->user_ids == NULL || c->device_ids == NULL || c->aliases == NULL ||
                   c->alias_names == NULL
               ? -ENOMEM
               : 0;
}

struct moments {
    const int64_t *times;
    const bool *known; /* a time that is none is as new as any other */
};

static bool is_newer(const struct moments *m, size_t i, size_t than)
{
    return m->known[i] && m->known[than] && m->times[i] > m->times[than];
}

/* Newest first, stable, by V8's steps for short lists: which they are shows when some times are
 * none. A first run is taken as it is or turned round, the others are inserted by halving. */
static void sort_newest_first(size_t *order, size_t count, const struct moments *m)
{
    size_t run = count < 2 ? count : 2;
    bool is_rising = count > 1 && is_newer(m, order[1], order[0]);
    while (run < count && run > 1 && is_newer(m, order[run], order[run - 1]) == is_rising)
        run++;
    for (size_t i = 0; is_rising && i < run / 2; i++) {
        size_t kept = order[i];
        order[i] = order[run - 1 - i];
        order[run - 1 - i] = kept;
    }
    for (; run < count; run++) {
        size_t pivot = order[run];
        size_t left = 0;
        for (size_t right = run; left < right;) {
            size_t middle = left + (right - left) / 2;
            if (is_newer(m, pivot, order[middle]))
                right = middle;
            else
                left = middle + 1;
        }
        memmove(&order[left + 1], &order[left], (run - left) * sizeof(*order));
        order[left] = pivot;
    }
}

static int sort_by_time(struct cohorts_sync *out, const struct record *records, size_t count,
                        struct arena *a)
{
    int64_t *times = arena_array(a, count, sizeof(*times));
    bool *known = arena_array(a, count, sizeof(*known));
    out->order = arena_array(a, count, sizeof(*out->order));
    if (times == NULL || known == NULL || out->order == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        known[i] = date_parse_js(jv_str(records[i].values[COHORTS_TIME]), &times[i]);
        out->order[i] = i;
    }
    sort_newest_first(out->order, count, &(struct moments){times, known});
    return 0;
}

static void append_base_path(struct buf *out, struct str partner)
{
    buf_append(out, STR("/partners/"));
    buf_append(out, partner);
}

struct str cohorts_address(struct str endpoint, struct str partner, struct arena *a)
{
    struct buf address;
    buf_init_arena(&address, a, endpoint.len + PATH_BYTES_MAX);
    buf_append(&address, endpoint);
    append_base_path(&address, partner);
    return address.failed ? STR("") : buf_str(&address);
}

static void begin_body(struct jv_builder *b, const struct cohorts_config *config, struct arena *a)
{
    jv_object_begin(b, a, 5);
    put(b, STR("partner_api_key"), config->partner_api_key);
    put(b, STR("client_secret"), config->client_secret);
}

static int add_request(struct cohorts_sync *out, const struct cohorts_config *config,
                       enum request_family family, struct jv_builder *body, struct arena *a)
{
    const struct family_row *row = family_row(family);
    struct str partner = config->partner.len > 0 ? config->partner : STR("segment");
    struct buf path;
    buf_init_arena(&path, a, PATH_BYTES_MAX);
    append_base_path(&path, partner);
    buf_append(&path, str_from(row->path));
    struct request *request = &out->requests[out->request_count++];
    *request = (struct request){.method = row->method,
                                .path = buf_str(&path),
                                .body = jv_object_end(body),
                                .is_open = true};
    return request->body.type == JV_OBJECT && !path.failed ? 0 : -ENOMEM;
}

/* What makes or renames the cohort; the account's keys are there already. */
static void put_cohort(struct jv_builder *body, const struct jv *v)
{
    put(body, STR("name"), v[COHORTS_NAME]);
    put(body, STR("cohort_id"), v[COHORTS_ID]);
    put(body, STR("created_at"), v[COHORTS_TIME]);
}

static int make_cohort(struct cohorts_sync *out, const struct cohorts_config *config,
                       const struct jv *first, struct arena *a)
{
    struct jv_builder b;
    begin_body(&b, config, a);
    put_cohort(&b, first);
    out->makes_cohort = true;
    return add_request(out, config, FAMILY_COHORT, &b, a);
}

static int change_members(struct cohorts_sync *out, const struct cohorts_config *config,
                          struct changes *changes, struct jv cohort_id, struct arena *a)
{
    struct jv *items;
    struct jv list = jv_array(a, &items, 2);
    if (list.type != JV_ARRAY)
        return -ENOMEM;
    list.len = 0;
    if (!is_empty(&changes->add))
        items[list.len++] = describe(a, &changes->add, false);
    if (!is_empty(&changes->remove))
        items[list.len++] = describe(a, &changes->remove, true);
    if (list.len == 0)
        return 0;
    struct jv_builder b;
    begin_body(&b, config, a);
    put(&b, STR("cohort_id"), cohort_id);
    jv_object_put(&b, STR("cohort_changes"), list);
    return add_request(out, config, FAMILY_COHORT_ADD_USER, &b, a);
}

int cohorts_sync(struct cohorts_sync *out, const struct cohorts_config *config,
                 const struct record *records, size_t count, struct arena *a)
{
    const struct jv *first = records[0].values;
    struct changes changes;
    *out = (struct cohorts_sync){0};
    if (is_other_audience(first, &out->failure))
        return 0;
    int rc = 0;
    if (!jv_equal(config->known_name, first[COHORTS_NAME]))
        rc = make_cohort(out, config, first, a);
    if (rc == 0)
        rc = sort_by_time(out, records, count, a);
    if (rc == 0)
        rc = init_change(&changes.add, count, a);
    if (rc == 0)
        rc = init_change(&changes.remove, count, a);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = sort_user(&changes, records[out->order[i]].values, a);
    return rc == 0 ? change_members(out, config, &changes, first[COHORTS_ID], a) : rc;
}

static struct str json_of(struct jv v, struct arena *a)
{
    struct buf text;
    buf_init_arena(&text, a, RECORD_BYTES_MAX);
    jv_write(&text, v);
    return text.failed ? (struct str){NULL, 0} : buf_str(&text);
}

/* An object's members without its braces. */
static struct str members_of(struct jv object, struct arena *a)
{
    struct str text = json_of(object, a);
    return text.len < 2 ? (struct str){NULL, 0} : str_slice(text, 1, text.len - 1);
}

struct str cohorts_body_keys(struct jv settings, struct arena *a)
{
    struct cohorts_config config = {
        .partner_api_key = jv_get(settings, STR("partner_api_key")),
        .client_secret = jv_get(settings, STR("client_secret")),
    };
    struct jv_builder b;
    begin_body(&b, &config, a);
    return members_of(jv_object_end(&b), a);
}

static int describe_cohort(struct cohort *out, const struct jv *v, struct arena *a)
{
    struct jv_builder id;
    struct jv_builder body;
    jv_object_begin(&id, a, 1);
    jv_object_put(&id, STR("cohort_id"), v[COHORTS_ID]);
    jv_object_begin(&body, a, 3);
    put_cohort(&body, v);
    *out = (struct cohort){
        .key = {hash_str(jv_str(v[COHORTS_ID]))},
        .name = hash_str(jv_str(v[COHORTS_NAME])),
        .id = members_of(jv_object_end(&id), a),
        .body = json_of(jv_object_end(&body), a),
    };
    return out->id.ptr == NULL || out->body.ptr == NULL ? -ENOMEM : 0;
}

/* The first id that is there: one payload, one member. */
static int cohorts_build(const struct call *call, const struct record *r, struct arena *a,
                         struct built *out)
{
    const struct jv *v = r->values;
    static const struct {
        size_t row;
        enum request_family add, remove;
    } ids[] = {
        {COHORTS_EXTERNAL_ID, FAMILY_COHORT_ADD_USER, FAMILY_COHORT_REMOVE_USER},
        {COHORTS_DEVICE_ID, FAMILY_COHORT_ADD_DEVICE, FAMILY_COHORT_REMOVE_DEVICE},
        {COHORTS_USER_ALIAS, FAMILY_COHORT_ADD_ALIAS, FAMILY_COHORT_REMOVE_ALIAS},
    };
    (void)call;
    if (is_other_audience(v, &out->failure))
        return 0;
    size_t i = 0;
    while (i < countof(ids) && !jv_truthy(v[ids[i].row]))
        i++;
    if (i == countof(ids))
        return 0;
    struct cohort *cohort = arena_array(a, 1, sizeof(*cohort));
    out->objects = arena_array(a, 1, sizeof(*out->objects));
    if (cohort == NULL || out->objects == NULL)
        return -ENOMEM;
    out->family = is_member(v) ? ids[i].add : ids[i].remove;
    out->objects[out->count++] =
        ids[i].row == COHORTS_USER_ALIAS ? ordered_alias(a, v[ids[i].row]) : v[ids[i].row];
    out->cohort = cohort;
    return out->objects[0].type == JV_UNDEFINED ? -ENOMEM : describe_cohort(cohort, v, a);
}

const struct action cohorts_action = {
    .key = STR_INIT("syncAudiences"),
    .title = "Sync Audience",
    .subscribe = COHORTS_SUBSCRIBE,
    .fields = cohorts_fields,
    .field_count = COHORTS_ROWS,
    .family = FAMILY_COHORT_ADD_USER,
    .build = cohorts_build,
};
