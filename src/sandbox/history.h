/*
 * history: what each profile received, newest first, in one ring of memory for all of them.
 *
 *     ring: [ ... entry(A) entry(B) entry(A) entry(C) ... ]     each entry points at its profile's
 * one before
 *
 * An entry is a number that grows by the bytes written, so it can be told whether it is still
 * there: the ring overwrites the oldest entries. One thread.
 */
#ifndef SPELTER_SANDBOX_HISTORY_H
#define SPELTER_SANDBOX_HISTORY_H

#include "str.h"

#include <stdint.h>

enum { HISTORY_NONE = 0 };

enum history_kind { HISTORY_EVENT, HISTORY_PURCHASE };

struct history;

struct history *
history_new(size_t ring_bytes); /* NULL: no memory. Pages are taken from the system as they fill */
void history_free(struct history *h);
void history_clear(struct history *h);

/* Appends behind `newest` (HISTORY_NONE: the profile's first) and returns the new newest. Text that
 * is longer than a quarter of the ring is not kept: returns `newest`. */
uint64_t history_add(struct history *h, uint64_t newest, enum history_kind kind, struct str text);

/* Reads an entry; *older is its profile's one before, or HISTORY_NONE. False when it was
 * overwritten. The text lives until the next history_add. */
bool history_read(const struct history *h, uint64_t entry, enum history_kind *kind,
                  struct str *text, uint64_t *older);

/* One chain out of two, in the order they were received; the newest of it. At most entries_max of
 * each are kept. */
uint64_t history_join(struct history *h, uint64_t a, uint64_t b, size_t entries_max);

#endif
