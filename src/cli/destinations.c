/* destination list, destination forget: who has a place in the journal, and giving one up. */
#include <errno.h>
#include <stdio.h>

#include "clock.h"
#include "commands.h"
#include "control.h"
#include "envelope.h"
#include "jv.h"
#include "places.h"

enum { LIST_BYTES_MAX = 4 * 1024 * 1024 };

struct opened {
    struct config *config;
    struct store *store;
    struct journal *journal;
    char dir[4096];
};

static void close_data(struct opened *o)
{
    journal_close(o->journal);
    store_close(o->store);
    o->journal = NULL;
    o->store = NULL;
}

static void close_all(struct opened *o)
{
    close_data(o);
    config_free(o->config);
}

static int open_all(struct opened *o, const char *config, struct err *err)
{
    *o = (struct opened){0};
    int rc = config_read(&o->config, config, err);
    if (rc != 0)
        return rc;
    snprintf(o->dir, sizeof(o->dir), "%.*s", STR_ARG(config_values(o->config)->data));
    const struct store_options options = {.dir = o->dir, .read_only = true};
    rc = store_open(&o->store, &options, err);
    return rc != 0 ? rc : journal_open(&o->journal, o->store, err);
}

static bool note_arrival(void *self, uint64_t position, struct str record)
{
    struct envelope envelope;
    (void)position;
    if (envelope_read(&envelope, record) == 0)
        *(int64_t *)self = envelope.received_at_ms;
    return false;
}

/* When the first event at its floor arrived; "-" when there is none. */
static void oldest_text(char out[ISO_TIME_BYTES + 1], const struct opened *o, uint64_t floor)
{
    int64_t received_at_ms = 0;
    uint64_t next;
    memset(out, 0, ISO_TIME_BYTES + 1);
    out[0] = '-';
    if (journal_read(o->journal, floor, 1, note_arrival, &received_at_ms, &next) == 0 &&
        received_at_ms != 0)
        iso_time(out, received_at_ms);
}

struct listing {
    const struct opened *opened;
    bool json;
    struct buf out;
    size_t count;
    size_t left; /* of them not in the config */
};

static const char *state_of(const struct opened *o, struct str id)
{
    const struct destination_section *section = places_find(o->config, id);
    if (section == NULL)
        return "not in the config";
    return section->enabled ? "enabled" : "disabled";
}

static bool list_place(void *self, const struct cursor_place *place)
{
    struct listing *l = self;
    char oldest[ISO_TIME_BYTES + 1];
    const char *state = state_of(l->opened, place->destination);
    unsigned long long undelivered =
        (unsigned long long)places_undelivered(place, l->opened->journal);
    oldest_text(oldest, l->opened, place->floor);
    l->left += places_find(l->opened->config, place->destination) == NULL;
    if (l->json) {
        buf_append(&l->out, STR("{\"id\":"));
        jv_write_string(&l->out, place->destination);
        buf_printf(&l->out, ",\"state\":\"%s\",\"undelivered\":%llu,\"oldest\":", state,
                   undelivered);
        if (oldest[0] == '-')
            buf_append(&l->out, STR("null"));
        else
            jv_write_string(&l->out, str_from(oldest));
        buf_append(&l->out, STR("}\n"));
    } else {
        if (l->count == 0)
            buf_printf(&l->out, "%-24s  %-17s  %12s  %s\n", "DESTINATION", "STATE", "UNDELIVERED",
                       "SINCE");
        buf_printf(&l->out, "%-24.*s  %-17s  %12llu  %s\n", STR_ARG(place->destination), state,
                   undelivered, oldest);
    }
    l->count++;
    return true;
}

int destination_list_run(const void *arguments, int operand_count, char **operands)
{
    const struct destination_args *args = arguments;
    struct opened o;
    struct err err = {0};
    struct listing l = {.opened = &o, .json = args->json};
    (void)operand_count;
    (void)operands;
    buf_init(&l.out, LIST_BYTES_MAX);
    int rc = open_all(&o, args->config, &err);
    if (rc == 0) {
        rc = cursor_each(o.store, list_place, &l);
        if (rc != 0)
            err_set(&err, rc, 0, "the destinations' places cannot be read: %s", strerror(-rc));
    }
    if (rc == 0 && !args->json && l.count == 0)
        buf_append(&l.out, STR("No destination has a place in the journal.\n"));
    if (rc == 0 && !args->json && l.left > 0)
        buf_append(&l.out, STR("'spelter destination forget ID' gives up the place of one that is "
                               "not in the config.\n"));
    int code = rc == 0 ? print_out(&l.out) : complain_err(&err);
    close_all(&o);
    buf_fini(&l.out);
    return code;
}

/* What speaks against it, before anything is changed. */
static int check_forget(const struct opened *o, const struct destination_args *args, struct str id,
                        uint64_t *undelivered, struct err *err)
{
    struct cursor_place place;
    if (places_find(o->config, id) != NULL)
        return err_set(err, -EINVAL, 0,
                       "destination forget: '%.*s' is in %s; take it out there first (and let the "
                       "server read it again, SIGHUP)",
                       STR_ARG(id), args->config);
    int rc = places_look(o->store, id, &place, err);
    if (rc == -ENOENT)
        return err_set(err, -EINVAL, 0,
                       "destination forget: '%.*s' has no place in the journal; 'spelter "
                       "destination list' shows who has",
                       STR_ARG(id));
    if (rc != 0)
        return rc;
    *undelivered = places_undelivered(&place, o->journal);
    if (*undelivered > 0 && !args->yes)
        return err_set(err, -EINVAL, 0,
                       "destination forget: '%.*s' has %llu undelivered event%s; --yes gives %s up",
                       STR_ARG(id), (unsigned long long)*undelivered, *undelivered == 1 ? "" : "s",
                       *undelivered == 1 ? "it" : "them");
    return 0;
}

/* By ourselves when nobody has the data, else the server that has it does it. */
static int forget(const struct opened *o, struct str id, struct err *err)
{
    const struct store_options options = {
        .dir = o->dir, .bytes_max = (uint64_t)config_values(o->config)->journal.size_bytes};
    struct store *store;
    int rc = store_open(&store, &options, err);
    if (rc == -EBUSY)
        return control_ask_forget(o->dir, id, err);
    if (rc != 0)
        return rc;
    rc = places_forget(store, o->config, id, err);
    store_close(store);
    return rc;
}

int destination_forget_run(const void *arguments, int operand_count, char **operands)
{
    const struct destination_args *args = arguments;
    struct opened o;
    struct err err = {0};
    const struct str id = str_from(operands[0]);
    uint64_t undelivered = 0;
    struct buf out;
    (void)operand_count;
    buf_init(&out, LIST_BYTES_MAX);
    int rc = open_all(&o, args->config, &err);
    if (rc == 0)
        rc = check_forget(&o, args, id, &undelivered, &err);
    if (rc == 0) {
        close_data(&o); /* one environment on a file in a process */
        rc = forget(&o, id, &err);
    }
    if (rc == 0)
        buf_printf(&out, "'%s' is forgotten; %llu undelivered event%s given up.\n", operands[0],
                   (unsigned long long)undelivered, undelivered == 1 ? " was" : "s were");
    int code = rc == 0 ? print_out(&out) : complain_err(&err);
    close_all(&o);
    buf_fini(&out);
    return code;
}
