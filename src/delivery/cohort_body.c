#include "cohort_body.h"

#include <assert.h>

/* What stands around the ids of one family: an element of cohort_changes. */
/* clang-format off */
static const struct frame {
    struct str before, after;
} frames[] = {
    [FAMILY_COHORT_ADD_USER]      = {STR_INIT("{\"user_ids\":["), STR_INIT("],\"device_ids\":[],\"aliases\":[]}")},
    [FAMILY_COHORT_ADD_DEVICE]    = {STR_INIT("{\"user_ids\":[],\"device_ids\":["), STR_INIT("],\"aliases\":[]}")},
    [FAMILY_COHORT_ADD_ALIAS]     = {STR_INIT("{\"user_ids\":[],\"device_ids\":[],\"aliases\":["), STR_INIT("]}")},
    [FAMILY_COHORT_REMOVE_USER]   = {STR_INIT("{\"user_ids\":["),
                                     STR_INIT("],\"device_ids\":[],\"aliases\":[],\"should_remove\":true}")},
    [FAMILY_COHORT_REMOVE_DEVICE] = {STR_INIT("{\"user_ids\":[],\"device_ids\":["),
                                     STR_INIT("],\"aliases\":[],\"should_remove\":true}")},
    [FAMILY_COHORT_REMOVE_ALIAS]  = {STR_INIT("{\"user_ids\":[],\"device_ids\":[],\"aliases\":["),
                                     STR_INIT("],\"should_remove\":true}")},
};
/* clang-format on */

static void begin(struct buf *out, struct str keys)
{
    buf_putc(out, '{');
    buf_append(out, keys);
    buf_putc(out, ',');
}

void cohort_body_make(struct parcel *b, struct buf *out, struct str keys)
{
    struct str body = parcel_any(b)->cohort->body;
    parcel_describe(b);
    b->manifest.has_keys = true;
    begin(out, keys);
    buf_append(out, str_slice(body, 1, body.len));
}

void cohort_body_change(struct parcel *b, struct buf *out, struct str keys)
{
    const struct frame *frame = NULL;
    parcel_describe(b);
    b->manifest.has_keys = true;
    begin(out, keys);
    buf_append(out, parcel_any(b)->cohort->id);
    buf_append(out, STR(",\"cohort_changes\":["));
    for (unsigned i = 0; i < b->manifest.object_count; i++) {
        const struct item *item = b->items[b->sent[i]];
        const struct frame *next = &frames[item->family];
        assert(item->family >= FAMILY_COHORT_ADD_USER);
        if (frame != NULL && frame != next)
            buf_append(out, frame->after);
        if (frame != NULL)
            buf_putc(out, ',');
        if (frame != next)
            buf_append(out, next->before);
        frame = next;
        buf_append(out, item->text);
    }
    assert(frame != NULL);
    buf_append(out, frame->after);
    buf_append(out, STR("]}"));
}
