#include "import_segment.h"

#include <errno.h>

#include "unit.h"
#include "yaml_doc.h"

#define CLOUD    "\"metadata\":{\"slug\":\"actions-braze-cloud\"}"
#define SETTINGS "\"settings\":{\"api_key\":\"****\",\"endpoint\":\"https://rest.fra-01.braze.eu\"}"
#define DESTINATION(id, name)                                                                      \
    "{\"id\":\"" id "\",\"name\":\"" name "\",\"enabled\":true,\"sourceId\":\"s1\"," SETTINGS      \
    "," CLOUD "}"
#define SUBSCRIPTION(id, destination, more)                                                        \
    "{\"id\":\"" id "\",\"name\":\"Track Calls\",\"destinationId\":\"" destination                 \
    "\",\"enabled\":true,\"trigger\":\"type = \\\"track\\\"\"," more "}"
#define TRACK      "\"actionSlug\":\"trackEvent\",\"settings\":{\"name\":{\"@path\":\"$.event\"}}"
#define BOTH(more) "[" DESTINATION("d1", "Braze EU") "," SUBSCRIPTION("m1", "d1", TRACK) more "]"

/* Imports `count` texts as files a.json, b.json, ...; NULL and *err when that is refused. */
static struct import *import_texts(struct segment_export **export, const char *const *texts,
                                   size_t count, struct err *err)
{
    static const char *const names[] = {"a.json", "b.json", "c.json"};
    struct import_choices choices = {.per_action = false};
    struct import *im = NULL;
    int rc = 0;
    *err = (struct err){0};
    assert_int_equal(segment_export_new(export), 0);
    for (size_t i = 0; rc == 0 && i < count && texts[i] != NULL; i++)
        rc = segment_export_add(*export, names[i], str_from(texts[i]), err);
    if (rc == 0)
        rc = import_segment(&im, *export, &choices, err);
    assert_int_equal(rc, err->code);
    assert_int_equal(rc == 0, im != NULL);
    return im;
}

/* The config as JSON values, in `a`. */
static struct jv config_of(const struct import *im, struct arena *a)
{
    struct yaml_doc *yaml;
    struct err err = {0};
    if (yaml_doc_parse(&yaml, a, import_text(im), &err) != 0)
        fail_msg("line %zu: %s", err.at, err.msg);
    struct jv root = yaml_doc_root(yaml);
    yaml_doc_free(yaml);
    return root;
}

static void gives(const char *const *texts, size_t count, const char *json)
{
    struct segment_export *export;
    struct arena arena;
    struct buf out;
    struct err err;
    arena_init(&arena, 64 << 20);
    buf_init(&out, 1 << 20);
    struct import *im = import_texts(&export, texts, count, &err);
    if (im == NULL)
        fail_msg("%s", err.msg);
    jv_write(&out, config_of(im, &arena));
    assert_string_equal(buf_cstr(&out), json);
    buf_fini(&out);
    arena_fini(&arena);
    import_free(im);
    segment_export_free(export);
}

#define SOURCE_CONFIG                                                                              \
    "{\"sources\":[{\"id\":\"s1\",\"kind\":\"segment\",\"write_key\":\"${SPELTER_S1_KEY}\"}],"
#define SUBSCRIPTION_CONFIG                                                                        \
    "{\"name\":\"Track Calls\",\"enabled\":true,\"subscribe\":\"type = \\\"track\\\"\","           \
    "\"partnerAction\":\"trackEvent\",\"mapping\":{\"name\":{\"@path\":\"$.event\"}}}"
#define DESTINATION_CONFIG(id, variable)                                                           \
    "{\"id\":\"" id "\",\"kind\":\"braze-cloud\",\"enabled\":true,\"from\":[\"s1\"],"              \
    "\"settings\":{\"api_key\":\"${" variable                                                      \
    "}\",\"endpoint\":\"https://rest.fra-01.braze.eu\"},\"parity\":\"strict\","                    \
    "\"batching\":\"combined\",\"subscriptions\":[" SUBSCRIPTION_CONFIG "]}"
#define ONE SOURCE_CONFIG "\"destinations\":[" DESTINATION_CONFIG("braze-eu", "BRAZE_API_KEY") "]}"

static void every_form_of_an_answer_gives_the_same_config(void **state)
{
    (void)state;
    static const char *const rows[][3] = {
        {BOTH("")},
        {DESTINATION("d1", "Braze EU"), SUBSCRIPTION("m1", "d1", TRACK)},
        {SUBSCRIPTION("m1", "d1", TRACK), DESTINATION("d1", "Braze EU")},
        {"{\"data\":{\"destination\":" DESTINATION("d1", "Braze EU") "}}",
         "{\"data\":{\"subscription\":" SUBSCRIPTION("m1", "d1", TRACK) "}}"},
        {"{\"data\":{\"destinations\":[" DESTINATION("d1", "Braze EU") "],\"pagination\":{}}}",
         "[{\"data\":{\"subscriptions\":[" SUBSCRIPTION(
             "m1", "d1",
             TRACK) "],"
                    "\"pagination\":{\"current\":\"MA==\",\"next\":null,\"totalEntries\":1}}}]"},
        {"{\"data\":{\"subscriptions\":[],\"pagination\":{\"current\":\"A\",\"next\":\"B\"}}}",
         "{\"data\":{\"subscriptions\":[" SUBSCRIPTION(
             "m1", "d1", TRACK) "],"
                                "\"pagination\":{\"current\":\"B\"}}}",
         "{\"data\":[" DESTINATION("d1", "Braze EU") "]}"},
        {BOTH(""), BOTH(""), BOTH("")}, /* said three times */
        {"{\"destination\":" DESTINATION(
            "d1", "Braze EU") ",\"subscriptions\":"
                              "[{\"id\":\"m1\",\"name\":\"Track Calls\",\"enabled\":true,"
                              "\"trigger\":\"type = \\\"track\\\"\"," TRACK "}]}"},
    };
    for (size_t i = 0; i < countof(rows); i++)
        gives(rows[i], countof(rows[i]), ONE);
}

static void several_destinations_get_names_and_keys_of_their_own(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "[" DESTINATION("d1", "Braze EU") "," DESTINATION("d2", "braze  eu!") "," SUBSCRIPTION(
            "m2", "d2", TRACK) "," SUBSCRIPTION("m1", "d1", TRACK) "]",
    };
    gives(texts, 1,
          SOURCE_CONFIG "\"destinations\":[" DESTINATION_CONFIG(
              "braze-eu",
              "BRAZE_API_KEY_BRAZE_EU") "," DESTINATION_CONFIG("braze-eu-2",
                                                               "BRAZE_API_KEY_BRAZE_EU_2") "]}");
}

#define COHORTS(id, name)                                                                          \
    "[{\"id\":\"" id "\",\"name\":\"" name "\",\"enabled\":true,\"sourceId\":\"s1\","              \
    "\"settings\":{\"client_secret\":\"****\",\"endpoint\":\"https://rest.fra-01.braze.eu\"},"     \
    "\"metadata\":{\"id\":\"63872c01c0c112b9b4d75412\"}}"
#define SYNC(action) action ",\"settings\":{\"personas_audience_key\":\"vip\"}"
#define BY_SLUG      "\"actionSlug\":\"syncAudiences\""
#define BY_ID        "\"actionId\":\"sW4CKfq2r8LXZhXDfmbQW6\""

static void a_cohorts_destination_asks_for_both_of_its_keys(void **state)
{
    (void)state;
    static const char *const rows[] = {
        COHORTS("c", "VIPs") "," SUBSCRIPTION("m", "c", SYNC(BY_SLUG)) "]",
        COHORTS("c", "VIPs") "," SUBSCRIPTION("m", "c", SYNC(BY_ID)) "]",
    };
    for (size_t i = 0; i < countof(rows); i++)
        gives(&rows[i], 1,
              SOURCE_CONFIG
              "\"destinations\":[{\"id\":\"vips\",\"kind\":\"braze-cohorts\",\"enabled\":true,"
              "\"from\":[\"s1\"],\"settings\":{\"client_secret\":\"${BRAZE_CLIENT_SECRET}\","
              "\"partner_api_key\":\"${BRAZE_PARTNER_API_KEY}\",\"partner\":\"segment\","
              "\"endpoint\":\"https://rest.fra-01.braze.eu\"},\"parity\":\"strict\","
              "\"batching\":\"combined\",\"subscriptions\":[{\"name\":\"Track Calls\","
              "\"enabled\":true,\"subscribe\":\"type = \\\"track\\\"\","
              "\"partnerAction\":\"syncAudiences\","
              "\"mapping\":{\"personas_audience_key\":\"vip\"}}]}]}");
}

static void names_are_short_while_no_other_destination_is_of_the_kind(void **state)
{
    (void)state;
    static const char *const texts[] = {
        BOTH(""), COHORTS("c", "VIPs") "," SUBSCRIPTION("m2", "c", SYNC(BY_SLUG)) "]"};
    struct segment_export *export;
    struct err err;
    struct import *im = import_texts(&export, texts, countof(texts), &err);
    if (im == NULL)
        fail_msg("%s", err.msg);
    static const char *const notes[] = {
        "set SPELTER_S1_KEY to the write key of source s1: the config holds no secrets",
        "set BRAZE_API_KEY to the Braze REST API key of braze-eu: the config holds no secrets",
        "set BRAZE_CLIENT_SECRET to the Braze client secret of vips: the config holds no secrets",
        ("set BRAZE_PARTNER_API_KEY to the partner API key that Braze gave you for vips: the "
         "config "
         "holds no secrets"),
    };
    assert_int_equal(import_note_count(im), countof(notes));
    for (size_t i = 0; i < countof(notes); i++)
        assert_true(str_eq(import_note(im, i), str_from(notes[i])));
    import_free(im);
    segment_export_free(export);
}

static void an_action_is_known_by_slug_by_id_and_by_the_catalog_entry(void **state)
{
    (void)state;
    static const struct {
        const char *action;
        const char *slug;
    } rows[] = {
        {"\"actionSlug\":\"trackEvent\"", "trackEvent"},
        {"\"actionSlug\":\"ecommerceSingleProduct\"", "ecommerceSingleProduct"},
        {"\"actionSlug\":\"trackEvent\",\"actionId\":\"vE7Gf9yobj2gTuMBhwmg7g\"", "trackEvent"},
        {"\"actionId\":\"2P24zUSAL8BUpyGYNGmD7M\"", "updateUserProfile"},
        {"\"actionId\":\"3pnc4QJvUjWGi2bp6EnDt\"", "trackEvent"},
        {"\"actionId\":\"vE7Gf9yobj2gTuMBhwmg7g\"", "trackPurchase"},
        {"\"actionId\":\"sRxUEeJSMLSTBFD2cgYBms\"", "identifyUser"},
        {"\"actionId\":\"vp138DdA9188zfyXfhJe6x\"", "createAlias"},
        {"\"actionId\":\"aVPEkfaFoH1NHSpf1H4vsb\"", "updateUserProfile2"},
        {"\"actionId\":\"edFSMK18MScnLKK68zkg1i\"", "trackEvent2"},
        {"\"actionId\":\"uq4SiYEcMy656CLSJJpdRB\"", "trackPurchase2"},
        {"\"actionId\":\"fz8S9HPDaJmNxsA8Niwv2A\"", "identifyUser2"},
        {"\"actionId\":\"uN77iFiyocgcAkA1mwjFai\"", "createAlias2"},
        {"\"actionId\":\"bzGprD8nXKT6wAnbz4LuHA\"", "triggerCampaign"},
        {"\"actionId\":\"9DUBR4qVXRxPXa39oiz2Tc\"", "triggerCanvas"},
        {"\"actionId\":\"3rHZERwR6c55kFDYDFmu5V\"", "upsertCatalogItem"},
        {"\"actionId\":\"new1\",\"actionSlug\":null", "ecommerce"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        char text[2000];
        const char *texts[] = {text};
        struct segment_export *export;
        struct err err;
        snprintf(text, sizeof(text),
                 "[{\"id\":\"d\",\"enabled\":true,\"sourceId\":\"s\",\"settings\":{},\"metadata\":"
                 "{\"id\":\"60f9d0d048950c356be2e4da\",\"actions\":[{\"id\":\"new1\",\"slug\":"
                 "\"ecommerce\"}]}},{\"id\":\"m\",\"enabled\":false,\"trigger\":\"x\","
                 "\"settings\":{},%s}]",
                 rows[i].action);
        struct import *im = import_texts(&export, texts, 1, &err);
        if (im == NULL)
            fail_msg("%s: %s", rows[i].action, err.msg);
        struct jv subscription = import_destination(im, 0)->subscriptions.items[0];
        assert_true(
            str_eq(jv_str(jv_get(subscription, STR("partnerAction"))), str_from(rows[i].slug)));
        assert_false(jv_get(subscription, STR("enabled")).boolean);
        import_free(im);
        segment_export_free(export);
    }
}

static void mappings_come_over_as_they_are(void **state)
{
    (void)state;
    static const char *const mappings[] = {
        "{}",
        "{\"yes\":\"no\",\"1\":null,\"\":{\"\":[]},\"<<\":{\"a\":1},\"# \":\" # \"}",
        "{\"q\":\"\\\"'\\\\\\/\\u0000\\u001f\\u007f\\u0085\\u2028\\ufeff\\uffff\\ud83d\\ude00\"}",
        "{\"n\":[9007199254740993,-0.0,1e400,1E-7,12345678901234567890123]}",
        "{\"__segment_internal_sync_mode\":\"add\",\"onMappingSave\":{\"outputs\":{\"a\":1}}}",
        "{\"__segment_internal_directive\":{\"@path\":\"$\"}}",
        ("{\"a\":{\"@if\":{\"blank\":{\"@template\":\"{{x}}\\n${HOME} file:x\"},\"then\":"
         "{\"@arrayPath\":[\"$.p\",{\"@merge\":{\"objects\":[{\"k\":{\"@literal\":{}}}]}}]}}}}"),
    };
    for (size_t i = 0; i < countof(mappings); i++) {
        struct buf text;
        struct arena arena;
        struct segment_export *export;
        struct jv mapping;
        struct err err;
        arena_init(&arena, 64 << 20);
        buf_init(&text, 1 << 20);
        buf_printf(
            &text,
            "[" DESTINATION(
                "d1",
                "x\\n- evil: 1\\u2028\\u001b[2J") ","
                                                  "{\"id\":\"m\",\"name\":\"a\\nb: "
                                                  "c\",\"destinationId\":\"d1\",\"enabled\":true,"
                                                  "\"trigger\":\"type = "
                                                  "\\\"track\\\"\",\"actionSlug\":\"trackEvent\","
                                                  "\"settings\":%s}]",
            mappings[i]);
        assert_int_equal(jv_parse(&mapping, &arena, str_from(mappings[i]), JV_EXACT, &err), 0);
        const char *texts[] = {buf_cstr(&text)};
        struct import *im = import_texts(&export, texts, 1, &err);
        if (im == NULL)
            fail_msg("%s", err.msg);
        struct jv written = jv_get(config_of(im, &arena), STR("destinations")).items[0];
        struct jv subscription = jv_get(written, STR("subscriptions")).items[0];
        assert_true(jv_equal(jv_get(subscription, STR("mapping")), mapping));
        assert_true(str_eq(jv_str(jv_get(subscription, STR("name"))), STR("a\nb: c")));
        import_free(im);
        segment_export_free(export);
        buf_fini(&text);
        arena_fini(&arena);
    }
}

static void what_does_not_come_over_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *more; /* beside a destination and a subscription that do come over */
        const char *note;
    } rows[] = {
        {",{\"id\":\"c\",\"name\":\"Old\",\"metadata\":{\"id\":\"54efbf12db31d978f14aa8b5\"}}",
         "left out: destination \"Old\" (Braze): Spelter has no destination of this kind; it would "
         "need to become Braze Cloud Mode (Actions) at Segment, with mappings"},
        {",{\"id\":\"c\",\"metadata\":{\"slug\":\"actions-braze-web\"}}",
         "left out: destination \"c\" (Braze Web Device Mode (Actions)): it runs in the browser; "
         "it would need Braze's web SDK on your pages"},
        {",{\"id\":\"c\",\"name\":\"GA\",\"metadata\":{\"slug\":\"google\",\"name\":\"Google "
         "Analytics\"}}," SUBSCRIPTION("m2", "c", "\"actionSlug\":\"whatever\""),
         "left out: destination \"GA\" (\"Google Analytics\"): it is no destination of Braze"},
        {"," SUBSCRIPTION("m2", "d1", "\"modelId\":\"w1\",\"actionSlug\":\"trackEvent\""),
         "left out: mapping \"Track Calls\": it reads a warehouse (reverse ETL), and Spelter takes "
         "events only; it would need to arrive as events"},
        {"," SUBSCRIPTION("m2", "d1", "\"actionSlug\":\"debouncePlugin\""),
         "left out: mapping \"Track Calls\" (debouncePlugin): it runs in the browser"},
        {",{\"data\":{\"filters\":[{\"id\":\"f1\",\"title\":\"No tests\",\"destinationId\":"
         "\"d1\",\"if\":\"all\",\"actions\":[{\"type\":\"DROP\"}]}]}}",
         "left out: filter \"No tests\" of destination \"Braze EU\": Spelter has no filters of "
         "destinations; where it drops events, its condition can go into each subscription"},
        {",{\"id\":\"d9\",\"name\":\"Empty\",\"enabled\":false,\"sourceId\":\"s\",\"settings\":{}"
         "," CLOUD "}",
         "left out: destination \"Empty\": it has no mapping that can be imported"},
        {",{\"destinations\":[],\"pagination\":{\"next\":\"B\"}}",
         "a.json has a next page of destinations, which was not read"},
        {",{\"id\":\"s1\",\"slug\":\"web\",\"writeKeys\":[\"a\",\"b\"]}",
         "source web has 2 write keys and the config takes one of them: give each other one a "
         "source of its own"},
        {"",
         "set BRAZE_API_KEY to the Braze REST API key of braze-eu: the config holds no secrets"},
        {",{\"source\":{\"id\":\"s1\",\"slug\":\"web\",\"writeKeys\":[\"secret\"]}}",
         "set SPELTER_WEB_KEY to the write key of source web: the config holds no secrets"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        char text[4000];
        const char *texts[] = {text};
        struct segment_export *export;
        struct err err;
        snprintf(text, sizeof(text),
                 "[" DESTINATION("d1", "Braze EU") "," SUBSCRIPTION("m1", "d1", TRACK) "%s]",
                 rows[i].more);
        struct import *im = import_texts(&export, texts, 1, &err);
        if (im == NULL)
            fail_msg("%s", err.msg);
        bool is_there = false;
        for (size_t n = 0; n < import_note_count(im); n++)
            is_there = is_there || str_eq(import_note(im, n), str_from(rows[i].note));
        if (!is_there)
            fail_msg("not among the notes: %s", rows[i].note);
        assert_int_equal(import_destination_count(im), 1);
        assert_int_equal(import_destination(im, 0)->subscriptions.len, 1);
        assert_null(memmem(import_text(im).ptr, import_text(im).len, "secret\"", 7));
        import_free(im);
        segment_export_free(export);
    }
}

static void masked_and_missing_settings_become_variables_and_defaults(void **state)
{
    (void)state;
    static const struct {
        const char *settings;
        const char *written;
    } rows[] = {
        {"{\"app_id\":\"A\",\"endpoint\":\"https://x\"}",
         "{\"api_key\":\"${BRAZE_API_KEY}\",\"app_id\":\"A\",\"endpoint\":\"https://x\"}"},
        {"{\"app_id\":\"\",\"endpoint\":null}",
         "{\"api_key\":\"${BRAZE_API_KEY}\",\"endpoint\":\"https://rest.iad-01.braze.com\"}"},
        {"{\"api_key\":\"plain\",\"app_id\":\"a\xe2\x80\xa2\xe2\x80\xa2\"}",
         "{\"api_key\":\"${BRAZE_API_KEY}\",\"app_id\":\"${BRAZE_APP_ID}\","
         "\"endpoint\":\"https://rest.iad-01.braze.com\"}"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        char text[2000];
        const char *texts[] = {text};
        struct segment_export *export;
        struct arena arena;
        struct buf out;
        struct err err;
        arena_init(&arena, 1 << 20);
        buf_init(&out, 4096);
        snprintf(text, sizeof(text),
                 "[{\"id\":\"d1\",\"enabled\":true,\"sourceId\":\"s\",\"settings\":%s," CLOUD
                 "}," SUBSCRIPTION("m", "d1", TRACK) "]",
                 rows[i].settings);
        struct import *im = import_texts(&export, texts, 1, &err);
        if (im == NULL)
            fail_msg("%s", err.msg);
        jv_write(&out, jv_get(jv_get(config_of(im, &arena), STR("destinations")).items[0],
                              STR("settings")));
        assert_string_equal(buf_cstr(&out), rows[i].written);
        import_free(im);
        segment_export_free(export);
        buf_fini(&out);
        arena_fini(&arena);
    }
}

static void every_refusal_says_file_place_and_what_was_expected(void **state)
{
    (void)state;
    static const struct {
        const char *texts[2];
        const char *message;
    } rows[] = {
        {{"{\"data\":\n{\"x\" 1}}"}, "a.json:2: not JSON: "},
        {{""}, "a.json:1: not JSON: "},
        {{"5"}, "a.json: expected an answer of Segment's Public API, an object or an array"},
        {{"[[\"x\"]]"},
         "a.json: /0/0: expected an answer of Segment's Public API, an object or an array"},
        {{"{\"data\":{\"warehouse\":{}}}"},
         "a.json: /data: not an answer of Segment's Public API, expected a destination, "
         "subscriptions, filters or a source"},
        {{"{\"errors\":[{\"type\":\"forbidden\",\"message\":\"not allowed\"}]}"},
         "a.json: /errors: Segment refused this call: not allowed"},
        {{"[]"}, "no destination among what was read, expected the answer of GET /destinations/ID"},
        {{SUBSCRIPTION("m1", "d1", TRACK)}, "no destination among what was read"},
        {{"{\"id\":\"x\",\"metadata\":{\"slug\":\"braze\"}}"},
         "no Braze Cloud Mode (Actions) or Braze Cohorts destination among what was read, nothing "
         "else can be imported"},
        {{COHORTS("c", "VIPs") "," SUBSCRIPTION("m", "c", TRACK) "]"},
         "a.json: /1/actionSlug: 'trackEvent' is no action of Braze Cohorts, expected "
         "syncAudiences"},
        {{COHORTS("c", "VIPs") "," SUBSCRIPTION("m", "c", "\"actionSlug\":\"syncAudience\"") "]"},
         "a.json: /1/actionSlug: 'syncAudience' is no action of Braze Cohorts, did you mean "
         "'syncAudiences'?"},
        {{DESTINATION("d1", "x")},
         "a.json: no subscriptions of this destination were read, expected the answer of GET "
         "/destinations/d1/subscriptions"},
        {{"{\"destination\":{\"id\":\"d\"}}"},
         "a.json: /destination: 'metadata' is missing, expected the catalog entry that says what "
         "kind of destination this is"},
        {{"{\"destination\":{\"metadata\":{}}}"},
         "a.json: /destination: 'id' is missing, expected the destination's id"},
        {{"{\"destinations\":[7]}"}, "a.json: /destinations/0: expected a destination, an object"},
        {{"{\"id\":\"d\"," CLOUD "}"},
         "a.json: 'sourceId' is missing, expected the id of its source"},
        {{"{\"id\":\"d\",\"sourceId\":\"s\",\"enabled\":1," CLOUD "}"},
         "a.json: /enabled: expected true or false"},
        {{"{\"id\":\"d\",\"sourceId\":\"s\",\"enabled\":true,\"settings\":{\"app_id\":\"${A}\"}"
          "," CLOUD "}",
          SUBSCRIPTION("m", "d", TRACK)},
         "a.json: /settings/app_id: it has '${' in it, expected a text without environment "
         "variables"},
        {{BOTH("," SUBSCRIPTION("m2", "d2", TRACK))},
         "a.json: /2/destinationId: no such destination was read, expected the answer of GET "
         "/destinations/d2 too"},
        {{BOTH("," SUBSCRIPTION("m2", "d1", "\"actionSlug\":\"trackEvnt\""))},
         "a.json: /2/actionSlug: 'trackEvnt' is no action of Braze Cloud Mode (Actions), did you "
         "mean 'trackEvent'?"},
        {{BOTH("," SUBSCRIPTION("m2", "d1", "\"actionId\":\"nope\""))},
         "a.json: /2/actionId: 'nope' is no action of Braze Cloud Mode (Actions), expected one "
         "such as trackEvent"},
        {{BOTH("," SUBSCRIPTION("m2", "d1", "\"settings\":{}"))},
         "a.json: /2: 'actionSlug' is missing, expected an action such as trackEvent"},
        {{BOTH("," SUBSCRIPTION("m2", "d1", "\"actionSlug\":\"trackEvent\""))},
         "a.json: /2: 'settings' is missing, expected the mapping, an object"},
        {{BOTH("," SUBSCRIPTION("m2", "d1", "\"actionSlug\":\"trackEvent\",\"settings\":null"))},
         "a.json: /2/settings: expected the mapping, an object"},
        {{BOTH(""), SUBSCRIPTION("m1", "d1", "\"actionSlug\":\"trackEvent\",\"settings\":{}")},
         "b.json: a.json says something else of this subscription; expected one state of it"},
        {{BOTH(""), "{\"subscriptions\":[],\"pagination\":{\"current\":\"A\",\"next\":\"B\"}}"},
         "b.json: /pagination/next: there is a next page of subscriptions, expected it among what "
         "was read"},
        {{DESTINATION("d1", "x"),
          SUBSCRIPTION("m", "d1", "\"modelId\":\"w\",\"actionSlug\":\"trackEvent\"")},
         "nothing to import: no destination has a mapping that works on events"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct segment_export *export;
        struct err err;
        struct import *im = import_texts(&export, rows[i].texts, countof(rows[i].texts), &err);
        assert_null(im);
        if (!str_starts(str_from(err.msg), str_from(rows[i].message)))
            assert_string_equal(err.msg, rows[i].message);
        segment_export_free(export);
    }
}

static void a_mapping_deeper_than_a_config_can_hold_is_refused(void **state)
{
    (void)state;
    struct buf text;
    struct segment_export *export;
    struct err err;
    buf_init(&text, 4096);
    buf_append(
        &text,
        STR("[" DESTINATION(
            "d1", "x") ",{\"id\":\"m\",\"enabled\":true,"
                       "\"trigger\":\"x\",\"actionSlug\":\"trackEvent\",\"settings\":{\"a\":"));
    for (int i = 0; i < 60; i++)
        buf_putc(&text, '[');
    for (int i = 0; i < 60; i++)
        buf_putc(&text, ']');
    buf_append(&text, STR("}}]"));
    const char *texts[] = {buf_cstr(&text)};
    assert_null(import_texts(&export, texts, 1, &err));
    assert_int_equal(err.code, -E2BIG);
    assert_non_null(strstr(err.msg, "nested too deep"));
    segment_export_free(export);
    buf_fini(&text);
}

static void a_place_in_the_config_becomes_its_place_at_segment(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        const char *message;
    } rows[] = {
        {"/subscriptions/1/mapping/email/@if", "b.json: /subscriptions/0/settings/email/@if: bad"},
        {"/subscriptions/1/subscribe", "b.json: /subscriptions/0/trigger: bad"},
        {"/subscriptions/0/partnerAction", "a.json: /1/actionSlug: bad"},
        {"/subscriptions/0", "a.json: /1: bad"},
        {"/settings/endpoint", "a.json: /0/settings/endpoint: bad"},
    };
    static const char *const texts[] = {
        BOTH(""), "{\"subscriptions\":[" SUBSCRIPTION("m2", "d1", TRACK) "]}"};
    struct segment_export *export;
    struct err err;
    struct import *im = import_texts(&export, texts, 2, &err);
    assert_non_null(im);
    for (size_t i = 0; i < countof(rows); i++) {
        struct err why = {0};
        err_set_path(&why, -EINVAL, rows[i].path, "bad");
        import_locate(im, 0, &why, &err);
        assert_string_equal(err.msg, rows[i].message);
    }
    import_free(im);
    segment_export_free(export);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_an_answer_gives_the_same_config),
        cmocka_unit_test(several_destinations_get_names_and_keys_of_their_own),
        cmocka_unit_test(a_cohorts_destination_asks_for_both_of_its_keys),
        cmocka_unit_test(names_are_short_while_no_other_destination_is_of_the_kind),
        cmocka_unit_test(an_action_is_known_by_slug_by_id_and_by_the_catalog_entry),
        cmocka_unit_test(mappings_come_over_as_they_are),
        cmocka_unit_test(what_does_not_come_over_is_named),
        cmocka_unit_test(masked_and_missing_settings_become_variables_and_defaults),
        cmocka_unit_test(every_refusal_says_file_place_and_what_was_expected),
        cmocka_unit_test(a_mapping_deeper_than_a_config_can_hold_is_refused),
        cmocka_unit_test(a_place_in_the_config_becomes_its_place_at_segment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
