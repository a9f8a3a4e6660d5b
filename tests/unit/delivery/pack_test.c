#include "unit.h"

#include "pack.h"

static struct stock stock;
static struct pack *pack;

static const struct pack_options combined = {BATCHING_COMBINED, 75, 1000, TRACK_BODY_BYTES_MAX};

static void open_pack(const struct pack_options *options)
{
    stock_init(&stock, 1 << 20);
    assert_int_equal(pack_open(&pack, &stock, options), 0);
}

static void give_back(struct parcel *parcel)
{
    for (unsigned i = 0; i < parcel->count; i++)
        if (parcel->items[i] != NULL)
            stock_give(&stock, parcel_remove(parcel, i));
    pack_give_back(pack, parcel);
}

static void close_pack(void)
{
    struct parcel *parcel;
    while ((parcel = pack_next_closed(pack)) != NULL)
        give_back(parcel);
    while ((parcel = pack_abandon(pack)) != NULL)
        give_back(parcel);
    pack_close(pack);
    stock_fini(&stock);
}

static struct item *item_of(enum request_family family, uint32_t subscription, struct str path,
                            struct str text)
{
    struct intent intent = {.family = family, .subscription = subscription, .path = path};
    struct item *item = item_new(&stock, &intent, text, NULL, 0);
    assert_non_null(item);
    return item;
}

/* Into the parcel of nobody's lanes. */
static struct parcel *add(struct item *item)
{
    assert_true(pack_reserve(pack));
    struct parcel *parcel = pack_place(pack, item, NULL, 0);
    assert_non_null(parcel);
    pack_add(pack, parcel, item);
    return parcel;
}

static struct parcel *add_event(const char *text)
{
    return add(item_of(FAMILY_TRACK_EVENTS, 0, STR(""), str_from(text)));
}

static bool any_family(const void *self, enum request_family family)
{
    (void)self;
    (void)family;
    return true;
}
static const struct pack_filter all = {any_family, NULL};

static bool no_track(const void *self, enum request_family family)
{
    (void)self;
    return family > FAMILY_TRACK_PURCHASES;
}
static const struct pack_filter others = {no_track, NULL};

static void expect_body(struct parcel *parcel, const char *expected)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    parcel_write(parcel, &out);
    assert_string_equal(buf_cstr(&out), expected);
    buf_fini(&out);
}

static void one_request_carries_attributes_events_and_purchases(void **state)
{
    (void)state;
    open_pack(&combined);
    add(item_of(FAMILY_TRACK_EVENTS, 0, STR(""), STR("{\"e\":1}")));
    add(item_of(FAMILY_TRACK_PURCHASES, 1, STR(""), STR("{\"p\":1}")));
    add(item_of(FAMILY_TRACK_ATTRIBUTES, 2, STR(""), STR("{\"a\":1}")));
    struct parcel *parcel = add(item_of(FAMILY_TRACK_EVENTS, 3, STR(""), STR("{\"e\":2}")));
    assert_ptr_equal(pack_take_due(pack, 0, true, all), parcel);
    expect_body(parcel, "{\"attributes\":[{\"a\":1}],\"events\":[{\"e\":1},{\"e\":2}],"
                        "\"purchases\":[{\"p\":1}]}");
    assert_int_equal(parcel->manifest.array_count, 3);
    assert_int_equal(parcel->manifest.object_count, 4);
    assert_int_equal(parcel->manifest.arrays[1].count, 2);
    assert_string_equal(parcel->items[parcel->sent[3]]->text.ptr[2] == 'p' ? "p" : "?", "p");
    give_back(parcel);
    close_pack();
}

static void per_action_separates_arrays_and_subscriptions(void **state)
{
    (void)state;
    struct pack_options options = combined;
    options.mode = BATCHING_PER_ACTION;
    open_pack(&options);
    struct parcel *events = add(item_of(FAMILY_TRACK_EVENTS, 0, STR(""), STR("1")));
    struct parcel *attributes = add(item_of(FAMILY_TRACK_ATTRIBUTES, 0, STR(""), STR("2")));
    struct parcel *other = add(item_of(FAMILY_TRACK_EVENTS, 1, STR(""), STR("3")));
    assert_ptr_not_equal(events, attributes);
    assert_ptr_not_equal(events, other);
    assert_ptr_equal(add(item_of(FAMILY_TRACK_EVENTS, 0, STR(""), STR("4"))), events);
    assert_ptr_equal(pack_take_due(pack, 0, true, all), events);
    expect_body(events, "{\"events\":[1,4]}");
    give_back(events);
    close_pack();
}

static void other_endpoints_have_their_own_requests(void **state)
{
    (void)state;
    open_pack(&combined);
    add_event("1");
    struct parcel *alias = add(item_of(FAMILY_ALIAS_NEW, 0, STR(""), STR("{}")));
    struct parcel *a = add(item_of(FAMILY_CATALOG_ITEM, 0, STR("/catalogs/a/items"), STR("{}")));
    struct parcel *b = add(item_of(FAMILY_CATALOG_ITEM, 0, STR("/catalogs/b/items"), STR("{}")));
    assert_ptr_not_equal(a, b);
    struct parcel *whole = add(item_of(FAMILY_IDENTIFY, 0, STR(""), STR("{\"x\":1}")));
    assert_ptr_equal(pack_next_closed(pack), whole); /* a whole body is full with one object */
    expect_body(whole, "{\"x\":1}");
    assert_ptr_equal(pack_take_due(pack, 0, true, others), alias);
    expect_body(alias, "{\"user_aliases\":[{}]}");
    assert_int_equal(pack_parcels(pack), 5);
    give_back(whole);
    give_back(alias);
    close_pack();
}

static void a_parcel_is_full_at_the_number_of_objects(void **state)
{
    (void)state;
    struct pack_options options = combined;
    options.objects_max = 3;
    open_pack(&options);
    struct parcel *first = add_event("1");
    add_event("2");
    assert_null(pack_next_closed(pack));
    add(item_of(FAMILY_TRACK_ATTRIBUTES, 0, STR(""), STR("3")));
    assert_ptr_equal(pack_next_closed(pack), first);
    assert_ptr_not_equal(add_event("4"), first);
    give_back(first);
    close_pack();
}

static void a_legacy_contract_fills_each_array(void **state)
{
    (void)state;
    struct pack_options options = combined;
    options.objects_max = PARCEL_ITEMS_MAX;
    open_pack(&options);
    struct parcel *first = add_event("0");
    for (int i = 1; i < 75; i++)
        assert_ptr_equal(add_event("0"), first);
    assert_ptr_equal(add(item_of(FAMILY_TRACK_ATTRIBUTES, 0, STR(""), STR("1"))), first);
    assert_ptr_not_equal(add_event("0"), first);
    assert_ptr_equal(pack_next_closed(pack), first);
    assert_int_equal(first->count, 76);
    give_back(first);
    close_pack();
}

static void a_body_never_passes_its_bytes(void **state)
{
    (void)state;
    struct pack_options options = combined;
    options.body_bytes_max = 200;
    open_pack(&options);
    char text[64];
    for (int i = 0; i < 100; i++) {
        snprintf(text, sizeof(text), "{\"n\":\"%.*s\"}", i % 40,
                 "0123456789012345678901234567890123456789");
        add(item_of((enum request_family)(i % 3), 0, STR(""), str_from(text)));
    }
    unsigned objects = 0;
    struct parcel *parcel;
    while ((parcel = pack_next_closed(pack)) != NULL ||
           (parcel = pack_take_due(pack, 0, true, all)) != NULL) {
        struct buf out;
        buf_init(&out, 4096);
        parcel_write(parcel, &out);
        assert_true(out.len <= options.body_bytes_max);
        objects += parcel->manifest.object_count;
        buf_fini(&out);
        give_back(parcel);
    }
    assert_int_equal(objects, 100);
    close_pack();
}

static void an_open_parcel_leaves_when_its_oldest_item_is_old(void **state)
{
    (void)state;
    open_pack(&combined);
    assert_int_equal(pack_due_ms(pack, all), INT64_MAX);
    struct parcel *parcel = add_event("1");
    assert_int_equal(pack_due_ms(pack, all), 1000);
    assert_int_equal(pack_due_ms(pack, others), INT64_MAX);
    assert_null(pack_take_due(pack, 999, false, all));
    assert_null(pack_take_due(pack, 1000, false, others));
    assert_ptr_equal(pack_take_due(pack, 1000, false, all), parcel);
    give_back(parcel);
    close_pack();
}

static void a_parcel_that_somebody_waits_for_leaves_soon(void **state)
{
    (void)state;
    open_pack(&combined);
    struct parcel *parcel = add_event("1");
    parcel->hold.is_waited_for = true;
    assert_true(pack_due_ms(pack, all) < 100);
    assert_ptr_equal(pack_take_due(pack, 100, false, all), parcel);
    give_back(parcel);
    close_pack();
}

static void a_held_user_joins_the_request_that_holds_it_or_waits(void **state)
{
    (void)state;
    open_pack(&combined);
    struct hold elsewhere = {0};
    struct parcel *open = add_event("1");
    struct parcel *alias = add(item_of(FAMILY_ALIAS_NEW, 0, STR(""), STR("2")));
    struct item *event = item_of(FAMILY_TRACK_EVENTS, 0, STR(""), STR("3"));
    struct item *another = item_of(FAMILY_ALIAS_NEW, 0, STR(""), STR("4"));
    assert_true(pack_reserve(pack));
    assert_ptr_equal(pack_place(pack, event, &open->hold, 0), open);
    assert_null(pack_place(pack, event, &elsewhere, 0));
    assert_null(pack_place(pack, event, &alias->hold, 0));
    assert_null(pack_place(pack, another, &open->hold, 0));
    assert_null(pack_place(pack, another, &alias->hold, 0)); /* confirmed first, one by one */
    stock_give(&stock, event);
    stock_give(&stock, another);
    close_pack();
}

static void halving_reaches_every_object_alone(void **state)
{
    (void)state;
    enum { OBJECTS = 3 * TRACK_OBJECTS_MAX };
    struct pack_options options = combined;
    options.objects_max = OBJECTS;
    open_pack(&options);
    struct parcel *parcel = NULL;
    for (unsigned i = 0; i < OBJECTS; i++)
        parcel = add(item_of((enum request_family)(i % 3), 0, STR(""), STR("0")));
    assert_ptr_equal(pack_next_closed(pack), parcel);
    assert_int_equal(parcel->count, OBJECTS);
    unsigned alone = 0;
    unsigned last = 0;
    while (parcel_advance(parcel)) {
        struct buf out;
        buf_init(&out, 1 << 16);
        parcel_write(parcel, &out);
        buf_fini(&out);
        if (parcel->manifest.object_count > 1) {
            parcel_split(parcel);
            continue;
        }
        assert_true(alone == 0 || parcel->sent[0] > last); /* in order, whatever the halves */
        last = parcel->sent[0];
        stock_give(&stock, parcel_remove(parcel, last));
        alone++;
    }
    assert_int_equal(alone, OBJECTS);
    give_back(parcel);
    close_pack();
}

static void what_is_settled_is_not_written_again(void **state)
{
    (void)state;
    open_pack(&combined);
    struct parcel *parcel = add_event("1");
    add_event("2");
    add_event("3");
    assert_ptr_equal(pack_take_due(pack, 0, true, all), parcel);
    expect_body(parcel, "{\"events\":[1,2,3]}");
    stock_give(&stock, parcel_remove(parcel, parcel->sent[1]));
    assert_true(parcel_advance(parcel));
    expect_body(parcel, "{\"events\":[1,3]}");
    stock_give(&stock, parcel_remove(parcel, parcel->sent[1]));
    assert_true(parcel_advance(parcel));
    expect_body(parcel, "{\"events\":[1]}");
    give_back(parcel);
    close_pack();
}

static void parcels_are_bounded(void **state)
{
    (void)state;
    open_pack(&combined);
    for (unsigned i = 0; i < PARCELS_MAX; i++) {
        char path[32];
        snprintf(path, sizeof(path), "/catalogs/%u/items", i);
        add(item_of(FAMILY_CATALOG_ITEM, 0, str_from(path), STR("{}")));
    }
    assert_false(pack_reserve(pack));
    close_pack();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_request_carries_attributes_events_and_purchases),
        cmocka_unit_test(per_action_separates_arrays_and_subscriptions),
        cmocka_unit_test(other_endpoints_have_their_own_requests),
        cmocka_unit_test(a_parcel_is_full_at_the_number_of_objects),
        cmocka_unit_test(a_legacy_contract_fills_each_array),
        cmocka_unit_test(a_body_never_passes_its_bytes),
        cmocka_unit_test(an_open_parcel_leaves_when_its_oldest_item_is_old),
        cmocka_unit_test(a_parcel_that_somebody_waits_for_leaves_soon),
        cmocka_unit_test(a_held_user_joins_the_request_that_holds_it_or_waits),
        cmocka_unit_test(halving_reaches_every_object_alone),
        cmocka_unit_test(what_is_settled_is_not_written_again),
        cmocka_unit_test(parcels_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
