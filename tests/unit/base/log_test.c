#include "log.h"

#include <ctype.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "str.h"

enum { TIME_BYTES = 24, THREADS = 4, LINES_A_THREAD = 200 };

/* stderr of the test goes to a file while a body runs; what was written comes back as text. */
static char written[512 * 1024];

static int redirect(FILE **file)
{
    *file = tmpfile();
    assert_non_null(*file);
    int kept = dup(STDERR_FILENO);
    assert_true(kept >= 0);
    assert_true(dup2(fileno(*file), STDERR_FILENO) >= 0);
    return kept;
}

static struct str restore(int kept, FILE *file)
{
    assert_true(dup2(kept, STDERR_FILENO) >= 0);
    close(kept);
    rewind(file);
    size_t len = fread(written, 1, sizeof(written) - 1, file);
    fclose(file);
    return (struct str){written, len};
}

static void a_line_is_time_level_and_text(void **state)
{
    (void)state;
    FILE *file;
    int kept = redirect(&file);
    log_warn("disk %d%% full", 91);
    struct str text = restore(kept, file);
    assert_true(text.len > TIME_BYTES);
    assert_int_equal(text.ptr[TIME_BYTES - 1], 'Z');
    assert_true(isdigit((unsigned char)text.ptr[0]));
    assert_true(str_eq(str_slice(text, TIME_BYTES, text.len), STR(" warn disk 91% full\n")));
}

static void what_is_less_urgent_than_the_level_is_not_written(void **state)
{
    (void)state;
    static const char *const names[] = {"error", "warn", "info", "debug"};
    for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++) {
        FILE *file;
        log_set_level((enum log_level)level);
        int kept = redirect(&file);
        log_error("e");
        log_warn("w");
        log_info("i");
        log_debug("d");
        struct str text = restore(kept, file);
        for (int i = 0; i < 4; i++) {
            struct str line = str_slice(text, 0, str_find(text, '\n') + 1);
            assert_int_equal(line.len > 0, i <= level);
            if (line.len > 0)
                assert_true(
                    str_starts(str_slice(line, TIME_BYTES + 1, line.len), str_from(names[i])));
            text = str_slice(text, line.len, text.len);
        }
    }
    log_set_level(LOG_LEVEL_INFO);
}

static void what_a_client_sent_cannot_forge_a_line(void **state)
{
    (void)state;
    FILE *file;
    int kept = redirect(&file);
    log_error("refused \"%s\"", "a\n2026-01-01T00:00:00.000Z info all is well\r\x1b[2J");
    struct str text = restore(kept, file);
    assert_int_equal(str_find(text, '\n'), text.len - 1);
    for (size_t i = 0; i + 1 < text.len; i++)
        assert_true((unsigned char)text.ptr[i] >= ' ');
}

static void a_long_line_is_cut_and_still_ends(void **state)
{
    (void)state;
    static const size_t lengths[] = {900, 985, 990, 991, 992, 993, 994, 1000, 1024, 5000};
    static char long_text[6000];
    for (size_t i = 0; i < countof(lengths); i++) {
        FILE *file;
        memset(long_text, 'x', lengths[i]);
        long_text[lengths[i]] = '\0';
        int kept = redirect(&file);
        log_error("%s", long_text);
        struct str text = restore(kept, file);
        assert_true(text.len <= 1024);
        assert_int_equal(str_find(text, '\n'), text.len - 1);
        assert_true(text.len >= (lengths[i] < 990 ? lengths[i] : 1000));
        assert_int_equal(text.ptr[text.len - 2], 'x');
    }
}

static void *write_lines(void *arg)
{
    for (int i = 0; i < LINES_A_THREAD; i++)
        log_info("%s", (const char *)arg);
    return NULL;
}

static void lines_of_several_threads_do_not_mix(void **state)
{
    (void)state;
    static char texts[THREADS][200];
    pthread_t threads[THREADS];
    FILE *file;
    int kept = redirect(&file);
    for (size_t i = 0; i < THREADS; i++) {
        memset(texts[i], 'a' + (int)i, sizeof(texts[i]) - 1);
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, texts[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    struct str text = restore(kept, file);
    int lines = 0;
    while (text.len > 0) {
        struct str line = str_slice(text, 0, str_find(text, '\n'));
        struct str body = str_slice(line, TIME_BYTES + 6, line.len); /* after " info " */
        assert_int_equal(body.len, sizeof(texts[0]) - 1);
        assert_true(str_eq(body, str_from(texts[body.ptr[0] - 'a'])));
        text = str_slice(text, line.len + 1, text.len);
        lines++;
    }
    assert_int_equal(lines, THREADS * LINES_A_THREAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_time_level_and_text),
        cmocka_unit_test(what_is_less_urgent_than_the_level_is_not_written),
        cmocka_unit_test(what_a_client_sent_cannot_forge_a_line),
        cmocka_unit_test(a_long_line_is_cut_and_still_ends),
        cmocka_unit_test(lines_of_several_threads_do_not_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
