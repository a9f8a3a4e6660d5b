#include "format.h"

#include "date.h"
#include "uri.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_local_byte(char c)
{
    return is_letter(c) || is_digit(c) || (c != '\0' && strchr("!#$%&'*+/=?^_`{|}~-", c) != NULL);
}

/* Pieces between dots, none of them empty. */
static bool is_local_part(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        bool edge = i == 0 || i + 1 == text.len || text.ptr[i - 1] == '.';
        if (!is_local_byte(text.ptr[i]) && (text.ptr[i] != '.' || edge))
            return false;
    }
    return text.len > 0;
}

/* Letters, digits and inner hyphens. */
static bool is_host_label(struct str label)
{
    for (size_t i = 0; i < label.len; i++) {
        bool edge = i == 0 || i + 1 == label.len;
        if (!is_letter(label.ptr[i]) && !is_digit(label.ptr[i]) && (edge || label.ptr[i] != '-'))
            return false;
    }
    return label.len > 0;
}

static bool is_email(struct str text)
{
    size_t at = str_find(text, '@');
    if (at == text.len || !is_local_part(str_slice(text, 0, at)))
        return false;
    struct str domain = str_slice(text, at + 1, text.len);
    size_t labels = 0;
    for (;;) {
        size_t dot = str_find(domain, '.');
        if (!is_host_label(str_slice(domain, 0, dot)))
            return false;
        labels++;
        if (dot == domain.len)
            return labels >= 2;
        domain = str_slice(domain, dot + 1, domain.len);
    }
}

/* Two digits at `at`, or -1. */
static int two_digits(struct str text, size_t at)
{
    if (at + 2 > text.len || !is_digit(text.ptr[at]) || !is_digit(text.ptr[at + 1]))
        return -1;
    return (text.ptr[at] - '0') * 10 + (text.ptr[at + 1] - '0');
}

static bool is_date(struct str text)
{
    static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int century = two_digits(text, 0);
    int in_century = two_digits(text, 2);
    int month = two_digits(text, 5);
    int day = two_digits(text, 8);
    if (text.len != 10 || text.ptr[4] != '-' || text.ptr[7] != '-' || century < 0 || in_century < 0)
        return false;
    if (month < 1 || month > 12 || day < 1 || day > days[month - 1])
        return false;
    int year = century * 100 + in_century;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month != 2 || day != 29 || leap;
}

/* Nothing, Z, or an offset whose digits are not range-checked: +hh, +hhmm, +hh:mm. */
static bool is_zone(struct str text)
{
    if (text.len == 0 || (text.len == 1 && (text.ptr[0] == 'Z' || text.ptr[0] == 'z')))
        return true;
    if ((text.ptr[0] != '+' && text.ptr[0] != '-') || two_digits(text, 1) < 0)
        return false;
    if (text.len == 3)
        return true;
    size_t minutes = text.ptr[3] == ':' ? 4 : 3;
    return two_digits(text, minutes) >= 0 && text.len == minutes + 2;
}

static bool is_time(struct str text)
{
    int hour = two_digits(text, 0);
    int minute = two_digits(text, 3);
    int second = two_digits(text, 6);
    if (hour < 0 || minute < 0 || second < 0 || text.ptr[2] != ':' || text.ptr[5] != ':')
        return false;
    bool leap_second = hour == 23 && minute == 59 && second == 60;
    if (!leap_second && (hour > 23 || minute > 59 || second > 59))
        return false;
    size_t at = 8;
    if (at < text.len && text.ptr[at] == '.') {
        size_t digits = ++at;
        while (at < text.len && is_digit(text.ptr[at]))
            at++;
        if (at == digits)
            return false;
    }
    return is_zone(str_slice(text, at, text.len));
}

/* Bytes of the one separator: T, t, or a single character of JavaScript's white space; 0: none. */
static size_t separator_bytes(struct str text)
{
    static const struct str spaces[] = {
        STR_INIT("T"),      STR_INIT("t"),      STR_INIT(" "),      STR_INIT("\t"),
        STR_INIT("\n"),     STR_INIT("\v"),     STR_INIT("\f"),     STR_INIT("\r"),
        STR_INIT("\u00a0"), STR_INIT("\u1680"), STR_INIT("\u2000"), STR_INIT("\u2001"),
        STR_INIT("\u2002"), STR_INIT("\u2003"), STR_INIT("\u2004"), STR_INIT("\u2005"),
        STR_INIT("\u2006"), STR_INIT("\u2007"), STR_INIT("\u2008"), STR_INIT("\u2009"),
        STR_INIT("\u200a"), STR_INIT("\u2028"), STR_INIT("\u2029"), STR_INIT("\u202f"),
        STR_INIT("\u205f"), STR_INIT("\u3000"), STR_INIT("\ufeff"),
    };
    for (size_t i = 0; i < countof(spaces); i++)
        if (str_starts(text, spaces[i]))
            return spaces[i].len;
    return 0;
}

/* A further separator in the time part would make three parts; no time matches with one inside. */
static bool is_date_time(struct str text)
{
    if (text.len < 11 || !is_date(str_slice(text, 0, 10)))
        return false;
    size_t separator = separator_bytes(str_slice(text, 10, text.len));
    return separator > 0 && is_time(str_slice(text, 10 + separator, text.len));
}

bool format_match(enum format format, struct str text)
{
    switch (format) {
    case FORMAT_ANY:
        return true;
    case FORMAT_EMAIL:
        return is_email(text);
    case FORMAT_URI:
        return uri_match(text);
    case FORMAT_DATE_TIME:
        return is_date_time(text);
    case FORMAT_DATE_LIKE:
        return date_is_like(text);
    }
    return true;
}

const char *format_label(enum format format)
{
    switch (format) {
    case FORMAT_ANY:
        return "text";
    case FORMAT_EMAIL:
        return "email address";
    case FORMAT_URI:
        return "URI";
    case FORMAT_DATE_TIME:
        return "date and time";
    case FORMAT_DATE_LIKE:
        return "date-like";
    }
    return "text";
}
