/*
 * server: the whole of `spelter run` in one struct: listener, journal, couriers, retention.
 *
 *     server_open --> server_run (the loop; returns after server_stop and a drain) --> server_close
 *
 * Threads: server_run is the listener thread; the store has its committer, each destination its
 * courier. server_stop, server_reload and the readers at the end may be called from any thread,
 * server_stop and server_wake_reload also from a signal handler.
 */
#ifndef SPELTER_SERVER_SERVER_H
#define SPELTER_SERVER_SERVER_H

#include "config.h"
#include "err.h"

struct server;

struct server_options {
    struct config *config;   /* taken, also on failure */
    const char *config_path; /* read again by a reload; NULL: cannot be reloaded */
    int64_t drain_ms_max;    /* how long a stop waits for requests in flight */
};

/* Binds the address, opens the data folder, compiles every destination. err->msg is
 * the line for the user. -EINVAL (the config), -EADDRINUSE, -EACCES, -EBUSY
 * (another server on this data), -ENOSPC, -ENOMEM. */
int server_open(struct server **out, const struct server_options *options, struct err *err)
    __attribute__((warn_unused_result));

/* Serves until server_stop, then answers what is open, lets couriers finish what is in flight, and
 * returns. What is not delivered by then stays in the journal. */
void server_run(struct server *s);
void server_stop(struct server *s);
void server_close(struct server *s); /* NULL is fine */

/* Asks the loop to read its config file again. A bad one is refused with its
 * error in the log, and the old one stays. */
void server_wake_reload(struct server *s);

const char *server_address(const struct server *s);

/* For the demo and for tests. Any thread, while server_run runs. */
struct server_totals {
    uint64_t accepted;  /* events durable in the journal */
    uint64_t settled;   /* fate decided, by the slowest destination; UINT64_MAX without one */
    uint64_t delivered; /* objects that Braze took */
    uint64_t dead;
    int64_t delivery_p50_us; /* received to delivered */
    int64_t delivery_p99_us;
};
struct server_totals server_totals(struct server *s);

#endif
