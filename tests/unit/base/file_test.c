#include "file.h"

#include <errno.h>

#include "../scratch.h"
#include "unit.h"

static const char *put(struct scratch *scratch, char path[300], const char *text, size_t bytes)
{
    snprintf(path, 300, "%s/file", scratch->path);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, bytes, file), bytes);
    assert_int_equal(fclose(file), 0);
    return path;
}

static void a_file_is_read_whole_up_to_the_limit_of_the_buffer(void **state)
{
    (void)state;
    struct scratch scratch;
    char path[300];
    char text[40000];
    memset(text, 'x', sizeof(text));
    text[17] = '\0';
    scratch_init(&scratch);
    put(&scratch, path, text, sizeof(text));
    struct buf out;
    struct err err = {0};
    buf_init(&out, sizeof(text));
    assert_int_equal(file_read(&out, path, &err), 0);
    assert_true(str_eq(buf_str(&out), (struct str){text, sizeof(text)}));
    buf_fini(&out);

    buf_init(&out, sizeof(text) - 1);
    assert_int_equal(file_read(&out, path, &err), -E2BIG);
    char message[400];
    snprintf(message, sizeof(message), "%s: larger than 39999 bytes", path);
    assert_string_equal(err.msg, message);
    buf_fini(&out);
    scratch_fini(&scratch);
}

static void what_cannot_be_read_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int code;
        const char *message;
    } rows[] = {
        {"/nowhere/at/all", -ENOENT, "/nowhere/at/all: No such file or directory"},
        {"/", -EISDIR, "/: Is a directory"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct buf out;
        struct err err = {0};
        buf_init(&out, 1000);
        assert_int_equal(file_read(&out, rows[i].path, &err), rows[i].code);
        assert_string_equal(err.msg, rows[i].message);
        buf_fini(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_read_whole_up_to_the_limit_of_the_buffer),
        cmocka_unit_test(what_cannot_be_read_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
