#include "yaml_write.h"

#include "text.h"

/* libyaml looks 1,024 characters ahead for the colon that makes a text a key; an escaped character
 * takes six. */
enum { KEY_CHARACTERS_MAX = 1000, ESCAPED_CHARACTERS = 6 };

/* What YAML allows in a file and no reader takes for a line break: the rest is written by number.
 */
static bool is_plain(uint32_t point)
{
    if (point == '"' || point == '\\' || point == 0x2028 || point == 0x2029)
        return false;
    return (point >= 0x20 && point <= 0x7e) || (point >= 0xa0 && point <= 0xd7ff) ||
           (point >= 0xe000 && point <= 0xfffd && point != 0xfeff) || point >= 0x10000;
}

static void write_escaped(struct buf *out, uint32_t point)
{
    if (point == '"' || point == '\\')
        buf_printf(out, "\\%c", (char)point);
    else if (point == '\n')
        buf_append(out, STR("\\n"));
    else if (point == '\t')
        buf_append(out, STR("\\t"));
    else
        buf_printf(out, "\\u%04x", (unsigned)point);
}

void yaml_write_string(struct buf *out, struct str text)
{
    size_t plain = 0; /* where the piece begins that can be copied as it is */
    buf_putc(out, '"');
    for (size_t at = 0; at < text.len;) {
        size_t before = at;
        uint32_t point = text_next_point(text, &at);
        bool is_broken = point >= 0xd800 && point <= 0xdfff;
        if (!is_broken && is_plain(point))
            continue;
        buf_append(out, str_slice(text, plain, before));
        write_escaped(out, is_broken ? 0xfffd : point);
        plain = at;
    }
    buf_append(out, str_slice(text, plain, text.len));
    buf_putc(out, '"');
}

void yaml_write_key(struct buf *out, struct str key)
{
    if (key.len > KEY_CHARACTERS_MAX / ESCAPED_CHARACTERS)
        buf_append(out, STR("? "));
    yaml_write_string(out, key);
    buf_append(out, STR(": "));
}

static void write_array(struct buf *out, struct jv array)
{
    buf_putc(out, '[');
    for (uint32_t i = 0; i < array.len; i++) {
        if (i > 0)
            buf_append(out, STR(", "));
        yaml_write_value(out, array.items[i]);
    }
    buf_putc(out, ']');
}

static void write_object(struct buf *out, struct jv object)
{
    buf_putc(out, '{');
    for (uint32_t i = 0; i < object.len; i++) {
        if (i > 0)
            buf_append(out, STR(", "));
        yaml_write_key(out, object.members[i].key);
        yaml_write_value(out, object.members[i].value);
    }
    buf_putc(out, '}');
}

void yaml_write_value(struct buf *out, struct jv v)
{
    switch ((enum jv_type)v.type) {
    case JV_STRING:
        yaml_write_string(out, jv_str(v));
        return;
    case JV_ARRAY:
        write_array(out, v);
        return;
    case JV_OBJECT:
        write_object(out, v);
        return;
    case JV_UNDEFINED:
    case JV_NULL:
    case JV_BOOL:
    case JV_NUMBER:
        jv_write(out, v);
        return;
    }
}
