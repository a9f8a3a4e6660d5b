#include "date.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

#include "text.h"

#define MS_PER_DAY INT64_C(86400000)

enum { DATE_USUAL_BYTES = 24 /* 2024-01-02T03:04:05.678Z */ };

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Years are counted from March, so that the leap day is a year's last day. */
int64_t date_days(int64_t year, int64_t month0, int64_t day)
{
    year += floor_div(month0, 12);
    int64_t month = month0 - floor_div(month0, 12) * 12;
    if (month < 2)
        year--;
    int64_t era = floor_div(year, 400);
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * ((month + 10) % 12) + 2) / 5;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468 + day - 1;
}

struct date_civil date_civil(int64_t days)
{
    days += 719468; /* since 0000-03-01 */
    int64_t era = floor_div(days, 146097);
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153; /* 0: March */
    return (struct date_civil){
        .year = year_of_era + era * 400 + (month >= 10),
        .month = (int)(month < 10 ? month + 3 : month - 9),
        .day = (int)(day_of_year - (153 * month + 2) / 5 + 1),
    };
}

int64_t date_offset_s(int64_t ms)
{
    time_t seconds = (time_t)floor_div(ms, 1000);
    struct tm local;
    return localtime_r(&seconds, &local) == NULL ? 0 : local.tm_gmtoff;
}

int64_t date_utc_from_local(int64_t local_ms)
{
    /* The offsets of a day before and a day after bracket any change of offset; the earlier one
     * holds inside a gap and for the first of two equal readings, as ECMAScript has it. */
    int64_t before = date_offset_s(local_ms - MS_PER_DAY) * 1000;
    int64_t after = date_offset_s(local_ms + MS_PER_DAY) * 1000;
    bool is_after = before != after && date_offset_s(local_ms - before) * 1000 != before &&
                    date_offset_s(local_ms - after) * 1000 == after;
    return local_ms - (is_after ? after : before);
}

bool date_from_number(double number, int64_t *ms)
{
    if (!(fabs(number) <= (double)DATE_MS_MAX))
        return false;
    *ms = (int64_t)number;
    return true;
}

/* Reads up to `max` digits at text[*at]; false when there is none. */
static bool read_digits(struct str text, size_t *at, size_t max, int *number)
{
    size_t from = *at;
    *number = 0;
    while (*at < text.len && *at - from < max && text.ptr[*at] >= '0' && text.ptr[*at] <= '9')
        *number = *number * 10 + (text.ptr[(*at)++] - '0');
    return *at > from;
}

static void skip_one(struct str text, size_t *at, char a, char b)
{
    if (*at < text.len && (text.ptr[*at] == a || text.ptr[*at] == b))
        ++*at;
}

static void skip_spaces_and_t(struct str text, size_t *at)
{
    for (;;) {
        size_t bytes = text_space_bytes(text, *at);
        if (bytes == 0 && *at < text.len && (text.ptr[*at] | 0x20) == 't')
            bytes = 1;
        if (bytes == 0)
            return;
        *at += bytes;
    }
}

/* dayjs's own pattern: YYYY, then optionally MM, DD, hh, mm, ss and a fraction with loose
 * separators, in local time. Every part takes what it can: no text that matches in another way
 * fails to match in this one. */
static bool parse_pattern(struct str text, int64_t *ms)
{
    int year;
    int month;
    int day;
    int hour;
    int minute;
    int second;
    int fraction = 0;
    size_t at = 0;
    if (!read_digits(text, &at, 4, &year) || at != 4)
        return false;
    skip_one(text, &at, '-', '/');
    bool has_month = read_digits(text, &at, 2, &month);
    skip_one(text, &at, '-', '/');
    bool has_day = read_digits(text, &at, 2, &day);
    skip_spaces_and_t(text, &at);
    (void)read_digits(text, &at, 2, &hour);
    skip_one(text, &at, ':', ':');
    (void)read_digits(text, &at, 2, &minute);
    skip_one(text, &at, ':', ':');
    (void)read_digits(text, &at, 2, &second);
    skip_one(text, &at, '.', ':');
    (void)read_digits(text, &at, 3, &fraction); /* three digits as an integer: ".5" is 5 ms */
    while (at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9')
        at++;
    if (at != text.len)
        return false;
    if (year < 100)
        year += 1900;
    int64_t days = date_days(year, has_month ? month - 1 : 0, has_day ? day : 1);
    int64_t of_day = ((hour * INT64_C(60) + minute) * 60 + second) * 1000 + fraction;
    *ms = date_utc_from_local(days * MS_PER_DAY + of_day);
    return true;
}

/* Two digits at `at`, or 100 and more. */
static int two_digits(const char *text, size_t at)
{
    unsigned tens = (unsigned char)text[at] - (unsigned)'0';
    unsigned ones = (unsigned char)text[at + 1] - (unsigned)'0';
    return tens > 9 || ones > 9 ? 100 : (int)(tens * 10 + ones);
}

struct usual {
    int year;
    int month; /* 1 to 12 */
    int day;
    int hour;
    int minute;
    int second;
    int fraction; /* milliseconds */
};

/* The form nearly every timestamp has, 2024-01-02T03:04:05Z or with three digits of a second. False
 * says nothing about the text: the general readers have the last word. */
static inline bool read_usual(struct str text, struct usual *u)
{
    enum { WITHOUT_MS = 20, WITH_MS = DATE_USUAL_BYTES };
    static const int days_of[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const char *p = text.ptr;
    if ((text.len != WITHOUT_MS && text.len != WITH_MS) || p[4] != '-' || p[7] != '-' ||
        p[10] != 'T' || p[13] != ':' || p[16] != ':' || p[text.len - 1] != 'Z')
        return false;
    int century = two_digits(p, 0);
    int in_century = two_digits(p, 2);
    *u = (struct usual){
        .year = century * 100 + in_century,
        .month = two_digits(p, 5),
        .day = two_digits(p, 8),
        .hour = two_digits(p, 11),
        .minute = two_digits(p, 14),
        .second = two_digits(p, 17),
    };
    if (text.len == WITH_MS) {
        int last = (unsigned char)p[22] - '0';
        u->fraction = two_digits(p, 20) * 10 + last;
        if (p[19] != '.' || last < 0 || last > 9 || u->fraction > 999)
            return false;
    }
    return century <= 99 && in_century <= 99 && u->month >= 1 && u->month <= 12 && u->day >= 1 &&
           u->day <= days_of[u->month - 1] && u->hour <= 23 && u->minute <= 59 && u->second <= 59;
}

static bool parse_usual(struct str text, int64_t *ms)
{
    struct usual u;
    if (!read_usual(text, &u))
        return false;
    int64_t days = date_days(u.year, u.month - 1, u.day);
    *ms = (((days * 24 + u.hour) * 60 + u.minute) * 60 + u.second) * 1000 + u.fraction;
    return true;
}

bool date_parse_text(struct str text, int64_t *ms)
{
    if (parse_usual(text, ms))
        return true;
    bool is_zulu = text.len > 0 && (text.ptr[text.len - 1] | 0x20) == 'z';
    return (!is_zulu && parse_pattern(text, ms)) || date_parse_js(text, ms);
}

bool date_parse(struct jv v, int64_t *ms)
{
    if (v.type == JV_NUMBER)
        return date_from_number(jv_as_double(v), ms);
    return v.type == JV_STRING && date_parse_text(jv_str(v), ms);
}

static bool is_unusual_date(struct str text)
{
    char printed[32];
    int64_t ms;
    double number = text_to_number(text);
    if (isnan(number))
        return !str_eq(text, STR("NaN")) && date_parse_text(text, &ms);
    if (text.len < sizeof(printed)) { /* no number prints longer */
        struct buf out = {.ptr = printed, .cap = sizeof(printed), .max = sizeof(printed)};
        jv_write_number(&out, number);
        if (str_eq(buf_str(&out), text))
            return date_from_number(number * 1000, &ms);
    }
    return date_parse_text(text, &ms);
}

bool date_is_like(struct str text)
{
    struct usual u;
    return read_usual(text, &u) || is_unusual_date(text);
}

bool date_is_iso(struct str text)
{
    struct usual u;
    return text.len == DATE_USUAL_BYTES && read_usual(text, &u);
}

static char *put_digits(char *out, int64_t number, int digits)
{
    for (int i = digits - 1; i >= 0; i--) {
        out[i] = (char)('0' + number % 10);
        number /= 10;
    }
    return out + digits;
}

size_t date_write_iso(int64_t ms, char out[DATE_ISO_BYTES])
{
    int64_t days = floor_div(ms, MS_PER_DAY);
    int64_t rest = ms - days * MS_PER_DAY;
    struct date_civil day = date_civil(days);
    char *at = out;
    if (day.year < 0 || day.year > 9999)
        *at++ = day.year < 0 ? '-' : '+';
    at = put_digits(at, day.year < 0 ? -day.year : day.year, at == out ? 4 : 6);
    *at++ = '-';
    at = put_digits(at, day.month, 2);
    *at++ = '-';
    at = put_digits(at, day.day, 2);
    *at++ = 'T';
    at = put_digits(at, rest / 3600000, 2);
    *at++ = ':';
    at = put_digits(at, rest / 60000 % 60, 2);
    *at++ = ':';
    at = put_digits(at, rest / 1000 % 60, 2);
    *at++ = '.';
    at = put_digits(at, rest % 1000, 3);
    *at++ = 'Z';
    return (size_t)(at - out);
}

/* dayjs's year of format(): 0 is falsy to it, and then the offset from UTC stands there. */
static int write_year(char *out, size_t room, int64_t year, int64_t ms)
{
    if (year != 0)
        return snprintf(out, room, "%lld", (long long)year);
    int64_t minutes = floor_div(-(date_offset_s(ms) / 60) * 2 + 15, 30) * -15; /* by quarters */
    int64_t size = minutes < 0 ? -minutes : minutes;
    return snprintf(out, room, "%c%02lld%02lld", minutes < 0 ? '-' : '+', (long long)(size / 60),
                    (long long)(size % 60));
}

size_t date_write_day(int64_t ms, char out[DATE_DAY_BYTES])
{
    struct date_civil day = date_civil(floor_div(ms + date_offset_s(ms) * 1000, MS_PER_DAY));
    int year = write_year(out, DATE_DAY_BYTES, day.year, ms);
    int bytes =
        snprintf(out + year, DATE_DAY_BYTES - (size_t)year, "-%02d-%02d", day.month, day.day);
    return (size_t)(year + bytes);
}
