/*
 * group: requests that become durable together.
 *
 *     request --group_add--> open group --group_submit--> committer (one fsync) --> answered
 *
 * While one group is being committed the next one fills, so the slower the disk, the
 * larger the groups: many clients share each fsync and nobody waits for a timer. A request
 * gets its 200 only after its group is on disk.
 *
 * Listener thread only, except what the store calls back (apply and done, on the committer).
 */
#ifndef SPELTER_SERVER_GROUP_H
#define SPELTER_SERVER_GROUP_H

#include "clock.h"
#include "dead.h"
#include "dedupe.h"
#include "http.h"
#include "journal.h"

struct groups;

/* What one request leaves behind. All text is copied. */
struct group_item {
    const struct str *records;          /* envelopes for the journal */
    const struct hash128 *fingerprints; /* one a record */
    size_t record_count;
    const struct str *letters; /* dead letters of what was discarded */
    size_t letter_count;
    bool has_duplicates; /* some event was left out because an earlier request brought it */
};

struct groups_metrics {
    struct counter records;       /* durable */
    struct counter refused_full;  /* requests answered 503 because there was no room */
    struct gauge waiting;         /* requests waiting for their fsync */
    struct gauge full;            /* 1: the newest commit failed, clients get 503 */
    struct histogram ack_latency; /* request's head received to answered */
};

struct groups_options {
    struct store *store;
    struct journal *journal;
    struct dead *dead;
    struct dedupe *dedupe;    /* NULL: repeats are not looked for */
    struct http_server *http; /* woken when a group is done */
    struct clock clock;
};

int groups_open(struct groups **out, const struct groups_options *options)
    __attribute__((warn_unused_result));

/* Waits for what is in flight; requests still waiting are forgotten, not answered. */
void groups_close(struct groups *g);

/* Joins the open group: the request is answered with `status` and `body` (static, or in
 * its arena) once durable, or with 503 if that fails. A request with duplicates also
 * waits for the groups that may hold the first copies, and shares their failure.
 * -ENOMEM: nothing was added, and the caller answers. */
int group_add(struct groups *g, struct http_request *request, const struct group_item *item,
              unsigned status, const struct http_header *headers, size_t header_count,
              struct str body) __attribute__((warn_unused_result));

/* The client left before its answer. Its records stay: they may be durable already. */
void group_forget(struct groups *g, struct http_request *request);

/* Hands the open group to the committer when it is not empty and not too many are on their way.
 * group_add does it for a group that is full. */
void groups_submit(struct groups *g);

/* Answers the requests of every group whose outcome is known. */
void groups_answer(struct groups *g);

bool groups_idle(const struct groups *g); /* nothing open, nothing in flight */
const struct groups_metrics *groups_metrics(const struct groups *g);

#endif
