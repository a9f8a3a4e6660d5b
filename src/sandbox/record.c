#include "record.h"

#include <errno.h>

#include "text.h"

void record_pack(struct buf *out, const struct profile *p, uint64_t updated)
{
    buf_reset(out);
    buf_putc(out, '[');
    jv_write_string(out, p->braze_id);
    buf_putc(out, ',');
    jv_write_string(out, p->external_id);
    buf_printf(out, ",%lld,%lld,%llu,%u", (long long)p->created_ms, (long long)p->updated_ms,
               (unsigned long long)updated, p->random_bucket);
    for (int i = 0; i < SECTION_COUNT; i++) {
        buf_putc(out, ',');
        struct jv section = profile_section(p, (enum section)i);
        if (section.len == 0)
            buf_putc(out, '0');
        else
            jv_write(out, section);
    }
    buf_putc(out, ']');
}

enum { FIELDS_BEFORE_SECTIONS = 6 };

int record_unpack(struct profile *p, struct arena *a, struct str record, uint64_t *updated)
{
    struct jv fields;
    struct err err = {0};
    int rc = jv_parse(&fields, a, record, JV_EXACT, &err);
    if (rc != 0)
        return rc == -ENOMEM ? rc : -EBADMSG;
    if (fields.type != JV_ARRAY || fields.len != FIELDS_BEFORE_SECTIONS + SECTION_COUNT)
        return -EBADMSG;
    int64_t numbers[4];
    for (uint32_t i = 0; i < countof(numbers); i++)
        if (!number_is_i64(fields.items[2 + i], &numbers[i]))
            return -EBADMSG;
    p->braze_id = jv_str(fields.items[0]);
    p->external_id = jv_str(fields.items[1]);
    p->created_ms = numbers[0];
    p->updated_ms = numbers[1];
    *updated = (uint64_t)numbers[2];
    p->random_bucket = (uint32_t)numbers[3];
    for (uint32_t i = 0; i < SECTION_COUNT; i++)
        p->sections[i] = fields.items[FIELDS_BEFORE_SECTIONS + i];
    return 0;
}
