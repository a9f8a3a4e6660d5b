/*
 * yaml_write: JSON values as YAML in flow style, one line each, that yaml_doc_parse reads back
 * exactly.
 *
 * Such text is JSON but for two things that YAML wants otherwise: it knows no surrogate pairs, so
 * characters outside its printable set are written by number, and a key of a thousand characters
 * needs a question mark in front. Pure functions: any thread.
 */
#ifndef SPELTER_CONFIG_YAML_WRITE_H
#define SPELTER_CONFIG_YAML_WRITE_H

#include "buf.h"
#include "jv.h"

/* A text in double quotes, without control characters. Bytes that are not UTF-8 become U+FFFD. */
void yaml_write_string(struct buf *out, struct str text);

void yaml_write_value(struct buf *out, struct jv v);

/* A key of a flow mapping and what separates it from its value. */
void yaml_write_key(struct buf *out, struct str key);

#endif
