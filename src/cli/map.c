/* map: what would be sent for an event, and why the rest would not. One line in, one line out;
 * sends nothing. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "assemble.h"
#include "commands.h"
#include "config.h"
#include "integrations.h"
#include "request.h"

enum {
    LINE_BYTES_MAX = 16 * 1024 * 1024,
    EVENT_ARENA_BYTES_MAX = 512 * 1024 * 1024,
    NAMES_MAX = 16,
};

struct target {
    struct destination *destination;
    const struct destination_section *section;
    struct jv settings; /* in the mapper's own arena */
};

struct mapper {
    struct config *config;
    struct target *targets;
    size_t target_count;
    struct arena settings;
    struct arena event;
    struct buf out;
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
    buf_fini(&m->out);
    arena_fini(&m->event);
    arena_fini(&m->settings);
    config_free(m->config);
}

static int add_target(struct mapper *m, const struct destination_section *section, struct err *err)
{
    struct target *target = &m->targets[m->target_count];
    int rc = assemble_destination(&target->destination, m->config, section, err);
    if (rc != 0)
        return rc;
    target->section = section;
    target->settings = assemble_settings(section, &m->settings);
    m->target_count++;
    return 0;
}

static int mapper_open(struct mapper *m, const struct map_args *args, struct err *err)
{
    *m = (struct mapper){0};
    arena_init(&m->settings, 1 << 20);
    arena_init(&m->event, EVENT_ARENA_BYTES_MAX);
    buf_init(&m->out, LINE_BYTES_MAX * 4);
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

/* ------------------------------------------------------------------------------------------ one
 * event */

static void put_text(struct buf *out, const char *key, struct str text)
{
    buf_printf(out, "\"%s\":", key);
    jv_write_string(out, text);
}

/* {"destination","subscription","action",...: the place of a remark; the caller closes it. */
static void open_remark(struct buf *out, const struct target *target, const uint32_t *subscription)
{
    buf_append(out, out->len == 0 ? STR("{") : STR(",{"));
    put_text(out, "destination", target->section->id);
    if (subscription == NULL)
        return;
    buf_putc(out, ',');
    put_text(out, "subscription",
             destination_subscription_name(target->destination, *subscription));
    buf_putc(out, ',');
    put_text(out, "action", destination_subscription_action(target->destination, *subscription));
}

static void put_outcome(struct mapper *m, const struct target *target,
                        const struct outcome *outcome)
{
    struct buf *out = outcome->kind == OUTCOME_INVALID ? &m->errors : &m->skipped;
    if (outcome->kind == OUTCOME_SENT)
        return;
    open_remark(out, target, &outcome->subscription);
    if (outcome->kind == OUTCOME_INVALID) {
        buf_putc(out, ',');
        put_text(out, "code", str_from(outcome->code));
        buf_putc(out, ',');
        put_text(out, "message", outcome->text);
    } else {
        buf_putc(out, ',');
        put_text(out, "reason",
                 outcome->kind == OUTCOME_NOT_SUBSCRIBED ? STR("not subscribed")
                                                         : STR("nothing to send"));
    }
    buf_putc(out, '}');
}

static void put_request(struct mapper *m, const struct target *target, const struct intent *intents,
                        size_t count)
{
    struct jv *objects;
    struct request request;
    struct jv array = jv_array(&m->event, &objects, count);
    for (size_t i = 0; array.type == JV_ARRAY && i < count; i++)
        objects[i] = intents[i].object;
    if (array.type != JV_ARRAY || request_make(&request, intents[0].family, intents[0].path,
                                               objects, count, &m->event) != 0) {
        m->out.failed = true;
        return;
    }
    if (m->out.ptr[m->out.len - 1] != '[')
        buf_putc(&m->out, ',');
    jv_write(&m->out, request_describe(&request, target->settings, &m->event));
}

/* The requests that Segment would make for this event: one a subscription and family. */
static void put_requests(struct mapper *m, const struct target *target, const struct mapped *mapped)
{
    for (size_t from = 0; from < mapped->intent_count;) {
        const struct intent *first = &mapped->intents[from];
        size_t count = 1;
        while (from + count < mapped->intent_count &&
               family_row(first->family)->array_key != NULL &&
               mapped->intents[from + count].family == first->family &&
               mapped->intents[from + count].subscription == first->subscription)
            count++;
        put_request(m, target, first, count);
        from += count;
    }
}

static void map_for(struct mapper *m, const struct target *target, struct jv event)
{
    struct str names[NAMES_MAX] = {target->section->id};
    struct mapped mapped;
    size_t name_count = 1;
    for (size_t i = 0; i < integrations_braze_name_count && name_count < NAMES_MAX; i++)
        names[name_count++] = integrations_braze_names[i];
    enum integrations_answer answer = integrations_ask(event, names, name_count);
    if (answer != INTEGRATIONS_YES) {
        open_remark(&m->skipped, target, NULL);
        buf_putc(&m->skipped, ',');
        put_text(&m->skipped, "reason", str_from(integrations_code(answer)));
        buf_putc(&m->skipped, '}');
        return;
    }
    if (destination_map(target->destination, event, &m->event, &mapped) != 0) {
        open_remark(&m->errors, target, NULL);
        buf_append(&m->errors, STR(",\"code\":\"TOO_LARGE\",\"message\":\"mapping this event needs "
                                   "more memory than one "
                                   "event may use\"}"));
        return;
    }
    for (size_t i = 0; i < mapped.outcome_count; i++)
        put_outcome(m, target, &mapped.outcomes[i]);
    put_requests(m, target, &mapped);
}

static void map_line(struct mapper *m, struct str line)
{
    struct jv event;
    struct err err = {0};
    arena_reset(&m->event);
    buf_reset(&m->out);
    buf_reset(&m->skipped);
    buf_reset(&m->errors);
    buf_append(&m->out, STR("{\"requests\":["));
    int rc = jv_parse(&event, &m->event, line, JV_EXACT, &err);
    if (rc == 0 && event.type != JV_OBJECT)
        rc = err_set(&err, -EINVAL, 0, "an event must be an object");
    if (rc != 0) {
        m->unreadable++;
        buf_append(&m->errors, STR("{\"code\":\"NOT_JSON\",\"message\":"));
        jv_write_string(&m->errors, str_from(err.msg));
        buf_putc(&m->errors, '}');
    }
    for (size_t i = 0; rc == 0 && i < m->target_count; i++)
        map_for(m, &m->targets[i], event);
    buf_append(&m->out, STR("],\"skipped\":["));
    buf_append(&m->out, buf_str(&m->skipped));
    buf_append(&m->out, STR("],\"errors\":["));
    buf_append(&m->out, buf_str(&m->errors));
    buf_append(&m->out, STR("]}\n"));
    m->out.failed = m->out.failed || m->skipped.failed || m->errors.failed;
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
