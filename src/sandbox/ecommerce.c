#include "ecommerce.h"

#include <stdio.h>

#include "events.h"
#include "locales.h"
#include "text.h"

enum event {
    PRODUCT_VIEWED = 1,
    CART_UPDATED = 2,
    CHECKOUT_STARTED = 4,
    ORDER_PLACED = 8,
    ORDER_CANCELLED = 16,
    ORDER_REFUNDED = 32,
    WITH_PRODUCTS =
        CART_UPDATED | CHECKOUT_STARTED | ORDER_PLACED | ORDER_CANCELLED | ORDER_REFUNDED,
    ORDERS = ORDER_PLACED | ORDER_CANCELLED | ORDER_REFUNDED,
    ALL_EVENTS = PRODUCT_VIEWED | WITH_PRODUCTS,
};

enum { CART_LIFE_DAYS = 30, DAY_MS = 86400000 };

static const struct {
    struct str name;
    enum event event;
} events[] = {
    {STR_INIT("ecommerce.product_viewed"), PRODUCT_VIEWED},
    {STR_INIT("ecommerce.cart_updated"), CART_UPDATED},
    {STR_INIT("ecommerce.checkout_started"), CHECKOUT_STARTED},
    {STR_INIT("ecommerce.order_placed"), ORDER_PLACED},
    {STR_INIT("ecommerce.order_cancelled"), ORDER_CANCELLED},
    {STR_INIT("ecommerce.order_refunded"), ORDER_REFUNDED},
};

enum schema_type {
    SCHEMA_STRING,
    SCHEMA_NUMBER,
    SCHEMA_INTEGER,
    SCHEMA_STRINGS,
    SCHEMA_OBJECTS,
    SCHEMA_OBJECT
};

struct property {
    struct str name;
    enum schema_type type;
    unsigned required; /* events that need it */
    unsigned allowed;  /* events that may have it: more bits than required */
    bool not_negative;
};

/* clang-format off */
static const struct property properties_of_events[] = {
    {STR_INIT("product_id"), SCHEMA_STRING, PRODUCT_VIEWED, PRODUCT_VIEWED, false},
    {STR_INIT("product_name"), SCHEMA_STRING, PRODUCT_VIEWED, PRODUCT_VIEWED, false},
    {STR_INIT("variant_id"), SCHEMA_STRING, PRODUCT_VIEWED, PRODUCT_VIEWED, false},
    {STR_INIT("price"), SCHEMA_NUMBER, PRODUCT_VIEWED, PRODUCT_VIEWED, true},
    {STR_INIT("image_url"), SCHEMA_STRING, 0, PRODUCT_VIEWED, false},
    {STR_INIT("product_url"), SCHEMA_STRING, 0, PRODUCT_VIEWED, false},
    {STR_INIT("type"), SCHEMA_STRINGS, 0, PRODUCT_VIEWED, false},
    {STR_INIT("cart_id"), SCHEMA_STRING, CART_UPDATED, CART_UPDATED | CHECKOUT_STARTED | ORDER_PLACED, false},
    {STR_INIT("action"), SCHEMA_STRING, 0, CART_UPDATED, false},
    {STR_INIT("checkout_id"), SCHEMA_STRING, CHECKOUT_STARTED, CHECKOUT_STARTED, false},
    {STR_INIT("order_id"), SCHEMA_STRING, ORDERS, ORDERS, false},
    {STR_INIT("cancel_reason"), SCHEMA_STRING, ORDER_CANCELLED, ORDER_CANCELLED, false},
    {STR_INIT("total_value"), SCHEMA_NUMBER, WITH_PRODUCTS, WITH_PRODUCTS, true},
    {STR_INIT("subtotal_value"), SCHEMA_NUMBER, 0, CART_UPDATED | CHECKOUT_STARTED | ORDER_PLACED | ORDER_CANCELLED, true},
    {STR_INIT("tax"), SCHEMA_NUMBER, 0, CART_UPDATED | CHECKOUT_STARTED | ORDER_PLACED | ORDER_CANCELLED, true},
    {STR_INIT("shipping"), SCHEMA_NUMBER, 0, CART_UPDATED | CHECKOUT_STARTED | ORDER_PLACED | ORDER_CANCELLED, true},
    {STR_INIT("total_discounts"), SCHEMA_NUMBER, 0, ORDERS, true},
    {STR_INIT("discounts"), SCHEMA_OBJECTS, 0, ORDERS, false},
    {STR_INIT("currency"), SCHEMA_STRING, ALL_EVENTS, ALL_EVENTS, false},
    {STR_INIT("products"), SCHEMA_OBJECTS, WITH_PRODUCTS, WITH_PRODUCTS, false},
    {STR_INIT("source"), SCHEMA_STRING, ALL_EVENTS, ALL_EVENTS, false},
    {STR_INIT("metadata"), SCHEMA_OBJECT, 0, ALL_EVENTS, false},
};

static const struct property properties_of_products[] = {
    {STR_INIT("product_id"), SCHEMA_STRING, ALL_EVENTS, ALL_EVENTS, false},
    {STR_INIT("product_name"), SCHEMA_STRING, ALL_EVENTS, ALL_EVENTS, false},
    {STR_INIT("variant_id"), SCHEMA_STRING, ALL_EVENTS, ALL_EVENTS, false},
    {STR_INIT("quantity"), SCHEMA_INTEGER, ALL_EVENTS, ALL_EVENTS, true},
    {STR_INIT("price"), SCHEMA_NUMBER, ALL_EVENTS, ALL_EVENTS, true},
    {STR_INIT("image_url"), SCHEMA_STRING, 0, ALL_EVENTS, false},
    {STR_INIT("product_url"), SCHEMA_STRING, 0, ALL_EVENTS, false},
    {STR_INIT("metadata"), SCHEMA_OBJECT, 0, ALL_EVENTS, false},
};

static const struct property properties_of_discounts[] = {
    {STR_INIT("code"), SCHEMA_STRING, 0, ALL_EVENTS, false},
    {STR_INIT("amount"), SCHEMA_NUMBER, 0, ALL_EVENTS, true},
    {STR_INIT("type"), SCHEMA_STRING, 0, ALL_EVENTS, false},
};
/* clang-format on */

static unsigned find_event(struct str name)
{
    for (size_t i = 0; i < countof(events); i++)
        if (str_eq(events[i].name, name))
            return events[i].event;
    return 0;
}

bool ecommerce_is(struct str event_name)
{
    return str_starts(event_name, STR("ecommerce.")) && find_event(event_name) != 0;
}

struct schema {
    const struct property *rows;
    size_t count;
    unsigned event;
    bool total_optional; /* a cart's total_value, when it only adds or removes */
};

static const char *type_name(struct jv value)
{
    int64_t whole;
    switch ((enum jv_type)value.type) {
    case JV_UNDEFINED:
    case JV_NULL:
        return "null";
    case JV_BOOL:
        return "boolean";
    case JV_NUMBER:
        return number_is_i64(value, &whole) ? "integer" : "number";
    case JV_STRING:
        return "string";
    case JV_ARRAY:
        return "array";
    case JV_OBJECT:
        return "object";
    }
    return "null";
}

static const char *wanted_name(enum schema_type type)
{
    static const char *const names[] = {
        [SCHEMA_STRING] = "string", [SCHEMA_NUMBER] = "number", [SCHEMA_INTEGER] = "integer",
        [SCHEMA_STRINGS] = "array", [SCHEMA_OBJECTS] = "array", [SCHEMA_OBJECT] = "object"};
    return names[type];
}

static bool has_type(struct jv value, enum schema_type type)
{
    int64_t whole;
    switch (type) {
    case SCHEMA_STRING:
        return value.type == JV_STRING;
    case SCHEMA_NUMBER:
        return value.type == JV_NUMBER;
    case SCHEMA_INTEGER:
        return number_is_i64(value, &whole);
    case SCHEMA_STRINGS:
    case SCHEMA_OBJECTS:
        return value.type == JV_ARRAY;
    case SCHEMA_OBJECT:
        return value.type == JV_OBJECT;
    }
    return false;
}

static struct str check_required(struct call *c, const struct schema *schema, struct jv object,
                                 const char *at)
{
    for (size_t i = 0; i < schema->count; i++) {
        const struct property *row = &schema->rows[i];
        bool needed = (row->required & schema->event) != 0 &&
                      !(schema->total_optional && str_eq(row->name, STR("total_value")));
        if (needed && jv_get(object, row->name).type == JV_UNDEFINED)
            return text_format(c->arena,
                               "The property '#/%s' did not contain a required property of '%.*s'",
                               at, STR_ARG(row->name));
    }
    return STR("");
}

/* A blank text counts as missing where a value is required. */
static struct str check_types(struct call *c, const struct schema *schema, struct jv object,
                              const char *at)
{
    const char *slash = at[0] == '\0' ? "" : "/";
    for (size_t i = 0; i < schema->count; i++) {
        const struct property *row = &schema->rows[i];
        struct jv value = jv_get(object, row->name);
        if ((row->allowed & schema->event) == 0 || value.type == JV_UNDEFINED ||
            has_type(value, row->type))
            continue;
        return text_format(
            c->arena, "The property '#/%s%s%.*s' of type %s did not match the following type: %s",
            at, slash, STR_ARG(row->name), type_name(value), wanted_name(row->type));
    }
    return STR("");
}

static bool is_listed(const struct schema *schema, struct str name)
{
    for (size_t i = 0; i < schema->count; i++)
        if (str_eq(schema->rows[i].name, name) && (schema->rows[i].allowed & schema->event) != 0)
            return true;
    return false;
}

static struct str check_extra(struct call *c, const struct schema *schema, struct jv object,
                              const char *at)
{
    struct buf *names = &c->sandbox->scratch;
    buf_reset(names);
    for (uint32_t i = 0; i < object.len; i++) {
        if (is_listed(schema, object.members[i].key))
            continue;
        buf_append(names, names->len == 0 ? STR("") : STR(", "));
        jv_write_string(names, object.members[i].key);
    }
    if (names->len == 0)
        return STR("");
    struct str shown = text_cut(buf_str(names), 512);
    return text_format(
        c->arena,
        "The property '#/%s' contains additional properties [%.*s] outside of the schema "
        "when none are allowed",
        at, STR_ARG(shown));
}

static struct str check_ranges(struct call *c, const struct schema *schema, struct jv object,
                               const char *at)
{
    const char *slash = at[0] == '\0' ? "" : "/";
    for (size_t i = 0; i < schema->count; i++) {
        const struct property *row = &schema->rows[i];
        struct jv value = jv_get(object, row->name);
        if (row->not_negative && value.type == JV_NUMBER && jv_as_double(value) < 0)
            return text_format(
                c->arena,
                "The property '#/%s%s%.*s' did not have a minimum value of 0, inclusively", at,
                slash, STR_ARG(row->name));
    }
    return STR("");
}

static struct str check_object(struct call *c, const struct schema *schema, struct jv object,
                               const char *at)
{
    static struct str (*const checks[])(struct call *, const struct schema *, struct jv,
                                        const char *) = {check_required, check_types, check_extra,
                                                         check_ranges};
    for (size_t i = 0; i < countof(checks); i++) {
        struct str violation = checks[i](c, schema, object, at);
        if (violation.len > 0)
            return violation;
    }
    return STR("");
}

static struct str check_items(struct call *c, const struct schema *schema, struct jv list,
                              const char *name)
{
    for (uint32_t i = 0; list.type == JV_ARRAY && i < list.len; i++) {
        char at[32];
        int len = snprintf(at, sizeof(at), "%s/%u", name, i);
        assert(len > 0 && (size_t)len < sizeof(at));
        if (list.items[i].type != JV_OBJECT)
            return text_format(
                c->arena, "The property '#/%s' of type %s did not match the following type: object",
                at, type_name(list.items[i]));
        struct str violation = check_object(c, schema, list.items[i], at);
        if (violation.len > 0)
            return violation;
    }
    return STR("");
}

static struct str check_words(struct call *c, const char *at, struct jv value,
                              const struct str *words, size_t count, const char *listed)
{
    for (size_t i = 0; i < count; i++)
        if (value.type == JV_UNDEFINED || str_eq(jv_str(value), words[i]))
            return STR("");
    struct str shown = text_cut(jv_str(value), 256);
    return text_format(
        c->arena,
        "The property '#/%s' value \"%.*s\" did not match one of the following values: %s", at,
        STR_ARG(shown), listed);
}

static struct str check_values(struct call *c, struct jv properties)
{
    static const struct str actions[] = {STR_INIT("add"), STR_INIT("remove"), STR_INIT("replace")};
    static const struct str types[] = {STR_INIT("price_drop"), STR_INIT("back_in_stock")};
    struct str violation = check_words(c, "action", jv_get(properties, STR("action")), actions,
                                       countof(actions), "add, remove, replace");
    struct jv type = jv_get(properties, STR("type"));
    for (uint32_t i = 0; violation.len == 0 && type.type == JV_ARRAY && i < type.len; i++) {
        char at[32];
        snprintf(at, sizeof(at), "type/%u", i);
        if (type.items[i].type != JV_STRING)
            violation = text_format(
                c->arena, "The property '#/%s' of type %s did not match the following type: string",
                at, type_name(type.items[i]));
        else
            violation = check_words(c, at, type.items[i], types, countof(types),
                                    "price_drop, back_in_stock");
    }
    if (violation.len == 0 &&
        currency_find(jv_str(jv_get(properties, STR("currency")))) == CURRENCY_UNKNOWN)
        violation = STR("'currency' must be an ISO 4217 currency");
    return violation;
}

struct str ecommerce_check(struct call *c, struct str name, struct jv properties)
{
    struct str action = jv_str(jv_get(properties, STR("action")));
    struct schema event = {properties_of_events, countof(properties_of_events), find_event(name),
                           str_eq(action, STR("add")) || str_eq(action, STR("remove"))};
    struct schema product = {properties_of_products, countof(properties_of_products), event.event,
                             false};
    struct schema discount = {properties_of_discounts, countof(properties_of_discounts),
                              event.event, false};
    if (properties.type != JV_OBJECT)
        properties = (struct jv){.type = JV_OBJECT};
    struct str violation = check_object(c, &event, properties, "");
    if (violation.len == 0)
        violation = check_items(c, &product, jv_get(properties, STR("products")), "products");
    if (violation.len == 0)
        violation = check_items(c, &discount, jv_get(properties, STR("discounts")), "discounts");
    return violation.len > 0 ? violation : check_values(c, properties);
}

static bool same_line(struct jv a, struct jv b)
{
    return jv_equal(jv_get(a, STR("product_id")), jv_get(b, STR("product_id"))) &&
           jv_equal(jv_get(a, STR("variant_id")), jv_get(b, STR("variant_id")));
}

static struct jv with_quantity(struct call *c, struct jv line, double quantity)
{
    struct jv_builder b;
    jv_object_begin(&b, c->arena, line.len);
    jv_object_put_all(&b, line);
    jv_object_put(&b, STR("quantity"), jv_number(quantity));
    return jv_object_end(&b);
}

/* The cart's lines after `products` were added (sign 1) or removed (sign -1). */
static struct jv change_lines(struct call *c, struct jv lines, struct jv products, double sign)
{
    struct jv *items;
    uint32_t before = lines.type == JV_ARRAY ? lines.len : 0;
    struct jv result = jv_array(c->arena, &items, (size_t)before + products.len);
    uint32_t count = 0;
    if (result.type != JV_ARRAY)
        return lines;
    for (uint32_t i = 0; i < before; i++)
        items[count++] = lines.items[i];
    for (uint32_t i = 0; i < products.len; i++) {
        struct jv product = products.items[i];
        double quantity = jv_as_double(jv_get(product, STR("quantity")));
        uint32_t at = 0;
        while (at < count && !same_line(items[at], product))
            at++;
        if (at == count && sign > 0)
            items[count++] = product;
        if (at == count || (at == count - 1 && items[at].members == product.members))
            continue;
        double left = jv_as_double(jv_get(items[at], STR("quantity"))) + sign * quantity;
        if (left > 0)
            items[at] = with_quantity(c, items[at], left);
        else
            items[at] = items[--count];
    }
    result.len = count;
    return result;
}

static void update_cart(struct call *c, struct profile *p, struct jv properties, int64_t ms)
{
    struct str id = jv_str(jv_get(properties, STR("cart_id")));
    struct str action = jv_str(jv_get(properties, STR("action")));
    struct jv products = jv_get(properties, STR("products"));
    struct jv cart = profile_get(p, SECTION_CARTS, id);
    int64_t updated;
    bool known = number_is_i64(jv_get(cart, STR("updated_at")), &updated);
    if (known && updated + (int64_t)CART_LIFE_DAYS * DAY_MS < c->now_ms)
        cart = jv_undefined(); /* expired */
    if ((known && ms <= updated) || products.len == 0)
        call_note(c, NOTE_NO_EFFECT, STR("cart_id"),
                  "does not fire the cart trigger: late, or without products");
    struct jv lines = jv_get(cart, STR("products"));
    if (str_eq(action, STR("add")))
        lines = change_lines(c, lines, products, 1);
    else if (str_eq(action, STR("remove")))
        lines = change_lines(c, lines, products, -1);
    else
        lines = products;
    struct jv_builder b;
    jv_object_begin(&b, c->arena, 2);
    jv_object_put(&b, STR("updated_at"), jv_number((double)(known && updated > ms ? updated : ms)));
    jv_object_put(&b, STR("products"),
                  lines.type == JV_ARRAY ? lines : (struct jv){.type = JV_ARRAY});
    profile_put(p, SECTION_CARTS, id, jv_object_end(&b));
}

void ecommerce_apply(struct call *c, struct profile *p, struct str name, struct jv properties,
                     int64_t ms)
{
    struct str currency = jv_str(jv_get(properties, STR("currency")));
    struct jv total = jv_get(properties, STR("total_value"));
    switch ((enum event)find_event(name)) {
    case ORDER_PLACED:
        add_commerce(p, STR("total_revenue"), in_dollars(c, total, currency));
        add_commerce(p, STR("total_orders"), 1);
        break;
    case ORDER_CANCELLED:
        add_commerce(p, STR("total_orders"), -1);
        break;
    case ORDER_REFUNDED: {
        double value = in_dollars(c, total, currency);
        add_commerce(p, STR("total_revenue"), -value);
        add_commerce(p, STR("total_refunds"), value);
        break;
    }
    case CART_UPDATED:
        update_cart(c, p, properties, ms);
        break;
    case PRODUCT_VIEWED:
    case CHECKOUT_STARTED:
    case WITH_PRODUCTS:
    case ORDERS:
    case ALL_EVENTS:
        break;
    }
}
