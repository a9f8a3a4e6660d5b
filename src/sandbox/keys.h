/*
 * keys: which profiles carry this identifier. Many-to-many, from (kind, text) to profile numbers.
 *
 * Texts are kept as 128-bit hashes: two texts with one hash are taken for one, which no run of a
 * test meets by chance. Adding and asking cost the same however many profiles share a key. One
 * thread.
 */
#ifndef SPELTER_SANDBOX_KEYS_H
#define SPELTER_SANDBOX_KEYS_H

#include "str.h"

#include <stdint.h>

enum key_kind {
    KEY_EXTERNAL_ID = 1,
    KEY_DEPRECATED_ID, /* an external id that was renamed and still leads to its profile */
    KEY_ALIAS,         /* text_pair(label, name) */
    KEY_BRAZE_ID,
    KEY_EMAIL, /* lower case */
    KEY_PHONE, /* E.164 */
    KEY_PUSH_TOKEN,
    KEY_DEVICE,
};

#define PROFILE_NONE UINT32_MAX /* no enum: it would not fit into an int */

struct keys;

struct keys *keys_new(void); /* NULL: no memory */
void keys_free(struct keys *k);

/* False: no memory, nothing changed. A pair that is there already is added again. */
bool keys_add(struct keys *k, enum key_kind kind, struct str text, uint32_t profile)
    __attribute__((warn_unused_result));
void keys_remove(struct keys *k, enum key_kind kind, struct str text, uint32_t profile);

/* The profile that got the key last, or PROFILE_NONE. */
uint32_t keys_find(const struct keys *k, enum key_kind kind, struct str text);

/* All profiles of a key, newest first: for (walk = keys_walk(...); keys_next(&walk, &profile);) */
struct keys_walk {
    const struct keys *keys;
    uint32_t at;
};
struct keys_walk keys_walk(const struct keys *k, enum key_kind kind, struct str text);
bool keys_next(struct keys_walk *walk, uint32_t *profile);

#endif
