#include "nested.h"

#include "text.h"
#include "times.h"

bool nested_is_operation(struct jv value)
{
    return value.type == JV_OBJECT && (jv_get(value, STR("$add")).type != JV_UNDEFINED ||
                                       jv_get(value, STR("$remove")).type != JV_UNDEFINED ||
                                       jv_get(value, STR("$update")).type != JV_UNDEFINED);
}

bool nested_is_time(struct jv value)
{
    return value.type == JV_OBJECT && value.len == 1 && str_eq(value.members[0].key, STR("$time"));
}

/* undefined with *why NULL: a date out of range, which is left out without harm to the rest. */
static struct jv clean_time(struct call *c, struct jv value, const char **why)
{
    int64_t ms;
    enum time_form form = time_parse(jv_str(value.members[0].value), &ms);
    if (form == TIME_OUT_OF_RANGE)
        return jv_undefined();
    if (form == TIME_NONE) {
        *why = "badly formed $time";
        return jv_undefined();
    }
    struct jv_builder time;
    jv_object_begin(&time, c->arena, 1);
    jv_object_put(&time, STR("$time"), jv_string(time_text(c->arena, ms)));
    return jv_object_end(&time);
}

static const char *key_fault(struct str key)
{
    if (key.len == 0)
        return "an empty key";
    for (size_t i = 0; i < key.len; i++)
        if (key.ptr[i] == '.' || key.ptr[i] == '$' || key.ptr[i] == ' ')
            return "a key with a space, a dot or a $";
    return key.len > STRING_CHARACTERS_MAX && text_chars(key) > STRING_CHARACTERS_MAX
               ? "a key longer than 255 characters"
               : NULL;
}

static struct jv clean(struct call *c, struct jv value, unsigned depth, const char **why);

static struct jv clean_object(struct call *c, struct jv value, unsigned depth, const char **why)
{
    struct jv_builder b;
    jv_object_begin(&b, c->arena, value.len);
    for (uint32_t i = 0; i < value.len && *why == NULL; i++) {
        *why = key_fault(value.members[i].key);
        if (*why != NULL)
            break;
        struct jv member = clean(c, value.members[i].value, depth + 1, why);
        if (member.type != JV_UNDEFINED)
            jv_object_put(&b, value.members[i].key, member);
    }
    return *why == NULL ? jv_object_end(&b) : jv_undefined();
}

static struct jv clean_array(struct call *c, struct jv value, unsigned depth, const char **why)
{
    struct jv *items;
    struct jv array = jv_array(c->arena, &items, value.len);
    uint32_t kept = 0;
    for (uint32_t i = 0; array.type == JV_ARRAY && i < value.len && *why == NULL; i++) {
        struct jv item = clean(c, value.items[i], depth + 1, why);
        if (item.type != JV_UNDEFINED)
            items[kept++] = item;
    }
    array.len = kept;
    return *why == NULL ? array : jv_undefined();
}

static struct jv clean(struct call *c, struct jv value, unsigned depth, const char **why)
{
    if (depth > DEPTH_MAX) {
        *why = "more than 50 levels";
        return jv_undefined();
    }
    switch ((enum jv_type)value.type) {
    case JV_UNDEFINED:
    case JV_NULL:
        *why = "a null inside";
        return jv_undefined();
    case JV_BOOL:
    case JV_NUMBER:
        return value;
    case JV_STRING:
        if (value.len > STRING_CHARACTERS_MAX &&
            text_chars(jv_str(value)) > STRING_CHARACTERS_MAX) {
            *why = "a string longer than 255 characters";
            return jv_undefined();
        }
        return value;
    case JV_ARRAY:
        return clean_array(c, value, depth, why);
    case JV_OBJECT:
        return nested_is_time(value) ? clean_time(c, value, why)
                                     : clean_object(c, value, depth, why);
    }
    return jv_undefined();
}

struct jv nested_clean(struct call *c, struct jv value, const char **why)
{
    *why = NULL;
    return clean(c, value, 0, why);
}

struct jv nested_merge(struct call *c, struct jv base, struct jv patch)
{
    if (base.type != JV_OBJECT || patch.type != JV_OBJECT || nested_is_time(base) ||
        nested_is_time(patch))
        return patch;
    struct jv_builder b;
    jv_object_begin(&b, c->arena, base.len + patch.len);
    jv_object_put_all(&b, base);
    for (uint32_t i = 0; i < patch.len; i++)
        jv_object_put(&b, patch.members[i].key,
                      nested_merge(c, jv_get(base, patch.members[i].key), patch.members[i].value));
    return jv_object_end(&b);
}

struct selector {
    struct str key;
    struct jv value;
    struct jv new_object;
};

static bool read_selector(struct jv entry, bool update, struct selector *out, const char **why)
{
    struct jv key = jv_get(entry, STR("$identifier_key"));
    out->key = jv_str(key);
    out->value = jv_get(entry, STR("$identifier_value"));
    out->new_object = jv_get(entry, STR("$new_object"));
    bool scalar =
        out->value.type == JV_STRING || out->value.type == JV_NUMBER || out->value.type == JV_BOOL;
    if (key.type != JV_STRING || !scalar || (update && out->new_object.type != JV_OBJECT)) {
        *why = update ? "$update needs $identifier_key, $identifier_value and $new_object"
                      : "$remove needs $identifier_key and $identifier_value";
        return false;
    }
    return true;
}

static bool selects(const struct selector *selector, struct jv item)
{
    struct jv value = jv_get(item, selector->key);
    return value.type != JV_UNDEFINED && jv_equal(value, selector->value);
}

static bool check_operation(struct call *c, struct jv operation, const char **why)
{
    static const struct str words[] = {STR_INIT("$add"), STR_INIT("$remove"), STR_INIT("$update")};
    for (uint32_t i = 0; i < operation.len; i++) {
        struct str key = operation.members[i].key;
        struct jv list = operation.members[i].value;
        bool known = str_eq(key, words[0]) || str_eq(key, words[1]) || str_eq(key, words[2]);
        if (!known || list.type != JV_ARRAY) {
            *why = "an operation of $add, $remove and $update must hold arrays and nothing else";
            return false;
        }
        for (uint32_t e = 0; e < list.len; e++) {
            struct selector selector = {.new_object = list.items[e]};
            if (str_eq(key, words[0])) {
                if (list.items[e].type != JV_OBJECT)
                    *why = "$add needs objects";
            } else if (!read_selector(list.items[e], str_eq(key, words[2]), &selector, why)) {
                return false;
            }
            if (*why == NULL && !str_eq(key, words[1]))
                (void)nested_clean(c, selector.new_object, why);
            if (*why != NULL)
                return false;
        }
    }
    return true;
}

static void update_items(struct call *c, struct jv *items, uint32_t count, struct jv updates,
                         bool merge)
{
    const char *why;
    struct selector selector;
    for (uint32_t u = 0; u < updates.len; u++) {
        if (!read_selector(updates.items[u], true, &selector, &why))
            continue;
        struct jv fresh = nested_clean(c, selector.new_object, &why);
        for (uint32_t i = 0; i < count; i++)
            if (selects(&selector, items[i]))
                items[i] = merge ? nested_merge(c, items[i], fresh) : fresh;
    }
}

struct jv nested_operate(struct call *c, struct jv array, struct jv operation, bool merge,
                         const char **why)
{
    *why = NULL;
    if (!check_operation(c, operation, why))
        return jv_undefined();
    struct jv add = jv_get(operation, STR("$add"));
    struct jv remove = jv_get(operation, STR("$remove"));
    struct jv update = jv_get(operation, STR("$update"));
    uint32_t before = array.type == JV_ARRAY ? array.len : 0;
    uint32_t added = add.type == JV_ARRAY ? add.len : 0;
    struct jv *items;
    struct jv result = jv_array(c->arena, &items, (size_t)before + added);
    if (result.type != JV_ARRAY)
        return result;
    uint32_t count = 0;
    for (uint32_t i = 0; i < before; i++)
        items[count++] = array.items[i];
    for (uint32_t i = 0; i < added; i++)
        items[count++] = nested_clean(c, add.items[i], why);
    for (uint32_t r = 0; remove.type == JV_ARRAY && r < remove.len; r++) {
        struct selector selector;
        if (!read_selector(remove.items[r], false, &selector, why))
            continue;
        uint32_t kept = 0;
        for (uint32_t i = 0; i < count; i++)
            if (!selects(&selector, items[i]))
                items[kept++] = items[i];
        count = kept;
    }
    if (update.type == JV_ARRAY)
        update_items(c, items, count, update, merge);
    result.len = count;
    return result;
}

enum { NUMBER_TEXT_BYTES_MAX = 32, ESCAPE_BYTES_MAX = 6 };

/* No compact JSON of this value is longer. */
static size_t bytes_bound(struct jv value)
{
    size_t bytes = 2;
    switch ((enum jv_type)value.type) {
    case JV_UNDEFINED:
    case JV_NULL:
    case JV_BOOL:
        return 5;
    case JV_NUMBER:
        return value.exact ? value.len : NUMBER_TEXT_BYTES_MAX;
    case JV_STRING:
        return bytes + (size_t)value.len * ESCAPE_BYTES_MAX;
    case JV_ARRAY:
        for (uint32_t i = 0; i < value.len; i++)
            bytes += 1 + bytes_bound(value.items[i]);
        return bytes;
    case JV_OBJECT:
        for (uint32_t i = 0; i < value.len; i++)
            bytes += 4 + value.members[i].key.len * ESCAPE_BYTES_MAX +
                     bytes_bound(value.members[i].value);
        return bytes;
    }
    return bytes;
}

bool json_is_longer(struct call *c, struct jv value, size_t bytes_max)
{
    if (bytes_bound(value) <= bytes_max)
        return false;
    struct buf *scratch = &c->sandbox->scratch;
    buf_reset(scratch);
    jv_write(scratch, value);
    return scratch->failed || scratch->len > bytes_max;
}

unsigned json_depth(struct jv value)
{
    unsigned deepest = 0;
    if (value.type != JV_ARRAY && value.type != JV_OBJECT)
        return 0;
    for (uint32_t i = 0; i < value.len; i++) {
        unsigned depth =
            json_depth(value.type == JV_ARRAY ? value.items[i] : value.members[i].value);
        deepest = depth > deepest ? depth : deepest;
    }
    return deepest + 1;
}

static uint64_t sum_points(const struct call *c, struct jv container)
{
    uint64_t points = 0;
    for (uint32_t i = 0; i < container.len; i++)
        points += value_points(c, container.type == JV_ARRAY ? container.items[i]
                                                             : container.members[i].value);
    return points;
}

static uint64_t operation_points(const struct call *c, struct jv operation)
{
    struct jv add = jv_get(operation, STR("$add"));
    struct jv remove = jv_get(operation, STR("$remove"));
    struct jv update = jv_get(operation, STR("$update"));
    uint64_t points = remove.type == JV_ARRAY ? remove.len : 0;
    if (add.type == JV_ARRAY)
        points += sum_points(c, add);
    for (uint32_t i = 0; update.type == JV_ARRAY && i < update.len; i++)
        points += value_points(c, jv_get(update.items[i], STR("$new_object")));
    return points;
}

uint64_t value_points(const struct call *c, struct jv value)
{
    uint64_t points = 1;
    if (value.type == JV_OBJECT && !nested_is_time(value)) {
        struct jv add = jv_get(value, STR("add"));
        struct jv remove = jv_get(value, STR("remove"));
        bool both = add.type == JV_ARRAY && remove.type == JV_ARRAY && value.len == 2;
        bool one = value.len == 1 && (add.type == JV_ARRAY || remove.type == JV_ARRAY);
        if (both)
            return (uint64_t)call_choice(c, CHOICE_ADD_REMOVE_POINTS);
        points = one                          ? 1
                 : nested_is_operation(value) ? operation_points(c, value)
                                              : sum_points(c, value);
    }
    if (value.type == JV_ARRAY && value.len > 0 && value.items[0].type == JV_OBJECT)
        points = sum_points(c, value);
    return points > 0 ? points : 1;
}
