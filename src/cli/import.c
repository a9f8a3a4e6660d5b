/* import segment: answers of Segment's Public API in, a config out that `check` accepts. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "destination.h"
#include "file.h"
#include "import_segment.h"

static int add_file(struct segment_export *e, const char *path, struct err *err)
{
    struct buf text;
    buf_init(&text, SEGMENT_FILE_BYTES_MAX);
    int rc = file_read(&text, path, err);
    if (rc == 0)
        rc = segment_export_add(e, path, buf_str(&text), err);
    buf_fini(&text);
    return rc;
}

static int is_json_file(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && str_ends(str_from(entry->d_name), STR(".json"));
}

/* In the order of their names, numbers by value: page-2 comes before page-10. */
static int add_folder(struct segment_export *e, const char *folder, struct err *err)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_json_file, versionsort);
    int rc = 0;
    if (count < 0)
        return err_set(err, -errno, 0, "%s: %s", folder, strerror(errno));
    if (count == 0)
        rc = err_set(err, -EINVAL, 0, "%s: no file called *.json in this folder", folder);
    for (int i = 0; i < count; i++) {
        char *path = NULL;
        if (rc == 0 && asprintf(&path, "%s/%s", folder, entries[i]->d_name) < 0)
            rc = err_set(err, -ENOMEM, 0, "out of memory");
        if (rc == 0)
            rc = add_file(e, path, err);
        if (path != NULL)
            free(path);
        free(entries[i]);
    }
    free(entries);
    return rc;
}

static int add_operand(struct segment_export *e, const char *path, struct err *err)
{
    struct stat stat_of;
    if (stat(path, &stat_of) != 0)
        return err_set(err, -errno, 0, "%s: %s", path, strerror(errno));
    return S_ISDIR(stat_of.st_mode) ? add_folder(e, path, err) : add_file(e, path, err);
}

/* What `check` would refuse is refused here, at its place in Segment's files. */
static int compile_all(const struct import *im, struct err *err)
{
    for (size_t i = 0; i < import_destination_count(im); i++) {
        const struct import_destination *made = import_destination(im, i);
        struct destination_config config = {
            .kind = (enum braze_kind)made->kind,
            .settings = made->settings,
            .subscriptions = made->subscriptions,
            .parity = PARITY_STRICT,
        };
        struct destination *destination;
        struct err why = {0};
        int rc = destination_compile(&destination, &config, &why);
        if (rc != 0) {
            import_locate(im, i, &why, err);
            return rc;
        }
        destination_free(destination);
    }
    return 0;
}

static int write_file(const char *path, const char *mode, struct str text)
{
    FILE *file = fopen(path, mode);
    if (file == NULL && errno == EEXIST)
        return complain(EXIT_USER, "%s is there already, --force overwrites it", path);
    if (file == NULL)
        return complain(EXIT_ENVIRONMENT, "%s: %s", path, strerror(errno));
    bool is_written = fwrite(text.ptr, 1, text.len, file) == text.len && fflush(file) == 0 &&
                      fsync(fileno(file)) == 0;
    int code = is_written ? EXIT_DONE : complain(EXIT_ENVIRONMENT, "%s: %s", path, strerror(errno));
    if (fclose(file) != 0 && is_written)
        code = complain(EXIT_ENVIRONMENT, "%s: %s", path, strerror(errno));
    if (code != EXIT_DONE)
        unlink(path);
    return code;
}

/* An old config stays whole until the new one is. */
static int replace_file(const char *path, struct str text)
{
    char *fresh = NULL;
    if (asprintf(&fresh, "%s.new", path) < 0)
        return complain(EXIT_ENVIRONMENT, "out of memory");
    int code = write_file(fresh, "w", text);
    if (code == EXIT_DONE && rename(fresh, path) != 0) {
        code = complain(EXIT_ENVIRONMENT, "%s: %s", path, strerror(errno));
        unlink(fresh);
    }
    free(fresh);
    return code;
}

static int put_config(const struct import_args *args, const struct import *im)
{
    struct str text = import_text(im);
    int code = EXIT_DONE;
    if (args->output != NULL)
        code =
            args->force ? replace_file(args->output, text) : write_file(args->output, "wx", text);
    else if (fwrite(text.ptr, 1, text.len, stdout) != text.len || fflush(stdout) != 0)
        code = complain(EXIT_ENVIRONMENT, "cannot write to standard output: %s", strerror(errno));
    for (size_t i = 0; code == EXIT_DONE && i < import_note_count(im); i++)
        fprintf(stderr, "%.*s\n", STR_ARG(import_note(im, i)));
    return code;
}

static int read_batching(const char *word, struct import_choices *choices)
{
    *choices =
        (struct import_choices){.per_action = word != NULL && strcmp(word, "per_action") == 0};
    if (word == NULL || choices->per_action || strcmp(word, "combined") == 0)
        return EXIT_DONE;
    return complain(EXIT_USER, "--batching is '%s', expected combined or per_action", word);
}

int import_segment_run(const void *arguments, int operand_count, char **operands)
{
    const struct import_args *args = arguments;
    struct segment_export *export = NULL;
    struct import *im = NULL;
    struct import_choices choices;
    struct err err = {0};
    int code = read_batching(args->batching, &choices);
    if (code != EXIT_DONE)
        return code;
    int rc = segment_export_new(&export);
    if (rc != 0)
        err_set(&err, rc, 0, "out of memory");
    for (int i = 0; rc == 0 && i < operand_count; i++)
        rc = add_operand(export, operands[i], &err);
    if (rc == 0)
        rc = import_segment(&im, export, &choices, &err);
    if (rc == 0)
        rc = compile_all(im, &err);
    code = rc == 0 ? put_config(args, im) : complain_err(&err);
    import_free(im);
    segment_export_free(export);
    return code;
}
