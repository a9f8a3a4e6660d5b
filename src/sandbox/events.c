#include "events.h"

#include "ecommerce.h"
#include "errors.h"
#include "identifiers.h"
#include "locales.h"
#include "properties.h"
#include "text.h"
#include "times.h"

static enum object_error read_time(struct call *c, struct jv value, int64_t *ms)
{
    if (jv_is_nullish(value) || (value.type == JV_STRING && value.len == 0))
        return ERROR_TIME_REQUIRED;
    if (value.type != JV_STRING || !time_is(str_trim(jv_str(value)), ms))
        return ERROR_TIME_INVALID;
    if (*ms > c->now_ms) {
        call_note(c, NOTE_CHANGED, STR("time"), "in the future: becomes now");
        *ms = c->now_ms;
    }
    return ERROR_NONE;
}

struct occurrence {
    int64_t first;
    int64_t last;
    int64_t count;
};

static bool read_occurrence(struct jv value, struct occurrence *out)
{
    return value.type == JV_ARRAY && value.len == 3 && number_is_i64(value.items[0], &out->first) &&
           number_is_i64(value.items[1], &out->last) && number_is_i64(value.items[2], &out->count);
}

void count_occurrence(struct call *c, struct profile *p, enum section section, struct str name,
                      int64_t ms, int64_t times)
{
    struct occurrence o = {ms, ms, 0};
    struct jv *items;
    struct jv value = jv_array(c->arena, &items, 3);
    if (value.type != JV_ARRAY)
        return;
    (void)read_occurrence(profile_get(p, section, name), &o);
    items[0] = jv_number((double)(ms < o.first ? ms : o.first));
    items[1] = jv_number((double)(ms > o.last ? ms : o.last));
    items[2] = jv_number((double)(o.count + times));
    profile_put(p, section, name, value);
}

struct jv write_occurrences(struct call *c, const struct profile *p, enum section section,
                            struct str name_key, int64_t from_ms, struct str only)
{
    struct jv all = profile_section(p, section);
    struct jv *items;
    struct jv list = jv_array(c->arena, &items, all.len);
    uint32_t kept = 0;
    for (uint32_t i = 0; list.type == JV_ARRAY && i < all.len; i++) {
        struct occurrence o;
        if ((only.len > 0 && !str_eq(only, all.members[i].key)) ||
            !read_occurrence(all.members[i].value, &o) || o.last < from_ms)
            continue;
        struct jv_builder b;
        jv_object_begin(&b, c->arena, 4);
        jv_object_put(&b, name_key, jv_string(all.members[i].key));
        jv_object_put(&b, STR("first"), jv_string(time_text(c->arena, o.first)));
        jv_object_put(&b, STR("last"), jv_string(time_text(c->arena, o.last)));
        jv_object_put(&b, STR("count"), jv_number((double)o.count));
        items[kept++] = jv_object_end(&b);
    }
    list.len = kept;
    return list;
}

void add_commerce(struct profile *p, struct str name, double amount)
{
    struct jv before = profile_get(p, SECTION_COMMERCE, name);
    double sum = (before.type == JV_NUMBER ? jv_as_double(before) : 0) + amount;
    profile_put(p, SECTION_COMMERCE, name, jv_number(sum));
}

double in_dollars(struct call *c, struct jv amount, struct str currency)
{
    bool known;
    double rate = workspace_rate(c->sandbox->workspace, currency, &known);
    if (!known)
        call_note(c, NOTE_WARNING, STR("currency"),
                  "the workspace has no exchange rate for %.*s: taken as US dollars",
                  STR_ARG(currency));
    return jv_as_double(amount) * rate;
}

/* What the profile received, as it was kept. */
static void remember(struct call *c, struct profile *p, enum history_kind kind, struct jv object,
                     struct str name, int64_t ms, struct jv properties)
{
    static const struct str plain[] = {STR_INIT("app_id"), STR_INIT("currency"), STR_INIT("price"),
                                       STR_INIT("quantity")};
    struct buf *text = &c->sandbox->scratch;
    buf_reset(text);
    buf_append(text, kind == HISTORY_EVENT ? STR("{\"name\":") : STR("{\"product_id\":"));
    jv_write_string(text, name);
    buf_append(text, STR(",\"time\":"));
    jv_write_string(text, time_text(c->arena, ms));
    for (size_t i = 0; i < (kind == HISTORY_EVENT ? 1 : countof(plain)); i++) {
        struct jv value = jv_get(object, plain[i]);
        if (value.type == JV_UNDEFINED)
            continue;
        buf_printf(text, ",\"%.*s\":", STR_ARG(plain[i]));
        jv_write(text, value);
    }
    if (properties.type == JV_OBJECT) {
        buf_append(text, STR(",\"properties\":"));
        jv_write(text, properties);
    }
    buf_printf(text, ",\"request\":%llu}", (unsigned long long)c->number);
    if (!text->failed)
        profile_received(p, kind, buf_str(text));
}

static void count_points(struct call *c, enum name_kind kind, struct str name, uint64_t points)
{
    c->points += points;
    names_count(c->sandbox->names, kind, name, points, c->now_ms);
}

static struct str refuse(struct call *c, enum object_error error)
{
    return object_error_text(c, error);
}

static struct str cut_name(struct call *c, struct str field, struct str text)
{
    text = text_clean_name(c->arena, text);
    struct str cut = text_cut(text, STRING_BYTES_MAX);
    if (cut.len < text.len)
        call_note(c, NOTE_CHANGED, field, "cut from %zu to %zu bytes", text.len, cut.len);
    return cut;
}

static void store_event(struct call *c, struct profile *p, struct jv object, struct str name,
                        int64_t ms, struct jv properties, bool is_ecommerce)
{
    uint64_t points = workspace_segmentable(c->sandbox->workspace, name, properties);
    count_occurrence(c, p, SECTION_EVENTS, name, ms, 1);
    if (is_ecommerce)
        ecommerce_apply(c, p, name, properties, ms);
    else
        points++;
    remember(c, p, HISTORY_EVENT, object, name, ms, properties);
    count_points(c, NAME_EVENT, name, points);
}

struct str events_take(struct call *c, struct jv object)
{
    struct who who;
    int64_t ms = 0;
    struct jv properties;
    enum object_error error = who_read(c, object, false, &who);
    if (error != ERROR_NONE)
        return refuse(c, error);
    struct jv name_value = jv_get(object, STR("name"));
    struct str name = cut_name(c, STR("name"), jv_str(name_value));
    if (name_value.type != JV_STRING || name.len == 0)
        return refuse(c, ERROR_NAME_REQUIRED);
    if (name.ptr[0] == '$') {
        if (call_choice(c, CHOICE_EVENT_DOLLAR) == DOLLAR_REJECTED)
            return refuse(c, ERROR_NAME_DOLLAR);
        call_note(c, NOTE_WARNING, STR("name"), "event names should not start with $");
    }
    error = read_time(c, jv_get(object, STR("time")), &ms);
    if (error == ERROR_NONE &&
        !properties_clean(c, jv_get(object, STR("properties")), false, &properties))
        error = ERROR_PROPERTIES;
    if (error != ERROR_NONE)
        return refuse(c, error);
    bool is_ecommerce = ecommerce_is(name);
    if (is_ecommerce) {
        struct str violation = ecommerce_check(c, name, properties);
        if (violation.len > 0)
            return violation;
    }
    if (workspace_blocks(c->sandbox->workspace, BLOCK_EVENTS, name)) {
        call_note(c, NOTE_BLOCKED, STR("name"), "%.*s is on the blocklist: dropped, no data points",
                  STR_ARG(name));
        return STR("");
    }
    struct profile *p = who_resolve(c, &who, &error);
    if (p == NULL)
        return refuse(c, error);
    store_event(c, p, object, name, ms, properties, is_ecommerce);
    if (c->results != NULL) {
        who_write(c, &who, c->results);
        jv_object_put(c->results, STR("custom_events"),
                      write_occurrences(c, p, SECTION_EVENTS, STR("name"), INT64_MIN, name));
    }
    return STR("");
}

enum { QUANTITY_MAX = 100 };

struct purchase {
    struct str product;
    struct str currency;
    struct jv price;
    int64_t quantity;
    int64_t ms;
    struct jv properties;
};

static enum object_error read_currency(struct call *c, struct jv value, struct str *out)
{
    *out = jv_str(value);
    if (call_choice(c, CHOICE_CURRENCY_CASE) == CURRENCY_LENIENT && value.type == JV_STRING) {
        char *upper = arena_alloc(c->arena, out->len);
        for (size_t i = 0; upper != NULL && i < out->len; i++)
            upper[i] = (char)(out->ptr[i] >= 'a' && out->ptr[i] <= 'z' ? out->ptr[i] - 'a' + 'A'
                                                                       : out->ptr[i]);
        out->ptr = upper == NULL ? out->ptr : upper;
    }
    switch (currency_find(*out)) {
    case CURRENCY_UNKNOWN:
        return ERROR_CURRENCY;
    case CURRENCY_OTHER:
        call_note(c, NOTE_WARNING, STR("currency"), "%.*s is not in the list of Braze's SDKs",
                  STR_ARG(*out));
        return ERROR_NONE;
    case CURRENCY_BRAZE:
        return ERROR_NONE;
    }
    return ERROR_CURRENCY;
}

static enum object_error read_purchase(struct call *c, struct jv object, struct purchase *out)
{
    struct str product = id_text(c, jv_get(object, STR("product_id")));
    product = text_clean_name(c->arena, product);
    if (product.len == 0)
        return ERROR_PRODUCT_REQUIRED;
    size_t chars = 0;
    out->product = product;
    for (size_t i = 0; i < product.len; i++) {
        if (((unsigned char)product.ptr[i] & 0xC0) != 0x80 && chars++ == STRING_CHARACTERS_MAX) {
            call_note(c, NOTE_CHANGED, STR("product_id"), "cut to 255 characters");
            out->product = str_slice(product, 0, i);
            break;
        }
    }
    enum object_error error = read_currency(c, jv_get(object, STR("currency")), &out->currency);
    if (error != ERROR_NONE)
        return error;
    out->price = jv_get(object, STR("price"));
    if (out->price.type != JV_NUMBER)
        return ERROR_PRICE;
    struct jv quantity = jv_get(object, STR("quantity"));
    out->quantity = 1;
    if (!jv_is_nullish(quantity) && (!number_is_i64(quantity, &out->quantity) ||
                                     out->quantity < 1 || out->quantity > QUANTITY_MAX))
        return ERROR_QUANTITY;
    error = read_time(c, jv_get(object, STR("time")), &out->ms);
    if (error == ERROR_NONE &&
        !properties_clean(c, jv_get(object, STR("properties")), true, &out->properties))
        error = ERROR_PROPERTIES;
    return error;
}

static void widen(struct call *c, struct profile *p, struct str name, int64_t ms, bool later)
{
    struct jv before = profile_get(p, SECTION_COMMERCE, name);
    int64_t known;
    (void)c;
    if (number_is_i64(before, &known) && (later ? known >= ms : known <= ms))
        return;
    profile_put(p, SECTION_COMMERCE, name, jv_number((double)ms));
}

struct str purchases_take(struct call *c, struct jv object)
{
    struct who who;
    struct purchase purchase = {0};
    enum object_error error = who_read(c, object, false, &who);
    if (error == ERROR_NONE)
        error = read_purchase(c, object, &purchase);
    if (error != ERROR_NONE)
        return refuse(c, error);
    struct profile *p = who_resolve(c, &who, &error);
    if (p == NULL)
        return refuse(c, error);

    count_occurrence(c, p, SECTION_PRODUCTS, purchase.product, purchase.ms, purchase.quantity);
    add_commerce(p, STR("total_revenue"),
                 in_dollars(c, purchase.price, purchase.currency) * (double)purchase.quantity);
    add_commerce(p, STR("purchase_count"), (double)purchase.quantity);
    widen(c, p, STR("first_purchase"), purchase.ms, false);
    widen(c, p, STR("last_purchase"), purchase.ms, true);
    remember(c, p, HISTORY_PURCHASE, object, purchase.product, purchase.ms, purchase.properties);
    uint64_t points =
        call_choice(c, CHOICE_PURCHASE_POINTS) == PURCHASE_ONCE ? 1 : (uint64_t)purchase.quantity;
    points += workspace_segmentable(c->sandbox->workspace, purchase.product, purchase.properties);
    count_points(c, NAME_PRODUCT, purchase.product, points);
    if (c->results != NULL) {
        who_write(c, &who, c->results);
        jv_object_put(c->results, STR("purchase_events"),
                      write_occurrences(c, p, SECTION_PRODUCTS, STR("product_id"), INT64_MIN,
                                        purchase.product));
    }
    return STR("");
}
