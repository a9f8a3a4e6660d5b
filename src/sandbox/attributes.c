#include "attributes.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "hash.h"
#include "locales.h"
#include "nested.h"
#include "standard.h"
#include "text.h"
#include "times.h"

enum { ARRAY_BYTES_MAX = 100 * 1024, FLOAT_DIGITS = 15 };

/* Where one custom attribute stands while its value is worked out. */
struct setting {
    struct call *call;
    struct str name;
    struct jv before; /* stored so far; undefined: nothing */
    bool merge;       /* _merge_objects */
};

#define KEEP jv_undefined() /* the attribute keeps the value it has */

static bool is_scalar(struct jv value)
{
    return value.type == JV_BOOL || value.type == JV_NUMBER || value.type == JV_STRING;
}

static struct str cut_string(struct call *c, struct str name, struct str text)
{
    struct str cut = text_cut(text, STRING_BYTES_MAX);
    if (call_choice(c, CHOICE_STRING_LIMIT) == STRING_255_CHARACTERS) {
        size_t chars = 0;
        cut = text;
        for (size_t i = 0; i < text.len; i++)
            if (((unsigned char)text.ptr[i] & 0xC0) != 0x80 && chars++ == STRING_CHARACTERS_MAX) {
                cut = str_slice(text, 0, i);
                break;
            }
    }
    if (cut.len < text.len)
        call_note(c, NOTE_CHANGED, name, "cut from %zu to %zu bytes", text.len, cut.len);
    else if (text.len > STRING_CHARACTERS_MAX && text_chars(text) > STRING_CHARACTERS_MAX)
        call_note(c, NOTE_WARNING, name,
                  "longer than 255 characters, which other pages call the limit");
    return cut;
}

static struct jv set_string(const struct setting *s, struct jv value)
{
    int64_t ms;
    struct call *c = s->call;
    if (!time_is(jv_str(value), &ms))
        return jv_string(cut_string(c, s->name, jv_str(value)));
    struct jv_builder time;
    jv_object_begin(&time, c->arena, 1);
    jv_object_put(&time, STR("$time"), jv_string(time_text(c->arena, ms)));
    return jv_object_end(&time);
}

/* Floats keep 15 digits. */
static struct jv set_number(const struct setting *s, struct jv value)
{
    if (value.exact) {
        int64_t whole;
        return number_is_i64(value, &whole) ? value : jv_number(jv_as_double(value));
    }
    if (value.number == trunc(value.number))
        return value;
    char digits[32];
    (void)s;
    snprintf(digits, sizeof(digits), "%.*g", FLOAT_DIGITS, value.number);
    return jv_number(strtod(digits, NULL));
}

static struct jv increment(const struct setting *s, struct jv by)
{
    int64_t step;
    int64_t whole;
    struct call *c = s->call;
    if (!number_is_i64(by, &step)) {
        call_note(c, NOTE_FIELD_IGNORED, s->name, "inc needs a whole number");
        return KEEP;
    }
    if (s->before.type == JV_UNDEFINED)
        return number_from_i64(c->arena, step);
    if (s->before.type != JV_NUMBER) {
        call_note(c, NOTE_FIELD_IGNORED, s->name, "inc on a value that is no number");
        return KEEP;
    }
    if (number_is_i64(s->before, &whole) && !__builtin_add_overflow(whole, step, &whole))
        return number_from_i64(c->arena, whole);
    return set_number(s, jv_number(jv_as_double(s->before) + (double)step));
}

struct list {
    struct jv *items;
    uint32_t len;
};

static uint32_t find_item(const struct list *list, struct jv value)
{
    for (uint32_t i = 0; i < list->len; i++)
        if (jv_equal(list->items[i], value))
            return i;
    return list->len;
}

static void drop_item(struct list *list, uint32_t at)
{
    memmove(list->items + at, list->items + at + 1, (list->len - at - 1) * sizeof(*list->items));
    list->len--;
}

/* Only scalars; what is no scalar is left out. */
static struct jv clean_item(const struct setting *s, struct jv item)
{
    if (item.type == JV_STRING)
        return jv_string(cut_string(s->call, s->name, jv_str(item)));
    if (item.type == JV_NUMBER)
        return set_number(s, item);
    if (item.type != JV_BOOL)
        call_note(s->call, NOTE_CHANGED, s->name, "an element that is no scalar is left out");
    return item.type == JV_BOOL ? item : jv_undefined();
}

static struct jv finish_list(const struct setting *s, struct list *list)
{
    struct call *c = s->call;
    uint32_t max = (uint32_t)call_choice(c, CHOICE_ARRAY_MAX);
    if (list->len > max) {
        call_note(c, NOTE_CHANGED, s->name, "%u elements: %u are kept", list->len, max);
        if (call_choice(c, CHOICE_ARRAY_KEEPS) == ARRAY_KEEPS_LAST)
            list->items += list->len - max;
        list->len = max;
    }
    struct jv array = {.type = JV_ARRAY, .len = list->len, .items = list->items};
    if (json_is_longer(c, array, ARRAY_BYTES_MAX)) {
        call_note(c, NOTE_UPDATE_DROPPED, s->name, "an array over 100 KB: the old value stays");
        return KEEP;
    }
    return array;
}

/* Which elements a list has already, by hash: a hostile array has a million. */
struct seen {
    uint32_t *slots; /* place in the list + 1; 0: free */
    uint32_t mask;
};

static uint64_t item_hash(struct jv item)
{
    double number =
        item.type == JV_NUMBER ? jv_as_double(item) : item.type == JV_BOOL && item.boolean;
    if (item.type == JV_STRING)
        return hash_str(jv_str(item));
    number += 0.0; /* both zeros are one value */
    return hash_str_seed((struct str){(const char *)&number, sizeof(number)}, item.type);
}

/* Appends the item unless it is there. */
static bool add_unique(struct list *list, struct seen *seen, struct jv item)
{
    uint32_t at = (uint32_t)item_hash(item) & seen->mask;
    while (seen->slots[at] != 0 && !jv_equal(list->items[seen->slots[at] - 1], item))
        at = (at + 1) & seen->mask;
    if (seen->slots[at] != 0)
        return false;
    list->items[list->len++] = item;
    seen->slots[at] = list->len;
    return true;
}

static bool seen_init(struct seen *seen, struct arena *a, uint32_t items)
{
    uint32_t slots = 16;
    while (slots < items * 2)
        slots *= 2;
    seen->mask = slots - 1;
    seen->slots = arena_array(a, slots, sizeof(*seen->slots));
    if (seen->slots != NULL)
        memset(seen->slots, 0, slots * sizeof(*seen->slots));
    return seen->slots != NULL;
}

static struct jv set_list(const struct setting *s, struct jv value)
{
    struct list list = {arena_array(s->call->arena, value.len, sizeof(struct jv)), 0};
    struct seen seen;
    uint32_t repeated = 0;
    if (list.items == NULL || !seen_init(&seen, s->call->arena, value.len))
        return KEEP;
    for (uint32_t i = 0; i < value.len; i++) {
        if (value.items[i].type == JV_OBJECT || value.items[i].type == JV_ARRAY) {
            call_note(s->call, NOTE_UPDATE_DROPPED, s->name,
                      "an array of scalars with an object or array inside: the old value stays");
            return KEEP;
        }
        struct jv item = clean_item(s, value.items[i]);
        if (item.type != JV_UNDEFINED && !add_unique(&list, &seen, item))
            repeated++;
    }
    if (repeated > 0)
        call_note(s->call, NOTE_CHANGED, s->name, "%u repeated elements are left out", repeated);
    return finish_list(s, &list);
}

static bool is_list_operation(struct jv value)
{
    if (value.type != JV_OBJECT || value.len == 0)
        return false;
    for (uint32_t i = 0; i < value.len; i++)
        if (value.members[i].value.type != JV_ARRAY ||
            (!str_eq(value.members[i].key, STR("add")) &&
             !str_eq(value.members[i].key, STR("remove"))))
            return false;
    return true;
}

/* What is larger than the result may be is not worked through. */
static bool is_too_large(const struct setting *s, struct jv operation)
{
    if (!json_is_longer(s->call, operation, NESTED_BYTES_MAX))
        return false;
    call_note(s->call, NOTE_UPDATE_DROPPED, s->name,
              "an operation over 100 KB: the old value stays");
    return true;
}

static struct jv operate_list(const struct setting *s, struct jv operation)
{
    struct jv add = jv_get(operation, STR("add"));
    struct jv remove = jv_get(operation, STR("remove"));
    uint32_t before = s->before.type == JV_ARRAY ? s->before.len : 0;
    uint32_t added = add.type == JV_ARRAY ? add.len : 0;
    if (is_too_large(s, operation))
        return KEEP;
    if (s->before.type != JV_UNDEFINED && s->before.type != JV_ARRAY) {
        call_note(s->call, NOTE_FIELD_IGNORED, s->name,
                  "add or remove on a value that is no array");
        return KEEP;
    }
    struct list list = {arena_array(s->call->arena, (size_t)before + added, sizeof(struct jv)), 0};
    if (list.items == NULL)
        return KEEP;
    for (uint32_t i = 0; i < before; i++)
        list.items[list.len++] = s->before.items[i];
    for (uint32_t i = 0; i < added; i++) {
        struct jv item = clean_item(s, add.items[i]);
        if (item.type == JV_UNDEFINED)
            continue;
        uint32_t at = find_item(&list, item);
        if (at < list.len)
            drop_item(&list, at);
        list.items[list.len++] = item;
        if (list.len > (uint32_t)call_choice(s->call, CHOICE_ARRAY_MAX))
            drop_item(&list, 0);
    }
    for (uint32_t i = 0; remove.type == JV_ARRAY && i < remove.len; i++)
        for (uint32_t at; (at = find_item(&list, remove.items[i])) < list.len;)
            drop_item(&list, at);
    return finish_list(s, &list);
}

static struct jv keep_small(const struct setting *s, struct jv value, const char *why)
{
    if (why != NULL) {
        call_note(s->call, NOTE_UPDATE_DROPPED, s->name,
                  "invalid content (%s): the old value stays", why);
        return KEEP;
    }
    if (json_is_longer(s->call, value, NESTED_BYTES_MAX)) {
        call_note(s->call, NOTE_UPDATE_DROPPED, s->name, "over 100 KB: the old value stays");
        return KEEP;
    }
    return value;
}

static struct jv set_object(const struct setting *s, struct jv value)
{
    const char *why = NULL;
    if (value.len == 1 && str_eq(value.members[0].key, STR("inc")))
        return increment(s, value.members[0].value);
    if (is_list_operation(value))
        return operate_list(s, value);
    if (nested_is_operation(value) && is_too_large(s, value))
        return KEEP;
    if (nested_is_operation(value)) {
        if (s->before.type != JV_UNDEFINED && s->before.type != JV_ARRAY) {
            call_note(s->call, NOTE_FIELD_IGNORED, s->name,
                      "$add, $remove or $update on a value that is no array");
            return KEEP;
        }
        struct jv array = nested_operate(s->call, s->before, value, s->merge, &why);
        return keep_small(s, array, why);
    }
    struct jv fresh = nested_clean(s->call, value, &why);
    if (why == NULL && fresh.type == JV_UNDEFINED) {
        call_note(s->call, NOTE_UPDATE_DROPPED, s->name, "a date out of range: not stored");
        return KEEP;
    }
    if (why == NULL && s->merge && s->before.type == JV_OBJECT)
        fresh = nested_merge(s->call, s->before, fresh);
    return keep_small(s, fresh, why);
}

static struct jv set_objects(const struct setting *s, struct jv value)
{
    const char *why;
    struct jv fresh = nested_clean(s->call, value, &why);
    return keep_small(s, fresh, why);
}

static struct jv forced_boolean(struct jv value)
{
    static const struct {
        struct str text;
        bool boolean;
    } words[] = {{STR_INIT("1"), true},  {STR_INIT("true"), true},   {STR_INIT("t"), true},
                 {STR_INIT("0"), false}, {STR_INIT("false"), false}, {STR_INIT("f"), false}};
    if (value.type == JV_BOOL)
        return value;
    if (value.type == JV_NUMBER && !value.exact && (value.number == 0 || value.number == 1))
        return jv_bool(value.number == 1);
    for (size_t i = 0; i < countof(words); i++)
        if (value.type == JV_STRING && str_eq_nocase(words[i].text, jv_str(value)))
            return jv_bool(words[i].boolean);
    return jv_undefined();
}

static struct jv forced_number(struct call *c, struct jv value)
{
    struct jv number = value;
    struct err err = {0};
    if (value.type == JV_STRING &&
        jv_parse(&number, c->arena, str_trim(jv_str(value)), JV_EXACT, &err) != 0)
        return jv_undefined();
    return number.type == JV_NUMBER ? number : jv_undefined();
}

/* What the value becomes under a forced type; undefined: ignored. Removals never come here. */
static struct jv force(const struct setting *s, enum data_type type, struct jv value)
{
    struct call *c = s->call;
    int64_t ms;
    switch (type) {
    case DATA_BOOLEAN:
        return forced_boolean(value);
    case DATA_NUMBER:
        return value.type == JV_OBJECT && jv_get(value, STR("inc")).type != JV_UNDEFINED
                   ? value
                   : forced_number(c, value);
    case DATA_STRING:
        if (value.type == JV_NUMBER)
            return jv_string(text_of_number(c->arena, value));
        if (value.type == JV_BOOL)
            return jv_string(value.boolean ? STR("true") : STR("false"));
        return value.type == JV_STRING ? value : jv_undefined();
    case DATA_TIME:
        return value.type == JV_STRING && time_is(jv_str(value), &ms) ? value : jv_undefined();
    case DATA_ARRAY:
    case DATA_OBJECT_ARRAY:
        return value.type == JV_ARRAY || value.type == JV_OBJECT ? value : jv_undefined();
    case DATA_OBJECT:
        return value.type == JV_OBJECT ? value : jv_undefined();
    case DATA_UNKNOWN:
    case DATA_TYPES:
        return value;
    }
    return value;
}

static struct jv set_value(const struct setting *s, enum data_type forced, struct jv value)
{
    switch ((enum jv_type)value.type) {
    case JV_STRING:
        return forced == DATA_STRING ? jv_string(cut_string(s->call, s->name, jv_str(value)))
                                     : set_string(s, value);
    case JV_NUMBER:
        return set_number(s, value);
    case JV_ARRAY:
        return value.len > 0 && value.items[0].type == JV_OBJECT ? set_objects(s, value)
                                                                 : set_list(s, value);
    case JV_OBJECT:
        return set_object(s, value);
    case JV_BOOL:
    case JV_NULL:
    case JV_UNDEFINED:
        return value;
    }
    return value;
}

static enum data_type type_of(struct jv value)
{
    switch ((enum jv_type)value.type) {
    case JV_BOOL:
        return DATA_BOOLEAN;
    case JV_NUMBER:
        return DATA_NUMBER;
    case JV_STRING:
        return DATA_STRING;
    case JV_ARRAY:
        return value.len > 0 && value.items[0].type == JV_OBJECT ? DATA_OBJECT_ARRAY : DATA_ARRAY;
    case JV_OBJECT:
        return nested_is_time(value) ? DATA_TIME : DATA_OBJECT;
    case JV_NULL:
    case JV_UNDEFINED:
        return DATA_UNKNOWN;
    }
    return DATA_UNKNOWN;
}

static void count_attribute(struct call *c, struct str name, struct jv stored, uint64_t points)
{
    c->points += points;
    struct name *row = names_count(c->sandbox->names, NAME_ATTRIBUTE, name, points, c->now_ms);
    enum data_type type = type_of(stored);
    if (row == NULL || type == DATA_UNKNOWN)
        return;
    if (row->type == DATA_UNKNOWN)
        row->type = type;
    else if (row->type != type)
        call_note(c, NOTE_WARNING, name, "stored as sent, but the attribute's type is %.*s",
                  STR_ARG(data_type_name(row->type)));
}

static void apply_custom(struct call *c, struct profile *p, struct str sent_name, struct jv value,
                         bool merge)
{
    struct str name = cut_string(c, sent_name, text_clean_name(c->arena, sent_name));
    if (name.len == 0 || name.ptr[0] == '$') {
        call_note(c, NOTE_FIELD_IGNORED, sent_name,
                  "ignored: an attribute's name must not be empty or start with $");
        return;
    }
    if (workspace_blocks(c->sandbox->workspace, BLOCK_ATTRIBUTES, name)) {
        call_note(c, NOTE_BLOCKED, name, "on the blocklist: dropped, no data points");
        return;
    }
    uint64_t points = value_points(c, value);
    if (value.type == JV_NULL) {
        profile_drop(p, SECTION_CUSTOM, name);
        count_attribute(c, name, value, points);
        return;
    }
    struct setting s = {c, name, profile_get(p, SECTION_CUSTOM, name), merge};
    enum data_type forced = workspace_forced_type(c->sandbox->workspace, name);
    struct jv coerced = force(&s, forced, value);
    if (coerced.type == JV_UNDEFINED)
        call_note(c, NOTE_FIELD_IGNORED, name, "ignored: the attribute's type is %.*s",
                  STR_ARG(data_type_name(forced)));
    else
        coerced = set_value(&s, forced, coerced);
    if (coerced.type != JV_UNDEFINED)
        profile_put(p, SECTION_CUSTOM, name, coerced);
    count_attribute(c, name, coerced, points);
}

enum object_error attributes_check(struct call *c, struct jv object)
{
    for (uint32_t i = 0; i < object.len; i++) {
        const struct standard_field *field = standard_find(object.members[i].key);
        struct jv value = object.members[i].value;
        if (field == NULL || field->check == NULL ||
            (value.type == JV_NULL && !field->null_is_checked))
            continue;
        enum object_error error = field->check(c, value);
        if (error != ERROR_NONE)
            return error;
    }
    return ERROR_NONE;
}

static void apply_standard(struct call *c, struct profile *p, const struct standard_field *field,
                           struct jv value, const struct who *who)
{
    bool is_identifier = (who->kind == WHO_EMAIL && str_eq(field->name, STR("email"))) ||
                         (who->kind == WHO_PHONE && str_eq(field->name, STR("phone")));
    if (field->apply == NULL || is_identifier)
        return;
    if (value.type == JV_NULL)
        profile_drop(p, SECTION_STANDARD, field->name);
    else
        field->apply(c, p, field->name, value);
    uint64_t points = standard_points(c, field, value);
    if (points > 0) {
        c->points += points;
        names_count(c->sandbox->names, NAME_STANDARD, field->name, points, c->now_ms);
    }
}

void attributes_apply(struct call *c, struct profile *p, struct jv object, const struct who *who)
{
    struct jv merge = jv_get(object, STR("_merge_objects"));
    bool merges = merge.type == JV_BOOL && merge.boolean;
    for (uint32_t i = 0; i < object.len; i++) {
        const struct standard_field *field = standard_find(object.members[i].key);
        if (field != NULL)
            apply_standard(c, p, field, object.members[i].value, who);
        else
            apply_custom(c, p, object.members[i].key, object.members[i].value, merges);
    }
}

struct jv stored_to_printed(struct call *c, struct jv value)
{
    if (nested_is_time(value))
        return value.members[0].value;
    if (value.type == JV_OBJECT) {
        struct jv_builder b;
        jv_object_begin(&b, c->arena, value.len);
        for (uint32_t i = 0; i < value.len; i++)
            jv_object_put(&b, value.members[i].key, stored_to_printed(c, value.members[i].value));
        return jv_object_end(&b);
    }
    if (value.type == JV_ARRAY && value.len > 0 && !is_scalar(value.items[0])) {
        struct jv *items;
        struct jv array = jv_array(c->arena, &items, value.len);
        for (uint32_t i = 0; array.type == JV_ARRAY && i < value.len; i++)
            items[i] = stored_to_printed(c, value.items[i]);
        return array;
    }
    return value;
}

/* The synchronous answer: the attributes of the request with their values after it. */
static void write_result(struct call *c, struct profile *p, struct jv object)
{
    struct jv_builder values;
    jv_object_begin(&values, c->arena, object.len);
    for (uint32_t i = 0; i < object.len; i++) {
        struct str name = object.members[i].key;
        struct jv stored = profile_get(p, SECTION_CUSTOM, text_clean_name(c->arena, name));
        if (standard_find(name) == NULL && stored.type != JV_UNDEFINED)
            jv_object_put(&values, name, stored_to_printed(c, stored));
    }
    jv_object_put(c->results, STR("custom_attributes"), jv_object_end(&values));
}

/* An import makes one anonymous profile a token; tokens that are known already are left alone. */
static void import_tokens(struct call *c, struct jv object, const struct who *who)
{
    struct jv tokens = jv_get(object, STR("push_tokens"));
    for (uint32_t i = 0; i < tokens.len; i++) {
        struct str token = jv_str(jv_get(tokens.items[i], STR("token")));
        if (profiles_find(c->sandbox->profiles, KEY_PUSH_TOKEN, token) != NULL) {
            call_note(c, NOTE_NO_EFFECT, STR("push_tokens"), "the token is known already");
            continue;
        }
        enum object_error error;
        struct profile *p = who_resolve(c, who, &error);
        if (p == NULL)
            return;
        struct jv one = tokens;
        one.items = tokens.items + i;
        one.len = 1;
        standard_find(STR("push_tokens"))->apply(c, p, STR("push_tokens"), one);
        struct jv_builder rest;
        jv_object_begin(&rest, c->arena, object.len);
        jv_object_put_all(&rest, object);
        jv_object_remove(&rest, STR("push_tokens"));
        attributes_apply(c, p, jv_object_end(&rest), who);
    }
}

enum object_error attributes_take(struct call *c, struct jv object)
{
    struct who who;
    enum object_error error = who_read(c, object, true, &who);
    if (error == ERROR_NONE)
        error = attributes_check(c, object);
    if (error != ERROR_NONE)
        return error;
    if (who.kind == WHO_TOKENS) {
        import_tokens(c, object, &who);
        return ERROR_NONE;
    }
    struct profile *p = who_resolve(c, &who, &error);
    if (p != NULL)
        attributes_apply(c, p, object, &who);
    if (p != NULL && c->results != NULL) {
        who_write(c, &who, c->results);
        write_result(c, p, object);
    }
    return error;
}
