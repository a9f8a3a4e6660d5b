#include "uri.h"

/* What a byte may be part of. */
enum {
    IN_NAME = 1,    /* unreserved and sub-delims: a registered host name */
    IN_USER = 2,    /* and ":" */
    IN_PATH = 4,    /* and "@" */
    IN_TAIL = 8,    /* and "/" and "?": query and fragment */
    IN_SCHEME = 16, /* after its first letter */
    IN_HEX = 32,
    IN_DIGIT = 64,
};

static unsigned classes(char c)
{
    enum {
        T = IN_TAIL,
        A = IN_PATH | T,
        C = IN_USER | A,
        S = IN_NAME | C,
        P = IN_SCHEME | S,
        X = IN_HEX | P,
        D = IN_DIGIT | X,
    };
    /* clang-format off */
    static const uint8_t table[256] = {
        /*  !"#$%&'()*+,-./ */ [' '] = 0, S, 0, 0, S, 0, S, S, S, S, S, P, S, P, P, T,
        /* 0123456789:;<=>? */ D, D, D, D, D, D, D, D, D, D, C, S, 0, S, 0, T,
        /* @ABCDEFGHIJKLMNO */ A, X, X, X, X, X, X, P, P, P, P, P, P, P, P, P,
        /* PQRSTUVWXYZ[\]^_ */ P, P, P, P, P, P, P, P, P, P, P, 0, 0, 0, 0, S,
        /* `abcdefghijklmno */ 0, X, X, X, X, X, X, P, P, P, P, P, P, P, P, P,
        /* pqrstuvwxyz{|}~  */ P, P, P, P, P, P, P, P, P, P, P, 0, 0, 0, S, 0,
    };
    /* clang-format on */
    return table[(unsigned char)c];
}

/* Only bytes of the class, and percent-encoded ones. */
static bool all_in(struct str text, unsigned class)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((classes(text.ptr[i]) & class) != 0)
            continue;
        if (text.ptr[i] != '%' || i + 2 >= text.len || (classes(text.ptr[i + 1]) & IN_HEX) == 0 ||
            (classes(text.ptr[i + 2]) & IN_HEX) == 0)
            return false;
        i += 2;
    }
    return true;
}

static bool all_digits(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((classes(text.ptr[i]) & IN_DIGIT) == 0)
            return false;
    return true;
}

/* Four decimal numbers up to 255, leading zeros allowed up to three digits. */
static bool is_ipv4(struct str text)
{
    for (int part = 0; part < 4; part++) {
        size_t dot = str_find(text, '.');
        struct str octet = str_slice(text, 0, dot);
        if (octet.len == 0 || octet.len > 3 || !all_digits(octet))
            return false;
        if (octet.len == 3 && memcmp(octet.ptr, "255", 3) > 0)
            return false;
        if ((part == 3) != (dot == text.len))
            return false;
        text = str_slice(text, dot + 1, text.len);
    }
    return true;
}

static bool is_group(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((classes(text.ptr[i]) & IN_HEX) == 0)
            return false;
    return text.len >= 1 && text.len <= 4;
}

/* Counts 16-bit groups between colons; the last one may be an IPv4
 * address, which is two. -1: malformed. */
static int count_groups(struct str text, bool ipv4_at_end)
{
    int groups = 0;
    if (text.len == 0)
        return 0;
    for (;;) {
        size_t colon = str_find(text, ':');
        struct str group = str_slice(text, 0, colon);
        if (is_group(group))
            groups++;
        else if (ipv4_at_end && colon == text.len && is_ipv4(group))
            groups += 2;
        else
            return -1;
        if (colon == text.len)
            return groups;
        text = str_slice(text, colon + 1, text.len);
    }
}

static bool is_ipv6(struct str text)
{
    size_t gap = 0; /* of the first "::" */
    while (gap + 1 < text.len && (text.ptr[gap] != ':' || text.ptr[gap + 1] != ':'))
        gap++;
    if (gap + 1 >= text.len)
        return count_groups(text, true) == 8;
    int before = count_groups(str_slice(text, 0, gap), false);
    int after = count_groups(str_slice(text, gap + 2, text.len), true);
    return before >= 0 && after >= 0 && before + after <= 7;
}

/* "v" hex+ "." bytes+ */
static bool is_future_address(struct str text)
{
    if (text.len < 4 || (text.ptr[0] != 'v' && text.ptr[0] != 'V'))
        return false;
    size_t dot = str_find(text, '.');
    for (size_t i = 1; i < dot; i++)
        if ((classes(text.ptr[i]) & IN_HEX) == 0)
            return false;
    for (size_t i = dot + 1; i < text.len; i++)
        if ((classes(text.ptr[i]) & IN_USER) == 0)
            return false;
    return dot > 1 && dot + 1 < text.len;
}

/* [user@] host [:port] */
static bool is_authority(struct str text)
{
    size_t at = str_find(text, '@');
    if (at < text.len) {
        if (!all_in(str_slice(text, 0, at), IN_USER))
            return false;
        text = str_slice(text, at + 1, text.len);
    }
    size_t host_end;
    if (text.len > 0 && text.ptr[0] == '[') {
        size_t close = str_find(text, ']');
        struct str address = str_slice(text, 1, close);
        if (close == text.len || (!is_ipv6(address) && !is_future_address(address)))
            return false;
        host_end = close + 1;
    } else {
        host_end = str_find(text, ':');
        if (!all_in(str_slice(text, 0, host_end), IN_NAME))
            return false;
    }
    struct str port = str_slice(text, host_end, text.len);
    return port.len == 0 || (port.ptr[0] == ':' && all_digits(str_slice(port, 1, port.len)));
}

/* Segments of path bytes between slashes. */
static bool is_path(struct str text)
{
    while (text.len > 0) {
        size_t slash = str_find(text, '/');
        if (!all_in(str_slice(text, 0, slash), IN_PATH))
            return false;
        text = str_slice(text, slash + 1, text.len);
    }
    return true;
}

/* `skip` slashes, then an authority, then a path. */
static bool is_authority_and_path(struct str text, size_t skip)
{
    for (size_t i = 0; i < skip; i++)
        if (i >= text.len || text.ptr[i] != '/')
            return false;
    text = str_slice(text, skip, text.len);
    size_t slash = str_find(text, '/');
    return is_authority(str_slice(text, 0, slash)) && is_path(str_slice(text, slash, text.len));
}

/* What stands between the scheme and the query. One slash before an
 * authority is enough for the reference. */
static bool is_hierarchy(struct str text)
{
    if (text.len == 0)
        return false;
    if (is_authority_and_path(text, 2) || is_authority_and_path(text, 1))
        return true;
    if (text.ptr[0] == '/')
        return text.len == 1 || (text.ptr[1] != '/' && is_path(str_slice(text, 1, text.len)));
    return is_path(text);
}

bool uri_match(struct str text)
{
    size_t colon = str_find(text, ':');
    if (colon == text.len || colon == 0 || (classes(text.ptr[0]) & IN_SCHEME) == 0 ||
        (classes(text.ptr[0]) & IN_DIGIT) != 0 || strchr("+-.", text.ptr[0]) != NULL)
        return false;
    for (size_t i = 1; i < colon; i++)
        if ((classes(text.ptr[i]) & IN_SCHEME) == 0)
            return false;

    struct str rest = str_slice(text, colon + 1, text.len);
    size_t hash = str_find(rest, '#');
    struct str fragment = str_slice(rest, hash + 1, rest.len);
    rest = str_slice(rest, 0, hash);
    size_t mark = str_find(rest, '?');
    struct str query = str_slice(rest, mark + 1, rest.len);
    return is_hierarchy(str_slice(rest, 0, mark)) && all_in(query, IN_TAIL) &&
           all_in(fragment, IN_TAIL);
}
