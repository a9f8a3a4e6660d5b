/*
 * plan: which destinations, subscriptions and sources of an export go into the config, under which
 * names. Decides; import_segment.c writes.
 */
#ifndef SPELTER_IMPORT_PLAN_H
#define SPELTER_IMPORT_PLAN_H

#include "import_segment.h"

enum { NAME_BYTES_MAX = 48 }; /* of ids that are made up here, before a number makes them unique */

struct planned_subscription {
    const struct segment_item *item;
    struct jv written; /* in the config's form */
};

/* A setting whose value the export does not hold. */
struct planned_secret {
    const char *setting; /* "api_key" */
    const char *what;    /* it is, for people: "the Braze REST API key of" */
    struct str variable; /* "BRAZE_API_KEY" */
};

enum { SECRETS_MAX = 2 };

struct planned_destination {
    const struct segment_item *item;
    enum destination_kind kind;
    bool enabled;
    struct str id;
    struct planned_secret secrets[SECRETS_MAX];
    size_t secret_count;
    struct str app_id;          /* empty: none */
    struct str app_id_variable; /* when it is masked; else empty */
    struct str endpoint;
    size_t source; /* place in plan.sources */
    struct planned_subscription *subscriptions;
    size_t subscription_count;
    size_t subscription_cap;
    size_t seen; /* its subscriptions in the export, also those that are left out */
    struct import_destination made;
};

struct planned_source {
    struct str segment_id;
    struct str id;
    struct str key_variable;
    bool enabled;
};

struct plan {
    struct arena *arena;
    const struct segment_export *export;
    struct planned_destination *destinations;
    size_t destination_count;
    struct planned_source *sources;
    size_t source_count;
    struct str *notes;
    size_t note_count;
    size_t note_cap;
    bool failed; /* the arena was full */
};

/* arena and export are the caller's to fill, all else zero. Everything lives in the arena. -EINVAL,
 * -ENOMEM. */
int plan_make(struct plan *plan, struct err *err) __attribute__((warn_unused_result));

void plan_note(struct plan *plan, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A text from a file, cut and quoted so that any terminal and any comment can take it. */
struct str plan_quoted(struct plan *plan, struct str text);

#endif
