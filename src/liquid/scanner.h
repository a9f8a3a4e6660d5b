/*
 * scanner: reading Liquid's text piece by piece. Private to this room.
 *
 * Positions are bytes of the whole template; a scanner sees [p, end) of it.
 */
#ifndef SPELTER_LIQUID_SCANNER_H
#define SPELTER_LIQUID_SCANNER_H

#include "liquid.h"

/* One compilation: where things go and what went wrong first. */
struct compilation {
    struct arena *arena;
    struct str input;
    struct liquid_error *error;
    int rc;
};

struct scanner {
    struct compilation *c;
    size_t p;
    size_t end;
};

#define ERROR_PARSE    STR("ParseError")
#define ERROR_RENDER   STR("RenderError")
#define ERROR_TOKENIZE STR("TokenizationError")

/* "message, line:L, col:C" for the byte at `at`, in the arena; ptr is NULL when that is full. */
struct str scanner_place(struct arena *a, struct str input, size_t at, struct str message);

/* The first failure sticks. */
void scanner_fail(struct compilation *c, struct str name, size_t at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The same around a piece of the template, which may hold any byte. */
void scanner_fail_about(struct compilation *c, struct str name, size_t at, struct str before,
                        struct str text, struct str after);
void scanner_out_of_memory(struct compilation *c);
/* Memory for the program; NULL and the compilation has failed. */
void *scanner_alloc(struct compilation *c, size_t bytes);

bool scanner_at_end(const struct scanner *s);
char scanner_peek(const struct scanner *s, size_t ahead); /* '\0' behind the end */
bool scanner_is_word(const struct scanner *s, size_t ahead);
bool scanner_is_quote(const struct scanner *s);
void scanner_skip_blank(struct scanner *s);
bool scanner_is_behind(const struct scanner *s,
                       struct str text); /* do the bytes before p end with it? */
bool scanner_read_to(
    struct scanner *s,
    struct str text); /* past its next end, at least one byte on; false at the end */
struct str scanner_read_identifier(struct scanner *s);
struct str scanner_read_quoted(struct scanner *s); /* with its quotes; empty when there is none */
struct str scanner_rest(const struct scanner *s);

/* Is a byte of ASCII, or the character at text[at], white space to Liquid? Its bytes, else 0. */
size_t scanner_blank_bytes(struct str text, size_t at);

/* JSON text of at most 32 characters from `from`, for messages. */
struct str scanner_snapshot(const struct scanner *s, size_t from);

#endif
