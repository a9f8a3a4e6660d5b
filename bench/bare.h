/* bare: libmicrohttpd with nothing behind it, on a loop and a thread of its own:
 * the yardstick for whatever serves HTTP. */
#ifndef SPELTER_BENCH_BARE_H
#define SPELTER_BENCH_BARE_H

struct bare;

/* Answers 200 and {"success": true} to every request. Ends the program when it cannot start. */
struct bare *bare_open(void);
const char *bare_address(const struct bare *b);
void bare_close(struct bare *b);

#endif
