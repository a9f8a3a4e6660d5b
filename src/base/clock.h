/*
 * clock: time comes in through the door, so that a test can hold it
 * still. Any thread may read the real one.
 */
#ifndef SPELTER_BASE_CLOCK_H
#define SPELTER_BASE_CLOCK_H

#include <stdint.h>

struct clock {
    int64_t (*now_ms)(void *self); /* milliseconds since 1970-01-01 UTC */
    void *self;
};

struct clock clock_real(void);

static inline int64_t clock_now_ms(struct clock clock)
{
    return clock.now_ms(clock.self);
}

/* Microseconds that never run backwards; for latencies and deadlines only. */
int64_t monotonic_us(void);

/* "2026-11-22T03:04:05.678Z" of an instant; years 0 to 9999. */
enum { ISO_TIME_BYTES = 24 };
void iso_time(char out[ISO_TIME_BYTES], int64_t ms);

/* Days since 1970-01-01 of a proleptic Gregorian date, and back. month 1..12, any year. */
int64_t days_from_civil(int64_t year, int month, int day);
void civil_from_days(int64_t days, int64_t *year, int *month, int *day);

#endif
