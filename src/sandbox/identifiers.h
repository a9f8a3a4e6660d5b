/* identifiers: whom an object means (docs/spec/braze-rest-api.md §2.2, §2.3), and picking one of
 * several (§4.1). */
#ifndef SPELTER_SANDBOX_IDENTIFIERS_H
#define SPELTER_SANDBOX_IDENTIFIERS_H

#include "call.h"
#include "errors.h"

enum { EXTERNAL_ID_BYTES_MAX = 987, ALIAS_BYTES_MAX = 236, BLOCKED_NAMES_MAX = 20000 };

enum who_kind {
    WHO_EXTERNAL_ID,
    WHO_ALIAS,
    WHO_BRAZE_ID,
    WHO_EMAIL,
    WHO_PHONE,
    WHO_TOKENS, /* a push token import names nobody */
};

struct who {
    enum who_kind kind;
    struct str text;  /* as sent; of an alias its name */
    struct str label; /* of an alias */
    struct str key;   /* as indexed */
    bool creates;     /* a profile when there is none */
};

/* Reads the identifier of one track object. ERROR_NONE and *who, or why the object is refused. */
enum object_error who_read(struct call *c, struct jv object, bool is_attributes, struct who *who);

/* The profile, found or created. NULL: none, which is noted; or no memory (profiles_failed). *error
 * is set when the profile is one of those that take no more input. */
struct profile *who_resolve(struct call *c, const struct who *who, enum object_error *error);

/* {"external_id": "u1"}, as it was sent. */
void who_write(struct call *c, const struct who *who, struct jv_builder *out);

/* The profile of an external id, current or renamed; NULL: none. */
struct profile *find_external_id(struct call *c, struct str id);
struct profile *find_alias(struct call *c, struct str label, struct str name);

/* A text or whole number as text; empty when it is neither. */
struct str id_text(struct call *c, struct jv value);

/* "alias_name" and "alias_label" of an alias object: both non-empty texts of at most
 * ALIAS_BYTES_MAX bytes. */
enum object_error alias_read(struct jv alias, struct str *label, struct str *name);

/* The rule for several profiles with one address: the newest with an external id, else the newest.
 * PROFILE_NONE: none. */
uint32_t address_pick(struct call *c, enum key_kind kind, struct str key);

/* The rule of a prioritization array: exactly one candidate must be left, or PROFILE_NONE. */
uint32_t address_prioritize(struct call *c, enum key_kind kind, struct str key, struct jv order);

/* Non-empty, known words, at most one of identified and unidentified. */
bool prioritization_is(struct jv order);

#endif
