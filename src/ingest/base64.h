/* base64: decoding of both alphabets, padding optional (RFC 4648 §4 and §5). */
#ifndef SPELTER_INGEST_BASE64_H
#define SPELTER_INGEST_BASE64_H

#include "arena.h"

/* Into the arena. False when `text` is not base64 or the arena is full. */
bool base64_decode(struct str text, struct arena *a, struct str *out);

#endif
