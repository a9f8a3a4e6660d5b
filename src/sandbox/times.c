#include "times.h"

#include "clock.h"

struct scanner {
    struct str text;
    size_t at;
};

static bool skip(struct scanner *s, char c)
{
    if (s->at >= s->text.len || s->text.ptr[s->at] != c)
        return false;
    s->at++;
    return true;
}

/* digits_min to digits_max decimal digits. */
static bool number(struct scanner *s, int digits_min, int digits_max, int *out)
{
    int digits = 0;
    *out = 0;
    while (digits < digits_max && s->at < s->text.len && s->text.ptr[s->at] >= '0' &&
           s->text.ptr[s->at] <= '9') {
        *out = *out * 10 + (s->text.ptr[s->at] - '0');
        s->at++;
        digits++;
    }
    return digits >= digits_min;
}

struct moment {
    int year;
    int month;
    int day;
    int hour;
    int minute;
    int second;
    int ms;
    int offset_minutes;
    bool has_time;
};

/* .123 or :123 or ,123456: what is finer than a millisecond is cut off. */
static void fraction(struct scanner *s, struct moment *m)
{
    size_t start = s->at;
    if (!skip(s, '.') && !skip(s, ':') && !skip(s, ','))
        return;
    int scale = 100;
    size_t first = s->at;
    while (s->at < s->text.len && s->text.ptr[s->at] >= '0' && s->text.ptr[s->at] <= '9') {
        m->ms += (s->text.ptr[s->at] - '0') * scale;
        scale /= 10;
        s->at++;
    }
    if (s->at == first)
        s->at = start;
}

static bool clock_time(struct scanner *s, struct moment *m)
{
    if (!number(s, 2, 2, &m->hour) || !skip(s, ':') || !number(s, 2, 2, &m->minute))
        return false;
    if (skip(s, ':')) {
        if (!number(s, 2, 2, &m->second))
            return false;
        fraction(s, m);
    }
    m->has_time = true;
    return true;
}

/* What stands behind the time. Nothing, Z, UTC, an offset; one that starts like an offset but is
 * none counts as UTC. */
static bool zone(struct scanner *s, struct moment *m)
{
    skip(s, ' ');
    struct str rest = str_slice(s->text, s->at, s->text.len);
    s->at = s->text.len;
    if (rest.len == 0 || str_eq_nocase(rest, STR("Z")) || str_eq_nocase(rest, STR("UTC")) ||
        str_eq_nocase(rest, STR("GMT")))
        return true;
    if (rest.ptr[0] != '+' && rest.ptr[0] != '-')
        return false;
    struct scanner z = {rest, 1};
    int hours;
    int minutes = 0;
    bool ok = number(&z, 2, 2, &hours);
    skip(&z, ':');
    if (ok && z.at < rest.len)
        ok = number(&z, 2, 2, &minutes);
    if (!ok || z.at != rest.len || hours > 23 || minutes > 59)
        return true;
    m->offset_minutes = (hours * 60 + minutes) * (rest.ptr[0] == '-' ? -1 : 1);
    return true;
}

/* 2024-11-10, 2024-11-10T18:00:00.123+01:00, 2024-11-10 18:00:00 -0500 */
static bool year_first(struct scanner *s, struct moment *m)
{
    bool negative = skip(s, '-');
    size_t start = s->at;
    if (!number(s, 4, 6, &m->year) || (s->at - start > 4 && m->year < 10000) || !skip(s, '-') ||
        !number(s, 2, 2, &m->month) || !skip(s, '-') || !number(s, 2, 2, &m->day))
        return false;
    if (negative)
        m->year = -m->year;
    if (s->at == s->text.len)
        return true;
    if (!skip(s, 'T') && !skip(s, 't') && !skip(s, ' '))
        return false;
    return clock_time(s, m) && zone(s, m);
}

/* 11/10/2024, 1/2/2024 */
static bool month_first(struct scanner *s, struct moment *m)
{
    return number(s, 1, 2, &m->month) && skip(s, '/') && number(s, 1, 2, &m->day) && skip(s, '/') &&
           number(s, 4, 4, &m->year) && s->at == s->text.len;
}

/* Sun 11 10 18:00:00.+0000 2024 */
static bool weekday_first(struct scanner *s, struct moment *m)
{
    s->at = 3;
    if (!skip(s, ' ') || !number(s, 2, 2, &m->month) || !skip(s, ' ') ||
        !number(s, 2, 2, &m->day) || !skip(s, ' ') || !clock_time(s, m))
        return false;
    skip(s, '.');
    struct str rest = str_slice(s->text, s->at, s->text.len);
    size_t space = str_find(rest, ' ');
    if (space == rest.len)
        return false;
    struct scanner offset = {str_slice(rest, 0, space), 0};
    struct scanner year = {str_slice(rest, space + 1, rest.len), 0};
    return zone(&offset, m) && number(&year, 4, 4, &m->year) && year.at == year.text.len;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

static bool is_weekday(struct str text)
{
    static const struct str days[] = {STR_INIT("Sun"), STR_INIT("Mon"), STR_INIT("Tue"),
                                      STR_INIT("Wed"), STR_INIT("Thu"), STR_INIT("Fri"),
                                      STR_INIT("Sat")};
    for (size_t i = 0; i < countof(days); i++)
        if (str_starts(text, days[i]))
            return true;
    return false;
}

enum time_form time_parse(struct str text, int64_t *ms)
{
    /* Most strings are no dates: the first and the third byte tell without looking further. */
    if (text.len < 8 || text.len > 40)
        return TIME_NONE;
    char first = text.ptr[0];
    bool digit = (first >= '0' && first <= '9') || first == '-';
    if (!digit && (first < 'F' || first > 'W' || !is_weekday(text)))
        return TIME_NONE;

    struct scanner s = {text, 0};
    struct moment m = {0};
    bool slash = digit && (text.ptr[1] == '/' || text.ptr[2] == '/');
    if (!(!digit ? weekday_first(&s, &m) : slash ? month_first(&s, &m) : year_first(&s, &m)))
        return TIME_NONE;
    if (m.month < 1 || m.month > 12 || m.day < 1 || m.day > days_in_month(m.year, m.month) ||
        m.hour > 23 || m.minute > 59 || m.second > 60)
        return TIME_NONE;
    if (m.year < TIME_YEAR_MIN || m.year > TIME_YEAR_MAX)
        return TIME_OUT_OF_RANGE;
    int64_t minutes =
        days_from_civil(m.year, m.month, m.day) * 1440 + m.hour * 60 + m.minute - m.offset_minutes;
    *ms = (minutes * 60 + m.second) * 1000 + m.ms;
    static const int64_t first_ms = INT64_C(-62167219200000); /* year 0 begins */
    if (*ms < first_ms)
        return TIME_OUT_OF_RANGE;
    return m.has_time ? TIME_INSTANT : TIME_DATE;
}

bool time_is(struct str text, int64_t *ms)
{
    enum time_form form = time_parse(text, ms);
    return form == TIME_DATE || form == TIME_INSTANT;
}

struct str time_text(struct arena *a, int64_t ms)
{
    char *out = arena_alloc(a, ISO_TIME_BYTES);
    if (out == NULL)
        return (struct str){NULL, 0};
    iso_time(out, ms);
    return (struct str){out, ISO_TIME_BYTES};
}
