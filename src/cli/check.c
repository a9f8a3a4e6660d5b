/* check: reads a config, compiles every mapping, says what is wrong and where. */
#include <stdio.h>

#include "assemble.h"
#include "commands.h"
#include "config.h"
#include "jv.h"

struct findings {
    size_t sources;
    size_t destinations;
    size_t subscriptions;
};

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
    }
    return 0;
}

static void put_json(struct buf *out, const struct config *config, const struct findings *findings,
                     const struct err *err)
{
    buf_printf(out, "{\"ok\":%s,", err->code == 0 ? "true" : "false");
    if (err->code != 0) {
        buf_append(out, STR("\"error\":"));
        jv_write_string(out, str_from(err->msg));
        buf_putc(out, ',');
    }
    buf_printf(out, "\"sources\":%zu,\"destinations\":%zu,\"subscriptions\":%zu,\"warnings\":[",
               findings->sources, findings->destinations, findings->subscriptions);
    for (size_t i = 0; config != NULL && i < config_warning_count(config); i++) {
        if (i > 0)
            buf_putc(out, ',');
        jv_write_string(out, str_from(config_warning(config, i)));
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
    int rc = config_read(&config, args->config, &err);
    if (rc == 0)
        rc = compile_all(config, &findings, &err);

    struct buf out;
    buf_init(&out, 1 << 20);
    if (args->json)
        put_json(&out, config, &findings, &err);
    else if (rc == 0)
        buf_printf(&out, "%s: fine. %zu source%s, %zu destination%s, %zu subscription%s\n",
                   args->config, findings.sources, findings.sources == 1 ? "" : "s",
                   findings.destinations, findings.destinations == 1 ? "" : "s",
                   findings.subscriptions, findings.subscriptions == 1 ? "" : "s");
    for (size_t i = 0; !args->json && config != NULL && i < config_warning_count(config); i++)
        complain(EXIT_DONE, "warning: %s", config_warning(config, i));
    int code = print_out(&out);
    if (rc != 0)
        code = complain_err(&err);
    buf_fini(&out);
    config_free(config);
    return code;
}
