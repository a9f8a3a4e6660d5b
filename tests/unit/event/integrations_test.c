#include "integrations.h"

#include "unit.h"

static void flags_in_the_event_decide(void **state)
{
    (void)state;
    static const struct str names[] = {STR_INIT("braze-eu"), STR_INIT("Braze Cloud Mode (Actions)"),
                                       STR_INIT("Braze"), STR_INIT("Appboy")};
    static const struct {
        const char *event;
        enum integrations_answer answer;
    } rows[] = {
        {"{}", INTEGRATIONS_YES},
        {"{\"integrations\":{}}", INTEGRATIONS_YES},
        {"{\"integrations\":null}", INTEGRATIONS_YES},
        {"{\"integrations\":[1]}", INTEGRATIONS_YES},
        {"{\"integrations\":{\"All\":false}}", INTEGRATIONS_NO},
        {"{\"integrations\":{\"All\":true}}", INTEGRATIONS_YES},
        {"{\"integrations\":{\"All\":false,\"Braze\":true}}", INTEGRATIONS_YES},
        {"{\"integrations\":{\"All\":false,\"Braze\":{\"braze_id\":\"1\"}}}", INTEGRATIONS_YES},
        {"{\"integrations\":{\"Braze\":false}}", INTEGRATIONS_NO},
        {"{\"integrations\":{\"braze\":false}}", INTEGRATIONS_YES},
        {"{\"integrations\":{\"Salesforce\":false}}", INTEGRATIONS_YES},
        {"{\"integrations\":{\"Appboy\":false,\"Braze\":true}}", INTEGRATIONS_YES},
        {"{\"integrations\":{\"Braze Cloud Mode (Actions)\":false,\"Braze\":true}}",
         INTEGRATIONS_NO},
        {"{\"integrations\":{\"braze-eu\":false,\"Appboy\":true}}", INTEGRATIONS_NO},
        {"{\"_metadata\":{\"bundled\":[\"Appboy\"]}}", INTEGRATIONS_SENT_ALREADY},
        {"{\"_metadata\":{\"bundled\":[\"Segment.io\"],\"unbundled\":[]}}", INTEGRATIONS_YES},
        {"{\"_metadata\":{\"bundledIds\":[\"braze-eu\"]}}", INTEGRATIONS_SENT_ALREADY},
        {"{\"_metadata\":{\"bundled\":\"Appboy\"}}", INTEGRATIONS_YES},
    };
    struct arena arena;
    arena_init(&arena, 1 << 16);
    for (size_t i = 0; i < countof(rows); i++) {
        struct jv event;
        assert_int_equal(jv_parse(&event, &arena, str_from(rows[i].event), JV_EXACT, NULL), 0);
        if (integrations_ask(event, names, countof(names)) != rows[i].answer)
            fail_msg("%s: wrong answer", rows[i].event);
    }
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(flags_in_the_event_decide)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
