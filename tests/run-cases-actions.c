/*
 * The ops action, batch, event and defaults of run-cases: what the reference's Destination does
 * around an action, with the response that the case names in place of Braze.
 */
#include "run-cases.h"

#include <stdio.h>
#include <stdlib.h>

#include "batch.h"
#include "cohorts.h"
#include "fql.h"
#include "mapping.h"
#include "presets.h"
#include "run-cases-actions.h"
#include "settings.h"
#include "subscription.h"

/* One action with its mapping, compiled. */
struct runner {
    struct mapping *mapping;
    struct schema *schema;
    struct fql *fql; /* op event */
    struct call call;
    struct jv raw_mapping;
    struct jv settings;
    bool is_unknown;       /* no such action */
    bool failed_in_action; /* in the last run */
};

struct runners {
    struct arena memory; /* the mappings of this case */
    struct response response;
    struct runner *each;
    size_t count;
};

struct list {
    struct jv *items; /* in the case's arena */
    uint32_t count;
    uint32_t room;
};

/* What came of a case. */
struct outcome_of_case {
    struct arena *arena;
    struct jv test;
    struct jv input;
    const struct runners *runners;
    struct buf *outgoing; /* as in case_slot */
    struct list requests;
    struct list results;
    struct failure failure;
};

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

/* What the case names in place of Braze's answer. */
static struct response response_of(struct jv test, struct arena *a)
{
    struct jv given = jv_get(test, STR("response"));
    struct jv status = jv_get(given, STR("status"));
    struct jv body = jv_get(given, STR("body"));
    struct jv type = jv_get(jv_get(given, STR("headers")), STR("content-type"));
    struct response response = {.status = status.type == JV_NUMBER ? (int)status.number : 201};
    if (body.type == JV_UNDEFINED) {
        struct jv_builder b;
        jv_object_begin(&b, a, 1);
        jv_object_put(&b, STR("message"), jv_string(STR("success")));
        body = jv_object_end(&b);
    }
    struct buf text;
    buf_init(&text, 1 << 28);
    jv_write(&text, body);
    response.text = arena_copy(a, buf_str(&text));
    buf_fini(&text);
    bool is_json = type.type != JV_STRING || memmem(type.ptr, type.len, "application/json", 16);
    response.body = is_json ? body : jv_string(response.text);
    return response;
}

static struct runners *new_runners(struct outcome_of_case *o, struct case_slot *slot, size_t count)
{
    struct runners *r = calloc(1, sizeof(*r));
    struct runner *each = calloc(count + 1, sizeof(*each));
    if (r == NULL || each == NULL)
        abort();
    arena_init(&r->memory, 1 << 28);
    r->response = response_of(o->test, &r->memory);
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

static void type_error_on(struct outcome_of_case *o, struct jv of, struct str key)
{
    o->failure = exchange_type_failure(of, key, o->arena);
}

static void open_runner(struct runner *r, struct jv action, struct jv mapping, struct jv settings,
                        enum form form)
{
    const struct action *found = action_find(jv_str(action));
    r->settings = settings;
    r->is_unknown = found == NULL;
    if (found == NULL)
        return;
    r->call = subscription_call(found, mapping, settings, PARITY_STRICT, form);
    r->schema = schema_new(found->fields, found->field_count, found->absent);
    r->call.schema = r->schema;
}

static void append(struct outcome_of_case *o, struct list *list, struct jv item)
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

static struct jv array_of(const struct list *list)
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
    append(o, &o->requests, request_describe(request, r->settings, o->arena));
}

static void note_result(struct outcome_of_case *o, const char *output, struct jv data)
{
    struct jv_builder b;
    if (o->outgoing != NULL)
        return;
    jv_object_begin(&b, o->arena, 2);
    put(&b, STR("data"), data);
    jv_object_put(&b, STR("output"), jv_string(str_from(output)));
    append(o, &o->results, jv_object_end(&b));
}

/* False: o->failure says why. */
static bool compile(struct outcome_of_case *o, struct runner *r, struct jv mapping)
{
    struct thrown thrown = {STR("Error"), STR("")};
    struct err err = {0};
    if (r->mapping != NULL)
        return true;
    int rc = mapping_compile_or_throw(&r->mapping, mapping, o->arena, &thrown, &err);
    if (rc != 0)
        o->failure = failure_of(thrown);
    return rc == 0;
}

static bool transform(struct outcome_of_case *o, struct runner *r, struct jv mapping,
                      struct jv event, bool is_element, struct jv *payload)
{
    struct thrown thrown = {STR("Error"), STR("")};
    bool is_data = is_element || event.type == JV_OBJECT;
    if (!compile(o, r, is_data ? mapping : (struct jv){.type = JV_OBJECT}))
        return false;
    int rc = is_element ? mapping_run_element(r->mapping, event, o->arena, payload, &thrown, NULL)
                        : mapping_run_or_throw(r->mapping, event, o->arena, payload, &thrown, NULL);
    if (rc != 0)
        o->failure = failure_of(thrown);
    return rc == 0;
}

static void run_single(struct outcome_of_case *o, struct runner *r, struct jv mapping,
                       struct jv event)
{
    struct jv payload;
    struct exchange x;
    if (r->is_unknown)
        return;
    if (jv_is_nullish(event)) {
        type_error_on(o, event, STR("context"));
        return;
    }
    if (!transform(o, r, mapping, event, false, &payload))
        return;
    if (exchange_open(&x, &r->call, payload, event, o->arena) != 0)
        abort();
    if (x.has_request && x.failure.name == NULL) {
        note_request(o, &x.request, r);
        x.response = o->runners->response;
        if (exchange_settle(&x, &r->call) != 0)
            abort();
    }
    r->failed_in_action = x.failure.name != NULL && x.failure.status != 0;
    r->failed_in_action = r->failed_in_action || x.built.failure.name == x.failure.name;
    o->failure = x.failure;
    note_result(o, "Mappings resolved", jv_undefined());
    note_result(o, "Payload validated", jv_undefined());
    note_result(o, "Action Executed", x.data);
}

static struct jv first_of(struct jv events)
{
    return events.type == JV_ARRAY && events.len > 0 ? events.items[0] : jv_undefined();
}

static void run_batch(struct outcome_of_case *o, struct runner *r, struct jv mapping,
                      struct jv events)
{
    struct jv first = first_of(events);
    if (r->is_unknown)
        return;
    if (jv_is_nullish(events)) {
        type_error_on(o, events, STR("0"));
        return;
    }
    if (jv_is_nullish(first)) {
        type_error_on(o, first, STR("context"));
        return;
    }
    if (r->call.action->batch_request == NULL) {
        o->failure = (struct failure){
            .name = "IntegrationError",
            .code = jv_string(STR("NotImplemented")),
            .status = 501,
            .message = STR("This action does not support batched requests."),
        };
        return;
    }
    struct jv *payloads = arena_array(o->arena, events.len, sizeof(*payloads));
    if (payloads == NULL)
        abort();
    for (uint32_t i = 0; i < events.len; i++)
        if (!transform(o, r, mapping, events.items[i], true, &payloads[i]))
            return;
    struct batch b;
    if (batch_open(&b, &r->call, payloads, events.items, events.len, o->arena) != 0)
        abort();
    o->failure = b.failure;
    if (b.has_request && b.failure.name == NULL) {
        note_request(o, &b.request, r);
        b.response = o->runners->response;
        if (batch_settle(&b) != 0)
            abort();
        o->failure = b.failure;
    }
    for (size_t i = 0; i < b.count; i++)
        append(o, &o->results, b.items[i].node);
}

static struct jv node_of(struct arena *a, double status, struct jv body, struct jv sent)
{
    struct jv_builder b;
    jv_object_begin(&b, a, 3);
    jv_object_put(&b, STR("status"), jv_number(status));
    jv_object_put(&b, STR("body"), body);
    jv_object_put(&b, STR("sent"), sent);
    return jv_object_end(&b);
}

static struct jv invalid_node(struct arena *a, struct str why)
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
    const struct response response = o->runners->response;
    o->failure = sync->failure;
    for (size_t i = 0; o->failure.name == NULL && i < sync->request_count; i++) {
        note_request(o, &sync->requests[i], r);
        if (response.status < 200 || response.status > 299)
            o->failure = exchange_http_failure(response.status, o->arena);
    }
    if (sync->request_count == (size_t)sync->makes_cohort)
        return jv_undefined();
    return jv_is_nullish(response.body) ? jv_string(response.text) : response.body;
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
        if (!transform(o, r, r->raw_mapping, events[i], is_batch, &payload))
            return;
        int rc = schema_check(r->schema, payload, is_batch ? CLEAN_BATCH : CLEAN_SINGLE, o->arena,
                              &records[valid], &why);
        nodes[i] = rc == 0 ? jv_undefined() : invalid_node(o->arena, why);
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
        if (sync.failure.name == NULL && jv_is_nullish(endpoint))
            type_error_on(o, endpoint, STR("includes"));
        else
            data = send_sync(o, r, &sync);
    }
    if (o->failure.name != NULL)
        return;
    if (!is_batch) {
        note_result(o, "Mappings resolved", jv_undefined());
        note_result(o, "Payload validated", jv_undefined());
        note_result(o, "Action Executed", data);
        return;
    }
    bool has_sent = data.type != JV_UNDEFINED;
    size_t next = 0;
    for (size_t i = 0; i < count; i++) {
        if (nodes[i].type == JV_UNDEFINED) {
            struct jv sent = schema_object(r->schema, &records[sync.order[next++]], o->arena);
            nodes[i] = node_of(o->arena, has_sent ? o->runners->response.status : 200,
                               has_sent ? data : (struct jv){.type = JV_OBJECT}, sent);
        }
        append(o, &o->results, nodes[i]);
    }
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

static void run_cohorts_case(struct outcome_of_case *o, struct case_slot *slot, bool is_batch)
{
    static const struct jv none = {.type = JV_OBJECT};
    if (!str_eq(jv_str(jv_get(o->test, STR("action"))), STR("syncAudiences")))
        return;
    struct runners *all = new_runners(o, slot, 1);
    struct runner *r = &all->each[0];
    struct jv_builder b;
    jv_object_begin(&b, &all->memory, COHORTS_ROWS);
    for (size_t row = 0; row < COHORTS_ROWS; row++) {
        struct jv preset;
        const char *text = cohorts_fields[row].preset;
        if (!jv_truthy(jv_get(o->test, STR("useDefaultMappings"))) || text == NULL)
            continue;
        if (jv_parse(&preset, &all->memory, str_from(text), JV_JAVASCRIPT, NULL) != 0)
            abort();
        jv_object_put(&b, cohorts_fields[row].key, preset);
    }
    jv_object_put_all(&b, jv_get(o->test, STR("mapping")));
    r->raw_mapping = jv_object_end(&b);
    r->schema = schema_new(cohorts_fields, COHORTS_ROWS, 0);
    r->settings = settings_of(o, all);
    if (r->settings.type != JV_OBJECT)
        r->settings = none;
    struct jv first = is_batch ? first_of(o->input) : o->input;
    o->runners = all;
    if (is_batch && jv_is_nullish(o->input))
        type_error_on(o, o->input, STR("0"));
    else if (jv_is_nullish(first))
        type_error_on(o, first, STR("context"));
    else if (is_batch)
        run_cohorts(o, r, o->input.items, o->input.len, true);
    else
        run_cohorts(o, r, &o->input, 1, false);
}

static void run_action(struct outcome_of_case *o, struct case_slot *slot, bool is_batch)
{
    struct runners *all = slot->kept;
    struct jv name = jv_get(o->test, STR("action"));
    if (all == NULL) {
        struct jv_builder b;
        all = new_runners(o, slot, 1);
        jv_object_begin(&b, &all->memory, 0);
        const struct action *action = action_find(jv_str(name));
        if (jv_truthy(jv_get(o->test, STR("useDefaultMappings"))) && action != NULL)
            jv_object_put_all(&b, preset_default_mapping(action, &all->memory));
        jv_object_put_all(&b, jv_get(o->test, STR("mapping")));
        struct jv mapping = jv_object_end(&b);
        open_runner(&all->each[0], name, mapping, settings_of(o, all),
                    is_batch ? FORM_BATCH : FORM_SINGLE);
        all->each[0].raw_mapping = mapping;
    }
    struct runner *r = &all->each[0];
    o->runners = all;
    if (is_batch)
        run_batch(o, r, r->raw_mapping, o->input);
    else
        run_single(o, r, r->raw_mapping, o->input);
}

/* Settings without what the framework takes out of them,
 * validated; undefined: o->failure says why. */
static struct jv check_settings(struct outcome_of_case *o, struct jv settings)
{
    struct jv_builder b;
    struct record record;
    struct str why;
    jv_object_begin(&b, o->arena, settings.len);
    jv_object_put_all(&b, settings);
    jv_object_remove(&b, STR("subscriptions"));
    jv_object_remove(&b, STR("subcription"));
    jv_object_remove(&b, STR("oauth"));
    struct jv own = jv_object_end(&b);
    struct schema *schema = schema_new(settings_fields, SETTINGS_ROWS, 0);
    int rc = schema_check(schema, own, CLEAN_NOTHING, o->arena, &record, &why);
    struct jv checked = rc == 0 ? schema_object(schema, &record, o->arena) : jv_undefined();
    schema_free(schema);
    if (rc != 0)
        o->failure = (struct failure){.name = "AggregateAjvError", .status = 400, .message = why};
    return checked;
}

static void run_subscription(struct outcome_of_case *o, struct runner *r, struct jv line,
                             struct jv event)
{
    static const struct jv no_mapping = {.type = JV_OBJECT};
    struct jv text = jv_get(line, STR("subscribe"));
    struct jv mapping = jv_get(line, STR("mapping"));
    struct err err = {0};
    const char *why = NULL;
    if (text.type != JV_STRING || text.len == 0) {
        note_result(o, "Failed to validate subscription", jv_undefined());
        return;
    }
    if (r->fql == NULL && fql_compile(&r->fql, jv_str(text), &err) != 0) {
        char message[sizeof(err.msg) + 32];
        snprintf(message, sizeof(message), "Invalid subscription : %s", err.msg);
        struct str kept = arena_copy(o->arena, (struct str){message, strlen(message) + 1});
        note_result(o, kept.ptr, jv_undefined());
        return;
    }
    bool is_match = fql_match_or_throw(r->fql, event, &why);
    if (why != NULL) {
        o->failure = (struct failure){.name = "TypeError", .message = str_from(why)};
        return;
    }
    if (!is_match) {
        note_result(o, "not subscribed", jv_undefined());
        return;
    }
    run_single(o, r, jv_truthy(mapping) ? mapping : no_mapping, event);
    if (o->failure.name != NULL && (strcmp(o->failure.name, "AggregateAjvError") == 0 ||
                                    strcmp(o->failure.name, "ValidationError") == 0))
        o->failure.status = 400;
}

/* How soon the reference sees a failure, in turns of the event loop: what an asynchronous action
 * throws comes later than what is thrown before it or by a synchronous one, and what an answer
 * makes it throw comes last. */
enum { AFTER_REQUEST = 10 };

static int haste_of(const struct runner *r, bool has_sent)
{
    static const struct {
        struct str action;
        int turns_after_answer;
    } asynchronous[] = {
        {STR_INIT("identifyUser2"), 1}, {STR_INIT("triggerCampaign"), 1},
        {STR_INIT("triggerCanvas"), 1}, {STR_INIT("upsertCatalogItem"), 1},
        {STR_INIT("ecommerce"), 2},     {STR_INIT("ecommerceSingleProduct"), 2},
    };
    for (size_t i = 0; (has_sent || r->failed_in_action) && i < countof(asynchronous); i++)
        if (str_eq(r->call.action->key, asynchronous[i].action))
            return has_sent ? AFTER_REQUEST + asynchronous[i].turns_after_answer : 1;
    return has_sent ? AFTER_REQUEST : 0;
}

static void run_event(struct outcome_of_case *o, struct case_slot *slot)
{
    struct jv settings = jv_get(o->test, STR("settings"));
    struct jv lines = jv_get(settings, STR("subscriptions"));
    struct jv single = jv_get(settings, STR("subscription"));
    struct runners *all = slot->kept;
    if (jv_is_nullish(settings)) {
        o->failure = (struct failure){
            .name = "TypeError",
            .message = settings.type == JV_NULL
                           ? STR("Cannot destructure property 'subscription' of 'settings' as it "
                                 "is null.")
                           : STR("Cannot destructure property 'subscription' of 'settings' as it "
                                 "is undefined."),
        };
        return;
    }
    if (jv_truthy(single))
        lines = (struct jv){.type = JV_ARRAY, .len = 1, .items = &single};
    if (lines.type != JV_ARRAY)
        lines = (struct jv){.type = JV_ARRAY};
    struct jv checked = check_settings(o, settings);
    if (o->failure.name != NULL)
        return;
    if (all == NULL) {
        all = new_runners(o, slot, lines.len);
        for (uint32_t i = 0; i < lines.len; i++)
            open_runner(&all->each[i], jv_get(lines.items[i], STR("partnerAction")),
                        jv_get(lines.items[i], STR("mapping")), jv_copy(&all->memory, checked),
                        FORM_SINGLE);
    }
    o->runners = all;
    /* The reference starts all of them at once and throws what fails first. */
    struct failure first = {0};
    int first_haste = 0;
    for (uint32_t i = 0; i < lines.len; i++) {
        uint32_t sent = o->requests.count;
        o->failure = (struct failure){0};
        run_subscription(o, &all->each[i], lines.items[i], o->input);
        int haste = haste_of(&all->each[i], o->requests.count > sent);
        if (o->failure.name != NULL && (first.name == NULL || haste < first_haste)) {
            first = o->failure;
            first_haste = haste;
        }
    }
    o->failure = first;
}

struct jv run_action_case(struct case_slot *slot, struct jv test, struct jv input, struct arena *a)
{
    struct outcome_of_case o = {
        .arena = a, .test = test, .input = input, .outgoing = slot->outgoing};
    struct str op = jv_str(jv_get(test, STR("op")));
    if (str_eq(op, STR("defaults")))
        return run_defaults_case(a);
    bool is_cohorts = str_eq(jv_str(jv_get(test, STR("destination"))), STR("braze-cohorts"));
    if (slot->kept != NULL && is_cohorts) { /* compiled anew each time: no bench asks for it */
        slot->free(slot->kept);
        slot->kept = NULL;
    }
    if (str_eq(op, STR("event")))
        run_event(&o, slot);
    else if (is_cohorts)
        run_cohorts_case(&o, slot, str_eq(op, STR("batch")));
    else
        run_action(&o, slot, str_eq(op, STR("batch")));
    if (slot->outgoing != NULL)
        return jv_undefined();
    struct jv requests = array_of(&o.requests);
    if (o.failure.name != NULL)
        return case_error(a, requests, str_from(o.failure.name), o.failure.code,
                          o.failure.status == 0 ? jv_undefined() : jv_number(o.failure.status),
                          o.failure.message);
    struct jv_builder b;
    jv_object_begin(&b, a, 2);
    jv_object_put(&b, STR("requests"), requests);
    jv_object_put(&b, STR("results"), array_of(&o.results));
    return jv_object_end(&b);
}
