#include "timestamp.h"

#include <math.h>

#include "clock.h"

/* Reads exactly `width` digits at *at and moves on. */
static bool take_digits(struct str text, size_t *at, size_t width, int *number)
{
    *number = 0;
    if (text.len - *at < width)
        return false;
    for (size_t i = 0; i < width; i++) {
        char c = text.ptr[*at + i];
        if (c < '0' || c > '9')
            return false;
        *number = *number * 10 + (c - '0');
    }
    *at += width;
    return true;
}

static bool take_char(struct str text, size_t *at, char c)
{
    if (*at >= text.len || text.ptr[*at] != c)
        return false;
    (*at)++;
    return true;
}

static bool take_date(struct str text, size_t *at, int64_t *days)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year;
    int month;
    int day;
    if (!take_digits(text, at, 4, &year) || !take_char(text, at, '-') ||
        !take_digits(text, at, 2, &month) || !take_char(text, at, '-') ||
        !take_digits(text, at, 2, &day))
        return false;
    bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (month < 1 || month > 12 || day < 1 || day > lengths[month - 1] + (month == 2 && is_leap))
        return false;
    *days = days_from_civil(year, month, day);
    return true;
}

/* Up to nine digits after the point; what is finer than a microsecond is cut off. */
static bool take_fraction(struct str text, size_t *at, int64_t *us)
{
    int64_t unit = 100000;
    size_t digits = 0;
    *us = 0;
    if (!take_char(text, at, '.') && !take_char(text, at, ','))
        return true;
    for (; *at < text.len && text.ptr[*at] >= '0' && text.ptr[*at] <= '9'; (*at)++, digits++) {
        *us += unit * (text.ptr[*at] - '0');
        unit /= 10;
    }
    return digits >= 1 && digits <= 9;
}

/* "Z", "+01:00", "-0130", "+01"; nothing means UTC. */
static bool take_offset(struct str text, size_t *at, int64_t *offset_us)
{
    int hours;
    int minutes = 0;
    *offset_us = 0;
    if (*at == text.len || take_char(text, at, 'Z') || take_char(text, at, 'z'))
        return true;
    bool is_west = text.ptr[*at] == '-';
    if (!take_char(text, at, '+') && !take_char(text, at, '-'))
        return false;
    if (!take_digits(text, at, 2, &hours))
        return false;
    (void)take_char(text, at, ':');
    if (*at < text.len && !take_digits(text, at, 2, &minutes))
        return false;
    if (hours > 23 || minutes > 59)
        return false;
    *offset_us = (int64_t)(hours * 60 + minutes) * 60 * 1000000 * (is_west ? -1 : 1);
    return true;
}

static bool parse_text(struct str text, int64_t *us)
{
    size_t at = 0;
    int64_t days;
    int64_t fraction_us = 0;
    int64_t offset_us = 0;
    int hour = 0;
    int minute = 0;
    int second = 0;
    if (!take_date(text, &at, &days))
        return false;
    if (at < text.len) {
        if (!take_char(text, &at, 'T') && !take_char(text, &at, 't') && !take_char(text, &at, ' '))
            return false;
        if (!take_digits(text, &at, 2, &hour) || !take_char(text, &at, ':') ||
            !take_digits(text, &at, 2, &minute))
            return false;
        if (take_char(text, &at, ':') && !take_digits(text, &at, 2, &second))
            return false;
        if (!take_fraction(text, &at, &fraction_us) || !take_offset(text, &at, &offset_us))
            return false;
    }
    if (at != text.len || hour > 23 || minute > 59 || second > 60)
        return false;
    int64_t seconds = days * 86400 + hour * 3600 + minute * 60 + second;
    *us = seconds * 1000000 + fraction_us - offset_us;
    return true;
}

bool timestamp_is_printable(int64_t us)
{
    const int64_t first = days_from_civil(0, 1, 1) * 86400 * 1000000;
    const int64_t last = days_from_civil(10000, 1, 1) * 86400 * 1000000;
    return us >= first && us < last;
}

bool timestamp_parse(struct jv v, int64_t *us)
{
    if (v.type == JV_STRING)
        return parse_text(str_trim(jv_str(v)), us) && timestamp_is_printable(*us);
    if (v.type != JV_NUMBER)
        return false;
    double number = jv_as_double(v);
    double scaled = number > 1e11 ? number * 1e3 : number * 1e6;
    if (!(fabs(scaled) < 4e17)) /* also false for NaN; year 9999 is 2.5e17 microseconds */
        return false;
    *us = (int64_t)scaled;
    return timestamp_is_printable(*us);
}
