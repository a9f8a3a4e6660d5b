#include "integrations.h"

const struct str integrations_braze_names[] = {
    STR_INIT("Braze Cloud Mode (Actions)"),
    STR_INIT("Braze"),
    STR_INIT("Appboy"),
};
const size_t integrations_braze_name_count = countof(integrations_braze_names);
const struct str integrations_cohorts_name = STR_INIT("Braze Cohorts");

static bool names_one_of(struct jv list, const struct str *names, size_t name_count)
{
    if (list.type != JV_ARRAY)
        return false;
    for (uint32_t i = 0; i < list.len; i++)
        for (size_t n = 0; n < name_count; n++)
            if (list.items[i].type == JV_STRING && str_eq(jv_str(list.items[i]), names[n]))
                return true;
    return false;
}

static bool is_wanted(struct jv integrations, const struct str *names, size_t name_count)
{
    bool is_named = false;
    bool is_accepted = false;
    for (size_t n = 0; n < name_count; n++) {
        struct jv value = jv_get(integrations, names[n]);
        if (value.type == JV_UNDEFINED)
            continue;
        if (!jv_truthy(value) && n < INTEGRATIONS_EXACT_NAMES)
            return false;
        is_named = true;
        is_accepted = is_accepted || jv_truthy(value);
    }
    if (is_named)
        return is_accepted;
    struct jv all = jv_get(integrations, STR("All"));
    return all.type != JV_BOOL || all.boolean;
}

enum integrations_answer integrations_ask(struct jv event, const struct str *names,
                                          size_t name_count)
{
    struct jv integrations = jv_get(event, STR("integrations"));
    struct jv metadata = jv_get(event, STR("_metadata"));
    if (!is_wanted(integrations, names, name_count))
        return INTEGRATIONS_NO;
    if (names_one_of(jv_get(metadata, STR("bundled")), names, name_count) ||
        names_one_of(jv_get(metadata, STR("bundledIds")), names, name_count))
        return INTEGRATIONS_SENT_ALREADY;
    return INTEGRATIONS_YES;
}

const char *integrations_code(enum integrations_answer answer)
{
    switch (answer) {
    case INTEGRATIONS_YES:
        return "";
    case INTEGRATIONS_NO:
        return "FILTERED_BY_INTEGRATIONS_OBJECT";
    case INTEGRATIONS_SENT_ALREADY:
        return "MESSAGE_SENT_CLIENT_SIDE";
    }
    return "";
}
