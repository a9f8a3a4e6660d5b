/*
 * profiles: every user the sandbox knows (docs/spec/braze-rest-api.md §7.1), found by any
 * identifier.
 *
 *     profiles_begin(arena) ... { profiles_get or profiles_create, read and put } ... profiles_end
 *
 * At rest a profile is one compact text. Between begin and end the profiles that a request touches
 * are open as working copies in the request's arena; profiles_end packs the changed ones again and
 * hands them to the disk. Identifiers are indexed at the moment they are put, so later objects of
 * the same request already find them.
 *
 * A profile's number is its place in the table; numbers of removed profiles are used again. One
 * thread.
 */
#ifndef SPELTER_SANDBOX_PROFILES_H
#define SPELTER_SANDBOX_PROFILES_H

#include "arena.h"
#include "disk.h"
#include "history.h"
#include "jv.h"
#include "keys.h"

/* What a profile is made of: objects from a name to a value. */
enum section {
    SECTION_STANDARD,   /* first_name, email, ...; as exported */
    SECTION_CUSTOM,     /* custom attributes; a time is {"$time": "..."} */
    SECTION_EVENTS,     /* event name -> [first, last, count], milliseconds */
    SECTION_PRODUCTS,   /* product id -> [first, last, count] */
    SECTION_COMMERCE,   /* total_revenue, purchase_count, total_orders, ... */
    SECTION_CARTS,      /* cart_id -> {updated_at, products} */
    SECTION_GROUPS,     /* subscription group -> "subscribed" or "unsubscribed" */
    SECTION_ALIASES,    /* label -> name */
    SECTION_DEPRECATED, /* former external id -> true */
    SECTION_TOKENS,     /* push token -> {app_id, device_id} */
    SECTION_COHORTS,    /* cohort id -> true */
    SECTION_COUNT,
};

enum {
    PROFILE_HISTORY_MAX = 1000, /* entries of one profile that are shown and that survive a merge */
    HISTORY_RING_BYTES = 64 << 20, /* of all profiles together; the oldest give way */
};

struct profiles;

struct profile {
    uint32_t number;
    struct str braze_id;
    struct str external_id; /* empty: none */
    int64_t created_ms;
    int64_t updated_ms;
    uint32_t random_bucket;

    /* the store's own */
    struct profiles *store;
    struct profile *next_open;
    bool dirty;
    bool removed;
    struct jv sections[SECTION_COUNT];
    struct jv_builder builders[SECTION_COUNT];
    bool building[SECTION_COUNT];
};

/* Loads what the disk (may be NULL; must outlive the store) holds. -ENOMEM, -EBADMSG, -EIO. */
int profiles_open(struct profiles **out, struct disk *disk, uint64_t seed, struct err *err)
    __attribute__((warn_unused_result));
void profiles_close(struct profiles *ps); /* NULL is fine */
void profiles_clear(struct profiles *ps); /* removes all; not between begin and end */

size_t profiles_count(const struct profiles *ps);
uint32_t profiles_numbers(const struct profiles *ps); /* all numbers are below this one */

void profiles_begin(struct profiles *ps, struct arena *arena, int64_t now_ms);

/* Packs what changed. -ENOMEM: some profile could not be packed and keeps its state from before. */
int profiles_end(struct profiles *ps) __attribute__((warn_unused_result));

/* The working copy; NULL: no such profile, or no memory (profiles_failed tells). */
struct profile *profiles_get(struct profiles *ps, uint32_t number);
struct profile *profiles_find(struct profiles *ps, enum key_kind kind, struct str key);
struct profile *profiles_create(struct profiles *ps); /* NULL: no memory */
bool profiles_failed(const struct profiles *ps);

/* While hidden nobody is found and nobody is created (NULL, without a failure). */
void profiles_hide(struct profiles *ps, bool hidden);
struct keys_walk profiles_walk(const struct profiles *ps, enum key_kind kind, struct str key);

/* Without opening it: is it identified, and when did it change last (a number that only grows). */
bool profiles_is_identified(const struct profiles *ps, uint32_t number);
uint64_t profiles_updated(const struct profiles *ps, uint32_t number);

void profile_remove(struct profile *p);
void profile_touch(
    struct profile *p); /* it was written to now: resolution by address depends on it */

void profile_set_external_id(struct profile *p, struct str id);

/* Values and keys are borrowed: they live in the request's arena. */
struct jv profile_get(const struct profile *p, enum section section, struct str key);
void profile_put(struct profile *p, enum section section, struct str key, struct jv value);
void profile_drop(struct profile *p, enum section section, struct str key);
struct jv profile_section(const struct profile *p,
                          enum section section); /* an object, may be empty */

/* What the profile received. */
void profile_received(struct profile *p, enum history_kind kind, struct str text);
void profile_take_history(struct profile *p, struct profile *from);
uint64_t profile_history(const struct profile *p); /* for history_read */
const struct history *profiles_history(const struct profiles *ps);

#endif
