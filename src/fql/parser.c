#include "ast.h"

#include <errno.h>

#include "text.h"

/* The reference reports every text that it cannot make a node of with this sentence. */
#define NOTHING_THERE "Cannot read properties of undefined (reading 'type')"

/* clang-format off */
static const struct str subject_names[] = {
    [SUBJECT_TYPE]       = STR_INIT("type"),
    [SUBJECT_EVENT]      = STR_INIT("event"),
    [SUBJECT_NAME]       = STR_INIT("name"),
    [SUBJECT_USER_ID]    = STR_INIT("userId"),
    [SUBJECT_PROPERTIES] = STR_INIT("properties"),
    [SUBJECT_TRAITS]     = STR_INIT("traits"),
    [SUBJECT_CONTEXT]    = STR_INIT("context"),
};

static const struct str relation_texts[] = {
    [RELATION_UNKNOWN]           = STR_INIT(""),
    [RELATION_EQUALS]            = STR_INIT("="),
    [RELATION_NOT_EQUALS]        = STR_INIT("!="),
    [RELATION_NUMBER_EQUALS]     = STR_INIT("number_equals"),
    [RELATION_NUMBER_NOT_EQUALS] = STR_INIT("number_not_equals"),
    [RELATION_LESS]              = STR_INIT("<"),
    [RELATION_LESS_EQUAL]        = STR_INIT("<="),
    [RELATION_GREATER]           = STR_INIT(">"),
    [RELATION_GREATER_EQUAL]     = STR_INIT(">="),
    [RELATION_CONTAINS]          = STR_INIT("contains"),
    [RELATION_NOT_CONTAINS]      = STR_INIT("not_contains"),
    [RELATION_STARTS_WITH]       = STR_INIT("starts_with"),
    [RELATION_NOT_STARTS_WITH]   = STR_INIT("not_starts_with"),
    [RELATION_ENDS_WITH]         = STR_INIT("ends_with"),
    [RELATION_NOT_ENDS_WITH]     = STR_INIT("not_ends_with"),
    [RELATION_EXISTS]            = STR_INIT("exists"),
    [RELATION_NOT_EXISTS]        = STR_INIT("not_exists"),
    [RELATION_IS_TRUE]           = STR_INIT("is_true"),
    [RELATION_IS_FALSE]          = STR_INIT("is_false"),
};

/* Names that every JavaScript object has: the reference takes them for subjects, then knows none of them. */
static const struct str inherited_names[] = {
    STR_INIT("constructor"), STR_INIT("__defineGetter__"), STR_INIT("__defineSetter__"),
    STR_INIT("hasOwnProperty"), STR_INIT("__lookupGetter__"), STR_INIT("__lookupSetter__"),
    STR_INIT("isPrototypeOf"), STR_INIT("propertyIsEnumerable"), STR_INIT("toString"),
    STR_INIT("valueOf"), STR_INIT("__proto__"), STR_INIT("toLocaleString"),
};
/* clang-format on */

struct parser {
    struct arena *arena;
    struct err *err;
    const struct token *items;
    uint32_t count;
    uint32_t at;
    struct node *nodes; /* room for one a token */
    uint32_t nodes_count;
    bool is_or;
};

static int parse_group(struct node *out, struct arena *a, const struct token *items, uint32_t count,
                       struct err *err);

static const struct token *shift(struct parser *p)
{
    return p->at < p->count ? &p->items[p->at++] : NULL;
}

/* Where the text went wrong: the last token that was there. */
static size_t place(const struct parser *p)
{
    return p->items[p->at > 0 ? p->at - 1 : 0].at;
}

static int find_name(const struct str *names, size_t count, struct str name)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(names[i], name))
            return (int)i;
    return -1;
}

static struct jv token_value(struct token token)
{
    struct str text = token.text;
    switch (token.kind) {
    case TOKEN_STRING: /* one double quote at each end; single quotes stay */
        if (str_starts(text, STR("\"")))
            text = str_slice(text, 1, text.len);
        if (str_ends(text, STR("\"")))
            text = str_slice(text, 0, text.len - 1);
        return jv_string(text);
    case TOKEN_NUMBER:
        return jv_number(text_to_number(text));
    case TOKEN_IDENT:
        if (str_eq(text, STR("true")) || str_eq(text, STR("false")))
            return jv_bool(text.len == 4);
        return jv_string(text);
    case TOKEN_DOT:
    case TOKEN_OPERATOR:
    case TOKEN_CONDITIONAL:
    case TOKEN_NULL:
    case TOKEN_PUNCTUATION:
    case TOKEN_PAREN_LEFT:
    case TOKEN_PAREN_RIGHT:
    case TOKEN_END:
        return jv_string(text);
    }
    return jv_undefined();
}

/* String(v) in the arena; ptr is NULL when that is full. */
static struct str value_text(struct arena *a, struct jv v)
{
    struct buf out;
    if (v.type == JV_STRING)
        return v.len == 0 ? STR("") : jv_str(v);
    buf_init_arena(&out, a, 64);
    (void)text_append_value(&out, v); /* numbers and booleans never throw */
    return out.failed ? (struct str){NULL, 0} : buf_str(&out);
}

static double value_number(struct jv v)
{
    switch ((enum jv_type)v.type) {
    case JV_NUMBER:
        return v.number;
    case JV_BOOL:
        return v.boolean;
    case JV_STRING:
        return text_to_number(jv_str(v));
    case JV_UNDEFINED:
    case JV_NULL:
    case JV_ARRAY:
    case JV_OBJECT:
        break;
    }
    return 0; /* no operator that needs a number has such a value */
}

/* The path without its subject: "properties.a.b" is "a.b", a bare "properties" keeps its name. */
static struct str path_name(enum subject subject, struct str ident)
{
    struct str head = subject_names[subject];
    bool has_dot = ident.len > head.len && ident.ptr[head.len] == '.';
    return has_dot ? str_slice(ident, head.len + 1, ident.len) : ident;
}

static int push_condition(struct parser *p, enum subject subject, struct str ident,
                          struct str operator_text, struct jv value)
{
    struct condition *c = arena_alloc(p->arena, sizeof(*c));
    if (c == NULL)
        return -ENOMEM;
    int known = find_name(relation_texts, countof(relation_texts), operator_text);
    *c = (struct condition){
        .subject = subject,
        .relation = known < 0 ? RELATION_UNKNOWN : (enum relation)known,
        .operator_text = operator_text,
        .value = value,
        .number = value_number(value),
    };
    c->text = value_text(p->arena, value);
    if (c->text.ptr == NULL)
        return -ENOMEM;
    if (subject >= SUBJECT_PROPERTIES) {
        c->name = path_name(subject, ident);
        c->is_nowhere = c->name.len == 0;
        int rc = c->is_nowhere ? 0 : path_compile(&c->path, p->arena, c->name, PATH_FQL);
        if (rc == -ENOMEM)
            return rc;
        c->throws = rc != 0;
    }
    p->nodes[p->nodes_count++] = (struct node){.kind = NODE_CONDITION, .condition = c};
    return 0;
}

/* subject operator value: whatever the next two tokens are. */
static int parse_comparison(struct parser *p, enum subject subject, struct token ident,
                            struct token op, struct token value)
{
    bool is_equals = str_eq(op.text, STR("="));
    bool is_not_equals = str_eq(op.text, STR("!="));
    bool has_null = subject != SUBJECT_TYPE && subject != SUBJECT_EVENT;
    bool has_booleans = has_null && subject != SUBJECT_NAME;
    bool is_path = subject >= SUBJECT_PROPERTIES;
    enum relation special = RELATION_UNKNOWN;
    struct jv typed = token_value(value);

    if (has_null && (is_equals || is_not_equals) && str_eq(value.text, STR("null")))
        special = is_equals ? RELATION_NOT_EXISTS : RELATION_EXISTS;
    else if (has_booleans && is_equals && str_eq(value.text, STR("true")))
        special = RELATION_IS_TRUE;
    else if (has_booleans && is_equals && str_eq(value.text, STR("false")))
        special = RELATION_IS_FALSE;
    if (special != RELATION_UNKNOWN)
        return push_condition(p, subject, ident.text, relation_texts[special], jv_undefined());

    if (!is_path) {
        struct str text = value_text(p->arena, typed);
        if (text.ptr == NULL)
            return -ENOMEM;
        return push_condition(p, subject, ident.text, op.text, jv_string(text));
    }
    if (value.kind == TOKEN_NUMBER && (is_equals || is_not_equals))
        op.text = relation_texts[is_equals ? RELATION_NUMBER_EQUALS : RELATION_NUMBER_NOT_EQUALS];
    return push_condition(p, subject, ident.text, op.text, typed);
}

/* The subjects of contains() and match(): whole names, or a path's beginning without a dot behind
 * it. */
static int function_subject(struct str name)
{
    for (int s = SUBJECT_EVENT; s <= SUBJECT_CONTEXT; s++) {
        bool is_path = s >= SUBJECT_PROPERTIES;
        if (is_path ? str_starts(name, subject_names[s]) : str_eq(name, subject_names[s]))
            return s;
    }
    return -1;
}

static bool is_function(struct token token)
{
    return token.kind == TOKEN_IDENT &&
           (str_eq(token.text, STR("contains")) || str_eq(token.text, STR("match")));
}

/* function ( subject , value ): the tokens between are skipped unseen. */
static int parse_function(struct parser *p, struct token function, bool is_negated)
{
    (void)shift(p);
    const struct token *name = shift(p);
    if (name == NULL)
        return err_set(p->err, -EINVAL, place(p), "%.*s() is missing a 1st argument",
                       STR_ARG(function.text));
    (void)shift(p);
    const struct token *value = shift(p);
    if (value == NULL)
        return err_set(p->err, -EINVAL, place(p), "%.*s() is missing a 2nd argument",
                       STR_ARG(function.text));
    (void)shift(p);

    int subject = function_subject(name->text);
    if (subject < 0)
        return 0;
    struct str text = value_text(p->arena, token_value(*value));
    if (text.ptr == NULL)
        return -ENOMEM;
    enum relation relation = RELATION_CONTAINS;
    if (str_eq(function.text, STR("match"))) {
        /* The star's side loses one character there, whatever it is. */
        bool is_prefix = str_ends(value->text, STR("*\""));
        size_t units = text_units(text);
        text = is_prefix ? text_slice_units(p->arena, text, 0, units > 0 ? units - 1 : 0)
                         : text_slice_units(p->arena, text, 1, units);
        if (text.ptr == NULL)
            return -ENOMEM;
        relation = is_prefix ? RELATION_STARTS_WITH : RELATION_ENDS_WITH;
    }
    relation = is_negated ? relation + 1 : relation; /* each is followed by its negation */
    return push_condition(p, (enum subject)subject, name->text, relation_texts[relation],
                          jv_string(text));
}

static int parse_ident(struct parser *p, struct token ident)
{
    struct str head = str_slice(ident.text, 0, str_find(ident.text, '.'));
    int subject = find_name(subject_names, countof(subject_names), head);
    bool is_inherited = find_name(inherited_names, countof(inherited_names), head) >= 0;
    if (subject >= 0 || is_inherited) {
        const struct token *op = shift(p);
        if (op == NULL)
            return err_set(p->err, -EINVAL, place(p), "Operator token is missing");
        const struct token *value = shift(p);
        if (value == NULL)
            return err_set(p->err, -EINVAL, place(p), "Value token is missing");
        if (subject >= 0)
            return parse_comparison(p, (enum subject)subject, ident, *op, *value);
    }
    return is_function(ident) ? parse_function(p, ident, false) : 0;
}

/* Everything up to the first closing parenthesis. */
static int parse_parentheses(struct parser *p)
{
    uint32_t close = p->at;
    while (close < p->count && p->items[close].kind != TOKEN_PAREN_RIGHT)
        close++;
    if (close == p->count)
        return err_set(p->err, -EINVAL, place(p), NOTHING_THERE);
    uint32_t count = close - p->at;
    struct token *inner = arena_array(p->arena, count + 1, sizeof(*inner));
    if (inner == NULL)
        return -ENOMEM;
    memcpy(inner, p->items + p->at, count * sizeof(*inner));
    inner[count] = (struct token){TOKEN_END, p->items[close].at, STR("eos")};
    p->at = close + 1;
    return parse_group(&p->nodes[p->nodes_count++], p->arena, inner, count + 1, p->err);
}

static int parse_token(struct parser *p, struct token token)
{
    switch (token.kind) {
    case TOKEN_IDENT:
        return parse_ident(p, token);
    case TOKEN_OPERATOR:
        if (!str_eq(token.text, STR("!")) || p->at == p->count || !is_function(p->items[p->at]))
            return 0;
        return parse_function(p, p->items[p->at++], true);
    case TOKEN_PAREN_LEFT:
        return parse_parentheses(p);
    case TOKEN_CONDITIONAL: /* the last one decides for the whole group */
        p->is_or = str_eq(token.text, STR("or"));
        return 0;
    case TOKEN_DOT:
    case TOKEN_STRING:
    case TOKEN_NUMBER:
    case TOKEN_NULL:
    case TOKEN_PUNCTUATION:
    case TOKEN_PAREN_RIGHT:
    case TOKEN_END:
        return 0;
    }
    return 0;
}

/* Recursion ends at once: inside parentheses there is no closing one left for a second level. */
static int parse_group(struct node *out, struct arena *a, const struct token *items, uint32_t count,
                       struct err *err)
{
    struct parser p = {.arena = a, .err = err, .items = items, .count = count};
    p.nodes = arena_array(a, count, sizeof(*p.nodes));
    if (p.nodes == NULL)
        return -ENOMEM;
    for (const struct token *t; (t = shift(&p)) != NULL && t->kind != TOKEN_END;) {
        int rc = parse_token(&p, *t);
        if (rc != 0)
            return rc;
    }
    if (p.nodes_count == 1)
        *out = p.nodes[0];
    else if (p.nodes_count == 0)
        *out = (struct node){.kind = NODE_NOTHING};
    else
        *out = (struct node){
            .kind = NODE_GROUP, .is_or = p.is_or, .count = p.nodes_count, .children = p.nodes};
    return 0;
}

int parser_run(struct node *out, struct arena *a, struct tokens tokens, struct err *err)
{
    struct node root;
    int rc = parse_group(&root, a, tokens.items, tokens.count, err);
    if (rc != 0)
        return rc;
    if (root.kind == NODE_NOTHING)
        return err_set(err, -EINVAL, tokens.items[tokens.count - 1].at, NOTHING_THERE);
    *out = root;
    if (root.kind == NODE_GROUP)
        return 0;
    struct node *children = arena_alloc(a, sizeof(*children));
    if (children == NULL)
        return -ENOMEM;
    children[0] = root;
    *out = (struct node){.kind = NODE_GROUP, .count = 1, .children = children};
    return 0;
}
