/* text: small work on UTF-8 text, results in the caller's arena. A full arena gives an empty str
 * with a NULL ptr. */
#ifndef SPELTER_SANDBOX_TEXT_H
#define SPELTER_SANDBOX_TEXT_H

#include "arena.h"
#include "jv.h"
#include "str.h"

#include <stdint.h>

/* ASCII letters in lower case. */
struct str text_lower_ascii(struct arena *a, struct str text);

/* The longest start of at most bytes_max bytes that cuts no character. */
struct str text_cut(struct str text, size_t bytes_max);

/* Code points; the text is valid UTF-8. */
size_t text_chars(struct str text);

/* What Braze makes of a name: white space at both ends and newlines inside removed. */
struct str text_clean_name(struct arena *a, struct str text);

/* Without the bytes that are no UTF-8. *removed counts them. */
struct str text_drop_invalid_utf8(struct arena *a, struct str text, size_t *removed);

struct str text_format(struct arena *a, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* "a" and "b" joined by a byte that neither contains: one key out of two. */
struct str text_pair(struct arena *a, struct str first, struct str second);

/* A number as JSON prints it. */
struct str text_of_number(struct arena *a, struct jv number);

/* A whole decimal number that fits; false for anything else, also for an empty text. */
bool text_to_i64(struct str text, int64_t *out);

/* A JSON number without a fraction that a 64-bit integer holds. */
bool number_is_i64(struct jv number, int64_t *out);

/* The inverse: exact text where a double would round. */
struct jv number_from_i64(struct arena *a, int64_t number);

#endif
