#include "envelope.h"

#include <errno.h>

#include "unit.h"

static void what_is_written_reads_back(void **state)
{
    (void)state;
    const struct envelope in = {
        .source = STR("web"), .received_at_ms = INT64_C(1795315716102), .json = STR("{\"a\":1}")};
    struct envelope out;
    struct buf record;
    buf_init(&record, 1024);
    envelope_write(&record, &in);
    assert_int_equal(record.len, ENVELOPE_HEAD_BYTES + 3 + 7);
    assert_int_equal(envelope_read(&out, buf_str(&record)), 0);
    assert_true(str_eq(out.source, in.source));
    assert_true(str_eq(out.json, in.json));
    assert_int_equal(out.received_at_ms, in.received_at_ms);
    buf_fini(&record);
}

static void damaged_envelopes_are_refused(void **state)
{
    (void)state;
    char record[ENVELOPE_HEAD_BYTES] = {ENVELOPE_VERSION};
    struct envelope out;
    assert_int_equal(envelope_read(&out, (struct str){record, sizeof(record)}), 0);
    assert_int_equal(envelope_read(&out, (struct str){record, sizeof(record) - 1}), -EBADMSG);
    assert_int_equal(envelope_read(&out, (struct str){NULL, 0}), -EBADMSG);
    record[2] = 1; /* a source id that is not there */
    assert_int_equal(envelope_read(&out, (struct str){record, sizeof(record)}), -EBADMSG);
    record[2] = 0;
    record[0] = ENVELOPE_VERSION + 1;
    assert_int_equal(envelope_read(&out, (struct str){record, sizeof(record)}), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_reads_back),
        cmocka_unit_test(damaged_envelopes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
