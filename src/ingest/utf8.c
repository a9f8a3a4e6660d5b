#include "utf8.h"

static const struct str replacement = STR_INIT("\xef\xbf\xbd");

/* Bytes of the character at the text's start, 0 when none starts there: no overlong forms, no
 * surrogates, none beyond U+10FFFF (RFC 3629). */
static size_t character_bytes(struct str text)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char first = (unsigned char)text.ptr[0];
    size_t bytes = first < 0x80 ? 1 : first < 0xc0 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (bytes <= 1)
        return bytes;
    if (first >= 0xf8 || text.len < bytes)
        return 0;
    uint32_t code = first & (0x7fu >> bytes);
    for (size_t i = 1; i < bytes; i++) {
        unsigned char next = (unsigned char)text.ptr[i];
        if ((next & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (next & 0x3fu);
    }
    bool is_surrogate = code >= 0xd800 && code <= 0xdfff;
    return code < least[bytes] || is_surrogate || code > 0x10ffff ? 0 : bytes;
}

static bool is_utf8(struct str text)
{
    while (text.len > 0) {
        size_t bytes = character_bytes(text);
        if (bytes == 0)
            return false;
        text = str_slice(text, bytes, text.len);
    }
    return true;
}

struct str utf8_mend(struct arena *a, struct str text)
{
    if (is_utf8(text))
        return text;
    char *out = arena_array(a, text.len, replacement.len);
    size_t len = 0;
    if (out == NULL)
        return (struct str){"", 0};
    while (text.len > 0) {
        size_t bytes = character_bytes(text);
        struct str part = bytes == 0 ? replacement : str_slice(text, 0, bytes);
        memcpy(out + len, part.ptr, part.len);
        len += part.len;
        text = str_slice(text, bytes == 0 ? 1 : bytes, text.len);
    }
    return (struct str){out, len};
}
