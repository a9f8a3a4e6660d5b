#include "recent.h"

#include <stdlib.h>

#include "clock.h"
#include "jv.h"
#include "text.h"

enum { LINE_BYTES = 512 };

struct row {
    struct recent_request request; /* texts point into the bufs below */
    struct buf line;               /* method, path, fault */
    struct buf body;
    struct buf answer;
};

struct recent {
    struct row rows[RECENT_MAX];
    size_t next;
};

struct recent *recent_new(void)
{
    struct recent *r = calloc(1, sizeof(*r));
    for (size_t i = 0; r != NULL && i < RECENT_MAX; i++) {
        buf_init(&r->rows[i].line, LINE_BYTES);
        buf_init(&r->rows[i].body, RECENT_BODY_BYTES);
        buf_init(&r->rows[i].answer, RECENT_ANSWER_BYTES);
    }
    return r;
}

void recent_free(struct recent *r)
{
    for (size_t i = 0; r != NULL && i < RECENT_MAX; i++) {
        buf_fini(&r->rows[i].line);
        buf_fini(&r->rows[i].body);
        buf_fini(&r->rows[i].answer);
    }
    free(r);
}

void recent_clear(struct recent *r)
{
    for (size_t i = 0; i < RECENT_MAX; i++)
        r->rows[i].request = (struct recent_request){0};
}

static void keep(struct buf *out, struct str text, size_t bytes_max)
{
    buf_reset(out);
    buf_append(out, text_cut(text, bytes_max));
}

void recent_add(struct recent *r, const struct recent_request *request)
{
    struct row *row = &r->rows[r->next++ % RECENT_MAX];
    struct str method = text_cut(request->method, 16);
    struct str path = text_cut(request->path, LINE_BYTES / 2);
    keep(&row->line, method, LINE_BYTES);
    buf_append(&row->line, path);
    buf_append(&row->line, request->fault);
    keep(&row->body, request->body, RECENT_BODY_BYTES);
    keep(&row->answer, request->answer, RECENT_ANSWER_BYTES);
    row->request = *request;
    const char *at = row->line.ptr;
    row->request.method = (struct str){at, method.len};
    row->request.path = (struct str){at + method.len, path.len};
    row->request.fault =
        (struct str){at + method.len + path.len, row->line.len - method.len - path.len};
    row->request.body = buf_str(&row->body);
    row->request.answer = buf_str(&row->answer);
}

static void write_row(const struct row *row, struct buf *out)
{
    char at[ISO_TIME_BYTES];
    const struct recent_request *request = &row->request;
    iso_time(at, request->at_ms);
    buf_printf(out,
               "{\"number\":%llu,\"at\":\"%.*s\",\"status\":%u,\"data_points\":%llu,\"method\":",
               (unsigned long long)request->number, ISO_TIME_BYTES, at, request->status,
               (unsigned long long)request->points);
    jv_write_string(out, request->method);
    buf_append(out, STR(",\"path\":"));
    jv_write_string(out, request->path);
    buf_append(out, STR(",\"fault\":"));
    jv_write_string(out, request->fault);
    buf_printf(out, ",\"body_bytes\":%zu,\"body\":", row->request.body_bytes);
    jv_write_string(out, request->body);
    buf_append(out, STR(",\"answer\":"));
    jv_write_string(out, request->answer);
    buf_putc(out, '}');
}

void recent_write(const struct recent *r, struct buf *out, uint64_t after, size_t limit)
{
    size_t written = 0;
    buf_putc(out, '[');
    for (size_t i = 1; i <= RECENT_MAX && i <= r->next && written < limit; i++) {
        const struct row *row = &r->rows[(r->next - i) % RECENT_MAX];
        if (row->request.number <= after)
            continue;
        if (written++ > 0)
            buf_putc(out, ',');
        write_row(row, out);
    }
    buf_putc(out, ']');
}
