#include "harness.h"

/* docs/spec/braze-rest-api.md §6 */
#define EVENT(name, json)                                                                          \
    EVENTS("{\"external_id\":\"u\",\"name\":\"ecommerce." name "\"," T ",\"properties\":{" json    \
           "}}")
#define VIEW                                                                                       \
    "\"product_id\":\"p\",\"product_name\":\"P\",\"variant_id\":\"v\",\"currency\":\"USD\","       \
    "\"source\":\"web\""
#define LINE(id, quantity)                                                                         \
    "{\"product_id\":\"" id                                                                        \
    "\",\"product_name\":\"P\",\"variant_id\":\"v\",\"quantity\":" quantity ",\"price\":5}"
#define ORDER(total)                                                                               \
    "\"order_id\":\"o\",\"total_value\":" total                                                    \
    ",\"currency\":\"USD\",\"source\":\"web\",\"products\":[" LINE("p", "1") "]"
#define CART(action, line)                                                                         \
    "\"cart_id\":\"c\"," action                                                                    \
    "\"total_value\":5,\"currency\":\"USD\",\"source\":\"web\",\"products\":[" line "]"
#define BAD(text) REFUSED(text, "events")

static void properties_follow_the_schema(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct row rows[] = {
        {.rule = "§6.1 a product viewed", .request = EVENT("product_viewed", VIEW ",\"price\":5,\"metadata\":{\"sku\":\"s\"},\"type\":[\"price_drop\"]"), .status = 201, .answer = ONE_EVENT},
        {.rule = "§6.3 missing", .request = EVENT("product_viewed", "\"product_name\":\"P\",\"variant_id\":\"v\",\"price\":5,\"currency\":\"USD\",\"source\":\"web\""), .status = 400, .answer = BAD("The property '#/' did not contain a required property of 'product_id'"), .who = "u"},
        {.rule = "§6.3 a number as text", .request = EVENT("product_viewed", VIEW ",\"price\":\"29.99\""), .status = 400, .answer = BAD("The property '#/price' of type string did not match the following type: number")},
        {.rule = "§6.3 a text as number", .request = EVENT("product_viewed", "\"product_id\":5,\"product_name\":\"P\",\"variant_id\":\"v\",\"price\":5,\"currency\":\"USD\",\"source\":\"web\""), .status = 400, .answer = BAD("The property '#/product_id' of type integer did not match the following type: string")},
        {.rule = "§6.3 an extra key", .request = EVENT("product_viewed", VIEW ",\"price\":5,\"sku_abcd\":1"), .status = 400, .answer = BAD("The property '#/' contains additional properties [\\\"sku_abcd\\\"] outside of the schema when none are allowed")},
        {.rule = "§6.3 below zero", .request = EVENT("order_placed", ORDER("-1")), .status = 400, .answer = BAD("The property '#/total_value' did not have a minimum value of 0, inclusively")},
        {.rule = "§6.3 inside a product", .request = EVENT("order_placed", "\"order_id\":\"o\",\"total_value\":5,\"currency\":\"USD\",\"source\":\"web\",\"products\":[{\"product_id\":\"p\",\"product_name\":\"P\",\"quantity\":1,\"price\":5}]"), .status = 400, .answer = BAD("The property '#/products/0' did not contain a required property of 'variant_id'")},
        {.rule = "§6.1 a fraction as quantity", .request = EVENT("order_placed", "\"order_id\":\"o\",\"total_value\":5,\"currency\":\"USD\",\"source\":\"web\",\"products\":[" LINE("p", "1.5") "]"), .status = 400, .answer = BAD("The property '#/products/0/quantity' of type number did not match the following type: integer")},
        {.rule = "§6.3 another action", .request = EVENT("cart_updated", CART("\"action\":\"x\",", LINE("p", "1"))), .status = 400, .answer = BAD("The property '#/action' value \\\"x\\\" did not match one of the following values: add, remove, replace")},
        {.rule = "§6.3 another currency", .request = EVENT("product_viewed", "\"product_id\":\"p\",\"product_name\":\"P\",\"variant_id\":\"v\",\"price\":5,\"currency\":\"usd\",\"source\":\"web\""), .status = 400, .answer = BAD("'currency' must be an ISO 4217 currency")},
        {.rule = "§6.1 no total with add", .request = EVENT("cart_updated", "\"cart_id\":\"c\",\"action\":\"add\",\"currency\":\"USD\",\"source\":\"web\",\"products\":[]"), .status = 201, .answer = ONE_EVENT},
        {.rule = "§6.1 a total with replace", .request = EVENT("cart_updated", "\"cart_id\":\"c\",\"currency\":\"USD\",\"source\":\"web\",\"products\":[]"), .status = 400, .answer = BAD("The property '#/' did not contain a required property of 'total_value'")},
        {.rule = "§6.1 a cancel reason", .request = EVENT("order_cancelled", ORDER("5")), .status = 400, .answer = BAD("The property '#/' did not contain a required property of 'cancel_reason'")},
        {.rule = "§6.1 no properties", .request = EVENTS("{\"external_id\":\"u\",\"name\":\"ecommerce.order_placed\"," T "}"), .status = 400, .answer = BAD("The property '#/' did not contain a required property of 'order_id'")},
        {.rule = "§6.1 discounts", .request = EVENT("order_placed", ORDER("5") ",\"discounts\":[{\"code\":\"x\",\"amount\":1,\"type\":\"y\"}]"), .status = 201, .answer = ONE_EVENT},
        {.rule = "§6 any other spelling is a normal event", .request = EVENT("Order_placed", "\"x\":1"), .status = 201, .answer = ONE_EVENT},
    };
    /* clang-format on */
    harness_rows(rows, countof(rows), (struct sandbox_options){0});
}

static void orders_and_carts_leave_their_mark(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct row rows[] = {
        {.rule = "§6.2 placed", .request = EVENT("order_placed", ORDER("5")), .status = 201, .who = "u", .profile = "{\"total_revenue\":5,\"commerce\":{\"total_revenue\":5,\"total_orders\":1}}"},
        {.rule = "§6.2 cancelled: revenue untouched", .before = {EVENT("order_placed", ORDER("5"))}, .request = EVENT("order_cancelled", ORDER("5") ",\"cancel_reason\":\"x\""), .status = 201, .who = "u", .profile = "{\"commerce\":{\"total_revenue\":5,\"total_orders\":0}}"},
        {.rule = "§6.2 refunded", .before = {EVENT("order_placed", ORDER("5"))}, .request = EVENT("order_refunded", ORDER("2")), .status = 201, .who = "u", .profile = "{\"commerce\":{\"total_revenue\":3,\"total_orders\":1,\"total_refunds\":2}}"},
        {.rule = "§6.2 a cart replaced", .before = {EVENT("cart_updated", CART("", LINE("p", "1")))}, .request = EVENT("cart_updated", CART("\"action\":\"replace\",", LINE("q", "2"))), .status = 201, .who = "u", .profile = "{\"carts\":{\"c\":{\"updated_at\":1767607200000,\"products\":[" LINE("q", "2") "]}}}"},
        {.rule = "§6.2 a line raised", .before = {EVENT("cart_updated", CART("", LINE("p", "1")))}, .request = EVENT("cart_updated", CART("\"action\":\"add\",", LINE("p", "2"))), .status = 201, .who = "u", .profile = "{\"carts\":{\"c\":{\"updated_at\":1767607200000,\"products\":[" LINE("p", "3") "]}}}"},
        {.rule = "§6.2 a line appended", .before = {EVENT("cart_updated", CART("", LINE("p", "1")))}, .request = EVENT("cart_updated", CART("\"action\":\"add\",", LINE("q", "2"))), .status = 201, .who = "u", .profile = "{\"carts\":{\"c\":{\"updated_at\":1767607200000,\"products\":[" LINE("p", "1") "," LINE("q", "2") "]}}}"},
        {.rule = "§6.2 a line at 0 is deleted", .before = {EVENT("cart_updated", CART("", LINE("p", "1")))}, .request = EVENT("cart_updated", CART("\"action\":\"remove\",", LINE("p", "1"))), .status = 201, .who = "u", .profile = "{\"carts\":{\"c\":{\"updated_at\":1767607200000,\"products\":[]}}}", .note = "no-effect"},
    };
    /* clang-format on */
    harness_rows(rows, countof(rows), (struct sandbox_options){0});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(properties_follow_the_schema),
        cmocka_unit_test(orders_and_carts_leave_their_mark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
