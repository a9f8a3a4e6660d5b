/*
 * harness: a sandbox whose clock stands still, and rows of "this request gets this answer and
 * leaves this profile".
 *
 * A request is "METHOD /path?query {json}". Profiles are compared with what GET
 * /sandbox/profiles/{id} shows: every member of the expectation must be there with an equal value;
 * an expected null means that the member is absent.
 */
#ifndef SPELTER_TESTS_SANDBOX_HARNESS_H
#define SPELTER_TESTS_SANDBOX_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "jv.h"
#include "sandbox.h"

/* 2026-01-05T10:00:03Z: inside a 3 s, a minute and an hour window */
#define HARNESS_NOW INT64_C(1767607203000)

enum { BEFORE_MAX = 6, HARNESS_ARENA_BYTES = 256 << 20 };

struct harness {
    struct sandbox *sandbox;
    int64_t now_ms;
    struct arena arena;
    struct sandbox_answer answer;
    struct str authorization;
    struct str content_type;
};

static inline int64_t harness_now(void *self)
{
    const int64_t *now_ms = self;
    return *now_ms;
}

static inline void harness_open(struct harness *h, struct sandbox_options options)
{
    struct err err = {0};
    *h = (struct harness){.now_ms = HARNESS_NOW,
                          .authorization = STR("Bearer " SANDBOX_API_KEY_DEFAULT),
                          .content_type = STR("application/json")};
    options.clock = (struct clock){harness_now, &h->now_ms};
    arena_init(&h->arena, HARNESS_ARENA_BYTES);
    buf_init(&h->answer.body, SANDBOX_ANSWER_BYTES_MAX);
    if (sandbox_open(&h->sandbox, &options, &err) != 0)
        fail_msg("sandbox_open: %s", err.msg);
}

static inline void harness_close(struct harness *h)
{
    sandbox_close(h->sandbox);
    buf_fini(&h->answer.body);
    arena_fini(&h->arena);
}

/* The answer's status; its body is in h->answer.body until the next call. */
static inline unsigned harness_call(struct harness *h, struct str line)
{
    size_t space = str_find(line, ' ');
    struct str rest = str_slice(line, space + 1, line.len);
    size_t end = str_find(rest, ' ');
    struct str target = str_slice(rest, 0, end);
    size_t mark = str_find(target, '?');
    struct sandbox_request request = {
        .method = str_slice(line, 0, space),
        .path = str_slice(target, 0, mark),
        .query = str_slice(target, mark + 1, target.len),
        .body = str_slice(rest, end + 1, rest.len),
        .authorization = h->authorization,
        .content_type = h->content_type,
    };
    arena_reset(&h->arena);
    sandbox_handle(h->sandbox, &request, &h->arena, &h->answer);
    return h->answer.status;
}

static inline struct str harness_header(const struct harness *h, const char *name)
{
    for (size_t i = 0; i < h->answer.header_count; i++)
        if (str_eq_nocase(h->answer.headers[i].name, str_from(name)))
            return h->answer.headers[i].value;
    return (struct str){NULL, 0};
}

static inline struct jv harness_parse(struct arena *a, struct str text)
{
    struct jv value;
    struct err err = {0};
    if (jv_parse(&value, a, text, JV_EXACT, &err) != 0)
        fail_msg("no JSON (%s): %.*s", err.msg, STR_ARG(text));
    return value;
}

/* NULL: everything expected is there; else the first name that differs. */
static inline const char *harness_differs(struct jv expected, struct jv actual)
{
    static char name[128];
    for (uint32_t i = 0; i < expected.len; i++) {
        struct jv want = expected.members[i].value;
        struct jv have = jv_get(actual, expected.members[i].key);
        if (want.type == JV_NULL ? have.type == JV_UNDEFINED : jv_equal(want, have))
            continue;
        snprintf(name, sizeof(name), "%.*s", STR_ARG(expected.members[i].key));
        return name;
    }
    return NULL;
}

/* The value under a path of member names, as in "profile.custom_attributes". */
static inline struct jv harness_at(struct jv value, const char *path)
{
    struct str rest = str_from(path);
    while (rest.len > 0) {
        size_t dot = str_find(rest, '.');
        value = jv_get(value, str_slice(rest, 0, dot));
        rest = str_slice(rest, dot + 1, rest.len);
    }
    return value;
}

struct row {
    const char *rule;               /* the spec's section, and the rule in words */
    const char *before[BEFORE_MAX]; /* requests that must succeed (2xx) */
    const char *request;
    unsigned status;
    const char *answer;  /* the whole body; NULL: any */
    const char *who;     /* whose profile is looked at afterwards; NULL: nobody's */
    const char *profile; /* members of its "profile"; NULL: there is no such profile */
    const char *custom;  /* members of its custom_attributes; NULL: any */
    const char *note;    /* a kind of note that the request leaves; NULL: any */
    const char *choice;  /* "name=value" for this row's sandbox */
};

static inline uint64_t harness_notes(struct harness *h, const char *kind)
{
    assert_int_equal(harness_call(h, STR("GET /sandbox/log?limit=1")), 200);
    struct jv counts = jv_get(harness_parse(&h->arena, buf_str(&h->answer.body)), STR("counts"));
    struct jv count = jv_get(counts, str_from(kind));
    if (count.type != JV_NUMBER)
        fail_msg("no note is called %s", kind);
    return (uint64_t)jv_as_double(count);
}

static inline void harness_check_profile(struct harness *h, const struct row *row)
{
    char line[1200];
    snprintf(line, sizeof(line), "GET /sandbox/profiles/%s", row->who);
    unsigned status = harness_call(h, str_from(line));
    if (status != (row->profile == NULL && row->custom == NULL ? 404 : 200))
        fail_msg("%s: profile %s: %u %.*s", row->rule, row->who, status,
                 STR_ARG(buf_str(&h->answer.body)));
    struct jv profile = jv_get(harness_parse(&h->arena, buf_str(&h->answer.body)), STR("profile"));
    const char *differs = NULL;
    if (row->profile != NULL)
        differs = harness_differs(harness_parse(&h->arena, str_from(row->profile)), profile);
    if (differs == NULL && row->custom != NULL)
        differs = harness_differs(harness_parse(&h->arena, str_from(row->custom)),
                                  jv_get(profile, STR("custom_attributes")));
    if (differs != NULL)
        fail_msg("%s: %s differs: %.*s", row->rule, differs, STR_ARG(buf_str(&h->answer.body)));
}

static inline void harness_row(const struct row *row, struct sandbox_options options)
{
    struct harness h;
    if (row->choice != NULL) {
        options.choices = &row->choice;
        options.choice_count = 1;
    }
    harness_open(&h, options);
    for (size_t i = 0; i < BEFORE_MAX && row->before[i] != NULL; i++) {
        h.now_ms++;
        if (harness_call(&h, str_from(row->before[i])) / 100 != 2)
            fail_msg("%s: before: %s: %.*s", row->rule, row->before[i],
                     STR_ARG(buf_str(&h.answer.body)));
    }
    uint64_t notes = row->note == NULL ? 0 : harness_notes(&h, row->note);
    h.now_ms = HARNESS_NOW + 10;
    unsigned status = harness_call(&h, str_from(row->request));
    struct str body = buf_str(&h.answer.body);
    if (status != row->status || (row->answer != NULL && !str_eq(body, str_from(row->answer))))
        fail_msg("%s: %u %.*s", row->rule, status, STR_ARG(body));
    if (row->note != NULL && harness_notes(&h, row->note) == notes)
        fail_msg("%s: no note of the kind %s", row->rule, row->note);
    if (row->who != NULL)
        harness_check_profile(&h, row);
    harness_close(&h);
}

static inline void harness_rows(const struct row *rows, size_t count,
                                struct sandbox_options options)
{
    for (size_t i = 0; i < count; i++)
        harness_row(&rows[i], options);
}

/* Short forms for rows. */
#define TRACK(json)      "POST /users/track " json
#define ATTRIBUTES(json) TRACK("{\"attributes\":[" json "]}")
#define EVENTS(json)     TRACK("{\"events\":[" json "]}")
#define PURCHASES(json)  TRACK("{\"purchases\":[" json "]}")
#define ONE_ATTRIBUTE    "{\"attributes_processed\":1,\"message\":\"success\"}"
#define ONE_EVENT        "{\"events_processed\":1,\"message\":\"success\"}"
#define ONE_PURCHASE     "{\"purchases_processed\":1,\"message\":\"success\"}"
#define REFUSED(text, array)                                                                       \
    "{\"message\":\"Valid data must be provided in the 'attributes', 'events', or 'purchases' "    \
    "fields.\","                                                                                   \
    "\"errors\":[{\"type\":\"" text "\",\"input_array\":\"" array "\",\"index\":0}]}"
#define T "\"time\":\"2026-01-05T10:00:00Z\""

#endif
