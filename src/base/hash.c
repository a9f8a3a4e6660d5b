#include "hash.h"

#include <xxhash.h>

uint64_t hash_str(struct str text)
{
    return XXH3_64bits(text.ptr, text.len);
}

uint64_t hash_str_seed(struct str text, uint64_t seed)
{
    return XXH3_64bits_withSeed(text.ptr, text.len, seed);
}

struct hash128 hash128_str_seed(struct str text, uint64_t seed)
{
    XXH128_hash_t hash = XXH3_128bits_withSeed(text.ptr, text.len, seed);
    return (struct hash128){hash.low64, hash.high64};
}
