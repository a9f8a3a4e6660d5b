#include "routes.h"

#include "admin.h"
#include "catalogs.h"
#include "cohorts.h"
#include "export.h"
#include "look.h"
#include "metadata.h"
#include "plain.h"
#include "subscription.h"
#include "track.h"
#include "triggers.h"

/* Asynchronous writes: their answers do not depend on any profile. */
enum { NOW = false, LATER = true };

/* clang-format off */
static const struct route routes[] = {
    {"POST", "/users/track", "users.track", RATE_TRACK, answer_track, LATER},
    {"POST", "/users/track/sync", "users.track.sync", RATE_TRACK_SYNC, answer_track_sync, NOW},
    {"POST", "/users/track/bulk", "users.track.bulk", RATE_TRACK_BULK, answer_track_bulk, LATER},
    {"POST", "/users/identify", "users.identify", RATE_USER_ADMIN, answer_identify, LATER},
    {"POST", "/users/alias/new", "users.alias.new", RATE_USER_ADMIN, answer_alias_new, LATER},
    {"POST", "/users/alias/update", "users.alias.update", RATE_USER_ADMIN, answer_alias_update, LATER},
    {"POST", "/users/delete", "users.delete", RATE_USER_ADMIN, answer_delete, LATER},
    {"POST", "/users/merge", "users.merge", RATE_USER_ADMIN, answer_merge, LATER},
    {"POST", "/users/external_ids/rename", "users.external_ids.rename", RATE_RENAME, answer_rename, NOW},
    {"POST", "/users/external_ids/remove", "users.external_ids.remove", RATE_REMOVE, answer_remove, NOW},
    {"POST", "/users/export/ids", "users.export.ids", RATE_EXPORT_IDS, answer_export_ids, NOW},
    {"POST", "/users/export/segment", "users.export.segment", RATE_DEFAULT, answer_export_job, NOW},
    {"POST", "/users/export/global_control_group", "users.export.global_control_group", RATE_DEFAULT, answer_export_job, NOW},

    {"POST", "/subscription/status/set", "subscription.status.set", RATE_SUBSCRIPTION, answer_subscription_set, LATER},
    {"POST", "/v2/subscription/status/set", "subscription.status.set", RATE_SUBSCRIPTION, answer_subscription_set_v2, LATER},
    {"GET", "/subscription/status/get", "subscription.status.get", RATE_DEFAULT, answer_subscription_get, NOW},
    {"GET", "/subscription/user/status", "subscription.groups.get", RATE_DEFAULT, answer_subscription_user, NOW},
    {"POST", "/email/status", "email.status", RATE_DEFAULT, answer_email_status, LATER},
    {"GET", "/email/unsubscribes", "email.unsubscribe", RATE_DEFAULT, answer_emails_empty, NOW},
    {"GET", "/email/hard_bounces", "email.hard_bounces", RATE_DEFAULT, answer_emails_empty, NOW},
    {"POST", "/email/bounce/remove", "email.bounce.remove", RATE_DEFAULT, answer_email_removal, NOW},
    {"POST", "/email/spam/remove", "email.spam.remove", RATE_DEFAULT, answer_email_removal, NOW},
    {"POST", "/email/blocklist", "email.blacklist", RATE_DEFAULT, answer_email_removal, NOW},
    {"POST", "/email/blacklist", "email.blacklist", RATE_DEFAULT, answer_email_removal, NOW},

    {"GET", "/catalogs", "catalogs.get", RATE_CATALOGS, answer_catalogs_list, NOW},
    {"POST", "/catalogs", "catalogs.create", RATE_CATALOGS, answer_catalogs_create, NOW},
    {"DELETE", "/catalogs/{catalog_name}", "catalogs.delete", RATE_CATALOGS, answer_catalogs_delete, NOW},
    {"GET", "/catalogs/{catalog_name}/items", "catalogs.get_items", RATE_CATALOG_ITEMS_SYNC, answer_items_list, NOW},
    {"POST", "/catalogs/{catalog_name}/items", "catalogs.add_items", RATE_CATALOG_ITEMS_ASYNC, answer_items_create, NOW},
    {"PATCH", "/catalogs/{catalog_name}/items", "catalogs.update_items", RATE_CATALOG_ITEMS_ASYNC, answer_items_update, NOW},
    {"PUT", "/catalogs/{catalog_name}/items", "catalogs.replace_items", RATE_CATALOG_ITEMS_ASYNC, answer_items_replace, NOW},
    {"DELETE", "/catalogs/{catalog_name}/items", "catalogs.delete_items", RATE_CATALOG_ITEMS_ASYNC, answer_items_delete, NOW},
    {"GET", "/catalogs/{catalog_name}/items/{item_id}", "catalogs.get_item", RATE_CATALOG_ITEMS_SYNC, answer_item_get, NOW},
    {"POST", "/catalogs/{catalog_name}/items/{item_id}", "catalogs.create_item", RATE_CATALOG_ITEMS_SYNC, answer_item_create, NOW},
    {"PATCH", "/catalogs/{catalog_name}/items/{item_id}", "catalogs.update_item", RATE_CATALOG_ITEMS_SYNC, answer_item_update, NOW},
    {"PUT", "/catalogs/{catalog_name}/items/{item_id}", "catalogs.replace_item", RATE_CATALOG_ITEMS_SYNC, answer_item_replace, NOW},
    {"DELETE", "/catalogs/{catalog_name}/items/{item_id}", "catalogs.delete_item", RATE_CATALOG_ITEMS_SYNC, answer_item_delete, NOW},

    {"POST", "/campaigns/trigger/send", "campaigns.trigger.send", RATE_BROADCAST, answer_campaign_send, LATER},
    {"POST", "/canvas/trigger/send", "canvas.trigger.send", RATE_BROADCAST, answer_canvas_send, LATER},
    {"POST", "/messages/send", "messages.send", RATE_BROADCAST, answer_message_send, NOW},
    {"POST", "/transactional/v1/campaigns/{campaign_id}/send", "transactional.send", RATE_DEFAULT, answer_transactional, NOW},
    {"POST", "/sends/id/create", "sends.id.create", RATE_SEND_IDS, answer_send_id, NOW},
    {"POST", "/campaigns/trigger/schedule/create", "campaigns.trigger.schedule.create", RATE_BROADCAST, answer_schedule_create, NOW},
    {"POST", "/campaigns/trigger/schedule/update", "campaigns.trigger.schedule.update", RATE_DEFAULT, answer_schedule_change, NOW},
    {"POST", "/campaigns/trigger/schedule/delete", "campaigns.trigger.schedule.delete", RATE_DEFAULT, answer_schedule_change, NOW},
    {"POST", "/canvas/trigger/schedule/create", "canvas.trigger.schedule.create", RATE_BROADCAST, answer_schedule_create, NOW},
    {"POST", "/canvas/trigger/schedule/update", "canvas.trigger.schedule.update", RATE_DEFAULT, answer_schedule_change, NOW},
    {"POST", "/canvas/trigger/schedule/delete", "canvas.trigger.schedule.delete", RATE_DEFAULT, answer_schedule_change, NOW},
    {"POST", "/messages/schedule/create", "messages.schedule.create", RATE_DEFAULT, answer_schedule_create, NOW},
    {"POST", "/messages/schedule/update", "messages.schedule.update", RATE_DEFAULT, answer_schedule_change, NOW},
    {"POST", "/messages/schedule/delete", "messages.schedule.delete", RATE_DEFAULT, answer_schedule_change, NOW},
    {"GET", "/messages/scheduled_broadcasts", "messages.schedule_broadcasts", RATE_DEFAULT, answer_list_empty, NOW},

    {"GET", "/campaigns/list", "campaigns.list", RATE_DEFAULT, answer_campaigns_list, NOW},
    {"GET", "/campaigns/details", "campaigns.details", RATE_DEFAULT, answer_campaign_details, NOW},
    {"GET", "/campaigns/data_series", "campaigns.data_series", RATE_CAMPAIGN_ANALYTICS, answer_list_empty, NOW},
    {"GET", "/canvas/list", "canvas.list", RATE_DEFAULT, answer_canvas_list, NOW},
    {"GET", "/canvas/details", "canvas.details", RATE_DEFAULT, answer_canvas_details, NOW},
    {"GET", "/segments/list", "segments.list", RATE_DEFAULT, answer_segments_list, NOW},
    {"GET", "/segments/details", "segments.details", RATE_DEFAULT, answer_segment_details, NOW},
    {"GET", "/segments/data_series", "segments.data_series", RATE_DEFAULT, answer_list_empty, NOW},
    {"GET", "/events/list", "events.list", RATE_METADATA, answer_events_list, NOW},
    {"GET", "/events", "events.get", RATE_METADATA, answer_events, NOW},
    {"GET", "/custom_attributes", "custom_attributes.get", RATE_METADATA, answer_custom_attributes, NOW},
    {"GET", "/purchases/product_list", "purchases.product_list", RATE_METADATA, answer_products, NOW},

    {"POST", "/partners/{partner}/cohorts", NULL, RATE_COHORTS, answer_cohort_create, NOW},
    {"POST", "/partners/{partner}/cohorts/users", NULL, RATE_COHORTS, answer_cohort_users, NOW},

    {"POST", "/content_blocks/create", "content_blocks.create", RATE_DEFAULT, answer_template_create, NOW},
    {"POST", "/content_blocks/update", "content_blocks.update", RATE_DEFAULT, answer_template_create, NOW},
    {"GET", "/content_blocks/info", "content_blocks.info", RATE_DEFAULT, answer_template_info, NOW},
    {"GET", "/content_blocks/list", "content_blocks.list", RATE_DEFAULT, answer_template_list, NOW},
    {"POST", "/templates/email/create", "templates.email.create", RATE_DEFAULT, answer_template_create, NOW},
    {"POST", "/templates/email/update", "templates.email.update", RATE_DEFAULT, answer_template_create, NOW},
    {"GET", "/templates/email/info", "templates.email.info", RATE_DEFAULT, answer_template_info, NOW},
    {"GET", "/templates/email/list", "templates.email.list", RATE_DEFAULT, answer_template_list, NOW},
};

static const struct route own_routes[] = {
    {"GET", "/sandbox", NULL, RATE_DEFAULT, answer_page, NOW},
    {"GET", "/sandbox/profiles", NULL, RATE_DEFAULT, answer_look_profiles, NOW},
    {"GET", "/sandbox/profiles/{id}", NULL, RATE_DEFAULT, answer_look_profile, NOW},
    {"GET", "/sandbox/requests", NULL, RATE_DEFAULT, answer_look_requests, NOW},
    {"GET", "/sandbox/log", NULL, RATE_DEFAULT, answer_look_log, NOW},
    {"GET", "/sandbox/data-points", NULL, RATE_DEFAULT, answer_look_points, NOW},
    {"GET", "/sandbox/stats", NULL, RATE_DEFAULT, answer_look_stats, NOW},
    {"GET", "/sandbox/limits", NULL, RATE_DEFAULT, answer_look_limits, NOW},
    {"GET", "/sandbox/faults", NULL, RATE_DEFAULT, answer_look_faults, NOW},
    {"POST", "/sandbox/faults", NULL, RATE_DEFAULT, answer_add_faults, NOW},
    {"DELETE", "/sandbox/faults", NULL, RATE_DEFAULT, answer_clear_faults, NOW},
    {"POST", "/sandbox/reset", NULL, RATE_DEFAULT, answer_reset, NOW},
};
/* clang-format on */

/* Part by part; a {name} takes any non-empty part. */
static bool matches(struct str pattern, struct str path, struct str *parameters)
{
    size_t taken = 0;
    while (pattern.len > 0 && path.len > 0 && pattern.ptr[0] == '/' && path.ptr[0] == '/') {
        pattern = str_slice(pattern, 1, pattern.len);
        path = str_slice(path, 1, path.len);
        struct str want = str_slice(pattern, 0, str_find(pattern, '/'));
        struct str have = str_slice(path, 0, str_find(path, '/'));
        bool is_parameter = want.len > 0 && want.ptr[0] == '{';
        if (is_parameter ? have.len == 0 : !str_eq(want, have))
            return false;
        if (is_parameter) {
            assert(taken < CALL_PARAMETERS_MAX);
            parameters[taken++] = have;
        }
        pattern = str_slice(pattern, want.len, pattern.len);
        path = str_slice(path, have.len, path.len);
    }
    return pattern.len == 0 && path.len == 0;
}

static const struct route *find(struct call *c, const struct route *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(str_from(rows[i].method), c->request->method) &&
            matches(str_from(rows[i].path), c->request->path, c->parameters))
            return &rows[i];
    return NULL;
}

const struct route *route_find(struct call *c)
{
    return find(c, routes, countof(routes));
}

const struct route *sandbox_route_find(struct call *c)
{
    return find(c, own_routes, countof(own_routes));
}
