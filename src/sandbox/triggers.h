/* triggers: sends of campaigns and Canvases (docs/spec/braze-rest-api.md §4.14, §4.15). Nothing is
 * sent: recipients are checked, their attributes are written, and a dispatch id is given. */
#ifndef SPELTER_SANDBOX_TRIGGERS_H
#define SPELTER_SANDBOX_TRIGGERS_H

#include "call.h"

void answer_campaign_send(struct call *c);
void answer_canvas_send(struct call *c);
void answer_message_send(struct call *c);

/* Is this call aimed at an audience? Only those share the broadcast limit (§3.1). */
bool trigger_is_broadcast(struct jv body);

/* The same campaign or Canvas with the same audience has the same hash. */
uint64_t trigger_audience_hash(struct call *c);

#endif
