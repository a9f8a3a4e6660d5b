#include "program.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "bounds.h"
#include "text.h"
#include "validate.h"

#define ROOT_KEY STR("__segment_internal_directive")
#define PROTO    STR("__proto__")

struct compiler {
    struct arena *arena;
    struct thrown *thrown;
    struct err *err;
    uint32_t *nodes;
    struct lookups *lookups; /* of the scope */
    unsigned depth;
};

typedef int compile_directive(struct compiler *c, struct node *out, struct jv argument);

static int compile(struct compiler *c, struct node *out, struct jv source);

static struct node constant(struct jv value)
{
    return (struct node){.op = OP_CONSTANT, .constant = value};
}

/* A directive whose argument is wrong where validation does not look. */
__attribute__((format(printf, 3, 4))) static int compile_throw(struct compiler *c, struct node *out,
                                                               const char *format, ...)
{
    struct thrown *thrown = arena_alloc(c->arena, sizeof(*thrown));
    if (thrown == NULL)
        return -ENOMEM;
    *out = (struct node){.op = OP_THROW, .thrown = thrown};
    va_list args;
    va_start(args, format);
    int rc = program_throw_formatted(thrown, c->arena, ERROR_PLAIN, format, args);
    va_end(args);
    return rc == -EINVAL ? 0 : rc;
}

/* The member's program; a missing one is undefined. */
static int compile_member(struct compiler *c, struct node *out, struct jv object, struct str key)
{
    return compile(c, out, jv_get(object, key));
}

/* A part that sees a payload of its own. */
static int compile_scope(struct compiler *c, struct scope *out, struct jv source)
{
    struct lookups *outer = c->lookups;
    lookups_init(&out->lookups);
    c->lookups = &out->lookups;
    int rc = compile(c, &out->node, source);
    c->lookups = outer;
    return rc;
}

static bool is_falsy(struct jv object, struct str key)
{
    return !jv_truthy(jv_get(object, key));
}

static int compile_copy(struct compiler *c, const struct node **out, struct jv source)
{
    struct node *node = arena_alloc(c->arena, sizeof(*node));
    *out = node;
    return node == NULL ? -ENOMEM : compile(c, node, source);
}

static int compile_array(struct compiler *c, struct node *out, struct jv source)
{
    struct array_node *array =
        arena_alloc(c->arena, sizeof(*array) + source.len * sizeof(array->items[0]));
    struct jv *items;
    struct jv whole = jv_array(c->arena, &items, source.len);
    bool is_constant = true;
    if (array == NULL || whole.type != JV_ARRAY)
        return -ENOMEM;
    array->count = source.len;
    for (uint32_t i = 0; i < source.len; i++) {
        int rc = compile(c, &array->items[i], source.items[i]);
        if (rc != 0)
            return rc;
        is_constant = is_constant && array->items[i].op == OP_CONSTANT;
        items[i] = is_constant ? array->items[i].constant : jv_undefined();
    }
    *out = is_constant ? constant(whole) : (struct node){.op = OP_ARRAY, .array = array};
    return 0;
}

static int compile_object(struct compiler *c, struct node *out, struct jv source)
{
    struct object_node *object =
        arena_alloc(c->arena, sizeof(*object) + source.len * sizeof(object->members[0]));
    struct jv_builder whole;
    bool is_constant = true;
    if (object == NULL)
        return -ENOMEM;
    *object = (struct object_node){.count = source.len};
    jv_object_begin(&whole, c->arena, source.len);
    for (uint32_t i = 0; i < source.len; i++) {
        struct member_node *member = &object->members[i];
        member->key = arena_copy(c->arena, source.members[i].key);
        member->is_hidden = str_eq(member->key, PROTO);
        int rc = compile(c, &member->value, source.members[i].value);
        if (rc != 0 || member->key.ptr == NULL)
            return rc != 0 ? rc : -ENOMEM;
        is_constant = is_constant && member->value.op == OP_CONSTANT;
        if (is_constant && !member->is_hidden)
            jv_object_put(&whole, member->key, member->value.constant);
    }
    struct jv folded = jv_object_end(&whole);
    if (folded.type != JV_OBJECT)
        return -ENOMEM;
    *out = is_constant ? constant(folded) : (struct node){.op = OP_OBJECT, .object = object};
    return 0;
}

static int check_text_bytes(struct compiler *c, struct jv text)
{
    if (text.len <= MAPPING_TEXT_BYTES_MAX)
        return 0;
    return err_set(c->err, -E2BIG, 0, "a text of %u bytes in a mapping, expected at most %d",
                   text.len, MAPPING_TEXT_BYTES_MAX);
}

/* Text in place; or a node that computes it, for which `out` is prepared. 1: it is a constant text.
 */
static int compile_text(struct compiler *c, struct node *out, struct jv argument, enum op computed,
                        const char *directive)
{
    const struct node *node;
    int rc = compile_copy(c, &node, argument);
    if (rc != 0)
        return rc;
    if (node->op == OP_CONSTANT && node->constant.type != JV_STRING)
        return compile_throw(c, out, "%s: expected string, got %s", directive,
                             program_type_name(node->constant));
    *out = node->op == OP_CONSTANT ? *node : (struct node){.op = computed, .argument = node};
    return node->op == OP_CONSTANT;
}

static int compile_place(struct compiler *c, struct place *place)
{
    return lookups_add(c->lookups, c->arena, place->path, &place->slot);
}

static int compile_path_text(struct compiler *c, struct node *out, struct str text)
{
    out->op = OP_PATH;
    struct str path = path_strip_root(c->arena, text);
    if (path.ptr == NULL || path_compile(&out->place.path, c->arena, path, PATH_MAPPING) != 0)
        return -ENOMEM;
    return compile_place(c, &out->place);
}

static int compile_path(struct compiler *c, struct node *out, struct jv argument)
{
    int rc = compile_text(c, out, argument, OP_PATH_TEXT, "@path");
    return rc == 1 ? compile_path_text(c, out, jv_str(out->constant)) : rc;
}

static int compile_template(struct compiler *c, struct node *out, struct jv argument)
{
    struct template cut;
    int rc = compile_text(c, out, argument, OP_TEMPLATE_TEXT, "@template");
    if (rc != 1)
        return rc;
    rc = template_compile(&cut, c->arena, jv_str(out->constant));
    cut.is_quick = !cut.has_second_pass;
    for (uint32_t i = 0; rc == 0 && i < cut.count; i++) {
        rc = compile_place(c, &cut.pieces[i].place);
        cut.is_quick = cut.is_quick && cut.pieces[i].place.slot != LOOKUP_NONE;
    }
    if (rc == 0 && cut.count > 0) /* else the text is what it is */
        *out = (struct node){.op = OP_TEMPLATE, .template = cut};
    return rc;
}

static int compile_literal(struct compiler *c, struct node *out, struct jv argument)
{
    return compile(c, out, argument);
}

static int compile_exclude_null(struct compiler *c, struct node *out, struct jv argument)
{
    out->op = OP_EXCLUDE_NULL;
    return compile_copy(c, &out->argument, argument);
}

/* The template itself, never a directive. Its faults show when it is reached. */
static int compile_liquid(struct compiler *c, struct node *out, struct jv argument)
{
    struct liquid_error error;
    struct jv text = jv_copy(c->arena, argument);
    if (argument.type != JV_STRING)
        return compile_throw(c, out, "liquid template value must be a string");
    if (text.type != JV_STRING)
        return -ENOMEM;
    *out = constant(text);
    if (text.len == 0)
        return 0;
    if (text_units(jv_str(text)) > LIQUID_UNITS_MAX)
        return compile_throw(c, out, "liquid template values are limited to %d characters",
                             LIQUID_UNITS_MAX);
    out->op = OP_LIQUID;
    int rc = liquid_compile(&out->liquid, c->arena, jv_str(text), &error);
    struct thrown *thrown = rc == -EINVAL ? arena_alloc(c->arena, sizeof(*thrown)) : NULL;
    if (rc != -EINVAL || thrown == NULL)
        return rc == 0 ? 0 : -ENOMEM;
    *thrown = (struct thrown){error.name, error.message};
    *out = (struct node){.op = OP_THROW, .thrown = thrown};
    return 0;
}

static int compile_if(struct compiler *c, struct node *out, struct jv argument)
{
    bool has_exists = jv_get(argument, STR("exists")).type != JV_UNDEFINED;
    if (argument.type != JV_OBJECT)
        return compile_throw(c, out, "@if requires an object with an \"exists\" key");
    if (is_falsy(argument, STR("exists")) && is_falsy(argument, STR("blank")))
        return compile_throw(c, out, "@if requires an \"exists\" key or a \"blank\" key");
    struct if_node *node = arena_alloc(c->arena, sizeof(*node));
    if (node == NULL)
        return -ENOMEM;
    node->condition = has_exists ? CONDITION_EXISTS : CONDITION_NOT_BLANK;
    *out = (struct node){.op = OP_IF, .branch = node};
    node->otherwise = constant(jv_undefined());
    int rc = compile_member(c, &node->subject, argument, has_exists ? STR("exists") : STR("blank"));
    if (rc == 0)
        rc = compile_member(c, &node->then, argument, STR("then"));
    if (rc == 0 && !is_falsy(argument, STR("else")))
        rc = compile_member(c, &node->otherwise, argument, STR("else"));
    return rc;
}

static int compile_case(struct compiler *c, struct node *out, struct jv argument)
{
    struct jv operator= jv_get(argument, STR("operator"));
    if (argument.type != JV_OBJECT)
        return compile_throw(c, out, "@case requires an object with a \"operator\" key");
    if (!jv_truthy(operator))
        return compile_throw(c, out, "@case requires a \"operator\" key");
    *out = constant(jv_undefined());
    if (is_falsy(argument, STR("value")))
        return 0;
    struct case_node *node = arena_alloc(c->arena, sizeof(*node));
    if (node == NULL)
        return -ENOMEM;
    node->fold = str_eq(jv_str(operator), STR("lower"))   ? FOLD_LOWER
                 : str_eq(jv_str(operator), STR("upper")) ? FOLD_UPPER
                                                          : FOLD_UNKNOWN;
    *out = (struct node){.op = OP_CASE, .fold = node};
    return compile_member(c, &node->value, argument, STR("value"));
}

static int compile_replacement(struct compiler *c, struct replacement *out, struct jv pattern,
                               struct jv text)
{
    out->pattern = arena_copy(c->arena, jv_str(pattern));
    out->text = arena_copy(c->arena, jv_str(text));
    out->pattern_units = text_units(out->pattern);
    out->text_units = text_units(out->text);
    return out->pattern.ptr == NULL || out->text.ptr == NULL ? -ENOMEM : 0;
}

/* A member, or what the reference puts there when it is null or missing. */
static struct jv member_or(struct jv object, struct str key, struct jv fallback)
{
    struct jv value = jv_get(object, key);
    return jv_is_nullish(value) ? fallback : value;
}

static int compile_replace(struct compiler *c, struct node *out, struct jv argument)
{
    if (argument.type != JV_OBJECT)
        return compile_throw(c, out, "@replace requires an object with a \"pattern\" key");
    if (is_falsy(argument, STR("pattern")))
        return compile_throw(c, out, "@replace requires a \"pattern\" key");
    *out = constant(jv_undefined());
    if (is_falsy(argument, STR("value")))
        return 0;
    struct replace_node *node = arena_alloc(c->arena, sizeof(*node));
    if (node == NULL)
        return -ENOMEM;
    struct jv empty = jv_string(STR(""));
    struct jv pattern = jv_get(argument, STR("pattern"));
    struct jv pattern2 = jv_get(argument, STR("pattern2"));
    struct jv text = member_or(argument, STR("replacement"), empty);
    struct jv text2 = member_or(argument, STR("replacement2"), empty);
    struct jv ignores_case = member_or(argument, STR("ignorecase"), jv_bool(false));
    struct jv is_global = member_or(argument, STR("global"), jv_bool(true));
    *node = (struct replace_node){
        .is_usable = pattern.type == JV_STRING && text.type == JV_STRING &&
                     ignores_case.type == JV_BOOL && is_global.type == JV_BOOL,
        .is_global = is_global.boolean,
        .ignores_case = ignores_case.boolean,
    };
    *out = (struct node){.op = OP_REPLACE, .replace = node};
    int rc = node->is_usable ? compile_replacement(c, &node->first, pattern, text) : 0;
    if (rc == 0 && pattern2.type == JV_STRING && text2.type == JV_STRING)
        rc = compile_replacement(c, &node->second, pattern2, text2);
    return rc == 0 ? compile_member(c, &node->value, argument, STR("value")) : rc;
}

static int compile_array_path(struct compiler *c, struct node *out, struct jv argument)
{
    if (argument.type != JV_ARRAY)
        return compile_throw(c, out, "@arrayPath expected array, got %s",
                             program_type_name(argument));
    struct array_path_node *node = arena_alloc(c->arena, sizeof(*node));
    if (node == NULL)
        return -ENOMEM;
    *out = (struct node){.op = OP_ARRAY_PATH, .array_path = node};
    struct jv path = argument.len > 0 ? argument.items[0] : jv_undefined();
    struct jv shape = argument.len > 1 ? argument.items[1] : jv_undefined();
    node->has_shape = shape.type == JV_OBJECT && shape.len > 0;
    int rc =
        path.type == JV_STRING ? compile_path(c, &node->root, path) : compile(c, &node->root, path);
    return rc == 0 && node->has_shape ? compile_scope(c, &node->shape, shape) : rc;
}

static int compile_json(struct compiler *c, struct node *out, struct jv argument)
{
    if (argument.type != JV_OBJECT)
        return compile_throw(c, out, "@json requires an object with a \"value\" key");
    if (is_falsy(argument, STR("mode")))
        return compile_throw(c, out, "@json requires a \"mode\" key");
    if (is_falsy(argument, STR("value")))
        return compile_throw(c, out, "@json requires a \"value\" key");
    struct json_node *node = arena_alloc(c->arena, sizeof(*node));
    if (node == NULL)
        return -ENOMEM;
    struct str mode = jv_str(jv_get(argument, STR("mode")));
    node->mode = str_eq(mode, STR("encode"))   ? JSON_MODE_ENCODE
                 : str_eq(mode, STR("decode")) ? JSON_MODE_DECODE
                                               : JSON_MODE_UNKNOWN;
    *out = (struct node){.op = OP_JSON, .json = node};
    return compile_member(c, &node->value, argument, STR("value"));
}

static int compile_flatten(struct compiler *c, struct node *out, struct jv argument)
{
    if (argument.type != JV_OBJECT)
        return compile_throw(c, out, "@flatten requires an object with a \"separator\" key");
    if (is_falsy(argument, STR("separator")))
        return compile_throw(c, out, "@flatten requires a \"separator\" key");
    struct flatten_node *node = arena_alloc(c->arena, sizeof(*node));
    if (node == NULL)
        return -ENOMEM;
    node->omits_arrays = !is_falsy(argument, STR("omitArrays"));
    *out = (struct node){.op = OP_FLATTEN, .flatten = node};
    int rc = compile_member(c, &node->separator, argument, STR("separator"));
    return rc == 0 ? compile_member(c, &node->value, argument, STR("value")) : rc;
}

static int compile_merge(struct compiler *c, struct node *out, struct jv argument)
{
    struct jv objects = jv_get(argument, STR("objects"));
    if (argument.type != JV_OBJECT)
        return compile_throw(
            c, out, "@merge requires an object with an \"objects\" key and a \"direction\" key");
    if (is_falsy(argument, STR("direction")))
        return compile_throw(c, out, "@merge requires a \"direction\" key");
    struct merge_node *node = arena_alloc(c->arena, sizeof(*node));
    if (node == NULL)
        return -ENOMEM;
    *out = (struct node){.op = OP_MERGE, .merge = node};
    int rc = compile_member(c, &node->direction, argument, STR("direction"));
    if (rc != 0)
        return rc;
    if (!jv_truthy(objects))
        return compile_throw(c, &node->objects, "@merge requires a \"objects\" key");
    if (objects.type != JV_ARRAY)
        return compile_throw(c, &node->objects, "@merge: expected opts.array, got %s",
                             program_type_name(objects));
    return compile(c, &node->objects, objects);
}

static int compile_transform(struct compiler *c, struct node *out, struct jv argument)
{
    struct jv apply = jv_get(argument, STR("apply"));
    if (argument.type != JV_OBJECT)
        return compile_throw(
            c, out, "@transform requires an object with an \"apply\" key and a \"mapping\" key");
    if (is_falsy(argument, STR("mapping")))
        return compile_throw(c, out, "@transform requires a \"mapping\" key");
    if (!jv_truthy(apply))
        return compile_throw(c, out, "@transform requires a \"apply\" key");
    if (apply.type != JV_OBJECT)
        return compile_throw(c, out, "@transform \"apply\" key should be an object");
    struct transform_node *node = arena_alloc(c->arena, sizeof(*node));
    struct thrown *thrown = arena_alloc(c->arena, sizeof(*thrown));
    if (node == NULL || thrown == NULL)
        return -ENOMEM;
    *out = (struct node){.op = OP_TRANSFORM, .transform = node};
    int rc = program_compile(&node->apply, c->arena, apply, c->nodes, thrown, c->err);
    if (rc == -EINVAL) { /* the reference finds out when it runs */
        node->apply.node = (struct node){.op = OP_THROW, .thrown = thrown};
        lookups_init(&node->apply.lookups);
        rc = 0;
    }
    return rc == 0 ? compile_scope(c, &node->mapping, jv_get(argument, STR("mapping"))) : rc;
}

/* clang-format off */
static const struct {
    struct str name;
    compile_directive *compile;
} directives[] = {
    {STR_INIT("@path"),            compile_path},
    {STR_INIT("@template"),        compile_template},
    {STR_INIT("@literal"),         compile_literal},
    {STR_INIT("@if"),              compile_if},
    {STR_INIT("@arrayPath"),       compile_array_path},
    {STR_INIT("@case"),            compile_case},
    {STR_INIT("@replace"),         compile_replace},
    {STR_INIT("@json"),            compile_json},
    {STR_INIT("@flatten"),         compile_flatten},
    {STR_INIT("@merge"),           compile_merge},
    {STR_INIT("@transform"),       compile_transform},
    {STR_INIT("@excludeWhenNull"), compile_exclude_null},
    {STR_INIT("@liquid"),          compile_liquid},
};
/* clang-format on */

static int compile_named(struct compiler *c, struct node *out, const struct jv_member *directive)
{
    for (size_t i = 0; i < countof(directives); i++)
        if (str_eq(directives[i].name, directive->key))
            return directives[i].compile(c, out, directive->value);
    return compile_throw(c, out, "%.*s is not a valid directive, got undefined",
                         STR_ARG(directive->key));
}

static int compile_nested(struct compiler *c, struct node *out, struct jv source)
{
    const struct jv_member *directive = program_directive(source);
    if (directive != NULL)
        return compile_named(c, out, directive);
    if (source.type == JV_OBJECT)
        return compile_object(c, out, source);
    if (source.type == JV_ARRAY)
        return compile_array(c, out, source);
    *out = constant(jv_copy(c->arena, source));
    int rc = check_text_bytes(c, source);
    return rc == 0 && out->constant.type != source.type ? -ENOMEM : rc;
}

static int compile(struct compiler *c, struct node *out, struct jv source)
{
    if (c->depth == JSON_DEPTH_MAX)
        return err_set(c->err, -E2BIG, 0, "a mapping nested deeper than %d levels", JSON_DEPTH_MAX);
    if (++*c->nodes > MAPPING_NODES_MAX)
        return err_set(c->err, -E2BIG, 0, "a mapping of more than %d values", MAPPING_NODES_MAX);
    c->depth++;
    int rc = compile_nested(c, out, source);
    c->depth--;
    return rc;
}

static bool is_too_deep(struct jv v, unsigned levels)
{
    if (v.type != JV_ARRAY && v.type != JV_OBJECT)
        return false;
    if (levels == 0)
        return true;
    for (uint32_t i = 0; i < v.len; i++)
        if (is_too_deep(v.type == JV_ARRAY ? v.items[i] : v.members[i].value, levels - 1))
            return true;
    return false;
}

/* {...v}: an array or a text becomes an object of its elements. undefined: the arena is full. */
static struct jv spread(struct arena *a, struct jv v)
{
    struct jv_builder b;
    uint32_t count = v.type == JV_ARRAY    ? v.len
                     : v.type == JV_STRING ? (uint32_t)text_units(jv_str(v))
                                           : 0;
    if (v.type == JV_OBJECT)
        return v;
    jv_object_begin(&b, a, 0);
    for (uint32_t i = 0; i < count; i++) {
        char digits[12];
        int len = snprintf(digits, sizeof(digits), "%u", i);
        struct str key = arena_copy(a, (struct str){digits, (size_t)len});
        if (key.ptr == NULL)
            return jv_undefined();
        jv_object_put(&b, key, path_step(v, key));
    }
    return jv_object_end(&b);
}

/* The root form: one directive under ROOT_KEY, everything else becomes its `mapping`. */
static int unfold_root(struct compiler *c, struct jv *source)
{
    struct jv root = jv_get(*source, ROOT_KEY);
    struct jv_builder others;
    struct jv_builder changed;
    if (root.type == JV_UNDEFINED)
        return 0;
    if (root.type == JV_NULL)
        return program_throw(c->thrown, c->arena, ERROR_TYPE,
                             "Cannot convert undefined or null to object");
    bool has_keys = root.type == JV_OBJECT || root.type == JV_ARRAY || root.type == JV_STRING;
    struct jv keyed = has_keys ? spread(c->arena, root) : root;
    if (has_keys && keyed.type != JV_OBJECT)
        return -ENOMEM;
    if (has_keys && keyed.len > 1)
        return program_throw(c->thrown, c->arena, ERROR_PLAIN,
                             "The root mapping must only have a single directive object");
    struct jv argument = has_keys && keyed.len == 1 ? keyed.members[0].value : jv_undefined();
    if (argument.type != JV_OBJECT && argument.type != JV_ARRAY)
        return program_throw(c->thrown, c->arena, ERROR_PLAIN,
                             "The root directive must be an object");
    jv_object_begin(&others, c->arena, source->len);
    for (uint32_t i = 0; i < source->len; i++)
        if (!str_eq(source->members[i].key, ROOT_KEY) && !str_eq(source->members[i].key, PROTO))
            jv_object_put(&others, source->members[i].key, source->members[i].value);
    struct jv rest = jv_object_end(&others);
    if (argument.type == JV_OBJECT) { /* on an array the reference's assignment leaves no trace */
        jv_object_begin(&changed, c->arena, argument.len + 1);
        jv_object_put_all(&changed, argument);
        jv_object_put(&changed, STR("mapping"), rest);
        argument = jv_object_end(&changed);
    }
    struct jv *items;
    if (root.type == JV_ARRAY) {
        *source = jv_array(c->arena, &items, 1);
        if (items != NULL)
            items[0] = argument;
    } else {
        jv_object_begin(&changed, c->arena, 1);
        jv_object_put(&changed, keyed.members[0].key, argument);
        *source = jv_object_end(&changed);
    }
    bool is_whole =
        rest.type == JV_OBJECT && argument.type != JV_UNDEFINED && source->type != JV_UNDEFINED;
    return is_whole ? 0 : -ENOMEM;
}

/* What the program makes here is a part of its result as it is. */
static void mark_final(const struct node *node)
{
    if (node->op == OP_OBJECT) {
        struct object_node *object = (struct object_node *)(uintptr_t)node->object;
        object->is_final = true;
        for (uint32_t i = 0; i < object->count; i++)
            mark_final(&object->members[i].value);
    } else if (node->op == OP_ARRAY) {
        for (uint32_t i = 0; i < node->array->count; i++)
            mark_final(&node->array->items[i]);
    } else if (node->op == OP_IF) {
        mark_final(&node->branch->then);
        mark_final(&node->branch->otherwise);
    } else if (node->op == OP_ARRAY_PATH && node->array_path->has_shape) {
        mark_final(&node->array_path->shape.node);
    }
}

int program_compile(struct scope *out, struct arena *a, struct jv source, uint32_t *nodes,
                    struct thrown *thrown, struct err *err)
{
    struct compiler c = {.arena = a, .thrown = thrown, .err = err, .nodes = nodes};
    if (is_too_deep(source, JSON_DEPTH_MAX))
        return err_set(err, -E2BIG, 0, "a mapping nested deeper than %d levels", JSON_DEPTH_MAX);
    if (jv_is_nullish(source))
        return program_throw(thrown, a, ERROR_TYPE, "Cannot convert undefined or null to object");
    source = spread(a, source);
    if (source.type != JV_OBJECT)
        return -ENOMEM;
    int rc = unfold_root(&c, &source);
    if (rc == 0)
        rc = validate_mapping(source, a, thrown, err);
    if (rc == 0)
        rc = compile_scope(&c, out, source);
    if (rc == 0)
        mark_final(&out->node);
    return rc;
}
