/*
 * field: one row of an action's field table. Tables are data; schema.h gives them their meaning.
 *
 *     {.key = STR_INIT("email"), .label = STR_INIT("Email"), .type = FIELD_STRING, .format =
 * FORMAT_EMAIL}
 */
#ifndef SPELTER_SCHEMA_FIELD_H
#define SPELTER_SCHEMA_FIELD_H

#include "format.h"
#include "str.h"

#include <stdint.h>

enum field_type {
    FIELD_STRING,
    FIELD_NUMBER,
    FIELD_INTEGER,
    FIELD_BOOLEAN,
    FIELD_DATETIME, /* text or number; format date-like */
    FIELD_OBJECT,
};

/* What a sibling field must (not) be for a requirement to hold. */
enum condition_value {
    CONDITION_UNDEFINED,
    CONDITION_TEXT,
    CONDITION_TRUE,
};

struct condition {
    struct str key; /* of the payload; need not be a field */
    bool is_not;
    enum condition_value value;
    struct str text; /* CONDITION_TEXT */
};

/* The field is required when all (or any) of the conditions hold. */
struct requirement {
    bool any;
    uint8_t count;
    const struct condition *conditions;
};

struct field {
    struct str key;
    struct str label; /* starts the error sentences */
    enum field_type type;
    enum format format;
    bool required;
    bool allow_null;
    bool multiple;   /* an array of `type` */
    bool additional; /* FIELD_OBJECT with parts: unknown members are kept */
    double min;      /* of a number, or code points of a string; 0: none */
    double max;
    const struct requirement *required_if;
    const struct str *choices;
    uint16_t choice_count;
    uint16_t part_count;
    const struct field
        *parts; /* members of an object (or of each object of an array); NULL: anything goes */
    const char *preset; /* the default mapping as JSON text, or NULL */
};

/* For table rows: the three every row has, and the number of elements beside a pointer. */
#define FIELD(key_text, label_text, field_type)                                                    \
    .key = STR_INIT(key_text), .label = STR_INIT(label_text), .type = (field_type)
#define FIELD_PARTS(table)   .parts = (table), .part_count = countof(table)
#define FIELD_CHOICES(table) .choices = (table), .choice_count = countof(table)

#define FIELD_REQUIRED_WHEN_ALL(table)                                                             \
    &(const struct requirement)                                                                    \
    {                                                                                              \
        .count = countof(table), .conditions = (table)                                             \
    }
#define FIELD_REQUIRED_WHEN_ANY(table)                                                             \
    &(const struct requirement)                                                                    \
    {                                                                                              \
        .any = true, .count = countof(table), .conditions = (table)                                \
    }

/* Default mappings that nearly all rows use: a path, and a path with
 * another one for when it is not there. */
#define PATH(path) "{\"@path\":\"" path "\"}"
#define FIRST_OF(path, other)                                                                      \
    "{\"@if\":{\"exists\":" PATH(path) ",\"then\":" PATH(path) ",\"else\":" PATH(other) "}}"

#endif
