#include "reply.h"

#include <curl/curl.h>

enum {
    HEADER_DATE_BYTES_MAX = 64,
    EPOCH_S_MIN =
        1000000000, /* a larger X-RateLimit-Reset is an epoch, a smaller one counts seconds */
};

/* Longer waits are somebody's mistake; 32 bits of seconds also keep all sums within range. */
static const int64_t header_number_max = INT32_MAX;

void reply_init(struct reply *r)
{
    *r = (struct reply){
        .retry_after_s = -1,
        .ratelimit_retry_after_s = -1,
        .ratelimit_remaining = -1,
        .ratelimit_reset = -1,
    };
}

static int64_t parse_number(struct str text)
{
    if (text.len == 0)
        return -1;
    int64_t number = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return -1;
        number = number * 10 + (text.ptr[i] - '0');
        if (number > header_number_max)
            return header_number_max;
    }
    return number;
}

static int64_t parse_wait(struct str text, int64_t now_s)
{
    int64_t number = parse_number(text);
    if (number >= 0 || text.len >= HEADER_DATE_BYTES_MAX)
        return number;
    char date[HEADER_DATE_BYTES_MAX];
    if (text.len > 0)
        memcpy(date, text.ptr, text.len);
    date[text.len] = '\0';
    int64_t at_s = curl_getdate(date, NULL);
    if (at_s < 0)
        return -1;
    return at_s <= now_s ? 0 : at_s - now_s;
}

void reply_header(struct reply *r, struct str line, int64_t now_s)
{
    size_t colon = str_find(line, ':');
    if (colon == line.len)
        return;
    struct str name = str_slice(line, 0, colon);
    struct str value = str_trim(str_slice(line, colon + 1, line.len));
    if (str_eq_nocase(name, STR("retry-after")))
        r->retry_after_s = parse_wait(value, now_s);
    else if (str_eq_nocase(name, STR("x-ratelimit-retry-after")))
        r->ratelimit_retry_after_s = parse_wait(value, now_s);
    else if (str_eq_nocase(name, STR("x-ratelimit-remaining")))
        r->ratelimit_remaining = parse_number(value);
    else if (str_eq_nocase(name, STR("x-ratelimit-reset")))
        r->ratelimit_reset = parse_number(value);
}

int64_t reply_reset_ms(const struct reply *r, int64_t now_ms)
{
    if (r->ratelimit_reset < 0)
        return -1;
    if (r->ratelimit_reset <= EPOCH_S_MIN)
        return r->ratelimit_reset * 1000;
    int64_t reset_ms = r->ratelimit_reset * 1000;
    return reset_ms > now_ms ? reset_ms - now_ms : -1;
}
