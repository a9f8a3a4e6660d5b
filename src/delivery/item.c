#include "item.h"

static bool has_user(const struct item *item, struct user_key user)
{
    for (size_t i = 0; i < item->user_count; i++)
        if (item->users[i].hash == user.hash)
            return true;
    return false;
}

struct item *item_new(struct stock *stock, const struct intent *intent, struct str text,
                      struct origin *origin, int64_t now_ms)
{
    struct item *item = stock_take(stock, sizeof(*item) + text.len + intent->path.len);
    if (item == NULL)
        return NULL;
    char *bytes = (char *)(item + 1);
    *item = (struct item){
        .origin = origin,
        .text = {bytes, text.len},
        .path = {bytes + text.len, intent->path.len},
        .family = intent->family,
        .subscription = intent->subscription,
        .arrived_ms = now_ms,
    };
    memcpy(bytes, text.ptr, text.len);
    if (intent->path.len > 0)
        memcpy(bytes + text.len, intent->path.ptr, intent->path.len);
    for (size_t i = 0; i < intent->user_count; i++)
        if (!has_user(item, intent->users[i]))
            item->users[item->user_count++] = intent->users[i];
    return item;
}
