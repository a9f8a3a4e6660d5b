#include "filters.h"

#include <math.h>
#include <string.h>

#include <nettle/base64.h>
#include <nettle/hmac.h>
#include <nettle/sha2.h>
#include <unictype.h>
#include <unistr.h>

#include "path.h"
#include "text.h"

enum { TEXT_BYTES_MAX = 16 << 20 };

static void begin(struct render *r, struct buf *out)
{
    buf_init_arena(out, r->arena, TEXT_BYTES_MAX);
}

static struct str counted(struct render *r, struct jv v)
{
    struct str text = render_text(r, v);
    render_use(r, (double)text_units(text));
    return text;
}

/* clang-format off */
static const struct {
    char plain;
    struct str escaped;
} entities[] = {
    {'&', STR_INIT("&amp;")}, {'<', STR_INIT("&lt;")}, {'>', STR_INIT("&gt;")},
    {'"', STR_INIT("&#34;")}, {'\'', STR_INIT("&#39;")},
};
/* clang-format on */

static void append_escaped(struct buf *out, char c)
{
    for (size_t i = 0; i < countof(entities); i++) {
        if (entities[i].plain == c) {
            buf_append(out, entities[i].escaped);
            return;
        }
    }
    buf_putc(out, c);
}

struct jv filter_escape(struct render *r, struct jv v, struct arguments args)
{
    (void)args;
    struct buf out;
    struct str text = counted(r, v);
    begin(r, &out);
    for (size_t i = 0; i < text.len; i++)
        append_escaped(&out, text.ptr[i]);
    return render_from_buf(r, &out);
}

/* What is escaped already is not escaped again. */
struct jv filter_escape_once(struct render *r, struct jv v, struct arguments args)
{
    (void)args;
    struct buf out;
    struct str text = counted(r, v);
    begin(r, &out);
    for (size_t i = 0; i < text.len;) {
        size_t e = 0;
        while (e < countof(entities) &&
               !str_starts(str_slice(text, i, text.len), entities[e].escaped))
            e++;
        append_escaped(&out, e < countof(entities) ? entities[e].plain : text.ptr[i]);
        i += e < countof(entities) ? entities[e].escaped.len : 1;
    }
    return render_from_buf(r, &out);
}

/* Offset behind the next `part` at or after `from`, or 0. */
static size_t behind(struct str text, size_t from, struct str part)
{
    const char *at =
        from >= text.len ? NULL : memmem(text.ptr + from, text.len - from, part.ptr, part.len);
    return at == NULL ? 0 : (size_t)(at - text.ptr) + part.len;
}

struct jv filter_strip_html(struct render *r, struct jv v, struct arguments args)
{
    (void)args;
    static const struct {
        struct str open;
        struct str close;
    } blocks[] = {{STR_INIT("<script"), STR_INIT("</script>")},
                  {STR_INIT("<style"), STR_INIT("</style>")},
                  {STR_INIT("<!--"), STR_INIT("-->")},
                  {STR_INIT("<"), STR_INIT(">")}};
    bool is_unclosed[countof(blocks)] = {false}; /* none of its ends is left in the text */
    struct buf out;
    struct str text = counted(r, v);
    begin(r, &out);
    for (size_t at = 0; at < text.len;) {
        size_t open = at + str_find(str_slice(text, at, text.len), '<');
        buf_append(&out, str_slice(text, at, open));
        size_t next = 0;
        for (size_t b = 0; b < countof(blocks) && next == 0 && open < text.len; b++) {
            if (is_unclosed[b] || !str_starts(str_slice(text, open, text.len), blocks[b].open))
                continue;
            next = behind(text, open + blocks[b].open.len, blocks[b].close);
            is_unclosed[b] = next == 0;
        }
        if (next == 0) {
            buf_append(&out, str_slice(text, open, text.len));
            break;
        }
        at = next;
    }
    return render_from_buf(r, &out);
}

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Percent-encodes all but letters, digits and `kept`; a space becomes `space` when that is not NUL.
 */
static struct jv percent_encode(struct render *r, struct jv v, const char *kept, char space)
{
    static const char hex[] = "0123456789ABCDEF";
    struct buf out;
    struct str text = render_text(r, v);
    begin(r, &out);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (is_alnum(c) || (c != '\0' && strchr(kept, c) != NULL)) {
            buf_putc(&out, c);
        } else if (c == ' ' && space != '\0') {
            buf_putc(&out, space);
        } else {
            buf_putc(&out, '%');
            buf_putc(&out, hex[(unsigned char)c >> 4]);
            buf_putc(&out, hex[(unsigned char)c & 15]);
        }
    }
    return render_from_buf(r, &out);
}

struct jv filter_url_encode(struct render *r, struct jv v, struct arguments args)
{
    (void)args;
    return percent_encode(r, v, "-_.!~*'()", '+');
}

struct jv filter_cgi_escape(struct render *r, struct jv v, struct arguments args)
{
    (void)args;
    return percent_encode(r, v, "-_.~", '+');
}

struct jv filter_uri_escape(struct render *r, struct jv v, struct arguments args)
{
    (void)args;
    return percent_encode(r, v, "-_.!~*'();/?:@&=+$,#[]", '\0');
}

struct jv filter_url_decode(struct render *r, struct jv v, struct arguments args)
{
    (void)args;
    struct buf out;
    struct str text = render_text(r, v);
    begin(r, &out);
    for (size_t i = 0; i < text.len; i++) {
        int high = text.ptr[i] == '%' && i + 2 < text.len ? hex_digit(text.ptr[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(text.ptr[i + 2]) : -1;
        if (text.ptr[i] != '%') {
            buf_putc(&out, text.ptr[i] == '+' ? ' ' : text.ptr[i]);
            continue;
        }
        if (low < 0)
            return render_throw(r, "URI malformed");
        char c = (char)(high * 16 + low);
        buf_putc(&out,
                 c == '+' ? ' ' : c); /* the reference decodes first and then turns every plus */
        i += 2;
    }
    if (out.len > 0 && u8_check((const uint8_t *)out.ptr, out.len) != NULL)
        return render_throw(r, "URI malformed");
    return render_from_buf(r, &out);
}

static struct str without_accent(uint32_t point)
{
    /* clang-format off */
    static const struct {
        uint32_t first;
        uint32_t last;
        struct str plain;
    } rows[] = {
        {0xE0, 0xE5, STR_INIT("a")},  {0xE6, 0xE6, STR_INIT("ae")}, {0xE7, 0xE7, STR_INIT("c")},
        {0xE8, 0xEB, STR_INIT("e")},  {0xEC, 0xEF, STR_INIT("i")},  {0xF0, 0xF0, STR_INIT("d")},
        {0xF1, 0xF1, STR_INIT("n")},  {0xF2, 0xF6, STR_INIT("o")},  {0xF8, 0xF8, STR_INIT("o")},
        {0xF9, 0xFC, STR_INIT("u")},  {0xFD, 0xFD, STR_INIT("y")},  {0xFF, 0xFF, STR_INIT("y")},
        {0xDF, 0xDF, STR_INIT("ss")}, {0x153, 0x153, STR_INIT("oe")}, {0xFE, 0xFE, STR_INIT("th")},
        {0x1E9E, 0x1E9E, STR_INIT("SS")}, {0x152, 0x152, STR_INIT("OE")}, {0xDE, 0xDE, STR_INIT("TH")},
    };
    /* clang-format on */
    for (size_t i = 0; i < countof(rows); i++)
        if (point >= rows[i].first && point <= rows[i].last)
            return rows[i].plain;
    return STR("");
}

static bool is_slug(struct str mode, struct str character, uint32_t point)
{
    if (str_eq(mode, STR("raw")))
        return text_space_bytes(character, 0) == 0;
    if (str_eq(mode, STR("ascii")))
        return point < 0x80 && is_alnum((char)point);
    if (str_eq(mode, STR("pretty")) && point < 0x80 && point != 0 &&
        strchr("._~!$&'()+,;=@", (int)point) != NULL)
        return true;
    return uc_is_general_category_withtable(point, UC_CATEGORY_MASK_L | UC_CATEGORY_MASK_M |
                                                       UC_CATEGORY_MASK_Nd);
}

static bool is_slug_mode(struct str mode)
{
    static const struct str modes[] = {STR_INIT("raw"), STR_INIT("default"), STR_INIT("pretty"),
                                       STR_INIT("ascii"), STR_INIT("latin")};
    for (size_t i = 0; i < countof(modes); i++)
        if (str_eq(modes[i], mode))
            return true;
    return false;
}

static struct str slug(struct render *r, struct str text, struct str mode)
{
    struct buf out;
    begin(r, &out);
    bool in_gap = false;
    for (size_t i = 0; i < text.len;) {
        size_t from = i;
        uint32_t point = text_next_point(text, &i);
        struct str character = str_slice(text, from, i);
        struct str plain = str_eq(mode, STR("latin")) ? without_accent(point) : STR("");
        bool is_kept = plain.len > 0 || is_slug(mode, character, point);
        if (is_kept)
            buf_append(&out, plain.len > 0 ? plain : character);
        else if (!in_gap)
            buf_putc(&out, '-');
        in_gap = !is_kept;
    }
    struct str whole = buf_str(&out);
    if (str_starts(whole, STR("-")))
        whole = str_slice(whole, 1, whole.len);
    if (str_ends(whole, STR("-")))
        whole = str_slice(whole, 0, whole.len - 1);
    if (out.failed)
        (void)render_out_of_memory(r);
    return whole;
}

struct jv filter_slugify(struct render *r, struct jv v, struct arguments args)
{
    struct str text = render_text(r, v);
    struct jv given = argument_at(args, 0);
    struct str mode = given.type == JV_UNDEFINED ? STR("default") : render_js_text(r, given);
    if (is_slug_mode(mode))
        text = slug(r, text, mode);
    if (!jv_truthy(argument_at(args, 1)))
        text = text_lower(r->arena, text);
    return text.ptr == NULL && text.len > 0 ? render_out_of_memory(r) : jv_string(text);
}

struct jv filter_base64_encode(struct render *r, struct jv v, struct arguments args)
{
    (void)args;
    struct str text = counted(r, v);
    size_t len = BASE64_ENCODE_RAW_LENGTH(text.len);
    char *out = arena_alloc(r->arena, len);
    if (out == NULL)
        return render_out_of_memory(r);
    base64_encode_raw(out, text.len, (const uint8_t *)text.ptr);
    return jv_string((struct str){out, len});
}

static int base64_digit(char c)
{
    if (is_alnum(c))
        return c >= 'a' ? c - 'a' + 26 : c >= 'A' ? c - 'A' : c - '0' + 52;
    return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

/* Four characters become three bytes: what is held of them so far. */
struct base64 {
    struct buf bytes;
    uint32_t bits;
    unsigned held;
    bool is_ended;
};

/* Node looks at the low byte of a UTF-16 unit: both alphabets, '=' ends, anything else is skipped.
 */
static void decode_unit(struct base64 *d, uint32_t unit)
{
    int digit = base64_digit((char)(unit & 0xFF));
    d->is_ended = d->is_ended || (unit & 0xFF) == '=';
    if (d->is_ended || digit < 0)
        return;
    d->bits = d->bits << 6 | (uint32_t)digit;
    d->held += 6;
    if (d->held >= 8) {
        d->held -= 8;
        buf_putc(&d->bytes, (char)(d->bits >> d->held & 0xFF));
    }
}

/* How many bytes, which begin no character, one U+FFFD stands for: as many as a character could
 * have begun with. */
static size_t broken_bytes(const uint8_t *bytes, size_t len)
{
    uint8_t lead = bytes[0];
    uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (lead < 0xE0 || lead > 0xF4 || len < 2 || bytes[1] < low || bytes[1] > high)
        return 1;
    return lead >= 0xF0 && len > 2 && bytes[2] >= 0x80 && bytes[2] <= 0xBF ? 3 : 2;
}

/* What is no UTF-8 becomes U+FFFD. */
struct jv filter_base64_decode(struct render *r, struct jv v, struct arguments args)
{
    (void)args;
    struct base64 d = {.bits = 0};
    struct buf out;
    struct str text = counted(r, v);
    begin(r, &d.bytes);
    for (size_t i = 0; i < text.len;) {
        uint32_t point = text_next_point(text, &i);
        if (point > 0xFFFF)
            decode_unit(&d, (point - 0x10000) >> 10);
        decode_unit(&d, point > 0xFFFF ? (point - 0x10000) & 0x3FF : point);
    }
    struct buf bytes = d.bytes;
    begin(r, &out);
    for (size_t i = 0; i < bytes.len;) {
        ucs4_t point;
        const uint8_t *at = (const uint8_t *)bytes.ptr + i;
        int used = u8_mbtoucr(&point, at, bytes.len - i);
        size_t taken = used > 0 ? (size_t)used : broken_bytes(at, bytes.len - i);
        buf_append(&out, used > 0 ? str_slice(buf_str(&bytes), i, i + taken) : STR("\xEF\xBF\xBD"));
        i += taken;
    }
    return render_from_buf(r, &out);
}

static struct jv hex_text(struct render *r, const uint8_t *digest)
{
    static const char hex[] = "0123456789abcdef";
    char *out = arena_alloc(r->arena, 2 * SHA256_DIGEST_SIZE);
    if (out == NULL)
        return render_out_of_memory(r);
    for (size_t i = 0; i < SHA256_DIGEST_SIZE; i++) {
        out[2 * i] = hex[digest[i] >> 4];
        out[2 * i + 1] = hex[digest[i] & 15];
    }
    return jv_string((struct str){out, 2 * SHA256_DIGEST_SIZE});
}

struct jv filter_sha256(struct render *r, struct jv v, struct arguments args)
{
    (void)args;
    struct sha256_ctx ctx;
    uint8_t digest[SHA256_DIGEST_SIZE];
    struct str text = counted(r, v);
    sha256_init(&ctx);
    sha256_update(&ctx, text.len, (const uint8_t *)text.ptr);
    sha256_digest(&ctx, sizeof(digest), digest);
    return hex_text(r, digest);
}

struct jv filter_hmac_sha256(struct render *r, struct jv v, struct arguments args)
{
    struct hmac_sha256_ctx ctx;
    uint8_t digest[SHA256_DIGEST_SIZE];
    struct str text = counted(r, v);
    struct str key = counted(r, argument_at(args, 0));
    hmac_sha256_set_key(&ctx, key.len, (const uint8_t *)key.ptr);
    hmac_sha256_update(&ctx, text.len, (const uint8_t *)text.ptr);
    hmac_sha256_digest(&ctx, sizeof(digest), digest);
    return hex_text(r, digest);
}

/* A gap without pointer means one line. An empty one still breaks lines: V8 takes 0 < number < 1
 * for such a gap. */
static void append_line(struct buf *out, struct str gap, unsigned depth)
{
    if (gap.ptr == NULL)
        return;
    buf_putc(out, '\n');
    for (unsigned i = 0; i < depth; i++)
        buf_append(out, gap);
}

/* JSON.stringify with a gap. The words nil, empty and blank are objects without members to it. */
static void append_json(struct buf *out, struct jv v, struct str gap, unsigned depth)
{
    bool is_first = true;
    if (expression_is_special(v)) {
        buf_append(out, STR("{}"));
        return;
    }
    if (v.type != JV_ARRAY && v.type != JV_OBJECT) {
        jv_write(out, v);
        return;
    }
    buf_putc(out, v.type == JV_ARRAY ? '[' : '{');
    for (uint32_t i = 0; i < v.len; i++) {
        struct jv child = v.type == JV_ARRAY ? v.items[i] : v.members[i].value;
        if (v.type == JV_OBJECT && child.type == JV_UNDEFINED)
            continue;
        if (!is_first)
            buf_putc(out, ',');
        is_first = false;
        append_line(out, gap, depth + 1);
        if (v.type == JV_OBJECT) {
            jv_write_string(out, v.members[i].key);
            buf_append(out, gap.ptr != NULL ? STR(": ") : STR(":"));
        }
        append_json(out, child, gap, depth + 1);
    }
    if (!is_first)
        append_line(out, gap, depth);
    buf_putc(out, v.type == JV_ARRAY ? ']' : '}');
}

struct jv filter_json(struct render *r, struct jv v, struct arguments args)
{
    struct buf out;
    struct jv space = argument_at(args, 0);
    struct str gap = {NULL, 0};
    if (v.type == JV_UNDEFINED)
        return v;
    if (space.type == JV_NUMBER && jv_as_double(space) > 0)
        gap = str_slice(STR("          "), 0, (size_t)fmin(jv_as_double(space), 10));
    else if (space.type == JV_STRING && space.len > 0)
        gap = text_slice_units(r->arena, jv_str(space), 0, 10);
    if (gap.len > 0) /* V8 writes it as a C string */
        gap.len = strnlen(gap.ptr, gap.len);
    begin(r, &out);
    append_json(&out, v, gap, 0);
    render_use(r, (double)out.len);
    return render_from_buf(r, &out);
}

struct jv filter_raw(struct render *r, struct jv v, struct arguments args)
{
    (void)r;
    (void)args;
    return v;
}

/* The reference makes a map of all arguments but the first, which only pairs can become; a named
 * one is a pair of its name and its value. */
static bool allows_false(struct render *r, struct arguments args)
{
    bool allows = false;
    for (uint32_t i = 1; i < args.count && r->rc == 0; i++) {
        struct jv pair = args.items[i];
        bool is_pair = pair.type >= JV_ARRAY || expression_is_special(pair);
        if (!is_pair)
            (void)render_throw(r, "Iterator value %.*s is not an entry object",
                               STR_ARG(render_js_text(r, pair)));
        struct jv value = path_step(pair, STR("1"));
        if (is_pair && str_eq(jv_str(path_step(pair, STR("0"))), STR("allow_false")))
            allows = jv_truthy(value) || expression_is_special(value); /* words are objects */
    }
    return allows;
}

struct jv filter_default(struct render *r, struct jv v, struct arguments args)
{
    struct jv fallback = argument_at(args, 0);
    if (v.type == JV_ARRAY || v.type == JV_STRING)
        return v.len > 0 ? v : fallback;
    if (v.type == JV_BOOL && !v.boolean && allows_false(r, args))
        return v;
    return render_is_true(v) ? v : fallback;
}
