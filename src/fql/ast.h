/*
 * ast: what a subscription means, condition by condition. Private to this room.
 */
#ifndef SPELTER_FQL_AST_H
#define SPELTER_FQL_AST_H

#include "arena.h"
#include "err.h"
#include "jv.h"
#include "lexer.h"
#include "path.h"

enum node_kind {
    NODE_NOTHING, /* an empty group: evaluating it throws in the reference */
    NODE_CONDITION,
    NODE_GROUP,
};

enum subject {
    SUBJECT_TYPE,
    SUBJECT_EVENT,
    SUBJECT_NAME,
    SUBJECT_USER_ID,
    SUBJECT_PROPERTIES,
    SUBJECT_TRAITS,
    SUBJECT_CONTEXT,
};

enum relation {
    RELATION_UNKNOWN, /* never true */
    RELATION_EQUALS,
    RELATION_NOT_EQUALS,
    RELATION_NUMBER_EQUALS,
    RELATION_NUMBER_NOT_EQUALS,
    RELATION_LESS,
    RELATION_LESS_EQUAL,
    RELATION_GREATER,
    RELATION_GREATER_EQUAL,
    RELATION_CONTAINS,
    RELATION_NOT_CONTAINS,
    RELATION_STARTS_WITH,
    RELATION_NOT_STARTS_WITH,
    RELATION_ENDS_WITH,
    RELATION_NOT_ENDS_WITH,
    RELATION_EXISTS,
    RELATION_NOT_EXISTS,
    RELATION_IS_TRUE,
    RELATION_IS_FALSE,
};

struct condition {
    enum subject subject;
    enum relation relation;
    struct str operator_text; /* any token's text can stand where an operator should */
    struct str name;  /* path below properties, traits or context; text of the subscription */
    struct path path; /* the same, compiled */
    bool is_nowhere;  /* the path is empty text: its value is always undefined */
    bool throws;      /* the path has dots but no key: looking it up throws */
    struct jv value;  /* string, number or boolean; undefined for the operators that need none */
    struct str text;  /* String(value) */
    double number;    /* Number(value) */
};

struct node {
    enum node_kind kind;
    bool is_or;
    uint32_t count;
    struct node *children;       /* NODE_GROUP */
    struct condition *condition; /* NODE_CONDITION */
};

/* The root is always a group. -EINVAL with the reference's sentence, -ENOMEM. */
int parser_run(struct node *out, struct arena *a, struct tokens tokens, struct err *err)
    __attribute__((warn_unused_result));

#endif
