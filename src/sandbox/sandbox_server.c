#include "sandbox_server.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "http.h"
#include "text.h"

/* A request whose answer is ready, but has to wait: for the disk, or because a fault wants it late
 * or never. */
struct waiting {
    struct http_request *request;
    struct sandbox_answer answer;
    int64_t due_us; /* INT64_MAX: never */
    struct waiting *next;
};

/* A body of 4 MB of small values grows to many times its size when it is parsed and applied. */
enum { REQUEST_ARENA_BYTES_MAX = 1 << 30 };

struct sandbox_server {
    struct http_server *http;
    struct sandbox *sandbox;
    struct arena arena;    /* of the request in work; reset for each */
    struct waiting *ready; /* answers of this turn, newest first */
    struct waiting *late;  /* unsorted: faults are few */
    unsigned late_count;
    bool keeps;  /* on disk: answers wait for the commit */
    int disk_rc; /* the first commit that failed */
    atomic_bool stopping;
};

enum { HEADER_BYTES_MAX = 16 * 1024 };

/* Header text as libmicrohttpd wants it; what does not fit is left out. */
static size_t header_array(const struct sandbox_answer *answer, struct http_header *out, char *room,
                           size_t room_bytes)
{
    size_t count = 0;
    size_t used = 0;
    for (size_t i = 0; i < answer->header_count; i++) {
        const struct sandbox_header *header = &answer->headers[i];
        if (used + header->name.len + header->value.len + 2 > room_bytes)
            continue;
        out[count].name = room + used;
        memcpy(room + used, header->name.ptr, header->name.len);
        used += header->name.len;
        room[used++] = '\0';
        out[count].value = room + used;
        if (header->value.len > 0)
            memcpy(room + used, header->value.ptr, header->value.len);
        used += header->value.len;
        room[used++] = '\0';
        count++;
    }
    return count;
}

static void send_answer(struct http_request *request, struct sandbox_answer *answer)
{
    struct http_header headers[SANDBOX_HEADERS_MAX];
    char room[HEADER_BYTES_MAX];
    size_t count = header_array(answer, headers, room, sizeof(room));
    struct str body = buf_str(&answer->body);
    if (answer->fate == FATE_BREAK)
        http_break(request, answer->status, body, answer->break_bytes);
    else
        http_answer(request, answer->status, headers, count, body);
    buf_fini(&answer->body);
}

/* Header texts live in the arena of the request in work: an answer that waits takes them along. */
static bool keep_headers(struct sandbox_answer *answer, struct arena *a)
{
    for (size_t i = 0; i < answer->header_count; i++) {
        struct sandbox_header *header = &answer->headers[i];
        header->name = arena_copy(a, header->name);
        header->value = arena_copy(a, header->value);
        if (header->name.ptr == NULL || header->value.ptr == NULL)
            return false;
    }
    return true;
}

/* No memory to wait in: the client gets its answer at once. */
static void hold(struct sandbox_server *server, struct waiting **list, struct http_request *request,
                 struct sandbox_answer *answer, int64_t due_us)
{
    struct waiting *waiting = arena_alloc(http_arena(request), sizeof(*waiting));
    if (waiting == NULL || !keep_headers(answer, http_arena(request))) {
        answer->header_count = 0;
        send_answer(request, answer);
        return;
    }
    *waiting = (struct waiting){request, *answer, due_us, *list};
    *list = waiting;
    server->late_count += list == &server->late;
    http_set_user(request, waiting);
}

static void dispose(struct sandbox_server *server, struct http_request *request,
                    struct sandbox_answer *answer)
{
    bool never = answer->fate == FATE_HANG;
    if (server->late_count < SANDBOX_WAITING_MAX && (never || answer->delay_ms > 0))
        hold(server, &server->late, request, answer,
             never ? INT64_MAX : monotonic_us() + answer->delay_ms * 1000);
    else
        send_answer(request, answer);
}

static void on_request(void *self, struct http_request *request)
{
    struct sandbox_server *server = self;
    struct sandbox_request in = {
        .method = http_method(request),
        .path = http_path(request),
        .query = http_query_text(request),
        .body = http_body(request),
        .authorization = http_header(request, "Authorization"),
        .content_type = http_header(request, "Content-Type"),
    };
    struct sandbox_answer answer = {0};
    buf_init(&answer.body, SANDBOX_ANSWER_BYTES_MAX);
    arena_reset(&server->arena);
    sandbox_handle(server->sandbox, &in, &server->arena, &answer);
    if (server->keeps)
        hold(server, &server->ready, request, &answer, 0);
    else
        dispose(server, request, &answer);
}

static void on_refusal(void *self, enum http_refusal why, const char *text, struct arena *a,
                       unsigned *status, struct str *body)
{
    struct sandbox_server *server = self;
    struct sandbox_answer answer = {0};
    (void)why;
    (void)text;
    buf_init(&answer.body, SANDBOX_ANSWER_BYTES_MAX);
    sandbox_refuse(server->sandbox, *status, &answer);
    *status = answer.status;
    *body = arena_copy(a, buf_str(&answer.body));
    buf_fini(&answer.body);
}

/* At http_close only: the lists are not walked any more. */
static void on_gone(void *self, struct http_request *request)
{
    struct waiting *waiting = http_user(request);
    (void)self;
    if (waiting != NULL)
        buf_fini(&waiting->answer.body);
}

/* One commit for all requests of the turn. When it fails, none of them may claim success. */
static void answer_durable(struct sandbox_server *server)
{
    if (server->ready == NULL)
        return;
    int rc = sandbox_commit(server->sandbox);
    if (rc != 0)
        server->disk_rc = rc;
    while (server->ready != NULL) {
        struct waiting *waiting = server->ready;
        server->ready = waiting->next;
        struct http_request *request = waiting->request;
        struct sandbox_answer answer = waiting->answer;
        http_set_user(request, NULL);
        if (rc != 0)
            sandbox_refuse(server->sandbox, 500, &answer);
        dispose(server, request, &answer);
    }
}

static void answer_late(struct sandbox_server *server)
{
    int64_t now_us = server->late == NULL ? 0 : monotonic_us();
    for (struct waiting **link = &server->late; *link != NULL;) {
        struct waiting *waiting = *link;
        if (waiting->due_us > now_us) {
            link = &waiting->next;
            continue;
        }
        *link = waiting->next;
        server->late_count--;
        struct http_request *request = waiting->request;
        struct sandbox_answer answer = waiting->answer;
        http_set_user(request, NULL);
        send_answer(request, &answer);
    }
}

static int ms_until_due(const struct sandbox_server *server)
{
    int64_t due_us = INT64_MAX;
    for (const struct waiting *w = server->late; w != NULL; w = w->next)
        due_us = w->due_us < due_us ? w->due_us : due_us;
    if (due_us == INT64_MAX)
        return -1;
    int64_t left_us = due_us - monotonic_us();
    return left_us <= 0 ? 0 : (int)((left_us + 999) / 1000);
}

int sandbox_server_run(struct sandbox_server *server)
{
    while (!atomic_load(&server->stopping) && server->disk_rc == 0) {
        http_set_read_rate(server->http, sandbox_read_rate(server->sandbox));
        http_poll(server->http, ms_until_due(server)); /* requests are carried out in here */
        answer_durable(server);                        /* before any of their answers leaves */
        answer_late(server);
    }
    /* What was acknowledged is carried out before the end. */
    sandbox_settle(server->sandbox, true);
    int rc = sandbox_commit(server->sandbox);
    return server->disk_rc != 0 ? server->disk_rc : rc;
}

void sandbox_server_stop(struct sandbox_server *server)
{
    atomic_store(&server->stopping, true);
    http_wake(server->http);
}

int sandbox_server_open(struct sandbox_server **out, struct str listen,
                        const struct sandbox_options *options, struct err *err)
{
    struct sandbox_server *server = calloc(1, sizeof(*server));
    if (server == NULL)
        return err_set(err, -ENOMEM, 0, "no memory");
    server->keeps = options->data_dir != NULL;
    arena_init(&server->arena, REQUEST_ARENA_BYTES_MAX);
    struct http_options http = {
        .listen = listen,
        .body_bytes_max = SANDBOX_BODY_BYTES_MAX,
        .inflated_bytes_max = SANDBOX_BODY_BYTES_MAX,
        .memory_bytes_max = SANDBOX_MEMORY_BYTES_MAX,
        .connections_max = SANDBOX_CONNECTIONS_MAX,
        .idle_timeout_s = SANDBOX_IDLE_TIMEOUT_S,
        .on_request = on_request,
        .on_refusal = on_refusal,
        .on_gone = on_gone,
        .self = server,
    };
    int rc = sandbox_open(&server->sandbox, options, err);
    if (rc == 0)
        rc = http_open(&server->http, &http, err);
    if (rc != 0) {
        sandbox_server_close(server);
        return rc;
    }
    *out = server;
    return 0;
}

const char *sandbox_server_address(const struct sandbox_server *server)
{
    return http_address(server->http);
}

struct sandbox *sandbox_server_sandbox(struct sandbox_server *server)
{
    return server->sandbox;
}

void sandbox_server_close(struct sandbox_server *server)
{
    if (server == NULL)
        return;
    http_close(server->http);
    sandbox_close(server->sandbox);
    arena_fini(&server->arena);
    free(server);
}
