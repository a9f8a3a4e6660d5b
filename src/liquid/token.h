/*
 * token: a template cut into plain text, tags and outputs. Private to this room.
 */
#ifndef SPELTER_LIQUID_TOKEN_H
#define SPELTER_LIQUID_TOKEN_H

#include "scanner.h"

enum token_kind { TOKEN_HTML, TOKEN_TAG, TOKEN_OUTPUT };

struct token {
    enum token_kind kind;
    size_t begin;
    size_t end;
    size_t content_begin; /* inside the delimiters; for TOKEN_HTML what is left after trimming */
    size_t content_end;
    bool trims_left;
    bool trims_right;
    struct str name;   /* TOKEN_TAG */
    size_t args_begin; /* TOKEN_TAG: behind the name and white space; ends at content_end */
};

struct tokens {
    struct token *items; /* in the arena */
    uint32_t count;
    uint32_t at; /* the next one to be taken */
};

/* The whole template. What goes wrong is in *c. */
struct tokens token_read_all(struct compilation *c);

/* The lines of a `liquid` tag, each a tag without delimiters. */
struct tokens token_read_lines(struct compilation *c, struct scanner lines);

static inline struct token *token_shift(struct tokens *t)
{
    return t->at < t->count ? &t->items[t->at++] : NULL;
}

static inline struct str token_text(const struct compilation *c, const struct token *t)
{
    return str_slice(c->input, t->begin, t->end);
}

#endif
