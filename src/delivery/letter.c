#include "letter.h"

#include "clock.h"
#include "jv.h"

static void put_key(struct buf *out, const char *key)
{
    buf_putc(out, ',');
    jv_write_string(out, str_from(key));
    buf_putc(out, ':');
}

static void put_text(struct buf *out, const char *key, struct str text)
{
    if (text.len == 0)
        return;
    put_key(out, key);
    jv_write_string(out, text);
}

static void put_json(struct buf *out, const char *key, struct str json)
{
    if (json.len == 0)
        return;
    put_key(out, key);
    buf_append(out, json);
}

static void put_number(struct buf *out, const char *key, uint64_t number)
{
    put_key(out, key);
    buf_put_u64(out, number);
}

static void put_request(struct buf *out, const struct letter *letter)
{
    if (letter->method == NULL)
        return;
    put_key(out, "request");
    buf_append(out, STR("{\"method\":"));
    jv_write_string(out, str_from(letter->method));
    put_text(out, "path", letter->path);
    buf_putc(out, '}');
}

/* The event's own words about itself, then the event. What is no JSON is kept
 * as a string, so the letter stays JSON. */
static void put_event(struct buf *out, struct str json, struct arena *a)
{
    static const struct {
        const char *key;
        struct str member;
    } words[] = {
        {"message_id", STR_INIT("messageId")},
        {"type", STR_INIT("type")},
        {"event_name", STR_INIT("event")},
    };
    struct jv event;
    struct err err;
    if (json.len == 0)
        return;
    if (jv_parse(&event, a, json, JV_EXACT, &err) != 0) {
        put_text(out, "event", json);
        return;
    }
    for (size_t i = 0; i < countof(words); i++)
        put_text(out, words[i].key, jv_str(jv_get(event, words[i].member)));
    put_json(out, "event", json);
}

void letter_write(struct buf *out, const struct letter *letter, struct arena *a)
{
    char at[ISO_TIME_BYTES];
    iso_time(at, letter->at_ms);
    buf_append(out, STR("{\"at\":\""));
    buf_append(out, (struct str){at, sizeof(at)});
    buf_putc(out, '"');
    put_text(out, "destination", letter->destination);
    put_text(out, "stage", str_from(letter->stage));
    put_text(out, "code", str_from(letter->code));
    put_text(out, "reason", letter->reason);
    put_text(out, "source", letter->source);
    put_text(out, "subscription", letter->subscription);
    put_number(out, "position", letter->position);
    if (letter->status != 0)
        put_number(out, "status", (uint64_t)letter->status);
    put_request(out, letter);
    put_json(out, "object", letter->object);
    put_event(out, letter->event, a);
    buf_putc(out, '}');
}
