/*
 * oddities: what a subscription says that is accepted, as at Segment, and does nothing. For whoever
 * looks a config over: a typing mistake there costs data without a word.
 */
#ifndef SPELTER_BRAZE_ODDITIES_H
#define SPELTER_BRAZE_ODDITIES_H

#include "destination.h"

/* Calls back for each; `source` as subscription_open takes it. err->path starts at the element,
 * err->msg is the sentence. A disabled subscription has none. */
void subscription_oddities(enum braze_kind kind, struct jv source,
                           void (*on_oddity)(void *self, const struct err *oddity), void *self);

#endif
