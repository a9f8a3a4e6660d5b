#include "world.h"

#include <errno.h>
#include <string.h>

#include "couriers.h"

#define SOURCES      "sources:\n  - {id: web, write_key: k}\n"
#define DESTINATIONS "destinations:\n"
/* Nobody listens on port 1, and nothing is sent: the journal stays empty. */
#define DESTINATION(id, endpoint, more)                                                            \
    "  - id: " id "\n    settings: {api_key: key, endpoint: \"http://127.0.0.1:" endpoint          \
    "\"}\n" more
#define BAD_MAPPING                                                                                \
    "    subscriptions:\n      - {name: n, enabled: true, subscribe: 'type = \"track\"', "         \
    "partnerAction: noSuchAction, mapping: {}}\n"

enum { MARK = 7 };

struct scene {
    struct world world;
    struct couriers *couriers;
    struct config *config; /* in use */
};

static struct config *parse(const char *text)
{
    struct config *config;
    struct err err = {0};
    if (config_parse(&config, "x.yaml", str_from(text), &err) != 0)
        fail_msg("%s", err.msg);
    return config;
}

static void open_scene(struct scene *s, const char *text)
{
    struct err err = {0};
    world_open(&s->world, STORE_BYTES_MIN * 4);
    const struct couriers_options options = {s->world.store, s->world.journal, s->world.dead};
    s->config = parse(text);
    if (couriers_open(&s->couriers, &options, s->config, &err) != 0)
        fail_msg("%s", err.msg);
}

static void close_scene(struct scene *s)
{
    couriers_stop(s->couriers, CLIENT_TIMEOUT_MS);
    couriers_close(s->couriers);
    config_free(s->config);
    world_close(&s->world);
}

/* As the server does it: the old config goes when the new one is in use. */
static int reload(struct scene *s, const char *text, struct err *err)
{
    struct config *next = parse(text);
    int rc = couriers_reload(s->couriers, s->config, next, err);
    config_free(rc == 0 ? s->config : next);
    s->config = rc == 0 ? next : s->config;
    return rc;
}

/* What runs, and whether it is the courier that was marked. */
static size_t count_running(struct scene *s)
{
    struct courier_row rows[8];
    size_t count = couriers_hold(s->couriers, rows, countof(rows));
    couriers_release(s->couriers);
    return count;
}

static struct counter *mark_of(struct scene *s, const char *id)
{
    struct courier_row rows[8];
    struct counter *mark = NULL;
    size_t count = couriers_hold(s->couriers, rows, countof(rows));
    for (size_t i = 0; i < count; i++)
        if (str_eq(rows[i].id, str_from(id)))
            mark = (struct counter *)(uintptr_t)&rows[i].metrics->dead;
    couriers_release(s->couriers);
    assert_non_null(mark);
    return mark;
}

static void mark(struct scene *s, const char *id)
{
    counter_add(mark_of(s, id), MARK);
}

static bool is_marked(struct scene *s, const char *id)
{
    return counter_get(mark_of(s, id)) == MARK;
}

static void only_enabled_destinations_get_a_courier(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s, SOURCES DESTINATIONS DESTINATION("eu", "1", "")
                       DESTINATION("us", "1", "    enabled: false\n"));
    assert_int_equal(count_running(&s), 1);
    assert_int_equal(counter_get(mark_of(&s, "eu")), 0);
    close_scene(&s);
}

static void a_reload_restarts_only_what_changed(void **state)
{
    (void)state;
    struct scene s;
    struct err err = {0};
    open_scene(&s, SOURCES DESTINATIONS DESTINATION("same", "1", "") DESTINATION("moves", "1", "")
                       DESTINATION("goes", "1", "") DESTINATION("sleeps", "1", ""));
    mark(&s, "same");
    mark(&s, "moves");
    assert_int_equal(reload(&s,
                            SOURCES DESTINATIONS DESTINATION("new", "1", "")
                                DESTINATION("moves", "2", "") DESTINATION("same", "1", "")
                                    DESTINATION("sleeps", "1", "    enabled: false\n"),
                            &err),
                     0);
    assert_int_equal(count_running(&s), 3);
    assert_true(is_marked(&s, "same"));
    assert_false(is_marked(&s, "moves"));
    assert_false(is_marked(&s, "new"));
    close_scene(&s);
}

static int64_t memory_limit_of_each(struct scene *s)
{
    struct courier_row rows[8];
    size_t count = couriers_hold(s->couriers, rows, countof(rows));
    assert_true(count > 0);
    int64_t bytes = gauge_get(&rows[0].metrics->memory_limit_bytes);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(gauge_get(&rows[i].metrics->memory_limit_bytes), bytes);
    couriers_release(s->couriers);
    return bytes;
}

static void destinations_share_one_budget_of_memory(void **state)
{
    (void)state;
    struct scene s;
    struct err err = {0};
    open_scene(&s, SOURCES DESTINATIONS DESTINATION("a", "1", ""));
    assert_int_equal(memory_limit_of_each(&s), COURIERS_MEMORY_EACH_MAX);
    assert_int_equal(reload(&s,
                            SOURCES DESTINATIONS DESTINATION("a", "1", "") DESTINATION("b", "1", "")
                                DESTINATION("c", "1", "") DESTINATION("d", "1", "")
                                    DESTINATION("e", "1", "    enabled: false\n"),
                            &err),
                     0);
    assert_int_equal(memory_limit_of_each(&s), COURIERS_MEMORY_BYTES / 4);
    assert_int_equal(reload(&s, SOURCES DESTINATIONS DESTINATION("d", "1", ""), &err), 0);
    assert_int_equal(memory_limit_of_each(&s), COURIERS_MEMORY_EACH_MAX);
    close_scene(&s);
}

static void a_reload_with_a_bad_mapping_changes_nothing(void **state)
{
    (void)state;
    struct scene s;
    struct err err = {0};
    open_scene(&s, SOURCES DESTINATIONS DESTINATION("eu", "1", "") DESTINATION("us", "1", ""));
    mark(&s, "eu");
    mark(&s, "us");
    assert_int_equal(reload(&s,
                            SOURCES DESTINATIONS DESTINATION("eu", "2", "")
                                DESTINATION("us", "1", BAD_MAPPING),
                            &err),
                     -EINVAL);
    assert_non_null(strstr(err.msg, "x.yaml:"));
    assert_int_equal(count_running(&s), 2);
    assert_true(is_marked(&s, "eu"));
    assert_true(is_marked(&s, "us"));
    close_scene(&s);
}

static void a_bad_mapping_opens_nothing(void **state)
{
    (void)state;
    struct scene s = {0};
    struct err err = {0};
    world_open(&s.world, STORE_BYTES_MIN * 4);
    const struct couriers_options options = {s.world.store, s.world.journal, s.world.dead};
    s.config =
        parse(SOURCES DESTINATIONS DESTINATION("eu", "1", "") DESTINATION("us", "1", BAD_MAPPING));
    assert_int_equal(couriers_open(&s.couriers, &options, s.config, &err), -EINVAL);
    assert_null(s.couriers);
    assert_non_null(strstr(err.msg, "x.yaml:"));
    config_free(s.config);
    world_close(&s.world);
}

static void notify_nobody(void *self)
{
    (void)self;
}

static void a_destination_that_could_not_start_does_with_the_next_reload(void **state)
{
    (void)state;
    struct scene s;
    struct err err = {0};
    static const char with_eu[] = SOURCES DESTINATIONS DESTINATION("eu", "1", "");
    open_scene(&s, SOURCES "destinations: []\n");
    while (journal_listen(s.world.journal, notify_nobody, &s) == 0)
        continue; /* until there is no place for another courier */
    assert_int_equal(reload(&s, with_eu, &err), 0);
    assert_int_equal(count_running(&s), 0);
    journal_unlisten(s.world.journal, &s);
    assert_int_equal(reload(&s, with_eu, &err), 0);
    assert_int_equal(count_running(&s), 1);
    close_scene(&s);
}

static void the_backlog_is_what_the_courier_has_not_settled(void **state)
{
    (void)state;
    struct scene s;
    struct courier_row row;
    open_scene(&s, SOURCES DESTINATIONS DESTINATION("eu", "1", ""));
    assert_int_equal(couriers_hold(s.couriers, &row, 1), 1);
    assert_int_equal(courier_row_backlog(&row, s.world.journal), 0);
    couriers_release(s.couriers);
    couriers_stop(s.couriers, CLIENT_TIMEOUT_MS);
    world_append(&s.world, 3, 10, 1000);
    assert_int_equal(couriers_hold(s.couriers, &row, 1), 1);
    assert_int_equal(courier_row_backlog(&row, s.world.journal), 3);
    couriers_release(s.couriers);
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_enabled_destinations_get_a_courier),
        cmocka_unit_test(a_reload_restarts_only_what_changed),
        cmocka_unit_test(destinations_share_one_budget_of_memory),
        cmocka_unit_test(a_reload_with_a_bad_mapping_changes_nothing),
        cmocka_unit_test(a_bad_mapping_opens_nothing),
        cmocka_unit_test(a_destination_that_could_not_start_does_with_the_next_reload),
        cmocka_unit_test(the_backlog_is_what_the_courier_has_not_settled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
