/*
 * config: the one YAML file, read into plain structs. One table (config.c) gives every key its
 * type, bounds, default and help; unknown keys are refused with the nearest known one.
 *
 * Secrets come from ${ENV} or file:PATH; a literal secret is accepted with a
 * warning. Immutable once read: any thread.
 */
#ifndef SPELTER_CONFIG_CONFIG_H
#define SPELTER_CONFIG_CONFIG_H

#include "buf.h"
#include "err.h"
#include "jv.h"

#include <stdint.h>

struct config;

enum source_kind { SOURCE_SEGMENT };
enum destination_kind { DESTINATION_BRAZE_CLOUD, DESTINATION_BRAZE_COHORTS };

struct source_config {
    struct str id;
    int64_t kind; /* enum source_kind */
    struct str write_key;
    bool enabled;
};

struct braze_settings {
    struct str endpoint;
    struct str ca_certificates; /* PEM, trusted instead of the system's; empty: the system's */

    /* DESTINATION_BRAZE_CLOUD */
    struct str api_key;
    struct str app_id; /* empty: none */

    /* DESTINATION_BRAZE_COHORTS */
    struct str client_secret;
    struct str partner_api_key;
    struct str partner;
};

struct destination_section {
    struct str id;
    int64_t kind; /* enum destination_kind */
    bool enabled;
    struct str *from; /* source ids; from_count 0: every source */
    size_t from_count;
    struct braze_settings settings;
    struct jv subscriptions; /* an array in Segment's form; undefined: the presets */
    int64_t parity;          /* enum parity of destination.h */
    int64_t batching;        /* enum batching of pack.h */
    int64_t batch_objects;   /* the kind's default when it is not written */
    int64_t batch_wait_ms;
    int64_t connections;
    int64_t timeout_ms;
    int64_t give_up_after_ms; /* 0: never */
    int64_t rate_count;       /* requests ... 0: Braze's documented limit */
    int64_t rate_per_ms;      /* ... per this long */
    struct jv whole;          /* the section as written: did a reload change it? */
    char path[64];            /* "/destinations/0": where it stands, for messages */
};

struct journal_section {
    int64_t size_bytes;
    int64_t keep_ms; /* delivered events stay this long, for replay */
};

struct limits_section {
    int64_t event_bytes;
    int64_t batch_bytes;
    int64_t connections;
    int64_t idle_timeout_ms;
    int64_t request_memory_bytes;
    int64_t dedupe_messages;
};

struct config_values {
    struct str listen;
    struct str data;
    bool accept_unknown_keys;
    struct journal_section journal;
    struct limits_section limits;
    struct source_config *sources;
    size_t source_count;
    struct destination_section *destinations;
    size_t destination_count;
};

/* Reads and checks everything but the mappings themselves (destination_compile does
 * those). On refusal err->msg is the whole line for the user: "FILE:LINE: what, and
 * what was expected". -ENOENT, -EACCES, -EINVAL. */
int config_read(struct config **out, const char *path, struct err *err)
    __attribute__((warn_unused_result));

/* The same from text; `name` stands for the file in messages and
 * relative file: paths start at its folder. */
int config_parse(struct config **out, const char *name, struct str text, struct err *err)
    __attribute__((warn_unused_result));
void config_free(struct config *c); /* NULL is fine */

const struct config_values *config_values(const struct config *c);

/* Things to mend that are no errors (literal secrets), each a whole line for the user. */
size_t config_warning_count(const struct config *c);
const char *config_warning(const struct config *c, size_t i);

/* Turns an error at a place inside the config into the line for the user: "FILE:LINE: text". `path`
 * as in err->path, below `base` ("/destinations/0"). */
void config_locate(const struct config *c, const char *base, const struct err *why,
                   struct err *err);

/* Every key with its type, default and help, as text for the manual. */
void config_describe(struct buf *out);

#endif
