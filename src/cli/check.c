/* check: reads a config, compiles every mapping, says what is wrong and where. */
#include <stdio.h>

#include "assemble.h"
#include "commands.h"
#include "config.h"
#include "jv.h"
#include "oddities.h"

enum { WARNINGS_BYTES_MAX = 256 * 1024 }; /* what is beyond is not shown */

struct findings {
    size_t sources;
    size_t destinations;
    size_t subscriptions;
    struct buf warnings; /* each with a NUL behind it */
};

static void warn(struct findings *findings, const char *text)
{
    buf_append(&findings->warnings, str_from(text));
    buf_putc(&findings->warnings, '\0');
}

/* The warning at `at`, which moves behind it; NULL: there are no more. */
static const char *next_warning(const struct findings *findings, size_t *at)
{
    struct str rest = str_slice(buf_str(&findings->warnings), *at, findings->warnings.len);
    size_t len = str_find(rest, '\0');
    if (len == rest.len)
        return NULL;
    *at += len + 1;
    return rest.ptr;
}

/* Whose subscription the oddities are of. */
struct looking {
    struct findings *findings;
    const struct config *config;
    const struct destination_section *section;
    uint32_t subscription;
};

static void warn_of_oddity(void *self, const struct err *oddity)
{
    const struct looking *looking = self;
    char base[sizeof(looking->section->path) + 32];
    struct err line = {0};
    snprintf(base, sizeof(base), "%s/subscriptions/%u", looking->section->path,
             looking->subscription);
    config_locate(looking->config, base, oddity, &line);
    warn(looking->findings, line.msg);
}

static void look_at(const struct config *config, const struct destination_section *section,
                    struct findings *findings)
{
    struct looking looking = {findings, config, section, 0};
    const struct jv list = section->subscriptions;
    for (; list.type == JV_ARRAY && looking.subscription < list.len; looking.subscription++)
        subscription_oddities((enum braze_kind)section->kind, list.items[looking.subscription],
                              warn_of_oddity, &looking);
}

static int compile_all(const struct config *config, struct findings *findings, struct err *err)
{
    const struct config_values *values = config_values(config);
    findings->sources = values->source_count;
    findings->destinations = values->destination_count;
    for (size_t i = 0; i < values->destination_count; i++) {
        struct destination *destination;
        int rc = assemble_destination(&destination, config, &values->destinations[i], err);
        if (rc != 0)
            return rc;
        findings->subscriptions += destination_subscription_count(destination);
        destination_free(destination);
        look_at(config, &values->destinations[i], findings);
    }
    return 0;
}

static void put_json(struct buf *out, const struct findings *findings, const struct err *err)
{
    const char *warning;
    size_t at = 0;
    buf_printf(out, "{\"ok\":%s,", err->code == 0 ? "true" : "false");
    if (err->code != 0) {
        buf_append(out, STR("\"error\":"));
        jv_write_string(out, str_from(err->msg));
        buf_putc(out, ',');
    }
    buf_printf(out, "\"sources\":%zu,\"destinations\":%zu,\"subscriptions\":%zu,\"warnings\":[",
               findings->sources, findings->destinations, findings->subscriptions);
    while ((warning = next_warning(findings, &at)) != NULL) {
        if (warning != findings->warnings.ptr)
            buf_putc(out, ',');
        jv_write_string(out, str_from(warning));
    }
    buf_append(out, STR("]}\n"));
}

int check_run(const void *arguments, int operand_count, char **operands)
{
    const struct check_args *args = arguments;
    struct config *config = NULL;
    struct findings findings = {0};
    struct err err = {0};
    (void)operand_count;
    (void)operands;
    buf_init(&findings.warnings, WARNINGS_BYTES_MAX);
    int rc = config_read(&config, args->config, &err);
    for (size_t i = 0; config != NULL && i < config_warning_count(config); i++)
        warn(&findings, config_warning(config, i));
    if (rc == 0)
        rc = compile_all(config, &findings, &err);

    struct buf out;
    buf_init(&out, 1 << 20);
    if (args->json)
        put_json(&out, &findings, &err);
    else if (rc == 0)
        buf_printf(&out, "%s: fine. %zu source%s, %zu destination%s, %zu subscription%s\n",
                   args->config, findings.sources, findings.sources == 1 ? "" : "s",
                   findings.destinations, findings.destinations == 1 ? "" : "s",
                   findings.subscriptions, findings.subscriptions == 1 ? "" : "s");
    const char *warning;
    size_t at = 0;
    while (!args->json && (warning = next_warning(&findings, &at)) != NULL)
        complain(EXIT_DONE, "warning: %s", warning);
    int code = print_out(&out);
    if (rc != 0)
        code = complain_err(&err);
    buf_fini(&out);
    buf_fini(&findings.warnings);
    config_free(config);
    return code;
}
