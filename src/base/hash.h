/* hash: fast non-cryptographic hashes (xxHash). Not for secrets;
 * collisions are the caller's to think about. */
#ifndef SPELTER_BASE_HASH_H
#define SPELTER_BASE_HASH_H

#include "str.h"

#include <stdint.h>

struct hash128 {
    uint64_t low;
    uint64_t high;
};

uint64_t hash_str(struct str text);
uint64_t hash_str_seed(struct str text, uint64_t seed);
struct hash128 hash128_str_seed(struct str text, uint64_t seed);

#endif
