#include "segment_catalog.h"

#include <assert.h>

/* clang-format off */
static const struct segment_kind kinds[] = {
    {STR_INIT("60f9d0d048950c356be2e4da"), STR_INIT("actions-braze-cloud"), STR_INIT("Braze Cloud Mode (Actions)"), NULL,
     DESTINATION_BRAZE_CLOUD},
    {STR_INIT("54efbf12db31d978f14aa8b5"), STR_INIT("braze"), STR_INIT("Braze"),
     "Spelter has no destination of this kind; it would need to become Braze Cloud Mode (Actions) at Segment, with mappings",
     DESTINATION_BRAZE_CLOUD},
    {STR_INIT("60fb01aec459242d3b6f20c1"), STR_INIT("actions-braze-web"), STR_INIT("Braze Web Device Mode (Actions)"),
     "it runs in the browser; it would need Braze's web SDK on your pages",
     DESTINATION_BRAZE_CLOUD},
    {STR_INIT("63872c01c0c112b9b4d75412"), STR_INIT("actions-braze-cohorts"), STR_INIT("Braze Cohorts"), NULL,
     DESTINATION_BRAZE_COHORTS},
};

static const struct segment_action cloud_actions[] = {
    {STR_INIT("2P24zUSAL8BUpyGYNGmD7M"), STR_INIT("updateUserProfile"), NULL},
    {STR_INIT("3pnc4QJvUjWGi2bp6EnDt"), STR_INIT("trackEvent"), NULL},
    {STR_INIT("vE7Gf9yobj2gTuMBhwmg7g"), STR_INIT("trackPurchase"), NULL},
    {STR_INIT("7dNvUgwYkBjJjCrHHdo7jX"), STR_INIT("debouncePlugin"), "it runs in the browser"},
    {STR_INIT("sRxUEeJSMLSTBFD2cgYBms"), STR_INIT("identifyUser"), NULL},
    {STR_INIT("vp138DdA9188zfyXfhJe6x"), STR_INIT("createAlias"), NULL},
    {STR_INIT("aVPEkfaFoH1NHSpf1H4vsb"), STR_INIT("updateUserProfile2"), NULL},
    {STR_INIT("edFSMK18MScnLKK68zkg1i"), STR_INIT("trackEvent2"), NULL},
    {STR_INIT("uq4SiYEcMy656CLSJJpdRB"), STR_INIT("trackPurchase2"), NULL},
    {STR_INIT("fz8S9HPDaJmNxsA8Niwv2A"), STR_INIT("identifyUser2"), NULL},
    {STR_INIT("uN77iFiyocgcAkA1mwjFai"), STR_INIT("createAlias2"), NULL},
    {STR_INIT("bzGprD8nXKT6wAnbz4LuHA"), STR_INIT("triggerCampaign"), NULL},
    {STR_INIT("9DUBR4qVXRxPXa39oiz2Tc"), STR_INIT("triggerCanvas"), NULL},
    {STR_INIT("3rHZERwR6c55kFDYDFmu5V"), STR_INIT("upsertCatalogItem"), NULL},
    {STR_INIT(""), STR_INIT("ecommerce"), NULL},
    {STR_INIT(""), STR_INIT("ecommerceSingleProduct"), NULL},
};

static const struct segment_action cohorts_actions[] = {
    {STR_INIT("sW4CKfq2r8LXZhXDfmbQW6"), STR_INIT("syncAudiences"), NULL},
};
/* clang-format on */

static const struct {
    const struct segment_action *rows;
    size_t count;
} lists[] = {
    [DESTINATION_BRAZE_CLOUD] = {cloud_actions, countof(cloud_actions)},
    [DESTINATION_BRAZE_COHORTS] = {cohorts_actions, countof(cohorts_actions)},
};

static bool is_same(struct str known, struct str given)
{
    return given.len > 0 && str_eq(known, given);
}

const struct segment_kind *segment_kind_find(struct str id, struct str slug, struct str name)
{
    for (size_t i = 0; i < countof(kinds); i++)
        if (is_same(kinds[i].id, id) || is_same(kinds[i].slug, slug) ||
            is_same(kinds[i].name, name))
            return &kinds[i];
    return NULL;
}

const struct segment_action *segment_action_by_slug(enum destination_kind kind, struct str slug)
{
    for (size_t i = 0; i < lists[kind].count; i++)
        if (is_same(lists[kind].rows[i].slug, slug))
            return &lists[kind].rows[i];
    return NULL;
}

const struct segment_action *segment_action_by_id(enum destination_kind kind, struct str id)
{
    for (size_t i = 0; i < lists[kind].count; i++)
        if (is_same(lists[kind].rows[i].id, id))
            return &lists[kind].rows[i];
    return NULL;
}

struct str segment_action_nearest(enum destination_kind kind, struct str slug)
{
    struct str slugs[countof(cloud_actions)];
    assert(lists[kind].count <= countof(slugs));
    for (size_t i = 0; i < lists[kind].count; i++)
        slugs[i] = lists[kind].rows[i].slug;
    return str_nearest(slug, slugs, lists[kind].count);
}
