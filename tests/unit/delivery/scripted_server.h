/*
 * scripted_server: an HTTP/1.1 server on a loopback port that answers, and misbehaves, as its
 * handler says. One thread a connection; the handler runs under one lock.
 */
#ifndef SPELTER_TESTS_SCRIPTED_SERVER_H
#define SPELTER_TESTS_SCRIPTED_SERVER_H

#include "str.h"

struct scripted_request {
    struct str head; /* request line and headers */
    struct str method;
    struct str path;
    struct str body;
};

enum scripted_manner {
    MANNER_ANSWER,
    MANNER_CUT_BODY, /* half of the body, then a reset */
    MANNER_RESET,    /* no answer at all */
    MANNER_HANG,     /* nothing until the server stops */
};

struct scripted_answer {
    int status;
    const char *headers; /* "Name: value\r\n" each; NULL: none */
    const char *body;
    enum scripted_manner manner;
};

struct scripted_server;

struct scripted_server *scripted_open(
    struct scripted_answer (*on_request)(void *self, const struct scripted_request *request),
    void *self);
const char *scripted_endpoint(const struct scripted_server *s); /* "http://127.0.0.1:port" */
void scripted_close(struct scripted_server *s);

#endif
