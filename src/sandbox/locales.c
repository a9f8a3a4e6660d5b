#include "locales.h"

#include "locales_data.h"
#include "text.h"

enum {
    PHONE_DIGITS_MIN = 7,
    PHONE_DIGITS_MAX = 15, /* E.164 */
    EMAIL_BYTES_MAX = 254, /* RFC 5321: what fits into a path */
    EMAIL_LOCAL_BYTES_MAX = 64,
    LABEL_BYTES_MAX = 63,
};

static bool listed(const struct str *words, size_t count, struct str word)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(words[i], word))
            return true;
    return false;
}

enum currency_form currency_find(struct str code)
{
    if (code.len != 3)
        return CURRENCY_UNKNOWN;
    if (listed(braze_currencies, braze_currencies_count, code))
        return CURRENCY_BRAZE;
    return listed(other_currencies, other_currencies_count, code) ? CURRENCY_OTHER
                                                                  : CURRENCY_UNKNOWN;
}

struct str language_find(struct str text)
{
    size_t end = 0;
    while (end < text.len && text.ptr[end] != '-' && text.ptr[end] != '_')
        end++;
    text = str_slice(text, 0, end);
    for (size_t i = 0; i < language_codes_count; i++)
        if (str_eq_nocase(language_codes[i], text))
            return language_codes[i];
    return STR("");
}

struct str country_find(struct str text)
{
    text = str_trim(text);
    for (size_t i = 0; text.len > 0 && i < countries_count; i++)
        if (str_eq_nocase(countries[i].alpha2, text) || str_eq_nocase(countries[i].alpha3, text) ||
            str_eq_nocase(countries[i].name, text))
            return countries[i].alpha2;
    return STR("");
}

bool time_zone_is(struct str text)
{
    size_t low = 0;
    size_t high = zone_names_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_cmp(zone_names[middle], text);
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (size_t i = 0; i < zone_aliases_count; i++)
        if (str_eq(zone_aliases[i].name, text))
            return true;
    return false;
}

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (unsigned char)c >= 0x80; /* internationalised addresses */
}

static bool domain_is(struct str domain)
{
    size_t labels = 0;
    while (domain.len > 0) {
        size_t dot = str_find(domain, '.');
        struct str label = str_slice(domain, 0, dot);
        if (label.len == 0 || label.len > LABEL_BYTES_MAX || label.ptr[0] == '-' ||
            label.ptr[label.len - 1] == '-')
            return false;
        for (size_t i = 0; i < label.len; i++)
            if (!is_alnum(label.ptr[i]) && label.ptr[i] != '-')
                return false;
        labels++;
        if (dot + 1 == domain.len) /* ends with a dot */
            return false;
        domain = str_slice(domain, dot + 1, domain.len);
    }
    return labels >= 2;
}

bool email_is(struct str text)
{
    size_t at = str_find(text, '@');
    if (at == 0 || at >= text.len || at > EMAIL_LOCAL_BYTES_MAX || text.len > EMAIL_BYTES_MAX)
        return false;
    for (size_t i = 0; i < at; i++) {
        char c = text.ptr[i];
        bool dot = c == '.' && i > 0 && i + 1 < at && text.ptr[i - 1] != '.';
        if (!is_alnum(c) && !dot && memchr("!#$%&'*+/=?^_`{|}~-", c, 19) == NULL)
            return false;
    }
    return domain_is(str_slice(text, at + 1, text.len));
}

struct str phone_normal(struct arena *a, struct str text)
{
    text = str_trim(text);
    bool plus = text.len > 0 && text.ptr[0] == '+';
    char digits[PHONE_DIGITS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            continue;
        if (count == PHONE_DIGITS_MAX)
            return STR("");
        digits[count++] = text.ptr[i];
    }
    struct str number = {digits, count};
    if (plus && count >= PHONE_DIGITS_MIN && digits[0] != '0')
        return text_format(a, "+%.*s", STR_ARG(number));
    if (!plus && count == 10)
        return text_format(a, "+1%.*s", STR_ARG(number));
    if (!plus && count == 11 && digits[0] == '1')
        return text_format(a, "+%.*s", STR_ARG(number));
    return STR("");
}
