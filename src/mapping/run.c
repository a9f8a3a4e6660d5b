#include "program.h"

#include <errno.h>
#include <stdarg.h>

#include "objects.h"
#include "replace.h"
#include "text.h"

#define PRIMITIVE_WANTED "Cannot convert object to primitive value"

struct run run_begin(struct arena *a)
{
    return (struct run){.arena = a, .used_max = arena_used(a) + MAPPING_WORK_BYTES_MAX};
}

struct jv run_throw(struct run *r, struct str name, const char *format, ...)
{
    if (r->rc != 0)
        return jv_undefined();
    va_list args;
    va_start(args, format);
    r->rc = program_throw_formatted(&r->thrown, r->arena, name, format, args);
    va_end(args);
    return jv_undefined();
}

struct jv run_out_of_memory(struct run *r)
{
    r->rc = r->rc != 0 ? r->rc : -ENOMEM;
    return jv_undefined();
}

static struct jv run_over(struct run *r, const char *what, unsigned max)
{
    if (r->rc == 0) {
        r->rc = -E2BIG;
        r->limit = what;
        r->limit_max = max;
    }
    return jv_undefined();
}

struct jv run_text(struct run *r, const struct buf *text)
{
    if (text->failed)
        return text->too_long ? run_over(r, "a text longer", MAPPING_OUTPUT_BYTES_MAX)
                              : run_out_of_memory(r);
    return jv_string(buf_str(text));
}

/* False: that many values more are too many for one event. */
static bool run_counted(struct run *r, uint32_t values)
{
    r->steps += values;
    if (r->steps > MAPPING_STEPS_MAX)
        (void)run_over(r, "more values for one event", MAPPING_STEPS_MAX);
    return r->rc == 0;
}

/* A value made by an objects_ function, which says undefined when the arena is full. */
static struct jv run_made(struct run *r, struct jv made)
{
    return made.type == JV_UNDEFINED ? run_out_of_memory(r) : made;
}

typedef struct jv evaluator(struct run *r, const struct node *node, struct jv payload);

static evaluator *const evaluators[OP_COUNT];

/* Before each directive: what a run that has failed would still make means nothing. */
static inline bool may_go_on(struct run *r)
{
    if (arena_used(r->arena) > r->used_max)
        (void)run_over(r, "more bytes for one event", MAPPING_WORK_BYTES_MAX);
    return r->rc == 0;
}

/* The two that most nodes are, without a call. */
static inline struct jv eval(struct run *r, const struct node *node, struct jv payload)
{
    if (node->op == OP_CONSTANT)
        return node->constant;
    if (node->op == OP_PATH && node->place.slot != LOOKUP_NONE)
        return r->found[node->place.slot];
    r->steps++;
    return may_go_on(r) ? evaluators[node->op](r, node, payload) : jv_undefined();
}

/* Its keys are distinct and in order since the mapping was parsed: nothing to look up. */
static struct jv eval_object(struct run *r, const struct node *node, struct jv payload)
{
    const struct object_node *object = node->object;
    struct jv_member *members = arena_array(r->arena, object->count, sizeof(*members));
    struct jv result = {.type = JV_OBJECT, .clean = 1, .members = members};
    if (members == NULL)
        return run_out_of_memory(r);
    r->steps += object->count;
    const struct member_node *end = object->members + object->count;
    for (const struct member_node *member = object->members; member < end; member++) {
        struct jv value = eval(r, &member->value, payload);
        bool is_dropped = (object->is_final & (value.type == JV_UNDEFINED)) | member->is_hidden;
        members[result.len] = (struct jv_member){member->key, value};
        result.len += !is_dropped;
        result.clean &= value.clean | is_dropped;
    }
    return result;
}

static struct jv eval_array(struct run *r, const struct node *node, struct jv payload)
{
    const struct array_node *array = node->array;
    struct jv *items;
    struct jv result = jv_array(r->arena, &items, array->count);
    if (result.type != JV_ARRAY)
        return run_out_of_memory(r);
    r->steps += array->count;
    result.clean = 1;
    for (uint32_t i = 0; i < array->count; i++) {
        items[i] = eval(r, &array->items[i], payload);
        result.clean &= items[i].clean;
    }
    return result;
}

static struct jv eval_path(struct run *r, const struct node *node, struct jv payload)
{
    return place_get(&node->place, payload, r->found);
}

static struct jv eval_path_text(struct run *r, const struct node *node, struct jv payload)
{
    struct path path;
    struct jv text = eval(r, node->argument, payload);
    if (text.type != JV_STRING)
        return run_throw(r, ERROR_PLAIN, "@path: expected string, got %s", program_type_name(text));
    struct str stripped = path_strip_root(r->arena, jv_str(text));
    if (stripped.ptr == NULL || path_compile(&path, r->arena, stripped, PATH_MAPPING) != 0)
        return run_out_of_memory(r);
    return path_get(path, payload);
}

/* What templates and transforms see where there is nothing. */
static inline struct jv data_of(struct jv payload)
{
    return payload.type == JV_UNDEFINED ? (struct jv){.type = JV_OBJECT} : payload;
}

__attribute__((noinline)) static struct jv render(struct run *r, const struct template *t,
                                                  struct jv payload)
{
    struct buf text;
    int rc;
    buf_init_arena(&text, r->arena, MAPPING_OUTPUT_BYTES_MAX);
    if (!template_render(t, r->arena, payload, r->found, &text, &rc))
        return run_throw(r, ERROR_TYPE, PRIMITIVE_WANTED);
    return rc != 0 ? run_out_of_memory(r) : run_text(r, &text);
}

static struct jv eval_template(struct run *r, const struct node *node, struct jv payload)
{
    const struct template *t = &node->template;
    if (t->is_quick) {
        struct jv plain = template_render_plain(t, r->arena, r->found);
        if (plain.type == JV_STRING)
            return plain;
    }
    return render(r, t, data_of(payload));
}

static struct jv eval_template_text(struct run *r, const struct node *node, struct jv payload)
{
    struct template template;
    struct jv text = eval(r, node->argument, payload);
    if (text.type != JV_STRING)
        return run_throw(r, ERROR_PLAIN, "@template: expected string, got %s",
                         program_type_name(text));
    if (template_compile(&template, r->arena, jv_str(text)) != 0)
        return run_out_of_memory(r);
    return render(r, &template, data_of(payload));
}

static struct jv eval_case(struct run *r, const struct node *node, struct jv payload)
{
    const struct case_node *fold = node->fold;
    struct jv value = eval(r, &fold->value, payload);
    struct str folded = {NULL, 0};
    if (value.type != JV_STRING)
        return value;
    switch (fold->fold) {
    case FOLD_UNKNOWN:
        return run_throw(r, ERROR_PLAIN,
                         "operator key should have a value of \"lower\" or \"upper\"");
    case FOLD_LOWER:
        folded = text_lower(r->arena, jv_str(value));
        break;
    case FOLD_UPPER:
        folded = text_upper(r->arena, jv_str(value));
        break;
    }
    return folded.ptr == NULL ? run_out_of_memory(r) : jv_string(folded);
}

static struct jv replace_one(struct run *r, const struct replace_node *node,
                             const struct replacement *replacement, struct jv value)
{
    struct buf text;
    if (replacement->pattern_units > 10)
        return run_throw(r, ERROR_PLAIN, "@replace requires a \"pattern\" less than 10 characters");
    if (replacement->text_units > 10)
        return run_throw(r, ERROR_PLAIN,
                         "@replace requires a \"replacement\" less than 10 characters");
    buf_init_arena(&text, r->arena, MAPPING_OUTPUT_BYTES_MAX);
    replace_append(&text, jv_str(value), replacement->pattern, replacement->text,
                   (struct replace_options){node->is_global, node->ignores_case});
    return run_text(r, &text);
}

static struct jv eval_replace(struct run *r, const struct node *node, struct jv payload)
{
    const struct replace_node *replace = node->replace;
    struct jv value = eval(r, &replace->value, payload);
    if (value.type == JV_BOOL || value.type == JV_NUMBER) {
        struct buf text;
        buf_init_arena(&text, r->arena, MAPPING_OUTPUT_BYTES_MAX);
        (void)text_append_value(&text, value); /* only objects throw */
        value = run_text(r, &text);
    }
    if (value.type != JV_STRING || !replace->is_usable)
        return jv_string(STR(""));
    value = replace_one(r, replace, &replace->first, value);
    if (r->rc == 0 && replace->second.pattern.len > 0)
        value = replace_one(r, replace, &replace->second, value);
    return value;
}

static struct jv eval_json(struct run *r, const struct node *node, struct jv payload)
{
    const struct json_node *json = node->json;
    struct jv value = eval(r, &json->value, payload);
    struct jv decoded;
    struct buf text;
    switch (json->mode) {
    case JSON_MODE_UNKNOWN:
        break;
    case JSON_MODE_ENCODE:
        if (value.type == JV_UNDEFINED)
            break;
        buf_init_arena(&text, r->arena, MAPPING_OUTPUT_BYTES_MAX);
        jv_write(&text, value);
        return run_text(r, &text);
    case JSON_MODE_DECODE:
        if (value.type != JV_STRING)
            return value;
        switch (jv_parse(&decoded, r->arena, jv_str(value), JV_JAVASCRIPT, NULL)) {
        case 0:
            return decoded;
        case -ENOMEM:
            return run_out_of_memory(r);
        default: /* what is no JSON stays as it is */
            return value;
        }
    }
    return jv_undefined();
}

static struct jv eval_liquid(struct run *r, const struct node *node, struct jv payload)
{
    struct buf text;
    struct liquid_error error;
    buf_init_arena(&text, r->arena, MAPPING_OUTPUT_BYTES_MAX);
    switch (liquid_render(node->liquid, r->arena, payload, &text, &error)) {
    case 0:
        return text.len == 0 && !text.failed ? jv_string(STR("")) : run_text(r, &text);
    case -EINVAL:
        if (r->rc == 0) {
            r->rc = -EINVAL;
            r->thrown = (struct thrown){error.name, error.message};
        }
        return jv_undefined();
    case -E2BIG:
        return run_over(r, "a range of more numbers", LIQUID_RANGE_MAX);
    default:
        return run_out_of_memory(r);
    }
}

static struct jv eval_if(struct run *r, const struct node *node, struct jv payload)
{
    const struct if_node *branch = node->branch;
    struct jv subject = eval(r, &branch->subject, payload);
    bool is_met = !jv_is_nullish(subject);
    bool throws = false;
    switch (branch->condition) {
    case CONDITION_EXISTS:
        break;
    case CONDITION_NOT_BLANK:
        is_met = is_met && !text_is_loosely_empty(subject, &throws);
        break;
    }
    if (throws)
        return run_throw(r, ERROR_TYPE, PRIMITIVE_WANTED);
    return eval(r, is_met ? &branch->then : &branch->otherwise, payload);
}

static struct jv *new_found(struct run *r, const struct scope *scope)
{
    return arena_array(r->arena, scope->lookups.count, sizeof(struct jv));
}

/* The caller puts back what the outer scope has found. */
static struct jv eval_scope(struct run *r, const struct scope *scope, struct jv payload,
                            struct jv *found)
{
    lookups_find(&scope->lookups, payload, found);
    r->found = found;
    r->steps += scope->lookups.count;
    return eval(r, &scope->node, payload);
}

static struct jv eval_array_path(struct run *r, const struct node *node, struct jv payload)
{
    const struct array_path_node *path = node->array_path;
    struct jv *items;
    struct jv root = eval(r, &path->root, payload);
    const struct jv *outer = r->found;
    bool is_object = root.type == JV_OBJECT;
    uint8_t clean = 1;
    if (!path->has_shape || (!is_object && root.type != JV_ARRAY))
        return root;
    uint32_t count = is_object ? 1 : root.len;
    struct jv result = jv_array(r->arena, &items, count);
    struct jv *found = new_found(r, &path->shape);
    if (result.type != JV_ARRAY || found == NULL)
        return run_out_of_memory(r);
    for (uint32_t i = 0; i < count && r->rc == 0; i++) {
        if (!run_counted(r, 0))
            return jv_undefined();
        items[i] = eval_scope(r, &path->shape, is_object ? root : root.items[i], found);
        clean &= items[i].clean;
    }
    result.clean = clean;
    r->found = outer;
    return result;
}

static struct jv eval_flatten(struct run *r, const struct node *node, struct jv payload)
{
    const struct flatten_node *flatten = node->flatten;
    struct jv separator = eval(r, &flatten->separator, payload);
    if (separator.type != JV_STRING)
        return run_throw(r, ERROR_PLAIN, "@flatten requires a string separator");
    struct jv value = eval(r, &flatten->value, payload);
    struct jv flat = objects_flatten(r->arena, value, jv_str(separator), flatten->omits_arrays);
    return run_counted(r, flat.len) ? run_made(r, flat) : jv_undefined();
}

static struct jv eval_merge(struct run *r, const struct node *node, struct jv payload)
{
    const struct merge_node *merge = node->merge;
    struct jv direction = eval(r, &merge->direction, payload);
    struct jv objects = eval(r, &merge->objects, payload);
    for (uint32_t i = 0; i < objects.len && r->rc == 0; i++)
        if (objects.items[i].type >= JV_STRING)
            (void)run_counted(r, objects.items[i].len);
    if (r->rc != 0)
        return jv_undefined();
    return run_made(r, objects_merge(r->arena, objects, str_eq(jv_str(direction), STR("left"))));
}

static struct jv eval_exclude_null(struct run *r, const struct node *node, struct jv payload)
{
    struct jv value = eval(r, node->argument, payload);
    if (value.type != JV_OBJECT)
        return value.type == JV_NULL ? jv_undefined() : value;
    return run_made(r, objects_exclude_nulls(r->arena, value));
}

static struct jv eval_transform(struct run *r, const struct node *node, struct jv payload)
{
    const struct transform_node *transform = node->transform;
    const struct jv *outer = r->found;
    struct jv value = jv_undefined();
    struct jv applied = program_transform(r, &transform->apply, payload);
    struct jv *found = new_found(r, &transform->mapping);
    if (found == NULL)
        (void)run_out_of_memory(r);
    if (r->rc == 0)
        value = eval_scope(r, &transform->mapping, applied, found);
    r->found = outer;
    return value;
}

static struct jv eval_throw(struct run *r, const struct node *node, struct jv payload)
{
    (void)payload;
    if (r->rc == 0) {
        r->rc = -EINVAL;
        r->thrown = *node->thrown;
    }
    return jv_undefined();
}

static evaluator *const evaluators[OP_COUNT] = {
    /* OP_CONSTANT never gets here */
    [OP_OBJECT] = eval_object,
    [OP_ARRAY] = eval_array,
    [OP_PATH] = eval_path,
    [OP_PATH_TEXT] = eval_path_text,
    [OP_TEMPLATE] = eval_template,
    [OP_TEMPLATE_TEXT] = eval_template_text,
    [OP_IF] = eval_if,
    [OP_CASE] = eval_case,
    [OP_REPLACE] = eval_replace,
    [OP_ARRAY_PATH] = eval_array_path,
    [OP_JSON] = eval_json,
    [OP_FLATTEN] = eval_flatten,
    [OP_MERGE] = eval_merge,
    [OP_TRANSFORM] = eval_transform,
    [OP_EXCLUDE_NULL] = eval_exclude_null,
    [OP_LIQUID] = eval_liquid,
    [OP_THROW] = eval_throw,
};

struct jv program_transform(struct run *r, const struct scope *scope, struct jv payload)
{
    payload = data_of(payload);
    if (payload.type != JV_OBJECT)
        return run_throw(r, ERROR_PLAIN, "data must be an object, got %s",
                         program_type_name(payload));
    return program_element(r, scope, payload);
}

struct jv program_element(struct run *r, const struct scope *scope, struct jv payload)
{
    struct jv *found = new_found(r, scope);
    if (found == NULL)
        return run_out_of_memory(r);
    struct jv value = eval_scope(r, scope, payload, found);
    if (r->rc != 0 || value.type < JV_ARRAY)
        return value;
    return run_made(r, objects_clean(r->arena, value));
}
