#include "notes.h"

#include <stdlib.h>

#include "clock.h"
#include "jv.h"
#include "text.h"

struct note {
    uint64_t number; /* from 1 */
    uint64_t request;
    int64_t at_ms;
    uint8_t kind;
    uint8_t place_bytes;
    uint8_t text_bytes;
    char place[NOTE_PLACE_BYTES];
    char text[NOTE_TEXT_BYTES];
};

static_assert(NOTE_TEXT_BYTES <= UINT8_MAX, "lengths are one byte");

struct notes {
    struct note ring[NOTES_MAX];
    uint64_t next; /* number of the next note */
    uint64_t counts[NOTE_KIND_COUNT];
};

static const struct str kind_names[NOTE_KIND_COUNT] = {
#define X(kind, name) [kind] = STR_INIT(name),
    NOTE_KINDS(X)
#undef X
};

struct notes *notes_new(void)
{
    struct notes *n = calloc(1, sizeof(*n));
    if (n != NULL)
        n->next = 1;
    return n;
}

void notes_free(struct notes *n)
{
    free(n);
}

void notes_clear(struct notes *n)
{
    *n = (struct notes){.next = n->next};
}

static uint8_t put(char *out, size_t bytes_max, struct str text)
{
    text = text_cut(text, bytes_max);
    if (text.len > 0)
        memcpy(out, text.ptr, text.len);
    return (uint8_t)text.len;
}

void notes_add(struct notes *n, int64_t now_ms, uint64_t request, enum note_kind kind,
               struct str place, struct str text)
{
    struct note *note = &n->ring[n->next % NOTES_MAX];
    note->number = n->next++;
    note->request = request;
    note->at_ms = now_ms;
    note->kind = (uint8_t)kind;
    note->place_bytes = put(note->place, sizeof(note->place), place);
    note->text_bytes = put(note->text, sizeof(note->text), text);
    n->counts[kind]++;
}

uint64_t notes_count(const struct notes *n, enum note_kind kind)
{
    return n->counts[kind];
}

static void write_note(const struct note *note, struct buf *out)
{
    char at[ISO_TIME_BYTES];
    iso_time(at, note->at_ms);
    buf_printf(out, "{\"number\":%llu,\"at\":\"%.*s\",\"request\":%llu,\"kind\":",
               (unsigned long long)note->number, ISO_TIME_BYTES, at,
               (unsigned long long)note->request);
    jv_write_string(out, kind_names[note->kind]);
    buf_append(out, STR(",\"place\":"));
    jv_write_string(out, (struct str){note->place, note->place_bytes});
    buf_append(out, STR(",\"text\":"));
    jv_write_string(out, (struct str){note->text, note->text_bytes});
    buf_putc(out, '}');
}

void notes_write(const struct notes *n, struct buf *out, enum note_kind kind, uint64_t after,
                 size_t limit)
{
    uint64_t oldest = n->next > NOTES_MAX ? n->next - NOTES_MAX : 1;
    size_t written = 0;
    buf_putc(out, '[');
    for (uint64_t number = n->next; number-- > oldest && number > after && written < limit;) {
        const struct note *note = &n->ring[number % NOTES_MAX];
        if (note->number != number || (kind != NOTE_KIND_COUNT && note->kind != kind))
            continue;
        if (written++ > 0)
            buf_putc(out, ',');
        write_note(note, out);
    }
    buf_putc(out, ']');
}

enum note_kind note_kind_find(struct str name)
{
    for (int i = 0; i < NOTE_KIND_COUNT; i++)
        if (str_eq(kind_names[i], name))
            return (enum note_kind)i;
    return NOTE_KIND_COUNT;
}

struct str note_kind_name(enum note_kind kind)
{
    return kind_names[kind];
}
