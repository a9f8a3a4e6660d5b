#include "config.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "bounds.h"
#include "file.h"
#include "keys.h"
#include "subscriptions.h"
#include "yaml_doc.h"

enum {
    CONFIG_ARENA_BYTES_MAX = 256 * 1024 * 1024,
    CONFIG_WARNINGS_MAX = 32,
    CONFIG_ID_BYTES_MAX = 64,        /* ids stand in every stored event */
    CA_FILE_BYTES_MAX = 1024 * 1024, /* four times all the CAs that a browser knows */
};

struct config {
    struct arena arena;
    struct yaml_doc *yaml;
    struct config_values values;
    char name[256];
    char *warnings[CONFIG_WARNINGS_MAX];
    size_t warning_count;
};

static const struct str source_kinds[] = {STR_INIT("segment"), {0}};
static const struct str destination_kinds[] = {
    STR_INIT("braze-cloud"), STR_INIT("braze-cohorts"), {0}};
static const struct str batching_modes[] = {STR_INIT("combined"), STR_INIT("per_action"), {0}};
static const struct str parities[] = {STR_INIT("safe"), STR_INIT("strict"), {0}};

#define AT(type, field)  .offset = offsetof(struct type, field)
#define AND(type, field) .offset_count = offsetof(struct type, field)
#define TABLE(name, rows, type)                                                                    \
    static const struct key_table name = {rows, countof(rows), sizeof(struct type)}

/* clang-format off */
#define ENDPOINT_KEY                                                                               \
    {.name = STR_INIT("endpoint"), .kind = KEY_TEXT, AT(braze_settings, endpoint), .required = true, .help = "REST endpoint of your Braze instance, https://rest.iad-01.braze.com"}
#define CA_KEY                                                                                     \
    {.name = STR_INIT("ca_file"), .kind = KEY_FILE, AT(braze_settings, ca_certificates), .max = CA_FILE_BYTES_MAX, .help = "CA certificates in PEM, trusted for this endpoint instead of the system's"}

static const struct key cloud_keys[] = {
    {.name = STR_INIT("api_key"), .kind = KEY_SECRET, AT(braze_settings, api_key), .required = true, .help = "Braze REST API key"},
    {.name = STR_INIT("app_id"), .kind = KEY_TEXT, AT(braze_settings, app_id), .help = "Braze app identifier, sent with events and purchases"},
    ENDPOINT_KEY,
    CA_KEY,
};
TABLE(cloud_table, cloud_keys, braze_settings);

static const struct key cohorts_keys[] = {
    {.name = STR_INIT("client_secret"), .kind = KEY_SECRET, AT(braze_settings, client_secret), .required = true, .help = "the data import key that Braze shows for the partner"},
    {.name = STR_INIT("partner_api_key"), .kind = KEY_SECRET, AT(braze_settings, partner_api_key), .required = true, .help = "the partner API key that Braze gave for cohort imports"},
    {.name = STR_INIT("partner"), .kind = KEY_TEXT, AT(braze_settings, partner), .preset = "segment", .help = "the partner's name at Braze, /partners/NAME/cohorts"},
    ENDPOINT_KEY,
    CA_KEY,
};
TABLE(cohorts_table, cohorts_keys, braze_settings);

static const struct key_table *const settings_tables[] = {
    [DESTINATION_BRAZE_CLOUD] = &cloud_table,
    [DESTINATION_BRAZE_COHORTS] = &cohorts_table,
};

static const struct key source_keys[] = {
    {.name = STR_INIT("id"), .kind = KEY_TEXT, AT(source_config, id), .required = true, .help = "a name of your own for this source"},
    {.name = STR_INIT("kind"), .kind = KEY_CHOICE, AT(source_config, kind), .choices = source_kinds, .preset = "segment", .help = "the protocol that its SDKs speak"},
    {.name = STR_INIT("write_key"), .kind = KEY_SECRET, AT(source_config, write_key), .required = true, .help = "the key that its SDKs send"},
    {.name = STR_INIT("enabled"), .kind = KEY_BOOL, AT(source_config, enabled), .preset = "true", .help = "false refuses its events"},
};
TABLE(source_table, source_keys, source_config);

static const struct key destination_keys[] = {
    {.name = STR_INIT("id"), .kind = KEY_TEXT, AT(destination_section, id), .required = true, .help = "a name of your own; its place in the journal is kept under it"},
    {.name = STR_INIT("kind"), .kind = KEY_CHOICE, AT(destination_section, kind), .choices = destination_kinds, .preset = "braze-cloud", .help = "what stands at the other end"},
    {.name = STR_INIT("enabled"), .kind = KEY_BOOL, AT(destination_section, enabled), .preset = "true", .help = "false stops delivery and keeps its place"},
    {.name = STR_INIT("from"), .kind = KEY_NAMES, AT(destination_section, from), AND(destination_section, from_count), .help = "source ids; all sources when absent"},
    {.name = STR_INIT("settings"), .kind = KEY_VARIANT, AT(destination_section, settings), .required = true, .variant_of = STR_INIT("kind"), .tables = settings_tables, .help = "the account"},
    {.name = STR_INIT("subscriptions"), .kind = KEY_VALUE, AT(destination_section, subscriptions), .help = "presets, a list in Segment's own form, or file:PATH of such a list"},
    {.name = STR_INIT("parity"), .kind = KEY_CHOICE, AT(destination_section, parity), .choices = parities, .preset = "safe", .help = "strict follows Segment even where it is a bug"},
    {.name = STR_INIT("batching"), .kind = KEY_CHOICE, AT(destination_section, batching), .choices = batching_modes, .preset = "combined", .help = "per_action batches as Segment does"},
    {.name = STR_INIT("batch_objects"), .kind = KEY_COUNT, AT(destination_section, batch_objects), .help = "objects a request, 75 when absent, more only with an old Braze contract; ids of cohorts, 1000 when absent"},
    {.name = STR_INIT("batch_wait"), .kind = KEY_DURATION, AT(destination_section, batch_wait_ms), .preset = "1s", .max = 60000, .help = "the longest a batch waits to fill"},
    {.name = STR_INIT("connections"), .kind = KEY_COUNT, AT(destination_section, connections), .preset = "32", .min = 1, .max = 1024, .help = "requests in flight at once"},
    {.name = STR_INIT("timeout"), .kind = KEY_DURATION, AT(destination_section, timeout_ms), .preset = "30s", .min = 100, .max = 600000, .help = "the longest a request may take"},
    {.name = STR_INIT("give_up_after"), .kind = KEY_DURATION, AT(destination_section, give_up_after_ms), .preset = "4h", .max = INT64_MAX, .help = "retries end in a dead letter after this long; 0 never"},
    {.name = STR_INIT("rate_limit"), .kind = KEY_RATE, AT(destination_section, rate_count), AND(destination_section, rate_per_ms), .help = "requests to /users/track, or of cohorts; Braze's documented limit when absent"},
};
TABLE(destination_table, destination_keys, destination_section);

static const struct key journal_keys[] = {
    {.name = STR_INIT("size"), .kind = KEY_BYTES, AT(journal_section, size_bytes), .preset = "16GB", .min = 1 << 20, .max = INT64_C(1) << 44, .help = "the most its file may grow to; when full, clients get 503 until there is room"},
    {.name = STR_INIT("keep"), .kind = KEY_DURATION, AT(journal_section, keep_ms), .preset = "24h", .max = INT64_MAX, .help = "delivered events stay this long"},
};
TABLE(journal_table, journal_keys, journal_section);

static const struct key limit_keys[] = {
    {.name = STR_INIT("event_size"), .kind = KEY_BYTES, AT(limits_section, event_bytes), .preset = "32KB", .min = 1024, .max = RECORD_BYTES_MAX / 2, .help = "one event"},
    {.name = STR_INIT("batch_size"), .kind = KEY_BYTES, AT(limits_section, batch_bytes), .preset = "500KB", .min = 1024, .max = 64 << 20, .help = "one request, after decompression"},
    {.name = STR_INIT("connections"), .kind = KEY_COUNT, AT(limits_section, connections), .preset = "16384", .min = 1, .max = 1 << 20, .help = "open client connections"},
    {.name = STR_INIT("idle_timeout"), .kind = KEY_DURATION, AT(limits_section, idle_timeout_ms), .preset = "30s", .min = 1000, .max = 3600000, .help = "a connection that sends nothing, or a request that takes longer to arrive, is closed"},
    {.name = STR_INIT("request_memory"), .kind = KEY_BYTES, AT(limits_section, request_memory_bytes), .preset = "64MB", .min = 1 << 20, .max = INT64_C(1) << 40, .help = "bodies of all open requests together; beyond it clients get 503"},
    {.name = STR_INIT("dedupe_messages"), .kind = KEY_COUNT, AT(limits_section, dedupe_messages), .preset = "500000", .min = 0, .max = 100000000, .help = "message ids remembered for 24 hours to drop repeats; 32 bytes of memory each"},
};
TABLE(limits_table, limit_keys, limits_section);

static const struct key root_keys[] = {
    {.name = STR_INIT("listen"), .kind = KEY_TEXT, AT(config_values, listen), .preset = "127.0.0.1:8080", .help = "address and port for SDKs"},
    {.name = STR_INIT("data"), .kind = KEY_TEXT, AT(config_values, data), .preset = "./spelter-data", .help = "folder of the journal"},
    {.name = STR_INIT("unknown_key_accept"), .kind = KEY_BOOL, AT(config_values, accept_unknown_keys), .preset = "false", .help = "answer 200 to unknown write keys and drop their events, as Segment does"},
    {.name = STR_INIT("sources"), .kind = KEY_LIST, AT(config_values, sources), AND(config_values, source_count), .required = true, .table = &source_table, .help = "where events come from"},
    {.name = STR_INIT("destinations"), .kind = KEY_LIST, AT(config_values, destinations), AND(config_values, destination_count), .required = true, .table = &destination_table, .help = "where they go"},
    {.name = STR_INIT("journal"), .kind = KEY_SECTION, AT(config_values, journal), .table = &journal_table, .help = "the log on disk"},
    {.name = STR_INIT("limits"), .kind = KEY_SECTION, AT(config_values, limits), .table = &limits_table, .help = "what one client may ask for"},
};
TABLE(root_table, root_keys, config_values);
/* clang-format on */

static void add_warning(void *self, const char *path, const char *text)
{
    struct config *c = self;
    if (c->warning_count == CONFIG_WARNINGS_MAX)
        return;
    char *line = NULL;
    if (asprintf(&line, "%s:%zu: %s", c->name, yaml_doc_line(c->yaml, path), text) >= 0)
        c->warnings[c->warning_count++] = line;
}

static int refuse(const struct config *c, const char *path, struct err *err, const char *format,
                  ...) __attribute__((format(printf, 4, 5)));

static int refuse(const struct config *c, const char *path, struct err *err, const char *format,
                  ...)
{
    char text[sizeof(err->msg)];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return err_set_path(err, -EINVAL, path, "%s:%zu: %s", c->name, yaml_doc_line(c->yaml, path),
                        text);
}

void config_locate(const struct config *c, const char *base, const struct err *why, struct err *err)
{
    char path[sizeof(why->path) + 64];
    snprintf(path, sizeof(path), "%s%s", base, why->path);
    err_set_path(err, why->code, path, "%s:%zu: %s", c->name, yaml_doc_line(c->yaml, path),
                 why->msg);
}

static bool is_name(struct str text)
{
    if (text.len == 0 || text.len > CONFIG_ID_BYTES_MAX)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '-' || c == '_' || c == '.';
        if (!plain)
            return false;
    }
    return true;
}

static int check_sources(const struct config *c, struct err *err)
{
    const struct config_values *v = &c->values;
    for (size_t i = 0; i < v->source_count; i++) {
        char path[KEY_PATH_BYTES];
        snprintf(path, sizeof(path), "/sources/%zu/id", i);
        if (!is_name(v->sources[i].id))
            return refuse(c, path, err,
                          "a source's id has 1 to %d letters, digits, '-', '_' or '.'",
                          CONFIG_ID_BYTES_MAX);
        for (size_t j = 0; j < i; j++) {
            if (str_eq(v->sources[i].id, v->sources[j].id))
                return refuse(c, path, err, "two sources have the id '%.*s'",
                              STR_ARG(v->sources[i].id));
            if (str_eq(v->sources[i].write_key, v->sources[j].write_key))
                return refuse(c, path, err, "'%.*s' and '%.*s' have the same write_key",
                              STR_ARG(v->sources[j].id), STR_ARG(v->sources[i].id));
        }
    }
    return v->source_count > 0
               ? 0
               : refuse(c, "/sources", err, "no sources: nothing could ever arrive");
}

/* Host names are looked up by the server; here counts that there is a port. */
static bool has_port(struct str address)
{
    size_t at = address.len;
    unsigned port = 0;
    while (at > 0 && address.ptr[at - 1] >= '0' && address.ptr[at - 1] <= '9')
        at--;
    if (at == 0 || address.ptr[at - 1] != ':' || address.len - at < 1 || address.len - at > 5)
        return false;
    for (; at < address.len; at++)
        port = port * 10 + (unsigned)(address.ptr[at] - '0');
    return port <= 65535;
}

static int check_server(const struct config *c, struct err *err)
{
    struct str listen = c->values.listen;
    if (!has_port(listen))
        return refuse(c, "/listen", err,
                      "'listen' is \"%.*s\", expected an address and a port such as "
                      "127.0.0.1:8080",
                      (int)(listen.len < 60 ? listen.len : 60), listen.ptr);
    return c->values.data.len > 0 ? 0
                                  : refuse(c, "/data", err, "'data' is empty, expected a folder");
}

static int check_from(const struct config *c, const struct destination_section *d, struct err *err)
{
    struct str names[256];
    size_t name_count =
        c->values.source_count < countof(names) ? c->values.source_count : countof(names);
    if (d->from_count == 0 && jv_get(d->whole, STR("from")).type != JV_UNDEFINED) {
        char path[KEY_PATH_BYTES];
        snprintf(path, sizeof(path), "%s/from", d->path);
        return refuse(c, path, err,
                      "'from' is an empty list; leave it out for all sources, or set enabled: "
                      "false");
    }
    for (size_t i = 0; i < name_count; i++)
        names[i] = c->values.sources[i].id;
    for (size_t i = 0; i < d->from_count; i++) {
        bool known = false;
        for (size_t s = 0; s < c->values.source_count; s++)
            known = known || str_eq(d->from[i], c->values.sources[s].id);
        if (known)
            continue;
        char path[KEY_PATH_BYTES];
        snprintf(path, sizeof(path), "%s/from/%zu", d->path, i);
        struct str near = str_nearest(d->from[i], names, name_count);
        return refuse(c, path, err, "no source has the id '%.*s'%s%.*s%s", STR_ARG(d->from[i]),
                      near.len > 0 ? ", did you mean '" : "", STR_ARG(near),
                      near.len > 0 ? "'?" : "");
    }
    return 0;
}

/* Whether requests to this http address stay on this machine. */
static bool is_loopback(struct str endpoint)
{
    static const struct str hosts[] = {STR_INIT("localhost"), STR_INIT("127.0.0.1"),
                                       STR_INIT("[::1]")};
    struct str rest = str_slice(endpoint, sizeof("http://") - 1, endpoint.len);
    for (size_t i = 0; i < countof(hosts); i++) {
        struct str after = str_slice(rest, hosts[i].len, rest.len);
        if (str_starts(rest, hosts[i]) &&
            (after.len == 0 || after.ptr[0] == ':' || after.ptr[0] == '/'))
            return true;
    }
    return false;
}

static bool is_of_braze(struct str endpoint)
{
    return endpoint.ptr != NULL && (memmem(endpoint.ptr, endpoint.len, ".braze.com", 10) != NULL ||
                                    memmem(endpoint.ptr, endpoint.len, ".braze.eu", 9) != NULL);
}

static int check_endpoint(struct config *c, struct destination_section *d, struct err *err)
{
    char path[KEY_PATH_BYTES];
    snprintf(path, sizeof(path), "%s/settings/endpoint", d->path);
    struct str endpoint = d->settings.endpoint;
    bool is_plain = str_starts(endpoint, STR("http://"));
    if (!is_plain && !str_starts(endpoint, STR("https://")))
        return refuse(c, path, err, "'%.*s' is no address, expected https://rest....braze.com",
                      (int)(endpoint.len < 80 ? endpoint.len : 80), endpoint.ptr);
    if (str_starts(endpoint, STR("https://dashboard")) && is_of_braze(endpoint))
        return refuse(c, path, err,
                      "'endpoint' is the address of Braze's dashboard, expected that of its REST "
                      "API, such as https://rest.iad-01.braze.com");
    if (is_plain && !is_loopback(endpoint))
        add_warning(c, path,
                    "'endpoint' is http: the API key and all events travel unencrypted; Braze "
                    "itself takes https only");
    while (str_ends(d->settings.endpoint, STR("/")))
        d->settings.endpoint.len--;
    return 0;
}

/* The key travels in a header, which a line end would cut in two; Braze's are plain ASCII. */
static int check_api_key(const struct config *c, const struct destination_section *d,
                         struct err *err)
{
    struct str key = d->settings.api_key;
    for (size_t i = 0; i < key.len; i++) {
        if (key.ptr[i] >= ' ' && key.ptr[i] <= '~')
            continue;
        char path[KEY_PATH_BYTES];
        snprintf(path, sizeof(path), "%s/settings/api_key", d->path);
        return refuse(c, path, err,
                      "byte %zu of 'api_key' is 0x%02x, expected printable ASCII as Braze shows it",
                      i + 1, (unsigned char)key.ptr[i]);
    }
    return 0;
}

/* Libcurl reads the certificates when it first connects; a wrong file is found here. */
static int check_ca_file(const struct config *c, const struct destination_section *d,
                         struct err *err)
{
    struct str pem = d->settings.ca_certificates;
    if (jv_get(jv_get(d->whole, STR("settings")), STR("ca_file")).type == JV_UNDEFINED)
        return 0;
    if (memmem(pem.ptr, pem.len, "-----BEGIN CERTIFICATE-----", 27) != NULL)
        return 0;
    char path[KEY_PATH_BYTES];
    snprintf(path, sizeof(path), "%s/settings/ca_file", d->path);
    return refuse(c, path, err,
                  "the file that 'ca_file' names holds no certificate, expected PEM text with "
                  "-----BEGIN CERTIFICATE-----");
}

/* Default and bounds depend on the kind. */
static int check_batch_objects(const struct config *c, struct destination_section *d,
                               struct err *err)
{
    static const struct {
        int64_t preset, max;
    } rows[] = {
        [DESTINATION_BRAZE_CLOUD] = {TRACK_OBJECTS_MAX, 3 * TRACK_OBJECTS_MAX},
        [DESTINATION_BRAZE_COHORTS] = {COHORT_IDS_MAX, COHORT_IDS_MAX},
    };
    char path[KEY_PATH_BYTES];
    if (jv_get(d->whole, STR("batch_objects")).type == JV_UNDEFINED)
        d->batch_objects = rows[d->kind].preset;
    if (d->batch_objects >= 1 && d->batch_objects <= rows[d->kind].max)
        return 0;
    snprintf(path, sizeof(path), "%s/batch_objects", d->path);
    return refuse(c, path, err, "'batch_objects' must be between 1 and %lld, it is %lld",
                  (long long)rows[d->kind].max, (long long)d->batch_objects);
}

static int check_destination(struct config *c, struct destination_section *d, struct err *err)
{
    char path[KEY_PATH_BYTES];
    snprintf(path, sizeof(path), "%s/id", d->path);
    if (!is_name(d->id))
        return refuse(c, path, err,
                      "a destination's id has 1 to %d letters, digits, '-', '_' or '.'",
                      CONFIG_ID_BYTES_MAX);
    for (const struct destination_section *other = c->values.destinations; other < d; other++)
        if (str_eq(other->id, d->id))
            return refuse(c, path, err, "two destinations have the id '%.*s'", STR_ARG(d->id));

    int rc = check_endpoint(c, d, err);
    if (rc == 0)
        rc = check_api_key(c, d, err);
    if (rc == 0)
        rc = check_ca_file(c, d, err);
    if (rc != 0)
        return rc;

    snprintf(path, sizeof(path), "%s/subscriptions", d->path);
    if (d->subscriptions.type == JV_STRING && str_eq(jv_str(d->subscriptions), STR("presets")))
        d->subscriptions = jv_undefined();
    if (d->subscriptions.type != JV_UNDEFINED && d->subscriptions.type != JV_ARRAY)
        return refuse(c, path, err,
                      "'subscriptions' must be presets, a list, or file:PATH of a JSON list");
    if (d->subscriptions.type == JV_ARRAY && d->subscriptions.len == 0)
        add_warning(c, path,
                    "'subscriptions' is an empty list: nothing is sent to this destination");
    struct err why = {0};
    if (d->subscriptions.type == JV_ARRAY && subscriptions_check(d->subscriptions, &why) != 0) {
        config_locate(c, path, &why, err);
        return -EINVAL;
    }
    rc = check_batch_objects(c, d, err);
    return rc == 0 ? check_from(c, d, err) : rc;
}

static int check(struct config *c, struct err *err)
{
    int rc = check_server(c, err);
    if (rc == 0)
        rc = check_sources(c, err);
    for (size_t i = 0; rc == 0 && i < c->values.destination_count; i++) {
        struct destination_section *d = &c->values.destinations[i];
        snprintf(d->path, sizeof(d->path), "/destinations/%zu", i);
        d->whole = jv_get(yaml_doc_root(c->yaml), STR("destinations")).items[i];
        rc = check_destination(c, d, err);
    }
    return rc;
}

static int read_values(struct config *c, struct str text, struct err *err)
{
    struct err why = {0};
    int rc = yaml_doc_parse(&c->yaml, &c->arena, text, &why);
    if (rc != 0)
        return err_set(err, rc, 0, "%s:%zu: %s", c->name, why.at, why.msg);

    char folder[sizeof(c->name)];
    snprintf(folder, sizeof(folder), "%s", c->name);
    char *slash = strrchr(folder, '/');
    if (slash == NULL)
        snprintf(folder, sizeof(folder), ".");
    else
        *slash = '\0';
    struct key_reader reader = {&c->arena, folder, add_warning, c};
    rc = keys_read(&reader, &root_table, yaml_doc_root(c->yaml), "", &c->values, &why);
    if (rc != 0) {
        config_locate(c, "", &why, err);
        return rc;
    }
    return check(c, err);
}

int config_parse(struct config **out, const char *name, struct str text, struct err *err)
{
    *out = NULL;
    struct config *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return err_set(err, -ENOMEM, 0, "out of memory");
    arena_init(&c->arena, CONFIG_ARENA_BYTES_MAX);
    snprintf(c->name, sizeof(c->name), "%s", name);
    int rc = read_values(c, text, err);
    if (rc != 0) {
        config_free(c);
        return rc;
    }
    *out = c;
    return 0;
}

int config_read(struct config **out, const char *path, struct err *err)
{
    *out = NULL;
    struct buf text;
    buf_init(&text, YAML_BYTES_MAX);
    int rc = file_read(&text, path, err);
    if (rc == 0)
        rc = config_parse(out, path, buf_str(&text), err);
    buf_fini(&text);
    return rc;
}

void config_free(struct config *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < c->warning_count; i++)
        free(c->warnings[i]);
    yaml_doc_free(c->yaml);
    arena_fini(&c->arena);
    free(c);
}

const struct config_values *config_values(const struct config *c)
{
    return &c->values;
}

size_t config_warning_count(const struct config *c)
{
    return c->warning_count;
}

const char *config_warning(const struct config *c, size_t i)
{
    assert(i < c->warning_count);
    return c->warnings[i];
}

void config_describe(struct buf *out)
{
    keys_describe(&root_table, 0, out);
}
