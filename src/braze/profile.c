#include "profile.h"

#include <errno.h>

#include "dates.h"
#include "identity.h"
#include "shared_fields.h"

/* clang-format off */
static const struct str subscription_states[] = {STR_INIT("subscribed"), STR_INIT("unsubscribed")};

static const struct field current_location_fields[] = {
    {FIELD("latitude", "Latitude", FIELD_NUMBER)},
    {FIELD("longitude", "Longitude", FIELD_NUMBER)},
};

static const struct field facebook_fields[] = {
    {FIELD("id", "Facebook ID", FIELD_STRING)},
    {FIELD("likes", "Facebook Likes", FIELD_STRING), .multiple = true},
    {FIELD("num_friends", "Facebook Number of Friends", FIELD_INTEGER)},
};

static const struct field push_tokens_fields[] = {
    {FIELD("app_id", "App ID", FIELD_STRING), .required = true},
    {FIELD("token", "Token", FIELD_STRING), .required = true},
    {FIELD("device_id", "Device ID", FIELD_STRING)},
};

static const struct field twitter_fields[] = {
    {FIELD("id", "Twitter ID", FIELD_STRING)},
    {FIELD("screen_name", "Twitter Handle", FIELD_STRING)},
    {FIELD("followers_count", "Number of Followers", FIELD_INTEGER)},
    {FIELD("friends_count", "Number of Friends", FIELD_INTEGER)},
    {FIELD("statuses_count", "Number of Statuses", FIELD_INTEGER)},
};

static const struct field subscription_groups_fields[] = {
    {FIELD("subscription_group_id", "Subscription Group ID", FIELD_STRING), .required = true},
    {FIELD("subscription_state", "Subscription State", FIELD_STRING), .required = true, FIELD_CHOICES(subscription_states)},
};

const struct field profile_fields[PROFILE_ROWS] = {
    [PROFILE_EXTERNAL_ID] = {FIELD("external_id", "External User ID", FIELD_STRING),
     .preset = PATH("$.userId")},
    [PROFILE_USER_ALIAS] = {FIELD("user_alias", "User Alias Object", FIELD_OBJECT), FIELD_PARTS(optional_alias_fields)},
    [PROFILE_BRAZE_ID] = {FIELD("braze_id", "Braze User Identifier", FIELD_STRING), .allow_null = true,
     .preset = PATH("$.properties.braze_id")},
    [PROFILE_COUNTRY] = {FIELD("country", "Country", FIELD_STRING), .allow_null = true,
     .preset = PATH("$.context.location.country")},
    [PROFILE_CURRENT_LOCATION] = {FIELD("current_location", "Current Location", FIELD_OBJECT), .allow_null = true,
     .preset = "{\"latitude\":" PATH("$.context.location.latitude") ",\"longitude\":" PATH("$.context.location.longitude") "}", FIELD_PARTS(current_location_fields)},
    [PROFILE_DATE_OF_FIRST_SESSION] = {FIELD("date_of_first_session", "Date of First Session", FIELD_DATETIME), .allow_null = true},
    [PROFILE_DATE_OF_LAST_SESSION] = {FIELD("date_of_last_session", "Date of Last Session", FIELD_DATETIME), .allow_null = true},
    [PROFILE_DOB] = {FIELD("dob", "Date of Birth", FIELD_DATETIME), .allow_null = true},
    [PROFILE_EMAIL] = {FIELD("email", "Email", FIELD_STRING), .allow_null = true,
     .preset = PATH("$.traits.email")},
    [PROFILE_EMAIL_SUBSCRIBE] = {FIELD("email_subscribe", "Email Subscribe", FIELD_STRING)},
    [PROFILE_EMAIL_OPEN_TRACKING_DISABLED] = {FIELD("email_open_tracking_disabled", "Email Open Tracking Disabled", FIELD_BOOLEAN)},
    [PROFILE_EMAIL_CLICK_TRACKING_DISABLED] = {FIELD("email_click_tracking_disabled", "Email Click Tracking Disabled", FIELD_BOOLEAN)},
    [PROFILE_FACEBOOK] = {FIELD("facebook", "Facebook Attribution Data", FIELD_OBJECT), FIELD_PARTS(facebook_fields)},
    [PROFILE_FIRST_NAME] = {FIELD("first_name", "First Name", FIELD_STRING), .allow_null = true,
     .preset = PATH("$.traits.firstName")},
    [PROFILE_GENDER] = {FIELD("gender", "Gender", FIELD_STRING), .allow_null = true,
     .preset = PATH("$.traits.gender")},
    [PROFILE_HOME_CITY] = {FIELD("home_city", "Home City", FIELD_STRING), .allow_null = true,
     .preset = PATH("$.traits.address.city")},
    [PROFILE_IMAGE_URL] = {FIELD("image_url", "Image URL", FIELD_STRING), .allow_null = true, .format = FORMAT_URI,
     .preset = PATH("$.traits.avatar")},
    [PROFILE_LANGUAGE] = {FIELD("language", "Language", FIELD_STRING), .allow_null = true},
    [PROFILE_LAST_NAME] = {FIELD("last_name", "Last Name", FIELD_STRING),
     .preset = PATH("$.traits.lastName")},
    [PROFILE_MARKED_EMAIL_AS_SPAM_AT] = {FIELD("marked_email_as_spam_at", "Marked Email as Spam At", FIELD_DATETIME), .allow_null = true},
    [PROFILE_PHONE] = {FIELD("phone", "Phone Number", FIELD_STRING), .allow_null = true,
     .preset = PATH("$.traits.phone")},
    [PROFILE_PUSH_SUBSCRIBE] = {FIELD("push_subscribe", "Push Subscribe", FIELD_STRING)},
    [PROFILE_PUSH_TOKENS] = {FIELD("push_tokens", "Push Tokens", FIELD_OBJECT), .multiple = true, FIELD_PARTS(push_tokens_fields)},
    [PROFILE_TIME_ZONE] = {FIELD("time_zone", "Time zone", FIELD_STRING)},
    [PROFILE_TWITTER] = {FIELD("twitter", "Twitter Attribution Data", FIELD_OBJECT), FIELD_PARTS(twitter_fields)},
    [PROFILE_SUBSCRIPTION_GROUPS] = {FIELD("subscription_groups", "Subscription Groups", FIELD_OBJECT), .multiple = true, FIELD_PARTS(subscription_groups_fields)},
    [PROFILE_CUSTOM_ATTRIBUTES] = {FIELD("custom_attributes", "Custom Attributes", FIELD_OBJECT),
     .preset = PATH("$.traits")},
    [PROFILE_UPDATE_EXISTING_ONLY] = {FIELD("_update_existing_only", "Update Existing Only", FIELD_BOOLEAN),
     .preset = "false"},
    [PROFILE_ENABLE_BATCHING] = {FIELD("enable_batching", "Batch Data to Braze", FIELD_BOOLEAN),
     .preset = "true"},
    [PROFILE_BATCH_SIZE] = {FIELD("batch_size", "Batch Size", FIELD_NUMBER),
     .preset = "75"},
};
/* clang-format on */

/* Custom attributes that never are one: identifiers and settings, by row; and by name what the
 * default mapping renames. The reference means its own fields here and takes those of
 * trackPurchase, which is where the last three come from. */
static const uint64_t omitted_rows =
    UINT64_C(1) << PROFILE_EXTERNAL_ID | UINT64_C(1) << PROFILE_USER_ALIAS |
    UINT64_C(1) << PROFILE_EMAIL | UINT64_C(1) << PROFILE_BRAZE_ID |
    UINT64_C(1) << PROFILE_ENABLE_BATCHING | UINT64_C(1) << PROFILE_BATCH_SIZE;
static const struct str omitted_names[] = {
    STR_INIT("firstName"), STR_INIT("lastName"), STR_INIT("avatar"),
    STR_INIT("_update_existing_only"), /* updateUserProfile2 has no row for it */
};
static const struct str strictly_omitted_names[] = {
    STR_INIT("time"),
    STR_INIT("products"),
    STR_INIT("properties"),
};

static bool is_omitted(const struct call *call, struct str name, int row)
{
    if (row >= 0 && (omitted_rows & (UINT64_C(1) << row)) != 0)
        return true;
    if (str_is_one_of(name, omitted_names, countof(omitted_names)))
        return true;
    return call->parity == PARITY_STRICT &&
           str_is_one_of(name, strictly_omitted_names, countof(strictly_omitted_names));
}

static struct jv gender_code(struct jv gender)
{
    static const struct {
        struct str word;
        struct str code;
    } codes[] = {
        {STR_INIT("man"), STR_INIT("M")},    {STR_INIT("male"), STR_INIT("M")},
        {STR_INIT("m"), STR_INIT("M")},      {STR_INIT("woman"), STR_INIT("F")},
        {STR_INIT("female"), STR_INIT("F")}, {STR_INIT("w"), STR_INIT("F")},
        {STR_INIT("f"), STR_INIT("F")},      {STR_INIT("other"), STR_INIT("O")},
        {STR_INIT("o"), STR_INIT("O")},      {STR_INIT("not applicable"), STR_INIT("N")},
        {STR_INIT("n"), STR_INIT("N")},      {STR_INIT("prefer not to say"), STR_INIT("P")},
        {STR_INIT("p"), STR_INIT("P")},
    };
    for (size_t i = 0; gender.type == JV_STRING && i < countof(codes); i++)
        if (str_eq_nocase(jv_str(gender), codes[i].word))
            return jv_string(codes[i].code);
    return gender;
}

enum { ASSIGNED_ROWS = PROFILE_SUBSCRIPTION_GROUPS + 1 };

/* The mapped fields as they are sent, by row. */
static int assign(const struct call *call, const struct jv *v, const struct identity *id,
                  struct arena *a, struct jv sent[ASSIGNED_ROWS])
{
    static const uint8_t dates[] = {PROFILE_DATE_OF_FIRST_SESSION, PROFILE_DATE_OF_LAST_SESSION,
                                    PROFILE_MARKED_EMAIL_AS_SPAM_AT};
    memcpy(sent, v, ASSIGNED_ROWS * sizeof(*sent));
    sent[PROFILE_EXTERNAL_ID] = id->external_id;
    sent[PROFILE_USER_ALIAS] = id->user_alias;
    sent[PROFILE_BRAZE_ID] = id->braze_id;
    sent[PROFILE_GENDER] = gender_code(v[PROFILE_GENDER]);
    if (v[PROFILE_CURRENT_LOCATION].len == 0)
        sent[PROFILE_CURRENT_LOCATION] = jv_undefined();
    if (v[PROFILE_SUBSCRIPTION_GROUPS].len == 0)
        sent[PROFILE_SUBSCRIPTION_GROUPS] = jv_undefined();
    for (size_t i = 0; i < countof(dates); i++)
        if (dates_iso(a, call->parity, v[dates[i]], &sent[dates[i]]) != 0)
            return -ENOMEM;
    return dates_day(a, call->parity, v[PROFILE_DOB], &sent[PROFILE_DOB]);
}

/* Custom attributes in their order; one named like a field holds the place of the field's value. */
static uint64_t put_custom(const struct call *call, struct jv_builder *b, struct jv custom,
                           const struct jv sent[ASSIGNED_ROWS])
{
    uint64_t placed = 0;
    for (uint32_t i = 0; custom.type == JV_OBJECT && i < custom.len; i++) {
        struct str name = custom.members[i].key;
        struct jv value = custom.members[i].value;
        int row = schema_find(call->schema, name);
        if (is_omitted(call, name, row))
            continue;
        if (row >= 0 && row < ASSIGNED_ROWS) {
            bool lost = call->parity == PARITY_STRICT && row != PROFILE_SUBSCRIPTION_GROUPS;
            placed |= UINT64_C(1) << row;
            if (lost || sent[row].type != JV_UNDEFINED)
                value = sent[row];
        }
        put(b, name, value);
    }
    return placed;
}

int profile_build(const struct call *call, const struct record *r, struct arena *a,
                  struct built *out)
{
    static const uint8_t head[] = {PROFILE_BRAZE_ID, PROFILE_EXTERNAL_ID, PROFILE_USER_ALIAS};
    const struct jv *v = r->values;
    struct identity *id = &out->users[0];
    out->user_count = 1;
    *id = (struct identity){
        .external_id = v[PROFILE_EXTERNAL_ID],
        .user_alias = identity_alias(a, v[PROFILE_USER_ALIAS]),
        .braze_id = v[PROFILE_BRAZE_ID],
        .email = v[PROFILE_EMAIL],
    };
    if (!identity_known(id))
        return action_refuse_anonymous(out);
    if (call->parity == PARITY_SAFE)
        identity_single_out(id, true);

    struct jv sent[ASSIGNED_ROWS];
    struct jv *objects = arena_array(a, 1, sizeof(*objects));
    if (objects == NULL || assign(call, v, id, a, sent) != 0)
        return -ENOMEM;
    struct jv custom = v[PROFILE_CUSTOM_ATTRIBUTES];
    struct jv_builder b;
    jv_object_begin(&b, a, (custom.type == JV_OBJECT ? custom.len : 0) + 12);
    uint64_t placed = put_custom(call, &b, custom, sent);
    for (size_t i = 0; i < countof(head); i++)
        put(&b, profile_fields[head[i]].key, sent[head[i]]);
    for (size_t row = PROFILE_COUNTRY; row < ASSIGNED_ROWS; row++)
        if ((placed & (UINT64_C(1) << row)) == 0)
            put(&b, profile_fields[row].key, sent[row]);
    put(&b, STR("_update_existing_only"),
        action_update_only(call, v[PROFILE_UPDATE_EXISTING_ONLY]));
    objects[0] = jv_object_end(&b);
    out->objects = objects;
    out->count = 1;
    return objects[0].type == JV_OBJECT ? 0 : -ENOMEM;
}
