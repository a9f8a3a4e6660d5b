#include "yaml_doc.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include <yaml.h>

#include "bounds.h"

struct yaml_doc {
    yaml_document_t document;
    struct jv root;
};

static struct str scalar_text(const yaml_node_t *node)
{
    return (struct str){(const char *)node->data.scalar.value, node->data.scalar.length};
}

/* A number of JSON's grammar (a leading + or . or a hexadecimal stays text). */
static bool looks_like_number(struct str text)
{
    size_t i = 0;
    size_t digits = 0;
    if (i < text.len && text.ptr[i] == '-')
        i++;
    for (; i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9'; i++)
        digits++;
    if (digits == 0 || (digits > 1 && text.ptr[i - digits] == '0'))
        return false;
    if (i < text.len && text.ptr[i] == '.') {
        size_t fraction = 0;
        for (i++; i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9'; i++)
            fraction++;
        if (fraction == 0)
            return false;
    }
    if (i < text.len && (text.ptr[i] == 'e' || text.ptr[i] == 'E')) {
        size_t exponent = 0;
        i++;
        if (i < text.len && (text.ptr[i] == '-' || text.ptr[i] == '+'))
            i++;
        for (; i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9'; i++)
            exponent++;
        if (exponent == 0)
            return false;
    }
    return i == text.len;
}

struct resolver {
    struct yaml_doc *yaml;
    struct arena *arena;
    struct err *err;
    size_t nodes;
    int rc;
};

static struct jv refuse(struct resolver *r, const yaml_node_t *node, int code, const char *text)
{
    if (r->rc == 0)
        r->rc = err_set(r->err, code, node->start_mark.line + 1, "%s", text);
    return jv_undefined();
}

static struct jv resolve_scalar(struct resolver *r, const yaml_node_t *node)
{
    struct str text = scalar_text(node);
    if (node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE) {
        if (text.len == 0 || str_eq(text, STR("null")) || str_eq(text, STR("~")))
            return jv_null();
        if (str_eq(text, STR("true")) || str_eq(text, STR("false")))
            return jv_bool(text.ptr[0] == 't');
        struct jv number;
        if (looks_like_number(text) && jv_parse(&number, r->arena, text, JV_EXACT, NULL) == 0)
            return number;
    }
    struct str copy = arena_copy(r->arena, text);
    if (copy.ptr == NULL)
        return refuse(r, node, -ENOMEM, "out of memory");
    return jv_string(copy);
}

static struct jv resolve(struct resolver *r, int index, unsigned depth);

static struct jv resolve_sequence(struct resolver *r, const yaml_node_t *node, unsigned depth)
{
    size_t count = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
    struct jv *items;
    struct jv array = jv_array(r->arena, &items, count);
    if (array.type != JV_ARRAY)
        return refuse(r, node, -ENOMEM, "out of memory");
    for (size_t i = 0; i < count; i++)
        items[i] = resolve(r, node->data.sequence.items.start[i], depth + 1);
    return array;
}

static struct jv resolve_mapping(struct resolver *r, const yaml_node_t *node, unsigned depth)
{
    struct jv_builder b;
    jv_object_begin(&b, r->arena, 0);
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top && r->rc == 0; pair++) {
        const yaml_node_t *key = yaml_document_get_node(&r->yaml->document, pair->key);
        if (key->type != YAML_SCALAR_NODE)
            return refuse(r, key, -EINVAL, "a key must be plain text");
        struct str name = arena_copy(r->arena, scalar_text(key));
        if (name.ptr == NULL)
            return refuse(r, key, -ENOMEM, "out of memory");
        uint32_t before = b.len;
        jv_object_put(&b, name, resolve(r, pair->value, depth + 1));
        if (b.len == before && !b.failed) {
            char text[200];
            snprintf(text, sizeof(text), "the key '%.*s' stands here twice",
                     (int)(name.len < 100 ? name.len : 100), name.ptr);
            return refuse(r, key, -EINVAL, text);
        }
    }
    struct jv object = jv_object_end(&b);
    return object.type == JV_OBJECT ? object : refuse(r, node, -ENOMEM, "out of memory");
}

static struct jv resolve(struct resolver *r, int index, unsigned depth)
{
    const yaml_node_t *node = yaml_document_get_node(&r->yaml->document, index);
    if (r->rc != 0)
        return jv_undefined();
    /* An alias may point back into its own parents: both caps end that. */
    if (depth > JSON_DEPTH_MAX)
        return refuse(r, node, -E2BIG, "nested too deep");
    if (++r->nodes > YAML_NODES_MAX)
        return refuse(r, node, -E2BIG, "too many values (aliases count as often as they are used)");
    switch (node->type) {
    case YAML_SCALAR_NODE:
        return resolve_scalar(r, node);
    case YAML_SEQUENCE_NODE:
        return resolve_sequence(r, node, depth);
    case YAML_MAPPING_NODE:
        return resolve_mapping(r, node, depth);
    case YAML_NO_NODE:
        break;
    }
    return jv_undefined();
}

static int load(struct yaml_doc *y, struct str text, struct err *err)
{
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        return err_set(err, -ENOMEM, 1, "out of memory");
    /* libyaml asserts that there is a text, and an empty one may be NULL. */
    const char *input = text.len == 0 ? "" : text.ptr;
    yaml_parser_set_input_string(&parser, (const unsigned char *)input, text.len);
    int rc = 0;
    if (!yaml_parser_load(&parser, &y->document)) {
        size_t line = parser.problem_mark.line + 1;
        rc = err_set(
            err, parser.error == YAML_MEMORY_ERROR ? -ENOMEM : -EINVAL, line,
            "not valid YAML: %s%s%s", parser.problem == NULL ? "unreadable" : parser.problem,
            parser.context == NULL ? "" : " ", parser.context == NULL ? "" : parser.context);
    }
    yaml_parser_delete(&parser);
    return rc;
}

int yaml_doc_parse(struct yaml_doc **out, struct arena *a, struct str text, struct err *err)
{
    *out = NULL;
    if (text.len > YAML_BYTES_MAX)
        return err_set(err, -E2BIG, 1, "larger than %d bytes", YAML_BYTES_MAX);
    struct yaml_doc *y = calloc(1, sizeof(*y));
    if (y == NULL)
        return err_set(err, -ENOMEM, 1, "out of memory");
    int rc = load(y, text, err);
    if (rc != 0) {
        free(y);
        return rc;
    }
    if (yaml_document_get_root_node(&y->document) == NULL) {
        yaml_doc_free(y);
        return err_set(err, -EINVAL, 1, "empty, expected a config");
    }
    struct resolver r = {.yaml = y, .arena = a, .err = err};
    y->root = resolve(&r, 1, 0);
    if (r.rc != 0) {
        yaml_doc_free(y);
        return r.rc;
    }
    *out = y;
    return 0;
}

void yaml_doc_free(struct yaml_doc *y)
{
    if (y == NULL)
        return;
    yaml_document_delete(&y->document);
    free(y);
}

struct jv yaml_doc_root(const struct yaml_doc *y)
{
    return y->root;
}

/* The child called `name` of a node; *line becomes the line that
 * names it. NULL when there is none. */
static yaml_node_t *child(yaml_document_t *document, yaml_node_t *node, struct str name,
                          size_t *line)
{
    if (node->type == YAML_SEQUENCE_NODE) {
        size_t count = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
        size_t index = 0;
        for (size_t i = 0; i < name.len; i++) {
            if (name.ptr[i] < '0' || name.ptr[i] > '9' || index > count)
                return NULL;
            index = index * 10 + (size_t)(name.ptr[i] - '0');
        }
        if (name.len == 0 || index >= count)
            return NULL;
        yaml_node_t *item =
            yaml_document_get_node(document, node->data.sequence.items.start[index]);
        *line = item->start_mark.line + 1;
        return item;
    }
    if (node->type != YAML_MAPPING_NODE)
        return NULL;
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        yaml_node_t *key = yaml_document_get_node(document, pair->key);
        if (key->type != YAML_SCALAR_NODE || !str_eq(scalar_text(key), name))
            continue;
        *line = key->start_mark.line + 1;
        return yaml_document_get_node(document, pair->value);
    }
    return NULL;
}

size_t yaml_doc_line(const struct yaml_doc *y, const char *path)
{
    yaml_document_t *document =
        (yaml_document_t *)(uintptr_t)&y->document; /* libyaml knows no const */
    yaml_node_t *node = yaml_document_get_root_node(document);
    size_t line = 1;
    struct str rest = str_from(path);
    while (node != NULL && rest.len > 0) {
        rest = str_slice(rest, 1, rest.len);
        size_t end = str_find(rest, '/');
        node = child(document, node, str_slice(rest, 0, end), &line);
        rest = str_slice(rest, end, rest.len);
    }
    return line;
}
