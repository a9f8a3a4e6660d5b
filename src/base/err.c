#include "err.h"

#include <assert.h>
#include <stdio.h>

#include "str.h"

__attribute__((format(printf, 5, 0))) static void
set(struct err *err, int code, size_t at, const char *path, const char *format, va_list args)
{
    err->code = code;
    err->at = at;
    snprintf(err->path, sizeof(err->path), "%s", path);
    char text[sizeof(err->msg) + 8]; /* so that a cut can see the character that it cuts */
    vsnprintf(text, sizeof(text), format, args);
    size_t len = str_utf8_cut(str_from(text), sizeof(err->msg) - 1);
    memcpy(err->msg, text, len);
    err->msg[len] = '\0';
    for (char *c = err->msg; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = ' ';
}

int err_set(struct err *err, int code, size_t at, const char *format, ...)
{
    assert(code < 0);
    if (err == NULL)
        return code;
    va_list args;
    va_start(args, format);
    set(err, code, at, "", format, args);
    va_end(args);
    return code;
}

int err_set_path(struct err *err, int code, const char *path, const char *format, ...)
{
    assert(code < 0);
    if (err == NULL)
        return code;
    va_list args;
    va_start(args, format);
    set(err, code, 0, path, format, args);
    va_end(args);
    return code;
}
