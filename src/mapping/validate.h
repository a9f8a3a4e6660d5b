/*
 * validate: the reference's checks of a mapping before anything runs (docs/spec/segment-actions.md
 * §5.5). Private to this room.
 */
#ifndef SPELTER_MAPPING_VALIDATE_H
#define SPELTER_MAPPING_VALIDATE_H

#include "mapping.h"

/* 0, or -EINVAL with the reference's texts in *thrown (in `a`) and the first of them in *err.
 * -ENOMEM. The caller has bounded the mapping's depth. */
int validate_mapping(struct jv mapping, struct arena *a, struct thrown *thrown, struct err *err)
    __attribute__((warn_unused_result));

#endif
