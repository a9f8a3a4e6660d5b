#include "path.h"

#include <errno.h>

#include "text.h"

/* An array index as JavaScript spells it: "0", "17", never "00" or "+1". */
static bool parse_index(struct str key, size_t *index)
{
    if (key.len == 0 || key.len > 10 || (key.len > 1 && key.ptr[0] == '0'))
        return false;
    size_t number = 0;
    for (size_t i = 0; i < key.len; i++) {
        if (key.ptr[i] < '0' || key.ptr[i] > '9')
            return false;
        number = number * 10 + (size_t)(key.ptr[i] - '0');
    }
    *index = number;
    return true;
}

/* text[index] in UTF-16 units; half of a pair is U+FFFD, since UTF-8 has no lone surrogates. */
static struct jv character_at(struct str text, size_t index)
{
    size_t at = 0;
    for (size_t unit = 0; at < text.len;) {
        size_t from = at;
        uint32_t point = text_next_point(text, &at);
        if (point > 0xFFFF) {
            if (index - unit < 2)
                return jv_string(STR("\xEF\xBF\xBD"));
            unit += 2;
        } else if (unit++ == index) {
            return jv_string(str_slice(text, from, at));
        }
    }
    return jv_undefined();
}

struct jv path_step(struct jv v, struct str key)
{
    if (v.type == JV_OBJECT)
        return jv_get(v, key);
    if (v.type != JV_ARRAY && v.type != JV_STRING)
        return jv_undefined();
    size_t index;
    if (parse_index(key, &index)) {
        if (v.type == JV_STRING)
            return character_at(jv_str(v), index);
        return index < v.len ? v.items[index] : jv_undefined();
    }
    if (!str_eq(key, STR("length")))
        return jv_undefined();
    return jv_number((double)(v.type == JV_STRING ? text_units(jv_str(v)) : v.len));
}

struct jv path_get(struct path path, struct jv root)
{
    struct jv v = root;
    for (uint32_t i = 0; i < path.count; i++) {
        if (v.type == JV_OBJECT) /* nearly always */
            v = jv_get(v, path.keys[i]);
        else if (jv_truthy(v))
            v = path_step(v, path.keys[i]);
        else
            break;
    }
    return v;
}

static bool is_quote(char c)
{
    return c == '"' || c == '\'';
}

static bool is_quote_or_digit(char c)
{
    return is_quote(c) || (c >= '0' && c <= '9');
}

/* Bytes of the separator at text[at], or 0 when a key goes on there. */
static size_t separator(struct str text, size_t at, enum path_dialect dialect)
{
    char c = text.ptr[at];
    if (c == '.')
        return 1;
    switch (dialect) {
    case PATH_FQL:
        return c == '[' || c == ']';
    case PATH_MAPPING:
        if (c == '[')
            return at + 1 < text.len && is_quote_or_digit(text.ptr[at + 1]);
        if (c != ']' || at == 0 || !is_quote_or_digit(text.ptr[at - 1]))
            return 0;
        size_t run = 1;
        while (at + run < text.len && text.ptr[at + run] == ']')
            run++;
        return run;
    }
    return 0;
}

/* The key without quote characters; borrows when it has none. */
static struct str without_quotes(struct arena *a, struct str key)
{
    size_t quotes = 0;
    for (size_t i = 0; i < key.len; i++)
        quotes += is_quote(key.ptr[i]);
    if (quotes == 0)
        return key;
    char *clean = arena_alloc(a, key.len);
    size_t len = 0;
    for (size_t i = 0; clean != NULL && i < key.len; i++)
        if (!is_quote(key.ptr[i]))
            clean[len++] = key.ptr[i];
    return (struct str){clean, len};
}

/* Cuts the text into keys; counts them when `keys` is NULL. */
static size_t cut(struct str text, enum path_dialect dialect, struct str *keys)
{
    size_t count = 0;
    size_t from = 0;
    for (size_t at = 0; at <= text.len;) {
        size_t skip = at == text.len ? 1 : separator(text, at, dialect);
        if (skip == 0) {
            at++;
            continue;
        }
        if (at > from) {
            if (keys != NULL)
                keys[count] = str_slice(text, from, at);
            count++;
        }
        at += skip;
        from = at;
    }
    return count;
}

int path_compile(struct path *out, struct arena *a, struct str text, enum path_dialect dialect)
{
    *out = (struct path){0};
    size_t count = cut(text, dialect, NULL);
    if (count == 0)
        return dialect == PATH_FQL ? -EINVAL : 0;
    struct str *keys = arena_array(a, count, sizeof(*keys));
    if (keys == NULL)
        return -ENOMEM;
    cut(text, dialect, keys);
    for (size_t i = 0; dialect == PATH_MAPPING && i < count; i++) {
        keys[i] = without_quotes(a, keys[i]);
        if (keys[i].ptr == NULL)
            return -ENOMEM;
    }
    *out = (struct path){keys, (uint32_t)count};
    return 0;
}

struct str path_strip_root(struct arena *a, struct str text)
{
    if (text.ptr == NULL || text.len == 0)
        return STR("");
    const char *at = memmem(text.ptr, text.len, "$.", 2);
    if (at == NULL)
        return text;
    size_t before = (size_t)(at - text.ptr);
    if (before == 0)
        return str_slice(text, 2, text.len);
    char *joined = arena_alloc(a, text.len - 2);
    if (joined != NULL) {
        memcpy(joined, text.ptr, before);
        memcpy(joined + before, at + 2, text.len - before - 2);
    }
    return (struct str){joined, text.len - 2};
}
