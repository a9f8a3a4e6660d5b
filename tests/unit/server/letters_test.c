#include "letters.h"

#include <errno.h>

#include "cursor.h"
#include "envelope.h"
#include "world.h"

#define CONFIG                                                                                     \
    "sources:\n  - {id: web, write_key: k}\ndestinations:\n"                                       \
    "  - {id: braze, settings: {api_key: key, endpoint: \"http://127.0.0.1:1\"}}\n"                \
    "  - {id: other, settings: {api_key: key, endpoint: \"http://127.0.0.1:1\"}}\n"                \
    "  - {id: placeless, settings: {api_key: key, endpoint: \"http://127.0.0.1:1\"}}\n"

/* What no double holds, a slash, an emoji: nothing of it may change on the way. */
#define EVENT                                                                                      \
    "{\"messageId\":\"m\",\"n\":12345678901234567890,\"a\":[0.1,\"/\xF0\x9F\x98\x80\"],\"b\":{}}"

enum { NOW_MS = 1767607200 };

static struct world w;
static struct config *config;

static void open_place(const char *id)
{
    struct cursor *cursor;
    struct err err = {0};
    assert_int_equal(cursor_open(&cursor, w.store, str_from(id), 0, &err), 0);
    cursor_close(cursor);
}

static int setup(void **state)
{
    struct err err = {0};
    (void)state;
    world_open(&w, STORE_BYTES_MIN * 16);
    if (config_parse(&config, "x.yaml", STR(CONFIG), &err) != 0)
        fail_msg("%s", err.msg);
    open_place("braze");
    open_place("other");
    open_place("gone");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    config_free(config);
    world_close(&w);
    return 0;
}

struct bury_job {
    struct store_job job;
    struct str letter;
    size_t count;
    uint64_t id;
};

static int apply_bury(struct store_job *job, MDB_txn *txn)
{
    struct bury_job *b = (struct bury_job *)job;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < b->count; i++)
        rc = dead_put(w.dead, txn, b->letter, &b->id);
    return rc;
}

/* The number of the last of `count` letters with this text. */
static uint64_t bury_text(struct str letter, size_t count)
{
    struct bury_job b = {{.apply = apply_bury, .kind = STORE_FREES_ROOM}, letter, count, 0};
    assert_int_equal(store_commit(w.store, &b.job), 0);
    return b.id;
}

static uint64_t bury(const char *destination, unsigned position, const char *event)
{
    struct buf letter;
    buf_init(&letter, 1 << 20);
    buf_printf(&letter,
               "{\"at\":\"2026-01-05T10:00:00.000Z\",\"destination\":\"%s\",\"source\":\"web\","
               "\"position\":%u%s%s}",
               destination, position, event[0] == '\0' ? "" : ",\"event\":", event);
    uint64_t id = bury_text(buf_str(&letter), 1);
    buf_fini(&letter);
    return id;
}

static uint64_t letter_count(void)
{
    uint64_t count;
    assert_int_equal(dead_count(w.dead, &count), 0);
    return count;
}

static int64_t now_ms(void *self)
{
    (void)self;
    return NOW_MS;
}

static int change(enum letters_deed deed, const char *destination, const uint64_t *ids,
                  size_t count, struct letters_result *result, struct err *err)
{
    const struct letters_options options = {
        .store = w.store,
        .journal = w.journal,
        .dead = w.dead,
        .config = config,
        .clock = {.now_ms = now_ms},
    };
    const struct letters_request request = {deed, str_from(destination), ids, count};
    *err = (struct err){0};
    return letters_apply(&options, &request, result, err);
}

struct journal_check {
    const char *destination;
    const char *json;
    size_t count;
};

static bool check_record(void *self, uint64_t position, struct str record)
{
    struct journal_check *check = self;
    struct envelope envelope;
    (void)position;
    assert_int_equal(envelope_read(&envelope, record), 0);
    assert_true(str_eq(envelope.source, STR("web")));
    assert_true(str_eq(envelope.destination, str_from(check->destination)));
    assert_int_equal(envelope.received_at_ms, NOW_MS);
    if (!str_eq(envelope.json, str_from(check->json)))
        fail_msg("got %.*s", STR_ARG(envelope.json));
    check->count++;
    return true;
}

static void assert_journal(size_t count, const char *destination, const char *json)
{
    struct journal_check check = {destination, json, 0};
    uint64_t next;
    assert_int_equal(journal_read(w.journal, 0, 100000, check_record, &check, &next), 0);
    assert_int_equal(check.count, count);
    assert_int_equal(journal_next(w.journal), count); /* published, so couriers see them */
}

static void an_event_goes_once_to_its_destination_and_all_its_letters_are_gone(void **state)
{
    (void)state;
    const uint64_t ids[] = {bury("braze", 3, ""), bury("braze", 3, EVENT), bury("braze", 3, EVENT),
                            bury("braze", 8, EVENT)};
    bury("other", 3, EVENT);
    struct letters_result result;
    struct err err;
    assert_int_equal(change(LETTERS_RETRY, "braze", ids, countof(ids), &result, &err), 0);
    assert_int_equal(result.events, 2);
    assert_int_equal(result.letters, 4);
    assert_int_equal(result.absent, 0);
    assert_journal(2, "braze", EVENT);
    assert_int_equal(letter_count(), 1);
    assert_int_equal(change(LETTERS_RETRY, "braze", ids, countof(ids), &result, &err), 0);
    assert_int_equal(result.events + result.letters, 0);
    assert_int_equal(result.absent, 4);
    assert_journal(2, "braze", EVENT);
}

static void what_cannot_go_again_stays_as_it_is(void **state)
{
    (void)state;
    static const struct {
        const char *destination; /* asked for */
        const char *owner;       /* of the letter */
        const char *event;
        const char *says;
    } rows[] = {
        {"gone", "gone", EVENT, "'gone' is not in the config in use"},
        {"placeless", "placeless", EVENT, "'placeless' has no place in the journal"},
        {"braze", "other", EVENT, "is none of 'braze'"},
        {"braze", "", EVENT, "is none of 'braze'"},
        {"braze", "braze", "", "has no event that could be sent again"},
        {"braze", "braze", "\"{\"", "has no event that could be sent again"},
    };
    const uint64_t good = bury("braze", 1, EVENT);
    for (size_t i = 0; i < countof(rows); i++) {
        const uint64_t ids[] = {good, bury(rows[i].owner, 2, rows[i].event)};
        struct letters_result result;
        struct err err;
        int rc =
            change(LETTERS_RETRY, rows[i].destination, ids + (i < 2), 2 - (i < 2), &result, &err);
        assert_int_equal(rc, -EINVAL);
        if (strstr(err.msg, rows[i].says) == NULL)
            fail_msg("row %zu says: %s", i, err.msg);
        assert_int_equal(result.events + result.letters, 0);
        assert_int_equal(letter_count(), i + 2);
        assert_journal(0, "", "");
    }
    const uint64_t garbage = bury_text(STR("no letter"), 1);
    struct letters_result result;
    struct err err;
    assert_int_equal(change(LETTERS_RETRY, "braze", &garbage, 1, &result, &err), -EINVAL);
    assert_int_equal(change(LETTERS_DROP, "", &garbage, 1, &result, &err), 0);
    assert_int_equal(result.letters, 1);
}

/* The second removal fails, when the event has been appended already. */
static void an_event_and_its_letters_change_together_or_not_at_all(void **state)
{
    (void)state;
    const uint64_t id = bury("braze", 1, EVENT);
    const uint64_t ids[] = {id, id};
    struct letters_result result;
    struct err err;
    assert_int_equal(change(LETTERS_RETRY, "braze", ids, 2, &result, &err), -ENOENT);
    assert_int_equal(result.events + result.letters, 0);
    assert_journal(0, "", "");
    assert_int_equal(letter_count(), 1);
}

static void a_full_store_says_so_and_keeps_the_letters(void **state)
{
    (void)state;
    enum { LETTERS_MAX = 2000, TEXT_BYTES = 20000 };
    static char text[TEXT_BYTES + 1];
    static uint64_t ids[LETTERS_MAX];
    size_t count = 0;
    struct letters_result result;
    struct err err;
    struct buf letter;
    memset(text, 'x', TEXT_BYTES);
    buf_init(&letter, 1 << 20);
    buf_printf(&letter,
               "{\"destination\":\"braze\",\"source\":\"web\",\"position\":0,\"event\":{\"t\":"
               "\"%s\"}}",
               text);
    struct bury_job b = {{.apply = apply_bury, .kind = STORE_NEEDS_ROOM}, buf_str(&letter), 1, 0};
    while (count < LETTERS_MAX && store_commit(w.store, &b.job) == 0)
        ids[count++] = b.id;
    assert_in_range(count, 100, LETTERS_MAX - 1);
    assert_int_equal(change(LETTERS_RETRY, "braze", ids, 1, &result, &err), -ENOSPC);
    assert_non_null(strstr(err.msg, "journal.size"));
    assert_int_equal(result.events + result.letters, 0);
    assert_int_equal(letter_count(), count);
    assert_journal(0, "", "");
    assert_int_equal(change(LETTERS_DROP, "", ids, count / 2, &result, &err), 0);
    assert_int_equal(change(LETTERS_RETRY, "braze", ids + count - 1, 1, &result, &err), 0);
    assert_int_equal(result.events, 1);
    assert_int_equal(letter_count(), count - count / 2 - 1);
    buf_fini(&letter);
}

/* More than one transaction takes. */
static void a_large_portion_goes_in_several_commits(void **state)
{
    (void)state;
    enum { EVENTS = 110, TEXT_BYTES = 50000 };
    static char text[TEXT_BYTES + 1];
    static uint64_t ids[2 * EVENTS];
    struct letters_result result;
    struct err err;
    struct buf event;
    static_assert((int)EVENTS * TEXT_BYTES > (int)LETTERS_COMMIT_BYTES, "several commits");
    memset(text, 'x', TEXT_BYTES);
    buf_init(&event, 1 << 20);
    buf_printf(&event, "{\"text\":\"%s\"}", text);
    for (size_t i = 0; i < EVENTS; i++) {
        ids[2 * i] = bury("braze", (unsigned)i, buf_cstr(&event));
        ids[2 * i + 1] = bury("braze", (unsigned)i, "");
    }
    const uint64_t commits = counter_get(&store_metrics(w.store)->commits);
    assert_int_equal(change(LETTERS_RETRY, "braze", ids, countof(ids), &result, &err), 0);
    assert_int_equal(counter_get(&store_metrics(w.store)->commits), commits + 2);
    assert_int_equal(result.events, EVENTS);
    assert_int_equal(result.letters, 2 * EVENTS);
    assert_int_equal(letter_count(), 0);
    assert_journal(EVENTS, "braze", buf_cstr(&event));
    buf_fini(&event);
}

static void dropping_removes_exactly_what_is_named(void **state)
{
    (void)state;
    const uint64_t ids[] = {bury("gone", 1, EVENT), bury("", 0, EVENT), 0, 999};
    bury("gone", 1, EVENT);
    struct letters_result result;
    struct err err;
    assert_int_equal(change(LETTERS_DROP, "", ids, countof(ids), &result, &err), 0);
    assert_int_equal(result.letters, 2);
    assert_int_equal(result.absent, 2);
    assert_int_equal(result.events, 0);
    assert_int_equal(letter_count(), 1);
    assert_journal(0, "", "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_event_goes_once_to_its_destination_and_all_its_letters_are_gone),
        TEST(what_cannot_go_again_stays_as_it_is),
        TEST(an_event_and_its_letters_change_together_or_not_at_all),
        TEST(a_full_store_says_so_and_keeps_the_letters),
        TEST(a_large_portion_goes_in_several_commits),
        TEST(dropping_removes_exactly_what_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
