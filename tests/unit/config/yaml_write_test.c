#include "yaml_write.h"

#include "unit.h"
#include "yaml_doc.h"

enum { ARENA_BYTES_MAX = 64 << 20, RANDOM_VALUES = 3000 };

static struct jv read_back(struct arena *a, struct str text)
{
    struct yaml_doc *yaml;
    struct err err = {0};
    if (yaml_doc_parse(&yaml, a, text, &err) != 0)
        fail_msg("line %zu: %s: %.*s", err.at, err.msg, (int)(text.len < 2000 ? text.len : 2000),
                 text.ptr);
    struct jv root = yaml_doc_root(yaml);
    yaml_doc_free(yaml);
    return root;
}

/* Written, read, and printed again as JSON: member order and number texts count too. */
static void survives(struct arena *a, struct jv v)
{
    struct buf yaml;
    struct buf before;
    struct buf after;
    buf_init(&yaml, YAML_BYTES_MAX);
    buf_init(&before, YAML_BYTES_MAX);
    buf_init(&after, YAML_BYTES_MAX);
    yaml_write_value(&yaml, v);
    assert_false(yaml.failed);
    struct jv got = read_back(a, buf_str(&yaml));
    jv_write(&before, v);
    jv_write(&after, got);
    assert_true(jv_equal(v, got));
    assert_true(str_eq(buf_str(&before), buf_str(&after)));
    buf_fini(&after);
    buf_fini(&before);
    buf_fini(&yaml);
}

static void hostile_values_are_read_back_exactly(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "{\"yes\":true,\"no\":false,\"1\":1,\"\":null,\"<<\":{\"a\":1},\"? \":0,\"- \":0,\"~\":0}",
        "{\"quote\":\"\\\"\",\"back\":\"\\\\\",\"slash\":\"\\/\",\"tick\":\"'\",\"hash\":\"a #b\"}",
        "[\"null\",\"true\",\"~\",\"\",\" \",\" a "
        "\",\"12:30\",\"0x10\",\"1e3\",\"-\",\"*a\",\"&a\"]",
        "[\"%YAML\",\"---\",\"...\",\"a: "
        "b\",\"{\",\"]\",\"!tag\",\"|\",\">\",\"@x\",\"`\",\"${A}\"]",
        "[\"\\u0000\",\"\\u0001\\u001f\\u007f\",\"\\t\\n\\r\\n\",\"\\u0080\\u0085\\u009f\"]",
        "[\"\\u2028\\u2029\",\"\\ufeffa\\ufffe\\uffff\",\"\\ud7ff\\ue000\",\"\\u00a0\"]",
        "[\"\\ud83d\\ude00\",\"\\udbff\\udfff\",\"\\ud83d\",\"e\\u0301\",\"\\u202e\"]",
        "{\"\\ud83d\\ude00\":1,\"\\n\":2,\"\\u2028\":3,\"a:b\":4,\"a,b\":5,\"__proto__\":6}",
        "[0,-0,1,-1,0.1,1e21,1e-7,9007199254740993,-12345678901234567890,1e400,5e-324]",
        "{\"@if\":{\"exists\":{\"@path\":\"$.a['b']\"},\"then\":{\"@template\":\"{{a}} "
        "\\\"x\\\"\"},"
        "\"else\":{\"@arrayPath\":[\"$.p\",{\"id\":{\"@path\":\"$.id\"}}]}}}",
        "[[],{},[[]],[{}],{\"a\":[]},{\"a\":{}},null,true,false]",
        "\"plain\"",
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct arena arena;
        struct jv v;
        struct err err = {0};
        arena_init(&arena, ARENA_BYTES_MAX);
        if (jv_parse(&v, &arena, str_from(rows[i]), JV_EXACT, &err) != 0)
            fail_msg("row %zu: %s", i, err.msg);
        survives(&arena, v);
        arena_fini(&arena);
    }
}

static void every_character_survives_alone_and_in_a_key(void **state)
{
    (void)state;
    static const struct {
        uint32_t first;
        uint32_t last;
    } ranges[] = {{0, 0x3ff},        {0x1ff0, 0x206f},   {0xd7f0, 0xd7ff},   {0xe000, 0xe00f},
                  {0xfdd0, 0x1000f}, {0x1f600, 0x1f610}, {0x1fff0, 0x2000f}, {0x10fff0, 0x10ffff}};
    struct arena arena;
    arena_init(&arena, ARENA_BYTES_MAX);
    for (size_t r = 0; r < countof(ranges); r++)
        for (uint32_t point = ranges[r].first; point <= ranges[r].last; point++) {
            char utf8[5];
            size_t len = 0;
            if (point < 0x80) {
                utf8[len++] = (char)point;
            } else {
                unsigned tail = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
                static const unsigned char heads[] = {0, 0xc0, 0xe0, 0xf0};
                utf8[len++] = (char)(heads[tail] | (point >> (6 * tail)));
                while (tail-- > 0)
                    utf8[len++] = (char)(0x80 | ((point >> (6 * tail)) & 0x3f));
            }
            struct str text = {utf8, len};
            struct jv_builder b;
            arena_reset(&arena);
            jv_object_begin(&b, &arena, 1);
            jv_object_put(&b, text, jv_string(text));
            survives(&arena, jv_object_end(&b));
        }
    arena_fini(&arena);
}

static void very_long_texts_and_keys_survive(void **state)
{
    (void)state;
    static const size_t lengths[] = {100,  165,  166,  167,  500,    1000,
                                     1023, 1024, 1025, 5000, 1000000};
    static const struct str pieces[] = {STR_INIT("a"), STR_INIT("\x01"), STR_INIT(" "),
                                        STR_INIT("\xf0\x9f\x98\x80")};
    for (size_t i = 0; i < countof(lengths) * countof(pieces); i++) {
        struct arena arena;
        struct buf text;
        struct jv_builder b;
        struct str piece = pieces[i % countof(pieces)];
        arena_init(&arena, ARENA_BYTES_MAX);
        buf_init(&text, 8 << 20);
        for (size_t n = 0; n < lengths[i / countof(pieces)]; n++)
            buf_append(&text, piece);
        jv_object_begin(&b, &arena, 2);
        jv_object_put(&b, STR("before"), jv_null());
        jv_object_put(&b, buf_str(&text),
                      text.len < 100000 ? jv_string(buf_str(&text)) : jv_number(1));
        jv_object_put(&b, STR("after"), jv_null());
        survives(&arena, jv_object_end(&b));
        buf_fini(&text);
        arena_fini(&arena);
    }
}

static uint32_t next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33);
}

static struct str random_text(struct arena *a, uint64_t *seed)
{
    static const struct str pieces[] = {
        STR_INIT("a"),
        STR_INIT("\""),
        STR_INIT("\\"),
        STR_INIT("\n"),
        STR_INIT(" "),
        STR_INIT("{{"),
        STR_INIT("}}"),
        STR_INIT("$."),
        STR_INIT(": "),
        STR_INIT(" #"),
        STR_INIT("\xe2\x80\xa8"),
        STR_INIT("\x7f"),
        STR_INIT("'"),
        STR_INIT("? "),
        STR_INIT("\xf0\x9f\x98\x80"),
        STR_INIT("\xc2\x85"),
        STR_INIT("@if"),
        STR_INIT("\t"),
        STR_INIT("\xef\xbb\xbf"),
        STR_INIT("1"),
        STR_INIT("\r"),
        STR_INIT("\\u0"),
        STR_INIT("\xef\xbf\xbf"),
        STR_INIT("\0"),
    };
    struct buf text;
    buf_init_arena(&text, a, 4096);
    for (uint32_t n = next_random(seed) % 8; n > 0; n--)
        buf_append(&text, pieces[next_random(seed) % countof(pieces)]);
    return text.len == 0 ? STR("") : buf_str(&text);
}

static struct jv random_value(struct arena *a, uint64_t *seed, unsigned depth)
{
    uint32_t count = next_random(seed) % 5;
    struct jv *items;
    struct jv_builder b;
    switch (next_random(seed) % (depth == 0 ? 4 : 7)) {
    case 0:
        return jv_string(random_text(a, seed));
    case 1:
        return jv_number((double)next_random(seed) / (1 + next_random(seed) % 7));
    case 2:
        return jv_bool(count > 2);
    case 3:
        return jv_null();
    case 4: {
        struct jv array = jv_array(a, &items, count);
        for (uint32_t i = 0; i < count; i++)
            items[i] = random_value(a, seed, depth - 1);
        return array;
    }
    default:
        jv_object_begin(&b, a, count);
        for (uint32_t i = 0; i < count; i++)
            jv_object_put(&b, random_text(a, seed), random_value(a, seed, depth - 1));
        return jv_object_end(&b);
    }
}

static void whatever_a_value_holds_it_is_read_back_exactly(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, ARENA_BYTES_MAX);
    for (uint64_t i = 0; i < RANDOM_VALUES; i++) {
        uint64_t seed = i;
        arena_reset(&arena);
        survives(&arena, random_value(&arena, &seed, 6));
    }
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_values_are_read_back_exactly),
        cmocka_unit_test(every_character_survives_alone_and_in_a_key),
        cmocka_unit_test(very_long_texts_and_keys_survive),
        cmocka_unit_test(whatever_a_value_holds_it_is_read_back_exactly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
