/*
 * The ops action and batch of run-cases: what the reference's Destination does around an action,
 * with the response that the case names in place of Braze.
 */
#include "run-cases-actions.h"

#include <stdlib.h>

#include "batch.h"
#include "cohorts.h"
#include "presets.h"
#include "subscription.h"
#include "text.h"

static void free_runners(void *kept)
{
    struct runners *r = kept;
    for (size_t i = 0; i < r->count; i++) {
        mapping_free(r->each[i].mapping);
        schema_free(r->each[i].schema);
        fql_free(r->each[i].fql);
    }
    free(r->each);
    arena_fini(&r->memory);
    free(r);
}

struct runners *case_new_runners(struct outcome_of_case *o, struct case_slot *slot, size_t count)
{
    struct runners *r = calloc(1, sizeof(*r));
    struct runner *each = calloc(count + 1, sizeof(*each));
    if (r == NULL || each == NULL)
        abort();
    arena_init(&r->memory, 1 << 28);
    r->response = case_response_of(o->test, &r->memory);
    r->each = each;
    r->count = count;
    slot->kept = r;
    slot->free = free_runners;
    return r;
}

static struct failure failure_of(struct thrown thrown)
{
    char *name = strndup(thrown.name.ptr, thrown.name.len);
    if (name == NULL)
        abort();
    /* The few names there are; a failure's name is static. */
    static const char *const names[] = {
        "Error",          "TypeError",  "RangeError",  "SyntaxError",       "ValidationError",
        "AggregateError", "ParseError", "RenderError", "TokenizationError", "AssertionError"};
    const char *known = "Error";
    for (size_t i = 0; i < countof(names); i++)
        if (strcmp(names[i], name) == 0)
            known = names[i];
    free(name);
    return (struct failure){.name = known, .message = thrown.message};
}

void case_type_error(struct outcome_of_case *o, struct jv of, struct str key, enum stage stage)
{
    o->failure = exchange_type_failure(of, key, o->arena);
    o->stage = stage;
}

struct str case_text(struct outcome_of_case *o, struct jv v)
{
    struct buf text;
    buf_init_arena(&text, o->arena, 1 << 20);
    (void)text_append_value(&text, v);
    return buf_str(&text);
}

static bool is_illegal_in_header(struct str text)
{
    bool is_legal = true;
    for (size_t at = 0; is_legal && at < text.len;) {
        uint32_t point = text_next_point(text, &at);
        is_legal =
            point == '\t' || (point >= 0x20 && point <= 0x7e) || (point >= 0x80 && point <= 0xff);
    }
    return !is_legal;
}

void case_open_runner(struct runner *r, struct str action, struct jv mapping, struct jv settings,
                      bool is_cohorts, enum form form)
{
    const struct action *found = is_cohorts ? &cohorts_action : action_find(action);
    r->settings = settings;
    r->raw_mapping = mapping;
    r->has_illegal_key = is_illegal_in_header(jv_str(jv_get(settings, STR("api_key"))));
    r->is_cohorts = is_cohorts;
    r->is_unknown = found == NULL || !str_eq(found->key, action);
    if (r->is_unknown)
        return;
    if (is_cohorts) {
        r->schema = schema_new(cohorts_fields, COHORTS_ROWS, 0);
        return;
    }
    r->call = subscription_call(found, mapping, settings, PARITY_STRICT, form);
    r->schema = schema_new(found->fields, found->field_count, found->absent);
    r->call.schema = r->schema;
}

void case_append(struct outcome_of_case *o, struct list *list, struct jv item)
{
    if (list->count == list->room) {
        uint32_t room = list->room == 0 ? 8 : list->room * 2;
        struct jv *grown = arena_array(o->arena, room, sizeof(*grown));
        if (grown == NULL)
            abort();
        if (list->count > 0)
            memcpy(grown, list->items, list->count * sizeof(*grown));
        list->items = grown;
        list->room = room;
    }
    list->items[list->count++] = item;
}

struct jv case_array(const struct list *list)
{
    return (struct jv){.type = JV_ARRAY, .len = list->count, .items = list->items};
}

static void note_request(struct outcome_of_case *o, const struct request *request,
                         const struct runner *r)
{
    if (o->outgoing != NULL) {
        o->requests.count++;
        jv_write(o->outgoing, request->body);
        return;
    }
    case_append(o, &o->requests, request_describe(request, r->settings, o->arena));
}

void case_note_result(struct outcome_of_case *o, const char *output, struct jv data)
{
    struct jv_builder b;
    if (o->outgoing != NULL)
        return;
    jv_object_begin(&b, o->arena, 2);
    put(&b, STR("data"), data);
    jv_object_put(&b, STR("output"), jv_string(str_from(output)));
    case_append(o, &o->results, jv_object_end(&b));
}

static void note_results(struct outcome_of_case *o, struct jv data)
{
    case_note_result(o, "Mappings resolved", jv_undefined());
    case_note_result(o, "Payload validated", jv_undefined());
    case_note_result(o, "Action Executed", data);
}

/* False: o->failure says why. */
static bool compile(struct outcome_of_case *o, struct runner *r, struct jv mapping)
{
    struct thrown thrown = {STR("Error"), STR("")};
    if (r->mapping != NULL)
        return true;
    int rc = mapping_compile_or_throw(&r->mapping, mapping, o->arena, &thrown, NULL);
    if (rc != 0)
        o->failure = failure_of(thrown);
    return rc == 0;
}

static bool transform(struct outcome_of_case *o, struct runner *r, struct jv event, bool is_element,
                      struct jv *payload)
{
    struct thrown thrown = {STR("Error"), STR("")};
    bool is_data = is_element || event.type == JV_OBJECT;
    o->stage = STAGE_PAYLOAD;
    if (!compile(o, r, is_data ? r->raw_mapping : (struct jv){.type = JV_OBJECT}))
        return false;
    int rc = is_element ? mapping_run_element(r->mapping, event, o->arena, payload, &thrown, NULL)
                        : mapping_run_or_throw(r->mapping, event, o->arena, payload, &thrown, NULL);
    if (rc != 0)
        o->failure = failure_of(thrown);
    return rc == 0;
}

/* The reference makes its header before it asks the action. */
static void refuse_key(struct outcome_of_case *o, const struct runner *r, enum stage stage)
{
    struct str key = case_text(o, jv_get(r->settings, STR("api_key")));
    struct buf message;
    buf_init_arena(&message, o->arena, key.len + 64);
    buf_append(&message, STR("Bearer "));
    buf_append(&message, key);
    buf_append(&message, STR(" is not a legal HTTP header value"));
    o->failure = (struct failure){.name = "TypeError", .message = buf_str(&message)};
    o->stage = stage;
}

/* Where the reference threw what one event came to. */
static enum stage stage_of(const struct exchange *x)
{
    if (x->has_request && x->built.failure.name == NULL)
        return STAGE_ANSWER;
    return x->failure.status != 0 || x->built.failure.name == x->failure.name ? STAGE_ACTION
                                                                              : STAGE_PAYLOAD;
}

static void run_single(struct outcome_of_case *o, struct runner *r, struct jv event)
{
    struct jv payload;
    struct exchange x;
    if (!transform(o, r, event, false, &payload))
        return;
    if (exchange_open(&x, &r->call, payload, event, o->arena) != 0)
        abort();
    if (r->has_illegal_key && !exchange_stumbles(event, &(struct failure){0}) &&
        (x.failure.name == NULL || strcmp(x.failure.name, "AggregateAjvError") != 0)) {
        refuse_key(o, r, STAGE_ACTION);
        return;
    }
    if (x.has_request && x.failure.name == NULL) {
        note_request(o, &x.request, r);
        x.response = o->runners->response.response;
        if (exchange_settle(&x, &r->call) != 0)
            abort();
    }
    o->failure = x.failure;
    o->stage = stage_of(&x);
    if (o->outgoing == NULL)
        note_results(o, x.data);
}

static void run_batch(struct outcome_of_case *o, struct runner *r, struct jv events)
{
    struct jv *payloads = arena_array(o->arena, events.len, sizeof(*payloads));
    if (payloads == NULL)
        abort();
    for (uint32_t i = 0; i < events.len; i++)
        if (!transform(o, r, events.items[i], true, &payloads[i]))
            return;
    struct batch b;
    if (batch_open(&b, &r->call, payloads, events.items, events.len, o->arena) != 0)
        abort();
    o->failure = b.failure;
    o->stage = STAGE_ACTION;
    bool stumbles = false; /* seen before the action is asked */
    for (uint32_t i = 0; i < events.len && (b.failure.name != NULL || r->has_illegal_key); i++)
        stumbles = stumbles || exchange_stumbles(events.items[i], &(struct failure){0});
    if (stumbles)
        o->stage = STAGE_PAYLOAD;
    if (r->has_illegal_key && b.valid_count > 0 && !stumbles) {
        refuse_key(o, r, STAGE_PAYLOAD);
        return;
    }
    if (b.has_request && b.failure.name == NULL) {
        note_request(o, &b.request, r);
        b.response = o->runners->response.response;
        o->stage = STAGE_ANSWER;
        if (batch_settle(&b) != 0)
            abort();
        o->failure = b.failure;
    }
    for (size_t i = 0; i < b.count; i++)
        case_append(o, &o->results, case_node(&o->runners->response, b.items[i].node, o->arena));
}

static struct jv node_of(struct arena *a, struct jv status, struct jv body, struct jv sent)
{
    struct jv_builder b;
    jv_object_begin(&b, a, 3);
    jv_object_put(&b, STR("status"), status);
    jv_object_put(&b, STR("body"), body);
    jv_object_put(&b, STR("sent"), sent);
    return jv_object_end(&b);
}

struct jv case_invalid_node(struct arena *a, struct str why)
{
    struct jv_builder b;
    jv_object_begin(&b, a, 4);
    jv_object_put(&b, STR("status"), jv_number(400));
    jv_object_put(&b, STR("errortype"), jv_string(STR("PAYLOAD_VALIDATION_FAILED")));
    jv_object_put(&b, STR("errormessage"), jv_string(why));
    jv_object_put(&b, STR("errorreporter"), jv_string(STR("INTEGRATIONS")));
    return jv_object_end(&b);
}

/* Sends what the sync asks for; the data of the last answer, or
 * undefined when nobody was to change. */
static struct jv send_sync(struct outcome_of_case *o, struct runner *r,
                           const struct cohorts_sync *sync)
{
    const struct response response = o->runners->response.response;
    o->failure = sync->failure;
    for (size_t i = 0; o->failure.name == NULL && i < sync->request_count; i++) {
        note_request(o, &sync->requests[i], r);
        o->stage = STAGE_ANSWER;
        if (response.status < 200 || response.status > 299)
            o->failure = exchange_http_failure(response.status, o->arena);
    }
    if (sync->request_count == (size_t)sync->makes_cohort)
        return jv_undefined();
    return jv_is_nullish(response.body) ? jv_string(response.text) : response.body;
}

/* The reference asks the endpoint whether it includes "eu", as texts and arrays can tell. */
static bool has_no_includes(struct outcome_of_case *o, struct jv endpoint)
{
    if (endpoint.type == JV_STRING || endpoint.type == JV_ARRAY)
        return false;
    if (jv_is_nullish(endpoint))
        case_type_error(o, endpoint, STR("includes"), STAGE_ACTION);
    else
        o->failure = (struct failure){
            .name = "TypeError", .message = STR("settings.endpoint.includes is not a function")};
    return true;
}

static void run_cohorts(struct outcome_of_case *o, struct runner *r, const struct jv *events,
                        size_t count, bool is_batch)
{
    struct record *records = arena_array(o->arena, count, sizeof(*records));
    struct jv *nodes = arena_array(o->arena, count, sizeof(*nodes));
    struct cohorts_sync sync;
    struct str why = {0};
    size_t valid = 0;
    if (records == NULL || nodes == NULL)
        abort();
    for (size_t i = 0; i < count; i++) {
        struct jv payload;
        if (!transform(o, r, events[i], is_batch, &payload))
            return;
        int rc = schema_check(r->schema, payload, is_batch ? CLEAN_BATCH : CLEAN_SINGLE, o->arena,
                              &records[valid], &why);
        nodes[i] = rc == 0 ? jv_undefined() : case_invalid_node(o->arena, why);
        valid += rc == 0;
        if (rc != 0 && !is_batch) {
            o->failure = (struct failure){.name = "AggregateAjvError", .message = why};
            return;
        }
    }
    for (size_t i = 0; valid > 0 && i < count; i++)
        if (exchange_stumbles(events[i], &o->failure))
            return;
    struct jv data = jv_undefined();
    struct jv endpoint = jv_get(r->settings, STR("endpoint"));
    if (valid > 0) {
        struct cohorts_config config = {.client_secret = jv_get(r->settings, STR("client_secret"))};
        if (cohorts_sync(&sync, &config, records, valid, o->arena) != 0)
            abort();
        o->stage = STAGE_ACTION;
        if (sync.failure.name != NULL || !has_no_includes(o, endpoint))
            data = send_sync(o, r, &sync);
    }
    if (o->failure.name != NULL)
        return;
    if (!is_batch) {
        note_results(o, data);
        return;
    }
    bool has_sent = data.type != JV_UNDEFINED;
    size_t next = 0;
    for (size_t i = 0; i < count; i++) {
        if (nodes[i].type == JV_UNDEFINED) {
            struct jv sent = schema_object(r->schema, &records[sync.order[next++]], o->arena);
            nodes[i] =
                has_sent ? node_of(o->arena, o->runners->response.status, data, sent)
                         : node_of(o->arena, jv_number(200), (struct jv){.type = JV_OBJECT}, sent);
        }
        case_append(o, &o->results, nodes[i]);
    }
}

/* events[0], whatever `events` is. */
static struct jv first_of(struct jv events)
{
    if (events.type == JV_ARRAY && events.len > 0)
        return events.items[0];
    return events.type == JV_STRING && events.len > 0 ? events : jv_get(events, STR("0"));
}

/* True: o->failure says why. */
static bool is_no_batch(struct outcome_of_case *o, const struct runner *r, struct jv events)
{
    o->stage = STAGE_PAYLOAD;
    if (!r->is_cohorts && r->call.action->batch_request == NULL)
        o->failure = (struct failure){
            .name = "IntegrationError",
            .code = jv_string(STR("NotImplemented")),
            .status = 501,
            .message = STR("This action does not support batched requests."),
        };
    else if (events.type != JV_ARRAY)
        o->failure = (struct failure){
            .name = "Error",
            .message = events.type == JV_STRING ? STR("data must be an array, got string")
                                                : STR("data must be an array, got object"),
        };
    return o->failure.name != NULL;
}

void case_run(struct outcome_of_case *o, struct runner *r, struct jv input, bool is_batch)
{
    struct jv first = is_batch ? first_of(input) : input;
    if (r->is_unknown)
        return;
    if (is_batch && jv_is_nullish(input))
        case_type_error(o, input, STR("0"), STAGE_ENTRY);
    else if (jv_is_nullish(first))
        case_type_error(o, first, STR("context"), STAGE_ENTRY);
    else if (is_batch && is_no_batch(o, r, input))
        return;
    else if (r->is_cohorts && is_batch)
        run_cohorts(o, r, input.items, input.len, true);
    else if (r->is_cohorts)
        run_cohorts(o, r, &input, 1, false);
    else if (is_batch)
        run_batch(o, r, input);
    else
        run_single(o, r, input);
}

/* The settings of a case, or the reference runner's own, whatever the destination. */
static struct jv settings_of(const struct outcome_of_case *o, struct runners *all)
{
    struct jv settings = jv_get(o->test, STR("settings"));
    const struct str usual = STR("{\"api_key\":\"key\",\"app_id\":\"app\","
                                 "\"endpoint\":\"https://rest.iad-01.braze.com\"}");
    if (!jv_truthy(settings) && jv_parse(&settings, &all->memory, usual, JV_JAVASCRIPT, NULL) != 0)
        abort();
    return settings;
}

static struct jv cohorts_preset_mapping(struct arena *a)
{
    struct jv_builder b;
    jv_object_begin(&b, a, COHORTS_ROWS);
    for (size_t row = 0; row < COHORTS_ROWS; row++) {
        struct jv preset;
        const char *text = cohorts_fields[row].preset;
        if (text == NULL)
            continue;
        if (jv_parse(&preset, a, str_from(text), JV_JAVASCRIPT, NULL) != 0)
            abort();
        jv_object_put(&b, cohorts_fields[row].key, preset);
    }
    return jv_object_end(&b);
}

static bool wants_presets(const struct outcome_of_case *o)
{
    return jv_truthy(jv_get(o->test, STR("useDefaultMappings")));
}

static struct runners *open_action(struct outcome_of_case *o, struct case_slot *slot, bool is_batch)
{
    struct runners *all = case_new_runners(o, slot, 1);
    struct str name = case_text(o, jv_get(o->test, STR("action")));
    const struct action *action = action_find(name);
    struct jv_builder b;
    jv_object_begin(&b, &all->memory, 0);
    if (wants_presets(o) && o->is_cohorts)
        jv_object_put_all(&b, cohorts_preset_mapping(&all->memory));
    else if (wants_presets(o) && action != NULL)
        jv_object_put_all(&b, preset_default_mapping(action, &all->memory));
    jv_object_put_all(&b, jv_get(o->test, STR("mapping")));
    case_open_runner(&all->each[0], name, jv_object_end(&b), settings_of(o, all), o->is_cohorts,
                     is_batch ? FORM_BATCH : FORM_SINGLE);
    return all;
}

static void run_action(struct outcome_of_case *o, struct case_slot *slot, bool is_batch)
{
    struct runners *all = slot->kept == NULL ? open_action(o, slot, is_batch) : slot->kept;
    o->runners = all;
    if (all->each[0].is_unknown && wants_presets(o)) /* the reference runner looks for its fields */
        case_type_error(o, jv_undefined(), STR("fields"), STAGE_ENTRY);
    else
        case_run(o, &all->each[0], o->input, is_batch);
}

struct jv run_action_case(struct case_slot *slot, struct jv test, struct jv input, struct arena *a)
{
    struct outcome_of_case o = {
        .arena = a, .test = test, .input = input, .outgoing = slot->outgoing};
    struct str op = jv_str(jv_get(test, STR("op")));
    if (str_eq(op, STR("defaults")))
        return run_defaults_case(a);
    o.is_cohorts = str_eq(jv_str(jv_get(test, STR("destination"))), STR("braze-cohorts"));
    if (str_eq(op, STR("event")))
        run_event_case(&o, slot);
    else
        run_action(&o, slot, str_eq(op, STR("batch")));
    if (slot->outgoing != NULL)
        return jv_undefined();
    struct jv requests = case_array(&o.requests);
    if (o.failure.name != NULL) {
        static const struct case_response nothing_sent;
        const struct case_response *response =
            o.runners == NULL ? &nothing_sent : &o.runners->response;
        struct jv status = case_failure_status(response, &o.failure);
        return case_error(a, requests, str_from(o.failure.name), o.failure.code, status,
                          o.failure.message);
    }
    struct jv_builder b;
    jv_object_begin(&b, a, 2);
    jv_object_put(&b, STR("requests"), requests);
    jv_object_put(&b, STR("results"), case_array(&o.results));
    return jv_object_end(&b);
}
