#include "names.h"

#include <errno.h>
#include <stdlib.h>

#include "clock.h"
#include "hash.h"
#include "jv.h"
#include "text.h"

enum { BUCKETS = 1 << 14, DAY_MS = 86400000, ROW_BYTES_MAX = 64 * 1024 };

struct names {
    struct name *buckets[BUCKETS];
    size_t counts[NAME_KINDS];
    size_t total;
    uint64_t points;
    struct name *dirty;
    struct disk *disk;
};

static const struct str type_names[DATA_TYPES] = {
    [DATA_UNKNOWN] = STR_INIT("Unknown"), [DATA_BOOLEAN] = STR_INIT("Boolean"),
    [DATA_NUMBER] = STR_INIT("Number"),   [DATA_STRING] = STR_INIT("String"),
    [DATA_TIME] = STR_INIT("Time"),       [DATA_ARRAY] = STR_INIT("Array"),
    [DATA_OBJECT] = STR_INIT("Object"),   [DATA_OBJECT_ARRAY] = STR_INIT("Object Array"),
};

struct str data_type_name(enum data_type type)
{
    return type_names[type];
}

enum data_type data_type_find(struct str name)
{
    for (int i = 1; i < DATA_TYPES; i++)
        if (str_eq_nocase(type_names[i], name))
            return (enum data_type)i;
    return DATA_UNKNOWN;
}

static struct name **find_link(const struct names *n, enum name_kind kind, struct str text)
{
    uint64_t hash = hash_str_seed(text, (uint64_t)kind);
    struct name **link = (struct name **)(uintptr_t)&n->buckets[hash & (BUCKETS - 1)];
    while (*link != NULL && ((*link)->kind != kind || !str_eq((*link)->text, text)))
        link = &(*link)->next_in_bucket;
    return link;
}

static struct name *add_name(struct names *n, enum name_kind kind, struct str text)
{
    struct name **link = find_link(n, kind, text);
    if (*link != NULL)
        return *link;
    if (n->total >= NAMES_MAX)
        return NULL;
    struct name *name = malloc(sizeof(*name) + text.len);
    if (name == NULL)
        return NULL;
    *name = (struct name){.kind = kind, .text = {(char *)(name + 1), text.len}};
    if (text.len > 0)
        memcpy(name + 1, text.ptr, text.len);
    *link = name;
    n->counts[kind]++;
    n->total++;
    return name;
}

static void add_points(struct name *name, int32_t day, uint64_t points)
{
    name->points += points;
    if (name->day_count > 0 && name->days[name->day_count - 1].day == day) {
        name->days[name->day_count - 1].points += points;
        return;
    }
    if (name->day_count == NAME_DAYS_MAX) {
        memmove(name->days, name->days + 1, (NAME_DAYS_MAX - 1) * sizeof(*name->days));
        name->day_count--;
    }
    struct day_points *days = realloc(name->days, (name->day_count + 1) * sizeof(*days));
    if (days == NULL)
        return; /* the total above still has them */
    days[name->day_count++] = (struct day_points){day, points};
    name->days = days;
}

struct name *names_count(struct names *n, enum name_kind kind, struct str text, uint64_t points,
                         int64_t now_ms)
{
    n->points += points;
    struct name *name = add_name(n, kind, text);
    if (name == NULL)
        return NULL;
    name->count++;
    if (points > 0)
        add_points(name, (int32_t)(now_ms / DAY_MS), points);
    if (!name->dirty && n->disk != NULL) {
        name->dirty = true;
        name->next_dirty = n->dirty;
        n->dirty = name;
    }
    return name;
}

const struct name *names_find(const struct names *n, enum name_kind kind, struct str text)
{
    return *find_link(n, kind, text);
}

static int by_text(const void *left, const void *right)
{
    const struct name *const *a = left;
    const struct name *const *b = right;
    return str_cmp((*a)->text, (*b)->text);
}

const struct name **names_sorted(const struct names *n, enum name_kind kind, struct arena *a,
                                 size_t *count)
{
    const struct name **sorted = arena_array(a, n->counts[kind], sizeof(struct name *));
    *count = 0;
    for (size_t i = 0; sorted != NULL && i < BUCKETS; i++)
        for (const struct name *name = n->buckets[i]; name != NULL; name = name->next_in_bucket)
            if (name->kind == kind)
                sorted[(*count)++] = name;
    if (*count > 0)
        qsort(sorted, *count, sizeof(struct name *), by_text);
    return sorted;
}

uint64_t names_points(const struct names *n)
{
    return n->points;
}

static void name_key(const struct name *name, char out[2 * DISK_KEY_BYTES])
{
    struct hash128 hash = hash128_str_seed(name->text, (uint64_t)name->kind);
    disk_key(out, hash.low);
    disk_key(out + DISK_KEY_BYTES, hash.high);
}

void names_flush(struct names *n)
{
    struct buf row;
    buf_init(&row, ROW_BYTES_MAX);
    while (n->dirty != NULL) {
        struct name *name = n->dirty;
        n->dirty = name->next_dirty;
        name->dirty = false;
        buf_reset(&row);
        buf_printf(&row, "[%d,%d,%llu,%llu,[", (int)name->kind, (int)name->type,
                   (unsigned long long)name->count, (unsigned long long)name->points);
        for (size_t i = 0; i < name->day_count; i++)
            buf_printf(&row, "%s[%d,%llu]", i == 0 ? "" : ",", name->days[i].day,
                       (unsigned long long)name->days[i].points);
        buf_append(&row, STR("],"));
        jv_write_string(&row, name->text);
        buf_putc(&row, ']');
        char key[2 * DISK_KEY_BYTES];
        name_key(name, key);
        if (!row.failed)
            disk_put(n->disk, DISK_NAMES, (struct str){key, sizeof(key)}, buf_str(&row));
    }
    buf_fini(&row);
}

static int load_fields(struct names *n, struct jv fields)
{
    int64_t numbers[4];
    if (fields.type != JV_ARRAY || fields.len != 6)
        return -EBADMSG;
    for (uint32_t i = 0; i < countof(numbers); i++)
        if (!number_is_i64(fields.items[i], &numbers[i]) || numbers[i] < 0)
            return -EBADMSG;
    if (numbers[0] >= NAME_KINDS || numbers[1] >= DATA_TYPES || fields.items[4].type != JV_ARRAY)
        return -EBADMSG;
    struct name *name = add_name(n, (enum name_kind)numbers[0], jv_str(fields.items[5]));
    if (name == NULL)
        return -ENOMEM;
    name->type = (enum data_type)numbers[1];
    name->count = (uint64_t)numbers[2];
    for (uint32_t i = 0; i < fields.items[4].len; i++) {
        struct jv day = fields.items[4].items[i];
        int64_t number;
        int64_t points;
        if (day.type != JV_ARRAY || day.len != 2 || !number_is_i64(day.items[0], &number) ||
            !number_is_i64(day.items[1], &points))
            return -EBADMSG;
        add_points(name, (int32_t)number, (uint64_t)points);
    }
    name->points = (uint64_t)numbers[3];
    n->points += name->points;
    return 0;
}

static int load_name(void *self, struct str key, struct str value)
{
    (void)key;
    struct arena arena;
    struct err err = {0};
    struct jv fields;
    arena_init(&arena, 16 * ROW_BYTES_MAX);
    int rc = jv_parse(&fields, &arena, value, JV_EXACT, &err);
    if (rc == 0)
        rc = load_fields(self, fields);
    arena_fini(&arena);
    return rc;
}

int names_open(struct names **out, struct disk *disk, struct err *err)
{
    struct names *n = calloc(1, sizeof(*n));
    if (n == NULL)
        return err_set(err, -ENOMEM, 0, "no memory");
    n->disk = disk;
    int rc = disk_each(disk, DISK_NAMES, load_name, n);
    if (rc != 0) {
        names_close(n);
        return err_set(err, rc, 0, "cannot load the names: %s", strerror(-rc));
    }
    *out = n;
    return 0;
}

void names_clear(struct names *n)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        while (n->buckets[i] != NULL) {
            struct name *name = n->buckets[i];
            n->buckets[i] = name->next_in_bucket;
            free(name->days);
            free(name);
        }
    }
    *n = (struct names){.disk = n->disk};
}

void names_close(struct names *n)
{
    if (n == NULL)
        return;
    names_clear(n);
    free(n);
}

enum { REPORT_DAYS_MAX = 2 * NAME_DAYS_MAX };

static void add_day(struct day_points *days, size_t *count, struct day_points day)
{
    size_t at = 0;
    while (at < *count && days[at].day < day.day)
        at++;
    if (at < *count && days[at].day == day.day) {
        days[at].points += day.points;
        return;
    }
    if (*count == REPORT_DAYS_MAX)
        return;
    memmove(days + at + 1, days + at, (*count - at) * sizeof(*days));
    days[at] = day;
    (*count)++;
}

static void write_days(const struct names *n, struct buf *out)
{
    struct day_points days[REPORT_DAYS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < BUCKETS; i++)
        for (const struct name *name = n->buckets[i]; name != NULL; name = name->next_in_bucket)
            for (size_t d = 0; d < name->day_count; d++)
                add_day(days, &count, name->days[d]);
    for (size_t i = 0; i < count; i++) {
        char text[ISO_TIME_BYTES];
        iso_time(text, (int64_t)days[i].day * DAY_MS);
        buf_printf(out, "%s{\"day\":\"%.10s\",\"points\":%llu}", i == 0 ? "" : ",", text,
                   (unsigned long long)days[i].points);
    }
}

void names_write_points(const struct names *n, struct buf *out, struct arena *a)
{
    static const char *const keys[NAME_KINDS] = {
        [NAME_ATTRIBUTE] = "attributes", [NAME_STANDARD] = "standard_attributes",
        [NAME_EVENT] = "events",         [NAME_PRODUCT] = "purchases",
        [NAME_COHORT] = "cohorts",
    };
    buf_printf(out, "{\"total\":%llu,\"days\":[", (unsigned long long)n->points);
    write_days(n, out);
    buf_putc(out, ']');
    for (int kind = 0; kind < NAME_KINDS; kind++) {
        size_t count;
        const struct name **sorted = names_sorted(n, (enum name_kind)kind, a, &count);
        buf_printf(out, ",\"%s\":[", keys[kind]);
        for (size_t i = 0; i < count; i++) {
            buf_append(out, i == 0 ? STR("{\"name\":") : STR(",{\"name\":"));
            jv_write_string(out, sorted[i]->text);
            buf_printf(out, ",\"count\":%llu,\"points\":%llu}",
                       (unsigned long long)sorted[i]->count, (unsigned long long)sorted[i]->points);
        }
        buf_putc(out, ']');
    }
    buf_append(out, STR(",\"message\":\"success\"}"));
}
