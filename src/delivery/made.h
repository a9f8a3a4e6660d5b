/*
 * made: the cohorts that Braze knows since this courier began, and by which names.
 *
 * Making a cohort again does no harm, so what falls out of memory is only made again. One thread.
 */
#ifndef SPELTER_DELIVERY_MADE_H
#define SPELTER_DELIVERY_MADE_H

#include "destination.h"

enum { MADE_COHORTS_MAX = 4096 }; /* above it the oldest is forgotten; 64 KiB */

struct made {
    struct {
        uint64_t key;
        uint64_t name;
    } cohorts[MADE_COHORTS_MAX];
    unsigned count;
    unsigned next; /* to be overwritten, once all are in use */
};

bool made_has(const struct made *m, const struct cohort *cohort); /* by this name */
void made_put(struct made *m, const struct cohort *cohort);

#endif
