#include "jv.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "hash.h"

/* Up to here, looking at each key is quicker than hashing. Beyond, a hostile
 * object of 50,000 keys would take seconds. */
enum { LINEAR_MEMBERS_MAX = 32 };

double jv_as_double(struct jv v)
{
    assert(v.type == JV_NUMBER);
    if (!v.exact)
        return v.number;
    char text[512];
    /* A number keeps its own text when it is an integer that no double holds, or when it overflows
     * a double. At this length it does overflow, and to cut it would cut its exponent off. */
    if (v.len >= sizeof(text))
        return v.ptr[0] == '-' ? -INFINITY : INFINITY;
    memcpy(text, v.ptr, v.len);
    text[v.len] = '\0';
    return strtod(text, NULL);
}

bool jv_truthy(struct jv v)
{
    switch ((enum jv_type)v.type) {
    case JV_UNDEFINED:
    case JV_NULL:
        return false;
    case JV_BOOL:
        return v.boolean;
    case JV_NUMBER:
        return v.exact || (v.number != 0 && !isnan(v.number));
    case JV_STRING:
        return v.len > 0;
    case JV_ARRAY:
    case JV_OBJECT:
        return true;
    }
    return false;
}

struct jv jv_get(struct jv object, struct str key)
{
    if (object.type != JV_OBJECT)
        return jv_undefined();
    for (uint32_t i = 0; i < object.len; i++)
        if (str_eq(object.members[i].key, key))
            return object.members[i].value;
    return jv_undefined();
}

bool jv_equal(struct jv a, struct jv b)
{
    if (a.type != b.type)
        return false;
    switch ((enum jv_type)a.type) {
    case JV_UNDEFINED:
    case JV_NULL:
        return true;
    case JV_BOOL:
        return a.boolean == b.boolean;
    case JV_NUMBER:
        if (a.exact && b.exact)
            return str_eq(jv_str(a), jv_str(b));
        return jv_as_double(a) == jv_as_double(b);
    case JV_STRING:
        return str_eq(jv_str(a), jv_str(b));
    case JV_ARRAY:
        if (a.len != b.len)
            return false;
        for (uint32_t i = 0; i < a.len; i++)
            if (!jv_equal(a.items[i], b.items[i]))
                return false;
        return true;
    case JV_OBJECT:
        if (a.len != b.len)
            return false;
        for (uint32_t i = 0; i < a.len; i++)
            if (!jv_equal(a.members[i].value, jv_get(b, a.members[i].key)))
                return false;
        return true;
    }
    return false;
}

/* A canonical array index, 0 to 4294967294 without leading zeros:
 * JavaScript lists such keys first. */
static bool key_index(struct str key, uint32_t *index)
{
    if (key.len == 0 || key.len > 10 || key.ptr[0] < '0' || key.ptr[0] > '9')
        return false;
    if (key.len > 1 && key.ptr[0] == '0')
        return false;
    uint64_t number = 0;
    for (size_t i = 0; i < key.len; i++) {
        if (key.ptr[i] < '0' || key.ptr[i] > '9')
            return false;
        number = number * 10 + (uint64_t)(key.ptr[i] - '0');
    }
    if (number > 4294967294u)
        return false;
    *index = (uint32_t)number;
    return true;
}

void jv_object_begin(struct jv_builder *b, struct arena *a, uint32_t members_expected)
{
    *b = (struct jv_builder){.arena = a, .cap = members_expected};
    if (members_expected == 0)
        return;
    b->members = arena_array(a, members_expected, sizeof(struct jv_member));
    if (b->members == NULL) {
        b->cap = 0;
        b->failed = true;
    }
}

static bool grow_members(struct jv_builder *b)
{
    uint32_t cap = b->cap < 8 ? 8 : b->cap * 2;
    struct jv_member *members = cap <= b->cap ? NULL : arena_array(b->arena, cap, sizeof(*members));
    if (members == NULL) {
        b->failed = true;
        return false;
    }
    if (b->len > 0)
        memcpy(members, b->members, b->len * sizeof(*members));
    b->members = members;
    b->cap = cap;
    return true;
}

/* The free slot, or that of the key. The arena's address is the seed: a sender
 * who cannot know it cannot make collisions. */
static uint32_t *find_slot(const struct jv_builder *b, struct str key)
{
    uint64_t slot = hash_str_seed(key, (uint64_t)(uintptr_t)b->arena);
    for (;; slot++) {
        uint32_t *place = &b->places[slot & b->place_mask];
        if (*place == 0 || str_eq(b->members[*place - 1].key, key))
            return place;
    }
}

/* Sized so that at most half the slots are taken until the members have doubled. */
static bool index_members(struct jv_builder *b)
{
    uint32_t slots = 4 * LINEAR_MEMBERS_MAX;
    while (slots < b->len * 4)
        slots *= 2;
    b->places = arena_array(b->arena, slots, sizeof(*b->places));
    if (b->places == NULL) {
        b->failed = true;
        return false;
    }
    memset(b->places, 0, slots * sizeof(*b->places));
    b->place_mask = slots - 1;
    for (uint32_t i = 0; i < b->len; i++)
        *find_slot(b, b->members[i].key) = i + 1;
    return true;
}

static struct jv_member *find_member(const struct jv_builder *b, struct str key)
{
    if (b->places != NULL) {
        uint32_t place = *find_slot(b, key);
        return place == 0 ? NULL : &b->members[place - 1];
    }
    for (uint32_t i = 0; i < b->len; i++)
        if (str_eq(b->members[i].key, key))
            return &b->members[i];
    return NULL;
}

void jv_object_put_slowly(struct jv_builder *b, struct str key, struct jv value)
{
    if (b->failed)
        return;
    if (b->places == NULL && b->len > LINEAR_MEMBERS_MAX && !index_members(b))
        return;
    struct jv_member *member = b->seen & jv_key_bit(key) ? find_member(b, key) : NULL;
    if (member != NULL) {
        b->unclean |= !value.clean;
        member->value = value;
        return;
    }
    if (b->len == b->cap && !grow_members(b))
        return;
    jv_object_append(b, key, value, jv_key_bit(key));
    if (b->places != NULL && b->len * 2 <= b->place_mask)
        *find_slot(b, key) = b->len;
    else if (b->places != NULL)
        (void)index_members(b);
}

struct jv jv_object_peek(const struct jv_builder *b, struct str key)
{
    const struct jv_member *member = b->seen & jv_key_bit(key) ? find_member(b, key) : NULL;
    return member == NULL ? jv_undefined() : member->value;
}

void jv_object_put_all(struct jv_builder *b, struct jv object)
{
    if (object.type != JV_OBJECT)
        return;
    for (uint32_t i = 0; i < object.len; i++)
        jv_object_put(b, object.members[i].key, object.members[i].value);
}

void jv_object_remove(struct jv_builder *b, struct str key)
{
    struct jv_member *member = b->failed ? NULL : find_member(b, key);
    if (member == NULL)
        return;
    struct jv_member *end = b->members + b->len;
    memmove(member, member + 1, (size_t)(end - member - 1) * sizeof(*member));
    b->len--;
    b->places = NULL; /* those behind it have moved; the next put of a large object counts anew */
}

static int by_index_then_place(const void *left, const void *right)
{
    const struct jv_member *a = left;
    const struct jv_member *b = right;
    uint32_t index_a = 0;
    uint32_t index_b = 0;
    (void)key_index(a->key, &index_a);
    (void)key_index(b->key, &index_b);
    return index_a < index_b ? -1 : index_a > index_b;
}

/* Array indexes to the front in ascending order, the rest after them as they were. */
static bool order_indexes(struct jv_builder *b)
{
    uint32_t indexes = 0;
    uint32_t index;
    for (uint32_t i = 0; i < b->len; i++)
        indexes += key_index(b->members[i].key, &index);
    if (indexes == 0)
        return true;
    struct jv_member *sorted = arena_array(b->arena, b->len, sizeof(*sorted));
    if (sorted == NULL)
        return false;
    uint32_t front = 0;
    uint32_t back = indexes;
    for (uint32_t i = 0; i < b->len; i++) {
        if (key_index(b->members[i].key, &index))
            sorted[front++] = b->members[i];
        else
            sorted[back++] = b->members[i];
    }
    qsort(sorted, indexes, sizeof(*sorted), by_index_then_place); /* keys are unique: stable */
    b->members = sorted;
    return true;
}

struct jv jv_object_end(struct jv_builder *b)
{
    if (b->failed || (b->has_index && !order_indexes(b)))
        return jv_undefined();
    return (struct jv){
        .type = JV_OBJECT, .clean = !b->unclean, .len = b->len, .members = b->members};
}

struct jv jv_array(struct arena *a, struct jv **items, size_t count)
{
    *items = arena_array(a, count, sizeof(struct jv));
    if (*items == NULL || count > UINT32_MAX)
        return jv_undefined();
    return (struct jv){.type = JV_ARRAY, .len = (uint32_t)count, .items = *items};
}

struct jv jv_copy(struct arena *a, struct jv v)
{
    switch ((enum jv_type)v.type) {
    case JV_UNDEFINED:
    case JV_NULL:
    case JV_BOOL:
        return v;
    case JV_NUMBER:
    case JV_STRING: {
        if (v.type == JV_NUMBER && !v.exact)
            return v;
        struct str text = arena_copy(a, (struct str){v.ptr, v.len});
        v.ptr = text.ptr;
        return text.ptr == NULL ? jv_undefined() : v;
    }
    case JV_ARRAY: {
        struct jv *items;
        struct jv copy = jv_array(a, &items, v.len);
        for (uint32_t i = 0; copy.type == JV_ARRAY && i < v.len; i++)
            items[i] = jv_copy(a, v.items[i]);
        return copy;
    }
    case JV_OBJECT: {
        struct jv_member *members = arena_array(a, v.len, sizeof(*members));
        if (members == NULL)
            return jv_undefined();
        for (uint32_t i = 0; i < v.len; i++) {
            members[i].key = arena_copy(a, v.members[i].key);
            members[i].value = jv_copy(a, v.members[i].value);
            if (members[i].key.ptr == NULL)
                return jv_undefined();
        }
        return (struct jv){.type = JV_OBJECT, .len = v.len, .members = members};
    }
    }
    return jv_undefined();
}
