/* map: what would be sent for an event, and why the rest would not. One
 * line in, one line out; sends nothing. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "assemble.h"
#include "commands.h"
#include "config.h"
#include "integrations.h"

enum {
    LINE_BYTES_MAX = 16 * 1024 * 1024,
    EVENT_ARENA_BYTES_MAX = 512 * 1024 * 1024,
};

struct target {
    struct destination *destination;
    const struct destination_section *section;
};

struct mapper {
    struct config *config;
    struct target *targets;
    size_t target_count;
    struct arena event;
    struct buf out;
    struct buf requests; /* these three: the members of one line's lists */
    struct buf skipped;
    struct buf errors;
    size_t unreadable;
};

static void mapper_close(struct mapper *m)
{
    for (size_t i = 0; i < m->target_count; i++)
        destination_free(m->targets[i].destination);
    free(m->targets);
    buf_fini(&m->errors);
    buf_fini(&m->skipped);
    buf_fini(&m->requests);
    buf_fini(&m->out);
    arena_fini(&m->event);
    config_free(m->config);
}

static int add_target(struct mapper *m, const struct destination_section *section, struct err *err)
{
    struct target *target = &m->targets[m->target_count];
    int rc = assemble_destination(&target->destination, m->config, section, err);
    if (rc != 0)
        return rc;
    target->section = section;
    m->target_count++;
    return 0;
}

static int mapper_open(struct mapper *m, const struct map_args *args, struct err *err)
{
    *m = (struct mapper){0};
    arena_init(&m->event, EVENT_ARENA_BYTES_MAX);
    buf_init(&m->out, LINE_BYTES_MAX * 4);
    buf_init(&m->requests, LINE_BYTES_MAX);
    buf_init(&m->skipped, LINE_BYTES_MAX);
    buf_init(&m->errors, LINE_BYTES_MAX);
    int rc = config_read(&m->config, args->config, err);
    if (rc != 0)
        return rc;
    const struct config_values *values = config_values(m->config);
    m->targets = calloc(values->destination_count + 1, sizeof(*m->targets));
    if (m->targets == NULL)
        return err_set(err, -ENOMEM, 0, "out of memory");
    for (size_t i = 0; rc == 0 && i < values->destination_count; i++) {
        const struct destination_section *section = &values->destinations[i];
        if (args->destination == NULL || str_eq(section->id, str_from(args->destination)))
            rc = add_target(m, section, err);
    }
    if (rc == 0 && m->target_count == 0)
        rc = err_set(err, -EINVAL, 0,
                     args->destination == NULL ? "%s: no destinations" : "%s: no destination '%s'",
                     args->config, args->destination);
    return rc;
}

static void put_separated(struct buf *out, struct jv v)
{
    if (out->len > 0)
        buf_putc(out, ',');
    jv_write(out, v);
}

/* Remarks say which destination they are about. */
static void put_remark(struct mapper *m, struct buf *out, const struct target *target,
                       struct jv remark)
{
    struct jv_builder b;
    jv_object_begin(&b, &m->event, remark.len + 1);
    jv_object_put(&b, STR("destination"), jv_string(target->section->id));
    jv_object_put_all(&b, remark);
    put_separated(out, jv_object_end(&b));
}

static struct jv remark_of(struct mapper *m, struct str key, struct str text)
{
    struct jv_builder b;
    jv_object_begin(&b, &m->event, 1);
    jv_object_put(&b, key, jv_string(text));
    return jv_object_end(&b);
}

static struct jv not_json(struct mapper *m, const struct err *err)
{
    struct jv_builder b;
    jv_object_begin(&b, &m->event, 2);
    jv_object_put(&b, STR("code"), jv_string(STR("NOT_JSON")));
    jv_object_put(&b, STR("message"), jv_string(str_from(err->msg)));
    return jv_object_end(&b);
}

static void map_for(struct mapper *m, const struct target *target, struct jv event)
{
    struct str names[ASSEMBLE_NAMES_MAX];
    struct jv preview;
    enum integrations_answer answer =
        integrations_ask(event, names, assemble_names(target->section, names));
    if (answer != INTEGRATIONS_YES) {
        struct str code = str_from(integrations_code(answer));
        put_remark(m, &m->skipped, target, remark_of(m, STR("reason"), code));
        return;
    }
    if (destination_preview(target->destination, event, &m->event, &preview) != 0) {
        put_remark(m, &m->errors, target,
                   remark_of(m, STR("message"),
                             STR("mapping this event needs more memory than one event may use")));
        return;
    }
    struct jv requests = jv_get(preview, STR("requests"));
    struct jv skipped = jv_get(preview, STR("skipped"));
    struct jv errors = jv_get(preview, STR("errors"));
    for (uint32_t i = 0; i < requests.len; i++)
        put_separated(&m->requests, requests.items[i]);
    for (uint32_t i = 0; i < skipped.len; i++)
        put_remark(m, &m->skipped, target, skipped.items[i]);
    for (uint32_t i = 0; i < errors.len; i++)
        put_remark(m, &m->errors, target, errors.items[i]);
}

static void map_line(struct mapper *m, struct str line)
{
    struct jv event;
    struct err err = {0};
    arena_reset(&m->event);
    buf_reset(&m->out);
    buf_reset(&m->requests);
    buf_reset(&m->skipped);
    buf_reset(&m->errors);
    int rc = jv_parse(&event, &m->event, line, JV_EXACT, &err);
    if (rc == 0 && event.type != JV_OBJECT)
        rc = err_set(&err, -EINVAL, 0, "an event must be an object");
    if (rc != 0) {
        m->unreadable++;
        put_separated(&m->errors, not_json(m, &err));
    }
    for (size_t i = 0; rc == 0 && i < m->target_count; i++)
        map_for(m, &m->targets[i], event);
    buf_append(&m->out, STR("{\"requests\":["));
    buf_append(&m->out, buf_str(&m->requests));
    buf_append(&m->out, STR("],\"skipped\":["));
    buf_append(&m->out, buf_str(&m->skipped));
    buf_append(&m->out, STR("],\"errors\":["));
    buf_append(&m->out, buf_str(&m->errors));
    buf_append(&m->out, STR("]}\n"));
    m->out.failed = m->out.failed || m->requests.failed || m->skipped.failed || m->errors.failed;
}

int map_run(const void *arguments, int operand_count, char **operands)
{
    struct mapper m;
    struct err err = {0};
    char *line = NULL;
    size_t line_cap = 0;
    ssize_t len;
    int code = EXIT_DONE;
    (void)operand_count;
    (void)operands;
    if (mapper_open(&m, arguments, &err) != 0)
        code = complain_err(&err);
    while (code == EXIT_DONE && (len = getline(&line, &line_cap, stdin)) >= 0) {
        struct str text = str_trim((struct str){line, (size_t)len});
        if (text.len == 0)
            continue;
        map_line(&m, text);
        code = print_out(&m.out);
    }
    if (code == EXIT_DONE && m.unreadable > 0)
        code = complain(EXIT_USER, "map: %zu line%s no JSON object", m.unreadable,
                        m.unreadable == 1 ? " is" : "s are");
    free(line);
    mapper_close(&m);
    return code;
}
