/* uri: the format `uri` of the reference's validator: RFC 3986 with a scheme, a little laxer
 * (docs/spec/segment-actions.md §6.7). Any thread; allocates nothing. */
#ifndef SPELTER_SCHEMA_URI_H
#define SPELTER_SCHEMA_URI_H

#include "str.h"

bool uri_match(struct str text);

#endif
