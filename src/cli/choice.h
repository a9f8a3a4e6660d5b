/* choice: the dead letters that a command is about, read once, before anything is changed. */
#ifndef SPELTER_CLI_CHOICE_H
#define SPELTER_CLI_CHOICE_H

#include "arena.h"
#include "dead.h"

struct choice_letter {
    uint64_t id;
    uint64_t position; /* with the owner it tells whose letters are one event's */
    uint32_t owner;    /* in choice.owners */
    bool has_event;    /* that can be sent again */
    bool is_chosen;
};

struct choice {
    struct choice_letter *letters;
    size_t count;
    size_t letter_cap;
    struct str
        *owners; /* destinations; the first is the empty one, of what was refused on arrival */
    size_t owner_count;
    size_t owner_cap;
    struct arena names;
    struct arena scratch; /* one letter */
    bool failed;          /* for want of memory */
};

enum { CHOICE_ON_ARRIVAL = 0 };

/* All letters, by id; none is chosen. The caller calls choice_fini in any case. -ENOMEM and what
 * the store answers. */
int choice_read(struct choice *c, struct dead *dead) __attribute__((warn_unused_result));
void choice_fini(struct choice *c);

/* By id, as long as they stand in that order. NULL: there is none. */
struct choice_letter *choice_find(struct choice *c, uint64_t id);

/* By owner, then by their event's place in the journal; and whoever's event is chosen, is. */
void choice_group(struct choice *c);

/* The end of the letters of the event whose first one stands at `from`, once they are grouped. */
size_t choice_event_end(const struct choice *c, size_t from);

/* The end of a portion of whole events of one owner that begins at `from`: about `letters` of them,
 * at least one event's. An event with more than `letters_max` is cut; *is_rest tells that the first
 * letters of this one went with the portion before. Once they are grouped. */
size_t choice_portion_end(const struct choice *c, size_t from, size_t letters, size_t letters_max,
                          bool *is_rest);

/* Only the chosen ones stay, in their order. */
void choice_compact(struct choice *c);

#endif
