#include "audience.h"

#include "times.h"

enum { AUDIENCE_DEPTH_MAX = 16 };

static const struct str attribute_comparisons[] = {STR_INIT("equals"),
                                                   STR_INIT("not_equal"),
                                                   STR_INIT("does_not_equal"),
                                                   STR_INIT("matches_regex"),
                                                   STR_INIT("does_not_match_regex"),
                                                   STR_INIT("exists"),
                                                   STR_INIT("does_not_exist"),
                                                   STR_INIT("includes_value"),
                                                   STR_INIT("does_not_include_value"),
                                                   STR_INIT("greater_than"),
                                                   STR_INIT("greater_than_or_equal_to"),
                                                   STR_INIT("less_than"),
                                                   STR_INIT("less_than_or_equal_to"),
                                                   STR_INIT("less_than_x_days_ago"),
                                                   STR_INIT("greater_than_x_days_ago"),
                                                   STR_INIT("less_than_x_days_in_the_future"),
                                                   STR_INIT("greater_than_x_days_in_the_future"),
                                                   STR_INIT("after"),
                                                   STR_INIT("before")};
static const struct str status_comparisons[] = {STR_INIT("is"), STR_INIT("is_not")};
static const struct str time_comparisons[] = {STR_INIT("after"), STR_INIT("before")};
static const struct str states[] = {STR_INIT("opted_in"), STR_INIT("subscribed"),
                                    STR_INIT("unsubscribed")};

static bool is_one_of(struct jv value, const struct str *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (value.type == JV_STRING && str_eq(jv_str(value), words[i]))
            return true;
    return false;
}

static const char *check_attribute(struct jv filter)
{
    struct jv comparison = jv_get(filter, STR("comparison"));
    struct jv value = jv_get(filter, STR("value"));
    int64_t ms;
    if (jv_str(jv_get(filter, STR("custom_attribute_name"))).len == 0)
        return "custom_attribute_name is required";
    if (!is_one_of(comparison, attribute_comparisons, countof(attribute_comparisons)))
        return "comparison is not valid";
    bool exists = is_one_of(comparison, attribute_comparisons + 5, 2);
    if (!exists && jv_is_nullish(value))
        return "value is required";
    if (is_one_of(comparison, time_comparisons, countof(time_comparisons)) &&
        !time_is(jv_str(value), &ms))
        return "value must be an ISO 8601 time";
    return NULL;
}

static const char *check_state(struct jv filter)
{
    if (!is_one_of(jv_get(filter, STR("comparison")), status_comparisons,
                   countof(status_comparisons)))
        return "comparison is not valid";
    return is_one_of(jv_get(filter, STR("value")), states, countof(states)) ? NULL
                                                                            : "value is not valid";
}

static const char *check_last_used(struct jv filter)
{
    int64_t ms;
    if (!is_one_of(jv_get(filter, STR("comparison")), time_comparisons, countof(time_comparisons)))
        return "comparison is not valid";
    return time_is(jv_str(jv_get(filter, STR("value"))), &ms) ? NULL
                                                              : "value must be an ISO 8601 time";
}

static const struct {
    struct str name;
    const char *(*check)(struct jv filter);
} filters[] = {
    {STR_INIT("custom_attribute"), check_attribute},
    {STR_INIT("push_subscription_status"), check_state},
    {STR_INIT("email_subscription_status"), check_state},
    {STR_INIT("last_used_app"), check_last_used},
};

static const char *check(struct jv node, unsigned depth)
{
    if (node.type != JV_OBJECT || node.len != 1 || depth > AUDIENCE_DEPTH_MAX)
        return "an audience is one of AND, OR and a filter";
    struct str name = node.members[0].key;
    struct jv value = node.members[0].value;
    if (str_eq(name, STR("AND")) || str_eq(name, STR("OR"))) {
        const char *why = value.type == JV_ARRAY && value.len > 0 ? NULL : "AND and OR hold arrays";
        for (uint32_t i = 0; why == NULL && i < value.len; i++)
            why = check(value.items[i], depth + 1);
        return why;
    }
    for (size_t i = 0; i < countof(filters); i++)
        if (str_eq(filters[i].name, name))
            return filters[i].check(value);
    return "the audience has an unknown filter";
}

const char *audience_check(struct jv audience)
{
    return check(audience, 0);
}
