#include "log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "clock.h"

enum { LOG_LINE_BYTES_MAX = 1024 };

static _Atomic enum log_level threshold = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
    threshold = level;
}

void log_write(enum log_level level, const char *format, ...)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    if (level > threshold)
        return;

    char line[LOG_LINE_BYTES_MAX];
    iso_time(line, clock_now_ms(clock_real()));
    int head = snprintf(line + ISO_TIME_BYTES, sizeof(line) - ISO_TIME_BYTES, " %s ", names[level]);
    size_t len = ISO_TIME_BYTES + (size_t)head;

    va_list args;
    va_start(args, format);
    int body = vsnprintf(line + len, sizeof(line) - len - 1, format, args);
    va_end(args);
    if (body > 0)
        len += (size_t)body < sizeof(line) - len - 1 ? (size_t)body : sizeof(line) - len - 2;
    for (size_t i = 0; i < len; i++) /* what a client sent must not forge a line */
        if ((unsigned char)line[i] < ' ')
            line[i] = ' ';
    line[len++] = '\n';
    /* One write a line, so lines of several threads do not mix. A log that
     * cannot be written is no reason to stop. */
    ssize_t written = write(STDERR_FILENO, line, len);
    (void)written;
}
