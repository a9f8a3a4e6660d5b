/* subscription: subscription groups and email states (docs/spec/braze-rest-api.md §4.9 to §4.12).
 */
#ifndef SPELTER_SANDBOX_SUBSCRIPTION_H
#define SPELTER_SANDBOX_SUBSCRIPTION_H

#include "call.h"

void answer_subscription_set(struct call *c);
void answer_subscription_set_v2(struct call *c);
void answer_subscription_get(struct call *c);
void answer_subscription_user(struct call *c);
void answer_email_status(struct call *c);

#endif
