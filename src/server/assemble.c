#include "assemble.h"

#include <errno.h>

enum { SETTINGS_BYTES_MAX = 64 * 1024 };

static_assert((int)PARITY_SAFE == 0 && (int)PARITY_STRICT == 1,
              "the config's choices are in this order");

static struct jv settings_object(const struct destination_section *section, struct arena *a)
{
    const struct braze_settings *settings = &section->settings;
    struct jv_builder b;
    jv_object_begin(&b, a, 3);
    jv_object_put(&b, STR("api_key"), jv_string(settings->api_key));
    if (settings->app_id.len > 0)
        jv_object_put(&b, STR("app_id"), jv_string(settings->app_id));
    jv_object_put(&b, STR("endpoint"), jv_string(settings->endpoint));
    return jv_object_end(&b);
}

int assemble_destination(struct destination **out, const struct config *config,
                         const struct destination_section *section, struct err *err)
{
    struct arena arena;
    struct err why = {0};
    *out = NULL;
    arena_init(&arena, SETTINGS_BYTES_MAX);
    struct destination_config parts = {
        .settings = settings_object(section, &arena),
        .subscriptions = section->subscriptions,
        .parity = (enum parity)section->parity,
    };
    int rc = parts.settings.type != JV_OBJECT ? err_set(&why, -ENOMEM, 0, "out of memory")
                                              : destination_compile(out, &parts, &why);
    if (rc != 0)
        config_locate(config, section->path, &why, err);
    arena_fini(&arena);
    return rc;
}
