/* metadata: lists and details of what a workspace has (docs/spec/braze-rest-api.md §4.18). */
#ifndef SPELTER_SANDBOX_METADATA_H
#define SPELTER_SANDBOX_METADATA_H

#include "call.h"

void answer_campaigns_list(struct call *c);
void answer_canvas_list(struct call *c);
void answer_segments_list(struct call *c);
void answer_campaign_details(struct call *c);
void answer_canvas_details(struct call *c);
void answer_segment_details(struct call *c);
void answer_events_list(struct call *c);
void answer_events(struct call *c);
void answer_custom_attributes(struct call *c);
void answer_products(struct call *c);

#endif
