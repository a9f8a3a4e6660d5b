#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define SOCKET_NAME "control"
#define FORGET      "forget "

enum {
    MESSAGE_BYTES_MAX = 512,
    ANSWER_MS_MAX = 60 * 1000, /* the server may be busy with a reload, which waits for Braze */
};

struct control {
    int dir_fd;
    int fd;
};

/* By way of the folder's descriptor: its own path may be longer than a socket's address takes. */
static struct sockaddr_un address_in(int dir_fd)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" SOCKET_NAME, dir_fd);
    return address;
}

static int bind_socket(struct control *c)
{
    const struct sockaddr_un address = address_in(c->dir_fd);
    c->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (c->fd < 0)
        return -errno;
    unlinkat(c->dir_fd, SOCKET_NAME, 0);
    if (bind(c->fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
        fchmodat(c->dir_fd, SOCKET_NAME, 0600, 0) != 0 || listen(c->fd, 4) != 0)
        return -errno;
    return 0;
}

int control_open(struct control **out, const char *dir, struct err *err)
{
    *out = NULL;
    struct control *c = malloc(sizeof(*c));
    if (c == NULL)
        return err_set(err, -ENOMEM, 0, "out of memory");
    *c = (struct control){.dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC), .fd = -1};
    int rc = c->dir_fd < 0 ? -errno : bind_socket(c);
    if (rc != 0) {
        control_close(c);
        return err_set(err, rc, 0, "cannot make the socket %s/" SOCKET_NAME ": %s", dir,
                       strerror(-rc));
    }
    *out = c;
    return 0;
}

void control_close(struct control *c)
{
    if (c == NULL)
        return;
    if (c->fd >= 0) {
        unlinkat(c->dir_fd, SOCKET_NAME, 0);
        close(c->fd);
    }
    if (c->dir_fd >= 0)
        close(c->dir_fd);
    free(c);
}

int control_fd(const struct control *c)
{
    return c->fd;
}

static void limit_wait(int fd, int ms)
{
    const struct timeval limit = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

void control_serve(struct control *c, int (*forget)(void *self, struct str id, struct err *err),
                   void *self)
{
    char bytes[MESSAGE_BYTES_MAX];
    struct err err = {0};
    int fd = accept4(c->fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return; /* gone again */
    limit_wait(fd, CONTROL_WAIT_MS);
    ssize_t got = recv(fd, bytes, sizeof(bytes), 0);
    if (got > 0) {
        struct str message = {bytes, (size_t)got};
        if (!str_starts(message, STR(FORGET)))
            err_set(&err, -EINVAL, 0, "the server does not know this command");
        else if (forget(self, str_slice(message, sizeof(FORGET) - 1, message.len), &err) == 0)
            err.msg[0] = '\0';
        send(fd, err.msg, strlen(err.msg) + 1, MSG_NOSIGNAL);
    }
    close(fd);
}

static int ask(int dir_fd, struct str message, char answer[MESSAGE_BYTES_MAX])
{
    const struct sockaddr_un address = address_in(dir_fd);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    limit_wait(fd, ANSWER_MS_MAX);
    int rc = 0;
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
        rc = errno == ENOENT ? -ECONNREFUSED : -errno;
    else if (send(fd, message.ptr, message.len, MSG_NOSIGNAL) < 0)
        rc = -errno;
    if (rc == 0) {
        ssize_t got = recv(fd, answer, MESSAGE_BYTES_MAX - 1, 0);
        rc = got > 0 ? 0 : got == 0 ? -ECONNRESET : -errno;
        answer[got > 0 ? got : 0] = '\0';
    }
    close(fd);
    return rc;
}

int control_ask_forget(const char *dir, struct str id, struct err *err)
{
    char message[MESSAGE_BYTES_MAX];
    char answer[MESSAGE_BYTES_MAX];
    int bytes = snprintf(message, sizeof(message), FORGET "%.*s", STR_ARG(id));
    if (bytes < 0 || (size_t)bytes >= sizeof(message))
        return err_set(err, -EINVAL, 0, "the id is too long");
    int dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir_fd < 0)
        return err_set(err, -errno, 0, "cannot open %s: %s", dir, strerror(errno));
    int rc = ask(dir_fd, (struct str){message, (size_t)bytes}, answer);
    close(dir_fd);
    if (rc != 0)
        return err_set(err, rc, 0, "the server on %s does not answer: %s", dir, strerror(-rc));
    return answer[0] == '\0' ? 0 : err_set(err, -EINVAL, 0, "%s", answer);
}
