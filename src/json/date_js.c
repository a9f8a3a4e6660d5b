#include "date.h"

#include "text.h"

/*
 * `new Date(text)` as V8 reads it: the ECMAScript date-time string first, and where that fails a
 * forgiving reading of what people write ("Jan 2, 2024 5:06 pm EST"). What the forgiving reading
 * accepts was found by running it; each rule below is a behaviour that dates in the wild depend on.
 */

enum {
    ABSENT = INT32_MAX,
    DIGITS_KEPT = 9,
    YEAR_MAX =
        300000, /* beyond JavaScript's last year, and its milliseconds still fit into 64 bits */
};

enum token_kind {
    TOKEN_END,
    TOKEN_NUMBER, /* value, and width in digits */
    TOKEN_SYMBOL, /* value is one of : - + . ) */
    TOKEN_WORD,   /* value is an index into words[] */
    TOKEN_SPACE,
    TOKEN_OTHER,
};

struct token {
    enum token_kind kind;
    int value;
    size_t width;
};

enum word_kind { WORD_UNKNOWN, WORD_MONTH, WORD_NOON, WORD_ZONE, WORD_T };

/* clang-format off */
static const struct word {
    char start[4]; /* three letters, lower case; only months may be longer */
    enum word_kind kind;
    int value;     /* month, hours to add, hours from UTC */
} words[] = {
    {"", WORD_UNKNOWN, 0},
    {"jan", WORD_MONTH, 1}, {"feb", WORD_MONTH, 2},  {"mar", WORD_MONTH, 3},  {"apr", WORD_MONTH, 4},
    {"may", WORD_MONTH, 5}, {"jun", WORD_MONTH, 6},  {"jul", WORD_MONTH, 7},  {"aug", WORD_MONTH, 8},
    {"sep", WORD_MONTH, 9}, {"oct", WORD_MONTH, 10}, {"nov", WORD_MONTH, 11}, {"dec", WORD_MONTH, 12},
    {"am", WORD_NOON, 0},   {"pm", WORD_NOON, 12},
    {"ut", WORD_ZONE, 0},   {"utc", WORD_ZONE, 0},   {"z", WORD_ZONE, 0},     {"gmt", WORD_ZONE, 0},
    {"cdt", WORD_ZONE, -5}, {"cst", WORD_ZONE, -6},  {"edt", WORD_ZONE, -4},  {"est", WORD_ZONE, -5},
    {"mdt", WORD_ZONE, -6}, {"mst", WORD_ZONE, -7},  {"pdt", WORD_ZONE, -7},  {"pst", WORD_ZONE, -8},
    {"t", WORD_T, 0},
};
/* clang-format on */

struct reader {
    struct str text;
    size_t at;
    struct token next; /* one token of look-ahead */
};

struct reading {
    int day[3];
    unsigned days; /* numbers in day[] */
    int month;     /* by name, or ABSENT */
    bool is_iso;

    int time[4];
    unsigned times;
    int noon; /* hours that "am" and "pm" add, or ABSENT */

    int sign; /* of the zone: 1, -1, or ABSENT for local time */
    int zone_hour;
    int zone_minute;
};

static bool is_between(int number, int low, int high)
{
    return number >= low && number <= high;
}

/* A NUL ends the text, as the end does. */
static unsigned char peek_byte(const struct reader *r)
{
    return r->at < r->text.len ? (unsigned char)r->text.ptr[r->at] : 0;
}

static bool is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

static struct token read_number(struct reader *r)
{
    size_t from = r->at;
    int value = 0;
    while (peek_byte(r) == '0')
        r->at++;
    for (int digits = 0; is_digit(peek_byte(r)); r->at++, digits++)
        if (digits < DIGITS_KEPT)
            value = value * 10 + (peek_byte(r) - '0');
    return (struct token){TOKEN_NUMBER, value, r->at - from};
}

/* Bytes of the white space at the reader, 0 when there is none. Unicode's line and paragraph
 * separators are letters. */
static size_t space_bytes(const struct reader *r)
{
    struct str rest = str_slice(r->text, r->at, r->text.len);
    bool is_separator =
        str_starts(rest, STR("\xE2\x80\xA8")) || str_starts(rest, STR("\xE2\x80\xA9"));
    return is_separator ? 0 : text_space_bytes(r->text, r->at);
}

/* Letters are all that comes at or after 'A' and is no white space, other alphabets included. */
static struct token read_word(struct reader *r)
{
    char start[4] = "";
    size_t width = 0;
    while (peek_byte(r) >= 'A' && space_bytes(r) == 0) {
        uint32_t point = text_next_point(r->text, &r->at);
        size_t units = point > 0xFFFF ? 2 : 1;
        for (size_t i = 0; i < units; i++, width++)
            if (width < 3)
                start[width] = point < 0x80 ? (char)(point | 0x20) : '\x7F';
    }
    for (size_t i = 1; i < countof(words); i++)
        if (memcmp(words[i].start, start, 3) == 0 && (width <= 3 || words[i].kind == WORD_MONTH))
            return (struct token){TOKEN_WORD, (int)i, width};
    return (struct token){TOKEN_WORD, 0, width};
}

static void skip_parentheses(struct reader *r)
{
    int open = 0;
    do {
        open += peek_byte(r) == '(' ? 1 : peek_byte(r) == ')' ? -1 : 0;
        r->at++;
    } while (open > 0 && peek_byte(r) != 0);
}

static struct token scan(struct reader *r)
{
    unsigned char c = peek_byte(r);
    if (c == 0)
        return (struct token){.kind = TOKEN_END};
    if (is_digit(c))
        return read_number(r);
    if (c == ':' || c == '-' || c == '+' || c == '.' || c == ')') {
        r->at++;
        return (struct token){TOKEN_SYMBOL, c, 1};
    }
    size_t space = space_bytes(r);
    if (space > 0) {
        r->at += space;
        return (struct token){.kind = TOKEN_SPACE};
    }
    if (c >= 'A')
        return read_word(r);
    if (c == '(')
        skip_parentheses(r);
    else
        r->at++;
    return (struct token){.kind = TOKEN_OTHER};
}

static struct token take(struct reader *r)
{
    struct token token = r->next;
    r->next = scan(r);
    return token;
}

static bool is_symbol(struct token token, char symbol)
{
    return token.kind == TOKEN_SYMBOL && token.value == symbol;
}

static bool is_sign(struct token token)
{
    return is_symbol(token, '+') || is_symbol(token, '-');
}

static bool is_word(struct token token, enum word_kind kind)
{
    return token.kind == TOKEN_WORD && words[token.value].kind == kind;
}

/* "Z" and "UTC" alike: a zone without an offset. */
static bool is_zulu(struct token token)
{
    return is_word(token, WORD_ZONE) && token.width == 1;
}

static bool is_fixed(struct token token, size_t width, int low, int high)
{
    return token.kind == TOKEN_NUMBER && token.width == width && is_between(token.value, low, high);
}

static bool skip_symbol(struct reader *r, char symbol)
{
    if (!is_symbol(r->next, symbol))
        return false;
    (void)take(r);
    return true;
}

/* The first three digits of a fraction. */
static int milliseconds(struct token number)
{
    size_t width = number.width > DIGITS_KEPT ? DIGITS_KEPT : number.width;
    int value = number.value;
    for (; width < 3; width++)
        value *= 10;
    for (; width > 3; width--)
        value /= 10;
    return value;
}

enum outcome { OUTCOME_WHOLE, OUTCOME_REST, OUTCOME_INVALID };

static bool read_iso_zone(struct reader *r, struct reading *d)
{
    if (is_zulu(r->next)) {
        (void)take(r);
        d->sign = 1;
        d->zone_hour = 0;
        d->zone_minute = 0;
        return true;
    }
    if (!is_sign(r->next))
        return true;
    d->sign = take(r).value == '+' ? 1 : -1;
    if (is_fixed(r->next, 4, 0, 2359)) {
        int both = take(r).value;
        d->zone_hour = both / 100;
        d->zone_minute = both % 100;
        return d->zone_minute <= 59;
    }
    if (!is_fixed(r->next, 2, 0, 23))
        return false;
    d->zone_hour = take(r).value;
    if (!skip_symbol(r, ':') || !is_fixed(r->next, 2, 0, 59))
        return false;
    d->zone_minute = take(r).value;
    return true;
}

/* What follows the T: once there, the text can be nothing but ISO. */
static bool read_iso_time(struct reader *r, struct reading *d)
{
    if (!is_fixed(r->next, 2, 0, 24))
        return false;
    bool is_midnight = r->next.value == 24; /* the day's end: nothing but zeros may follow */
    d->time[d->times++] = take(r).value;
    if (!skip_symbol(r, ':') || !is_fixed(r->next, 2, 0, is_midnight ? 0 : 59))
        return false;
    d->time[d->times++] = take(r).value;
    if (skip_symbol(r, ':')) {
        if (!is_fixed(r->next, 2, 0, is_midnight ? 0 : 59))
            return false;
        d->time[d->times++] = take(r).value;
        if (skip_symbol(r, '.')) {
            if (r->next.kind != TOKEN_NUMBER || (is_midnight && r->next.value > 0))
                return false;
            d->time[d->times++] = milliseconds(take(r));
        }
    }
    return read_iso_zone(r, d) && r->next.kind == TOKEN_END;
}

/* Reads as much of an ISO date as there is. OUTCOME_REST: *first is where the forgiving reading
 * goes on. */
static enum outcome read_iso(struct reader *r, struct reading *d, struct token *first)
{
    if (is_sign(r->next)) {
        *first = take(r);
        if (!is_fixed(r->next, 6, 0, INT32_MAX))
            return OUTCOME_REST;
        int year = take(r).value;
        if (first->value == '-' && year == 0)
            return OUTCOME_REST;
        d->day[d->days++] = first->value == '-' ? -year : year;
    } else if (is_fixed(r->next, 4, 0, INT32_MAX)) {
        d->day[d->days++] = take(r).value;
    } else {
        *first = take(r);
        return OUTCOME_REST;
    }
    for (int high = 12; high != 0 && skip_symbol(r, '-'); high = high == 12 ? 31 : 0) {
        if (!is_fixed(r->next, 2, 1, high)) {
            *first = take(r);
            return OUTCOME_REST;
        }
        d->day[d->days++] = take(r).value;
    }
    if (is_word(r->next, WORD_T)) {
        (void)take(r);
        if (!read_iso_time(r, d))
            return OUTCOME_INVALID;
    } else if (r->next.kind != TOKEN_END) {
        *first = take(r);
        return OUTCOME_REST;
    }
    if (d->zone_hour == ABSENT &&
        d->times == 0) { /* a date alone is UTC, with a time it is local */
        d->sign = 1;
        d->zone_hour = 0;
        d->zone_minute = 0;
    }
    d->is_iso = true;
    return OUTCOME_WHOLE;
}

static bool add_time(struct reading *d, int number)
{
    if (d->times == countof(d->time))
        return false;
    d->time[d->times++] = number;
    return true;
}

static void end_time(struct reading *d, int number)
{
    (void)add_time(d, number);
    while (add_time(d, 0)) {
    }
}

static bool expects_time(const struct reading *d, int number)
{
    switch (d->times) {
    case 1:
    case 2:
        return is_between(number, 0, 59);
    case 3:
        return is_between(number, 0, 999);
    default:
        return false;
    }
}

static bool add_day(struct reader *r, struct reading *d, int number)
{
    if (d->days == countof(d->day))
        return false;
    d->day[d->days++] = number;
    (void)skip_symbol(r, '-');
    return true;
}

static bool read_loose_number(struct reader *r, struct reading *d, int number)
{
    if (skip_symbol(r, ':')) {
        if (!skip_symbol(r, ':')) {
            if (!add_time(d, number))
                return false;
            (void)skip_symbol(r, '.');
            return true;
        }
        if (d->times > 0)
            return false;
        return add_time(d, number) && add_time(d, 0);
    }
    if (skip_symbol(r, '.') && expects_time(d, number)) {
        (void)add_time(d, number);
        if (r->next.kind != TOKEN_NUMBER)
            return false;
        end_time(d, milliseconds(take(r)));
        return true;
    }
    if (d->zone_hour != ABSENT && d->zone_minute == ABSENT && is_between(number, 0, 59)) {
        d->zone_minute = number;
        return true;
    }
    if (expects_time(d, number)) {
        end_time(d, number);
        return r->next.kind == TOKEN_END || r->next.kind == TOKEN_SPACE || is_zulu(r->next) ||
               is_sign(r->next);
    }
    return add_day(r, d, number);
}

static bool read_loose_word(struct reader *r, struct reading *d, struct token token,
                            bool seen_number)
{
    const struct word *word = &words[token.value];
    if (word->kind == WORD_NOON && d->times > 0) {
        d->noon = word->value;
        return true;
    }
    if (word->kind == WORD_MONTH) {
        d->month = word->value;
        (void)skip_symbol(r, '-');
        return true;
    }
    if (word->kind == WORD_ZONE && seen_number) {
        d->sign = word->value < 0 ? -1 : 1;
        d->zone_hour = word->value * d->sign;
        d->zone_minute = 0;
        return true;
    }
    /* Other words may only stand before the first number, and apart from it. */
    return !seen_number && r->next.kind != TOKEN_NUMBER;
}

static bool read_loose_zone(struct reader *r, struct reading *d, char sign)
{
    struct token number = {.kind = TOKEN_NUMBER};
    d->sign = sign == '+' ? 1 : -1;
    if (r->next.kind == TOKEN_NUMBER)
        number = take(r);
    if (is_symbol(r->next, ':')) {
        d->zone_hour = number.value;
        d->zone_minute = ABSENT;
        return true;
    }
    switch (number.width) {
    case 1:
    case 2:
        d->zone_hour = number.value;
        d->zone_minute = 0;
        return true;
    case 3:
    case 4:
        d->zone_hour = number.value / 100;
        d->zone_minute = number.value % 100;
        return true;
    default:
        return false;
    }
}

static bool read_loose(struct reader *r, struct reading *d, struct token token)
{
    bool seen_number = d->days > 0;
    for (; token.kind != TOKEN_END; token = take(r)) {
        bool is_utc = d->zone_hour == 0 && d->zone_minute == 0;
        if (token.kind == TOKEN_NUMBER) {
            seen_number = true;
            if (!read_loose_number(r, d, token.value))
                return false;
        } else if (token.kind == TOKEN_WORD) {
            if (!read_loose_word(r, d, token, seen_number))
                return false;
        } else if (is_sign(token) && (is_utc || d->times > 0)) {
            seen_number = true;
            if (!read_loose_zone(r, d, (char)token.value))
                return false;
        } else if ((is_sign(token) || is_symbol(token, ')')) && seen_number) {
            return false;
        }
    }
    return true;
}

/* Year, month and day out of the numbers and the month's name, in the order they most likely mean.
 */
static bool find_day(const struct reading *d, int *year, int *month, int *day)
{
    int n[3] = {d->day[0], d->days > 1 ? d->day[1] : 1, d->days > 2 ? d->day[2] : 1};
    if (d->days == 0)
        return false;
    bool starts_with_day = is_between(n[0], 1, 31);
    if (d->month != ABSENT) {
        *month = d->month;
        *day = starts_with_day ? n[0] : n[1];
        *year = starts_with_day ? n[1] : n[0];
    } else if (d->is_iso || !starts_with_day) {
        *year = n[0];
        *month = n[1];
        *day = n[2];
    } else {
        *month = n[0];
        *day = n[1];
        *year = n[2];
    }
    if (!d->is_iso && is_between(*year, 0, 49))
        *year += 2000;
    else if (!d->is_iso && is_between(*year, 50, 99))
        *year += 1900;
    return is_between(*month, 1, 12) && is_between(*day, 1, 31);
}

static bool find_time(const struct reading *d, int64_t *ms)
{
    int n[4] = {0};
    for (unsigned i = 0; i < d->times; i++)
        n[i] = d->time[i];
    if (d->noon != ABSENT) {
        if (!is_between(n[0], 0, 12))
            return false;
        n[0] = n[0] % 12 + d->noon;
    }
    bool is_midnight = n[0] == 24 && n[1] == 0 && n[2] == 0 && n[3] == 0;
    if (!is_midnight && (!is_between(n[0], 0, 23) || !is_between(n[1], 0, 59) ||
                         !is_between(n[2], 0, 59) || !is_between(n[3], 0, 999)))
        return false;
    *ms = ((n[0] * INT64_C(60) + n[1]) * 60 + n[2]) * 1000 + n[3];
    return true;
}

bool date_parse_js(struct str text, int64_t *ms)
{
    struct reader r = {.text = text};
    struct reading d = {.month = ABSENT,
                        .noon = ABSENT,
                        .sign = ABSENT,
                        .zone_hour = ABSENT,
                        .zone_minute = ABSENT};
    struct token first = {.kind = TOKEN_END};
    int year;
    int month;
    int day;
    int64_t of_day;
    r.next = scan(&r);
    enum outcome outcome = read_iso(&r, &d, &first);
    if (outcome == OUTCOME_INVALID || (outcome == OUTCOME_REST && !read_loose(&r, &d, first)))
        return false;
    if (!find_day(&d, &year, &month, &day) || !find_time(&d, &of_day))
        return false;
    if (!is_between(year, -YEAR_MAX, YEAR_MAX))
        return false;
    int64_t local = date_days(year, month - 1, day) * 86400000 + of_day;
    if (d.sign == ABSENT) {
        if (local > DATE_MS_MAX + 86400000 || local < -DATE_MS_MAX - 86400000)
            return false;
        *ms = date_utc_from_local(local);
    } else {
        int64_t hours = d.zone_hour == ABSENT ? 0 : d.zone_hour;
        int64_t minutes = d.zone_minute == ABSENT ? 0 : d.zone_minute;
        *ms = local - d.sign * (hours * 60 + minutes) * 60000;
    }
    return *ms <= DATE_MS_MAX && *ms >= -DATE_MS_MAX;
}
