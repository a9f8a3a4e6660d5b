#include "look.h"

#include "attributes.h"
#include "catalogs.h"
#include "export.h"
#include "identifiers.h"
#include "later.h"
#include "page.h"
#include "states.h"
#include "text.h"
#include "times.h"

enum { PAGE_DEFAULT = 50, PAGE_MAX = 1000, NUMBER_MAX = INT32_MAX };

static void reply_text_begins(struct call *c)
{
    c->answer->status = 200;
    buf_reset(&c->answer->body);
}

void answer_page(struct call *c)
{
    reply_text_begins(c);
    buf_append(&c->answer->body, str_from(page_html));
    call_header(c, STR("Content-Type"), STR("text/html; charset=utf-8"));
}

static struct jv ms_or_text(struct call *c, struct jv value)
{
    int64_t ms;
    return number_is_i64(value, &ms) ? jv_string(time_text(c->arena, ms)) : value;
}

static void put_section(struct call *c, const struct profile *p, enum section section,
                        struct str name, struct jv_builder *b)
{
    struct jv members = profile_section(p, section);
    if (members.len > 0)
        jv_object_put(b, name, stored_to_printed(c, members));
}

static struct jv commerce(struct call *c, const struct profile *p)
{
    struct jv all = profile_section(p, SECTION_COMMERCE);
    struct jv_builder b;
    jv_object_begin(&b, c->arena, all.len);
    for (uint32_t i = 0; i < all.len; i++) {
        struct str name = all.members[i].key;
        bool is_time = str_eq(name, STR("first_purchase")) || str_eq(name, STR("last_purchase"));
        jv_object_put(&b, name,
                      is_time ? ms_or_text(c, all.members[i].value) : all.members[i].value);
    }
    return jv_object_end(&b);
}

static void write_history(struct call *c, struct profile *p, enum history_kind wanted,
                          struct buf *out)
{
    const struct history *history = profiles_history(c->sandbox->profiles);
    uint64_t entry = profile_history(p);
    enum history_kind kind;
    struct str text;
    size_t written = 0;
    buf_putc(out, '[');
    for (size_t i = 0;
         i < PROFILE_HISTORY_MAX && history_read(history, entry, &kind, &text, &entry); i++) {
        if (kind != wanted)
            continue;
        if (written++ > 0)
            buf_putc(out, ',');
        buf_append(out, text);
    }
    buf_putc(out, ']');
}

static struct profile *find_profile(struct call *c, struct str id)
{
    struct profiles *ps = c->sandbox->profiles;
    struct profile *p = find_external_id(c, id);
    if (p == NULL)
        p = profiles_find(ps, KEY_BRAZE_ID, id);
    size_t colon = str_find(id, ':');
    if (p == NULL && colon < id.len)
        p = find_alias(c, str_slice(id, 0, colon), str_slice(id, colon + 1, id.len));
    if (p == NULL)
        p = profiles_get(ps, address_pick(c, KEY_EMAIL, text_lower_ascii(c->arena, id)));
    return p;
}

void answer_look_profile(struct call *c)
{
    struct profile *p = find_profile(c, c->parameters[0]);
    if (p == NULL) {
        call_message(c, 404, "no such profile");
        return;
    }
    struct jv_builder b;
    jv_object_begin(&b, c->arena, 40);
    jv_object_put_all(&b, export_profile(c, p, jv_undefined()));
    jv_object_put(&b, STR("updated_at"), jv_string(time_text(c->arena, p->updated_ms)));
    jv_object_put(&b, STR("commerce"), commerce(c, p));
    put_section(c, p, SECTION_STANDARD, STR("standard_attributes"), &b);
    put_section(c, p, SECTION_CARTS, STR("carts"), &b);
    put_section(c, p, SECTION_GROUPS, STR("subscription_groups"), &b);
    put_section(c, p, SECTION_DEPRECATED, STR("deprecated_external_ids"), &b);
    put_section(c, p, SECTION_COHORTS, STR("cohorts"), &b);
    reply_text_begins(c);
    struct buf *out = &c->answer->body;
    buf_append(out, STR("{\"profile\":"));
    jv_write(out, jv_object_end(&b));
    buf_append(out, STR(",\"received_events\":"));
    write_history(c, p, HISTORY_EVENT, out);
    buf_append(out, STR(",\"received_purchases\":"));
    write_history(c, p, HISTORY_PURCHASE, out);
    buf_append(out, STR(",\"message\":\"success\"}"));
}

static bool contains(struct str text, struct str part)
{
    for (size_t i = 0; i + part.len <= text.len; i++)
        if (str_eq_nocase(str_slice(text, i, i + part.len), part))
            return true;
    return false;
}

static bool fits(const struct profile *p, struct str q)
{
    if (q.len == 0 || contains(p->external_id, q) || contains(p->braze_id, q))
        return true;
    static const struct str fields[] = {STR_INIT("email"), STR_INIT("phone"),
                                        STR_INIT("first_name"), STR_INIT("last_name")};
    for (size_t i = 0; i < countof(fields); i++)
        if (contains(jv_str(profile_get(p, SECTION_STANDARD, fields[i])), q))
            return true;
    struct jv aliases = profile_section(p, SECTION_ALIASES);
    for (uint32_t i = 0; i < aliases.len; i++)
        if (contains(jv_str(aliases.members[i].value), q))
            return true;
    return false;
}

/* A search reads every profile: each one is forgotten again before the next, so that memory stays
 * small. */
static void write_page(struct call *c, struct str q, uint64_t offset, uint64_t limit)
{
    struct profiles *ps = c->sandbox->profiles;
    struct buf *out = &c->answer->body;
    struct arena one;
    uint64_t found = 0;
    uint64_t written = 0;
    struct arena *whole = c->arena;
    arena_init(&one, SANDBOX_ANSWER_BYTES_MAX);
    int rc = profiles_end(ps);
    for (uint32_t n = 0; rc == 0 && n < profiles_numbers(ps) && written < limit; n++) {
        arena_reset(&one);
        c->arena = &one;
        profiles_begin(ps, &one, c->now_ms);
        struct profile *p = profiles_get(ps, n);
        if (p != NULL && fits(p, q) && found++ >= offset) {
            buf_append(out, written++ == 0 ? STR("") : STR(","));
            jv_write(out, export_profile(c, p, jv_undefined()));
        }
        rc = profiles_end(ps);
    }
    c->arena = whole;
    profiles_begin(ps, whole, c->now_ms);
    arena_fini(&one);
}

void answer_look_profiles(struct call *c)
{
    bool offset_ok;
    bool limit_ok;
    uint64_t offset = query_number(&c->query, STR("offset"), 0, NUMBER_MAX, &offset_ok);
    uint64_t limit = query_number(&c->query, STR("limit"), PAGE_DEFAULT, PAGE_MAX, &limit_ok);
    if (!offset_ok || !limit_ok) {
        call_message(c, 400, "offset and limit must be whole numbers, limit at most 1000");
        return;
    }
    reply_text_begins(c);
    struct buf *out = &c->answer->body;
    buf_printf(out, "{\"total\":%zu,\"offset\":%llu,\"profiles\":[",
               profiles_count(c->sandbox->profiles), (unsigned long long)offset);
    write_page(c, query_get(&c->query, STR("q")), offset, limit);
    buf_append(out, STR("],\"message\":\"success\"}"));
}

void answer_look_requests(struct call *c)
{
    bool after_ok;
    bool limit_ok;
    uint64_t after = query_number(&c->query, STR("after"), 0, INT64_MAX, &after_ok);
    uint64_t limit = query_number(&c->query, STR("limit"), PAGE_DEFAULT, RECENT_MAX, &limit_ok);
    if (!after_ok || !limit_ok) {
        call_message(c, 400, "after and limit must be whole numbers, limit at most 200");
        return;
    }
    reply_text_begins(c);
    buf_append(&c->answer->body, STR("{\"requests\":"));
    recent_write(c->sandbox->recent, &c->answer->body, after, limit);
    buf_append(&c->answer->body, STR(",\"message\":\"success\"}"));
}

void answer_look_log(struct call *c)
{
    bool after_ok;
    bool limit_ok;
    uint64_t after = query_number(&c->query, STR("after"), 0, INT64_MAX, &after_ok);
    uint64_t limit = query_number(&c->query, STR("limit"), PAGE_DEFAULT, NOTES_MAX, &limit_ok);
    struct str kind_name = query_get(&c->query, STR("kind"));
    enum note_kind kind = note_kind_find(kind_name);
    if (!after_ok || !limit_ok || (kind_name.len > 0 && kind == NOTE_KIND_COUNT)) {
        call_message(c, 400,
                     "after and limit must be whole numbers, limit at most 2000, kind one of the "
                     "counts' names");
        return;
    }
    reply_text_begins(c);
    struct buf *out = &c->answer->body;
    buf_append(out, STR("{\"counts\":{"));
    for (int i = 0; i < NOTE_KIND_COUNT; i++)
        buf_printf(out, "%s\"%.*s\":%llu", i == 0 ? "" : ",",
                   STR_ARG(note_kind_name((enum note_kind)i)),
                   (unsigned long long)notes_count(c->sandbox->notes, (enum note_kind)i));
    buf_append(out, STR("},\"log\":"));
    notes_write(c->sandbox->notes, out, kind, after, limit);
    buf_append(out, STR(",\"message\":\"success\"}"));
}

void answer_look_points(struct call *c)
{
    reply_text_begins(c);
    names_write_points(c->sandbox->names, &c->answer->body, c->arena);
}

void answer_look_stats(struct call *c)
{
    struct sandbox_counts counts = sandbox_counts(c->sandbox);
    const struct {
        struct str name;
        uint64_t value;
    } rows[] = {
        {STR("requests"), counts.requests},
        {STR("profiles"), counts.profiles},
        {STR("attributes"), counts.attributes},
        {STR("events"), counts.events},
        {STR("purchases"), counts.purchases},
        {STR("objects_rejected"), counts.objects_rejected},
        {STR("data_points"), counts.data_points},
    };
    struct jv_builder b;
    jv_object_begin(&b, c->arena, countof(rows) + 3);
    for (size_t i = 0; i < countof(rows); i++)
        jv_object_put(&b, rows[i].name, jv_number((double)rows[i].value));
    struct jv_builder names;
    size_t count;
    const struct name **sorted = names_sorted(c->sandbox->names, NAME_EVENT, c->arena, &count);
    jv_object_begin(&names, c->arena, (uint32_t)count);
    for (size_t i = 0; i < count; i++)
        jv_object_put(&names, sorted[i]->text, jv_number((double)sorted[i]->count));
    jv_object_put(&b, STR("events_by_name"), jv_object_end(&names));
    call_success(c, 200, &b);
}

void answer_look_limits(struct call *c)
{
    struct jv *items;
    struct jv list = jv_array(c->arena, &items, RATE_COUNT);
    for (int i = 0; list.type == JV_ARRAY && i < RATE_COUNT; i++) {
        struct rate_state state = rates_look(&c->sandbox->rates, (enum rate_bucket)i, c->now_ms);
        struct jv_builder b;
        jv_object_begin(&b, c->arena, 5);
        jv_object_put(&b, STR("name"), jv_string(rate_name((enum rate_bucket)i)));
        jv_object_put(&b, STR("limit"), jv_number((double)state.limit));
        jv_object_put(&b, STR("remaining"), jv_number((double)state.remaining));
        jv_object_put(&b, STR("window_seconds"),
                      jv_number((double)c->sandbox->rates.buckets[i].window_ms / 1000));
        jv_object_put(&b, STR("resets_at"), jv_string(time_text(c->arena, state.reset_ms)));
        items[i] = jv_object_end(&b);
    }
    struct jv_builder b;
    jv_object_begin(&b, c->arena, 3);
    jv_object_put(&b, STR("enforced"), jv_bool(!c->sandbox->no_limits));
    jv_object_put(&b, STR("limits"), list);
    call_success(c, 200, &b);
}

void answer_look_faults(struct call *c)
{
    reply_text_begins(c);
    buf_append(&c->answer->body, STR("{\"faults\":"));
    faults_write(c->sandbox->faults, &c->answer->body);
    buf_append(&c->answer->body, STR(",\"message\":\"success\"}"));
}

void answer_add_faults(struct call *c)
{
    struct jv list = jv_get(c->body, STR("faults"));
    struct jv single = c->body;
    struct err err = {0};
    if (list.type != JV_ARRAY)
        list = (struct jv){.type = JV_ARRAY, .len = 1, .items = &single};
    size_t before = faults_count(c->sandbox->faults);
    for (uint32_t i = 0; i < list.len; i++) {
        if (faults_add_json(c->sandbox->faults, list.items[i], &err) != 0) {
            faults_cut(c->sandbox->faults, before); /* a list counts as a whole */
            call_message(c, 400, err.msg);
            return;
        }
    }
    answer_look_faults(c);
    c->answer->status = 201;
}

void answer_clear_faults(struct call *c)
{
    faults_clear(c->sandbox->faults);
    call_message(c, 200, "success");
}

void answer_reset(struct call *c)
{
    struct sandbox *s = c->sandbox;
    int rc = profiles_end(s->profiles);
    (void)rc; /* nothing was opened by this call */
    profiles_clear(s->profiles);
    profiles_begin(s->profiles, c->arena, c->now_ms);
    names_clear(s->names);
    notes_clear(s->notes);
    recent_clear(s->recent);
    faults_clear(s->faults);
    later_clear(s->later);
    states_clear(s->states);
    catalogs_clear(s->catalogs);
    rates_reset(&s->rates);
    disk_clear(s->disk);
    s->counts = (struct sandbox_counts){.requests = s->counts.requests};
    call_message(c, 200, "success");
}
