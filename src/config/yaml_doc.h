/*
 * yaml_doc: a YAML file as JSON values that remember their lines.
 *
 * YAML's scalars are resolved by the JSON-like core rules (null, true, false, numbers;
 * everything else is text), so `no` and `12:30` stay text. Any JSON document is a
 * valid YAML document. Aliases work, but what they expand to is capped. Duplicate keys
 * are refused: in a config they are a mistake.
 */
#ifndef SPELTER_CONFIG_YAML_H
#define SPELTER_CONFIG_YAML_H

#include "arena.h"
#include "err.h"
#include "jv.h"

struct yaml_doc;

enum {
    YAML_BYTES_MAX = 8 * 1024 * 1024, /* fifty mappings of a hundred kilobytes */
    YAML_NODES_MAX = 500000,          /* after aliases are expanded */
};

/* Parses `text`. Values live in `a`. On refusal err->at is the line,
 * counted from 1. -EINVAL, -E2BIG, -ENOMEM. */
int yaml_doc_parse(struct yaml_doc **out, struct arena *a, struct str text, struct err *err)
    __attribute__((warn_unused_result));
void yaml_doc_free(struct yaml_doc *y); /* NULL is fine; values stay valid, they are the arena's */

struct jv yaml_doc_root(const struct yaml_doc *y);

/* The line (from 1) of the deepest node that `path` ("/destinations/0/id") leads
 * to. For a member that is its key's line. */
size_t yaml_doc_line(const struct yaml_doc *y, const char *path);

#endif
