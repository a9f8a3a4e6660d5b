/*
 * control: a socket in the data folder, over which a command asks the server that has the folder
 * for what only its owner may do.
 *
 *     command --"forget ID"--> server --"" (done) or why not--> command
 *     command --"retry DESTINATION LETTER..."--> server --"CODE EVENTS LETTERS ABSENT", why not-->
 *     command --"drop LETTER..."--> the same
 *
 * One message each way. Only who may enter the data folder can reach it.
 */
#ifndef SPELTER_SERVER_CONTROL_H
#define SPELTER_SERVER_CONTROL_H

#include "err.h"
#include "letters.h"
#include "str.h"

struct control;

/* The owner of the data folder only: whatever socket lies there is a dead server's. -errno with
 * err. */
int control_open(struct control **out, const char *dir, struct err *err)
    __attribute__((warn_unused_result));
void control_close(struct control *c); /* NULL is fine; the socket is gone */

int control_fd(const struct control *c); /* readable: somebody asks */

/* Each does what is asked, or says in err why not. */
struct control_handlers {
    int (*forget)(void *self, struct str id, struct err *err);
    int (*letters)(void *self, const struct letters_request *request, struct letters_result *result,
                   struct err *err);
    void *self;
};

/* Hears one command and answers it; a rude one costs CONTROL_WAIT_MS at most. */
enum { CONTROL_WAIT_MS = 1000 };
void control_serve(struct control *c, const struct control_handlers *handlers);

/* The command's side. -ECONNREFUSED: no server hears; else what the server says in err, and its
 * code. */
int control_ask_forget(const char *dir, struct str id, struct err *err)
    __attribute__((warn_unused_result));

/* The same; *result is also filled when the server could do a part only. When it ended in the midst
 * of it (-ECONNRESET), what it did is not known. */
int control_ask_letters(const char *dir, const struct letters_request *request,
                        struct letters_result *result, struct err *err)
    __attribute__((warn_unused_result));

#endif
