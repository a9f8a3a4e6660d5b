#include "ecommerce.h"

#include <errno.h>

#include "dates.h"
#include "identity.h"

enum ecommerce_event {
    PRODUCT_VIEWED,
    CART_UPDATED,
    CHECKOUT_STARTED,
    ORDER_PLACED,
    ORDER_REFUNDED,
    ORDER_CANCELLED,
};

enum { TAIL_MAX = 10 };

/* What each event's properties have after currency, source and metadata,
 * by row and in order; 0 ends the list. */
static const struct {
    struct str name;
    uint8_t tail[TAIL_MAX];
} events[] = {
    [PRODUCT_VIEWED] = {STR_INIT("ecommerce.product_viewed"), {0}},
    [CART_UPDATED] = {STR_INIT("ecommerce.cart_updated"),
                      {ECOMMERCE_PRODUCTS, ECOMMERCE_TOTAL_VALUE, ECOMMERCE_CART_ID,
                       ECOMMERCE_ACTION, ECOMMERCE_SUBTOTAL_VALUE, ECOMMERCE_TAX,
                       ECOMMERCE_SHIPPING}},
    [CHECKOUT_STARTED] = {STR_INIT("ecommerce.checkout_started"),
                          {ECOMMERCE_PRODUCTS, ECOMMERCE_TOTAL_VALUE, ECOMMERCE_CHECKOUT_ID,
                           ECOMMERCE_CART_ID, ECOMMERCE_SUBTOTAL_VALUE, ECOMMERCE_TAX,
                           ECOMMERCE_SHIPPING}},
    [ORDER_PLACED] = {STR_INIT("ecommerce.order_placed"),
                      {ECOMMERCE_PRODUCTS, ECOMMERCE_TOTAL_VALUE, ECOMMERCE_ORDER_ID,
                       ECOMMERCE_CART_ID, ECOMMERCE_SUBTOTAL_VALUE, ECOMMERCE_TAX,
                       ECOMMERCE_SHIPPING, ECOMMERCE_TOTAL_DISCOUNTS, ECOMMERCE_DISCOUNTS}},
    [ORDER_REFUNDED] = {STR_INIT("ecommerce.order_refunded"),
                        {ECOMMERCE_PRODUCTS, ECOMMERCE_TOTAL_VALUE, ECOMMERCE_ORDER_ID,
                         ECOMMERCE_TOTAL_DISCOUNTS, ECOMMERCE_DISCOUNTS}},
    [ORDER_CANCELLED] = {STR_INIT("ecommerce.order_cancelled"),
                         {ECOMMERCE_PRODUCTS, ECOMMERCE_TOTAL_VALUE, ECOMMERCE_ORDER_ID,
                          ECOMMERCE_CANCEL_REASON, ECOMMERCE_SUBTOTAL_VALUE, ECOMMERCE_TAX,
                          ECOMMERCE_SHIPPING, ECOMMERCE_TOTAL_DISCOUNTS, ECOMMERCE_DISCOUNTS}},
};

static enum ecommerce_event event_of(struct jv name)
{
    size_t i = 0;
    while (i + 1 < countof(events) && !str_eq(events[i].name, jv_str(name)))
        i++;
    return (enum ecommerce_event)i;
}

static int refuse(struct built *out, struct str message)
{
    out->failure = (struct failure){
        .name = "PayloadValidationError",
        .code = jv_string(STR("PAYLOAD_VALIDATION_FAILED")),
        .status = 400,
        .message = message,
    };
    return 0;
}

/* The product's own members in Braze's order; what else it has becomes its metadata. */
static struct jv make_product(struct arena *a, struct jv product)
{
    static const struct str keys[] = {
        STR_INIT("quantity"),    STR_INIT("product_id"), STR_INIT("product_name"),
        STR_INIT("variant_id"),  STR_INIT("price"),      STR_INIT("image_url"),
        STR_INIT("product_url"),
    };
    struct jv own[countof(keys)] = {0};
    struct jv_builder b;
    struct jv_builder rest;
    jv_object_begin(&b, a, countof(keys) + 1);
    jv_object_begin(&rest, a, 0);
    for (uint32_t i = 0; i < product.len; i++) {
        size_t key = 0;
        while (key < countof(keys) && !str_eq(product.members[i].key, keys[key]))
            key++;
        if (key < countof(keys))
            own[key] = product.members[i].value;
        else
            put(&rest, product.members[i].key, product.members[i].value);
    }
    for (size_t i = 0; i < countof(keys); i++)
        put(&b, keys[i], own[i]);
    if (rest.len > 0 || rest.failed)
        jv_object_put(&b, STR("metadata"), jv_object_end(&rest));
    return rest.failed ? jv_undefined() : jv_object_end(&b);
}

static struct jv make_products(struct arena *a, struct jv products)
{
    struct jv *items;
    struct jv array = jv_array(a, &items, products.len);
    for (uint32_t i = 0; array.type == JV_ARRAY && i < products.len; i++) {
        items[i] = make_product(a, products.items[i]);
        if (items[i].type != JV_OBJECT)
            return jv_undefined();
    }
    return array;
}

static int put_tail(struct jv_builder *b, const struct jv *v, const uint8_t *rows, struct arena *a)
{
    for (size_t i = 0; i < TAIL_MAX && rows[i] != 0; i++) {
        struct jv value = v[rows[i]];
        bool optional_text = rows[i] == ECOMMERCE_CART_ID || rows[i] == ECOMMERCE_ACTION;
        if (rows[i] == ECOMMERCE_PRODUCTS) {
            value = make_products(a, value);
            if (value.type != JV_ARRAY)
                return -ENOMEM;
        }
        if (!optional_text || jv_truthy(value))
            put(b, ecommerce_fields[rows[i]].key, value);
    }
    return 0;
}

static int make_properties(const struct jv *v, enum ecommerce_event event, struct arena *a,
                           struct jv *out)
{
    struct jv product = v[ECOMMERCE_PRODUCT];
    struct jv_builder b;
    jv_object_begin(&b, a, 12);
    put(&b, STR("currency"), v[ECOMMERCE_CURRENCY]);
    put(&b, STR("source"), v[ECOMMERCE_SOURCE]);
    put(&b, STR("metadata"), v[ECOMMERCE_METADATA]);
    int rc = put_tail(&b, v, events[event].tail, a);
    if (event == PRODUCT_VIEWED) {
        jv_object_put_all(&b, product);
        if (v[ECOMMERCE_CATALOG_TYPE].len > 0)
            put(&b, STR("type"), v[ECOMMERCE_CATALOG_TYPE]);
    }
    *out = jv_object_end(&b);
    return rc != 0 || out->type != JV_OBJECT ? -ENOMEM : 0;
}

/* Safe parity: half an alias names nobody. */
static void drop_half_alias(struct identity *id)
{
    if (!jv_truthy(jv_get(id->user_alias, STR("alias_name"))) ||
        !jv_truthy(jv_get(id->user_alias, STR("alias_label"))))
        id->user_alias = jv_undefined();
}

static void put_truthy(struct jv_builder *b, struct str key, struct jv value)
{
    if (jv_truthy(value))
        jv_object_put(b, key, value);
}

/* False: refused, in out->failure. */
static bool is_acceptable(const struct call *call, const struct jv *v, struct built *out)
{
    enum ecommerce_event event = event_of(v[ECOMMERCE_NAME]);
    struct jv action = v[ECOMMERCE_ACTION];
    bool partial = action.type == JV_STRING &&
                   (str_eq(jv_str(action), STR("add")) || str_eq(jv_str(action), STR("remove")));
    if (!identity_known(&out->users[0]))
        refuse(out, STR("One of \"external_id\" or \"user_alias\" or \"braze_id\" or \"email\" or "
                        "\"phone\" is required."));
    else if (event == CART_UPDATED && v[ECOMMERCE_TOTAL_VALUE].type != JV_NUMBER && !partial)
        refuse(out, STR("total_value is required for cart_updated events unless action is \"add\" "
                        "or \"remove\"."));
    else if (call->parity == PARITY_SAFE && event != PRODUCT_VIEWED &&
             v[ECOMMERCE_PRODUCTS].type == JV_UNDEFINED)
        refuse(out, STR("This event needs products: use the action ecommerce for it."));
    return out->failure.name == NULL;
}

int ecommerce_build(const struct call *call, const struct record *r, struct arena *a,
                    struct built *out)
{
    const struct jv *v = r->values;
    enum ecommerce_event event = event_of(v[ECOMMERCE_NAME]);
    struct identity *id = &out->users[0];
    out->user_count = 1;
    *id = (struct identity){v[ECOMMERCE_EXTERNAL_ID], v[ECOMMERCE_USER_ALIAS],
                            v[ECOMMERCE_BRAZE_ID], v[ECOMMERCE_EMAIL], v[ECOMMERCE_PHONE]};
    if (call->parity == PARITY_SAFE)
        drop_half_alias(id);
    if (!is_acceptable(call, v, out))
        return 0;
    if (call->parity == PARITY_SAFE)
        identity_single_out(id, false);

    struct jv time;
    struct jv *objects = arena_array(a, 1, sizeof(*objects));
    if (objects == NULL || dates_iso(a, call->parity, v[ECOMMERCE_TIME], &time) != 0)
        return -ENOMEM;
    if (time.type == JV_UNDEFINED) {
        out->failure = (struct failure){.name = "RangeError", .message = STR("Invalid time value")};
        return 0;
    }
    if (event != PRODUCT_VIEWED && v[ECOMMERCE_PRODUCTS].type == JV_UNDEFINED) {
        out->failure = (struct failure){
            .name = "TypeError",
            .message = STR("Cannot read properties of undefined (reading 'map')"),
        };
        return 0;
    }
    struct jv properties;
    if (make_properties(v, event, a, &properties) != 0)
        return -ENOMEM;

    bool has_alias = jv_truthy(jv_get(id->user_alias, STR("alias_name"))) &&
                     jv_truthy(jv_get(id->user_alias, STR("alias_label")));
    struct jv_builder b;
    jv_object_begin(&b, a, 10);
    put_truthy(&b, STR("external_id"), id->external_id);
    put_truthy(&b, STR("braze_id"), id->braze_id);
    put_truthy(&b, STR("email"), id->email);
    put_truthy(&b, STR("phone"), id->phone);
    put_truthy(&b, STR("user_alias"), id->user_alias);
    put_truthy(&b, STR("app_id"), call->app_id);
    put(&b, STR("name"), v[ECOMMERCE_NAME]);
    put(&b, STR("time"), time);
    put(&b, STR("properties"), properties);
    if (has_alias || call->sync_mode == SYNC_UPDATE)
        jv_object_put(&b, STR("_update_existing_only"), jv_bool(true));
    objects[0] = jv_object_end(&b);
    out->objects = objects;
    out->count = 1;
    return objects[0].type == JV_OBJECT ? 0 : -ENOMEM;
}
