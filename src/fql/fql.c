#include "fql.h"

#include <errno.h>
#include <stdlib.h>

#include "ast.h"

enum {
    /* Tokens and nodes of the longest text, a few dozen bytes each for every byte of it. */
    ARENA_BYTES_MAX = 256 * FQL_BYTES_MAX,
};

struct fql {
    struct arena arena; /* everything below */
    struct node root;
};

int fql_compile(struct fql **out, struct str text, struct err *err)
{
    struct tokens tokens;
    size_t at = 0;
    *out = NULL;
    if (text.len > FQL_BYTES_MAX)
        return err_set(err, -E2BIG, FQL_BYTES_MAX,
                       "a subscription of %zu bytes, expected at most %d", text.len, FQL_BYTES_MAX);
    struct fql *f = calloc(1, sizeof(*f));
    if (f == NULL)
        return err_set(err, -ENOMEM, 0, "no memory for a subscription");
    arena_init(&f->arena, ARENA_BYTES_MAX);

    int rc = -ENOMEM;
    struct str copy = arena_copy(&f->arena, text);
    if (copy.ptr != NULL)
        rc = lexer_run(&tokens, &f->arena, copy, &at);
    if (rc == -EINVAL) /* the reference drops every token and then misses the first */
        err_set(err, rc, at, "Cannot read properties of undefined (reading 'type')");
    if (rc == 0)
        rc = parser_run(&f->root, &f->arena, tokens, err);
    if (rc == -ENOMEM)
        err_set(err, rc, 0, "no memory for a subscription of %zu bytes", text.len);
    if (rc != 0) {
        fql_free(f);
        return rc;
    }
    *out = f;
    return 0;
}

void fql_free(struct fql *f)
{
    if (f == NULL)
        return;
    arena_fini(&f->arena);
    free(f);
}

/* clang-format off */
static const struct {
    struct str member;      /* of the event */
    struct str type;        /* of the node in the tree */
    const char *null_event; /* what the reference throws at an event that is null */
} subjects[] = {
    [SUBJECT_TYPE]       = {STR_INIT("type"),       STR_INIT("event-type"),     "Cannot read properties of null (reading 'type')"},
    [SUBJECT_EVENT]      = {STR_INIT("event"),      STR_INIT("event"),          "Cannot read properties of null (reading 'event')"},
    [SUBJECT_NAME]       = {STR_INIT("name"),       STR_INIT("name"),           "Cannot read properties of null (reading 'name')"},
    [SUBJECT_USER_ID]    = {STR_INIT("userId"),     STR_INIT("userId"),         "Cannot read properties of null (reading 'userId')"},
    [SUBJECT_PROPERTIES] = {STR_INIT("properties"), STR_INIT("event-property"), "Cannot read properties of null (reading 'properties')"},
    [SUBJECT_TRAITS]     = {STR_INIT("traits"),     STR_INIT("event-trait"),    "Cannot read properties of null (reading 'traits')"},
    [SUBJECT_CONTEXT]    = {STR_INIT("context"),    STR_INIT("event-context"),  "Cannot read properties of null (reading 'context')"},
};
/* clang-format on */

static struct jv actual_value(const struct condition *c, struct jv event)
{
    struct jv member = jv_get(event, subjects[c->subject].member);
    if (c->subject < SUBJECT_PROPERTIES)
        return member;
    return c->is_nowhere ? jv_undefined() : path_get(c->path, member);
}

static bool contains(struct str text, struct str part)
{
    return part.len == 0 ||
           (text.len > 0 && memmem(text.ptr, text.len, part.ptr, part.len) != NULL);
}

static bool is_true(const struct condition *c, struct jv actual)
{
    bool is_number = actual.type == JV_NUMBER;
    bool is_string = actual.type == JV_STRING;
    struct str text = is_string ? jv_str(actual) : STR("");
    double number = is_number ? jv_as_double(actual) : 0;
    switch (c->relation) {
    case RELATION_UNKNOWN:
        return false;
    case RELATION_EQUALS:
        return is_string && str_eq(text, c->text);
    case RELATION_NOT_EQUALS:
        return !is_string || !str_eq(text, c->text);
    case RELATION_NUMBER_EQUALS:
        return is_number && number == c->number;
    case RELATION_NUMBER_NOT_EQUALS:
        return is_number && number != c->number;
    case RELATION_LESS:
        return is_number && number < c->number;
    case RELATION_LESS_EQUAL:
        return is_number && number <= c->number;
    case RELATION_GREATER:
        return is_number && number > c->number;
    case RELATION_GREATER_EQUAL:
        return is_number && number >= c->number;
    case RELATION_CONTAINS:
        return is_string && contains(text, c->text);
    case RELATION_NOT_CONTAINS:
        return is_string && !contains(text, c->text);
    case RELATION_STARTS_WITH:
        return is_string && str_starts(text, c->text);
    case RELATION_NOT_STARTS_WITH:
        return is_string && !str_starts(text, c->text);
    case RELATION_ENDS_WITH:
        return is_string && str_ends(text, c->text);
    case RELATION_NOT_ENDS_WITH:
        return is_string && !str_ends(text, c->text);
    case RELATION_EXISTS:
        return !jv_is_nullish(actual);
    case RELATION_NOT_EXISTS:
        return jv_is_nullish(actual);
    case RELATION_IS_TRUE:
        return actual.type == JV_BOOL && actual.boolean;
    case RELATION_IS_FALSE:
        return actual.type == JV_BOOL && !actual.boolean;
    }
    return false;
}

static bool match(const struct node *node, struct jv event, const char **why)
{
    switch (node->kind) {
    case NODE_NOTHING:
        *why = "Cannot read properties of undefined (reading 'type')";
        return false;
    case NODE_CONDITION:
        if (event.type == JV_NULL)
            *why = subjects[node->condition->subject].null_event;
        else if (node->condition->throws)
            *why = "Cannot read properties of null (reading 'reduce')";
        return *why == NULL && is_true(node->condition, actual_value(node->condition, event));
    case NODE_GROUP:
        for (uint32_t i = 0; i < node->count; i++) {
            bool child = match(&node->children[i], event, why);
            if (*why != NULL || child == node->is_or)
                return child;
        }
        return !node->is_or;
    }
    return false;
}

bool fql_match_or_throw(const struct fql *f, struct jv event, const char **why)
{
    *why = NULL;
    if (event.type == JV_UNDEFINED)
        return false;
    return match(&f->root, event, why);
}

bool fql_match(const struct fql *f, struct jv event)
{
    const char *why;
    return fql_match_or_throw(f, event, &why);
}

static struct jv condition_tree(const struct condition *c, struct arena *a)
{
    struct jv_builder b;
    jv_object_begin(&b, a, 4);
    jv_object_put(&b, STR("type"), jv_string(subjects[c->subject].type));
    if (c->subject >= SUBJECT_PROPERTIES)
        jv_object_put(&b, STR("name"), jv_string(c->name));
    jv_object_put(&b, STR("operator"), jv_string(c->operator_text));
    if (c->value.type != JV_UNDEFINED)
        jv_object_put(&b, STR("value"), c->value);
    return jv_object_end(&b);
}

static struct jv tree(const struct node *node, struct arena *a)
{
    struct jv_builder b;
    struct jv *items;
    struct jv children;
    switch (node->kind) {
    case NODE_NOTHING:
        return jv_null(); /* what undefined prints as in an array */
    case NODE_CONDITION:
        return condition_tree(node->condition, a);
    case NODE_GROUP:
        children = jv_array(a, &items, node->count);
        for (uint32_t i = 0; children.type == JV_ARRAY && i < node->count; i++)
            items[i] = tree(&node->children[i], a);
        jv_object_begin(&b, a, 3);
        jv_object_put(&b, STR("type"), jv_string(STR("group")));
        jv_object_put(&b, STR("operator"), jv_string(node->is_or ? STR("or") : STR("and")));
        jv_object_put(&b, STR("children"), children);
        return jv_object_end(&b);
    }
    return jv_undefined();
}

struct jv fql_ast(const struct fql *f, struct arena *a)
{
    return tree(&f->root, a);
}
