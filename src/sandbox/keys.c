#include "keys.h"

#include <assert.h>
#include <stdlib.h>

#include "hash.h"

enum { NODE_NONE = 0, BUCKETS_FIRST = 1024 };

/* A node is a key with its newest profile, or a further profile of a key. Freed nodes are chained
 * by `next`. */
struct node {
    struct hash128 key;
    uint32_t next; /* key: in the same bucket */
    uint32_t more; /* older profiles of the same key */
    uint32_t profile;
};

struct keys {
    uint32_t *buckets; /* heads; a power of two of them */
    size_t bucket_count;
    struct node *nodes; /* nodes[0] is never used: NODE_NONE */
    uint32_t node_count;
    uint32_t node_cap;
    uint32_t free_head;
    size_t key_count;
};

struct keys *keys_new(void)
{
    struct keys *k = calloc(1, sizeof(*k));
    if (k == NULL)
        return NULL;
    k->buckets = calloc(BUCKETS_FIRST, sizeof(*k->buckets));
    if (k->buckets == NULL) {
        free(k);
        return NULL;
    }
    k->bucket_count = BUCKETS_FIRST;
    k->node_count = 1;
    return k;
}

void keys_free(struct keys *k)
{
    if (k == NULL)
        return;
    free(k->nodes);
    free(k->buckets);
    free(k);
}

static struct hash128 key_hash(enum key_kind kind, struct str text)
{
    return hash128_str_seed(text, (uint64_t)kind);
}

static bool same(struct hash128 a, struct hash128 b)
{
    return a.low == b.low && a.high == b.high;
}

/* The link that holds the key's node, or the end of its bucket's chain. */
static uint32_t *find_link(const struct keys *k, struct hash128 hash)
{
    uint32_t *link = &k->buckets[hash.low & (k->bucket_count - 1)];
    while (*link != NODE_NONE && !same(k->nodes[*link].key, hash))
        link = &k->nodes[*link].next;
    return link;
}

static bool grow_buckets(struct keys *k)
{
    size_t count = k->bucket_count * 2;
    uint32_t *buckets = calloc(count, sizeof(*buckets));
    if (buckets == NULL)
        return false;
    for (size_t i = 0; i < k->bucket_count; i++) {
        for (uint32_t at = k->buckets[i]; at != NODE_NONE;) {
            uint32_t next = k->nodes[at].next;
            uint32_t *head = &buckets[k->nodes[at].key.low & (count - 1)];
            k->nodes[at].next = *head;
            *head = at;
            at = next;
        }
    }
    free(k->buckets);
    k->buckets = buckets;
    k->bucket_count = count;
    return true;
}

static uint32_t new_node(struct keys *k)
{
    uint32_t at = k->free_head;
    if (at != NODE_NONE) {
        k->free_head = k->nodes[at].next;
        return at;
    }
    if (k->node_count >= k->node_cap) {
        uint32_t cap = k->node_cap == 0 ? BUCKETS_FIRST : k->node_cap * 2;
        struct node *nodes =
            cap <= k->node_cap ? NULL : realloc(k->nodes, (size_t)cap * sizeof(*nodes));
        if (nodes == NULL)
            return NODE_NONE;
        k->nodes = nodes;
        k->node_cap = cap;
    }
    return k->node_count++;
}

static void free_node(struct keys *k, uint32_t at)
{
    k->nodes[at].next = k->free_head;
    k->free_head = at;
}

bool keys_add(struct keys *k, enum key_kind kind, struct str text, uint32_t profile)
{
    if (k->key_count >= k->bucket_count && !grow_buckets(k))
        return false;
    struct hash128 hash = key_hash(kind, text);
    uint32_t at = new_node(k); /* may move the nodes: links are looked up afterwards */
    if (at == NODE_NONE)
        return false;
    uint32_t *link = find_link(k, hash);
    struct node *node = &k->nodes[at];
    if (*link == NODE_NONE) {
        *node = (struct node){hash, NODE_NONE, NODE_NONE, profile};
        *link = at;
        k->key_count++;
        return true;
    }
    /* The key's node stays where it is; the newest profile moves in and the one before becomes the
     * first of the others. */
    struct node *head = &k->nodes[*link];
    *node = (struct node){hash, NODE_NONE, head->more, head->profile};
    head->more = at;
    head->profile = profile;
    return true;
}

void keys_remove(struct keys *k, enum key_kind kind, struct str text, uint32_t profile)
{
    uint32_t *link = find_link(k, key_hash(kind, text));
    uint32_t head = *link;
    if (head == NODE_NONE)
        return;
    if (k->nodes[head].profile == profile) {
        uint32_t more = k->nodes[head].more;
        if (more == NODE_NONE) {
            *link = k->nodes[head].next;
            free_node(k, head);
            k->key_count--;
            return;
        }
        k->nodes[head].profile = k->nodes[more].profile;
        k->nodes[head].more = k->nodes[more].more;
        free_node(k, more);
        return;
    }
    for (uint32_t *more = &k->nodes[head].more; *more != NODE_NONE; more = &k->nodes[*more].more) {
        if (k->nodes[*more].profile != profile)
            continue;
        uint32_t gone = *more;
        *more = k->nodes[gone].more;
        free_node(k, gone);
        return;
    }
}

uint32_t keys_find(const struct keys *k, enum key_kind kind, struct str text)
{
    uint32_t at = *find_link(k, key_hash(kind, text));
    return at == NODE_NONE ? PROFILE_NONE : k->nodes[at].profile;
}

struct keys_walk keys_walk(const struct keys *k, enum key_kind kind, struct str text)
{
    return (struct keys_walk){k, *find_link(k, key_hash(kind, text))};
}

bool keys_next(struct keys_walk *walk, uint32_t *profile)
{
    if (walk->at == NODE_NONE)
        return false;
    const struct node *node = &walk->keys->nodes[walk->at];
    *profile = node->profile;
    walk->at = node->more;
    return true;
}
