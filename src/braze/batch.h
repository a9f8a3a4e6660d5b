/*
 * batch: many payloads, one request, and a result for each, as the reference's performBatch
 * (docs/spec/segment-actions.md §2.0.7, §8.3).
 *
 *     batch_open(payloads) --> request or failure or neither --response--> batch_settle --> nodes,
 * one a payload
 *
 * A node is what the reference reports for an item:
 * {"status":200,"sent":...,"body":...} or an error. Knows nothing of sockets.
 */
#ifndef SPELTER_BRAZE_BATCH_H
#define SPELTER_BRAZE_BATCH_H

#include "exchange.h"

/* One payload of a batch. */
struct batch_item {
    struct exchange exchange; /* its record and objects; its own request is not used */
    struct jv node;           /* undefined while nothing is known */
    bool is_error;
    uint32_t first; /* of its objects among all that are sent */
};

/* When X-Braze-Batch goes along. */
enum batch_header { BATCH_HEADER_NEVER, BATCH_HEADER_FOR_MANY, BATCH_HEADER_ALWAYS };

struct batch {
    const struct call *call;
    struct arena *arena;
    struct batch_item *items;
    size_t count;
    size_t valid_count; /* items that passed the schema */
    struct jv *objects; /* of the request */
    uint32_t object_count;
    bool sends_empty; /* a request also when there are no objects */
    enum batch_header header;
    bool has_request;
    struct request request;
    struct response response;
    struct failure failure; /* thrown: there are no nodes */
};

/* `payloads` are mapped; call->form is FORM_BATCH. `events` are the same events unmapped.
 * Everything lives in the arena. -ENOMEM. */
int batch_open(struct batch *b, const struct call *call, const struct jv *payloads,
               const struct jv *events, size_t count, struct arena *a)
    __attribute__((warn_unused_result));

/* Reads b->response. Also to be called when there was no request. -ENOMEM. */
int batch_settle(struct batch *b) __attribute__((warn_unused_result));

/* The nodes as one array, complete. undefined when the arena is full. */
struct jv batch_nodes(const struct batch *b);

/* For the actions' own halves: */

/* Members of a node; undefined ones are left out. */
struct node_parts {
    int status;
    struct jv error_message;
    struct jv sent;
    struct jv body;
    struct str error_type; /* "": success */
};

/* Where the reference writes the members of its nodes in a different order. */
enum node_order {
    NODE_TYPE_FIRST,    /* status, errortype, errormessage, sent, body */
    NODE_BODY_SECOND,   /* status, errortype, body, errormessage */
    NODE_MESSAGE_FIRST, /* status, errormessage, sent, body, errortype */
};

/* Sets the item's node. -ENOMEM. */
int batch_set_node(struct batch *b, struct batch_item *item, const struct node_parts *parts,
                   enum node_order order);

/* Item of the object at `index` of the request; NULL when there is none. */
struct batch_item *batch_item_of(struct batch *b, struct jv index);

/* The halves of each action: batch_request gives every item that passed the schema its
 * node, and says in sends_empty and header how the request travels; batch_settle
 * changes the nodes to what the response says. */

/* The batch halves of updateUserProfile*, trackEvent* and trackPurchase*. */
int track_batch_request(struct batch *b);
int track_batch_settle(struct batch *b);

#endif
