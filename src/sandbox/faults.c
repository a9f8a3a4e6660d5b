#include "faults.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "text.h"

enum { STATUS_MIN = 200, STATUS_MAX = 599, RETRY_AFTER_S_MAX = 86400, BYTES_MAX = 1 << 30 };

enum latency_form { LATENCY_FIXED, LATENCY_UNIFORM, LATENCY_EXPONENTIAL };

struct rule {
    enum fault_kind kind;
    bool has_kind;
    bool apply;
    bool has_apply;
    int64_t status;
    int64_t times; /* -1: for ever */
    int64_t after; /* fitting requests that pass first */
    int64_t bytes; /* -1: half of the body */
    int64_t retry_after_s;
    double probability;
    enum latency_form latency_form;
    int64_t latency_ms;
    int64_t latency_ms_max;
    int64_t read_bytes_per_s;
    uint64_t hits;
    uint8_t path_bytes;
    char path[128];
    uint16_t body_bytes;
    char body[FAULT_TEXT_BYTES];
};

struct faults {
    struct rule rules[FAULT_RULES_MAX];
    size_t count;
    uint64_t random;
};

static const struct str kind_names[FAULT_KIND_COUNT] = {
#define X(kind, name, applies) [kind] = STR_INIT(name),
    FAULT_KINDS(X)
#undef X
};
static const bool kind_applies[FAULT_KIND_COUNT] = {
#define X(kind, name, applies) [kind] = (applies),
    FAULT_KINDS(X)
#undef X
};

struct str fault_kind_name(enum fault_kind kind)
{
    return kind_names[kind];
}

struct faults *faults_new(uint64_t seed)
{
    struct faults *f = calloc(1, sizeof(*f));
    if (f != NULL)
        f->random = seed | 1;
    return f;
}

void faults_free(struct faults *f)
{
    free(f);
}

void faults_clear(struct faults *f)
{
    f->count = 0;
}

size_t faults_count(const struct faults *f)
{
    return f->count;
}

void faults_cut(struct faults *f, size_t count)
{
    if (count < f->count)
        f->count = count;
}

/* xorshift64*: 0 to 1, 1 excluded. */
static double random_fraction(struct faults *f)
{
    f->random ^= f->random >> 12;
    f->random ^= f->random << 25;
    f->random ^= f->random >> 27;
    return (double)((f->random * UINT64_C(0x2545f4914f6cdd1d)) >> 11) / 9007199254740992.0;
}

static int set_whole(int64_t *out, struct str key, struct str value, int64_t min, int64_t max,
                     struct err *err)
{
    if (!text_to_i64(value, out) || *out < min || *out > max)
        return err_set(err, -EINVAL, 0,
                       "fault: %.*s is '%.*s', expected a number from %lld to %lld", STR_ARG(key),
                       STR_ARG(value), (long long)min, (long long)max);
    return 0;
}

/* "200", "100..500", "~300" (exponential with that mean) */
static int set_latency(struct rule *rule, struct str value, struct err *err)
{
    struct str key = STR("latency");
    for (size_t i = 0; i + 1 < value.len; i++) {
        if (value.ptr[i] != '.' || value.ptr[i + 1] != '.')
            continue;
        rule->latency_form = LATENCY_UNIFORM;
        int rc =
            set_whole(&rule->latency_ms, key, str_slice(value, 0, i), 0, FAULT_DELAY_MS_MAX, err);
        if (rc == 0)
            rc = set_whole(&rule->latency_ms_max, key, str_slice(value, i + 2, value.len),
                           rule->latency_ms, FAULT_DELAY_MS_MAX, err);
        return rc;
    }
    if (str_starts(value, STR("~"))) {
        rule->latency_form = LATENCY_EXPONENTIAL;
        value = str_slice(value, 1, value.len);
    }
    return set_whole(&rule->latency_ms, key, value, 0, FAULT_DELAY_MS_MAX, err);
}

static int set_kind(struct rule *rule, struct str name, struct err *err)
{
    for (int i = 0; i < FAULT_KIND_COUNT; i++) {
        if (str_eq(kind_names[i], name)) {
            rule->kind = (enum fault_kind)i;
            rule->has_kind = true;
            return 0;
        }
    }
    struct str nearest = str_nearest(name, kind_names, FAULT_KIND_COUNT);
    return err_set(err, -EINVAL, 0, "fault: no kind is called '%.*s'%s%.*s", STR_ARG(name),
                   nearest.len == 0 ? "" : "; did you mean ", STR_ARG(nearest));
}

static int set_probability(struct rule *rule, struct str value, struct err *err)
{
    char text[32] = "";
    char *end = text;
    if (value.len > 0 && value.len < sizeof(text)) {
        memcpy(text, value.ptr, value.len);
        text[value.len] = '\0';
        rule->probability = strtod(text, &end);
    }
    if (end == text || *end != '\0' || !(rule->probability >= 0 && rule->probability <= 1))
        return err_set(err, -EINVAL, 0, "fault: probability is '%.*s', expected 0 to 1",
                       STR_ARG(value));
    return 0;
}

static int set_text(char *out, size_t room, size_t *len, struct str key, struct str value,
                    struct err *err)
{
    if (value.len > room)
        return err_set(err, -EINVAL, 0, "fault: %.*s is longer than %zu bytes", STR_ARG(key), room);
    if (value.len > 0)
        memcpy(out, value.ptr, value.len);
    *len = value.len;
    return 0;
}

static int set_key(struct rule *rule, struct str key, struct str value, struct err *err)
{
    size_t len = 0;
    int rc;
    if (str_eq(key, STR("kind")))
        return set_kind(rule, value, err);
    if (str_eq(key, STR("status")))
        return set_whole(&rule->status, key, value, STATUS_MIN, STATUS_MAX, err);
    if (str_eq(key, STR("times")))
        return set_whole(&rule->times, key, value, 0, INT64_MAX, err);
    if (str_eq(key, STR("after")))
        return set_whole(&rule->after, key, value, 0, INT64_MAX, err);
    if (str_eq(key, STR("bytes")))
        return set_whole(&rule->bytes, key, value, 0, BYTES_MAX, err);
    if (str_eq(key, STR("read-bytes-per-s")))
        return set_whole(&rule->read_bytes_per_s, key, value, 1, BYTES_MAX, err);
    if (str_eq(key, STR("retry-after")))
        return set_whole(&rule->retry_after_s, key, value, 0, RETRY_AFTER_S_MAX, err);
    if (str_eq(key, STR("probability")))
        return set_probability(rule, value, err);
    if (str_eq(key, STR("latency")))
        return set_latency(rule, value, err);
    if (str_eq(key, STR("apply"))) {
        rule->has_apply = true;
        rule->apply = str_eq(value, STR("true"));
        return rule->apply || str_eq(value, STR("false"))
                   ? 0
                   : err_set(err, -EINVAL, 0, "fault: apply is '%.*s', expected true or false",
                             STR_ARG(value));
    }
    if (str_eq(key, STR("path"))) {
        rc = set_text(rule->path, sizeof(rule->path), &len, key, value, err);
        rule->path_bytes = (uint8_t)len;
        return rc;
    }
    if (str_eq(key, STR("body"))) {
        rc = set_text(rule->body, sizeof(rule->body), &len, key, value, err);
        rule->body_bytes = (uint16_t)len;
        return rc;
    }
    return err_set(err, -EINVAL, 0,
                   "fault: '%.*s' is not one of kind, status, times, after, bytes, retry-after, "
                   "probability, latency, read-bytes-per-s, apply, path, body",
                   STR_ARG(key));
}

static struct rule new_rule(void)
{
    return (struct rule){
        .times = -1, .bytes = -1, .retry_after_s = -1, .probability = 1, .latency_ms = -1};
}

/* What a rule with read-bytes-per-s may say besides. */
static int check_slow_read(const struct rule *rule, struct err *err)
{
    if (rule->kind != FAULT_SLOW_READ)
        return rule->read_bytes_per_s == 0
                   ? 0
                   : err_set(err, -EINVAL, 0,
                             "fault: read-bytes-per-s is a rule of its own, without another kind");
    if (rule->read_bytes_per_s == 0)
        return err_set(err, -EINVAL, 0, "fault: expected a rate, as in read-bytes-per-s=1000");
    if (rule->path_bytes > 0 || rule->probability < 1)
        return err_set(err, -EINVAL, 0,
                       "fault: read-bytes-per-s is for all requests, without path or probability");
    return 0;
}

static int add_rule(struct faults *f, struct rule rule, struct err *err)
{
    if (f->count == FAULT_RULES_MAX)
        return err_set(err, -ENOSPC, 0, "fault: there are %d rules already", FAULT_RULES_MAX);
    if (!rule.has_kind && rule.status > 0)
        rule.kind = FAULT_STATUS;
    else if (!rule.has_kind && rule.latency_ms >= 0)
        rule.kind = FAULT_LATENCY;
    else if (!rule.has_kind && rule.read_bytes_per_s > 0)
        rule.kind = FAULT_SLOW_READ;
    else if (!rule.has_kind)
        return err_set(err, -EINVAL, 0, "fault: expected a kind, as in status=503 or drop");
    if (rule.kind == FAULT_STATUS && rule.status == 0)
        return err_set(err, -EINVAL, 0, "fault: expected a status, as in status=503");
    if (rule.kind == FAULT_LATENCY && rule.latency_ms < 0)
        return err_set(err, -EINVAL, 0, "fault: expected milliseconds, as in latency=200");
    int rc = check_slow_read(&rule, err);
    if (rc != 0)
        return rc;
    if (!rule.has_apply)
        rule.apply = kind_applies[rule.kind];
    f->rules[f->count++] = rule;
    return 0;
}

int faults_add_text(struct faults *f, struct str text, struct err *err)
{
    struct rule rule = new_rule();
    int rc = 0;
    while (rc == 0 && text.len > 0) {
        size_t comma = str_find(text, ',');
        struct str part = str_slice(text, 0, comma);
        text = str_slice(text, comma + 1, text.len);
        size_t equals = str_find(part, '=');
        rc = equals == part.len ? set_kind(&rule, part, err)
                                : set_key(&rule, str_slice(part, 0, equals),
                                          str_slice(part, equals + 1, part.len), err);
    }
    return rc == 0 ? add_rule(f, rule, err) : rc;
}

int faults_add_json(struct faults *f, struct jv json, struct err *err)
{
    struct rule rule = new_rule();
    if (json.type != JV_OBJECT)
        return err_set(err, -EINVAL, 0,
                       "fault: expected an object, as in {\"status\":503,\"times\":3}");
    for (uint32_t i = 0; i < json.len; i++) {
        struct jv value = json.members[i].value;
        char number[512];
        struct buf text;
        buf_init(&text, sizeof(number));
        struct str word = jv_str(value);
        if (value.type == JV_NUMBER || value.type == JV_BOOL) {
            jv_write(&text, value);
            word = buf_str(&text);
        }
        int rc = set_key(&rule, json.members[i].key, word, err);
        buf_fini(&text);
        if (rc != 0)
            return rc;
    }
    return add_rule(f, rule, err);
}

static int64_t draw_latency(struct faults *f, const struct rule *rule)
{
    switch (rule->latency_form) {
    case LATENCY_FIXED:
        return rule->latency_ms;
    case LATENCY_UNIFORM:
        return rule->latency_ms + (int64_t)(random_fraction(f) *
                                            (double)(rule->latency_ms_max - rule->latency_ms + 1));
    case LATENCY_EXPONENTIAL: {
        double ms = -log(1 - random_fraction(f)) * (double)rule->latency_ms;
        return ms > FAULT_DELAY_MS_MAX ? FAULT_DELAY_MS_MAX : (int64_t)ms;
    }
    }
    return 0;
}

static bool fits(struct faults *f, struct rule *rule, struct str path)
{
    if (rule->times == 0 || !str_starts(path, (struct str){rule->path, rule->path_bytes}))
        return false;
    if (rule->after > 0) {
        rule->after--;
        return false;
    }
    if (rule->probability < 1 && random_fraction(f) >= rule->probability)
        return false;
    if (rule->times > 0)
        rule->times--;
    rule->hits++;
    return true;
}

/* These rules leave the answer as it is, and the choice of another fault. */
static bool only_slows(const struct rule *rule)
{
    return rule->kind == FAULT_LATENCY || rule->kind == FAULT_SLOW_READ;
}

struct fault faults_pick(struct faults *f, struct str path)
{
    struct fault fault = {.retry_after_s = -1};
    for (size_t i = 0; i < f->count; i++) {
        struct rule *rule = &f->rules[i];
        if ((fault.active && !only_slows(rule)) || !fits(f, rule, path))
            continue;
        if (rule->latency_ms >= 0)
            fault.delay_ms += draw_latency(f, rule);
        if (only_slows(rule))
            continue;
        fault.active = true;
        fault.kind = rule->kind;
        fault.apply = rule->apply;
        fault.status = rule->status == 0 ? 200 : (unsigned)rule->status;
        fault.bytes = rule->bytes < 0 ? SIZE_MAX : (size_t)rule->bytes;
        fault.retry_after_s = rule->retry_after_s;
        fault.body = (struct str){rule->body, rule->body_bytes};
    }
    return fault;
}

size_t faults_read_rate(const struct faults *f)
{
    for (size_t i = 0; i < f->count; i++) {
        const struct rule *rule = &f->rules[i];
        if (rule->kind == FAULT_SLOW_READ && rule->times != 0 && rule->after == 0)
            return (size_t)rule->read_bytes_per_s;
    }
    return 0;
}

void faults_write(const struct faults *f, struct buf *out)
{
    buf_putc(out, '[');
    for (size_t i = 0; i < f->count; i++) {
        const struct rule *rule = &f->rules[i];
        buf_append(out, i == 0 ? STR("{\"kind\":") : STR(",{\"kind\":"));
        jv_write_string(out, kind_names[rule->kind]);
        if (rule->status > 0)
            buf_printf(out, ",\"status\":%lld", (long long)rule->status);
        if (rule->times >= 0)
            buf_printf(out, ",\"times_left\":%lld", (long long)rule->times);
        if (rule->latency_ms >= 0)
            buf_printf(out, ",\"latency_ms\":%lld", (long long)rule->latency_ms);
        if (rule->read_bytes_per_s > 0)
            buf_printf(out, ",\"read_bytes_per_s\":%lld", (long long)rule->read_bytes_per_s);
        buf_printf(out,
                   ",\"probability\":%g,\"apply\":%s,\"hits\":%llu,\"path\":", rule->probability,
                   rule->apply ? "true" : "false", (unsigned long long)rule->hits);
        jv_write_string(out, (struct str){rule->path, rule->path_bytes});
        buf_putc(out, '}');
    }
    buf_putc(out, ']');
}
