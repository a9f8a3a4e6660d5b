/* Any text is read or refused; a refusal always says NAME:LINE with a line that the text has, and a
 * config that was read has what the program relies on. */
#include "config.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_refusal(const struct err *err, struct str text)
{
    static const struct str name = STR_INIT("fuzz.yaml:");
    struct str message = str_from(err->msg);
    assert(err->code < 0);
    assert(str_starts(message, name));
    char *end;
    unsigned long line = strtoul(err->msg + name.len, &end, 10);
    assert(end > err->msg + name.len);
    assert(str_starts(str_from(end), STR(": ")));
    assert(end[2] != '\0');
    assert(line >= 1);
    /* A document that ends too early is refused at the line after its last. Every
     * line break of YAML is one byte at least. */
    assert(line <= text.len + 2);
    assert(str_find(message, '\n') == message.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config *config = NULL;
    struct err err = {0};
    struct str text = {size == 0 ? NULL : (const char *)data, size};
    if (memmem(data, size, "file:", 5) != NULL)
        return 0; /* the answer would depend on this machine's files */
    if (config_parse(&config, "fuzz.yaml", text, &err) != 0) {
        assert(config == NULL);
        check_refusal(&err, text);
        return 0;
    }
    const struct config_values *values = config_values(config);
    assert(values->source_count > 0);
    for (size_t i = 0; i < values->source_count; i++) {
        assert(values->sources[i].id.len > 0);
        assert(values->sources[i].write_key.len > 0);
    }
    for (size_t i = 0; i < values->destination_count; i++) {
        assert(values->destinations[i].id.len > 0);
        assert(values->destinations[i].batch_objects >= 1);
    }
    for (size_t i = 0; i < config_warning_count(config); i++)
        assert(str_starts(str_from(config_warning(config, i)), STR("fuzz.yaml:")));
    config_free(config);
    return 0;
}
