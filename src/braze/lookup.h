/*
 * lookup: what a mapping editor asks Braze: the choices of dynamic fields, and the catalog behind
 * upsertCatalogItem (docs/spec/segment-actions.md §2.11, §2.15).
 *
 *     lookup_open --> request --response--> lookup_take --> request ... --> result
 *
 * A result is the reference's own JSON:
 * {"choices":[{"label","value"}],"error"?:{"message","code"}}. Pure; everything
 * lives in the arena given to lookup_open.
 */
#ifndef SPELTER_BRAZE_LOOKUP_H
#define SPELTER_BRAZE_LOOKUP_H

#include "exchange.h"

enum lookup_kind {
    LOOKUP_CATALOGS,      /* the hook's selected_catalog_name */
    LOOKUP_CATALOG_KEYS,  /* upsertCatalogItem's item */
    LOOKUP_CAMPAIGNS,     /* triggerCampaign's campaign_id */
    LOOKUP_CANVASES,      /* triggerCanvas's canvas_id */
    LOOKUP_CATALOG_SAVED, /* the hook itself, when a mapping is saved */
    LOOKUP_UNKNOWN,
};

struct lookup {
    enum lookup_kind kind;
    struct arena *arena;
    struct jv about; /* the catalog whose keys are wanted, or the inputs of the saved hook */
    unsigned page;
    struct jv *choices;
    uint32_t choice_count;
    uint32_t choice_cap;
    bool has_request;
    struct request request; /* the next one to send, when there is one */
    struct jv result;       /* when there is none */
};

/* Which look-up serves a dynamic field of an action. */
enum lookup_kind lookup_of(struct str action, struct str field);

/* Starts one. For LOOKUP_UNKNOWN `about` is the field's name. A look-up that asks nothing has its
 * result at once. The hook's inputs are validated; -EINVAL: *why has the sentences. -ENOMEM. */
int lookup_open(struct lookup *l, enum lookup_kind kind, struct jv about, struct arena *a,
                struct str *why) __attribute__((warn_unused_result));

/* Takes the answer to l->request. Every failure of Braze is in the result. -ENOMEM. */
int lookup_take(struct lookup *l, const struct response *response)
    __attribute__((warn_unused_result));

#endif
