/* query: the parameters behind the '?' of a path, decoded into an arena. */
#ifndef SPELTER_SANDBOX_QUERY_H
#define SPELTER_SANDBOX_QUERY_H

#include "arena.h"
#include "str.h"

#include <stdint.h>

enum { QUERY_PARAMETERS_MAX = 256 };

struct query_parameter {
    struct str name; /* "external_id[]" keeps its brackets */
    struct str value;
};

struct query {
    const struct query_parameter *parameters;
    size_t count;
};

/* Parameters beyond QUERY_PARAMETERS_MAX are left out. A percent sign without two hex digits stands
 * for itself. */
struct query query_parse(struct str text, struct arena *a);

/* The first parameter of that name; empty when absent. */
struct str query_get(const struct query *q, struct str name);
bool query_has(const struct query *q, struct str name);

/* A whole number from 0 to max; `missing` when the parameter is absent. *ok false: it is something
 * else. */
uint64_t query_number(const struct query *q, struct str name, uint64_t missing, uint64_t max,
                      bool *ok);

#endif
