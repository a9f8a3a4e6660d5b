#include "program.h"

#include <errno.h>

const char *program_type_name(struct jv v)
{
    switch ((enum jv_type)v.type) {
    case JV_UNDEFINED:
        return "undefined";
    case JV_NULL:
        return "null";
    case JV_BOOL:
        return "boolean";
    case JV_NUMBER:
        return "number";
    case JV_STRING:
        return "string";
    case JV_ARRAY:
        return "array";
    case JV_OBJECT:
        return "object";
    }
    return "";
}

const struct jv_member *program_directive(struct jv v)
{
    const struct jv_member *directive = NULL;
    if (v.type != JV_OBJECT)
        return NULL;
    for (uint32_t i = 0; i < v.len; i++) {
        bool has_at = str_starts(v.members[i].key, STR("@"));
        if (!has_at && !str_eq(v.members[i].key, STR("_metadata")))
            return NULL;
        if (has_at && directive == NULL)
            directive = &v.members[i];
    }
    return directive;
}

int program_throw_formatted(struct thrown *thrown, struct arena *a, struct str name,
                            const char *format, va_list args)
{
    struct str message = arena_vprintf(a, format, args);
    if (message.ptr == NULL)
        return -ENOMEM;
    *thrown = (struct thrown){name, message};
    return -EINVAL;
}

int program_throw(struct thrown *thrown, struct arena *a, struct str name, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int rc = program_throw_formatted(thrown, a, name, format, args);
    va_end(args);
    return rc;
}
