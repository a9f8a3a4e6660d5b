#include "lane.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

struct lane {
    struct lane *chain; /* next in its bucket */
    uint64_t hash;
    struct ticket *first; /* waiting */
    struct ticket *last;
    struct hold *hold; /* NULL when nothing of it is taken */
    uint32_t waiting;
    uint32_t taken;
};

struct lanes {
    struct stock *stock;
    struct lane **buckets;
    size_t mask;
    size_t count;
    struct item *candidates; /* first in all their lanes, and not known to be blocked */
    struct item *candidates_last;
    size_t abandoned; /* buckets below are empty: lanes_abandon's place */
};

int lanes_open(struct lanes **out, struct stock *stock, size_t lanes_expected)
{
    size_t buckets = 64;
    while (buckets < lanes_expected)
        buckets *= 2;
    struct lanes *l = malloc(sizeof(*l));
    if (l == NULL)
        return -ENOMEM;
    *l = (struct lanes){.stock = stock, .mask = buckets - 1};
    l->buckets = calloc(buckets, sizeof(struct lane *));
    if (l->buckets == NULL) {
        free(l);
        return -ENOMEM;
    }
    *out = l;
    return 0;
}

void lanes_close(struct lanes *l)
{
    if (l == NULL)
        return;
    assert(l->count == 0);
    free(l->buckets);
    free(l);
}

/* The link that points, or would point, to the lane of `hash`. */
static struct lane **find_lane(const struct lanes *l, uint64_t hash)
{
    struct lane **link = &l->buckets[hash & l->mask];
    while (*link != NULL && (*link)->hash != hash)
        link = &(*link)->chain;
    return link;
}

static struct lane *get_lane(struct lanes *l, uint64_t hash)
{
    struct lane **link = find_lane(l, hash);
    if (*link != NULL)
        return *link;
    struct lane *lane = stock_take(l->stock, sizeof(*lane));
    if (lane == NULL)
        return NULL;
    *lane = (struct lane){.hash = hash};
    *link = lane;
    l->count++;
    return lane;
}

static void drop_if_unused(struct lanes *l, struct lane *lane)
{
    if (lane->first != NULL || lane->taken > 0)
        return;
    struct lane **link = find_lane(l, lane->hash);
    assert(*link == lane);
    *link = lane->chain;
    l->count--;
    stock_give(l->stock, lane);
}

static bool is_first_everywhere(const struct item *item)
{
    for (size_t i = 0; i < item->user_count; i++)
        if (item->tickets[i].lane->first != &item->tickets[i])
            return false;
    return true;
}

static void offer(struct lanes *l, struct item *item)
{
    if (item->is_candidate || !is_first_everywhere(item))
        return;
    item->is_candidate = true;
    item->next = NULL;
    if (l->candidates == NULL)
        l->candidates = item;
    else
        l->candidates_last->next = item;
    l->candidates_last = item;
}

int lanes_push(struct lanes *l, struct item *item)
{
    for (size_t i = 0; i < item->user_count; i++) {
        struct lane *lane = get_lane(l, item->users[i].hash);
        if (lane == NULL) {
            while (i-- > 0)
                drop_if_unused(l, item->tickets[i].lane);
            return -ENOMEM;
        }
        item->tickets[i] = (struct ticket){.lane = lane, .item = item};
    }
    for (size_t i = 0; i < item->user_count; i++) {
        struct ticket *ticket = &item->tickets[i];
        if (ticket->lane->first == NULL)
            ticket->lane->first = ticket;
        else
            ticket->lane->last->next = ticket;
        ticket->lane->last = ticket;
        ticket->lane->waiting++;
    }
    offer(l, item);
    return 0;
}

/* The one hold that has any of the item's lanes; *conflict when there are two. */
static struct hold *common_hold(const struct item *item, bool *conflict)
{
    struct hold *common = NULL;
    *conflict = false;
    for (size_t i = 0; i < item->user_count; i++) {
        struct hold *hold = item->tickets[i].lane->hold;
        if (hold != NULL && common != NULL && hold != common)
            *conflict = true;
        if (hold != NULL)
            common = hold;
    }
    return common;
}

struct item *lanes_next(struct lanes *l, struct hold **hold)
{
    while (l->candidates != NULL) {
        struct item *item = l->candidates;
        l->candidates = item->next;
        item->is_candidate = false;
        assert(is_first_everywhere(item));
        bool conflict;
        *hold = common_hold(item, &conflict);
        if (!conflict)
            return item;
        lanes_pass(l, item);
    }
    return NULL;
}

void lanes_take(struct lanes *l, struct item *item, struct hold *hold)
{
    for (size_t i = 0; i < item->user_count; i++) {
        struct lane *lane = item->tickets[i].lane;
        assert(lane->first == &item->tickets[i]);
        assert(lane->hold == NULL || lane->hold == hold);
        lane->first = item->tickets[i].next;
        lane->hold = hold;
        lane->waiting--;
        lane->taken++;
    }
    for (size_t i = 0; i < item->user_count; i++) {
        struct lane *lane = item->tickets[i].lane;
        if (lane->first != NULL)
            offer(l, lane->first->item);
    }
}

void lanes_pass(struct lanes *l, struct item *item)
{
    (void)l;
    for (size_t i = 0; i < item->user_count; i++) {
        struct hold *hold = item->tickets[i].lane->hold;
        if (hold != NULL)
            hold->is_waited_for = true;
    }
}

void lanes_release(struct lanes *l, struct item *item)
{
    for (size_t i = 0; i < item->user_count; i++) {
        struct lane *lane = item->tickets[i].lane;
        assert(lane->taken > 0);
        if (--lane->taken > 0)
            continue;
        lane->hold = NULL;
        if (lane->first != NULL)
            offer(l, lane->first->item);
        else
            drop_if_unused(l, lane);
    }
}

/* The oldest item that has to leave before this one can. */
static struct item *first_before(struct item *item)
{
    for (size_t i = 0; i < item->user_count; i++) {
        struct ticket *first = item->tickets[i].lane->first;
        if (first != &item->tickets[i]) {
            item = first->item; /* entered earlier, so this ends */
            i = (size_t)-1;
        }
    }
    return item;
}

struct item *lanes_abandon(struct lanes *l)
{
    /* Those without a user are only here; the others are found through their lanes. */
    while (l->candidates != NULL) {
        struct item *item = l->candidates;
        l->candidates = item->next;
        if (item->user_count == 0)
            return item;
    }
    while (l->abandoned <= l->mask && l->buckets[l->abandoned] == NULL)
        l->abandoned++;
    if (l->abandoned > l->mask)
        return NULL;
    struct item *item = first_before(l->buckets[l->abandoned]->first->item);
    for (size_t i = 0; i < item->user_count; i++) {
        struct lane *lane = item->tickets[i].lane;
        lane->first = item->tickets[i].next;
        lane->waiting--;
        drop_if_unused(l, lane);
    }
    return item;
}

size_t lanes_waiting(const struct lanes *l, struct user_key user)
{
    const struct lane *lane = *find_lane(l, user.hash);
    return lane == NULL ? 0 : lane->waiting;
}

size_t lanes_count(const struct lanes *l)
{
    return l->count;
}
