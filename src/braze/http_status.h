/* http_status: what HTTP statuses are called, by the protocol and by the reference's error nodes
 * (docs/spec/segment-actions.md §8.3). Any thread. */
#ifndef SPELTER_BRAZE_HTTP_STATUS_H
#define SPELTER_BRAZE_HTTP_STATUS_H

#include "str.h"

struct str http_reason(int status);     /* "Bad Request"; "" when unknown */
struct str http_error_type(int status); /* "BAD_REQUEST"; "UNKNOWN_ERROR" when unknown */

#endif
