#include "batch.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "subscription.h"

#include "../json_scene.h"

struct row {
    const char *action;
    const char *mode;     /* sync mode, or "" */
    const char *payloads; /* array */
    int status;           /* of the response */
    const char *body;
    const char *request; /* its body; "" when there is none */
    bool is_batch;
    const char *nodes; /* or what is thrown */
};

static void assert_says(struct str got, const char *expected, const char *what)
{
    if (!str_eq(got, str_from(expected)))
        fail_msg("%s:\n got      %.*s\n expected %s", what, STR_ARG(got), expected);
}

static void check_row(const struct row *row, enum parity parity)
{
    struct batch b;
    char mapping[128];
    const struct action *action = action_find(str_from(row->action));
    struct schema *schema = schema_new(action->fields, action->field_count, action->absent);
    assert_non_null(schema);
    arena_reset(&arena);
    snprintf(mapping, sizeof(mapping), "{\"__segment_internal_sync_mode\":\"%s\"}", row->mode);
    struct call call =
        subscription_call(action, parse(mapping), jv_undefined(), parity, FORM_BATCH);
    call.schema = schema;
    struct jv payloads = parse(row->payloads);
    assert_int_equal(batch_open(&b, &call, payloads.items, payloads.items, payloads.len, &arena),
                     0);
    b.response = (struct response){row->status, parse(row->body), STR("")};
    assert_int_equal(batch_settle(&b), 0);

    buf_reset(&out);
    if (b.has_request)
        jv_write(&out, b.request.body);
    assert_says(buf_str(&out), row->request, row->payloads);
    assert_int_equal(b.has_request && b.request.is_batch, row->is_batch);
    buf_reset(&out);
    if (b.failure.name != NULL)
        buf_append(&out, b.failure.message);
    else
        jv_write(&out, batch_nodes(&b));
    assert_says(buf_str(&out), row->nodes, row->payloads);
    schema_free(schema);
}

static void check_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check_row(&rows[i], PARITY_STRICT);
}

#define OK_BODY    "{\"message\":\"success\"}"
#define A          "{\"name\":\"a\",\"time\":0,\"external_id\":\"1\"}"
#define B          "{\"name\":\"b\",\"time\":0,\"external_id\":\"2\"}"
#define SENT_A     "{\"external_id\":\"1\",\"name\":\"a\",\"time\":\"1970-01-01T00:00:00.000Z\"}"
#define SENT_B     "{\"external_id\":\"2\",\"name\":\"b\",\"time\":\"1970-01-01T00:00:00.000Z\"}"
#define GOOD(sent) "{\"status\":200,\"sent\":" sent ",\"body\":\"success\"}"
#define INVALID(text)                                                                              \
    "{\"status\":400,\"errortype\":\"PAYLOAD_VALIDATION_FAILED\",\"errormessage\":\"" text         \
    "\",\"errorreporter\":\"INTEGRATIONS\"}"
#define NOBODY                                                                                     \
    INVALID("One of \\\"external_id\\\" or \\\"user_alias\\\" or \\\"braze_id\\\" or "             \
            "\\\"email\\\" is required.")
#define MODE INVALID("Invalid syncMode, must be set to \\\"add\\\" or \\\"update\\\"")

static void items_are_told_apart_by_what_happened_to_each(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct row rows[] = {
        {"trackEvent", "", "[" A ",{},{\"name\":\"\",\"time\":0}," B "]", 201, OK_BODY,
         "{\"events\":[" SENT_A "," SENT_B "]}", true,
         "[" GOOD(SENT_A) "," INVALID("The root value is missing the required field 'name'. The root value is missing the "
                                      "required field 'time'.") "," NOBODY "," GOOD(SENT_B) "]"},
        {"trackEvent", "", "[" A "]", 201, OK_BODY, "{\"events\":[" SENT_A "]}", false, "[" GOOD(SENT_A) "]"},
        {"trackEvent", "", "[{\"name\":\"a\",\"time\":0}]", 201, OK_BODY, "{\"events\":[]}", false, "[" NOBODY "]"},
        {"trackEvent", "", "[{}]", 201, OK_BODY, "", false,
         "[" INVALID("The root value is missing the required field 'name'. The root value is missing the required field "
                     "'time'.") "]"},
        {"trackEvent2", "delete", "[" A "]", 201, OK_BODY, "", false, "[" MODE "]"},
        {"updateUserProfile2", "add", "[{\"external_id\":\"1\"}]", 201, OK_BODY, "", false, "[" MODE "]"},
    };
    /* clang-format on */
    check_rows(rows, countof(rows));
}

static void answers_reach_the_items_they_mean(void **state)
{
    (void)state;
#define REFUSED(type, sent)                                                                        \
    "{\"status\":400,\"errortype\":\"BAD_REQUEST\",\"errormessage\":\"" type "\",\"sent\":" sent   \
    ",\"body\":\"" type "\",\"errorreporter\":\"DESTINATION\"}"
#define FAILED(message, sent)                                                                      \
    "{\"status\":429,\"errormessage\":\"" message "\",\"sent\":" sent                              \
    ",\"body\":\"t1, t2\",\"errortype\":"                                                          \
    "\"TOO_MANY_REQUESTS\",\"errorreporter\":\"DESTINATION\"}"
    /* clang-format off */
    static const struct row rows[] = {
        {"trackEvent", "", "[{\"name\":\"a\",\"time\":0}," A "," B "]", 201,
         "{\"errors\":[{\"type\":\"t1\",\"index\":1},{\"type\":\"t2\",\"index\":1},{\"type\":\"t3\",\"index\":9}]}",
         "{\"events\":[" SENT_A "," SENT_B "]}", true, "[" NOBODY "," GOOD(SENT_A) "," REFUSED("t1", SENT_B) "]"},
        {"trackEvent", "", "[" A "," B "]", 429,
         "{\"message\":\"slow\",\"errors\":[{\"type\":\"t1\",\"index\":0},{\"type\":\"t2\",\"index\":0},{\"type\":\"t1\",\"index\":1}]}",
         "{\"events\":[" SENT_A "," SENT_B "]}", true, "[" FAILED("slow", SENT_A) "," FAILED("slow", SENT_B) "]"},
        {"trackEvent", "", "[" A "]", 429, "{\"errors\":[{\"type\":\"t1\",\"index\":5}]}", "{\"events\":[" SENT_A "]}", false,
         "Cannot read properties of undefined (reading 'add')"},
        {"trackEvent", "", "[" A "," B "]", 201,
         "{\"errors\":[{\"type\":\"t1\",\"index\":\"1\"},{\"type\":\"t2\",\"index\":\"01\"},{\"type\":\"t3\",\"index\":null}]}",
         "{\"events\":[" SENT_A "," SENT_B "]}", true, "[" GOOD(SENT_A) "," REFUSED("t1", SENT_B) "]"},
        {"trackEvent", "", "[" A "]", 201, "null", "{\"events\":[" SENT_A "]}", false,
         "Cannot read properties of null (reading 'errors')"},
    };
    /* clang-format on */
    check_rows(rows, countof(rows));
}

/* [40 products, 40 products, 10 products] in short. */
static void counts_products_as_the_reference_does(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct {
        int products[4];
        int statuses[4];
        int safe_statuses[4];
    } rows[] = {
        {{40, 40, 10, 76}, {200, 429, 429, 413}, {200, 429, 200, 413}},
        {{60, 0, 20, 5}, {200, 400, 429, 429}, {200, 400, 429, 200}},
    };
    /* clang-format on */
    for (size_t i = 0; i < countof(rows); i++) {
        for (int safe = 0; safe <= 1; safe++) {
            const struct action *action = action_find(STR("trackPurchase"));
            struct schema *schema = schema_new(action->fields, action->field_count, action->absent);
            arena_reset(&arena);
            buf_reset(&out);
            buf_putc(&out, '[');
            for (int j = 0; j < 4; j++) {
                buf_printf(&out, "%s{\"external_id\":\"u\",\"time\":0,\"products\":[",
                           j > 0 ? "," : "");
                for (int k = 0; k < rows[i].products[j]; k++)
                    buf_printf(&out, "%s{\"product_id\":\"p\",\"price\":1}", k > 0 ? "," : "");
                buf_printf(&out, "]}");
            }
            buf_putc(&out, ']');
            struct jv payloads = parse(buf_cstr(&out));
            struct call call = subscription_call(action, jv_undefined(), jv_undefined(),
                                                 safe ? PARITY_SAFE : PARITY_STRICT, FORM_BATCH);
            struct batch b;
            call.schema = schema;
            assert_int_equal(
                batch_open(&b, &call, payloads.items, payloads.items, payloads.len, &arena), 0);
            for (size_t j = 0; j < 4; j++) {
                double status = jv_get(b.items[j].node, STR("status")).number;
                int expected = safe ? rows[i].safe_statuses[j] : rows[i].statuses[j];
                assert_int_equal((int)status, expected);
            }
            schema_free(schema);
        }
    }
}

static void catalog_batches_name_the_bad_items(void **state)
{
    (void)state;
#define ITEM(id) "{\"item_id\":\"" id "\",\"item\":{\"n\":1}}"
#define SENT(id) "{\"n\":1,\"id\":\"" id "\"}"
#define ERROR    "{\"id\":\"x\",\"message\":\"bad\",\"parameter_values\":[\"a\"]}"
    /* clang-format off */
    static const struct row rows[] = {
        {"upsertCatalogItem", "upsert", "[" ITEM("a") "," ITEM("a") "," ITEM("b b") "]", 200, OK_BODY,
         "{\"items\":[" SENT("a") "]}", false,
         "[{\"status\":200,\"sent\":" SENT("a") ",\"body\":" OK_BODY "},"
         INVALID("Every item in the batch must have a unique item_id") "," INVALID("Invalid ID Format") "]"},
        {"upsertCatalogItem", "delete", "[" ITEM("a") "]", 200, OK_BODY, "{\"items\":[{\"id\":\"a\"}]}", false,
         "[{\"status\":200,\"sent\":" SENT("a") ",\"body\":" OK_BODY "}]"},
        {"upsertCatalogItem", "upsert", "[" ITEM("a") "," ITEM("b") "]", 400, "{\"errors\":[" ERROR "]}",
         "{\"items\":[" SENT("a") "," SENT("b") "]}", false,
         "[{\"status\":400,\"errortype\":\"PAYLOAD_VALIDATION_FAILED\",\"errormessage\":\"bad\",\"sent\":" SENT("a") ",\"body\":"
         ERROR ",\"errorreporter\":\"DESTINATION\"},{\"status\":500,\"errortype\":\"RETRYABLE_ERROR\",\"errormessage\":\"Item with ID b "
         "could not be processed due to invalid catalog items in the batch request.\",\"sent\":" SENT("b") ",\"body\":\"[{\\\"id\\\":"
         "\\\"x\\\",\\\"message\\\":\\\"bad\\\",\\\"parameter_values\\\":[\\\"a\\\"]}]\",\"errorreporter\":\"DESTINATION\"}]"},
        {"upsertCatalogItem", "upsert", "[" ITEM("a") "]", 400, "{\"errors\":{}}",
         "{\"items\":[" SENT("a") "]}", false, "errors?.forEach is not a function"},
        {"upsertCatalogItem", "upsert", "[" ITEM("a") "]", 400, "{\"errors\":[null]}",
         "{\"items\":[" SENT("a") "]}", false, "Cannot read properties of null (reading 'parameter_values')"},
        {"upsertCatalogItem", "upsert", "[" ITEM("a") "]", 400, "{\"errors\":[{\"parameter_values\":\"a\"}]}",
         "{\"items\":[" SENT("a") "]}", false, "error.parameter_values?.forEach is not a function"},
        {"upsertCatalogItem", "upsert", "[" ITEM("a") "]", 404, "{\"errors\":[{\"id\":\"catalog-not-found\"}]}",
         "{\"items\":[" SENT("a") "]}", false,
         "[{\"status\":404,\"errortype\":\"NOT_FOUND\",\"errormessage\":\"Catalog not found. Please create a catalog first.\",\"sent\":"
         SENT("a") ",\"body\":\"[{\\\"id\\\":\\\"catalog-not-found\\\"}]\",\"errorreporter\":\"DESTINATION\"}]"},
    };
    /* clang-format on */
    check_rows(rows, countof(rows));
}

#define SALE                                                                                       \
    "\"time\":\"1970-01-01T00:00:00Z\",\"currency\":\"USD\",\"source\":\"w\",\"enable_batching\":" \
    "true,\"batch_size\":75,"                                                                      \
    "\"name\":\"ecommerce.product_viewed\",\"products\":[]"
#define SENT_SALE                                                                                  \
    "{\"external_id\":\"u\",\"name\":\"ecommerce.product_viewed\",\"time\":\"1970-01-01T00:00:00." \
    "000Z\",\"properties\":{"                                                                      \
    "\"currency\":\"USD\",\"source\":\"w\"}}"

static void ecommerce_batches_always_say_that_they_are_one(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct row rows[] = {
        {"ecommerce", "", "[{" SALE "},{\"external_id\":\"u\"," SALE "}]", 201, "{\"errors\":[{\"type\":\"t\",\"index\":0}]}",
         "{\"events\":[" SENT_SALE "]}", true,
         "[{\"status\":400,\"errormessage\":\"One of \\\"external_id\\\" or \\\"user_alias\\\" or \\\"braze_id\\\" or \\\"email\\\" or "
         "\\\"phone\\\" is required.\",\"errortype\":\"BAD_REQUEST\",\"errorreporter\":\"INTEGRATIONS\"},"
         "{\"status\":400,\"errortype\":\"BAD_REQUEST\",\"errormessage\":\"t\",\"sent\":" SENT_SALE ",\"body\":\"t\","
         "\"errorreporter\":\"DESTINATION\"}]"},
        {"ecommerce", "", "[{\"external_id\":\"u\"," SALE "}]", 201, "null", "{\"events\":[" SENT_SALE "]}", true,
         "[{\"status\":200,\"sent\":" SENT_SALE ",\"body\":{\"success\":true}}]"},
        {"ecommerce", "", "[{\"external_id\":\"u\"," SALE "}]", 500, "{}", "{\"events\":[" SENT_SALE "]}", true,
         "Internal Server Error"},
        {"ecommerce", "", "[{\"external_id\":\"u\"," SALE "}]", 201, "{\"errors\":[null]}", "{\"events\":[" SENT_SALE "]}", true,
         "Cannot read properties of null (reading 'index')"},
    };
    /* clang-format on */
    check_rows(rows, countof(rows));
}

static void safe_batches_send_nothing_rather_than_an_empty_list(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct row row = {"trackEvent", "", "[{\"name\":\"a\",\"time\":0}]", 201, OK_BODY, "", false,
                                   "[" NOBODY "]"};
    /* clang-format on */
    check_row(&row, PARITY_SAFE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_are_told_apart_by_what_happened_to_each),
        cmocka_unit_test(answers_reach_the_items_they_mean),
        cmocka_unit_test(counts_products_as_the_reference_does),
        cmocka_unit_test(catalog_batches_name_the_bad_items),
        cmocka_unit_test(ecommerce_batches_always_say_that_they_are_one),
        cmocka_unit_test(safe_batches_send_nothing_rather_than_an_empty_list),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
