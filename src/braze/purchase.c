#include "purchase.h"

#include <errno.h>

#include "dates.h"
#include "identity.h"
#include "shared_fields.h"

/* clang-format off */
static const struct field product_fields[] = {
    {FIELD("product_id", "Product ID", FIELD_STRING), .required = true},
    {FIELD("currency", "Currency", FIELD_STRING)},
    {FIELD("price", "Price", FIELD_NUMBER), .required = true},
    {FIELD("quantity", "Quantity", FIELD_INTEGER)},
};

const struct field purchase_fields[PURCHASE_ROWS] = {
    [PURCHASE_EXTERNAL_ID] = {FIELD("external_id", "External User ID", FIELD_STRING),
     .preset = PATH("$.userId")},
    [PURCHASE_USER_ALIAS] = {FIELD("user_alias", "User Alias Object", FIELD_OBJECT), FIELD_PARTS(optional_alias_fields)},
    [PURCHASE_EMAIL] = {FIELD("email", "Email", FIELD_STRING),
     .preset = PATH("$.traits.email")},
    [PURCHASE_BRAZE_ID] = {FIELD("braze_id", "Braze User Identifier", FIELD_STRING), .allow_null = true,
     .preset = PATH("$.properties.braze_id")},
    [PURCHASE_TIME] = {FIELD("time", "Time", FIELD_DATETIME), .required = true,
     .preset = PATH("$.receivedAt")},
    [PURCHASE_PRODUCTS] = {FIELD("products", "Products", FIELD_OBJECT), .multiple = true, .required = true, .additional = true,
     .preset = PATH("$.properties.products"), FIELD_PARTS(product_fields)},
    [PURCHASE_PROPERTIES] = {FIELD("properties", "Event Properties", FIELD_OBJECT),
     .preset = PATH("$.properties")},
    [PURCHASE_UPDATE_EXISTING_ONLY] = {FIELD("_update_existing_only", "Update Existing Only", FIELD_BOOLEAN),
     .preset = "false"},
    [PURCHASE_ENABLE_BATCHING] = {FIELD("enable_batching", "Batch Data to Braze", FIELD_BOOLEAN),
     .preset = "true"},
    [PURCHASE_BATCH_SIZE] = {FIELD("batch_size", "Batch Size", FIELD_NUMBER),
     .preset = "75"},
};
/* clang-format on */

/* Which product members are the purchase's own; the rest are properties. */
static bool is_purchase_member(struct str key)
{
    for (size_t i = 0; i < countof(product_fields); i++)
        if (str_eq(product_fields[i].key, key))
            return true;
    return false;
}

/* What the product says beyond the purchase, then what the event says beyond its products. */
static struct jv purchase_properties(struct arena *a, struct jv product, struct jv properties)
{
    struct jv_builder b;
    jv_object_begin(&b, a, product.len + (properties.type == JV_OBJECT ? properties.len : 0));
    for (uint32_t i = 0; i < product.len; i++)
        if (!is_purchase_member(product.members[i].key))
            jv_object_put(&b, product.members[i].key, product.members[i].value);
    for (uint32_t i = 0; properties.type == JV_OBJECT && i < properties.len; i++)
        if (!str_eq(properties.members[i].key, STR("products")))
            jv_object_put(&b, properties.members[i].key, properties.members[i].value);
    return jv_object_end(&b);
}

static struct jv make_purchase(const struct call *call, const struct jv *v, struct arena *a,
                               const struct identity *id, struct jv time, struct jv product)
{
    struct jv currency = jv_get(product, STR("currency"));
    struct jv properties = purchase_properties(a, product, v[PURCHASE_PROPERTIES]);
    if (properties.type != JV_OBJECT)
        return jv_undefined();
    struct jv_builder b;
    jv_object_begin(&b, a, 12);
    put(&b, STR("braze_id"), id->braze_id);
    put(&b, STR("external_id"), id->external_id);
    if (call->form == FORM_BATCH)
        put(&b, STR("user_alias"), id->user_alias);
    put(&b, STR("email"), id->email);
    if (call->form != FORM_BATCH)
        put(&b, STR("user_alias"), id->user_alias);
    put(&b, STR("app_id"), call->app_id);
    put(&b, STR("time"), time);
    put(&b, STR("_update_existing_only"),
        action_update_only(call, v[PURCHASE_UPDATE_EXISTING_ONLY]));
    put(&b, STR("product_id"), jv_get(product, STR("product_id")));
    put(&b, STR("currency"), jv_is_nullish(currency) ? jv_string(STR("USD")) : currency);
    put(&b, STR("price"), jv_get(product, STR("price")));
    put(&b, STR("quantity"), jv_get(product, STR("quantity")));
    put(&b, STR("properties"), properties);
    return jv_object_end(&b);
}

int purchase_build(const struct call *call, const struct record *r, struct arena *a,
                   struct built *out)
{
    const struct jv *v = r->values;
    struct jv products = v[PURCHASE_PRODUCTS];
    struct identity *id = &out->users[0];
    out->user_count = 1;
    *id = (struct identity){
        .external_id = v[PURCHASE_EXTERNAL_ID],
        .user_alias = identity_alias(a, v[PURCHASE_USER_ALIAS]),
        .braze_id = v[PURCHASE_BRAZE_ID],
        .email = v[PURCHASE_EMAIL],
    };
    if (!identity_known(id))
        return action_refuse_anonymous(out);
    if (call->parity == PARITY_SAFE)
        identity_single_out(id, false);
    if (products.len == 0)
        return 0;

    struct jv time;
    struct jv *objects = arena_array(a, products.len, sizeof(*objects));
    if (objects == NULL || dates_iso(a, call->parity, v[PURCHASE_TIME], &time) != 0)
        return -ENOMEM;
    for (uint32_t i = 0; i < products.len; i++) {
        objects[i] = make_purchase(call, v, a, id, time, products.items[i]);
        if (objects[i].type != JV_OBJECT)
            return -ENOMEM;
    }
    out->objects = objects;
    out->count = products.len;
    return 0;
}
