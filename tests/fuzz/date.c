/* A date that is read is in range, and what it prints reads back as the same instant. */
#include "date.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    char iso[DATE_ISO_BYTES];
    char day[DATE_DAY_BYTES];
    int64_t ms;
    int64_t again;
    (void)date_is_like(text);
    if (!date_parse_text(text, &ms))
        return 0;
    assert(ms >= -DATE_MS_MAX && ms <= DATE_MS_MAX);
    struct str printed = {iso, date_write_iso(ms, iso)};
    assert(date_parse_text(printed, &again));
    assert(again == ms);
    assert(date_write_day(ms, day) < DATE_DAY_BYTES);
    return 0;
}
