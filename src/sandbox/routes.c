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
    {"POST", "/users/track", "users.track", answer_track, RATE_TRACK, LATER},
    {"POST", "/users/track/sync", "users.track.sync", answer_track_sync, RATE_TRACK_SYNC, NOW},
    {"POST", "/users/track/bulk", "users.track.bulk", answer_track_bulk, RATE_TRACK_BULK, LATER},
    {"POST", "/users/identify", "users.identify", answer_identify, RATE_USER_ADMIN, LATER},
    {"POST", "/users/alias/new", "users.alias.new", answer_alias_new, RATE_USER_ADMIN, LATER},
    {"POST", "/users/alias/update", "users.alias.update", answer_alias_update, RATE_USER_ADMIN, LATER},
    {"POST", "/users/delete", "users.delete", answer_delete, RATE_USER_ADMIN, LATER},
    {"POST", "/users/merge", "users.merge", answer_merge, RATE_USER_ADMIN, LATER},
    {"POST", "/users/external_ids/rename", "users.external_ids.rename", answer_rename, RATE_RENAME, NOW},
    {"POST", "/users/external_ids/remove", "users.external_ids.remove", answer_remove, RATE_REMOVE, NOW},
    {"POST", "/users/export/ids", "users.export.ids", answer_export_ids, RATE_EXPORT_IDS, NOW},
    {"POST", "/users/export/segment", "users.export.segment", answer_export_job, RATE_DEFAULT, NOW},
    {"POST", "/users/export/global_control_group", "users.export.global_control_group", answer_export_job, RATE_DEFAULT, NOW},

    {"POST", "/subscription/status/set", "subscription.status.set", answer_subscription_set, RATE_SUBSCRIPTION, LATER},
    {"POST", "/v2/subscription/status/set", "subscription.status.set", answer_subscription_set_v2, RATE_SUBSCRIPTION, LATER},
    {"GET", "/subscription/status/get", "subscription.status.get", answer_subscription_get, RATE_DEFAULT, NOW},
    {"GET", "/subscription/user/status", "subscription.groups.get", answer_subscription_user, RATE_DEFAULT, NOW},
    {"POST", "/email/status", "email.status", answer_email_status, RATE_DEFAULT, LATER},
    {"GET", "/email/unsubscribes", "email.unsubscribe", answer_emails_empty, RATE_DEFAULT, NOW},
    {"GET", "/email/hard_bounces", "email.hard_bounces", answer_emails_empty, RATE_DEFAULT, NOW},
    {"POST", "/email/bounce/remove", "email.bounce.remove", answer_email_removal, RATE_DEFAULT, NOW},
    {"POST", "/email/spam/remove", "email.spam.remove", answer_email_removal, RATE_DEFAULT, NOW},
    {"POST", "/email/blocklist", "email.blacklist", answer_email_removal, RATE_DEFAULT, NOW},
    {"POST", "/email/blacklist", "email.blacklist", answer_email_removal, RATE_DEFAULT, NOW},

    {"GET", "/catalogs", "catalogs.get", answer_catalogs_list, RATE_CATALOGS, NOW},
    {"POST", "/catalogs", "catalogs.create", answer_catalogs_create, RATE_CATALOGS, NOW},
    {"DELETE", "/catalogs/{catalog_name}", "catalogs.delete", answer_catalogs_delete, RATE_CATALOGS, NOW},
    {"GET", "/catalogs/{catalog_name}/items", "catalogs.get_items", answer_items_list, RATE_CATALOG_ITEMS_SYNC, NOW},
    {"POST", "/catalogs/{catalog_name}/items", "catalogs.add_items", answer_items_create, RATE_CATALOG_ITEMS_ASYNC, NOW},
    {"PATCH", "/catalogs/{catalog_name}/items", "catalogs.update_items", answer_items_update, RATE_CATALOG_ITEMS_ASYNC, NOW},
    {"PUT", "/catalogs/{catalog_name}/items", "catalogs.replace_items", answer_items_replace, RATE_CATALOG_ITEMS_ASYNC, NOW},
    {"DELETE", "/catalogs/{catalog_name}/items", "catalogs.delete_items", answer_items_delete, RATE_CATALOG_ITEMS_ASYNC, NOW},
    {"GET", "/catalogs/{catalog_name}/items/{item_id}", "catalogs.get_item", answer_item_get, RATE_CATALOG_ITEMS_SYNC, NOW},
    {"POST", "/catalogs/{catalog_name}/items/{item_id}", "catalogs.create_item", answer_item_create, RATE_CATALOG_ITEMS_SYNC, NOW},
    {"PATCH", "/catalogs/{catalog_name}/items/{item_id}", "catalogs.update_item", answer_item_update, RATE_CATALOG_ITEMS_SYNC, NOW},
    {"PUT", "/catalogs/{catalog_name}/items/{item_id}", "catalogs.replace_item", answer_item_replace, RATE_CATALOG_ITEMS_SYNC, NOW},
    {"DELETE", "/catalogs/{catalog_name}/items/{item_id}", "catalogs.delete_item", answer_item_delete, RATE_CATALOG_ITEMS_SYNC, NOW},

    {"POST", "/campaigns/trigger/send", "campaigns.trigger.send", answer_campaign_send, RATE_BROADCAST, LATER},
    {"POST", "/canvas/trigger/send", "canvas.trigger.send", answer_canvas_send, RATE_BROADCAST, LATER},
    {"POST", "/messages/send", "messages.send", answer_message_send, RATE_BROADCAST, NOW},
    {"POST", "/transactional/v1/campaigns/{campaign_id}/send", "transactional.send", answer_transactional, RATE_DEFAULT, NOW},
    {"POST", "/sends/id/create", "sends.id.create", answer_send_id, RATE_SEND_IDS, NOW},
    {"POST", "/campaigns/trigger/schedule/create", "campaigns.trigger.schedule.create", answer_schedule_create, RATE_BROADCAST, NOW},
    {"POST", "/campaigns/trigger/schedule/update", "campaigns.trigger.schedule.update", answer_schedule_change, RATE_DEFAULT, NOW},
    {"POST", "/campaigns/trigger/schedule/delete", "campaigns.trigger.schedule.delete", answer_schedule_change, RATE_DEFAULT, NOW},
    {"POST", "/canvas/trigger/schedule/create", "canvas.trigger.schedule.create", answer_schedule_create, RATE_BROADCAST, NOW},
    {"POST", "/canvas/trigger/schedule/update", "canvas.trigger.schedule.update", answer_schedule_change, RATE_DEFAULT, NOW},
    {"POST", "/canvas/trigger/schedule/delete", "canvas.trigger.schedule.delete", answer_schedule_change, RATE_DEFAULT, NOW},
    {"POST", "/messages/schedule/create", "messages.schedule.create", answer_schedule_create, RATE_DEFAULT, NOW},
    {"POST", "/messages/schedule/update", "messages.schedule.update", answer_schedule_change, RATE_DEFAULT, NOW},
    {"POST", "/messages/schedule/delete", "messages.schedule.delete", answer_schedule_change, RATE_DEFAULT, NOW},
    {"GET", "/messages/scheduled_broadcasts", "messages.schedule_broadcasts", answer_list_empty, RATE_DEFAULT, NOW},

    {"GET", "/campaigns/list", "campaigns.list", answer_campaigns_list, RATE_DEFAULT, NOW},
    {"GET", "/campaigns/details", "campaigns.details", answer_campaign_details, RATE_DEFAULT, NOW},
    {"GET", "/campaigns/data_series", "campaigns.data_series", answer_list_empty, RATE_CAMPAIGN_ANALYTICS, NOW},
    {"GET", "/canvas/list", "canvas.list", answer_canvas_list, RATE_DEFAULT, NOW},
    {"GET", "/canvas/details", "canvas.details", answer_canvas_details, RATE_DEFAULT, NOW},
    {"GET", "/segments/list", "segments.list", answer_segments_list, RATE_DEFAULT, NOW},
    {"GET", "/segments/details", "segments.details", answer_segment_details, RATE_DEFAULT, NOW},
    {"GET", "/segments/data_series", "segments.data_series", answer_list_empty, RATE_DEFAULT, NOW},
    {"GET", "/events/list", "events.list", answer_events_list, RATE_METADATA, NOW},
    {"GET", "/events", "events.get", answer_events, RATE_METADATA, NOW},
    {"GET", "/custom_attributes", "custom_attributes.get", answer_custom_attributes, RATE_METADATA, NOW},
    {"GET", "/purchases/product_list", "purchases.product_list", answer_products, RATE_METADATA, NOW},

    {"POST", "/partners/{partner}/cohorts", NULL, answer_cohort_create, RATE_COHORTS, NOW},
    {"POST", "/partners/{partner}/cohorts/users", NULL, answer_cohort_users, RATE_COHORTS, NOW},

    {"POST", "/content_blocks/create", "content_blocks.create", answer_template_create, RATE_DEFAULT, NOW},
    {"POST", "/content_blocks/update", "content_blocks.update", answer_template_create, RATE_DEFAULT, NOW},
    {"GET", "/content_blocks/info", "content_blocks.info", answer_template_info, RATE_DEFAULT, NOW},
    {"GET", "/content_blocks/list", "content_blocks.list", answer_template_list, RATE_DEFAULT, NOW},
    {"POST", "/templates/email/create", "templates.email.create", answer_template_create, RATE_DEFAULT, NOW},
    {"POST", "/templates/email/update", "templates.email.update", answer_template_create, RATE_DEFAULT, NOW},
    {"GET", "/templates/email/info", "templates.email.info", answer_template_info, RATE_DEFAULT, NOW},
    {"GET", "/templates/email/list", "templates.email.list", answer_template_list, RATE_DEFAULT, NOW},
};

static const struct route own_routes[] = {
    {"GET", "/sandbox", NULL, answer_page, RATE_DEFAULT, NOW},
    {"GET", "/sandbox/profiles", NULL, answer_look_profiles, RATE_DEFAULT, NOW},
    {"GET", "/sandbox/profiles/{id}", NULL, answer_look_profile, RATE_DEFAULT, NOW},
    {"GET", "/sandbox/requests", NULL, answer_look_requests, RATE_DEFAULT, NOW},
    {"GET", "/sandbox/log", NULL, answer_look_log, RATE_DEFAULT, NOW},
    {"GET", "/sandbox/data-points", NULL, answer_look_points, RATE_DEFAULT, NOW},
    {"GET", "/sandbox/stats", NULL, answer_look_stats, RATE_DEFAULT, NOW},
    {"GET", "/sandbox/limits", NULL, answer_look_limits, RATE_DEFAULT, NOW},
    {"GET", "/sandbox/faults", NULL, answer_look_faults, RATE_DEFAULT, NOW},
    {"POST", "/sandbox/faults", NULL, answer_add_faults, RATE_DEFAULT, NOW},
    {"DELETE", "/sandbox/faults", NULL, answer_clear_faults, RATE_DEFAULT, NOW},
    {"POST", "/sandbox/reset", NULL, answer_reset, RATE_DEFAULT, NOW},
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
