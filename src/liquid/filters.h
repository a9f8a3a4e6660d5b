/*
 * filters: what stands behind a '|'. Private to this room.
 */
#ifndef SPELTER_LIQUID_FILTERS_H
#define SPELTER_LIQUID_FILTERS_H

#include "render.h"

struct arguments {
    const struct jv *items; /* a named argument is an array of its name and its value */
    uint32_t count;
};

static inline struct jv argument_at(struct arguments args, uint32_t index)
{
    return index < args.count ? args.items[index] : jv_undefined();
}

typedef struct jv filter_run(struct render *r, struct jv v, struct arguments args);

struct filter {
    struct str name;
    filter_run *run; /* NULL: the reference has it and disables it */
};

/* NULL: unknown; the value goes through unchanged. */
const struct filter *filters_find(struct str name);

/* The families, each a file of its own. */
filter_run filter_append, filter_prepend, filter_downcase, filter_upcase, filter_capitalize,
    filter_remove, filter_remove_first, filter_remove_last, filter_replace, filter_replace_first,
    filter_replace_last, filter_strip, filter_lstrip, filter_rstrip, filter_strip_newlines,
    filter_normalize_whitespace, filter_truncate, filter_truncatewords, filter_number_of_words,
    filter_split;
filter_run filter_join, filter_first, filter_last, filter_size, filter_sum, filter_compact,
    filter_push, filter_unshift, filter_pop, filter_shift, filter_slice, filter_where,
    filter_sample;
filter_run filter_abs, filter_at_least, filter_at_most, filter_ceil, filter_floor,
    filter_divided_by, filter_minus, filter_plus, filter_modulo, filter_times, filter_round,
    filter_to_integer;
filter_run filter_escape, filter_escape_once, filter_strip_html, filter_url_encode,
    filter_url_decode, filter_cgi_escape, filter_uri_escape, filter_slugify, filter_base64_encode,
    filter_base64_decode, filter_sha256, filter_hmac_sha256, filter_json, filter_default,
    filter_raw;
filter_run filter_date, filter_date_to_xmlschema, filter_date_to_rfc822, filter_date_to_string,
    filter_date_to_long_string;

#endif
