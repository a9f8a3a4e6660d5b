/*
 * One core: parse, match, map, validate and write Braze's JSON for a typical event of each action,
 * beside the floor, which is yyjson's parse and write of the same bytes. One JSON line a case:
 *
 *     {"bench":"map","action":"trackEvent","event_bytes":512,"events_per_second":...,"floor_per_second":...,
 *      "share_of_floor":0.5,"mallocs":0}
 *
 *     bench_map [SECONDS_A_CASE [ACTION]]
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <yyjson.h>

#include "action.h"
#include "clock.h"
#include "destination.h"
#include "presets.h"

/* Every allocation of the process, ours and the libraries', passes here. */
static size_t mallocs;

extern void *__libc_malloc(size_t bytes);
extern void *__libc_realloc(void *ptr, size_t bytes);
extern void *__libc_calloc(size_t count, size_t bytes);

void *malloc(size_t bytes)
{
    mallocs++;
    return __libc_malloc(bytes);
}

void *realloc(void *ptr, size_t bytes)
{
    mallocs++;
    return __libc_realloc(ptr, bytes);
}

void *calloc(size_t count, size_t bytes)
{
    mallocs++;
    return __libc_calloc(count, bytes);
}

#define HEAD                                                                                       \
    "\"messageId\":\"ajs-next-1716300000000-9a3c4f52-aaaa-4b2e\",\"anonymousId\":\"5b1d7f8e-0c4a-" \
    "4f6e-9e0d-2b7c1a9f3e44\",\"userId\":\"user-184467\",\"receivedAt\":\"2026-11-22T03:04:"       \
    "05.678Z\",\"timestamp\":\"2026-11-22T03:04:05.600Z\","
#define CONTEXT                                                                                    \
    "\"context\":{\"ip\":\"203.0.113.7\",\"locale\":\"en-GB\",\"library\":{\"name\":\"analytics."  \
    "js\",\"version\":\"2.11.1\"}}"
#define PRODUCT                                                                                    \
    "{\"product_id\":\"sku-7\",\"name\":\"Copper wire\",\"variant\":\"2mm\",\"quantity\":2,"       \
    "\"price\":9.5,\"currency\":\"EUR\"}"

static const struct {
    const char *action;
    const char *extra; /* laid over the default mapping */
    const char *event;
} rows[] = {
    {"trackEvent", "{}",
     "{\"type\":\"track\",\"event\":\"Article Read\"," HEAD
     "\"properties\":{\"title\":\"On joining metals\",\"section\":\"craft\",\"minutes\":7,"
     "\"premium\":true}," CONTEXT "}"},
    {"trackEvent2", "{\"__segment_internal_sync_mode\":\"add\"}",
     "{\"type\":\"track\",\"event\":\"Article Read\"," HEAD
     "\"properties\":{\"title\":\"On joining metals\",\"section\":\"craft\",\"minutes\":7,"
     "\"premium\":true}," CONTEXT "}"},
    {"updateUserProfile", "{}",
     "{\"type\":\"identify\"," HEAD
     "\"traits\":{\"email\":\"ada@example.com\",\"firstName\":\"Ada\",\"lastName\":\"King\","
     "\"gender\":\"female\",\"phone\":\"+15550100\",\"plan\":\"pro\",\"address\":{\"city\":"
     "\"London\"}}," CONTEXT "}"},
    {"trackPurchase", "{}",
     "{\"type\":\"track\",\"event\":\"Order Completed\"," HEAD
     "\"properties\":{\"order_id\":\"o-1\",\"products\":[" PRODUCT "]}," CONTEXT "}"},
    {"ecommerce", "{\"name\":\"ecommerce.order_placed\"}",
     "{\"type\":\"track\",\"event\":\"Order Completed\"," HEAD
     "\"properties\":{\"order_id\":\"o-1\",\"total\":19,\"currency\":\"EUR\",\"source\":\"web\","
     "\"products\":[" PRODUCT "]}," CONTEXT "}"},
    {"ecommerceSingleProduct", "{\"name\":\"ecommerce.product_viewed\"}",
     "{\"type\":\"track\",\"event\":\"Product Viewed\"," HEAD
     "\"properties\":{\"product_id\":\"sku-7\",\"name\":\"Copper wire\",\"variant\":\"2mm\","
     "\"price\":9.5,\"currency\":\"EUR\",\"source\":\"web\"}," CONTEXT "}"},
    {"createAlias",
     "{\"external_id\":{\"@path\":\"$.userId\"},\"alias_name\":{\"@path\":\"$.anonymousId\"},"
     "\"alias_label\":\"anonymous\"}",
     "{\"type\":\"track\",\"event\":\"Create Alias\"," HEAD "\"properties\":{}," CONTEXT "}"},
    {"identifyUser",
     "{\"external_id\":{\"@path\":\"$.userId\"},\"user_alias\":{\"alias_name\":"
     "{\"@path\":\"$.anonymousId\"},\"alias_label\":\"anonymous\"}}",
     "{\"type\":\"identify\"," HEAD "\"traits\":{\"plan\":\"pro\"}," CONTEXT "}"},
    {"triggerCampaign",
     "{\"campaign_id\":\"c-1\",\"recipients\":[{\"external_user_id\":{\"@path\":\"$.userId\"}}]}",
     "{\"type\":\"track\",\"event\":\"Basket Left\"," HEAD
     "\"properties\":{\"value\":19,\"items\":3}," CONTEXT "}"},
    {"presets", NULL, /* all of them, as a new destination has them */
     "{\"type\":\"track\",\"event\":\"Article Read\"," HEAD
     "\"properties\":{\"title\":\"On joining metals\",\"section\":\"craft\",\"minutes\":7,"
     "\"premium\":true}," CONTEXT "}"},
};

static struct jv parse(struct arena *a, const char *text)
{
    struct jv v;
    struct err err;
    if (jv_parse(&v, a, str_from(text), JV_JAVASCRIPT, &err) != 0) {
        fprintf(stderr, "bench_map: %s\n", err.msg);
        exit(1);
    }
    return v;
}

/* One subscription of the row's action, or undefined: the presets. */
static struct jv subscriptions_of(struct arena *a, size_t row, const char *subscribe)
{
    struct jv_builder mapping;
    struct jv_builder line;
    struct jv *items;
    if (rows[row].extra == NULL)
        return jv_undefined();
    const struct action *action = action_find(str_from(rows[row].action));
    jv_object_begin(&mapping, a, 32);
    jv_object_put_all(&mapping, preset_default_mapping(action, a));
    jv_object_put_all(&mapping, parse(a, rows[row].extra));
    jv_object_begin(&line, a, 3);
    jv_object_put(&line, STR("subscribe"), jv_string(str_from(subscribe)));
    jv_object_put(&line, STR("partnerAction"), jv_string(action->key));
    jv_object_put(&line, STR("mapping"), jv_object_end(&mapping));
    struct jv list = jv_array(a, &items, 1);
    items[0] = jv_object_end(&line);
    return list;
}

static struct destination *open_row(size_t row)
{
    struct arena a;
    struct destination *d;
    struct err err;
    arena_init(&a, 1 << 24);
    struct jv settings = parse(&a, "{\"api_key\":\"k\",\"app_id\":\"app-1\",\"endpoint\":"
                                   "\"https://rest.iad-01.braze.com\"}");
    struct destination_config config = {
        .settings = settings,
        .subscriptions = subscriptions_of(&a, row, "type = \"track\" or type = \"identify\""),
        .parity = PARITY_STRICT,
    };
    if (destination_compile(&d, &config, &err) != 0) {
        fprintf(stderr, "bench_map: %s: %s\n", err.path, err.msg);
        exit(1);
    }
    arena_fini(&a);
    return d;
}

/* Maps the event once; returns the bytes written for Braze. */
static size_t map_once(const struct destination *d, struct str text, struct arena *a,
                       struct buf *out)
{
    struct jv event;
    struct mapped mapped;
    arena_reset(a);
    buf_reset(out);
    if (jv_parse(&event, a, text, JV_JAVASCRIPT, NULL) != 0 ||
        destination_map(d, event, a, &mapped) != 0)
        return 0;
    for (size_t i = 0; i < mapped.intent_count; i++)
        jv_write(out, mapped.intents[i].object);
    return out->len;
}

static size_t floor_once(struct str text, yyjson_alc *alc)
{
    size_t len = 0;
    yyjson_doc *doc = yyjson_read_opts((char *)(uintptr_t)text.ptr, text.len, 0, alc, NULL);
    char *written = yyjson_write_opts(doc, 0, alc, &len, NULL);
    alc->free(alc->ctx, written);
    yyjson_doc_free(doc);
    return len;
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 1;
    int64_t limit_us = (int64_t)(seconds * 1e6);
    static char pool[1 << 20];
    struct arena a;
    struct buf out;
    arena_init(&a, 64 << 20);
    buf_init(&out, 1 << 20);
    for (size_t row = 0; row < countof(rows); row++) {
        if (argc > 2 && strcmp(argv[2], rows[row].action) != 0)
            continue;
        struct destination *d = open_row(row);
        struct str text = str_from(rows[row].event);
        yyjson_alc alc;
        yyjson_alc_pool_init(&alc, pool, sizeof(pool));
        size_t written = 0;
        for (int i = 0; i < 1000; i++)
            written = map_once(d, text, &a, &out);
        if (written == 0) {
            fprintf(stderr, "bench_map: %s maps to nothing\n", rows[row].action);
            return 1;
        }
        size_t mallocs_before = mallocs;
        uint64_t events = 0;
        int64_t start = monotonic_us();
        int64_t spent = 0;
        for (; spent < limit_us; spent = monotonic_us() - start)
            for (int i = 0; i < 1000; i++, events++)
                map_once(d, text, &a, &out);
        size_t mallocs_made = mallocs - mallocs_before;
        double rate = (double)events / ((double)spent / 1e6);

        uint64_t floor_events = 0;
        start = monotonic_us();
        for (spent = 0; spent < limit_us; spent = monotonic_us() - start)
            for (int i = 0; i < 1000; i++, floor_events++)
                floor_once(text, &alc);
        double floor_rate = (double)floor_events / ((double)spent / 1e6);
        printf("{\"bench\":\"map\",\"action\":\"%s\",\"event_bytes\":%zu,\"braze_bytes\":%zu,"
               "\"events_per_second\":%.0f,\"floor_per_second\":%.0f,\"share_of_floor\":%.2f,"
               "\"mallocs\":%zu}\n",
               rows[row].action, text.len, written, rate, floor_rate, rate / floor_rate,
               mallocs_made);
        destination_free(d);
    }
    buf_fini(&out);
    arena_fini(&a);
    return 0;
}
