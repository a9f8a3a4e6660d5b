/*
 * control: a socket in the data folder, over which a command asks the server that has the folder
 * for what only its owner may do.
 *
 *     command --"forget ID"--> server --"" (done) or why not--> command
 *
 * One message each way. Only who may enter the data folder can reach it.
 */
#ifndef SPELTER_SERVER_CONTROL_H
#define SPELTER_SERVER_CONTROL_H

#include "err.h"
#include "str.h"

struct control;

/* The owner of the data folder only: whatever socket lies there is a dead server's. -errno with
 * err. */
int control_open(struct control **out, const char *dir, struct err *err)
    __attribute__((warn_unused_result));
void control_close(struct control *c); /* NULL is fine; the socket is gone */

int control_fd(const struct control *c); /* readable: somebody asks */

/* Hears one command and answers it; a rude one costs CONTROL_WAIT_MS at most. `forget` does what is
 * asked, or says in err why not. */
enum { CONTROL_WAIT_MS = 1000 };
void control_serve(struct control *c, int (*forget)(void *self, struct str id, struct err *err),
                   void *self);

/* The command's side. -ECONNREFUSED: no server hears; else what the server says in err, and its
 * code. */
int control_ask_forget(const char *dir, struct str id, struct err *err)
    __attribute__((warn_unused_result));

#endif
