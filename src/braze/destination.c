#include "destination.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "cohorts.h"
#include "exact.h"
#include "exchange.h"
#include "identity.h"
#include "presets.h"
#include "subscription.h"

enum {
    /* A copy of the configuration; mappings of hosted destinations are a few kilobytes each. */
    CONFIG_BYTES_MAX = 64 << 20,
    SUBSCRIPTIONS_MAX = 1000,
    PARTNER_BYTES_MAX = 64,
};

struct destination {
    struct arena memory; /* copies of what the config says */
    enum braze_kind kind;
    struct jv settings;
    struct str api_key;
    struct str body_keys;
    struct str endpoint; /* what the families' paths follow */
    enum parity parity;
    struct subscription *subscriptions;
    size_t count;
    size_t enabled_count;
};

/* The presets that start on events, in Segment's own form. undefined when the arena is full. */
static struct jv preset_subscriptions(enum braze_kind kind, struct arena *a)
{
    const struct preset_list presets_of = preset_list(kind);
    struct jv *items;
    struct jv list = jv_array(a, &items, (uint32_t)presets_of.count);
    if (list.type != JV_ARRAY)
        return list;
    list.len = 0;
    for (size_t i = 0; i < presets_of.count; i++) {
        const struct preset *preset = &presets_of.rows[i];
        if (preset->subscribe == NULL)
            continue;
        struct jv_builder b;
        jv_object_begin(&b, a, 4);
        jv_object_put(&b, STR("name"), jv_string(preset->name));
        jv_object_put(&b, STR("subscribe"), jv_string(str_from(preset->subscribe)));
        jv_object_put(&b, STR("partnerAction"), jv_string(preset->action));
        jv_object_put(&b, STR("mapping"), preset_mapping(kind, preset, a));
        items[list.len++] = jv_object_end(&b);
    }
    return list;
}

static bool is_filled(struct jv settings, struct str key)
{
    struct jv value = jv_get(settings, key);
    return value.type == JV_STRING && value.len > 0;
}

static int read_cloud_keys(struct destination *d, struct jv settings, struct err *err)
{
    struct jv app_id = jv_get(settings, STR("app_id"));
    if (!is_filled(settings, STR("api_key")))
        return err_set_path(err, -EINVAL, "/settings/api_key", "expected Braze's REST API key");
    if (!jv_is_nullish(app_id) && app_id.type != JV_STRING)
        return err_set_path(err, -EINVAL, "/settings/app_id", "expected a text");
    d->api_key = jv_str(jv_get(settings, STR("api_key")));
    return 0;
}

/* It becomes a part of each request's path. */
static bool is_partner_name(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_plain && c != '-' && c != '_')
            return false;
    }
    return name.len > 0 && name.len <= PARTNER_BYTES_MAX;
}

/* Keys travel in the body, and the partner's name stands in front of every path. */
static int read_cohorts_keys(struct destination *d, struct jv settings, struct err *err)
{
    if (!is_filled(settings, STR("client_secret")))
        return err_set_path(err, -EINVAL, "/settings/client_secret",
                            "expected the client secret, Braze's data import key");
    if (!is_filled(settings, STR("partner_api_key")))
        return err_set_path(err, -EINVAL, "/settings/partner_api_key",
                            "expected the partner API key that Braze gave for cohort imports");
    struct jv partner = jv_get(settings, STR("partner"));
    if (!is_partner_name(jv_str(partner)))
        return err_set_path(err, -EINVAL, "/settings/partner",
                            "expected the partner's name at Braze, up to %d letters, digits, '-' "
                            "or '_'",
                            PARTNER_BYTES_MAX);
    d->body_keys = cohorts_body_keys(settings, &d->memory);
    d->endpoint = cohorts_address(d->endpoint, jv_str(partner), &d->memory);
    return d->body_keys.len == 0 || d->endpoint.len == 0
               ? err_set(err, -ENOMEM, 0, "no memory for the settings")
               : 0;
}

static int read_settings(struct destination *d, struct jv settings, struct err *err)
{
    struct jv endpoint = jv_get(settings, STR("endpoint"));
    if (endpoint.type != JV_STRING || !format_match(FORMAT_URI, jv_str(endpoint)))
        return err_set_path(
            err, -EINVAL, "/settings/endpoint",
            "expected Braze's REST endpoint, such as https://rest.iad-01.braze.com");
    d->endpoint = jv_str(endpoint);
    while (d->endpoint.len > 0 && d->endpoint.ptr[d->endpoint.len - 1] == '/')
        d->endpoint.len--;
    struct jv_builder b;
    jv_object_begin(&b, &d->memory, settings.len);
    jv_object_put_all(&b, settings);
    jv_object_put(&b, STR("endpoint"), jv_string(d->endpoint));
    d->settings = jv_object_end(&b);
    if (d->settings.type != JV_OBJECT)
        return err_set(err, -ENOMEM, 0, "no memory for the settings");
    return d->kind == BRAZE_COHORTS ? read_cohorts_keys(d, settings, err)
                                    : read_cloud_keys(d, settings, err);
}

static int open_subscriptions(struct destination *d, struct jv list, struct jv settings,
                              struct err *err)
{
    if (list.type != JV_ARRAY || list.len > SUBSCRIPTIONS_MAX)
        return err_set_path(err, -EINVAL, "/subscriptions",
                            "expected an array of at most %d subscriptions", SUBSCRIPTIONS_MAX);
    d->subscriptions = calloc(list.len + 1u, sizeof(*d->subscriptions));
    if (d->subscriptions == NULL)
        return err_set(err, -ENOMEM, 0, "no memory for the subscriptions");
    for (; d->count < list.len; d->count++) {
        struct err why = {0};
        struct subscription *s = &d->subscriptions[d->count];
        int rc = subscription_open(s, d->kind, list.items[d->count], settings, d->parity,
                                   FORM_INTENT, &why);
        if (rc != 0) {
            char path[sizeof(why.path)];
            snprintf(path, sizeof(path), "/subscriptions/%zu%.130s", d->count, why.path);
            d->count++; /* so that it is closed */
            return err_set_path(err, rc, path, "%s", why.msg);
        }
        d->enabled_count += s->enabled;
    }
    return 0;
}

int destination_compile(struct destination **out, const struct destination_config *config,
                        struct err *err)
{
    *out = NULL;
    struct destination *d = calloc(1, sizeof(*d));
    if (d == NULL)
        return err_set(err, -ENOMEM, 0, "no memory for a destination");
    arena_init(&d->memory, CONFIG_BYTES_MAX);
    d->kind = config->kind;
    d->parity = config->parity;
    d->settings = jv_copy(&d->memory, config->settings);
    struct jv list = config->subscriptions.type == JV_UNDEFINED
                         ? preset_subscriptions(d->kind, &d->memory)
                         : jv_copy(&d->memory, config->subscriptions);
    int rc = 0;
    if (list.type == JV_UNDEFINED)
        rc = err_set(err, -ENOMEM, 0, "the subscriptions are larger than %d bytes",
                     CONFIG_BYTES_MAX);
    if (rc == 0)
        rc = read_settings(d, d->settings, err);
    if (rc == 0)
        rc = open_subscriptions(d, list, d->settings, err);
    if (rc == 0)
        *out = d;
    else
        destination_free(d);
    return rc;
}

void destination_free(struct destination *d)
{
    if (d == NULL)
        return;
    for (size_t i = 0; i < d->count; i++)
        subscription_close(&d->subscriptions[i]);
    free(d->subscriptions);
    arena_fini(&d->memory);
    free(d);
}

struct gathering {
    struct arena *arena;
    struct mapped *out;
    size_t intents_cap;
};

static struct intent *add_intents(struct gathering *g, size_t count)
{
    struct mapped *out = g->out;
    if (out->intent_count + count > g->intents_cap) {
        size_t cap = (out->intent_count + count) * 2;
        struct intent *grown = arena_array(g->arena, cap, sizeof(*grown));
        if (grown == NULL)
            return NULL;
        if (out->intent_count > 0)
            memcpy(grown, out->intents, out->intent_count * sizeof(*grown));
        out->intents = grown;
        g->intents_cap = cap;
    }
    out->intent_count += count;
    return out->intents + out->intent_count - count;
}

static int take_objects(struct gathering *g, const struct built *built, uint32_t subscription)
{
    struct intent *intents = add_intents(g, built->count);
    if (intents == NULL)
        return -ENOMEM;
    struct intent first = {
        .family = built->family,
        .subscription = subscription,
        .path = built->path,
        .cohort = built->cohort,
    };
    if (family_row(built->family)->path != NULL)
        first.path = (struct str){NULL, 0};
    if (built->cohort != NULL)
        first.users[first.user_count++] = built->cohort->key;
    for (unsigned i = 0; i < built->user_count; i++)
        identity_keys(&built->users[i], &first);
    for (uint32_t i = 0; i < built->count; i++) {
        intents[i] = first;
        intents[i].object = built->objects[i];
    }
    return 0;
}

static void refuse(struct outcome *outcome, const char *code, struct str text)
{
    outcome->kind = OUTCOME_INVALID;
    outcome->code = code;
    outcome->text = text;
}

/* Everything about one subscription but what becomes of its objects: matches, maps, validates,
 * builds. The form is the caller's. outcome->kind is OUTCOME_SENT when there are objects. */
static int run_subscription(const struct subscription *s, const struct call *call, struct jv event,
                            struct arena *a, struct outcome *outcome, struct exchange *x)
{
    struct jv payload;
    struct err err = {0};
    if (!fql_match(s->fql, event)) {
        outcome->kind = OUTCOME_NOT_SUBSCRIBED;
        return 0;
    }
    int rc = mapping_run(s->mapping, event, a, &payload, &err);
    if (rc == -ENOMEM)
        return rc;
    if (rc != 0) {
        struct str text = arena_copy(a, str_from(err.msg));
        refuse(outcome, "MAPPING_FAILED", text);
        return text.ptr == NULL ? -ENOMEM : 0;
    }
    rc = call->form == FORM_INTENT ? exchange_build(x, call, payload, a)
                                   : exchange_open(x, call, payload, event, a);
    if (rc != 0)
        return rc;
    if (call->parity == PARITY_STRICT && x->failure.name == NULL)
        exchange_stumbles(event, &x->failure);
    if (x->failure.name != NULL)
        refuse(outcome, "PAYLOAD_VALIDATION_FAILED", x->failure.message);
    else
        outcome->kind = x->built.count == 0 ? OUTCOME_NOTHING_TO_DO : OUTCOME_SENT;
    return 0;
}

static int map_one(struct gathering *g, const struct subscription *s, struct jv event,
                   struct outcome *outcome)
{
    struct exchange x;
    int rc = run_subscription(s, &s->call, event, g->arena, outcome, &x);
    if (rc == 0 && outcome->kind == OUTCOME_SENT)
        rc = take_objects(g, &x.built, outcome->subscription);
    return rc;
}

int destination_map(const struct destination *d, struct jv event, struct arena *a,
                    struct mapped *out)
{
    *out = (struct mapped){0};
    out->outcomes = arena_array(a, d->enabled_count, sizeof(*out->outcomes));
    if (out->outcomes == NULL)
        return -ENOMEM;
    if (d->parity == PARITY_STRICT) {
        event = exact_round(a, event);
        if (event.type == JV_UNDEFINED)
            return -ENOMEM;
    }
    struct gathering g = {.arena = a, .out = out};
    for (size_t i = 0; i < d->count; i++) {
        if (!d->subscriptions[i].enabled)
            continue;
        struct outcome *outcome = &out->outcomes[out->outcome_count++];
        *outcome = (struct outcome){.subscription = (uint32_t)i};
        int rc = map_one(&g, &d->subscriptions[i], event, outcome);
        if (rc != 0)
            return rc;
    }
    return 0;
}

int destination_map_delete(const struct destination *d, struct jv event, struct arena *a,
                           struct mapped *out)
{
    *out = (struct mapped){0};
    struct jv user_id = jv_get(event, STR("userId"));
    struct outcome *outcome = arena_array(a, 1, sizeof(*outcome));
    struct intent *intent = arena_array(a, 1, sizeof(*intent));
    if (outcome == NULL || intent == NULL)
        return -ENOMEM;
    *outcome = (struct outcome){.kind = OUTCOME_SENT};
    out->outcomes = outcome;
    out->outcome_count = 1;
    if (d->parity == PARITY_SAFE && (user_id.type != JV_STRING || user_id.len == 0)) {
        refuse(outcome, "PAYLOAD_VALIDATION_FAILED", STR("A deletion needs a userId."));
        return 0;
    }
    if (user_id.type == JV_UNDEFINED)
        user_id = jv_null();
    *intent = (struct intent){.family = FAMILY_DELETE, .object = user_id};
    identity_keys(&(struct identity){.external_id = user_id}, intent);
    out->intents = intent;
    out->intent_count = 1;
    return 0;
}

static struct jv describe_outcome(const struct subscription *s, const struct outcome *outcome,
                                  struct arena *a)
{
    struct jv_builder b;
    jv_object_begin(&b, a, 4);
    jv_object_put(&b, STR("subscription"), jv_string(s->name));
    jv_object_put(&b, STR("action"), jv_string(s->call.action->key));
    switch (outcome->kind) {
    case OUTCOME_SENT:
        break;
    case OUTCOME_NOT_SUBSCRIBED:
        jv_object_put(&b, STR("reason"), jv_string(STR("not subscribed")));
        break;
    case OUTCOME_NOTHING_TO_DO:
        jv_object_put(&b, STR("reason"), jv_string(STR("nothing to do")));
        break;
    case OUTCOME_INVALID:
        jv_object_put(&b, STR("code"), jv_string(str_from(outcome->code)));
        jv_object_put(&b, STR("message"), jv_string(outcome->text));
        break;
    }
    return jv_object_end(&b);
}

static int describe_requests(const struct destination *d, const struct exchange *x, struct arena *a,
                             struct jv *requests, uint32_t *count)
{
    if (d->kind == BRAZE_CLOUD) {
        requests[(*count)++] = request_describe(&x->request, d->settings, a);
        return 0;
    }
    struct cohorts_sync sync;
    struct cohorts_config config = {
        .client_secret = jv_get(d->settings, STR("client_secret")),
        .partner_api_key = jv_get(d->settings, STR("partner_api_key")),
        .partner = jv_str(jv_get(d->settings, STR("partner"))),
    };
    int rc = cohorts_sync(&sync, &config, &x->record, 1, a);
    for (size_t i = 0; rc == 0 && i < sync.request_count; i++)
        requests[(*count)++] = request_describe(&sync.requests[i], d->settings, a);
    return rc;
}

int destination_preview(const struct destination *d, struct jv event, struct arena *a,
                        struct jv *out)
{
    struct jv *requests;
    struct jv *skipped;
    struct jv *errors;
    struct jv request_list = jv_array(a, &requests, (uint32_t)d->count * COHORTS_REQUESTS_MAX);
    struct jv skipped_list = jv_array(a, &skipped, d->count);
    struct jv error_list = jv_array(a, &errors, d->count);
    *out = jv_undefined();
    if (d->parity == PARITY_STRICT)
        event = exact_round(a, event);
    if (request_list.type != JV_ARRAY || skipped_list.type != JV_ARRAY ||
        error_list.type != JV_ARRAY || event.type == JV_UNDEFINED)
        return -ENOMEM;
    request_list.len = skipped_list.len = error_list.len = 0;
    for (size_t i = 0; i < d->count; i++) {
        const struct subscription *s = &d->subscriptions[i];
        struct call call = s->call;
        struct outcome outcome = {0};
        struct exchange x;
        if (!s->enabled)
            continue;
        if (d->kind == BRAZE_CLOUD)
            call.form = FORM_SINGLE;
        int rc = run_subscription(s, &call, event, a, &outcome, &x);
        if (rc == 0 && outcome.kind == OUTCOME_SENT)
            rc = describe_requests(d, &x, a, requests, &request_list.len);
        if (rc != 0)
            return rc;
        if (outcome.kind == OUTCOME_SENT)
            continue;
        if (outcome.kind == OUTCOME_INVALID)
            errors[error_list.len++] = describe_outcome(s, &outcome, a);
        else
            skipped[skipped_list.len++] = describe_outcome(s, &outcome, a);
    }
    struct jv_builder b;
    jv_object_begin(&b, a, 3);
    jv_object_put(&b, STR("requests"), request_list);
    jv_object_put(&b, STR("skipped"), skipped_list);
    jv_object_put(&b, STR("errors"), error_list);
    *out = jv_object_end(&b);
    return out->type == JV_OBJECT ? 0 : -ENOMEM;
}

size_t destination_subscription_count(const struct destination *d)
{
    return d->count;
}

struct str destination_subscription_name(const struct destination *d, size_t subscription)
{
    assert(subscription < d->count);
    return d->subscriptions[subscription].name;
}

struct str destination_subscription_action(const struct destination *d, size_t subscription)
{
    assert(subscription < d->count);
    return d->subscriptions[subscription].call.action->key;
}

struct str destination_endpoint(const struct destination *d)
{
    return d->endpoint;
}

struct str destination_api_key(const struct destination *d)
{
    return d->api_key;
}

struct str destination_body_keys(const struct destination *d)
{
    return d->body_keys;
}
