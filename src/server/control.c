#include "control.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "buf.h"

#define SOCKET_NAME "control"
#define FORGET      "forget "
#define RETRY       "retry "
#define DROP        "drop "

enum {
    ID_TEXT_BYTES = 21,            /* the longest number and the space before it */
    MESSAGE_BYTES_MAX = 96 * 1024, /* well below what a socket takes in one piece */
    ANSWER_BYTES_MAX = 512,
    ANSWER_MS_MAX = 60 * 1000, /* the server may be busy with a reload, which waits for Braze */
};

static_assert(MESSAGE_BYTES_MAX > LETTERS_PORTION_MAX * ID_TEXT_BYTES + 256,
              "a portion of letters and a destination fit into a message");

struct control {
    int dir_fd;
    int fd;
    char message[MESSAGE_BYTES_MAX]; /* the one being served */
    uint64_t ids[LETTERS_PORTION_MAX];
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
    struct control *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return err_set(err, -ENOMEM, 0, "out of memory");
    c->dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    c->fd = -1;
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

/* The next of the words that single spaces part; false when there is none. */
static bool next_word(struct str *text, struct str *word)
{
    size_t end = str_find(*text, ' ');
    *word = str_slice(*text, 0, end);
    *text = str_slice(*text, end + 1, text->len);
    return word->len > 0;
}

static bool read_number(struct str digits, uint64_t *out)
{
    *out = 0;
    if (digits.len == 0)
        return false;
    for (size_t i = 0; i < digits.len; i++) {
        const unsigned digit = (unsigned char)digits.ptr[i] - (unsigned)'0';
        if (digit > 9 || *out > (UINT64_MAX - digit) / 10)
            return false;
        *out = *out * 10 + digit;
    }
    return true;
}

/* Behind "retry " or "drop ". */
static bool read_letters(struct control *c, struct str text, struct letters_request *r)
{
    struct str word;
    if (r->deed == LETTERS_RETRY && !next_word(&text, &r->destination))
        return false;
    while (text.len > 0) {
        if (r->count == LETTERS_PORTION_MAX || !next_word(&text, &word) ||
            !read_number(word, &c->ids[r->count++]))
            return false;
    }
    r->ids = c->ids;
    return r->count > 0;
}

static void serve_letters(struct control *c, struct str message,
                          const struct control_handlers *handlers, char answer[ANSWER_BYTES_MAX])
{
    const bool is_retry = str_starts(message, STR(RETRY));
    const size_t from = is_retry ? sizeof(RETRY) - 1 : sizeof(DROP) - 1;
    struct letters_request request = {.deed = is_retry ? LETTERS_RETRY : LETTERS_DROP,
                                      .destination = STR("")};
    struct letters_result result = {0};
    struct err err = {0};
    int rc;
    if (read_letters(c, str_slice(message, from, message.len), &request))
        rc = handlers->letters(handlers->self, &request, &result, &err);
    else
        rc = err_set(&err, -EINVAL, 0, "the server cannot read this command");
    snprintf(answer, ANSWER_BYTES_MAX, "%d %" PRIu64 " %" PRIu64 " %" PRIu64 " %s", rc,
             result.events, result.letters, result.absent, rc == 0 ? "" : err.msg);
}

static void serve_message(struct control *c, struct str message,
                          const struct control_handlers *handlers, char answer[ANSWER_BYTES_MAX])
{
    struct err err = {0};
    answer[0] = '\0';
    if (str_starts(message, STR(RETRY)) || str_starts(message, STR(DROP))) {
        serve_letters(c, message, handlers, answer);
        return;
    }
    if (!str_starts(message, STR(FORGET)))
        err_set(&err, -EINVAL, 0, "the server does not know this command");
    else if (handlers->forget(handlers->self, str_slice(message, sizeof(FORGET) - 1, message.len),
                              &err) == 0)
        return;
    snprintf(answer, ANSWER_BYTES_MAX, "%s", err.msg);
}

void control_serve(struct control *c, const struct control_handlers *handlers)
{
    char answer[ANSWER_BYTES_MAX] = "";
    int fd = accept4(c->fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return; /* gone again */
    limit_wait(fd, CONTROL_WAIT_MS);
    ssize_t got = recv(fd, c->message, sizeof(c->message), MSG_TRUNC);
    if (got > 0) {
        /* What is longer than any command is none: its end was cut off. */
        const bool is_whole = (size_t)got <= sizeof(c->message);
        serve_message(c, (struct str){c->message, is_whole ? (size_t)got : 0}, handlers, answer);
        send(fd, answer, strlen(answer) + 1, MSG_NOSIGNAL);
    }
    close(fd);
}

static int exchange(int dir_fd, struct str message, char answer[ANSWER_BYTES_MAX])
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
        ssize_t got = recv(fd, answer, ANSWER_BYTES_MAX - 1, 0);
        rc = got > 0 ? 0 : got == 0 ? -ECONNRESET : -errno;
        answer[got > 0 ? got : 0] = '\0';
    }
    close(fd);
    return rc;
}

static int ask(const char *dir, struct str message, char answer[ANSWER_BYTES_MAX], struct err *err)
{
    int dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir_fd < 0)
        return err_set(err, -errno, 0, "cannot open %s: %s", dir, strerror(errno));
    int rc = exchange(dir_fd, message, answer);
    close(dir_fd);
    return rc == 0
               ? 0
               : err_set(err, rc, 0, "the server on %s does not answer: %s", dir, strerror(-rc));
}

int control_ask_forget(const char *dir, struct str id, struct err *err)
{
    char message[ANSWER_BYTES_MAX];
    char answer[ANSWER_BYTES_MAX] = "";
    int bytes = snprintf(message, sizeof(message), FORGET "%.*s", STR_ARG(id));
    if (bytes < 0 || (size_t)bytes >= sizeof(message))
        return err_set(err, -EINVAL, 0, "the id is too long");
    int rc = ask(dir, (struct str){message, (size_t)bytes}, answer, err);
    if (rc != 0)
        return rc;
    return answer[0] == '\0' ? 0 : err_set(err, -EINVAL, 0, "%s", answer);
}

static int read_answer(const char *answer, struct letters_result *result, struct err *err)
{
    int code;
    int text = 0;
    int read = sscanf(answer, "%d %" SCNu64 " %" SCNu64 " %" SCNu64 " %n", &code, &result->events,
                      &result->letters, &result->absent, &text);
    if (read == 4 && code <= 0)
        return code == 0 ? 0 : err_set(err, code, 0, "%s", answer + text);
    /* A server of an earlier version knows no such command. */
    *result = (struct letters_result){0};
    return err_set(err, -EINVAL, 0, "the running server answers: %s", answer);
}

int control_ask_letters(const char *dir, const struct letters_request *request,
                        struct letters_result *result, struct err *err)
{
    char answer[ANSWER_BYTES_MAX] = "";
    struct buf message;
    *result = (struct letters_result){0};
    buf_init(&message, MESSAGE_BYTES_MAX);
    if (request->deed == LETTERS_RETRY)
        buf_printf(&message, "retry %.*s", STR_ARG(request->destination));
    else
        buf_append(&message, STR("drop"));
    for (size_t i = 0; i < request->count; i++) {
        buf_putc(&message, ' ');
        buf_put_u64(&message, request->ids[i]);
    }
    int rc = message.failed ? err_set(err, -EINVAL, 0, "the command is too long")
                            : ask(dir, buf_str(&message), answer, err);
    buf_fini(&message);
    return rc == 0 ? read_answer(answer, result, err) : rc;
}
