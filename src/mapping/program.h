/*
 * program: a compiled mapping, a tree of nodes. Private to this room.
 *
 *     source (JSON) --validate_mapping--> fine --program_compile--> struct scope
 * --program_transform(payload)--> value
 *
 * Each node computes one value from the payload. Nodes, paths and texts live in the mapping's
 * arena.
 */
#ifndef SPELTER_MAPPING_PROGRAM_H
#define SPELTER_MAPPING_PROGRAM_H

#include <stdarg.h>

#include "liquid.h"
#include "lookups.h"
#include "mapping.h"
#include "path.h"
#include "template.h"

enum op {
    OP_CONSTANT,
    OP_OBJECT,
    OP_ARRAY,
    OP_PATH,          /* compiled */
    OP_PATH_TEXT,     /* its text is computed */
    OP_TEMPLATE,      /* compiled */
    OP_TEMPLATE_TEXT, /* its text is computed */
    OP_IF,
    OP_CASE,
    OP_REPLACE,
    OP_ARRAY_PATH,
    OP_JSON,
    OP_FLATTEN,
    OP_MERGE,
    OP_TRANSFORM,
    OP_EXCLUDE_NULL,
    OP_LIQUID,
    OP_THROW, /* a faulty directive where validation does not look: it fails when it is reached */
    OP_COUNT,
};

struct node {
    enum op op;
    union {
        struct jv constant;
        struct place place;
        struct template template;
        const struct node *argument; /* OP_PATH_TEXT, OP_TEMPLATE_TEXT, OP_EXCLUDE_NULL */
        const struct object_node *object;
        const struct array_node *array;
        const struct if_node *branch;
        const struct case_node *fold;
        const struct replace_node *replace;
        const struct array_path_node *array_path;
        const struct json_node *json;
        const struct flatten_node *flatten;
        const struct merge_node *merge;
        const struct transform_node *transform;
        const struct liquid *liquid;
        const struct thrown *thrown;
    };
};

/* A program with the paths that it reads from its payload: the whole mapping, or a part of it that
 * sees another payload. */
struct scope {
    struct node node;
    struct lookups lookups;
};

struct member_node {
    struct str key;
    bool is_hidden; /* "__proto__": JavaScript's assignment sets the prototype, no member appears */
    struct node value;
};

struct object_node {
    uint32_t count;
    bool is_final; /* nothing reads it but the result: undefined members need not be there */
    struct member_node members[];
};

struct array_node {
    uint32_t count;
    struct node items[];
};

enum condition { CONDITION_EXISTS, CONDITION_NOT_BLANK };

struct if_node {
    enum condition condition;
    struct node subject;
    struct node then;
    struct node otherwise;
};

enum fold { FOLD_UNKNOWN, FOLD_LOWER, FOLD_UPPER };

struct case_node {
    enum fold fold;
    struct node value;
};

struct replacement {
    struct str pattern; /* empty: none */
    struct str text;
    size_t pattern_units;
    size_t text_units;
};

struct replace_node {
    struct node value;
    bool is_usable; /* pattern and replacement are strings, the flags booleans; else the result is
                       "" */
    bool is_global;
    bool ignores_case;
    struct replacement first;
    struct replacement second;
};

struct array_path_node {
    struct node root;
    bool has_shape;
    struct scope shape;
};

enum json_mode { JSON_MODE_UNKNOWN, JSON_MODE_ENCODE, JSON_MODE_DECODE };

struct json_node {
    enum json_mode mode;
    struct node value;
};

struct flatten_node {
    struct node separator;
    struct node value;
    bool omits_arrays;
};

struct merge_node {
    struct node direction;
    struct node objects; /* resolves to an array; or throws */
};

struct transform_node {
    struct scope apply; /* a mapping of its own */
    struct scope mapping;
};

/* Compiles what transform() is given: a whole mapping, its root form included. -EINVAL: *thrown
 * says what the reference says (in `a`); -E2BIG, -ENOMEM: err says. `nodes` counts toward
 * MAPPING_NODES_MAX. */
int program_compile(struct scope *out, struct arena *a, struct jv source, uint32_t *nodes,
                    struct thrown *thrown, struct err *err) __attribute__((warn_unused_result));

/* Fills *thrown and returns -EINVAL, so that a refusal is one statement; -ENOMEM when the arena is
 * full. */
int program_throw(struct thrown *thrown, struct arena *a, struct str name, const char *format, ...)
    __attribute__((format(printf, 4, 5), warn_unused_result));

int program_throw_formatted(struct thrown *thrown, struct arena *a, struct str name,
                            const char *format, va_list args)
    __attribute__((format(printf, 4, 0), warn_unused_result));

#define ERROR_PLAIN STR("Error")
#define ERROR_TYPE  STR("TypeError")

/* What the reference calls a value's type in its texts: "object", "null", ... */
const char *program_type_name(struct jv v);

/* A directive: an object with a key that starts with '@' and no others but _metadata. Its first
 * such key; or NULL. */
const struct jv_member *program_directive(struct jv v);

/* Begin it with run_begin. */
struct run {
    struct arena *arena;
    const struct jv *found; /* by the lookups of the scope */
    size_t used_max;        /* of the arena */
    uint32_t steps;
    int rc; /* sticks at the first trouble; values computed after it mean nothing */
    struct thrown thrown;
    const char *limit; /* with -E2BIG: what there was more of than limit_max */
    unsigned limit_max;
};

struct run run_begin(struct arena *a);

/* What transform() does to a payload that it was given: it must be an object, undefined counts as
 * {}. */
struct jv program_transform(struct run *r, const struct scope *scope, struct jv payload);

/* One element of transformBatch: any payload will do. */
struct jv program_element(struct run *r, const struct scope *scope, struct jv payload);

/* Ends the run with an error of the reference's. Returns undefined. */
struct jv run_throw(struct run *r, struct str name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Ends the run for want of memory. */
struct jv run_out_of_memory(struct run *r);
/* A text made in the run's arena as a value; a failed one ends the run. */
struct jv run_text(struct run *r, const struct buf *text);

#endif
