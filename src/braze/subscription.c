#include "subscription.h"

#include <errno.h>
#include <stdio.h>

struct call subscription_call(const struct action *action, struct jv mapping, struct jv settings,
                              enum parity parity, enum form form)
{
    struct jv hook = jv_get(mapping, STR("onMappingSave"));
    struct call call = {
        .action = action,
        .app_id = jv_get(settings, STR("app_id")),
        .catalog_name = jv_get(jv_get(hook, STR("outputs")), STR("catalog_name")),
        .parity = parity,
        .form = form,
    };
    if (action->sync == NULL)
        return call;
    call.sync_mode = sync_mode_of(jv_get(mapping, STR("__segment_internal_sync_mode")));
    if (call.sync_mode == SYNC_NONE && parity == PARITY_SAFE)
        call.sync_mode = action->sync->preset;
    return call;
}

static int refuse_action(struct err *err, struct action_list list, struct jv partner)
{
    struct str keys[32];
    assert(list.count <= countof(keys));
    for (size_t i = 0; i < list.count; i++)
        keys[i] = list.rows[i].key;
    struct str near = str_nearest(jv_str(partner), keys, list.count);
    if (near.len > 0)
        return err_set_path(err, -EINVAL, "/partnerAction",
                            "'%.*s' is no action, did you mean '%.*s'?", STR_ARG(jv_str(partner)),
                            STR_ARG(near));
    return err_set_path(err, -EINVAL, "/partnerAction",
                        "expected the key of an action, such as '%.*s'", STR_ARG(keys[0]));
}

static int compile_fql(struct subscription *s, struct jv source, struct err *err)
{
    struct jv text = jv_get(source, STR("subscribe"));
    struct err why = {0};
    if (text.type != JV_STRING || text.len == 0)
        return err_set_path(err, -EINVAL, "/subscribe",
                            "expected a subscription, such as type = \"track\"");
    int rc = fql_compile(&s->fql, jv_str(text), &why);
    if (rc != 0) {
        err_set_path(err, rc, "/subscribe",
                     "no condition can be read at byte %zu of '%.*s', expected something like type "
                     "= \"track\" and "
                     "properties.plan != null (Segment says: %s)",
                     why.at, (int)(text.len < 100 ? text.len : 100), text.ptr, why.msg);
        if (err != NULL)
            err->at = why.at;
    }
    return rc;
}

static int compile_mapping(struct subscription *s, struct jv mapping, struct err *err)
{
    struct err why = {0};
    if (mapping.type != JV_OBJECT)
        return err_set_path(err, -EINVAL, "/mapping", "expected an object");
    int rc = mapping_compile(&s->mapping, mapping, &why);
    if (rc == 0)
        return 0;
    char path[sizeof(why.path)];
    int bytes = snprintf(path, sizeof(path), "/mapping%.140s", why.path);
    assert(bytes > 0);
    return err_set_path(err, rc, path, "%s", why.msg);
}

int subscription_open(struct subscription *s, enum braze_kind kind, struct jv source,
                      struct jv settings, enum parity parity, enum form form, struct err *err)
{
    *s = (struct subscription){0};
    if (source.type != JV_OBJECT)
        return err_set_path(err, -EINVAL, "", "expected a subscription, an object");
    struct jv enabled = jv_get(source, STR("enabled"));
    struct jv partner = jv_get(source, STR("partnerAction"));
    struct jv mapping = jv_get(source, STR("mapping"));
    s->name = jv_str(jv_get(source, STR("name")));
    s->enabled = enabled.type == JV_UNDEFINED || jv_truthy(enabled);
    const struct action_list list = action_list(kind);
    const struct action *action = action_list_find(list, jv_str(partner));
    if (action == NULL)
        return refuse_action(err, list, partner);
    s->call = subscription_call(action, mapping, settings, parity, form);
    if (!s->enabled)
        return 0;

    int rc = compile_fql(s, source, err);
    if (rc == 0)
        rc = compile_mapping(s, mapping, err);
    if (rc != 0)
        return rc;
    s->schema = schema_new(action->fields, action->field_count, action->absent);
    s->call.schema = s->schema;
    return s->schema == NULL ? err_set(err, -ENOMEM, 0, "no memory for a subscription") : 0;
}

void subscription_close(struct subscription *s)
{
    fql_free(s->fql);
    mapping_free(s->mapping);
    schema_free(s->schema);
    *s = (struct subscription){0};
}
