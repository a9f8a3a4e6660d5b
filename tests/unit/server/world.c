#include "world.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "envelope.h"

enum { DEDUPE_MESSAGES = 1000 };

void world_open(struct world *w, uint64_t store_bytes)
{
    struct err err = {0};
    *w = (struct world){0};
    scratch_init(&w->scratch);
    assert_string_not_equal(w->scratch.path, "");
    const struct store_options options = {.dir = w->scratch.path, .bytes_max = store_bytes};
    int rc = store_open(&w->store, &options, &err);
    if (rc == 0)
        rc = journal_open(&w->journal, w->store, &err);
    if (rc == 0)
        rc = dead_open(&w->dead, w->store, &err);
    if (rc == 0)
        rc = dedupe_open(&w->dedupe, w->store, DEDUPE_MESSAGES, clock_now_ms(clock_real()), &err);
    if (rc != 0)
        fail_msg("%s", err.msg);
}

struct append_job {
    struct store_job job;
    struct journal *journal;
    struct str record;
    size_t count;
};

static int apply_append(struct store_job *job, MDB_txn *txn)
{
    struct append_job *a = (struct append_job *)job;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < a->count; i++) {
        uint64_t position;
        rc = journal_append(a->journal, txn, &a->record, 1, &position);
    }
    return rc;
}

void world_append(struct world *w, size_t count, size_t bytes, int64_t received_at_ms)
{
    struct buf record;
    struct append_job append = {.job = {.apply = apply_append}, .journal = w->journal};
    buf_init(&record, bytes + ENVELOPE_HEAD_BYTES + SOURCE_ID_BYTES_MAX);
    envelope_write_head(&record, STR("web"), received_at_ms);
    for (size_t i = 0; i < bytes; i++)
        buf_append(&record, STR("x"));
    assert_false(record.failed);
    append.record = buf_str(&record);
    append.count = count;
    assert_int_equal(store_commit(w->store, &append.job), 0);
    journal_publish(w->journal);
    buf_fini(&record);
}

static void on_gone(void *self, struct http_request *request)
{
    struct world *w = self;
    group_forget(w->groups, request);
}

static void on_request(void *self, struct http_request *request)
{
    struct world *w = self;
    w->on_request(w->handler, request);
}

void world_open_http(struct world *w, void (*handle)(void *handler, struct http_request *request),
                     void *handler)
{
    struct err err = {0};
    struct http_options options = default_options();
    w->on_request = handle;
    w->handler = handler;
    options.on_request = on_request;
    options.on_gone = on_gone;
    options.self = w;
    if (http_open(&w->http.server, &options, &err) != 0)
        fail_msg("%s", err.msg);
    w->http.port = (uint16_t)atoi(strrchr(http_address(w->http.server), ':') + 1);
    const struct groups_options groups = {
        .store = w->store,
        .journal = w->journal,
        .dead = w->dead,
        .dedupe = w->dedupe,
        .http = w->http.server,
        .clock = clock_real(),
    };
    assert_int_equal(groups_open(&w->groups, &groups), 0);
}

void world_close(struct world *w)
{
    groups_close(w->groups);
    http_close(w->http.server);
    dedupe_close(w->dedupe);
    dead_close(w->dead);
    journal_close(w->journal);
    store_close(w->store);
    scratch_fini(&w->scratch);
}

static int apply_gate(struct store_job *job, MDB_txn *txn)
{
    struct world *w = (struct world *)((char *)job - offsetof(struct world, gate));
    (void)txn;
    sem_post(&w->gate_entered);
    sem_wait(&w->gate_opened);
    return 0;
}

static void on_gate_left(struct store_job *job, int rc)
{
    struct world *w = (struct world *)((char *)job - offsetof(struct world, gate));
    (void)rc;
    sem_post(&w->gate_left);
}

void world_shut_gate(struct world *w)
{
    sem_init(&w->gate_entered, 0, 0);
    sem_init(&w->gate_opened, 0, 0);
    sem_init(&w->gate_left, 0, 0);
    w->gate = (struct store_job){.apply = apply_gate, .done = on_gate_left};
    assert_int_equal(store_submit(w->store, &w->gate), 0);
    sem_wait(&w->gate_entered);
}

void world_open_gate(struct world *w)
{
    sem_post(&w->gate_opened);
    sem_wait(&w->gate_left);
    sem_destroy(&w->gate_left);
    sem_destroy(&w->gate_opened);
    sem_destroy(&w->gate_entered);
}

void world_await_waiting(struct world *w, int64_t count)
{
    while (gauge_get(&groups_metrics(w->groups)->waiting) < count)
        http_poll(w->http.server, CLIENT_TIMEOUT_MS);
}

void world_settle(struct world *w)
{
    while (!groups_idle(w->groups) || http_pending(w->http.server) > 0) {
        groups_submit(w->groups);
        http_poll(w->http.server, CLIENT_TIMEOUT_MS);
        groups_answer(w->groups);
    }
}

int world_send(struct world *w, const char *line, const char *headers, struct str body)
{
    char head[1024];
    int fd = client_open(&w->http);
    snprintf(head, sizeof(head), "%s HTTP/1.1\r\n" HOST "%sContent-Length: %zu\r\n\r\n", line,
             headers, body.len);
    client_send(fd, str_from(head));
    client_send(fd, body);
    return fd;
}

bool has_answer(int fd)
{
    char byte;
    return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
}

void world_exchange(struct world *w, const char *line, const char *headers, struct str body,
                    struct client_reply *reply)
{
    int fd = world_send(w, line, headers, body);
    while (!has_answer(fd)) {
        groups_submit(w->groups);
        http_poll(w->http.server, CLIENT_TIMEOUT_MS);
        groups_answer(w->groups);
    }
    world_settle(w);
    client_read(fd, reply);
    close(fd);
}
