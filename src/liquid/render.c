#include "render.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "filters.h"
#include "path.h"
#include "text.h"
#include "tree.h"

enum {
    TEXT_BYTES_MAX =
        16 << 20, /* one text inside a rendering; what comes out is the caller's to bound */
    ARGUMENTS_MAX = LIQUID_UNITS_MAX, /* an argument takes a character at least */
};

struct jv render_throw(struct render *r, const char *format, ...)
{
    char message[4096];
    if (r->rc != 0)
        return jv_undefined();
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    struct str kept = arena_copy(r->arena, str_from(message));
    *r->error = (struct liquid_error){ERROR_RENDER, kept};
    r->rc = kept.ptr == NULL ? -ENOMEM : -EINVAL;
    return jv_undefined();
}

struct jv render_out_of_memory(struct render *r)
{
    r->rc = r->rc != 0 ? r->rc : -ENOMEM;
    return jv_undefined();
}

void render_use(struct render *r, double units)
{
    if (!(units > 0))
        return;
    if (r->memory + units > RENDER_MEMORY_MAX)
        (void)render_throw(r, "memory alloc limit exceeded");
    r->memory += units;
}

static bool append_text(struct buf *out, struct jv v)
{
    if (jv_is_nullish(v))
        return true;
    if (v.type != JV_ARRAY)
        return text_append_value(out, v);
    for (uint32_t i = 0; i < v.len; i++)
        if (!append_text(out, v.items[i]))
            return false;
    return true;
}

static struct str text_from(struct render *r, bool ok, const struct buf *text)
{
    if (!ok)
        (void)render_throw(r, "Cannot convert object to primitive value");
    if (text->failed)
        (void)render_out_of_memory(r);
    return text->len == 0 ? STR("") : buf_str(text);
}

struct str render_text(struct render *r, struct jv v)
{
    struct buf text;
    if (v.type == JV_STRING)
        return v.len == 0 ? STR("") : jv_str(v);
    buf_init_arena(&text, r->arena, TEXT_BYTES_MAX);
    return text_from(r, append_text(&text, v), &text);
}

struct str render_js_text(struct render *r, struct jv v)
{
    struct buf text;
    if (v.type == JV_STRING)
        return v.len == 0 ? STR("") : jv_str(v);
    buf_init_arena(&text, r->arena, TEXT_BYTES_MAX);
    return text_from(r, text_append_value(&text, v), &text);
}

double render_js_number(struct render *r, struct jv v)
{
    switch ((enum jv_type)v.type) {
    case JV_UNDEFINED:
        return NAN;
    case JV_NULL:
        return 0;
    case JV_BOOL:
        return v.boolean;
    case JV_NUMBER:
        return jv_as_double(v);
    case JV_STRING:
    case JV_ARRAY:
    case JV_OBJECT:
        return text_to_number(render_js_text(r, v));
    }
    return NAN;
}

struct jv render_from_buf(struct render *r, const struct buf *text)
{
    if (text->failed)
        return text->too_long ? render_throw(r, "memory alloc limit exceeded")
                              : render_out_of_memory(r);
    return jv_string(text->len == 0 ? STR("") : buf_str(text));
}

bool render_is_true(struct jv v)
{
    return !jv_is_nullish(v) && !(v.type == JV_BOOL && !v.boolean);
}

static bool is_empty_to(struct jv v, bool blank_too)
{
    if (blank_too && (jv_is_nullish(v) || (v.type == JV_BOOL && !v.boolean)))
        return true;
    if (blank_too && v.type == JV_STRING)
        return text_trim(jv_str(v)).len == 0;
    return v.type >= JV_STRING && v.len == 0;
}

static bool is_word(struct jv v, const char *word)
{
    return expression_is_special(v) && v.ptr == word;
}

/* A special word on either side decides; nil equals nothing but null, and neither empty nor blank
 * equals empty. */
static bool special_equals(struct jv special, struct jv other)
{
    if (is_word(special, expression_nil))
        return jv_is_nullish(other);
    if (is_word(other, expression_empty) || is_word(other, expression_blank))
        return false;
    return is_empty_to(other, is_word(special, expression_blank));
}

bool render_equals(struct jv a, struct jv b)
{
    if (expression_is_special(a))
        return special_equals(a, b);
    if (expression_is_special(b))
        return special_equals(b, a);
    if (a.type != b.type)
        return false;
    if (a.type == JV_OBJECT) /* the same object, not a like one */
        return a.len == b.len && a.members == b.members;
    if (a.type != JV_ARRAY)
        return jv_equal(a, b);
    if (a.len != b.len)
        return false;
    for (uint32_t i = 0; i < a.len; i++)
        if (!render_equals(a.items[i], b.items[i]))
            return false;
    return true;
}

static struct jv element_at(struct jv array, double index)
{
    index = index < 0 ? array.len + index : index;
    bool is_there = index >= 0 && index < array.len && index == trunc(index);
    return is_there ? array.items[(uint32_t)index] : jv_undefined();
}

static struct jv size_of(struct jv v)
{
    struct jv own = path_step(v, STR("size"));
    if (own.type != JV_UNDEFINED)
        return own;
    if (v.type == JV_ARRAY || v.type == JV_OBJECT)
        return jv_number(v.len);
    return v.type == JV_STRING ? jv_number((double)text_units(jv_str(v))) : jv_undefined();
}

struct jv render_property(struct render *r, struct jv v, struct jv key)
{
    if (expression_is_special(v))
        return jv_undefined();
    if (jv_is_nullish(v))
        return v;
    if (v.type == JV_ARRAY && key.type == JV_NUMBER)
        return element_at(v, jv_as_double(key));
    struct str name = render_js_text(r, key);
    struct jv own = path_step(v, name);
    if (key.type == JV_STRING && str_eq(name, STR("size")))
        return size_of(v);
    if (v.type == JV_ARRAY && key.type == JV_STRING && str_eq(name, STR("first")))
        return element_at(v, 0);
    if (v.type == JV_ARRAY && key.type == JV_STRING && str_eq(name, STR("last")))
        return element_at(v, -1);
    return own;
}

static bool find_built(const struct jv_builder *b, struct str key, struct jv *out)
{
    for (uint32_t i = 0; i < b->len; i++) {
        if (str_eq(b->members[i].key, key)) {
            *out = b->members[i].value;
            return true;
        }
    }
    return false;
}

/* The words nil, empty and blank in brackets name what is called as they are only when there is
 * something called as JavaScript prints objects. */
static struct str name_of(struct render *r, struct jv key)
{
    return expression_is_special(key) ? STR("[object Object]") : render_js_text(r, key);
}

/* The first step of a path, in a value that may be anything. A name that is no member is looked up
 * in an empty object, whose size is 0: an array's own size, first and last are not seen here. */
static struct jv find_member(struct render *r, struct jv v, struct jv key)
{
    struct str name = name_of(r, key);
    if (path_step(v, name).type != JV_UNDEFINED)
        return render_property(r, v, key);
    return str_eq(name, STR("size")) ? jv_number(0) : jv_undefined();
}

static struct jv find_variable(struct render *r, struct jv key)
{
    struct jv found;
    struct str name = name_of(r, key);
    if (r->blocks > 0 && str_eq(name, STR("block")))
        return (struct jv){.type = JV_OBJECT};
    if (find_built(&r->assigned, name, &found) || find_built(&r->counters, name, &found))
        return found;
    return find_member(r, r->values, key);
}

static struct jv operand_value(struct render *r, const struct operand *o);

static struct jv access_value(struct render *r, const struct operand *o)
{
    struct jv v;
    uint32_t i = 0;
    if (o->root != NULL)
        v = operand_value(r, o->root);
    else
        v = find_variable(r, operand_value(r, &o->parts[i++]));
    for (; i < o->parts_count && r->rc == 0; i++)
        v = render_property(r, v, operand_value(r, &o->parts[i]));
    return v;
}

struct jv render_access_in(struct render *r, const struct operand *access, struct jv item)
{
    if (access->parts_count == 0)
        return jv_undefined();
    struct jv v = find_member(r, item, operand_value(r, &access->parts[0]));
    for (uint32_t i = 1; i < access->parts_count && r->rc == 0; i++)
        v = render_property(r, v, operand_value(r, &access->parts[i]));
    return v;
}

static struct jv range_value(struct render *r, const struct operand *o)
{
    double low = render_js_number(r, operand_value(r, &o->parts[0]));
    double high = render_js_number(r, operand_value(r, &o->parts[1]));
    struct jv *items;
    render_use(r, high - low + 1);
    if (r->rc != 0)
        return jv_undefined();
    double count = ceil(high + 1 - low);
    if (!(count > 0))
        return (struct jv){.type = JV_ARRAY};
    if (count > LIQUID_RANGE_MAX) {
        r->rc = -E2BIG;
        return jv_undefined();
    }
    struct jv range = jv_array(r->arena, &items, (size_t)count);
    if (range.type != JV_ARRAY)
        return render_out_of_memory(r);
    for (uint32_t i = 0; i < range.len; i++)
        items[i] = jv_number(low + i);
    return range;
}

static struct jv operand_value(struct render *r, const struct operand *o)
{
    switch (o->kind) {
    case OPERAND_NOTHING:
        return jv_undefined();
    case OPERAND_LITERAL:
        return o->literal;
    case OPERAND_ACCESS:
        return access_value(r, o);
    case OPERAND_RANGE:
        return range_value(r, o);
    }
    return jv_undefined();
}

/* The order of UTF-16 units, which puts characters beyond the BMP before the last ones in it. */
static int compare_texts(struct str a, struct str b)
{
    size_t i = 0;
    size_t j = 0;
    while (i < a.len && j < b.len) {
        uint32_t left = text_next_point(a, &i);
        uint32_t right = text_next_point(b, &j);
        if (left == right)
            continue;
        uint32_t left_unit = left > 0xFFFF ? 0xD800 : left;
        uint32_t right_unit = right > 0xFFFF ? 0xD800 : right;
        if (left_unit != right_unit)
            return left_unit < right_unit ? -1 : 1;
        return left < right ? -1 : 1;
    }
    return i < a.len ? 1 : j < b.len ? -1 : 0;
}

static bool is_less(struct render *r, struct jv a, struct jv b, bool or_equal)
{
    bool are_texts =
        a.type >= JV_STRING && b.type >= JV_STRING; /* arrays and objects become texts */
    if (expression_is_special(a) || expression_is_special(b))
        return false;
    if (are_texts) {
        int order = compare_texts(render_js_text(r, a), render_js_text(r, b));
        return order < 0 || (or_equal && order == 0);
    }
    double left = render_js_number(r, a);
    double right = render_js_number(r, b);
    return left < right || (or_equal && left == right);
}

static bool has_part(struct render *r, struct jv whole, struct jv part)
{
    if (whole.type == JV_STRING) {
        struct str text = render_text(r, whole);
        struct str sought = render_js_text(r, part);
        return sought.len == 0 ||
               (text.len > 0 && memmem(text.ptr, text.len, sought.ptr, sought.len) != NULL);
    }
    for (uint32_t i = 0; whole.type == JV_ARRAY && i < whole.len; i++)
        if (render_equals(whole.items[i], part))
            return true;
    return false;
}

static bool operate(struct render *r, enum operation operation, struct jv a, struct jv b)
{
    switch (operation) {
    case OPERATION_NONE:
        return false;
    case OPERATION_EQUAL:
        return render_equals(a, b);
    case OPERATION_NOT_EQUAL:
        return !render_equals(a, b);
    case OPERATION_GREATER:
        return is_less(r, b, a, false);
    case OPERATION_LESS:
        return is_less(r, a, b, false);
    case OPERATION_GREATER_EQUAL:
        return is_less(r, b, a, true);
    case OPERATION_LESS_EQUAL:
        return is_less(r, a, b, true);
    case OPERATION_CONTAINS:
        return has_part(r, a, b);
    case OPERATION_NOT:
        return !render_is_true(b);
    case OPERATION_AND:
        return render_is_true(a) && render_is_true(b);
    case OPERATION_OR:
        return render_is_true(a) || render_is_true(b);
    }
    return false;
}

static struct jv terms_value(struct render *r, const struct value *v)
{
    struct jv *stack = arena_array(r->arena, v->terms_count + 1, sizeof(*stack));
    uint32_t height = 0;
    if (stack == NULL)
        return render_out_of_memory(r);
    stack[0] = jv_undefined();
    for (uint32_t i = 0; i < v->terms_count && r->rc == 0; i++) {
        const struct term *term = &v->terms[i];
        if (term->operation == OPERATION_NONE) {
            stack[height++] = operand_value(r, &term->operand);
            continue;
        }
        bool is_unary = term->operation == OPERATION_NOT;
        struct jv right = height > 0 ? stack[--height] : jv_undefined();
        struct jv left = !is_unary && height > 0 ? stack[--height] : jv_undefined();
        stack[height++] = jv_bool(operate(r, term->operation, left, right));
    }
    return stack[0];
}

static struct jv named_pair(struct render *r, const struct argument *argument)
{
    struct jv *items;
    struct jv pair = jv_array(r->arena, &items, 2);
    if (pair.type != JV_ARRAY)
        return render_out_of_memory(r);
    items[0] = jv_string(argument->name);
    items[1] = operand_value(r, &argument->operand);
    return pair;
}

static struct jv call_value(struct render *r, const struct filter_call *call, struct jv v)
{
    struct jv *items = arena_array(r->arena, call->count, sizeof(*items));
    if (items == NULL)
        return render_out_of_memory(r);
    for (uint32_t i = 0; i < call->count && r->rc == 0; i++)
        items[i] = call->arguments[i].is_named ? named_pair(r, &call->arguments[i])
                                               : operand_value(r, &call->arguments[i].operand);
    if (r->rc != 0 || call->filter == NULL)
        return v;
    if (call->filter->run == NULL)
        return render_throw(r, "filter \"%.*s\" is disabled", STR_ARG(call->filter->name));
    return call->filter->run(r, v, (struct arguments){items, call->count});
}

static struct jv value_of(struct render *r, const struct value *value)
{
    struct jv v = terms_value(r, value);
    for (uint32_t i = 0; i < value->calls_count && r->rc == 0; i++)
        v = call_value(r, &value->calls[i], v);
    return v;
}

static void render_list(struct render *r, const struct list *list, struct buf *out);

static void put(struct render *r, struct jv_builder *b, struct str key, struct jv value)
{
    jv_object_put(b, key, value);
    if (b->failed)
        (void)render_out_of_memory(r);
}

static void render_if(struct render *r, const struct node *node, struct buf *out)
{
    for (const struct branch *b = node->branches; b != NULL; b = b->next) {
        bool is_met = render_is_true(value_of(r, &b->value)) != b->is_negated;
        if (r->rc != 0)
            return;
        if (is_met) {
            render_list(r, &b->body, out);
            return;
        }
    }
    render_list(r, &node->body, out);
}

static void render_counter(struct render *r, const struct node *node, struct buf *out)
{
    struct jv now;
    if (!find_built(&r->counters, node->text, &now))
        now = path_step(r->values, node->text);
    double number = now.type == JV_NUMBER ? jv_as_double(now) : 0;
    bool is_up = node->kind == NODE_INCREMENT;
    put(r, &r->counters, node->text, jv_number(is_up ? number + 1 : number - 1));
    jv_write_number(out, is_up ? number : number - 1);
}

/* Cycles of the same group and length share their place. */
static void render_cycle(struct render *r, const struct node *node, struct buf *out)
{
    struct jv place;
    struct buf key;
    buf_init_arena(&key, r->arena, TEXT_BYTES_MAX);
    buf_printf(&key, "%u:", node->candidates_count);
    buf_append(&key, render_js_text(r, operand_value(r, &node->group)));
    if (!find_built(&r->cycles, buf_str(&key), &place))
        place = jv_number(0);
    uint32_t at = (uint32_t)jv_as_double(place);
    put(r, &r->cycles, buf_str(&key), jv_number((at + 1) % node->candidates_count));
    struct jv v = operand_value(r, &node->candidates[at]);
    if (jv_truthy(v))
        buf_append(out, render_text(r, v));
}

static void render_node(struct render *r, const struct node *node, struct buf *out)
{
    struct buf captured;
    switch (node->kind) {
    case NODE_TEXT:
        buf_append(out, node->text);
        return;
    case NODE_OUTPUT:
        buf_append(out, render_text(r, value_of(r, &node->value)));
        return;
    case NODE_ASSIGN:
        put(r, &r->assigned, node->text, value_of(r, &node->value));
        return;
    case NODE_CAPTURE:
        buf_init_arena(&captured, r->arena, TEXT_BYTES_MAX);
        render_list(r, &node->body, &captured);
        put(r, &r->assigned, node->text, render_from_buf(r, &captured));
        return;
    case NODE_IF:
        render_if(r, node, out);
        return;
    case NODE_CYCLE:
        render_cycle(r, node, out);
        return;
    case NODE_INCREMENT:
    case NODE_DECREMENT:
        render_counter(r, node, out);
        return;
    case NODE_STOP:
        r->is_stopped = true;
        return;
    case NODE_BLOCK:
        r->blocks++;
        render_list(r, &node->body, out);
        r->blocks--;
        return;
    case NODE_LIST:
        render_list(r, &node->body, out);
        return;
    }
}

static void render_list(struct render *r, const struct list *list, struct buf *out)
{
    for (uint32_t i = 0; i < list->count && r->rc == 0 && !r->is_stopped; i++) {
        render_node(r, &list->items[i], out);
        if (r->rc != -EINVAL || r->has_place)
            continue;
        r->error->message = scanner_place(r->arena, r->input, list->items[i].at, r->error->message);
        r->has_place = true;
        if (r->error->message.ptr == NULL)
            r->rc = -ENOMEM;
    }
}

int liquid_render(const struct liquid *l, struct arena *a, struct jv values, struct buf *out,
                  struct liquid_error *error)
{
    struct render r = {.arena = a, .error = error, .input = l->input, .values = values};
    jv_object_begin(&r.assigned, a, 0);
    jv_object_begin(&r.counters, a, 0);
    jv_object_begin(&r.cycles, a, 0);
    if (jv_is_nullish(values))
        r.values = (struct jv){.type = JV_OBJECT};
    render_list(&r, &l->body, out);
    return r.rc;
}
