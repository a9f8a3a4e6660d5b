#include "merge.h"

#include "events.h"
#include "text.h"

bool merge_shares_label(const struct profile *a, const struct profile *b)
{
    struct jv aliases = profile_section(a, SECTION_ALIASES);
    for (uint32_t i = 0; i < aliases.len; i++)
        if (profile_get(b, SECTION_ALIASES, aliases.members[i].key).type != JV_UNDEFINED)
            return true;
    return false;
}

/* What the target lacks. Its own values stay: arrays and objects are whole values too. */
static void fill(struct profile *from, struct profile *into, enum section section)
{
    struct jv all = profile_section(from, section);
    for (uint32_t i = 0; i < all.len; i++)
        if (profile_get(into, section, all.members[i].key).type == JV_UNDEFINED)
            profile_put(into, section, all.members[i].key, all.members[i].value);
}

enum date_rule { DATE_EARLIER, DATE_LATER };

/* Dates are ISO texts in one form, so they compare as texts. */
static void merge_date(struct profile *from, struct profile *into, struct str field,
                       enum date_rule rule)
{
    struct jv theirs = profile_get(from, SECTION_STANDARD, field);
    struct jv ours = profile_get(into, SECTION_STANDARD, field);
    if (theirs.type != JV_STRING || ours.type != JV_STRING)
        return;
    int order = str_cmp(jv_str(theirs), jv_str(ours));
    if (rule == DATE_EARLIER ? order < 0 : order > 0)
        profile_put(into, SECTION_STANDARD, field, theirs);
}

static void merge_occurrences(struct call *c, struct profile *from, struct profile *into,
                              enum section section)
{
    struct jv all = profile_section(from, section);
    for (uint32_t i = 0; i < all.len; i++) {
        int64_t first;
        int64_t last;
        int64_t count;
        struct jv row = all.members[i].value;
        if (row.type != JV_ARRAY || row.len != 3 || !number_is_i64(row.items[0], &first) ||
            !number_is_i64(row.items[1], &last) || !number_is_i64(row.items[2], &count))
            continue;
        count_occurrence(c, into, section, all.members[i].key, first, 0);
        count_occurrence(c, into, section, all.members[i].key, last, count);
    }
}

static void merge_commerce(struct profile *from, struct profile *into)
{
    struct jv all = profile_section(from, SECTION_COMMERCE);
    for (uint32_t i = 0; i < all.len; i++) {
        struct str name = all.members[i].key;
        struct jv ours = profile_get(into, SECTION_COMMERCE, name);
        double theirs = jv_as_double(all.members[i].value);
        if (ours.type != JV_NUMBER)
            profile_put(into, SECTION_COMMERCE, name, all.members[i].value);
        else if (str_eq(name, STR("first_purchase")))
            profile_put(into, SECTION_COMMERCE, name,
                        theirs < jv_as_double(ours) ? all.members[i].value : ours);
        else if (str_eq(name, STR("last_purchase")))
            profile_put(into, SECTION_COMMERCE, name,
                        theirs > jv_as_double(ours) ? all.members[i].value : ours);
        else
            add_commerce(into, name, theirs);
    }
}

void merge_profiles(struct call *c, struct profile *from, struct profile *into)
{
    assert(from != into);
    /* The source's keys go first: an alias or a token belongs to one profile at a time. */
    profile_remove(from);
    merge_date(from, into, STR("date_of_first_session"), DATE_EARLIER);
    merge_date(from, into, STR("date_of_last_session"), DATE_LATER);
    fill(from, into, SECTION_STANDARD);
    fill(from, into, SECTION_CUSTOM);
    fill(from, into, SECTION_GROUPS);
    fill(from, into, SECTION_CARTS);
    fill(from, into, SECTION_COHORTS);
    fill(from, into, SECTION_TOKENS);
    fill(from, into, SECTION_ALIASES);
    merge_occurrences(c, from, into, SECTION_EVENTS);
    merge_occurrences(c, from, into, SECTION_PRODUCTS);
    merge_commerce(from, into);
    profile_take_history(into, from);
    profile_touch(into);
}
