#include "validate.h"

#include <errno.h>
#include <stdarg.h>

#include "bounds.h"
#include "program.h"
#include "text.h"

enum {
    PATH_SEGMENTS_MAX = 4 * JSON_DEPTH_MAX, /* a directive adds its name to each level */
    TEXTS_BYTES_MAX = 1 << 20,              /* all sentences of one refusal */
};

struct validation {
    struct arena *arena;
    struct str path[PATH_SEGMENTS_MAX];
    unsigned base; /* the path's first segment that is printed */
    unsigned depth;
    unsigned collectors; /* enclosing checks that go on after an error and then throw one that
                            aggregates */
    unsigned errors;
    bool is_bare; /* the error was thrown outside of any collector */
    struct buf texts;
    struct err *err;
};

typedef bool check(struct validation *v, struct jv value);

static bool check_any(struct validation *v, struct jv value);
static bool check_directive(struct validation *v, struct jv value);

static void append_path(struct buf *out, const struct validation *v)
{
    buf_putc(out, '/');
    for (unsigned i = v->base; i < v->depth; i++) {
        if (i > v->base)
            buf_putc(out, '/');
        buf_append(out, v->path[i]);
    }
}

/* Adds one sentence. Always false: a refusal is one statement. */
__attribute__((format(printf, 2, 3))) static bool refuse(struct validation *v, const char *format,
                                                         ...)
{
    char path[sizeof(v->err->path)];
    struct buf short_path = {.ptr = path, .cap = sizeof(path) - 1, .max = sizeof(path) - 1};
    va_list args;
    va_start(args, format);
    struct str sentence = arena_vprintf(v->arena, format, args);
    va_end(args);

    v->is_bare = v->collectors == 0;
    if (!v->is_bare)
        buf_append(&v->texts, STR("\n    ValidationError: "));
    size_t start = v->texts.len;
    append_path(&v->texts, v);
    append_path(&short_path, v);
    path[short_path.len] = '\0';
    buf_putc(&v->texts, ' ');
    buf_append(&v->texts, sentence);
    buf_putc(&v->texts, '.');
    if (v->errors++ == 0 && !v->texts.failed)
        err_set_path(v->err, -EINVAL, path, "%.*s",
                     STR_ARG(str_slice(buf_str(&v->texts), start, v->texts.len)));
    return false;
}

static const char *article(const char *noun)
{
    return strchr("aeiou", noun[0]) != NULL && noun[0] != '\0' ? "an" : "a";
}

static bool has_directive_key(struct jv value)
{
    for (uint32_t i = 0; value.type == JV_OBJECT && i < value.len; i++)
        if (str_starts(value.members[i].key, STR("@")))
            return true;
    return false;
}

static const char *type_or_directive(struct jv value)
{
    return has_directive_key(value) ? "directive" : program_type_name(value);
}

static bool refuse_type(struct validation *v, const char *expected, struct jv value)
{
    const char *type = type_or_directive(value);
    return refuse(v, "should be %s but it is %s %s", expected, article(type), type);
}

static bool check_below(struct validation *v, struct str segment, check *inner, struct jv value)
{
    if (v->depth == PATH_SEGMENTS_MAX)
        return refuse(v, "is nested deeper than %d levels", PATH_SEGMENTS_MAX);
    v->path[v->depth++] = segment;
    bool ok = inner(v, value);
    v->depth--;
    return ok;
}

static bool check_directive_or_raw(struct validation *v, struct jv value)
{
    return has_directive_key(value) ? check_directive(v, value) : true;
}

static bool check_directive_or_string(struct validation *v, struct jv value)
{
    if (has_directive_key(value))
        return check_directive(v, value);
    return value.type == JV_STRING || refuse_type(v, "a string or a mapping directive", value);
}

static bool check_string(struct validation *v, struct jv value)
{
    return value.type == JV_STRING || refuse_type(v, "a string", value);
}

static bool check_boolean(struct validation *v, struct jv value)
{
    return value.type == JV_BOOL || refuse_type(v, "a boolean", value);
}

static bool check_array(struct validation *v, struct jv value)
{
    const char *type = program_type_name(value); /* a directive counts as an object here */
    return value.type == JV_ARRAY ||
           refuse(v, "should be an array but it is %s %s", article(type), type);
}

static bool check_object(struct validation *v, struct jv value)
{
    if (value.type != JV_OBJECT || has_directive_key(value))
        return refuse_type(v, "an object", value);
    bool ok = true;
    v->collectors++;
    for (uint32_t i = 0; i < value.len; i++)
        ok = check_below(v, value.members[i].key, check_any, value.members[i].value) && ok;
    v->collectors--;
    return ok;
}

static bool check_directive_or_object(struct validation *v, struct jv value)
{
    if (has_directive_key(value))
        return check_directive(v, value);
    return value.type == JV_OBJECT ? check_object(v, value)
                                   : refuse_type(v, "a object or a mapping directive", value);
}

static bool check_pattern(struct validation *v, struct jv value)
{
    if (!check_string(v, value))
        return false;
    size_t units = text_units(jv_str(value));
    if (units < 1)
        return refuse(v, "should be a string of length 1 or greater");
    return units <= 10 || refuse(v, "should be a string of length 10 or less");
}

static bool check_replacement(struct validation *v, struct jv value)
{
    if (!check_string(v, value))
        return false;
    return text_units(jv_str(value)) <= 10 || refuse(v, "should be a string of length 10 or less");
}

static bool check_one_of(struct validation *v, struct jv value, struct str first, struct str second)
{
    if (!check_string(v, value))
        return false;
    struct buf quoted;
    buf_init_arena(&quoted, v->arena, TEXTS_BYTES_MAX);
    if (str_eq_nocase(jv_str(value), first) || str_eq_nocase(jv_str(value), second))
        return true;
    jv_write_string(&quoted, jv_str(value));
    return refuse(v, "should be one of %.*s, %.*s but it is %.*s", STR_ARG(first), STR_ARG(second),
                  STR_ARG(buf_str(&quoted)));
}

static bool check_mode(struct validation *v, struct jv value)
{
    return check_one_of(v, value, STR("encode"), STR("decode"));
}

static bool check_direction(struct validation *v, struct jv value)
{
    return check_one_of(v, value, STR("left"), STR("right"));
}

struct field {
    struct str name;
    bool is_required;
    check *check;
};

struct directive {
    struct str name;
    check *argument;        /* NULL: an object with fields */
    struct field fields[6]; /* an unnamed one ends them */
};

static bool check_array_path(struct validation *v, struct jv value)
{
    struct jv path = value.type == JV_ARRAY && value.len > 0 ? value.items[0] : jv_undefined();
    struct jv shape = value.type == JV_ARRAY && value.len > 1 ? value.items[1] : jv_undefined();
    return check_array(v, value) && check_directive_or_string(v, path) && check_any(v, shape);
}

/* clang-format off */
static const struct directive directives[] = {
    {.name = STR_INIT("@path"),            .argument = check_directive_or_string},
    {.name = STR_INIT("@template"),        .argument = check_directive_or_string},
    {.name = STR_INIT("@literal"),         .argument = check_directive_or_raw},
    {.name = STR_INIT("@excludeWhenNull"), .argument = check_directive_or_raw},
    {.name = STR_INIT("@liquid"),          .argument = check_string},
    {.name = STR_INIT("@arrayPath"),       .argument = check_array_path},
    {.name = STR_INIT("@if"), .fields = {
        {STR_INIT("exists"),      false, check_directive_or_raw},
        {STR_INIT("then"),        false, check_directive_or_raw},
        {STR_INIT("else"),        false, check_directive_or_raw}}},
    {.name = STR_INIT("@case"), .fields = {
        {STR_INIT("operator"),    false, check_string},
        {STR_INIT("value"),       false, check_directive_or_string}}},
    {.name = STR_INIT("@replace"), .fields = {
        {STR_INIT("pattern"),     true,  check_pattern},
        {STR_INIT("replacement"), false, check_replacement},
        {STR_INIT("value"),       true,  check_directive_or_string},
        {STR_INIT("ignorecase"),  false, check_boolean},
        {STR_INIT("global"),      false, check_boolean}}},
    {.name = STR_INIT("@json"), .fields = {
        {STR_INIT("value"),       true,  check_directive_or_raw},
        {STR_INIT("mode"),        true,  check_mode}}},
    {.name = STR_INIT("@flatten"), .fields = {
        {STR_INIT("separator"),   false, check_string},
        {STR_INIT("value"),       true,  check_directive_or_raw}}},
    {.name = STR_INIT("@merge"), .fields = {
        {STR_INIT("direction"),   false, check_direction},
        {STR_INIT("objects"),     true,  check_array}}},
    {.name = STR_INIT("@transform"), .fields = {
        {STR_INIT("apply"),       true,  check_directive_or_object},
        {STR_INIT("mapping"),     true,  check_directive_or_object}}},
};
/* clang-format on */

static bool check_field(struct validation *v, const struct field *field, struct jv object)
{
    struct jv value = jv_get(object, field->name);
    if (value.type != JV_UNDEFINED)
        return check_below(v, field->name, field->check, value);
    return !field->is_required ||
           refuse(v, "should have field \"%.*s\" but it doesn't", STR_ARG(field->name));
}

static bool check_fields(struct validation *v, const struct directive *directive, struct jv object)
{
    if (!check_object(v, object))
        return false;
    bool ok = true;
    v->collectors++;
    for (const struct field *field = directive->fields; field->name.len > 0; field++)
        ok = check_field(v, field, object) && ok;
    v->collectors--;
    return ok;
}

/* The elements of @merge's objects: the reference forgets where they stand. */
static bool check_merged(struct validation *v, struct jv object)
{
    struct jv elements = jv_get(object, STR("objects"));
    unsigned base = v->base;
    bool ok = true;
    v->base = v->depth;
    for (uint32_t i = 0; ok && i < elements.len; i++)
        ok = check_directive_or_object(v, elements.items[i]);
    v->base = base;
    return ok;
}

static const struct directive *find_directive(struct str name)
{
    for (size_t i = 0; i < countof(directives); i++)
        if (str_eq(directives[i].name, name))
            return &directives[i];
    return NULL;
}

static bool check_directive(struct validation *v, struct jv value)
{
    uint32_t at_keys = 0;
    uint32_t other_keys = 0;
    const struct jv_member *member = NULL;
    for (uint32_t i = value.len; i-- > 0;) {
        if (str_starts(value.members[i].key, STR("@"))) {
            at_keys++;
            member = &value.members[i];
        } else if (!str_eq(value.members[i].key, STR("_metadata"))) {
            other_keys++;
        }
    }
    if (at_keys > 1 || other_keys > 0 || member == NULL)
        return refuse(v, "should only have one @-prefixed key but it has %u keys",
                      at_keys > 1 ? at_keys : value.len);
    const struct directive *directive = find_directive(member->key);
    if (directive == NULL)
        return refuse(v, "has an invalid directive: %.*s", STR_ARG(member->key));
    if (v->depth == PATH_SEGMENTS_MAX)
        return refuse(v, "is nested deeper than %d levels", PATH_SEGMENTS_MAX);
    v->path[v->depth++] = member->key;
    bool ok = directive->argument != NULL ? directive->argument(v, member->value)
                                          : check_fields(v, directive, member->value);
    if (ok && str_eq(directive->name, STR("@merge")))
        ok = check_merged(v, member->value);
    v->depth--;
    return ok;
}

static bool check_any(struct validation *v, struct jv value)
{
    if (value.type != JV_OBJECT)
        return true;
    return has_directive_key(value) ? check_directive(v, value) : check_object(v, value);
}

/* The bytes of the line terminator that JavaScript's multiline patterns see at the start of `text`;
 * 0: none. */
static size_t terminator_bytes(struct str text)
{
    if (str_starts(text, STR("\n")) || str_starts(text, STR("\r")))
        return 1;
    return str_starts(text, STR("\xe2\x80\xa8")) || str_starts(text, STR("\xe2\x80\xa9")) ? 3 : 0;
}

/* Up to the next terminator. */
static struct str first_line(struct str text)
{
    size_t end = 0;
    while (end < text.len && terminator_bytes(str_slice(text, end, text.len)) == 0)
        end++;
    return str_slice(text, 0, end);
}

/* Aggregated sentences come out of stack traces that the reference tidies as if they held Windows
 * paths and lines of its own: backslashes turn round, blank lines go, and every further line is
 * indented. */
static struct str tidy(struct str texts, struct arena *a)
{
    static const struct str indent = STR_INIT("    ");
    struct buf out;
    buf_init_arena(&out, a, TEXTS_BYTES_MAX);
    for (size_t i = 0; i < texts.len;) {
        struct str rest = str_slice(texts, i, texts.len);
        size_t terminator = terminator_bytes(rest);
        if (terminator == 0) {
            buf_putc(&out, rest.ptr[0] == '\\' ? '/' : rest.ptr[0]);
            i++;
            continue;
        }
        struct str line = first_line(str_slice(rest, terminator, rest.len));
        bool is_blank = text_trim(line).len == 0;
        bool is_indented = str_starts(line, STR("    ValidationError: "));
        if (is_blank && rest.ptr[0] == '\n') {
            i += terminator + line.len;
            continue;
        }
        buf_append(&out, str_slice(rest, 0, terminator));
        if (!is_blank && !is_indented)
            buf_append(&out, indent);
        i += terminator;
    }
    return out.failed ? texts : buf_str(&out);
}

int validate_mapping(struct jv mapping, struct arena *a, struct thrown *thrown, struct err *err)
{
    struct err unused;
    struct validation v = {.arena = a, .err = err == NULL ? &unused : err};
    buf_init_arena(&v.texts, a, TEXTS_BYTES_MAX);
    if (check_any(&v, mapping))
        return 0;
    if (v.texts.failed)
        return err_set(err, -ENOMEM, 0, "no memory for what is wrong with a mapping");
    *thrown = (struct thrown){v.is_bare ? STR("ValidationError") : STR("AggregateError"),
                              v.is_bare ? buf_str(&v.texts) : tidy(buf_str(&v.texts), a)};
    return -EINVAL;
}
