/*
 * expression: values of a template: literals, look-ups, comparisons
 * and filters. Private to this room.
 */
#ifndef SPELTER_LIQUID_EXPRESSION_H
#define SPELTER_LIQUID_EXPRESSION_H

#include "scanner.h"

/* The words nil, empty and blank compare in their own way. They are ordinary values (null, "", "")
 * with a pointer that no other value has. */
extern const char expression_nil[];
extern const char expression_empty[];
extern const char expression_blank[];
static inline bool expression_is_special(struct jv v)
{
    return (v.type == JV_NULL || v.type == JV_STRING) && v.len == 0 && v.ptr != NULL &&
           (v.ptr == expression_nil || v.ptr == expression_empty || v.ptr == expression_blank);
}

enum operand_kind { OPERAND_NOTHING, OPERAND_LITERAL, OPERAND_ACCESS, OPERAND_RANGE };

struct operand {
    enum operand_kind kind;
    struct jv literal;
    size_t begin; /* its text, which a named argument has as its name */
    size_t end;
    const struct operand *root;  /* OPERAND_ACCESS: what is looked into; NULL: the scopes */
    const struct operand *parts; /* OPERAND_ACCESS: keys; OPERAND_RANGE: first and last */
    uint32_t parts_count;
};

enum operation {
    OPERATION_NONE, /* an operand */
    OPERATION_EQUAL,
    OPERATION_NOT_EQUAL,
    OPERATION_GREATER,
    OPERATION_LESS,
    OPERATION_GREATER_EQUAL,
    OPERATION_LESS_EQUAL,
    OPERATION_CONTAINS,
    OPERATION_NOT,
    OPERATION_AND,
    OPERATION_OR,
};

struct term {
    enum operation operation;
    struct operand operand;
};

struct argument {
    struct str name; /* empty: by position */
    bool is_named;
    struct operand operand;
};

struct filter_call {
    const struct filter *filter; /* NULL: unknown, changes nothing */
    struct argument *arguments;
    uint32_t count;
};

struct value {
    struct term *terms; /* postfix */
    uint32_t terms_count;
    struct filter_call *calls;
    uint32_t calls_count;
};

/* What a scanner reads; failures are in its compilation. */
struct value expression_read(struct scanner *s);
struct operand expression_read_operand(struct scanner *s);
struct operand expression_read_scope_operand(struct scanner *s); /* names and keys only */

#endif
