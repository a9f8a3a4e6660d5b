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

/* Cuts the text at its placeholders; counts the pieces when `pieces` is NULL. */
static int cut(struct arena *a, struct str text, size_t braces, struct template_piece *pieces,
               uint32_t *count)
{
    size_t from = 0;
    size_t start;
    struct str inner;
    *count = 0;
    while (find_placeholder(text, from, braces, &start, &inner)) {
        if (pieces != NULL) {
            struct template_piece *piece = &pieces[*count];
            *piece = (struct template_piece){.literal = str_slice(text, from, start),
                                             .place.slot = LOOKUP_NONE,
                                             .has_value = true};
            if (path_compile(&piece->place.path, a, text_trim(inner), PATH_MAPPING) != 0)
                return -ENOMEM;
        }
        ++*count;
        from = start + inner.len + 2 * braces;
    }
    if (from < text.len) {
        if (pieces != NULL)
            pieces[*count] = (struct template_piece){.literal = str_slice(text, from, text.len)};
        ++*count;
    }
    return 0;
}

static int compile_pass(struct template *out, struct arena *a, struct str text, size_t braces)
{
    uint32_t count;
    *out = (struct template){0};
    (void)cut(a, text, braces, NULL, &count);
    struct template_piece *pieces = arena_array(a, count, sizeof(*pieces));
    if (pieces == NULL)
        return -ENOMEM;
    out->pieces = pieces;
    return cut(a, text, braces, pieces, &out->count);
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

/* null, which prints nothing, behind the last value. */
static struct jv value_of(const struct template_piece *piece, struct jv payload,
                          const struct jv *found)
{
    return piece->has_value ? place_get(&piece->place, payload, found) : jv_null();
}

static bool render_pass(const struct template *t, struct jv payload, const struct jv *found,
                        struct buf *out)
{
    for (uint32_t i = 0; i < t->count; i++) {
        const struct template_piece *piece = &t->pieces[i];
        buf_append(out, piece->literal);
        struct jv value = value_of(piece, payload, found);
        if (!jv_is_nullish(value) && !text_append_value(out, value))
            return false;
    }
    return true;
}

struct str template_render_plain(const struct template *t, struct arena *a, struct jv payload,
                                 const struct jv *found)
{
    size_t room = 1; /* an empty text has an address too */
    if (t->has_second_pass)
        return (struct str){NULL, 0};
    for (uint32_t i = 0; i < t->count; i++) {
        const struct template_piece *piece = &t->pieces[i];
        struct jv value = value_of(piece, payload, found);
        bool is_number = value.type == JV_NUMBER && !value.exact;
        if (!is_number && value.type != JV_STRING && !jv_is_nullish(value))
            return (struct str){NULL, 0};
        room += piece->literal.len + (is_number ? JV_NUMBER_BYTES : value.len);
    }
    char *text = room > MAPPING_OUTPUT_BYTES_MAX ? NULL : arena_alloc(a, room);
    size_t len = 0;
    for (uint32_t i = 0; text != NULL && i < t->count; i++) {
        const struct template_piece *piece = &t->pieces[i];
        struct jv value = value_of(piece, payload, found);
        if (piece->literal.len > 0)
            memcpy(text + len, piece->literal.ptr, piece->literal.len);
        len += piece->literal.len;
        if (value.type == JV_NUMBER)
            len += jv_number_text(value.number, text + len);
        if (value.type != JV_STRING || value.len == 0)
            continue;
        memcpy(text + len, value.ptr, value.len);
        len += value.len;
    }
    return (struct str){text, len};
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
