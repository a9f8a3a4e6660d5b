#include "sender.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include <curl/curl.h>

#include "links.h"
#include "trust.h"

enum {
    BODY_KEPT_BYTES_MAX = 256 * 1024, /* a slot gives the memory of larger bodies back */
    HEADER_BYTES_MAX = 1024,
    SYSTEM_CA_CACHE_S = 60, /* so that a CA newly installed on this machine is soon known */
};

struct slot {
    struct sender *sender;
    struct slot *next; /* while free */
    CURL *easy;
    struct buf body;
    struct buf answer;
    struct reply reply;
    void *user;
    char error[CURL_ERROR_SIZE];
};

struct sender {
    CURLM *multi;
    struct links links;
    struct slot *slots;
    unsigned slot_count;
    struct slot *free;
    struct slot *done; /* handed out by sender_next; free at the next call */
    unsigned inflight;
    struct curl_slist *headers;
    struct curl_slist *batch_headers;
    struct str ca_certificates;
    struct clock clock;
    size_t endpoint_len;
    char url[SENDER_ENDPOINT_BYTES_MAX + SENDER_PATH_BYTES_MAX +
             1]; /* the endpoint, then the path of the request at hand */
};

static size_t on_header(char *bytes, size_t size, size_t count, void *self)
{
    struct slot *slot = self;
    struct str line = {bytes, size * count};
    /* Each status line begins a new answer: what came before was a 1xx. */
    if (str_starts(line, STR("HTTP/"))) {
        reply_init(&slot->reply);
        links_heard(&slot->sender->links, slot->easy, monotonic_us());
    }
    reply_header(&slot->reply, line, clock_now_ms(slot->sender->clock) / 1000);
    return line.len;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *self)
{
    struct slot *slot = self;
    struct str text = {bytes, size * count};
    buf_append(&slot->answer, str_slice(text, 0, slot->answer.max - slot->answer.len));
    return text.len; /* the rest is read and forgotten, or the connection could not be kept */
}

/* The sender's CAs and no others, not even those of the system's folder. */
static bool trust_only(CURL *easy, struct str ca_certificates)
{
    struct curl_blob blob = {(void *)ca_certificates.ptr, ca_certificates.len, CURL_BLOB_NOCOPY};
    return curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) == CURLE_OK;
}

static bool setup_slot(struct slot *slot, const struct sender_options *options)
{
    struct {
        CURLoption option;
        long value;
    } numbers[] = {
        {CURLOPT_NOSIGNAL, 1},
        {CURLOPT_FOLLOWLOCATION, 0},
        {CURLOPT_SSL_VERIFYPEER, 1},
        {CURLOPT_SSL_VERIFYHOST, 2},
        {CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
        {CURLOPT_PROXY_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
        {CURLOPT_CA_CACHE_TIMEOUT, SYSTEM_CA_CACHE_S},
        {CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS},
        {CURLOPT_PIPEWAIT, 1},
        {CURLOPT_SUPPRESS_CONNECT_HEADERS, 1},
        {CURLOPT_CONNECTTIMEOUT_MS, (long)options->connect_timeout_ms},
        {CURLOPT_TIMEOUT_MS, (long)options->timeout_ms},
    };
    bool ok = true;
    for (size_t i = 0; i < countof(numbers); i++)
        ok = curl_easy_setopt(slot->easy, numbers[i].option, numbers[i].value) == CURLE_OK && ok;
    CURL *easy = slot->easy;
    ok = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK && ok;
    ok = curl_easy_setopt(easy, CURLOPT_USERAGENT, "Spelter/" SPELTER_VERSION) == CURLE_OK && ok;
    ok = curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK && ok;
    ok = curl_easy_setopt(easy, CURLOPT_HEADERDATA, slot) == CURLE_OK && ok;
    ok = curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK && ok;
    ok = curl_easy_setopt(easy, CURLOPT_WRITEDATA, slot) == CURLE_OK && ok;
    ok = curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, slot->error) == CURLE_OK && ok;
    ok = curl_easy_setopt(easy, CURLOPT_PRIVATE, slot) == CURLE_OK && ok;
    ok = links_watch(&slot->sender->links, easy) && ok;
    if (slot->sender->ca_certificates.len > 0)
        ok = trust_only(easy, slot->sender->ca_certificates) && ok;
    return ok;
}

static bool add_header(struct curl_slist **list, const char *text)
{
    struct curl_slist *longer = curl_slist_append(*list, text);
    if (longer != NULL)
        *list = longer;
    return longer != NULL;
}

/* `authorization` may be empty. "Expect:" without a value: a body goes out at once, without asking
 * first whether it may. */
static bool setup_headers(struct sender *s, const char *authorization)
{
    const char *const common[] = {"Content-Type: application/json", "Expect:", authorization};
    size_t count = authorization[0] == '\0' ? countof(common) - 1 : countof(common);
    bool ok = true;
    for (size_t i = 0; i < count; i++)
        ok = ok && add_header(&s->headers, common[i]) && add_header(&s->batch_headers, common[i]);
    return ok && add_header(&s->batch_headers, "X-Braze-Batch: true");
}

static bool is_header_text(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 0x7F)
            return false;
    return true;
}

static int check_options(const struct sender_options *options, struct err *err)
{
    struct str endpoint = options->endpoint;
    if (!str_starts(endpoint, STR("https://")) && !str_starts(endpoint, STR("http://")))
        return err_set(err, -EINVAL, 0, "endpoint \"%.*s\" is no http or https address",
                       STR_ARG(endpoint));
    if (!is_header_text(endpoint) || endpoint.len > SENDER_ENDPOINT_BYTES_MAX)
        return err_set(err, -EINVAL, 0, "the endpoint is too long or has control characters in it");
    if (!is_header_text(options->api_key) || options->api_key.len > HEADER_BYTES_MAX / 2)
        return err_set(err, -EINVAL, 0, "api_key is too long or has control characters in it");
    return 0;
}

static bool setup(struct sender *s, const struct sender_options *options)
{
    memcpy(s->url, options->endpoint.ptr, options->endpoint.len);
    s->endpoint_len = options->endpoint.len;
    struct buf authorization;
    buf_init(&authorization, HEADER_BYTES_MAX);
    buf_append(&authorization, options->api_key.len > 0 ? STR("Authorization: Bearer ") : STR(""));
    buf_append(&authorization, options->api_key);
    const char *text = buf_cstr(&authorization);
    bool ok = text != NULL && setup_headers(s, text);
    buf_fini(&authorization);
    if (options->ca_certificates.len > 0) {
        char *copy = malloc(options->ca_certificates.len);
        if (copy == NULL)
            return false;
        memcpy(copy, options->ca_certificates.ptr, options->ca_certificates.len);
        s->ca_certificates = (struct str){copy, options->ca_certificates.len};
    }

    s->multi = curl_multi_init();
    s->slots = calloc(options->requests_max, sizeof(*s->slots));
    ok = ok && s->multi != NULL && s->slots != NULL &&
         curl_multi_setopt(s->multi, CURLMOPT_MAXCONNECTS, (long)options->requests_max) == CURLM_OK;
    for (unsigned i = 0; ok && i < options->requests_max; i++) {
        struct slot *slot = &s->slots[s->slot_count++];
        slot->sender = s;
        slot->easy = curl_easy_init();
        buf_init(&slot->body, options->body_bytes_max);
        buf_init(&slot->answer, REPLY_BODY_BYTES_MAX);
        ok = slot->easy != NULL && setup_slot(slot, options);
        slot->next = s->free;
        s->free = slot;
    }
    return ok;
}

int sender_open(struct sender **out, const struct sender_options *options, struct err *err)
{
    assert(options->requests_max > 0);
    int rc = check_options(options, err);
    if (rc != 0)
        return rc;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return err_set(err, -ENOMEM, 0, "libcurl does not start");
    struct sender *s = calloc(1, sizeof(*s));
    if (s == NULL) {
        curl_global_cleanup();
        return err_set(err, -ENOMEM, 0, "no memory for the connections to Braze");
    }
    s->clock = options->clock;
    if (!setup(s, options)) {
        sender_close(s);
        return err_set(err, -ENOMEM, 0, "no memory for the connections to Braze");
    }
    *out = s;
    return 0;
}

void sender_close(struct sender *s)
{
    if (s == NULL)
        return;
    for (unsigned i = 0; i < s->slot_count; i++) {
        struct slot *slot = &s->slots[i];
        if (slot->easy != NULL && slot->user != NULL)
            curl_multi_remove_handle(s->multi, slot->easy);
        curl_easy_cleanup(slot->easy);
        buf_fini(&slot->body);
        buf_fini(&slot->answer);
    }
    free(s->slots);
    curl_multi_cleanup(s->multi);
    links_fini(&s->links);
    curl_slist_free_all(s->headers);
    curl_slist_free_all(s->batch_headers);
    free((char *)s->ca_certificates.ptr);
    free(s);
    curl_global_cleanup();
}

/* What sender_next handed out last is no longer looked at. */
static void recycle_done(struct sender *s)
{
    struct slot *slot = s->done;
    if (slot == NULL)
        return;
    s->done = NULL;
    if (slot->body.cap > BODY_KEPT_BYTES_MAX) {
        size_t max = slot->body.max;
        buf_fini(&slot->body);
        buf_init(&slot->body, max);
    }
    slot->next = s->free;
    s->free = slot;
}

bool sender_has_slot(const struct sender *s)
{
    return s->free != NULL || s->done != NULL;
}

unsigned sender_inflight(const struct sender *s)
{
    return s->inflight;
}

struct buf *sender_body(struct sender *s)
{
    recycle_done(s);
    assert(s->free != NULL);
    buf_reset(&s->free->body);
    return &s->free->body;
}

int sender_send(struct sender *s, const char *method, struct str path, bool is_batch, void *user)
{
    assert(s->free != NULL && user != NULL);
    assert(path.len <= SENDER_PATH_BYTES_MAX);
    struct slot *slot = s->free;
    if (slot->body.failed)
        return -ENOMEM;
    memcpy(s->url + s->endpoint_len, path.ptr, path.len);
    s->url[s->endpoint_len + path.len] = '\0';
    reply_init(&slot->reply);
    buf_reset(&slot->answer);
    slot->error[0] = '\0';
    CURL *easy = slot->easy;
    bool ok = curl_easy_setopt(easy, CURLOPT_URL, s->url) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)slot->body.len) ==
                   CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_POSTFIELDS, slot->body.ptr) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_HTTPHEADER,
                                is_batch ? s->batch_headers : s->headers) == CURLE_OK;
    if (!ok || curl_multi_add_handle(s->multi, easy) != CURLM_OK)
        return -ENOMEM;
    s->free = slot->next;
    slot->user = user;
    s->inflight++;
    return 0;
}

static void finish(struct slot *slot, CURLcode result, struct reply *reply)
{
    long status = 0;
    curl_off_t total_us = 0;
    curl_easy_getinfo(slot->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(slot->easy, CURLINFO_TOTAL_TIME_T, &total_us);
    *reply = slot->reply;
    reply->status = (int)status;
    reply->latency_us = total_us;
    reply->body = buf_str(&slot->answer);
    if (result == CURLE_OPERATION_TIMEDOUT)
        links_cut_silent(&slot->sender->links, slot->easy, monotonic_us() - total_us);
    reply->distrust = trust_advice(slot->easy, result);
    if (result != CURLE_OK)
        reply->trouble = slot->error[0] != '\0' ? slot->error : curl_easy_strerror(result);
}

void *sender_next(struct sender *s, struct reply *reply)
{
    recycle_done(s);
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(s->multi, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE)
            continue;
        CURLcode result = message->data.result; /* the message dies with remove_handle */
        CURL *easy = message->easy_handle;
        struct slot *slot = NULL;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &slot);
        assert(slot != NULL);
        finish(slot, result, reply);
        curl_multi_remove_handle(s->multi, easy);
        void *user = slot->user;
        slot->user = NULL;
        s->inflight--;
        s->done = slot;
        return user;
    }
    return NULL;
}

void sender_wait(struct sender *s, int timeout_ms)
{
    int running;
    curl_multi_poll(s->multi, NULL, 0, timeout_ms, NULL);
    curl_multi_perform(s->multi, &running);
}

void sender_wake(struct sender *s)
{
    curl_multi_wakeup(s->multi);
}
