/*
 * choices: where Braze's documents are silent or have changed over time, what the sandbox does, and
 * the other way it can be told to do (docs/spec/braze-rest-api.md §8). One table feeds the option,
 * the help and the manual.
 */
#ifndef SPELTER_SANDBOX_CHOICES_H
#define SPELTER_SANDBOX_CHOICES_H

#include "err.h"
#include "str.h"

enum choice {
    CHOICE_CONTRACT,
    CHOICE_OBJECT_LIMIT,
    CHOICE_ERROR_TYPE,
    CHOICE_INVALID_EMAIL,
    CHOICE_UNAUTHORIZED_BODY,
    CHOICE_CONTENT_TYPE,
    CHOICE_COUNT_REJECTED,
    CHOICE_EXPORT_STATUS,
    CHOICE_EXPORT_FIELDS,
    CHOICE_EXPORT_RATE,
    CHOICE_LEGACY_API_KEY,
    CHOICE_CURRENCY_CASE,
    CHOICE_EVENT_DOLLAR,
    CHOICE_EVENT_RESERVED,
    CHOICE_EVENT_ALIAS_CREATES,
    CHOICE_STRING_LIMIT,
    CHOICE_PURCHASE_PROPERTIES,
    CHOICE_ARRAY_KEEPS,
    CHOICE_ARRAY_MAX,
    CHOICE_EMAIL_CHANGE,
    CHOICE_LOCALE_POINTS,
    CHOICE_PURCHASE_POINTS,
    CHOICE_ADD_REMOVE_POINTS,
    CHOICE_IDENTIFY_COUNTS,
    CHOICE_CONSISTENCY_MS,
    CHOICE_MAU_HOURLY,
    CHOICE_MAU_BURST,
    CHOICE_COUNT,
};

/* Values of the choices that are words, in the order of their table rows. */
enum { CONTRACT_DATA_POINTS, CONTRACT_MAU, CONTRACT_PER_MINUTE, CONTRACT_PER_HOUR };
enum { OBJECTS_COMBINED, OBJECTS_PER_ARRAY };
enum { ERROR_TEXT, ERROR_ENUMERATION };
enum { EMAIL_REJECTS, EMAIL_IGNORED };
enum { UNAUTHORIZED_PLAIN, UNAUTHORIZED_ECHO };
enum { CONTENT_TYPE_ENFORCED, CONTENT_TYPE_IGNORED };
enum { REJECTED_COUNT, REJECTED_FREE };
enum { EXPORT_201, EXPORT_200 };
enum { FIELDS_OPTIONAL, FIELDS_REQUIRED };
enum { EXPORT_250, EXPORT_2500 };
enum { LEGACY_REFUSED, LEGACY_ACCEPTED };
enum { CURRENCY_STRICT, CURRENCY_LENIENT };
enum { DOLLAR_ACCEPTED, DOLLAR_REJECTED };
enum { RESERVED_TWO, RESERVED_SIX };
enum { ALIAS_CREATES, ALIAS_UPDATES_ONLY };
enum { STRING_479_BYTES, STRING_255_CHARACTERS };
enum { PURCHASE_50_KB, PURCHASE_100_KB };
enum { ARRAY_KEEPS_LAST, ARRAY_KEEPS_FIRST };
enum { EMAIL_CHANGE_INHERITS, EMAIL_CHANGE_RESUBSCRIBES };
enum { LOCALE_BILLED, LOCALE_FREE };
enum { PURCHASE_PER_QUANTITY, PURCHASE_ONCE };
enum { COUNT_PER_ARRAY, COUNT_ALIASES_ONLY };

struct choices {
    long values[CHOICE_COUNT];
};

enum { CHOICE_WORDS_MAX = 4 };

struct choice_row {
    struct str name;
    struct str words[CHOICE_WORDS_MAX]; /* the first is the default; all empty: a number */
    long number;                        /* default of a number */
    long number_min;
    long number_max;
    const char *about;
};

extern const struct choice_row choice_rows[CHOICE_COUNT];

void choices_init(struct choices *c); /* defaults */

/* Both parts of "name=value". -EINVAL: no such name or value; err names the nearest or lists the
 * words. */
int choices_set(struct choices *c, struct str name, struct str value, struct err *err)
    __attribute__((warn_unused_result));

#endif
