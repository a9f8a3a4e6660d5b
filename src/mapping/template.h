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
#include "lookups.h"

/* Where a value is: in a slot of the scope, or at the path. */
struct place {
    struct path path;
    uint32_t slot; /* LOOKUP_NONE: look along the path */
};

static inline struct jv place_get(const struct place *place, struct jv payload,
                                  const struct jv *found)
{
    return place->slot == LOOKUP_NONE ? path_get(place->path, payload) : found[place->slot];
}

struct template_piece {
    struct str literal; /* before the value */
    struct place place;
};

struct template
{
    struct template_piece *pieces;
    struct str tail;      /* after the last value */
    size_t literal_bytes; /* of all pieces and the tail */
    uint32_t count;
    bool has_second_pass; /* pieces are the three-brace ones: the result is cut again */
    bool is_quick;        /* every place is a slot, and there is no second pass */
};

/* Text borrows from `text`; its places have no slots. -ENOMEM: the arena is full. */
int template_compile(struct template *out, struct arena *a, struct str text)
    __attribute__((warn_unused_result));

/* The text, when all values in it are texts and plain numbers, nearly always; else undefined, and
 * template_render has to make it. The template is a quick one. A text that is nothing but one value
 * is that value. */
struct jv template_render_plain(const struct template *t, struct arena *a, const struct jv *found);

/* Appends to `out`; false when a value cannot become text (text_append_value). A second pass
 * allocates from the arena; *rc is then -ENOMEM when that is full. */
bool template_render(const struct template *t, struct arena *a, struct jv payload,
                     const struct jv *found, struct buf *out, int *rc);

#endif
