#include "expression.h"

#include "filters.h"
#include "text.h"

const char expression_nil[1] = "";
const char expression_empty[1] = "";
const char expression_blank[1] = "";

enum { NESTING_MAX = 64 /* of brackets and ranges in one operand */ };

/* Room for one more item behind `count`: the same items, or a copy of twice the room. NULL: the
 * compilation failed. */
static void *grow(struct compilation *c, void *items, uint32_t count, uint32_t *room, size_t size)
{
    if (count < *room)
        return items;
    *room = *room == 0 ? 4 : *room * 2;
    void *more = scanner_alloc(c, *room * size);
    if (more != NULL && count > 0)
        memcpy(more, items, count * size);
    return more;
}

static bool read_literal(struct scanner *s, struct operand *out)
{
    static const struct {
        struct str word;
        struct jv value;
    } words[] = {
        {STR_INIT("true"), {.type = JV_BOOL, .boolean = true}},
        {STR_INIT("false"), {.type = JV_BOOL}},
        {STR_INIT("nil"), {.type = JV_NULL, .ptr = expression_nil}},
        {STR_INIT("null"), {.type = JV_NULL, .ptr = expression_nil}},
        {STR_INIT("empty"), {.type = JV_STRING, .ptr = expression_empty}},
        {STR_INIT("blank"), {.type = JV_STRING, .ptr = expression_blank}},
    };
    for (size_t i = 0; i < countof(words); i++) {
        size_t bytes = words[i].word.len;
        if (!str_starts(scanner_rest(s), words[i].word) || scanner_is_word(s, bytes))
            continue;
        s->p += bytes;
        *out = (struct operand){.kind = OPERAND_LITERAL, .literal = words[i].value};
        return true;
    }
    return false;
}

static int digit_value(char c, int base)
{
    int value = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : 99;
    return value < base ? value : -1;
}

/* Appends the character that a numeric escape means; half a pair is lost. */
static void append_unit(struct buf *out, uint32_t unit)
{
    if (unit >= 0xD800 && unit <= 0xDFFF)
        unit = 0xFFFD;
    if (unit < 0x80) {
        buf_putc(out, (char)unit);
    } else if (unit < 0x800) {
        buf_putc(out, (char)(0xC0 | unit >> 6));
        buf_putc(out, (char)(0x80 | (unit & 0x3F)));
    } else {
        buf_putc(out, (char)(0xE0 | unit >> 12));
        buf_putc(out, (char)(0x80 | (unit >> 6 & 0x3F)));
        buf_putc(out, (char)(0x80 | (unit & 0x3F)));
    }
}

/* Up to `max` digits from text[at], which moves past them. */
static uint32_t read_escape(struct str text, size_t *at, size_t max, int base)
{
    uint32_t value = 0;
    for (size_t n = 0; n < max && *at < text.len && digit_value(text.ptr[*at], base) >= 0; n++)
        value = value * (uint32_t)base + (uint32_t)digit_value(text.ptr[(*at)++], base);
    return value;
}

/* The inside of a quoted text: its first and last characters are dropped, whatever they are. */
static struct str unquote(struct compilation *c, struct str quoted)
{
    static const char letters[] = "bfnrtv";
    static const char meanings[] = "\b\f\n\r\t\v";
    struct buf out;
    struct str body = str_slice(quoted, 0, quoted.len > 0 ? quoted.len - 1 : 0);
    buf_init_arena(&out, c->arena, quoted.len * 3 + 1);
    for (size_t i = 1; i < body.len;) {
        if (body.ptr[i] != '\\') {
            buf_putc(&out, body.ptr[i++]);
            continue;
        }
        i++; /* what is escaped may be the closing quote of a text that is not closed */
        char escaped = i < quoted.len ? quoted.ptr[i] : '\0';
        const char *letter = escaped == '\0' ? NULL : strchr(letters, escaped);
        if (letter != NULL) {
            buf_putc(&out, meanings[letter - letters]);
            i++;
        } else if (escaped == 'u') {
            i++;
            append_unit(&out, read_escape(quoted, &i, 4, 16));
        } else if (digit_value(escaped, 8) >= 0) {
            append_unit(&out, read_escape(quoted, &i, 3, 8));
        } else if (i < quoted.len) {
            buf_putc(&out, quoted.ptr[i++]);
        }
    }
    if (out.failed)
        scanner_out_of_memory(c);
    return out.len == 0 ? STR("") : buf_str(&out);
}

static bool read_quoted(struct scanner *s, struct operand *out)
{
    struct str quoted = scanner_read_quoted(s);
    if (quoted.len == 0)
        return false;
    *out = (struct operand){.kind = OPERAND_LITERAL, .literal = jv_string(unquote(s->c, quoted))};
    return true;
}

static bool read_number(struct scanner *s, struct operand *out)
{
    bool has_point = false;
    bool has_digit = false;
    size_t n = scanner_peek(s, 0) == '-' || scanner_peek(s, 0) == '+';
    for (;; n++) {
        char c = scanner_peek(s, n);
        if (c >= '0' && c <= '9') {
            has_digit = true;
        } else if (c == '.' && scanner_peek(s, n + 1) != '.') {
            if (has_point || !has_digit)
                return false;
            has_point = true;
        } else {
            break;
        }
    }
    if (!has_digit || scanner_is_word(s, n))
        return false;
    double number = text_to_number(str_slice(s->c->input, s->p, s->p + n));
    s->p += n;
    *out = (struct operand){.kind = OPERAND_LITERAL, .literal = jv_number(number)};
    return true;
}

static struct operand read_operand(struct scanner *s, unsigned depth);

static struct operand read_range_end(struct scanner *s, unsigned depth)
{
    struct operand end = read_operand(s, depth);
    if (end.kind == OPERAND_NOTHING)
        scanner_fail(s->c, ERROR_TOKENIZE, s->p, "unexpected token %.*s, value expected",
                     STR_ARG(scanner_snapshot(s, s->p)));
    return end;
}

static bool read_char(struct scanner *s, char c)
{
    bool is_it = s->p < s->c->input.len && s->c->input.ptr[s->p] == c;
    s->p++;
    return is_it;
}

static bool read_range(struct scanner *s, struct operand *out, unsigned depth)
{
    if (scanner_peek(s, 0) != '(')
        return false;
    struct operand *ends = scanner_alloc(s->c, 2 * sizeof(*ends));
    if (ends == NULL)
        return false;
    s->p++;
    ends[0] = read_range_end(s, depth);
    scanner_skip_blank(s);
    if (!read_char(s, '.') || !read_char(s, '.'))
        scanner_fail(s->c, ERROR_TOKENIZE, s->p, "invalid range syntax");
    ends[1] = read_range_end(s, depth);
    scanner_skip_blank(s);
    if (!read_char(s, ')'))
        scanner_fail(s->c, ERROR_TOKENIZE, s->p, "invalid range syntax");
    *out = (struct operand){.kind = OPERAND_RANGE, .parts = ends, .parts_count = 2};
    return s->c->rc == 0;
}

static struct operand word_operand(struct str word)
{
    return (struct operand){.kind = OPERAND_LITERAL, .literal = jv_string(word)};
}

/* One of name, .name and [value]; `may_be_bare`: a name without a dot will do. */
static bool read_part(struct scanner *s, struct operand *out, bool may_be_bare, unsigned depth)
{
    if (scanner_peek(s, 0) == '[') {
        s->p++;
        *out = read_operand(s, depth);
        if (out->kind == OPERAND_NOTHING)
            *out = word_operand(STR(""));
        if (s->c->rc == 0 && !scanner_read_to(s, STR("]")))
            scanner_fail(s->c, ERROR_TOKENIZE, s->p, "[ not closed");
        return s->c->rc == 0;
    }
    struct str word = may_be_bare ? scanner_read_identifier(s) : STR("");
    if (word.len == 0) {
        if (scanner_peek(s, 0) != '.' || scanner_peek(s, 1) == '.')
            return false;
        s->p++;
        word = scanner_read_identifier(s);
    }
    *out = word_operand(word);
    return word.len > 0;
}

static struct operand read_access(struct scanner *s, const struct operand *root, unsigned depth)
{
    struct operand whole = {.kind = OPERAND_ACCESS};
    struct operand *parts = NULL;
    struct operand part;
    uint32_t room = 0;
    while (s->c->rc == 0 && read_part(s, &part, root == NULL && whole.parts_count == 0, depth)) {
        parts = grow(s->c, parts, whole.parts_count, &room, sizeof(*parts));
        if (parts != NULL)
            parts[whole.parts_count++] = part;
    }
    if (whole.parts_count == 0)
        return root == NULL ? (struct operand){0} : *root;
    whole.parts = parts;
    if (root != NULL) {
        struct operand *kept = scanner_alloc(s->c, sizeof(*kept));
        if (kept != NULL)
            *kept = *root;
        whole.root = kept;
    }
    return whole;
}

static struct operand read_operand(struct scanner *s, unsigned depth)
{
    struct operand root;
    if (depth == NESTING_MAX) {
        scanner_fail(s->c, ERROR_TOKENIZE, s->p, "brackets nested deeper than %d levels",
                     NESTING_MAX);
        return (struct operand){0};
    }
    scanner_skip_blank(s);
    size_t begin = s->p;
    bool has_root = read_literal(s, &root) || read_quoted(s, &root) ||
                    read_range(s, &root, depth + 1) || read_number(s, &root);
    if (s->c->rc != 0)
        return (struct operand){0};
    struct operand whole = read_access(s, has_root ? &root : NULL, depth + 1);
    whole.begin = begin;
    whole.end = s->p;
    return whole;
}

struct operand expression_read_operand(struct scanner *s)
{
    return read_operand(s, 0);
}

struct operand expression_read_scope_operand(struct scanner *s)
{
    scanner_skip_blank(s);
    return read_access(s, NULL, 0);
}

/* clang-format off */
static const struct {
    struct str word;
    enum operation operation;
    int precedence;
    bool needs_boundary;
} operators[] = {
    {STR_INIT("=="),       OPERATION_EQUAL,         2, false},
    {STR_INIT("!="),       OPERATION_NOT_EQUAL,     2, false},
    {STR_INIT(">="),       OPERATION_GREATER_EQUAL, 2, false},
    {STR_INIT("<="),       OPERATION_LESS_EQUAL,    2, false},
    {STR_INIT(">"),        OPERATION_GREATER,       2, false},
    {STR_INIT("<"),        OPERATION_LESS,          2, false},
    {STR_INIT("contains"), OPERATION_CONTAINS,      2, true},
    {STR_INIT("not"),      OPERATION_NOT,           1, true},
    {STR_INIT("and"),      OPERATION_AND,           0, true},
    {STR_INIT("or"),       OPERATION_OR,            0, true},
};
/* clang-format on */

static int precedence(enum operation operation)
{
    for (size_t i = 0; i < countof(operators); i++)
        if (operators[i].operation == operation)
            return operators[i].precedence;
    return 0;
}

static enum operation read_operator(struct scanner *s)
{
    scanner_skip_blank(s);
    for (size_t i = 0; i < countof(operators); i++) {
        size_t bytes = operators[i].word.len;
        if (!str_starts(scanner_rest(s), operators[i].word) ||
            (operators[i].needs_boundary && scanner_is_word(s, bytes)))
            continue;
        s->p += bytes;
        return operators[i].operation;
    }
    return OPERATION_NONE;
}

struct terms {
    struct value *value;
    uint32_t room;
    enum operation *stack;
    uint32_t height;
    uint32_t stack_room;
};

static void push_term(struct scanner *s, struct terms *t, struct term term)
{
    struct value *v = t->value;
    v->terms = grow(s->c, v->terms, v->terms_count, &t->room, sizeof(*v->terms));
    if (s->c->rc == 0)
        v->terms[v->terms_count++] = term;
}

/* Operators wait on a stack until one that binds less comes, or the end. */
static void read_terms(struct scanner *s, struct value *v)
{
    struct terms t = {.value = v};
    while (s->c->rc == 0 && s->p < s->end) {
        enum operation operation = read_operator(s);
        if (operation == OPERATION_NONE) {
            struct operand operand = expression_read_operand(s);
            if (operand.kind == OPERAND_NOTHING)
                break;
            push_term(s, &t, (struct term){.operand = operand});
            continue;
        }
        while (t.height > 0 && precedence(t.stack[t.height - 1]) > precedence(operation))
            push_term(s, &t, (struct term){.operation = t.stack[--t.height]});
        t.stack = grow(s->c, t.stack, t.height, &t.stack_room, sizeof(*t.stack));
        if (t.stack != NULL)
            t.stack[t.height++] = operation;
    }
    while (s->c->rc == 0 && t.height > 0)
        push_term(s, &t, (struct term){.operation = t.stack[--t.height]});
}

static bool read_argument(struct scanner *s, struct argument *out)
{
    *out = (struct argument){.operand = expression_read_operand(s)};
    if (out->operand.kind == OPERAND_NOTHING)
        return false;
    scanner_skip_blank(s);
    if (scanner_peek(s, 0) != ':')
        return true;
    s->p++;
    out->is_named = true;
    out->name = str_slice(s->c->input, out->operand.begin, out->operand.end);
    out->operand = expression_read_operand(s);
    return true;
}

static void read_arguments(struct scanner *s, struct filter_call *call)
{
    uint32_t room = 0;
    do {
        s->p++;
        call->arguments = grow(s->c, call->arguments, call->count, &room, sizeof(*call->arguments));
        if (s->c->rc == 0 && read_argument(s, &call->arguments[call->count]))
            call->count++;
        scanner_skip_blank(s);
        char next = scanner_peek(s, 0);
        if (s->c->rc == 0 && !scanner_at_end(s) && next != ',' && next != '|')
            scanner_fail(s->c, ERROR_TOKENIZE, s->p, "unexpected character %.*s",
                         STR_ARG(scanner_snapshot(s, s->p)));
    } while (s->c->rc == 0 && scanner_peek(s, 0) == ',');
}

static bool read_call(struct scanner *s, struct filter_call *call)
{
    *call = (struct filter_call){0};
    scanner_skip_blank(s);
    if (scanner_at_end(s))
        return false;
    if (!read_char(s, '|'))
        scanner_fail(s->c, ERROR_TOKENIZE, s->p, "expected \"|\" before filter");
    struct str name = scanner_read_identifier(s);
    if (name.len == 0) {
        if (!scanner_at_end(s))
            scanner_fail(s->c, ERROR_TOKENIZE, s->p, "expected filter name");
        return false;
    }
    call->filter = filters_find(name);
    scanner_skip_blank(s);
    if (scanner_peek(s, 0) == ':')
        read_arguments(s, call);
    else if (scanner_peek(s, 0) != '|' && !scanner_at_end(s))
        scanner_fail(s->c, ERROR_TOKENIZE, s->p, "expected \":\" after filter name");
    return s->c->rc == 0;
}

struct value expression_read(struct scanner *s)
{
    struct value v = {0};
    read_terms(s, &v);
    if (s->c->rc == 0 && v.terms_count == 0)
        scanner_fail(s->c, ERROR_TOKENIZE, s->p, "invalid value expression: %.*s",
                     STR_ARG(scanner_snapshot(s, s->p)));
    uint32_t room = 0;
    struct filter_call call;
    while (s->c->rc == 0 && read_call(s, &call)) {
        v.calls = grow(s->c, v.calls, v.calls_count, &room, sizeof(*v.calls));
        if (s->c->rc == 0)
            v.calls[v.calls_count++] = call;
    }
    return v;
}
