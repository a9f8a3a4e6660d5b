/*
 * server: the sandbox behind a socket. One thread runs it; any thread may stop it.
 *
 *     sandbox_server_open ... sandbox_server_run (returns after sandbox_server_stop) ...
 * sandbox_server_close
 *
 * What one turn of its loop changed is made durable (with data_dir) before any answer of that turn
 * leaves.
 */
#ifndef SPELTER_SANDBOX_SERVER_H
#define SPELTER_SANDBOX_SERVER_H

#include "sandbox.h"

struct sandbox_server;

enum {
    SANDBOX_CONNECTIONS_MAX = 4096,
    SANDBOX_IDLE_TIMEOUT_S = 75,
    SANDBOX_MEMORY_BYTES_MAX = 512 << 20, /* bodies of all open requests */
    SANDBOX_WAITING_MAX = 4096,           /* answers held back by a fault, all together */
};

/* listen: "127.0.0.1:8990", port 0 for a free one. Errors of sandbox_open and http_open. */
int sandbox_server_open(struct sandbox_server **out, struct str listen,
                        const struct sandbox_options *options, struct err *err)
    __attribute__((warn_unused_result));

/* "127.0.0.1:41234"; lives as long as the server. */
const char *sandbox_server_address(const struct sandbox_server *server);

/* Serves until sandbox_server_stop. 0, or -errno when the disk failed. */
int sandbox_server_run(struct sandbox_server *server) __attribute__((warn_unused_result));

/* Any thread, also a signal handler. */
void sandbox_server_stop(struct sandbox_server *server);

/* Not while it runs. */
struct sandbox *sandbox_server_sandbox(struct sandbox_server *server);
void sandbox_server_close(struct sandbox_server *server); /* NULL is fine */

#endif
