#include "oddities.h"

#include <errno.h>
#include <stdio.h>

#include "action.h"

/* Beside the fields; what Segment's own form writes (docs/spec/segment-actions.md §2). */
static const struct str no_fields[] = {STR_INIT("onMappingSave"), STR_INIT("retlOnMappingSave"),
                                       STR_INIT("dynamicAuthSettings")};

enum { FIELDS_MAX = 64 };

static bool is_no_field(struct str key)
{
    return str_is_one_of(key, no_fields, countof(no_fields)) ||
           str_starts(key, STR("__segment_internal"));
}

/* The names of the fields; how many. */
static size_t field_names(const struct action *action, struct str names[FIELDS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < action->field_count; i++)
        if ((action->absent >> i & 1) == 0)
            names[count++] = action->fields[i].key;
    return count;
}

static void name_field(struct err *oddity, const struct action *action, struct str key,
                       struct str near)
{
    char path[sizeof(oddity->path)];
    snprintf(path, sizeof(path), "/mapping/%.*s", (int)(key.len < 100 ? key.len : 100), key.ptr);
    if (near.len > 0)
        err_set_path(oddity, -EINVAL, path,
                     "'%.*s' is no field of %.*s and changes nothing, did you mean '%.*s'?",
                     (int)(key.len < 60 ? key.len : 60), key.ptr, STR_ARG(action->key),
                     STR_ARG(near));
    else
        err_set_path(oddity, -EINVAL, path, "'%.*s' is no field of %.*s and changes nothing",
                     (int)(key.len < 60 ? key.len : 60), key.ptr, STR_ARG(action->key));
}

/* A mapping that is one directive makes its fields when it runs. */
static bool is_directive(struct jv mapping)
{
    for (uint32_t i = 0; i < mapping.len; i++)
        if (str_starts(mapping.members[i].key, STR("@")))
            return true;
    return false;
}

/* Where a condition has two '=' in a row, outside texts; or its length. */
static size_t find_double_equals(struct str text)
{
    char quote = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (quote != 0 && c == '\\')
            i++;
        else if (quote != 0)
            quote = c == quote ? 0 : quote;
        else if (c == '"' || c == '\'')
            quote = c;
        else if (c == '=' && i + 1 < text.len && text.ptr[i + 1] == '=')
            return i;
    }
    return text.len;
}

void subscription_oddities(enum braze_kind kind, struct jv source,
                           void (*on_oddity)(void *self, const struct err *oddity), void *self)
{
    struct jv mapping = jv_get(source, STR("mapping"));
    struct jv enabled = jv_get(source, STR("enabled"));
    struct str condition = jv_str(jv_get(source, STR("subscribe")));
    const struct action *action =
        action_list_find(action_list(kind), jv_str(jv_get(source, STR("partnerAction"))));
    struct str names[FIELDS_MAX];
    struct err oddity = {0};
    if (action == NULL || (enabled.type != JV_UNDEFINED && !jv_truthy(enabled)))
        return;
    size_t at = find_double_equals(condition);
    if (at < condition.len) {
        err_set_path(&oddity, -EINVAL, "/subscribe",
                     "'==' at byte %zu is accepted, as at Segment, and never true: a condition "
                     "compares with one '='",
                     at);
        on_oddity(self, &oddity);
    }
    size_t count = field_names(action, names);
    for (uint32_t i = 0; mapping.type == JV_OBJECT && !is_directive(mapping) && i < mapping.len;
         i++) {
        struct str key = mapping.members[i].key;
        if (is_no_field(key) || str_is_one_of(key, names, count))
            continue;
        name_field(&oddity, action, key, str_nearest(key, names, count));
        on_oddity(self, &oddity);
    }
}
