#include "parked.h"

#include <assert.h>

static_assert(PARKED_USERS_MAX < UINT16_MAX, "an index fits a slot");

/* The slot that has the user, or the free one where it would be. */
static size_t slot_of(const struct parked *p, uint64_t hash)
{
    size_t slot = hash % PARKED_SLOTS;
    while (p->slots[slot] != 0 && p->users[p->slots[slot] - 1].hash != hash)
        slot = (slot + 1) % PARKED_SLOTS;
    return slot;
}

static const struct parked_user *find(const struct parked *p, struct user_key user)
{
    size_t index = p->slots[slot_of(p, user.hash)];
    return index == 0 ? NULL : &p->users[index - 1];
}

static struct parked_user *get(struct parked *p, struct user_key user)
{
    size_t index = p->slots[slot_of(p, user.hash)];
    assert(index != 0);
    return &p->users[index - 1];
}

bool parked_has_room(const struct parked *p)
{
    return p->count + PARKED_EVENT_USERS <= PARKED_USERS_MAX;
}

bool parked_stays(const struct parked *p, const struct users *users, uint64_t position)
{
    for (size_t i = 0; i < users->count; i++) {
        const struct parked_user *user = find(p, users->keys[i]);
        if (user != NULL && user->from <= position)
            return true;
    }
    return false;
}

bool parked_keep(struct parked *p, const struct users *users, uint64_t position)
{
    if (p->count + users->count > PARKED_USERS_MAX)
        return false;
    for (size_t i = 0; i < users->count; i++) {
        size_t slot = slot_of(p, users->keys[i].hash);
        if (p->slots[slot] != 0)
            continue;
        p->users[p->count++] = (struct parked_user){users->keys[i].hash, position, false};
        p->slots[slot] = (uint16_t)p->count;
    }
    return true;
}

uint64_t parked_begin(struct parked *p, bool (*may_go)(void *self, struct user_key user),
                      void *self)
{
    uint64_t from = UINT64_MAX;
    assert(p->going == 0);
    for (size_t i = 0; i < p->count; i++) {
        struct parked_user *user = &p->users[i];
        user->may_go = may_go(self, (struct user_key){user->hash});
        p->going += user->may_go;
        if (user->may_go && user->from < from)
            from = user->from;
    }
    return from;
}

bool parked_is_going(const struct parked *p)
{
    return p->going > 0;
}

bool parked_may_go(const struct parked *p, const struct users *users)
{
    for (size_t i = 0; i < users->count; i++) {
        const struct parked_user *user = find(p, users->keys[i]);
        assert(user != NULL); /* an event that stays has all its users here */
        if (!user->may_go)
            return false;
    }
    return true;
}

void parked_advance(struct parked *p, const struct users *users, uint64_t position)
{
    for (size_t i = 0; i < users->count; i++)
        get(p, users->keys[i])->from = position + 1;
}

void parked_block(struct parked *p, const struct users *users, uint64_t position)
{
    for (size_t i = 0; i < users->count; i++) {
        struct parked_user *user = get(p, users->keys[i]);
        if (!user->may_go)
            continue;
        user->may_go = false;
        user->from = position; /* what is below was seen: the next reading starts here */
        p->going--;
    }
}

void parked_end(struct parked *p)
{
    size_t left = 0;
    for (size_t i = 0; i < PARKED_SLOTS; i++)
        p->slots[i] = 0;
    for (size_t i = 0; i < p->count; i++) {
        if (p->users[i].may_go)
            continue;
        p->users[left++] = p->users[i];
        p->slots[slot_of(p, p->users[left - 1].hash)] = (uint16_t)left;
    }
    p->count = left;
    p->going = 0;
}
