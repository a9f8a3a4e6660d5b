/*
 * jv: a JSON value as JavaScript sees it. The one value type of ingest, mapping and Braze objects.
 *
 *     text --jv_parse--> struct jv (in an arena) --jv_write--> text
 *
 * A value is two words, passed by value, immutable once built; its children live in the arena that
 * built it (or in static memory). Objects are already in JavaScript's order when they come out of
 * jv_parse or jv_object_end: canonical array indexes first in ascending order, then the other keys
 * as first inserted; a duplicate key keeps its first place and its last value
 * (docs/spec/segment-actions.md §0.3).
 *
 * Threads: values may be read from any thread; an arena is one thread's.
 */
#ifndef SPELTER_JSON_JV_H
#define SPELTER_JSON_JV_H

#include "arena.h"
#include "buf.h"
#include "err.h"
#include "str.h"

#include <assert.h>
#include <stdint.h>

enum jv_type {
    JV_UNDEFINED, /* JavaScript's undefined: dropped from objects, null in arrays; {0} is one */
    JV_NULL,
    JV_BOOL,
    JV_NUMBER,
    JV_STRING, /* UTF-8 */
    JV_ARRAY,
    JV_OBJECT,
};

struct jv {
    uint8_t type;  /* enum jv_type */
    uint8_t exact; /* of JV_NUMBER: ptr[0..len) is its text, more precise than a double */
    uint8_t clean; /* 1: nothing in it is undefined or called "__proto__"; 0: it may be so */
    uint32_t len;  /* bytes of a string or of exact text; items; members */
    union {
        bool boolean;
        double number; /* when not exact */
        const char *ptr;
        const struct jv *items;
        const struct jv_member *members;
    };
};

struct jv_member {
    struct str key;
    struct jv value;
};

static_assert(sizeof(struct jv) == 16, "two words");

/* 2^53: from here on not every integer is a double. */
#define JV_INTEGER_MAX 9007199254740992.0

/* Makers. jv_string borrows. */
static inline struct jv jv_undefined(void)
{
    return (struct jv){0};
}
static inline struct jv jv_null(void)
{
    return (struct jv){.type = JV_NULL, .clean = 1};
}
static inline struct jv jv_bool(bool boolean)
{
    return (struct jv){.type = JV_BOOL, .clean = 1, .boolean = boolean};
}
static inline struct jv jv_number(double number)
{
    return (struct jv){.type = JV_NUMBER, .clean = 1, .number = number};
}
static inline struct jv jv_string(struct str text)
{
    return (struct jv){.type = JV_STRING, .clean = 1, .len = (uint32_t)text.len, .ptr = text.ptr};
}

/* Readers. */
static inline struct str jv_str(struct jv v) /* of a JV_STRING or exact number; else empty */
{
    return v.type == JV_STRING || (v.type == JV_NUMBER && v.exact) ? (struct str){v.ptr, v.len}
                                                                   : (struct str){NULL, 0};
}
double
jv_as_double(struct jv v);   /* of a JV_NUMBER, exact or not (then rounded as JavaScript does) */
bool jv_truthy(struct jv v); /* JavaScript's truth: not undefined, null, false, 0, NaN, "" */
static inline bool jv_is_nullish(struct jv v)
{
    return v.type == JV_UNDEFINED || v.type == JV_NULL;
}

/* The member's value, or undefined when there is none or `object` is no object. */
struct jv jv_get(struct jv object, struct str key);

/* Deep equality; objects regardless of member order; numbers by value. */
bool jv_equal(struct jv a, struct jv b);

/*
 * Parses one JSON text (all of it; white space around is fine). *out lives in `a`;
 * strings may point into a copy of the text there. JSON_DEPTH_MAX levels at most. A
 * lone surrogate escape ("\ud83d", which JavaScript writes for a cut emoji) becomes
 * U+FFFD; every other malformed thing is refused.
 *
 * JV_EXACT keeps integers beyond 2^53 and numbers beyond a double's range as their own text;
 * without it they become doubles, as in JavaScript.
 *
 * -EINVAL (err says what, err->at where), -E2BIG (too deep), -ENOMEM (arena full).
 */
enum jv_parse_flags { JV_JAVASCRIPT = 0, JV_EXACT = 1 };
int jv_parse(struct jv *out, struct arena *a, struct str text, enum jv_parse_flags flags,
             struct err *err) __attribute__((warn_unused_result));

/* Appends JSON text exactly as JSON.stringify prints it (segment-actions.md
 * Appendix B); exact numbers as their text. */
void jv_write(struct buf *out, struct jv v);

/* Appends a string with its quotes, escaped as JSON.stringify does. */
void jv_write_string(struct buf *out, struct str text);

/* Appends a double as JavaScript's Number.prototype.toString does ("NaN", "Infinity" included). */
void jv_write_number(struct buf *out, double number);

/* The same into memory of the caller's; its length. */
enum { JV_NUMBER_BYTES = 40 /* the longest is "-0.00000" and 17 digits */ };
size_t jv_number_text(double number, char text[JV_NUMBER_BYTES]);

/* Building an object with JavaScript's assignment: a put key keeps
 * its place when it is there already. */
struct jv_builder {
    struct arena *arena;
    struct jv_member *members;
    uint32_t len;
    uint32_t cap;
    uint64_t seen;    /* one bit a key hash: a clear bit says the key is new */
    uint32_t *places; /* of a large object: hash table of places in members plus one, 0 is free */
    uint32_t place_mask; /* its size less one, a power of two less one */
    bool has_index;      /* some key may be an array index: order has to be made at the end */
    bool failed;         /* the arena was full; jv_object_end then gives undefined */
    bool unclean;        /* something put may be undefined, or was called "__proto__" */
};

void jv_object_begin(struct jv_builder *b, struct arena *a, uint32_t members_expected);
/* Borrows the key. */
static inline void jv_object_put(struct jv_builder *b, struct str key, struct jv value);
void jv_object_put_all(struct jv_builder *b,
                       struct jv object); /* spread; other types add nothing */
void jv_object_remove(struct jv_builder *b, struct str key);

/* What was put under the key so far, or undefined: fast also in large objects. */
struct jv jv_object_peek(const struct jv_builder *b, struct str key);
struct jv jv_object_end(struct jv_builder *b);

/* An array of a known size; fill (struct jv *)items[0..count) before anyone
 * reads it. undefined when the arena is full. */
struct jv jv_array(struct arena *a, struct jv **items, size_t count);

/* 0 to 63: keys with different ones differ. */
static inline unsigned jv_key_mix(struct str key)
{
    if (key.len == 0)
        return 0;
    size_t ends = (unsigned char)key.ptr[0] * 3u + (unsigned char)key.ptr[key.len - 1] * 9u;
    return (unsigned)(key.len + ends) & 63;
}

static inline uint64_t jv_key_bit(struct str key)
{
    return UINT64_C(1) << jv_key_mix(key);
}

static inline bool jv_is_proto(struct str key)
{
    return key.len == 9 && key.ptr[0] == '_' && memcmp(key.ptr, "__proto__", 9) == 0;
}

static inline bool jv_starts_as_index(struct str key)
{
    return key.len > 0 && (unsigned char)(key.ptr[0] - '0') <= 9;
}

/* A key that is not there yet, and room for it. */
static inline void jv_object_append(struct jv_builder *b, struct str key, struct jv value,
                                    uint64_t bit)
{
    b->seen |= bit;
    b->has_index |= jv_starts_as_index(key);
    b->unclean |= !value.clean || jv_is_proto(key);
    b->members[b->len++] = (struct jv_member){key, value};
}

/* The key may be there already, or there is no room yet. */
void jv_object_put_slowly(struct jv_builder *b, struct str key, struct jv value);

static inline void jv_object_put(struct jv_builder *b, struct str key, struct jv value)
{
    uint64_t bit = jv_key_bit(key);
    if ((b->seen & bit) != 0 || b->len == b->cap || b->places != NULL)
        jv_object_put_slowly(b, key, value);
    else
        jv_object_append(b, key, value, bit);
}

/* A deep copy into another arena, strings included; undefined when it is full. */
struct jv jv_copy(struct arena *a, struct jv v);

#endif
