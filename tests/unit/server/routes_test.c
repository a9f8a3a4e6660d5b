#include "world.h"

#include <ctype.h>
#include <string.h>
#include <unistd.h>

#include "routes.h"

#define KEYED(members) "{\"writeKey\":\"k1\"," members "}"
#define TRACK(id)      KEYED("\"userId\":\"u\",\"event\":\"E\",\"messageId\":\"" id "\"")
#define ORIGIN         "Origin: https://shop.example\r\n"

struct scene {
    struct world world;
    struct couriers *couriers;
    struct config *config;
    struct routes *routes;
};

static void on_request(void *handler, struct http_request *request)
{
    struct scene *s = handler;
    routes_on_request(s->routes, request);
}

static struct sources *sources_of(const char *write_key)
{
    struct sources *sources;
    const struct source source = {STR("web"), str_from(write_key), true};
    assert_int_equal(sources_new(&sources, &source, 1), 0);
    return sources;
}

static int setup(void **state)
{
    static struct scene s;
    struct err err = {0};
    static const char text[] = "sources:\n  - {id: web, write_key: k1}\n"
                               "destinations:\n  - id: eu\n    settings: {api_key: a, "
                               "endpoint: \"http://127.0.0.1:1\"}\n";
    world_open(&s.world, STORE_BYTES_MIN * 4);
    world_open_http(&s.world, on_request, &s);
    if (config_parse(&s.config, "x.yaml", str_from(text), &err) != 0)
        fail_msg("%s", err.msg);
    const struct couriers_options couriers = {s.world.store, s.world.journal, s.world.dead};
    if (couriers_open(&s.couriers, &couriers, s.config, &err) != 0)
        fail_msg("%s", err.msg);
    couriers_stop(s.couriers, CLIENT_TIMEOUT_MS); /* it shows in the reports and sends nothing */
    const struct routes_options options = {
        .groups = s.world.groups,
        .dedupe = s.world.dedupe,
        .couriers = s.couriers,
        .store = s.world.store,
        .journal = s.world.journal,
        .clock = clock_real(),
        .segment = {.event_bytes_max = 2000, .batch_bytes_max = 20000},
    };
    assert_int_equal(routes_open(&s.routes, &options, sources_of("k1")), 0);
    *state = &s;
    return 0;
}

static int teardown(void **state)
{
    struct scene *s = *state;
    routes_close(s->routes);
    couriers_close(s->couriers);
    config_free(s->config);
    world_close(&s->world);
    return 0;
}

static void ask(struct scene *s, const char *line, const char *headers, const char *body,
                struct client_reply *reply)
{
    world_exchange(&s->world, line, headers, str_from(body), reply);
}

static bool has(const struct client_reply *reply, const char *text)
{
    return strstr(reply->text, text) != NULL;
}

static void a_preflight_allows_what_was_asked_for(void **state)
{
    struct client_reply reply;
    ask(*state, "OPTIONS /v1/t",
        ORIGIN "Access-Control-Request-Method: POST\r\n"
               "Access-Control-Request-Headers: content-type,x-sdk\r\n",
        "", &reply);
    assert_int_equal(reply.status, 204);
    assert_true(has(&reply, "Access-Control-Allow-Origin: https://shop.example\r\n"));
    assert_true(has(&reply, "Access-Control-Allow-Methods: GET, POST, OPTIONS\r\n"));
    assert_true(has(&reply, "Access-Control-Allow-Headers: content-type,x-sdk\r\n"));
    assert_true(has(&reply, "Access-Control-Max-Age: "));
}

static void a_browser_may_read_every_answer_and_a_server_gets_no_such_headers(void **state)
{
    static const struct {
        const char *body;
        int status;
    } rows[] = {{TRACK("m1"), 200}, {"not JSON", 400}};
    struct client_reply reply;
    for (size_t i = 0; i < countof(rows); i++) {
        ask(*state, "POST /v1/track", ORIGIN, rows[i].body, &reply);
        assert_int_equal(reply.status, rows[i].status);
        assert_true(has(&reply, "Access-Control-Allow-Origin: https://shop.example\r\n"));
        assert_true(has(&reply, "Access-Control-Allow-Credentials: true\r\n"));
        assert_true(has(&reply, "Vary: Origin\r\n"));
        ask(*state, "POST /v1/track", "", rows[i].body, &reply);
        assert_int_equal(reply.status, rows[i].status);
        assert_false(has(&reply, "Access-Control-"));
    }
}

static void every_event_route_keeps_its_event_once(void **state)
{
    static const char *const lines[] = {
        "POST /v1/track", "POST /v1/t",      "POST /v1/identify", "POST /v1/page",
        "POST /v1/group", "POST /v1/screen", "POST /v1/alias",
    };
    struct scene *s = *state;
    struct client_reply reply;
    for (size_t i = 0; i < countof(lines); i++)
        for (int copy = 0; copy < 2; copy++) {
            char body[256];
            snprintf(body, sizeof(body),
                     KEYED("\"userId\":\"u\",\"previousId\":\"p\",\"groupId\":\"g\","
                           "\"event\":\"E\",\"messageId\":\"m%zu\""),
                     i);
            ask(s, lines[i], "", body, &reply);
            assert_int_equal(reply.status, 200);
            assert_int_equal(journal_next(s->world.journal), i + 1);
        }
    const struct routes_metrics *m = routes_metrics(s->routes);
    assert_int_equal(counter_get(&m->requests), 2 * countof(lines));
    assert_int_equal(counter_get(&m->received), 2 * countof(lines));
    assert_int_equal(counter_get(&m->duplicates), countof(lines));
}

static void what_is_no_event_becomes_a_dead_letter(void **state)
{
    struct scene *s = *state;
    struct client_reply reply;
    uint64_t letters;
    ask(s, "POST /v1/batch", "",
        KEYED("\"batch\":[{\"type\":\"track\",\"event\":\"E\",\"userId\":\"u\"},"
              "{\"type\":\"track\",\"event\":\"E\"}]"),
        &reply);
    assert_int_equal(reply.status, 200);
    assert_int_equal(journal_next(s->world.journal), 1);
    assert_int_equal(dead_count(s->world.dead, &letters), 0);
    assert_int_equal(letters, 1);
    assert_int_equal(counter_get(&routes_metrics(s->routes)->discarded), 1);
}

static void new_sources_count_from_the_next_request_on(void **state)
{
    struct scene *s = *state;
    struct client_reply reply;
    ask(s, "POST /v1/track", "", TRACK("m1"), &reply);
    assert_int_equal(reply.status, 200);
    assert_int_equal(journal_next(s->world.journal), 1);
    routes_set_sources(s->routes, sources_of("k2"));
    routes_set_sources(s->routes, sources_of("k3"));
    ask(s, "POST /v1/track", "", TRACK("m2"), &reply);
    assert_int_equal(journal_next(s->world.journal), 1);
    assert_int_equal(counter_get(&routes_metrics(s->routes)->refused[SEGMENT_UNKNOWN_KEY]), 1);
}

static void health_is_503_while_nothing_can_be_kept(void **state)
{
    struct scene *s = *state;
    struct client_reply reply;
    ask(s, "GET /healthz", "", "", &reply);
    assert_int_equal(reply.status, 200);
    assert_true(has(&reply, "Content-Type: application/json\r\n"));
    assert_non_null(strstr(reply.body, "{\"status\":\"ok\""));
    assert_non_null(strstr(reply.body, "{\"id\":\"eu\",\"paused\":false,\"backlog\":0,"));

    world_append(&s->world, 2, 10, 1000);
    gauge_set((struct gauge *)(uintptr_t)&groups_metrics(s->world.groups)->full, 1);
    ask(s, "GET /healthz", "", "", &reply);
    assert_int_equal(reply.status, 503);
    assert_non_null(strstr(reply.body, "{\"status\":\"journal full\""));
    assert_non_null(strstr(reply.body, "\"backlog\":2,"));
}

static bool is_name(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)text[i]) && text[i] != '_')
            return false;
    return len > 0 && !isdigit((unsigned char)text[0]);
}

/* One line of Prometheus' text format; *name is the sample's, without its labels. */
static void check_line(char *line, char *family, size_t family_bytes)
{
    char name[128];
    char kind[32];
    if (sscanf(line, "# TYPE %127s %31s", name, kind) == 2) {
        assert_true(strcmp(kind, "counter") == 0 || strcmp(kind, "gauge") == 0 ||
                    strcmp(kind, "histogram") == 0);
        snprintf(family, family_bytes, "%s", name);
        return;
    }
    if (strncmp(line, "# HELP ", 7) == 0)
        return;
    size_t len = strcspn(line, "{ ");
    assert_true(is_name(line, len));
    assert_int_equal(strncmp(line, family, strlen(family)), 0); /* under its own heading */
    char *value = line + len;
    if (*value == '{') {
        char *end = strchr(value, '}');
        assert_non_null(end);
        assert_non_null(strstr(value, "=\""));
        assert_int_equal(end[-1], '"');
        value = end + 1;
    }
    assert_int_equal(*value, ' ');
    char *rest;
    (void)strtod(value + 1, &rest);
    assert_ptr_not_equal(rest, value + 1);
    assert_int_equal(*rest, '\0');
}

/* Longer than a client_reply, so it is read here. */
static char *read_all(int fd)
{
    static char text[256 * 1024];
    size_t len = 0;
    for (;;) {
        ssize_t n = client_recv(fd, text + len, sizeof(text) - len - 1);
        if (n <= 0)
            break;
        len += (size_t)n;
    }
    text[len] = '\0';
    return text;
}

static void metrics_are_text_that_prometheus_reads(void **state)
{
    struct scene *s = *state;
    struct client_reply reply;
    char family[128] = "none";
    unsigned lines = 0;
    ask(s, "POST /v1/track", "", TRACK("m1"), &reply);
    int fd = world_send(&s->world, "GET /metrics", "Connection: close\r\n", STR(""));
    while (!has_answer(fd))
        http_poll(s->world.http.server, CLIENT_TIMEOUT_MS);
    world_settle(&s->world);
    char *text = read_all(fd);
    close(fd);
    assert_non_null(strstr(text, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
    assert_non_null(strstr(text, "\nspelter_events_stored_total 1\n"));
    assert_non_null(strstr(text, "destination=\"eu\""));
    char *body = strstr(text, "\r\n\r\n") + 4;
    for (char *line = strtok(body, "\n"); line != NULL; line = strtok(NULL, "\n"), lines++)
        check_line(line, family, sizeof(family));
    assert_true(lines > 50);
}

static void a_refusal_is_what_sdks_take_as_final_unless_it_is_about_memory(void **state)
{
    static const struct {
        enum http_refusal why;
        unsigned status;
        unsigned expected;
        enum segment_refusal counted;
    } rows[] = {
        {HTTP_REFUSED_MALFORMED, 400, 400, SEGMENT_BAD_HTTP},
        {HTTP_REFUSED_HEADERS, 431, 400, SEGMENT_BAD_HTTP},
        {HTTP_REFUSED_TOO_LARGE, 413, 400, SEGMENT_TOO_LARGE},
        {HTTP_REFUSED_BUSY, 503, 503, SEGMENT_NO_MEMORY},
    };
    struct scene *s = *state;
    struct arena arena;
    arena_init(&arena, 4096);
    for (size_t i = 0; i < countof(rows); i++) {
        unsigned status = rows[i].status;
        struct str body = {0};
        uint64_t before = counter_get(&routes_metrics(s->routes)->refused[rows[i].counted]);
        routes_on_refusal(s->routes, rows[i].why, "because", &arena, &status, &body);
        assert_int_equal(status, rows[i].expected);
        assert_int_equal(counter_get(&routes_metrics(s->routes)->refused[rows[i].counted]),
                         before + 1);
        assert_non_null(memmem(body.ptr, body.len, "because", 7));
    }
    arena_fini(&arena);
}

int main(void)
{
#define IN_SCENE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        IN_SCENE(a_preflight_allows_what_was_asked_for),
        IN_SCENE(a_browser_may_read_every_answer_and_a_server_gets_no_such_headers),
        IN_SCENE(every_event_route_keeps_its_event_once),
        IN_SCENE(what_is_no_event_becomes_a_dead_letter),
        IN_SCENE(new_sources_count_from_the_next_request_on),
        IN_SCENE(health_is_503_while_nothing_can_be_kept),
        IN_SCENE(metrics_are_text_that_prometheus_reads),
        IN_SCENE(a_refusal_is_what_sdks_take_as_final_unless_it_is_about_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
