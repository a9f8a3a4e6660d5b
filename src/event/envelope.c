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

void envelope_write_head(struct buf *out, struct str source, int64_t received_at_ms)
{
    unsigned char head[ENVELOPE_HEAD_BYTES] = {ENVELOPE_VERSION};
    assert(source.len <= SOURCE_ID_BYTES_MAX);
    put_le(head + 2, source.len, 2);
    put_le(head + 8, (uint64_t)received_at_ms, 8);
    buf_append(out, (struct str){(const char *)head, sizeof(head)});
    buf_append(out, source);
}

void envelope_write(struct buf *out, const struct envelope *e)
{
    envelope_write_head(out, e->source, e->received_at_ms);
    buf_append(out, e->json);
}

int envelope_read(struct envelope *out, struct str record)
{
    const unsigned char *head = (const unsigned char *)record.ptr;
    if (record.len < ENVELOPE_HEAD_BYTES || head[0] != ENVELOPE_VERSION)
        return -EBADMSG;
    size_t source_bytes = get_le(head + 2, 2);
    if (source_bytes > record.len - ENVELOPE_HEAD_BYTES)
        return -EBADMSG;
    out->received_at_ms = (int64_t)get_le(head + 8, 8);
    out->source = (struct str){record.ptr + ENVELOPE_HEAD_BYTES, source_bytes};
    out->json = str_slice(record, ENVELOPE_HEAD_BYTES + source_bytes, record.len);
    return 0;
}
