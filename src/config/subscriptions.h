/*
 * subscriptions: the form of a destination's list of subscriptions, in Segment's own words.
 *
 * What the words mean is for whoever compiles them; here counts that each is written where a reader
 * of the file expects it, so that a typing mistake or the other names of Segment's Public API do
 * not go unseen.
 */
#ifndef SPELTER_CONFIG_SUBSCRIPTIONS_H
#define SPELTER_CONFIG_SUBSCRIPTIONS_H

#include "err.h"
#include "jv.h"

/* `list` is an array. -EINVAL: err->path is the place ("/0/enabled"), err->msg the sentence. */
int subscriptions_check(struct jv list, struct err *err) __attribute__((warn_unused_result));

#endif
