#include "filters.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "date.h"
#include "text.h"

enum { TEXT_BYTES_MAX = 1 << 20 };

#define DEFAULT_FORMAT STR("%A, %B %-e, %Y at %-l:%M %P %z")

/* An instant taken apart, as the clocks of its zone show it. */
struct moment {
    struct date_civil day;
    int64_t days; /* of that day since 1970 */
    int weekday;  /* 0: Sunday */
    int hour;
    int minute;
    int second;
    int ms;
    int64_t instant_ms;
    double offset_minutes; /* JavaScript's sign: west is positive */
    struct str zone;       /* its name; empty: none */
};

static const struct str weekdays[] = {
    STR_INIT("Sunday"),   STR_INIT("Monday"), STR_INIT("Tuesday"), STR_INIT("Wednesday"),
    STR_INIT("Thursday"), STR_INIT("Friday"), STR_INIT("Saturday")};

static const struct str months[] = {
    STR_INIT("January"),   STR_INIT("February"), STR_INIT("March"),    STR_INIT("April"),
    STR_INIT("May"),       STR_INIT("June"),     STR_INIT("July"),     STR_INIT("August"),
    STR_INIT("September"), STR_INIT("October"),  STR_INIT("November"), STR_INIT("December")};

static bool is_digits(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    return text.len > 0;
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool read_instant(struct render *r, struct jv v, int64_t *ms)
{
    struct str text = jv_str(v);
    switch ((enum jv_type)v.type) {
    case JV_UNDEFINED:
    case JV_NULL:
        return false;
    case JV_BOOL:
        *ms = v.boolean;
        return true;
    case JV_NUMBER: /* seconds */
        return date_from_number(jv_as_double(v) * 1000, ms);
    case JV_STRING:
        if (str_eq(text, STR("now")) || str_eq(text, STR("today"))) {
            *ms = now_ms();
            return true;
        }
        if (is_digits(text))
            return date_from_number(text_to_number(text) * 1000, ms);
        return date_parse_js(text, ms);
    case JV_ARRAY:
    case JV_OBJECT:
        return date_parse_js(render_js_text(r, v), ms);
    }
    return false;
}

/* V8 reads the bytes of the name as Latin-1 when it complains. */
static void refuse_zone(struct render *r, struct str name)
{
    struct buf text;
    buf_init_arena(&text, r->arena, 2 * name.len + 1);
    for (size_t i = 0; i < name.len; i++) {
        unsigned char byte = (unsigned char)name.ptr[i];
        if (byte >= 0x80)
            buf_putc(&text, (char)(0xc0 | byte >> 6));
        buf_putc(&text, (char)(byte >= 0x80 ? 0x80 | (byte & 0x3f) : byte));
    }
    (void)render_throw(r, "Invalid time zone specified: %.*s", STR_ARG(buf_str(&text)));
}

/* Minutes that the process's own zone is west of UTC; V8 drops the seconds. */
static int64_t local_minutes(int64_t ms)
{
    return -date_offset_s(ms) / 60;
}

/* The zone argument: minutes west of UTC, or a name, of which only UTC's are known. */
static bool read_zone(struct render *r, struct jv zone, int64_t ms, struct moment *m)
{
    const char *local = getenv("TZ");
    m->offset_minutes = (double)local_minutes(ms);
    m->zone = str_from(local == NULL || local[0] == '\0' ? "UTC" : local);
    bool is_word = expression_is_special(zone); /* nil, empty, blank: 0 as a number */
    if (jv_is_nullish(zone) && !is_word)
        return true;
    m->zone = STR("");
    if (is_word || zone.type != JV_STRING) {
        double minutes = is_word ? 0 : render_js_number(r, zone);
        double shift = (m->offset_minutes - minutes) * 60000;
        bool is_in_range =
            fabs((double)ms + shift) <= (double)DATE_MS_MAX && fabs(minutes) < INT32_MAX;
        m->offset_minutes = is_in_range ? minutes : 0;
        return is_in_range;
    }
    static const struct str utc[] = {STR_INIT("UTC"), STR_INIT("GMT"), STR_INIT("Etc/UTC"),
                                     STR_INIT("Etc/GMT")};
    for (size_t i = 0; i < countof(utc); i++) {
        if (str_eq_nocase(jv_str(zone), utc[i])) {
            m->offset_minutes = 0;
            m->zone = jv_str(zone);
            return true;
        }
    }
    refuse_zone(r, jv_str(zone));
    return false;
}

static bool read_moment(struct render *r, struct jv v, struct jv zone, struct moment *m)
{
    int64_t ms;
    if (!read_instant(r, v, &ms) || !read_zone(r, zone, ms, m))
        return false;
    /* The reference shifts the instant so that local clocks show the zone's time. */
    double shift = ((double)local_minutes(ms) - m->offset_minutes) * 60000;
    m->instant_ms = (int64_t)((double)ms + shift);
    int64_t shown = m->instant_ms + date_offset_s(m->instant_ms) * 1000;
    m->days = shown / 86400000 - (shown % 86400000 < 0);
    int64_t rest = shown - m->days * 86400000;
    m->day = date_civil(m->days);
    m->weekday = (int)(((m->days + 4) % 7 + 7) % 7);
    m->hour = (int)(rest / 3600000);
    m->minute = (int)(rest / 60000 % 60);
    m->second = (int)(rest / 1000 % 60);
    m->ms = (int)(rest % 1000);
    return true;
}

struct directive {
    bool flags[128];
    size_t width; /* 0: none */
    char code;
};

/* The reference takes the year 0 for a common one. */
static int day_of_year(const struct moment *m)
{
    int day = (int)(m->days - date_days(m->day.year, 0, 1)) + 1;
    return day - (m->day.year == 0 && m->day.month > 2);
}

/* JavaScript takes the years 0 to 99 for those of the twentieth century when it makes a date, here
 * the first of January. */
static int week_of_year(const struct moment *m, int start)
{
    int64_t year = m->day.year;
    int64_t first = date_days(year >= 0 && year <= 99 ? year + 1900 : year, 0, 1);
    int first_weekday = (int)(((first + 4) % 7 + 7) % 7);
    int now = day_of_year(m) + (start - m->weekday);
    int then = 7 - first_weekday + start;
    return (int)floor((now - then) / 7.0) + 1;
}

static const char *ordinal(int day)
{
    if (day >= 11 && day <= 13)
        return "th";
    return day % 10 == 1 ? "st" : day % 10 == 2 ? "nd" : day % 10 == 3 ? "rd" : "th";
}

static int hour12(const struct moment *m)
{
    return m->hour % 12 == 0 ? 12 : m->hour % 12;
}

static void put_offset(struct buf *out, const struct moment *m, const struct directive *d)
{
    double total = fabs(m->offset_minutes);
    char minutes[JV_NUMBER_BYTES];
    size_t len = jv_number_text(fmod(total, 60), minutes);
    buf_printf(out, "%c%02.0f%s%s%.*s", m->offset_minutes > 0 ? '-' : '+', floor(total / 60),
               d->flags[':'] ? ":" : "", len < 2 ? "0" : "", (int)len, minutes);
}

/* The year's digits [from, to) as text. */
static struct str year_part(const struct moment *m, size_t from, size_t to, char digits[24])
{
    int len = snprintf(digits, 24, "%lld", (long long)m->day.year);
    return str_slice((struct str){digits, (size_t)len}, from, to);
}

static void put_fraction(struct buf *out, const struct moment *m, const struct directive *d)
{
    char digits[8];
    size_t width = d->width > 0 ? d->width : 9;
    snprintf(digits, sizeof(digits), "%03d", m->ms);
    for (size_t i = 0; i < width && !out->failed; i++)
        buf_putc(out, i < 3 ? digits[i] : '0');
}

/* Years before 1 are counted from there, and no era is written. */
static void put_date(struct buf *out, const struct moment *m)
{
    int64_t year = m->day.year < 1 ? 1 - m->day.year : m->day.year;
    buf_printf(out, "%d/%d/%lld", m->day.month, m->day.day, (long long)year);
}

static void put_clock(struct buf *out, const struct moment *m)
{
    buf_printf(out, "%d:%02d:%02d %s", hour12(m), m->minute, m->second, m->hour < 12 ? "AM" : "PM");
}

/* What a code stands for, without padding. False: no such code. */
static bool put_names(struct buf *out, const struct moment *m, const struct directive *d)
{
    switch (d->code) {
    case 'a':
        buf_append(out, str_slice(weekdays[m->weekday], 0, 3));
        return true;
    case 'A':
        buf_append(out, weekdays[m->weekday]);
        return true;
    case 'b':
    case 'h':
        buf_append(out, str_slice(months[m->day.month - 1], 0, 3));
        return true;
    case 'B':
        buf_append(out, months[m->day.month - 1]);
        return true;
    case 'c':
        put_date(out, m);
        buf_append(out, STR(", "));
        put_clock(out, m);
        return true;
    case 'x':
        put_date(out, m);
        return true;
    case 'X':
        put_clock(out, m);
        return true;
    case 'p':
        buf_append(out, m->hour < 12 ? STR("AM") : STR("PM"));
        return true;
    case 'P':
        buf_append(out, m->hour < 12 ? STR("am") : STR("pm"));
        return true;
    case 'q':
        buf_append(out, str_from(ordinal(m->day.day)));
        return true;
    case 'z':
        put_offset(out, m, d);
        return true;
    case 'Z':
        if (m->zone.len > 0)
            buf_append(out, m->zone);
        else
            put_offset(out, m, d);
        return true;
    case 'N':
        put_fraction(out, m, d);
        return true;
    case 't':
        buf_putc(out, '\t');
        return true;
    case 'n':
        buf_putc(out, '\n');
        return true;
    case '%':
        buf_putc(out, '%');
        return true;
    default:
        return false;
    }
}

static bool put_number(struct buf *out, const struct moment *m, char code)
{
    char digits[24];
    int64_t number;
    switch (code) {
    case 'C':
        number = (int64_t)strtol(year_part(m, 0, 2, digits).ptr, NULL, 10);
        if (m->day.year > 99 || m->day.year < -9)
            number =
                m->day.year < 0 ? -(digits[1] - '0') : (digits[0] - '0') * 10 + (digits[1] - '0');
        break;
    case 'd':
    case 'e':
        number = m->day.day;
        break;
    case 'H':
    case 'k':
        number = m->hour;
        break;
    case 'I':
    case 'l':
        number = hour12(m);
        break;
    case 'j':
        number = day_of_year(m);
        break;
    case 'L':
        number = m->ms;
        break;
    case 'm':
        number = m->day.month;
        break;
    case 'M':
        number = m->minute;
        break;
    case 's':
        number = (int64_t)floor((double)m->instant_ms / 1000 + 0.5);
        break;
    case 'S':
        number = m->second;
        break;
    case 'u':
        number = m->weekday == 0 ? 7 : m->weekday;
        break;
    case 'U':
    case 'W':
        number = week_of_year(m, code == 'W');
        break;
    case 'w':
        number = m->weekday;
        break;
    case 'y':
        buf_append(out, year_part(m, 2, 4, digits));
        return true;
    case 'Y':
        number = m->day.year;
        break;
    default:
        return false;
    }
    buf_printf(out, "%lld", (long long)number);
    return true;
}

static size_t default_width(char code)
{
    if (code == 'j' || code == 'L')
        return 3;
    return code != '\0' && strchr("deHIklmMSUW", code) != NULL ? 2 : 0;
}

static struct str change_case(struct render *r, const struct directive *d, struct str text)
{
    bool has_lower = false;
    for (size_t i = 0; i < text.len; i++)
        has_lower = has_lower || (text.ptr[i] >= 'a' && text.ptr[i] <= 'z');
    if (d->flags['^'] || (d->flags['#'] && has_lower))
        return text_upper(r->arena, text);
    return d->flags['#'] ? text_lower(r->arena, text) : text;
}

/* One directive, padded; false when there is no such code. */
static bool put_directive(struct render *r, struct buf *out, const struct moment *m,
                          const struct directive *d)
{
    struct buf plain;
    buf_init_arena(&plain, r->arena, TEXT_BYTES_MAX);
    if (!put_names(&plain, m, d) && !put_number(&plain, m, d->code))
        return false;
    struct str text = change_case(r, d, buf_str(&plain));
    char pad = d->code != '\0' && strchr("aAbBceklpP", d->code) != NULL ? ' ' : '0';
    size_t width = d->width > 0 ? d->width : default_width(d->code);
    pad = d->flags['_'] ? ' ' : d->flags['0'] ? '0' : pad;
    width = d->flags['-'] ? 0 : width;
    render_use(r, (double)width - (double)text_units(text));
    for (size_t units = text_units(text); units < width && !out->failed && r->rc == 0; units++)
        buf_putc(out, pad);
    buf_append(out, text);
    return true;
}

/* Reads "%[flags][width][EO]code" at format[*at]; false when no code follows. */
static bool read_directive(struct str format, size_t *at, struct directive *d)
{
    size_t i = *at + 1;
    *d = (struct directive){0};
    for (; i < format.len && format.ptr[i] != '\0' && strchr("-_0^#:", format.ptr[i]) != NULL; i++)
        d->flags[(unsigned char)format.ptr[i]] = true;
    for (; i < format.len && format.ptr[i] >= '0' && format.ptr[i] <= '9'; i++)
        d->width =
            d->width < TEXT_BYTES_MAX ? d->width * 10 + (size_t)(format.ptr[i] - '0') : d->width;
    if (i + 1 < format.len && (format.ptr[i] == 'E' || format.ptr[i] == 'O'))
        i++;
    if (i >= format.len)
        return false;
    d->code = format.ptr[i];
    *at = i + 1;
    return true;
}

static void put_formatted(struct render *r, struct buf *out, const struct moment *m,
                          struct str format)
{
    for (size_t at = 0; at < format.len && r->rc == 0;) {
        struct directive d;
        size_t start = at;
        bool is_known = format.ptr[at] == '%' && read_directive(format, &at, &d) &&
                        put_directive(r, out, m, &d);
        if (is_known)
            continue;
        at = at == start ? start + 1 : at; /* what means nothing stays as it is */
        buf_append(out, str_slice(format, start, at));
    }
}

/* The value itself when it is no date; the format is looked at only for a date. */
static struct jv formatted(struct render *r, struct jv v, struct jv zone, struct jv format)
{
    struct buf out;
    struct moment m;
    if (v.type == JV_OBJECT) /* what it calls its length is taken for its size */
        render_use(r, render_js_number(r, jv_get(v, STR("length"))));
    if (r->rc != 0 || !read_moment(r, v, zone, &m))
        return r->rc == 0 ? v : jv_undefined();
    buf_init_arena(&out, r->arena, TEXT_BYTES_MAX);
    put_formatted(r, &out, &m, render_text(r, format));
    return render_from_buf(r, &out);
}

struct jv filter_date(struct render *r, struct jv v, struct arguments args)
{
    struct jv format = argument_at(args, 0);
    if (jv_is_nullish(format))
        format = jv_string(DEFAULT_FORMAT);
    return formatted(r, v, argument_at(args, 1), format);
}

struct jv filter_date_to_xmlschema(struct render *r, struct jv v, struct arguments args)
{
    (void)args;
    return formatted(r, v, jv_undefined(), jv_string(STR("%Y-%m-%dT%H:%M:%S%:z")));
}

struct jv filter_date_to_rfc822(struct render *r, struct jv v, struct arguments args)
{
    (void)args;
    return formatted(r, v, jv_undefined(), jv_string(STR("%a, %d %b %Y %H:%M:%S %z")));
}

static struct jv in_words(struct render *r, struct jv v, struct arguments args, char month)
{
    char format[32];
    bool is_ordinal = str_eq(jv_str(argument_at(args, 0)), STR("ordinal"));
    bool is_american = str_eq(jv_str(argument_at(args, 1)), STR("US"));
    if (!is_ordinal)
        snprintf(format, sizeof(format), "%%d %%%c %%Y", month);
    else if (is_american)
        snprintf(format, sizeof(format), "%%%c %%-d%%q, %%Y", month);
    else
        snprintf(format, sizeof(format), "%%-d%%q %%%c %%Y", month);
    return formatted(r, v, jv_undefined(), jv_string(str_from(format)));
}

struct jv filter_date_to_string(struct render *r, struct jv v, struct arguments args)
{
    return in_words(r, v, args, 'b');
}

struct jv filter_date_to_long_string(struct render *r, struct jv v, struct arguments args)
{
    return in_words(r, v, args, 'B');
}
