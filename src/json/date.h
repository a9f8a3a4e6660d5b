/*
 * date: dates as dayjs 1.10 reads and prints them (docs/spec/segment-actions.md §2.0.4).
 *
 * Instants are milliseconds since 1970 in UTC. "Local" is the process's time zone (TZ), as in the
 * reference. Pure but for TZ: any thread.
 */
#ifndef SPELTER_JSON_DATE_H
#define SPELTER_JSON_DATE_H

#include "jv.h"

#include <stdint.h>

#define DATE_MS_MAX 8640000000000000 /* JavaScript's range, both ways */

enum {
    DATE_ISO_BYTES = 27, /* "+010007-06-11T04:40:39.999Z" */
    DATE_DAY_BYTES = 16, /* "-271821-04-20" */
};

/* dayjs(v): numbers are milliseconds; text is read by dayjs's own pattern (local time), else as
 * `new Date(text)`. False when that is an invalid date, and for every other type. */
bool date_parse(struct jv v, int64_t *ms);

/* The same for text alone. */
bool date_parse_text(struct str text, int64_t *ms);

/* new Date(text), without dayjs's own pattern. */
bool date_parse_js(struct str text, int64_t *ms);

/* The schema's `date-like` (§6.7): text that is a plain number is Unix
 * seconds, other text must be a date to dayjs. */
bool date_is_like(struct str text);

/* The text that toISOString prints for its own instant: YYYY-MM-DDTHH:MM:SS.mmmZ. May say no of one
 * that is; then it is to be parsed and printed. */
bool date_is_iso(struct str text);

/* toISOString into `out`; returns its bytes (24, or 27 outside the years 0 to 9999). */
size_t date_write_iso(int64_t ms, char out[DATE_ISO_BYTES]);

/* format('YYYY-MM-DD') in local time into `out`, the year unpadded; returns its bytes. */
size_t date_write_day(int64_t ms, char out[DATE_DAY_BYTES]);

/* A number as a date: truncated toward zero; false beyond DATE_MS_MAX and for NaN. */
bool date_from_number(double number, int64_t *ms);

/* Days since 1970 of a proleptic Gregorian date; months outside
 * 0..11 roll over into years. And back. */
int64_t date_days(int64_t year, int64_t month0, int64_t day);
struct date_civil {
    int64_t year;
    int month; /* 1..12 */
    int day;   /* 1..31 */
};
struct date_civil date_civil(int64_t days);

/* The instant at which local clocks show local_ms: the earlier of two, and for
 * one that is skipped as if it were not. */
int64_t date_utc_from_local(int64_t local_ms);

/* The local offset from UTC in seconds at an instant. */
int64_t date_offset_s(int64_t ms);

#endif
