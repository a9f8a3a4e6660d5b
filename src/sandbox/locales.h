/* locales: currencies, languages, countries, time zones as Braze knows them
 * (docs/spec/braze-rest-api.md §9), and the shapes of email addresses and phone numbers. */
#ifndef SPELTER_SANDBOX_LOCALES_H
#define SPELTER_SANDBOX_LOCALES_H

#include "arena.h"
#include "str.h"

enum currency_form {
    CURRENCY_UNKNOWN,
    CURRENCY_BRAZE, /* in the list of Braze's SDKs */
    CURRENCY_OTHER, /* ISO 4217, but not in that list */
};

/* Upper case only. */
enum currency_form currency_find(struct str code);

/* The listed code of "en", "EN-us", "pt_BR"; empty when there is none. */
struct str language_find(struct str text);

/* The alpha-2 code of "AU", "aus", "Australia"; empty when there is none. */
struct str country_find(struct str text);

/* An IANA name, or one of the Rails names. */
bool time_zone_is(struct str text);

bool email_is(struct str text);

/* E.164 ("+15551234567") in the arena, or empty when the number is no such thing: a plus with 7 to
 * 15 digits, or 10 digits, or 11 with a leading 1, which are read as American. Everything but
 * digits is stripped first. */
struct str phone_normal(struct arena *a, struct str text);

#endif
