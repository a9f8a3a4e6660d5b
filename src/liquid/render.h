/*
 * render: one rendering of a template, as filters see it. Private to this room.
 */
#ifndef SPELTER_LIQUID_RENDER_H
#define SPELTER_LIQUID_RENDER_H

#include "expression.h"

struct render {
    struct arena *arena;
    struct liquid_error *error;
    struct str input;
    int rc;          /* the first trouble sticks */
    bool has_place;  /* error->message has its line and column */
    bool is_stopped; /* break or continue was met */
    struct jv values;
    struct jv_builder assigned; /* assign, capture */
    struct jv_builder counters; /* increment, decrement */
    struct jv_builder cycles;
    unsigned blocks; /* open ones: inside, `block` is an object */
    double memory;   /* what the reference would have counted */
};

/* The limit that the reference gives one rendering, in its own units: characters and elements. */
#define RENDER_MEMORY_MAX 1e8

/* Ends the rendering with an error of the reference's. Returns undefined. */
struct jv render_throw(struct render *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
struct jv render_out_of_memory(struct render *r);
/* Counts memory; throws beyond RENDER_MEMORY_MAX. */
void render_use(struct render *r, double units);

/* Liquid's text of a value: nothing for null, arrays without separators. */
struct str render_text(struct render *r, struct jv v);
/* JavaScript's String(v) and Number(v). */
struct str render_js_text(struct render *r, struct jv v);
double render_js_number(struct render *r, struct jv v);

struct jv render_from_buf(struct render *r, const struct buf *text);
bool render_is_true(struct jv v);
bool render_equals(struct jv a, struct jv b);

/* v[key] with Liquid's size, first and last. */
struct jv render_property(struct render *r, struct jv v, struct jv key);

/* The value of names and keys looked up in one value alone, as `where` does. */
struct jv render_access_in(struct render *r, const struct operand *access, struct jv item);

#endif
