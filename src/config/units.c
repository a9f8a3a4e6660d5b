#include "units.h"

#include <stdio.h>

struct unit {
    struct str name;
    int64_t factor;
};

/* clang-format off */
static const struct unit durations[] = {
    {STR_INIT("ms"), 1},
    {STR_INIT("s"),  1000},
    {STR_INIT("m"),  60 * 1000},
    {STR_INIT("h"),  60 * 60 * 1000},
    {STR_INIT("d"),  24 * 60 * 60 * 1000},
};

static const struct unit sizes[] = {
    {STR_INIT(""),   1},
    {STR_INIT("B"),  1},
    {STR_INIT("KB"), INT64_C(1) << 10},
    {STR_INIT("MB"), INT64_C(1) << 20},
    {STR_INIT("GB"), INT64_C(1) << 30},
    {STR_INIT("TB"), INT64_C(1) << 40},
};
/* clang-format on */

static bool parse(struct str text, const struct unit *units, size_t unit_count, int64_t *out)
{
    int64_t number = 0;
    size_t i = 0;
    for (; i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9'; i++)
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, text.ptr[i] - '0', &number))
            return false;
    struct str unit = str_trim(str_slice(text, i, text.len));
    if (i == 0)
        return false;
    for (size_t u = 0; u < unit_count; u++)
        if (str_eq(unit, units[u].name))
            return !__builtin_mul_overflow(number, units[u].factor, out);
    *out = 0;
    return number == 0 && unit.len == 0;
}

bool units_duration_ms(struct str text, int64_t *ms)
{
    return parse(str_trim(text), durations, countof(durations), ms);
}

bool units_bytes(struct str text, int64_t *bytes)
{
    return parse(str_trim(text), sizes, countof(sizes), bytes);
}

bool units_rate(struct str text, int64_t *count, int64_t *per_ms)
{
    static const struct unit none[] = {{STR_INIT(""), 1}};
    size_t slash = str_find(text, '/');
    return slash < text.len && parse(str_trim(str_slice(text, 0, slash)), none, 1, count) &&
           units_duration_ms(str_slice(text, slash + 1, text.len), per_ms) && *count > 0 &&
           *per_ms > 0;
}

static void write(char out[UNITS_TEXT_BYTES], const struct unit *units, size_t unit_count,
                  int64_t number)
{
    size_t u = unit_count - 1;
    while (u > 0 && (number == 0 || number % units[u].factor != 0))
        u--;
    snprintf(out, UNITS_TEXT_BYTES, "%lld%.*s", (long long)(number / units[u].factor),
             number == 0 ? 0 : (int)units[u].name.len, units[u].name.ptr);
}

void units_write_duration(char out[UNITS_TEXT_BYTES], int64_t ms)
{
    write(out, durations, countof(durations), ms);
}

void units_write_bytes(char out[UNITS_TEXT_BYTES], int64_t bytes)
{
    write(out, sizes, countof(sizes), bytes);
}
