/* The op defaults of run-cases: presets and field tables in the reference's own form. */
#include "presets.h"
#include "run-cases-actions.h"
#include "subscription.h"

static struct jv text(const char *t)
{
    return t == NULL ? jv_undefined() : jv_string(str_from(t));
}

static struct jv parse(struct arena *a, const char *json)
{
    struct jv v = jv_undefined();
    if (json == NULL || jv_parse(&v, a, str_from(json), JV_JAVASCRIPT, NULL) != 0)
        return jv_undefined();
    return v;
}

static const char *type_name(enum field_type type)
{
    switch (type) {
    case FIELD_STRING:
        return "string";
    case FIELD_NUMBER:
        return "number";
    case FIELD_INTEGER:
        return "integer";
    case FIELD_BOOLEAN:
        return "boolean";
    case FIELD_DATETIME:
        return "datetime";
    case FIELD_OBJECT:
        return "object";
    }
    return NULL;
}

static const char *format_name(enum format format)
{
    switch (format) {
    case FORMAT_EMAIL:
        return "email";
    case FORMAT_URI:
        return "uri";
    case FORMAT_DATE_TIME:
        return "date-time";
    case FORMAT_ANY:
    case FORMAT_DATE_LIKE:
        return NULL;
    }
    return NULL;
}

static struct jv flag(bool is_set)
{
    return is_set ? jv_bool(true) : jv_undefined();
}

static struct jv limit(double value)
{
    return value == 0 ? jv_undefined() : jv_number(value);
}

static struct jv requirement_of(const struct field *f, struct arena *a)
{
    if (f->required_if == NULL)
        return flag(f->required);
    struct jv *items;
    struct jv conditions = jv_array(a, &items, f->required_if->count);
    for (size_t i = 0; i < f->required_if->count; i++) {
        const struct condition *when = &f->required_if->conditions[i];
        struct jv_builder b;
        jv_object_begin(&b, a, 3);
        jv_object_put(&b, STR("fieldKey"), jv_string(when->key));
        jv_object_put(&b, STR("operator"), text(when->is_not ? "is_not" : "is"));
        if (when->value == CONDITION_TEXT)
            jv_object_put(&b, STR("value"), jv_string(when->text));
        if (when->value == CONDITION_TRUE)
            jv_object_put(&b, STR("value"), jv_bool(true));
        items[i] = jv_object_end(&b);
    }
    struct jv_builder b;
    jv_object_begin(&b, a, 2);
    jv_object_put(&b, STR("match"), text(f->required_if->any ? "any" : "all"));
    jv_object_put(&b, STR("conditions"), conditions);
    return jv_object_end(&b);
}

static struct jv fields_of(const struct field *fields, size_t count, uint64_t absent,
                           struct arena *a);

static struct jv field_of(const struct field *f, struct arena *a)
{
    struct jv_builder b;
    jv_object_begin(&b, a, 12);
    jv_object_put(&b, STR("label"), jv_string(f->label));
    jv_object_put(&b, STR("type"), text(type_name(f->type)));
    put(&b, STR("format"), text(format_name(f->format)));
    put(&b, STR("required"), requirement_of(f, a));
    put(&b, STR("allowNull"), flag(f->allow_null));
    put(&b, STR("multiple"), flag(f->multiple));
    put(&b, STR("additionalProperties"), flag(f->additional));
    put(&b, STR("minimum"), limit(f->min));
    put(&b, STR("maximum"), limit(f->max));
    if (f->choices != NULL) {
        struct jv *items;
        struct jv choices = jv_array(a, &items, f->choice_count);
        for (size_t i = 0; i < f->choice_count; i++)
            items[i] = jv_string(f->choices[i]);
        jv_object_put(&b, STR("choices"), choices);
    }
    if (f->parts != NULL)
        jv_object_put(&b, STR("properties"), fields_of(f->parts, f->part_count, 0, a));
    put(&b, STR("default"), parse(a, f->preset));
    return jv_object_end(&b);
}

static struct jv fields_of(const struct field *fields, size_t count, uint64_t absent,
                           struct arena *a)
{
    struct jv_builder b;
    jv_object_begin(&b, a, (uint32_t)count);
    for (size_t row = 0; row < count; row++)
        if ((absent & (UINT64_C(1) << row)) == 0)
            jv_object_put(&b, fields[row].key, field_of(&fields[row], a));
    return jv_object_end(&b);
}

static struct jv sync_of(const struct sync_row *sync, struct arena *a)
{
    if (sync == NULL)
        return jv_undefined();
    struct jv *items;
    struct jv choices = jv_array(a, &items, sync->choice_count);
    struct jv_builder b;
    for (size_t i = 0; i < sync->choice_count; i++) {
        jv_object_begin(&b, a, 2);
        jv_object_put(&b, STR("label"), text(sync->choices[i].label));
        jv_object_put(&b, STR("value"), jv_string(sync_mode_name(sync->choices[i].mode)));
        items[i] = jv_object_end(&b);
    }
    jv_object_begin(&b, a, 3);
    jv_object_put(&b, STR("label"), text(sync->label));
    jv_object_put(&b, STR("default"), jv_string(sync_mode_name(sync->preset)));
    jv_object_put(&b, STR("choices"), choices);
    return jv_object_end(&b);
}

static struct jv preset_of(const struct preset *preset, struct arena *a)
{
    struct jv_builder b;
    jv_object_begin(&b, a, 6);
    jv_object_put(&b, STR("name"), jv_string(preset->name));
    put(&b, STR("subscribe"), text(preset->subscribe));
    jv_object_put(&b, STR("partnerAction"), jv_string(preset->action));
    jv_object_put(&b, STR("mapping"), preset_mapping(BRAZE_CLOUD, preset, a));
    jv_object_put(&b, STR("type"),
                  text(preset->event_slug == NULL ? "automatic" : "specificEvent"));
    put(&b, STR("eventSlug"), text(preset->event_slug));
    return jv_object_end(&b);
}

struct jv run_defaults_case(struct arena *a)
{
    struct jv *items;
    struct jv_builder by_key;
    struct jv_builder b;
    struct jv presets_list = jv_array(a, &items, preset_count);
    for (size_t i = 0; i < preset_count; i++)
        items[i] = preset_of(&presets[i], a);
    jv_object_begin(&by_key, a, (uint32_t)action_count);
    for (size_t i = 0; i < action_count; i++) {
        const struct action *action = &actions[i];
        jv_object_begin(&b, a, 4);
        jv_object_put(&b, STR("title"), text(action->title));
        put(&b, STR("defaultSubscription"), text(action->subscribe));
        put(&b, STR("syncMode"), sync_of(action->sync, a));
        jv_object_put(&b, STR("fields"),
                      fields_of(action->fields, action->field_count, action->absent, a));
        jv_object_put(&by_key, action->key, jv_object_end(&b));
    }
    jv_object_begin(&b, a, 2);
    jv_object_put(&b, STR("presets"), presets_list);
    jv_object_put(&b, STR("actions"), jv_object_end(&by_key));
    struct jv value = jv_object_end(&b);
    jv_object_begin(&b, a, 1);
    jv_object_put(&b, STR("value"), value);
    return jv_object_end(&b);
}
