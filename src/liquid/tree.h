/*
 * tree: a parsed Liquid template, a list of nodes. Private to this room.
 */
#ifndef SPELTER_LIQUID_TREE_H
#define SPELTER_LIQUID_TREE_H

#include "expression.h"

enum node_kind {
    NODE_TEXT,
    NODE_OUTPUT,
    NODE_ASSIGN,
    NODE_CAPTURE,
    NODE_IF,
    NODE_CYCLE,
    NODE_INCREMENT,
    NODE_DECREMENT,
    NODE_STOP, /* break, continue: without loops both end the rendering */
    NODE_BLOCK,
    NODE_LIST, /* the lines of a liquid tag */
};

struct list {
    struct node *items;
    uint32_t count;
    uint32_t room;
};

struct branch {
    struct value value;
    bool is_negated; /* the first of unless */
    struct list body;
    struct branch *next;
};

struct node {
    enum node_kind kind;
    size_t at; /* its token's first byte, for errors */
    struct str
        text; /* NODE_TEXT; the name of NODE_ASSIGN, NODE_CAPTURE, NODE_INCREMENT, NODE_DECREMENT */
    struct value value;      /* NODE_OUTPUT, NODE_ASSIGN */
    struct branch *branches; /* NODE_IF */
    struct list body;        /* NODE_CAPTURE, NODE_BLOCK, NODE_LIST; what NODE_IF does otherwise */
    struct operand group;    /* NODE_CYCLE */
    struct operand *candidates;
    uint32_t candidates_count;
};

struct liquid {
    struct str input;
    struct list body;
};

#endif
