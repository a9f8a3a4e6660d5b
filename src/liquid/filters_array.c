#include "filters.h"

#include <math.h>

#include "path.h"
#include "text.h"

/* null is no items, what is no array is one; the words empty and blank are the empty text here. */
static struct jv as_array(struct render *r, struct jv v)
{
    struct jv *items;
    if (v.type == JV_ARRAY)
        return v;
    if (jv_is_nullish(v))
        return (struct jv){.type = JV_ARRAY};
    struct jv array = jv_array(r->arena, &items, 1);
    if (array.type != JV_ARRAY)
        return render_out_of_memory(r);
    items[0] = expression_is_special(v) ? jv_string(STR("")) : v;
    return array;
}

/* items[from, to) with room for `before` items in front and `behind` after them. */
static struct jv copy_items(struct render *r, struct jv array, uint32_t from, uint32_t to,
                            struct jv **items, uint32_t before, uint32_t behind)
{
    struct jv copy = jv_array(r->arena, items, before + (to - from) + behind);
    if (copy.type != JV_ARRAY)
        return render_out_of_memory(r);
    for (uint32_t i = from; i < to; i++)
        (*items)[before + i - from] = array.items[i];
    return copy;
}

struct jv filter_join(struct render *r, struct jv v, struct arguments args)
{
    struct buf out;
    struct jv array = as_array(r, v);
    struct jv separator = argument_at(args, 0);
    struct str between = jv_is_nullish(separator) ? STR(" ") : render_text(r, separator);
    buf_init_arena(&out, r->arena, 16 << 20);
    for (uint32_t i = 0; i < array.len && r->rc == 0; i++) {
        if (i > 0)
            buf_append(&out, between);
        if (!jv_is_nullish(array.items[i]))
            buf_append(&out, render_js_text(r, array.items[i]));
    }
    render_use(r, (double)out.len);
    return render_from_buf(r, &out);
}

/* The length of what has one: arrays, texts, and objects with a
 * number under that name. -1: none. */
static double length_of(struct jv v)
{
    struct jv length = path_step(v, STR("length"));
    bool has_length = jv_truthy(v) && length.type == JV_NUMBER;
    return has_length ? jv_as_double(length) : -1;
}

static struct jv end_of(struct render *r, struct jv v, bool is_last)
{
    char digits[32];
    struct buf key = {.ptr = digits, .cap = sizeof(digits), .max = sizeof(digits)};
    double length = length_of(v);
    struct jv named = path_step(v, STR("length"));
    if (!jv_truthy(v) || named.type != JV_NUMBER)
        return jv_string(STR(""));
    if (v.type == JV_ARRAY)
        return render_property(r, v, jv_number(is_last ? -1 : 0));
    jv_write_number(&key, is_last ? length - 1 : 0);
    return path_step(v, buf_str(&key));
}

struct jv filter_first(struct render *r, struct jv v, struct arguments args)
{
    (void)args;
    return end_of(r, v, false);
}

struct jv filter_last(struct render *r, struct jv v, struct arguments args)
{
    (void)args;
    return end_of(r, v, true);
}

struct jv filter_size(struct render *r, struct jv v, struct arguments args)
{
    (void)r;
    (void)args;
    struct jv length = path_step(v, STR("length"));
    return jv_truthy(v) && jv_truthy(length) && !expression_is_special(v) ? length : jv_number(0);
}

/* A dotted name looked up in an item. */
static struct jv dotted(struct render *r, struct jv item, struct str name)
{
    struct jv v = item;
    for (size_t from = 0; from <= name.len && r->rc == 0;) {
        size_t bytes = str_find(str_slice(name, from, name.len), '.');
        v = render_property(r, v, jv_string(str_slice(name, from, from + bytes)));
        from += bytes + 1;
    }
    return v;
}

struct jv filter_sum(struct render *r, struct jv v, struct arguments args)
{
    double sum = 0;
    struct jv array = as_array(r, v);
    struct jv property = argument_at(args, 0);
    for (uint32_t i = 0; i < array.len && r->rc == 0; i++) {
        struct jv item = array.items[i];
        if (jv_truthy(property) || expression_is_special(property))
            item = dotted(r, item, render_text(r, property));
        double number = render_js_number(r, item);
        sum += isnan(number) ? 0 : number;
    }
    return jv_number(sum);
}

struct jv filter_compact(struct render *r, struct jv v, struct arguments args)
{
    (void)args;
    struct jv *items;
    struct jv array = as_array(r, v);
    struct jv kept = copy_items(r, array, 0, array.len, &items, 0, 0);
    uint32_t count = 0;
    for (uint32_t i = 0; i < kept.len; i++)
        if (!jv_is_nullish(array.items[i]))
            items[count++] = array.items[i];
    kept.len = count;
    return kept;
}

struct jv filter_push(struct render *r, struct jv v, struct arguments args)
{
    struct jv *items;
    struct jv array = as_array(r, v);
    struct jv longer = copy_items(r, array, 0, array.len, &items, 0, 1);
    if (longer.type == JV_ARRAY)
        items[array.len] = argument_at(args, 0);
    return longer;
}

struct jv filter_unshift(struct render *r, struct jv v, struct arguments args)
{
    struct jv *items;
    struct jv array = as_array(r, v);
    struct jv longer = copy_items(r, array, 0, array.len, &items, 1, 0);
    if (longer.type == JV_ARRAY)
        items[0] = argument_at(args, 0);
    return longer;
}

struct jv filter_pop(struct render *r, struct jv v, struct arguments args)
{
    (void)args;
    struct jv array = as_array(r, v);
    array.len -= array.len > 0;
    return array;
}

struct jv filter_shift(struct render *r, struct jv v, struct arguments args)
{
    (void)args;
    struct jv array = as_array(r, v);
    if (array.len > 0) {
        array.items++;
        array.len--;
    }
    return array;
}

/* JavaScript's a + b, where one may be text. */
static double add(struct render *r, struct jv a, struct jv b)
{
    struct buf joined;
    if (a.type < JV_STRING && b.type < JV_STRING)
        return render_js_number(r, a) + render_js_number(r, b);
    buf_init_arena(&joined, r->arena, 1 << 20);
    buf_append(&joined, render_js_text(r, a));
    buf_append(&joined, render_js_text(r, b));
    return text_to_number(buf_str(&joined));
}

/* A position of slice(): whole, within [0, length]; negative ones count from the end. */
static size_t position(double at, double length)
{
    at = isnan(at) ? 0 : trunc(at);
    at = at < 0 ? fmax(length + at, 0) : fmin(at, length);
    return (size_t)at;
}

struct jv filter_slice(struct render *r, struct jv v, struct arguments args)
{
    struct jv begin = argument_at(args, 0);
    struct jv count = argument_at(args, 1);
    if (jv_is_nullish(v))
        return (struct jv){.type = JV_ARRAY};
    if (v.type != JV_ARRAY)
        v = jv_string(render_text(r, v));
    if (count.type == JV_UNDEFINED)
        count = jv_number(1);
    double length = v.type == JV_ARRAY ? v.len : (double)text_units(jv_str(v));
    double from = render_js_number(r, begin);
    struct jv nothing = v.type == JV_ARRAY ? (struct jv){.type = JV_ARRAY} : jv_string(STR(""));
    if (from < 0) {
        from = begin.type == JV_STRING ? add(r, jv_number(length), begin) : length + from;
        begin = jv_number(from);
    }
    if (from < 0 || render_js_number(r, count) < 0)
        return nothing;
    render_use(r, render_js_number(r, count));
    size_t first = position(from, length);
    size_t last = position(add(r, begin, count), length);
    if (r->rc != 0 || last <= first)
        return nothing;
    if (v.type == JV_ARRAY) {
        v.items += first;
        v.len = (uint32_t)(last - first);
        return v;
    }
    struct str cut = text_slice_units(r->arena, jv_str(v), first, last);
    return cut.ptr == NULL ? render_out_of_memory(r) : jv_string(cut);
}

struct jv filter_where(struct render *r, struct jv v, struct arguments args)
{
    struct jv *items;
    struct jv array = as_array(r, v);
    struct jv expected = argument_at(args, 1);
    struct str property = render_text(r, argument_at(args, 0));
    struct liquid_error error;
    struct compilation c = {.arena = r->arena, .input = property, .error = &error};
    struct scanner s = {&c, 0, property.len};
    struct operand access = expression_read_scope_operand(&s);
    struct jv kept = copy_items(r, array, 0, array.len, &items, 0, 0);
    if (c.rc != 0 && r->rc == 0) {
        *r->error = error;
        r->has_place = true; /* in the property's own text */
        r->rc = c.rc;
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < kept.len && r->rc == 0; i++) {
        struct jv value = render_access_in(r, &access, array.items[i]);
        if (expected.type == JV_UNDEFINED ? render_is_true(value) : render_equals(value, expected))
            items[count++] = array.items[i];
    }
    kept.len = kept.type == JV_ARRAY ? count : 0;
    return kept;
}

/* The reference takes items at random; the first ones are as good
 * a sample, and the same each time. */
struct jv filter_sample(struct render *r, struct jv v, struct arguments args)
{
    struct jv count = args.count > 0 ? args.items[0] : jv_number(1);
    struct jv zero = jv_number(0);
    struct jv bounds[2] = {zero, count};
    if (jv_is_nullish(v))
        return (struct jv){.type = JV_ARRAY};
    if (v.type != JV_ARRAY || (count.type == JV_NUMBER && jv_as_double(count) == 1))
        return v.type == JV_ARRAY ? render_property(r, v, zero) : end_of(r, v, false);
    return filter_slice(r, v, (struct arguments){bounds, 2});
}
