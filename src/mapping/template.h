/*
 * template: the text of @template, cut into pieces (docs/spec/segment-actions.md §5.4). Private to
 * this room.
 *
 * Three braces are replaced first, two in what that gives; a template without three braces is cut
 * once, at load.
 */
#ifndef SPELTER_MAPPING_TEMPLATE_H
#define SPELTER_MAPPING_TEMPLATE_H

#include "arena.h"
#include "buf.h"
#include "jv.h"
#include "path.h"

struct template_piece {
    struct str literal; /* before the value */
    struct path path;
    bool has_value; /* false for the text after the last value */
};

struct template
{
    const struct template_piece *pieces;
    uint32_t count;
    bool has_second_pass; /* pieces are the three-brace ones: the result is cut again */
};

/* Text borrows from `text`. -ENOMEM: the arena is full. */
int template_compile(struct template *out, struct arena *a, struct str text)
    __attribute__((warn_unused_result));

/* Appends to `out`; false when a value cannot become text (text_append_value). A second pass
 * allocates from the arena; *rc is then -ENOMEM when that is full. */
bool template_render(const struct template *t, struct arena *a, struct jv payload, struct buf *out,
                     int *rc);

#endif
