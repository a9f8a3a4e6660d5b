/* standard: Braze's own profile fields, one table row each (docs/spec/braze-rest-api.md §2.4). */
#ifndef SPELTER_SANDBOX_STANDARD_H
#define SPELTER_SANDBOX_STANDARD_H

#include "call.h"
#include "errors.h"

struct standard_field {
    struct str name;
    /* The error that refuses the whole object; NULL: no value does. Not called for null. */
    enum object_error (*check)(struct call *c, struct jv value);
    /* Stores the value, or leaves the field alone with a note. Not called for null. NULL: the field
     * only steers. */
    void (*apply)(struct call *c, struct profile *p, struct str name, struct jv value);
    uint8_t points;       /* data points of setting it; POINTS_BY_VALUE: see standard_points */
    bool null_is_checked; /* null is a value like any other, not a removal */
};

enum { POINTS_BY_VALUE = 255 };

/* NULL: the name is a custom attribute's. */
const struct standard_field *standard_find(struct str name);

uint64_t standard_points(const struct call *c, const struct standard_field *field, struct jv value);

/* Sets email_subscribe or push_subscribe with its time stamp; an email state reaches the other
 * profiles with the address. */
void set_subscription_state(struct call *c, struct profile *p, struct str field, struct str state);

/* Sets the state of a subscription group, on every profile that shares the group's kind of address.
 */
void set_group_state(struct call *c, struct profile *p, struct str group, struct str state);

/* Sets address and states that come with it (§7.2). */
void set_email(struct call *c, struct profile *p, struct str email);
void set_phone(struct call *c, struct profile *p, struct str phone);

/* "subscribed", "unsubscribed" or, when allowed, "opted_in". */
bool is_state(struct jv value, bool opted_in_too);

#endif
