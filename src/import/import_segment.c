#include "import_segment.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "plan.h"
#include "yaml_doc.h"
#include "yaml_write.h"

enum { IMPORT_ARENA_BYTES_MAX = 256 << 20 };

/* Whose integration it was at Braze. */
static const struct str default_partner = STR_INIT("segment");

struct import {
    struct arena arena;
    struct plan plan;
    struct buf text;
};

static void put_line(struct buf *out, const char *before, struct str text)
{
    buf_append(out, str_from(before));
    yaml_write_string(out, text);
    buf_putc(out, '\n');
}

/* A text that an environment variable fills in. */
static void put_variable(struct buf *out, const char *before, struct str name)
{
    buf_printf(out, "%s\"${%.*s}\"\n", before, STR_ARG(name));
}

/* What the user has to set, in the head of the file and among the notes. */
static void put_wish(struct import *im, struct str variable, const char *what, struct str whose)
{
    buf_printf(&im->text, "#   %.*s: %s %.*s\n", STR_ARG(variable), what, STR_ARG(whose));
    plan_note(&im->plan, "set %.*s to %s %.*s: the config holds no secrets", STR_ARG(variable),
              what, STR_ARG(whose));
}

static void put_head(struct import *im)
{
    struct plan *plan = &im->plan;
    buf_append(
        &im->text,
        STR("# Made by `spelter import segment`. These environment variables are wanted:\n"));
    for (size_t i = 0; i < plan->source_count; i++)
        put_wish(im, plan->sources[i].key_variable, "the write key of source", plan->sources[i].id);
    for (size_t i = 0; i < plan->destination_count; i++) {
        const struct planned_destination *d = &plan->destinations[i];
        for (size_t s = 0; s < d->secret_count; s++)
            put_wish(im, d->secrets[s].variable, d->secrets[s].what, d->id);
        if (d->app_id_variable.len > 0)
            put_wish(im, d->app_id_variable, "the Braze app identifier of", d->id);
    }
}

static void put_sources(struct buf *out, const struct plan *plan)
{
    buf_append(out, STR("sources:\n"));
    for (size_t i = 0; i < plan->source_count; i++) {
        const struct planned_source *source = &plan->sources[i];
        put_line(out, "  - id: ", source->id);
        buf_append(out, STR("    kind: segment\n"));
        put_variable(out, "    write_key: ", source->key_variable);
        if (!source->enabled)
            buf_append(out, STR("    enabled: false\n"));
    }
}

/* One field a line, so that a refusal by `check` names the field's line. */
static void put_mapping(struct buf *out, struct jv mapping)
{
    buf_append(out, STR("        mapping: {"));
    for (uint32_t i = 0; i < mapping.len; i++) {
        buf_append(out, i == 0 ? STR("\n          ") : STR(",\n          "));
        yaml_write_key(out, mapping.members[i].key);
        yaml_write_value(out, mapping.members[i].value);
    }
    buf_append(out, STR("}\n"));
}

static void put_subscription(struct buf *out, struct jv subscription)
{
    const char *before = "      - ";
    for (uint32_t i = 0; i < subscription.len; i++) {
        const struct jv_member *member = &subscription.members[i];
        if (str_eq(member->key, STR("mapping"))) {
            put_mapping(out, member->value);
            continue;
        }
        buf_printf(out, "%s%.*s: ", before, STR_ARG(member->key));
        yaml_write_value(out, member->value);
        buf_putc(out, '\n');
        before = "        ";
    }
}

static void put_destination(struct buf *out, const struct plan *plan,
                            const struct planned_destination *d, bool per_action)
{
    put_line(out, "  - id: ", d->id);
    buf_append(out, STR("    # at Segment: "));
    yaml_write_string(out, segment_text(d->item, STR("name")));
    buf_putc(out, ' ');
    yaml_write_string(out, segment_text(d->item, STR("id")));
    buf_printf(out, "\n    kind: %s\n    enabled: %s\n",
               d->kind == DESTINATION_BRAZE_COHORTS ? "braze-cohorts" : "braze-cloud",
               d->enabled ? "true" : "false");
    buf_append(out, STR("    from: ["));
    yaml_write_string(out, plan->sources[d->source].id);
    buf_append(out, STR("]\n    settings:\n"));
    for (size_t i = 0; i < d->secret_count; i++) {
        buf_printf(out, "      %s: ", d->secrets[i].setting);
        put_variable(out, "", d->secrets[i].variable);
    }
    if (d->kind == DESTINATION_BRAZE_COHORTS)
        put_line(out, "      partner: ", default_partner);
    if (d->app_id_variable.len > 0)
        put_variable(out, "      app_id: ", d->app_id_variable);
    else if (d->app_id.len > 0)
        put_line(out, "      app_id: ", d->app_id);
    put_line(out, "      endpoint: ", d->endpoint);
    buf_printf(out, "    parity: strict\n    batching: %s\n    subscriptions:\n",
               per_action ? "per_action" : "combined");
    for (size_t i = 0; i < d->subscription_count; i++)
        put_subscription(out, d->subscriptions[i].written);
}

/* What the accessors give out. */
static void make_destination(struct import *im, struct planned_destination *d)
{
    struct jv *items;
    struct jv_builder b;
    jv_object_begin(&b, &im->arena, SECRETS_MAX + 2);
    for (size_t i = 0; i < d->secret_count; i++)
        jv_object_put(&b, str_from(d->secrets[i].setting), jv_string(d->secrets[i].variable));
    if (d->kind == DESTINATION_BRAZE_COHORTS)
        jv_object_put(&b, STR("partner"), jv_string(default_partner));
    if (d->app_id.len > 0)
        jv_object_put(&b, STR("app_id"), jv_string(d->app_id));
    jv_object_put(&b, STR("endpoint"), jv_string(d->endpoint));
    d->made.id = d->id;
    d->made.kind = d->kind;
    d->made.settings = jv_object_end(&b);
    d->made.subscriptions = jv_array(&im->arena, &items, d->subscription_count);
    im->plan.failed = im->plan.failed || d->made.settings.type != JV_OBJECT ||
                      d->made.subscriptions.type != JV_ARRAY;
    for (size_t i = 0; !im->plan.failed && i < d->subscription_count; i++)
        items[i] = d->subscriptions[i].written;
}

/* Reads the text as the config's reader does: what would come out other than it went in is never
 * given out. */
static int check_text(struct import *im, struct err *err)
{
    struct yaml_doc *yaml;
    struct err why = {0};
    if (im->text.failed)
        return err_set(err, im->text.too_long ? -E2BIG : -ENOMEM, 0,
                       im->text.too_long ? "more mappings than the %d bytes of a config hold; "
                                           "import fewer destinations at a time"
                                         : "out of memory for a config of at most %d bytes",
                       YAML_BYTES_MAX);
    int rc = yaml_doc_parse(&yaml, &im->arena, buf_str(&im->text), &why);
    if (rc != 0)
        return err_set(err, rc, 0, "the config would not be readable (line %zu: %s)", why.at,
                       why.msg);
    struct jv list = jv_get(yaml_doc_root(yaml), STR("destinations"));
    assert(list.len == im->plan.destination_count);
    for (uint32_t i = 0; i < list.len; i++)
        assert(jv_equal(jv_get(list.items[i], STR("subscriptions")),
                        im->plan.destinations[i].made.subscriptions));
    yaml_doc_free(yaml);
    return 0;
}

int import_segment(struct import **out, const struct segment_export *e,
                   const struct import_choices *choices, struct err *err)
{
    *out = NULL;
    struct import *im = calloc(1, sizeof(*im));
    if (im == NULL)
        return err_set(err, -ENOMEM, 0, "out of memory");
    arena_init(&im->arena, IMPORT_ARENA_BYTES_MAX);
    buf_init(&im->text, YAML_BYTES_MAX);
    im->plan = (struct plan){.arena = &im->arena, .export = e};
    int rc = plan_make(&im->plan, err);
    if (rc != 0)
        goto out;

    put_head(im);
    put_sources(&im->text, &im->plan);
    buf_append(&im->text, STR("destinations:\n"));
    for (size_t i = 0; i < im->plan.destination_count; i++) {
        make_destination(im, &im->plan.destinations[i]);
        put_destination(&im->text, &im->plan, &im->plan.destinations[i], choices->per_action);
    }
    rc = im->plan.failed ? err_set(err, -ENOMEM, 0, "out of memory") : check_text(im, err);
out:
    if (rc == 0)
        *out = im;
    else
        import_free(im);
    return rc;
}

void import_free(struct import *im)
{
    if (im == NULL)
        return;
    buf_fini(&im->text);
    arena_fini(&im->arena);
    free(im);
}

struct str import_text(const struct import *im)
{
    return buf_str(&im->text);
}

size_t import_note_count(const struct import *im)
{
    return im->plan.note_count;
}

struct str import_note(const struct import *im, size_t i)
{
    assert(i < im->plan.note_count);
    return im->plan.notes[i];
}

size_t import_destination_count(const struct import *im)
{
    return im->plan.destination_count;
}

const struct import_destination *import_destination(const struct import *im, size_t i)
{
    assert(i < im->plan.destination_count);
    return &im->plan.destinations[i].made;
}

/* The same members under Segment's names (docs/spec/sources.md §7.3). */
static const struct {
    struct str ours;
    struct str segments;
} renamed[] = {
    {STR_INIT("/mapping"), STR_INIT("/settings")},
    {STR_INIT("/subscribe"), STR_INIT("/trigger")},
    {STR_INIT("/partnerAction"), STR_INIT("/actionSlug")},
};

void import_locate(const struct import *im, size_t destination, const struct err *why,
                   struct err *err)
{
    static const struct str list = STR_INIT("/subscriptions/");
    assert(destination < im->plan.destination_count);
    const struct planned_destination *d = &im->plan.destinations[destination];
    const struct segment_item *item = d->item;
    struct str rest = str_from(why->path);
    struct str renamed_to = STR("");
    if (str_starts(rest, list)) {
        size_t index = strtoul(why->path + list.len, NULL, 10);
        assert(index < d->subscription_count);
        item = d->subscriptions[index].item;
        rest = str_slice(rest, list.len, rest.len);
        rest = str_slice(rest, str_find(rest, '/'), rest.len);
    }
    for (size_t i = 0; item != d->item && i < countof(renamed); i++)
        if (str_starts(rest, renamed[i].ours)) {
            renamed_to = renamed[i].segments;
            rest = str_slice(rest, renamed[i].ours.len, rest.len);
            break;
        }
    err_set(err, why->code, why->at, "%s: %s%.*s%.*s: %s", item->file, item->path,
            STR_ARG(renamed_to), STR_ARG(rest), why->msg);
}
