/* look: the sandbox's own endpoints, below /sandbox: what it holds, what it did, and its switches.
 */
#ifndef SPELTER_SANDBOX_LOOK_H
#define SPELTER_SANDBOX_LOOK_H

#include "call.h"

void answer_page(struct call *c);          /* HTML */
void answer_look_profiles(struct call *c); /* ?q= &offset= &limit= */
void answer_look_profile(struct call *c);  /* external id, alias "label:name", braze_id or email */
void answer_look_requests(struct call *c); /* ?after= &limit= */
void answer_look_log(struct call *c);      /* ?kind= &after= &limit= */
void answer_look_points(struct call *c);
void answer_look_stats(struct call *c);
void answer_look_limits(struct call *c);
void answer_look_faults(struct call *c);
void answer_add_faults(struct call *c); /* one rule, or {"faults":[...]} */
void answer_clear_faults(struct call *c);
void answer_reset(struct call *c); /* as freshly started: profiles, catalogs, counts, faults, log */

#endif
