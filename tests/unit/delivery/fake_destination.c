/*
 * A destination whose events say themselves which intents they want:
 *
 *     {"intents":[{"family":1,"users":["u1"],"object":{...},"path":"/...",
 *                  "cohort":{"id":"...","name":"..."}}], "invalid":"why"}
 *
 * so that delivery is tested without mappings. The families are the real ones. A member of a cohort
 * needs no users.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "destination.h"
#include "hash.h"

struct destination {
    struct str endpoint;
    struct str api_key;
    struct str body_keys;
};

int destination_compile(struct destination **out, const struct destination_config *config,
                        struct err *err)
{
    struct destination *d = calloc(1, sizeof(*d));
    if (d == NULL)
        return err_set(err, -12, 0, "no memory");
    d->endpoint = jv_str(jv_get(config->settings, STR("endpoint")));
    d->api_key = jv_str(jv_get(config->settings, STR("api_key")));
    d->body_keys = jv_str(jv_get(config->settings, STR("body_keys")));
    *out = d;
    return 0;
}

void destination_free(struct destination *d)
{
    free(d);
}

static __attribute__((format(printf, 2, 3))) struct str text_of(struct arena *a, const char *format,
                                                                ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return arena_copy(a, str_from(text));
}

static void read_cohort(struct intent *intent, struct jv want, struct arena *a)
{
    struct str id = jv_str(jv_get(want, STR("id")));
    struct str name = jv_str(jv_get(want, STR("name")));
    struct cohort *cohort = arena_array(a, 1, sizeof(*cohort));
    if (cohort == NULL)
        abort();
    *cohort = (struct cohort){
        .key = {hash_str(id)},
        .name = hash_str(name),
        .id = text_of(a, "\"cohort_id\":\"%.*s\"", STR_ARG(id)),
        .body = text_of(a, "{\"name\":\"%.*s\"}", STR_ARG(name)),
    };
    intent->cohort = cohort;
    intent->users[intent->user_count++] = cohort->key;
}

static void read_intent(struct intent *intent, struct jv want, struct arena *a)
{
    struct jv users = jv_get(want, STR("users"));
    *intent = (struct intent){
        .family = (enum request_family)jv_as_double(jv_get(want, STR("family"))),
        .object = jv_get(want, STR("object")),
        .path = jv_str(jv_get(want, STR("path"))),
    };
    for (uint32_t i = 0; i < users.len && i < INTENT_USER_KEYS_MAX; i++)
        intent->users[intent->user_count++].hash = hash_str(jv_str(users.items[i]));
    if (jv_get(want, STR("cohort")).type == JV_OBJECT)
        read_cohort(intent, jv_get(want, STR("cohort")), a);
}

int destination_map(const struct destination *d, struct jv event, struct arena *a,
                    struct mapped *out)
{
    (void)d;
    struct jv intents = jv_get(event, STR("intents"));
    struct jv invalid = jv_get(event, STR("invalid"));
    *out = (struct mapped){.outcome_count = 1};
    out->intents = arena_array(a, intents.len, sizeof(*out->intents));
    out->outcomes = arena_array(a, 1, sizeof(*out->outcomes));
    if (out->intents == NULL || out->outcomes == NULL)
        return -12;
    for (uint32_t i = 0; i < intents.len; i++)
        read_intent(&out->intents[out->intent_count++], intents.items[i], a);
    out->outcomes[0] = (struct outcome){.kind = OUTCOME_SENT, .code = ""};
    if (intents.len == 0)
        out->outcomes[0].kind = OUTCOME_NOT_SUBSCRIBED;
    if (invalid.type == JV_STRING)
        out->outcomes[0] = (struct outcome){OUTCOME_INVALID, 0, "INVALID", jv_str(invalid)};
    return 0;
}

size_t destination_subscription_count(const struct destination *d)
{
    (void)d;
    return 1;
}

struct str destination_subscription_name(const struct destination *d, size_t subscription)
{
    (void)d;
    (void)subscription;
    return STR("Fake");
}

struct str destination_subscription_action(const struct destination *d, size_t subscription)
{
    (void)d;
    (void)subscription;
    return STR("fake");
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
