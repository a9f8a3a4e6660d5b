#include "lookups.h"

#include <errno.h>

static inline unsigned bucket_of(struct str key)
{
    return jv_key_mix(key) % LOOKUP_BUCKETS;
}

static inline struct lookup *find_child(const struct lookup *parent, struct str key)
{
    struct lookup *child = parent->children[bucket_of(key)];
    while (child != NULL && !str_eq(child->key, key))
        child = child->next;
    return child;
}

static struct lookup *add_child(struct lookup *parent, struct arena *a, struct str key)
{
    const size_t bytes = LOOKUP_BUCKETS * sizeof(struct lookup *);
    if (parent->children == NULL) {
        parent->children = arena_alloc(a, bytes);
        if (parent->children == NULL)
            return NULL;
        memset(parent->children, 0, bytes);
    }
    struct lookup *child = find_child(parent, key);
    if (child != NULL)
        return child;
    struct lookup **bucket = &parent->children[bucket_of(key)];
    child = arena_alloc(a, sizeof(*child));
    if (child == NULL)
        return NULL;
    *child = (struct lookup){.key = key, .next = *bucket, .slot = LOOKUP_NONE};
    *bucket = child;
    parent->child_keys |= jv_key_bit(key);
    return child;
}

void lookups_init(struct lookups *l)
{
    *l = (struct lookups){.root.slot = LOOKUP_NONE};
}

int lookups_add(struct lookups *l, struct arena *a, struct path path, uint32_t *slot)
{
    struct lookup *at = &l->root;
    *slot = LOOKUP_NONE;
    if (path.count == 0 || path.count > LOOKUP_KEYS_MAX)
        return 0;
    for (uint32_t i = 0; i < path.count && at != NULL; i++)
        at = add_child(at, a, path.keys[i]);
    if (at == NULL)
        return -ENOMEM;
    if (at->slot == LOOKUP_NONE)
        at->slot = l->count++;
    *slot = at->slot;
    return 0;
}

static void visit(const struct lookup *at, struct jv v, struct jv *found);

/* What is below a text, an array or a falsy value. */
static void visit_steps(const struct lookup *at, struct jv v, struct jv *found)
{
    for (size_t i = 0; i < LOOKUP_BUCKETS; i++)
        for (const struct lookup *child = at->children[i]; child != NULL; child = child->next)
            visit(child, jv_truthy(v) ? path_step(v, child->key) : v, found);
}

static void visit_members(const struct lookup *at, struct jv object, struct jv *found)
{
    for (uint32_t i = 0; i < object.len; i++) {
        const struct jv_member *member = &object.members[i];
        if ((at->child_keys & jv_key_bit(member->key)) == 0)
            continue;
        const struct lookup *child = find_child(at, member->key);
        if (child == NULL)
            continue;
        if (child->children == NULL)
            found[child->slot] = member->value;
        else
            visit(child, member->value, found);
    }
}

static void visit(const struct lookup *at, struct jv v, struct jv *found)
{
    if (at->slot != LOOKUP_NONE)
        found[at->slot] = v;
    if (at->children == NULL)
        return;
    if (v.type == JV_OBJECT)
        visit_members(at, v, found);
    else
        visit_steps(at, v, found);
}

void lookups_find(const struct lookups *l, struct jv payload, struct jv *found)
{
    memset(found, 0, l->count * sizeof(*found));
    visit(&l->root, payload, found);
}
