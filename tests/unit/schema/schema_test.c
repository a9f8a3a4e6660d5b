#include "schema.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "../json_scene.h"

/* clang-format off */
static const struct str letters[] = {STR_INIT("a"), STR_INIT("b")};
static const struct field parts[] = {
    {FIELD("s", "S", FIELD_STRING)},
    {FIELD("n", "N", FIELD_NUMBER)},
    {FIELD("sn", "SN", FIELD_STRING), .allow_null = true},
    {FIELD("r", "R", FIELD_STRING), .required = true},
};
static const struct field loose_parts[] = {
    {FIELD("s", "S", FIELD_STRING)}, {FIELD("n", "N", FIELD_NUMBER)}, {FIELD("sn", "SN", FIELD_STRING), .allow_null = true},
};
static const struct field item_parts[] = {
    {FIELD("tags", "Tags", FIELD_STRING), .multiple = true},
};

enum { TEXT, TEXT_NULL, NUMBER, INTEGER, BOOLEAN, OBJECT, OBJECT_NULL, DATE, CHOICE, LENGTH, LIMIT, TEXTS, NUMBERS, OBJECTS,
       ITEMS, LETTERS, LOOSE, NESTED, ROWS };
static const struct field fields[ROWS] = {
    [TEXT]        = {FIELD("text", "Lbl", FIELD_STRING)},
    [TEXT_NULL]   = {FIELD("text_null", "Lbl", FIELD_STRING), .allow_null = true},
    [NUMBER]      = {FIELD("number", "Lbl", FIELD_NUMBER)},
    [INTEGER]     = {FIELD("integer", "Lbl", FIELD_INTEGER)},
    [BOOLEAN]     = {FIELD("boolean", "Lbl", FIELD_BOOLEAN)},
    [OBJECT]      = {FIELD("object", "Lbl", FIELD_OBJECT)},
    [OBJECT_NULL] = {FIELD("object_null", "Lbl", FIELD_OBJECT), .allow_null = true},
    [DATE]        = {FIELD("date", "Lbl", FIELD_DATETIME)},
    [CHOICE]      = {FIELD("choice", "Lbl", FIELD_STRING), FIELD_CHOICES(letters)},
    [LENGTH]      = {FIELD("length", "Lbl", FIELD_STRING), .min = 2, .max = 3},
    [LIMIT]       = {FIELD("limit", "Lbl", FIELD_NUMBER), .min = 2, .max = 75},
    [TEXTS]       = {FIELD("texts", "Lbl", FIELD_STRING), .multiple = true},
    [NUMBERS]     = {FIELD("numbers", "Lbl", FIELD_NUMBER), .multiple = true},
    [OBJECTS]     = {FIELD("objects", "Lbl", FIELD_OBJECT), .multiple = true},
    [ITEMS]       = {FIELD("items", "Lbl", FIELD_OBJECT), .multiple = true, FIELD_PARTS(parts)},
    [LETTERS]     = {FIELD("v", "Lbl", FIELD_STRING), .multiple = true, FIELD_CHOICES(letters)},
    [LOOSE]       = {FIELD("loose", "Lbl", FIELD_OBJECT), .allow_null = true, FIELD_PARTS(loose_parts)},
    [NESTED]      = {FIELD("nested", "Lbl", FIELD_OBJECT), FIELD_PARTS(item_parts)},
};
/* clang-format on */

static const struct condition without_b[] = {{.key = STR_INIT("b")}};
/* clang-format off */
static const struct condition kinds[] = {
    {.key = STR_INIT("kind"), .value = CONDITION_TEXT, .text = STR_INIT("x")},
    {.key = STR_INIT("kind"), .value = CONDITION_TEXT, .text = STR_INIT("y")},
};
/* clang-format on */
/* clang-format off */
static const struct condition not_true[] = {
    {.key = STR_INIT("b"), .is_not = true, .value = CONDITION_TRUE}};
/* clang-format on */
/* clang-format off */
static const struct field conditional_fields[] = {
    {FIELD("a", "A", FIELD_STRING), .required_if = FIELD_REQUIRED_WHEN_ALL(without_b)},
    {FIELD("b", "B", FIELD_STRING)},
    {FIELD("c", "C", FIELD_STRING), .required_if = FIELD_REQUIRED_WHEN_ANY(kinds)},
    {FIELD("d", "D", FIELD_STRING), .required_if = FIELD_REQUIRED_WHEN_ALL(not_true)},
    {FIELD("kind", "Kind", FIELD_STRING), .required = true},
};
/* clang-format on */

/* The validated object as JSON, or the sentences. */
static struct str check(const struct field *table, size_t count, struct str payload_text,
                        enum schema_clean clean)
{
    struct jv payload;
    struct record record;
    struct str why;
    struct schema *schema = schema_new(table, count, 0);
    assert_non_null(schema);
    arena_reset(&arena);
    buf_reset(&out);
    assert_int_equal(jv_parse(&payload, &arena, payload_text, JV_JAVASCRIPT, NULL), 0);
    int rc = schema_check(schema, payload, clean, &arena, &record, &why);
    if (rc == 0)
        jv_write(&out, schema_object(schema, &record, &arena));
    else
        buf_append(&out, why);
    schema_free(schema);
    return buf_str(&out);
}

static struct str check_field(int row, const char *value, enum schema_clean clean)
{
    char payload[512];
    int bytes = snprintf(payload, sizeof(payload), "{\"%s\":%s}", fields[row].key.ptr, value);
    return check(fields, ROWS, (struct str){payload, (size_t)bytes}, clean);
}

static void assert_says(struct str got, const char *expected, const char *what)
{
    if (!str_eq(got, str_from(expected)))
        fail_msg("%s: got %.*s, expected %s", what, STR_ARG(got), expected);
}

static void assert_becomes(int row, const char *value, enum schema_clean clean,
                           const char *expected)
{
    char object[512];
    struct str got = check_field(row, value, clean);
    if (strcmp(expected, "ERR") == 0) {
        if (!str_starts(got, STR("Lbl must be a")))
            fail_msg("%s for %s: got %.*s, expected a type error", value, fields[row].key.ptr,
                     STR_ARG(got));
        return;
    }
    if (expected[0] == '\0')
        snprintf(object, sizeof(object), "{}");
    else
        snprintf(object, sizeof(object), "{\"%s\":%s}", fields[row].key.ptr, expected);
    assert_says(got, object, value);
}

static void coerces_every_type_to_every_other_as_the_reference_does(void **state)
{
    (void)state;
    static const char date_error[] = "Lbl must be a valid date-like string but it was not.";
    /* clang-format off */
    static const struct {
        const char *input;
        const char *expected[8]; /* TEXT to DATE; "" is absent, "D" is date_error alone */
    } rows[] = {
        {"null",      {"", "null", "", "", "", "", "null", ""}},
        {"\"\"",      {"", "", "", "", "", "", "", ""}},
        {"\"5\"",     {"\"5\"", "\"5\"", "5", "5", "ERR", "ERR", "ERR", "\"5\""}},
        {"\"5.5\"",   {"\"5.5\"", "\"5.5\"", "5.5", "ERR", "ERR", "ERR", "ERR", "\"5.5\""}},
        {"\"true\"",  {"\"true\"", "\"true\"", "ERR", "ERR", "true", "ERR", "ERR", "D"}},
        {"0",         {"\"0\"", "\"0\"", "0", "0", "false", "ERR", "null", "0"}},
        {"1",         {"\"1\"", "\"1\"", "1", "1", "true", "ERR", "ERR", "1"}},
        {"5",         {"\"5\"", "\"5\"", "5", "5", "ERR", "ERR", "ERR", "5"}},
        {"true",      {"\"true\"", "\"true\"", "1", "1", "true", "ERR", "ERR", "D"}},
        {"false",     {"\"false\"", "\"false\"", "0", "0", "false", "ERR", "null", "D"}},
        {"[]",        {"ERR", "ERR", "ERR", "ERR", "ERR", "ERR", "ERR", "ERR"}},
        {"[null]",    {"\"\"", "\"\"", "0", "0", "false", "ERR", "ERR", "D"}},
        {"[\"\"]",    {"\"\"", "null", "ERR", "ERR", "ERR", "ERR", "null", "ERR"}},
        {"[\"x\"]",   {"\"x\"", "ERR", "ERR", "ERR", "ERR", "ERR", "ERR", "ERR"}},
        {"[\"5\"]",   {"\"5\"", "ERR", "5", "5", "ERR", "ERR", "ERR", "5"}},
        {"[5]",       {"\"5\"", "\"5\"", "5", "5", "ERR", "ERR", "ERR", "\"5\""}},
        {"[true]",    {"\"true\"", "\"true\"", "1", "1", "true", "ERR", "ERR", "D"}},
        {"{}",        {"ERR", "ERR", "ERR", "ERR", "ERR", "{}", "{}", "ERR"}},
    };
    /* clang-format on */
    for (size_t i = 0; i < countof(rows); i++) {
        for (int row = TEXT; row <= DATE; row++) {
            const char *expected = rows[i].expected[row];
            if (strcmp(expected, "D") == 0)
                assert_says(check_field(row, rows[i].input, CLEAN_SINGLE), date_error,
                            rows[i].input);
            else
                assert_becomes(row, rows[i].input, CLEAN_SINGLE, expected);
        }
    }
}

static void reads_numbers_in_text_as_javascript_does(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct {
        const char *input;
        const char *expected;
    } rows[] = {
        {"\"Infinity\"", "null"}, {"\"1e400\"", "null"},  {"\" \"", "0"},
        {"\"0x10\"", "16"},       {"\"00012\"", "12"},    {"\"\\t5\\n\"", "5"},
        {"\"NaN\"", "ERR"},       {"\"1_000\"", "ERR"},   {"\"1,000\"", "ERR"},
        {"\"--5\"", "ERR"},       {"\"5e\"", "ERR"},      {"\"0x\"", "ERR"},
        {"\".5\"", "0.5"},        {"\"5.\"", "5"},        {"\"9007199254740993\"", "9007199254740992"},
    };
    /* clang-format on */
    for (size_t i = 0; i < countof(rows); i++)
        assert_becomes(NUMBER, rows[i].input, CLEAN_SINGLE, rows[i].expected);
}

static void batches_keep_empty_text_that_single_requests_drop(void **state)
{
    (void)state;
    assert_becomes(TEXT, "\"\"", CLEAN_SINGLE, "");
    assert_becomes(TEXT, "\"\"", CLEAN_BATCH, "\"\"");
    assert_becomes(NUMBER, "\"\"", CLEAN_BATCH, "");
    assert_becomes(TEXT, "null", CLEAN_NOTHING, "\"\"");
    assert_says(check_field(DATE, "\"\"", CLEAN_BATCH),
                "Lbl must be a valid date-like string but it was not.", "empty date");
}

static void arrays_lose_empty_items_and_coerce_the_rest(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct {
        int row;
        const char *input;
        const char *expected;
    } rows[] = {
        {TEXTS, "\"x\"", "[\"x\"]"},
        {TEXTS, "[\"x\",null,\"\",5,true]", "[\"x\",\"\",\"5\",\"true\"]"},
        {NUMBERS, "[\"5\",\"\",null,1]", "[5,1]"},
        {OBJECTS, "{\"a\":null}", "[{\"a\":null}]"},
        {OBJECTS, "[{\"a\":1},null,\"\"]", "[{\"a\":1}]"},
        {ITEMS, "[{\"s\":null,\"n\":null,\"r\":null,\"z\":1}]",
         "[{\"s\":\"\",\"n\":0,\"r\":\"\"}]"},
        {LOOSE, "{\"s\":1,\"n\":\"2\",\"z\":9}", "{\"s\":\"1\",\"n\":2}"},
        {LOOSE, "{\"s\":null,\"n\":null,\"sn\":null}", "{\"sn\":null}"},
        {LOOSE, "{\"s\":\"\",\"n\":\"\",\"sn\":\"\"}", "{\"s\":\"\",\"sn\":\"\"}"},
        {LOOSE, "null", ""},
        {NESTED, "{\"tags\":5}", "{\"tags\":[\"5\"]}"},
    };
    /* clang-format on */
    for (size_t i = 0; i < countof(rows); i++)
        assert_becomes(rows[i].row, rows[i].input, CLEAN_SINGLE, rows[i].expected);
}

static void says_what_is_wrong_in_the_reference_s_words(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct {
        int row;
        const char *input;
        const char *expected;
    } rows[] = {
        {TEXT, "[]", "Lbl must be a string but it was an array."},
        {TEXT_NULL, "[\"x\"]", "Lbl must be a string or null but it was a string."},
        {INTEGER, "1.5", "Lbl must be an integer but it was a number."},
        {DATE, "[]", "Lbl must be a string or number but it was an array."},
        {OBJECT, "false", "Lbl must be an object but it was a boolean."},
        {CHOICE, "\"c\"", "Lbl must be one of: \"a\" or \"b\"."},
        {LENGTH, "\"x\"", "Lbl must be 2 characters or more but it was 1 character."},
        {LENGTH, "\"wxyz\"", "Lbl must be 3 characters or fewer but it was 4 characters."},
        {LENGTH, "\"\xf0\x9f\x91\x8d\"", "Lbl must be 2 characters or more but it was 2 characters."},
        {LIMIT, "1", "Lbl must be equal to or greater than 2."},
        {LIMIT, "76", "Lbl must be equal to or less than 75."},
        {LIMIT, "\"x\"", "Lbl must be a number but it was a string."},
        {LETTERS, "[null,\"c\"]", "The value at /v/0 must be one of: \"a\" or \"b\"."},
        {ITEMS, "[{}]", "The value at /items/0 is missing the required field 'r'."},
        {ITEMS, "[{\"r\":\"x\",\"n\":{}}]", "N must be a number but it was an object."},
        {ITEMS, "\"x\"", "The value at /items/0 must be an object but it was a string."},
        {NESTED, "{\"tags\":[{}]}", "The value at /nested/tags/0 must be a string but it was an object."},
    };
    /* clang-format on */
    for (size_t i = 0; i < countof(rows); i++)
        assert_says(check_field(rows[i].row, rows[i].input, CLEAN_SINGLE), rows[i].expected,
                    rows[i].input);
    assert_says(check(fields, ROWS, STR("5"), CLEAN_SINGLE),
                "The root value must be an object but it was a number.", "5");
    assert_says(check(fields, ROWS, STR("\"\""), CLEAN_BATCH),
                "The root value must be an object but it was undefined.", "\"\"");
    assert_says(check(fields, ROWS, STR("null"), CLEAN_SINGLE),
                "The root value must be an object but it was undefined.", "null");
}

static void conditions_ask_for_fields_and_null_counts_as_absent_when_alone(void **state)
{
    (void)state;
#define THEN " The root value must match \"then\" schema."
    /* clang-format off */
    static const struct {
        const char *input;
        const char *expected;
    } rows[] = {
        {"{\"a\":\"1\",\"kind\":\"z\"}", "{\"a\":\"1\",\"kind\":\"z\"}"},
        {"{}", "The root value is missing the required field 'a'." THEN
               " The root value is missing the required field 'kind'."},
        {"{\"kind\":\"y\",\"a\":\"1\"}", "The root value is missing the required field 'c'." THEN},
        {"{\"b\":false,\"kind\":\"z\"}", /* null by the first condition, then text again */
         "The root value is missing the required field 'a'." THEN
         " The root value is missing the required field 'd'." THEN},
        {"{\"b\":true,\"kind\":\"z\"}", "{\"b\":\"true\",\"kind\":\"z\"}"},
    };
    /* clang-format on */
#undef THEN
    for (size_t i = 0; i < countof(rows); i++)
        assert_says(check(conditional_fields, countof(conditional_fields), str_from(rows[i].input),
                          CLEAN_SINGLE),
                    rows[i].expected, rows[i].input);
}

static void valid_payloads_are_not_copied(void **state)
{
    (void)state;
    struct jv payload;
    struct record record;
    struct str why;
    struct schema *schema = schema_new(fields, ROWS, UINT64_C(1) << NUMBER);
    arena_reset(&arena);
    assert_int_equal(jv_parse(&payload, &arena,
                              STR("{\"text\":\"x\",\"items\":[{\"r\":\"y\"}],\"number\":1}"),
                              JV_JAVASCRIPT, NULL),
                     0);
    assert_int_equal(schema_check(schema, payload, CLEAN_SINGLE, &arena, &record, &why), 0);
    assert_ptr_equal(record.values[ITEMS].items, payload.members[1].value.items);
    assert_int_equal(record.values[NUMBER].type, JV_UNDEFINED); /* a row this schema has not */
    assert_int_equal(schema_find(schema, STR("number")), -1);
    schema_free(schema);
}

static void a_full_arena_is_an_error_and_no_crash(void **state)
{
    (void)state;
    struct arena small;
    struct jv payload;
    struct record record;
    struct str why;
    struct schema *schema = schema_new(fields, ROWS, 0);
    arena_reset(&arena);
    assert_int_equal(
        jv_parse(&payload, &arena, STR("{\"items\":[{}],\"texts\":[5,null]}"), JV_JAVASCRIPT, NULL),
        0);
    bool worked = false;
    for (size_t bytes = 16; bytes < 64 * 1024 && !worked; bytes += 64) {
        arena_init(&small, bytes);
        int rc = schema_check(schema, payload, CLEAN_SINGLE, &small, &record, &why);
        assert_true(rc == -ENOMEM || rc == -EINVAL);
        worked = rc == -EINVAL;
        arena_fini(&small);
    }
    assert_true(worked);
    schema_free(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(coerces_every_type_to_every_other_as_the_reference_does),
        cmocka_unit_test(reads_numbers_in_text_as_javascript_does),
        cmocka_unit_test(batches_keep_empty_text_that_single_requests_drop),
        cmocka_unit_test(arrays_lose_empty_items_and_coerce_the_rest),
        cmocka_unit_test(says_what_is_wrong_in_the_reference_s_words),
        cmocka_unit_test(conditions_ask_for_fields_and_null_counts_as_absent_when_alone),
        cmocka_unit_test(valid_payloads_are_not_copied),
        cmocka_unit_test(a_full_arena_is_an_error_and_no_crash),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
