/* main: the table of commands. Help, manual and completions are printed from it. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "config.h"
#include "sandbox_main.h"

#define CONFIG_OPTION(type)                                                                        \
    {                                                                                              \
        .name = "config", .letter = 'c', .kind = OPTION_TEXT, .argument = "FILE",                  \
        .offset = offsetof(struct type, config), .required = true, .help = "the config file"       \
    }

/* clang-format off */
static const struct option_row run_options[] = {
    CONFIG_OPTION(run_args),
    {"verbose", 'v', OPTION_FLAG, NULL, offsetof(struct run_args, verbose), false, "log more"},
};

static const struct option_row check_options[] = {
    CONFIG_OPTION(check_args),
    {"json", 0, OPTION_FLAG, NULL, offsetof(struct check_args, json), false, "the findings as one JSON object"},
};

static const struct option_row map_options[] = {
    CONFIG_OPTION(map_args),
    {"destination", 'd', OPTION_TEXT, "ID", offsetof(struct map_args, destination), false, "only this destination"},
};

static const struct option_row import_options[] = {
    {"output", 'o', OPTION_TEXT, "FILE", offsetof(struct import_args, output), false, "write the config there instead of to standard output"},
    {"force", 'f', OPTION_FLAG, NULL, offsetof(struct import_args, force), false, "overwrite FILE"},
    {"batching", 0, OPTION_TEXT, "MODE", offsetof(struct import_args, batching), false, "combined (default) or per_action"},
};

static const struct option_row demo_options[] = {
    {"events", 'n', OPTION_COUNT, "COUNT", offsetof(struct demo_args, events), false, "how many events to send (default 2000)"},
    {"data", 0, OPTION_TEXT, "DIR", offsetof(struct demo_args, data), false, "keep the journal there instead of a temporary folder"},
    {"wait", 'w', OPTION_FLAG, NULL, offsetof(struct demo_args, keep), false, "keep running until interrupted, to look around"},
};

#define DEAD_DATA_OPTIONS                                                                          \
    {"config", 'c', OPTION_TEXT, "FILE", offsetof(struct dead_args, config), false, "the config file, for its data folder"}, \
    {"data", 0, OPTION_TEXT, "DIR", offsetof(struct dead_args, data), false, "the data folder itself; needs no config and no secrets"}

static const struct option_row dead_list_options[] = {
    DEAD_DATA_OPTIONS,
    {"destination", 'd', OPTION_TEXT, "ID", offsetof(struct dead_args, destination), false, "only this destination's"},
    {"limit", 'n', OPTION_COUNT, "COUNT", offsetof(struct dead_args, limit), false, "at most so many (default 100)"},
    {"json", 0, OPTION_FLAG, NULL, offsetof(struct dead_args, json), false, "whole letters, one JSON object a line"},
};

static const struct option_row dead_show_options[] = {
    DEAD_DATA_OPTIONS,
};

#define DEAD_CHANGE_OPTIONS                                                                        \
    CONFIG_OPTION(dead_change_args),                                                               \
    {"all", 'a', OPTION_FLAG, NULL, offsetof(struct dead_change_args, all), false, "every dead letter, instead of IDs"}, \
    {"destination", 'd', OPTION_TEXT, "ID", offsetof(struct dead_change_args, destination), false, "only this destination's"}, \
    {"json", 0, OPTION_FLAG, NULL, offsetof(struct dead_change_args, json), false, "what was done as one JSON object: events, letters, refused, unknown"}

static const struct option_row dead_retry_options[] = {
    DEAD_CHANGE_OPTIONS,
    {"yes", 'y', OPTION_FLAG, NULL, offsetof(struct dead_change_args, yes), false, "also more than one event"},
};

static const struct option_row dead_drop_options[] = {
    DEAD_CHANGE_OPTIONS,
    {"yes", 'y', OPTION_FLAG, NULL, offsetof(struct dead_change_args, yes), false, "do it: what is dropped is gone for good"},
};

static const struct option_row destination_list_options[] = {
    CONFIG_OPTION(destination_args),
    {"json", 0, OPTION_FLAG, NULL, offsetof(struct destination_args, json), false, "one JSON object a line"},
};

static const struct option_row destination_forget_options[] = {
    CONFIG_OPTION(destination_args),
    {"yes", 'y', OPTION_FLAG, NULL, offsetof(struct destination_args, yes), false, "also when that gives up events"},
};

enum { DEAD_IDS_MAX = 1000 }; /* on one command line */

#define OPTIONS(rows) .options = rows, .option_count = countof(rows)
#define ARGS(type)    .args_bytes = sizeof(struct type)

static const struct command commands[] = {
    {"run", "", 0, 0, "the server", "SIGHUP reads the config again; a bad one is refused and the old one stays.\nSIGTERM finishes what is in flight and exits 0. GET /healthz and GET /metrics tell how it is.",
     OPTIONS(run_options), ARGS(run_args), run_run},
    {"check", "", 0, 0, "check a config and every mapping in it", "Errors read FILE:LINE: what is wrong, and what was expected. Exit code 1 when there is one.",
     OPTIONS(check_options), ARGS(check_args), check_run},
    {"map", "", 0, 0, "show what would be sent for events on standard input", "Reads canonical events, one JSON object a line. Prints for each one line:\n{\"requests\":[{\"method\",\"url\",\"headers\",\"json\"}],\"skipped\":[...],\"errors\":[...]}. Sends nothing.\nAn event is taken as it stands: without receivedAt or timestamp, which the server adds to what SDKs\nsend, a mapping that reads them finds nothing.",
     OPTIONS(map_options), ARGS(map_args), map_run},
    {"import segment", "DIR-OR-FILE...", 1, 64, "a config out of what Segment's Public API says of its Braze destinations",
     "Reads answers of GET /destinations, /destinations/ID/subscriptions, /destination/ID/filters and\n/sources as they are, from files or all *.json of a folder, and writes a config for 'spelter check'.\nMappings come over as they are, under parity: strict. Secrets become ${ENV}. What cannot come over is\nnamed on standard error. 'combined' batching puts what one user has ready into one request: fewer\nrequests, the same objects; 'per_action' sends each mapping's objects apart, as Segment does.",
     OPTIONS(import_options), ARGS(import_args), import_segment_run},
    {"dead list", "", 0, 0, "dead letters: what was given up on, and why", "Works beside a running server.",
     OPTIONS(dead_list_options), ARGS(dead_args), dead_list_run},
    {"dead show", "ID", 1, 1, "one dead letter, whole", "Prints one JSON object: the reason, the object that Braze did not take, and the event it came from.",
     OPTIONS(dead_show_options), ARGS(dead_args), dead_show_run},
    {"dead retry", "[ID...]", 0, DEAD_IDS_MAX, "send the events of dead letters again",
     "An event goes into the journal again, for its letter's destination alone, and is mapped with the mapping\nof now; all letters about it are gone. It is sent whole: objects of it that Braze had taken go once more.\nWhat is given up again makes new letters. What was refused on arrival was no event and cannot go again.\nWorks beside a running server and without one.",
     OPTIONS(dead_retry_options), ARGS(dead_change_args), dead_retry_run},
    {"dead drop", "[ID...]", 0, DEAD_IDS_MAX, "remove dead letters for good", "Exactly the letters that are named. Works beside a running server and without one.",
     OPTIONS(dead_drop_options), ARGS(dead_change_args), dead_drop_run},
    {"destination list", "", 0, 0, "the destinations that have a place in the journal, and what each has not delivered", "Also those that left the config: their place is kept, and with it every event from there on.\nWorks beside a running server.",
     OPTIONS(destination_list_options), ARGS(destination_args), destination_list_run},
    {"destination forget", "ID", 1, 1, "give up the place of a destination that left the config", "What it has not delivered is then kept for the others only. Works beside a running server that has\nread the config again, and without one. An ID that comes back later begins with what arrives then.",
     OPTIONS(destination_forget_options), ARGS(destination_args), destination_forget_run},
    {"demo", "", 0, 0, "a server, a local Braze and sample events: shows what arrives", "Needs no config, no account, no network.",
     OPTIONS(demo_options), ARGS(demo_args), demo_run},
    {.name = "sandbox", .operands = "", .summary = "a local Braze: its REST API, limits and profiles, and faults on demand", .details = "",
     .main = sandbox_main, .each_option = sandbox_main_options},
};
/* clang-format on */

/* Two words ("dead list") before one. Sets *words to how many of argv name it. */
static const struct command *find_command(int argc, char **argv, int *words)
{
    char two[64] = "";
    if (argc > 2)
        snprintf(two, sizeof(two), "%s %s", argv[1], argv[2]);
    for (size_t i = 0; i < countof(commands); i++) {
        *words = strcmp(commands[i].name, two) == 0 ? 2 : 1;
        if (*words == 2 || strcmp(commands[i].name, argv[1]) == 0)
            return &commands[i];
    }
    return NULL;
}

/* "dead" alone, or with a word that is no name: which second words there are. False when it is no
 * such first word. */
static bool lacks_second_word(int argc, char **argv)
{
    struct buf seconds;
    buf_init(&seconds, 1024);
    for (size_t i = 0; i < countof(commands); i++) {
        struct str name = str_from(commands[i].name);
        size_t space = str_find(name, ' ');
        if (space < name.len && str_eq(str_slice(name, 0, space), str_from(argv[1])))
            buf_printf(&seconds, "%s'%s'", seconds.len == 0 ? "" : " or ", commands[i].name);
    }
    bool is_family = seconds.len > 0 && buf_cstr(&seconds) != NULL;
    if (is_family && argc > 2 && argv[2][0] != '-')
        complain(EXIT_USER, "unknown command '%s %s', expected %s", argv[1], argv[2],
                 buf_cstr(&seconds));
    else if (is_family)
        complain(EXIT_USER, "'%s' wants a second word: %s", argv[1], buf_cstr(&seconds));
    buf_fini(&seconds);
    return is_family;
}

static int unknown_command(int argc, char **argv)
{
    struct str names[countof(commands)];
    for (size_t i = 0; i < countof(commands); i++)
        names[i] = str_from(commands[i].name);
    char text[64];
    snprintf(text, sizeof(text), "%s%s%s", argv[1], argc > 2 && argv[2][0] != '-' ? " " : "",
             argc > 2 && argv[2][0] != '-' ? argv[2] : "");
    struct str near = argc > 2 ? str_nearest(str_from(text), names, countof(names)) : STR("");
    if (near.len == 0 && lacks_second_word(argc, argv))
        return EXIT_USER;
    if (near.len == 0)
        near = str_nearest(str_from(argv[1]), names, countof(names));
    if (near.len > 0)
        return complain(EXIT_USER, "unknown command '%s', did you mean '%.*s'?", text,
                        STR_ARG(near));
    return complain(EXIT_USER, "unknown command '%s' ('spelter --help' lists them)", text);
}

/* "help run", "help dead list", "help dead" and "dead --help". -1: nothing has this name. */
static int help_about(int argc, char **argv, struct buf *out)
{
    char option[] = "--help";
    char *words_of_main[] = {argv[1], option, NULL};
    int words;
    const struct command *command = find_command(argc, argv, &words);
    if (command != NULL && command->main != NULL)
        return command->main(2, words_of_main);
    if (command != NULL)
        command_help(command, out);
    else if (argc > 2 || !commands_family_help(commands, countof(commands), argv[1], out))
        return -1;
    return print_out(out);
}

static bool is_help_option(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* --help, help config, manual, completions: what is printed from the table. -1: none of these. */
static int print_meta(int argc, char **argv)
{
    struct buf out;
    int code = -1;
    const char *word = argc > 1 ? argv[1] : "--help";
    buf_init(&out, 1 << 20);
    if (is_help_option(word) || (strcmp(word, "help") == 0 && argc == 2)) {
        commands_help(commands, countof(commands), &out);
    } else if (strcmp(word, "help") == 0 && strcmp(argv[2], "config") == 0) {
        config_describe(&out);
    } else if (strcmp(word, "help") == 0) {
        code = help_about(argc - 1, argv + 1, &out);
        if (code < 0)
            code = unknown_command(argc - 1, argv + 1);
    } else if (argc == 3 && is_help_option(argv[2]) &&
               commands_family_help(commands, countof(commands), word, &out)) {
        /* "dead --help" */
    } else if (strcmp(word, "--version") == 0) {
        buf_append(&out, STR("spelter " SPELTER_VERSION "\n"));
    } else if (strcmp(word, "manual") == 0) {
        commands_manual(commands, countof(commands), &out);
    } else if (strcmp(word, "completions") == 0) {
        if (argc < 3 || commands_completion(commands, countof(commands), argv[2], &out) != 0)
            code = complain(EXIT_USER, "completions: expected bash, zsh or fish");
    } else {
        goto out;
    }
    if (code < 0)
        code = print_out(&out);
    if (code == EXIT_DONE && argc < 2)
        code = EXIT_USER; /* no command at all */
out:
    buf_fini(&out);
    return code;
}

int main(int argc, char **argv)
{
    int words = 1;
    int code = print_meta(argc, argv);
    if (code >= 0)
        return code;
    const struct command *command = find_command(argc, argv, &words);
    if (command == NULL)
        return unknown_command(argc, argv);
    return command_run(command, argc - words, argv + words);
}
