/*
 * keys: reads an object of a config into a struct, by a table of keys.
 *
 * A row gives a key its kind, place in the struct, bounds, default and help; the reader, the
 * messages and the manual all come from it. Unknown keys are refused with the nearest known one.
 */
#ifndef SPELTER_CONFIG_KEYS_H
#define SPELTER_CONFIG_KEYS_H

#include "arena.h"
#include "buf.h"
#include "err.h"
#include "jv.h"

#include <stdint.h>

enum key_kind {
    KEY_TEXT,     /* struct str; ${ENV} is filled in */
    KEY_SECRET,   /* struct str; ${ENV}, file:PATH, or a literal with a warning */
    KEY_BOOL,     /* bool */
    KEY_COUNT,    /* int64_t in [min, max] */
    KEY_BYTES,    /* int64_t, "10MB" */
    KEY_DURATION, /* int64_t milliseconds, "4h" */
    KEY_RATE,     /* two int64_t: count at offset, milliseconds at offset_count; "3000/3s" */
    KEY_CHOICE,   /* int64_t, index into choices */
    KEY_NAMES,    /* struct str * at offset, size_t at offset_count; a list of texts */
    KEY_SECTION,  /* a nested struct, by `table` */
    KEY_VARIANT,  /* the same, by one of `tables`: that of what the key `variant_of` says */
    KEY_LIST,     /* pointer at offset, size_t at offset_count; each item a struct by `table` */
    KEY_VALUE,    /* struct jv, as it is; file:PATH reads JSON from there */
    KEY_FILE,     /* struct str, the content of the file named; max: its bytes */
};

struct key_table {
    const struct key *keys;
    size_t count;
    size_t bytes; /* of the struct that it fills */
};

struct key {
    struct str name;
    enum key_kind kind;
    size_t offset;
    size_t offset_count;
    bool required;
    const char *preset; /* the default, in the form a user would write; NULL: zero */
    int64_t min;
    int64_t max;
    const struct str *choices; /* ends with an empty str */
    const struct key_table *table;
    struct str variant_of;                 /* a KEY_CHOICE of the same table */
    const struct key_table *const *tables; /* one for each of its choices */
    const char *help;
};

struct key_reader {
    struct arena *arena;
    const char *folder; /* relative file: paths start here */
    void (*on_warning)(void *self, const char *path, const char *text);
    void *self;
};

enum { KEY_PATH_BYTES = 160, SECRET_BYTES_MAX = 4096 };

/* Fills *out (zeroed first) from `object`. On refusal err->path is
 * the place and err->msg the sentence. */
int keys_read(const struct key_reader *reader, const struct key_table *table, struct jv object,
              const char *path, void *out, struct err *err) __attribute__((warn_unused_result));

/* The table as indented text: key, kind, default, help. */
void keys_describe(const struct key_table *table, unsigned indent, struct buf *out);

#endif
