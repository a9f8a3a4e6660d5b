#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "scratch.h"
#include "unit.h"

#define SOURCE "sources:\n  - {id: web, write_key: \"${SPELTER_TEST_KEY}\"}\n"
#define SETTINGS                                                                                   \
    "    settings: {api_key: \"${SPELTER_TEST_KEY}\", endpoint: "                                  \
    "\"https://rest.iad-01.braze.com/\"}\n"
#define SUBSCRIPTION(item)                                                                         \
    SOURCE "destinations:\n  - id: eu\n" SETTINGS "    subscriptions:\n      - " item "\n"

#define DESTINATION_WITH_CA(file)                                                                  \
    "destinations:\n  - {id: eu, settings: {api_key: k, endpoint: \"https://a.example\", "         \
    "ca_file: " file "}}\n"

static void the_smallest_config_gets_documented_defaults(void **state)
{
    (void)state;
    struct config *config;
    struct err err = {0};
    setenv("SPELTER_TEST_KEY", "s3cret", 1);
    const char *text = SOURCE "destinations:\n  - id: eu\n" SETTINGS;
    if (config_parse(&config, "x.yaml", str_from(text), &err) != 0)
        fail_msg("%s", err.msg);
    const struct config_values *v = config_values(config);
    assert_true(str_eq(v->listen, STR("127.0.0.1:8080")));
    assert_int_equal(v->limits.event_bytes, 32 * 1024);
    assert_int_equal(v->journal.keep_ms, 24 * 3600 * 1000);
    assert_int_equal(v->source_count, 1);
    assert_true(v->sources[0].enabled);
    assert_true(str_eq(v->sources[0].write_key, STR("s3cret")));
    assert_int_equal(v->destination_count, 1);
    const struct destination_section *d = &v->destinations[0];
    assert_true(str_eq(d->settings.endpoint, STR("https://rest.iad-01.braze.com")));
    assert_int_equal(d->batch_objects, 75);
    assert_int_equal(d->batch_wait_ms, 1000);
    assert_int_equal(d->batching, 0);
    assert_int_equal(d->subscriptions.type, JV_UNDEFINED);
    assert_int_equal(config_warning_count(config), 0);
    config_free(config);
}

#define COHORTS_SETTINGS                                                                           \
    "    settings: {client_secret: \"${SPELTER_TEST_KEY}\", partner_api_key: "                     \
    "\"${SPELTER_TEST_KEY}\", endpoint: \"https://rest.iad-01.braze.com\"}\n"

static void settings_are_those_of_the_kind_wherever_it_stands(void **state)
{
    (void)state;
    static const char *const rows[] = {
        SOURCE "destinations:\n  - id: vips\n    kind: braze-cohorts\n" COHORTS_SETTINGS,
        SOURCE "destinations:\n  - id: vips\n" COHORTS_SETTINGS "    kind: braze-cohorts\n",
    };
    setenv("SPELTER_TEST_KEY", "s3cret", 1);
    for (size_t i = 0; i < countof(rows); i++) {
        struct config *config;
        struct err err = {0};
        if (config_parse(&config, "x.yaml", str_from(rows[i]), &err) != 0)
            fail_msg("%s", err.msg);
        const struct destination_section *d = &config_values(config)->destinations[0];
        assert_int_equal(d->kind, DESTINATION_BRAZE_COHORTS);
        assert_true(str_eq(d->settings.client_secret, STR("s3cret")));
        assert_true(str_eq(d->settings.partner_api_key, STR("s3cret")));
        assert_true(str_eq(d->settings.partner, STR("segment")));
        assert_int_equal(d->settings.api_key.len, 0);
        assert_int_equal(d->batch_objects, 1000);
        assert_int_equal(config_warning_count(config), 0);
        config_free(config);
    }
}

static void a_literal_secret_is_accepted_with_a_warning(void **state)
{
    (void)state;
    struct config *config;
    const char *text = "sources:\n  - id: web\n    write_key: abc\ndestinations: []\n";
    assert_int_equal(config_parse(&config, "x.yaml", str_from(text), NULL), 0);
    assert_int_equal(config_warning_count(config), 1);
    assert_string_equal(
        config_warning(config, 0),
        "x.yaml:3: 'write_key' is a secret in plain text; ${ENV} or file:PATH keeps it out "
        "of this file");
    config_free(config);
}

static void an_address_that_shows_the_key_to_all_is_accepted_with_a_warning(void **state)
{
    (void)state;
    static const struct {
        const char *endpoint;
        size_t warnings;
    } rows[] = {
        {"https://rest.iad-01.braze.com", 0},
        {"http://localhost:8990", 0},
        {"http://127.0.0.1:8990", 0},
        {"http://[::1]:8990", 0},
        {"http://localhost", 0},
        {"http://rest.iad-01.braze.com", 1},
        {"http://localhost.example", 1},
        {"http://127.example", 1},
    };
    setenv("SPELTER_TEST_KEY", "s3cret", 1);
    for (size_t i = 0; i < countof(rows); i++) {
        char text[512];
        struct config *config;
        snprintf(text, sizeof(text),
                 SOURCE "destinations:\n  - id: eu\n    settings:\n      api_key: "
                        "${SPELTER_TEST_KEY}\n      endpoint: \"%s\"\n",
                 rows[i].endpoint);
        assert_int_equal(config_parse(&config, "x.yaml", str_from(text), NULL), 0);
        if (config_warning_count(config) != rows[i].warnings)
            fail_msg("%s: %zu warnings", rows[i].endpoint, config_warning_count(config));
        if (rows[i].warnings > 0)
            assert_string_equal(config_warning(config, 0),
                                "x.yaml:7: 'endpoint' is http: the API key and all events travel "
                                "unencrypted; Braze itself takes https only");
        config_free(config);
    }
}

static void a_ca_file_is_read_from_the_configs_folder(void **state)
{
    (void)state;
    static const char pem[] = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    struct scratch scratch;
    char name[512];
    struct config *config;
    struct err err = {0};
    scratch_init(&scratch);
    snprintf(name, sizeof(name), "%s/ca.pem", scratch.path);
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(pem, 1, sizeof(pem) - 1, file), sizeof(pem) - 1);
    assert_int_equal(fclose(file), 0);
    snprintf(name, sizeof(name), "%s/c.yaml", scratch.path);
    if (config_parse(&config, name, STR(SOURCE DESTINATION_WITH_CA("ca.pem")), &err) != 0)
        fail_msg("%s", err.msg);
    const struct braze_settings *settings = &config_values(config)->destinations[0].settings;
    assert_true(str_eq(settings->ca_certificates, str_from(pem)));
    config_free(config);
    scratch_fini(&scratch);
}

static void every_refusal_says_file_line_what_and_what_was_expected(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *message;
    } rows[] = {
        {"sources: []\ndestinations: []\n", "c.yaml:1: no sources: nothing could ever arrive"},
        {"a\n", "c.yaml:1: text stands here, expected a section of keys"},
        {"sorces: []\n", "c.yaml:1: unknown key 'sorces', did you mean 'sources'?"},
        {SOURCE, "c.yaml:1: 'destinations' is missing (where they go)"},
        {"listen: 5\n" SOURCE,
         "c.yaml:1: 'listen' is a number, expected text (quotes make it one)"},
        {"listen: 127.0.0.1\n" SOURCE "destinations: []\n",
         "c.yaml:1: 'listen' is \"127.0.0.1\", expected an address and a port such as "
         "127.0.0.1:8080"},
        {"listen: \"8080\"\n" SOURCE "destinations: []\n",
         "c.yaml:1: 'listen' is \"8080\", expected an address and a port such as 127.0.0.1:8080"},
        {"listen: h:65536\n" SOURCE "destinations: []\n",
         "c.yaml:1: 'listen' is \"h:65536\", expected an address and a port such as "
         "127.0.0.1:8080"},
        {"listen: \"h:\"\n" SOURCE "destinations: []\n",
         "c.yaml:1: 'listen' is \"h:\", expected an address and a port such as 127.0.0.1:8080"},
        {"data: \"\"\n" SOURCE "destinations: []\n",
         "c.yaml:1: 'data' is empty, expected a folder"},
        {"unknown_key_accept: yes\n" SOURCE,
         "c.yaml:1: 'unknown_key_accept' is \"yes\", expected true or false"},
        {"limits: {connections: 1.5}\n" SOURCE,
         "c.yaml:1: 'connections' is 1.5, expected a whole number"},
        {"limits: {event_size: 5MB}\n" SOURCE,
         "c.yaml:1: 'event_size' must be between 1KB and 64KB, it is 5MB"},
        {"limits: {idle_timeout: 999}\n" SOURCE,
         "c.yaml:1: 'idle_timeout' must be between 1s and 1h, it is 999ms"},
        {SOURCE "destinations:\n  - id: eu\n    from: []\n" SETTINGS,
         "c.yaml:5: 'from' is an empty list; leave it out for all sources, or set enabled: false"},
        {"sources:\n  - id: web\n    writekey: x\n",
         "c.yaml:3: unknown key 'writekey', did you mean 'write_key'?"},
        {"sources:\n  - id: web\n    write_key: ${SPELTER_TEST_UNSET}\n",
         "c.yaml:3: 'write_key' wants the environment variable SPELTER_TEST_UNSET, which is not "
         "set"},
        {"sources:\n  - id: web\n    write_key: \"file:/nowhere/at/all\"\n",
         "c.yaml:3: 'write_key' names the file /nowhere/at/all: No such file or directory"},
        {"sources:\n  - {id: a b, write_key: x}\ndestinations: []\n",
         "c.yaml:2: a source's id has 1 to 64 letters, digits, '-', '_' or '.'"},
        {"sources:\n  - {id: a, write_key: x}\n  - {id: a, write_key: y}\ndestinations: []\n",
         "c.yaml:3: two sources have the id 'a'"},
        {"sources:\n  - {id: a, write_key: x}\n  - {id: b, write_key: x}\ndestinations: []\n",
         "c.yaml:3: 'a' and 'b' have the same write_key"},
        {SOURCE "destinations:\n  - id: eu\n    from: [wbe]\n" SETTINGS,
         "c.yaml:5: no source has the id 'wbe', did you mean 'web'?"},
        {SOURCE "destinations:\n  - id: eu\n    batching: combine\n" SETTINGS,
         "c.yaml:5: 'batching' is \"combine\", expected one of: combined, per_action"},
        {SOURCE "destinations:\n  - id: eu\n    batch_objects: 0\n" SETTINGS,
         "c.yaml:5: 'batch_objects' must be between 1 and 225, it is 0"},
        {SOURCE "destinations:\n  - id: eu\n    batch_wait: soon\n" SETTINGS,
         "c.yaml:5: 'batch_wait' is \"soon\", expected a duration such as 500ms, 1s or 4h"},
        {SOURCE "destinations:\n  - id: eu\n    settings: {api_key: k, endpoint: rest.braze.com}\n",
         "c.yaml:5: 'rest.braze.com' is no address, expected https://rest....braze.com"},
        {SOURCE "destinations:\n  - id: eu\n    settings: {api_key: k, endpoint: "
                "\"https://dashboard-01.braze.eu\"}\n",
         "c.yaml:5: 'endpoint' is the address of Braze's dashboard, expected that of its REST API, "
         "such as https://rest.iad-01.braze.com"},
        {SOURCE "destinations:\n  - id: eu\n    settings: {api_key: \"a\\nb\", endpoint: "
                "\"https://a.example\"}\n",
         "c.yaml:5: byte 2 of 'api_key' is 0x0a, expected printable ASCII as Braze shows it"},
        {SOURCE "destinations:\n  - id: eu\n    settings: {api_key: é, endpoint: "
                "\"https://a.example\"}\n",
         "c.yaml:5: byte 1 of 'api_key' is 0xc3, expected printable ASCII as Braze shows it"},
        {SOURCE "destinations:\n  - id: eu\n    subscriptions: preset\n" SETTINGS,
         "c.yaml:5: 'subscriptions' must be presets, a list, or file:PATH of a JSON list"},
        {SOURCE DESTINATION_WITH_CA("/nowhere/at/all"),
         "c.yaml:4: 'ca_file' names the file /nowhere/at/all: No such file or directory"},
        {SOURCE DESTINATION_WITH_CA("/dev/null"),
         "c.yaml:4: the file that 'ca_file' names holds no certificate, expected PEM text with "
         "-----BEGIN CERTIFICATE-----"},
        {SOURCE DESTINATION_WITH_CA("7"),
         "c.yaml:4: 'ca_file' is a number, expected the path of a file (quotes make it one)"},
        {SOURCE "destinations:\n  - id: eu\n    settings: {endpoint: \"https://x\"}\n",
         "c.yaml:5: 'api_key' is missing (Braze REST API key)"},
        {SOURCE "destinations:\n  - id: eu\n    batch_objects: 226\n" SETTINGS,
         "c.yaml:5: 'batch_objects' must be between 1 and 225, it is 226"},
        {SOURCE "destinations:\n  - id: eu\n    kind: braze-cohorts\n" SETTINGS,
         "c.yaml:6: unknown key 'api_key', expected one of: client_secret, partner_api_key, "
         "partner, endpoint, ca_file"},
        {SOURCE "destinations:\n  - id: eu\n" COHORTS_SETTINGS,
         "c.yaml:5: unknown key 'client_secret', expected one of: api_key, app_id, endpoint, "
         "ca_file"},
        {SOURCE "destinations:\n  - id: eu\n    kind: braze-cohorts\n    settings: {endpoint: x}\n",
         "c.yaml:6: 'client_secret' is missing (the data import key that Braze shows for the "
         "partner)"},
        {SOURCE "destinations:\n  - id: eu\n    kind: braze-cohort\n" COHORTS_SETTINGS,
         "c.yaml:5: 'kind' is \"braze-cohort\", expected one of: braze-cloud, braze-cohorts"},
        {SOURCE "destinations:\n  - id: eu\n    kind: braze-cohorts\n"
                "    batch_objects: 1001\n" COHORTS_SETTINGS,
         "c.yaml:6: 'batch_objects' must be between 1 and 1000, it is 1001"},
        {SUBSCRIPTION("{name: a, partnerActon: trackEvent}"),
         "c.yaml:7: unknown key 'partnerActon', did you mean 'partnerAction'?"},
        {SUBSCRIPTION("{partnerAction: trackEvent, enabled: no, mapping: {}}"),
         "c.yaml:7: 'enabled' of a subscription is true or false"},
        {SUBSCRIPTION("{partnerAction: trackEvent, trigger: x}"),
         "c.yaml:7: 'trigger' is called 'subscribe' here ('spelter import segment' takes over what "
         "Segment's Public API says)"},
        {SUBSCRIPTION("{partnerAction: trackEvent, colour: red}"),
         "c.yaml:7: unknown key 'colour', expected one of: name, enabled, subscribe, "
         "partnerAction, mapping"},
        {SUBSCRIPTION("{name: a}"),
         "c.yaml:7: 'partnerAction' is missing (the action, such as trackEvent)"},
        {SUBSCRIPTION("{id: \"1\", type: automatic, partnerAction: trackEvent}"),
         "c.yaml:7: 'subscribe' is missing (the condition, such as type = \"track\")"},
        {SUBSCRIPTION("{partnerAction: trackEvent, subscribe: x}"),
         "c.yaml:7: 'mapping' is missing (the fields of the action and where they come from)"},
        {SUBSCRIPTION("{partnerAction: trackEvent, enabled: false}\n      - text"),
         "c.yaml:8: expected a subscription with subscribe, partnerAction and mapping"},
        {"a: 1\n b: 2\n",
         "c.yaml:2: not valid YAML: mapping values are not allowed in this context"},
    };
    setenv("SPELTER_TEST_KEY", "s3cret", 1);
    for (size_t i = 0; i < countof(rows); i++) {
        struct config *config;
        struct err err = {0};
        assert_int_not_equal(config_parse(&config, "c.yaml", str_from(rows[i].text), &err), 0);
        assert_null(config);
        assert_string_equal(err.msg, rows[i].message);
    }
}

static void a_place_inside_a_mapping_becomes_a_line(void **state)
{
    (void)state;
    const char *text = SOURCE "destinations:\n  - id: eu\n" SETTINGS "    subscriptions:\n"
                              "      - partnerAction: trackEvent\n        subscribe: x\n        "
                              "mapping:\n          email:\n"
                              "            '@if': {}\n";
    struct config *config;
    struct err why = {0};
    struct err err = {0};
    assert_int_equal(config_parse(&config, "c.yaml", str_from(text), &err), 0);
    err_set_path(&why, -EINVAL, "/subscriptions/0/mapping/email/@if", "broken");
    config_locate(config, "/destinations/0", &why, &err);
    assert_string_equal(err.msg, "c.yaml:11: broken");
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_smallest_config_gets_documented_defaults),
        cmocka_unit_test(settings_are_those_of_the_kind_wherever_it_stands),
        cmocka_unit_test(a_literal_secret_is_accepted_with_a_warning),
        cmocka_unit_test(an_address_that_shows_the_key_to_all_is_accepted_with_a_warning),
        cmocka_unit_test(a_ca_file_is_read_from_the_configs_folder),
        cmocka_unit_test(every_refusal_says_file_line_what_and_what_was_expected),
        cmocka_unit_test(a_place_inside_a_mapping_becomes_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
