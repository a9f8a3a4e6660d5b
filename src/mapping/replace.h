/*
 * replace: @replace's search for a literal text (docs/spec/segment-actions.md §5.4). Private to
 * this room.
 */
#ifndef SPELTER_MAPPING_REPLACE_H
#define SPELTER_MAPPING_REPLACE_H

#include "buf.h"
#include "str.h"

struct replace_options {
    bool is_global;
    bool ignores_case;
};

/* Appends `text` with the pattern (not empty) replaced. In the replacement $$, $&, $` and $' mean
 * what they mean to JavaScript. */
void replace_append(struct buf *out, struct str text, struct str pattern, struct str replacement,
                    struct replace_options options);

#endif
