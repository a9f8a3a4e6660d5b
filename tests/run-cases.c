/*
 * run-cases: the program's answers in the case format of tests/differential/oracle/oracle.js, whose
 * head describes it.
 *
 *     run-cases < cases.ndjson > results.ndjson    one result a case, in order
 *     run-cases --bench N < cases.ndjson           N rounds over the cases in one thread: events
 * per second
 *
 * A round of a bench is what a server does with an event: parse its text, work, write the bodies of
 * the requests.
 */
#include "run-cases.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "fql.h"
#include "mapping.h"

enum {
    LINE_BYTES_MAX = 64 << 20,
    CASE_BYTES_MAX = 1 << 30, /* the arena of one case */
    WARM_UP_ROUNDS = 300,     /* as the reference's bench has */
};

typedef struct jv run_case(struct case_slot *slot, struct jv test, struct jv input,
                           struct arena *a);

struct prepared {
    struct jv test;
    run_case *run;
    struct case_slot slot;
    struct jv input;       /* its event, events or payload */
    struct str input_text; /* the same as JSON */
    uint32_t events;
};

static struct jv object_of_one(struct arena *a, struct str key, struct jv value)
{
    struct jv_builder b;
    jv_object_begin(&b, a, 1);
    jv_object_put(&b, key, value);
    return jv_object_end(&b);
}

struct jv case_refused(struct arena *a, const char *why)
{
    return object_of_one(a, STR("refused"), jv_string(arena_copy(a, str_from(why))));
}

struct jv case_error(struct arena *a, struct jv requests, struct str name, struct jv code,
                     struct jv status, struct str message)
{
    struct jv_builder error;
    struct jv_builder result;
    jv_object_begin(&error, a, 4);
    jv_object_put(&error, STR("name"), jv_string(name));
    jv_object_put(&error, STR("code"), code);
    jv_object_put(&error, STR("status"), status);
    jv_object_put(&error, STR("message"), jv_string(message));
    jv_object_begin(&result, a, 2);
    jv_object_put(&result, STR("requests"), requests);
    jv_object_put(&result, STR("error"), jv_object_end(&error));
    return jv_object_end(&result);
}

static struct jv thrown_error(struct arena *a, struct thrown thrown)
{
    return case_error(a, (struct jv){.type = JV_ARRAY}, thrown.name, jv_undefined(), jv_undefined(),
                      thrown.message);
}

static void free_mapping(void *kept)
{
    mapping_free(kept);
}

static struct jv run_transform(struct case_slot *slot, struct jv test, struct jv input,
                               struct arena *a)
{
    struct err err = {0};
    struct thrown thrown = {STR(""), STR("")};
    struct mapping *mapping = slot->kept;
    struct jv value;
    int rc = 0;
    if (input.type != JV_OBJECT && input.type != JV_UNDEFINED) { /* seen before the mapping is */
        struct jv nothing = (struct jv){.type = JV_OBJECT};
        rc = mapping_compile_or_throw(&mapping, nothing, a, &thrown, &err);
        slot->kept = mapping;
        slot->free = free_mapping;
    } else if (mapping == NULL) {
        rc = mapping_compile_or_throw(&mapping, jv_get(test, STR("mapping")), a, &thrown, &err);
        slot->kept = mapping;
        slot->free = free_mapping;
    }
    if (rc == 0)
        rc = mapping_run_or_throw(mapping, input, a, &value, &thrown, &err);
    if (rc == -EINVAL)
        return thrown_error(a, thrown);
    return rc != 0 ? case_refused(a, err.msg) : object_of_one(a, STR("value"), value);
}

static void free_fql(void *kept)
{
    fql_free(kept);
}

static struct jv run_fql(struct case_slot *slot, struct jv test, struct jv input, struct arena *a)
{
    struct err err = {0};
    struct fql *fql = slot->kept;
    struct jv_builder b;
    if (fql == NULL) {
        /* What is no text has no tokens to the reference. */
        int rc = fql_compile(&fql, jv_str(jv_get(test, STR("subscribe"))), &err);
        if (rc == -EINVAL)
            return object_of_one(
                a, STR("error"),
                object_of_one(a, STR("message"), jv_string(arena_copy(a, str_from(err.msg)))));
        if (rc != 0)
            return case_refused(a, err.msg);
        slot->kept = fql;
        slot->free = free_fql;
    }
    const char *why;
    bool is_match = fql_match_or_throw(fql, input, &why);
    if (why != NULL)
        return thrown_error(a, (struct thrown){STR("TypeError"), str_from(why)});
    jv_object_begin(&b, a, 2);
    jv_object_put(&b, STR("value"), jv_bool(is_match));
    jv_object_put(&b, STR("ast"), fql_ast(fql, a));
    return jv_object_end(&b);
}

static struct jv run_unknown(struct case_slot *slot, struct jv test, struct jv input,
                             struct arena *a)
{
    (void)slot;
    (void)test;
    (void)input;
    return case_refused(a, "no such op");
}

/* clang-format off */
static const struct {
    struct str op;
    run_case *run;
    struct str input;
} ops[] = {
    {STR_INIT("transform"), run_transform,   STR_INIT("payload")},
    {STR_INIT("fql"),       run_fql,         STR_INIT("event")},
    {STR_INIT("action"),    run_action_case, STR_INIT("event")},
    {STR_INIT("batch"),     run_action_case, STR_INIT("events")},
    {STR_INIT("event"),     run_action_case, STR_INIT("event")},
    {STR_INIT("defaults"),  run_action_case, STR_INIT("event")},
    {STR_INIT(""),          run_unknown,     STR_INIT("event")},
};
/* clang-format on */

/* The reference runner copies events, mappings and settings by way of JSON, which makes null of a
 * number beyond a double's range, and 0 of -0. */
static int copy_as_json(struct jv *test, struct arena *a, struct err *err)
{
    struct buf text;
    buf_init(&text, LINE_BYTES_MAX);
    jv_write(&text, *test);
    int rc = text.failed ? -ENOMEM : jv_parse(test, a, buf_str(&text), JV_JAVASCRIPT, err);
    buf_fini(&text);
    return rc;
}

static int prepare(struct prepared *p, struct str line, struct arena *a, struct err *err)
{
    *p = (struct prepared){0};
    int rc = jv_parse(&p->test, a, line, JV_JAVASCRIPT, err);
    struct str op = jv_str(jv_get(p->test, STR("op")));
    if (rc == 0 && !str_eq(op, STR("fql")))
        rc = copy_as_json(&p->test, a, err);
    if (rc != 0)
        return rc;
    size_t i = 0;
    while (i + 1 < countof(ops) && !str_eq(ops[i].op, op))
        i++;
    p->run = ops[i].run;
    p->input = jv_get(p->test, ops[i].input);
    p->events = p->input.type == JV_ARRAY ? p->input.len : 1;
    return 0;
}

static void release(struct prepared *p)
{
    if (p->slot.free != NULL)
        p->slot.free(p->slot.kept);
    p->slot = (struct case_slot){0};
}

static int read_line(char **line, size_t *room, struct str *text)
{
    ssize_t bytes = getline(line, room, stdin);
    if (bytes < 0)
        return 0;
    *text = str_trim((struct str){*line, (size_t)bytes});
    return 1;
}

static int run_all(void)
{
    struct arena arena;
    struct buf out;
    char *line = NULL;
    size_t room = 0;
    struct str text;
    arena_init(&arena, CASE_BYTES_MAX);
    buf_init(&out, LINE_BYTES_MAX);
    while (read_line(&line, &room, &text)) {
        struct prepared p;
        struct err err = {0};
        if (text.len == 0)
            continue;
        int rc = prepare(&p, text, &arena, &err);
        struct jv result =
            rc == 0 ? p.run(&p.slot, p.test, p.input, &arena) : case_refused(&arena, err.msg);
        jv_write(&out, result);
        release(&p);
        if (out.failed || result.type != JV_OBJECT) {
            buf_reset(&out);
            arena_reset(&arena);
            jv_write(&out, case_refused(&arena, "a result too large for a line or a case"));
        }
        buf_putc(&out, '\n');
        fwrite(out.ptr, 1, out.len, stdout);
        buf_reset(&out);
        arena_reset(&arena);
    }
    free(line);
    buf_fini(&out);
    arena_fini(&arena);
    return ferror(stdout) != 0;
}

static uint64_t run_rounds(struct prepared *cases, size_t count, unsigned long rounds)
{
    struct arena arena;
    struct buf out;
    uint64_t events = 0;
    arena_init(&arena, CASE_BYTES_MAX);
    buf_init(&out, LINE_BYTES_MAX);
    size_t next = 0;
    for (unsigned long i = 0; i < rounds; i++) {
        struct prepared *p = &cases[next];
        next = next + 1 == count ? 0 : next + 1;
        struct jv input = p->input;
        if (p->input_text.len > 0 &&
            jv_parse(&input, &arena, p->input_text, JV_JAVASCRIPT, NULL) != 0)
            abort(); /* we wrote it */
        p->slot.outgoing = &out;
        struct jv value = p->run(&p->slot, p->test, input, &arena);
        if (value.type != JV_UNDEFINED) /* of an op that sends nothing */
            jv_write(&out, value);
        events += p->events;
        buf_reset(&out);
        arena_reset(&arena);
    }
    buf_fini(&out);
    arena_fini(&arena);
    return events;
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int read_cases(struct prepared **cases, size_t *count, struct arena *a)
{
    char *line = NULL;
    size_t room = 0;
    struct str text;
    struct buf input;
    int rc = 0;
    *cases = NULL;
    *count = 0;
    buf_init(&input, LINE_BYTES_MAX);
    while (rc == 0 && read_line(&line, &room, &text)) {
        struct err err = {0};
        if (text.len == 0)
            continue;
        struct prepared *grown = realloc(*cases, (*count + 1) * sizeof(**cases));
        if (grown == NULL) {
            rc = -ENOMEM;
            break;
        }
        *cases = grown;
        struct prepared *p = &grown[*count];
        rc = prepare(p, arena_copy(a, text), a, &err);
        if (rc != 0) {
            fprintf(stderr, "run-cases: case %zu: %s\n", *count + 1, err.msg);
            break;
        }
        buf_reset(&input);
        if (p->input.type != JV_UNDEFINED)
            jv_write(&input, p->input);
        p->input_text = arena_copy(a, buf_str(&input));
        ++*count;
    }
    buf_fini(&input);
    free(line);
    return rc;
}

static int bench(unsigned long rounds)
{
    struct arena arena;
    struct prepared *cases;
    size_t count;
    arena_init(&arena, CASE_BYTES_MAX);
    int rc = read_cases(&cases, &count, &arena);
    if (rc == 0 && count == 0)
        fputs("run-cases: no case to run\n", stderr);
    if (rc == 0 && count > 0) {
        (void)run_rounds(cases, count, WARM_UP_ROUNDS);
        double start = now_s();
        uint64_t events = run_rounds(cases, count, rounds);
        double seconds = now_s() - start;
        printf("{\"events\":%llu,\"seconds\":%.9g,\"events_per_second\":%.0f}\n",
               (unsigned long long)events, seconds, (double)events / seconds);
    }
    for (size_t i = 0; i < count; i++)
        release(&cases[i]);
    free(cases);
    arena_fini(&arena);
    return rc != 0 || count == 0;
}

int main(int argc, char **argv)
{
    if (argc == 1)
        return run_all();
    if (argc == 3 && strcmp(argv[1], "--bench") == 0 && strtoul(argv[2], NULL, 10) > 0)
        return bench(strtoul(argv[2], NULL, 10));
    fprintf(stderr, "usage: %s [--bench ROUNDS] < cases.ndjson\n", argv[0]);
    return 2;
}
