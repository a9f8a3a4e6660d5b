#include "segment_export.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    EXPORT_ARENA_BYTES_MAX = 512 << 20,
    PATH_BYTES = 120,
    MARKS_MAX = 3,
};

struct thing_row {
    struct str one;              /* the member that holds one */
    struct str many;             /* the member that holds a list */
    struct str marks[MARKS_MAX]; /* a bare object with one of these members is one */
};

/* A bare object is what the first fitting row says: sources have `metadata` too. */
/* clang-format off */
static const struct thing_row things[SEGMENT_THINGS] = {
    [SEGMENT_SUBSCRIPTION] = {STR_INIT("subscription"), STR_INIT("subscriptions"), {STR_INIT("trigger"), STR_INIT("actionSlug"), STR_INIT("actionId")}},
    [SEGMENT_FILTER]       = {STR_INIT("filter"),       STR_INIT("filters"),       {STR_INIT("if")}},
    [SEGMENT_SOURCE]       = {STR_INIT("source"),       STR_INIT("sources"),       {STR_INIT("writeKeys")}},
    [SEGMENT_DESTINATION]  = {STR_INIT("destination"),  STR_INIT("destinations"),  {STR_INIT("metadata"), STR_INIT("metadataId")}},
};
/* clang-format on */

struct list {
    struct segment_item *items;
    size_t count;
    size_t cap;
};

struct segment_export {
    struct arena arena;
    struct list lists[SEGMENT_THINGS];
    struct list pages[SEGMENT_THINGS]; /* their `pagination` objects */
};

int segment_export_new(struct segment_export **out)
{
    *out = calloc(1, sizeof(**out));
    if (*out == NULL)
        return -ENOMEM;
    arena_init(&(*out)->arena, EXPORT_ARENA_BYTES_MAX);
    return 0;
}

void segment_export_free(struct segment_export *e)
{
    if (e == NULL)
        return;
    for (size_t i = 0; i < SEGMENT_THINGS; i++) {
        free(e->lists[i].items);
        free(e->pages[i].items);
    }
    arena_fini(&e->arena);
    free(e);
}

struct str segment_text(const struct segment_item *item, struct str key)
{
    struct jv text = jv_get(item->value, key);
    return text.type == JV_STRING ? jv_str(text) : STR("");
}

int segment_refuse(const struct segment_item *item, const char *key, struct err *err,
                   const char *format, ...)
{
    char text[sizeof(err->msg)];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return err_set(err, -EINVAL, 0, "%s: %s%s%s%s%s", item->file, item->path,
                   key[0] == '\0' ? "" : "/", key,
                   item->path[0] == '\0' && key[0] == '\0' ? "" : ": ", text);
}

static int append(struct segment_export *e, struct list *list, struct segment_item item,
                  struct err *err)
{
    if (list->count == SEGMENT_ITEMS_MAX)
        return err_set(err, -E2BIG, 0, "%s: more than %d objects of one kind", item.file,
                       SEGMENT_ITEMS_MAX);
    if (list->count == list->cap) {
        size_t cap = list->cap == 0 ? 16 : list->cap * 2;
        struct segment_item *grown = realloc(list->items, cap * sizeof(*grown));
        if (grown == NULL)
            return err_set(err, -ENOMEM, 0, "out of memory");
        list->items = grown;
        list->cap = cap;
    }
    /* The walk's paths die with its calls; the item keeps a copy. */
    struct str path = arena_copy(&e->arena, (struct str){item.path, strlen(item.path) + 1});
    if (path.ptr == NULL)
        return err_set(err, -ENOMEM, 0, "out of memory");
    item.path = path.ptr;
    list->items[list->count++] = item;
    return 0;
}

static int add_item(struct segment_export *e, enum segment_thing thing, struct segment_item item,
                    struct err *err)
{
    struct list *list = &e->lists[thing];
    if (item.value.type != JV_OBJECT)
        return segment_refuse(&item, "", err, "expected a %.*s, an object",
                              STR_ARG(things[thing].one));
    struct str id = segment_text(&item, STR("id"));
    if (id.len == 0)
        return segment_refuse(&item, "", err, "'id' is missing, expected the %.*s's id",
                              STR_ARG(things[thing].one));
    for (size_t i = 0; i < list->count; i++) {
        const struct segment_item *earlier = &list->items[i];
        if (!str_eq(segment_text(earlier, STR("id")), id))
            continue;
        if (jv_equal(earlier->value, item.value))
            return 0;
        return segment_refuse(&item, "", err,
                              "%s says something else of this %.*s; expected one state of it",
                              earlier->file, STR_ARG(things[thing].one));
    }
    return append(e, list, item, err);
}

static int walk(struct segment_export *e, struct segment_item at, struct err *err);

/* What stands under `name`, with its place in `path`, which must live as long as the result. */
static struct segment_item child(struct segment_item at, struct jv value, struct str name,
                                 char path[PATH_BYTES])
{
    snprintf(path, PATH_BYTES, "%s/%.*s", at.path, STR_ARG(name));
    return (struct segment_item){value, at.file, path};
}

static int walk_array(struct segment_export *e, struct segment_item at, const int *thing,
                      struct err *err)
{
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < at.value.len; i++) {
        char path[PATH_BYTES];
        char index[16];
        snprintf(index, sizeof(index), "%u", i);
        struct segment_item item = child(at, at.value.items[i], str_from(index), path);
        rc = thing == NULL ? walk(e, item, err)
                           : add_item(e, (enum segment_thing) * thing, item, err);
    }
    return rc;
}

/* The members that an answer holds its objects in; *found says whether there was one. */
static int walk_answer(struct segment_export *e, struct segment_item at, bool *found,
                       struct err *err)
{
    int rc = 0;
    for (int thing = 0; rc == 0 && thing < SEGMENT_THINGS; thing++) {
        const struct thing_row *row = &things[thing];
        char path[PATH_BYTES];
        struct jv one = jv_get(at.value, row->one);
        struct jv many = jv_get(at.value, row->many);
        struct jv pagination = jv_get(at.value, STR("pagination"));
        *found = *found || one.type == JV_OBJECT || many.type == JV_ARRAY;
        if (one.type == JV_OBJECT)
            rc = add_item(e, (enum segment_thing)thing, child(at, one, row->one, path), err);
        if (rc == 0 && many.type == JV_ARRAY)
            rc = walk_array(e, child(at, many, row->many, path), &thing, err);
        if (rc == 0 && many.type == JV_ARRAY && pagination.type == JV_OBJECT)
            rc = append(e, &e->pages[thing], child(at, pagination, STR("pagination"), path), err);
    }
    return rc;
}

static bool is_bare(struct jv object, const struct thing_row *row)
{
    for (size_t i = 0; i < MARKS_MAX && row->marks[i].len > 0; i++)
        if (jv_get(object, row->marks[i]).type != JV_UNDEFINED)
            return true;
    return false;
}

static int walk_object(struct segment_export *e, struct segment_item at, struct err *err)
{
    char path[PATH_BYTES];
    bool found = false;
    struct jv data = jv_get(at.value, STR("data"));
    struct jv errors = jv_get(at.value, STR("errors"));
    if (data.type == JV_OBJECT || data.type == JV_ARRAY)
        return walk(e, child(at, data, STR("data"), path), err);
    if (errors.type == JV_ARRAY && errors.len > 0) {
        struct str message = jv_str(jv_get(errors.items[0], STR("message")));
        return segment_refuse(&at, "errors", err, "Segment refused this call: %.*s",
                              (int)(message.len < 120 ? message.len : 120),
                              message.len == 0 ? "" : message.ptr);
    }
    int rc = walk_answer(e, at, &found, err);
    if (rc != 0 || found)
        return rc;
    for (int thing = 0; thing < SEGMENT_THINGS; thing++)
        if (is_bare(at.value, &things[thing]))
            return add_item(e, (enum segment_thing)thing, at, err);
    return segment_refuse(&at, "", err,
                          "not an answer of Segment's Public API, expected a destination, "
                          "subscriptions, filters or a source");
}

static int walk(struct segment_export *e, struct segment_item at, struct err *err)
{
    if (at.value.type == JV_ARRAY)
        return walk_array(e, at, NULL, err);
    if (at.value.type == JV_OBJECT)
        return walk_object(e, at, err);
    return segment_refuse(&at, "", err,
                          "expected an answer of Segment's Public API, an object or an array");
}

static size_t line_of(struct str text, size_t at)
{
    size_t line = 1;
    for (size_t i = 0; i < at && i < text.len; i++)
        line += text.ptr[i] == '\n';
    return line;
}

int segment_export_add(struct segment_export *e, const char *file, struct str text, struct err *err)
{
    struct jv value;
    struct err why = {0};
    struct str name = arena_copy(&e->arena, (struct str){file, strlen(file) + 1});
    if (name.ptr == NULL)
        return err_set(err, -ENOMEM, 0, "out of memory");
    int rc = jv_parse(&value, &e->arena, text, JV_EXACT, &why);
    if (rc != 0)
        return err_set(err, rc, why.at, "%s:%zu: not JSON: %s", name.ptr, line_of(text, why.at),
                       why.msg);
    return walk(e, (struct segment_item){value, name.ptr, ""}, err);
}

const struct segment_item *segment_export_gap(const struct segment_export *e,
                                              enum segment_thing thing)
{
    const struct list *pages = &e->pages[thing];
    for (size_t i = 0; i < pages->count; i++) {
        struct str next = segment_text(&pages->items[i], STR("next"));
        bool is_here = next.len == 0;
        for (size_t other = 0; !is_here && other < pages->count; other++)
            is_here = str_eq(segment_text(&pages->items[other], STR("current")), next);
        if (!is_here)
            return &pages->items[i];
    }
    return NULL;
}

size_t segment_export_count(const struct segment_export *e, enum segment_thing thing)
{
    return e->lists[thing].count;
}

const struct segment_item *segment_export_item(const struct segment_export *e,
                                               enum segment_thing thing, size_t i)
{
    assert(i < e->lists[thing].count);
    return &e->lists[thing].items[i];
}
