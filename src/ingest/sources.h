/*
 * sources: the configured sources, found by the key that a client
 * sends. Immutable once made: any thread.
 */
#ifndef SPELTER_INGEST_SOURCES_H
#define SPELTER_INGEST_SOURCES_H

#include "str.h"

#include <stdint.h>

struct sources;

struct source {
    struct str id;
    struct str write_key;
    bool enabled;
};

/* Copies everything. -ENOMEM. */
int sources_new(struct sources **out, const struct source *list, size_t count)
    __attribute__((warn_unused_result));
void sources_free(struct sources *s); /* NULL is fine */

/* The source with this write key, or NULL. How long it takes does not
 * tell how much of a wrong key was right. */
const struct source *sources_find(const struct sources *s, struct str write_key);

#endif
