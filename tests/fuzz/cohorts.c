/* Any event for a cohorts destination: delivery and preview agree on whether there is a change, and
 * what delivery puts into bodies as text is JSON. */
#include "destination.h"

#include <assert.h>
#include <stdint.h>

static struct destination *destination;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void open_once(struct arena *a)
{
    static const struct str settings =
        STR_INIT("{\"client_secret\":\"S\",\"partner_api_key\":\"P\",\"partner\":\"segment\","
                 "\"endpoint\":\"https://rest.iad-01.braze.com\"}");
    struct destination_config config = {.kind = BRAZE_COHORTS};
    int rc = jv_parse(&config.settings, a, settings, JV_JAVASCRIPT, NULL);
    assert(rc == 0);
    rc = destination_compile(&destination, &config, NULL);
    assert(rc == 0);
}

static void assert_object(struct str text, struct str key, struct arena *a)
{
    struct jv v;
    int rc = jv_parse(&v, a, text, JV_EXACT, NULL);
    assert(rc == 0);
    assert(jv_get(v, key).type == JV_STRING);
}

static void assert_member(struct str member, struct arena *a)
{
    char *text = arena_alloc(a, member.len + 2);
    assert(text != NULL);
    text[0] = '{';
    memcpy(text + 1, member.ptr, member.len);
    text[member.len + 1] = '}';
    assert_object((struct str){text, member.len + 2}, STR("cohort_id"), a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct jv event;
    struct jv preview;
    struct mapped mapped;
    arena_init(&arena, 256 << 20);
    if (destination == NULL)
        open_once(&arena);
    if (jv_parse(&event, &arena, (struct str){(const char *)data, size}, JV_EXACT, NULL) == 0 &&
        event.type == JV_OBJECT && destination_map(destination, event, &arena, &mapped) == 0) {
        int rc = destination_preview(destination, event, &arena, &preview);
        assert(rc == 0);
        assert(mapped.intent_count <= 1);
        assert(jv_get(preview, STR("requests")).len == 2 * mapped.intent_count);
        for (size_t i = 0; i < mapped.intent_count; i++) {
            assert(mapped.intents[i].user_count == 1);
            assert_member(mapped.intents[i].cohort->id, &arena);
            assert_object(mapped.intents[i].cohort->body, STR("name"), &arena);
        }
    }
    arena_fini(&arena);
    return 0;
}
