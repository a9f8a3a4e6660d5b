#include <errno.h>

#include "liquid.h"
#include "text.h"
#include "token.h"
#include "tree.h"

enum { NESTING_MAX = 100 /* a thousand characters hold no deeper template */ };

struct parser {
    struct compilation *c;
    struct tokens *tokens;
    unsigned depth;
};

typedef void parse_tag(struct parser *p, const struct token *token, struct node *out);

static void parse_token(struct parser *p, const struct token *token, struct node *out);

static struct scanner arguments(const struct parser *p, const struct token *token)
{
    return (struct scanner){p->c, token->args_begin, token->content_end};
}

static bool is_tag(const struct token *token, struct str name)
{
    return token->kind == TOKEN_TAG && str_eq(token->name, name);
}

static void fail_unclosed(struct parser *p, const struct token *token)
{
    scanner_fail_about(p->c, ERROR_PARSE, token->begin, STR("tag "), token_text(p->c, token),
                       STR(" not closed"));
}

/* Parses the token into a new last node of the list. */
static void append_parsed(struct parser *p, struct list *list, const struct token *token)
{
    if (list->count == list->room) {
        uint32_t room = list->room == 0 ? 4 : list->room * 2;
        struct node *items = scanner_alloc(p->c, room * sizeof(*items));
        if (items == NULL)
            return;
        if (list->count > 0)
            memcpy(items, list->items, list->count * sizeof(*items));
        list->items = items;
        list->room = room;
    }
    parse_token(p, token, &list->items[list->count++]);
}

/* Everything up to the tag `end`. */
static void parse_body(struct parser *p, struct list *list, const struct token *opening,
                       struct str end)
{
    for (const struct token *t; p->c->rc == 0 && (t = token_shift(p->tokens)) != NULL;) {
        if (is_tag(t, end))
            return;
        append_parsed(p, list, t);
    }
    fail_unclosed(p, opening);
}

static void parse_assign(struct parser *p, const struct token *token, struct node *out)
{
    struct scanner s = arguments(p, token);
    out->kind = NODE_ASSIGN;
    out->text = scanner_read_identifier(&s);
    if (out->text.len == 0)
        scanner_fail(p->c, ERROR_TOKENIZE, s.p, "expected variable name");
    scanner_skip_blank(&s);
    if (scanner_peek(&s, 0) != '=')
        scanner_fail(p->c, ERROR_TOKENIZE, s.p, "expected \"=\"");
    s.p++;
    out->value = expression_read(&s);
}

static void parse_capture(struct parser *p, const struct token *token, struct node *out)
{
    struct scanner s = arguments(p, token);
    out->kind = NODE_CAPTURE;
    out->text = scanner_read_identifier(&s);
    if (out->text.len == 0 && scanner_is_quote(&s)) {
        struct operand quoted = expression_read_operand(&s);
        out->text = jv_str(quoted.literal);
    } else if (out->text.len == 0) {
        scanner_fail(p->c, ERROR_TOKENIZE, s.p, "invalid capture name");
    }
    parse_body(p, &out->body, token, STR("endcapture"));
}

static void parse_comment(struct parser *p, const struct token *token, struct node *out)
{
    out->kind = NODE_TEXT;
    for (const struct token *t; (t = token_shift(p->tokens)) != NULL;)
        if (is_tag(t, STR("endcomment")))
            return;
    fail_unclosed(p, token);
}

static void parse_raw(struct parser *p, const struct token *token, struct node *out)
{
    out->kind = NODE_TEXT;
    size_t begin = token->end;
    for (const struct token *t; (t = token_shift(p->tokens)) != NULL;) {
        if (is_tag(t, STR("endraw"))) {
            out->text = str_slice(p->c->input, begin, t->begin);
            return;
        }
    }
    fail_unclosed(p, token);
}

/* Every line of the comment's text must begin with '#'. */
static void parse_inline_comment(struct parser *p, const struct token *token, struct node *out)
{
    struct str text = str_slice(p->c->input, token->args_begin, token->content_end);
    out->kind = NODE_TEXT;
    for (size_t i = str_find(text, '\n'); i < text.len;) {
        size_t at = i + 1;
        for (size_t bytes; (bytes = text_space_bytes(text, at)) > 0;)
            at += bytes;
        if (at < text.len && text.ptr[at] != '#')
            scanner_fail(p->c, ERROR_PARSE, token->begin,
                         "every line of an inline comment must start with a '#' character");
        i = at + str_find(str_slice(text, at, text.len), '\n');
    }
}

static void parse_counter(struct parser *p, const struct token *token, struct node *out)
{
    struct scanner s = arguments(p, token);
    out->kind = str_eq(token->name, STR("increment")) ? NODE_INCREMENT : NODE_DECREMENT;
    out->text = scanner_read_identifier(&s);
}

static void parse_cycle(struct parser *p, const struct token *token, struct node *out)
{
    struct scanner s = arguments(p, token);
    out->kind = NODE_CYCLE;
    out->candidates = scanner_alloc(p->c, (s.end - s.p + 2) * sizeof(*out->candidates));
    struct operand first = expression_read_operand(&s);
    if (p->c->rc != 0)
        return;
    scanner_skip_blank(&s);
    if (first.kind != OPERAND_NOTHING && scanner_peek(&s, 0) == ':') {
        out->group = first;
        s.p++;
    } else if (first.kind != OPERAND_NOTHING) {
        out->candidates[out->candidates_count++] = first;
    }
    while (p->c->rc == 0 && !scanner_at_end(&s)) {
        struct operand next = expression_read_operand(&s);
        if (next.kind != OPERAND_NOTHING)
            out->candidates[out->candidates_count++] = next;
        (void)scanner_read_to(&s, STR(","));
    }
    if (out->candidates_count == 0)
        scanner_fail_about(p->c, ERROR_TOKENIZE, s.p, STR("empty candidates: \""),
                           token_text(p->c, token), STR("\""));
}

static void parse_stop(struct parser *p, const struct token *token, struct node *out)
{
    (void)p;
    (void)token;
    out->kind = NODE_STOP;
}

static void parse_echo(struct parser *p, const struct token *token, struct node *out)
{
    struct scanner s = arguments(p, token);
    out->kind = NODE_TEXT;
    scanner_skip_blank(&s);
    if (scanner_at_end(&s))
        return;
    out->kind = NODE_OUTPUT;
    out->value = expression_read(&s);
}

static void parse_block(struct parser *p, const struct token *token, struct node *out)
{
    out->kind = NODE_BLOCK;
    parse_body(p, &out->body, token, STR("endblock"));
}

static void parse_lines(struct parser *p, const struct token *token, struct node *out)
{
    struct tokens lines = token_read_lines(p->c, arguments(p, token));
    struct parser inner = {p->c, &lines, p->depth};
    out->kind = NODE_LIST;
    for (const struct token *t; p->c->rc == 0 && (t = token_shift(&lines)) != NULL;)
        append_parsed(&inner, &out->body, t);
}

static struct branch *add_branch(struct parser *p, struct node *node, const struct token *token)
{
    struct branch *branch = scanner_alloc(p->c, sizeof(*branch));
    struct scanner s = arguments(p, token);
    struct branch **last = &node->branches;
    if (branch == NULL)
        return NULL;
    while (*last != NULL)
        last = &(*last)->next;
    *last = branch;
    branch->value = expression_read(&s);
    return branch;
}

static bool refuse_arguments(struct parser *p, const struct token *opening,
                             const struct token *token)
{
    struct scanner s = arguments(p, token);
    struct buf quoted;
    if (s.p >= s.end)
        return false;
    buf_init_arena(&quoted, p->c->arena, 8 * LIQUID_UNITS_MAX);
    jv_write_string(&quoted, scanner_rest(&s));
    scanner_fail(p->c, ERROR_PARSE, opening->begin, "unexpected %.*s", STR_ARG(buf_str(&quoted)));
    return true;
}

static void parse_if(struct parser *p, const struct token *token, struct node *out)
{
    bool has_else = false;
    out->kind = NODE_IF;
    struct branch *branch = add_branch(p, out, token);
    for (const struct token *t; p->c->rc == 0 && (t = token_shift(p->tokens)) != NULL;) {
        if (is_tag(t, STR("elsif"))) {
            if (has_else)
                scanner_fail(p->c, ERROR_PARSE, token->begin, "unexpected elsif after else");
            branch = add_branch(p, out, t);
        } else if (is_tag(t, STR("else"))) {
            if (!refuse_arguments(p, token, t) && has_else)
                scanner_fail(p->c, ERROR_PARSE, token->begin, "duplicated else");
            has_else = true;
        } else if (is_tag(t, STR("endif"))) {
            (void)refuse_arguments(p, token, t);
            return;
        } else {
            append_parsed(p, has_else || branch == NULL ? &out->body : &branch->body, t);
        }
    }
    fail_unclosed(p, token);
}

/* The first condition is negated. What follows a second else, or an elsif behind one, is read and
 * dropped. */
static void parse_unless(struct parser *p, const struct token *token, struct node *out)
{
    struct list dropped = {0};
    unsigned elses = 0;
    out->kind = NODE_IF;
    struct branch *branch = add_branch(p, out, token);
    if (branch == NULL)
        return;
    branch->is_negated = true;
    struct list *body = &branch->body;
    for (const struct token *t; p->c->rc == 0 && (t = token_shift(p->tokens)) != NULL;) {
        if (is_tag(t, STR("elsif"))) {
            branch = elses == 0 ? add_branch(p, out, t) : NULL;
            body = branch != NULL ? &branch->body : &dropped;
        } else if (is_tag(t, STR("else"))) {
            body = ++elses == 1 ? &out->body : &dropped;
        } else if (is_tag(t, STR("endunless"))) {
            return;
        } else {
            append_parsed(p, body, t);
        }
    }
    fail_unclosed(p, token);
}

static void parse_disabled(struct parser *p, const struct token *token, struct node *out)
{
    (void)out;
    scanner_fail(p->c, ERROR_PARSE, token->begin, "tag \"%.*s\" is disabled", STR_ARG(token->name));
}

/* clang-format off */
static const struct {
    struct str name;
    parse_tag *parse;
} tags[] = {
    {STR_INIT("assign"),    parse_assign},
    {STR_INIT("if"),        parse_if},
    {STR_INIT("unless"),    parse_unless},
    {STR_INIT("capture"),   parse_capture},
    {STR_INIT("comment"),   parse_comment},
    {STR_INIT("raw"),       parse_raw},
    {STR_INIT("#"),         parse_inline_comment},
    {STR_INIT("increment"), parse_counter},
    {STR_INIT("decrement"), parse_counter},
    {STR_INIT("cycle"),     parse_cycle},
    {STR_INIT("break"),     parse_stop},
    {STR_INIT("continue"),  parse_stop},
    {STR_INIT("echo"),      parse_echo},
    {STR_INIT("block"),     parse_block},
    {STR_INIT("liquid"),    parse_lines},
    {STR_INIT("case"),      parse_disabled},
    {STR_INIT("for"),       parse_disabled},
    {STR_INIT("include"),   parse_disabled},
    {STR_INIT("layout"),    parse_disabled},
    {STR_INIT("render"),    parse_disabled},
    {STR_INIT("tablerow"),  parse_disabled},
};
/* clang-format on */

static void parse_named(struct parser *p, const struct token *token, struct node *out)
{
    for (size_t i = 0; i < countof(tags); i++) {
        if (str_eq(tags[i].name, token->name)) {
            tags[i].parse(p, token, out);
            return;
        }
    }
    scanner_fail(p->c, ERROR_PARSE, token->begin, "tag \"%.*s\" not found", STR_ARG(token->name));
}

static void parse_token(struct parser *p, const struct token *token, struct node *out)
{
    struct scanner content = {p->c, token->content_begin, token->content_end};
    struct node node = {.at = token->begin};
    if (p->depth == NESTING_MAX) {
        scanner_fail(p->c, ERROR_PARSE, token->begin, "tags nested deeper than %d levels",
                     NESTING_MAX);
        return;
    }
    p->depth++;
    switch (token->kind) {
    case TOKEN_HTML:
        node.kind = NODE_TEXT;
        node.text = str_slice(p->c->input, token->content_begin, token->content_end);
        break;
    case TOKEN_OUTPUT:
        node.kind = NODE_OUTPUT;
        node.value = expression_read(&content);
        break;
    case TOKEN_TAG:
        parse_named(p, token, &node);
        break;
    }
    p->depth--;
    *out = node;
}

int liquid_compile(const struct liquid **out, struct arena *a, struct str text,
                   struct liquid_error *error)
{
    struct compilation c = {.arena = a, .input = text, .error = error};
    struct tokens tokens = token_read_all(&c);
    struct parser p = {.c = &c, .tokens = &tokens};
    struct liquid *l = scanner_alloc(&c, sizeof(*l));
    *out = l;
    if (l == NULL)
        return c.rc;
    l->input = text;
    for (const struct token *t; c.rc == 0 && (t = token_shift(&tokens)) != NULL;)
        append_parsed(&p, &l->body, t);
    return c.rc;
}
