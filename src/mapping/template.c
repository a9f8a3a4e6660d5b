#include "template.h"

#include <errno.h>

#include "mapping.h"
#include "text.h"

/* The next placeholder with `braces` braces on each side at or after `from`: its first byte and the
 * inner text. Inside is anything but '}', at least one character. */
static bool find_placeholder(struct str text, size_t from, size_t braces, size_t *start,
                             struct str *inner)
{
    size_t close = from; /* the first '}' at or behind the place under test; only moves on */
    for (size_t at = from; at + 2 * braces < text.len; at++) {
        size_t opened = 0;
        while (opened < braces && text.ptr[at + opened] == '{')
            opened++;
        if (opened < braces) {
            at += opened; /* the byte there is no brace */
            continue;
        }
        size_t begin = at + braces;
        if (close < begin)
            close = begin;
        close += str_find(str_slice(text, close, text.len), '}');
        if (close + braces > text.len)
            return false;
        size_t closed = 0;
        while (closed < braces && text.ptr[close + closed] == '}')
            closed++;
        if (closed == braces && close > begin) {
            *start = at;
            *inner = str_slice(text, begin, close);
            return true;
        }
    }
    return false;
}

/* Cuts the text at its placeholders; counts the pieces when out->pieces is NULL. */
static int cut(struct template *out, struct arena *a, struct str text, size_t braces)
{
    size_t from = 0;
    size_t start;
    struct str inner;
    out->count = 0;
    out->literal_bytes = text.len;
    while (find_placeholder(text, from, braces, &start, &inner)) {
        if (out->pieces != NULL) {
            struct template_piece *piece = &out->pieces[out->count];
            *piece = (struct template_piece){.literal = str_slice(text, from, start),
                                             .place.slot = LOOKUP_NONE};
            if (path_compile(&piece->place.path, a, text_trim(inner), PATH_MAPPING) != 0)
                return -ENOMEM;
        }
        out->count++;
        out->literal_bytes -= inner.len + 2 * braces;
        from = start + inner.len + 2 * braces;
    }
    out->tail = str_slice(text, from, text.len);
    return 0;
}

static int compile_pass(struct template *out, struct arena *a, struct str text, size_t braces)
{
    *out = (struct template){0};
    (void)cut(out, a, text, braces);
    out->pieces = arena_array(a, out->count, sizeof(*out->pieces));
    return out->pieces == NULL ? -ENOMEM : cut(out, a, text, braces);
}

int template_compile(struct template *out, struct arena *a, struct str text)
{
    size_t start;
    struct str inner;
    bool has_three = find_placeholder(text, 0, 3, &start, &inner);
    int rc = compile_pass(out, a, text, has_three ? 3 : 2);
    out->has_second_pass = has_three;
    return rc;
}

static bool render_pass(const struct template *t, struct jv payload, const struct jv *found,
                        struct buf *out)
{
    for (uint32_t i = 0; i < t->count; i++) {
        struct jv value = place_get(&t->pieces[i].place, payload, found);
        buf_append(out, t->pieces[i].literal);
        if (!jv_is_nullish(value) && !text_append_value(out, value))
            return false;
    }
    buf_append(out, t->tail);
    return true;
}

/* Most pieces are a few bytes, for which a call of memcpy costs more than the work. */
static inline char *put(char *at, struct str text)
{
    size_t len = text.len;
    if (len > 16) {
        memcpy(at, text.ptr, len);
    } else if (len >= 8) {
        uint64_t head = str_load8(text.ptr);
        uint64_t tail = str_load8(text.ptr + len - 8);
        memcpy(at, &head, 8);
        memcpy(at + len - 8, &tail, 8);
    } else if (len >= 4) {
        uint32_t head = str_load4(text.ptr);
        uint32_t tail = str_load4(text.ptr + len - 4);
        memcpy(at, &head, 4);
        memcpy(at + len - 4, &tail, 4);
    } else {
        for (size_t i = 0; i < len; i++)
            at[i] = text.ptr[i];
    }
    return at + len;
}

struct jv template_render_plain(const struct template *t, struct arena *a, const struct jv *found)
{
    size_t room = t->literal_bytes;
    const struct template_piece *end = t->pieces + t->count;
    for (const struct template_piece *piece = t->pieces; piece < end; piece++) {
        const struct jv *value = &found[piece->place.slot];
        if (value->type == JV_STRING)
            room += value->len;
        else if (value->type == JV_NUMBER && !value->exact)
            room += JV_NUMBER_BYTES;
        else if (!jv_is_nullish(*value))
            return jv_undefined();
    }
    if (t->count == 1 && t->literal_bytes == 0 && found[t->pieces[0].place.slot].type == JV_STRING)
        return found[t->pieces[0].place.slot];
    char *text = room > MAPPING_OUTPUT_BYTES_MAX ? NULL : arena_alloc(a, room);
    if (text == NULL)
        return jv_undefined();
    char *at = text;
    for (const struct template_piece *piece = t->pieces; piece < end; piece++) {
        const struct jv *value = &found[piece->place.slot];
        at = put(at, piece->literal);
        if (value->type == JV_STRING)
            at = put(at, jv_str(*value));
        else if (value->type == JV_NUMBER)
            at += jv_number_text(value->number, at);
    }
    at = put(at, t->tail);
    return jv_string((struct str){text, (size_t)(at - text)});
}

bool template_render(const struct template *t, struct arena *a, struct jv payload,
                     const struct jv *found, struct buf *out, int *rc)
{
    struct template second;
    struct buf first;
    *rc = 0;
    if (!t->has_second_pass)
        return render_pass(t, payload, found, out);
    buf_init_arena(&first, a, out->max);
    if (!render_pass(t, payload, found, &first))
        return false;
    out->failed = out->failed || first.failed;
    out->too_long = out->too_long || first.too_long;
    *rc = compile_pass(&second, a, buf_str(&first), 2);
    return *rc != 0 || render_pass(&second, payload, NULL, out);
}
