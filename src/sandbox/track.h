/* track: POST /users/track and its synchronous and bulk forms (docs/spec/braze-rest-api.md §2.1,
 * §2.14, §2.17). */
#ifndef SPELTER_SANDBOX_TRACK_H
#define SPELTER_SANDBOX_TRACK_H

#include "call.h"

void answer_track(struct call *c);
void answer_track_sync(struct call *c);
void answer_track_bulk(struct call *c);

#endif
