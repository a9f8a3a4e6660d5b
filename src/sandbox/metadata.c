#include "metadata.h"

#include "paging.h"
#include "text.h"
#include "times.h"

enum { LIST_PAGE = 100, NAME_PAGE = 250, PAGE_MAX = INT32_MAX };

struct list_kind {
    enum workspace_list list;
    struct str key;
    const struct str *fields; /* of each row, besides id */
    size_t field_count;
};

static const struct str campaign_fields[] = {STR_INIT("last_edited"), STR_INIT("name"),
                                             STR_INIT("is_api_campaign"), STR_INIT("tags")};
static const struct str canvas_fields[] = {STR_INIT("last_edited"), STR_INIT("name"),
                                           STR_INIT("tags")};
static const struct str segment_fields[] = {
    STR_INIT("name"), STR_INIT("analytics_tracking_enabled"), STR_INIT("tags")};

/* What a row of the workspace file does not say. */
static struct jv missing_value(struct call *c, struct jv row, struct str field)
{
    static const struct str flags[] = {STR_INIT("is_api_campaign"), STR_INIT("enabled")};
    static const struct str lists[] = {STR_INIT("tags"),  STR_INIT("channels"),
                                       STR_INIT("teams"), STR_INIT("variants"),
                                       STR_INIT("steps"), STR_INIT("conversion_behaviors")};
    static const struct str times[] = {STR_INIT("last_edited"), STR_INIT("created_at"),
                                       STR_INIT("updated_at")};
    static const struct str texts[] = {STR_INIT("description"), STR_INIT("schedule_type")};
    if (str_eq(field, STR("name")))
        return jv_get(row, STR("id"));
    if (str_eq(field, STR("messages")))
        return (struct jv){.type = JV_OBJECT};
    for (size_t i = 0; i < countof(flags); i++)
        if (str_eq(flags[i], field))
            return jv_bool(true);
    for (size_t i = 0; i < countof(lists); i++)
        if (str_eq(lists[i], field))
            return (struct jv){.type = JV_ARRAY};
    for (size_t i = 0; i < countof(times); i++)
        if (str_eq(times[i], field))
            return jv_string(time_text(c->arena, 0));
    for (size_t i = 0; i < countof(texts); i++)
        if (str_eq(texts[i], field))
            return text_value("");
    return jv_bool(false);
}

static void put_fields(struct call *c, struct jv row, const struct str *fields, size_t count,
                       struct jv_builder *b)
{
    for (size_t i = 0; i < count; i++) {
        struct jv value = jv_get(row, fields[i]);
        jv_object_put(b, fields[i],
                      value.type == JV_UNDEFINED ? missing_value(c, row, fields[i]) : value);
    }
}

static void reply_list(struct call *c, const struct list_kind *kind)
{
    bool ok;
    struct jv rows = workspace_list(c->sandbox->workspace, kind->list);
    uint64_t page = query_number(&c->query, STR("page"), 0, PAGE_MAX, &ok);
    bool archived_too = str_eq(query_get(&c->query, STR("include_archived")), STR("true"));
    bool descending = str_eq(query_get(&c->query, STR("sort_direction")), STR("desc"));
    struct str edited_after = query_get(&c->query, STR("last_edit.time[gt]"));
    int64_t after_ms = INT64_MIN;
    if (!ok || (edited_after.len > 0 && !time_is(edited_after, &after_ms))) {
        call_message(c, 400, ok ? "last_edit.time must be a time" : "page must be a whole number");
        return;
    }
    struct jv *items;
    struct jv list = jv_array(c->arena, &items, LIST_PAGE);
    uint64_t seen = 0;
    list.len = 0;
    for (uint32_t i = 0; i < rows.len && list.len < LIST_PAGE; i++) {
        struct jv row = rows.items[descending ? rows.len - 1 - i : i];
        struct jv archived = jv_get(row, STR("archived"));
        int64_t edited_ms = 0;
        (void)time_is(jv_str(jv_get(row, STR("last_edited"))), &edited_ms);
        if ((archived.type == JV_BOOL && archived.boolean && !archived_too) ||
            edited_ms <= after_ms || seen++ < page * LIST_PAGE)
            continue;
        struct jv_builder b;
        jv_object_begin(&b, c->arena, 5);
        jv_object_put(&b, STR("id"), jv_get(row, STR("id")));
        put_fields(c, row, kind->fields, kind->field_count, &b);
        items[list.len++] = jv_object_end(&b);
    }
    struct jv_builder b;
    jv_object_begin(&b, c->arena, 2);
    jv_object_put(&b, kind->key, list);
    call_success(c, 200, &b);
}

void answer_campaigns_list(struct call *c)
{
    static const struct list_kind kind = {LIST_CAMPAIGNS, STR_INIT("campaigns"), campaign_fields,
                                          countof(campaign_fields)};
    reply_list(c, &kind);
}

void answer_canvas_list(struct call *c)
{
    static const struct list_kind kind = {LIST_CANVASES, STR_INIT("canvases"), canvas_fields,
                                          countof(canvas_fields)};
    reply_list(c, &kind);
}

void answer_segments_list(struct call *c)
{
    static const struct list_kind kind = {LIST_SEGMENTS, STR_INIT("segments"), segment_fields,
                                          countof(segment_fields)};
    reply_list(c, &kind);
}

static void reply_details(struct call *c, enum workspace_list list, struct str id,
                          const char *unknown, const struct str *fields, size_t count)
{
    struct jv row = workspace_find(c->sandbox->workspace, list, id);
    if (row.type != JV_OBJECT) {
        call_message(c, 400, unknown);
        return;
    }
    struct jv_builder b;
    jv_object_begin(&b, c->arena, (uint32_t)count + 1);
    put_fields(c, row, fields, count, &b);
    call_success(c, 200, &b);
}

void answer_campaign_details(struct call *c)
{
    static const struct str fields[] = {STR_INIT("created_at"),
                                        STR_INIT("updated_at"),
                                        STR_INIT("archived"),
                                        STR_INIT("draft"),
                                        STR_INIT("enabled"),
                                        STR_INIT("name"),
                                        STR_INIT("has_post_launch_draft"),
                                        STR_INIT("schedule_type"),
                                        STR_INIT("description"),
                                        STR_INIT("channels"),
                                        STR_INIT("tags"),
                                        STR_INIT("teams"),
                                        STR_INIT("messages"),
                                        STR_INIT("conversion_behaviors")};
    reply_details(c, LIST_CAMPAIGNS, query_get(&c->query, STR("campaign_id")),
                  "campaign_id must be a string of the campaign api identifier", fields,
                  countof(fields));
}

void answer_canvas_details(struct call *c)
{
    static const struct str fields[] = {STR_INIT("created_at"), STR_INIT("updated_at"),
                                        STR_INIT("name"),       STR_INIT("description"),
                                        STR_INIT("archived"),   STR_INIT("draft"),
                                        STR_INIT("enabled"),    STR_INIT("has_post_launch_draft"),
                                        STR_INIT("teams"),      STR_INIT("schedule_type"),
                                        STR_INIT("channels"),   STR_INIT("variants"),
                                        STR_INIT("tags"),       STR_INIT("steps")};
    reply_details(c, LIST_CANVASES, query_get(&c->query, STR("canvas_id")),
                  "canvas_id must be a string of the Canvas api identifier", fields,
                  countof(fields));
}

void answer_segment_details(struct call *c)
{
    static const struct str fields[] = {STR_INIT("created_at"),  STR_INIT("updated_at"),
                                        STR_INIT("name"),        STR_INIT("teams"),
                                        STR_INIT("description"), STR_INIT("tags")};
    reply_details(c, LIST_SEGMENTS, query_get(&c->query, STR("segment_id")),
                  "segment_id must be a string of the segment api identifier", fields,
                  countof(fields));
}

static void reply_names(struct call *c, enum name_kind kind, struct str key)
{
    bool ok;
    uint64_t page = query_number(&c->query, STR("page"), 0, PAGE_MAX, &ok);
    if (!ok) {
        call_message(c, 400, "page must be a whole number");
        return;
    }
    size_t count;
    const struct name **sorted = names_sorted(c->sandbox->names, kind, c->arena, &count);
    struct jv *items;
    struct jv list = jv_array(c->arena, &items, NAME_PAGE);
    list.len = 0;
    for (uint64_t i = page * NAME_PAGE; i < count && list.len < NAME_PAGE; i++)
        items[list.len++] = jv_string(sorted[i]->text);
    struct jv_builder b;
    jv_object_begin(&b, c->arena, 2);
    jv_object_put(&b, key, list);
    call_success(c, 200, &b);
}

void answer_events_list(struct call *c)
{
    reply_names(c, NAME_EVENT, STR("events"));
}

void answer_products(struct call *c)
{
    reply_names(c, NAME_PRODUCT, STR("products"));
}

static struct jv print_name(struct call *c, const struct name *name)
{
    struct jv_builder b;
    jv_object_begin(&b, c->arena, 6);
    if (name->kind == NAME_ATTRIBUTE) {
        bool is_array = name->type == DATA_ARRAY;
        jv_object_put(&b, STR("array_length"),
                      is_array ? jv_number((double)call_choice(c, CHOICE_ARRAY_MAX)) : jv_null());
        jv_object_put(&b, STR("data_type"), jv_string(data_type_name(name->type)));
    }
    jv_object_put(&b, STR("description"), text_value(""));
    jv_object_put(&b, STR("name"), jv_string(name->text));
    if (name->kind == NAME_EVENT)
        jv_object_put(&b, STR("included_in_analytics_report"), jv_bool(false));
    jv_object_put(&b, STR("status"), text_value("Active"));
    jv_object_put(&b, STR("tag_names"), (struct jv){.type = JV_ARRAY});
    return jv_object_end(&b);
}

static void reply_objects(struct call *c, enum name_kind kind, struct str key)
{
    size_t skip;
    size_t count;
    if (!paging_read(c, &skip)) {
        call_message(c, 400, "'cursor' is not valid");
        return;
    }
    const struct name **sorted = names_sorted(c->sandbox->names, kind, c->arena, &count);
    struct jv *items;
    struct jv list = jv_array(c->arena, &items, PAGING_CURSOR_PAGE);
    list.len = 0;
    for (size_t i = skip; i < count && list.len < PAGING_CURSOR_PAGE; i++)
        items[list.len++] = print_name(c, sorted[i]);
    paging_link(c, skip, count);
    struct jv_builder b;
    jv_object_begin(&b, c->arena, 2);
    jv_object_put(&b, key, list);
    call_success(c, 200, &b);
}

void answer_events(struct call *c)
{
    reply_objects(c, NAME_EVENT, STR("events"));
}

void answer_custom_attributes(struct call *c)
{
    reply_objects(c, NAME_ATTRIBUTE, STR("attributes"));
}
