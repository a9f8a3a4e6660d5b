/*
 * workspace: what a Braze dashboard would hold and the API cannot create: keys, apps, subscription
 * groups, campaigns, Canvases, blocklists, forced data types. One JSON file; every part is
 * optional.
 *
 *     {"api_keys": [{"key": "k1", "permissions": ["users.track"]}],
 *      "apps": ["app-id"],
 *      "subscription_groups": [{"id": "...", "name": "News", "channel": "email"}],
 *      "campaigns": [{"id": "...", "name": "Welcome"}], "canvases": [{"id", "name", "state":
 * "paused"}], "segments": [{"id", "name"}], "partners": [{"name": "amplitude", "partner_api_key":
 * "...", "client_secret": "..."}], "blocklist": {"attributes": [], "events": [], "external_ids":
 * []}, "attribute_types": {"age": "number"}, "segmentable_properties": {"order": ["total"]},
 *      "exchange_rates": {"EUR": 1.08}, "choices": {"object-limit": "per-array"}}
 *
 * Parsed once; immutable afterwards.
 */
#ifndef SPELTER_SANDBOX_WORKSPACE_H
#define SPELTER_SANDBOX_WORKSPACE_H

#include "choices.h"
#include "err.h"
#include "jv.h"
#include "names.h"
#include "str.h"

struct workspace;

/* Empty text: the default workspace. extra_key: one more key that may do everything, or empty.
 * choices gets what the file sets. -EINVAL (err->path says where), -ENOMEM. */
int workspace_open(struct workspace **out, struct str text, struct str extra_key,
                   struct choices *choices, struct err *err) __attribute__((warn_unused_result));
void workspace_close(struct workspace *w); /* NULL is fine */

/* -1: no such key. */
int workspace_key_find(const struct workspace *w, struct str key);
bool workspace_key_may(const struct workspace *w, int key, struct str permission);
struct str workspace_first_key(const struct workspace *w);

/* Any app id is known when the file lists none. */
bool workspace_has_app(const struct workspace *w, struct str app_id);

/* The object of the list whose "id" this is, or undefined. */
enum workspace_list {
    LIST_SUBSCRIPTION_GROUPS,
    LIST_CAMPAIGNS,
    LIST_CANVASES,
    LIST_SEGMENTS,
    LIST_PARTNERS,
    LIST_COUNT,
};
struct jv workspace_list(const struct workspace *w,
                         enum workspace_list list); /* an array, may be empty */
struct jv workspace_find(const struct workspace *w, enum workspace_list list, struct str id);

/* Does this id stand for a subscription group? A list decides when there is one; else every UUID
 * does. */
bool workspace_has_group(const struct workspace *w, struct str id);

enum block { BLOCK_ATTRIBUTES, BLOCK_EVENTS, BLOCK_EXTERNAL_IDS, BLOCK_COUNT };
bool workspace_blocks(const struct workspace *w, enum block list, struct str name);

enum data_type workspace_forced_type(const struct workspace *w, struct str attribute);

/* How many of these properties are enabled for segmentation: each costs a data point. */
size_t workspace_segmentable(const struct workspace *w, struct str event, struct jv properties);

/* US dollars for one unit; *known false: no rate in the file, 1. */
double workspace_rate(const struct workspace *w, struct str currency, bool *known);

#endif
