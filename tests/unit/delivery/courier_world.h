/*
 * courier_world: a courier with a real store and journal, and a Braze that a test scripts.
 *
 * Every object carries its user and a number, {"u":3,"n":17}, and some a second user, "v". The
 * Braze notes each object it accepted and checks that one user's numbers only grow from request to
 * request and within an array.
 */
#ifndef SPELTER_TESTS_COURIER_WORLD_H
#define SPELTER_TESTS_COURIER_WORLD_H

#include <stdatomic.h>

#include "courier.h"
#include "scratch.h"
#include "scripted_server.h"

enum { WORLD_OBJECTS_MAX = 20000, WORLD_USERS_MAX = 1001, WORLD_REQUEST_OBJECTS_MAX = 256 };

struct world_object {
    unsigned user;
    unsigned other; /* the second user; without one, the first again */
    unsigned number;
    struct str array;
    unsigned index;
};

/* A request as the script sees it. */
struct world_request {
    const struct scripted_request *http;
    unsigned ordinal; /* 0 for the first that arrived */
    struct world_object objects[WORLD_REQUEST_OBJECTS_MAX];
    unsigned object_count;
};

struct world {
    struct scratch scratch;
    struct store *store;
    struct journal *journal;
    struct dead *dead;
    struct destination *destination;
    struct scripted_server *server;
    struct courier *courier;
    struct courier_options options; /* change before world_start */
    unsigned numbers;               /* objects appended */
    unsigned first_user;            /* of those that world_append_many takes */

    /* Decides the answer; NULL: 201 for everything. Sets refused[n]
     * for objects it names in errors[]. */
    struct scripted_answer (*script)(struct world *w, const struct world_request *request);
    char body[16384]; /* for the script's answer */
    _Atomic bool is_fixed;
    _Atomic unsigned requests;
    unsigned accepted[WORLD_OBJECTS_MAX];
    bool refused[WORLD_OBJECTS_MAX];
    int64_t last[WORLD_USERS_MAX];
    unsigned disorders;
    unsigned objects_max; /* largest request */
    unsigned letters[WORLD_OBJECTS_MAX];
    unsigned letter_count;
    char letter[1024]; /* the last one's text, cut */
};

void world_open(struct world *w);
void world_close(struct world *w); /* stops the courier if it runs */

void world_start(struct world *w);
void world_stop(struct world *w, enum courier_stop how);

/* One durable event with one intent of `family`. */
void world_append(struct world *w, unsigned user, enum request_family family);
void world_append_many(struct world *w, unsigned events, unsigned users);
/* As many events of two users each. */
void world_append_pairs(struct world *w, unsigned events, unsigned users);
void world_append_json(struct world *w, const char *source, const char *json);
/* The same for this destination alone. */
void world_append_for(struct world *w, const char *source, const char *destination,
                      const char *json);

void world_wait_idle(struct world *w);
void world_read_letters(struct world *w);

/* Every object accepted once or in one letter, in order. */
void world_check(struct world *w);

#endif
