#include "filters.h"

#include <errno.h>
#include <math.h>

#include "text.h"

enum { TEXT_BYTES_MAX = 16 << 20 };

static void begin(struct render *r, struct buf *out)
{
    buf_init_arena(out, r->arena, TEXT_BYTES_MAX);
}

/* The value's text, counted. */
static struct str counted(struct render *r, struct jv v)
{
    struct str text = render_text(r, v);
    render_use(r, (double)text_units(text));
    return text;
}

/* Offset of the first (or last) occurrence in text[from..), or text.len + 1 when there is none. */
static size_t find(struct str text, size_t from, struct str part, bool is_last)
{
    size_t found = text.len + 1;
    for (size_t at = from; at + part.len <= text.len; at++) {
        if (!str_eq(str_slice(text, at, at + part.len), part))
            continue;
        found = at;
        if (!is_last)
            break;
    }
    return found;
}

static struct jv join_two(struct render *r, struct jv a, struct jv b)
{
    struct buf out;
    begin(r, &out);
    buf_append(&out, counted(r, a));
    buf_append(&out, counted(r, b));
    return r->rc == 0 ? render_from_buf(r, &out) : jv_undefined();
}

struct jv filter_append(struct render *r, struct jv v, struct arguments args)
{
    if (args.count != 1)
        return render_throw(r, "append expect 2 arguments");
    return join_two(r, v, args.items[0]);
}

struct jv filter_prepend(struct render *r, struct jv v, struct arguments args)
{
    if (args.count != 1)
        return render_throw(r, "prepend expect 2 arguments");
    return join_two(r, args.items[0], v);
}

static struct jv folded(struct render *r, struct str text)
{
    return text.ptr == NULL ? render_out_of_memory(r) : jv_string(text);
}

struct jv filter_downcase(struct render *r, struct jv v, struct arguments args)
{
    (void)args;
    return folded(r, text_lower(r->arena, counted(r, v)));
}

struct jv filter_upcase(struct render *r, struct jv v, struct arguments args)
{
    (void)args;
    return folded(r, text_upper(r->arena, counted(r, v)));
}

struct jv filter_capitalize(struct render *r, struct jv v, struct arguments args)
{
    (void)args;
    struct buf out;
    struct str text = counted(r, v);
    size_t rest = 0;
    bool is_pair =
        text.len > 0 && text_next_point(text, &rest) > 0xFFFF; /* half a pair has no case */
    struct str first = str_slice(text, 0, rest);
    begin(r, &out);
    buf_append(&out, is_pair ? first : text_upper(r->arena, first));
    buf_append(&out, text_lower(r->arena, str_slice(text, rest, text.len)));
    return render_from_buf(r, &out);
}

static void append_replaced(struct buf *out, struct str text, struct str part, struct str by)
{
    size_t from = 0;
    if (part.len == 0) { /* between any two characters */
        while (from < text.len) {
            size_t next = from;
            (void)text_next_point(text, &next);
            buf_append(out, str_slice(text, from, next));
            from = next;
            if (from < text.len)
                buf_append(out, by);
        }
        return;
    }
    for (size_t at; (at = find(text, from, part, false)) <= text.len; from = at + part.len) {
        buf_append(out, str_slice(text, from, at));
        buf_append(out, by);
        if (out->failed)
            return;
    }
    buf_append(out, str_slice(text, from, text.len));
}

struct jv filter_replace(struct render *r, struct jv v, struct arguments args)
{
    struct buf out;
    struct str text = counted(r, v);
    begin(r, &out);
    append_replaced(&out, text, render_text(r, argument_at(args, 0)),
                    render_text(r, argument_at(args, 1)));
    render_use(r, (double)out.len);
    return r->rc == 0 ? render_from_buf(r, &out) : jv_undefined();
}

struct jv filter_remove(struct render *r, struct jv v, struct arguments args)
{
    struct buf out;
    begin(r, &out);
    append_replaced(&out, counted(r, v), render_text(r, argument_at(args, 0)), STR(""));
    return render_from_buf(r, &out);
}

static struct jv replace_one(struct render *r, struct jv v, struct arguments args, struct str by,
                             bool is_last)
{
    struct buf out;
    struct str text = counted(r, v);
    struct str part = render_text(r, argument_at(args, 0));
    size_t at = find(text, 0, part, is_last);
    if (at > text.len)
        return jv_string(text);
    begin(r, &out);
    buf_append(&out, str_slice(text, 0, at));
    buf_append(&out, by);
    buf_append(&out, str_slice(text, at + part.len, text.len));
    return render_from_buf(r, &out);
}

struct jv filter_remove_first(struct render *r, struct jv v, struct arguments args)
{
    return replace_one(r, v, args, STR(""), false);
}

struct jv filter_remove_last(struct render *r, struct jv v, struct arguments args)
{
    return replace_one(r, v, args, STR(""), true);
}

struct jv filter_replace_first(struct render *r, struct jv v, struct arguments args)
{
    return replace_one(r, v, args, counted(r, argument_at(args, 1)), false);
}

struct jv filter_replace_last(struct render *r, struct jv v, struct arguments args)
{
    return replace_one(r, v, args, counted(r, argument_at(args, 1)), true);
}

struct jv filter_split(struct render *r, struct jv v, struct arguments args)
{
    struct str text = counted(r, v);
    struct str between = render_text(r, argument_at(args, 0));
    struct jv *items;
    size_t room = text.len + 1;
    struct jv parts = jv_array(r->arena, &items, room);
    if (parts.type != JV_ARRAY)
        return render_out_of_memory(r);
    uint32_t count = 0;
    size_t from = 0;
    while (between.len == 0 ? from < text.len : from <= text.len) {
        size_t at = between.len == 0 ? from : find(text, from, between, false);
        if (between.len == 0)
            (void)text_next_point(text, &at);
        at = at > text.len ? text.len : at;
        items[count++] = jv_string(str_slice(text, from, at));
        from = between.len == 0 ? at : at + between.len;
        if (between.len > 0 && at == text.len)
            break;
    }
    while (count > 0 && items[count - 1].len == 0)
        count--;
    parts.len = count;
    return parts;
}

/* Is the character at text[at] one to strip? Its bytes. Of `chars`, those beyond the BMP never
 * match. */
static size_t strip_bytes(struct str text, size_t at, struct str chars)
{
    size_t next = at;
    if (chars.len == 0)
        return text_space_bytes(text, at);
    uint32_t point = text_next_point(text, &next);
    for (size_t i = 0; i < chars.len;)
        if (text_next_point(chars, &i) == point && point <= 0xFFFF)
            return next - at;
    return 0;
}

static struct jv strip(struct render *r, struct jv v, struct arguments args, bool left, bool right)
{
    struct str text = counted(r, v);
    struct jv given = argument_at(args, 0);
    bool has_chars = jv_truthy(given) || expression_is_special(given);
    struct str chars = has_chars ? counted(r, given) : STR("");
    if (has_chars && chars.len == 0)
        return jv_string(text);
    size_t from = 0;
    size_t to = text.len;
    for (size_t bytes; left && from < to && (bytes = strip_bytes(text, from, chars)) > 0;)
        from += bytes;
    while (right && to > from) {
        size_t at = to - 1;
        while (at > from && ((unsigned char)text.ptr[at] & 0xC0) == 0x80)
            at--;
        if (strip_bytes(text, at, chars) == 0)
            break;
        to = at;
    }
    return jv_string(str_slice(text, from, to));
}

struct jv filter_strip(struct render *r, struct jv v, struct arguments args)
{
    return strip(r, v, args, true, true);
}

struct jv filter_lstrip(struct render *r, struct jv v, struct arguments args)
{
    return strip(r, v, args, true, false);
}

struct jv filter_rstrip(struct render *r, struct jv v, struct arguments args)
{
    return strip(r, v, args, false, true);
}

struct jv filter_strip_newlines(struct render *r, struct jv v, struct arguments args)
{
    (void)args;
    struct buf out;
    struct str text = counted(r, v);
    begin(r, &out);
    for (size_t i = 0; i < text.len; i++) {
        bool is_pair = text.ptr[i] == '\r' && i + 1 < text.len && text.ptr[i + 1] == '\n';
        if (!is_pair && text.ptr[i] != '\n')
            buf_putc(&out, text.ptr[i]);
    }
    return render_from_buf(r, &out);
}

/* Bytes of the run of white space at text[at]. */
static size_t space_run(struct str text, size_t at)
{
    size_t end = at;
    for (size_t bytes; (bytes = text_space_bytes(text, end)) > 0;)
        end += bytes;
    return end - at;
}

struct jv filter_normalize_whitespace(struct render *r, struct jv v, struct arguments args)
{
    (void)args;
    struct buf out;
    struct str text = counted(r, v);
    begin(r, &out);
    for (size_t i = 0; i < text.len;) {
        size_t run = space_run(text, i);
        if (run > 0)
            buf_putc(&out, ' ');
        else
            buf_putc(&out, text.ptr[i]);
        i += run > 0 ? run : 1;
    }
    return render_from_buf(r, &out);
}

static struct str ellipsis(struct render *r, struct arguments args)
{
    struct jv given = argument_at(args, 1);
    return given.type == JV_UNDEFINED ? STR("...") : counted(r, given);
}

struct jv filter_truncate(struct render *r, struct jv v, struct arguments args)
{
    struct buf out;
    struct str text = counted(r, v);
    struct jv given = argument_at(args, 0);
    double length = given.type == JV_UNDEFINED ? 50 : render_js_number(r, given);
    struct str end = ellipsis(r, args);
    if ((double)text_units(text) <= length)
        return v;
    double kept = length - (double)text_units(end);
    kept = kept > 0 ? fmin(kept, (double)text.len) : 0;
    begin(r, &out);
    buf_append(&out, text_slice_units(r->arena, text, 0, (size_t)kept));
    buf_append(&out, end);
    return render_from_buf(r, &out);
}

struct jv filter_truncatewords(struct render *r, struct jv v, struct arguments args)
{
    struct buf out;
    struct str text = counted(r, v);
    struct jv given = argument_at(args, 0);
    double words = given.type == JV_UNDEFINED ? 15 : render_js_number(r, given);
    struct str end = ellipsis(r, args);
    words = words <= 0 ? 1 : words;
    double count = 0;
    begin(r, &out);
    for (size_t from = 0;; count++) {
        size_t to = from;
        while (to < text.len && text_space_bytes(text, to) == 0)
            to++;
        if (count < trunc(words)) {
            if (count > 0)
                buf_putc(&out, ' ');
            buf_append(&out, str_slice(text, from, to));
        }
        if (to == text.len)
            break;
        from = to + space_run(text, to);
    }
    if (count + 1 >= words)
        buf_append(&out, end);
    return render_from_buf(r, &out);
}

static bool is_cjk(uint32_t point)
{
    return (point >= 0x4E00 && point <= 0x9FFF) || (point >= 0xF900 && point <= 0xFAFF) ||
           (point >= 0x3400 && point <= 0x4DBF) || (point >= 0x3040 && point <= 0x30FF) ||
           (point >= 0xAC00 && point <= 0xD7AF);
}

struct jv filter_number_of_words(struct render *r, struct jv v, struct arguments args)
{
    struct str text = text_trim(counted(r, v));
    struct str mode = jv_str(argument_at(args, 0));
    double words = 0;  /* between white space */
    double cjk = 0;    /* single characters */
    double others = 0; /* runs of other characters */
    bool in_word = false;
    bool in_other = false;
    for (size_t i = 0; i < text.len;) {
        size_t space = text_space_bytes(text, i);
        bool is_one = space == 0 && is_cjk(text_next_point(text, &i));
        i += space;
        words += space == 0 && !in_word;
        cjk += is_one;
        others += space == 0 && !is_one && !in_other;
        in_word = space == 0;
        in_other = space == 0 && !is_one;
    }
    bool counts_cjk = str_eq(mode, STR("cjk")) || (str_eq(mode, STR("auto")) && cjk > 0);
    return jv_number(counts_cjk ? cjk + others : words);
}
