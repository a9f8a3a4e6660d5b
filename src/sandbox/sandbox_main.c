#include "sandbox_main.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "choices.h"
#include "sandbox_server.h"

enum { LISTED_MAX = 64 /* choices, faults and rates on one command line, each */ };

#define LISTEN_DEFAULT "127.0.0.1:8990"

struct settings {
    const char *listen;
    const char *data_dir;
    const char *api_key;
    const char *workspace;
    const char *seed;
    bool no_sync;
    bool no_limits;
    bool quiet;
    bool json;
    bool help;
    const char *choices[LISTED_MAX];
    size_t choice_count;
    const char *faults[LISTED_MAX];
    size_t fault_count;
    const char *rates[LISTED_MAX];
    size_t rate_count;
    char contract[64]; /* room for the two options that are choices themselves */
    char object_limit[64];
};

struct list {
    size_t items; /* offsets in struct settings */
    size_t count;
};

struct option {
    const char *name;
    const char *value; /* its name in the help; NULL: a flag */
    const char *about;
    size_t text; /* offset of a const char *, a bool (flags) or a char[64] (choice) */
    const char *choice;
    struct list list;
};

#define AT(field)            offsetof(struct settings, field)
#define LIST(field, counter) .list = {AT(field), AT(counter)}

/* clang-format off */
static const struct option options[] = {
    {"--listen", "ADDRESS", "where to listen; port 0 picks a free one [" LISTEN_DEFAULT "]", .text = AT(listen)},
    {"--data", "DIR", "keep profiles there over a restart; without it they live in memory", .text = AT(data_dir)},
    {"--no-sync", NULL, "with --data: answer before the disk has it (a power cut may lose the newest)", .text = AT(no_sync)},
    {"--api-key", "KEY", "a key that may do everything [" SANDBOX_API_KEY_DEFAULT "]", .text = AT(api_key)},
    {"--workspace", "FILE", "keys with permissions, apps, subscription groups, campaigns, ... as JSON", .text = AT(workspace)},
    {"--no-limits", NULL, "never answer 429", .text = AT(no_limits)},
    {"--contract", "KIND", "rate limit of /users/track: data-points, mau, per-minute, per-hour", .text = AT(contract), .choice = "contract"},
    {"--object-limit", "KIND", "75 objects combined, or per-array", .text = AT(object_limit), .choice = "object-limit"},
    {"--rate", "NAME=N/SECONDS", "another rate limit, as in track=100/60; may be repeated", LIST(rates, rate_count)},
    {"--choose", "NAME=VALUE", "one of the choices that --help lists; may be repeated", LIST(choices, choice_count)},
    {"--fault", "RULE", "trouble on demand, as in status=503,times=3; may be repeated", LIST(faults, fault_count)},
    {"--seed", "NUMBER", "of ids and of faults with a probability [1]", .text = AT(seed)},
    {"--quiet", NULL, "print nothing but errors", .text = AT(quiet)},
    {"--json", NULL, "when ready, print one line: {\"address\":\"...\",\"api_key\":\"...\"}", .text = AT(json)},
    {"--help", NULL, "print this", .text = AT(help)},
};
/* clang-format on */

static void print_help(void)
{
    printf("usage: spelter sandbox [options]\n\nA Braze on this machine: its REST API, its limits, "
           "its profiles, "
           "and faults on demand.\n\n");
    for (size_t i = 0; i < countof(options); i++)
        printf("  %-16s %-15s %s\n", options[i].name,
               options[i].value == NULL ? "" : options[i].value, options[i].about);
    printf("\nchoices, with the default first:\n");
    for (int i = 0; i < CHOICE_COUNT; i++) {
        const struct choice_row *row = &choice_rows[i];
        printf("  %.*s: ", STR_ARG(row->name));
        for (int w = 0; w < CHOICE_WORDS_MAX && row->words[w].len > 0; w++)
            printf("%s%.*s", w == 0 ? "" : " | ", STR_ARG(row->words[w]));
        if (row->words[0].len == 0)
            printf("%ld", row->number);
        printf("\n      %s\n", row->about);
    }
}

void sandbox_main_options(void (*on_option)(void *self, const char *name, const char *value,
                                            const char *about),
                          void *self)
{
    for (size_t i = 0; i < countof(options); i++)
        on_option(self, options[i].name, options[i].value, options[i].about);
}

static int set_option(struct settings *s, const struct option *option, const char *value)
{
    char *base = (char *)s;
    if (option->value == NULL) {
        *(bool *)(void *)(base + option->text) = true;
    } else if (option->choice != NULL) {
        char *room = base + option->text;
        if ((size_t)snprintf(room, sizeof(s->contract), "%s=%s", option->choice, value) >=
            sizeof(s->contract)) {
            fprintf(stderr, "spelter sandbox: %s: '%s' is too long\n", option->name, value);
            return -EINVAL;
        }
        if (s->choice_count < LISTED_MAX)
            s->choices[s->choice_count++] = room;
    } else if (option->list.items != option->list.count) {
        const char **items = (const char **)(void *)(base + option->list.items);
        size_t *count = (size_t *)(void *)(base + option->list.count);
        if (*count == LISTED_MAX) {
            fprintf(stderr, "spelter sandbox: %s more than %d times\n", option->name, LISTED_MAX);
            return -EINVAL;
        }
        items[(*count)++] = value;
    } else {
        *(const char **)(void *)(base + option->text) = value;
    }
    return 0;
}

static const struct option *find_option(struct str name)
{
    for (size_t i = 0; i < countof(options); i++)
        if (str_eq(str_from(options[i].name), name))
            return &options[i];
    return NULL;
}

static int unknown_option(struct str name)
{
    struct str names[countof(options)];
    for (size_t i = 0; i < countof(options); i++)
        names[i] = str_from(options[i].name);
    struct str nearest = str_nearest(name, names, countof(names));
    fprintf(stderr, "spelter sandbox: unknown option %.*s%s%.*s; see spelter sandbox --help\n",
            STR_ARG(name), nearest.len == 0 ? "" : ", did you mean ", STR_ARG(nearest));
    return -EINVAL;
}

/* "--listen X" and "--listen=X". */
static int read_arguments(struct settings *s, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct str argument = str_from(argv[i]);
        size_t equals = str_find(argument, '=');
        const struct option *option = find_option(str_slice(argument, 0, equals));
        if (option == NULL)
            return unknown_option(str_slice(argument, 0, equals));
        const char *value = equals < argument.len ? argv[i] + equals + 1 : NULL;
        if (option->value != NULL && value == NULL)
            value = ++i < argc ? argv[i] : NULL;
        if ((option->value == NULL) != (value == NULL)) {
            fprintf(stderr, "spelter sandbox: %s %s\n", option->name,
                    option->value == NULL ? "takes no value" : "needs a value");
            return -EINVAL;
        }
        int rc = set_option(s, option, value);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int read_file(const char *path, struct buf *out)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        int rc = -errno;
        fprintf(stderr, "spelter sandbox: cannot read %s: %s\n", path, strerror(-rc));
        return rc;
    }
    enum { CHUNK = 65536 };
    size_t got = 1;
    while (got > 0 && buf_reserve(out, CHUNK)) {
        got = fread(out->ptr + out->len, 1, CHUNK, file);
        out->len += got;
    }
    int rc = ferror(file) ? -errno : out->failed ? -EFBIG : 0;
    fclose(file);
    if (rc != 0)
        fprintf(stderr, "spelter sandbox: cannot read %s: %s\n", path, strerror(-rc));
    return rc;
}

static struct sandbox_server *signalled; /* set before the handlers, cleared after them */

static void on_signal(int number)
{
    (void)number;
    sandbox_server_stop(signalled);
}

static void catch_signals(struct sandbox_server *server)
{
    struct sigaction action = {.sa_handler = server == NULL ? SIG_DFL : on_signal};
    if (server != NULL)
        signalled = server;
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignore, NULL);
}

static void announce(const struct settings *s, const struct sandbox_server *server, struct str key)
{
    const char *address = sandbox_server_address(server);
    if (s->json)
        printf("{\"address\":\"%s\",\"api_key\":\"%.*s\"}\n", address, STR_ARG(key));
    else if (!s->quiet)
        printf("The sandbox listens on http://%s\n"
               "  REST endpoint  http://%s\n"
               "  API key        %.*s\n"
               "  look inside    http://%s/sandbox\n",
               address, address, STR_ARG(key), address);
    fflush(stdout);
}

static int serve(const struct settings *s, const struct sandbox_options *sandbox)
{
    struct sandbox_server *server = NULL;
    struct err err = {0};
    int rc = sandbox_server_open(&server, str_from(s->listen), sandbox, &err);
    if (rc != 0) {
        fprintf(stderr, "spelter sandbox: %s%s%s\n", err.path, err.path[0] == '\0' ? "" : ": ",
                err.msg);
        return rc == -EINVAL ? 1 : 2;
    }
    catch_signals(server);
    announce(s, server, sandbox_first_key(sandbox_server_sandbox(server)));
    rc = sandbox_server_run(server);
    catch_signals(NULL);
    if (rc != 0)
        fprintf(stderr, "spelter sandbox: cannot keep the profiles: %s\n", strerror(-rc));
    sandbox_server_close(server);
    return rc == 0 ? 0 : 2;
}

int sandbox_main(int argc, char **argv)
{
    struct settings s = {.listen = LISTEN_DEFAULT, .seed = "1"};
    struct buf workspace;
    buf_init(&workspace, SANDBOX_WORKSPACE_BYTES_MAX);
    int status = 1;
    int rc;
    if (read_arguments(&s, argc, argv) != 0)
        goto out;
    if (s.help) {
        print_help();
        status = 0;
        goto out;
    }
    char *end;
    unsigned long long seed = strtoull(s.seed, &end, 10);
    if (*end != '\0' || end == s.seed) {
        fprintf(stderr, "spelter sandbox: --seed: '%s' is no number\n", s.seed);
        goto out;
    }
    if (s.workspace != NULL && (rc = read_file(s.workspace, &workspace)) != 0) {
        status = rc == -ENOENT || rc == -EISDIR || rc == -EFBIG ? 1 : 2;
        goto out;
    }
    struct sandbox_options sandbox = {
        .clock = clock_real(),
        .seed = seed,
        .data_dir = s.data_dir,
        .no_sync = s.no_sync,
        .no_limits = s.no_limits,
        .workspace = buf_str(&workspace),
        .api_key = str_from(s.api_key),
        .choices = s.choices,
        .choice_count = s.choice_count,
        .faults = s.faults,
        .fault_count = s.fault_count,
        .rates = s.rates,
        .rate_count = s.rate_count,
    };
    status = serve(&s, &sandbox);
out:
    buf_fini(&workspace);
    return status;
}
