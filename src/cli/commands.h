/* commands: one file a command; main.c has their table. Each takes its
 * argument struct and returns an exit code. */
#ifndef SPELTER_CLI_COMMANDS_H
#define SPELTER_CLI_COMMANDS_H

#include "command.h"

struct check_args {
    const char *config;
    bool json;
};
int check_run(const void *args, int operand_count, char **operands);

struct run_args {
    const char *config;
    bool verbose;
};
int run_run(const void *args, int operand_count, char **operands);

struct map_args {
    const char *config;
    const char *destination;
};
int map_run(const void *args, int operand_count, char **operands);

struct import_args {
    const char *output;   /* NULL: standard output */
    const char *batching; /* NULL: combined */
    bool force;
};
int import_segment_run(const void *args, int operand_count, char **operands);

struct demo_args {
    int64_t events;
    const char *data;
    bool keep;
};
int demo_run(const void *args, int operand_count, char **operands);

struct dead_args {
    const char *config;
    const char *data;
    const char *destination;
    int64_t limit;
    bool json;
};
int dead_list_run(const void *args, int operand_count, char **operands);
int dead_show_run(const void *args, int operand_count, char **operands);

struct dead_change_args {
    const char *config;
    const char *destination;
    bool all;
    bool yes;
    bool json;
};
int dead_retry_run(const void *args, int operand_count, char **operands);
int dead_drop_run(const void *args, int operand_count, char **operands);

struct destination_args {
    const char *config;
    bool json;
    bool yes;
};
int destination_list_run(const void *args, int operand_count, char **operands);
int destination_forget_run(const void *args, int operand_count, char **operands);

#endif
