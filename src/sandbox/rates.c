#include "rates.h"

#include <errno.h>

#include "text.h"

enum {
    SECOND = 1000,
    MINUTE = 60 * SECOND,
    HOUR = 60 * MINUTE,
    DAY = 24 * HOUR,
    REQUESTS_MAX = 1000000000,
    WINDOW_SECONDS_MAX = 86400,
};

struct rate_row {
    struct str name;
    uint64_t limit;
    int64_t window_ms;
};

#define S(text) STR_INIT(text)
static const struct rate_row rows[RATE_COUNT] = {
    [RATE_TRACK] = {S("track"), 3000, 3 * SECOND},
    [RATE_TRACK_BURST] = {S("track-burst"), 3000, 3 * SECOND},
    [RATE_TRACK_SYNC] = {S("track-sync"), 500, MINUTE},
    [RATE_TRACK_BULK] = {S("track-bulk"), 50, SECOND},
    [RATE_USER_ADMIN] = {S("user-admin"), 20000, MINUTE},
    [RATE_RENAME] = {S("rename"), 1000, MINUTE},
    [RATE_REMOVE] = {S("remove"), 1000, MINUTE},
    [RATE_EXPORT_IDS] = {S("export-ids"), 250, MINUTE},
    [RATE_EXPORT_IDS_FIELDS] = {S("export-ids-fields"), 40, SECOND},
    [RATE_METADATA] = {S("metadata"), 1000, HOUR},
    [RATE_CAMPAIGN_ANALYTICS] = {S("campaign-analytics"), 50000, MINUTE},
    [RATE_BROADCAST] = {S("broadcast"), 250, MINUTE},
    [RATE_SEND_IDS] = {S("send-ids"), 100, DAY},
    [RATE_SUBSCRIPTION] = {S("subscription"), 5000, MINUTE},
    [RATE_CATALOGS] = {S("catalogs"), 50, MINUTE},
    [RATE_CATALOG_ITEMS_ASYNC] = {S("catalog-items-async"), 16000, MINUTE},
    [RATE_CATALOG_ITEMS_SYNC] = {S("catalog-items-sync"), 50, MINUTE},
    [RATE_COHORTS] = {S("cohorts"), 250000, HOUR},
    [RATE_DEFAULT] = {S("default"), 250000, HOUR},
};

struct str rate_name(enum rate_bucket bucket)
{
    return rows[bucket].name;
}

void rates_init(struct rates *r, const struct choices *choices)
{
    *r = (struct rates){0};
    for (int i = 0; i < RATE_COUNT; i++)
        r->buckets[i] = (struct rate){.limit = rows[i].limit, .window_ms = rows[i].window_ms};
    struct rate *track = &r->buckets[RATE_TRACK];
    switch (choices->values[CHOICE_CONTRACT]) {
    case CONTRACT_MAU:
        *track =
            (struct rate){.limit = (uint64_t)choices->values[CHOICE_MAU_HOURLY], .window_ms = HOUR};
        r->buckets[RATE_TRACK_BURST].limit = (uint64_t)choices->values[CHOICE_MAU_BURST];
        break;
    case CONTRACT_PER_MINUTE:
        *track = (struct rate){.limit = 50000, .window_ms = MINUTE};
        break;
    case CONTRACT_PER_HOUR:
        *track = (struct rate){.limit = 250000, .window_ms = HOUR};
        break;
    default:
        break;
    }
    if (choices->values[CHOICE_EXPORT_RATE] == EXPORT_2500)
        r->buckets[RATE_EXPORT_IDS].limit = 2500;
}

int rates_set(struct rates *r, struct str text, struct err *err)
{
    size_t equals = str_find(text, '=');
    struct str name = str_slice(text, 0, equals);
    struct str value = str_slice(text, equals + 1, text.len);
    size_t slash = str_find(value, '/');
    int64_t limit;
    int64_t seconds;
    if (!text_to_i64(str_slice(value, 0, slash), &limit) || limit < 0 || limit > REQUESTS_MAX ||
        !text_to_i64(str_slice(value, slash + 1, value.len), &seconds) || seconds < 1 ||
        seconds > WINDOW_SECONDS_MAX)
        return err_set(err, -EINVAL, 0,
                       "rate '%.*s': expected NAME=REQUESTS/SECONDS, as in track=100/60",
                       STR_ARG(text));
    struct str names[RATE_COUNT];
    for (int i = 0; i < RATE_COUNT; i++) {
        names[i] = rows[i].name;
        if (str_eq(rows[i].name, name)) {
            r->buckets[i] = (struct rate){.limit = (uint64_t)limit, .window_ms = seconds * SECOND};
            return 0;
        }
    }
    struct str nearest = str_nearest(name, names, countof(names));
    return err_set(err, -EINVAL, 0, "no rate limit is called '%.*s'%s%.*s", STR_ARG(name),
                   nearest.len == 0 ? "" : "; did you mean ", STR_ARG(nearest));
}

struct rate_state rates_look(struct rates *r, enum rate_bucket bucket, int64_t now_ms)
{
    struct rate *rate = &r->buckets[bucket];
    int64_t start = now_ms - now_ms % rate->window_ms;
    if (start != rate->window_start_ms) {
        rate->window_start_ms = start;
        rate->used = 0;
    }
    return (struct rate_state){
        .admitted = rate->used < rate->limit,
        .limit = rate->limit,
        .remaining = rate->used < rate->limit ? rate->limit - rate->used : 0,
        .reset_ms = start + rate->window_ms,
    };
}

struct rate_state rates_admit(struct rates *r, enum rate_bucket bucket, int64_t now_ms)
{
    struct rate_state state = rates_look(r, bucket, now_ms);
    if (state.admitted) {
        r->buckets[bucket].used++;
        state.remaining--;
    }
    return state;
}

/* More different audiences than the table holds count together: the limit over all of them is lower
 * than the table. */
struct rate_state rates_admit_audience(struct rates *r, uint64_t hash, int64_t now_ms)
{
    int64_t minute = now_ms / MINUTE;
    if (minute != r->audience_minute) {
        memset(r->audiences, 0, sizeof(r->audiences));
        r->audience_minute = minute;
    }
    hash |= 1;
    size_t at = hash % AUDIENCES_MAX;
    for (size_t i = 0;
         i < AUDIENCES_MAX && r->audiences[at].hash != 0 && r->audiences[at].hash != hash; i++)
        at = (at + 1) % AUDIENCES_MAX;
    struct audience_count *count = &r->audiences[at];
    count->hash = hash;
    struct rate_state state = {.admitted = count->used < AUDIENCE_LIMIT,
                               .limit = AUDIENCE_LIMIT,
                               .reset_ms = (minute + 1) * MINUTE};
    if (state.admitted)
        count->used++;
    state.remaining = AUDIENCE_LIMIT - count->used;
    return state;
}

void rates_reset(struct rates *r)
{
    memset(r->audiences, 0, sizeof(r->audiences));
    for (int i = 0; i < RATE_COUNT; i++)
        r->buckets[i].used = 0;
}

void rates_give_back(struct rates *r, enum rate_bucket bucket)
{
    if (r->buckets[bucket].used > 0)
        r->buckets[bucket].used--;
}
