#include "sentence.h"

static void add(struct sentences *s, struct str text)
{
    if (s->failed || text.len == 0)
        return;
    if (text.len > s->cap - s->len) {
        size_t cap = (s->cap + text.len) * 2;
        char *grown = arena_alloc(s->arena, cap);
        if (grown == NULL) {
            s->failed = true;
            return;
        }
        if (s->len > 0)
            memcpy(grown, s->ptr, s->len);
        s->ptr = grown;
        s->cap = cap;
    }
    memcpy(s->ptr + s->len, text.ptr, text.len);
    s->len += text.len;
}

static void add_number(struct sentences *s, double number)
{
    char text[40];
    struct buf b = {.ptr = text,
                    .cap = sizeof(text),
                    .max = sizeof(text)}; /* full from the start: never grows */
    jv_write_number(&b, number);
    add(s, buf_str(&b));
}

static void add_place(struct sentences *s, const struct subject *subject)
{
    if (subject->parent == NULL)
        return;
    add_place(s, subject->parent);
    add(s, STR("/"));
    if (subject->key.len > 0)
        add(s, subject->key);
    else
        add_number(s, (double)subject->index);
}

static void begin(struct sentences *s, const struct subject *subject)
{
    if (s->len > 0)
        add(s, STR(" "));
    if (subject->label.len > 0) {
        /* The sentence starts upper case; labels that do not are of our own making and ASCII. */
        char first = subject->label.ptr[0];
        if (first >= 'a' && first <= 'z')
            first = (char)(first - 'a' + 'A');
        add(s, (struct str){&first, 1});
        add(s, str_slice(subject->label, 1, subject->label.len));
    } else if (subject->parent == NULL) {
        add(s, STR("The root value"));
    } else {
        add(s, STR("The value at "));
        add_place(s, subject);
    }
}

/* "a", "a or b", "a, b, or c": what stands before item i. */
static void add_joint(struct sentences *s, size_t i, size_t count)
{
    if (i == 0)
        return;
    if (count > 2)
        add(s, STR(","));
    add(s, i + 1 == count ? STR(" or ") : STR(" "));
}

void say_missing(struct sentences *s, const struct subject *subject, struct str key)
{
    begin(s, subject);
    add(s, STR(" is missing the required field '"));
    add(s, key);
    add(s, STR("'."));
}

static struct str type_with_article(struct jv v)
{
    switch ((enum jv_type)v.type) {
    case JV_UNDEFINED:
        return STR("undefined");
    case JV_NULL:
        return STR("null");
    case JV_BOOL:
        return STR("a boolean");
    case JV_NUMBER:
        return STR("a number");
    case JV_STRING:
        return STR("a string");
    case JV_ARRAY:
        return STR("an array");
    case JV_OBJECT:
        return STR("an object");
    }
    return STR("undefined");
}

void say_type(struct sentences *s, const struct subject *subject, const struct str *types,
              size_t type_count, struct jv got)
{
    begin(s, subject);
    bool vowel = memchr("aeiou", types[0].ptr[0], 5) != NULL;
    add(s, vowel ? STR(" must be an ") : STR(" must be a "));
    for (size_t i = 0; i < type_count; i++) {
        add_joint(s, i, type_count);
        add(s, types[i]);
    }
    add(s, STR(" but it was "));
    add(s, type_with_article(got));
    add(s, STR("."));
}

void say_choices(struct sentences *s, const struct subject *subject, const struct field *f,
                 bool or_null)
{
    size_t count = f->choice_count + (size_t)or_null;
    begin(s, subject);
    add(s, STR(" must be one of: "));
    for (size_t i = 0; i < f->choice_count; i++) {
        add_joint(s, i, count);
        add(s, STR("\""));
        add(s, f->choices[i]);
        add(s, STR("\""));
    }
    if (or_null) {
        add_joint(s, count - 1, count);
        add(s, STR("null"));
    }
    add(s, STR("."));
}

void say_format(struct sentences *s, const struct subject *subject, enum format format)
{
    begin(s, subject);
    add(s, STR(" must be a valid "));
    add(s, str_from(format_label(format)));
    add(s, STR(" string but it was not."));
}

static void add_characters(struct sentences *s, double count)
{
    add_number(s, count);
    add(s, count == 1 ? STR(" character") : STR(" characters"));
}

void say_length(struct sentences *s, const struct subject *subject, bool too_long, double limit,
                size_t got)
{
    begin(s, subject);
    add(s, STR(" must be "));
    add_characters(s, limit);
    add(s, too_long ? STR(" or fewer but it was ") : STR(" or more but it was "));
    add_characters(s, (double)got);
    add(s, STR("."));
}

void say_limit(struct sentences *s, const struct subject *subject, bool too_big, double limit)
{
    begin(s, subject);
    add(s, too_big ? STR(" must be equal to or less than ")
                   : STR(" must be equal to or greater than "));
    add_number(s, limit);
    add(s, STR("."));
}

void say_then(struct sentences *s)
{
    static const struct subject root;
    begin(s, &root);
    add(s, STR(" must match \"then\" schema."));
}
