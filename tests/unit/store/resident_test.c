/* What was looked at is given back, and nobody who looks meanwhile sees anything else. */
#include "resident.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "../scratch.h"

enum { FILE_BYTES = 2 * RESIDENT_BYTES_MAX, STEP_BYTES = 4096, ROUNDS = 20 };

static struct scratch scratch;
static const unsigned char *map;

/* How much of the map is mapped now. Exact, unlike the sums that the kernel keeps. */
static size_t mapped_bytes(void)
{
    char line[512];
    void *begin;
    unsigned long kib = 0;
    bool is_ours = false;
    FILE *smaps = fopen("/proc/self/smaps", "r");
    assert_non_null(smaps);
    while (fgets(line, sizeof(line), smaps) != NULL) {
        if (sscanf(line, "%p-", &begin) == 1 && strchr(line, '-') != NULL)
            is_ours = begin == map;
        if (is_ours && sscanf(line, "Rss: %lu", &kib) == 1)
            break;
    }
    fclose(smaps);
    return kib * 1024;
}

/* Reads all of it: every page holds its own number. */
static uint64_t pages_with_wrong_content(void)
{
    uint64_t wrong = 0;
    for (size_t at = 0; at < FILE_BYTES; at += STEP_BYTES) {
        uint64_t number;
        memcpy(&number, map + at, sizeof(number));
        wrong += number != at;
    }
    return wrong;
}

static int setup(void **state)
{
    static char page[STEP_BYTES];
    char path[300];
    (void)state;
    scratch_init(&scratch);
    snprintf(path, sizeof(path), "%s/data", scratch.path);
    FILE *file = fopen(path, "w+");
    if (file == NULL)
        return 1;
    for (uint64_t at = 0; at < FILE_BYTES; at += STEP_BYTES) {
        memcpy(page, &at, sizeof(at));
        if (fwrite(page, sizeof(page), 1, file) != 1)
            return 1;
    }
    fflush(file);
    map = mmap(NULL, FILE_BYTES, PROT_READ, MAP_SHARED, fileno(file), 0);
    fclose(file);
    return map == MAP_FAILED;
}

static int teardown(void **state)
{
    (void)state;
    munmap((void *)(uintptr_t)map, FILE_BYTES);
    scratch_fini(&scratch);
    return 0;
}

static void pages_beyond_the_bound_are_given_back_with_their_content_intact(void **state)
{
    struct resident resident;
    (void)state;
    resident_init(&resident, map + FILE_BYTES / 2);
    assert_ptr_equal(resident.map, map);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pages_with_wrong_content(), 0);
        assert_int_equal(mapped_bytes(), FILE_BYTES);
        resident_bound(&resident);
        assert_int_equal(mapped_bytes(), 0);
    }
    resident_fini(&resident);
}

static void what_stays_below_the_bound_stays_mapped(void **state)
{
    struct resident resident;
    (void)state;
    resident_init(&resident, map);
    volatile unsigned char sum = 0;
    for (size_t at = 0; at < RESIDENT_BYTES_MAX / 2; at += STEP_BYTES)
        sum = (unsigned char)(sum + map[at]);
    resident_bound(&resident);
    assert_true(mapped_bytes() >= RESIDENT_BYTES_MAX / 2);
    resident_fini(&resident);
}

static void an_address_in_no_file_changes_nothing(void **state)
{
    struct resident resident;
    (void)state;
    resident_init(&resident, NULL);
    assert_null(resident.map);
    assert_int_equal(pages_with_wrong_content(), 0);
    resident_bound(&resident);
    assert_int_equal(mapped_bytes(), FILE_BYTES);
    resident_fini(&resident);
}

static _Atomic bool is_over;

static void *read_on(void *self)
{
    uint64_t *wrong = self;
    while (!is_over)
        *wrong += pages_with_wrong_content();
    return NULL;
}

static void a_reader_on_another_thread_notices_nothing(void **state)
{
    struct resident resident;
    pthread_t reader;
    uint64_t wrong = 0;
    (void)state;
    resident_init(&resident, map);
    assert_int_equal(pthread_create(&reader, NULL, read_on, &wrong), 0);
    for (int i = 0; i < ROUNDS; i++) {
        assert_int_equal(pages_with_wrong_content(), 0);
        resident_bound(&resident);
    }
    is_over = true;
    pthread_join(reader, NULL);
    assert_int_equal(wrong, 0);
    resident_fini(&resident);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_beyond_the_bound_are_given_back_with_their_content_intact),
        cmocka_unit_test(what_stays_below_the_bound_stays_mapped),
        cmocka_unit_test(an_address_in_no_file_changes_nothing),
        cmocka_unit_test(a_reader_on_another_thread_notices_nothing),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
