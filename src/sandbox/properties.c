#include "properties.h"

#include "nested.h"
#include "text.h"

static const struct str event_reserved[] = {STR_INIT("time"), STR_INIT("event_name")};
static const struct str purchase_reserved[] = {STR_INIT("time"),     STR_INIT("product_id"),
                                               STR_INIT("quantity"), STR_INIT("event_name"),
                                               STR_INIT("price"),    STR_INIT("currency")};

static bool is_reserved(struct call *c, struct str name, bool is_purchase)
{
    bool all = is_purchase || call_choice(c, CHOICE_EVENT_RESERVED) == RESERVED_SIX;
    const struct str *names = all ? purchase_reserved : event_reserved;
    size_t count = all ? countof(purchase_reserved) : countof(event_reserved);
    for (size_t i = 0; i < count; i++)
        if (str_eq(names[i], name))
            return true;
    return false;
}

static bool name_is_good(struct call *c, struct str name, bool is_purchase)
{
    if (name.len == 0 || name.ptr[0] == '$' || is_reserved(c, name, is_purchase))
        return false;
    return name.len <= STRING_CHARACTERS_MAX || text_chars(name) <= STRING_CHARACTERS_MAX;
}

static struct str first_characters(struct str text, size_t count)
{
    size_t chars = 0;
    for (size_t i = 0; i < text.len; i++)
        if (((unsigned char)text.ptr[i] & 0xC0) != 0x80 && chars++ == count)
            return str_slice(text, 0, i);
    return text;
}

static struct jv keep_value(struct call *c, struct str name, struct jv value, bool is_purchase)
{
    if (value.type == JV_STRING && value.len > STRING_CHARACTERS_MAX) {
        struct str cut = first_characters(jv_str(value), STRING_CHARACTERS_MAX);
        if (cut.len < value.len)
            call_note(c, NOTE_CHANGED, name, "a property cut to 255 characters");
        return jv_string(cut);
    }
    if (value.type == JV_NULL)
        call_note(c, NOTE_WARNING, name, "a property that is null has no type and no use");
    if (value.type == JV_OBJECT && is_purchase)
        call_note(c, NOTE_WARNING, name,
                  "an object inside purchase properties may be kept as a string");
    return value;
}

bool properties_clean(struct call *c, struct jv properties, bool is_purchase, struct jv *out)
{
    *out = jv_undefined();
    if (jv_is_nullish(properties))
        return true;
    if (properties.type != JV_OBJECT || json_depth(properties) > DEPTH_MAX + 1)
        return false;
    size_t bytes_max = EVENT_PROPERTIES_BYTES_MAX;
    if (is_purchase && call_choice(c, CHOICE_PURCHASE_PROPERTIES) == PURCHASE_50_KB)
        bytes_max = PURCHASE_PROPERTIES_BYTES_MAX;
    if (json_is_longer(c, properties, bytes_max))
        return false;

    uint32_t count = properties.len;
    for (uint32_t i = 0; i < count; i++)
        if (!name_is_good(c, properties.members[i].key, is_purchase))
            return false;
    if (count > PROPERTY_NAMES_MAX) {
        call_note(c, NOTE_CHANGED, STR("properties"), "%u names: the first 256 are kept", count);
        count = PROPERTY_NAMES_MAX;
    }
    struct jv_member *members = arena_array(c->arena, count, sizeof(*members));
    if (members == NULL)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        members[i].key = properties.members[i].key;
        members[i].value = keep_value(c, members[i].key, properties.members[i].value, is_purchase);
    }
    *out = (struct jv){.type = JV_OBJECT, .len = count, .members = members};
    return true;
}
