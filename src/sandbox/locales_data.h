/* locales_data: the reference lists of docs/spec/braze-rest-api.md §9 as tables. For locales.c
 * only. */
#ifndef SPELTER_SANDBOX_LOCALES_DATA_H
#define SPELTER_SANDBOX_LOCALES_DATA_H

#include "str.h"

struct zone_alias {
    struct str name; /* as the Rails framework writes it */
    struct str zone; /* IANA */
};

struct country {
    struct str alpha2;
    struct str alpha3;
    struct str name;
};

extern const struct str braze_currencies[];
extern const size_t braze_currencies_count;
extern const struct str other_currencies[];
extern const size_t other_currencies_count;
extern const struct str language_codes[];
extern const size_t language_codes_count;
extern const struct str zone_names[];
extern const size_t zone_names_count;
extern const struct zone_alias zone_aliases[];
extern const size_t zone_aliases_count;
extern const struct country countries[];
extern const size_t countries_count;

#endif
