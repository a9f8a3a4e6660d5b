#include "places.h"

#include <errno.h>

#include "log.h"

const struct destination_section *places_find(const struct config *config, struct str id)
{
    const struct config_values *values = config_values(config);
    for (size_t i = 0; i < values->destination_count; i++)
        if (str_eq(values->destinations[i].id, id))
            return &values->destinations[i];
    return NULL;
}

struct search {
    struct str id;
    struct cursor_place *place;
    bool is_found;
};

static bool find_place(void *self, const struct cursor_place *place)
{
    struct search *search = self;
    search->is_found = str_eq(place->destination, search->id);
    if (search->is_found)
        *search->place = *place;
    return !search->is_found;
}

int places_look(struct store *store, struct str id, struct cursor_place *out, struct err *err)
{
    struct search search = {.id = id, .place = out};
    int rc = cursor_each(store, find_place, &search);
    if (rc != 0)
        return err_set(err, rc, 0, "the destinations' places cannot be read: %s", strerror(-rc));
    out->destination = id;
    return search.is_found ? 0 : -ENOENT;
}

uint64_t places_undelivered(const struct cursor_place *place, struct journal *journal)
{
    uint64_t first = journal_first(journal);
    uint64_t next = journal_next(journal);
    if (place->floor < first) /* it never read what was trimmed */
        return next - first;
    uint64_t settled = place->floor + place->settled_above;
    return settled < next ? next - settled : 0;
}

struct warning {
    struct journal *journal;
    const struct config *config;
};

static bool warn_place(void *self, const struct cursor_place *place)
{
    const struct warning *w = self;
    if (places_find(w->config, place->destination) == NULL) {
        unsigned long long waiting = places_undelivered(place, w->journal);
        log_warn("%.*s: not in the config, but its place in the journal is kept: %llu event%s "
                 "until it comes back or 'spelter destination forget %.*s' gives it up",
                 STR_ARG(place->destination), waiting, waiting == 1 ? " waits" : "s wait",
                 STR_ARG(place->destination));
    }
    return true;
}

void places_warn(struct store *store, struct journal *journal, const struct config *config)
{
    struct warning w = {journal, config};
    int rc = cursor_each(store, warn_place, &w);
    if (rc != 0)
        log_warn("the places of former destinations cannot be read: %s", strerror(-rc));
}

int places_forget(struct store *store, const struct config *config, struct str id, struct err *err)
{
    if (places_find(config, id) != NULL)
        return err_set(err, -EBUSY, 0,
                       "the running server still has '%.*s' in its config: take it out and reload "
                       "first (SIGHUP)",
                       STR_ARG(id));
    int rc = cursor_forget(store, id);
    return rc == 0
               ? 0
               : err_set(err, rc, 0, "'%.*s' cannot be forgotten: %s", STR_ARG(id), strerror(-rc));
}
