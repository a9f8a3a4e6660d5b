/*
 * text: what JavaScript does with strings, on UTF-8.
 *
 * Lengths count UTF-16 units, as JavaScript does. Bytes that are not UTF-8 are tolerated (each
 * counts as one unit and is copied as it is). Pure functions: any thread.
 */
#ifndef SPELTER_JSON_TEXT_H
#define SPELTER_JSON_TEXT_H

#include "arena.h"
#include "buf.h"
#include "jv.h"

/* Appends String(v): "undefined", "null", "[object Object]", arrays joined with commas. False when
 * JavaScript throws "Cannot convert object to primitive value": an object with a member named
 * toString, which no JSON value can be. */
bool text_append_value(struct buf *out, struct jv v);

/* v == "" with JavaScript's loose equality; *throws as in text_append_value. */
bool text_is_loosely_empty(struct jv v, bool *throws);

/* UTF-16 units; code points. */
size_t text_units(struct str text);
size_t text_points(struct str text);

/* The UTF-16 units [from, to) of the text. Half of a surrogate pair becomes
 * U+FFFD. ptr is NULL when the arena is full. */
struct str text_slice_units(struct arena *a, struct str text, size_t from, size_t to);

/* Without JavaScript's white space and line ends at both ends. */
struct str text_trim(struct str text);

/* Bytes of the white space or line end at text[at], 0 when there is none. */
size_t text_space_bytes(struct str text, size_t at);

/* toLowerCase and toUpperCase: full Unicode with special casing.
 * ptr is NULL when the arena is full. */
struct str text_lower(struct arena *a, struct str text);
struct str text_upper(struct arena *a, struct str text);

/* What a regular expression with the flag `i` compares: the upper case of one
 * UTF-16 unit where that is one unit too. */
uint32_t text_canonical_unit(uint32_t unit);

/* Number(text): NaN when it is none; "" and white space are 0; 0x, 0o, 0b, Infinity. */
double text_to_number(struct str text);

/* The code point at text[*at], which moves past it; a byte that starts no
 * valid sequence is returned as 0xDC00 + byte. */
uint32_t text_next_point(struct str text, size_t *at);

#endif
