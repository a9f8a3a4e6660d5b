/*
 * command: what a command of the program is, as data. Parsing, --help, the man page and the shell
 * completions all come from the one table in main.c, so they cannot disagree.
 */
#ifndef SPELTER_CLI_COMMAND_H
#define SPELTER_CLI_COMMAND_H

#include "buf.h"
#include "err.h"

#include <stdint.h>

/* Exit codes: docs and scripts rely on them. */
enum { EXIT_DONE = 0, EXIT_USER = 1, EXIT_ENVIRONMENT = 2 };

enum option_kind {
    OPTION_FLAG,  /* bool */
    OPTION_TEXT,  /* const char *, borrowed from argv */
    OPTION_COUNT, /* int64_t, not negative */
};

struct option_row {
    const char *name; /* long form without the dashes */
    char letter;      /* short form or 0 */
    enum option_kind kind;
    const char *argument; /* "FILE"; NULL for flags */
    size_t offset;        /* in the command's argument struct */
    bool required;
    const char *help;
};

struct command {
    const char *name;     /* "dead list": two words for a command of a family */
    const char *operands; /* "MESSAGE_ID", "" when it takes none */
    unsigned operands_min;
    unsigned operands_max;
    const char *summary; /* one line */
    const char *details; /* paragraphs for --help and the manual; "" when the summary says it all */
    const struct option_row *options;
    size_t option_count;
    size_t args_bytes; /* of the argument struct; at most COMMAND_ARGS_BYTES_MAX */
    int (*run)(const void *args, int operand_count, char **operands); /* returns an exit code */

    /* Instead of run and options: the command reads them itself, argv[0] is its own name. */
    int (*main)(int argc, char **argv);

    /* Beside main: calls back with each of its options, dashes included; `value` is NULL for a
     * flag. */
    void (*each_option)(void (*on_option)(void *self, const char *name, const char *value,
                                          const char *about),
                        void *self);
};

enum { COMMAND_ARGS_BYTES_MAX = 256, COMMAND_OPTIONS_MAX = 24 };

/* Parses argv (after the command's name) and runs it. */
int command_run(const struct command *command, int argc, char **argv);

void command_help(const struct command *command, struct buf *out);

/* Of a first word that several names share, as in "dead": their overview. False when none has it.
 */
bool commands_family_help(const struct command *commands, size_t count, const char *word,
                          struct buf *out);

/* All commands: overview, man page (roff), completions for bash, zsh and fish. */
void commands_help(const struct command *commands, size_t count, struct buf *out);
void commands_manual(const struct command *commands, size_t count, struct buf *out);
int commands_completion(const struct command *commands, size_t count, const char *shell,
                        struct buf *out);

/* "spelter: TEXT" on stderr; returns `code`, so that a refusal is one statement. */
int complain(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* EXIT_USER for what the user can mend (-EINVAL, -ENOENT, ...), else
 * EXIT_ENVIRONMENT; prints err->msg. */
int complain_err(const struct err *err);

/* A bar on standard error, when that is a terminal; a new line follows the last one. */
void show_progress(const char *what, uint64_t done, uint64_t all);

/* Writes to standard output, all of it, and flushes. */
int print_out(struct buf *out);

#endif
