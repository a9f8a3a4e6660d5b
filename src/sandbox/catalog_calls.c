#include "catalogs.h"

#include "text.h"
#include "times.h"

static const struct {
    const char *id;
    const char *text;
} error_texts[] = {
    {"catalog-not-found", "Could not find catalog"},
    {"item-not-found", "Could not find item"},
    {"item-already-exists", "The item already exists"},
    {"id-in-body", "The body must not contain an id"},
    {"invalid-fields", "Some of the fields given do not exist in the catalog"},
    {"items-missing-ids", "There are 1 item(s) that do not have ids"},
    {"invalid-cursor", "'cursor' is not valid"},
    {"ids-not-strings", "Ids must be strings"},
    {"ids-not-unique", "Ids must be unique within the request"},
    {"ids-too-large", "Ids must be 250 characters or fewer"},
    {"invalid-ids", "Ids may only contain letters, digits, hyphens and underscores"},
    {"invalid-keys-in-value-object", "Keys of objects must not contain '.' or '$'"},
    {"item-array-invalid", "Arrays hold at most 100 strings"},
    {"items-too-large", "Values must be 5,000 characters or fewer"},
    {"request-includes-too-many-items", "The request includes too many items"},
    {"too-deep-nesting-in-value-object", "Objects may have 50 levels"},
    {"unable-to-coerce-value", "A value does not fit its field's type"},
    {"company-size-limit-already-reached", "The catalogs are full"},
    {"catalog-name-already-exists", "A catalog with that name already exists"},
    {"catalog-array-invalid", "'catalogs' must be an array of objects"},
    {"catalog-name-too-large", "The name must be 250 characters or fewer"},
    {"description-too-long", "The description must be 250 characters or fewer"},
    {"field-names-not-unique", "Field names must be unique"},
    {"field-names-too-large", "Field names must be 250 characters or fewer"},
    {"id-not-first-column", "The first field must be 'id'"},
    {"invalid-catalog-name", "The name may only contain letters, digits, hyphens and underscores"},
    {"invalid-field-names",
     "Field names may only contain letters, digits, hyphens and underscores"},
    {"invalid-field-types", "A field's type is not known"},
    {"too-many-catalog-atoms", "Exactly one catalog may be created at a time"},
    {"too-many-fields", "A catalog has at most 500 fields"},
};

void catalog_refuse(struct call *c, unsigned status, const char *id, const char *text,
                    const char *parameter, struct str value)
{
    for (size_t i = 0; text == NULL && i < countof(error_texts); i++)
        if (str_eq(str_from(error_texts[i].id), str_from(id)))
            text = error_texts[i].text;
    struct jv name = text_value(parameter == NULL ? "" : parameter);
    struct jv shown = jv_string(value);
    uint32_t count = parameter == NULL ? 0 : 1;
    struct jv_builder error;
    jv_object_begin(&error, c->arena, 4);
    jv_object_put(&error, STR("id"), text_value(id));
    jv_object_put(&error, STR("message"), text_value(text == NULL ? id : text));
    jv_object_put(&error, STR("parameters"),
                  (struct jv){.type = JV_ARRAY, .len = count, .items = &name});
    jv_object_put(&error, STR("parameter_values"),
                  (struct jv){.type = JV_ARRAY, .len = count, .items = &shown});
    struct jv one = jv_object_end(&error);
    struct jv_builder b;
    jv_object_begin(&b, c->arena, 2);
    jv_object_put(&b, STR("errors"), (struct jv){.type = JV_ARRAY, .len = 1, .items = &one});
    jv_object_put(&b, STR("message"), text_value("Invalid Request"));
    call_reply(c, status, jv_object_end(&b));
}

struct catalog *catalog_of_path(struct call *c)
{
    struct catalog *catalog = catalogs_find(c->sandbox->catalogs, c->parameters[0]);
    if (catalog == NULL)
        catalog_refuse(c, 404, "catalog-not-found", NULL, "catalog_name", c->parameters[0]);
    return catalog;
}

static struct jv print_catalog(struct call *c, const struct catalog *catalog)
{
    struct jv definition = jv_undefined();
    struct err err = {0};
    int rc = jv_parse(&definition, c->arena, catalog->definition, JV_EXACT, &err);
    (void)rc; /* our own text; without memory the parts are missing */
    struct str at = time_text(c->arena, catalog->updated_ms);
    struct jv_builder b;
    jv_object_begin(&b, c->arena, 9);
    jv_object_put(&b, STR("description"), jv_get(definition, STR("description")));
    jv_object_put(&b, STR("fields"), jv_get(definition, STR("fields")));
    jv_object_put(&b, STR("name"), jv_string(catalog->name));
    jv_object_put(&b, STR("num_items"), jv_number((double)catalog->count));
    jv_object_put(&b, STR("updated_at"), jv_string(text_format(c->arena, "%.23s+00:00", at.ptr)));
    jv_object_put(&b, STR("source"), text_value("Braze"));
    jv_object_put(&b, STR("storage_size"), jv_number((double)catalog->bytes));
    jv_object_put(&b, STR("selections_size"), jv_number(0));
    jv_object_put(&b, STR("selections"), (struct jv){.type = JV_ARRAY});
    return jv_object_end(&b);
}

void answer_catalogs_list(struct call *c)
{
    size_t count = catalogs_count(c->sandbox->catalogs);
    struct jv *items;
    struct jv list = jv_array(c->arena, &items, count);
    for (size_t i = 0; list.type == JV_ARRAY && i < count; i++)
        items[i] = print_catalog(c, catalogs_at(c->sandbox->catalogs, i));
    struct jv_builder b;
    jv_object_begin(&b, c->arena, 2);
    jv_object_put(&b, STR("catalogs"), list);
    call_success(c, 200, &b);
}

static const char *check_field(struct jv field)
{
    struct jv name = jv_get(field, STR("name"));
    if (field.type != JV_OBJECT)
        return "invalid-fields";
    if (text_chars(jv_str(name)) > CATALOG_NAME_CHARACTERS_MAX)
        return "field-names-too-large";
    if (!catalog_name_is(jv_str(name)))
        return "invalid-field-names";
    return catalog_type_is(jv_str(jv_get(field, STR("type")))) ? NULL : "invalid-field-types";
}

static const char *check_fields(struct jv fields)
{
    if (fields.type != JV_ARRAY || fields.len == 0)
        return "invalid-fields";
    if (fields.len > CATALOG_FIELDS_MAX)
        return "too-many-fields";
    for (uint32_t i = 0; i < fields.len; i++) {
        const char *why = check_field(fields.items[i]);
        if (why != NULL)
            return why;
        for (uint32_t other = 0; other < i; other++)
            if (jv_equal(jv_get(fields.items[other], STR("name")),
                         jv_get(fields.items[i], STR("name"))))
                return "field-names-not-unique";
    }
    bool id_first = str_eq(jv_str(jv_get(fields.items[0], STR("name"))), STR("id")) &&
                    str_eq(jv_str(jv_get(fields.items[0], STR("type"))), STR("string"));
    return id_first ? NULL : "id-not-first-column";
}

/* NULL: well-formed. */
static const char *check_catalog(struct call *c, struct jv list)
{
    if (list.type != JV_ARRAY || list.len == 0 || list.items[0].type != JV_OBJECT)
        return "catalog-array-invalid";
    if (list.len > 1)
        return "too-many-catalog-atoms";
    struct jv name = jv_get(list.items[0], STR("name"));
    struct jv description = jv_get(list.items[0], STR("description"));
    if (text_chars(jv_str(name)) > CATALOG_NAME_CHARACTERS_MAX)
        return "catalog-name-too-large";
    if (!catalog_name_is(jv_str(name)))
        return "invalid-catalog-name";
    if (catalogs_find(c->sandbox->catalogs, jv_str(name)) != NULL)
        return "catalog-name-already-exists";
    if (text_chars(jv_str(description)) > CATALOG_DESCRIPTION_CHARACTERS_MAX)
        return "description-too-long";
    return check_fields(jv_get(list.items[0], STR("fields")));
}

/* The definition as it is kept: each field with its token, "-1" for id, then "0", "1", ... */
static struct jv define(struct call *c, struct jv catalog)
{
    struct jv fields = jv_get(catalog, STR("fields"));
    struct jv description = jv_get(catalog, STR("description"));
    struct jv *items;
    struct jv list = jv_array(c->arena, &items, fields.len);
    for (uint32_t i = 0; list.type == JV_ARRAY && i < fields.len; i++) {
        struct jv_builder field;
        jv_object_begin(&field, c->arena, 3);
        jv_object_put(&field, STR("name"), jv_get(fields.items[i], STR("name")));
        jv_object_put(&field, STR("type"), jv_get(fields.items[i], STR("type")));
        jv_object_put(&field, STR("token"), jv_string(text_format(c->arena, "%d", (int)i - 1)));
        items[i] = jv_object_end(&field);
    }
    struct jv_builder b;
    jv_object_begin(&b, c->arena, 2);
    jv_object_put(&b, STR("description"),
                  description.type == JV_STRING ? description : text_value(""));
    jv_object_put(&b, STR("fields"), list);
    return jv_object_end(&b);
}

void answer_catalogs_create(struct call *c)
{
    struct jv list = jv_get(c->body, STR("catalogs"));
    const char *why = check_catalog(c, list);
    struct str name = list.type == JV_ARRAY && list.len > 0
                          ? jv_str(jv_get(list.items[0], STR("name")))
                          : STR("");
    if (why != NULL) {
        catalog_refuse(c, 400, why, NULL, "name", name);
        return;
    }
    struct buf definition;
    buf_init(&definition, SANDBOX_BODY_BYTES_MAX);
    jv_write(&definition, define(c, list.items[0]));
    struct catalog *catalog = definition.failed ? NULL
                                                : catalogs_create(c->sandbox->catalogs, name,
                                                                  buf_str(&definition), c->now_ms);
    buf_fini(&definition);
    if (catalog == NULL) {
        catalog_refuse(c, 400, "company-size-limit-already-reached", NULL, NULL, STR(""));
        return;
    }
    struct jv one = print_catalog(c, catalog);
    struct jv_builder b;
    jv_object_begin(&b, c->arena, 2);
    jv_object_put(&b, STR("catalogs"), (struct jv){.type = JV_ARRAY, .len = 1, .items = &one});
    call_success(c, 201, &b);
}

void answer_catalogs_delete(struct call *c)
{
    struct catalog *catalog = catalog_of_path(c);
    if (catalog == NULL)
        return;
    catalogs_delete(c->sandbox->catalogs, catalog);
    call_message(c, 200, "success");
}
