/* dead list, dead show: what was given up on, and why. Reads beside a running server. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"
#include "config.h"
#include "dead.h"
#include "jv.h"

enum { LETTER_ARENA_BYTES_MAX = 16 * 1024 * 1024, LIST_BYTES_MAX = 256 * 1024 * 1024 };

struct opened {
    struct config *config;
    struct store *store;
    struct dead *dead;
};

static void close_all(struct opened *o)
{
    dead_close(o->dead);
    store_close(o->store);
    config_free(o->config);
}

static int open_all(struct opened *o, const struct dead_args *args, struct err *err)
{
    char dir[4096];
    *o = (struct opened){0};
    if (args->data != NULL) {
        snprintf(dir, sizeof(dir), "%s", args->data);
    } else if (args->config != NULL) {
        int rc = config_read(&o->config, args->config, err);
        if (rc != 0)
            return rc;
        snprintf(dir, sizeof(dir), "%.*s", STR_ARG(config_values(o->config)->data));
    } else {
        return err_set(err, -EINVAL, 0, "dead: --config FILE or --data DIR is missing");
    }
    const struct store_options options = {.dir = dir, .read_only = true};
    int rc = store_open(&o->store, &options, err);
    if (rc == 0)
        rc = dead_open(&o->dead, o->store, err);
    return rc;
}

struct listing {
    const struct dead_args *args;
    struct arena arena;
    struct buf out;
    int64_t shown;
};

static struct str text_of(struct jv letter, struct str key, struct str absent)
{
    struct str text = jv_str(jv_get(letter, key));
    return text.len > 0 ? text : absent;
}

static void put_row(struct listing *l, uint64_t id, struct jv letter)
{
    struct str reason = text_of(letter, STR("reason"), STR("no reason was kept"));
    buf_printf(&l->out, "%8llu  %-24.*s  %-16.*s  %-36.*s  %.*s\n", (unsigned long long)id,
               STR_ARG(text_of(letter, STR("at"), STR("-"))),
               STR_ARG(text_of(letter, STR("destination"), STR("(ingest)"))),
               STR_ARG(text_of(letter, STR("message_id"), STR("-"))), STR_ARG(reason));
}

static bool list_letter(void *self, uint64_t id, struct str text)
{
    struct listing *l = self;
    struct jv letter;
    arena_reset(&l->arena);
    if (jv_parse(&letter, &l->arena, text, JV_EXACT, NULL) != 0)
        return true;
    struct str destination = jv_str(jv_get(letter, STR("destination")));
    if (l->args->destination != NULL && !str_eq(destination, str_from(l->args->destination)))
        return true;
    if (l->args->json) {
        buf_printf(&l->out, "{\"id\":%llu%s%.*s\n", (unsigned long long)id, text.len > 2 ? "," : "",
                   (int)(text.len - 1), text.ptr + 1);
    } else {
        if (l->shown == 0)
            buf_printf(&l->out, "%8s  %-24s  %-16s  %-36s  %s\n", "ID", "TIME", "DESTINATION",
                       "MESSAGE", "REASON");
        put_row(l, id, letter);
    }
    return ++l->shown < (l->args->limit > 0 ? l->args->limit : 100);
}

int dead_list_run(const void *arguments, int operand_count, char **operands)
{
    const struct dead_args *args = arguments;
    struct opened o;
    struct err err = {0};
    struct listing l = {.args = args};
    uint64_t total = 0;
    (void)operand_count;
    (void)operands;
    arena_init(&l.arena, LETTER_ARENA_BYTES_MAX);
    buf_init(&l.out, LIST_BYTES_MAX);
    int rc = open_all(&o, args, &err);
    if (rc == 0)
        rc = dead_count(o.dead, &total);
    if (rc == 0)
        rc = dead_each(o.dead, UINT64_MAX, true, list_letter, &l);
    if (rc != 0 && err.code == 0)
        err_set(&err, rc, 0, "dead letters cannot be read: %s", strerror(-rc));
    if (rc == 0 && !args->json && total == 0)
        buf_append(&l.out, STR("No dead letters.\n"));
    else if (rc == 0 && !args->json)
        buf_printf(&l.out,
                   "%lld of %llu shown, newest first. 'spelter dead show ID' shows one whole.\n",
                   (long long)l.shown, (unsigned long long)total);
    int code = rc == 0 ? print_out(&l.out) : complain_err(&err);
    close_all(&o);
    buf_fini(&l.out);
    arena_fini(&l.arena);
    return code;
}

struct search {
    uint64_t id;
    struct buf *out;
    bool found;
};

static bool show_letter(void *self, uint64_t id, struct str text)
{
    struct search *search = self;
    if (id == search->id) {
        search->found = true;
        buf_printf(search->out, "{\"id\":%llu%s%.*s\n", (unsigned long long)id,
                   text.len > 2 ? "," : "", (int)(text.len - 1), text.ptr + 1);
    }
    return false;
}

int dead_show_run(const void *arguments, int operand_count, char **operands)
{
    const struct dead_args *args = arguments;
    struct opened o;
    struct err err = {0};
    struct buf out;
    char *end;
    struct search search = {.id = strtoull(operands[0], &end, 10), .out = &out};
    (void)operand_count;
    if (*end != '\0' || end == operands[0])
        return complain(EXIT_USER,
                        "dead show: '%s' is no number; 'spelter dead list' shows the ids",
                        operands[0]);
    buf_init(&out, LIST_BYTES_MAX);
    int rc = open_all(&o, args, &err);
    if (rc == 0)
        rc = dead_each(o.dead, search.id, false, show_letter, &search);
    if (rc != 0 && err.code == 0)
        err_set(&err, rc, 0, "dead letters cannot be read: %s", strerror(-rc));
    int code;
    if (rc != 0)
        code = complain_err(&err);
    else if (!search.found)
        code = complain(EXIT_USER, "dead show: there is no dead letter %s", operands[0]);
    else
        code = print_out(&out);
    close_all(&o);
    buf_fini(&out);
    return code;
}
