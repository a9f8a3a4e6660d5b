#include "program.h"

#include <errno.h>
#include <stdarg.h>

#include "objects.h"
#include "replace.h"
#include "text.h"

#define PRIMITIVE_WANTED "Cannot convert object to primitive value"

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

/* A value made by an objects_ function, which says undefined when the arena is full. */
static struct jv run_made(struct run *r, struct jv made)
{
    return made.type == JV_UNDEFINED ? run_out_of_memory(r) : made;
}

/* The two that most nodes are, without a call. */
static inline struct jv eval(struct run *r, const struct node *node, struct jv payload)
{
    if (node->op != OP_CONSTANT && (node->op != OP_PATH || node->place.slot == LOOKUP_NONE))
        return program_eval(r, node, payload);
    r->steps++;
    return node->op == OP_CONSTANT ? node->constant : r->found[node->place.slot];
}

/* Its keys are distinct and in order since the mapping was parsed: nothing to look up. */
static struct jv eval_object(struct run *r, const struct object_node *object, struct jv payload)
{
    struct jv_member *members = arena_array(r->arena, object->count, sizeof(*members));
    struct jv result = {.type = JV_OBJECT, .members = members};
    if (members == NULL)
        return run_out_of_memory(r);
    for (uint32_t i = 0; i < object->count; i++) {
        const struct member_node *member = &object->members[i];
        struct jv value = eval(r, &member->value, payload);
        if (!member->is_hidden && !(object->is_final && value.type == JV_UNDEFINED))
            members[result.len++] = (struct jv_member){member->key, value};
    }
    return result;
}

static struct jv eval_array(struct run *r, const struct array_node *array, struct jv payload)
{
    struct jv *items;
    struct jv result = jv_array(r->arena, &items, array->count);
    if (result.type != JV_ARRAY)
        return run_out_of_memory(r);
    for (uint32_t i = 0; i < array->count; i++)
        items[i] = eval(r, &array->items[i], payload);
    return result;
}

static struct jv eval_path_text(struct run *r, const struct node *argument, struct jv payload)
{
    struct path path;
    struct jv text = program_eval(r, argument, payload);
    if (text.type != JV_STRING)
        return run_throw(r, ERROR_PLAIN, "@path: expected string, got %s", program_type_name(text));
    struct str stripped = path_strip_root(r->arena, jv_str(text));
    if (stripped.ptr == NULL || path_compile(&path, r->arena, stripped, PATH_MAPPING) != 0)
        return run_out_of_memory(r);
    return path_get(path, payload);
}

static struct jv eval_template(struct run *r, const struct template *t, struct jv payload)
{
    struct buf text;
    int rc;
    if (payload.type == JV_UNDEFINED)
        payload = (struct jv){.type = JV_OBJECT};
    if (t->count == 1 && !t->has_second_pass && t->pieces[0].literal.len == 0) {
        struct jv value = place_get(&t->pieces[0].place, payload, r->found);
        if (value.type == JV_STRING || jv_is_nullish(value)) /* the whole text is one value */
            return value.type == JV_STRING ? value : jv_string(STR(""));
    }
    struct str plain = template_render_plain(t, r->arena, payload, r->found);
    if (plain.ptr != NULL)
        return jv_string(plain);
    buf_init_arena(&text, r->arena, MAPPING_OUTPUT_BYTES_MAX);
    if (!template_render(t, r->arena, payload, r->found, &text, &rc))
        return run_throw(r, ERROR_TYPE, PRIMITIVE_WANTED);
    return rc != 0 ? run_out_of_memory(r) : run_text(r, &text);
}

static struct jv eval_template_text(struct run *r, const struct node *argument, struct jv payload)
{
    struct template template;
    struct jv text = program_eval(r, argument, payload);
    if (text.type != JV_STRING)
        return run_throw(r, ERROR_PLAIN, "@template: expected string, got %s",
                         program_type_name(text));
    if (template_compile(&template, r->arena, jv_str(text)) != 0)
        return run_out_of_memory(r);
    return eval_template(r, &template, payload);
}

static struct jv eval_case(struct run *r, const struct case_node *node, struct jv payload)
{
    struct jv value = program_eval(r, &node->value, payload);
    struct str folded = {NULL, 0};
    if (value.type != JV_STRING)
        return value;
    switch (node->fold) {
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

static struct jv eval_replace(struct run *r, const struct replace_node *node, struct jv payload)
{
    struct jv value = program_eval(r, &node->value, payload);
    if (value.type == JV_BOOL || value.type == JV_NUMBER) {
        struct buf text;
        buf_init_arena(&text, r->arena, MAPPING_OUTPUT_BYTES_MAX);
        (void)text_append_value(&text, value); /* only objects throw */
        value = run_text(r, &text);
    }
    if (value.type != JV_STRING || !node->is_usable)
        return jv_string(STR(""));
    value = replace_one(r, node, &node->first, value);
    if (r->rc == 0 && node->second.pattern.len > 0)
        value = replace_one(r, node, &node->second, value);
    return value;
}

static struct jv eval_json(struct run *r, const struct json_node *node, struct jv payload)
{
    struct jv value = program_eval(r, &node->value, payload);
    struct jv decoded;
    struct buf text;
    switch (node->mode) {
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

static struct jv eval_liquid(struct run *r, const struct liquid *liquid, struct jv payload)
{
    struct buf text;
    struct liquid_error error;
    buf_init_arena(&text, r->arena, MAPPING_OUTPUT_BYTES_MAX);
    switch (liquid_render(liquid, r->arena, payload, &text, &error)) {
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

static struct jv eval_if(struct run *r, const struct if_node *node, struct jv payload)
{
    struct jv subject = eval(r, &node->subject, payload);
    bool is_met = !jv_is_nullish(subject);
    bool throws = false;
    switch (node->condition) {
    case CONDITION_EXISTS:
        break;
    case CONDITION_NOT_BLANK:
        is_met = is_met && !text_is_loosely_empty(subject, &throws);
        break;
    }
    if (throws)
        return run_throw(r, ERROR_TYPE, PRIMITIVE_WANTED);
    return eval(r, is_met ? &node->then : &node->otherwise, payload);
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
    return program_eval(r, &scope->node, payload);
}

static struct jv eval_array_path(struct run *r, const struct array_path_node *node,
                                 struct jv payload)
{
    struct jv *items;
    struct jv root = program_eval(r, &node->root, payload);
    const struct jv *outer = r->found;
    bool is_object = root.type == JV_OBJECT;
    if (!node->has_shape || (!is_object && root.type != JV_ARRAY))
        return root;
    uint32_t count = is_object ? 1 : root.len;
    struct jv result = jv_array(r->arena, &items, count);
    struct jv *found = new_found(r, &node->shape);
    if (result.type != JV_ARRAY || found == NULL)
        return run_out_of_memory(r);
    for (uint32_t i = 0; i < count && r->rc == 0; i++) {
        if (r->steps > MAPPING_STEPS_MAX)
            return run_over(r, "more values for one event", MAPPING_STEPS_MAX);
        items[i] = eval_scope(r, &node->shape, is_object ? root : root.items[i], found);
    }
    r->found = outer;
    return result;
}

static struct jv eval_flatten(struct run *r, const struct flatten_node *node, struct jv payload)
{
    struct jv separator = program_eval(r, &node->separator, payload);
    if (separator.type != JV_STRING)
        return run_throw(r, ERROR_PLAIN, "@flatten requires a string separator");
    struct jv value = program_eval(r, &node->value, payload);
    return run_made(r, objects_flatten(r->arena, value, jv_str(separator), node->omits_arrays));
}

static struct jv eval_merge(struct run *r, const struct merge_node *node, struct jv payload)
{
    struct jv direction = program_eval(r, &node->direction, payload);
    struct jv objects = program_eval(r, &node->objects, payload);
    if (r->rc != 0)
        return jv_undefined();
    return run_made(r, objects_merge(r->arena, objects, str_eq(jv_str(direction), STR("left"))));
}

static struct jv eval_exclude_null(struct run *r, const struct node *argument, struct jv payload)
{
    struct jv value = program_eval(r, argument, payload);
    if (value.type != JV_OBJECT)
        return value.type == JV_NULL ? jv_undefined() : value;
    return run_made(r, objects_exclude_nulls(r->arena, value));
}

static struct jv eval_transform(struct run *r, const struct transform_node *node, struct jv payload)
{
    const struct jv *outer = r->found;
    struct jv value = jv_undefined();
    struct jv applied = program_transform(r, &node->apply, payload);
    struct jv *found = new_found(r, &node->mapping);
    if (found == NULL)
        (void)run_out_of_memory(r);
    if (r->rc == 0)
        value = eval_scope(r, &node->mapping, applied, found);
    r->found = outer;
    return value;
}

struct jv program_transform(struct run *r, const struct scope *scope, struct jv payload)
{
    if (payload.type == JV_UNDEFINED)
        payload = (struct jv){.type = JV_OBJECT};
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

struct jv program_eval(struct run *r, const struct node *node, struct jv payload)
{
    r->steps++;
    switch (node->op) {
    case OP_CONSTANT:
        return node->constant;
    case OP_OBJECT:
        return eval_object(r, node->object, payload);
    case OP_ARRAY:
        return eval_array(r, node->array, payload);
    case OP_PATH:
        return place_get(&node->place, payload, r->found);
    case OP_PATH_TEXT:
        return eval_path_text(r, node->argument, payload);
    case OP_TEMPLATE:
        return eval_template(r, &node->template, payload);
    case OP_TEMPLATE_TEXT:
        return eval_template_text(r, node->argument, payload);
    case OP_IF:
        return eval_if(r, node->branch, payload);
    case OP_CASE:
        return eval_case(r, node->fold, payload);
    case OP_REPLACE:
        return eval_replace(r, node->replace, payload);
    case OP_ARRAY_PATH:
        return eval_array_path(r, node->array_path, payload);
    case OP_JSON:
        return eval_json(r, node->json, payload);
    case OP_FLATTEN:
        return eval_flatten(r, node->flatten, payload);
    case OP_MERGE:
        return eval_merge(r, node->merge, payload);
    case OP_TRANSFORM:
        return eval_transform(r, node->transform, payload);
    case OP_EXCLUDE_NULL:
        return eval_exclude_null(r, node->argument, payload);
    case OP_LIQUID:
        return eval_liquid(r, node->liquid, payload);
    case OP_THROW:
        if (r->rc == 0) {
            r->rc = -EINVAL;
            r->thrown = *node->thrown;
        }
        return jv_undefined();
    }
    return jv_undefined();
}
