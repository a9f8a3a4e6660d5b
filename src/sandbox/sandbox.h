/*
 * sandbox: a Braze of one's own. Requests in, answers as docs/spec/braze-rest-api.md says, profiles
 * that can be looked at.
 *
 *     bytes --(server.h, or a test)--> sandbox_handle --> answer, and what to do with it (send,
 * delay, break, hang)
 *                                          |
 *                                      sandbox_commit --> durable, when it keeps its profiles on
 * disk
 *
 * It knows nothing of sockets: time and the random seed are handed in, so a test can hold both
 * still. It shares no code with the rooms that send to Braze, because it judges them. One thread.
 */
#ifndef SPELTER_SANDBOX_SANDBOX_H
#define SPELTER_SANDBOX_SANDBOX_H

#include "arena.h"
#include "buf.h"
#include "clock.h"
#include "err.h"
#include "str.h"

struct sandbox;

#define SANDBOX_API_KEY_DEFAULT "sandbox-key"

enum {
    SANDBOX_HEADERS_MAX = 12,
    SANDBOX_BODY_BYTES_MAX = 4 * 1024 * 1024, /* docs/spec/braze-rest-api.md §1.3 */
    SANDBOX_ANSWER_BYTES_MAX = 64 << 20,      /* the longest export a client gets */
    SANDBOX_WORKSPACE_BYTES_MAX = 4 << 20,
};

struct sandbox_options {
    struct clock clock;
    uint64_t seed;        /* of ids and of faults with a probability */
    const char *data_dir; /* NULL: profiles live in memory */
    bool no_sync;   /* with data_dir: do not wait for the disk; a power cut may lose the newest */
    bool no_limits; /* rate limits are counted nowhere, announced nowhere and never refuse */
    struct str workspace; /* JSON text of workspace.h; empty: the default workspace */
    struct str api_key; /* one more key that may do everything; empty: SANDBOX_API_KEY_DEFAULT when
                           the workspace has none either */
    const char *const *choices; /* "name=value", see choices.h */
    size_t choice_count;
    const char *const *rates; /* "track=100/60", see rates.h */
    size_t rate_count;
    const char *const *faults; /* "status=503,times=3", see faults.h */
    size_t fault_count;
};

/* -EINVAL (an option; err says which and what was expected), -ENOMEM, and what disk_open gives. */
int sandbox_open(struct sandbox **out, const struct sandbox_options *options, struct err *err)
    __attribute__((warn_unused_result));
void sandbox_close(struct sandbox *s); /* commits nothing; NULL is fine */

struct sandbox_request {
    struct str method;
    struct str path;  /* percent-decoded, without the query */
    struct str query; /* all behind the '?', as sent */
    struct str body;
    struct str authorization; /* headers; empty when absent */
    struct str content_type;
};

struct sandbox_header {
    struct str name;
    struct str value;
};

/* What becomes of the answer: everything but SEND is a fault that somebody asked for. */
enum sandbox_fate {
    FATE_SEND,
    FATE_BREAK, /* send break_bytes of it, then reset the connection */
    FATE_HANG,  /* never answer */
};

struct sandbox_answer {
    unsigned status;
    struct sandbox_header headers[SANDBOX_HEADERS_MAX]; /* text in the request's arena */
    size_t header_count;
    struct buf body; /* JSON unless a header names another Content-Type */
    enum sandbox_fate fate;
    size_t break_bytes;
    int64_t delay_ms; /* before any of it leaves */
};

/* Fills *answer completely; its body was given to buf_init by the caller and is emptied first.
 * `arena` holds everything of this one request. Always gives a JSON answer, whatever came. */
void sandbox_handle(struct sandbox *s, const struct sandbox_request *request, struct arena *arena,
                    struct sandbox_answer *answer);

/* The answer to a request that is refused before it is whole: 400, 413 or 431. */
void sandbox_refuse(struct sandbox *s, unsigned status, struct sandbox_answer *answer);

/* Carries out what the choice consistency-ms holds back and is due, or all of it. sandbox_handle
 * does so first. */
void sandbox_settle(struct sandbox *s, bool all);

/* Makes every change since the last commit durable; answers should leave after it. Without
 * data_dir: 0 at once. */
int sandbox_commit(struct sandbox *s) __attribute__((warn_unused_result));

/* Bytes a second at which a fault wants the bodies of requests to be read; 0: as fast as they come.
 * Each sandbox_handle may change it. */
size_t sandbox_read_rate(const struct sandbox *s);

/* What the demo and tests poll. */
struct sandbox_counts {
    uint64_t requests;
    uint64_t profiles;
    uint64_t attributes; /* objects accepted */
    uint64_t events;
    uint64_t purchases;
    uint64_t objects_rejected;
    uint64_t data_points;
};
struct sandbox_counts sandbox_counts(const struct sandbox *s);

/* A key that works, for a person to copy. */
struct str sandbox_first_key(const struct sandbox *s);

#endif
