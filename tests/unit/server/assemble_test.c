#include "assemble.h"

#include <errno.h>
#include <string.h>

#include "unit.h"

#define HEAD     "sources:\n  - {id: web, write_key: k}\ndestinations:\n  - id: eu\n"
#define SETTINGS "    settings: {api_key: key, endpoint: \"https://rest.example/\"}\n"

static struct config *parse(const char *text)
{
    struct config *config;
    struct err err = {0};
    if (config_parse(&config, "x.yaml", str_from(text), &err) != 0)
        fail_msg("%s", err.msg);
    return config;
}

static void a_destination_outlives_the_config_it_came_from(void **state)
{
    (void)state;
    struct destination *destination;
    struct err err = {0};
    struct config *config = parse(HEAD SETTINGS);
    const struct destination_section *section = &config_values(config)->destinations[0];
    assert_int_equal(assemble_destination(&destination, config, section, &err), 0);
    config_free(config);
    assert_true(str_eq(destination_endpoint(destination), STR("https://rest.example")));
    assert_true(str_eq(destination_api_key(destination), STR("key")));
    assert_true(destination_subscription_count(destination) > 0); /* the presets */
    assert_true(destination_subscription_name(destination, 0).len > 0);
    destination_free(destination);
}

static void a_refusal_names_the_line(void **state)
{
    (void)state;
    struct destination *destination;
    struct err err = {0};
    struct config *config = parse(HEAD SETTINGS "    subscriptions:\n"
                                                "      - name: n\n"
                                                "        enabled: true\n"
                                                "        subscribe: 'type = \"track\"'\n"
                                                "        partnerAction: noSuchAction\n"
                                                "        mapping: {}\n");
    const struct destination_section *section = &config_values(config)->destinations[0];
    assert_int_equal(assemble_destination(&destination, config, section, &err), -EINVAL);
    assert_null(destination);
    assert_string_equal(err.msg,
                        "x.yaml:10: expected the key of an action, such as 'updateUserProfile'");
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_destination_outlives_the_config_it_came_from),
        cmocka_unit_test(a_refusal_names_the_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
