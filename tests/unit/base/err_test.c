#include "err.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "str.h"

static void a_refusal_carries_code_place_and_sentence(void **state)
{
    (void)state;
    struct err err = {0};
    assert_int_equal(err_set(&err, -EINVAL, 7, "'%c' in a number, expected a digit", 'x'), -EINVAL);
    assert_int_equal(err.code, -EINVAL);
    assert_int_equal(err.at, 7);
    assert_string_equal(err.path, "");
    assert_string_equal(err.msg, "'x' in a number, expected a digit");
}

static void a_place_in_a_document_replaces_the_offset(void **state)
{
    (void)state;
    struct err err = {0};
    (void)err_set(&err, -EIO, 9, "first");
    assert_int_equal(err_set_path(&err, -EINVAL, "/a/b/0", "second"), -EINVAL);
    assert_int_equal(err.code, -EINVAL);
    assert_int_equal(err.at, 0);
    assert_string_equal(err.path, "/a/b/0");
    assert_string_equal(err.msg, "second");
}

static void a_caller_may_ask_for_the_code_alone(void **state)
{
    (void)state;
    assert_int_equal(err_set(NULL, -ENOSPC, 0, "%d", 1), -ENOSPC);
    assert_int_equal(err_set_path(NULL, -ENOSPC, "/a", "%d", 1), -ENOSPC);
}

static void what_a_client_sent_cannot_forge_a_line_or_drive_a_terminal(void **state)
{
    (void)state;
    struct err err = {0};
    (void)err_set(&err, -EINVAL, 0, "got \"%s\"", "a\r\nb\x1b[31m\x7f\t\xc3\xa9");
    assert_string_equal(err.msg, "got \"a  b [31m  \xc3\xa9\"");
}

static void long_sentences_are_cut_after_a_whole_character(void **state)
{
    (void)state;
    struct err err = {0};
    char text[1000];
    for (size_t bytes = 0; bytes < 4; bytes++) {
        memset(text, 'a', bytes);
        for (size_t at = bytes; at + 4 < sizeof(text); at += 4)
            memcpy(text + at, "\xf0\x9f\x98\x80", 5);
        (void)err_set(&err, -EINVAL, 0, "%s", text);
        size_t len = strlen(err.msg);
        assert_true(len < sizeof(err.msg));
        assert_true(len >= sizeof(err.msg) - 5);
        assert_int_equal((len - bytes) % 4, 0);
        assert_memory_equal(err.msg, text, len);
    }
}

static void a_sentence_that_just_fits_is_whole(void **state)
{
    (void)state;
    struct err err = {0};
    char text[sizeof(err.msg)] = {0};
    memset(text, 'a', sizeof(text) - 1);
    (void)err_set(&err, -EINVAL, 0, "%s", text);
    assert_string_equal(err.msg, text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refusal_carries_code_place_and_sentence),
        cmocka_unit_test(a_place_in_a_document_replaces_the_offset),
        cmocka_unit_test(a_caller_may_ask_for_the_code_alone),
        cmocka_unit_test(what_a_client_sent_cannot_forge_a_line_or_drive_a_terminal),
        cmocka_unit_test(long_sentences_are_cut_after_a_whole_character),
        cmocka_unit_test(a_sentence_that_just_fits_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
