/*
 * trigger: triggerCampaign and triggerCanvas, whose body is the mapped payload itself
 * (docs/spec/segment-actions.md §2.12, §2.13).
 */
#ifndef SPELTER_BRAZE_TRIGGER_H
#define SPELTER_BRAZE_TRIGGER_H

#include "action.h"

enum {
    CAMPAIGN_ID,
    CAMPAIGN_SEND_ID,
    CAMPAIGN_TRIGGER_PROPERTIES,
    CAMPAIGN_BROADCAST,
    CAMPAIGN_ATTACHMENTS,
    CAMPAIGN_RECIPIENTS,
    CAMPAIGN_PRIORITIZATION,
    CAMPAIGN_AUDIENCE,
    CAMPAIGN_ROWS,
};

enum {
    CANVAS_ID,
    CANVAS_ENTRY_PROPERTIES,
    CANVAS_BROADCAST,
    CANVAS_RECIPIENTS,
    CANVAS_PRIORITIZATION,
    CANVAS_AUDIENCE,
    CANVAS_ROWS,
};

extern const struct field campaign_fields[CAMPAIGN_ROWS];
extern const struct field canvas_fields[CANVAS_ROWS];

action_build campaign_build;
action_build canvas_build;

int trigger_settle(const struct call *call, struct exchange *x);

#endif
