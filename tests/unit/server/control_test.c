#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "scratch.h"
#include "unit.h"

enum { ANSWER_MS = 10000 };

struct scene {
    struct scratch scratch;
    struct control *control;
    char asked[600]; /* what the server was asked to forget */
    unsigned questions;
};

static void open_scene(struct scene *s, const char *below)
{
    struct err err = {0};
    *s = (struct scene){0};
    scratch_init(&s->scratch);
    if (below[0] != '\0') {
        size_t len = strlen(s->scratch.path);
        snprintf(s->scratch.path + len, sizeof(s->scratch.path) - len, "/%s", below);
        assert_int_equal(mkdir(s->scratch.path, 0700), 0);
    }
    if (control_open(&s->control, s->scratch.path, &err) != 0)
        fail_msg("%s", err.msg);
}

static void close_scene(struct scene *s)
{
    control_close(s->control);
    scratch_fini(&s->scratch);
}

static int forget(void *self, struct str id, struct err *err)
{
    struct scene *s = self;
    snprintf(s->asked, sizeof(s->asked), "%.*s", STR_ARG(id));
    s->questions++;
    return str_eq(id, STR("kept")) ? err_set(err, -EBUSY, 0, "'kept' is kept") : 0;
}

static int letters(void *self, const struct letters_request *request, struct letters_result *result,
                   struct err *err)
{
    struct scene *s = self;
    int at =
        snprintf(s->asked, sizeof(s->asked), "%s %.*s",
                 request->deed == LETTERS_RETRY ? "retry" : "drop", STR_ARG(request->destination));
    for (size_t i = 0; i < request->count && i < 3; i++)
        at += snprintf(s->asked + at, sizeof(s->asked) - (size_t)at, " %llu",
                       (unsigned long long)request->ids[i]);
    s->questions++;
    *result = (struct letters_result){request->count / 2, request->count, 7};
    return str_eq(request->destination, STR("full"))
               ? err_set(err, -ENOSPC, 0, "no room, 5 %% left")
               : 0;
}

struct question {
    const char *dir;
    const char *id;
    struct err err;
    int rc;
};

static void *ask(void *self)
{
    struct question *q = self;
    q->rc = control_ask_forget(q->dir, str_from(q->id), &q->err);
    return NULL;
}

/* The server's side of one command. */
static void serve(struct scene *s)
{
    struct pollfd fd = {.fd = control_fd(s->control), .events = POLLIN};
    assert_int_equal(poll(&fd, 1, ANSWER_MS), 1);
    const struct control_handlers handlers = {.forget = forget, .letters = letters, .self = s};
    control_serve(s->control, &handlers);
}

/* `asker` asks on a thread of its own what is served here. */
static void converse(struct scene *s, void *(*asker)(void *), void *question)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, asker, question), 0);
    serve(s);
    pthread_join(thread, NULL);
}

static struct question exchange(struct scene *s, const char *id)
{
    struct question q = {.dir = s->scratch.path, .id = id};
    converse(s, ask, &q);
    return q;
}

static void a_command_is_heard_and_gets_the_servers_answer(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s, "");
    assert_int_equal(exchange(&s, "old").rc, 0);
    assert_string_equal(s.asked, "old");
    struct question refused = exchange(&s, "kept");
    assert_int_equal(refused.rc, -EINVAL);
    assert_string_equal(refused.err.msg, "'kept' is kept");
    close_scene(&s);
}

struct letters_question {
    const char *dir;
    struct letters_request request;
    struct letters_result result;
    struct err err;
    int rc;
};

static void *ask_letters(void *self)
{
    struct letters_question *q = self;
    q->rc = control_ask_letters(q->dir, &q->request, &q->result, &q->err);
    return NULL;
}

static struct letters_question exchange_letters(struct scene *s, enum letters_deed deed,
                                                const char *destination, const uint64_t *ids,
                                                size_t count)
{
    struct letters_question q = {.dir = s->scratch.path,
                                 .request = {deed, str_from(destination), ids, count}};
    converse(s, ask_letters, &q);
    return q;
}

static void letters_are_named_and_counted(void **state)
{
    (void)state;
    static uint64_t ids[LETTERS_PORTION_MAX];
    struct scene s;
    for (size_t i = 0; i < LETTERS_PORTION_MAX; i++)
        ids[i] = UINT64_MAX - i;
    open_scene(&s, "");
    struct letters_question q = exchange_letters(&s, LETTERS_RETRY, "braze", ids, 2);
    assert_int_equal(q.rc, 0);
    assert_string_equal(s.asked, "retry braze 18446744073709551615 18446744073709551614");
    assert_int_equal(q.result.events, 1);
    assert_int_equal(q.result.letters, 2);
    assert_int_equal(q.result.absent, 7);
    q = exchange_letters(&s, LETTERS_DROP, "", ids, LETTERS_PORTION_MAX);
    assert_int_equal(q.rc, 0);
    assert_true(str_starts(str_from(s.asked), STR("drop  1844")));
    assert_int_equal(q.result.letters, LETTERS_PORTION_MAX);
    q = exchange_letters(&s, LETTERS_RETRY, "full", ids, LETTERS_PORTION_MAX);
    assert_int_equal(q.rc, -ENOSPC);
    assert_string_equal(q.err.msg, "no room, 5 % left");
    assert_int_equal(q.result.letters, LETTERS_PORTION_MAX); /* what was done before */
    close_scene(&s);
}

static void a_long_path_is_no_hindrance(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s, "a-folder-whose-path-is-longer-than-the-hundred-and-eight-bytes-that-a-sockets-"
                   "address-has-room-for-on-linux");
    assert_int_equal(exchange(&s, "old").rc, 0);
    close_scene(&s);
}

static void where_no_server_hears_the_command_says_so(void **state)
{
    (void)state;
    struct scene s;
    struct err err = {0};
    open_scene(&s, "");
    control_close(s.control);
    s.control = NULL;
    assert_int_equal(control_ask_forget(s.scratch.path, STR("old"), &err), -ECONNREFUSED);
    assert_non_null(strstr(err.msg, s.scratch.path));
    assert_int_equal(control_ask_forget("/nowhere/at/all", STR("old"), &err), -ENOENT);
    close_scene(&s);
}

static void a_dead_servers_socket_is_replaced(void **state)
{
    (void)state;
    struct scene s;
    struct control *dead;
    open_scene(&s, "");
    dead = s.control; /* it ended without a word: its socket is still there */
    struct err err = {0};
    assert_int_equal(control_open(&s.control, s.scratch.path, &err), 0);
    assert_int_equal(exchange(&s, "old").rc, 0);
    control_close(dead);
    close_scene(&s);
}

static int connect_rudely(const struct scene *s)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%.80s/control", s->scratch.path);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static void rude_commands_change_nothing_and_do_not_stop_the_server(void **state)
{
    (void)state;
    struct scene s;
    char garbage[4096];
    memset(garbage, 0xFF, sizeof(garbage));
    const struct str messages[] = {
        STR("forget"), STR("frobnicate old"), STR("\n"), {garbage, sizeof(garbage)}};
    open_scene(&s, "");
    for (size_t i = 0; i < countof(messages); i++) {
        char answer[512];
        int fd = connect_rudely(&s);
        assert_int_equal(send(fd, messages[i].ptr, messages[i].len, 0), messages[i].len);
        serve(&s);
        ssize_t got = recv(fd, answer, sizeof(answer), 0);
        assert_true(got > 0 && answer[got - 1] == '\0');
        assert_string_equal(answer, "the server does not know this command");
        close(fd);
    }
    int gone = connect_rudely(&s);
    close(gone);
    serve(&s);
    int silent = connect_rudely(&s);
    serve(&s); /* returns although nothing comes */
    close(silent);
    assert_int_equal(s.questions, 0);
    assert_int_equal(exchange(&s, "old").rc, 0);
    close_scene(&s);
}

static void malformed_letters_change_nothing(void **state)
{
    (void)state;
    static char too_many[2 * LETTERS_PORTION_MAX + 16];
    static char too_long[200 * 1024];
    struct scene s;
    int at = snprintf(too_many, sizeof(too_many), "drop 1");
    for (size_t i = 0; i < LETTERS_PORTION_MAX; i++)
        at += snprintf(too_many + at, sizeof(too_many) - (size_t)at, " 1");
    memset(too_long, '1', sizeof(too_long));
    memcpy(too_long, "drop ", 5);
    const struct {
        struct str message;
        const char *answer;
    } rows[] = {
        {STR("retry "), "-22 0 0 0 the server cannot read this command"},
        {STR("retry braze"), "-22 0 0 0 the server cannot read this command"},
        {STR("retry braze "), "-22 0 0 0 the server cannot read this command"},
        {STR("retry  1"), "-22 0 0 0 the server cannot read this command"},
        {STR("retry braze  1"), "-22 0 0 0 the server cannot read this command"},
        {STR("retry braze 1 x"), "-22 0 0 0 the server cannot read this command"},
        {STR("retry braze -1"), "-22 0 0 0 the server cannot read this command"},
        {STR("drop "), "-22 0 0 0 the server cannot read this command"},
        {STR("drop 18446744073709551616"), "-22 0 0 0 the server cannot read this command"},
        {STR("drop 99999999999999999999"), "-22 0 0 0 the server cannot read this command"},
        {STR("drop 1\0"), "-22 0 0 0 the server cannot read this command"},
        {{too_many, (size_t)at}, "-22 0 0 0 the server cannot read this command"},
        {{too_long, 150 * 1024}, "the server does not know this command"},
        {STR("drop"), "the server does not know this command"},
    };
    open_scene(&s, "");
    for (size_t i = 0; i < countof(rows); i++) {
        char answer[512] = "";
        int fd = connect_rudely(&s);
        assert_int_equal(send(fd, rows[i].message.ptr, rows[i].message.len, 0),
                         rows[i].message.len);
        serve(&s);
        assert_true(recv(fd, answer, sizeof(answer), 0) > 0);
        if (strcmp(answer, rows[i].answer) != 0)
            fail_msg("row %zu got: %s", i, answer);
        close(fd);
    }
    assert_int_equal(s.questions, 0);
    close_scene(&s);
}

static void *answer_as_before(void *self)
{
    static const char answer[] = "the server does not know this command";
    char bytes[512];
    const struct scene *s = self;
    int fd = accept(control_fd(s->control), NULL, NULL);
    assert_true(recv(fd, bytes, sizeof(bytes), 0) > 0);
    send(fd, answer, sizeof(answer), 0);
    close(fd);
    return NULL;
}

static void a_server_of_an_earlier_version_is_quoted(void **state)
{
    (void)state;
    const uint64_t id = 1;
    const struct letters_request request = {LETTERS_DROP, STR(""), &id, 1};
    struct letters_result result;
    struct err err = {0};
    struct scene s;
    pthread_t thread;
    open_scene(&s, "");
    fcntl(control_fd(s.control), F_SETFL, 0); /* so that accept waits */
    assert_int_equal(pthread_create(&thread, NULL, answer_as_before, &s), 0);
    assert_int_equal(control_ask_letters(s.scratch.path, &request, &result, &err), -EINVAL);
    pthread_join(thread, NULL);
    assert_string_equal(err.msg,
                        "the running server answers: the server does not know this command");
    assert_int_equal(result.events + result.letters + result.absent, 0);
    close_scene(&s);
}

static void others_may_not_ask(void **state)
{
    (void)state;
    struct scene s;
    struct stat stat_of;
    char path[300];
    open_scene(&s, "");
    snprintf(path, sizeof(path), "%s/control", s.scratch.path);
    assert_int_equal(stat(path, &stat_of), 0);
    assert_int_equal(stat_of.st_mode & 0777, 0600);
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_is_heard_and_gets_the_servers_answer),
        cmocka_unit_test(letters_are_named_and_counted),
        cmocka_unit_test(a_long_path_is_no_hindrance),
        cmocka_unit_test(where_no_server_hears_the_command_says_so),
        cmocka_unit_test(a_dead_servers_socket_is_replaced),
        cmocka_unit_test(rude_commands_change_nothing_and_do_not_stop_the_server),
        cmocka_unit_test(malformed_letters_change_nothing),
        cmocka_unit_test(a_server_of_an_earlier_version_is_quoted),
        cmocka_unit_test(others_may_not_ask),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
