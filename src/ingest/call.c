#include "call.h"

#include <stdarg.h>
#include <stdio.h>

#include "clock.h"
#include "timestamp.h"

enum { INHERIT_DEPTH_MAX = 16 }; /* of a context; deeper values are taken whole */

#define SKEW_AHEAD_MAX_US (24 * 3600 * INT64_C(1000000))

static const struct str names[] = {
    [CALL_IDENTIFY] = STR_INIT("identify"), [CALL_TRACK] = STR_INIT("track"),
    [CALL_PAGE] = STR_INIT("page"),         [CALL_SCREEN] = STR_INIT("screen"),
    [CALL_GROUP] = STR_INIT("group"),       [CALL_ALIAS] = STR_INIT("alias"),
};

struct str call_name(enum call_type type)
{
    return type == CALL_NONE ? STR("") : names[type];
}

enum call_type call_from_name(struct str name)
{
    for (size_t i = 0; i < countof(names); i++)
        if (str_eq(name, names[i]) || str_eq(name, str_slice(names[i], 0, 1)))
            return (enum call_type)i;
    return CALL_NONE;
}

enum call_type call_from_type(struct jv type)
{
    struct str name = jv_str(type);
    for (size_t i = 0; i < countof(names); i++)
        if (str_eq(name, names[i]))
            return (enum call_type)i;
    return CALL_NONE;
}

static bool fault_set(struct call_fault *fault, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool fault_set(struct call_fault *fault, const char *code, const char *format, ...)
{
    va_list args;
    fault->code = code;
    va_start(args, format);
    vsnprintf(fault->text, sizeof(fault->text), format, args);
    va_end(args);
    return false;
}

static const char *type_name(struct jv v)
{
    static const char *const type_names[] = {
        [JV_UNDEFINED] = "missing", [JV_NULL] = "null",       [JV_BOOL] = "a boolean",
        [JV_NUMBER] = "a number",   [JV_STRING] = "a string", [JV_ARRAY] = "an array",
        [JV_OBJECT] = "an object",
    };
    return type_names[v.type];
}

/* An id is a string that is not empty; a number will do, and becomes its text. */
static bool is_id(struct jv v)
{
    return v.type == JV_NUMBER || (v.type == JV_STRING && v.len > 0);
}

static bool check_ids(struct jv event, struct call_fault *fault)
{
    struct jv user = jv_get(event, STR("userId"));
    struct jv anonymous = jv_get(event, STR("anonymousId"));
    if (is_id(user) || is_id(anonymous))
        return true;
    struct jv wrong = jv_is_nullish(user) ? anonymous : user;
    if (jv_is_nullish(wrong))
        return fault_set(fault, "no_user_anon_id", "neither userId nor anonymousId is there");
    return fault_set(fault, "id_not_string", "%s is %s, expected a string that is not empty",
                     jv_is_nullish(user) ? "anonymousId" : "userId",
                     wrong.type == JV_STRING ? "empty" : type_name(wrong));
}

struct rule {
    enum call_type type;
    struct str member;
    enum jv_type expected;
    bool is_required; /* else null and absence are fine */
    const char *code;
};

/* clang-format off */
static const struct rule rules[] = {
    {CALL_TRACK,    STR_INIT("event"),      JV_STRING, true,  "event_not_string"},
    {CALL_TRACK,    STR_INIT("properties"), JV_OBJECT, false, "properties_not_object"},
    {CALL_IDENTIFY, STR_INIT("traits"),     JV_OBJECT, false, "traits_not_object"},
    {CALL_PAGE,     STR_INIT("name"),       JV_STRING, false, "name_not_string"},
    {CALL_PAGE,     STR_INIT("category"),   JV_STRING, false, "category_not_string"},
    {CALL_PAGE,     STR_INIT("properties"), JV_OBJECT, false, "properties_not_object"},
    {CALL_SCREEN,   STR_INIT("name"),       JV_STRING, false, "name_not_string"},
    {CALL_SCREEN,   STR_INIT("category"),   JV_STRING, false, "category_not_string"},
    {CALL_SCREEN,   STR_INIT("properties"), JV_OBJECT, false, "properties_not_object"},
    {CALL_GROUP,    STR_INIT("traits"),     JV_OBJECT, false, "traits_not_object"},
};
/* clang-format on */

static bool check_rule(struct jv event, const struct rule *rule, struct call_fault *fault)
{
    struct jv v = jv_get(event, rule->member);
    if (jv_is_nullish(v) && !rule->is_required)
        return true;
    if (rule->type == CALL_TRACK && rule->is_required &&
        (jv_is_nullish(v) || (v.type == JV_STRING && v.len == 0)))
        return fault_set(fault, "event_not_defined", "event is %s, expected the event's name",
                         v.type == JV_STRING ? "empty" : type_name(v));
    if (v.type == rule->expected)
        return true;
    return fault_set(fault, rule->code, "%.*s is %s, expected %s", STR_ARG(rule->member),
                     type_name(v), rule->expected == JV_OBJECT ? "an object" : "a string");
}

static bool check_id(struct jv event, struct str member, struct call_fault *fault)
{
    struct jv v = jv_get(event, member);
    if (is_id(v))
        return true;
    return fault_set(fault, "id_required", "%.*s is %s, expected a string that is not empty",
                     STR_ARG(member), v.type == JV_STRING ? "empty" : type_name(v));
}

bool call_check(struct jv event, enum call_type type, struct call_fault *fault)
{
    if (!check_ids(event, fault))
        return false;
    for (size_t i = 0; i < countof(rules); i++)
        if (rules[i].type == type && !check_rule(event, &rules[i], fault))
            return false;
    if (type == CALL_GROUP)
        return check_id(event, STR("groupId"), fault);
    if (type == CALL_ALIAS)
        return check_id(event, STR("previousId"), fault) && check_id(event, STR("userId"), fault);
    return true;
}

static struct jv iso_text(int64_t us, struct arena *a)
{
    char *text = arena_alloc(a, ISO_TIME_BYTES);
    if (text == NULL)
        return jv_undefined();
    int64_t ms = us / 1000 - (us % 1000 < 0);
    iso_time(text, ms);
    return jv_string((struct str){text, ISO_TIME_BYTES});
}

/* The client's instant with its clock's error taken out: received - (sent - original).
 * An instant that does not parse becomes the time of arrival; a clock that says "sent"
 * a day before "happened" says nothing (§1.9). */
static struct jv corrected_time(struct jv original, struct jv sent_at,
                                const struct call_stamp *stamp, struct arena *a)
{
    int64_t original_us;
    int64_t sent_us;
    if (!timestamp_parse(original, &original_us))
        return jv_string(stamp->received_text);
    if (!timestamp_parse(sent_at, &sent_us) || original_us - sent_us > SKEW_AHEAD_MAX_US)
        return iso_text(original_us, a);
    int64_t us = stamp->received_us - (sent_us - original_us);
    return iso_text(timestamp_is_printable(us) ? us : original_us, a);
}

/* An id as text: numbers become their decimal form, whatever is no id becomes null. */
static struct jv id_text(struct jv v, struct arena *a)
{
    if (v.type == JV_STRING)
        return v;
    if (v.type != JV_NUMBER)
        return jv_null();
    if (v.exact)
        return jv_string(jv_str(v));
    struct buf text;
    buf_init(&text, 64);
    jv_write_number(&text, v.number);
    struct str copy = arena_copy(a, buf_str(&text));
    buf_fini(&text);
    return copy.ptr == NULL ? jv_undefined() : jv_string(copy);
}

/* Deep: the item's values win, objects on both sides are merged. */
static struct jv merge(struct jv base, struct jv over, unsigned depth, struct arena *a)
{
    if (base.type != JV_OBJECT || jv_is_nullish(over))
        return jv_is_nullish(over) ? base : over;
    if (over.type != JV_OBJECT || depth >= INHERIT_DEPTH_MAX)
        return over;
    struct jv_builder b;
    jv_object_begin(&b, a, base.len + over.len);
    jv_object_put_all(&b, base);
    for (uint32_t i = 0; i < over.len; i++)
        jv_object_put(
            &b, over.members[i].key,
            merge(jv_get(base, over.members[i].key), over.members[i].value, depth + 1, a));
    return jv_object_end(&b);
}

static struct jv spread(struct jv base, struct jv over, struct arena *a)
{
    if (base.type != JV_OBJECT || over.type != JV_OBJECT)
        return over.type == JV_OBJECT ? over : base;
    struct jv_builder b;
    jv_object_begin(&b, a, base.len + over.len);
    jv_object_put_all(&b, base);
    jv_object_put_all(&b, over);
    return jv_object_end(&b);
}

struct library {
    struct str prefix; /* of context.library.name */
    struct str channel;
};

/* clang-format off */
static const struct library libraries[] = {
    {STR_INIT("analytics.js"),            STR_INIT("browser")},
    {STR_INIT("analytics-kotlin"),        STR_INIT("mobile")},
    {STR_INIT("analytics-swift"),         STR_INIT("mobile")},
    {STR_INIT("analytics-react-native"),  STR_INIT("mobile")},
    {STR_INIT("@segment/analytics-react-native"), STR_INIT("mobile")},
    {STR_INIT("analytics-android"),       STR_INIT("mobile")},
    {STR_INIT("analytics-ios"),           STR_INIT("mobile")},
    {STR_INIT("analytics_flutter"),       STR_INIT("mobile")},
    {STR_INIT("analytics-"),              STR_INIT("server")},
    {STR_INIT("@segment/analytics-node"), STR_INIT("server")},
};
/* clang-format on */

static struct str channel_of(struct jv context)
{
    struct str name = jv_str(jv_get(jv_get(context, STR("library")), STR("name")));
    for (size_t i = 0; i < countof(libraries); i++)
        if (str_starts(name, libraries[i].prefix))
            return libraries[i].channel;
    return STR("");
}

/* A person's own device shows its address; a server's address
 * says nothing about the user (§1.9). */
static struct jv with_ip(struct jv context, struct str channel, struct str client_ip,
                         struct arena *a)
{
    struct jv direct = jv_get(context, STR("direct"));
    bool is_client = str_eq(channel, STR("browser")) || str_eq(channel, STR("mobile")) ||
                     (direct.type == JV_BOOL && direct.boolean);
    bool is_ipv6 = str_find(client_ip, ':') < client_ip.len;
    if (!is_client || is_ipv6 || client_ip.len == 0 || context.type != JV_OBJECT ||
        jv_get(context, STR("ip")).type != JV_UNDEFINED)
        return context;
    struct jv_builder b;
    jv_object_begin(&b, a, context.len + 1);
    jv_object_put_all(&b, context);
    jv_object_put(&b, STR("ip"), jv_string(client_ip));
    return jv_object_end(&b);
}

static void put_id(struct jv_builder *b, struct jv event, struct str member, struct arena *a)
{
    struct jv id = jv_get(event, member);
    if (id.type != JV_UNDEFINED && id.type != JV_STRING)
        jv_object_put(b, member, id_text(id, a));
}

struct jv call_stamp(struct jv event, enum call_type type, const struct call_stamp *stamp,
                     struct arena *a, struct str *message_id)
{
    struct jv sent_at = jv_get(event, STR("sentAt"));
    struct jv original = jv_get(event, STR("timestamp"));
    if (jv_is_nullish(sent_at))
        sent_at = stamp->sent_at;
    if (jv_is_nullish(original))
        original = jv_get(event, STR("originalTimestamp"));
    struct jv context = merge(stamp->context, jv_get(event, STR("context")), 0, a);
    struct jv integrations = spread(stamp->integrations, jv_get(event, STR("integrations")), a);
    struct str channel = channel_of(context);
    *message_id = jv_str(jv_get(event, STR("messageId")));
    if (message_id->len == 0)
        *message_id = stamp->message_id;

    struct jv_builder b;
    jv_object_begin(&b, a, event.len + 10);
    jv_object_put_all(&b, event);
    jv_object_remove(&b, STR("writeKey"));
    jv_object_put(&b, STR("type"), jv_string(call_name(type)));
    put_id(&b, event, STR("userId"), a);
    put_id(&b, event, STR("anonymousId"), a);
    put_id(&b, event, STR("groupId"), a);
    put_id(&b, event, STR("previousId"), a);
    if (context.type != JV_UNDEFINED)
        jv_object_put(&b, STR("context"), with_ip(context, channel, stamp->client_ip, a));
    if (integrations.type != JV_UNDEFINED)
        jv_object_put(&b, STR("integrations"), integrations);
    jv_object_put(&b, STR("messageId"), jv_string(*message_id));
    jv_object_put(&b, STR("timestamp"), corrected_time(original, sent_at, stamp, a));
    jv_object_put(&b, STR("originalTimestamp"),
                  jv_is_nullish(original) ? jv_string(stamp->received_text) : original);
    if (!jv_is_nullish(sent_at))
        jv_object_put(&b, STR("sentAt"), sent_at);
    jv_object_put(&b, STR("receivedAt"), jv_string(stamp->received_text));
    if (channel.len > 0)
        jv_object_put(&b, STR("channel"), jv_string(channel));
    jv_object_put(&b, STR("version"), jv_number(2));
    return jv_object_end(&b);
}
