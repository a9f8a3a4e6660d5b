#include "envelope.h"

#include <assert.h>
#include <errno.h>

static void put_le(unsigned char *out, uint64_t number, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        out[i] = (unsigned char)(number >> (8 * i));
}

static uint64_t get_le(const unsigned char *in, size_t bytes)
{
    uint64_t number = 0;
    for (size_t i = bytes; i-- > 0;)
        number = number << 8 | in[i];
    return number;
}

static void write_head(struct buf *out, struct str source, struct str destination,
                       int64_t received_at_ms)
{
    unsigned char head[ENVELOPE_HEAD_BYTES] = {ENVELOPE_VERSION};
    assert(source.len <= SOURCE_ID_BYTES_MAX);
    assert(destination.len <= DESTINATION_ID_BYTES_MAX);
    if (destination.len > 0)
        head[0] = ENVELOPE_VERSION_ADDRESSED;
    put_le(head + 2, source.len, 2);
    put_le(head + 4, destination.len, 2);
    put_le(head + 8, (uint64_t)received_at_ms, 8);
    buf_append(out, (struct str){(const char *)head, sizeof(head)});
    buf_append(out, source);
    buf_append(out, destination);
}

void envelope_write_head(struct buf *out, struct str source, int64_t received_at_ms)
{
    write_head(out, source, STR(""), received_at_ms);
}

void envelope_write(struct buf *out, const struct envelope *e)
{
    write_head(out, e->source, e->destination, e->received_at_ms);
    buf_append(out, e->json);
}

int envelope_read(struct envelope *out, struct str record)
{
    const unsigned char *head = (const unsigned char *)record.ptr;
    if (record.len < ENVELOPE_HEAD_BYTES ||
        (head[0] != ENVELOPE_VERSION && head[0] != ENVELOPE_VERSION_ADDRESSED))
        return -EBADMSG;
    const bool is_addressed = head[0] == ENVELOPE_VERSION_ADDRESSED;
    const size_t source_end = ENVELOPE_HEAD_BYTES + get_le(head + 2, 2);
    const size_t destination_end = source_end + (is_addressed ? get_le(head + 4, 2) : 0);
    if (destination_end > record.len || (is_addressed && destination_end == source_end))
        return -EBADMSG;
    out->received_at_ms = (int64_t)get_le(head + 8, 8);
    out->source = str_slice(record, ENVELOPE_HEAD_BYTES, source_end);
    out->destination = str_slice(record, source_end, destination_end);
    out->json = str_slice(record, destination_end, record.len);
    return 0;
}
