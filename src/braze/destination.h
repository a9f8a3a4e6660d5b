/*
 * destination: one Braze destination, compiled. Events in, intents
 * out; it knows nothing of sockets.
 *
 *     config --destination_compile--> destination --destination_map(event)--> intents, each tied to
 * its subscription
 *
 * Compiled once at load: subscription text to predicate, mapping JSON to a small program, field
 * tables to validators. destination_map allocates only in the caller's arena. A compiled
 * destination is immutable: any thread may map with it, each with its own arena.
 */
#ifndef SPELTER_BRAZE_DESTINATION_H
#define SPELTER_BRAZE_DESTINATION_H

#include "arena.h"
#include "err.h"
#include "jv.h"

struct destination;

enum parity {
    PARITY_SAFE,   /* better than the reference where docs/parity.md says so */
    PARITY_STRICT, /* the reference's behaviour, even where it is a bug */
};

/* What stands at the other end. */
enum braze_kind {
    BRAZE_CLOUD,   /* Braze Cloud Mode (Actions) */
    BRAZE_COHORTS, /* Braze Cohorts: members of audiences */
};

struct destination_config {
    enum braze_kind kind;
    struct jv settings;      /* {api_key, app_id, endpoint}, for cohorts
                                {client_secret, partner_api_key, partner, endpoint} */
    struct jv subscriptions; /* array in Segment's own form, or undefined: the presets */
    enum parity parity;
};

/* Copies what it needs. On refusal err->msg says what is wrong and err->path where, from the
 * destination's own node ("/subscriptions/2/mapping/email/@if"). -EINVAL, -ENOMEM. */
int destination_compile(struct destination **out, const struct destination_config *config,
                        struct err *err) __attribute__((warn_unused_result));
void destination_free(struct destination *d); /* NULL is fine */

/* Which endpoint an intent travels to; its row (family_row) gives
 * method, path, array key, limits. */
enum request_family {
    FAMILY_TRACK_ATTRIBUTES, /* the three share POST /users/track */
    FAMILY_TRACK_EVENTS,
    FAMILY_TRACK_PURCHASES,
    FAMILY_ALIAS_NEW,
    FAMILY_IDENTIFY,
    FAMILY_DELETE,
    FAMILY_CATALOG_ITEM,
    FAMILY_CATALOG_DELETE,
    FAMILY_CAMPAIGN_TRIGGER,
    FAMILY_CANVAS_TRIGGER,
    FAMILY_COHORT,          /* makes or renames one */
    FAMILY_COHORT_ADD_USER, /* from here on: an id that enters or leaves a cohort */
    FAMILY_COHORT_ADD_DEVICE,
    FAMILY_COHORT_ADD_ALIAS,
    FAMILY_COHORT_REMOVE_USER,
    FAMILY_COHORT_REMOVE_DEVICE,
    FAMILY_COHORT_REMOVE_ALIAS,
};

/* Hash of one identifier of a user. Intents that share a key must reach Braze in order. */
struct user_key {
    uint64_t hash;
};

enum { INTENT_USER_KEYS_MAX = 4 };

/* The cohort that an id enters or leaves. Braze must know it by its name before it hears of its
 * members. */
struct cohort {
    struct user_key key; /* of its id: its members' changes reach Braze in order */
    uint64_t name;       /* hash: another one means that the cohort is to be renamed */
    struct str id;       /* JSON member, "cohort_id":"..." */
    struct str body;     /* JSON of FAMILY_COHORT, {"name","cohort_id","created_at"} */
};

/* One thing to tell Braze. Lives in the arena given to destination_map. */
struct intent {
    enum request_family family;
    uint32_t subscription; /* index in the config */
    struct jv
        object; /* the element of the family's array, or the whole body when the family has none */
    struct str path; /* families whose path depends on the object (catalogs); else empty */
    const struct cohort *cohort; /* of families from FAMILY_COHORT_ADD_USER on; else NULL */
    struct user_key users[INTENT_USER_KEYS_MAX];
    uint8_t user_count; /* 0: belongs to no user, no order needed */
};

/* Why a subscription of this event came to nothing. */
enum outcome_kind {
    OUTCOME_SENT,           /* at least one intent */
    OUTCOME_NOT_SUBSCRIBED, /* the predicate said no */
    OUTCOME_NOTHING_TO_DO,  /* e.g. an order without products */
    OUTCOME_INVALID,        /* refused by validation: a dead letter */
};

struct outcome {
    enum outcome_kind kind;
    uint32_t subscription;
    const char *code; /* "PAYLOAD_VALIDATION_FAILED", ...; static */
    struct str text;  /* the reference's own error sentence; in the arena */
};

struct mapped {
    struct intent *intents;
    size_t intent_count;
    struct outcome *outcomes; /* one for each enabled subscription, in order */
    size_t outcome_count;
};

/* -ENOMEM when the arena is full; every other trouble is an outcome. In PARITY_STRICT numbers that
 * the event kept exact are rounded as JavaScript rounds them. */
int destination_map(const struct destination *d, struct jv event, struct arena *a,
                    struct mapped *out) __attribute__((warn_unused_result));

/* What Segment's user deletion comes to: one FAMILY_DELETE intent, or OUTCOME_INVALID without a
 * userId (strict parity sends null, as the reference does). */
int destination_map_delete(const struct destination *d, struct jv event, struct arena *a,
                           struct mapped *out) __attribute__((warn_unused_result));

/* What would be sent for the event, one request a subscription as the reference makes them, for
 * people to look at:
 * {"requests":[{"method","url","headers","json"}],"skipped":[{"subscription","action","reason"}],
 *  "errors":[{"subscription","action","code","message"}]}. The Authorization header is the real
 * one. -ENOMEM. */
int destination_preview(const struct destination *d, struct jv event, struct arena *a,
                        struct jv *out) __attribute__((warn_unused_result));

/* Names for messages and metrics. */
size_t destination_subscription_count(const struct destination *d);
struct str destination_subscription_name(const struct destination *d, size_t subscription);
struct str destination_subscription_action(const struct destination *d, size_t subscription);

/* What a courier needs to make requests; all live as long as the destination. */
struct str destination_endpoint(const struct destination *d); /* without a trailing slash */
struct str destination_api_key(const struct destination *d);  /* empty: the keys are in the body */

/* JSON members that every body begins with: the account's keys. Empty when they are in a header. */
struct str destination_body_keys(const struct destination *d);

/* May objects that share a user key travel in one request? */
enum company {
    COMPANY_NEVER,   /* the first is confirmed before the next leaves */
    COMPANY_ORDERED, /* yes: Braze goes through them in order */
    COMPANY_ONCE,    /* yes, as long as none of them is there already */
};

struct family_row {
    const char *method;
    const char *path;      /* after the endpoint; NULL: the intent's own */
    const char *array_key; /* "attributes"; NULL: the object is the whole body */
    unsigned objects_max;  /* of one request */
    enum company company;
};
const struct family_row *family_row(enum request_family family);

#endif
