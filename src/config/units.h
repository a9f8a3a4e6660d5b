/* units: "10GB", "4h", "3000/3s" as numbers. */
#ifndef SPELTER_CONFIG_UNITS_H
#define SPELTER_CONFIG_UNITS_H

#include "str.h"

#include <stdint.h>

/* "500ms", "1s", "5m", "4h", "7d"; "0" is zero. False when it is none of these or does not fit. */
bool units_duration_ms(struct str text, int64_t *ms);

/* "65536", "64KB", "10MB", "2GB", "1TB" (powers of 1024). */
bool units_bytes(struct str text, int64_t *bytes);

/* "3000/3s": so many per duration. */
bool units_rate(struct str text, int64_t *count, int64_t *per_ms);

/* The other way, in the largest unit that needs no fraction: "1m", "90s"; "64KB", "5B"; "0". */
enum { UNITS_TEXT_BYTES = 32 };
void units_write_duration(char out[UNITS_TEXT_BYTES], int64_t ms);
void units_write_bytes(char out[UNITS_TEXT_BYTES], int64_t bytes);

#endif
