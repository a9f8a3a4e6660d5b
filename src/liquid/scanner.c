#include "scanner.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "text.h"

enum { MESSAGE_BYTES_MAX = 64 * 1024, SNAPSHOT_UNITS_MAX = 32 };

struct str scanner_place(struct arena *a, struct str input, size_t at, struct str message)
{
    struct buf out;
    unsigned line = 1;
    unsigned column = 1;
    for (size_t i = 0; i < at && i < input.len;) {
        bool is_newline = input.ptr[i] == '\n';
        unsigned units = text_next_point(input, &i) > 0xFFFF ? 2 : 1;
        line += is_newline;
        column = is_newline ? 1 : column + units;
    }
    buf_init_arena(&out, a, MESSAGE_BYTES_MAX);
    buf_append(&out, message);
    buf_printf(&out, ", line:%u, col:%u", line, column);
    return out.failed ? (struct str){NULL, 0} : buf_str(&out);
}

void scanner_out_of_memory(struct compilation *c)
{
    c->rc = c->rc != 0 ? c->rc : -ENOMEM;
}

void *scanner_alloc(struct compilation *c, size_t bytes)
{
    void *memory = c->rc == 0 ? arena_alloc(c->arena, bytes) : NULL;
    if (memory == NULL)
        scanner_out_of_memory(c);
    else
        memset(memory, 0, bytes);
    return memory;
}

void scanner_fail(struct compilation *c, struct str name, size_t at, const char *format, ...)
{
    char message[4096]; /* a template has a thousand characters: nothing that quotes it is longer */
    if (c->rc != 0)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    scanner_fail_about(c, name, at, str_from(message), STR(""), STR(""));
}

void scanner_fail_about(struct compilation *c, struct str name, size_t at, struct str before,
                        struct str text, struct str after)
{
    struct buf message;
    if (c->rc != 0)
        return;
    buf_init_arena(&message, c->arena, MESSAGE_BYTES_MAX);
    buf_append(&message, before);
    buf_append(&message, text);
    buf_append(&message, after);
    struct str placed = scanner_place(c->arena, c->input, at, buf_str(&message));
    *c->error = (struct liquid_error){name, placed};
    c->rc = placed.ptr == NULL ? -ENOMEM : -EINVAL;
}

bool scanner_at_end(const struct scanner *s)
{
    return s->p >= s->end;
}

char scanner_peek(const struct scanner *s, size_t ahead)
{
    return s->p + ahead < s->end ? s->c->input.ptr[s->p + ahead] : '\0';
}

size_t scanner_blank_bytes(struct str text, size_t at)
{
    size_t next = at;
    if (at >= text.len)
        return 0;
    uint32_t point = text_next_point(text, &next);
    bool is_blank = point < 0x80
                        ? point == ' ' || (point >= '\t' && point <= '\r')
                        : point == 0x180E || (text_space_bytes(text, at) > 0 && point != 0xFEFF);
    return is_blank ? next - at : 0;
}

bool scanner_is_word(const struct scanner *s, size_t ahead)
{
    size_t at = s->p + ahead;
    if (at >= s->end)
        return false;
    unsigned char c = (unsigned char)s->c->input.ptr[at];
    if (c < 0x80)
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
               c == '_' || c == '-' || c == '?';
    size_t next = at;
    uint32_t point = text_next_point(s->c->input, &next);
    return point != 0x201C && point != 0x201D && scanner_blank_bytes(s->c->input, at) == 0;
}

bool scanner_is_quote(const struct scanner *s)
{
    return scanner_peek(s, 0) == '"' || scanner_peek(s, 0) == '\'';
}

void scanner_skip_blank(struct scanner *s)
{
    while (s->p < s->end) {
        size_t bytes = scanner_blank_bytes(s->c->input, s->p);
        if (bytes == 0)
            return;
        s->p += bytes;
    }
}

bool scanner_is_behind(const struct scanner *s, struct str text)
{
    return str_ends(str_slice(s->c->input, 0, s->p), text);
}

bool scanner_read_to(struct scanner *s, struct str text)
{
    while (s->p < s->end) {
        s->p++;
        if (scanner_is_behind(s, text))
            return true;
    }
    return false;
}

struct str scanner_read_identifier(struct scanner *s)
{
    scanner_skip_blank(s);
    size_t from = s->p;
    while (s->p < s->end && scanner_is_word(s, 0))
        (void)text_next_point(s->c->input, &s->p);
    return str_slice(s->c->input, from, s->p);
}

struct str scanner_read_quoted(struct scanner *s)
{
    scanner_skip_blank(s);
    size_t from = s->p;
    if (!scanner_is_quote(s))
        return STR("");
    char quote = s->c->input.ptr[s->p++];
    for (bool escaped = false; s->p < s->end;) {
        char c = s->c->input.ptr[s->p++];
        if (c == quote && !escaped)
            break;
        escaped = !escaped && c == '\\';
    }
    return str_slice(s->c->input, from, s->p);
}

struct str scanner_rest(const struct scanner *s)
{
    return str_slice(s->c->input, s->p, s->end);
}

struct str scanner_snapshot(const struct scanner *s, size_t from)
{
    struct buf out;
    struct str text = str_slice(s->c->input, from, s->end);
    struct buf cut;
    buf_init_arena(&cut, s->c->arena, MESSAGE_BYTES_MAX);
    buf_append(&cut, text);
    if (text_units(text) > SNAPSHOT_UNITS_MAX) {
        cut.len = 0;
        buf_append(&cut, text_slice_units(s->c->arena, text, 0, SNAPSHOT_UNITS_MAX - 3));
        buf_append(&cut, STR("..."));
    }
    buf_init_arena(&out, s->c->arena, MESSAGE_BYTES_MAX);
    jv_write_string(&out, buf_str(&cut));
    return buf_str(&out);
}
