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

static void an_addressed_record_names_its_destination(void **state)
{
    (void)state;
    const struct envelope in = {
        .source = STR("web"), .destination = STR("braze"), .received_at_ms = -1, .json = STR("{}")};
    struct envelope out;
    struct buf record;
    buf_init(&record, 1024);
    envelope_write(&record, &in);
    assert_int_equal(record.ptr[0], ENVELOPE_VERSION_ADDRESSED);
    assert_int_equal(envelope_read(&out, buf_str(&record)), 0);
    assert_true(str_eq(out.source, in.source));
    assert_true(str_eq(out.destination, in.destination));
    assert_true(str_eq(out.json, in.json));
    assert_int_equal(out.received_at_ms, in.received_at_ms);
    for (size_t len = 0; len < ENVELOPE_HEAD_BYTES + 8; len++)
        assert_int_equal(envelope_read(&out, str_slice(buf_str(&record), 0, len)), -EBADMSG);
    record.ptr[4] = 0; /* addressed to nobody */
    assert_int_equal(envelope_read(&out, buf_str(&record)), -EBADMSG);
    record.ptr[4] = 8; /* longer than what is there */
    assert_int_equal(envelope_read(&out, buf_str(&record)), -EBADMSG);
    buf_fini(&record);
}

/* Data folders of version 0.1.0 hold these bytes. */
static void the_first_form_reads_as_before(void **state)
{
    (void)state;
    static const char record[] = "\x01\0\x03\0\0\0\0\0\x46\xc3\x91\xff\xa1\x01\0\0web{}";
    struct envelope out;
    struct buf written;
    assert_int_equal(envelope_read(&out, (struct str){record, sizeof(record) - 1}), 0);
    assert_true(str_eq(out.source, STR("web")));
    assert_int_equal(out.destination.len, 0);
    assert_true(str_eq(out.json, STR("{}")));
    assert_int_equal(out.received_at_ms, INT64_C(0x1a1ff91c346));
    buf_init(&written, 1024);
    envelope_write(&written, &out);
    assert_true(str_eq(buf_str(&written), (struct str){record, sizeof(record) - 1}));
    buf_fini(&written);
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
    record[0] = ENVELOPE_VERSION_ADDRESSED + 1;
    assert_int_equal(envelope_read(&out, (struct str){record, sizeof(record)}), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_reads_back),
        cmocka_unit_test(an_addressed_record_names_its_destination),
        cmocka_unit_test(the_first_form_reads_as_before),
        cmocka_unit_test(damaged_envelopes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
