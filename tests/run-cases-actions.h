/* run-cases-actions: what run-cases-actions.c and run-cases-defaults.c agree on. */
#ifndef SPELTER_TESTS_RUN_CASES_ACTIONS_H
#define SPELTER_TESTS_RUN_CASES_ACTIONS_H

#include "jv.h"

/* {"value":{"presets":[...],"actions":{...}}}; the op defaults. */
struct jv run_defaults_case(struct arena *a);

#endif
