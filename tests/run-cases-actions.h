/*
 * run-cases-actions: what the files of the ops action, batch, event and defaults agree on.
 *
 *     a case --> runners, one an action that it asks for --case_run--> requests, results or a
 * failure in the outcome
 */
#ifndef SPELTER_TESTS_RUN_CASES_ACTIONS_H
#define SPELTER_TESTS_RUN_CASES_ACTIONS_H

#include "fql.h"
#include "mapping.h"
#include "run-cases-response.h"
#include "run-cases.h"

/* One action with its mapping, compiled. */
struct runner {
    struct mapping *mapping;
    struct schema *schema;
    struct fql *fql; /* op event */
    struct call call;
    struct jv raw_mapping;
    struct jv settings;
    bool is_unknown;      /* no such action */
    bool is_cohorts;      /* the one action of the other destination */
    bool has_illegal_key; /* no header carries it; a config with such a key is refused */
};

struct runners {
    struct arena memory; /* the mappings of this case */
    struct case_response response;
    struct runner *each;
    size_t count;
};

struct list {
    struct jv *items; /* in the case's arena */
    uint32_t count;
    uint32_t room;
};

/* Where the reference was when a failure was thrown; it runs several subscriptions at once. */
enum stage {
    STAGE_SUBSCRIPTION, /* reading the line and matching */
    STAGE_ENTRY,        /* before the action is looked at */
    STAGE_PAYLOAD,      /* mapping, validation */
    STAGE_ACTION,       /* its own code */
    STAGE_ANSWER,       /* after a request */
};

/* What came of a case. */
struct outcome_of_case {
    struct arena *arena;
    struct jv test;
    struct jv input;
    bool is_cohorts; /* the destination is Braze Cohorts */
    const struct runners *runners;
    struct buf *outgoing; /* as in case_slot */
    struct list requests;
    struct list results;
    struct failure failure;
    enum stage stage; /* of the failure */
};

/* Kept in the slot. */
struct runners *case_new_runners(struct outcome_of_case *o, struct case_slot *slot, size_t count);

void case_open_runner(struct runner *r, struct str action, struct jv mapping, struct jv settings,
                      bool is_cohorts, enum form form);

/* Runs the action on one event, or on an array of them. */
void case_run(struct outcome_of_case *o, struct runner *r, struct jv input, bool is_batch);

/* {"data","output"} among the results. */
void case_note_result(struct outcome_of_case *o, const char *output, struct jv data);

void case_append(struct outcome_of_case *o, struct list *list, struct jv item);
struct jv case_array(const struct list *list);
struct str case_text(struct outcome_of_case *o, struct jv v); /* String(v) */

/* o->failure is the reference's TypeError for reading a member of null or undefined. */
void case_type_error(struct outcome_of_case *o, struct jv of, struct str key, enum stage stage);

/* {"status":400,...}: what the reference answers for an event that gets nowhere. */
struct jv case_invalid_node(struct arena *a, struct str why);

/* The op event (run-cases-event.c). */
void run_event_case(struct outcome_of_case *o, struct case_slot *slot);

/* {"value":{"presets":[...],"actions":{...}}}; the op defaults. */
struct jv run_defaults_case(struct arena *a);

#endif
