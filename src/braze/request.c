#include "request.h"

#include <errno.h>

#include "bounds.h"

/* clang-format off */

/* Below /partners/NAME, which ends the endpoint of such a destination. */
#define COHORT_CHANGE {"POST", "/cohorts/users", "cohort_changes", COHORT_IDS_MAX, COMPANY_ONCE}

static const struct family_row families[] = {
    [FAMILY_TRACK_ATTRIBUTES]      = {"POST", "/users/track", "attributes", TRACK_OBJECTS_MAX, COMPANY_ORDERED},
    [FAMILY_TRACK_EVENTS]          = {"POST", "/users/track", "events", TRACK_OBJECTS_MAX, COMPANY_ORDERED},
    [FAMILY_TRACK_PURCHASES]       = {"POST", "/users/track", "purchases", TRACK_OBJECTS_MAX, COMPANY_ORDERED},
    [FAMILY_ALIAS_NEW]             = {"POST", "/users/alias/new", "user_aliases", ADMIN_IDS_MAX, COMPANY_NEVER},
    [FAMILY_IDENTIFY]              = {"POST", "/users/identify", NULL, 1, COMPANY_NEVER},
    [FAMILY_DELETE]                = {"POST", "/users/delete", "external_ids", ADMIN_IDS_MAX, COMPANY_NEVER},
    [FAMILY_CATALOG_ITEM]          = {"PUT", NULL, "items", ADMIN_IDS_MAX, COMPANY_NEVER},
    [FAMILY_CATALOG_DELETE]        = {"DELETE", NULL, "items", ADMIN_IDS_MAX, COMPANY_NEVER},
    [FAMILY_CAMPAIGN_TRIGGER]      = {"POST", "/campaigns/trigger/send", NULL, 1, COMPANY_NEVER},
    [FAMILY_CANVAS_TRIGGER]        = {"POST", "/canvas/trigger/send", NULL, 1, COMPANY_NEVER},
    [FAMILY_COHORT]                = {"POST", "/cohorts", NULL, 1, COMPANY_NEVER},
    [FAMILY_COHORT_ADD_USER]       = COHORT_CHANGE,
    [FAMILY_COHORT_ADD_DEVICE]     = COHORT_CHANGE,
    [FAMILY_COHORT_ADD_ALIAS]      = COHORT_CHANGE,
    [FAMILY_COHORT_REMOVE_USER]    = COHORT_CHANGE,
    [FAMILY_COHORT_REMOVE_DEVICE]  = COHORT_CHANGE,
    [FAMILY_COHORT_REMOVE_ALIAS]   = COHORT_CHANGE,
};
/* clang-format on */

const struct family_row *family_row(enum request_family family)
{
    assert((size_t)family < countof(families));
    return &families[family];
}

int request_make(struct request *out, enum request_family family, struct str path,
                 const struct jv *objects, size_t count, struct arena *a)
{
    const struct family_row *row = family_row(family);
    *out = (struct request){
        .method = row->method,
        .path = row->path == NULL ? path : str_from(row->path),
    };
    if (row->array_key == NULL) {
        assert(count == 1);
        out->body = objects[0];
        return 0;
    }
    struct jv_member *member = arena_alloc(a, sizeof(*member));
    if (member == NULL)
        return -ENOMEM;
    member->key = str_from(row->array_key);
    member->value = (struct jv){.type = JV_ARRAY, .len = (uint32_t)count, .items = objects};
    out->body = (struct jv){.type = JV_OBJECT, .len = 1, .members = member};
    return 0;
}

static struct str concat(struct arena *a, struct str head, struct str tail)
{
    char *text = arena_alloc(a, head.len + tail.len);
    if (text == NULL)
        return (struct str){NULL, 0};
    if (head.len > 0)
        memcpy(text, head.ptr, head.len);
    if (tail.len > 0)
        memcpy(text + head.len, tail.ptr, tail.len);
    return (struct str){text, head.len + tail.len};
}

struct jv request_describe(const struct request *r, struct jv settings, struct arena *a)
{
    struct str key = text_of(a, jv_get(settings, STR("api_key")));
    struct str endpoint = text_of(a, jv_get(settings, STR("endpoint")));
    struct str bearer = concat(a, STR("Bearer "), key);
    struct str url = concat(a, endpoint, r->path);
    struct jv_builder headers;
    jv_object_begin(&headers, a, 4);
    if (!r->is_open)
        jv_object_put(&headers, STR("authorization"), jv_string(bearer));
    if (r->body.type != JV_UNDEFINED)
        jv_object_put(&headers, STR("content-type"), jv_string(STR("application/json")));
    jv_object_put(&headers, STR("user-agent"), jv_string(STR("Segment (Actions)")));
    if (r->is_batch)
        jv_object_put(&headers, STR("x-braze-batch"), jv_string(STR("true")));

    struct jv_builder b;
    jv_object_begin(&b, a, 4);
    jv_object_put(&b, STR("method"), jv_string(str_from(r->method)));
    jv_object_put(&b, STR("url"), jv_string(url));
    jv_object_put(&b, STR("headers"), jv_object_end(&headers));
    put(&b, STR("json"), r->body);
    return url.ptr == NULL || bearer.ptr == NULL ? jv_undefined() : jv_object_end(&b);
}
