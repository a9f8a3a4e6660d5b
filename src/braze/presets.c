#include "presets.h"

#include "cohorts.h"

/* What the ecommerce presets say about the one product of a cart event. */
/* clang-format off */
#define CART_PRODUCTS                                                                              \
    "\"products\":[{\"product_id\":" PATH("$.properties.product_id")                                \
    ",\"product_name\":" PATH("$.properties.name") ",\"variant_id\":" PATH("$.properties.variant")  \
    ",\"image_url\":" PATH("$.properties.image_url") ",\"product_url\":" PATH("$.properties.url")   \
    ",\"quantity\":" PATH("$.properties.quantity") ",\"price\":" PATH("$.properties.price") "}]"
#define ORDER_STATUS                                                                               \
    ",\"metadata\":{\"order_status_url\":" PATH("$.properties.order_status_url") "}}"
#define CHECKOUT_URL ",\"metadata\":{\"checkout_url\":" PATH("$.properties.checkout_url") "}}"
#define NAMED(event) "\"name\":\"ecommerce." event "\""

const struct preset presets[] = {
    {STR_INIT("Track Calls"),
     "type = \"track\" and event != \"Order Completed\" and event != \"Checkout Started\" and "
     "event != \"Order Refunded\" and event != \"Order Cancelled\" and event != \"Product Viewed\" and "
     "event != \"Product Added\" and event != \"Product Removed\"",
     NULL, STR_INIT("trackEvent"), NULL},
    {STR_INIT("Order Placed (beta)"), "event = \"Order Completed\"",
     NULL, STR_INIT("ecommerce"), "{" NAMED("order_placed") ORDER_STATUS},
    {STR_INIT("Checkout Started (beta)"), "event = \"Checkout Started\"",
     NULL, STR_INIT("ecommerce"), "{" NAMED("checkout_started") CHECKOUT_URL},
    {STR_INIT("Order Refunded (beta)"), "event = \"Order Refunded\"",
     NULL, STR_INIT("ecommerce"), "{" NAMED("order_refunded") ORDER_STATUS},
    {STR_INIT("Order Cancelled (beta)"), "event = \"Order Cancelled\"",
     NULL, STR_INIT("ecommerce"), "{" NAMED("order_cancelled") ORDER_STATUS},
    {STR_INIT("Product Viewed (beta)"), "event = \"Product Viewed\"",
     NULL, STR_INIT("ecommerceSingleProduct"), "{" NAMED("product_viewed") "}"},
    {STR_INIT("Product Added (beta)"), "event = \"Product Added\"",
     NULL, STR_INIT("ecommerce"), "{" NAMED("cart_updated") ",\"action\":\"add\"," CART_PRODUCTS "}"},
    {STR_INIT("Product Removed (beta)"), "event = \"Product Removed\"",
     NULL, STR_INIT("ecommerce"), "{" NAMED("cart_updated") ",\"action\":\"remove\"," CART_PRODUCTS "}"},
    {STR_INIT("Identify Calls"), "type = \"identify\"", NULL, STR_INIT("updateUserProfile"), NULL},
    {STR_INIT("Associated Entity Added"), NULL, "warehouse_entity_added_track", STR_INIT("trackEvent"), NULL},
    {STR_INIT("Associated Entity Removed"), NULL, "warehouse_entity_removed_track", STR_INIT("trackEvent"), NULL},
    {STR_INIT("Entities Audience Entered"), NULL, "warehouse_audience_entered_track", STR_INIT("trackEvent"), NULL},
    {STR_INIT("Entities Exited"), NULL, "warehouse_audience_exited_track", STR_INIT("trackEvent"), NULL},
    {STR_INIT("Entities Audience Membership Changed"), NULL, "warehouse_audience_membership_changed_identify",
     STR_INIT("updateUserProfile"), NULL},
    {STR_INIT("Journeys Step Transition Track"), NULL, "journeys_step_entered_track", STR_INIT("trackEvent"), NULL},
};
/* clang-format on */
const size_t preset_count = countof(presets);

/* The reference has no presets for cohorts, and asks for the audience's key in each mapping. The
 * key that the event brings makes one subscription do for every audience. */
static const struct preset cohorts_preset = {
    .name = STR_INIT("Sync Audience"),
    .subscribe = COHORTS_SUBSCRIBE,
    .action = STR_INIT("syncAudiences"),
    .overrides = "{\"personas_audience_key\":" PATH("$.context.personas.computation_key") "}",
};

struct preset_list preset_list(enum braze_kind kind)
{
    switch (kind) {
    case BRAZE_CLOUD:
        return (struct preset_list){presets, preset_count};
    case BRAZE_COHORTS:
        return (struct preset_list){&cohorts_preset, 1};
    }
    __builtin_unreachable();
}

/* Table text of ours: it parses, or the arena is full. */
static struct jv parse_text(const char *text, struct arena *a)
{
    struct jv v;
    struct err err;
    int rc = jv_parse(&v, a, str_from(text), JV_JAVASCRIPT, &err);
    return rc == 0 ? v : jv_undefined();
}

struct jv preset_default_mapping(const struct action *action, struct arena *a)
{
    struct jv_builder b;
    jv_object_begin(&b, a, (uint32_t)action->field_count);
    for (size_t row = 0; row < action->field_count; row++) {
        const struct field *f = &action->fields[row];
        if (f->preset == NULL || (action->absent & (UINT64_C(1) << row)) != 0)
            continue;
        struct jv value = parse_text(f->preset, a);
        if (value.type == JV_UNDEFINED)
            return value;
        jv_object_put(&b, f->key, value);
    }
    return jv_object_end(&b);
}

struct jv preset_mapping(enum braze_kind kind, const struct preset *preset, struct arena *a)
{
    struct jv_builder b;
    const struct action *action = action_list_find(action_list(kind), preset->action);
    struct jv base = preset_default_mapping(action, a);
    struct jv overrides = preset->overrides == NULL ? (struct jv){.type = JV_OBJECT}
                                                    : parse_text(preset->overrides, a);
    if (base.type != JV_OBJECT || overrides.type != JV_OBJECT)
        return jv_undefined();
    jv_object_begin(&b, a, base.len + overrides.len);
    jv_object_put_all(&b, base);
    jv_object_put_all(&b, overrides);
    return jv_object_end(&b);
}
