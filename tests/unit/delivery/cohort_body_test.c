#include "unit.h"

#include "cohort_body.h"
#include "pack.h"

#define KEYS "\"partner_api_key\":\"P\",\"client_secret\":\"C\""

static struct stock stock;
static struct pack *pack;
static const struct pack_options options = {BATCHING_COMBINED, COHORT_IDS_MAX, 1000,
                                            TRACK_BODY_BYTES_MAX};

static int set_up(void **state)
{
    (void)state;
    stock_init(&stock, 1 << 20);
    return pack_open(&pack, &stock, &options);
}

static void give_back(struct parcel *parcel)
{
    for (unsigned i = 0; i < parcel->count; i++)
        if (parcel->items[i] != NULL)
            stock_give(&stock, parcel_remove(parcel, i));
    pack_give_back(pack, parcel);
}

static int tear_down(void **state)
{
    (void)state;
    struct parcel *parcel;
    while ((parcel = pack_next_closed(pack)) != NULL)
        give_back(parcel);
    while ((parcel = pack_abandon(pack)) != NULL)
        give_back(parcel);
    pack_close(pack);
    stock_fini(&stock);
    return 0;
}

static struct item *member(const char *id, const char *name, enum request_family family,
                           const char *text)
{
    char id_member[64];
    char body[64];
    snprintf(id_member, sizeof(id_member), "\"cohort_id\":\"%s\"", id);
    snprintf(body, sizeof(body), "{\"name\":\"%s\",\"cohort_id\":\"%s\"}", name, id);
    struct cohort cohort = {
        .key = {(uint64_t)id[0]},
        .name = (uint64_t)name[0],
        .id = str_from(id_member),
        .body = str_from(body),
    };
    struct intent intent = {.family = family, .cohort = &cohort};
    struct item *item = item_new(&stock, &intent, str_from(text), NULL, 0);
    assert_non_null(item);
    return item;
}

/* As dispatch does it: the first of a lane opens a parcel, the next may join it or not. */
static struct parcel *add(struct item *item, const struct hold *hold)
{
    assert_true(pack_reserve(pack));
    struct parcel *parcel = pack_place(pack, item, hold, 0);
    if (parcel == NULL)
        stock_give(&stock, item);
    else
        pack_add(pack, parcel, item);
    return parcel;
}

static bool any_family(const void *self, enum request_family family)
{
    (void)self;
    (void)family;
    return true;
}

static struct parcel *take(void)
{
    struct parcel *parcel = pack_take_due(pack, 0, true, (struct pack_filter){any_family, NULL});
    assert_non_null(parcel);
    return parcel;
}

static void expect(void (*write)(struct parcel *, struct buf *, struct str), struct parcel *parcel,
                   const char *expected, unsigned objects)
{
    struct buf out;
    buf_init(&out, 1 << 16);
    write(parcel, &out, STR(KEYS));
    assert_string_equal(buf_cstr(&out), expected);
    assert_int_equal(parcel->manifest.object_count, objects);
    assert_int_equal(parcel->manifest.array_count, 0);
    assert_true(parcel->manifest.has_keys);
    buf_fini(&out);
}

static void ids_of_a_kind_share_one_change_adds_first(void **state)
{
    (void)state;
    struct parcel *parcel = add(member("a", "n", FAMILY_COHORT_REMOVE_USER, "\"u1\""), NULL);
    add(member("a", "n", FAMILY_COHORT_ADD_USER, "\"u2\""), &parcel->hold);
    add(member("a", "n", FAMILY_COHORT_ADD_ALIAS, "{\"alias_name\":\"x\"}"), &parcel->hold);
    add(member("a", "n", FAMILY_COHORT_ADD_USER, "\"u3\""), &parcel->hold);
    add(member("a", "n", FAMILY_COHORT_ADD_DEVICE, "\"d1\""), &parcel->hold);
    add(member("a", "n", FAMILY_COHORT_REMOVE_DEVICE, "\"d2\""), &parcel->hold);
    add(member("a", "n", FAMILY_COHORT_REMOVE_ALIAS, "{\"alias_name\":\"y\"}"), &parcel->hold);
    parcel = take();
    expect(cohort_body_change, parcel,
           "{" KEYS ",\"cohort_id\":\"a\",\"cohort_changes\":["
           "{\"user_ids\":[\"u2\",\"u3\"],\"device_ids\":[],\"aliases\":[]},"
           "{\"user_ids\":[],\"device_ids\":[\"d1\"],\"aliases\":[]},"
           "{\"user_ids\":[],\"device_ids\":[],\"aliases\":[{\"alias_name\":\"x\"}]},"
           "{\"user_ids\":[\"u1\"],\"device_ids\":[],\"aliases\":[],\"should_remove\":true},"
           "{\"user_ids\":[],\"device_ids\":[\"d2\"],\"aliases\":[],\"should_remove\":true},"
           "{\"user_ids\":[],\"device_ids\":[],\"aliases\":[{\"alias_name\":\"y\"}],"
           "\"should_remove\":true}]}",
           7);
    give_back(parcel);
}

static void making_a_cohort_concerns_every_object_that_waits_for_it(void **state)
{
    (void)state;
    struct parcel *parcel = add(member("a", "n", FAMILY_COHORT_ADD_USER, "\"u1\""), NULL);
    add(member("a", "n", FAMILY_COHORT_ADD_USER, "\"u2\""), &parcel->hold);
    parcel = take();
    expect(cohort_body_make, parcel, "{" KEYS ",\"name\":\"n\",\"cohort_id\":\"a\"}", 2);
    give_back(parcel);
}

static void what_is_settled_is_not_written_again(void **state)
{
    (void)state;
    struct parcel *parcel = add(member("a", "n", FAMILY_COHORT_ADD_USER, "\"u1\""), NULL);
    add(member("a", "n", FAMILY_COHORT_REMOVE_USER, "\"u2\""), &parcel->hold);
    parcel = take();
    stock_give(&stock, parcel_remove(parcel, 0));
    assert_true(parcel_advance(parcel));
    expect(cohort_body_change, parcel,
           "{" KEYS ",\"cohort_id\":\"a\",\"cohort_changes\":["
           "{\"user_ids\":[\"u2\"],\"device_ids\":[],\"aliases\":[],\"should_remove\":true}]}",
           1);
    give_back(parcel);
}

static void cohorts_names_and_repeated_ids_never_mix(void **state)
{
    (void)state;
    struct parcel *parcel = add(member("a", "n", FAMILY_COHORT_ADD_USER, "\"u1\""), NULL);
    assert_ptr_not_equal(add(member("b", "n", FAMILY_COHORT_ADD_USER, "\"u1\""), NULL), parcel);
    assert_null(add(member("a", "m", FAMILY_COHORT_ADD_USER, "\"u2\""), &parcel->hold));
    assert_null(add(member("a", "n", FAMILY_COHORT_REMOVE_USER, "\"u1\""), &parcel->hold));
    assert_ptr_equal(add(member("a", "n", FAMILY_COHORT_REMOVE_USER, "\"u2\""), &parcel->hold),
                     parcel);
}

static void a_change_is_full_with_a_thousand_ids(void **state)
{
    (void)state;
    struct parcel *parcel = add(member("a", "n", FAMILY_COHORT_ADD_USER, "0"), NULL);
    for (unsigned i = 1; i < COHORT_IDS_MAX; i++) {
        char text[16];
        assert_null(pack_next_closed(pack));
        snprintf(text, sizeof(text), "%u", i);
        assert_ptr_equal(add(member("a", "n", FAMILY_COHORT_ADD_USER, text), &parcel->hold),
                         parcel);
    }
    assert_ptr_equal(pack_next_closed(pack), parcel);
    assert_null(add(member("a", "n", FAMILY_COHORT_ADD_USER, "\"x\""), &parcel->hold));
    give_back(parcel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(ids_of_a_kind_share_one_change_adds_first, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(making_a_cohort_concerns_every_object_that_waits_for_it,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_settled_is_not_written_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cohorts_names_and_repeated_ids_never_mix, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_change_is_full_with_a_thousand_ids, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
