#include "call.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "hash.h"
#include "text.h"

void call_reply(struct call *c, unsigned status, struct jv body)
{
    c->answer->status = status;
    buf_reset(&c->answer->body);
    jv_write(&c->answer->body, body);
}

void call_message(struct call *c, unsigned status, const char *text)
{
    call_message_str(c, status, str_from(text));
}

void call_message_str(struct call *c, unsigned status, struct str text)
{
    c->answer->status = status;
    buf_reset(&c->answer->body);
    buf_append(&c->answer->body, STR("{\"message\":"));
    jv_write_string(&c->answer->body, text);
    buf_putc(&c->answer->body, '}');
}

void call_success(struct call *c, unsigned status, struct jv_builder *body)
{
    jv_object_put(body, STR("message"), text_value("success"));
    call_reply(c, status, jv_object_end(body));
}

void call_header(struct call *c, struct str name, struct str value)
{
    struct sandbox_answer *answer = c->answer;
    assert(answer->header_count < SANDBOX_HEADERS_MAX);
    answer->headers[answer->header_count++] = (struct sandbox_header){name, value};
}

void call_note(struct call *c, enum note_kind kind, struct str field, const char *format, ...)
{
    if (c->is_rehearsal)
        return;
    char text[NOTE_TEXT_BYTES + 1];
    char place[NOTE_PLACE_BYTES + 1];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    int place_len = c->array == NULL
                        ? snprintf(place, sizeof(place), "%.*s", STR_ARG(field))
                        : snprintf(place, sizeof(place), "%s[%u]%s%.*s", c->array, c->index,
                                   field.len == 0 ? "" : ".", STR_ARG(field));
    if (len < 0 || place_len < 0)
        return;
    struct str text_view = {text, (size_t)len < sizeof(text) ? (size_t)len : sizeof(text) - 1};
    struct str place_view = {place, (size_t)place_len < sizeof(place) ? (size_t)place_len
                                                                      : sizeof(place) - 1};
    notes_add(c->sandbox->notes, c->now_ms, c->number, kind, place_view, text_view);
}

struct str call_random_hex(struct call *c)
{
    char seed[16];
    uint64_t turn = c->sandbox->random++;
    memcpy(seed, &turn, sizeof(turn));
    memcpy(seed + sizeof(turn), &c->number, sizeof(c->number));
    struct hash128 hash = hash128_str_seed((struct str){seed, sizeof(seed)}, turn);
    return text_format(c->arena, "%016" PRIx64 "%016" PRIx64, hash.high, hash.low);
}
