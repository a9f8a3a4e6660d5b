/* main: the command `spelter sandbox`. */
#ifndef SPELTER_SANDBOX_MAIN_H
#define SPELTER_SANDBOX_MAIN_H

/* argv[0] is the command's own name. 0: stopped by a signal; 1: the user's mistake; 2: the
 * environment's. */
int sandbox_main(int argc, char **argv);

#endif
