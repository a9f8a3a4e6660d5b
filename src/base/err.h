/*
 * err: what went wrong, as a sentence for the person who can mend it.
 * Filled in once, at the place that knows.
 */
#ifndef SPELTER_BASE_ERR_H
#define SPELTER_BASE_ERR_H

#include <stdarg.h>
#include <stddef.h>

struct err {
    int code;       /* -errno; 0 means no error */
    size_t at;      /* byte offset in the input, where there is one */
    char path[160]; /* place inside a JSON document, "/a/b/0"; "" where there is none */
    char msg[320];  /* one line without control characters; cut after a whole character */
};

/* Fills *err (NULL is fine) and returns `code`, so that a refusal is one statement. */
int err_set(struct err *err, int code, size_t at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The same with a place inside a document. */
int err_set_path(struct err *err, int code, const char *path, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
