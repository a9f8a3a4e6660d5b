/*
 * action: what all of Braze's actions have in common. One mapped and
 * validated payload in, Braze objects out.
 *
 *     record --build--> objects of one family        (or a refusal, or nothing to do)
 *
 * The rows of actions[] say everything that differs as data; build makes the objects. Whoever
 * calls decides how objects travel: alone (request.h), as one of the reference's batches
 * (invoke.h), or packed with others (destination.h). docs/spec/segment-actions.md §2. Pure
 * functions: any thread, each with its own arena.
 */
#ifndef SPELTER_BRAZE_ACTION_H
#define SPELTER_BRAZE_ACTION_H

#include "destination.h"
#include "schema.h"

enum sync_mode {
    SYNC_NONE, /* none given, or a word that is no mode */
    SYNC_ADD,
    SYNC_UPDATE,
    SYNC_UPSERT,
    SYNC_DELETE,
    SYNC_MIRROR,
};

#define SYNC_BIT(mode) (1u << (mode))

/* What payloads are built for. */
enum form {
    FORM_SINGLE, /* one request a payload, as the reference's perform */
    FORM_BATCH,  /* objects of many payloads in one request, as its performBatch */
    FORM_INTENT, /* objects for delivery to pack: single's rules, batch's shape */
};

struct action;

/* What stays the same for all payloads of one subscription. */
struct call {
    const struct action *action;
    const struct schema *schema;
    struct jv app_id; /* of the settings; undefined when there is none */
    enum sync_mode sync_mode;
    struct jv catalog_name; /* what the mapping's hook saved */
    enum parity parity;
    enum form form;
};

/* What the reference throws. */
struct failure {
    const char *name; /* its class; NULL: nothing failed */
    struct jv code;   /* undefined when there is none */
    int status;       /* 0: none */
    struct str message;
};

/* Who an object is about. A member that is not sent is undefined. */
struct identity {
    struct jv external_id;
    struct jv user_alias;
    struct jv braze_id;
    struct jv email;
    struct jv phone;
};

/* What one payload came to; in the arena. */
struct built {
    struct jv *objects;
    uint32_t count;                              /* 0 without a failure: nothing to do */
    enum request_family family;                  /* the action's, unless build says otherwise */
    struct identity users[INTENT_USER_KEYS_MAX]; /* whom the objects concern */
    unsigned user_count;
    struct str path;             /* families whose path depends on the object; else empty */
    const struct cohort *cohort; /* cohort families; else NULL */
    struct failure failure;
    bool failure_has_body; /* batch: its node carries the payload */
};

/* 0 or -ENOMEM. */
typedef int action_build(const struct call *call, const struct record *r, struct arena *a,
                         struct built *out);

struct batch;
struct exchange;

struct sync_choice {
    enum sync_mode mode;
    const char *label;
};

struct sync_row {
    const char *label;
    enum sync_mode preset;   /* the reference shows it and never applies it */
    unsigned accepted;       /* SYNC_BITs; 0: the action takes every mode */
    const char *refusal;     /* sentence for other modes, up to where the mode is named */
    const char *refusal_end; /* the rest; NULL: the mode is not named */
    const struct sync_choice *choices;
    size_t choice_count;
};

struct action {
    struct str key;
    const char *title;
    const char *subscribe; /* default subscription, or NULL */
    const struct field *fields;
    size_t field_count;
    uint64_t absent;             /* rows of the table that this action has not */
    const struct sync_row *sync; /* NULL: no sync mode */
    enum request_family family;
    action_build *build;
    /* After the response of a single request: makes the result or the failure. NULL: as most do. */
    int (*settle)(const struct call *call, struct exchange *x);
    /* The batch form; NULL: not supported. */
    int (*batch_request)(struct batch *b);
    int (*batch_settle)(struct batch *b);
};

extern const struct action actions[]; /* of Braze Cloud Mode (Actions) */
extern const size_t action_count;

/* One of them, NULL when there is none. */
const struct action *action_find(struct str key);

/* The actions that a destination of this kind has. */
struct action_list {
    const struct action *rows;
    size_t count;
};
struct action_list action_list(enum braze_kind kind);
const struct action *action_list_find(struct action_list list, struct str key); /* NULL: none */

struct str sync_mode_name(enum sync_mode mode); /* "undefined" for SYNC_NONE */
enum sync_mode sync_mode_of(struct jv word);

/* Fills out->failure when the action does not take the call's mode; -ENOMEM. */
int action_check_sync(const struct call *call, struct arena *a, struct failure *out);

/* The track family's refusal of a payload that names nobody; always 0. */
int action_refuse_anonymous(struct built *out);

/* _update_existing_only: of the sync mode where the action has one, else the mapped value. */
struct jv action_update_only(const struct call *call, struct jv mapped);

/* Text of a JV value, for messages and paths, as JavaScript's template strings do. */
struct str text_of(struct arena *a, struct jv v);

/* A put that leaves undefined out. */
static inline void put(struct jv_builder *b, struct str key, struct jv value)
{
    if (value.type != JV_UNDEFINED)
        jv_object_put(b, key, value);
}

#endif
