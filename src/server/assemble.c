#include "assemble.h"

#include <errno.h>

#include "integrations.h"

enum { SETTINGS_BYTES_MAX = 64 * 1024 };

static_assert((int)PARITY_SAFE == 0 && (int)PARITY_STRICT == 1,
              "the config's choices are in this order");
static_assert((int)BRAZE_CLOUD == (int)DESTINATION_BRAZE_CLOUD &&
                  (int)BRAZE_COHORTS == (int)DESTINATION_BRAZE_COHORTS,
              "the config's kinds are those of the braze room");

static struct jv settings_object(const struct destination_section *section, struct arena *a)
{
    const struct braze_settings *settings = &section->settings;
    const struct {
        struct str key, value;
    } rows[] = {
        {STR("api_key"), settings->api_key},
        {STR("app_id"), settings->app_id},
        {STR("client_secret"), settings->client_secret},
        {STR("partner_api_key"), settings->partner_api_key},
        {STR("partner"), settings->partner},
        {STR("endpoint"), settings->endpoint},
    };
    struct jv_builder b;
    jv_object_begin(&b, a, countof(rows));
    for (size_t i = 0; i < countof(rows); i++)
        if (rows[i].value.len > 0)
            jv_object_put(&b, rows[i].key, jv_string(rows[i].value));
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
        .kind = (enum braze_kind)section->kind,
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

size_t assemble_names(const struct destination_section *section,
                      struct str names[ASSEMBLE_NAMES_MAX])
{
    size_t count = 0;
    names[count++] = section->id;
    switch ((enum destination_kind)section->kind) {
    case DESTINATION_BRAZE_CLOUD:
        assert(count + integrations_braze_name_count <= ASSEMBLE_NAMES_MAX);
        for (size_t i = 0; i < integrations_braze_name_count; i++)
            names[count++] = integrations_braze_names[i];
        break;
    case DESTINATION_BRAZE_COHORTS:
        names[count++] = integrations_cohorts_name;
        break;
    }
    return count;
}
