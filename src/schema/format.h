/*
 * format: the text formats a field may ask for, as the reference's validator tests them
 * (docs/spec/segment-actions.md §6.7). Any thread; allocates nothing.
 */
#ifndef SPELTER_SCHEMA_FORMAT_H
#define SPELTER_SCHEMA_FORMAT_H

#include "str.h"

enum format {
    FORMAT_ANY,
    FORMAT_EMAIL,
    FORMAT_URI,
    FORMAT_DATE_TIME,
    FORMAT_DATE_LIKE,
};

bool format_match(enum format format, struct str text);

/* "must be a valid <this> string". */
const char *format_label(enum format format);

#endif
