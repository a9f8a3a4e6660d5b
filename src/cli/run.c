/* run: the server, in the foreground, until SIGTERM or SIGINT. SIGHUP reads the config again. */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "commands.h"
#include "log.h"
#include "server.h"

enum { DRAIN_MS_MAX = 30000 };

static struct server *running; /* the signal handlers' */

static void on_stop_signal(int number)
{
    const int before = errno; /* of whatever call the signal came into */
    (void)number;
    server_stop(running);
    errno = before;
}

static void on_reload_signal(int number)
{
    const int before = errno;
    (void)number;
    server_wake_reload(running);
    errno = before;
}

/* Before anything is opened: opening writes too. */
static void ignore_signals(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignore, NULL); /* a client that hangs up is no reason to stop */
    sigaction(SIGXFSZ, &ignore, NULL); /* a file size limit shows as a failed write instead */
}

static void handle_signals(void (*on_stop)(int number), void (*on_reload)(int number))
{
    struct sigaction stop = {.sa_handler = on_stop};
    struct sigaction reload = {.sa_handler = on_reload};
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGHUP, &reload, NULL);
}

/* glibc raises its mmap threshold by itself, after which the large bodies that a burst leaves
 * behind stay in the heap for ever. */
static void bound_heap(void)
{
    enum { MMAP_BYTES = 256 * 1024, TRIM_BYTES = 1024 * 1024 };
    mallopt(M_MMAP_THRESHOLD, MMAP_BYTES);
    mallopt(M_TRIM_THRESHOLD, TRIM_BYTES);
}

int run_run(const void *arguments, int operand_count, char **operands)
{
    const struct run_args *args = arguments;
    struct server_options options = {.config_path = args->config, .drain_ms_max = DRAIN_MS_MAX};
    struct err err = {0};
    (void)operand_count;
    (void)operands;
    if (args->verbose)
        log_set_level(LOG_LEVEL_DEBUG);
    if (config_read(&options.config, args->config, &err) != 0)
        return complain_err(&err);
    for (size_t i = 0; i < config_warning_count(options.config); i++)
        log_warn("%s", config_warning(options.config, i));
    ignore_signals();
    bound_heap();
    if (server_open(&running, &options, &err) != 0)
        return complain_err(&err);
    handle_signals(on_stop_signal, on_reload_signal);
    log_info("spelter %s listens on http://%s", SPELTER_VERSION, server_address(running));
    server_run(running);
    handle_signals(SIG_DFL, SIG_IGN); /* from here on there is no server to tell */
    server_close(running);
    log_info("stopped; nothing in the journal is lost");
    return EXIT_DONE;
}
