#include "ecommerce.h"

#include "shared_fields.h"

#define PLACED    STR_INIT("ecommerce.order_placed")
#define CANCELLED STR_INIT("ecommerce.order_cancelled")
#define REFUNDED  STR_INIT("ecommerce.order_refunded")
#define CHECKOUT  STR_INIT("ecommerce.checkout_started")
#define CART      STR_INIT("ecommerce.cart_updated")

#define NAME_IS(event)                                                                             \
    {                                                                                              \
        .key = STR_INIT("name"), .value = CONDITION_TEXT, .text = event                            \
    }

/* clang-format off */
static const struct str event_names[] = {
    STR_INIT("ecommerce.product_viewed"), CART, CHECKOUT, PLACED, CANCELLED, REFUNDED,
};
static const struct str cart_actions[] = {STR_INIT("add"), STR_INIT("remove"), STR_INIT("replace")};
static const struct str catalog_types[] = {STR_INIT("price_drop"), STR_INIT("back_in_stock")};

static const struct str currencies[] = {
    STR_INIT("AFN"), STR_INIT("EUR"), STR_INIT("ALL"), STR_INIT("DZD"), STR_INIT("USD"), STR_INIT("AOA"),
    STR_INIT("XCD"), STR_INIT("XAD"), STR_INIT("ARS"), STR_INIT("AMD"), STR_INIT("AWG"), STR_INIT("AUD"),
    STR_INIT("AZN"), STR_INIT("BSD"), STR_INIT("BHD"), STR_INIT("BDT"), STR_INIT("BBD"), STR_INIT("BYN"),
    STR_INIT("BZD"), STR_INIT("XOF"), STR_INIT("BMD"), STR_INIT("INR"), STR_INIT("BTN"), STR_INIT("BOB"),
    STR_INIT("BOV"), STR_INIT("BAM"), STR_INIT("BWP"), STR_INIT("NOK"), STR_INIT("BRL"), STR_INIT("BND"),
    STR_INIT("BGN"), STR_INIT("BIF"), STR_INIT("CVE"), STR_INIT("KHR"), STR_INIT("XAF"), STR_INIT("CAD"),
    STR_INIT("KYD"), STR_INIT("CLP"), STR_INIT("CLF"), STR_INIT("CNY"), STR_INIT("COP"), STR_INIT("COU"),
    STR_INIT("KMF"), STR_INIT("CDF"), STR_INIT("NZD"), STR_INIT("CRC"), STR_INIT("CUP"), STR_INIT("XCG"),
    STR_INIT("CZK"), STR_INIT("DKK"), STR_INIT("DJF"), STR_INIT("DOP"), STR_INIT("EGP"), STR_INIT("SVC"),
    STR_INIT("ERN"), STR_INIT("SZL"), STR_INIT("ETB"), STR_INIT("FKP"), STR_INIT("FJD"), STR_INIT("XPF"),
    STR_INIT("GMD"), STR_INIT("GEL"), STR_INIT("GHS"), STR_INIT("GIP"), STR_INIT("GTQ"), STR_INIT("GBP"),
    STR_INIT("GNF"), STR_INIT("GYD"), STR_INIT("HTG"), STR_INIT("HNL"), STR_INIT("HKD"), STR_INIT("HUF"),
    STR_INIT("ISK"), STR_INIT("IDR"), STR_INIT("XDR"), STR_INIT("IRR"), STR_INIT("IQD"), STR_INIT("ILS"),
    STR_INIT("JMD"), STR_INIT("JPY"), STR_INIT("JOD"), STR_INIT("KZT"), STR_INIT("KES"), STR_INIT("KPW"),
    STR_INIT("KRW"), STR_INIT("KWD"), STR_INIT("KGS"), STR_INIT("LAK"), STR_INIT("LBP"), STR_INIT("LSL"),
    STR_INIT("ZAR"), STR_INIT("LRD"), STR_INIT("LYD"), STR_INIT("CHF"), STR_INIT("MOP"), STR_INIT("MGA"),
    STR_INIT("MWK"), STR_INIT("MYR"), STR_INIT("MVR"), STR_INIT("MRU"), STR_INIT("MUR"), STR_INIT("XUA"),
    STR_INIT("MXN"), STR_INIT("MXV"), STR_INIT("MDL"), STR_INIT("MNT"), STR_INIT("MAD"), STR_INIT("MZN"),
    STR_INIT("MMK"), STR_INIT("NAD"), STR_INIT("NPR"), STR_INIT("NIO"), STR_INIT("NGN"), STR_INIT("MKD"),
    STR_INIT("OMR"), STR_INIT("PKR"), STR_INIT("PAB"), STR_INIT("PGK"), STR_INIT("PYG"), STR_INIT("PEN"),
    STR_INIT("PHP"), STR_INIT("PLN"), STR_INIT("QAR"), STR_INIT("RON"), STR_INIT("RUB"), STR_INIT("RWF"),
    STR_INIT("SHP"), STR_INIT("WST"), STR_INIT("STN"), STR_INIT("SAR"), STR_INIT("RSD"), STR_INIT("SCR"),
    STR_INIT("SLE"), STR_INIT("SGD"), STR_INIT("XSU"), STR_INIT("SBD"), STR_INIT("SOS"), STR_INIT("SSP"),
    STR_INIT("LKR"), STR_INIT("SDG"), STR_INIT("SRD"), STR_INIT("SEK"), STR_INIT("CHE"), STR_INIT("CHW"),
    STR_INIT("SYP"), STR_INIT("TWD"), STR_INIT("TJS"), STR_INIT("TZS"), STR_INIT("THB"), STR_INIT("TOP"),
    STR_INIT("TTD"), STR_INIT("TND"), STR_INIT("TRY"), STR_INIT("TMT"), STR_INIT("UGX"), STR_INIT("UAH"),
    STR_INIT("AED"), STR_INIT("USN"), STR_INIT("UYU"), STR_INIT("UYI"), STR_INIT("UYW"), STR_INIT("UZS"),
    STR_INIT("VUV"), STR_INIT("VES"), STR_INIT("VED"), STR_INIT("VND"), STR_INIT("YER"), STR_INIT("ZMW"),
    STR_INIT("ZWG"),
};

static const struct condition when_cancelled[] = {NAME_IS(CANCELLED)};
static const struct condition when_checkout[] = {NAME_IS(CHECKOUT)};
static const struct condition when_cart[] = {NAME_IS(CART)};
static const struct condition when_order[] = {NAME_IS(PLACED), NAME_IS(CANCELLED), NAME_IS(REFUNDED)};
static const struct condition when_total[] = {
    NAME_IS(CHECKOUT), NAME_IS(PLACED), NAME_IS(CANCELLED), NAME_IS(REFUNDED),
};

static const struct field discounts_fields[] = {
    {FIELD("code", "Discount Code", FIELD_STRING), .required = true},
    {FIELD("amount", "Discount Amount", FIELD_NUMBER), .required = true},
};

static const struct field products_fields[] = {
    {FIELD("product_id", "Product ID", FIELD_STRING), .required = true},
    {FIELD("product_name", "Product Name", FIELD_STRING), .required = true},
    {FIELD("variant_id", "Variant ID", FIELD_STRING), .required = true},
    {FIELD("image_url", "Image URL", FIELD_STRING), .format = FORMAT_URI},
    {FIELD("product_url", "Product URL", FIELD_STRING), .format = FORMAT_URI},
    {FIELD("quantity", "Quantity", FIELD_NUMBER), .required = true},
    {FIELD("price", "Price", FIELD_NUMBER), .required = true},
};

static const struct field product_fields[] = {
    {FIELD("product_id", "Product ID", FIELD_STRING), .required = true},
    {FIELD("product_name", "Product Name", FIELD_STRING), .required = true},
    {FIELD("variant_id", "Variant ID", FIELD_STRING), .required = true},
    {FIELD("image_url", "Image URL", FIELD_STRING), .format = FORMAT_URI},
    {FIELD("product_url", "Product URL", FIELD_STRING), .format = FORMAT_URI},
    {FIELD("price", "Price", FIELD_NUMBER), .required = true},
};

const struct field ecommerce_fields[ECOMMERCE_ROWS] = {
    [ECOMMERCE_NAME] = {FIELD("name", "Ecommerce Event Name", FIELD_STRING), .required = true, FIELD_CHOICES(event_names)},
    [ECOMMERCE_EXTERNAL_ID] = {FIELD("external_id", "External User ID", FIELD_STRING),
     .preset = PATH("$.userId")},
    [ECOMMERCE_USER_ALIAS] = {FIELD("user_alias", "User Alias Object", FIELD_OBJECT), FIELD_PARTS(required_alias_fields)},
    [ECOMMERCE_EMAIL] = {FIELD("email", "Email", FIELD_STRING), .format = FORMAT_EMAIL,
     .preset = FIRST_OF("$.context.traits.email", "$.properties.email")},
    [ECOMMERCE_PHONE] = {FIELD("phone", "Phone Number", FIELD_STRING), .allow_null = true,
     .preset = FIRST_OF("$.context.traits.phone", "$.properties.phone")},
    [ECOMMERCE_BRAZE_ID] = {FIELD("braze_id", "Braze User Identifier", FIELD_STRING), .allow_null = true,
     .preset = FIRST_OF("$.context.traits.braze_id", "$.properties.braze_id")},
    [ECOMMERCE_CANCEL_REASON] = {FIELD("cancel_reason", "Cancel Reason", FIELD_STRING), .required_if = FIELD_REQUIRED_WHEN_ANY(when_cancelled),
     .preset = PATH("$.properties.reason")},
    [ECOMMERCE_TIME] = {FIELD("time", "Time", FIELD_STRING), .required = true, .format = FORMAT_DATE_TIME,
     .preset = PATH("$.timestamp")},
    [ECOMMERCE_CHECKOUT_ID] = {FIELD("checkout_id", "Checkout ID", FIELD_STRING), .required_if = FIELD_REQUIRED_WHEN_ANY(when_checkout),
     .preset = PATH("$.properties.checkout_id")},
    [ECOMMERCE_ORDER_ID] = {FIELD("order_id", "Order ID", FIELD_STRING), .required_if = FIELD_REQUIRED_WHEN_ANY(when_order),
     .preset = PATH("$.properties.order_id")},
    [ECOMMERCE_CART_ID] = {FIELD("cart_id", "Cart ID", FIELD_STRING), .required_if = FIELD_REQUIRED_WHEN_ANY(when_cart),
     .preset = PATH("$.properties.cart_id")},
    [ECOMMERCE_TOTAL_VALUE] = {FIELD("total_value", "Total Value", FIELD_NUMBER), .required_if = FIELD_REQUIRED_WHEN_ANY(when_total),
     .preset = PATH("$.properties.total")},
    [ECOMMERCE_ACTION] = {FIELD("action", "Action", FIELD_STRING), FIELD_CHOICES(cart_actions),
     .preset = PATH("$.properties.action")},
    [ECOMMERCE_SUBTOTAL_VALUE] = {FIELD("subtotal_value", "Subtotal Value", FIELD_NUMBER),
     .preset = PATH("$.properties.subtotal")},
    [ECOMMERCE_TAX] = {FIELD("tax", "Tax", FIELD_NUMBER),
     .preset = PATH("$.properties.tax")},
    [ECOMMERCE_SHIPPING] = {FIELD("shipping", "Shipping", FIELD_NUMBER),
     .preset = PATH("$.properties.shipping")},
    [ECOMMERCE_TOTAL_DISCOUNTS] = {FIELD("total_discounts", "Total Discounts", FIELD_NUMBER),
     .preset = PATH("$.properties.discount")},
    [ECOMMERCE_DISCOUNTS] = {FIELD("discounts", "Discounts", FIELD_OBJECT), .multiple = true,
     .preset = "{\"@arrayPath\":[\"$.properties.discount_items\",{\"code\":" PATH("$.code") ",\"amount\":" PATH("$.amount") "}]}", FIELD_PARTS(discounts_fields)},
    [ECOMMERCE_CURRENCY] = {FIELD("currency", "Currency", FIELD_STRING), .required = true, FIELD_CHOICES(currencies),
     .preset = PATH("$.properties.currency")},
    [ECOMMERCE_SOURCE] = {FIELD("source", "Source", FIELD_STRING), .required = true,
     .preset = PATH("$.properties.source")},
    [ECOMMERCE_METADATA] = {FIELD("metadata", "Metadata", FIELD_OBJECT), .additional = true},
    [ECOMMERCE_ENABLE_BATCHING] = {FIELD("enable_batching", "Batch Data to Braze", FIELD_BOOLEAN), .required = true,
     .preset = "true"},
    [ECOMMERCE_BATCH_SIZE] = {FIELD("batch_size", "Maximum Batch Size", FIELD_NUMBER), .required = true, .min = 2, .max = 75,
     .preset = "75"},
    [ECOMMERCE_PRODUCTS] = {FIELD("products", "Products", FIELD_OBJECT), .multiple = true, .required = true, .additional = true,
     .preset = "{\"@arrayPath\":[\"$.properties.products\",{\"product_id\":" PATH("$.product_id") ",\"product_name\":" PATH("$.name") ",\"variant_id\":" PATH("$.variant") ",\"image_url\":" PATH("$.image_url") ",\"product_url\":" PATH("$.url") ",\"quantity\":" PATH("$.quantity") ",\"price\":" PATH("$.price") "}]}", FIELD_PARTS(products_fields)},
    [ECOMMERCE_CATALOG_TYPE] = {FIELD("catalog_type", "Catalog Trigger Type", FIELD_STRING), .multiple = true, FIELD_CHOICES(catalog_types),
     .preset = PATH("$.properties.type")},
    [ECOMMERCE_PRODUCT] = {FIELD("product", "Product", FIELD_OBJECT), .required = true,
     .preset = "{\"product_id\":" PATH("$.properties.product_id") ",\"product_name\":" PATH("$.properties.name") ",\"variant_id\":" PATH("$.properties.variant") ",\"image_url\":" PATH("$.properties.image_url") ",\"product_url\":" PATH("$.properties.url") ",\"price\":" PATH("$.properties.price") "}", FIELD_PARTS(product_fields)},
};
/* clang-format on */
