/*
 * call: one request on its way through the sandbox, and the sandbox itself as its handlers see it.
 * For the files of this room only.
 */
#ifndef SPELTER_SANDBOX_CALL_H
#define SPELTER_SANDBOX_CALL_H

#include "choices.h"
#include "faults.h"
#include "names.h"
#include "notes.h"
#include "profiles.h"
#include "query.h"
#include "rates.h"
#include "recent.h"
#include "sandbox.h"
#include "workspace.h"

#define VALID_DATA_MESSAGE                                                                         \
    "Valid data must be provided in the 'attributes', 'events', or 'purchases' fields."

enum {
    ADMIN_ENTRIES_MAX = 50,  /* ids, aliases, recipients of one call (§10.1) */
    CALL_PARAMETERS_MAX = 2, /* {name} parts of a path */
    STRING_BYTES_MAX = 479,  /* names and string values (§2.13) */
    STRING_CHARACTERS_MAX = 255,
    DEPTH_MAX = 50, /* nesting of attributes, properties, catalog objects (§8.2) */
};

struct catalogs;
struct later;
struct states;

struct sandbox {
    struct clock clock;
    struct choices choices;
    bool no_limits;
    struct disk *disk; /* NULL: in memory */
    struct workspace *workspace;
    struct profiles *profiles;
    struct names *names;
    struct notes *notes;
    struct recent *recent;
    struct faults *faults;
    struct rates rates;
    struct catalogs *catalogs;
    struct states *states;
    struct later *later;
    struct sandbox_counts counts;
    uint64_t random;    /* of dispatch ids and request ids */
    struct buf scratch; /* for text that is measured or handed on within one function */
};

struct route;

struct call {
    struct sandbox *sandbox;
    const struct sandbox_request *request;
    const struct route *route;
    struct arena *arena;
    struct sandbox_answer *answer;
    uint64_t number; /* of the request */
    int64_t now_ms;
    struct jv body;    /* undefined when there is none */
    bool body_is_utf8; /* known to be: it parsed */
    struct query query;
    struct str parameters[CALL_PARAMETERS_MAX]; /* the {name} parts of the path */
    uint64_t points;                            /* data points so far */

    /* where in the body the work is: for notes */
    const char *array;
    uint32_t index;

    /* Only checking: nobody is found, nothing is stored or noted (see later.h). */
    bool is_rehearsal;

    struct jv_builder *results; /* of the synchronous track call; else NULL */
};

static inline long call_choice(const struct call *c, enum choice choice)
{
    return c->sandbox->choices.values[choice];
}

/* Ends the work on the call with this JSON body. */
void call_reply(struct call *c, unsigned status, struct jv body);

/* {"message": text} */
void call_message(struct call *c, unsigned status, const char *text);
void call_message_str(struct call *c, unsigned status, struct str text);

/* Adds {"message":"success"} to the builder and replies. */
void call_success(struct call *c, unsigned status, struct jv_builder *body);

/* Text must live as long as the request. */
void call_header(struct call *c, struct str name, struct str value);

/* Notes something the answer does not say. field: "" or the name inside the object. */
void call_note(struct call *c, enum note_kind kind, struct str field, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* 32 lower-case hex digits, different each time. */
struct str call_random_hex(struct call *c);

/* Short forms for building answers. */
static inline struct jv text_value(const char *text)
{
    return jv_string(str_from(text));
}

#endif
