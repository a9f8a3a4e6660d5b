#include "later.h"

#include <stdlib.h>

struct held {
    struct held *next;
    int64_t due_ms;
    uint64_t number;
    size_t method_bytes;
    size_t path_bytes;
    size_t body_bytes;
    char bytes[]; /* method, path, body */
};

struct later {
    struct held *first;
    struct held **end;
    size_t bytes;
};

struct later *later_new(void)
{
    struct later *l = calloc(1, sizeof(*l));
    if (l != NULL)
        l->end = &l->first;
    return l;
}

static size_t held_bytes(const struct held *held)
{
    return sizeof(*held) + held->method_bytes + held->path_bytes + held->body_bytes;
}

static struct held *pop(struct later *l)
{
    struct held *held = l->first;
    l->first = held->next;
    if (l->first == NULL)
        l->end = &l->first;
    l->bytes -= held_bytes(held);
    return held;
}

void later_clear(struct later *l)
{
    while (l->first != NULL)
        free(pop(l));
}

void later_free(struct later *l)
{
    if (l == NULL)
        return;
    later_clear(l);
    free(l);
}

bool later_add(struct later *l, const struct sandbox_request *request, uint64_t number,
               int64_t due_ms)
{
    struct held head = {.due_ms = due_ms,
                        .number = number,
                        .method_bytes = request->method.len,
                        .path_bytes = request->path.len,
                        .body_bytes = request->body.len};
    size_t bytes = held_bytes(&head);
    struct held *held = l->bytes + bytes > LATER_BYTES_MAX ? NULL : malloc(bytes);
    if (held == NULL)
        return false;
    *held = head;
    memcpy(held->bytes, request->method.ptr, request->method.len);
    memcpy(held->bytes + request->method.len, request->path.ptr, request->path.len);
    if (request->body.len > 0)
        memcpy(held->bytes + request->method.len + request->path.len, request->body.ptr,
               request->body.len);
    *l->end = held;
    l->end = &held->next;
    l->bytes += bytes;
    return true;
}

bool later_is_due(const struct later *l, int64_t now_ms, bool all)
{
    return l->first != NULL && (all || l->first->due_ms <= now_ms);
}

void later_take(struct later *l, struct arena *arena, struct sandbox_request *request,
                uint64_t *number)
{
    struct held *held = pop(l);
    struct str bytes = arena_copy(
        arena, (struct str){held->bytes, held->method_bytes + held->path_bytes + held->body_bytes});
    *request = (struct sandbox_request){
        .method = str_slice(bytes, 0, held->method_bytes),
        .path = str_slice(bytes, held->method_bytes, held->method_bytes + held->path_bytes),
        .body = str_slice(bytes, held->method_bytes + held->path_bytes, bytes.len),
    };
    *number = held->number;
    free(held);
}
