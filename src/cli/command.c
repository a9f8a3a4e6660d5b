#include "command.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HELP_COLUMN = 28, OPTION_VALUE_BASE = 256, BAR_CELLS = 30 };

int complain(int code, const char *format, ...)
{
    va_list args;
    fputs("spelter: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return code;
}

int complain_err(const struct err *err)
{
    switch (-err->code) {
    case EINVAL:
    case E2BIG:
    case ENOENT:
    case EISDIR:
    case ENOTDIR:
        return complain(EXIT_USER, "%s", err->msg);
    default:
        return complain(EXIT_ENVIRONMENT, "%s", err->msg);
    }
}

void show_progress(const char *what, uint64_t done, uint64_t all)
{
    if (!isatty(STDERR_FILENO))
        return;
    int cells = all == 0 ? BAR_CELLS : (int)(done * BAR_CELLS / all);
    fprintf(stderr, "\r%-10s [%.*s%*s] %llu of %llu%s", what, cells,
            "##############################", BAR_CELLS - cells, "", (unsigned long long)done,
            (unsigned long long)all, done >= all ? "\n" : "");
}

int print_out(struct buf *out)
{
    if (out->failed)
        return complain(EXIT_ENVIRONMENT, "out of memory");
    size_t written = out->len == 0 ? 0 : fwrite(out->ptr, 1, out->len, stdout);
    if (written != out->len || fflush(stdout) != 0)
        return complain(EXIT_ENVIRONMENT, "cannot write to standard output: %s", strerror(errno));
    return EXIT_DONE;
}

static int store_value(const struct option_row *row, char *args, const char *text)
{
    switch (row->kind) {
    case OPTION_FLAG:
        *(bool *)(void *)(args + row->offset) = true;
        return EXIT_DONE;
    case OPTION_TEXT:
        *(const char **)(void *)(args + row->offset) = text;
        return EXIT_DONE;
    case OPTION_COUNT: {
        char *end;
        errno = 0;
        long long number = strtoll(text, &end, 10);
        if (errno != 0 || end == text || *end != '\0' || number < 0)
            return complain(EXIT_USER, "--%s is '%s', expected a whole number of 0 or more",
                            row->name, text);
        *(int64_t *)(void *)(args + row->offset) = number;
        return EXIT_DONE;
    }
    }
    return EXIT_DONE;
}

static const struct option_row *row_of(const struct command *command, int value)
{
    if (value >= OPTION_VALUE_BASE)
        return &command->options[value - OPTION_VALUE_BASE];
    for (size_t i = 0; i < command->option_count; i++)
        if (command->options[i].letter == value)
            return &command->options[i];
    return NULL;
}

static int print_help(const struct command *command)
{
    struct buf help;
    buf_init(&help, 1 << 20);
    command_help(command, &help);
    int code = print_out(&help);
    buf_fini(&help);
    return code;
}

static int unknown_option(const struct command *command, const char *given)
{
    struct str names[COMMAND_OPTIONS_MAX];
    for (size_t i = 0; i < command->option_count; i++)
        names[i] = str_from(command->options[i].name);
    struct str text = str_from(given);
    struct str near = str_starts(text, STR("--"))
                          ? str_nearest(str_slice(text, 2, text.len), names, command->option_count)
                          : STR("");
    if (near.len > 0)
        return complain(EXIT_USER, "unknown option '%s', did you mean '--%.*s'?", given,
                        STR_ARG(near));
    return complain(EXIT_USER, "unknown option '%s' (see 'spelter %s --help')", given,
                    command->name);
}

/* Fills args from argv; *operand is where the operands start.
 * Returns an exit code, or -1 to go on. */
static int parse_options(const struct command *command, int argc, char **argv, char *args,
                         bool *given, int *operand)
{
    struct option longs[COMMAND_OPTIONS_MAX + 2] = {0};
    char letters[2 * COMMAND_OPTIONS_MAX + 4] = ":h";
    size_t at = 2;
    assert(command->option_count <= COMMAND_OPTIONS_MAX);
    for (size_t i = 0; i < command->option_count; i++) {
        const struct option_row *row = &command->options[i];
        int has_arg = row->kind == OPTION_FLAG ? no_argument : required_argument;
        longs[i] = (struct option){row->name, has_arg, NULL, OPTION_VALUE_BASE + (int)i};
        if (row->letter != 0) {
            letters[at++] = row->letter;
            if (has_arg == required_argument)
                letters[at++] = ':';
        }
    }
    longs[command->option_count] = (struct option){"help", no_argument, NULL, 'h'};

    int value;
    optind = 0; /* glibc: start anew */
    while ((value = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
        if (value == 'h')
            return print_help(command);
        if (value == ':')
            return complain(EXIT_USER, "%s wants a value (see 'spelter %s --help')",
                            argv[optind - 1], command->name);
        const struct option_row *row = value == '?' ? NULL : row_of(command, value);
        if (row == NULL)
            return unknown_option(command, argv[optind - 1]);
        given[row - command->options] = true;
        int code = store_value(row, args, optarg);
        if (code != EXIT_DONE)
            return code;
    }
    *operand = optind;
    return -1;
}

int command_run(const struct command *command, int argc, char **argv)
{
    if (command->main != NULL)
        return command->main(argc, argv);
    _Alignas(max_align_t) char args[COMMAND_ARGS_BYTES_MAX] = {0};
    bool given[COMMAND_OPTIONS_MAX] = {false};
    int operand = 0;
    assert(command->args_bytes <= sizeof(args));
    int code = parse_options(command, argc, argv, args, given, &operand);
    if (code >= 0)
        return code;
    for (size_t i = 0; i < command->option_count; i++)
        if (command->options[i].required && !given[i])
            return complain(EXIT_USER, "%s: --%s %s is missing (%s)", command->name,
                            command->options[i].name, command->options[i].argument,
                            command->options[i].help);
    unsigned operands = (unsigned)(argc - operand);
    if (operands < command->operands_min)
        return complain(EXIT_USER, "%s: %s is missing (see 'spelter %s --help')", command->name,
                        command->operands, command->name);
    if (operands > command->operands_max)
        return complain(EXIT_USER, "%s: '%s' is one operand too many (see 'spelter %s --help')",
                        command->name, argv[operand + (int)command->operands_max], command->name);
    return command->run(args, (int)operands, argv + operand);
}

static void put_option(const struct option_row *row, struct buf *out)
{
    size_t from = out->len;
    buf_append(out, STR("  "));
    if (row->letter != 0)
        buf_printf(out, "-%c, ", row->letter);
    else
        buf_append(out, STR("    "));
    buf_printf(out, "--%s", row->name);
    if (row->argument != NULL)
        buf_printf(out, " %s", row->argument);
    do
        buf_putc(out, ' ');
    while (!out->failed && out->len - from < HELP_COLUMN);
    buf_printf(out, "%s%s\n", row->help, row->required ? " (required)" : "");
}

static void put_usage(const struct command *command, struct buf *out)
{
    buf_printf(out, "spelter %s", command->name);
    for (size_t i = 0; i < command->option_count; i++)
        if (command->options[i].required)
            buf_printf(out, " --%s %s", command->options[i].name, command->options[i].argument);
    buf_printf(out, " [OPTION...]%s%s", command->operands[0] == '\0' ? "" : " ", command->operands);
}

void command_help(const struct command *command, struct buf *out)
{
    static const struct option_row help = {
        .name = "help", .letter = 'h', .kind = OPTION_FLAG, .help = "this text"};
    buf_printf(out, "%s\n\nUsage: ", command->summary);
    put_usage(command, out);
    buf_append(out, STR("\n\nOptions:\n"));
    for (size_t i = 0; i < command->option_count; i++)
        put_option(&command->options[i], out);
    put_option(&help, out);
    if (command->details[0] != '\0')
        buf_printf(out, "\n%s\n", command->details);
}

/* Whether the command's name is of two words, the first of which is this. */
static bool is_of_family(const struct command *command, const char *word)
{
    size_t len = strlen(word);
    return strncmp(command->name, word, len) == 0 && command->name[len] == ' ';
}

bool commands_family_help(const struct command *commands, size_t count, const char *word,
                          struct buf *out)
{
    bool found = false;
    for (size_t i = 0; i < count; i++) {
        if (!is_of_family(&commands[i], word))
            continue;
        if (!found)
            buf_printf(out, "Usage: spelter %s COMMAND [OPTION...]\n\nCommands:\n", word);
        found = true;
        buf_printf(out, "  %-19s %s\n", commands[i].name, commands[i].summary);
    }
    if (found)
        buf_append(out, STR("\n'spelter COMMAND --help' tells more about one.\n"));
    return found;
}

void commands_help(const struct command *commands, size_t count, struct buf *out)
{
    buf_printf(out,
               "Spelter %s takes events from Segment SDKs and delivers them to Braze.\n\n"
               "Usage: spelter COMMAND [OPTION...]\n\nCommands:\n",
               SPELTER_VERSION);
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "  %-19s %s\n", commands[i].name, commands[i].summary);
    buf_append(out, STR("\n'spelter COMMAND --help' tells more about one. 'spelter demo' needs no "
                        "config and no account.\n"
                        "'spelter help config' explains every key of the config, 'spelter manual' "
                        "prints a man page,\n"
                        "'spelter completions bash' (zsh, fish) what the shell completes.\n"
                        "Exit codes: 0 done, 1 a mistake to mend in what was asked, 2 trouble with "
                        "the machine.\n"));
}

/* Text for roff: a leading dot or quote would be a request, a backslash an escape. */
static void put_roff(const char *text, struct buf *out)
{
    bool line_start = true;
    for (; *text != '\0'; text++) {
        if (line_start && (*text == '.' || *text == '\''))
            buf_append(out, STR("\\&"));
        if (*text == '\\')
            buf_append(out, STR("\\e"));
        else if (*text == '-')
            buf_append(out, STR("\\-"));
        else
            buf_putc(out, *text);
        line_start = *text == '\n';
    }
}

static void put_manual_option(void *self, const char *name, const char *value, const char *about)
{
    struct buf *out = self;
    buf_append(out, STR(".TP\n.B "));
    put_roff(name, out);
    if (value != NULL)
        buf_printf(out, " \\fI%s\\fR", value);
    buf_putc(out, '\n');
    put_roff(about, out);
    buf_putc(out, '\n');
}

void commands_manual(const struct command *commands, size_t count, struct buf *out)
{
    buf_printf(
        out,
        ".TH SPELTER 1 \"\" \"spelter %s\"\n.SH NAME\nspelter \\- delivers Segment events to "
        "Braze\n.SH SYNOPSIS\n.B spelter\n.I COMMAND\n[\\fIOPTION\\fR...]\n.SH COMMANDS\n",
        SPELTER_VERSION);
    for (size_t i = 0; i < count; i++) {
        const struct command *command = &commands[i];
        buf_append(out, STR(".SS "));
        put_roff(command->name, out);
        buf_putc(out, '\n');
        put_roff(command->summary, out);
        buf_append(out, STR("\n.PP\n.B "));
        struct buf usage;
        buf_init(&usage, 4096);
        put_usage(command, &usage);
        const char *text = buf_cstr(&usage);
        put_roff(text == NULL ? "" : text, out);
        buf_fini(&usage);
        buf_putc(out, '\n');
        for (size_t o = 0; o < command->option_count; o++) {
            const struct option_row *row = &command->options[o];
            buf_append(out, STR(".TP\n.B "));
            if (row->letter != 0)
                buf_printf(out, "\\-%c, ", row->letter);
            buf_append(out, STR("\\-\\-"));
            put_roff(row->name, out);
            if (row->argument != NULL)
                buf_printf(out, " \\fI%s\\fR", row->argument);
            buf_putc(out, '\n');
            put_roff(row->help, out);
            buf_putc(out, '\n');
        }
        if (command->each_option != NULL)
            command->each_option(put_manual_option, out);
        if (command->details[0] != '\0') {
            buf_append(out, STR(".PP\n.nf\n"));
            put_roff(command->details, out);
            buf_append(out, STR("\n.fi\n"));
        }
    }
    buf_append(out, STR(".SS help config, manual, completions\n"
                        "The keys of the config; this page; completions for bash, zsh or fish.\n"));
    buf_append(out, STR(".SH EXIT STATUS\n0 done, 1 the user's mistake, 2 the environment's.\n"));
}

/* The words of names: first ones (word NULL), each once, or second ones of a family. */
static void put_words(const struct command *commands, size_t count, const char *word,
                      struct buf *out)
{
    for (size_t i = 0; i < count; i++) {
        const char *name = commands[i].name;
        size_t len = strcspn(name, " ");
        if (word != NULL && is_of_family(&commands[i], word))
            buf_printf(out, " %s", name + len + 1);
        bool is_repeated = i > 0 && strncmp(commands[i - 1].name, name, len) == 0 &&
                           commands[i - 1].name[len] == ' ';
        if (word == NULL && !is_repeated)
            buf_printf(out, " %.*s", (int)len, name);
    }
}

static void put_word(void *self, const char *name, const char *value, const char *about)
{
    struct buf *out = self;
    (void)value;
    (void)about;
    buf_printf(out, " %s", name);
}

static void put_words_after(const char *words, struct buf *out)
{
    buf_printf(out, "    \"%s\"*) COMPREPLY=($(compgen -W \"", words);
}

/* What is before the cursor, with a space behind it, decides: "dead " or "dead list -c x ". */
static void complete_bash(const struct command *commands, size_t count, struct buf *out)
{
    static const struct str end = STR_INIT("\" -- \"$cur\"));;\n");
    buf_append(out, STR("_spelter() {\n    local cur=${COMP_WORDS[COMP_CWORD]}\n    case "
                        "\"${COMP_WORDS[*]:1:COMP_CWORD-1} \" in\n"
                        "    \" \") COMPREPLY=($(compgen -W \"help manual completions"));
    put_words(commands, count, NULL, out);
    buf_append(out, end);
    put_words_after("help ", out);
    buf_append(out, STR("config"));
    put_words(commands, count, NULL, out);
    buf_append(out, end);
    put_words_after("completions ", out);
    buf_append(out, STR("bash zsh fish"));
    buf_append(out, end);
    for (size_t i = 0; i < count; i++) {
        buf_printf(out, "    \"%s \"*) COMPREPLY=($(compgen -f -W \"%s", commands[i].name,
                   commands[i].each_option == NULL ? "--help" : "");
        for (size_t o = 0; o < commands[i].option_count; o++)
            buf_printf(out, " --%s", commands[i].options[o].name);
        if (commands[i].each_option != NULL)
            commands[i].each_option(put_word, out);
        buf_append(out, end);
    }
    for (size_t i = 0; i < count;
         i++) { /* behind the whole names, which begin with the same word */
        size_t len = strcspn(commands[i].name, " ");
        char word[32];
        snprintf(word, sizeof(word), "%.*s", (int)len, commands[i].name);
        if (commands[i].name[len] == '\0' || (i > 0 && is_of_family(&commands[i - 1], word)))
            continue;
        buf_printf(out, "    \"%s \") COMPREPLY=($(compgen -W \"", word);
        put_words(commands, count, word, out);
        buf_append(out, end);
    }
    /* As file names: a folder goes on with a slash instead of ending the word. */
    buf_append(out, STR("    esac\n}\ncomplete -o filenames -F _spelter spelter\n"));
}

/* In double quotes, where fish fills in variables. */
static void put_fish_text(const char *text, struct buf *out)
{
    buf_putc(out, '"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\' || *text == '$')
            buf_putc(out, '\\');
        buf_putc(out, *text);
    }
    buf_append(out, STR("\"\n"));
}

struct fish {
    struct buf *out;
    const struct command *command;
};

static void put_fish_option(void *self, const char *name, const char *value, const char *about)
{
    const struct fish *fish = self;
    const char *space = strchr(fish->command->name, ' ');
    buf_printf(fish->out,
               "complete -c spelter -n '__fish_seen_subcommand_from %.*s%s%s' -l %s%s -d ",
               (int)strcspn(fish->command->name, " "), fish->command->name,
               space == NULL ? "" : "; and __fish_seen_subcommand_from", space == NULL ? "" : space,
               name + 2, value == NULL ? "" : " -r");
    put_fish_text(about, fish->out);
}

static void complete_fish(const struct command *commands, size_t count, struct buf *out)
{
    buf_append(out,
               STR("complete -c spelter -n __fish_use_subcommand -a 'help manual completions'\n"));
    for (size_t i = 0; i < count; i++) {
        struct fish fish = {out, &commands[i]};
        const char *name = commands[i].name;
        const char *space = strchr(name, ' ');
        if (space == NULL)
            buf_printf(out, "complete -c spelter -n __fish_use_subcommand -a %s -d ", name);
        else
            buf_printf(out,
                       "complete -c spelter -n __fish_use_subcommand -a %.*s\n"
                       "complete -c spelter -n '__fish_seen_subcommand_from %.*s' -a %s -d ",
                       (int)(space - name), name, (int)(space - name), name, space + 1);
        put_fish_text(commands[i].summary, out);
        for (size_t o = 0; o < commands[i].option_count; o++) {
            const struct option_row *row = &commands[i].options[o];
            char dashed[64];
            snprintf(dashed, sizeof(dashed), "--%s", row->name);
            put_fish_option(&fish, dashed, row->argument, row->help);
        }
        if (commands[i].each_option != NULL)
            commands[i].each_option(put_fish_option, &fish);
    }
}

int commands_completion(const struct command *commands, size_t count, const char *shell,
                        struct buf *out)
{
    if (strcmp(shell, "bash") == 0) {
        complete_bash(commands, count, out);
    } else if (strcmp(shell, "zsh") == 0) { /* zsh reads bash's form */
        buf_append(out, STR("autoload -U +X bashcompinit && bashcompinit\n"));
        complete_bash(commands, count, out);
    } else if (strcmp(shell, "fish") == 0) {
        complete_fish(commands, count, out);
    } else {
        return -EINVAL;
    }
    return 0;
}
