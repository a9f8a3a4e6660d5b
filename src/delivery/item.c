#include "item.h"

static bool has_user(const struct item *item, struct user_key user)
{
    for (size_t i = 0; i < item->user_count; i++)
        if (item->users[i].hash == user.hash)
            return true;
    return false;
}

static size_t cohort_bytes(const struct cohort *cohort)
{
    return cohort == NULL ? 0 : sizeof(*cohort) + cohort->id.len + cohort->body.len;
}

struct item *item_new(struct stock *stock, const struct intent *intent, struct str text,
                      struct origin *origin, int64_t now_ms)
{
    struct item *item = stock_take(stock, sizeof(*item) + cohort_bytes(intent->cohort) + text.len +
                                              intent->path.len);
    if (item == NULL)
        return NULL;
    struct cohort *cohort = intent->cohort == NULL ? NULL : (struct cohort *)(item + 1);
    char *bytes = (char *)(item + 1) + (cohort == NULL ? 0 : sizeof(*cohort));
    *item = (struct item){
        .origin = origin,
        .cohort = cohort,
        .family = intent->family,
        .subscription = intent->subscription,
        .arrived_ms = now_ms,
    };
    item->text = str_place(&bytes, text);
    item->path = str_place(&bytes, intent->path);
    if (cohort != NULL) {
        *cohort = *intent->cohort;
        cohort->id = str_place(&bytes, intent->cohort->id);
        cohort->body = str_place(&bytes, intent->cohort->body);
    }
    for (size_t i = 0; i < intent->user_count; i++)
        if (!has_user(item, intent->users[i]))
            item->users[item->user_count++] = intent->users[i];
    return item;
}
