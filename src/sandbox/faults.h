/*
 * faults: trouble on demand. Rules are tried in the order they were given; the first that fits a
 * request decides.
 *
 *     status=503,times=3,path=/users/track     drop,probability=0.1     latency=50..200
 * reset,bytes=17     read-bytes-per-s=1000
 *
 * One thread; repeatable by seed.
 */
#ifndef SPELTER_SANDBOX_FAULTS_H
#define SPELTER_SANDBOX_FAULTS_H

#include "buf.h"
#include "err.h"
#include "jv.h"
#include "str.h"

#include <stdint.h>

enum { FAULT_RULES_MAX = 64, FAULT_TEXT_BYTES = 512, FAULT_DELAY_MS_MAX = 3600 * 1000 };

/* kind, name, is the request carried out before the trouble begins */
#define FAULT_KINDS(X)                                                                             \
    X(FAULT_STATUS, "status", false)      /* answer with any status instead */                     \
    X(FAULT_HANG, "hang", false)          /* never answer */                                       \
    X(FAULT_RESET, "reset", false)        /* reset the connection after `bytes` bytes of body */   \
    X(FAULT_DROP, "drop", true)           /* carry it out, then reset: what makes duplicates */    \
    X(FAULT_TRUNCATE, "truncate", true)   /* a whole answer whose JSON ends after `bytes` bytes */ \
    X(FAULT_GARBAGE, "garbage", true)     /* a success whose body is a proxy's HTML page */        \
    X(FAULT_LATENCY, "latency", true)     /* answer late */                                        \
    X(FAULT_SLOW_READ, "slow-read", true) /* read the bodies of all requests slowly */

enum fault_kind {
#define X(kind, name, applies) kind,
    FAULT_KINDS(X)
#undef X
        FAULT_KIND_COUNT
};

struct faults;

struct faults *faults_new(uint64_t seed); /* NULL: no memory */
void faults_free(struct faults *f);
void faults_clear(struct faults *f);
size_t faults_count(const struct faults *f);
void faults_cut(struct faults *f, size_t count); /* takes back all rules after the first `count` */

/* Adds one rule: "status=503,times=3". -EINVAL: err says what was expected; -ENOSPC:
 * FAULT_RULES_MAX reached. */
int faults_add_text(struct faults *f, struct str text, struct err *err)
    __attribute__((warn_unused_result));

/* Adds one rule from {"kind":"status","status":503,"times":3}. */
int faults_add_json(struct faults *f, struct jv rule, struct err *err)
    __attribute__((warn_unused_result));

/* What happens to this request. */
struct fault {
    bool active;
    enum fault_kind kind;
    bool apply;            /* carry the request out first */
    unsigned status;       /* FAULT_STATUS, or the status of FAULT_RESET's half answer */
    size_t bytes;          /* FAULT_RESET, FAULT_DROP, FAULT_TRUNCATE */
    int64_t delay_ms;      /* of all latency rules that fit, also without another fault */
    int64_t retry_after_s; /* -1: no such header */
    struct str body; /* FAULT_STATUS: empty means {"message": reason}; lives as long as the rule */
};
struct fault faults_pick(struct faults *f, struct str path);

/* Bytes a second at which the bodies of the next requests are to be read: of the first slow-read
 * rule that is active. 0: as fast as they come. A body is read before faults_pick can look at its
 * request, so these rules have neither a path nor a probability. */
size_t faults_read_rate(const struct faults *f);

struct str fault_kind_name(enum fault_kind kind);

/* Appends the rules with what is left of them, as a JSON array. */
void faults_write(const struct faults *f, struct buf *out);

#endif
