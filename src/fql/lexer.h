/*
 * lexer: subscription text to tokens (docs/spec/segment-actions.md §7.2). Private to this room.
 */
#ifndef SPELTER_FQL_LEXER_H
#define SPELTER_FQL_LEXER_H

#include "arena.h"
#include "str.h"

#include <stdint.h>

enum token_kind {
    TOKEN_IDENT,
    TOKEN_DOT,
    TOKEN_OPERATOR,
    TOKEN_CONDITIONAL, /* and, or */
    TOKEN_STRING,      /* text has its quotes */
    TOKEN_NUMBER,
    TOKEN_NULL,
    TOKEN_PUNCTUATION, /* [ ] , */
    TOKEN_PAREN_LEFT,
    TOKEN_PAREN_RIGHT,
    TOKEN_END, /* text is "eos" */
};

struct token {
    enum token_kind kind;
    uint32_t at;     /* byte where it starts */
    struct str text; /* in the arena, or borrowed from the text */
};

struct tokens {
    struct token *items; /* in the arena; ends with one TOKEN_END */
    uint32_t count;
};

/* Identifiers joined by dots come out as one. -EINVAL: *at is the byte that
 * starts no token. -ENOMEM: arena full. */
int lexer_run(struct tokens *out, struct arena *a, struct str text, size_t *at)
    __attribute__((warn_unused_result));

#endif
