/* main: the command `spelter sandbox`. */
#ifndef SPELTER_SANDBOX_MAIN_H
#define SPELTER_SANDBOX_MAIN_H

/* argv[0] is the command's own name. 0: stopped by a signal; 1: the user's mistake; 2: the
 * environment's. */
int sandbox_main(int argc, char **argv);

/* Its options in the order of its help, for a manual and for completions. `value` is NULL for a
 * flag. */
void sandbox_main_options(void (*on_option)(void *self, const char *name, const char *value,
                                            const char *about),
                          void *self);

#endif
