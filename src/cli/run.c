/* run: the server, in the foreground, until SIGTERM or SIGINT. SIGHUP reads the config again. */
#include <errno.h>
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
    (void)number;
    server_stop(running);
}

static void on_reload_signal(int number)
{
    (void)number;
    server_wake_reload(running);
}

/* Before anything is opened: opening writes too. */
static void ignore_signals(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignore, NULL); /* a client that hangs up is no reason to stop */
    sigaction(SIGXFSZ, &ignore, NULL); /* a file size limit shows as a failed write instead */
}

static void catch_signals(void)
{
    struct sigaction stop = {.sa_handler = on_stop_signal};
    struct sigaction reload = {.sa_handler = on_reload_signal};
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGHUP, &reload, NULL);
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
    if (server_open(&running, &options, &err) != 0)
        return complain_err(&err);
    catch_signals();
    log_info("spelter %s listens on http://%s", SPELTER_VERSION, server_address(running));
    server_run(running);
    server_close(running);
    log_info("stopped; nothing in the journal is lost");
    return EXIT_DONE;
}
