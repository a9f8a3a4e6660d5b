/* Any text is imported or refused; a refusal is a sentence, and every mapping of a config that
 * comes out reads back as it went in. */
#include "import_segment.h"
#include "yaml_doc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct jv list_of(struct jv config, const char *key)
{
    return jv_get(config, str_from(key));
}

static void check_text(const struct import *im)
{
    struct arena arena;
    struct yaml_doc *yaml = NULL;
    arena_init(&arena, 64 << 20);
    int rc = yaml_doc_parse(&yaml, &arena, import_text(im), NULL);
    assert(rc == 0);
    struct jv destinations = list_of(yaml_doc_root(yaml), "destinations");
    assert(destinations.len == import_destination_count(im));
    for (uint32_t i = 0; i < destinations.len; i++) {
        const struct import_destination *made = import_destination(im, i);
        struct jv item = destinations.items[i];
        assert(str_eq(jv_str(jv_get(item, STR("id"))), made->id));
        assert(made->subscriptions.len > 0);
        assert(jv_equal(list_of(item, "subscriptions"), made->subscriptions));
    }
    yaml_doc_free(yaml);
    arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct segment_export *export = NULL;
    struct import *im = NULL;
    struct import_choices choices = {.per_action = size % 2 == 1};
    struct err err = {0};
    struct str text = {size == 0 ? NULL : (const char *)data, size};
    if (segment_export_new(&export) != 0)
        return 0;
    int rc = segment_export_add(export, "fuzz.json", text, &err);
    if (rc == 0)
        rc = import_segment(&im, export, &choices, &err);
    if (rc != 0) {
        assert(im == NULL && err.code == rc && err.msg[0] != '\0');
    } else {
        check_text(im);
        for (size_t i = 0; i < import_note_count(im); i++)
            for (size_t c = 0; c < import_note(im, i).len; c++)
                assert((unsigned char)import_note(im, i).ptr[c] >= ' ');
    }
    import_free(im);
    segment_export_free(export);
    return 0;
}
