#include "demo_events.h"

#include "clock.h"

const char *const demo_type_names[DEMO_TYPES] = {
    [DEMO_IDENTIFY] = "identify", [DEMO_TRACK] = "track",   [DEMO_ORDER] = "Order Completed",
    [DEMO_PAGE] = "page",         [DEMO_SCREEN] = "screen", [DEMO_GROUP] = "group",
    [DEMO_ALIAS] = "alias",
};

static const char *const first_names[] = {"Ada",     "Grace",  "Linus",   "Dennis",
                                          "Barbara", "Edsger", "Frances", "Ken"};
static const char *const last_names[] = {"Byron",    "Hopper", "Benedict", "Macalister",
                                         "Huberman", "Wybe",   "Allen"};
static const char *const cities[] = {"London",     "New York",    "Helsinki",
                                     "Bronxville", "Los Angeles", "Rotterdam"};
static const char *const plans[] = {"free", "pro", "team"};
static const char *const products[] = {"Hammer", "Anvil", "Tongs", "Flux", "Spelter rod"};

/* What one visitor does, in order. */
static const char *const visit[] = {
    "page",      "identify",         "Product Viewed", "Product Added",   "group",
    "Signed Up", "Checkout Started", "screen",         "Order Completed", "alias",
};

static void put_properties(struct buf *out, uint64_t user, const char *step)
{
    uint64_t product = user % countof(products);
    unsigned price = 10 + (unsigned)(user % 90);
    buf_printf(
        out,
        "\"currency\":\"EUR\",\"source\":\"web\",\"product_id\":\"sku-%llu\",\"name\":\"%s\","
        "\"variant\":\"standard\",\"price\":%u.5,\"quantity\":2,\"cart_id\":\"cart-%llu\"",
        (unsigned long long)product, products[product], price, (unsigned long long)user);
    if (strcmp(step, "Order Completed") == 0 || strcmp(step, "Checkout Started") == 0)
        buf_printf(
            out,
            ",\"order_id\":\"order-%llu\",\"checkout_id\":\"checkout-%llu\",\"total\":%u,"
            "\"products\":[{\"product_id\":\"sku-%llu\",\"name\":\"%s\",\"variant\":\"standard\","
            "\"price\":%u.5,\"quantity\":2}]",
            (unsigned long long)user, (unsigned long long)user, 2 * price + 1,
            (unsigned long long)product, products[product], price);
}

static enum demo_type put_call(struct buf *out, uint64_t user, const char *step)
{
    unsigned long long id = (unsigned long long)user;
    if (strcmp(step, "identify") == 0) {
        buf_printf(
            out,
            "\"type\":\"identify\",\"traits\":{\"email\":\"user%llu@example.com\",\"firstName\":\"%"
            "s\","
            "\"lastName\":\"%s\",\"address\":{\"city\":\"%s\"},\"plan\":\"%s\",\"logins\":%llu}",
            id, first_names[user % countof(first_names)], last_names[user % countof(last_names)],
            cities[user % countof(cities)], plans[user % countof(plans)], id % 50);
        return DEMO_IDENTIFY;
    }
    if (strcmp(step, "page") == 0) {
        buf_printf(out, "\"type\":\"page\",\"name\":\"Home\",\"properties\":{\"url\":\"https://"
                        "forge.example/\"}");
        return DEMO_PAGE;
    }
    if (strcmp(step, "screen") == 0) {
        buf_printf(out, "\"type\":\"screen\",\"name\":\"Basket\",\"properties\":{\"items\":2}");
        return DEMO_SCREEN;
    }
    if (strcmp(step, "group") == 0) {
        buf_printf(
            out,
            "\"type\":\"group\",\"groupId\":\"guild-%llu\",\"traits\":{\"name\":\"Guild %llu\"}",
            id % 7, id % 7);
        return DEMO_GROUP;
    }
    if (strcmp(step, "alias") == 0) {
        buf_printf(out, "\"type\":\"alias\",\"previousId\":\"visitor-%llu\"", id);
        return DEMO_ALIAS;
    }
    buf_printf(out, "\"type\":\"track\",\"event\":\"%s\",\"properties\":{", step);
    put_properties(out, user, step);
    buf_putc(out, '}');
    return strcmp(step, "Order Completed") == 0 ? DEMO_ORDER : DEMO_TRACK;
}

enum demo_type demo_event(struct buf *out, uint64_t index, int64_t now_ms)
{
    uint64_t user = index / countof(visit);
    const char *step = visit[index % countof(visit)];
    char time[ISO_TIME_BYTES];
    iso_time(time, now_ms);
    buf_putc(out, '{');
    enum demo_type type = put_call(out, user, step);
    buf_printf(
        out,
        ",\"userId\":\"user-%llu\",\"anonymousId\":\"visitor-%llu\",\"messageId\":\"demo-%lld-%"
        "llu\","
        "\"timestamp\":\"%.*s\",\"context\":{\"library\":{\"name\":\"demo\",\"version\":\"1\"},"
        "\"locale\":\"en-GB\",\"traits\":{\"email\":\"user%llu@example.com\"}}}",
        (unsigned long long)user, (unsigned long long)user, (long long)now_ms,
        (unsigned long long)index, ISO_TIME_BYTES, time, (unsigned long long)user);
    return type;
}
