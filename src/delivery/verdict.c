#include "verdict.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "jv.h"

enum { REASON_BYTES_MAX = 600, MESSAGE_BYTES_MAX = 400 };

enum meaning {
    MEANS_ACCEPTED,
    MEANS_REFUSED,
    MEANS_TOO_LARGE,
    MEANS_NO_ACCESS,
    MEANS_WRONG_ENDPOINT,
    MEANS_RATE_LIMITED,
    MEANS_UNTRUSTED,
    MEANS_TROUBLE,
};

/* The first row that holds the status counts. */
/* clang-format off */
static const struct {
    int from, to;
    enum meaning meaning;
} meanings[] = {
    {200, 299, MEANS_ACCEPTED},
    {300, 399, MEANS_WRONG_ENDPOINT}, /* redirects are not followed: a key must not travel to another host */
    {401, 401, MEANS_NO_ACCESS},
    {403, 403, MEANS_NO_ACCESS},
    {404, 405, MEANS_WRONG_ENDPOINT},
    {407, 407, MEANS_NO_ACCESS},
    {408, 408, MEANS_TROUBLE},
    {413, 413, MEANS_TOO_LARGE},
    {415, 415, MEANS_WRONG_ENDPOINT},
    {421, 421, MEANS_TROUBLE},
    {423, 423, MEANS_TROUBLE}, /* a cohort is locked for a while */
    {425, 425, MEANS_TROUBLE},
    {429, 429, MEANS_RATE_LIMITED},
    {400, 499, MEANS_REFUSED},
};
/* clang-format on */

static enum meaning meaning_of(const struct reply *reply)
{
    int status = reply->status;
    if (status == 0 && reply->distrust != NULL)
        return MEANS_UNTRUSTED;
    for (size_t i = 0; i < countof(meanings); i++)
        if (status >= meanings[i].from && status <= meanings[i].to)
            return meanings[i].meaning;
    return MEANS_TROUBLE;
}

/* An answer with its body parsed, as far as it can be. */
struct answer {
    const struct reply *reply;
    const struct manifest *manifest;
    struct arena *arena;
    struct jv body; /* undefined when it is no JSON */
    struct str message;
};

static __attribute__((format(printf, 2, 3))) struct str sentence(struct arena *a,
                                                                 const char *format, ...)
{
    char text[REASON_BYTES_MAX];
    va_list args;
    va_start(args, format);
    int bytes = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    size_t len = bytes < 0 ? 0 : (size_t)bytes;
    if (len >= sizeof(text))
        len = sizeof(text) - 1;
    while (len > 0 && len == sizeof(text) - 1 && ((unsigned char)text[len] & 0xC0) == 0x80)
        len--;
    return arena_copy(a, (struct str){text, len});
}

/* Text for a sentence: cut at a character's border when it is too long. */
static struct str shortened(struct str text)
{
    if (text.len <= MESSAGE_BYTES_MAX)
        return text;
    size_t len = MESSAGE_BYTES_MAX;
    while (len > 0 && ((unsigned char)text.ptr[len] & 0xC0) == 0x80)
        len--;
    return str_slice(text, 0, len);
}

static struct answer read_answer(const struct reply *reply, const struct manifest *manifest,
                                 struct arena *a)
{
    struct answer answer = {.reply = reply, .manifest = manifest, .arena = a};
    struct err err;
    if (reply->body.len == 0 || jv_parse(&answer.body, a, reply->body, JV_JAVASCRIPT, &err) != 0)
        answer.body = jv_undefined();
    answer.message = shortened(jv_str(jv_get(answer.body, STR("message"))));
    return answer;
}

/* Which object `input_array` and `index` name; object_count when none. */
static unsigned named_object(const struct manifest *m, struct jv error)
{
    struct jv index = jv_get(error, STR("index"));
    double number = index.type == JV_NUMBER ? jv_as_double(index) : -1;
    if (!(number >= 0 && number < m->object_count) || number != (double)(unsigned)number)
        return m->object_count;
    unsigned at = (unsigned)number;
    struct str key = jv_str(jv_get(error, STR("input_array")));
    unsigned first = 0;
    for (unsigned i = 0; i < m->array_count; i++) {
        bool is_meant = str_eq(key, m->arrays[i].key) ||
                        (m->array_count == 1 && (key.len == 0 || m->arrays[i].key.len == 0));
        if (is_meant)
            return at < m->arrays[i].count ? first + at : m->object_count;
        first += m->arrays[i].count;
    }
    return m->object_count;
}

/* What is wrong with one object, in Braze's words. */
static struct str error_text(const struct answer *answer, struct jv error)
{
    struct str type = jv_str(jv_get(error, STR("type")));
    if (type.len == 0)
        type = answer->message.len > 0 ? answer->message : STR("no reason given");
    type = shortened(type);
    return sentence(answer->arena, "Braze refused this object: %.*s", STR_ARG(type));
}

/* errors[] that name an object become refusals. */
static int read_refusals(const struct answer *answer, struct verdict *out)
{
    struct jv errors = jv_get(answer->body, STR("errors"));
    if (errors.type != JV_ARRAY || errors.len == 0)
        return 0;
    unsigned objects = answer->manifest->object_count;
    bool seen[MANIFEST_OBJECTS_MAX] = {false};
    out->refusals = arena_array(answer->arena, objects, sizeof(*out->refusals));
    if (out->refusals == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < errors.len; i++) {
        unsigned object = named_object(answer->manifest, errors.items[i]);
        if (object == objects) {
            out->oddity = "errors[] names an object that was not sent";
            continue;
        }
        if (seen[object])
            continue;
        seen[object] = true;
        struct str reason = error_text(answer, errors.items[i]);
        if (reason.ptr == NULL)
            return -ENOMEM;
        out->refusals[out->refusal_count++] = (struct refusal){object, reason};
    }
    return 0;
}

/* "Braze answered 400: Bad Request", or what broke on the way. */
static struct str outcome_text(const struct answer *answer, const char *advice)
{
    const struct reply *reply = answer->reply;
    if (reply->status == 0)
        return sentence(answer->arena, "no answer from Braze: %s%s",
                        reply->trouble == NULL ? "unknown" : reply->trouble, advice);
    if (answer->message.len == 0)
        return sentence(answer->arena, "Braze answered %d%s", reply->status, advice);
    return sentence(answer->arena, "Braze answered %d: %.*s%s", reply->status,
                    STR_ARG(answer->message), advice);
}

/* Exponential, with jitter over the whole span above the minimum, so that what
 * failed together does not come back together. */
static int64_t backoff_ms(unsigned min_ms, unsigned max_ms, const struct attempts *attempts)
{
    unsigned doublings = attempts->failures < 20 ? attempts->failures + 1 : 20;
    uint64_t ceiling = (uint64_t)min_ms << doublings;
    if (ceiling > max_ms)
        ceiling = max_ms;
    if (ceiling <= min_ms)
        return min_ms;
    return (int64_t)(min_ms + attempts->random % (ceiling - min_ms + 1));
}

static int64_t retry_ms(const struct retry_policy *policy, const struct attempts *attempts)
{
    return backoff_ms(policy->wait_min_ms, policy->wait_max_ms, attempts);
}

static int64_t limited_wait_ms(int64_t wait_ms)
{
    return wait_ms < RATE_LIMIT_WAIT_MS_MAX ? wait_ms : RATE_LIMIT_WAIT_MS_MAX;
}

/* A 429 is no failure of this request and does not bring it nearer to giving up. */
static void on_rate_limit(struct verdict *out, const struct reply *reply,
                          const struct attempts *attempts, const struct retry_policy *policy)
{
    int64_t wait_ms = -1;
    if (reply->ratelimit_retry_after_s >= 0)
        wait_ms = reply->ratelimit_retry_after_s * 1000;
    else if (reply->retry_after_s >= 0)
        wait_ms = reply->retry_after_s * 1000;
    else
        wait_ms = reply_reset_ms(reply, attempts->now_ms);
    if (wait_ms <= 0)
        wait_ms = retry_ms(policy, attempts);
    out->kind = VERDICT_RETRY;
    out->is_rate_limit = true;
    out->wait_ms = limited_wait_ms(wait_ms);
}

static void on_trouble(struct verdict *out, const struct reply *reply,
                       const struct manifest *manifest, const struct attempts *attempts,
                       const struct retry_policy *policy)
{
    bool is_server_error = reply->status >= 500 && manifest->object_count > 1;
    if (is_server_error && attempts->is_alone && attempts->failures >= ALONE_FAILURES_MAX) {
        out->kind = VERDICT_SPLIT; /* so that one bad object does not hold up the others */
        return;
    }
    int64_t tried_ms = attempts->tried_ms + reply->latency_us / 1000;
    out->code = CODE_GAVE_UP;
    if (policy->give_up_after_ms > 0 && tried_ms >= policy->give_up_after_ms) {
        out->kind = VERDICT_DEAD;
        return;
    }
    out->kind = VERDICT_RETRY;
    out->wait_ms = retry_ms(policy, attempts);
    int64_t asked_ms = limited_wait_ms(reply->retry_after_s * 1000);
    if (out->wait_ms < asked_ms)
        out->wait_ms = asked_ms;
}

static void on_refused(struct verdict *out, const struct manifest *manifest, const char *code)
{
    out->code = code;
    if (out->refusal_count > 0)
        out->kind = VERDICT_RESEND;
    else
        out->kind = manifest->object_count > 1 ? VERDICT_SPLIT : VERDICT_DEAD;
}

static void on_pause(struct verdict *out, const struct attempts *attempts,
                     const struct retry_policy *policy)
{
    out->kind = VERDICT_PAUSE;
    out->wait_ms = backoff_ms(policy->probe_min_ms, policy->probe_max_ms, attempts);
}

static int on_accepted(struct verdict *out, const struct answer *answer)
{
    out->kind = VERDICT_DONE;
    if (answer->manifest->array_count == 0)
        return 0; /* nor is it known what a success says */
    /* The status line says that Braze took the objects; sending them again would double
     * them, since Braze never removes duplicates. */
    if (answer->reply->trouble != NULL || answer->body.type != JV_OBJECT) {
        out->oddity = "accepted, but the answer's body is not readable";
        return 0;
    }
    if (!str_eq(answer->message, STR("success")) && !str_eq(answer->message, STR("queued")))
        out->oddity = "accepted, but the message is not \"success\"";
    return read_refusals(answer, out);
}

int verdict_reach(struct verdict *out, const struct reply *reply, const struct manifest *manifest,
                  const struct attempts *attempts, const struct retry_policy *policy,
                  struct arena *a)
{
    assert(manifest->object_count > 0);
    *out = (struct verdict){.code = ""};
    struct answer answer = read_answer(reply, manifest, a);
    enum meaning meaning = meaning_of(reply);
    if (meaning == MEANS_WRONG_ENDPOINT && manifest->has_own_path)
        meaning = MEANS_REFUSED; /* the object's path is wrong, not the endpoint */
    if (meaning == MEANS_REFUSED && reply->trouble != NULL)
        meaning = MEANS_TROUBLE; /* the part that is missing may name the bad object */

    const char *advice = "";
    int rc = 0;
    switch (meaning) {
    case MEANS_ACCEPTED:
        rc = on_accepted(out, &answer);
        break;
    case MEANS_REFUSED:
        rc = read_refusals(&answer, out);
        on_refused(out, manifest, CODE_REQUEST_REFUSED);
        break;
    case MEANS_TOO_LARGE:
        on_refused(out, manifest, CODE_TOO_LARGE);
        break;
    case MEANS_NO_ACCESS:
        advice = manifest->has_keys
                     ? " (check client_secret, partner_api_key, partner and the endpoint)"
                     : " (check api_key, its permissions and the endpoint)";
        on_pause(out, attempts, policy);
        break;
    case MEANS_WRONG_ENDPOINT:
        advice = manifest->has_keys ? " (check partner and the endpoint)" : " (check the endpoint)";
        on_pause(out, attempts, policy);
        break;
    case MEANS_UNTRUSTED:
        advice = reply->distrust;
        on_pause(out, attempts, policy);
        break;
    case MEANS_RATE_LIMITED:
        on_rate_limit(out, reply, attempts, policy);
        break;
    case MEANS_TROUBLE:
        on_trouble(out, reply, manifest, attempts, policy);
        break;
    }
    if (rc != 0 || out->kind == VERDICT_DONE)
        return rc;
    out->reason = outcome_text(&answer, advice);
    return out->reason.ptr == NULL ? -ENOMEM : 0;
}
