/* paging: lists by cursor, with a Link header: the cursor is base64 of "skip:50"
 * (docs/spec/braze-rest-api.md §4.13). */
#ifndef SPELTER_SANDBOX_PAGING_H
#define SPELTER_SANDBOX_PAGING_H

#include "call.h"

enum { PAGING_CURSOR_PAGE = 50 };

/* The query's cursor; 0 without one. False: it is none of ours. */
bool paging_read(struct call *c, size_t *skip);

/* The Link header of a page that starts at `skip` of `total`. */
void paging_link(struct call *c, size_t skip, size_t total);

#endif
