#include "inflate.h"

#include <errno.h>

enum {
    GZIP_WINDOW_BITS = 16 + MAX_WBITS, /* gzip framing only */
    STEP_BYTES =
        16 * 1024, /* room asked for at a time: memory follows the data, not its promises */
};

void inflater_fini(struct inflater *inflater)
{
    if (inflater->is_ready)
        inflateEnd(&inflater->stream);
    *inflater = (struct inflater){0};
}

static int start(struct inflater *inflater)
{
    if (inflater->is_ready)
        return inflateReset(&inflater->stream) == Z_OK ? 0 : -ENOMEM;
    if (inflateInit2(&inflater->stream, GZIP_WINDOW_BITS) != Z_OK)
        return -ENOMEM;
    inflater->is_ready = true;
    return 0;
}

/* Inflates into the free part of `out`: zlib's verdict, or Z_BUF_ERROR when the cap is reached. */
static int step(z_stream *stream, struct buf *out)
{
    size_t room = out->max - out->len;
    if (room > STEP_BYTES)
        room = STEP_BYTES;
    if (room == 0 || !buf_reserve(out, room))
        return room == 0 ? Z_BUF_ERROR : Z_MEM_ERROR;
    if (out->cap - out->len > room)
        room = out->cap - out->len;
    stream->next_out = (Bytef *)out->ptr + out->len;
    stream->avail_out = (uInt)room;
    int verdict = inflate(stream, Z_NO_FLUSH);
    out->len += room - stream->avail_out;
    return verdict;
}

/* One byte of room is lent beyond the cap to learn whether a body
 * that fills it exactly ends there. */
static bool has_ended(z_stream *stream)
{
    Bytef beyond;
    stream->next_out = &beyond;
    stream->avail_out = 1;
    return inflate(stream, Z_NO_FLUSH) == Z_STREAM_END && stream->avail_out == 1;
}

int inflate_gzip(struct inflater *inflater, struct buf *out, struct str compressed, struct err *err)
{
    z_stream *stream = &inflater->stream;
    if (start(inflater) != 0)
        return err_set(err, -ENOMEM, 0, "no memory to inflate a gzip body");
    stream->next_in = (Bytef *)(uintptr_t)compressed.ptr;
    stream->avail_in = (uInt)compressed.len;
    for (;;) {
        int verdict = step(stream, out);
        size_t at = compressed.len - stream->avail_in;
        if (verdict == Z_BUF_ERROR && out->len == out->max)
            verdict = has_ended(stream) ? Z_STREAM_END : Z_BUF_ERROR;
        switch (verdict) {
        case Z_OK:
            if (stream->avail_in > 0 || stream->avail_out == 0)
                continue;
            return err_set(err, -EBADMSG, at, "the gzip body is cut short after %zu bytes", at);
        case Z_STREAM_END:
            if (stream->avail_in == 0)
                return 0;
            if (inflateReset(stream) != Z_OK) /* the next member */
                return err_set(err, -ENOMEM, at, "no memory to inflate a gzip body");
            continue;
        case Z_MEM_ERROR:
            return err_set(err, -ENOMEM, at, "no memory to inflate a gzip body");
        case Z_BUF_ERROR:
            if (out->len == out->max)
                return err_set(err, -E2BIG, at,
                               "the gzip body inflates to more than the limit of %zu bytes",
                               out->max);
            return err_set(err, -EBADMSG, at, "the gzip body is cut short after %zu bytes", at);
        default:
            return err_set(err, -EBADMSG, at, "the gzip body is damaged at byte %zu", at);
        }
    }
}
