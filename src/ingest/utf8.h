/* utf8: text from headers and queries, which may hold any bytes, made fit for JSON. */
#ifndef SPELTER_INGEST_UTF8_H
#define SPELTER_INGEST_UTF8_H

#include "arena.h"
#include "str.h"

/* The text itself when it is UTF-8; else a copy with U+FFFD in place of each byte that is no part
 * of a character. Empty when the arena is full. */
struct str utf8_mend(struct arena *a, struct str text);

#endif
