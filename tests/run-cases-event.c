/*
 * The op event of run-cases: settings with their subscriptions, and one event or an array of them,
 * as the reference's onEvent takes both.
 */
#include <stdio.h>
#include <string.h>

#include "cohorts.h"
#include "run-cases-actions.h"
#include "settings.h"

/* clang-format off */
static const struct str cohorts_endpoints[] = {
    STR_INIT("https://rest.iad-01.braze.com"),
    STR_INIT("https://rest.iad-02.braze.com"),
    STR_INIT("https://rest.iad-03.braze.com"),
    STR_INIT("https://rest.iad-04.braze.com"),
    STR_INIT("https://rest.iad-05.braze.com"),
    STR_INIT("https://rest.iad-06.braze.com"),
    STR_INIT("https://rest.iad-07.braze.com"),
    STR_INIT("https://rest.iad-08.braze.com"),
    STR_INIT("https://rest.fra-01.braze.eu"),
    STR_INIT("https://rest.fra-02.braze.eu"),
    STR_INIT("https://rest.au-01.braze.com"),
};

/* Fewer endpoints than we take (docs/spec/segment-actions.md §9.1): only the reference needs them. */
static const struct field cohorts_settings[] = {
    {FIELD("client_secret", "Client Secret key", FIELD_STRING), .required = true},
    {FIELD("endpoint", "REST Endpoint", FIELD_STRING), .required = true, .format = FORMAT_URI,
        FIELD_CHOICES(cohorts_endpoints)},
};
/* clang-format on */

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
    struct schema *schema = o->is_cohorts
                                ? schema_new(cohorts_settings, countof(cohorts_settings), 0)
                                : schema_new(settings_fields, SETTINGS_ROWS, 0);
    int rc = schema_check(schema, own, CLEAN_NOTHING, o->arena, &record, &why);
    struct jv checked = rc == 0 ? schema_object(schema, &record, o->arena) : jv_undefined();
    schema_free(schema);
    if (rc != 0)
        o->failure = (struct failure){.name = "AggregateAjvError", .status = 400, .message = why};
    return checked;
}

static void note_nodes(struct outcome_of_case *o, struct jv nodes)
{
    struct jv_builder b;
    jv_object_begin(&b, o->arena, 1);
    jv_object_put(&b, STR("multistatus"), nodes);
    case_append(o, &o->results, jv_object_end(&b));
}

/* A subscription that is none: each of the events hears it. */
static void note_refusal(struct outcome_of_case *o, const char *why)
{
    struct str kept = arena_copy(o->arena, (struct str){why, strlen(why) + 1});
    struct list nodes = {0};
    if (o->input.type != JV_ARRAY) {
        case_note_result(o, kept.ptr, jv_undefined());
        return;
    }
    for (uint32_t i = 0; i < o->input.len; i++)
        case_append(o, &nodes, case_invalid_node(o->arena, str_from(kept.ptr)));
    note_nodes(o, case_array(&nodes));
}

/* False: o->failure says why. */
static bool matches(struct outcome_of_case *o, const struct fql *fql, struct jv event,
                    bool *is_match)
{
    const char *why = NULL;
    *is_match = fql_match_or_throw(fql, event, &why);
    if (why == NULL)
        return true;
    o->failure = (struct failure){.name = "TypeError", .message = str_from(why)};
    o->stage = STAGE_SUBSCRIPTION;
    return false;
}

static void run_on_one(struct outcome_of_case *o, struct runner *r)
{
    bool is_match;
    if (!matches(o, r->fql, o->input, &is_match))
        return;
    if (is_match)
        case_run(o, r, o->input, false);
    else
        case_note_result(o, "not subscribed", jv_undefined());
}

static void run_on_many(struct outcome_of_case *o, struct runner *r)
{
    const char *unmatched = "Payload is either invalid or does not match the subscription";
    struct list matching = {0};
    struct list nodes = {0};
    bool *is_match = arena_array(o->arena, o->input.len + 1, sizeof(*is_match));
    for (uint32_t i = 0; i < o->input.len; i++) {
        if (!matches(o, r->fql, o->input.items[i], &is_match[i]))
            return;
        if (is_match[i])
            case_append(o, &matching, o->input.items[i]);
    }
    if (matching.count == 0) {
        case_note_result(o, "not subscribed", jv_undefined());
        return;
    }
    struct list others = o->results;
    o->results = (struct list){0};
    case_run(o, r, case_array(&matching), true);
    struct list own = o->results;
    o->results = others;
    if (o->failure.name != NULL)
        return;
    uint32_t next = 0;
    for (uint32_t i = 0; i < o->input.len; i++) {
        if (!is_match[i])
            case_append(o, &nodes, case_invalid_node(o->arena, str_from(unmatched)));
        else /* an action that is not there says nothing of its events */
            case_append(o, &nodes, next < own.count ? own.items[next++] : jv_undefined());
    }
    note_nodes(o, case_array(&nodes));
}

/* In the end the reference looks for a 401 among all nodes, and stumbles over one that is not
 * there. */
static void look_for_401(struct outcome_of_case *o)
{
    for (uint32_t i = 0; i < o->results.count; i++) {
        struct jv nodes = jv_get(o->results.items[i], STR("multistatus"));
        for (uint32_t k = 0; nodes.type == JV_ARRAY && k < nodes.len; k++)
            if (nodes.items[k].type == JV_UNDEFINED)
                case_type_error(o, jv_undefined(), STR("status"), STAGE_ANSWER);
    }
}

static void run_subscription(struct outcome_of_case *o, struct runner *r, struct jv line)
{
    struct jv text = jv_get(line, STR("subscribe"));
    struct err err = {0};
    if (jv_is_nullish(line)) {
        case_type_error(o, line, STR("partnerAction"), STAGE_SUBSCRIPTION);
        return;
    }
    if (text.type != JV_STRING || text.len == 0) {
        note_refusal(o, "Failed to validate subscription");
        return;
    }
    if (r->fql == NULL && fql_compile(&r->fql, jv_str(text), &err) != 0) {
        char message[sizeof(err.msg) + 32];
        snprintf(message, sizeof(message), "Invalid subscription : %s", err.msg);
        note_refusal(o, message);
        return;
    }
    if (o->input.type == JV_ARRAY)
        run_on_many(o, r);
    else
        run_on_one(o, r);
    if (o->failure.name != NULL && (strcmp(o->failure.name, "AggregateAjvError") == 0 ||
                                    strcmp(o->failure.name, "ValidationError") == 0))
        o->failure.status = 400;
}

/* How soon the reference sees a failure, in turns of the event loop: each asynchronous function on
 * the way adds some, and a request adds more than all of them. */
static int haste_of(const struct runner *r, enum stage stage, bool is_batch)
{
    enum { AFTER_REQUEST = 100 };
    static const struct {
        struct str action;
        int turns;
        int turns_in_batch; /* after the answer; the track family has one */
    } asynchronous[] = {
        {STR_INIT("identifyUser2"), 1, 0}, {STR_INIT("triggerCampaign"), 1, 0},
        {STR_INIT("triggerCanvas"), 1, 0}, {STR_INIT("upsertCatalogItem"), 1, 0},
        {STR_INIT("ecommerce"), 2, 1},     {STR_INIT("ecommerceSingleProduct"), 2, 1},
    };
    int turns = 0;
    int turns_in_batch = 1;
    struct str action = r->call.action == NULL ? STR("") : r->call.action->key;
    for (size_t i = 0; i < countof(asynchronous); i++) {
        if (str_eq(action, asynchronous[i].action)) {
            turns = asynchronous[i].turns;
            turns_in_batch = asynchronous[i].turns_in_batch;
        }
    }
    switch (stage) {
    case STAGE_SUBSCRIPTION:
        return 0;
    case STAGE_ENTRY:
        return 1;
    case STAGE_PAYLOAD:
        return is_batch ? 2 : 3;
    case STAGE_ACTION:
        return is_batch ? 4 : 3 + turns;
    case STAGE_ANSWER:
        return AFTER_REQUEST + (is_batch ? turns_in_batch : turns);
    }
    return 0;
}

/* The reference starts all of them at once and throws what fails first. */
static void run_lines(struct outcome_of_case *o, struct runners *all, struct jv lines)
{
    struct failure first = {0};
    int first_haste = 0;
    for (uint32_t i = 0; i < lines.len; i++) {
        struct runner *r = &all->each[i];
        o->failure = (struct failure){0};
        run_subscription(o, r, lines.items[i]);
        int haste = haste_of(r, o->stage, o->input.type == JV_ARRAY);
        if (o->failure.name != NULL && (first.name == NULL || haste < first_haste)) {
            first = o->failure;
            first_haste = haste;
        }
    }
    o->failure = first;
    if (first.name == NULL)
        look_for_401(o);
}

void run_event_case(struct outcome_of_case *o, struct case_slot *slot)
{
    static const struct jv no_mapping = {.type = JV_OBJECT};
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
        enum form form = o->input.type == JV_ARRAY ? FORM_BATCH : FORM_SINGLE;
        all = case_new_runners(o, slot, lines.len);
        for (uint32_t i = 0; i < lines.len; i++) {
            struct jv mapping = jv_get(lines.items[i], STR("mapping"));
            struct jv action = jv_get(lines.items[i], STR("partnerAction"));
            case_open_runner(&all->each[i], case_text(o, action),
                             jv_truthy(mapping) ? mapping : no_mapping,
                             jv_copy(&all->memory, checked), o->is_cohorts, form);
        }
    }
    o->runners = all;
    run_lines(o, all, lines);
}
