/*
 * later: writes that were answered and are carried out after a while, as a service that works
 * asynchronously does (docs/spec/braze-rest-api.md §7.5, the choice consistency-ms). First in,
 * first out. One thread.
 */
#ifndef SPELTER_SANDBOX_LATER_H
#define SPELTER_SANDBOX_LATER_H

#include "sandbox.h"

enum { LATER_BYTES_MAX = 256 << 20 };

struct later;

struct later *later_new(void); /* NULL: no memory */
void later_free(struct later *l);
void later_clear(struct later *l);

/* Copies the request. False: LATER_BYTES_MAX are waiting, or no memory. */
bool later_add(struct later *l, const struct sandbox_request *request, uint64_t number,
               int64_t due_ms);

bool later_is_due(const struct later *l, int64_t now_ms, bool all);

/* Moves the oldest one into the arena. Only when one is due. */
void later_take(struct later *l, struct arena *arena, struct sandbox_request *request,
                uint64_t *number);

#endif
