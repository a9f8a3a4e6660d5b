#include "dates.h"

#include <errno.h>
#include <math.h>

#include "date.h"

/* As milliseconds these are before March 1973, as seconds until the
 * year 5138: nobody means the former. */
#define UNIX_SECONDS_MAX 1e11

enum { UNIX_SECONDS_DIGITS = 10, UNIX_MILLISECONDS_DIGITS = 13 };

/* Digits only, which the reference reads as a calendar date far away. */
static bool unix_text(struct str text, double *seconds)
{
    if (text.len != UNIX_SECONDS_DIGITS && text.len != UNIX_MILLISECONDS_DIGITS)
        return false;
    double number = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        number = number * 10 + (text.ptr[i] - '0');
    }
    *seconds = text.len == UNIX_SECONDS_DIGITS ? number : number / 1000;
    return true;
}

static bool parse(enum parity parity, struct jv v, int64_t *ms)
{
    double seconds;
    if (parity == PARITY_SAFE && v.type == JV_STRING && unix_text(jv_str(v), &seconds))
        return date_from_number(round(seconds * 1000), ms);
    if (parity == PARITY_SAFE && v.type == JV_NUMBER && fabs(jv_as_double(v)) < UNIX_SECONDS_MAX)
        return date_from_number(round(jv_as_double(v) * 1000), ms);
    return date_parse(v, ms);
}

int dates_iso(struct arena *a, enum parity parity, struct jv v, struct jv *out)
{
    int64_t ms;
    *out = v;
    if (jv_is_nullish(v))
        return 0;
    if (v.type == JV_STRING && date_is_iso(jv_str(v)))
        return 0;
    *out = jv_undefined();
    if (!parse(parity, v, &ms))
        return 0;
    char *text = arena_alloc(a, DATE_ISO_BYTES);
    if (text == NULL)
        return -ENOMEM;
    *out = jv_string((struct str){text, date_write_iso(ms, text)});
    return 0;
}

int dates_day(struct arena *a, enum parity parity, struct jv v, struct jv *out)
{
    int64_t ms;
    *out = v;
    if (jv_is_nullish(v))
        return 0;
    *out = jv_undefined();
    if (!parse(parity, v, &ms))
        return 0;
    char *text = arena_alloc(a, DATE_DAY_BYTES);
    if (text == NULL)
        return -ENOMEM;
    *out = jv_string((struct str){text, date_write_day(ms, text)});
    return 0;
}
