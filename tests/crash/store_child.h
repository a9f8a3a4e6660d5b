/*
 * store_child: the process that is killed. It appends, settles and trims with
 * several threads, and writes a report for each thing that became durable to a
 * pipe: what the parent then expects to find.
 *
 * A record's content follows from its serial number: the number, then bytes drawn from it.
 */
#ifndef SPELTER_TESTS_STORE_CHILD_H
#define SPELTER_TESTS_STORE_CHILD_H

#include "hash.h"
#include "str.h"

#include <stdint.h>

enum {
    CHILD_MAP_BYTES = 4 << 20, /* so small that it is full now and then */
    CHILD_RECORD_BYTES_MAX = 3000,
    CHILD_KNOWN_MESSAGES = 4096,
};

enum report_kind {
    REPORT_APPENDED, /* `number` is the position, `serial` the record's */
    REPORT_SETTLED,  /* `number` is the position */
    REPORT_FLOOR,    /* `number` is the floor */
    REPORT_DEAD,     /* `number` is the letter's id */
    REPORT_REFUSED,  /* an append found no room */
};

/* Far below PIPE_BUF, so that reports of several threads never mix and a kill never cuts one. */
struct report {
    uint64_t kind;
    uint64_t number;
    uint64_t serial;
};

/* Writes the record's content to out (CHILD_RECORD_BYTES_MAX bytes) and returns it. */
struct str child_record(char *out, uint64_t serial);

struct hash128 child_fingerprint(uint64_t serial);

/* Works in `dir` until killed. Serial numbers start at first_serial. With `is_slow` it settles
 * little until the store is full. Returns (an exit status) only when something broke. */
int child_main(const char *dir, int report_fd, uint64_t first_serial, bool is_slow);

#endif
