#include "plan.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "names.h"
#include "segment_catalog.h"
#include "yaml_write.h"

enum { NOTE_BYTES_MAX = 1000, QUOTED_BYTES_MAX = 60 };

/* The array with room for one more item; NULL, and the plan failed, when the arena is full. */
static void *room_for_one(struct plan *plan, void *items, size_t count, size_t *cap, size_t size)
{
    if (count < *cap)
        return items;
    size_t grown_cap = *cap == 0 ? 16 : *cap * 2;
    void *grown = arena_array(plan->arena, grown_cap, size);
    plan->failed = plan->failed || grown == NULL;
    if (grown == NULL)
        return NULL;
    if (count > 0)
        memcpy(grown, items, count * size);
    *cap = grown_cap;
    return grown;
}

void plan_note(struct plan *plan, const char *format, ...)
{
    char text[NOTE_BYTES_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    struct str copy = arena_copy(plan->arena, str_from(text));
    struct str *notes =
        room_for_one(plan, plan->notes, plan->note_count, &plan->note_cap, sizeof(*notes));
    if (notes == NULL || copy.ptr == NULL)
        return;
    plan->notes = notes;
    plan->notes[plan->note_count++] = copy;
}

struct str plan_quoted(struct plan *plan, struct str text)
{
    struct buf quoted;
    buf_init_arena(&quoted, plan->arena, 8 * QUOTED_BYTES_MAX);
    yaml_write_string(&quoted, str_slice(text, 0, str_utf8_cut(text, QUOTED_BYTES_MAX)));
    plan->failed = plan->failed || quoted.failed;
    return quoted.failed ? STR("") : buf_str(&quoted);
}

/* The text that people know an object by. */
static struct str title(struct plan *plan, const struct segment_item *item)
{
    struct str name = segment_text(item, STR("name"));
    if (name.len == 0)
        name = segment_text(item, STR("title"));
    return plan_quoted(plan, name.len == 0 ? segment_text(item, STR("id")) : name);
}

struct required {
    struct str key;
    enum jv_type type;
    const char *expected;
};

static int check_required(const struct segment_item *item, const struct required *rows,
                          size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        struct jv value = jv_get(item->value, rows[i].key);
        if (value.type == JV_UNDEFINED)
            return segment_refuse(item, "", err, "'%.*s' is missing, expected %s",
                                  STR_ARG(rows[i].key), rows[i].expected);
        if (value.type != rows[i].type)
            return segment_refuse(item, rows[i].key.ptr, err, "expected %s", rows[i].expected);
    }
    return 0;
}

static const struct segment_kind *kind_of(const struct segment_item *item)
{
    struct jv metadata = jv_get(item->value, STR("metadata"));
    struct segment_item entry = {metadata, item->file, item->path};
    struct str id = segment_text(&entry, STR("id"));
    return segment_kind_find(id.len > 0 ? id : segment_text(item, STR("metadataId")),
                             segment_text(&entry, STR("slug")), segment_text(&entry, STR("name")));
}

static void note_left_out(struct plan *plan, const struct segment_item *item)
{
    const struct segment_kind *kind = kind_of(item);
    struct segment_item entry = {.value = jv_get(item->value, STR("metadata"))};
    struct str name =
        kind != NULL ? kind->name : plan_quoted(plan, segment_text(&entry, STR("name")));
    plan_note(plan, "left out: destination %.*s (%.*s): %s", STR_ARG(title(plan, item)),
              STR_ARG(name), kind != NULL ? kind->needs : "it is no destination of Braze");
}

static int pick_destinations(struct plan *plan, struct err *err)
{
    static const struct required rows[] = {
        {STR_INIT("sourceId"), JV_STRING, "the id of its source"},
        {STR_INIT("enabled"), JV_BOOL, "true or false"},
        {STR_INIT("settings"), JV_OBJECT, "its settings, an object"},
    };
    size_t count = segment_export_count(plan->export, SEGMENT_DESTINATION);
    plan->destinations = arena_array(plan->arena, count, sizeof(*plan->destinations));
    if (plan->destinations == NULL)
        return err_set(err, -ENOMEM, 0, "out of memory");
    for (size_t i = 0; i < count; i++) {
        const struct segment_item *item = segment_export_item(plan->export, SEGMENT_DESTINATION, i);
        struct jv metadata = jv_get(item->value, STR("metadata"));
        if (metadata.type != JV_OBJECT && segment_text(item, STR("metadataId")).len == 0)
            return segment_refuse(item, "", err,
                                  "'metadata' is missing, expected the catalog entry that says "
                                  "what kind of destination this is");
        const struct segment_kind *kind = kind_of(item);
        if (kind == NULL || kind->needs != NULL) {
            note_left_out(plan, item);
            continue;
        }
        int rc = check_required(item, rows, countof(rows), err);
        if (rc != 0)
            return rc;
        plan->destinations[plan->destination_count++] =
            (struct planned_destination){.item = item,
                                         .kind = kind->kind,
                                         .enabled = jv_get(item->value, STR("enabled")).boolean};
    }
    if (plan->destination_count > 0)
        return 0;
    return err_set(err, -EINVAL, 0,
                   count == 0 ? "no destination among what was read, expected the answer of GET "
                                "/destinations/ID"
                              : "no Braze Cloud Mode (Actions) or Braze Cohorts destination among "
                                "what was read, nothing else can be imported");
}

/* The destination that a subscription names. NULL: it is one that is left out, or -EINVAL. */
static int find_owner(struct plan *plan, const struct segment_item *item,
                      struct planned_destination **owner, struct err *err)
{
    struct str id = segment_text(item, STR("destinationId"));
    *owner = NULL;
    if (id.len == 0 && segment_export_count(plan->export, SEGMENT_DESTINATION) == 1)
        *owner = &plan->destinations[0];
    for (size_t i = 0; i < plan->destination_count; i++)
        if (id.len > 0 && str_eq(segment_text(plan->destinations[i].item, STR("id")), id))
            *owner = &plan->destinations[i];
    if (*owner != NULL)
        return 0;
    if (id.len == 0)
        return segment_refuse(item, "", err,
                              "'destinationId' is missing, expected one: there are several "
                              "destinations");
    for (size_t i = 0; i < segment_export_count(plan->export, SEGMENT_DESTINATION); i++)
        if (str_eq(
                segment_text(segment_export_item(plan->export, SEGMENT_DESTINATION, i), STR("id")),
                id))
            return 0;
    return segment_refuse(item, "destinationId", err,
                          "no such destination was read, expected the answer of GET "
                          "/destinations/%.*s too",
                          (int)(id.len < 64 ? id.len : 64), id.ptr);
}

/* Segment's catalog entry of the destination lists actions too, also those newer than our table. */
static struct str slug_in_metadata(const struct segment_item *destination, struct str action_id)
{
    struct jv list = jv_get(jv_get(destination->value, STR("metadata")), STR("actions"));
    for (uint32_t i = 0; list.type == JV_ARRAY && i < list.len; i++) {
        struct segment_item action = {.value = list.items[i]};
        if (str_eq(segment_text(&action, STR("id")), action_id))
            return segment_text(&action, STR("slug"));
    }
    return STR("");
}

static const char *example_of(enum destination_kind kind)
{
    return kind == DESTINATION_BRAZE_COHORTS ? "expected syncAudiences"
                                             : "expected one such as trackEvent";
}

/* NULL: refused. */
static const struct segment_action *find_action(const struct planned_destination *owner,
                                                const struct segment_item *item, struct err *err)
{
    struct str slug = segment_text(item, STR("actionSlug"));
    struct str id = segment_text(item, STR("actionId"));
    if (slug.len == 0 && id.len == 0) {
        segment_refuse(item, "", err,
                       "'actionSlug' is missing, expected an action such as trackEvent");
        return NULL;
    }
    const struct segment_action *action = slug.len > 0 ? segment_action_by_slug(owner->kind, slug)
                                                       : segment_action_by_id(owner->kind, id);
    if (action == NULL && slug.len == 0)
        action = segment_action_by_slug(owner->kind, slug_in_metadata(owner->item, id));
    if (action == NULL) {
        struct str near = segment_action_nearest(owner->kind, slug);
        struct str shown = slug.len > 0 ? slug : id;
        segment_refuse(item, slug.len > 0 ? "actionSlug" : "actionId", err,
                       "'%.*s' is no action of %s, %s%.*s%s",
                       (int)(shown.len < 60 ? shown.len : 60), shown.ptr,
                       owner->kind == DESTINATION_BRAZE_COHORTS ? "Braze Cohorts"
                                                                : "Braze Cloud Mode (Actions)",
                       near.len > 0 ? "did you mean '" : example_of(owner->kind), STR_ARG(near),
                       near.len > 0 ? "'?" : "");
    }
    return action;
}

static struct jv subscription_of(struct plan *plan, struct jv value, struct str slug)
{
    struct jv name = jv_get(value, STR("name"));
    struct jv_builder b;
    jv_object_begin(&b, plan->arena, 5);
    if (name.type == JV_STRING)
        jv_object_put(&b, STR("name"), name);
    jv_object_put(&b, STR("enabled"), jv_get(value, STR("enabled")));
    jv_object_put(&b, STR("subscribe"), jv_get(value, STR("trigger")));
    jv_object_put(&b, STR("partnerAction"), jv_string(slug));
    jv_object_put(&b, STR("mapping"), jv_get(value, STR("settings")));
    plan->failed = plan->failed || b.failed;
    return jv_object_end(&b);
}

/* Takes a subscription in, or notes why not. */
static int take_subscription(struct plan *plan, const struct segment_item *item, struct err *err)
{
    static const struct required rows[] = {
        {STR_INIT("enabled"), JV_BOOL, "true or false"},
        {STR_INIT("trigger"), JV_STRING, "the condition, such as type = \"track\""},
        {STR_INIT("settings"), JV_OBJECT, "the mapping, an object"},
    };
    struct planned_destination *owner;
    int rc = find_owner(plan, item, &owner, err);
    if (rc != 0 || owner == NULL)
        return rc;
    owner->seen++;
    if (segment_text(item, STR("modelId")).len > 0) {
        plan_note(plan,
                  "left out: mapping %.*s: it reads a warehouse (reverse ETL), and Spelter takes "
                  "events only; it would need to arrive as events",
                  STR_ARG(title(plan, item)));
        return 0;
    }
    const struct segment_action *action = find_action(owner, item, err);
    if (action == NULL)
        return -EINVAL;
    if (action->left_out != NULL) {
        plan_note(plan, "left out: mapping %.*s (%.*s): %s", STR_ARG(title(plan, item)),
                  STR_ARG(action->slug), action->left_out);
        return 0;
    }
    rc = check_required(item, rows, countof(rows), err);
    if (rc != 0)
        return rc;
    struct planned_subscription *list =
        room_for_one(plan, owner->subscriptions, owner->subscription_count,
                     &owner->subscription_cap, sizeof(*list));
    if (list == NULL)
        return err_set(err, -ENOMEM, 0, "out of memory");
    owner->subscriptions = list;
    list[owner->subscription_count++] = (struct planned_subscription){
        .item = item, .written = subscription_of(plan, item->value, action->slug)};
    return 0;
}

/* A destination without mappings sends nothing at Segment. One that is enabled is more likely to
 * lack a file, and a config without its mappings would lose its events. */
static int drop_empty(struct plan *plan, struct err *err)
{
    size_t kept = 0;
    for (size_t i = 0; i < plan->destination_count; i++) {
        const struct planned_destination *d = &plan->destinations[i];
        if (d->subscription_count > 0) {
            plan->destinations[kept++] = *d;
            continue;
        }
        if (d->seen == 0 && d->enabled)
            return segment_refuse(d->item, "", err,
                                  "no subscriptions of this destination were read, expected the "
                                  "answer of GET /destinations/%.*s/subscriptions",
                                  STR_ARG(segment_text(d->item, STR("id"))));
        plan_note(plan, "left out: destination %.*s: it has no mapping that can be imported",
                  STR_ARG(title(plan, d->item)));
    }
    plan->destination_count = kept;
    return kept > 0 ? 0
                    : err_set(err, -EINVAL, 0,
                              "nothing to import: no destination has a mapping that works on "
                              "events");
}

static int check_pages(struct plan *plan, struct err *err)
{
    const struct segment_item *page = segment_export_gap(plan->export, SEGMENT_SUBSCRIPTION);
    if (page != NULL)
        return segment_refuse(page, "next", err,
                              "there is a next page of subscriptions, expected it among what was "
                              "read");
    page = segment_export_gap(plan->export, SEGMENT_DESTINATION);
    if (page != NULL)
        plan_note(plan, "%s has a next page of destinations, which was not read", page->file);
    return 0;
}

static void note_filters(struct plan *plan)
{
    for (size_t i = 0; i < segment_export_count(plan->export, SEGMENT_FILTER); i++) {
        const struct segment_item *filter = segment_export_item(plan->export, SEGMENT_FILTER, i);
        struct str owner = segment_text(filter, STR("destinationId"));
        for (size_t d = 0; d < plan->destination_count; d++)
            if (str_eq(segment_text(plan->destinations[d].item, STR("id")), owner))
                plan_note(plan,
                          "left out: filter %.*s of destination %.*s: Spelter has no filters of "
                          "destinations; where it drops events, its condition can go into each "
                          "subscription",
                          STR_ARG(title(plan, filter)),
                          STR_ARG(title(plan, plan->destinations[d].item)));
    }
}

/* At Segment a mapping only sees the audience that is connected to it. */
static void note_audiences(struct plan *plan)
{
    for (size_t i = 0; i < plan->destination_count; i++) {
        const struct planned_destination *d = &plan->destinations[i];
        if (d->kind == DESTINATION_BRAZE_COHORTS && d->subscription_count > 1)
            plan_note(plan,
                      "destination %.*s has a mapping for each audience, and each calls the other "
                      "audiences' events errors: one with personas_audience_key {\"@path\": "
                      "\"$.context.personas.computation_key\"} does for all of them",
                      STR_ARG(title(plan, d->item)));
    }
}

int plan_make(struct plan *plan, struct err *err)
{
    int rc = check_pages(plan, err);
    if (rc == 0)
        rc = pick_destinations(plan, err);
    for (size_t i = 0; rc == 0 && i < segment_export_count(plan->export, SEGMENT_SUBSCRIPTION); i++)
        rc = take_subscription(plan, segment_export_item(plan->export, SEGMENT_SUBSCRIPTION, i),
                               err);
    if (rc == 0)
        rc = drop_empty(plan, err);
    if (rc == 0)
        note_filters(plan);
    if (rc == 0)
        note_audiences(plan);
    if (rc == 0)
        rc = names_give(plan, err);
    if (rc == 0 && plan->failed)
        rc = err_set(err, -ENOMEM, 0, "out of memory");
    return rc;
}
