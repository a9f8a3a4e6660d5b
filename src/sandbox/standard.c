#include "standard.h"

#include "identifiers.h"
#include "locales.h"
#include "states.h"
#include "text.h"
#include "times.h"

enum {
    IMAGE_URL_CHARACTERS_MAX = 1024,
    DEVICE_ID_BYTES_MIN = 8,
    DEVICE_ID_BYTES_MAX = 255,
    SHARED_PROFILES_MAX = 100, /* profiles that take over an email state (§7.2) */
};

bool is_state(struct jv value, bool opted_in_too)
{
    struct str state = jv_str(value);
    return value.type == JV_STRING &&
           (str_eq(state, STR("subscribed")) || str_eq(state, STR("unsubscribed")) ||
            (opted_in_too && str_eq(state, STR("opted_in"))));
}

static enum object_error check_email(struct call *c, struct jv value)
{
    if (call_choice(c, CHOICE_INVALID_EMAIL) == EMAIL_IGNORED)
        return ERROR_NONE;
    return value.type == JV_STRING && email_is(str_trim(jv_str(value))) ? ERROR_NONE : ERROR_EMAIL;
}

static enum object_error check_email_state(struct call *c, struct jv value)
{
    (void)c;
    return is_state(value, true) ? ERROR_NONE : ERROR_EMAIL_STATE;
}

static enum object_error check_push_state(struct call *c, struct jv value)
{
    (void)c;
    return is_state(value, true) ? ERROR_NONE : ERROR_PUSH_STATE;
}

static enum object_error check_location(struct call *c, struct jv value)
{
    (void)c;
    struct jv longitude = jv_get(value, STR("longitude"));
    struct jv latitude = jv_get(value, STR("latitude"));
    if (longitude.type != JV_NUMBER || latitude.type != JV_NUMBER)
        return ERROR_LOCATION;
    double x = jv_as_double(longitude);
    double y = jv_as_double(latitude);
    return x >= -180 && x <= 180 && y >= -90 && y <= 90 ? ERROR_NONE : ERROR_LOCATION;
}

static enum object_error check_groups(struct call *c, struct jv value)
{
    if (value.type != JV_ARRAY)
        return ERROR_GROUP_ARRAY;
    for (uint32_t i = 0; i < value.len; i++) {
        struct jv id = jv_get(value.items[i], STR("subscription_group_id"));
        struct jv state = jv_get(value.items[i], STR("subscription_state"));
        if (id.type == JV_UNDEFINED || state.type == JV_UNDEFINED)
            return ERROR_GROUP_HASH;
        if (id.type != JV_STRING || !workspace_has_group(c->sandbox->workspace, jv_str(id)))
            return ERROR_GROUP_ID;
        if (!is_state(state, false))
            return ERROR_GROUP_STATE;
    }
    return ERROR_NONE;
}

static enum object_error check_tokens(struct call *c, struct jv value)
{
    if (value.type != JV_ARRAY)
        return ERROR_TOKEN_VALUE;
    for (uint32_t i = 0; i < value.len; i++) {
        struct jv app = jv_get(value.items[i], STR("app_id"));
        struct jv token = jv_get(value.items[i], STR("token"));
        struct jv device = jv_get(value.items[i], STR("device_id"));
        if (value.items[i].type != JV_OBJECT)
            return ERROR_TOKEN_VALUE;
        if (app.type != JV_STRING || app.len == 0 ||
            !workspace_has_app(c->sandbox->workspace, jv_str(app)))
            return ERROR_TOKEN_APP;
        if (token.type != JV_STRING || token.len == 0)
            return ERROR_TOKEN_STRING;
        if (!jv_is_nullish(device) &&
            (device.type != JV_STRING || device.len < DEVICE_ID_BYTES_MIN ||
             device.len > DEVICE_ID_BYTES_MAX))
            return ERROR_DEVICE_ID;
    }
    return ERROR_NONE;
}

static enum object_error refuse_email_info(struct call *c, struct jv value)
{
    (void)c;
    (void)value;
    return ERROR_EMAIL_INFO;
}

static void ignore(struct call *c, struct str name, const char *expected)
{
    call_note(c, NOTE_FIELD_IGNORED, name, "ignored: expected %s", expected);
}

static void put(struct profile *p, struct str name, struct str value)
{
    profile_put(p, SECTION_STANDARD, name, jv_string(value));
}

static void apply_text(struct call *c, struct profile *p, struct str name, struct jv value)
{
    if (value.type != JV_STRING) {
        ignore(c, name, "a string");
        return;
    }
    struct str text = text_cut(jv_str(value), STRING_BYTES_MAX);
    if (text.len < value.len)
        call_note(c, NOTE_CHANGED, name, "cut to %d bytes", STRING_BYTES_MAX);
    put(p, name, text);
}

static void apply_image(struct call *c, struct profile *p, struct str name, struct jv value)
{
    if (value.type == JV_STRING && text_chars(jv_str(value)) <= IMAGE_URL_CHARACTERS_MAX)
        put(p, name, jv_str(value));
    else
        ignore(c, name, "a string of at most 1,024 characters");
}

static void apply_dob(struct call *c, struct profile *p, struct str name, struct jv value)
{
    int64_t ms;
    struct str text = jv_str(value);
    if (text.len == 10 && text.ptr[4] == '-' && time_parse(text, &ms) == TIME_DATE)
        put(p, name, text);
    else
        ignore(c, name, "YYYY-MM-DD");
}

static void apply_gender(struct call *c, struct profile *p, struct str name, struct jv value)
{
    struct str text = jv_str(value);
    if (value.type == JV_STRING && text.len == 1 && memchr("MFONP", text.ptr[0], 5) != NULL)
        put(p, name, text);
    else
        ignore(c, name, "M, F, O, N or P");
}

static void apply_country(struct call *c, struct profile *p, struct str name, struct jv value)
{
    struct str code = country_find(jv_str(value));
    if (code.len == 0) {
        call_note(c, NOTE_CHANGED, name, "no country: stored as null");
        profile_drop(p, SECTION_STANDARD, name);
        return;
    }
    if (!str_eq(code, jv_str(value)))
        call_note(c, NOTE_CHANGED, name, "read as %.*s", STR_ARG(code));
    put(p, name, code);
}

static void apply_language(struct call *c, struct profile *p, struct str name, struct jv value)
{
    struct str code = language_find(jv_str(value));
    if (code.len == 0)
        ignore(c, name, "a language code of the list");
    else
        put(p, name, code);
}

static void apply_zone(struct call *c, struct profile *p, struct str name, struct jv value)
{
    if (value.type == JV_STRING && time_zone_is(jv_str(value)))
        put(p, name, jv_str(value));
    else
        ignore(c, name, "an IANA time zone");
}

static void apply_date(struct call *c, struct profile *p, struct str name, struct jv value)
{
    int64_t ms;
    if (value.type == JV_STRING && time_is(jv_str(value), &ms))
        put(p, name, time_text(c->arena, ms));
    else
        ignore(c, name, "a date");
}

static void apply_flag(struct call *c, struct profile *p, struct str name, struct jv value)
{
    if (value.type == JV_BOOL)
        profile_put(p, SECTION_STANDARD, name, value);
    else
        ignore(c, name, "true or false");
}

static void apply_location(struct call *c, struct profile *p, struct str name, struct jv value)
{
    struct jv *items;
    struct jv pair = jv_array(c->arena, &items, 2);
    if (pair.type != JV_ARRAY)
        return;
    items[0] = jv_get(value, STR("longitude"));
    items[1] = jv_get(value, STR("latitude"));
    profile_put(p, SECTION_STANDARD, name, pair);
}

static void apply_state(struct call *c, struct profile *p, struct str name, struct jv value)
{
    set_subscription_state(c, p, name, jv_str(value));
}

static void apply_email(struct call *c, struct profile *p, struct str name, struct jv value)
{
    struct str email = str_trim(jv_str(value));
    if (email_is(email))
        set_email(c, p, email);
    else
        ignore(c, name, "an email address");
}

static void apply_phone(struct call *c, struct profile *p, struct str name, struct jv value)
{
    struct str text = str_trim(id_text(c, value));
    struct str normal = phone_normal(c->arena, text);
    if (text.len == 0) {
        ignore(c, name, "a phone number");
        return;
    }
    if (normal.len == 0)
        call_note(c, NOTE_WARNING, name, "no valid number: kept, but not as E.164");
    set_phone(c, p, normal.len > 0 ? normal : text);
}

static void apply_groups(struct call *c, struct profile *p, struct str name, struct jv value)
{
    (void)name;
    for (uint32_t i = 0; i < value.len; i++)
        set_group_state(c, p, jv_str(jv_get(value.items[i], STR("subscription_group_id"))),
                        jv_str(jv_get(value.items[i], STR("subscription_state"))));
}

static void apply_tokens(struct call *c, struct profile *p, struct str name, struct jv value)
{
    (void)name;
    for (uint32_t i = 0; i < value.len; i++) {
        struct str token = jv_str(jv_get(value.items[i], STR("token")));
        struct jv device = jv_get(value.items[i], STR("device_id"));
        if (profile_get(p, SECTION_TOKENS, token).type != JV_UNDEFINED)
            continue;
        /* A token is one device's: whoever had it before loses it. */
        struct profile *before = profiles_find(c->sandbox->profiles, KEY_PUSH_TOKEN, token);
        if (before != NULL)
            profile_drop(before, SECTION_TOKENS, token);
        struct jv_builder b;
        jv_object_begin(&b, c->arena, 2);
        jv_object_put(&b, STR("app_id"), jv_get(value.items[i], STR("app_id")));
        jv_object_put(&b, STR("device_id"),
                      device.type == JV_STRING ? device : jv_string(call_random_hex(c)));
        profile_put(p, SECTION_TOKENS, token, jv_object_end(&b));
    }
}

/* Keeps the known keys of facebook and twitter that have their type. */
struct social_key {
    struct str name;
    enum jv_type type;
};

static void apply_social(struct call *c, struct profile *p, struct str name, struct jv value,
                         const struct social_key *keys, size_t count)
{
    struct jv_builder b;
    if (value.type != JV_OBJECT) {
        ignore(c, name, "an object");
        return;
    }
    jv_object_begin(&b, c->arena, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        struct jv member = jv_get(value, keys[i].name);
        if (member.type == keys[i].type)
            jv_object_put(&b, keys[i].name, member);
        else if (member.type != JV_UNDEFINED)
            call_note(c, NOTE_FIELD_IGNORED, name, "%.*s has another type", STR_ARG(keys[i].name));
    }
    profile_put(p, SECTION_STANDARD, name, jv_object_end(&b));
}

static void apply_facebook(struct call *c, struct profile *p, struct str name, struct jv value)
{
    static const struct social_key keys[] = {{STR_INIT("id"), JV_STRING},
                                             {STR_INIT("likes"), JV_ARRAY},
                                             {STR_INIT("num_friends"), JV_NUMBER}};
    apply_social(c, p, name, value, keys, countof(keys));
}

static void apply_twitter(struct call *c, struct profile *p, struct str name, struct jv value)
{
    static const struct social_key keys[] = {{STR_INIT("id"), JV_NUMBER},
                                             {STR_INIT("screen_name"), JV_STRING},
                                             {STR_INIT("followers_count"), JV_NUMBER},
                                             {STR_INIT("friends_count"), JV_NUMBER},
                                             {STR_INIT("statuses_count"), JV_NUMBER}};
    apply_social(c, p, name, value, keys, countof(keys));
}

static void skip_loose_alias(struct call *c, struct profile *p, struct str name, struct jv value)
{
    (void)p;
    (void)value;
    call_note(c, NOTE_FIELD_IGNORED, name, "ignored: only has a meaning inside user_alias");
}

/* clang-format off */
static const struct standard_field fields[] = {
    {.name = STR_INIT("external_id")},
    {.name = STR_INIT("user_alias")},
    {.name = STR_INIT("braze_id")},
    {.name = STR_INIT("_update_existing_only")},
    {.name = STR_INIT("_merge_objects")},
    {.name = STR_INIT("push_token_import")},
    {.name = STR_INIT("alias_name"), .apply = skip_loose_alias},
    {.name = STR_INIT("alias_label"), .apply = skip_loose_alias},
    {.name = STR_INIT("first_name"), .apply = apply_text, .points = 1},
    {.name = STR_INIT("last_name"), .apply = apply_text, .points = 1},
    {.name = STR_INIT("email"), .check = check_email, .apply = apply_email, .points = 1},
    {.name = STR_INIT("email_encrypted"), .apply = apply_text},
    {.name = STR_INIT("phone"), .apply = apply_phone, .points = 1},
    {.name = STR_INIT("dob"), .apply = apply_dob, .points = 1},
    {.name = STR_INIT("gender"), .apply = apply_gender, .points = 1},
    {.name = STR_INIT("country"), .apply = apply_country, .points = POINTS_BY_VALUE},
    {.name = STR_INIT("home_city"), .apply = apply_text, .points = 1},
    {.name = STR_INIT("language"), .apply = apply_language, .points = POINTS_BY_VALUE},
    {.name = STR_INIT("time_zone"), .apply = apply_zone, .points = 1},
    {.name = STR_INIT("current_location"), .check = check_location, .apply = apply_location, .points = 1},
    {.name = STR_INIT("date_of_first_session"), .apply = apply_date, .points = 1},
    {.name = STR_INIT("date_of_last_session"), .apply = apply_date, .points = 1},
    {.name = STR_INIT("marked_email_as_spam_at"), .apply = apply_date},
    {.name = STR_INIT("email_subscribe"), .check = check_email_state, .apply = apply_state},
    {.name = STR_INIT("push_subscribe"), .check = check_push_state, .apply = apply_state},
    {.name = STR_INIT("email_open_tracking_disabled"), .apply = apply_flag},
    {.name = STR_INIT("email_click_tracking_disabled"), .apply = apply_flag},
    {.name = STR_INIT("subscription_groups"), .check = check_groups, .apply = apply_groups, .null_is_checked = true},
    {.name = STR_INIT("push_tokens"), .check = check_tokens, .apply = apply_tokens, .null_is_checked = true},
    {.name = STR_INIT("image_url"), .apply = apply_image, .points = 1},
    {.name = STR_INIT("facebook"), .apply = apply_facebook, .points = POINTS_BY_VALUE},
    {.name = STR_INIT("twitter"), .apply = apply_twitter, .points = POINTS_BY_VALUE},
    {.name = STR_INIT("bio"), .apply = apply_text, .points = 1},
    {.name = STR_INIT("email_subscription_info"), .check = refuse_email_info, .null_is_checked = true},
};
/* clang-format on */

const struct standard_field *standard_find(struct str name)
{
    for (size_t i = 0; i < countof(fields); i++)
        if (str_eq(fields[i].name, name))
            return &fields[i];
    return NULL;
}

uint64_t standard_points(const struct call *c, const struct standard_field *field, struct jv value)
{
    if (field->points != POINTS_BY_VALUE)
        return field->points;
    if (str_eq(field->name, STR("facebook")))
        return value.type == JV_NULL || jv_get(value, STR("id")).type != JV_UNDEFINED ||
               jv_get(value, STR("num_friends")).type != JV_UNDEFINED;
    if (str_eq(field->name, STR("twitter")))
        return value.type == JV_NULL || jv_get(value, STR("screen_name")).type != JV_UNDEFINED;
    return call_choice(c, CHOICE_LOCALE_POINTS) == LOCALE_FREE ? 0 : 1;
}

static void set_state_of_one(struct call *c, struct profile *p, struct str field, struct str state)
{
    static const struct {
        struct str field;
        struct str state;
        struct str stamp;
    } stamps[] = {
        {STR_INIT("email_subscribe"), STR_INIT("opted_in"), STR_INIT("email_opted_in_at")},
        {STR_INIT("email_subscribe"), STR_INIT("unsubscribed"), STR_INIT("email_unsubscribed_at")},
        {STR_INIT("push_subscribe"), STR_INIT("opted_in"), STR_INIT("push_opted_in_at")},
        {STR_INIT("push_subscribe"), STR_INIT("unsubscribed"), STR_INIT("push_unsubscribed_at")},
    };
    if (str_eq(jv_str(profile_get(p, SECTION_STANDARD, field)), state))
        return;
    put(p, field, state);
    for (size_t i = 0; i < countof(stamps); i++)
        if (str_eq(stamps[i].field, field) && str_eq(stamps[i].state, state))
            put(p, stamps[i].stamp, time_text(c->arena, c->now_ms));
}

void set_subscription_state(struct call *c, struct profile *p, struct str field, struct str state)
{
    set_state_of_one(c, p, field, state);
    struct str email = jv_str(profile_get(p, SECTION_STANDARD, STR("email")));
    if (email.len == 0 || !str_eq(field, STR("email_subscribe")))
        return;
    struct keys_walk walk =
        profiles_walk(c->sandbox->profiles, KEY_EMAIL, text_lower_ascii(c->arena, email));
    uint32_t number;
    for (size_t i = 0; i <= SHARED_PROFILES_MAX && keys_next(&walk, &number); i++) {
        struct profile *other = profiles_get(c->sandbox->profiles, number);
        if (other != NULL && other != p)
            set_state_of_one(c, other, field, state);
    }
}

void set_group_state(struct call *c, struct profile *p, struct str group, struct str state)
{
    struct jv row = workspace_find(c->sandbox->workspace, LIST_SUBSCRIPTION_GROUPS, group);
    struct str channel = jv_str(jv_get(row, STR("channel")));
    bool by_email = channel.len == 0 || str_eq(channel, STR("email"));
    struct str address =
        jv_str(profile_get(p, SECTION_STANDARD, by_email ? STR("email") : STR("phone")));
    profile_put(p, SECTION_GROUPS, group, jv_string(state));
    if (address.len == 0)
        return;
    struct keys_walk walk = profiles_walk(c->sandbox->profiles, by_email ? KEY_EMAIL : KEY_PHONE,
                                          by_email ? text_lower_ascii(c->arena, address) : address);
    uint32_t number;
    for (size_t i = 0; i <= SHARED_PROFILES_MAX && keys_next(&walk, &number); i++) {
        struct profile *other = profiles_get(c->sandbox->profiles, number);
        if (other != NULL && other != p)
            profile_put(other, SECTION_GROUPS, group, jv_string(state));
    }
}

void set_email(struct call *c, struct profile *p, struct str email)
{
    struct str before = jv_str(profile_get(p, SECTION_STANDARD, STR("email")));
    struct str key = text_lower_ascii(c->arena, email);
    if (str_eq_nocase(before, email)) {
        put(p, STR("email"), email);
        return;
    }
    struct profile *other = profiles_find(c->sandbox->profiles, KEY_EMAIL, key);
    put(p, STR("email"), email);
    struct str state = STR("subscribed");
    if (other != NULL && other != p &&
        call_choice(c, CHOICE_EMAIL_CHANGE) == EMAIL_CHANGE_INHERITS) {
        struct str inherited = jv_str(profile_get(other, SECTION_STANDARD, STR("email_subscribe")));
        state = inherited.len > 0 ? inherited : state;
    }
    struct str current = jv_str(profile_get(p, SECTION_STANDARD, STR("email_subscribe")));
    if (current.len > 0 || !str_eq(state, STR("subscribed")))
        set_state_of_one(c, p, STR("email_subscribe"), state);
    states_inherit(c, p, key);
}

void set_phone(struct call *c, struct profile *p, struct str phone)
{
    struct str before = jv_str(profile_get(p, SECTION_STANDARD, STR("phone")));
    put(p, STR("phone"), phone);
    if (!str_eq(before, phone))
        states_inherit(c, p, phone);
}
