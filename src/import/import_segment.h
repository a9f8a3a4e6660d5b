/*
 * import_segment: what Segment says of its Braze destinations, as a config.
 *
 *     segment_export --import_segment--> config text, notes for the user
 *
 * Braze Cloud Mode (Actions) and Braze Cohorts destinations come over with their mappings as they
 * are, in order, under `parity: strict`. What does not come over is named in a note: other
 * destinations, filters, mappings of warehouses. Secrets are masked at Segment: the config asks for
 * environment variables in their place. A config that would not read back as it was meant is never
 * given out. Pure: one thread.
 */
#ifndef SPELTER_IMPORT_IMPORT_SEGMENT_H
#define SPELTER_IMPORT_IMPORT_SEGMENT_H

#include "config.h"
#include "segment_export.h"

struct import;

/* One destination of the config. Lives as long as the import. */
struct import_destination {
    struct str id;
    enum destination_kind kind;
    struct jv settings;      /* with a stand-in for each secret */
    struct jv subscriptions; /* an array in the config's form */
};

struct import_choices {
    bool per_action; /* batches as Segment does, instead of combined ones */
};

/* The export must live as long as the import. err->msg is "FILE: PLACE: what, and what was
 * expected". -EINVAL, -E2BIG (more than a config may hold), -ENOMEM. */
int import_segment(struct import **out, const struct segment_export *e,
                   const struct import_choices *choices, struct err *err)
    __attribute__((warn_unused_result));
void import_free(struct import *im); /* NULL is fine */

struct str import_text(const struct import *im);

/* What the user has to do, and what was left out; one line each. */
size_t import_note_count(const struct import *im);
struct str import_note(const struct import *im, size_t i);

size_t import_destination_count(const struct import *im);
const struct import_destination *import_destination(const struct import *im, size_t i);

/* Turns an error at a place inside a destination ("/subscriptions/2/mapping/email") into one at its
 * place in Segment's files. */
void import_locate(const struct import *im, size_t destination, const struct err *why,
                   struct err *err);

#endif
