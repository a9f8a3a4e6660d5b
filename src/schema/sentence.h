/*
 * sentence: the validator's error sentences
 * (docs/spec/segment-actions.md §6.6), gathered in an arena.
 */
#ifndef SPELTER_SCHEMA_SENTENCE_H
#define SPELTER_SCHEMA_SENTENCE_H

#include "arena.h"
#include "field.h"
#include "jv.h"

struct sentences {
    struct arena *arena;
    char *ptr;
    size_t len;
    size_t cap;
    bool failed; /* the arena was full */
};

/* What a sentence is about: a labelled field, or a place. All zeros is the root. */
struct subject {
    struct str label;             /* "" when the place speaks */
    const struct subject *parent; /* NULL: the root itself */
    struct str key;               /* in the parent; without one `index` counts */
    size_t index;
};

/* `types` is a list of JSON schema type names. */
void say_missing(struct sentences *s, const struct subject *subject, struct str key);
void say_type(struct sentences *s, const struct subject *subject, const struct str *types,
              size_t type_count, struct jv got);
void say_choices(struct sentences *s, const struct subject *subject, const struct field *f,
                 bool or_null);
void say_format(struct sentences *s, const struct subject *subject, enum format format);
void say_length(struct sentences *s, const struct subject *subject, bool too_long, double limit,
                size_t got);
void say_limit(struct sentences *s, const struct subject *subject, bool too_big, double limit);
void say_then(struct sentences *s); /* closes a conditional requirement that failed */

#endif
