#include "token.h"

#define TAG_OPEN     STR("{%")
#define TAG_CLOSE    STR("%}")
#define OUTPUT_OPEN  STR("{{")
#define OUTPUT_CLOSE STR("}}")

struct cutter {
    struct scanner s;
    struct token *items;
    uint32_t count;
    bool in_raw;
    size_t raw_at; /* the tag that opened it */
};

static bool is_here(const struct scanner *s, struct str text)
{
    return str_starts(str_slice(s->c->input, s->p, s->c->input.len), text);
}

/* The content between the delimiters, without a dash and white space at either end. */
static void find_content(struct compilation *c, struct token *t, size_t from, size_t to)
{
    const char *input = c->input.ptr;
    t->trims_left = from < c->input.len && input[from] == '-';
    t->trims_right = to > 0 && input[to - 1] == '-';
    from += t->trims_left;
    to -= t->trims_right;
    for (size_t bytes; from < to && (bytes = scanner_blank_bytes(c->input, from)) > 0;)
        from += bytes;
    while (to > from) {
        size_t begin = to - 1;
        while (begin > from && ((unsigned char)input[begin] & 0xC0) == 0x80)
            begin--;
        if (scanner_blank_bytes(c->input, begin) != to - begin)
            break;
        to = begin;
    }
    t->content_begin = from;
    t->content_end = to;
}

static void find_tag_name(struct compilation *c, struct token *t, const char *unnamed)
{
    struct scanner s = {c, t->content_begin, t->content_end};
    scanner_skip_blank(&s);
    if (s.p < c->input.len && c->input.ptr[s.p] == '#') {
        t->name = STR("#");
        s.p++;
    } else {
        t->name = scanner_read_identifier(&s);
    }
    if (t->name.len == 0)
        scanner_fail(c, ERROR_TOKENIZE, s.p, "%s", unnamed);
    scanner_skip_blank(&s);
    t->args_begin = s.p;
}

static struct token tag_token(struct compilation *c, size_t begin, size_t end)
{
    struct token t = {.kind = TOKEN_TAG, .begin = begin, .end = end};
    find_content(c, &t, begin + 2, end - 2);
    find_tag_name(c, &t, "illegal tag syntax, tag name expected");
    return t;
}

static struct token html_token(size_t begin, size_t end)
{
    return (struct token){
        .kind = TOKEN_HTML, .begin = begin, .end = end, .content_begin = begin, .content_end = end};
}

static struct token read_tag(struct cutter *k)
{
    struct scanner *s = &k->s;
    size_t begin = s->p;
    if (!scanner_read_to(s, TAG_CLOSE)) {
        scanner_fail(s->c, ERROR_TOKENIZE, begin, "tag %.*s not closed",
                     STR_ARG(scanner_snapshot(s, begin)));
        return html_token(begin, begin);
    }
    struct token t = tag_token(s->c, begin, s->p);
    if (str_eq(t.name, STR("raw"))) {
        k->in_raw = true;
        k->raw_at = begin;
    }
    return t;
}

static struct token read_output(struct cutter *k)
{
    struct scanner *s = &k->s;
    size_t begin = s->p;
    while (s->p < s->end) {
        if (scanner_is_quote(s)) {
            (void)scanner_read_quoted(s);
            continue;
        }
        s->p++;
        if (scanner_is_behind(s, OUTPUT_CLOSE)) {
            struct token t = {.kind = TOKEN_OUTPUT, .begin = begin, .end = s->p};
            find_content(s->c, &t, begin + 2, s->p - 2);
            return t;
        }
    }
    scanner_fail(s->c, ERROR_TOKENIZE, begin, "output %.*s not closed",
                 STR_ARG(scanner_snapshot(s, begin)));
    return html_token(begin, begin);
}

static struct token read_html(struct cutter *k)
{
    struct scanner *s = &k->s;
    size_t begin = s->p;
    while (s->p < s->end && !is_here(s, TAG_OPEN) && !is_here(s, OUTPUT_OPEN))
        s->p++;
    return html_token(begin, s->p);
}

/* Inside raw: everything up to an endraw tag, or that tag itself when it stands here. */
static struct token read_raw(struct cutter *k)
{
    struct scanner *s = &k->s;
    size_t begin = s->p;
    bool found = scanner_read_to(s, TAG_OPEN);
    size_t left = found ? s->p - 2 : s->p;
    while (s->p < s->end) {
        if (!str_eq(scanner_read_identifier(s), STR("endraw"))) {
            found = scanner_read_to(s, TAG_OPEN);
            left = found ? s->p - 2 : s->p;
            continue;
        }
        for (; s->p <= s->end; s->p++) {
            if (scanner_is_behind(s, TAG_CLOSE)) {
                if (begin == left) {
                    k->in_raw = false;
                    return tag_token(s->c, begin, s->p);
                }
                s->p = left;
                return html_token(begin, left);
            }
            if (scanner_is_behind(s, TAG_OPEN))
                break;
        }
    }
    scanner_fail(s->c, ERROR_TOKENIZE, begin, "raw %.*s not closed",
                 STR_ARG(scanner_snapshot(s, k->raw_at)));
    return html_token(begin, begin);
}

static void trim_end(struct compilation *c, struct token *t)
{
    while (t->content_end > t->content_begin) {
        size_t begin = t->content_end - 1;
        while (begin > t->content_begin && ((unsigned char)c->input.ptr[begin] & 0xC0) == 0x80)
            begin--;
        if (scanner_blank_bytes(c->input, begin) == 0)
            return;
        t->content_end = begin;
    }
}

static void trim_start(struct compilation *c, struct token *t)
{
    for (size_t bytes; t->content_begin < t->content_end &&
                       (bytes = scanner_blank_bytes(c->input, t->content_begin)) > 0;)
        t->content_begin += bytes;
}

static void trim_around_dashes(struct compilation *c, struct tokens *t)
{
    bool in_raw = false;
    for (uint32_t i = 0; i < t->count; i++) {
        const struct token *token = &t->items[i];
        if (token->kind == TOKEN_HTML)
            continue;
        if (!in_raw && token->trims_left && i > 0 && t->items[i - 1].kind == TOKEN_HTML)
            trim_end(c, &t->items[i - 1]);
        if (token->kind == TOKEN_TAG && str_eq(token->name, STR("raw")))
            in_raw = true;
        else if (token->kind == TOKEN_TAG && str_eq(token->name, STR("endraw")))
            in_raw = false;
        if (!in_raw && token->trims_right && i + 1 < t->count && t->items[i + 1].kind == TOKEN_HTML)
            trim_start(c, &t->items[i + 1]);
    }
}

struct tokens token_read_all(struct compilation *c)
{
    struct cutter k = {.s = {c, 0, c->input.len}};
    k.items =
        scanner_alloc(c, (c->input.len + 1) * sizeof(*k.items)); /* one takes a byte at least */
    while (c->rc == 0 && k.s.p < k.s.end) {
        struct token t = k.in_raw                     ? read_raw(&k)
                         : is_here(&k.s, TAG_OPEN)    ? read_tag(&k)
                         : is_here(&k.s, OUTPUT_OPEN) ? read_output(&k)
                                                      : read_html(&k);
        if (c->rc == 0)
            k.items[k.count++] = t;
    }
    struct tokens tokens = {k.items, k.count, 0};
    if (c->rc == 0)
        trim_around_dashes(c, &tokens);
    return tokens;
}

struct tokens token_read_lines(struct compilation *c, struct scanner s)
{
    struct tokens t = {.items = scanner_alloc(c, (s.end - s.p + 1) * sizeof(struct token))};
    while (c->rc == 0 && s.p < s.end) {
        scanner_skip_blank(&s);
        if (scanner_at_end(&s))
            break;
        struct token line = {.kind = TOKEN_TAG, .begin = s.p};
        (void)scanner_read_to(&s, STR("\n"));
        line.end = s.p;
        find_content(c, &line, line.begin, line.end);
        find_tag_name(c, &line, "illegal liquid tag syntax");
        if (c->rc == 0)
            t.items[t.count++] = line;
    }
    return t;
}
