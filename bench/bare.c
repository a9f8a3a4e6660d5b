#include "bare.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <microhttpd.h>

static const char answer_text[] = "{\"success\": true}";

struct bare {
    struct MHD_Response *response;
    struct MHD_Daemon *daemon;
    pthread_t thread;
    atomic_bool stop;
    char address[32];
};

static enum MHD_Result on_access(void *self, struct MHD_Connection *connection, const char *url,
                                 const char *method, const char *version, const char *piece,
                                 size_t *piece_bytes, void **context)
{
    static int seen;
    struct bare *b = self;
    (void)url;
    (void)method;
    (void)version;
    (void)piece;
    if (*context == NULL) {
        *context = &seen;
        return MHD_YES;
    }
    if (*piece_bytes > 0) {
        *piece_bytes = 0;
        return MHD_YES;
    }
    return MHD_queue_response(connection, 200, b->response);
}

static void *serve(void *self)
{
    struct bare *b = self;
    int fd = MHD_get_daemon_info(b->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    int outer = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN};
    if (epoll_ctl(outer, EPOLL_CTL_ADD, fd, &event) != 0)
        abort();
    while (!b->stop) {
        MHD_UNSIGNED_LONG_LONG daemon_ms;
        int wait_ms = MHD_get_timeout(b->daemon, &daemon_ms) == MHD_YES && daemon_ms < 100
                          ? (int)daemon_ms
                          : 100;
        epoll_wait(outer, &event, 1, wait_ms);
        MHD_run(b->daemon);
    }
    close(outer);
    return NULL;
}

static void give_up(void)
{
    fprintf(stderr, "libmicrohttpd does not start\n");
    exit(2);
}

struct bare *bare_open(void)
{
    struct bare *b = calloc(1, sizeof(*b));
    if (b == NULL)
        abort();
    b->response = MHD_create_response_from_buffer(
        sizeof(answer_text) - 1, (void *)(uintptr_t)answer_text, MHD_RESPMEM_PERSISTENT);
    if (b->response == NULL ||
        MHD_add_response_header(b->response, "Content-Type", "application/json") != MHD_YES)
        give_up();
    b->daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, on_access, b,
                                 MHD_OPTION_CONNECTION_LIMIT, 10000U, MHD_OPTION_END);
    if (b->daemon == NULL || pthread_create(&b->thread, NULL, serve, b) != 0)
        give_up();
    snprintf(b->address, sizeof(b->address), "127.0.0.1:%u",
             MHD_get_daemon_info(b->daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    return b;
}

const char *bare_address(const struct bare *b)
{
    return b->address;
}

void bare_close(struct bare *b)
{
    atomic_store(&b->stop, true);
    pthread_join(b->thread, NULL);
    MHD_stop_daemon(b->daemon);
    MHD_destroy_response(b->response);
    free(b);
}
