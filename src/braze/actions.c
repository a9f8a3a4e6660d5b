#include "action.h"

#include <errno.h>

#include "alias.h"
#include "batch.h"
#include "bounds.h"
#include "catalog.h"
#include "cohorts.h"
#include "ecommerce.h"
#include "event.h"
#include "identify.h"
#include "profile.h"
#include "purchase.h"
#include "text.h"
#include "trigger.h"

#define FIELDS(table) .fields = (table), .field_count = countof(table)
#define WITHOUT(row)  (UINT64_C(1) << (row))
#define CHOICES(...)                                                                               \
    .choices = (const struct sync_choice[]){__VA_ARGS__},                                          \
    .choice_count = countof(((const struct sync_choice[]){__VA_ARGS__}))

/* clang-format off */
static const struct sync_row profile_sync = {
    .label = "How to sync records", .preset = SYNC_UPDATE, .accepted = SYNC_BIT(SYNC_UPDATE),
    .refusal = "Sync mode ", .refusal_end = " is not supported",
    CHOICES({SYNC_UPDATE, "Update user profile"}),
};
static const struct sync_row event_sync = {
    .label = "How to track events", .preset = SYNC_ADD, .accepted = SYNC_BIT(SYNC_ADD) | SYNC_BIT(SYNC_UPDATE),
    .refusal = "syncMode must be \"add\" or \"update\"",
    CHOICES({SYNC_ADD, "Add Profile with Event"}, {SYNC_UPDATE, "Update Profile with Event"}),
};
static const struct sync_row ecommerce_sync = {
    .label = "How to track events", .preset = SYNC_ADD,
    CHOICES({SYNC_ADD, "Add Profile with Event"}, {SYNC_UPDATE, "Update Profile with Event"}),
};
static const struct sync_row alias_sync = {
    .label = "How to add Aliases", .preset = SYNC_ADD, .accepted = SYNC_BIT(SYNC_ADD),
    .refusal = "syncMode must be \"add\"",
    CHOICES({SYNC_ADD, "Create Alias"}),
};
static const struct sync_row identify_sync = {
    .label = "How to identify Users", .preset = SYNC_ADD, .accepted = SYNC_BIT(SYNC_ADD) | SYNC_BIT(SYNC_UPSERT),
    .refusal = "syncMode must be \"add\" or \"upsert\"",
    CHOICES({SYNC_ADD, "Insert User"}, {SYNC_UPSERT, "Upsert User"}),
};
static const struct sync_row catalog_sync = {
    .label = "How to sync records", .preset = SYNC_UPSERT,
    CHOICES({SYNC_UPSERT, "Upsert Catalog Item"}, {SYNC_DELETE, "Delete Catalog Item"}),
};

const struct action actions[] = {
    {.key = STR_INIT("updateUserProfile"), .title = "Update User Profile",
     .subscribe = "type = \"identify\"",
     FIELDS(profile_fields), .family = FAMILY_TRACK_ATTRIBUTES, .build = profile_build,
     .batch_request = track_batch_request, .batch_settle = track_batch_settle},
    {.key = STR_INIT("trackEvent"), .title = "Track Event",
     .subscribe = "type = \"track\" and event != \"Order Completed\"",
     FIELDS(event_fields), .family = FAMILY_TRACK_EVENTS, .build = event_build,
     .batch_request = track_batch_request, .batch_settle = track_batch_settle},
    {.key = STR_INIT("trackPurchase"), .title = "Track Purchase",
     .subscribe = "event = \"Order Completed\"",
     FIELDS(purchase_fields), .family = FAMILY_TRACK_PURCHASES, .build = purchase_build,
     .batch_request = track_batch_request, .batch_settle = track_batch_settle},
    {.key = STR_INIT("createAlias"), .title = "Create Alias",
     .subscribe = "event = \"Create Alias\"",
     FIELDS(alias_fields), .family = FAMILY_ALIAS_NEW, .build = alias_build},
    {.key = STR_INIT("identifyUser"), .title = "Identify User",
     FIELDS(identify_fields), .family = FAMILY_IDENTIFY, .build = identify_build},
    {.key = STR_INIT("identifyUser2"), .title = "Identify User V2",
     FIELDS(identify2_fields), .sync = &identify_sync, .family = FAMILY_IDENTIFY,
     .build = identify2_build, .settle = identify2_settle},
    {.key = STR_INIT("trackEvent2"), .title = "Track Event V2",
     .subscribe = "type = \"track\" and event != \"Order Completed\"",
     FIELDS(event_fields), .absent = WITHOUT(EVENT_UPDATE_EXISTING_ONLY), .sync = &event_sync,
     .family = FAMILY_TRACK_EVENTS, .build = event_build,
     .batch_request = track_batch_request, .batch_settle = track_batch_settle},
    {.key = STR_INIT("trackPurchase2"), .title = "Track Purchase V2",
     .subscribe = "event = \"Order Completed\"",
     FIELDS(purchase_fields), .absent = WITHOUT(PURCHASE_UPDATE_EXISTING_ONLY), .sync = &event_sync,
     .family = FAMILY_TRACK_PURCHASES, .build = purchase_build,
     .batch_request = track_batch_request, .batch_settle = track_batch_settle},
    {.key = STR_INIT("updateUserProfile2"), .title = "Update User Profile V2",
     .subscribe = "type = \"identify\"",
     FIELDS(profile_fields), .absent = WITHOUT(PROFILE_UPDATE_EXISTING_ONLY), .sync = &profile_sync,
     .family = FAMILY_TRACK_ATTRIBUTES, .build = profile_build,
     .batch_request = track_batch_request, .batch_settle = track_batch_settle},
    {.key = STR_INIT("createAlias2"), .title = "Create Alias V2",
     .subscribe = "event = \"Create Alias\"",
     FIELDS(alias_fields), .sync = &alias_sync, .family = FAMILY_ALIAS_NEW, .build = alias_build},
    {.key = STR_INIT("upsertCatalogItem"), .title = "Upsert Catalog Item",
     FIELDS(catalog_fields), .sync = &catalog_sync, .family = FAMILY_CATALOG_ITEM,
     .build = catalog_build, .settle = catalog_settle,
     .batch_request = catalog_batch_request, .batch_settle = catalog_batch_settle},
    {.key = STR_INIT("triggerCampaign"), .title = "Trigger Campaign",
     .subscribe = "type = \"track\"",
     FIELDS(campaign_fields), .family = FAMILY_CAMPAIGN_TRIGGER, .build = campaign_build,
     .settle = trigger_settle},
    {.key = STR_INIT("triggerCanvas"), .title = "Trigger Canvas",
     .subscribe = "type = \"track\"",
     FIELDS(canvas_fields), .family = FAMILY_CANVAS_TRIGGER, .build = canvas_build,
     .settle = trigger_settle},
    {.key = STR_INIT("ecommerce"), .title = "Ecommerce Event (multi product)",
     FIELDS(ecommerce_fields), .absent = WITHOUT(ECOMMERCE_CATALOG_TYPE) | WITHOUT(ECOMMERCE_PRODUCT),
     .sync = &ecommerce_sync, .family = FAMILY_TRACK_EVENTS, .build = ecommerce_build,
     .batch_request = ecommerce_batch_request, .batch_settle = ecommerce_batch_settle},
    {.key = STR_INIT("ecommerceSingleProduct"), .title = "Ecommerce Event (single product)",
     FIELDS(ecommerce_fields), .absent = WITHOUT(ECOMMERCE_PRODUCTS),
     .sync = &ecommerce_sync, .family = FAMILY_TRACK_EVENTS, .build = ecommerce_build,
     .batch_request = ecommerce_batch_request, .batch_settle = ecommerce_batch_settle},
};
/* clang-format on */
const size_t action_count = countof(actions);

struct action_list action_list(enum braze_kind kind)
{
    switch (kind) {
    case BRAZE_CLOUD:
        return (struct action_list){actions, action_count};
    case BRAZE_COHORTS:
        return (struct action_list){&cohorts_action, 1};
    }
    __builtin_unreachable();
}

const struct action *action_list_find(struct action_list list, struct str key)
{
    for (size_t i = 0; i < list.count; i++)
        if (str_eq(list.rows[i].key, key))
            return &list.rows[i];
    return NULL;
}

const struct action *action_find(struct str key)
{
    return action_list_find(action_list(BRAZE_CLOUD), key);
}

static const struct str mode_names[] = {
    [SYNC_NONE] = STR_INIT("undefined"), [SYNC_ADD] = STR_INIT("add"),
    [SYNC_UPDATE] = STR_INIT("update"),  [SYNC_UPSERT] = STR_INIT("upsert"),
    [SYNC_DELETE] = STR_INIT("delete"),  [SYNC_MIRROR] = STR_INIT("mirror"),
};

struct str sync_mode_name(enum sync_mode mode)
{
    return mode_names[mode];
}

enum sync_mode sync_mode_of(struct jv word)
{
    for (size_t mode = SYNC_ADD; word.type == JV_STRING && mode < countof(mode_names); mode++)
        if (str_eq(jv_str(word), mode_names[mode]))
            return (enum sync_mode)mode;
    return SYNC_NONE;
}

int action_check_sync(const struct call *call, struct arena *a, struct failure *out)
{
    const struct sync_row *sync = call->action->sync;
    if (sync == NULL || sync->accepted == 0 || (sync->accepted & SYNC_BIT(call->sync_mode)) != 0)
        return 0;
    char text[96];
    struct buf b = {.ptr = text,
                    .cap = sizeof(text),
                    .max = sizeof(text)}; /* full from the start: never grows */
    buf_append(&b, str_from(sync->refusal));
    if (sync->refusal_end != NULL) {
        buf_append(&b, sync_mode_name(call->sync_mode));
        buf_append(&b, str_from(sync->refusal_end));
    }
    *out = (struct failure){
        .name = "IntegrationError",
        .code = jv_string(STR("Invalid syncMode")),
        .status = 400,
        .message = arena_copy(a, buf_str(&b)),
    };
    return out->message.ptr == NULL ? -ENOMEM : 0;
}

int action_refuse_anonymous(struct built *out)
{
    out->failure = (struct failure){
        .name = "IntegrationError",
        .code = jv_string(STR("Missing required fields")),
        .status = 400,
        .message = STR("One of \"external_id\" or \"user_alias\" or \"braze_id\" or \"email\" is "
                       "required."),
    };
    return 0;
}

struct jv action_update_only(const struct call *call, struct jv mapped)
{
    return call->action->sync == NULL ? mapped : jv_bool(call->sync_mode == SYNC_UPDATE);
}

struct str text_of(struct arena *a, struct jv v)
{
    if (v.type == JV_STRING)
        return jv_str(v);
    struct buf b;
    buf_init(&b, RECORD_BYTES_MAX);
    text_append_value(&b, v);
    struct str text = arena_copy(a, buf_str(&b));
    buf_fini(&b);
    return text;
}
