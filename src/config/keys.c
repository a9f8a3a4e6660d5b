#include "keys.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "file.h"
#include "units.h"

enum { FILE_VALUE_BYTES_MAX = 8 * 1024 * 1024, KEY_NAMES_MAX = 64 };

struct place {
    const struct key_reader *reader;
    const struct key *key;
    const char *path; /* of this key's value */
    struct err *err;
};

static const char *const kind_names[] = {
    [KEY_TEXT] = "text",
    [KEY_SECRET] = "text, ${ENV} or file:PATH",
    [KEY_BOOL] = "true or false",
    [KEY_COUNT] = "a whole number",
    [KEY_BYTES] = "a size such as 512MB",
    [KEY_DURATION] = "a duration such as 500ms, 1s or 4h",
    [KEY_RATE] = "a rate such as 3000/3s",
    [KEY_CHOICE] = "one of a list",
    [KEY_NAMES] = "a list of texts",
    [KEY_SECTION] = "a section of keys",
    [KEY_VARIANT] = "a section of keys",
    [KEY_LIST] = "a list of sections",
    [KEY_VALUE] = "a value",
    [KEY_FILE] = "the path of a file",
};

static const char *type_name(struct jv v)
{
    static const char *const names[] = {
        [JV_UNDEFINED] = "nothing", [JV_NULL] = "null",   [JV_BOOL] = "true or false",
        [JV_NUMBER] = "a number",   [JV_STRING] = "text", [JV_ARRAY] = "a list",
        [JV_OBJECT] = "a section",
    };
    return names[v.type];
}

/* What was written is shown where it tells the mistake: "5 minutes", 1.5; a secret is never shown.
 */
static int wrong_type(const struct place *at, struct jv v)
{
    const enum key_kind kind = at->key->kind;
    const bool wants_text = kind == KEY_TEXT || kind == KEY_SECRET || kind == KEY_FILE;
    char shown[80];
    snprintf(shown, sizeof(shown), "%s", type_name(v));
    if (v.type == JV_STRING)
        snprintf(shown, sizeof(shown), "\"%.*s\"", (int)(v.len < 60 ? v.len : 60), v.ptr);
    else if (v.type == JV_NUMBER && !wants_text && !v.exact)
        snprintf(shown, sizeof(shown), "%.15g", v.number);
    const bool wants_quotes = wants_text && (v.type == JV_NUMBER || v.type == JV_BOOL);
    return err_set_path(at->err, -EINVAL, at->path, "'%.*s' is %s, expected %s%s",
                        STR_ARG(at->key->name), shown, kind_names[kind],
                        wants_quotes ? " (quotes make it one)" : "");
}

static int out_of_memory(const struct place *at)
{
    return err_set_path(at->err, -ENOMEM, at->path, "out of memory");
}

/* Fills in each ${NAME}. *had_env tells whether there was one. */
static int fill_environment(const struct place *at, struct str text, struct str *out, bool *had_env)
{
    struct buf filled;
    int rc = 0;
    buf_init(&filled, SECRET_BYTES_MAX);
    *had_env = false;
    for (size_t i = 0; i < text.len && rc == 0;) {
        struct str rest = str_slice(text, i, text.len);
        size_t end = str_find(rest, '}');
        if (!str_starts(rest, STR("${")) || end == rest.len) {
            buf_putc(&filled, rest.ptr[0]);
            i++;
            continue;
        }
        char name[128];
        snprintf(name, sizeof(name), "%.*s", (int)(end - 2), rest.ptr + 2);
        const char *value = getenv(name);
        *had_env = true;
        if (value == NULL || value[0] == '\0')
            rc = err_set_path(at->err, -EINVAL, at->path,
                              "'%.*s' wants the environment variable %s, which is not set",
                              STR_ARG(at->key->name), name);
        else
            buf_append(&filled, str_from(value));
        i += end + 1;
    }
    if (rc == 0 && filled.failed)
        rc = err_set_path(at->err, -EINVAL, at->path, "'%.*s' is longer than %d bytes",
                          STR_ARG(at->key->name), SECRET_BYTES_MAX);
    if (rc == 0) {
        *out = arena_copy(at->reader->arena, buf_str(&filled));
        if (out->ptr == NULL)
            rc = out_of_memory(at);
    }
    buf_fini(&filled);
    return rc;
}

/* The content of the file that "file:PATH" names. */
static int read_file(const struct place *at, struct str name, size_t bytes_max, struct str *out)
{
    char path[4096];
    bool absolute = name.len > 0 && name.ptr[0] == '/';
    int written = snprintf(path, sizeof(path), "%s%s%.*s", absolute ? "" : at->reader->folder,
                           absolute ? "" : "/", STR_ARG(name));
    if (written < 0 || (size_t)written >= sizeof(path))
        return err_set_path(at->err, -EINVAL, at->path, "the path of '%.*s' is too long",
                            STR_ARG(at->key->name));
    struct buf content;
    struct err why = {0};
    buf_init(&content, bytes_max);
    int rc = file_read(&content, path, &why);
    if (rc != 0) {
        err_set_path(at->err, rc, at->path, "'%.*s' names the file %s", STR_ARG(at->key->name),
                     why.msg);
    } else {
        *out = arena_copy(at->reader->arena, buf_str(&content));
        rc = out->ptr == NULL ? out_of_memory(at) : 0;
    }
    buf_fini(&content);
    return rc;
}

static int read_text(const struct place *at, struct jv v, struct str *out)
{
    bool had_env;
    if (v.type != JV_STRING)
        return wrong_type(at, v);
    return fill_environment(at, jv_str(v), out, &had_env);
}

static int read_secret(const struct place *at, struct jv v, struct str *out)
{
    bool had_env = false;
    int rc;
    if (v.type != JV_STRING)
        return wrong_type(at, v);
    if (str_starts(jv_str(v), STR("file:"))) {
        rc = read_file(at, str_slice(jv_str(v), 5, v.len), SECRET_BYTES_MAX, out);
        *out = rc == 0 ? str_trim(*out) : *out;
    } else {
        rc = fill_environment(at, jv_str(v), out, &had_env);
        if (rc == 0 && !had_env) {
            char text[160];
            snprintf(
                text, sizeof(text),
                "'%.*s' is a secret in plain text; ${ENV} or file:PATH keeps it out of this file",
                STR_ARG(at->key->name));
            at->reader->on_warning(at->reader->self, at->path, text);
        }
    }
    if (rc == 0 && out->len == 0)
        rc = err_set_path(at->err, -EINVAL, at->path, "'%.*s' is empty", STR_ARG(at->key->name));
    return rc;
}

static int check_bounds(const struct place *at, int64_t number)
{
    const struct key *key = at->key;
    const int64_t numbers[3] = {key->min, key->max, number};
    char texts[3][UNITS_TEXT_BYTES];
    if (key->max == 0 || (number >= key->min && number <= key->max))
        return 0;
    for (size_t i = 0; i < countof(texts); i++) {
        if (key->kind == KEY_DURATION)
            units_write_duration(texts[i], numbers[i]);
        else if (key->kind == KEY_BYTES)
            units_write_bytes(texts[i], numbers[i]);
        else
            snprintf(texts[i], sizeof(texts[i]), "%lld", (long long)numbers[i]);
    }
    return err_set_path(at->err, -EINVAL, at->path, "'%.*s' must be between %s and %s, it is %s",
                        STR_ARG(key->name), texts[0], texts[1], texts[2]);
}

static int read_count(const struct place *at, struct jv v, int64_t *out)
{
    if (v.type != JV_NUMBER || v.exact || v.number != (double)(int64_t)v.number)
        return wrong_type(at, v);
    *out = (int64_t)v.number;
    return check_bounds(at, *out);
}

static int read_unit(const struct place *at, struct jv v, bool (*parse)(struct str, int64_t *),
                     int64_t *out)
{
    if (v.type == JV_NUMBER)
        return read_count(at, v, out); /* bytes or milliseconds */
    if (v.type != JV_STRING || !parse(jv_str(v), out))
        return wrong_type(at, v);
    return check_bounds(at, *out);
}

static int read_choice(const struct place *at, struct jv v, int64_t *out)
{
    char list[200] = "";
    size_t len = 0;
    for (size_t i = 0; at->key->choices[i].len > 0; i++) {
        if (v.type == JV_STRING && str_eq(jv_str(v), at->key->choices[i])) {
            *out = (int64_t)i;
            return 0;
        }
        len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%.*s", i == 0 ? "" : ", ",
                                STR_ARG(at->key->choices[i]));
    }
    if (v.type != JV_STRING)
        return wrong_type(at, v);
    return err_set_path(at->err, -EINVAL, at->path, "'%.*s' is \"%.*s\", expected one of: %s",
                        STR_ARG(at->key->name), (int)(v.len < 60 ? v.len : 60), v.ptr, list);
}

static int read_names(const struct place *at, struct jv v, struct str **names, size_t *count)
{
    if (v.type != JV_ARRAY)
        return wrong_type(at, v);
    if (v.len > KEY_NAMES_MAX)
        return err_set_path(at->err, -E2BIG, at->path, "'%.*s' has more than %d entries",
                            STR_ARG(at->key->name), KEY_NAMES_MAX);
    *names = arena_array(at->reader->arena, v.len, sizeof(**names));
    if (*names == NULL)
        return out_of_memory(at);
    for (uint32_t i = 0; i < v.len; i++) {
        if (v.items[i].type != JV_STRING)
            return wrong_type(at, v.items[i]);
        (*names)[i] = jv_str(v.items[i]);
    }
    *count = v.len;
    return 0;
}

static int read_list(const struct place *at, struct jv v, void **items, size_t *count)
{
    const struct key_table *table = at->key->table;
    if (v.type != JV_ARRAY)
        return wrong_type(at, v);
    char *structs = arena_array(at->reader->arena, v.len, table->bytes);
    if (structs == NULL)
        return out_of_memory(at);
    for (uint32_t i = 0; i < v.len; i++) {
        char path[KEY_PATH_BYTES];
        snprintf(path, sizeof(path), "%s/%u", at->path, i);
        int rc =
            keys_read(at->reader, table, v.items[i], path, structs + i * table->bytes, at->err);
        if (rc != 0)
            return rc;
    }
    *items = structs;
    *count = v.len;
    return 0;
}

static int read_value(const struct place *at, struct jv v, struct jv *out)
{
    *out = v;
    if (v.type != JV_STRING || !str_starts(jv_str(v), STR("file:")))
        return 0;
    struct str text;
    struct err why = {0};
    int rc = read_file(at, str_slice(jv_str(v), 5, v.len), FILE_VALUE_BYTES_MAX, &text);
    if (rc != 0)
        return rc;
    rc = jv_parse(out, at->reader->arena, text, JV_EXACT, &why);
    return rc == 0 ? 0
                   : err_set_path(at->err, rc, at->path, "%.*s: %s", STR_ARG(jv_str(v)), why.msg);
}

static int read_named_file(const struct place *at, struct jv v, struct str *out)
{
    struct str name;
    int rc = read_text(at, v, &name);
    return rc != 0 ? rc : read_file(at, name, (size_t)at->key->max, out);
}

static int read_key(const struct place *at, struct jv v, char *out)
{
    const struct key *key = at->key;
    void *slot = out + key->offset;
    void *second = out + key->offset_count;
    switch (key->kind) {
    case KEY_TEXT:
        return read_text(at, v, slot);
    case KEY_SECRET:
        return read_secret(at, v, slot);
    case KEY_BOOL:
        if (v.type != JV_BOOL)
            return wrong_type(at, v);
        *(bool *)slot = v.boolean;
        return 0;
    case KEY_COUNT:
        return read_count(at, v, slot);
    case KEY_BYTES:
        return read_unit(at, v, units_bytes, slot);
    case KEY_DURATION:
        return read_unit(at, v, units_duration_ms, slot);
    case KEY_RATE:
        if (v.type != JV_STRING || !units_rate(jv_str(v), slot, second))
            return wrong_type(at, v);
        return 0;
    case KEY_CHOICE:
        return read_choice(at, v, slot);
    case KEY_NAMES:
        return read_names(at, v, slot, second);
    case KEY_SECTION:
        return keys_read(at->reader, key->table, v, at->path, slot, at->err);
    case KEY_VARIANT:
        return 0; /* read_variants, when all choices are known */
    case KEY_LIST:
        return read_list(at, v, slot, second);
    case KEY_VALUE:
        return read_value(at, v, slot);
    case KEY_FILE:
        return read_named_file(at, v, slot);
    }
    return 0;
}

enum { TABLE_KEYS_MAX = 32 };

static const struct key *find_key(const struct key_table *table, struct str name)
{
    for (size_t i = 0; i < table->count; i++)
        if (str_eq(table->keys[i].name, name))
            return &table->keys[i];
    return NULL;
}

static int unknown_key(const struct key_table *table, struct str name, const char *path,
                       struct err *err)
{
    struct str names[TABLE_KEYS_MAX];
    for (size_t i = 0; i < table->count; i++)
        names[i] = table->keys[i].name;
    struct str near = str_nearest(name, names, table->count);
    name.len = name.len < 60 ? name.len : 60;
    if (near.len > 0)
        return err_set_path(err, -EINVAL, path, "unknown key '%.*s', did you mean '%.*s'?",
                            STR_ARG(name), STR_ARG(near));
    char list[200] = "";
    size_t len = 0;
    for (size_t i = 0; i < table->count && len < sizeof(list) - 40; i++)
        len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%.*s", i == 0 ? "" : ", ",
                                STR_ARG(names[i]));
    return err_set_path(err, -EINVAL, path, "unknown key '%.*s', expected one of: %s",
                        STR_ARG(name), list);
}

static int read_presets(const struct key_reader *reader, const struct key_table *table,
                        struct jv object, const char *path, void *out, struct err *err)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct key *key = &table->keys[i];
        if (jv_get(object, key->name).type != JV_UNDEFINED)
            continue;
        if (key->required)
            return err_set_path(err, -EINVAL, path, "'%.*s' is missing (%s)", STR_ARG(key->name),
                                key->help);
        struct place at = {reader, key, path, err};
        struct jv preset = jv_undefined();
        if (key->kind == KEY_SECTION) /* its own keys have defaults */
            preset = (struct jv){.type = JV_OBJECT};
        else if (key->preset != NULL && (key->kind == KEY_COUNT || key->kind == KEY_BOOL))
            (void)!jv_parse(&preset, reader->arena, str_from(key->preset), JV_JAVASCRIPT, NULL);
        else if (key->preset != NULL)
            preset = jv_string(str_from(key->preset));
        if (preset.type == JV_UNDEFINED)
            continue;
        int rc = read_key(&at, preset, out);
        if (rc != 0)
            return rc;
    }
    return 0;
}

/* The key whose choice says which of the variant's tables counts. */
static const struct key *chooser_of(const struct key_table *table, const struct key *variant)
{
    const struct key *chooser = find_key(table, variant->variant_of);
    assert(chooser != NULL);
    assert(chooser->kind == KEY_CHOICE);
    return chooser;
}

static int read_variants(const struct key_reader *reader, const struct key_table *table,
                         struct jv object, const char *path, char *out, struct err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < table->count; i++) {
        const struct key *key = &table->keys[i];
        struct jv value = jv_get(object, key->name);
        if (key->kind != KEY_VARIANT || value.type == JV_UNDEFINED)
            continue;
        char inner[KEY_PATH_BYTES];
        snprintf(inner, sizeof(inner), "%s/%.*s", path, STR_ARG(key->name));
        int64_t choice = *(int64_t *)(out + chooser_of(table, key)->offset);
        rc = keys_read(reader, key->tables[choice], value, inner, out + key->offset, err);
    }
    return rc;
}

int keys_read(const struct key_reader *reader, const struct key_table *table, struct jv object,
              const char *path, void *out, struct err *err)
{
    assert(table->count <= TABLE_KEYS_MAX);
    memset(out, 0, table->bytes);
    if (object.type != JV_OBJECT)
        return err_set_path(err, -EINVAL, path, "%s stands here, expected a section of keys",
                            type_name(object));
    for (uint32_t i = 0; i < object.len; i++) {
        struct str name = object.members[i].key;
        char inner[KEY_PATH_BYTES];
        snprintf(inner, sizeof(inner), "%s/%.*s", path, STR_ARG(name));
        const struct key *key = find_key(table, name);
        if (key == NULL)
            return unknown_key(table, name, inner, err);
        struct place at = {reader, key, inner, err};
        int rc = read_key(&at, object.members[i].value, out);
        if (rc != 0)
            return rc;
    }
    int rc = read_presets(reader, table, object, path, out, err);
    return rc == 0 ? read_variants(reader, table, object, path, out, err) : rc;
}

static void describe_variants(const struct key_table *table, const struct key *key, unsigned indent,
                              struct buf *out)
{
    const struct str *choices = chooser_of(table, key)->choices;
    for (size_t c = 0; choices[c].len > 0; c++) {
        buf_printf(out, "%*s# with %.*s: %.*s\n", (int)indent, "", STR_ARG(key->variant_of),
                   STR_ARG(choices[c]));
        keys_describe(key->tables[c], indent, out);
    }
}

void keys_describe(const struct key_table *table, unsigned indent, struct buf *out)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct key *key = &table->keys[i];
        bool nested = key->kind == KEY_SECTION || key->kind == KEY_LIST || key->kind == KEY_VARIANT;
        buf_printf(out, "%*s%.*s:%s%s\n", (int)indent, "", STR_ARG(key->name),
                   nested || key->preset == NULL ? "" : " ",
                   nested || key->preset == NULL ? "" : key->preset);
        buf_printf(out, "%*s# %s", (int)indent + 4, "", key->help);
        if (key->kind == KEY_CHOICE)
            for (size_t c = 0; key->choices[c].len > 0; c++)
                buf_printf(out, "%s%.*s", c == 0 ? ": " : " | ", STR_ARG(key->choices[c]));
        else
            buf_printf(out, " (%s%s)", kind_names[key->kind], key->required ? ", required" : "");
        buf_putc(out, '\n');
        if (key->kind == KEY_VARIANT)
            describe_variants(table, key, indent + 4, out);
        else if (nested)
            keys_describe(key->table, indent + 4, out);
    }
}
