#include "identify.h"

#include <errno.h>

#include "exchange.h"
#include "shared_fields.h"

/* clang-format off */
static const struct str merge_behaviors[] = {STR_INIT("none"), STR_INIT("merge")};
static const struct str priorities[] = {
    STR_INIT("unidentified"), STR_INIT("most_recently_updated"), STR_INIT("least_recently_updated"),
};
static const struct field prioritization_fields[] = {
    {FIELD("first_priority", "First Priority", FIELD_STRING), FIELD_CHOICES(priorities)},
    {FIELD("second_priority", "Second Priority", FIELD_STRING), FIELD_CHOICES(priorities)},
};

static const struct condition without_email[] = {{.key = STR_INIT("email_to_identify")}};
static const struct condition without_alias[] = {{.key = STR_INIT("user_alias")}};
static const struct condition with_email[] = {{.key = STR_INIT("email_to_identify"), .is_not = true}};

const struct field identify_fields[IDENTIFY_ROWS] = {
    [IDENTIFY_EXTERNAL_ID] = {FIELD("external_id", "External ID", FIELD_STRING), .required = true},
    [IDENTIFY_USER_ALIAS] = {FIELD("user_alias", "User Alias Object", FIELD_OBJECT), .required = true,
        FIELD_PARTS(required_alias_fields)},
    [IDENTIFY_MERGE_BEHAVIOR] = {FIELD("merge_behavior", "Merge Behavior", FIELD_STRING),
        FIELD_CHOICES(merge_behaviors)},
};

const struct field identify2_fields[IDENTIFY2_ROWS] = {
    [IDENTIFY2_EXTERNAL_ID] = {FIELD("external_id", "External ID", FIELD_STRING), .required = true},
    [IDENTIFY2_USER_ALIAS] = {FIELD("user_alias", "User Alias Object", FIELD_OBJECT),
        .required_if = FIELD_REQUIRED_WHEN_ALL(without_email), FIELD_PARTS(required_alias_fields)},
    [IDENTIFY2_EMAIL] = {FIELD("email_to_identify", "Email to Identify", FIELD_STRING),
        .required_if = FIELD_REQUIRED_WHEN_ALL(without_alias)},
    [IDENTIFY2_PRIORITIZATION] = {FIELD("prioritization", "Prioritization", FIELD_OBJECT),
        .required_if = FIELD_REQUIRED_WHEN_ALL(with_email), FIELD_PARTS(prioritization_fields)},
    [IDENTIFY2_MERGE_BEHAVIOR] = {FIELD("merge_behavior", "Merge Behavior", FIELD_STRING),
        FIELD_CHOICES(merge_behaviors)},
};
/* clang-format on */

/* [{"external_id": ..., KEY: value}] or, with a list, its third
 * member. undefined when the arena is full. */
static struct jv pairs(struct arena *a, struct jv external_id, struct str key, struct jv value,
                       struct jv prioritization)
{
    struct jv *items;
    struct jv array = jv_array(a, &items, 1);
    if (array.type != JV_ARRAY)
        return array;
    struct jv_builder b;
    jv_object_begin(&b, a, 3);
    put(&b, STR("external_id"), external_id);
    put(&b, key, value);
    put(&b, STR("prioritization"), prioritization);
    items[0] = jv_object_end(&b);
    return items[0].type == JV_OBJECT ? array : jv_undefined();
}

static int finish(struct built *out, struct jv_builder *b, struct arena *a)
{
    struct jv *objects = arena_array(a, 1, sizeof(*objects));
    struct jv body = jv_object_end(b);
    if (objects == NULL || body.type != JV_OBJECT)
        return -ENOMEM;
    objects[0] = body;
    out->objects = objects;
    out->count = 1;
    return 0;
}

int identify_build(const struct call *call, const struct record *r, struct arena *a,
                   struct built *out)
{
    (void)call;
    const struct jv *v = r->values;
    struct jv external_id = v[IDENTIFY_EXTERNAL_ID];
    struct jv alias = v[IDENTIFY_USER_ALIAS];
    struct jv aliases = pairs(a, external_id, STR("user_alias"), alias, jv_undefined());
    if (aliases.type != JV_ARRAY)
        return -ENOMEM;
    struct jv_builder b;
    jv_object_begin(&b, a, 2);
    jv_object_put(&b, STR("aliases_to_identify"), aliases);
    put(&b, STR("merge_behavior"), v[IDENTIFY_MERGE_BEHAVIOR]);
    out->users[0] = (struct identity){.external_id = external_id, .user_alias = alias};
    out->user_count = 1;
    return finish(out, &b, a);
}

/* [first, second]; the reference sends null for a missing first one. */
static struct jv priority_list(struct arena *a, enum parity parity, struct jv prioritization)
{
    struct jv first = jv_get(prioritization, STR("first_priority"));
    struct jv second = jv_get(prioritization, STR("second_priority"));
    struct jv *items;
    struct jv array = jv_array(a, &items, 2);
    if (array.type != JV_ARRAY)
        return array;
    array.len = 0;
    if (parity == PARITY_STRICT || jv_truthy(first))
        items[array.len++] = first;
    if (jv_truthy(second))
        items[array.len++] = second;
    return array;
}

int identify2_build(const struct call *call, const struct record *r, struct arena *a,
                    struct built *out)
{
    const struct jv *v = r->values;
    struct jv external_id = v[IDENTIFY2_EXTERNAL_ID];
    struct jv alias = v[IDENTIFY2_USER_ALIAS];
    struct jv email = v[IDENTIFY2_EMAIL];
    struct jv_builder b;
    jv_object_begin(&b, a, 3);
    put(&b, STR("merge_behavior"), v[IDENTIFY2_MERGE_BEHAVIOR]);
    out->users[out->user_count++] = (struct identity){.external_id = external_id};
    if (jv_truthy(alias)) {
        struct jv aliases = pairs(a, external_id, STR("user_alias"), alias, jv_undefined());
        if (aliases.type != JV_ARRAY)
            return -ENOMEM;
        jv_object_put(&b, STR("aliases_to_identify"), aliases);
        out->users[out->user_count++] = (struct identity){.user_alias = alias};
    }
    if (jv_truthy(email)) {
        struct jv list = priority_list(a, call->parity, v[IDENTIFY2_PRIORITIZATION]);
        struct jv emails = pairs(a, external_id, STR("email"), email, list);
        if (list.type != JV_ARRAY || emails.type != JV_ARRAY)
            return -ENOMEM;
        jv_object_put(&b, STR("emails_to_identify"), emails);
        out->users[out->user_count++] = (struct identity){.email = email};
    }
    return finish(out, &b, a);
}

int identify2_settle(const struct call *call, struct exchange *x)
{
    struct jv body = x->response.body;
    if (!exchange_ok(x)) {
        exchange_fail_with_message(x);
        return 0;
    }
    if (jv_is_nullish(body)) {
        x->failure = exchange_type_failure(body, STR("errors"), x->arena);
        return 0;
    }
    struct jv errors = jv_get(body, STR("errors"));
    if (errors.type != JV_ARRAY || errors.len == 0)
        return 0;
    if (errors.items[0].type == JV_NULL && call->parity == PARITY_STRICT) {
        x->failure = exchange_type_failure(errors.items[0], STR("type"), x->arena);
        return 0;
    }
    return exchange_fail_api(x, jv_get(errors.items[0], STR("type")), 400);
}
