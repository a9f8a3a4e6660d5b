/*
 * pixel: events in a query string: `data=<base64 of the JSON>` or flat parameters
 * whose dots nest (docs/spec/sources.md §1.12).
 */
#ifndef SPELTER_INGEST_PIXEL_H
#define SPELTER_INGEST_PIXEL_H

#include "jv.h"

/* More parameters than this are no e-mail's pixel. */
enum { PIXEL_PARAMETERS_MAX = 256 };

/* The event; undefined when `data` is no JSON object, or the arena is full. */
struct jv pixel_event(struct str query, struct arena *a);

/* One decoded parameter; empty when absent. */
struct str pixel_parameter(struct str query, struct str name, struct arena *a);

#endif
