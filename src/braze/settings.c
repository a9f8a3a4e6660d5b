#include "settings.h"

/* clang-format off */
static const struct str endpoints[] = {
    STR_INIT("https://rest.iad-01.braze.com"),
    STR_INIT("https://rest.iad-02.braze.com"),
    STR_INIT("https://rest.iad-03.braze.com"),
    STR_INIT("https://rest.iad-04.braze.com"),
    STR_INIT("https://rest.iad-05.braze.com"),
    STR_INIT("https://rest.iad-06.braze.com"),
    STR_INIT("https://rest.iad-07.braze.com"),
    STR_INIT("https://rest.iad-08.braze.com"),
    STR_INIT("https://rest.us-09.braze.com"),
    STR_INIT("https://rest.us-10.braze.com"),
    STR_INIT("https://rest.fra-01.braze.eu"),
    STR_INIT("https://rest.fra-02.braze.eu"),
    STR_INIT("https://rest.au-01.braze.com"),
    STR_INIT("https://rest.id-01.braze.com"),
    STR_INIT("https://rest.jp-01.braze.com"),
};

const struct field settings_fields[SETTINGS_ROWS] = {
    [SETTINGS_API_KEY] = {FIELD("api_key", "API Key", FIELD_STRING), .required = true},
    [SETTINGS_APP_ID] = {FIELD("app_id", "App ID", FIELD_STRING)},
    [SETTINGS_ENDPOINT] = {FIELD("endpoint", "REST Endpoint", FIELD_STRING), .required = true, .format = FORMAT_URI,
        FIELD_CHOICES(endpoints)},
};
/* clang-format on */
