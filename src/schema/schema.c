#include "schema.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "coerce.h"
#include "sentence.h"
#include "text.h"

/* Open addressing; sparse, so that a look-up is one comparison nearly always. */
enum { SLOTS = 256, NO_ROW = 0xff };

static_assert(SLOTS >= 4 * SCHEMA_FIELDS_MAX, "probes stay short");

struct schema {
    const struct field *fields;
    size_t count;
    uint64_t absent;
    uint64_t required;
    uint64_t conditional;
    uint8_t slots[SLOTS];
};

static unsigned slot_of(struct str key)
{
    if (key.len == 0)
        return 0;
    unsigned first = (unsigned char)key.ptr[0];
    unsigned middle = (unsigned char)key.ptr[key.len / 2];
    unsigned last = (unsigned char)key.ptr[key.len - 1];
    return ((unsigned)key.len * 67 + first * 31 + middle * 13 + last * 7) % SLOTS;
}

struct schema *schema_new(const struct field *fields, size_t count, uint64_t absent)
{
    assert(count <= SCHEMA_FIELDS_MAX);
    struct schema *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return NULL;
    s->fields = fields;
    s->count = count;
    s->absent = absent;
    memset(s->slots, NO_ROW, sizeof(s->slots));
    for (size_t row = 0; row < count; row++) {
        uint64_t bit = UINT64_C(1) << row;
        if (absent & bit)
            continue;
        assert(schema_find(s, fields[row].key) < 0);
        unsigned slot = slot_of(fields[row].key);
        while (s->slots[slot] != NO_ROW)
            slot = (slot + 1) % SLOTS;
        s->slots[slot] = (uint8_t)row;
        s->required |= fields[row].required ? bit : 0;
        s->conditional |= fields[row].required_if != NULL ? bit : 0;
    }
    return s;
}

void schema_free(struct schema *s)
{
    free(s);
}

int schema_find(const struct schema *s, struct str key)
{
    for (unsigned slot = slot_of(key); s->slots[slot] != NO_ROW; slot = (slot + 1) % SLOTS)
        if (str_eq(s->fields[s->slots[slot]].key, key))
            return s->slots[slot];
    return -1;
}

/* The same for member after member: a mapping mostly has the order of the rows, with gaps. */
static int find_next(const struct schema *s, struct str key, size_t *next)
{
    enum { NEAR = 4 };
    size_t row = *next;
    size_t end = row + NEAR < s->count ? row + NEAR : s->count;
    while (row < end && ((s->absent >> row & 1) != 0 || !str_eq(s->fields[row].key, key)))
        row++;
    int found = row < end ? (int)row : schema_find(s, key);
    if (found >= 0)
        *next = (size_t)found + 1;
    return found;
}

static const struct subject root_subject;

/* One value to be validated: a field, or an item of a field that is an array. */
struct node {
    const struct field *field;
    bool is_item;
    struct subject subject;
};

struct check {
    struct arena *arena;
    struct sentences sentences;
    bool full; /* the arena */
};

static bool is_array_node(const struct node *n)
{
    return n->field->multiple && !n->is_item;
}

static unsigned scalar_types(enum field_type type)
{
    switch (type) {
    case FIELD_STRING:
        return TYPE_STRING;
    case FIELD_NUMBER:
        return TYPE_NUMBER;
    case FIELD_INTEGER:
        return TYPE_INTEGER;
    case FIELD_BOOLEAN:
        return TYPE_BOOLEAN;
    case FIELD_DATETIME:
        return TYPE_STRING | TYPE_NUMBER;
    case FIELD_OBJECT:
        return TYPE_OBJECT;
    }
    return 0;
}

/* Nullability is lost for arrays and for objects with parts. */
static unsigned node_types(const struct node *n)
{
    const struct field *f = n->field;
    if (is_array_node(n))
        return TYPE_ARRAY;
    bool nullable = f->allow_null && !n->is_item && f->parts == NULL;
    return scalar_types(f->type) | (nullable ? TYPE_NULL : 0);
}

static enum format node_format(const struct node *n)
{
    if (n->is_item)
        return FORMAT_ANY;
    return n->field->type == FIELD_DATETIME ? FORMAT_DATE_LIKE : n->field->format;
}

static bool is_choice(const struct field *f, struct jv v)
{
    if (v.type == JV_STRING)
        for (size_t i = 0; i < f->choice_count; i++)
            if (str_eq(f->choices[i], jv_str(v)))
                return true;
    return false;
}

static const struct field *find_part(const struct field *f, struct str key)
{
    for (size_t i = 0; i < f->part_count; i++)
        if (str_eq(f->parts[i].key, key))
            return &f->parts[i];
    return NULL;
}

/* The same for member after member: `next` is where the search starts, for a default mapping has
 * the members in the order of the parts. */
static const struct field *find_next_part(const struct field *f, struct str key, size_t *next)
{
    for (size_t i = 0, at = *next; i < f->part_count; i++, at++) {
        at = at < f->part_count ? at : 0;
        if (str_eq(f->parts[at].key, key)) {
            *next = at + 1;
            return &f->parts[at];
        }
    }
    return NULL;
}

static bool fits(const struct field *f, bool is_item, struct jv v);

/* Nothing to remove, to coerce or to complain about in the parts of an object. */
static bool parts_fit(const struct field *f, struct jv v)
{
    size_t next = 0;
    size_t wanted = 0;
    for (size_t i = 0; i < f->part_count; i++)
        wanted += f->parts[i].required;
    for (uint32_t i = 0; i < v.len; i++) {
        const struct field *part = find_next_part(f, v.members[i].key, &next);
        if (part == NULL ? !f->additional : !fits(part, false, v.members[i].value))
            return false;
        wanted -= part != NULL && part->required; /* what fits is not undefined */
    }
    return wanted == 0;
}

static bool number_fits(const struct field *f, struct jv v)
{
    double number = jv_as_double(v);
    if (!isfinite(number) && !v.exact)
        return false;
    if (f->type == FIELD_INTEGER)
        return isfinite(number) && fmod(number, 1) == 0;
    return (f->max == 0 || number <= f->max) && (f->min == 0 || number >= f->min);
}

static bool string_fits(const struct field *f, bool is_item, struct jv v)
{
    if (f->choices != NULL && !is_choice(f, v))
        return false;
    if (is_item)
        return true;
    if (f->min != 0 || f->max != 0) {
        double points = (double)text_points(jv_str(v));
        if ((f->max != 0 && points > f->max) || points < f->min)
            return false;
    }
    return f->format == FORMAT_ANY || format_match(f->format, jv_str(v));
}

/* True when the value is valid as it is, so that cleaning, coercing and validating would change and
 * say nothing. May be false for a valid value: it then takes the long way. */
static bool fits(const struct field *f, bool is_item, struct jv v)
{
    if (f->multiple && !is_item) {
        if (v.type != JV_ARRAY)
            return false;
        for (uint32_t i = 0; i < v.len; i++)
            if (!fits(f, true, v.items[i]))
                return false;
        return true;
    }
    switch (f->type) {
    case FIELD_STRING:
        return v.type == JV_STRING && string_fits(f, is_item, v);
    case FIELD_NUMBER:
    case FIELD_INTEGER:
        return v.type == JV_NUMBER && number_fits(f, v);
    case FIELD_BOOLEAN:
        return v.type == JV_BOOL;
    case FIELD_DATETIME:
        if (v.type == JV_NUMBER)
            return v.exact || isfinite(v.number);
        return v.type == JV_STRING && (is_item || format_match(FORMAT_DATE_LIKE, jv_str(v)));
    case FIELD_OBJECT:
        return v.type == JV_OBJECT && (f->parts == NULL || parts_fit(f, v));
    }
    return false;
}

/* The value without what counts as empty for its type; undefined when nothing is left (§6.2). */
static struct jv clean(struct check *c, const struct node *n, struct jv v)
{
    unsigned types = node_types(n);
    if (v.type == JV_NULL)
        return (types & TYPE_NULL) ? v : jv_undefined();
    if (v.type == JV_STRING && v.len == 0)
        return (types & TYPE_STRING) ? v : jv_undefined();
    if (v.type == JV_ARRAY && is_array_node(n)) {
        struct node item = {.field = n->field, .is_item = true};
        struct jv *items;
        struct jv kept = jv_array(c->arena, &items, v.len);
        if (kept.type != JV_ARRAY) {
            c->full = true;
            return kept;
        }
        kept.len = 0;
        for (uint32_t i = 0; i < v.len; i++) /* items are dropped or kept, never cleaned inside */
            if (v.items[i].type == JV_OBJECT || clean(c, &item, v.items[i]).type != JV_UNDEFINED)
                items[kept.len++] = v.items[i];
        return kept;
    }
    if (v.type != JV_OBJECT || n->field->parts == NULL || is_array_node(n))
        return v;
    struct jv_member *members = arena_array(c->arena, v.len, sizeof(*members));
    struct jv kept = {.type = JV_OBJECT, .members = members};
    if (members == NULL) {
        c->full = true;
        return jv_undefined();
    }
    for (uint32_t i = 0; i < v.len; i++) {
        const struct field *part = find_part(n->field, v.members[i].key);
        struct node below = {.field = part};
        struct jv value = part == NULL ? v.members[i].value : clean(c, &below, v.members[i].value);
        if (value.type != JV_UNDEFINED)
            members[kept.len++] = (struct jv_member){v.members[i].key, value};
    }
    return kept;
}

static void validate(struct check *c, const struct node *n, struct jv *v);

static void validate_type(struct check *c, const struct node *n, struct jv *v)
{
    static const struct {
        enum json_type type;
        struct str name;
    } names[] = {
        {TYPE_STRING, STR_INIT("string")},   {TYPE_NUMBER, STR_INIT("number")},
        {TYPE_INTEGER, STR_INIT("integer")}, {TYPE_BOOLEAN, STR_INIT("boolean")},
        {TYPE_OBJECT, STR_INIT("object")},   {TYPE_ARRAY, STR_INIT("array")},
        {TYPE_NULL, STR_INIT("null")},
    };
    unsigned types = node_types(n);
    if (coerce_fits(types, *v) || coerce_to(types, v, c->arena, &c->full))
        return;
    struct str wanted[countof(names)];
    size_t count = 0;
    for (size_t i = 0; i < countof(names); i++)
        if (types & names[i].type)
            wanted[count++] = names[i].name;
    say_type(&c->sentences, &n->subject, wanted, count, *v);
}

static void validate_choices(struct check *c, const struct node *n, struct jv v)
{
    const struct field *f = n->field;
    bool or_null = f->allow_null && !n->is_item;
    if (f->choices == NULL || is_array_node(n) || is_choice(f, v) || (or_null && v.type == JV_NULL))
        return;
    say_choices(&c->sentences, &n->subject, f, or_null);
}

static void validate_limits(struct check *c, const struct node *n, struct jv v)
{
    const struct field *f = n->field;
    if (n->is_item || f->multiple)
        return;
    double number = v.type == JV_NUMBER ? jv_as_double(v) : 0;
    if (v.type == JV_NUMBER && f->type == FIELD_NUMBER &&
        isfinite(number)) { /* Infinity is no number to limits */
        if (f->max != 0 && !(number <= f->max))
            say_limit(&c->sentences, &n->subject, true, f->max);
        if (f->min != 0 && !(number >= f->min))
            say_limit(&c->sentences, &n->subject, false, f->min);
    }
    if (v.type != JV_STRING)
        return;
    if (f->type == FIELD_STRING) {
        double points = (double)text_points(jv_str(v));
        if (f->max != 0 && points > f->max)
            say_length(&c->sentences, &n->subject, true, f->max, text_units(jv_str(v)));
        if (f->min != 0 && points < f->min)
            say_length(&c->sentences, &n->subject, false, f->min, text_units(jv_str(v)));
    }
    enum format format = node_format(n);
    if (!format_match(format, jv_str(v)))
        say_format(&c->sentences, &n->subject, format);
}

static void validate_items(struct check *c, const struct node *n, struct jv *v)
{
    struct jv *items;
    struct jv array = jv_array(c->arena, &items, v->len);
    if (array.type != JV_ARRAY) {
        c->full = true;
        return;
    }
    for (uint32_t i = 0; i < v->len; i++) {
        struct node item = {n->field, true, {.parent = &n->subject, .index = i}};
        items[i] = v->items[i];
        validate(c, &item, &items[i]);
    }
    *v = array;
}

static void validate_parts(struct check *c, const struct node *n, struct jv *v)
{
    const struct field *f = n->field;
    for (size_t i = 0; i < f->part_count; i++)
        if (f->parts[i].required && jv_get(*v, f->parts[i].key).type == JV_UNDEFINED)
            say_missing(&c->sentences, &n->subject, f->parts[i].key);

    struct jv_member *members = arena_array(c->arena, v->len, sizeof(*members));
    if (members == NULL) {
        c->full = true;
        return;
    }
    struct jv kept = {.type = JV_OBJECT, .members = members};
    for (uint32_t i = 0; i < v->len; i++)
        if (v->members[i].value.type != JV_UNDEFINED &&
            (f->additional || find_part(f, v->members[i].key) != NULL))
            members[kept.len++] = v->members[i];
    for (size_t i = 0; i < f->part_count; i++) {
        const struct field *part = &f->parts[i];
        struct subject subject = {.label = part->label, .parent = &n->subject, .key = part->key};
        struct node below = {part, false, subject};
        for (uint32_t j = 0; j < kept.len; j++)
            if (str_eq(members[j].key, part->key))
                validate(c, &below, &members[j].value);
    }
    *v = kept;
}

static void validate(struct check *c, const struct node *n, struct jv *v)
{
    if (fits(n->field, n->is_item, *v))
        return;
    validate_type(c, n, v);
    if (c->full)
        return;
    validate_choices(c, n, *v);
    validate_limits(c, n, *v);
    if (is_array_node(n) && v->type == JV_ARRAY)
        validate_items(c, n, v);
    if (!is_array_node(n) && n->field->parts != NULL && v->type == JV_OBJECT)
        validate_parts(c, n, v);
}

/* The type test `null` inside a condition coerces as everywhere, and what it makes stays (§6.4). */
static bool is_null_now(struct check *c, struct jv *v)
{
    if (v->type == JV_NULL)
        return true;
    struct jv coerced = *v;
    if (!coerce_to(TYPE_NULL, &coerced, c->arena, &c->full))
        return false;
    *v = coerced;
    return true;
}

struct root {
    const struct schema *schema;
    struct jv payload;
    struct jv *values;
};

static bool condition_holds(struct check *c, const struct root *r, const struct condition *when,
                            bool alone)
{
    int row = schema_find(r->schema, when->key);
    struct jv unknown = row < 0 ? jv_get(r->payload, when->key) : jv_undefined();
    struct jv *v = row < 0 ? &unknown : &r->values[row];
    bool is = false;
    switch (when->value) {
    case CONDITION_UNDEFINED:
        /* Only a condition that stands alone looks at null. */
        is = v->type == JV_UNDEFINED || (alone && is_null_now(c, v));
        return is != when->is_not;
    case CONDITION_TEXT:
        is = v->type == JV_STRING && str_eq(jv_str(*v), when->text);
        break;
    case CONDITION_TRUE:
        is = v->type == JV_BOOL && v->boolean;
        break;
    }
    return v->type != JV_UNDEFINED && is != when->is_not;
}

static bool requirement_holds(struct check *c, const struct root *r,
                              const struct requirement *required_if)
{
    for (size_t i = 0; i < required_if->count; i++) {
        bool holds = condition_holds(c, r, &required_if->conditions[i], required_if->count == 1);
        if (holds == required_if->any)
            return holds;
    }
    return !required_if->any;
}

static void check_required(struct check *c, const struct root *r)
{
    const struct schema *s = r->schema;
    for (uint64_t rows = s->conditional; rows != 0; rows &= rows - 1) {
        size_t row = (size_t)__builtin_ctzll(rows);
        if (!requirement_holds(c, r, s->fields[row].required_if) ||
            r->values[row].type != JV_UNDEFINED)
            continue;
        say_missing(&c->sentences, &root_subject, s->fields[row].key);
        say_then(&c->sentences);
    }
    for (uint64_t rows = s->required; rows != 0; rows &= rows - 1) {
        size_t row = (size_t)__builtin_ctzll(rows);
        if (r->values[row].type == JV_UNDEFINED)
            say_missing(&c->sentences, &root_subject, s->fields[row].key);
    }
}

/* A root value cleaned as the form asks. */
static struct jv take(struct check *c, const struct node *n, struct jv v, enum schema_clean how)
{
    if (how == CLEAN_NOTHING)
        return v;
    v = clean(c, n, v);
    if (how == CLEAN_SINGLE && v.type == JV_STRING && v.len == 0)
        return jv_undefined();
    return v;
}

static struct jv wrap(struct check *c, struct jv v)
{
    struct jv *items;
    struct jv array = jv_array(c->arena, &items, 1);
    if (array.type != JV_ARRAY)
        c->full = true;
    else
        items[0] = v;
    return array;
}

static int finish(struct check *c, struct str *why)
{
    if (c->full || c->sentences.failed)
        return -ENOMEM;
    *why = (struct str){c->sentences.ptr, c->sentences.len};
    return c->sentences.len == 0 ? 0 : -EINVAL;
}

static bool is_empty_text(struct jv v)
{
    return v.type == JV_STRING && v.len == 0;
}

int schema_check(const struct schema *s, struct jv payload, enum schema_clean how, struct arena *a,
                 struct record *out, struct str *why)
{
    struct check c = {.arena = a, .sentences = {.arena = a}};
    struct jv *values = arena_array(a, s->count, sizeof(*values));
    if (values == NULL)
        return -ENOMEM;
    memset(values, 0, s->count * sizeof(*values));
    *out = (struct record){.values = values, .payload = payload};
    if (payload.type != JV_OBJECT) {
        static const struct str object = STR_INIT("object");
        say_type(&c.sentences, &root_subject, &object, 1, payload);
        return finish(&c, why);
    }

    uint64_t unsettled = 0;
    size_t next = 0;
    for (uint32_t i = 0; i < payload.len; i++) {
        struct jv v = payload.members[i].value;
        int row = find_next(s, payload.members[i].key, &next);
        if (row < 0) {
            bool empty = how == CLEAN_SINGLE && is_empty_text(v);
            if (!empty && str_eq(payload.members[i].key, STR("dynamicAuthSettings")))
                out->exempt = v;
            continue;
        }
        const struct field *f = &s->fields[row];
        if (fits(f, false, v) && !(how == CLEAN_SINGLE && is_empty_text(v))) {
            values[row] = v;
            continue;
        }
        struct node n = {.field = f};
        v = take(&c, &n, v, how);
        if (f->multiple && !jv_is_nullish(v) && v.type != JV_ARRAY)
            v = wrap(&c, v);
        values[row] = v;
        unsettled |= UINT64_C(1) << row;
    }

    struct root r = {s, payload, values};
    check_required(&c, &r);
    for (size_t row = 0; unsettled != 0 && row < s->count; row++) {
        if ((unsettled & (UINT64_C(1) << row)) == 0 || values[row].type == JV_UNDEFINED)
            continue;
        const struct field *f = &s->fields[row];
        struct node n = {f, false, {.label = f->label, .parent = &root_subject, .key = f->key}};
        validate(&c, &n, &values[row]);
    }
    return finish(&c, why);
}

struct jv schema_object(const struct schema *s, const struct record *r, struct arena *a)
{
    struct jv_builder b;
    jv_object_begin(&b, a, r->payload.len + 1);
    for (uint32_t i = 0; i < r->payload.len; i++) {
        int row = schema_find(s, r->payload.members[i].key);
        if (row >= 0 && r->values[row].type != JV_UNDEFINED)
            jv_object_put(&b, r->payload.members[i].key, r->values[row]);
    }
    if (r->exempt.type != JV_UNDEFINED)
        jv_object_put(&b, STR("dynamicAuthSettings"), r->exempt);
    return jv_object_end(&b);
}
