/*
 * integrations: does this event want to reach that destination? (docs/spec/sources.md §1.11)
 */
#ifndef SPELTER_EVENT_INTEGRATIONS_H
#define SPELTER_EVENT_INTEGRATIONS_H

#include "jv.h"

enum integrations_answer {
    INTEGRATIONS_YES,
    INTEGRATIONS_NO,           /* FILTERED_BY_INTEGRATIONS_OBJECT */
    INTEGRATIONS_SENT_ALREADY, /* MESSAGE_SENT_CLIENT_SIDE: the SDK delivered it itself */
};

/* `names` are what the event may call the destination: its configured id, the
 * catalog's name, then aliases. An explicit no to one of the first two wins, then any
 * explicit yes, then any other no, then All. */
enum { INTEGRATIONS_EXACT_NAMES = 2 };

enum integrations_answer integrations_ask(struct jv event, const struct str *names,
                                          size_t name_count);

/* The product's word for an answer, as Segment's delivery overview prints it; "" for yes. */
const char *integrations_code(enum integrations_answer answer);

/* What the catalog calls Braze's cloud actions destination, and the aliases that mean it too. */
extern const struct str integrations_braze_names[];
extern const size_t integrations_braze_name_count;

/* The same for Braze Cohorts, which has no alias. */
extern const struct str integrations_cohorts_name;

#endif
