/* assemble: the config's sections turned into compiled parts; shared by the
 * server and the commands that only look. */
#ifndef SPELTER_SERVER_ASSEMBLE_H
#define SPELTER_SERVER_ASSEMBLE_H

#include "config.h"
#include "destination.h"

/* Compiles one destination of the config. On refusal err->msg is the
 * line for the user, "FILE:LINE: ...". */
int assemble_destination(struct destination **out, const struct config *config,
                         const struct destination_section *section, struct err *err)
    __attribute__((warn_unused_result));

/* What events may call this destination, as integrations_ask takes it; borrows from the section. */
enum { ASSEMBLE_NAMES_MAX = 8 };
size_t assemble_names(const struct destination_section *section,
                      struct str names[ASSEMBLE_NAMES_MAX]);

#endif
