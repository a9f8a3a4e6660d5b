/*
 * presets: the subscriptions a new destination starts with, and default mappings
 * (docs/spec/segment-actions.md §3).
 */
#ifndef SPELTER_BRAZE_PRESETS_H
#define SPELTER_BRAZE_PRESETS_H

#include "action.h"

struct preset {
    struct str name;
    const char *subscribe;  /* NULL: started by an event of Segment's own, see slug */
    const char *event_slug; /* or NULL */
    struct str action;
    const char *overrides; /* JSON object laid over the action's default mapping, or NULL */
};

extern const struct preset presets[]; /* of Braze Cloud Mode (Actions) */
extern const size_t preset_count;

/* What a destination of this kind starts with. */
struct preset_list {
    const struct preset *rows;
    size_t count;
};
struct preset_list preset_list(enum braze_kind kind);

/* The default mapping of an action: the fields that have one, in field
 * order. undefined when the arena is full. */
struct jv preset_default_mapping(const struct action *action, struct arena *a);

/* The preset's whole mapping. undefined when the arena is full. */
struct jv preset_mapping(enum braze_kind kind, const struct preset *preset, struct arena *a);

#endif
