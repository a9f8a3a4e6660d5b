/*
 * states: subscription states of addresses that no profile has (docs/spec/braze-rest-api.md §4.10,
 * §4.12). A profile that gets the address within 30 days takes them over. One thread.
 */
#ifndef SPELTER_SANDBOX_STATES_H
#define SPELTER_SANDBOX_STATES_H

#include "call.h"

enum { STATE_LIFE_DAYS = 30, STATES_MAX = 100000 };

struct states;

int states_open(struct states **out, struct disk *disk, struct err *err)
    __attribute__((warn_unused_result));
void states_close(struct states *s); /* NULL is fine */
void states_clear(struct states *s);

/* Remembers the state of a subscription group, or of the email itself when `group` is empty, for an
 * address (lower-case email or E.164 phone). Over STATES_MAX addresses nothing is kept, which is
 * noted. */
void states_keep(struct call *c, struct str address, struct str group, struct str state);

/* Gives the profile what is remembered for the address it just got. */
void states_inherit(struct call *c, struct profile *p, struct str address);

/* Forgets an address. */
void states_forget(struct call *c, struct str address);

#endif
