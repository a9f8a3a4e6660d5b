#include "lexer.h"

#include <errno.h>

#include "text.h"

/* What peek() answers at the end: no byte of the text. */
enum { END = -1 };

struct lexer {
    struct str text;
    size_t at;
    struct arena *arena;
    struct token *items;
    uint32_t count;
};

static int peek(const struct lexer *l)
{
    return l->at < l->text.len ? (unsigned char)l->text.ptr[l->at] : END;
}

static bool is_alpha(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool is_space(int c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

static bool is_terminator(int c)
{
    return c == END || is_space(c) || c == ',' || c == ']' || c == ')';
}

static bool is_ident(int c)
{
    return is_alpha(c) || is_digit(c) || c == '_' || c == '-' || c == '\\';
}

/* Takes `word` when it stands here and a terminator follows. Text that ends inside the look-ahead
 * is lost: the reference does not step back from the end. */
static bool accept(struct lexer *l, struct str word)
{
    size_t start = l->at;
    for (size_t units = 0; units < word.len;) { /* as many UTF-16 units as the word has */
        int c = peek(l);
        if (c == END)
            return false;
        units += text_next_point(l->text, &l->at) > 0xFFFF ? 2 : 1;
        if (is_terminator(c))
            break;
    }
    if (str_eq(str_slice(l->text, start, l->at), word) && is_terminator(peek(l)))
        return true;
    l->at = start;
    return false;
}

static void push(struct lexer *l, enum token_kind kind, size_t start, struct str text)
{
    l->items[l->count++] = (struct token){kind, (uint32_t)start, text};
}

/* text without the backslashes that escape a character; borrows when it has none. */
static struct str unescape(struct arena *a, struct str text)
{
    if (str_find(text, '\\') == text.len)
        return text;
    char *name = arena_alloc(a, text.len);
    size_t len = 0;
    for (size_t i = 0; name != NULL && i < text.len; i++) {
        i += text.ptr[i] == '\\';
        name[len++] = text.ptr[i];
    }
    return (struct str){name, len};
}

/* An identifier whose first byte is at `start`. */
static int read_ident(struct lexer *l, size_t start)
{
    if (l->at > start + 1) { /* the rest was lost in a look-ahead */
        push(l, TOKEN_IDENT, start, str_slice(l->text, start, start + 1));
        return 0;
    }
    l->at = start;
    do {
        if (l->text.ptr[l->at++] != '\\')
            continue;
        /* A character outside the BMP is two units to the reference:
         * the second then ends nothing. */
        int escaped = peek(l);
        if (escaped == END || escaped >= 0xF0)
            return -EINVAL;
        l->at++;
        while (escaped >= 0xC0 && (peek(l) & 0xC0) == 0x80)
            l->at++;
    } while (is_ident(peek(l)));
    int c = peek(l);
    if (!is_terminator(c) && c != '.' && c != '(' && c != '=' && c != '!')
        return -EINVAL;
    struct str name = unescape(l->arena, str_slice(l->text, start, l->at));
    push(l, TOKEN_IDENT, start, name);
    return name.ptr == NULL ? -ENOMEM : 0;
}

static int read_word(struct lexer *l, size_t start, char c)
{
    static const struct {
        struct str rest;
        char first;
        enum token_kind kind;
        struct str text;
    } words[] = {
        {STR_INIT("nd"), 'a', TOKEN_CONDITIONAL, STR_INIT("and")},
        {STR_INIT("r"), 'o', TOKEN_CONDITIONAL, STR_INIT("or")},
        {STR_INIT("ull"), 'n', TOKEN_NULL, STR_INIT("null")},
        {STR_INIT("="), '!', TOKEN_OPERATOR, STR_INIT("!=")},
        {STR_INIT("="), '<', TOKEN_OPERATOR, STR_INIT("<=")},
        {STR_INIT("="), '>', TOKEN_OPERATOR, STR_INIT(">=")},
    };
    for (size_t i = 0; i < countof(words); i++) {
        if (words[i].first == c && accept(l, words[i].rest)) {
            push(l, words[i].kind, start, words[i].text);
            return 0;
        }
    }
    switch (c) {
    case '!':
        return -EINVAL;
    case '=':
    case '<':
    case '>':
        push(l, TOKEN_OPERATOR, start, str_slice(l->text, start, start + 1));
        return 0;
    default:
        return read_ident(l, start);
    }
}

static int read_number(struct lexer *l, size_t start)
{
    bool has_point = false;
    for (int c = peek(l); is_digit(c) || c == '.'; c = peek(l)) {
        l->at++;
        if (c != '.')
            continue;
        if (has_point || is_terminator(peek(l)))
            return -EINVAL;
        has_point = true;
    }
    push(l, TOKEN_NUMBER, start, str_slice(l->text, start, l->at));
    return 0;
}

/* Up to the next quote of the same kind, without escapes. That quote
 * is consumed only before a terminator. */
static int read_string(struct lexer *l, size_t start, char quote)
{
    size_t end = l->at + str_find(str_slice(l->text, l->at, l->text.len), quote);
    if (end >= l->text.len)
        return -EINVAL;
    l->at = end;
    (void)accept(l, (struct str){&quote, 1});
    push(l, TOKEN_STRING, start, str_slice(l->text, start, end + 1));
    return 0;
}

static int read_token(struct lexer *l)
{
    size_t start = l->at++;
    char c = l->text.ptr[start];
    struct str self = str_slice(l->text, start, start + 1);
    if (is_space(c))
        return 0;
    if (c == '!' && (is_alpha(peek(l)) || peek(l) == '(')) {
        push(l, TOKEN_OPERATOR, start, self);
        return 0;
    }
    if (is_alpha(c) || c == '_' || c == '\\')
        return read_word(l, start, c);
    if (is_digit(c))
        return read_number(l, start);
    switch (c) {
    case '!':
    case '=':
    case '>':
    case '<':
        return read_word(l, start, c);
    case '-':
    case '+':
        return read_number(l, start);
    case '"':
    case '\'':
        return read_string(l, start, c);
    case '.':
        push(l, TOKEN_DOT, start, self);
        return 0;
    case '[':
    case ']':
    case ',':
        push(l, TOKEN_PUNCTUATION, start, self);
        return 0;
    case '(':
        push(l, TOKEN_PAREN_LEFT, start, self);
        return 0;
    case ')':
        push(l, TOKEN_PAREN_RIGHT, start, self);
        return 0;
    default:
        return -EINVAL;
    }
}

/* Identifier, dot, identifier become one identifier; the pieces
 * of one chain are joined in one go. */
static int join_dotted(struct lexer *l)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < l->count;) {
        struct token token = l->items[i];
        uint32_t last = i;
        size_t bytes = token.text.len;
        while (token.kind == TOKEN_IDENT && l->items[last + 1].kind == TOKEN_DOT &&
               l->items[last + 2].kind == TOKEN_IDENT) {
            last += 2;
            bytes += 1 + l->items[last].text.len;
        }
        if (last > i) {
            char *joined = arena_alloc(l->arena, bytes);
            if (joined == NULL)
                return -ENOMEM;
            token.text = (struct str){joined, bytes};
            for (uint32_t piece = i; piece <= last; piece++) {
                memcpy(joined, l->items[piece].text.ptr, l->items[piece].text.len);
                joined += l->items[piece].text.len;
            }
        }
        l->items[kept++] = token;
        i = last + 1;
    }
    l->count = kept;
    return 0;
}

int lexer_run(struct tokens *out, struct arena *a, struct str text, size_t *at)
{
    struct lexer l = {.text = text, .arena = a};
    *out = (struct tokens){0};
    l.items = arena_array(a, text.len + 2, sizeof(*l.items)); /* a token has at least one byte */
    if (l.items == NULL)
        return -ENOMEM;
    while (l.at < text.len) {
        int rc = read_token(&l);
        if (rc != 0) {
            *at = l.at < text.len ? l.at : text.len;
            return rc;
        }
    }
    push(&l, TOKEN_END, text.len, STR("eos"));
    int rc = join_dotted(&l);
    *out = (struct tokens){l.items, l.count};
    return rc;
}
