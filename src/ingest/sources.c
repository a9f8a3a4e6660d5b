#include "sources.h"

#include <errno.h>
#include <stdlib.h>

#include "hash.h"

struct slot {
    uint64_t hash; /* of the key; 0: free */
    size_t index;
};

struct sources {
    struct source *list;
    size_t count;
    struct slot *slots; /* open addressing */
    size_t slot_mask;
    char *text; /* of all ids and keys */
};

static uint64_t key_hash(struct str write_key)
{
    uint64_t hash = hash_str(write_key);
    return hash == 0 ? 1 : hash;
}

static struct str keep(char **at, struct str text)
{
    struct str kept = {*at, text.len};
    if (text.len > 0)
        memcpy(*at, text.ptr, text.len);
    *at += text.len;
    return kept;
}

int sources_new(struct sources **out, const struct source *list, size_t count)
{
    size_t text_bytes = 1;
    size_t slots = 8;
    *out = NULL;
    for (size_t i = 0; i < count; i++)
        text_bytes += list[i].id.len + list[i].write_key.len;
    while (slots < 2 * count)
        slots *= 2;
    struct sources *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return -ENOMEM;
    s->list = calloc(count + 1, sizeof(*s->list));
    s->slots = calloc(slots, sizeof(*s->slots));
    s->text = malloc(text_bytes);
    if (s->list == NULL || s->slots == NULL || s->text == NULL) {
        sources_free(s);
        return -ENOMEM;
    }
    s->count = count;
    s->slot_mask = slots - 1;
    char *at = s->text;
    for (size_t i = 0; i < count; i++) {
        s->list[i] = (struct source){.id = keep(&at, list[i].id),
                                     .write_key = keep(&at, list[i].write_key),
                                     .enabled = list[i].enabled};
        uint64_t hash = key_hash(list[i].write_key);
        size_t slot = hash & s->slot_mask;
        while (s->slots[slot].hash != 0)
            slot = (slot + 1) & s->slot_mask;
        s->slots[slot] = (struct slot){hash, i};
    }
    *out = s;
    return 0;
}

void sources_free(struct sources *s)
{
    if (s == NULL)
        return;
    free(s->list);
    free(s->slots);
    free(s->text);
    free(s);
}

static bool is_same(struct str a, struct str b)
{
    unsigned char difference = 0;
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        difference |= (unsigned char)(a.ptr[i] ^ b.ptr[i]);
    return difference == 0;
}

const struct source *sources_find(const struct sources *s, struct str write_key)
{
    uint64_t hash = key_hash(write_key);
    for (size_t slot = hash & s->slot_mask; s->slots[slot].hash != 0;
         slot = (slot + 1) & s->slot_mask) {
        const struct source *source = &s->list[s->slots[slot].index];
        if (s->slots[slot].hash == hash && is_same(source->write_key, write_key))
            return source;
    }
    return NULL;
}
