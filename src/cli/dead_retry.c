/* dead retry, dead drop: dead letters sent again or thrown away, by the server that has the data
 * folder, or by ourselves when there is none. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "choice.h"
#include "commands.h"
#include "control.h"
#include "letters.h"

enum {
    PORTION_LETTERS = 1000, /* of one question to the server: what one progress step is */
    OUT_BYTES_MAX = 1024 * 1024,
};

struct change {
    const struct dead_change_args *args;
    enum letters_deed deed;
    const char *name; /* of the command, for what it says */
    struct config *config;
    char dir[4096];
    struct choice choice;
    uint64_t events; /* that the chosen letters are about */
    uint64_t unknown_count;
    struct buf unknown;  /* their numbers, with commas between */
    uint64_t refused;    /* letters that were asked for and stay */
    struct store *store; /* NULL: the server does it */
    struct journal *journal;
    struct dead *dead;
    struct letters_result total;
    int code;
};

static void note_failure(struct change *ch, int code)
{
    ch->code = code > ch->code ? code : ch->code;
}

static void close_data(struct change *ch)
{
    dead_close(ch->dead);
    journal_close(ch->journal);
    store_close(ch->store);
    ch->dead = NULL;
    ch->journal = NULL;
    ch->store = NULL;
}

/* Everything that the data folder holds, as it is now; one environment on a file in a process, so
 * it is closed again. */
static int read_letters(struct change *ch, struct err *err)
{
    const struct store_options options = {.dir = ch->dir, .read_only = true};
    int rc = store_open(&ch->store, &options, err);
    if (rc == 0)
        rc = dead_open(&ch->dead, ch->store, err);
    if (rc == 0) {
        rc = choice_read(&ch->choice, ch->dead);
        if (rc != 0)
            err_set(err, rc, 0, "dead letters cannot be read: %s", strerror(-rc));
    }
    close_data(ch);
    return rc;
}

static bool is_wanted(const struct change *ch, const struct choice_letter *letter)
{
    return ch->args->destination == NULL ||
           str_eq(ch->choice.owners[letter->owner], str_from(ch->args->destination));
}

static void choose_all(struct change *ch)
{
    for (size_t i = 0; i < ch->choice.count; i++)
        ch->choice.letters[i].is_chosen = is_wanted(ch, &ch->choice.letters[i]);
}

static bool read_id(const char *text, uint64_t *id)
{
    char *end;
    errno = 0;
    *id = strtoull(text, &end, 10);
    return errno == 0 && end != text && *end == '\0' && text[0] >= '0' && text[0] <= '9';
}

static void choose_one(struct change *ch, uint64_t id)
{
    struct choice_letter *letter = choice_find(&ch->choice, id);
    if (letter == NULL) {
        buf_printf(&ch->unknown, "%s%llu", ch->unknown_count++ == 0 ? "" : ",",
                   (unsigned long long)id);
        note_failure(ch, complain(EXIT_USER, "%s: there is no dead letter %llu", ch->name,
                                  (unsigned long long)id));
    } else if (!is_wanted(ch, letter)) {
        ch->refused++;
        note_failure(ch, complain(EXIT_USER, "%s: dead letter %llu is none of '%s'", ch->name,
                                  (unsigned long long)id, ch->args->destination));
    } else {
        letter->is_chosen = true;
    }
}

/* What was no event when it came, or kept none, cannot go again. */
static void refuse_letter(struct change *ch, const struct choice_letter *letter)
{
    unsigned long long id = letter->id;
    if (letter->owner == CHOICE_ON_ARRIVAL)
        note_failure(ch, complain(EXIT_USER,
                                  "%s: dead letter %llu was refused on arrival: what came was no "
                                  "event, so nothing can go again ('spelter dead show %llu' tells "
                                  "why); mend the sender, then 'spelter dead drop %llu'",
                                  ch->name, id, id, id));
    else
        note_failure(ch, complain(EXIT_USER,
                                  "%s: dead letter %llu kept no event that can go again ('spelter "
                                  "dead show %llu' shows what there is; 'dead drop' removes it)",
                                  ch->name, id, id));
}

/* Who asked for all is told once, and it is no mistake. */
static void tell_staying(struct change *ch)
{
    if (ch->args->all && ch->refused > 0)
        complain(EXIT_DONE,
                 "%s: %llu dead letter%s: refused on arrival, or without an event that can go "
                 "again; 'spelter dead list' tells which, 'spelter dead drop' removes them",
                 ch->name, (unsigned long long)ch->refused, ch->refused == 1 ? " stays" : "s stay");
}

static void take_out_staying(struct change *ch)
{
    struct choice *c = &ch->choice;
    for (size_t from = 0, end; from < c->count; from = end) {
        bool has_event = false;
        end = choice_event_end(c, from);
        if (!c->letters[from].is_chosen)
            continue;
        for (size_t i = from; i < end; i++)
            has_event |= c->letters[i].has_event;
        if (has_event && c->letters[from].owner != CHOICE_ON_ARRIVAL) {
            ch->events++;
            continue;
        }
        for (size_t i = from; i < end; i++)
            c->letters[i].is_chosen = false;
        ch->refused += end - from;
        if (!ch->args->all)
            refuse_letter(ch, &c->letters[from]);
    }
    tell_staying(ch);
}

static void choose(struct change *ch, const uint64_t *ids, size_t count)
{
    for (size_t i = 0; i < count; i++)
        choose_one(ch, ids[i]);
    if (ch->args->all)
        choose_all(ch);
    if (ch->deed == LETTERS_RETRY) {
        choice_group(&ch->choice);
        take_out_staying(ch);
    }
    choice_compact(&ch->choice);
}

/* By ourselves when nobody has the data, else the server that has it does it. */
static int open_data(struct change *ch, struct err *err)
{
    const struct store_options options = {
        .dir = ch->dir, .bytes_max = (uint64_t)config_values(ch->config)->journal.size_bytes};
    int rc = store_open(&ch->store, &options, err);
    if (rc == -EBUSY)
        return 0;
    if (rc == 0)
        rc = journal_open(&ch->journal, ch->store, err);
    if (rc == 0)
        rc = dead_open(&ch->dead, ch->store, err);
    return rc;
}

static int apply(struct change *ch, const struct letters_request *request, struct err *err)
{
    struct letters_result result = {0};
    const struct letters_options options = {
        .store = ch->store,
        .journal = ch->journal,
        .dead = ch->dead,
        .config = ch->config,
        .clock = clock_real(),
    };
    int rc = ch->store == NULL ? control_ask_letters(ch->dir, request, &result, err)
                               : letters_apply(&options, request, &result, err);
    ch->total.events += result.events;
    ch->total.letters += result.letters;
    ch->total.absent += result.absent;
    return rc;
}

/* What is left of an event that went with the portion before is only to be removed. */
static int change_portion(struct change *ch, size_t *from, struct err *err)
{
    const struct choice *c = &ch->choice;
    uint64_t ids[LETTERS_PORTION_MAX];
    struct letters_request request = {.deed = ch->deed, .ids = ids};
    bool is_rest = false;
    size_t end = c->count - *from > PORTION_LETTERS ? *from + PORTION_LETTERS : c->count;
    if (ch->deed == LETTERS_RETRY) {
        end = choice_portion_end(c, *from, PORTION_LETTERS, LETTERS_PORTION_MAX, &is_rest);
        request.deed = is_rest ? LETTERS_DROP : LETTERS_RETRY;
        request.destination = c->owners[c->letters[*from].owner];
    }
    for (size_t i = *from; i < end; i++)
        ids[request.count++] = c->letters[i].id;
    *from = end;
    return apply(ch, &request, err);
}

/* Behind a bar that is not full, so that what is said next begins a line. */
static void end_progress(void)
{
    if (isatty(STDERR_FILENO))
        fputc('\n', stderr);
}

/* A destination that refuses does not hold up the others; what the machine refuses does. */
static void change_all(struct change *ch)
{
    const struct choice *c = &ch->choice;
    const char *what = ch->deed == LETTERS_RETRY ? "sending" : "dropping";
    const bool is_long = c->count > PORTION_LETTERS;
    for (size_t from = 0; from < c->count;) {
        struct err err = {0};
        const uint32_t owner = c->letters[from].owner;
        if (is_long)
            show_progress(what, from, c->count);
        if (change_portion(ch, &from, &err) == 0) {
            if (is_long && from == c->count)
                show_progress(what, from, c->count);
            continue;
        }
        if (is_long)
            end_progress();
        int code = complain_err(&err);
        note_failure(ch, code);
        if (code != EXIT_USER)
            break;
        while (from < c->count && c->letters[from].owner == owner)
            from++;
    }
    ch->refused += c->count - ch->total.letters - ch->total.absent;
}

static bool is_confirmed(struct change *ch)
{
    const uint64_t letters = ch->choice.count;
    if (ch->args->yes)
        return true;
    if (ch->deed == LETTERS_DROP)
        note_failure(ch, complain(EXIT_USER,
                                  "%s: this removes %llu dead letter%s for good; --yes does it",
                                  ch->name, (unsigned long long)letters, letters == 1 ? "" : "s"));
    else if (ch->events > 1)
        note_failure(ch, complain(EXIT_USER,
                                  "%s: this sends %llu events of %llu dead letters again, also "
                                  "those of their objects that Braze has taken; --yes does it",
                                  ch->name, (unsigned long long)ch->events,
                                  (unsigned long long)letters));
    return ch->deed == LETTERS_RETRY && ch->events <= 1;
}

static void put_sentence(const struct change *ch, struct buf *out)
{
    const struct letters_result *t = &ch->total;
    if (ch->deed == LETTERS_RETRY)
        buf_printf(out, "%llu event%s sent again%s, ", (unsigned long long)t->events,
                   t->events == 1 ? " is" : "s are",
                   ch->store == NULL ? "" : " as soon as a server runs");
    buf_printf(out, "%llu dead letter%s gone.%s\n", (unsigned long long)t->letters,
               t->letters == 1 ? " is" : "s are",
               ch->deed == LETTERS_RETRY ? " Objects of theirs that Braze had taken go once more."
                                         : "");
    if (t->absent > 0)
        buf_printf(out, "%llu had gone meanwhile.\n", (unsigned long long)t->absent);
}

static int print_outcome(struct change *ch)
{
    struct buf out;
    buf_init(&out, OUT_BYTES_MAX);
    if (ch->args->json)
        buf_printf(&out, "{\"events\":%llu,\"letters\":%llu,\"refused\":%llu,\"unknown\":[%.*s]}\n",
                   (unsigned long long)ch->total.events, (unsigned long long)ch->total.letters,
                   (unsigned long long)ch->refused, STR_ARG(buf_str(&ch->unknown)));
    else if (ch->total.letters + ch->total.absent > 0)
        put_sentence(ch, &out);
    else if (ch->code == EXIT_DONE)
        buf_printf(&out, "No dead letters to %s.\n",
                   ch->deed == LETTERS_RETRY ? "send again" : "drop");
    note_failure(ch, print_out(&out));
    buf_fini(&out);
    return ch->code;
}

/* From the letters as they are to what became of them. */
static int change_letters(struct change *ch, const uint64_t *ids, size_t count)
{
    struct err err = {0};
    int rc = config_read(&ch->config, ch->args->config, &err);
    if (rc != 0)
        return complain_err(&err);
    snprintf(ch->dir, sizeof(ch->dir), "%.*s", STR_ARG(config_values(ch->config)->data));
    rc = read_letters(ch, &err);
    if (rc != 0)
        return complain_err(&err);
    choose(ch, ids, count);
    if (ch->choice.count > 0) {
        if (!is_confirmed(ch))
            return ch->code;
        rc = open_data(ch, &err);
        if (rc != 0)
            return complain_err(&err);
        change_all(ch);
    }
    return print_outcome(ch);
}

static int run(const struct dead_change_args *args, enum letters_deed deed, const char *name,
               int operand_count, char **operands)
{
    struct change ch = {.args = args, .deed = deed, .name = name};
    const size_t count = (size_t)operand_count;
    if (args->all == (count > 0))
        return complain(EXIT_USER,
                        args->all ? "%s: either ids or --all, not both"
                                  : "%s: ID... or --all is missing ('spelter dead list' shows the "
                                    "ids)",
                        name);
    uint64_t *ids = calloc(count + 1, sizeof(*ids));
    if (ids == NULL)
        return complain(EXIT_ENVIRONMENT, "out of memory");
    int code = EXIT_DONE;
    for (size_t i = 0; i < count && code == EXIT_DONE; i++)
        if (!read_id(operands[i], &ids[i]))
            code = complain(EXIT_USER, "%s: '%s' is no number; 'spelter dead list' shows the ids",
                            name, operands[i]);
    buf_init(&ch.unknown, OUT_BYTES_MAX);
    if (code == EXIT_DONE)
        code = change_letters(&ch, ids, count);
    close_data(&ch);
    choice_fini(&ch.choice);
    buf_fini(&ch.unknown);
    config_free(ch.config);
    free(ids);
    return code;
}

int dead_retry_run(const void *args, int operand_count, char **operands)
{
    return run(args, LETTERS_RETRY, "dead retry", operand_count, operands);
}

int dead_drop_run(const void *args, int operand_count, char **operands)
{
    return run(args, LETTERS_DROP, "dead drop", operand_count, operands);
}
