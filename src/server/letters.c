#include "letters.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "bounds.h"
#include "cursor.h"
#include "envelope.h"
#include "places.h"

enum {
    LETTER_ARENA_BYTES_MAX = 64 * 1024 * 1024, /* a letter's text and its values */
    LETTER_TEXT_BYTES_MAX = 32 * 1024 * 1024,
    /* Events of one transaction: what fits beside LETTERS_COMMIT_BYTES is one more. */
    RECORDS_BYTES_MAX = 2 * LETTERS_COMMIT_BYTES,
};

static_assert((int)RECORDS_BYTES_MAX > (int)LETTERS_COMMIT_BYTES + (int)RECORD_BYTES_MAX,
              "one more event fits");

/* One transaction's work. */
struct work {
    struct store_job job;
    const struct letters_options *options;
    struct buf text; /* the records, one after the other */
    size_t ends[LETTERS_PORTION_MAX];
    struct str records[LETTERS_PORTION_MAX];
    size_t record_count;
    uint64_t ids[LETTERS_PORTION_MAX]; /* of the letters that go */
    size_t id_count;
    uint64_t absent;

    struct buf letter; /* the one that is looked at, and its values */
    struct arena arena;

    /* The event whose letters are being taken. */
    uint64_t position;
    bool is_open;   /* there is one */
    bool has_event; /* it is among the records */
};

static int apply(struct store_job *job, MDB_txn *txn)
{
    struct work *w = (struct work *)job;
    uint64_t first;
    int rc = 0;
    if (w->record_count > 0)
        rc = journal_append(w->options->journal, txn, w->records, w->record_count, &first);
    for (size_t i = 0; rc == 0 && i < w->id_count; i++)
        rc = dead_remove(w->options->dead, txn, w->ids[i]);
    return rc;
}

static void publish(struct store_job *job, int rc)
{
    const struct work *w = (const struct work *)job;
    if (rc == 0 && w->record_count > 0)
        journal_publish(w->options->journal);
}

bool letter_view_read(struct letter_view *out, struct arena *a, struct str text)
{
    struct jv letter;
    *out = (struct letter_view){0};
    if (jv_parse(&letter, a, text, JV_EXACT, NULL) != 0 || letter.type != JV_OBJECT)
        return false;
    struct jv position = jv_get(letter, STR("position"));
    struct jv event = jv_get(letter, STR("event"));
    out->destination = jv_str(jv_get(letter, STR("destination")));
    out->source = jv_str(jv_get(letter, STR("source")));
    if (position.type == JV_NUMBER && jv_as_double(position) >= 0 &&
        jv_as_double(position) < JV_INTEGER_MAX)
        out->position = (uint64_t)jv_as_double(position);
    if (event.type == JV_OBJECT && out->source.len <= SOURCE_ID_BYTES_MAX)
        out->event = event;
    return true;
}

/* Without a place it would begin behind what is put into the journal now, and never see it. */
static int check_destination(const struct letters_options *o, struct str id, struct err *err)
{
    struct cursor_place place;
    if (places_find(o->config, id) == NULL)
        return err_set(err, -EINVAL, 0,
                       "destination '%.*s' is not in the config in use: put it there first (a "
                       "running server reads it again with SIGHUP), or give its letters up with "
                       "'spelter dead drop'",
                       STR_ARG(id));
    int rc = places_look(o->store, id, &place, err);
    if (rc == -ENOENT)
        return err_set(err, -EINVAL, 0,
                       "destination '%.*s' has no place in the journal yet: let a server run with "
                       "it first",
                       STR_ARG(id));
    return rc;
}

static int put_record(struct work *w, const struct letter_view *letter, struct err *err)
{
    struct buf event;
    buf_init_arena(&event, &w->arena, LETTER_TEXT_BYTES_MAX);
    jv_write(&event, letter->event);
    const struct envelope envelope = {
        .source = letter->source,
        .destination = letter->destination,
        .received_at_ms = clock_now_ms(w->options->clock),
        .json = buf_str(&event),
    };
    if (!event.failed)
        envelope_write(&w->text, &envelope);
    if (event.failed || w->text.failed)
        return err_set(err, -ENOMEM, 0, "no memory for the events of dead letters");
    w->ends[w->record_count++] = w->text.len;
    return 0;
}

static int commit(struct work *w, struct letters_result *result, struct err *err)
{
    for (size_t i = 0, from = 0; i < w->record_count; from = w->ends[i++])
        w->records[i] = str_slice(buf_str(&w->text), from, w->ends[i]);
    w->job = (struct store_job){
        .apply = apply,
        .done = publish,
        .kind = w->record_count > 0 ? STORE_NEEDS_ROOM : STORE_FREES_ROOM,
        .bytes = w->text.len,
    };
    int rc = w->id_count == 0 ? 0 : store_commit(w->options->store, &w->job);
    if (rc == -ENOSPC)
        return err_set(err, rc, 0,
                       "no room: the disk is full, or the journal (a larger journal.size wants a "
                       "restart); what was not sent again is a dead letter still");
    if (rc == -ENOENT)
        return err_set(err, rc, 0, "a dead letter went away meanwhile, or was named twice");
    if (rc != 0)
        return err_set(err, rc, 0, "the data folder cannot be written: %s", strerror(-rc));
    result->events += w->record_count;
    result->letters += w->id_count;
    result->absent += w->absent;
    w->record_count = w->id_count = 0;
    w->absent = 0;
    buf_reset(&w->text);
    return 0;
}

/* All letters of one event were seen: without the event they must stay. */
static int end_event(struct work *w, struct err *err)
{
    if (w->is_open && !w->has_event)
        return err_set(err, -EINVAL, 0, "dead letter %llu has no event that could be sent again",
                       (unsigned long long)w->ids[w->id_count - 1]);
    w->is_open = false;
    return 0;
}

static int take_event(struct work *w, const struct letters_request *r, uint64_t id,
                      struct letters_result *result, struct err *err)
{
    struct letter_view letter;
    int rc = 0;
    arena_reset(&w->arena);
    if (!letter_view_read(&letter, &w->arena, buf_str(&w->letter)) ||
        !str_eq(letter.destination, r->destination))
        return err_set(err, -EINVAL, 0, "dead letter %llu is none of '%.*s'",
                       (unsigned long long)id, STR_ARG(r->destination));
    if (!w->is_open || w->position != letter.position) {
        rc = end_event(w, err);
        if (rc == 0 && w->text.len >= LETTERS_COMMIT_BYTES)
            rc = commit(w, result, err);
        w->is_open = true;
        w->has_event = false;
        w->position = letter.position;
    }
    if (rc == 0 && !w->has_event && letter.event.type != JV_UNDEFINED) {
        w->has_event = true;
        rc = put_record(w, &letter, err);
    }
    return rc;
}

static int take_letter(struct work *w, const struct letters_request *r, uint64_t id,
                       struct letters_result *result, struct err *err)
{
    buf_reset(&w->letter);
    int rc = dead_get(w->options->dead, id, &w->letter);
    if (rc == -ENOENT) {
        w->absent++;
        return 0;
    }
    if (rc != 0)
        return err_set(err, rc, 0, "dead letter %llu cannot be read: %s", (unsigned long long)id,
                       strerror(-rc));
    if (r->deed == LETTERS_RETRY)
        rc = take_event(w, r, id, result, err);
    if (rc == 0)
        w->ids[w->id_count++] = id;
    return rc;
}

static int apply_all(struct work *w, const struct letters_request *r, struct letters_result *result,
                     struct err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < r->count; i++)
        rc = take_letter(w, r, r->ids[i], result, err);
    if (rc == 0)
        rc = end_event(w, err);
    return rc == 0 ? commit(w, result, err) : rc;
}

int letters_apply(const struct letters_options *options, const struct letters_request *request,
                  struct letters_result *result, struct err *err)
{
    assert(request->count <= LETTERS_PORTION_MAX);
    *result = (struct letters_result){0};
    int rc =
        request->deed == LETTERS_RETRY ? check_destination(options, request->destination, err) : 0;
    if (rc != 0)
        return rc;
    struct work *w = calloc(1, sizeof(*w));
    if (w == NULL)
        return err_set(err, -ENOMEM, 0, "out of memory");
    w->options = options;
    buf_init(&w->text, RECORDS_BYTES_MAX);
    buf_init(&w->letter, LETTER_TEXT_BYTES_MAX);
    arena_init(&w->arena, LETTER_ARENA_BYTES_MAX);
    rc = apply_all(w, request, result, err);
    arena_fini(&w->arena);
    buf_fini(&w->letter);
    buf_fini(&w->text);
    free(w);
    return rc;
}
