#include "profiles.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "record.h"
#include "text.h"

enum {
    BRAZE_ID_BYTES = 24,
    RANDOM_BUCKETS = 10000,
    RECORD_BYTES_MAX_IN_STORE = 64 << 20, /* far beyond any real profile; bounds one packing */
    LOAD_ARENA_BYTES_MAX = 512 << 20,
    SLOTS_FIRST = 256,
};

struct slot {
    char *record;         /* NULL: free, or created and not packed yet */
    struct profile *open; /* its working copy in this request */
    uint64_t updated;
    uint64_t history; /* newest entry */
    uint32_t record_bytes;
    bool used;
    bool identified;
};

/* What DISK_HISTORY holds, so that replaying it in order builds the same chains. */
enum history_op { OP_EVENT = HISTORY_EVENT, OP_PURCHASE = HISTORY_PURCHASE, OP_JOIN, OP_DROP };

struct profiles {
    struct slot *slots;
    uint32_t slot_count;
    uint32_t slot_cap;
    uint32_t *free_numbers;
    uint32_t free_count;
    uint32_t free_cap;
    size_t used_count;

    struct keys *keys;
    struct history *history;
    struct disk *disk;
    uint64_t sequence;      /* of updates */
    uint64_t random;        /* state of the generator of ids */
    uint64_t history_first; /* rows of DISK_HISTORY: [first, next) */
    uint64_t history_next;
    uint64_t history_bytes;

    struct arena *arena; /* of the request in work */
    int64_t now_ms;
    struct profile *open;
    bool failed;
    bool hidden;
    struct buf packed;
};

/* splitmix64: small, seeded, good enough for ids that only have to differ. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void index_key(struct profile *p, enum key_kind kind, struct str key, bool add)
{
    struct profiles *ps = p->store;
    if (key.len == 0)
        return;
    if (!add)
        keys_remove(ps->keys, kind, key, p->number);
    else if (!keys_add(ps->keys, kind, key, p->number))
        ps->failed = true;
}

/* Every section whose entries lead to a profile. */
static void index_entry(struct profile *p, enum section section, struct str key, struct jv value,
                        bool add)
{
    struct arena *a = p->store->arena;
    if (section == SECTION_STANDARD && str_eq(key, STR("email")))
        index_key(p, KEY_EMAIL, text_lower_ascii(a, jv_str(value)), add);
    else if (section == SECTION_STANDARD && str_eq(key, STR("phone")))
        index_key(p, KEY_PHONE, jv_str(value), add);
    else if (section == SECTION_ALIASES)
        index_key(p, KEY_ALIAS, text_pair(a, key, jv_str(value)), add);
    else if (section == SECTION_DEPRECATED)
        index_key(p, KEY_DEPRECATED_ID, key, add);
    else if (section == SECTION_TOKENS) {
        index_key(p, KEY_PUSH_TOKEN, key, add);
        index_key(p, KEY_DEVICE, jv_str(jv_get(value, STR("device_id"))), add);
    }
}

static void index_profile(struct profile *p, bool add)
{
    index_key(p, KEY_BRAZE_ID, p->braze_id, add);
    index_key(p, KEY_EXTERNAL_ID, p->external_id, add);
    for (int i = 0; i < SECTION_COUNT; i++) {
        struct jv section = profile_section(p, (enum section)i);
        for (uint32_t m = 0; m < section.len; m++)
            index_entry(p, (enum section)i, section.members[m].key, section.members[m].value, add);
    }
}

static void keep_history(struct profiles *ps, uint32_t number, enum history_op op, struct str text)
{
    if (ps->disk == NULL)
        return;
    char key[DISK_KEY_BYTES];
    buf_reset(&ps->packed);
    char head[DISK_KEY_BYTES];
    disk_key(head, (uint64_t)number << 8 | op);
    buf_append(&ps->packed, (struct str){head, sizeof(head)});
    buf_append(&ps->packed, text);
    disk_key(key, ps->history_next++);
    disk_put(ps->disk, DISK_HISTORY, (struct str){key, sizeof(key)}, buf_str(&ps->packed));

    /* The disk keeps about as much as the ring: one row goes for each that comes. */
    ps->history_bytes += text.len;
    if (ps->history_bytes > HISTORY_RING_BYTES && ps->history_first < ps->history_next) {
        disk_key(key, ps->history_first++);
        disk_delete(ps->disk, DISK_HISTORY, (struct str){key, sizeof(key)});
    }
}

static bool grow_slots(struct profiles *ps, uint32_t count)
{
    uint32_t cap = ps->slot_cap == 0 ? SLOTS_FIRST : ps->slot_cap;
    while (cap < count)
        cap *= 2;
    if (cap == ps->slot_cap)
        return true;
    struct slot *slots = realloc(ps->slots, (size_t)cap * sizeof(*slots));
    if (slots == NULL)
        return false;
    memset(slots + ps->slot_cap, 0, (size_t)(cap - ps->slot_cap) * sizeof(*slots));
    ps->slots = slots;
    ps->slot_cap = cap;
    return true;
}

static uint32_t take_number(struct profiles *ps)
{
    if (ps->free_count > 0)
        return ps->free_numbers[--ps->free_count];
    if (ps->slot_count >= UINT32_MAX / 2 || !grow_slots(ps, ps->slot_count + 1))
        return PROFILE_NONE;
    return ps->slot_count++;
}

/* A number that finds no room in the list is lost until the next start: harmless. */
static void give_number(struct profiles *ps, uint32_t number)
{
    if (ps->free_count == ps->free_cap) {
        uint32_t cap = ps->free_cap == 0 ? SLOTS_FIRST : ps->free_cap * 2;
        uint32_t *numbers = realloc(ps->free_numbers, (size_t)cap * sizeof(*numbers));
        if (numbers == NULL)
            return;
        ps->free_numbers = numbers;
        ps->free_cap = cap;
    }
    ps->free_numbers[ps->free_count++] = number;
}

/* Makes room for a number that the disk names; the ones before it are free. */
static int cover_number(struct profiles *ps, uint64_t number)
{
    if (number >= UINT32_MAX / 2)
        return -EBADMSG;
    if (!grow_slots(ps, (uint32_t)number + 1))
        return -ENOMEM;
    while (ps->slot_count <= number)
        give_number(ps, ps->slot_count++);
    return 0;
}

static int load_history(void *self, struct str key, struct str value)
{
    struct profiles *ps = self;
    if (value.len < DISK_KEY_BYTES)
        return -EBADMSG;
    uint64_t head = disk_key_number(str_slice(value, 0, DISK_KEY_BYTES));
    struct str text = str_slice(value, DISK_KEY_BYTES, value.len);
    uint64_t sequence = disk_key_number(key);
    if (ps->history_next == 0)
        ps->history_first = sequence;
    ps->history_next = sequence + 1;
    ps->history_bytes += text.len;
    /* A profile that is gone may have been joined to another one before it went. */
    int rc = cover_number(ps, head >> 8);
    if (rc != 0)
        return rc;
    struct slot *slot = &ps->slots[head >> 8];
    switch ((enum history_op)(head & 0xff)) {
    case OP_EVENT:
    case OP_PURCHASE:
        slot->history =
            history_add(ps->history, slot->history, (enum history_kind)(head & 0xff), text);
        return 0;
    case OP_JOIN: {
        uint64_t from = disk_key_number(text);
        if (from < ps->slot_count) {
            slot->history = history_join(ps->history, slot->history, ps->slots[from].history,
                                         PROFILE_HISTORY_MAX);
            ps->slots[from].history = HISTORY_NONE;
        }
        return 0;
    }
    case OP_DROP:
        slot->history = HISTORY_NONE;
        return 0;
    }
    return -EBADMSG;
}

static int load_profile(void *self, struct str key, struct str value)
{
    struct profiles *ps = self;
    uint64_t number = disk_key_number(key);
    if (number >= UINT32_MAX / 2)
        return -EBADMSG;
    if (number > ps->slot_count) {
        int covered = cover_number(ps, number - 1);
        if (covered != 0)
            return covered;
    }
    if (!grow_slots(ps, (uint32_t)number + 1))
        return -ENOMEM;
    ps->slot_count = (uint32_t)number + 1;

    struct slot *slot = &ps->slots[number];
    struct profile p = {.store = ps, .number = (uint32_t)number};
    arena_reset(ps->arena);
    int rc = record_unpack(&p, ps->arena, value, &slot->updated);
    if (rc != 0)
        return rc;
    slot->record = malloc(value.len);
    if (slot->record == NULL)
        return -ENOMEM;
    memcpy(slot->record, value.ptr, value.len);
    slot->record_bytes = (uint32_t)value.len;
    slot->used = true;
    slot->identified = p.external_id.len > 0;
    ps->used_count++;
    if (slot->updated >= ps->sequence)
        ps->sequence = slot->updated + 1;
    (void)next_random(&ps->random); /* ids of a restarted sandbox must not repeat */
    index_profile(&p, true);
    return ps->failed ? -ENOMEM : 0;
}

int profiles_open(struct profiles **out, struct disk *disk, uint64_t seed, struct err *err)
{
    struct arena arena;
    arena_init(&arena, LOAD_ARENA_BYTES_MAX);
    int rc = 0;
    struct profiles *ps = calloc(1, sizeof(*ps));
    if (ps == NULL) {
        rc = -ENOMEM;
        goto out;
    }
    *ps = (struct profiles){.disk = disk, .random = seed, .arena = &arena, .sequence = 1};
    buf_init(&ps->packed, RECORD_BYTES_MAX_IN_STORE);
    ps->keys = keys_new();
    ps->history = history_new(HISTORY_RING_BYTES);
    if (ps->keys == NULL || ps->history == NULL)
        rc = -ENOMEM;
    if (rc == 0)
        rc = disk_each(disk, DISK_PROFILES, load_profile, ps);
    if (rc == 0)
        rc = disk_each(disk, DISK_HISTORY, load_history, ps);
out:
    arena_fini(&arena);
    if (rc != 0) {
        profiles_close(ps);
        return err_set(err, rc, 0, "cannot load the profiles: %s", strerror(-rc));
    }
    ps->arena = NULL;
    *out = ps;
    return 0;
}

void profiles_close(struct profiles *ps)
{
    if (ps == NULL)
        return;
    for (uint32_t i = 0; i < ps->slot_count; i++)
        free(ps->slots[i].record);
    free(ps->slots);
    free(ps->free_numbers);
    keys_free(ps->keys);
    history_free(ps->history);
    buf_fini(&ps->packed);
    free(ps);
}

void profiles_clear(struct profiles *ps)
{
    assert(ps->open == NULL);
    struct arena scratch;
    arena_init(&scratch, LOAD_ARENA_BYTES_MAX);
    ps->arena = &scratch;
    for (uint32_t i = 0; i < ps->slot_count; i++) {
        if (ps->slots[i].used) {
            struct profile *p = profiles_get(ps, i);
            if (p != NULL)
                profile_remove(p);
            int rc = profiles_end(ps);
            (void)rc; /* removing packs nothing */
            ps->arena = &scratch;
            arena_reset(&scratch);
        }
    }
    history_clear(ps->history);
    ps->arena = NULL;
    arena_fini(&scratch);
}

size_t profiles_count(const struct profiles *ps)
{
    return ps->used_count;
}

uint32_t profiles_numbers(const struct profiles *ps)
{
    return ps->slot_count;
}

void profiles_begin(struct profiles *ps, struct arena *arena, int64_t now_ms)
{
    assert(ps->open == NULL);
    ps->arena = arena;
    ps->now_ms = now_ms;
    ps->failed = false;
}

static void store_record(struct profiles *ps, struct profile *p)
{
    struct slot *slot = &ps->slots[p->number];
    record_pack(&ps->packed, p, slot->updated);
    char *record = NULL;
    if (!ps->packed.failed)
        record = ps->packed.len <= slot->record_bytes && ps->packed.len > slot->record_bytes / 2
                     ? slot->record
                     : malloc(ps->packed.len);
    if (record == NULL) {
        ps->failed = true;
        return;
    }
    memcpy(record, ps->packed.ptr, ps->packed.len);
    if (record != slot->record)
        free(slot->record);
    slot->record = record;
    slot->record_bytes = (uint32_t)ps->packed.len;
    char key[DISK_KEY_BYTES];
    disk_key(key, p->number);
    disk_put(ps->disk, DISK_PROFILES, (struct str){key, sizeof(key)}, buf_str(&ps->packed));
}

static void forget_record(struct profiles *ps, struct profile *p)
{
    struct slot *slot = &ps->slots[p->number];
    free(slot->record);
    *slot = (struct slot){0};
    char key[DISK_KEY_BYTES];
    disk_key(key, p->number);
    disk_delete(ps->disk, DISK_PROFILES, (struct str){key, sizeof(key)});
    keep_history(ps, p->number, OP_DROP, STR(""));
    give_number(ps, p->number);
}

int profiles_end(struct profiles *ps)
{
    while (ps->open != NULL) {
        struct profile *p = ps->open;
        ps->open = p->next_open;
        ps->slots[p->number].open = NULL;
        if (p->removed)
            forget_record(ps, p);
        else if (p->dirty)
            store_record(ps, p);
    }
    ps->arena = NULL;
    return ps->failed ? -ENOMEM : 0;
}

static struct profile *open_copy(struct profiles *ps, uint32_t number)
{
    struct profile *p = arena_alloc(ps->arena, sizeof(*p));
    if (p == NULL) {
        ps->failed = true;
        return NULL;
    }
    *p = (struct profile){.number = number, .store = ps};
    return p;
}

static void list_open(struct profiles *ps, struct profile *p)
{
    p->next_open = ps->open;
    ps->open = p;
    ps->slots[p->number].open = p;
}

struct profile *profiles_get(struct profiles *ps, uint32_t number)
{
    if (ps->hidden || number >= ps->slot_count || !ps->slots[number].used)
        return NULL;
    struct slot *slot = &ps->slots[number];
    if (slot->open != NULL)
        return slot->open->removed ? NULL : slot->open;
    struct profile *p = open_copy(ps, number);
    uint64_t updated;
    if (p == NULL || record_unpack(p, ps->arena, (struct str){slot->record, slot->record_bytes},
                                   &updated) != 0) {
        ps->failed = true;
        return NULL;
    }
    list_open(ps, p);
    return p;
}

struct profile *profiles_find(struct profiles *ps, enum key_kind kind, struct str key)
{
    return profiles_get(ps, keys_find(ps->keys, kind, key));
}

struct profile *profiles_create(struct profiles *ps)
{
    if (ps->hidden)
        return NULL;
    struct profile *p = open_copy(ps, PROFILE_NONE);
    char *id = arena_alloc(ps->arena, BRAZE_ID_BYTES + 1);
    if (p == NULL || id == NULL || (p->number = take_number(ps)) == PROFILE_NONE) {
        ps->failed = true;
        return NULL;
    }
    uint64_t random = next_random(&ps->random);
    snprintf(id, BRAZE_ID_BYTES + 1, "%08x%016llx", (uint32_t)(ps->now_ms / 1000),
             (unsigned long long)random);
    p->braze_id = (struct str){id, BRAZE_ID_BYTES};
    p->created_ms = ps->now_ms;
    p->random_bucket = (uint32_t)(random % RANDOM_BUCKETS);
    ps->slots[p->number] = (struct slot){.used = true};
    ps->used_count++;
    index_key(p, KEY_BRAZE_ID, p->braze_id, true);
    list_open(ps, p);
    profile_touch(p);
    return p;
}

void profiles_hide(struct profiles *ps, bool hidden)
{
    ps->hidden = hidden;
}

bool profiles_failed(const struct profiles *ps)
{
    return ps->failed;
}

struct keys_walk profiles_walk(const struct profiles *ps, enum key_kind kind, struct str key)
{
    struct keys_walk walk = keys_walk(ps->keys, kind, key);
    if (ps->hidden)
        walk.at = 0;
    return walk;
}

bool profiles_is_identified(const struct profiles *ps, uint32_t number)
{
    return ps->slots[number].identified;
}

uint64_t profiles_updated(const struct profiles *ps, uint32_t number)
{
    return ps->slots[number].updated;
}

void profile_remove(struct profile *p)
{
    assert(!p->removed);
    index_profile(p, false);
    p->removed = true;
    p->store->used_count--;
}

void profile_touch(struct profile *p)
{
    p->dirty = true;
    p->updated_ms = p->store->now_ms;
    p->store->slots[p->number].updated = p->store->sequence++;
}

void profile_set_external_id(struct profile *p, struct str id)
{
    index_key(p, KEY_EXTERNAL_ID, p->external_id, false);
    p->external_id = id;
    index_key(p, KEY_EXTERNAL_ID, id, true);
    p->store->slots[p->number].identified = id.len > 0;
    p->dirty = true;
}

struct jv profile_section(const struct profile *p, enum section section)
{
    if (p->building[section])
        return (struct jv){.type = JV_OBJECT,
                           .len = p->builders[section].len,
                           .members = p->builders[section].members};
    if (p->sections[section].type == JV_OBJECT)
        return p->sections[section];
    return (struct jv){.type = JV_OBJECT};
}

struct jv profile_get(const struct profile *p, enum section section, struct str key)
{
    if (p->building[section])
        return jv_object_peek(&p->builders[section], key);
    return jv_get(profile_section(p, section), key);
}

static struct jv_builder *builder(struct profile *p, enum section section)
{
    struct jv_builder *b = &p->builders[section];
    if (!p->building[section]) {
        struct jv before = profile_section(p, section);
        jv_object_begin(b, p->store->arena, before.len + 4);
        jv_object_put_all(b, before);
        p->building[section] = true;
    }
    p->dirty = true;
    return b;
}

void profile_put(struct profile *p, enum section section, struct str key, struct jv value)
{
    struct jv_builder *b = builder(p, section);
    index_entry(p, section, key, profile_get(p, section, key), false);
    jv_object_put(b, key, value);
    if (b->failed)
        p->store->failed = true;
    index_entry(p, section, key, value, true);
}

void profile_drop(struct profile *p, enum section section, struct str key)
{
    struct jv before = profile_get(p, section, key);
    if (before.type == JV_UNDEFINED)
        return;
    index_entry(p, section, key, before, false);
    jv_object_remove(builder(p, section), key);
}

void profile_received(struct profile *p, enum history_kind kind, struct str text)
{
    struct slot *slot = &p->store->slots[p->number];
    slot->history = history_add(p->store->history, slot->history, kind, text);
    keep_history(p->store, p->number, (enum history_op)kind, text);
}

void profile_take_history(struct profile *p, struct profile *from)
{
    struct slot *to = &p->store->slots[p->number];
    struct slot *source = &p->store->slots[from->number];
    to->history =
        history_join(p->store->history, to->history, source->history, PROFILE_HISTORY_MAX);
    source->history = HISTORY_NONE;
    char number[DISK_KEY_BYTES];
    disk_key(number, from->number);
    keep_history(p->store, p->number, OP_JOIN, (struct str){number, sizeof(number)});
}

uint64_t profile_history(const struct profile *p)
{
    return p->store->slots[p->number].history;
}

const struct history *profiles_history(const struct profiles *ps)
{
    return ps->history;
}
