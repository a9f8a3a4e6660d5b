#include "subscriptions.h"

#include <errno.h>
#include <stdio.h>

#include "str.h"

enum { PLACE_BYTES = 120 };

static const struct str members[] = {
    STR_INIT("name"),          STR_INIT("enabled"), STR_INIT("subscribe"),
    STR_INIT("partnerAction"), STR_INIT("mapping"),
};

/* Segment writes these beside them, in the settings of a page and in presets; they change nothing.
 */
static const struct str ignored[] = {STR_INIT("id"), STR_INIT("type"), STR_INIT("eventSlug")};

static const struct {
    struct str theirs;
    struct str ours;
} public_api_names[] = {
    {STR_INIT("trigger"), STR_INIT("subscribe")},
    {STR_INIT("actionSlug"), STR_INIT("partnerAction")},
    {STR_INIT("settings"), STR_INIT("mapping")},
};

static int unknown_member(struct str name, const char *place, struct err *err)
{
    for (size_t i = 0; i < countof(public_api_names); i++)
        if (str_eq(name, public_api_names[i].theirs))
            return err_set_path(err, -EINVAL, place,
                                "'%.*s' is called '%.*s' here ('spelter import segment' takes over "
                                "what Segment's Public API says)",
                                STR_ARG(name), STR_ARG(public_api_names[i].ours));
    struct str near = str_nearest(name, members, countof(members));
    name.len = name.len < 60 ? name.len : 60;
    if (near.len > 0)
        return err_set_path(err, -EINVAL, place, "unknown key '%.*s', did you mean '%.*s'?",
                            STR_ARG(name), STR_ARG(near));
    return err_set_path(err, -EINVAL, place,
                        "unknown key '%.*s', expected one of: name, enabled, subscribe, "
                        "partnerAction, mapping",
                        STR_ARG(name));
}

static int check_one(struct jv item, const char *place, struct err *err)
{
    if (item.type != JV_OBJECT)
        return err_set_path(err, -EINVAL, place,
                            "expected a subscription with subscribe, partnerAction and mapping");
    for (uint32_t i = 0; i < item.len; i++) {
        struct str name = item.members[i].key;
        char inner[PLACE_BYTES];
        snprintf(inner, sizeof(inner), "%s/%.*s", place, STR_ARG(name));
        if (!str_is_one_of(name, members, countof(members)) &&
            !str_is_one_of(name, ignored, countof(ignored)))
            return unknown_member(name, inner, err);
    }
    struct jv enabled = jv_get(item, STR("enabled"));
    if (enabled.type != JV_UNDEFINED && enabled.type != JV_BOOL) {
        char inner[PLACE_BYTES];
        snprintf(inner, sizeof(inner), "%s/enabled", place);
        return err_set_path(err, -EINVAL, inner, "'enabled' of a subscription is true or false");
    }
    const bool is_on = enabled.type == JV_UNDEFINED || enabled.boolean;
    if (jv_get(item, STR("partnerAction")).type == JV_UNDEFINED)
        return err_set_path(err, -EINVAL, place,
                            "'partnerAction' is missing (the action, such as trackEvent)");
    if (is_on && jv_get(item, STR("subscribe")).type == JV_UNDEFINED)
        return err_set_path(err, -EINVAL, place,
                            "'subscribe' is missing (the condition, such as type = \"track\")");
    if (is_on && jv_get(item, STR("mapping")).type == JV_UNDEFINED)
        return err_set_path(err, -EINVAL, place,
                            "'mapping' is missing (the fields of the action and where they come "
                            "from)");
    return 0;
}

int subscriptions_check(struct jv list, struct err *err)
{
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < list.len; i++) {
        char place[24];
        snprintf(place, sizeof(place), "/%u", i);
        rc = check_one(list.items[i], place, err);
    }
    return rc;
}
