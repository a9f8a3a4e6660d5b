/*
 * parked: users who have so much on its way already that their next events stay in the journal, and
 * are read again when there is room. Else one user whom Braze does not take would fill the memory
 * that is meant for all.
 *
 *     event --of a crowded user--> stays unsettled --------second reading-------> taken, when all
 * its users may go or of a parked one     (parked_keep)    parked_begin ... parked_end
 * (parked_advance)
 *
 * One rule keeps each user's order: of a parked user, everything below `from` was taken, and
 * everything at it or above it stays. So an event that stays has all its users parked, and an event
 * stays if one of its users is parked at it or below. The second reading goes upwards from the
 * lowest `from` of those that may go; an event that has a user who may not stops its other users
 * there.
 *
 * Knows neither journal nor lanes. One thread.
 */
#ifndef SPELTER_DELIVERY_PARKED_H
#define SPELTER_DELIVERY_PARKED_H

#include "destination.h"

enum {
    PARKED_USERS_MAX = 1024,
    PARKED_EVENT_USERS = 64, /* room for so many more is kept: hardly an event has as many */
    PARKED_SLOTS = 2 * PARKED_USERS_MAX,
};

/* Of one event, repetitions are fine. */
struct users {
    struct user_key *keys;
    size_t count;
};

struct parked {
    struct parked_user {
        uint64_t hash;
        uint64_t from;
        bool may_go; /* in the second reading under way */
    } users[PARKED_USERS_MAX];
    size_t count;
    size_t going;
    uint16_t slots[PARKED_SLOTS]; /* index in users and one; 0: free */
};

/* All zero is an empty one. */

bool parked_has_room(const struct parked *p);

/* Whether the event stays because of what was kept before. */
bool parked_stays(const struct parked *p, const struct users *users, uint64_t position);

/* A new event, the highest so far, stays. False: no room for its users, nothing was changed. */
bool parked_keep(struct parked *p, const struct users *users, uint64_t position);

/* Begins a second reading: those may go of whom `may_go` says so. Where it starts; UINT64_MAX:
 * nobody may. */
uint64_t parked_begin(struct parked *p, bool (*may_go)(void *self, struct user_key user),
                      void *self);
bool parked_is_going(const struct parked *p); /* somebody still may */

/* In the second reading, of an event that stays: */
bool parked_may_go(const struct parked *p, const struct users *users);
void parked_advance(struct parked *p, const struct users *users,
                    uint64_t position); /* it was taken */
void parked_block(struct parked *p, const struct users *users, uint64_t position); /* it was not */

/* The second reading met the first: whoever may still go is parked no longer. */
void parked_end(struct parked *p);

#endif
