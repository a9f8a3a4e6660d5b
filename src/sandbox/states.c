#include "states.h"

#include <errno.h>
#include <stdlib.h>

#include "hash.h"
#include "standard.h"
#include "text.h"

enum { BUCKETS = 4096, DAY_MS = 86400000, RECORD_BYTES = 64 * 1024 };

/* {"group or empty": [state, since]} of one address, as text. */
struct address {
    struct address *next;
    uint32_t key_bytes;
    uint32_t record_bytes;
    char bytes[]; /* key, record */
};

struct states {
    struct address *buckets[BUCKETS];
    size_t count;
    struct disk *disk;
};

static struct address **find_link(struct states *s, struct str key)
{
    struct address **link = &s->buckets[hash_str(key) % BUCKETS];
    while (*link != NULL && !str_eq((struct str){(*link)->bytes, (*link)->key_bytes}, key))
        link = &(*link)->next;
    return link;
}

static bool replace(struct states *s, struct str key, struct str record)
{
    struct address *fresh = malloc(sizeof(*fresh) + key.len + record.len);
    if (fresh == NULL)
        return false;
    fresh->key_bytes = (uint32_t)key.len;
    fresh->record_bytes = (uint32_t)record.len;
    memcpy(fresh->bytes, key.ptr, key.len);
    memcpy(fresh->bytes + key.len, record.ptr, record.len);
    struct address **link = find_link(s, key);
    struct address *old = *link;
    fresh->next = old == NULL ? NULL : old->next;
    *link = fresh;
    s->count += old == NULL;
    free(old);
    return true;
}

static int load(void *self, struct str key, struct str value)
{
    return replace(self, key, value) ? 0 : -ENOMEM;
}

int states_open(struct states **out, struct disk *disk, struct err *err)
{
    struct states *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return err_set(err, -ENOMEM, 0, "no memory");
    s->disk = disk;
    int rc = disk_each(disk, DISK_STATES, load, s);
    if (rc != 0) {
        states_close(s);
        return err_set(err, rc, 0, "cannot load the subscription states: %s", strerror(-rc));
    }
    *out = s;
    return 0;
}

void states_clear(struct states *s)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        while (s->buckets[i] != NULL) {
            struct address *address = s->buckets[i];
            s->buckets[i] = address->next;
            free(address);
        }
    }
    s->count = 0;
}

void states_close(struct states *s)
{
    if (s == NULL)
        return;
    states_clear(s);
    free(s);
}

static struct jv read_record(struct call *c, struct str key)
{
    struct address *address = *find_link(c->sandbox->states, key);
    struct jv record = jv_undefined();
    struct err err = {0};
    if (address == NULL ||
        jv_parse(&record, c->arena,
                 (struct str){address->bytes + address->key_bytes, address->record_bytes}, JV_EXACT,
                 &err) != 0)
        return jv_undefined();
    return record;
}

void states_keep(struct call *c, struct str address, struct str group, struct str state)
{
    struct states *s = c->sandbox->states;
    if (c->is_rehearsal)
        return;
    struct jv before = read_record(c, address);
    if (before.type == JV_UNDEFINED && s->count >= STATES_MAX) {
        call_note(c, NOTE_WARNING, STR(""), "%d addresses without a profile already: not kept",
                  STATES_MAX);
        return;
    }
    struct jv_builder b;
    struct jv *pair;
    struct jv entry = jv_array(c->arena, &pair, 2);
    if (entry.type != JV_ARRAY)
        return;
    pair[0] = jv_string(state);
    pair[1] = jv_number((double)c->now_ms);
    jv_object_begin(&b, c->arena, before.len + 1);
    jv_object_put_all(&b, before);
    jv_object_put(&b, group, entry);
    struct buf record;
    buf_init(&record, RECORD_BYTES);
    jv_write(&record, jv_object_end(&b));
    if (!record.failed && replace(s, address, buf_str(&record)))
        disk_put(s->disk, DISK_STATES, address, buf_str(&record));
    buf_fini(&record);
}

void states_inherit(struct call *c, struct profile *p, struct str address)
{
    if (c->sandbox->states->count == 0)
        return;
    struct jv record = read_record(c, address);
    for (uint32_t i = 0; record.type == JV_OBJECT && i < record.len; i++) {
        struct str group = record.members[i].key;
        struct jv entry = record.members[i].value;
        if (entry.type != JV_ARRAY || entry.len != 2 || entry.items[1].type != JV_NUMBER ||
            jv_as_double(entry.items[1]) + (double)STATE_LIFE_DAYS * DAY_MS < (double)c->now_ms)
            continue;
        if (group.len == 0)
            set_subscription_state(c, p, STR("email_subscribe"), jv_str(entry.items[0]));
        else
            profile_put(p, SECTION_GROUPS, group, entry.items[0]);
    }
    states_forget(c, address);
}

void states_forget(struct call *c, struct str address)
{
    struct states *s = c->sandbox->states;
    struct address **link = find_link(s, address);
    struct address *gone = *link;
    if (gone == NULL)
        return;
    *link = gone->next;
    free(gone);
    s->count--;
    disk_delete(s->disk, DISK_STATES, address);
}
