/*
 * store_crash ROUNDS: kills a writing process with SIGKILL at random instants and checks
 * that whatever it had reported as durable is there: records with their content at their
 * positions (or trimmed below the settled floor), positions without a gap, cursor state,
 * dead letters and known messages no older than reported.
 *
 * A kill leaves the page cache alone, so this proves the order of writes within LMDB's file and our
 * use of it, not what a disk does when the power fails.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "cursor.h"
#include "dead.h"
#include "dedupe.h"
#include "journal.h"
#include "store.h"

#include "../unit/scratch.h"
#include "store_child.h"

enum {
    LIFE_US_MAX = 60000,
    RING = 1 << 16, /* more positions than the map can hold records of */
    SERIALS_A_ROUND = 1 << 22,
};

/* What the children reported, by position modulo RING; position + 1 tells whose entry it is. */
struct known {
    uint64_t position_plus_1;
    uint64_t serial;
    bool is_appended;
    bool is_settled;
};

static struct known known[RING];
static uint64_t reported_next;
static uint64_t reported_floor;
static uint64_t reported_dead;
static uint64_t reports;
static uint64_t refusals;
static uint64_t last_serials[CHILD_KNOWN_MESSAGES / 2];
static uint64_t serial_count;

static struct known *entry_of(uint64_t position)
{
    struct known *k = &known[position % RING];
    if (k->position_plus_1 != position + 1)
        *k = (struct known){.position_plus_1 = position + 1};
    return k;
}

static void note(const struct report *r)
{
    struct known *k;
    reports++;
    switch ((enum report_kind)r->kind) {
    case REPORT_APPENDED:
        k = entry_of(r->number);
        k->is_appended = true;
        k->serial = r->serial;
        reported_next = r->number >= reported_next ? r->number + 1 : reported_next;
        last_serials[serial_count++ % countof(last_serials)] = r->serial;
        break;
    case REPORT_SETTLED:
        entry_of(r->number)->is_settled = true;
        break;
    case REPORT_FLOOR:
        reported_floor = r->number > reported_floor ? r->number : reported_floor;
        break;
    case REPORT_DEAD:
        reported_dead = r->number > reported_dead ? r->number : reported_dead;
        break;
    case REPORT_REFUSED:
        refusals++;
        break;
    }
}

static int fail(const char *what, uint64_t number)
{
    fprintf(stderr, "store_crash: %s (%" PRIu64 ")\n", what, number);
    return 1;
}

/* Reads reports until the pipe's end, killing the child when its time has come. */
static int watch(pid_t pid, int fd, int64_t life_us)
{
    const int64_t end_us = monotonic_us() + life_us;
    bool is_killed = false;
    struct report r;
    for (;;) {
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        const int64_t left_us = end_us - monotonic_us();
        if (!is_killed && left_us <= 0) {
            kill(pid, SIGKILL);
            is_killed = true;
        }
        const struct timespec wait = {0, left_us > 0 ? left_us * 1000 : 0};
        if (ppoll(&poll_fd, 1, is_killed ? NULL : &wait, NULL) == 0)
            continue;
        ssize_t bytes = read(fd, &r, sizeof(r));
        if (bytes == 0)
            break;
        if (bytes != (ssize_t)sizeof(r))
            return fail("a report was cut", (uint64_t)bytes);
        note(&r);
    }
    int status;
    if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
        return fail("the child ended by itself", (uint64_t)status);
    return 0;
}

static int live_and_die(const char *dir, uint64_t round)
{
    int fds[2];
    if (pipe(fds) != 0)
        return fail("no pipe", (uint64_t)errno);
    pid_t pid = fork();
    if (pid < 0)
        return fail("no process", (uint64_t)errno);
    if (pid == 0) {
        close(fds[0]);
        _exit(child_main(dir, fds[1], round * SERIALS_A_ROUND, round % 2 == 0));
    }
    close(fds[1]);
    int rc = watch(pid, fds[0], rand() % LIFE_US_MAX);
    close(fds[0]);
    return rc;
}

struct reading {
    uint64_t expected;
    uint64_t matched;
    const char *trouble;
};

static bool check_record(void *self, uint64_t position, struct str record)
{
    struct reading *r = self;
    char text[CHILD_RECORD_BYTES_MAX];
    uint64_t serial;
    const struct known *k = entry_of(position);
    if (position != r->expected)
        r->trouble = "a position is missing";
    else if (record.len < sizeof(serial))
        r->trouble = "a record is too short";
    if (r->trouble != NULL)
        return false;
    memcpy(&serial, record.ptr, sizeof(serial));
    if (!str_eq(record, child_record(text, serial)))
        r->trouble = "a record has another content than was written";
    else if (k->is_appended && k->serial != serial)
        r->trouble = "another record stands at a reported position";
    r->matched += k->is_appended;
    r->expected++;
    return r->trouble == NULL;
}

static int check_journal(struct journal *journal, uint64_t floor, uint64_t *first, uint64_t *next)
{
    *first = journal_first(journal);
    *next = journal_next(journal);
    struct reading reading = {.expected = *first};
    uint64_t end;
    if (*next < reported_next)
        return fail("reported records are gone; the journal ends at", *next);
    if (*first > floor)
        return fail("records were trimmed above the floor, up to", *first);
    if (*next - *first >= RING)
        return fail("this test remembers too few positions", *next - *first);
    if (journal_read(journal, *first, SIZE_MAX, check_record, &reading, &end) != 0)
        return fail("the journal cannot be read", *first);
    if (reading.trouble != NULL)
        return fail(reading.trouble, reading.expected);
    return end == *next ? 0 : fail("the journal ends too early", end);
}

static int check_cursor(const struct cursor *cursor, uint64_t next)
{
    const uint64_t floor = cursor_floor(cursor);
    if (floor < reported_floor)
        return fail("the floor is older than reported", floor);
    if (floor > next)
        return fail("the floor is above the journal's end", floor);
    for (uint64_t i = floor; i < next; i++)
        if (entry_of(i)->is_settled && !cursor_is_settled(cursor, i))
            return fail("a settled position was forgotten", i);
    return 0;
}

static bool check_letter(void *self, uint64_t id, struct str letter)
{
    uint64_t *expected = self;
    if (id != *expected || letter.len == 0)
        return false;
    ++*expected;
    return true;
}

static int check_dead(struct dead *dead)
{
    uint64_t count;
    uint64_t next = 1;
    if (dead_count(dead, &count) != 0 || dead_each(dead, 0, false, check_letter, &next) != 0)
        return fail("the dead letters cannot be read", 0);
    if (next != count + 1 || count < reported_dead)
        return fail("dead letters are missing", next);
    return 0;
}

static int check_dedupe(struct dedupe *dedupe)
{
    const uint64_t count =
        serial_count < countof(last_serials) ? serial_count : countof(last_serials);
    for (uint64_t i = 0; i < count; i++)
        if (dedupe_admit(dedupe, child_fingerprint(last_serials[i]), 0))
            return fail("an accepted message is not known any more", last_serials[i]);
    return 0;
}

static int verify(const char *dir, uint64_t *stored)
{
    struct store *store = NULL;
    struct journal *journal = NULL;
    struct cursor *cursor = NULL;
    struct dead *dead = NULL;
    struct dedupe *dedupe = NULL;
    struct err err = {0};
    uint64_t first = 0;
    uint64_t next = 0;
    const struct store_options options = {.dir = dir, .bytes_max = CHILD_MAP_BYTES};
    int rc = store_open(&store, &options, &err);
    if (rc == 0)
        rc = journal_open(&journal, store, &err);
    if (rc == 0)
        rc = cursor_open(&cursor, store, STR("braze"), 0, &err);
    if (rc == 0)
        rc = dead_open(&dead, store, &err);
    if (rc == 0)
        rc = dedupe_open(&dedupe, store, CHILD_KNOWN_MESSAGES, 0, &err);
    if (rc != 0)
        fprintf(stderr, "store_crash: %s\n", err.msg);
    if (rc == 0)
        rc = check_journal(journal, cursor_floor(cursor), &first, &next);
    if (rc == 0)
        rc = check_cursor(cursor, next);
    if (rc == 0)
        rc = check_dead(dead);
    if (rc == 0)
        rc = check_dedupe(dedupe);
    dedupe_close(dedupe);
    dead_close(dead);
    cursor_close(cursor);
    journal_close(journal);
    store_close(store);
    *stored = next - first;
    return rc;
}

int main(int argc, char **argv)
{
    const long rounds = argc == 2 ? strtol(argv[1], NULL, 10) : 0;
    struct scratch scratch;
    uint64_t stored = 0;
    int rc = 0;
    if (rounds <= 0) {
        fprintf(stderr, "usage: store_crash ROUNDS\n");
        return 2;
    }
    const unsigned seed = (unsigned)getpid();
    srand(seed);
    scratch_init(&scratch);
    for (long round = 0; rc == 0 && round < rounds; round++) {
        rc = live_and_die(scratch.path, (uint64_t)round);
        if (rc == 0)
            rc = verify(scratch.path, &stored);
        if (rc != 0)
            fprintf(stderr, "store_crash: round %ld, seed %u\n", round, seed);
    }
    printf("%ld kills, %" PRIu64 " reports, %" PRIu64 " records acknowledged, floor %" PRIu64
           ", %" PRIu64 " appends refused for want of room, %" PRIu64
           " records stored at the end, %s\n",
           rounds, reports, reported_next, reported_floor, refusals, stored,
           rc == 0 ? "nothing lost" : "FAILED");
    scratch_fini(&scratch);
    return rc == 0 ? 0 : 1;
}
