#include "catalogs.h"

#include <stdio.h>
#include <stdlib.h>

#include "nested.h"
#include "text.h"
#include "times.h"

enum { UNIX_SECONDS_MAX = INT32_MAX };

bool catalog_name_is(struct str text)
{
    if (text.len == 0 || text.len > CATALOG_NAME_CHARACTERS_MAX)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-' || c == '_'))
            return false;
    }
    return true;
}

static const char coerce_error[] = "unable-to-coerce-value";

static struct jv fail(const char **error, const char *id)
{
    *error = id;
    return jv_undefined();
}

static struct jv to_string(struct call *c, struct jv value, const char **error)
{
    struct str text = jv_str(value);
    if (value.type == JV_NUMBER)
        text = text_of_number(c->arena, value);
    else if (value.type == JV_BOOL)
        text = value.boolean ? STR("true") : STR("false");
    else if (value.type != JV_STRING)
        return fail(error, coerce_error);
    if (text_chars(text) > CATALOG_VALUE_CHARACTERS_MAX)
        return fail(error, "items-too-large");
    return jv_string(text);
}

static struct jv to_number(struct call *c, struct jv value, const char **error)
{
    struct jv number = value;
    struct err err = {0};
    if (value.type == JV_STRING &&
        jv_parse(&number, c->arena, str_trim(jv_str(value)), JV_EXACT, &err) != 0)
        return fail(error, coerce_error);
    return number.type == JV_NUMBER ? number : fail(error, coerce_error);
}

static struct jv to_boolean(struct call *c, struct jv value, const char **error)
{
    (void)c;
    if (value.type == JV_BOOL)
        return value;
    if (str_eq_nocase(jv_str(value), STR("true")) || str_eq_nocase(jv_str(value), STR("false")))
        return jv_bool(value.len == 4);
    return fail(error, coerce_error);
}

static struct jv to_time(struct call *c, struct jv value, const char **error)
{
    int64_t ms;
    int64_t seconds;
    if (value.type == JV_STRING && time_is(jv_str(value), &ms))
        return jv_string(time_text(c->arena, ms));
    if (number_is_i64(value, &seconds) && seconds >= 0 && seconds <= UNIX_SECONDS_MAX)
        return jv_string(time_text(c->arena, seconds * 1000));
    return fail(error, coerce_error);
}

static struct jv to_geo(struct call *c, struct jv value, const char **error)
{
    (void)c;
    if (value.type == JV_ARRAY && value.len == 2 && value.items[0].type == JV_NUMBER &&
        value.items[1].type == JV_NUMBER)
        return value;
    return fail(error, coerce_error);
}

static const char *object_fault(struct jv value)
{
    for (uint32_t i = 0; (value.type == JV_OBJECT || value.type == JV_ARRAY) && i < value.len;
         i++) {
        if (value.type == JV_OBJECT) {
            struct str key = value.members[i].key;
            if (str_find(key, '.') < key.len || str_find(key, '$') < key.len)
                return "invalid-keys-in-value-object";
        }
        const char *fault =
            object_fault(value.type == JV_OBJECT ? value.members[i].value : value.items[i]);
        if (fault != NULL)
            return fault;
    }
    return NULL;
}

static struct jv to_object(struct call *c, struct jv value, const char **error)
{
    (void)c;
    if (value.type != JV_OBJECT)
        return fail(error, coerce_error);
    if (json_depth(value) > DEPTH_MAX)
        return fail(error, "too-deep-nesting-in-value-object");
    const char *fault = object_fault(value);
    return fault != NULL ? fail(error, fault) : value;
}

static struct jv to_array(struct call *c, struct jv value, const char **error)
{
    (void)c;
    if (value.type != JV_ARRAY)
        return fail(error, coerce_error);
    if (value.len > CATALOG_ARRAY_MAX)
        return fail(error, "item-array-invalid");
    for (uint32_t i = 0; i < value.len; i++)
        if (value.items[i].type != JV_STRING)
            return fail(error, "item-array-invalid");
    return value;
}

static const struct {
    struct str type;
    struct jv (*coerce)(struct call *c, struct jv value, const char **error);
} types[] = {
    {STR_INIT("string"), to_string},   {STR_INIT("number"), to_number},
    {STR_INIT("boolean"), to_boolean}, {STR_INIT("time"), to_time},
    {STR_INIT("geo"), to_geo},         {STR_INIT("object"), to_object},
    {STR_INIT("array"), to_array},
};

bool catalog_type_is(struct str type)
{
    for (size_t i = 0; i < countof(types); i++)
        if (str_eq(types[i].type, type))
            return true;
    return false;
}

static struct jv coerce(struct call *c, struct str type, struct jv value, const char **error)
{
    if (value.type == JV_NULL)
        return value;
    for (size_t i = 0; i < countof(types); i++)
        if (str_eq(types[i].type, type))
            return types[i].coerce(c, value, error);
    return fail(error, coerce_error);
}

static bool has_text(const struct jv *items, uint32_t count, struct jv text)
{
    for (uint32_t i = 0; i < count; i++)
        if (jv_equal(items[i], text))
            return true;
    return false;
}

/* {"$add":[..],"$remove":[..]} on an array field */
static struct jv operate(struct call *c, struct jv before, struct jv operation, const char **error)
{
    struct jv add = jv_get(operation, STR("$add"));
    struct jv remove = jv_get(operation, STR("$remove"));
    uint32_t old = before.type == JV_ARRAY ? before.len : 0;
    uint32_t added = add.type == JV_ARRAY ? add.len : 0;
    if (added > CATALOG_ARRAY_MAX)
        return fail(error, "item-array-invalid");
    struct jv *items;
    struct jv array = jv_array(c->arena, &items, (size_t)old + added);
    if (array.type != JV_ARRAY)
        return fail(error, "arbitrary-error");
    uint32_t count = 0;
    for (uint32_t i = 0; i < old; i++)
        if (remove.type != JV_ARRAY || !has_text(remove.items, remove.len, before.items[i]))
            items[count++] = before.items[i];
    for (uint32_t i = 0; i < added; i++)
        if (!has_text(items, count, add.items[i]))
            items[count++] = add.items[i];
    array.len = count;
    return to_array(c, array, error);
}

static struct str field_type(struct jv fields, struct str name)
{
    for (uint32_t i = 0; fields.type == JV_ARRAY && i < fields.len; i++)
        if (str_eq(jv_str(jv_get(fields.items[i], STR("name"))), name))
            return jv_str(jv_get(fields.items[i], STR("type")));
    return STR("");
}

struct jv catalog_clean_item(struct call *c, struct jv fields, struct str id, struct jv sent,
                             struct jv before, const char **error)
{
    struct jv_builder b;
    *error = NULL;
    jv_object_begin(&b, c->arena, sent.len + before.len + 1);
    jv_object_put(&b, STR("id"), jv_string(id));
    jv_object_put_all(&b, before);
    for (uint32_t i = 0; i < sent.len && *error == NULL; i++) {
        struct str name = sent.members[i].key;
        struct jv value = sent.members[i].value;
        struct str type = field_type(fields, name);
        if (str_eq(name, STR("id")))
            continue;
        if (type.len == 0)
            return fail(error, "invalid-fields");
        bool operation =
            str_eq(type, STR("array")) && before.type == JV_OBJECT && nested_is_operation(value);
        struct jv clean = operation ? operate(c, jv_get(before, name), value, error)
                                    : coerce(c, type, value, error);
        jv_object_put(&b, name, clean);
    }
    return *error == NULL ? jv_object_end(&b) : jv_undefined();
}
