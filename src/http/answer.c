#include "answer.h"

#include <stdlib.h>

#include "hash.h"

void answers_init(struct answers *answers)
{
    *answers = (struct answers){0};
    buf_init(&answers->key, ANSWER_CACHED_BYTES_MAX);
}

void answers_fini(struct answers *answers)
{
    for (size_t i = 0; i < ANSWER_CACHE_SLOTS; i++)
        answer_release(answers->slots[i]);
    buf_fini(&answers->key);
}

void answer_release(struct answer *answer)
{
    if (answer == NULL || --answer->uses > 0)
        return;
    MHD_destroy_response(answer->response);
    free(answer);
}

static struct MHD_Response *build_response(const struct http_header *headers, size_t header_count,
                                           struct str body)
{
    bool has_type = body.len == 0;
    struct MHD_Response *response = MHD_create_response_from_buffer(
        body.len, (void *)(uintptr_t)body.ptr, MHD_RESPMEM_MUST_COPY);
    if (response == NULL)
        return NULL;
    for (size_t i = 0; i < header_count; i++) {
        /* A refusal means bytes that HTTP cannot carry, in a value taken from a
         * client: the answer goes without it. */
        (void)MHD_add_response_header(response, headers[i].name, headers[i].value);
        has_type =
            has_type || str_eq_nocase(str_from(headers[i].name), STR(MHD_HTTP_HEADER_CONTENT_TYPE));
    }
    if (!has_type && MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                             "application/json") != MHD_YES) {
        MHD_destroy_response(response);
        return NULL;
    }
    return response;
}

/* Headers and body as one text that differs when they differ: names and values end with a NUL,
 * which none contains. Empty for an answer that is too long to keep. */
static struct str answer_key(struct answers *answers, const struct http_header *headers,
                             size_t header_count, struct str body)
{
    buf_reset(&answers->key);
    for (size_t i = 0; i < header_count; i++) {
        buf_append(&answers->key, (struct str){headers[i].name, strlen(headers[i].name) + 1});
        buf_append(&answers->key, (struct str){headers[i].value, strlen(headers[i].value) + 1});
    }
    buf_putc(&answers->key, '\0');
    buf_append(&answers->key, body);
    return answers->key.failed ? (struct str){NULL, 0} : buf_str(&answers->key);
}

static struct answer *build_answer(const struct http_header *headers, size_t header_count,
                                   struct str body, struct str key)
{
    struct answer *answer = malloc(sizeof(*answer) + key.len);
    if (answer == NULL)
        return NULL;
    answer->response = build_response(headers, header_count, body);
    if (answer->response == NULL) {
        free(answer);
        return NULL;
    }
    answer->uses = 1;
    answer->key_bytes = key.len;
    if (key.len > 0)
        memcpy(answer->key, key.ptr, key.len);
    return answer;
}

struct answer *answers_get(struct answers *answers, const struct http_header *headers,
                           size_t header_count, struct str body)
{
    struct str key = answer_key(answers, headers, header_count, body);
    if (key.len == 0)
        return build_answer(headers, header_count, body, key);
    struct answer **slot = &answers->slots[hash_str(key) % ANSWER_CACHE_SLOTS];
    struct answer *answer = *slot;
    if (answer == NULL || !str_eq((struct str){answer->key, answer->key_bytes}, key)) {
        answer = build_answer(headers, header_count, body, key);
        if (answer == NULL)
            return NULL;
        answer_release(*slot);
        *slot = answer;
    }
    answer->uses++;
    return answer;
}
