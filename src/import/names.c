#include "names.h"

#include <errno.h>
#include <stdio.h>

static const struct str default_endpoint = STR_INIT("https://rest.iad-01.braze.com");

static bool is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

/* Letters and digits of a text, each run of anything else as one `filler`; none at the ends. */
static size_t spell(struct str text, char filler, char (*letter)(char), char out[NAME_BYTES_MAX])
{
    size_t len = 0;
    for (size_t i = 0; i < text.len && len < NAME_BYTES_MAX; i++) {
        if (is_letter_or_digit(text.ptr[i]))
            out[len++] = letter(text.ptr[i]);
        else if (len > 0 && out[len - 1] != filler)
            out[len++] = filler;
    }
    while (len > 0 && out[len - 1] == filler)
        len--;
    return len;
}

static char as_it_is(char c)
{
    return c;
}

enum name_kind { SOURCE_ID, DESTINATION_ID, VARIABLE };

static bool is_variable_of(const struct planned_destination *d, struct str name)
{
    bool is_one = str_eq(d->app_id_variable, name);
    for (size_t i = 0; i < d->secret_count; i++)
        is_one = is_one || str_eq(d->secrets[i].variable, name);
    return is_one;
}

/* Has a name been given? Each kind has names of its own; variables are shared by all. */
static bool is_taken(const struct plan *plan, enum name_kind kind, struct str name)
{
    bool taken = false;
    for (size_t i = 0; i < plan->source_count; i++)
        taken = taken || (kind == SOURCE_ID && str_eq(plan->sources[i].id, name)) ||
                (kind == VARIABLE && str_eq(plan->sources[i].key_variable, name));
    for (size_t i = 0; i < plan->destination_count; i++)
        taken = taken || (kind == DESTINATION_ID && str_eq(plan->destinations[i].id, name)) ||
                (kind == VARIABLE && is_variable_of(&plan->destinations[i], name));
    return taken;
}

/* PREFIX, text, suffix; with a number behind the text when the name is taken. */
static struct str unique(struct plan *plan, enum name_kind kind, const char *prefix,
                         struct str text, const char *suffix)
{
    char number[16] = "";
    char name[2 * NAME_BYTES_MAX + 32];
    for (unsigned n = 2;; n++) {
        snprintf(name, sizeof(name), "%s%.*s%s%s", prefix, STR_ARG(text), number, suffix);
        if (!is_taken(plan, kind, str_from(name)))
            break;
        snprintf(number, sizeof(number), "%c%u", kind == VARIABLE ? '_' : '-', n);
    }
    struct str copy = arena_copy(plan->arena, str_from(name));
    plan->failed = plan->failed || copy.ptr == NULL;
    return copy.ptr == NULL ? STR("") : copy;
}

static const struct segment_item *find_source(const struct plan *plan, struct str id)
{
    for (size_t i = 0; i < segment_export_count(plan->export, SEGMENT_SOURCE); i++) {
        const struct segment_item *item = segment_export_item(plan->export, SEGMENT_SOURCE, i);
        if (str_eq(segment_text(item, STR("id")), id))
            return item;
    }
    return NULL;
}

/* The source's place in the plan; it gets one when it has none. */
static size_t place_source(struct plan *plan, struct str segment_id)
{
    char spelt[NAME_BYTES_MAX];
    for (size_t i = 0; i < plan->source_count; i++)
        if (str_eq(plan->sources[i].segment_id, segment_id))
            return i;
    const struct segment_item *item = find_source(plan, segment_id);
    struct str slug = item == NULL ? segment_id : segment_text(item, STR("slug"));
    struct jv enabled = item == NULL ? jv_undefined() : jv_get(item->value, STR("enabled"));
    struct planned_source source = {.segment_id = segment_id,
                                    .enabled = enabled.type != JV_BOOL || enabled.boolean};
    size_t len = spell(slug, '-', as_it_is, spelt);
    struct str id = len == 0 ? STR("source") : (struct str){spelt, len};
    source.id = unique(plan, SOURCE_ID, "", id, "");
    len = spell(source.id, '_', upper, spelt);
    source.key_variable = unique(plan, VARIABLE, "SPELTER_", (struct str){spelt, len}, "_KEY");
    struct jv keys = item == NULL ? jv_undefined() : jv_get(item->value, STR("writeKeys"));
    if (keys.type == JV_ARRAY && keys.len > 1)
        plan_note(plan,
                  "source %.*s has %u write keys and the config takes one of them: give each other "
                  "one a source of its own",
                  STR_ARG(source.id), keys.len);
    plan->sources[plan->source_count] = source;
    return plan->source_count++;
}

/* Segment shows secrets as stars or bullets. */
static bool is_masked(struct str text)
{
    return memmem(text.ptr, text.len, "**", 2) != NULL ||
           memmem(text.ptr, text.len, "\xe2\x80\xa2", 3) != NULL;
}

/* A text that the config would fill with an environment variable cannot be written. */
static int read_setting(const struct planned_destination *d, struct jv settings, const char *key,
                        struct str *out, struct err *err)
{
    struct jv value = jv_get(settings, str_from(key));
    char place[32];
    snprintf(place, sizeof(place), "settings/%s", key);
    *out = STR("");
    if (jv_is_nullish(value))
        return 0;
    if (value.type != JV_STRING)
        return segment_refuse(d->item, place, err, "expected a text");
    *out = value.len == 0 ? STR("") : jv_str(value);
    if (memmem(out->ptr, out->len, "${", 2) != NULL)
        return segment_refuse(d->item, place, err,
                              "it has '${' in it, expected a text without environment variables");
    return 0;
}

static const struct {
    const char *setting, *variable, *what;
} secrets[][SECRETS_MAX] = {
    [DESTINATION_BRAZE_CLOUD] = {{"api_key", "BRAZE_API_KEY", "the Braze REST API key of"}},
    [DESTINATION_BRAZE_COHORTS] = {{"client_secret", "BRAZE_CLIENT_SECRET",
                                    "the Braze client secret of"},
                                   {"partner_api_key", "BRAZE_PARTNER_API_KEY",
                                    "the partner API key that Braze gave you for"}},
};

static bool is_known_setting(enum destination_kind kind, struct str key)
{
    bool is_known = str_eq(key, STR("endpoint")) ||
                    (kind == DESTINATION_BRAZE_CLOUD && str_eq(key, STR("app_id")));
    for (size_t i = 0; i < SECRETS_MAX && secrets[kind][i].setting != NULL; i++)
        is_known = is_known || str_eq(key, str_from(secrets[kind][i].setting));
    return is_known;
}

static int read_settings(struct plan *plan, struct planned_destination *d, struct err *err)
{
    struct jv settings = jv_get(d->item->value, STR("settings"));
    for (uint32_t i = 0; i < settings.len; i++) {
        struct str key = settings.members[i].key;
        if (!is_known_setting(d->kind, key))
            plan_note(plan, "left out: setting %.*s of %.*s: Spelter does not know it",
                      STR_ARG(plan_quoted(plan, key)), STR_ARG(d->id));
    }
    int rc = d->kind == DESTINATION_BRAZE_CLOUD
                 ? read_setting(d, settings, "app_id", &d->app_id, err)
                 : 0;
    if (rc == 0)
        rc = read_setting(d, settings, "endpoint", &d->endpoint, err);
    if (rc == 0 && d->endpoint.len == 0) {
        d->endpoint = default_endpoint;
        plan_note(plan, "%.*s: no endpoint in its settings, so Segment's default is written: %.*s",
                  STR_ARG(d->id), STR_ARG(d->endpoint));
    }
    return rc;
}

/* NAME, or NAME_TAIL when several destinations want one each. */
static struct str variable(struct plan *plan, const char *name, struct str tail)
{
    char prefix[NAME_BYTES_MAX];
    snprintf(prefix, sizeof(prefix), "%s%s", name, tail.len == 0 ? "" : "_");
    return unique(plan, VARIABLE, prefix, tail, "");
}

static bool is_only_of_kind(const struct plan *plan, enum destination_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < plan->destination_count; i++)
        count += plan->destinations[i].kind == kind;
    return count == 1;
}

static int name_destination(struct plan *plan, struct planned_destination *d, struct err *err)
{
    char spelt[NAME_BYTES_MAX];
    size_t len = spell(segment_text(d->item, STR("name")), '-', lower, spelt);
    struct str id = len == 0 ? STR("braze") : (struct str){spelt, len};
    bool is_only = is_only_of_kind(plan, d->kind);
    d->id = unique(plan, DESTINATION_ID, "", id, "");
    int rc = read_settings(plan, d, err);
    if (rc != 0)
        return rc;
    len = spell(d->id, '_', upper, spelt);
    struct str tail = is_only ? STR("") : (struct str){spelt, len};
    for (size_t i = 0; i < SECRETS_MAX && secrets[d->kind][i].setting != NULL; i++)
        d->secrets[d->secret_count++] =
            (struct planned_secret){secrets[d->kind][i].setting, secrets[d->kind][i].what,
                                    variable(plan, secrets[d->kind][i].variable, tail)};
    if (is_masked(d->app_id))
        d->app_id_variable = variable(plan, "BRAZE_APP_ID", tail);
    d->source = place_source(plan, segment_text(d->item, STR("sourceId")));
    return 0;
}

int names_give(struct plan *plan, struct err *err)
{
    int rc = 0;
    plan->sources = arena_array(plan->arena, plan->destination_count, sizeof(*plan->sources));
    if (plan->sources == NULL)
        return err_set(err, -ENOMEM, 0, "out of memory");
    for (size_t i = 0; rc == 0 && i < plan->destination_count; i++)
        rc = name_destination(plan, &plan->destinations[i], err);
    return rc;
}
