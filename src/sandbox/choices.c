#include "choices.h"

#include <errno.h>
#include <stdio.h>

#include "text.h"

#define S(text) STR_INIT(text)

/* clang-format off */
const struct choice_row choice_rows[CHOICE_COUNT] = {
    [CHOICE_CONTRACT] = {S("contract"), {S("data-points"), S("mau"), S("per-minute"), S("per-hour")}, .about = "rate limit of /users/track: 3,000 per 3 s; by the hour with a burst limit; the published limits of before, 50,000 a minute and 250,000 an hour"},
    [CHOICE_OBJECT_LIMIT] = {S("object-limit"), {S("combined"), S("per-array")}, .about = "75 objects a request over the three arrays, or 75 in each"},
    [CHOICE_ERROR_TYPE] = {S("error-type"), {S("text"), S("enumeration")}, .about = "what errors[].type holds: the sentence seen on the wire or the documented name"},
    [CHOICE_INVALID_EMAIL] = {S("invalid-email"), {S("reject"), S("ignore")}, .about = "a bad email beside another identifier rejects the object, or only the field is left out"},
    [CHOICE_UNAUTHORIZED_BODY] = {S("unauthorized-body"), {S("plain"), S("echo")}, .about = "body of a 401: without or with the key that was sent"},
    [CHOICE_CONTENT_TYPE] = {S("content-type"), {S("enforce"), S("ignore")}, .about = "415 for a body that is not application/json"},
    [CHOICE_COUNT_REJECTED] = {S("count-rejected"), {S("yes"), S("no")}, .about = "whether a call answered with 400 counts against its rate limit"},
    [CHOICE_EXPORT_STATUS] = {S("export-status"), {S("201"), S("200")}, .about = "success status of /users/export/ids"},
    [CHOICE_EXPORT_FIELDS] = {S("export-fields"), {S("optional"), S("required")}, .about = "whether /users/export/ids needs fields_to_export, as for workspaces since August 2024"},
    [CHOICE_EXPORT_RATE] = {S("export-rate"), {S("250"), S("2500")}, .about = "requests a minute to /users/export/ids, new or old workspaces"},
    [CHOICE_LEGACY_API_KEY] = {S("legacy-api-key"), {S("refuse"), S("accept")}, .about = "api_key in the body or the query instead of the header"},
    [CHOICE_CURRENCY_CASE] = {S("currency-case"), {S("strict"), S("lenient")}, .about = "a lower-case currency is refused, or read as upper case"},
    [CHOICE_EVENT_DOLLAR] = {S("event-dollar"), {S("accept"), S("reject")}, .about = "event names that start with $"},
    [CHOICE_EVENT_RESERVED] = {S("event-reserved"), {S("two"), S("six")}, .about = "reserved property names of events: time and event_name, or the purchase's names too"},
    [CHOICE_EVENT_ALIAS_CREATES] = {S("event-alias"), {S("honour-false"), S("update-only")}, .about = "whether _update_existing_only: false creates an alias-only profile for events and purchases"},
    [CHOICE_STRING_LIMIT] = {S("string-limit"), {S("479-bytes"), S("255-characters")}, .about = "where names and string values are cut"},
    [CHOICE_PURCHASE_PROPERTIES] = {S("purchase-properties"), {S("50kb"), S("100kb")}, .about = "size limit of a purchase's properties"},
    [CHOICE_ARRAY_KEEPS] = {S("array-keeps"), {S("last"), S("first")}, .about = "which elements stay when an array is set longer than its maximum"},
    [CHOICE_ARRAY_MAX] = {S("array-max"), .number = 500, .number_min = 0, .number_max = 500, .about = "elements of an array attribute"},
    [CHOICE_EMAIL_CHANGE] = {S("email-change"), {S("inherit"), S("resubscribe")}, .about = "email state after a new address: that of the profile which has it already, or always subscribed"},
    [CHOICE_LOCALE_POINTS] = {S("locale-points"), {S("billed"), S("free")}, .about = "data points of country and language"},
    [CHOICE_PURCHASE_POINTS] = {S("purchase-points"), {S("per-quantity"), S("once")}, .about = "data points of a purchase"},
    [CHOICE_ADD_REMOVE_POINTS] = {S("add-remove-points"), .number = 1, .number_min = 1, .number_max = 2, .about = "data points of an array operation with both add and remove"},
    [CHOICE_IDENTIFY_COUNTS] = {S("identify-counts"), {S("per-array"), S("aliases-only")}, .about = "count keys in the answer of /users/identify"},
    [CHOICE_CONSISTENCY_MS] = {S("consistency-ms"), .number = 0, .number_min = 0, .number_max = 600000, .about = "how long writes stay invisible, in milliseconds"},
    [CHOICE_MAU_HOURLY] = {S("mau-hourly"), .number = 250000, .number_min = 1, .number_max = 1000000000, .about = "requests an hour with contract=mau"},
    [CHOICE_MAU_BURST] = {S("mau-burst"), .number = 3000, .number_min = 1, .number_max = 1000000000, .about = "requests per 3 s with contract=mau"},
};
/* clang-format on */

void choices_init(struct choices *c)
{
    for (int i = 0; i < CHOICE_COUNT; i++)
        c->values[i] = choice_rows[i].words[0].len > 0 ? 0 : choice_rows[i].number;
}

static int unknown_name(struct str name, struct err *err)
{
    struct str names[CHOICE_COUNT];
    for (int i = 0; i < CHOICE_COUNT; i++)
        names[i] = choice_rows[i].name;
    struct str nearest = str_nearest(name, names, countof(names));
    if (nearest.len == 0)
        return err_set(err, -EINVAL, 0, "no choice is called '%.*s'", STR_ARG(name));
    return err_set(err, -EINVAL, 0, "no choice is called '%.*s'; did you mean '%.*s'?",
                   STR_ARG(name), STR_ARG(nearest));
}

static int set_number(const struct choice_row *row, struct str value, long *out, struct err *err)
{
    int64_t number;
    if (!text_to_i64(value, &number) || number < row->number_min || number > row->number_max)
        return err_set(err, -EINVAL, 0, "%.*s: '%.*s' is no number from %ld to %ld",
                       STR_ARG(row->name), STR_ARG(value), row->number_min, row->number_max);
    *out = (long)number;
    return 0;
}

int choices_set(struct choices *c, struct str name, struct str value, struct err *err)
{
    for (int i = 0; i < CHOICE_COUNT; i++) {
        const struct choice_row *row = &choice_rows[i];
        if (!str_eq(row->name, name))
            continue;
        if (row->words[0].len == 0)
            return set_number(row, value, &c->values[i], err);
        char words[128] = "";
        size_t used = 0;
        for (long w = 0; w < CHOICE_WORDS_MAX && row->words[w].len > 0; w++) {
            if (str_eq(row->words[w], value)) {
                c->values[i] = w;
                return 0;
            }
            used += (size_t)snprintf(words + used, sizeof(words) - used, "%s%.*s",
                                     w == 0 ? "" : ", ", STR_ARG(row->words[w]));
        }
        return err_set(err, -EINVAL, 0, "%.*s: '%.*s' is not one of %s", STR_ARG(name),
                       STR_ARG(value), words);
    }
    return unknown_name(name, err);
}
